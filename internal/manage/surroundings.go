package manage

import (
	"context"
	"errors"
	"net/http"
	"path"
	"slices"
	"strings"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/store"
)

// surroundings serves the parts of ARM that clients of API Management touch beside it: subscriptions, tenants, resource
// groups, providers, locations.
func (s *Server) surroundings(w http.ResponseWriter, r *http.Request) {
	answer, err := s.surrounding(w, r)
	switch {
	case err != nil:
		s.fail(w, r, err)
	case answer.body == nil:
		w.WriteHeader(answer.status)
	default:
		arm.WriteJSON(w, answer.status, answer.body)
	}
}

// answer is a status with the value of a JSON body, nil for none.
type answer struct {
	status int
	body   any
}

func ok(body any) (answer, error) { return answer{http.StatusOK, body}, nil }

func (s *Server) surrounding(w http.ResponseWriter, r *http.Request) (answer, error) {
	id, err := arm.ParseURLPath(r.URL.EscapedPath())
	if err != nil {
		return answer{}, err
	}
	if _, err := arm.AnyAPIVersion(r.URL.Query()); err != nil {
		return answer{}, err
	}
	segs := strings.Split(id.Key()[1:], "/")
	if segs[0] == "subscriptions" && len(segs) > 3 && segs[2] == "resourcegroups" && len(segs) == 4 {
		return s.resourceGroup(w, r, arm.Path("subscriptions", id.Segments()[1], "resourceGroups", id.Segments()[3]))
	}
	if r.Method == http.MethodPost && len(segs) == 5 && segs[2] == "resourcegroups" && segs[4] == "exporttemplate" {
		return s.exportGroup(w, r, arm.Path("subscriptions", id.Segments()[1], "resourceGroups", id.Segments()[3]))
	}
	if r.Method == http.MethodPost && len(segs) == 5 && segs[2] == "providers" && (segs[4] == "register" || segs[4] == "unregister") {
		return s.provider(id)
	}
	if segs[0] == "subscriptions" && len(segs) > 4 && segs[2] == "providers" && strings.EqualFold(segs[3], arm.Provider) {
		return s.ofProvider(w, r, id, segs)
	}
	if isGateways(segs) {
		return s.gateways(w, r, id)
	}
	if r.Method == http.MethodPost && id.Key() == "/providers/microsoft.resources/calculatetemplatehash" {
		return templateHash(w, r)
	}
	if len(segs) > 2 && segs[0] == "providers" && segs[1] == "microsoft.management" && segs[2] == "managementgroups" {
		return s.managementGroups(r, id, segs)
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return answer{}, arm.Errorf(arm.CodeMethodNotAllowed, "The method %s is not allowed here.", r.Method)
	}
	if err := s.mayLook(r.Context(), segs, id); err != nil {
		return answer{}, err
	}
	switch {
	case len(segs) == 1 && segs[0] == "tenants":
		return ok(list([]any{map[string]any{"id": "/tenants/" + s.c.TenantID, "tenantId": s.c.TenantID, "displayName": "Causeway", "tenantCategory": "Home"}}))
	case len(segs) == 1 && segs[0] == "subscriptions":
		return s.subscriptions(r)
	case len(segs) == 3 && segs[0] == "providers" && segs[2] == "operations":
		return ok(list(s.operations()))
	case segs[0] != "subscriptions" || len(segs) < 2:
	case !validSubscription(segs[1]):
		return answer{}, arm.Errorf(arm.CodeSubscriptionNotFound, "The subscription '%s' could not be found.", segs[1])
	case len(segs) == 2:
		return ok(s.subscription(id.Segments()[1]))
	case len(segs) == 3 && segs[2] == "resourcegroups":
		return s.listGroups(r, id)
	case len(segs) == 3 && segs[2] == "resources", len(segs) == 5 && segs[2] == "resourcegroups" && segs[4] == "resources":
		return s.listResources(r, strings.TrimSuffix(id.Key(), "/resources"))
	case len(segs) == 3 && segs[2] == "locations":
		return ok(list(locations(id)))
	case len(segs) == 3 && segs[2] == "providers":
		p, err := s.provider(id)
		return answer{http.StatusOK, list([]any{p.body})}, err
	case len(segs) == 4 && segs[2] == "providers":
		return s.provider(id)
	}
	return answer{}, arm.Errorf(arm.CodeTypeNotFound, "There is nothing at %s.", id).WithTarget(id.String())
}

// managementGroups says that there are none: between the tenant and its subscriptions nothing stands.
func (s *Server) managementGroups(r *http.Request, id arm.ID, segs []string) (answer, error) {
	if len(segs) == 3 && r.Method == http.MethodGet {
		return s.reading(r, "Microsoft.Management/managementGroups/read", id, func() (answer, error) { return ok(list(nil)) })
	}
	e := arm.Errorf(arm.CodeResourceNotFound, "There are no management groups: use the tenant, a subscription or a resource group.").WithTarget(id.String())
	return answer{}, e
}

// mayLook refuses what a caller may not see. Lists of what is everywhere show the caller's part of it.
func (s *Server) mayLook(ctx context.Context, segs []string, id arm.ID) error {
	_, selective := s.c.Authorizer.(Viewer)
	switch {
	case !selective:
	case len(segs) == 1, segs[0] == "providers":
		return nil
	case segs[0] == "subscriptions" && (len(segs) == 2 || len(segs) == 3 && segs[2] == "resourcegroups") && s.sees(ctx, id.String()):
		return nil
	case segs[0] == "subscriptions" && segs[len(segs)-1] == "resources" && s.sees(ctx, strings.TrimSuffix(id.Key(), "/resources")):
		return nil
	}
	return s.authorize(ctx, readAction(segs), id)
}

