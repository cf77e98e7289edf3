package resources

import (
	"strings"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/resource"
	"github.com/causeway-apim/causeway/internal/snapshot"
)

// The groups that every service has.
const (
	administratorsGroup = "administrators"
	developersGroup     = "developers"
	guestsGroup         = "guests"
)

// The types of a group.
const (
	groupCustom = "custom"
	groupSystem = "system"
)

// Group is a set of users who see the same products.
type Group struct {
	DisplayName string `json:"displayName" rule:"required,max=300" filter:"yes" doc:"Name that people see."`
	Description string `json:"description,omitempty" rule:"max=1000" filter:"yes" doc:"What the group is for."`
	BuiltIn     bool   `json:"builtIn" rule:"readonly" doc:"One of administrators, developers and guests."`
	Type        string `json:"type" rule:"enum=custom|system|external,default=custom" doc:"Where its members come from. System groups cannot be made."`
	ExternalID  string `json:"externalId,omitempty" rule:"max=1000" filter:"yes" doc:"The group at its identity provider, such as aad://tenant/groups/id."`
}

func groups() *resource.Type {
	return resource.Define(resource.Spec[Group]{
		Name: "groups", Title: "Group", Doc: "Users who see the same products.",
		Parents: []string{""}, Workspaces: true, Verbs: resource.CRUDL, NameMax: 256,
		Check: checkGroup,
		Delete: func(_ *resource.Tx, old *resource.Doc[Group]) error {
			if old.Props.BuiltIn {
				return arm.Errorf(arm.CodeValidation, "The system group %s cannot be deleted.", old.Name())
			}
			return nil
		},
		Publish: func(p *resource.Pub, d *resource.Doc[Group]) error {
			return p.Add(snapshot.KindGroup, d.ID.Rel(), snapshot.Group{Name: d.Name(), Display: d.Props.DisplayName})
		},
	})
}

func checkGroup(_ *resource.Tx, old, d *resource.Doc[Group]) error {
	g := d.Props
	switch {
	case old == nil && g.Type == groupSystem:
		return arm.Invalid("type", "System groups cannot be made.")
	case old != nil && old.Props.Type != g.Type:
		return arm.Invalid("type", "The type of a group cannot be changed.")
	case old != nil && old.Props.BuiltIn && g != old.Props: // writing what is there is fine: tools do so
		return arm.Errorf(arm.CodeValidation, "The system group %s cannot be changed.", old.Name())
	}
	return nil
}

// groupUsers says who is a member of a group.
func groupUsers() *resource.Type {
	return resource.Define(resource.Spec[struct{}]{
		Name: "users", Title: "Member of a group", Doc: "A user who is a member of the group. Every user is a member of developers.",
		Parents: []string{"groups"}, Workspaces: true, Join: "users", Verbs: resource.JoinVerbs,
		Check: func(_ *resource.Tx, old, d *resource.Doc[struct{}]) error {
			if old == nil && isGroup(d.ID, guestsGroup) {
				return arm.Errorf(arm.CodeValidation, "Guests are those who have not signed in: nobody can be made one.")
			}
			return nil
		},
		Delete: func(x *resource.Tx, old *resource.Doc[struct{}]) error {
			if isGroup(old.ID, developersGroup) && x.ID.Equal(old.ID) { // it goes with the user only
				return arm.Errorf(arm.CodeValidation, "Every user is a member of developers.")
			}
			return nil
		},
		Affects: func(id arm.ID) []arm.ID { return []arm.ID{id.Service().Child("users", id.Name())} },
	})
}

// isGroup reports whether a membership is one in a system group.
func isGroup(member arm.ID, group string) bool {
	return strings.HasPrefix(member.Rel(), "groups/"+group+"/")
}

// addMember makes a user a member of a group of the service.
func addMember(x *resource.Tx, group, user string) error {
	id := x.Service.Child("groups", group).Child("users", user)
	return resource.Save(x, &resource.Doc[struct{}]{Meta: resource.Meta{ID: id}})
}
