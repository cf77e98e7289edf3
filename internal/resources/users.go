package resources

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/auth"
	"github.com/causeway-apim/causeway/internal/resource"
	"github.com/causeway-apim/causeway/internal/snapshot"
)

// The states of a user that matter here; a blocked or deleted one cannot call anything.
const (
	userActive  = "active"
	userBlocked = "blocked"
	userDeleted = "deleted"
)

const (
	// adminUser is the name of the user that every service has from its creation.
	adminUser = "1"
	// emailIndex finds users by their e-mail address in lower case.
	emailIndex = "email"
	// basicProvider is the identity provider of users with a password.
	basicProvider = "Basic"
)

// User is an account of the developer portal and an owner of subscriptions.
type User struct {
	FirstName        string           `json:"firstName" rule:"required,max=100" filter:"yes" doc:"First name."`
	LastName         string           `json:"lastName" rule:"required,max=100" filter:"yes" doc:"Last name."`
	Email            string           `json:"email" rule:"required,max=254,email" filter:"yes" doc:"E-mail address; no other user of the service has it."`
	State            string           `json:"state" rule:"enum=active|blocked|pending|deleted,default=active" filter:"yes" doc:"A blocked user can neither sign in nor call anything with a subscription."`
	RegistrationDate *time.Time       `json:"registrationDate,omitempty" rule:"readonly" filter:"yes" doc:"When the user was made."`
	Note             string           `json:"note,omitempty" rule:"max=4000" filter:"yes" doc:"Note of the administrators."`
	Identities       []SignInIdentity `json:"identities,omitempty" rule:"max=20" doc:"How the user signs in."`
	Password         string           `json:"password,omitempty" rule:"writeonly,max=1024" doc:"Password for the portal. Only its argon2id hash is kept."`
	AppType          string           `json:"appType,omitempty" rule:"writeonly,enum=portal|developerPortal" doc:"Portal to which a mail would point; ignored."`
	Confirmation     string           `json:"confirmation,omitempty" rule:"writeonly,enum=signup|invite" doc:"Mail to a new user: to confirm the account, or an invitation."`
	PasswordHash     string           `json:"passwordHash,omitempty" rule:"secret,readonly"`
}

// SignInIdentity is an account at an identity provider.
type SignInIdentity struct {
	Provider string `json:"provider" rule:"max=100" doc:"Identity provider, such as Basic or Aad."`
	ID       string `json:"id" rule:"max=254" doc:"Account at the provider."`
}

// userView is a user as it is answered.
type userView struct {
	User
	Groups []groupView `json:"groups,omitempty"`
}

// groupView is a group in a user or product.
type groupView struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Group
}

func users(env Env) *resource.Type {
	return resource.Define(resource.Spec[User]{
		Name: "users", Title: "User", Doc: "An account of the developer portal.",
		Parents: []string{""}, Verbs: resource.CRUDL, DeleteEmpty: true,
		Prepare: func(_ context.Context, _ *resource.Request, _, d *resource.Doc[User]) error {
			if d.Props.Password != "" {
				d.Props.PasswordHash = auth.HashPassword(d.Props.Password)
			}
			return nil
		},
		Default: completeUser,
		After: func(x *resource.Tx, old, d *resource.Doc[User]) error {
			if old != nil {
				return nil
			}
			if err := addMember(x, developersGroup, d.Name()); err != nil {
				return err
			}
			return env.tellNewUser(x, d)
		},
		Delete: func(x *resource.Tx, old *resource.Doc[User]) error {
			if err := releaseUser(x, old); err != nil {
				return err
			}
			return env.tellClosed(x, old)
		},
		View: viewUser,
		Indexes: func(d *resource.Doc[User]) []resource.Index {
			return []resource.Index{{Name: emailIndex, Value: strings.ToLower(d.Props.Email), Unique: true}}
		},
		Narrow: func(field, text string) (index, value string) {
			if field == "email" {
				index = emailIndex
			}
			return index, strings.ToLower(text)
		},
		Actions: append(userTokenActions(env), []resource.Action[User]{
			{
				Name: "identities", Method: "GET", Doc: "Lists how the user signs in.",
				Read: func(_ *resource.Reader, d *resource.Doc[User], _ json.RawMessage) (any, error) {
					list := append([]SignInIdentity{}, d.Props.Identities...)
					return map[string]any{"value": list, "count": len(list)}, nil
				},
			},
			env.sendPassword(),
		}...),
		Publish: publishUser,
	})
}

