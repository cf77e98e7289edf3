package main

import (
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/causeway-apim/causeway/internal/store"
)

// The administrator's secret is made once for all replicas and starts, shown
// once, and replaced by the one that the environment gives.
func TestAdministrator(t *testing.T) {
	t.Parallel()
	url := "sqlite://" + filepath.Join(t.TempDir(), "db")
	st, err := store.Open(t.Context(), url, store.Options{Keyring: store.NewKeyring([32]byte{1})})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	start := func(given string) (*identity, string) {
		t.Helper()
		var out strings.Builder
		i, err := openIdentity(t.Context(), planeOptions{identity: identityOptions{secret: given, out: &out}}, st)
		if err != nil {
			t.Fatal(err)
		}
		return i, out.String()
	}
	knows := func(i *identity, token string) bool {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Authorization", "Bearer "+token)
		p, err := i.signIn.Authenticate(r)
		return err == nil && p.ID == adminID
	}
	first, shown := start("")
	_, token, _ := strings.Cut(strings.TrimSpace(shown), ": ")
	if len(token) < 20 || !knows(first, token) || knows(first, "") || knows(first, "other") {
		t.Fatalf("shown is %q", shown)
	}
	if second, shown := start(""); shown != "" || !knows(second, token) {
		t.Errorf("a second start shows %q or knows another token", shown)
	}
	if given, shown := start("chosen"); shown != "" || !knows(given, "chosen") || knows(given, token) {
		t.Errorf("a given secret is not taken; shown is %q", shown)
	}
	if later, shown := start(""); shown != "" || !knows(later, "chosen") {
		t.Errorf("a given secret is forgotten; shown is %q", shown)
	}
}

func TestExternalProvider(t *testing.T) {
	t.Parallel()
	options := func(roles string) serverConfig {
		c := serverConfig{}
		for name, value := range map[string]string{"oidc-issuer": "https://idp.example", "oidc-client-id": "causeway", "oidc-role-claim": "groups", "oidc-roles": roles} {
			c[name] = settingValue{value, "flag"}
		}
		return c
	}
	e, err := externalProvider(options("admins = Owner@/ ; devs=api management service reader role@/subscriptions/s"))
	if err != nil || len(e.Roles) != 2 || e.Roles["admins"][0].Scope != "/" || e.Roles["devs"][0].RoleID != "71522526-b88f-4d52-b57f-d31fc3546d0d" {
		t.Errorf("%+v, %v", e, err)
	}
	for _, bad := range []string{"admins", "admins=Owner", "admins=Nobody@/", "admins=Owner@here"} {
		if _, err := externalProvider(options(bad)); err == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
	if e, err := externalProvider(serverConfig{}); e != nil || err != nil {
		t.Errorf("without an issuer: %v, %v", e, err)
	}
}
