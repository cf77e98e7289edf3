package access

import (
	"net/http"
	"slices"
	"strings"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/auth/rbac"
)

const provider = "Microsoft.Authorization"

// Authorization serves Microsoft.Authorization ("Authorization REST API", api-version 2022-04-01; locks 2016-09-01).
type Authorization struct{ *Control }

// ServeExtension implements manage.Extension.
func (a Authorization) ServeExtension(w http.ResponseWriter, r *http.Request, scope arm.ID, rest []string) {
	a.serve(w, r, scope, rest, func(r *request) (answer, error) {
		if len(rest) > 2 {
			return answer{}, arm.Errorf(arm.CodeTypeNotFound, "There is nothing at %s.", r.URL.Path)
		}
		switch strings.ToLower(rest[0]) {
		case "roledefinitions":
			return a.roleDefinitions(r)
		case "roleassignments":
			return a.roleAssignments(r)
		case "locks":
			return a.locks(r)
		case "permissions":
			return a.permissions(r)
		case "denyassignments", "policyassignments": // there are none
			if err := a.may(r, provider+"/"+rest[0]+"/read"); err != nil || r.Method != http.MethodGet {
				return answer{}, cmpErr(err, r.notAllowed())
			}
			return list[any](nil), nil
		}
		return answer{}, arm.Errorf(arm.CodeTypeNotFound, "There is no type %s/%s.", provider, rest[0])
	})
}

func cmpErr(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// permissions lists what the caller may do at a scope. Everybody may ask about themselves.
func (a Authorization) permissions(r *request) (answer, error) {
	if r.Method != http.MethodGet {
		return answer{}, r.notAllowed()
	}
	all := r.state.Policy.Permissions(r.who.ID, r.scope.String())
	for i := range all {
		all[i] = filled(all[i])
	}
	return list(all), nil
}

// filled has empty lists in place of none: clients expect them.
func filled(p rbac.Permission) rbac.Permission {
	for _, field := range []*[]string{&p.Actions, &p.NotActions, &p.DataActions, &p.NotDataActions} {
		if *field == nil {
			*field = []string{}
		}
	}
	return p
}

func (a Authorization) roleDefinitions(r *request) (answer, error) {
	switch r.Method {
	case http.MethodGet:
		if err := a.may(r, provider+"/roleDefinitions/read"); err != nil {
			return answer{}, err
		}
		if r.name() == "" {
			return a.listRoles(r), nil
		}
		if d := findRole(r, r.name()); d != nil {
			return answer{http.StatusOK, d}, nil
		}
		return answer{}, notFound("RoleDefinitionDoesNotExist", "The role definition '%s' does not exist.", r.name())
	case http.MethodPut:
		return a.putRole(r)
	case http.MethodDelete:
		return a.deleteRole(r)
	}
	return answer{}, r.notAllowed()
}

func notFound(code arm.Code, format string, args ...any) error {
	e := arm.Errorf(arm.CodeResourceNotFound, format, args...)
	e.Code = code
	return e
}

// roleScope is where role definitions are shown: the subscription, or the tenant.
func roleScope(scope arm.ID) string {
	if sub := scope.Subscription(); sub != "" {
		return "/subscriptions/" + sub
	}
	return ""
}

func roleID(scope arm.ID, id string) string {
	return roleScope(scope) + "/providers/" + provider + "/roleDefinitions/" + id
}

func builtInBody(r *request, role *rbac.Role) map[string]any {
	return map[string]any{
		"id": roleID(r.scope, role.ID), "name": role.ID, "type": provider + "/roleDefinitions",
		"properties": map[string]any{
			"roleName": role.Name, "type": "BuiltInRole", "description": role.Description, "assignableScopes": role.AssignableScopes,
			"permissions": role.Permissions, "createdOn": nil, "updatedOn": nil, "createdBy": nil, "updatedBy": nil,
		},
	}
}

// findRole returns the body of a role by its GUID, nil when there is none.
func findRole(r *request, id string) map[string]any {
	builtIn := rbac.BuiltIn()
	if i := slices.IndexFunc(builtIn, func(role rbac.Role) bool { return strings.EqualFold(role.ID, id) }); i >= 0 {
		return builtInBody(r, &builtIn[i])
	}
	if d := r.state.Roles[strings.ToLower(id)]; d != nil {
		return customBody(r, d)
	}
	return nil
}

// listRoles answers the roles that can be assigned at the scope, by name or type if the filter says so.
func (a Authorization) listRoles(r *request) answer {
	filter := arm.Param(r.URL.Query(), "$filter")
	name, byName := quoted(filter, "roleName")
	kind, byKind := quoted(strings.ReplaceAll(filter, "principalType", ""), "type")
	var all []map[string]any
	add := func(body map[string]any) {
		p := body["properties"].(map[string]any)
		if byName && !strings.EqualFold(name, p["roleName"].(string)) || byKind && !strings.EqualFold(kind, p["type"].(string)) {
			return
		}
		all = append(all, body)
	}
	for _, role := range rbac.BuiltIn() {
		add(builtInBody(r, &role))
	}
	for _, d := range sortedRoles(r.state) {
		if assignable(d.AssignableScopes, r.scope.String()) || slices.ContainsFunc(d.AssignableScopes, func(s string) bool {
			return rbac.Covers(strings.ToLower(r.scope.String()), strings.ToLower(s))
		}) {
			add(customBody(r, d))
		}
	}
	return list(all)
}

func assignable(scopes []string, scope string) bool {
	return slices.ContainsFunc(scopes, func(s string) bool { return rbac.Covers(strings.ToLower(s), strings.ToLower(scope)) })
}
