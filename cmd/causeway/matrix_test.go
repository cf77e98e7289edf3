package main

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/causeway-apim/causeway/internal/auth/rbac"
	"github.com/causeway-apim/causeway/internal/manage/directory"
	"github.com/causeway-apim/causeway/internal/resource"
	"github.com/causeway-apim/causeway/internal/store"
)

// operation is one request that the catalogue knows, and what it needs.
type operation struct {
	method, path, action string
	body                 string // "" for an empty object
	version              string // "" for that of API Management
}

// catalogueOperations lists every operation of every type, on resources that do
// not exist: who may is told that, or what is missing; who may not is refused.
func catalogueOperations(types []resource.Info) (all []operation) {
	byPath := make(map[string]resource.Info)
	for _, t := range types {
		byPath[t.Path] = t
	}
	const service = "/subscriptions/" + subscriptionID + "/resourceGroups/causeway/providers/Microsoft.ApiManagement/service"
	for _, t := range types {
		if t.Reason != "" {
			continue
		}
		collection, item := service, service+"/nowhere"
		path := ""
		for segment := range strings.SplitSeq(t.Path, "/") {
			if segment == "" {
				continue
			}
			path = strings.TrimPrefix(path+"/"+segment, "/")
			name := "x"
			if names := byPath[path].Names; len(names) > 0 {
				name = names[0]
			}
			collection, item = item+"/"+segment, item+"/"+segment+"/"+name
		}
		for _, v := range []struct {
			verb           resource.Verbs
			method, action string
			path           string
		}{
			{resource.Read, "GET", "read", item}, {resource.Head, "HEAD", "read", item}, {resource.List, "GET", "read", collection},
			{resource.Create, "PUT", "write", item}, {resource.Update, "PATCH", "write", item}, {resource.Delete, "DELETE", "delete", item},
		} {
			if t.Verbs&v.verb != 0 {
				all = append(all, operation{method: v.method, path: v.path, action: t.ARMType + "/" + v.action})
			}
		}
		for _, a := range t.Actions {
			all = append(all, operation{method: a.Method, path: strings.TrimSuffix(item+"/"+a.Name, "/"), action: actionOperation(t.ARMType, a.Method, a.Name)})
		}
	}
	return all
}

