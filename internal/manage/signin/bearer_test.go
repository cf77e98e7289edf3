package signin_test

import (
	"testing"
	"time"

	"github.com/causeway-apim/causeway/internal/auth/rbac"
	"github.com/causeway-apim/causeway/internal/manage/directory"
	"github.com/causeway-apim/causeway/internal/manage/signin"
)

// TestTokensOfAnotherIssuer shows whose access tokens of another issuer are taken: those of a subject that a service principal trusts.
func TestTokensOfAnotherIssuer(t *testing.T) {
	t.Parallel()
	const (
		app           = "aaaaaaaa-0000-4000-8000-000000000001"
		other         = "aaaaaaaa-0000-4000-8000-000000000002"
		configuration = "https://azure-api.net/configuration"
	)
	idp, impostor := newProvider(t), newProvider(t)
	h := start(t, func(c *signin.Config) { c.Client = idp })
	put := func(id, audience string, disabled bool) {
		t.Helper()
		if _, err := h.dir.PutPrincipal(t.Context(), id, func(p *directory.Principal, _ bool) error {
			p.Kind, p.DisplayName, p.AppID, p.Disabled = directory.ServicePrincipal, id, id, disabled
			p.Federated = []directory.Federated{{Name: "idp", Issuer: "https://idp.test", Subject: "service-1", Audiences: []string{audience, "shared"}}}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	put(app, "api://causeway", false)
	claims := func(change map[string]any) map[string]any {
		all := map[string]any{"iss": "https://idp.test", "sub": "service-1", "aud": "api://causeway", "azp": rootID, "oid": rootID, "exp": h.clock().Add(time.Hour).Unix()}
		for name, value := range change {
			all[name] = value
		}
		return all
	}
	who, err := h.Verify(t.Context(), idp.sign(claims(nil)))
	if err != nil || who.ID != app || who.AppID != app {
		t.Fatalf("%+v, %v", who, err)
	}
	for name, token := range map[string]string{
		"another subject":      idp.sign(claims(map[string]any{"sub": "service-2"})),
		"another audience":     idp.sign(claims(map[string]any{"aud": configuration})),
		"another issuer":       idp.sign(claims(map[string]any{"iss": "https://other.test"})),
		"expired":              idp.sign(claims(map[string]any{"exp": h.clock().Add(-time.Hour).Unix()})),
		"no end":               idp.sign(claims(map[string]any{"exp": nil})),
		"not valid yet":        idp.sign(claims(map[string]any{"nbf": h.clock().Add(time.Hour).Unix()})),
		"somebody else's key":  impostor.sign(claims(nil)),
		"no subject and a key": idp.sign(claims(map[string]any{"sub": ""})),
	} {
		if who, err := h.Verify(t.Context(), token); err == nil || who.ID != "" {
			t.Errorf("%s: %+v, %v", name, who, err)
		}
	}

	// A self-hosted gateway's token is for the configuration. The audience tells apart who trusts the same subject.
	put(other, configuration, false)
	if who, err := h.VerifyFor(t.Context(), idp.sign(claims(map[string]any{"aud": configuration})), configuration); err != nil || who.ID != other {
		t.Errorf("a gateway's token: %+v, %v", who, err)
	}
	if who, err := h.Verify(t.Context(), idp.sign(claims(map[string]any{"aud": "shared"}))); err == nil {
		t.Errorf("a subject that two principals trust for an audience is %+v", who)
	}
	put(app, "api://causeway", true)
	if who, err := h.Verify(t.Context(), idp.sign(claims(nil))); err == nil {
		t.Errorf("a disabled account: %+v", who)
	}
}

// TestIssuersAreReadSafely shows which issuers a credential may name: keys come over TLS, or from this machine.
func TestIssuersAreReadSafely(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	for issuer, want := range map[string]bool{
		"https://idp.test/realms/a": true, "http://127.0.0.1:8000": true, "http://localhost:8000": true,
		"http://idp.test": false, "idp.test": false, "ftp://127.0.0.1": false, "https://": false,
	} {
		_, err := h.dir.PutPrincipal(t.Context(), "aaaaaaaa-0000-4000-8000-000000000001", func(p *directory.Principal, _ bool) error {
			p.Kind, p.DisplayName, p.AppID = directory.ServicePrincipal, "app", p.ID
			p.Federated = []directory.Federated{{Name: "idp", Issuer: issuer, Subject: "s", Audiences: []string{"a"}}}
			return nil
		})
		if (err == nil) != want {
			t.Errorf("%s: %v", issuer, err)
		}
	}
}

// TestTokensOfTheProvider shows that access tokens of the provider that people sign in with are taken for the audiences that the operator
// names, with the roles that their claims give.
func TestTokensOfTheProvider(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	with := func(audiences ...string) *harness {
		return start(t, func(c *signin.Config) {
			c.Client = p
			c.External = &signin.External{
				Issuer: idp, ClientID: "causeway", Audiences: audiences, RoleClaim: "groups",
				Roles: map[string][]directory.Grant{"readers": {{RoleID: rbac.ReaderRole, Scope: "/"}}},
			}
		})
	}
	h := with("api://causeway")
	token := func(change map[string]any) string {
		all := map[string]any{"iss": idp, "sub": "42", "aud": "api://causeway", "groups": []string{"readers"}, "name": "Ada", "azp": "cli", "exp": h.clock().Add(time.Hour).Unix()}
		for name, value := range change {
			all[name] = value
		}
		return p.sign(all)
	}
	first, err := h.Verify(t.Context(), token(nil))
	if err != nil || first.ID == "" || first.AppID != "cli" {
		t.Fatalf("%+v, %v", first, err)
	}
	state, err := h.dir.State(t.Context())
	if err != nil || !state.Policy.Allows(first.ID, "Microsoft.ApiManagement/service/read", false, "/") || state.Policy.Allows(first.ID, "Microsoft.ApiManagement/service/write", false, "/") {
		t.Errorf("the roles of the claims do not count: %v", err)
	}
	if again, err := h.Verify(t.Context(), token(map[string]any{"groups": nil})); err != nil || again.ID != first.ID {
		t.Errorf("%+v, %v", again, err)
	}
	if state, err = h.dir.State(t.Context()); err != nil || state.Policy.Allows(first.ID, "Microsoft.ApiManagement/service/read", false, "/") {
		t.Errorf("a role stays whose claim has gone: %v", err)
	}
	for name, bad := range map[string]string{
		"an ID token":   token(map[string]any{"aud": "causeway"}),
		"expired":       token(map[string]any{"exp": 1}),
		"nobody":        token(map[string]any{"sub": nil}),
		"other's token": newProvider(t).sign(map[string]any{"iss": idp, "sub": "42", "aud": "api://causeway", "exp": h.clock().Add(time.Hour).Unix()}),
	} {
		if who, err := h.Verify(t.Context(), bad); err == nil {
			t.Errorf("%s: %+v", name, who)
		}
	}
	if who, err := with().Verify(t.Context(), token(nil)); err == nil {
		t.Errorf("no audience is allowed: %+v", who)
	}
}