// Viewer is an [Authorizer] that knows what a principal may see in lists: what it has a right at, above or below.
type Viewer interface {
	Sees(ctx context.Context, p Principal, scope string) bool
}

func (s *Server) sees(ctx context.Context, scope string) bool {
	p, known := ctx.Value(principalKey{}).(Principal)
	v, ok := s.c.Authorizer.(Viewer)
	return !known || !ok || v.Sees(ctx, p, scope)
}

// seesSome reports whether lists at a scope show the caller of a request what he may read instead of refusing him.
func (s *Server) seesSome(ctx context.Context, scope arm.ID) bool {
	_, selective := s.c.Authorizer.(Viewer)
	return selective && s.sees(ctx, scope.String())
}

func readAction(segs []string) string {
	if len(segs) > 2 && segs[2] == "resourcegroups" {
		return "Microsoft.Resources/subscriptions/resourceGroups/read"
	}
	return "Microsoft.Resources/subscriptions/read"
}

func list(values []any) map[string]any {
	if values == nil {
		values = []any{}
	}
	return map[string]any{"value": values}
}

// validSubscription keeps typing errors from making subscriptions: their IDs are GUIDs.
func validSubscription(id string) bool {
	if len(id) != 36 {
		return false
	}
	for i, c := range id {
		if dash := i == 8 || i == 13 || i == 18 || i == 23; dash != (c == '-') || !dash && !strings.ContainsRune("0123456789abcdefABCDEF", c) {
			return false
		}
	}
	return true
}

func (s *Server) subscription(id string) map[string]any {
	return map[string]any{
		"id": "/subscriptions/" + id, "subscriptionId": id, "tenantId": s.c.TenantID, "displayName": "Causeway " + id[:8], "state": "Enabled",
		"subscriptionPolicies": map[string]string{"locationPlacementId": "Public_2014-09-01", "quotaId": "PayAsYouGo_2014-09-01", "spendingLimit": "Off"},
		"authorizationSource":  "RoleBased", "managedByTenants": []any{},
	}
}

// subscriptions lists the configured subscriptions and those that hold resource groups.
func (s *Server) subscriptions(r *http.Request) (answer, error) {
	ids := slices.Clone(s.c.Subscriptions)
	err := s.eachGroup(r, "/subscriptions", func(sd *store.Document) {
		if id := strings.Split(sd.ID, "/")[2]; !slices.ContainsFunc(ids, func(have string) bool { return strings.EqualFold(have, id) }) {
			ids = append(ids, id)
		}
	})
	var values []any
	for _, id := range ids {
		if s.sees(r.Context(), "/subscriptions/"+id) {
			values = append(values, s.subscription(id))
		}
	}
	return answer{http.StatusOK, list(values)}, err
}

// provider answers the registration of resource providers: Causeway's own is always registered, and clients may
// register whatever they like.
func (s *Server) provider(id arm.ID) (answer, error) {
	segs := id.Segments()
	namespace := arm.Provider
	if len(segs) > 3 {
		namespace = segs[3]
	}
	var types []any
	if strings.EqualFold(namespace, arm.Provider) {
		namespace = arm.Provider
		versions := arm.APIVersions()
		slices.Reverse(versions)
		for _, t := range append(s.c.Catalogue.ARMTypes(), gatewaysARM, connectionsARM) {
			types = append(types, map[string]any{
				"resourceType": strings.TrimPrefix(t, arm.Provider+"/"), "locations": locationNames(), "apiVersions": versions, "capabilities": "None",
			})
		}
	}
	return ok(map[string]any{
		"id": "/subscriptions/" + segs[1] + "/providers/" + namespace, "namespace": namespace, "registrationState": "Registered",
		"registrationPolicy": "RegistrationRequired", "resourceTypes": append([]any{}, types...),
	})
}

// operations lists what can be authorised.
func (s *Server) operations() (values []any) {
	all := s.c.Catalogue.Operations()
	for _, t := range []string{gatewaysARM, connectionsARM} {
		all = append(all, t+"/read", t+"/write", t+"/delete")
	}
	for _, op := range all {
		what, verb := path.Split(op)
		kind := path.Base(what)
		values = append(values, map[string]any{"name": op, "origin": "user", "isDataAction": false, "display": map[string]string{
			"provider": "Microsoft API Management", "operation": op, "resource": kind, "description": verb + " " + kind,
		}})
	}
	return values
}

func (s *Server) health(w http.ResponseWriter, r *http.Request) {
	if err := s.c.Store.View(r.Context(), func(store.Reader) error { return nil }); err != nil {
		s.fail(w, r, arm.Errorf(arm.CodeServiceUnavailable, "The database does not answer."))
		return
	}
	arm.WriteJSON(w, http.StatusOK, map[string]string{"status": "healthy"})
}

func (s *Server) serveOpenAPI(w http.ResponseWriter, _ *http.Request) {
	arm.WriteBody(w, http.StatusOK, s.openAPI())
}

// fail renders an error and logs the ones whose text callers do not see.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	e, known := arm.AsError(err)
	if !known && !errors.Is(err, r.Context().Err()) {
		s.c.Log.ErrorContext(r.Context(), "management request failed", "method", r.Method, "path", r.URL.Path, "error", err)
	}
	arm.WriteError(w, e)
}
