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
type operation struct{ method, path, action string }

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
				all = append(all, operation{v.method, v.path, t.ARMType + "/" + v.action})
			}
		}
		for _, a := range t.Actions {
			all = append(all, operation{a.Method, strings.TrimSuffix(item+"/"+a.Name, "/"), actionOperation(t.ARMType, a.Method, a.Name)})
		}
	}
	return all
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
	operations := catalogueOperations(p.manage.Engine().Catalogue().Types())
	if len(operations) < 150 {
		t.Fatalf("the catalogue has %d operations only", len(operations))
	}
	roles := append(rbac.BuiltIn(), rbac.Role{Name: "nobody", Permissions: make([]rbac.Permission, 1)})
	checked := 0
	for _, role := range roles {
		token := holder(t, p.identity.directory, role)
		for _, o := range operations {
			r := httptest.NewRequestWithContext(t.Context(), o.method, "http://plane.test"+o.path+"?api-version=2024-05-01", strings.NewReader(`{}`))
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