// surroundingOperations lists what there is beside the catalogue: groups, deployments, roles, locks, accounts, events, the audit log.
func surroundingOperations() []operation {
	const (
		sub        = "/subscriptions/" + subscriptionID
		group      = sub + "/resourceGroups/nowhere"
		provider   = sub + "/providers/Microsoft.ApiManagement"
		deployment = group + "/providers/Microsoft.Resources/deployments/x"
		authorize  = group + "/providers/Microsoft.Authorization"
		account    = sub + "/providers/Microsoft.Causeway"
		event      = group + "/providers/Microsoft.EventGrid/eventSubscriptions/x"
		guid       = "cccccccc-0000-4000-8000-000000000000"
		groups     = "Microsoft.Resources/subscriptions/resourceGroups/"
		role       = `{"properties": {"roleName": "matrix", "assignableScopes": ["` + group + `"], "permissions": [{"actions": ["*/read"]}]}}`
		assignment = `{"properties": {"roleDefinitionId": "` + guid + `", "principalId": "` + guid + `"}}`
	)
	return []operation{
		{method: "GET", path: group, action: groups + "read"},
		{method: "HEAD", path: group, action: groups + "read"},
		{method: "PUT", path: group, action: groups + "write"}, // without a location nothing is made
		{method: "PATCH", path: group, action: groups + "write"},
		{method: "DELETE", path: group, action: groups + "delete"},
		{method: "POST", path: group + "/exportTemplate", action: groups + "exportTemplate/action"},
		{method: "GET", path: group + "/providers/Microsoft.Resources/deployments", action: "Microsoft.Resources/deployments/read"},
		{method: "GET", path: deployment, action: "Microsoft.Resources/deployments/read"},
		{method: "PUT", path: deployment, action: "Microsoft.Resources/deployments/write"},
		{method: "DELETE", path: deployment, action: "Microsoft.Resources/deployments/delete"},
		{method: "POST", path: deployment + "/validate", action: "Microsoft.Resources/deployments/validate/action"},
		{method: "POST", path: deployment + "/whatIf", action: "Microsoft.Resources/deployments/whatIf/action"},
		{method: "POST", path: deployment + "/cancel", action: "Microsoft.Resources/deployments/cancel/action"},
		{method: "POST", path: deployment + "/exportTemplate", action: "Microsoft.Resources/deployments/exportTemplate/action"},
		{method: "GET", path: deployment + "/operations", action: "Microsoft.Resources/deployments/operations/read"},
		{method: "PUT", path: sub + "/providers/Microsoft.Resources/deployments/x", action: "Microsoft.Resources/deployments/write"},
		{method: "GET", path: authorize + "/roleDefinitions", action: "Microsoft.Authorization/roleDefinitions/read"},
		{method: "PUT", path: authorize + "/roleDefinitions/" + guid, action: "Microsoft.Authorization/roleDefinitions/write", body: role},
		{method: "DELETE", path: authorize + "/roleDefinitions/" + guid, action: "Microsoft.Authorization/roleDefinitions/delete"},
		{method: "GET", path: authorize + "/roleAssignments", action: "Microsoft.Authorization/roleAssignments/read"},
		{method: "PUT", path: authorize + "/roleAssignments/" + guid, action: "Microsoft.Authorization/roleAssignments/write", body: assignment},
		{method: "DELETE", path: authorize + "/roleAssignments/" + guid, action: "Microsoft.Authorization/roleAssignments/delete"},
		{method: "GET", path: authorize + "/locks", action: "Microsoft.Authorization/locks/read"},
		{method: "PUT", path: authorize + "/locks/x", action: "Microsoft.Authorization/locks/write"},
		{method: "DELETE", path: authorize + "/locks/x", action: "Microsoft.Authorization/locks/delete"},
		{method: "POST", path: provider + "/checkNameAvailability", action: "Microsoft.ApiManagement/checkNameAvailability/action"},
		{method: "GET", path: provider + "/skus", action: "Microsoft.ApiManagement/skus/read"},
		{method: "GET", path: provider + "/deletedservices", action: "Microsoft.ApiManagement/deletedservices/read"},
		{method: "GET", path: provider + "/locations/westeurope/deletedservices/x", action: "Microsoft.ApiManagement/locations/deletedservices/read"},
		{method: "DELETE", path: provider + "/locations/westeurope/deletedservices/x", action: "Microsoft.ApiManagement/locations/deletedservices/delete"},
		{method: "GET", path: event, action: "Microsoft.EventGrid/eventSubscriptions/read", version: "2022-06-15"},
		{method: "PUT", path: event, action: "Microsoft.EventGrid/eventSubscriptions/write", version: "2022-06-15"},
		{method: "DELETE", path: event, action: "Microsoft.EventGrid/eventSubscriptions/delete", version: "2022-06-15"},
		{method: "POST", path: event + "/getFullUrl", action: "Microsoft.EventGrid/eventSubscriptions/getFullUrl/action", version: "2022-06-15"},
		{method: "GET", path: account + "/audit", action: "Microsoft.Insights/eventtypes/values/read"},
		{method: "GET", path: account + "/audit/x", action: "Microsoft.Insights/eventtypes/values/read"},
		{method: "POST", path: account + "/audit/x/restore", action: "Microsoft.Insights/eventtypes/values/read"}, // and to write what is restored
		{method: "GET", path: sub + "/providers/Microsoft.Insights/eventtypes/management/values", action: "Microsoft.Insights/eventtypes/values/read"},
	}
}

