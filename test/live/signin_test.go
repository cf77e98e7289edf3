package live

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/causeway-apim/causeway/internal/auth"
	"github.com/causeway-apim/causeway/internal/causewaytest"
)

const (
	appID     = "11111111-2222-3333-4444-555555555555"
	principal = "/providers/Microsoft.Causeway/principals/" + appID
	podFor    = "system:serviceaccount:apim:edge" // the subject of tokens in its pods
	tenant    = "00000000-0000-0000-0000-000000000000"
)

// application makes a service principal that may read the gateway edge, and returns its secret.
func (w *world) application(t *testing.T, certificate, cluster string) string {
	t.Helper()
	body, err := json.Marshal(map[string]any{"properties": map[string]any{
		"kind": "ServicePrincipal", "displayName": "edge",
		"keyCredentials":               []any{map[string]any{"key": certificate, "displayName": "edge"}},
		"federatedIdentityCredentials": []any{map[string]any{"name": "cluster", "issuer": cluster, "subject": podFor, "audiences": []string{"api://AzureADTokenExchange"}}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	w.system.ARM(w.plane, http.MethodPut, principal, string(body))
	role := causewaytest.DevService + "/providers/Microsoft.Authorization/roleDefinitions/22222222-0000-0000-0000-000000000001?api-version=2022-04-01"
	w.system.ARM(w.plane, http.MethodPut, role, `{"properties":{"roleName":"Gateway Configuration Reader","assignableScopes":["`+causewaytest.DevService+`"],
"permissions":[{"dataActions":["Microsoft.ApiManagement/service/gateways/getConfiguration/action"]}]}}`)
	w.system.ARM(w.plane, http.MethodPut, causewaytest.DevService+"/gateways/edge/providers/Microsoft.Authorization/roleAssignments/33333333-0000-0000-0000-000000000001?api-version=2022-04-01",
		`{"properties":{"principalId":"`+appID+`","principalType":"ServicePrincipal","roleDefinitionId":"`+causewaytest.DevService+`/providers/Microsoft.Authorization/roleDefinitions/22222222-0000-0000-0000-000000000001"}}`)
	var secret struct{ SecretText string }
	if err := json.Unmarshal([]byte(w.system.ARM(w.plane, http.MethodPost, principal+"/addPassword", `{"displayName":"edge"}`)), &secret); err != nil {
		t.Fatal(err)
	}
	return secret.SecretText
}

// newCluster is the issuer of a cluster of Kubernetes, and a file with the token that it puts into a pod.
func newCluster(t *testing.T) (issuer, file string) {
	t.Helper()
	key, err := auth.NewSigningKey()
	if err != nil {
		t.Fatal(err)
	}
	var server *httptest.Server
	server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var answer any = map[string]any{"keys": []any{key.JWK()}}
		if r.URL.Path == "/.well-known/openid-configuration" {
			answer = map[string]any{"issuer": server.URL, "jwks_uri": server.URL + "/keys"}
		}
		if err := json.NewEncoder(w).Encode(answer); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(server.Close)
	token, err := key.Sign("JWT", map[string]any{
		"iss": server.URL, "sub": podFor, "aud": "api://AzureADTokenExchange", "exp": time.Now().Add(time.Hour).Unix(), "iat": time.Now().Unix(),
	})
	if err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte(token), 0o600); err != nil {
		t.Fatal(err)
	}
	return server.URL, file
}

// TestApplicationsSignIn: a gateway connects as an application by each of the documented ways, and through an issuer that has no tenants.
func TestApplicationsSignIn(t *testing.T) {
	t.Parallel()
	w, keys := newPlane(t), newIssuer(t)
	w.change(0)
	certificate, err := os.ReadFile(keys.file("authority.crt"))
	if err != nil {
		t.Fatal(err)
	}
	cluster, podToken := newCluster(t)
	secret := w.application(t, string(certificate), cluster)
	private, err := os.ReadFile(keys.file("authority.key"))
	if err != nil {
		t.Fatal(err)
	}
	both := filepath.Join(t.TempDir(), "app.pem")
	if err := os.WriteFile(both, append(certificate, private...), 0o600); err != nil {
		t.Fatal(err)
	}

	const app = "config.service.auth.azureAd."
	plane := w.plane.Listen["management"]
	base := []string{"config.service.endpoint=" + plane, "gateway.name=edge", app + "authority=" + plane}
	byTenant := []string{"config.service.auth=azureAdApp", app + "tenantId=" + tenant, app + "clientId=" + appID}
	for name, settings := range map[string][]string{
		"secret":        append(byTenant, app+"clientSecret="+secret),
		"certificate":   append(byTenant, app+"certificatePath="+both),
		"sovereign":     append(byTenant, app+"clientSecret="+secret, "config.service.auth.tokenAudience=https://azure-api.us/configuration"),
		"workload":      {"config.service.auth=workloadIdentity", "AZURE_CLIENT_ID=" + appID, "AZURE_TENANT_ID=" + tenant, "AZURE_AUTHORITY_HOST=" + plane, "AZURE_FEDERATED_TOKEN_FILE=" + podToken},
		"any-authority": {"config.service.auth=azureAdApp", app + "clientId=" + appID, app + "clientSecret=" + secret, app + "authority=" + plane + "/" + tenant + "/v2.0", app + "scope=https://azure-api.net/configuration/.default"},
	} {
		arguments := append(append(append([]string{}, base...), settings...), "gateway")
		w.waitFor(w.system.Start(name, arguments...), 0, faultWait)
	}
}
