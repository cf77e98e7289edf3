package vault_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/causeway-apim/causeway/internal/auth"
	"github.com/causeway-apim/causeway/internal/vault"
)

type identity struct{}

func (identity) AccessToken(_ context.Context, resource, clientID string) (auth.Access, error) {
	return auth.Access{Token: resource + "|" + clientID}, nil
}

func TestRead(t *testing.T) {
	t.Parallel()
	azure := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Header.Get("Authorization") != "Bearer https://vault.azure.net|me" || r.URL.Query().Get("api-version") == "":
			w.WriteHeader(http.StatusUnauthorized)
		case r.URL.Path == "/secrets/name" || r.URL.Path == "/secrets/name/0123":
			_, _ = w.Write([]byte(`{"value":"from azure","id":"x"}`))
		default:
			http.Error(w, "secret text", http.StatusNotFound)
		}
	}))
	defer azure.Close()
	hashi := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Header.Get("X-Vault-Token") != "root":
			w.WriteHeader(http.StatusForbidden)
		case r.URL.Path == "/v1/secret/data/app":
			_, _ = w.Write([]byte(`{"data":{"data":{"value":"second","port":8080},"metadata":{"version":1}}}`))
		case r.URL.Path == "/v1/kv/app":
			_, _ = w.Write([]byte(`{"data":{"password":"first"}}`))
		}
	}))
	defer hashi.Close()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "key"), []byte("from a file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/etc/hostname", filepath.Join(dir, "outside")); err != nil {
		t.Fatal(err)
	}
	a, err := vault.ParseServer("azure="+azure.URL, "")
	if err != nil {
		t.Fatal(err)
	}
	h, err := vault.ParseServer("hashicorp="+hashi.URL+"/", "root")
	if err != nil {
		t.Fatal(err)
	}
	v := vault.New(vault.Config{Files: dir, Servers: []vault.Server{a, h}, Tokens: identity{}, Doer: http.DefaultClient})
	for id, want := range map[string]string{
		"file:key": "from a file", "file:///key": "from a file",
		azure.URL + "/secrets/name": "from azure", azure.URL + "/secrets/name/0123": "from azure",
		hashi.URL + "/v1/secret/data/app": "second", hashi.URL + "/v1/secret/data/app#port": "8080", hashi.URL + "/v1/kv/app#password": "first",
	} {
		if got, err := v.Read(t.Context(), id, "me"); got != want || err != nil {
			t.Errorf("%s is %q, %v; want %q", id, got, err, want)
		}
	}
	for id, want := range map[string]string{
		"file:none": "cannot be read", "file:../key": "no vault", "file:outside": "cannot be read", "file://host/key": "no vault",
		azure.URL + "/secrets/other": "404", azure.URL + "/keys/name": "begins with /secrets/", hashi.URL + "/v1/kv/app": `no field "value"`,
		hashi.URL + "/sys/seal": "begins with /v1/", "https://elsewhere.example.com/secrets/name": "no vault", "%": "no identifier",
	} {
		_, err := v.Read(t.Context(), id, "me")
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret text") {
			t.Errorf("%s: %v; want %q", id, err, want)
		}
	}
	if _, err := vault.New(vault.Config{}).Read(t.Context(), "file:key", ""); !errors.Is(err, vault.ErrUnknown) {
		t.Errorf("without a folder: %v", err)
	}
	if !vault.Versioned("https://v.example/secrets/a/0123") || vault.Versioned("https://v.example/secrets/a") || vault.Versioned("file:a/b/c") {
		t.Error("Versioned is wrong")
	}
	for _, bad := range []string{"", "azure", "azure=ftp://x", "other=https://x", "azure=https://x/path"} {
		if _, err := vault.ParseServer(bad, ""); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}
