package rbac_test

import (
	"strings"
	"testing"

	"github.com/causeway-apim/causeway/internal/auth/rbac"
)

func TestMatch(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		pattern, action string
		want            bool
	}{
		{"*", "Microsoft.ApiManagement/service/read", true},
		{"*/read", "microsoft.apimanagement/service/apis/READ", true},
		{"*/read", "Microsoft.ApiManagement/service/apis/write", false},
		{"Microsoft.ApiManagement/service/*/read", "Microsoft.ApiManagement/service/read", false},
		{"Microsoft.ApiManagement/service/*/read", "Microsoft.ApiManagement/service/apis/operations/read", true},
		{"Microsoft.Authorization/*/Write", "Microsoft.Authorization/roleAssignments/write", true},
		{"Microsoft.Authorization/*/Write", "Microsoft.Authorization/write", false},
		{"a*b*c", "abbc", true},
		{"a*b*c", "abcb", false},
		{"", "", true},
		{"", "a", false},
	} {
		if got := rbac.Match(c.pattern, c.action); got != c.want {
			t.Errorf("Match(%q, %q) = %t", c.pattern, c.action, got)
		}
	}
}

const apis = "/subscriptions/s/resourceGroups/g/providers/Microsoft.ApiManagement/service/x/apis"

func TestPolicy(t *testing.T) {
	t.Parallel()
	custom := rbac.Role{ID: "C1", Permissions: []rbac.Permission{
		{Actions: []string{"Microsoft.ApiManagement/service/apis/*"}, NotActions: []string{"*/delete"}},
		{DataActions: []string{"Microsoft.ApiManagement/service/gateways/getConfiguration/action"}},
	}}
	p := rbac.NewPolicy([]rbac.Role{custom}, []rbac.Assignment{
		{Principal: "Reader", Role: rbac.ReaderRole, Scope: "/subscriptions/S"},
		{Principal: "owner", Role: rbac.OwnerRole, Scope: "/"},
		{Principal: "dev", Role: "c1", Scope: apis + "/Echo"},
		{Principal: "lost", Role: "no such role", Scope: "/"},
	})
	for _, c := range []struct {
		who, action, scope string
		data, want         bool
	}{
		{"owner", "Microsoft.ApiManagement/service/apis/write", apis + "/echo", false, true},
		{"owner", "x/action", "/", false, true},
		{"owner", "Microsoft.ApiManagement/service/gateways/getConfiguration/action", apis, true, false},
		{"READER", "Microsoft.ApiManagement/service/apis/read", apis + "/echo", false, true},
		{"reader", "Microsoft.ApiManagement/service/apis/write", apis + "/echo", false, false},
		{"reader", "Microsoft.Resources/subscriptions/read", "/subscriptions/s2", false, false},
		{"dev", "Microsoft.ApiManagement/service/apis/write", apis + "/ECHO", false, true},
		{"dev", "Microsoft.ApiManagement/service/apis/operations/write", apis + "/echo/operations/a", false, true},
		{"dev", "Microsoft.ApiManagement/service/apis/write", apis + "/echo2", false, false},
		{"dev", "Microsoft.ApiManagement/service/apis/delete", apis + "/echo", false, false},
		{"dev", "Microsoft.ApiManagement/service/gateways/getConfiguration/action", apis + "/echo", true, true},
		{"dev", "Microsoft.ApiManagement/service/gateways/getConfiguration/action", apis + "/echo", false, false},
		{"lost", "x/read", "/", false, false},
		{"nobody", "x/read", "/", false, false},
	} {
		if got := p.Allows(c.who, c.action, c.data, c.scope); got != c.want {
			t.Errorf("%s: %s at %s: %t", c.who, c.action, c.scope, got)
		}
	}
	if !p.Sees("dev", "/subscriptions/s") || p.Sees("dev", "/subscriptions/t") || p.Sees("lost", "/subscriptions/s") {
		t.Error("Sees")
	}
	if n := len(p.Permissions("dev", apis+"/echo")); n != 2 {
		t.Errorf("%d permissions", n)
	}
}

func TestLocks(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		level, action, scope string
		want                 bool
	}{
		{rbac.CanNotDelete, "m/service/apis/delete", apis + "/Echo", true},
		{rbac.CanNotDelete, "m/service/apis/operations/delete", apis + "/echo/operations/a", true},
		{rbac.CanNotDelete, "m/service/delete", strings.TrimSuffix(apis, "/apis"), true},
		{rbac.CanNotDelete, "m/service/apis/delete", apis + "/echo2", false},
		{rbac.CanNotDelete, "m/service/apis/write", apis + "/echo", false},
		{rbac.ReadOnly, "m/service/apis/write", apis + "/echo", true},
		{rbac.ReadOnly, "m/service/apis/read", apis + "/echo", false},
		{rbac.ReadOnly, "m/service/subscriptions/listSecrets/action", apis + "/echo", true},
		{rbac.ReadOnly, "m/service/write", strings.TrimSuffix(apis, "/apis"), false},
		{rbac.ReadOnly, "Microsoft.Authorization/locks/delete", apis + "/echo", false},
	} {
		l := rbac.Lock{Scope: apis + "/echo", Level: c.level}
		if got := l.Refuses(c.action, c.scope); got != c.want {
			t.Errorf("%s: %s at %s: %t", c.level, c.action, c.scope, got)
		}
	}
}

// The roles are Azure's: nobody may see secrets through a read, and only those who administer access write roles.
func TestBuiltInRoles(t *testing.T) {
	t.Parallel()
	ids := map[string]bool{}
	for _, r := range rbac.BuiltIn() {
		if ids[r.ID] || len(r.ID) != 36 || !r.BuiltIn {
			t.Errorf("%s has the ID %s", r.Name, r.ID)
		}
		ids[r.ID] = true
		admin := r.Name == "Owner" || strings.HasSuffix(r.Name, "Administrator")
		if r.Allows("Microsoft.Authorization/roleAssignments/write", false) != admin {
			t.Errorf("%s gives roles to others: %t", r.Name, !admin)
		}
		manages := r.Name == "Owner" || r.Name == "Contributor" || r.Name == "API Management Service Contributor"
		if r.Allows("Microsoft.ApiManagement/service/subscriptions/listSecrets/action", false) != manages {
			t.Errorf("%s sees secrets: %t", r.Name, !manages)
		}
	}
}