// userGroups lists the groups of a user.
func userGroups() *resource.Type {
	return resource.Define(resource.Spec[struct{}]{
		Name: "groups", Title: "Group of a user", Doc: "The groups that the user is a member of.",
		Parents: []string{"users"}, Verbs: resource.List,
		Items: func(x *resource.Reader, user arm.ID) ([]string, error) {
			return serviceGroups(x, user)
		},
	})
}

// serviceGroups returns the keys of the groups of the service that a user is in, ascending. Those of workspaces are left
// out: they may have the names of the service's.
func serviceGroups(x *resource.Reader, user arm.ID) ([]string, error) {
	keys, err := resource.JoinedFrom(x, user, "groups/users")
	inWorkspace := user.Service().Key() + "/workspaces/"
	return slices.DeleteFunc(keys, func(key string) bool { return strings.HasPrefix(key, inWorkspace) }), err
}

// completeUser fills in the date and the identity of a user with a password.
func completeUser(x *resource.Tx, old, d *resource.Doc[User]) error {
	u := &d.Props
	if u.RegistrationDate == nil {
		u.RegistrationDate = &x.Now
	}
	if len(u.Identities) == 0 {
		u.Identities = []SignInIdentity{{basicProvider, u.Email}}
	}
	if old == nil {
		return nil
	}
	for i, id := range u.Identities {
		if id.Provider == basicProvider && strings.EqualFold(id.ID, old.Props.Email) {
			u.Identities[i].ID = u.Email
		}
	}
	return nil
}

// releaseUser deletes the subscriptions of a user when the caller asks for that with deleteSubscriptions=true, and
// refuses to delete a user who has some otherwise.
func releaseUser(x *resource.Tx, old *resource.Doc[User]) error {
	if old.Name() == adminUser {
		return arm.Errorf(arm.CodeValidation, "The administrator cannot be deleted.")
	}
	keys, err := x.Lookup(ownerIndex, old.ID.Rel())
	if err != nil || len(keys) == 0 {
		return err
	}
	if !strings.EqualFold(x.Param("deleteSubscriptions"), "true") {
		return arm.Invalid("deleteSubscriptions", "The user has %d subscriptions. Delete them first or with deleteSubscriptions=true.", len(keys))
	}
	for _, key := range keys {
		id, err := arm.ParseID(key)
		if err != nil {
			return err
		}
		if err := resource.Remove(x, id); err != nil {
			return err
		}
	}
	return nil
}

// viewUser hides what belongs to the password and adds the groups when the caller asks for them.
func viewUser(x *resource.Reader, d *resource.Doc[User]) (any, error) {
	v := userView{User: d.Props}
	v.Password, v.PasswordHash, v.AppType, v.Confirmation = "", "", "", ""
	if !strings.EqualFold(x.Param("expandGroups"), "true") {
		return v, nil
	}
	keys, err := serviceGroups(x, d.ID)
	if err != nil {
		return nil, err
	}
	for _, key := range keys {
		id, err := arm.ParseID(key)
		if err != nil {
			return nil, err
		}
		g, err := viewGroup(x, id)
		if err != nil {
			return nil, err
		}
		v.Groups = append(v.Groups, g)
	}
	return v, nil
}

// viewGroup is a group as it is answered in users and products.
func viewGroup(x *resource.Reader, id arm.ID) (groupView, error) {
	g, err := resource.Get[Group](x, id)
	if err != nil {
		return groupView{}, err
	}
	return groupView{g.ID.String(), g.Name(), g.Props}, nil
}

func publishUser(p *resource.Pub, d *resource.Doc[User]) error {
	u := d.Props
	part := snapshot.User{
		Name: d.Name(), Email: u.Email, FirstName: u.FirstName, LastName: u.LastName, Note: u.Note, Registered: d.Created,
		Active: u.State != userBlocked && u.State != userDeleted,
	}
	if u.RegistrationDate != nil {
		part.Registered = *u.RegistrationDate
	}
	keys, err := serviceGroups(p.Reader, d.ID)
	if err != nil {
		return err
	}
	for _, key := range keys {
		part.Groups = append(part.Groups, key[strings.LastIndexByte(key, '/')+1:])
	}
	for _, id := range u.Identities {
		part.Identities = append(part.Identities, snapshot.Identity{Provider: id.Provider, ID: id.ID})
	}
	return p.Add(snapshot.KindUser, d.ID.Rel(), part)
}