// actionOperation is how Azure names the right to run an action: what is read
// with GET is read, what has no name of its own changes the resource.
func actionOperation(armType, method, name string) string {
	what, _, _ := strings.Cut(name, "/")
	switch {
	case method == "GET" && what == "":
		return armType + "/read"
	case method == "GET":
		return armType + "/" + what + "/read"
	case name == "":
		return armType + "/write"
	}
	return armType + "/" + name + "/action"
}

// permits says by Azure's definition whether a role allows an action, in another
// way than the code that is tested.
func permits(r rbac.Role, action string) bool {
	in := func(patterns []string) bool {
		return slices.ContainsFunc(patterns, func(p string) bool {
			re := "(?i)^" + strings.ReplaceAll(regexp.QuoteMeta(p), `\*`, ".*") + "$"
			return regexp.MustCompile(re).MatchString(action)
		})
	}
	return in(r.Permissions[0].Actions) && !in(r.Permissions[0].NotActions)
}

// TestAuthorisationMatrix sends every operation of the catalogue as the holder of
// every built-in role, and as somebody without any.
func TestAuthorisationMatrix(t *testing.T) {
	t.Parallel()
	p, err := openPlane(t.Context(), planeOptions{
		log: slog.New(slog.DiscardHandler), databaseURL: "sqlite://:memory:", keyring: store.NewKeyring([32]byte{1}),
		identity:   identityOptions{secret: "matrix"},
		gatewayURL: func(string) string { return "http://gateway.test" }, managementURL: func(string) string { return "http://plane.test" },
		handlers: map[string]http.Handler{},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.store.Close() })
	operations := append(catalogueOperations(p.manage.Engine().Catalogue().Types()), surroundingOperations()...)
	if len(operations) < 200 {
		t.Fatalf("the catalogue has %d operations only", len(operations))
	}
	roles := append(rbac.BuiltIn(), rbac.Role{Name: "nobody", Permissions: make([]rbac.Permission, 1)})
	checked := 0
	for _, role := range roles {
		token := holder(t, p.identity.directory, role)
		for _, o := range operations {
			r := httptest.NewRequestWithContext(t.Context(), o.method, "http://plane.test"+o.path+"?api-version="+cmpOr(o.version, "2024-05-01"), strings.NewReader(cmpOr(o.body, `{}`)))
			r.Header.Set("Authorization", "Bearer "+token)
			w := httptest.NewRecorder()
			p.manage.ServeHTTP(w, r)
			// Whoever may do anything in a resource group gets the list of its services, with those that he may read.
			want := permits(role, o.action) || strings.HasSuffix(o.path, "/service") && o.method == http.MethodGet && role.Name != "nobody"
			if (w.Code != http.StatusForbidden) != want || w.Code == http.StatusUnauthorized {
				t.Errorf("%s: %s %s (%s): status %d, allowed is %t", role.Name, o.method, o.path, o.action, w.Code, want)
			}
			checked++
		}
	}
	t.Logf("%d operations, %d roles, %d requests", len(operations), len(roles), checked)
}

// holder makes a service principal with a role and returns a token of it.
func holder(t *testing.T, d *directory.Directory, role rbac.Role) string {
	t.Helper()
	ctx := context.Background()
	id := strings.Replace(role.ID, role.ID[:min(8, len(role.ID))], "aaaaaaaa", 1)
	if role.ID == "" {
		id = "bbbbbbbb-0000-4000-8000-000000000000"
	}
	_, err := d.PutPrincipal(ctx, id, func(p *directory.Principal, _ bool) error {
		p.Kind, p.DisplayName, p.AppID = directory.ServicePrincipal, role.Name, id
		return nil
	})
	if err == nil && role.ID != "" {
		err = d.PutAssignment(ctx, &directory.RoleAssignment{ID: id, RoleID: role.ID, PrincipalID: id, Scope: "/subscriptions/" + subscriptionID})
	}
	if err != nil {
		t.Fatal(err)
	}
	token, _, err := d.AddToken(ctx, directory.APIToken{PrincipalID: id, DisplayName: "matrix", Expires: time.Now().Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	return token
}
