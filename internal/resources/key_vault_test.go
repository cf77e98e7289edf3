package resources_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/resource"
	"github.com/causeway-apim/causeway/internal/resource/resourcetest"
	"github.com/causeway-apim/causeway/internal/resources"
)

func TestKeyVault(t *testing.T) {
	t.Parallel()
	secret, failure := "first", error(nil)
	c, err := resources.New(resources.Env{Vault: func(_ context.Context, identifier, identity string) (string, error) {
		return secret + " for " + identity + " from " + identifier, failure
	}})
	if err != nil {
		t.Fatal(err)
	}
	s := resourcetest.NewService(t, c)
	has := func(r resourcetest.Response, parts ...string) {
		t.Helper()
		for _, p := range parts {
			if !strings.Contains(string(r.Body), p) {
				t.Errorf("no %q in %s", p, r.Body)
			}
		}
	}
	const body = `{"properties":{"displayName":"Password","keyVault":{"secretIdentifier":"https://v.example/secrets/a","identityClientId":"me"}}}`
	r := s.Must(201, "PUT", "namedValues/a", body)
	has(r, `"secret":true`, `"lastStatus":{"code":"Success"`)
	if strings.Contains(string(r.Body), "first") {
		t.Errorf("the secret is answered: %s", r.Body)
	}
	has(s.Must(200, "POST", "namedValues/a/listValue", ""), "first for me from https://v.example/secrets/a")

	secret = "second"
	has(s.Must(200, "POST", "namedValues/a/refreshSecret", ""), `"displayName":"Password"`)
	has(s.Must(200, "POST", "namedValues/a/listValue", ""), "second for me")

	// A vault that is away leaves the value as it is and is told about.
	failure = errors.New("the vault is away")
	has(s.Must(200, "POST", "namedValues/a/refreshSecret", ""), `"code":"Failed"`, "the vault is away")
	has(s.Must(200, "POST", "namedValues/a/listValue", ""), "second for me")
	has(s.Must(400, "PATCH", "namedValues/a", `{"properties":{"keyVault":{"secretIdentifier":"https://v.example/secrets/b"}}}`), "keyVault.secretIdentifier")
	has(s.Must(400, "PUT", "namedValues/b", strings.Replace(body, "Password", "Other", 1)), "the vault is away")

	err = s.Engine.ReadFunc(t.Context(), service(t), func(x *resource.Reader) error {
		ids, err := resources.InVaults(x)
		if len(ids) != 1 || ids[0].Name() != "a" {
			t.Errorf("in vaults: %v", ids)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	has(s.Must(201, "PUT", "namedValues/c", `{"properties":{"displayName":"C","value":"c"}}`), `"value":"c"`)
	has(s.Must(400, "POST", "namedValues/c/refreshSecret", ""), "not kept in a vault")
}

func service(t *testing.T) arm.ID {
	t.Helper()
	id, err := arm.ParseID(resourcetest.Service)
	if err != nil {
		t.Fatal(err)
	}
	return id
}
