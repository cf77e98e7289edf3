package main

import (
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/causeway-apim/causeway/internal/manage"
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
	start := func(given string) (manage.Authenticator, string) {
		t.Helper()
		var out strings.Builder
		a, err := administrator{given, &out}.authenticate(t.Context(), st)
		if err != nil {
			t.Fatal(err)
		}
		return a, out.String()
	}
	knows := func(a manage.Authenticator, token string) bool {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Authorization", "Bearer "+token)
		p, err := a.Authenticate(r)
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

func TestWithoutPassword(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"postgres://u:p@h/db":               "postgres://u:xxxxx@h/db",
		"postgres://h/db?user=u&password=p": "postgres://h/db?password=%2A%2A%2A&user=u",
		"sqlite:///var/lib/x.db":            "sqlite:///var/lib/x.db",
		"-":                                 "-",
		"postgres://u:p%@h/db":              "***",
	} {
		if got := withoutPassword(in); got != want {
			t.Errorf("%s becomes %s, want %s", in, got, want)
		}
	}
}
