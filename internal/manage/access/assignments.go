package access

import (
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/auth/rbac"
	"github.com/causeway-apim/causeway/internal/manage/directory"
)

func assignmentBody(a *directory.RoleAssignment) map[string]any {
	scope, _ := parseScope(a.Scope)
	return map[string]any{
		"id": at(a.Scope) + "/providers/" + provider + "/roleAssignments/" + a.ID, "name": a.ID, "type": provider + "/roleAssignments",
		"properties": map[string]any{
			"roleDefinitionId": roleID(scope, a.RoleID), "principalId": a.PrincipalID, "principalType": a.PrincipalType, "scope": a.Scope,
			"description": nilIfEmpty(a.Description), "condition": nil, "conditionVersion": nil,
			"createdOn": a.Created, "updatedOn": a.Updated, "createdBy": a.CreatedBy, "updatedBy": a.UpdatedBy,
			"delegatedManagedIdentityResourceId": nil,
		},
	}
}

func nilIfEmpty(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func (a Authorization) roleAssignments(r *request) (answer, error) {
	if r.Method == http.MethodGet {
		if err := a.may(r, provider+"/roleAssignments/read"); err != nil {
			return answer{}, err
		}
		if r.name() == "" {
			return a.listAssignments(r), nil
		}
	}
	id := strings.ToLower(r.name())
	old := r.state.Assignments[id]
	if old != nil && !strings.EqualFold(at(old.Scope), at(r.scope.String())) {
		old = nil
	}
	switch r.Method {
	case http.MethodGet:
		if old == nil {
			return answer{}, notFound("RoleAssignmentNotFound", "The role assignment '%s' is not found.", r.name())
		}
		return answer{http.StatusOK, assignmentBody(old)}, nil
	case http.MethodPut:
		if err := a.may(r, provider+"/roleAssignments/write"); err != nil {
			return answer{}, err
		}
		return a.putAssignment(r, id)
	case http.MethodDelete:
		if err := a.may(r, provider+"/roleAssignments/delete"); err != nil {
			return answer{}, err
		}
		if old == nil {
			return answer{status: http.StatusNoContent}, nil
		}
		if _, err := a.dir.RemoveAssignment(r.Context(), id); err != nil {
			return answer{}, err
		}
		return answer{http.StatusOK, assignmentBody(old)}, nil
	}
	return answer{}, r.notAllowed()
}

// listAssignments answers those at the scope and above it, and without the filter atScope() those below it as well.
func (a Authorization) listAssignments(r *request) answer {
	filter := arm.Param(r.URL.Query(), "$filter")
	who, byWho := quoted(filter, "principalId")
	if !byWho {
		who, byWho = quoted(filter, "assignedTo")
	}
	above := strings.Contains(strings.ToLower(filter), "atscope()")
	scope := strings.ToLower(at(r.scope.String()))
	var all []map[string]any
	for _, held := range slices.SortedFunc(maps.Values(r.state.Assignments), func(x, y *directory.RoleAssignment) int { return strings.Compare(x.ID, y.ID) }) {
		where := strings.ToLower(at(held.Scope))
		if byWho && !strings.EqualFold(held.PrincipalID, who) || !rbac.Covers(where, scope) && (above || !rbac.Covers(scope, where)) {
			continue
		}
		all = append(all, assignmentBody(held))
	}
	return list(all)
}

func (a Authorization) putAssignment(r *request, id string) (answer, error) {
	if !isGUID(id) {
		return answer{}, invalid("InvalidRoleAssignmentId", "The role assignment ID '%s' is not valid. It must be a GUID.", id)
	}
	var body struct {
		Properties struct {
			RoleDefinitionID string  `json:"roleDefinitionId"`
			PrincipalID      string  `json:"principalId"`
			Description      string  `json:"description"`
			Condition        *string `json:"condition"`
		} `json:"properties"`
	}
	if err := r.decode(&body); err != nil {
		return answer{}, err
	}
	p := body.Properties
	role := strings.ToLower(p.RoleDefinitionID[strings.LastIndexByte(p.RoleDefinitionID, '/')+1:])
	custom := r.state.Roles[role]
	who := r.state.Principal(p.PrincipalID)
	switch {
	case p.Condition != nil && *p.Condition != "":
		return answer{}, arm.Errorf(arm.CodeNotImplemented, "Conditions of role assignments are not supported.").WithTarget("properties/condition")
	case custom == nil && !isBuiltIn(role):
		return answer{}, invalid("RoleDefinitionDoesNotExist", "The role definition '%s' does not exist.", p.RoleDefinitionID)
	case custom != nil && !assignable(custom.AssignableScopes, r.scope.String()):
		return answer{}, invalid("RoleDefinitionNotAssignableAtScope", "The role '%s' cannot be assigned at this scope.", custom.Name)
	case who == nil:
		return answer{}, invalid("PrincipalNotFound", "The principal '%s' does not exist in the directory.", p.PrincipalID)
	case len(p.Description) > maxRoleText:
		return answer{}, arm.Invalid("properties/description", "description must have at most %d characters.", maxRoleText)
	}
	scope := r.scope.String()
	if scope == "" {
		scope = "/"
	}
	now := a.now().UTC()
	made := &directory.RoleAssignment{
		ID: id, RoleID: role, PrincipalID: who.ID, PrincipalType: who.Kind, Scope: scope, Description: p.Description,
		Created: now, Updated: now, CreatedBy: r.who.ID, UpdatedBy: r.who.ID,
	}
	status := http.StatusCreated
	if old := r.state.Assignments[id]; old != nil {
		if old.RoleID != made.RoleID || old.PrincipalID != made.PrincipalID || !strings.EqualFold(old.Scope, scope) {
			return answer{}, invalid("RoleAssignmentUpdateNotPermitted", "Role, principal and scope of a role assignment cannot be changed.")
		}
		made.Created, made.CreatedBy, status = old.Created, old.CreatedBy, http.StatusOK
	}
	err := a.dir.PutAssignment(r.Context(), made)
	if errors.Is(err, directory.ErrTaken) {
		e := arm.Errorf(arm.CodeConflict, "The role assignment already exists.")
		e.Code = "RoleAssignmentExists"
		return answer{}, e
	}
	return answer{status, assignmentBody(made)}, err
}

func invalid(code arm.Code, format string, args ...any) error {
	e := arm.Errorf(arm.CodeValidation, format, args...)
	e.Code = code
	return e
}
