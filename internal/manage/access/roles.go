package access

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/auth/rbac"
	"github.com/causeway-apim/causeway/internal/manage/directory"
)

// Limits of a custom role ("Azure custom roles").
const (
	maxRoleName   = 512
	maxRoleText   = 2048
	maxRoleList   = 2000
	maxActionText = 512
)

func sortedRoles(s *directory.State) []*directory.RoleDefinition {
	return slices.SortedFunc(maps.Values(s.Roles), func(a, b *directory.RoleDefinition) int { return strings.Compare(a.ID, b.ID) })
}

func customBody(r *request, d *directory.RoleDefinition) map[string]any {
	permissions := make([]rbac.Permission, len(d.Permissions))
	for i, p := range d.Permissions {
		permissions[i] = filled(p)
	}
	return map[string]any{
		"id": roleID(r.scope, d.ID), "name": d.ID, "type": provider + "/roleDefinitions",
		"properties": map[string]any{
			"roleName": d.Name, "type": "CustomRole", "description": d.Description, "assignableScopes": d.AssignableScopes,
			"permissions": permissions, "createdOn": d.Created, "updatedOn": d.Updated, "createdBy": d.CreatedBy, "updatedBy": d.UpdatedBy,
		},
	}
}

func (a Authorization) putRole(r *request) (answer, error) {
	id := strings.ToLower(r.name())
	if !isGUID(id) {
		return answer{}, arm.Errorf(arm.CodeValidation, "The ID of a role definition must be a GUID.").WithTarget("roleDefinitionId")
	}
	if isBuiltIn(id) {
		return answer{}, arm.Errorf(arm.CodeValidation, "A built-in role cannot be changed.").WithTarget("roleDefinitionId")
	}
	var body struct {
		Properties struct {
			RoleName         string            `json:"roleName"`
			Description      string            `json:"description"`
			AssignableScopes []string          `json:"assignableScopes"`
			Permissions      []rbac.Permission `json:"permissions"`
		} `json:"properties"`
	}
	if err := r.decode(&body); err != nil {
		return answer{}, err
	}
	d := &directory.RoleDefinition{
		ID: id, Name: strings.TrimSpace(body.Properties.RoleName), Description: body.Properties.Description,
		AssignableScopes: body.Properties.AssignableScopes, Permissions: body.Properties.Permissions,
		Created: a.now().UTC(), Updated: a.now().UTC(), CreatedBy: r.who.ID, UpdatedBy: r.who.ID,
	}
	if err := checkRole(d); err != nil {
		return answer{}, err
	}
	old := r.state.Roles[id]
	scopes := d.AssignableScopes
	if old != nil {
		d.Created, d.CreatedBy = old.Created, old.CreatedBy
		scopes = append(slices.Clip(scopes), old.AssignableScopes...)
	}
	for _, scope := range scopes { // the right is needed wherever the role can be assigned
		if err := a.mayAt(r, provider+"/roleDefinitions/write", scope); err != nil {
			return answer{}, err
		}
	}
	if err := a.dir.PutRole(r.Context(), d); err != nil {
		return answer{}, err
	}
	return answer{http.StatusCreated, customBody(r, d)}, nil
}

func isBuiltIn(id string) bool {
	return slices.ContainsFunc(rbac.BuiltIn(), func(role rbac.Role) bool { return strings.EqualFold(role.ID, id) })
}

// mayAt refuses an action of the caller at a scope that stands in a body.
func (c *Control) mayAt(r *request, action, scope string) error {
	id, err := parseScope(scope)
	if err != nil {
		return err
	}
	return c.Authorize(r.Context(), r.who, action, id)
}

func parseScope(scope string) (arm.ID, error) {
	if at(scope) == "" {
		return arm.ID{}, nil
	}
	id, err := arm.ParseID(scope)
	if err != nil || !strings.HasPrefix(scope, "/") {
		return id, arm.Errorf(arm.CodeValidation, "'%s' is not a scope: it must be / or the ID of a resource.", scope)
	}
	return id, nil
}

func checkRole(d *directory.RoleDefinition) error {
	switch {
	case d.Name == "" || len(d.Name) > maxRoleName:
		return arm.Invalid("properties/roleName", "roleName must have 1 to %d characters.", maxRoleName)
	case len(d.Description) > maxRoleText:
		return arm.Invalid("properties/description", "description must have at most %d characters.", maxRoleText)
	case len(d.AssignableScopes) == 0 || len(d.AssignableScopes) > maxRoleList:
		return arm.Invalid("properties/assignableScopes", "A custom role needs 1 to %d assignable scopes.", maxRoleList)
	case len(d.Permissions) == 0 || len(d.Permissions) > maxRoleList:
		return arm.Invalid("properties/permissions", "A custom role needs 1 to %d permissions.", maxRoleList)
	}
	for _, role := range rbac.BuiltIn() {
		if strings.EqualFold(role.Name, d.Name) {
			return arm.Errorf(arm.CodeConflict, "A built-in role has the name '%s'.", d.Name).WithTarget("properties/roleName")
		}
	}
	for _, scope := range d.AssignableScopes {
		if _, err := parseScope(scope); err != nil {
			return err
		}
	}
	for _, p := range d.Permissions {
		for _, actions := range [][]string{p.Actions, p.NotActions, p.DataActions, p.NotDataActions} {
			if len(actions) > maxRoleList {
				return arm.Invalid("properties/permissions", "A list of actions is too long.")
			}
			for _, action := range actions {
				if action == "" || len(action) > maxActionText || strings.ContainsAny(action, " \t\r\n") {
					return arm.Invalid("properties/permissions", "'%s' is not an action.", action)
				}
			}
		}
	}
	return nil
}

func (a Authorization) deleteRole(r *request) (answer, error) {
	id := strings.ToLower(r.name())
	d := r.state.Roles[id]
	if d == nil {
		if err := a.may(r, provider+"/roleDefinitions/delete"); err != nil {
			return answer{}, err
		}
		if isBuiltIn(id) {
			return answer{}, arm.Errorf(arm.CodeValidation, "A built-in role cannot be deleted.")
		}
		return answer{status: http.StatusNoContent}, nil
	}
	for _, scope := range d.AssignableScopes {
		if err := a.mayAt(r, provider+"/roleDefinitions/delete", scope); err != nil {
			return answer{}, err
		}
	}
	for _, held := range r.state.Assignments {
		if strings.EqualFold(held.RoleID, id) {
			e := arm.Errorf(arm.CodeConflict, "There are existing role assignments referencing the role '%s'.", d.Name)
			e.Code = "RoleDefinitionHasAssignments"
			return answer{}, e
		}
	}
	if _, err := a.dir.RemoveRole(r.Context(), id); err != nil {
		return answer{}, err
	}
	return answer{http.StatusOK, customBody(r, d)}, nil
}
