package main

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/configsync"
	"github.com/causeway-apim/causeway/internal/manage"
)

const (
	accessOne = "/subscriptions/s/resourcegroups/g/providers/microsoft.apimanagement/service/one"
	accessTwo = "/subscriptions/s/resourcegroups/g/providers/microsoft.apimanagement/service/two"
)

func TestGatewayAccess(t *testing.T) {
	t.Parallel()
	allowed := map[string]string{ // application → scopes of its role
		"app": accessOne + "/gateways/edge", "both": accessOne + "/gateways/edge " + accessTwo + "/gateways/edge",
	}
	a := gatewayAccess{
		verify: func(_ context.Context, token, audience string) (manage.Principal, error) {
			if audience != configurationAudience || token == "" {
				return manage.Principal{}, errors.New("not valid")
			}
			return manage.Principal{ID: token}, nil
		},
		authorize: func(_ context.Context, p manage.Principal, action string, scope arm.ID) error {
			if action == readConfiguration && strings.Contains(allowed[p.ID]+" ", scope.Key()+" ") {
				return nil
			}
			return errors.New("not allowed")
		},
		keys: func(_ context.Context, gateway string) ([]configsync.GatewayKeys, error) {
			if gateway != "edge" {
				return nil, nil
			}
			return []configsync.GatewayKeys{{Service: accessOne, Gateway: "Edge"}, {Service: accessTwo, Gateway: "edge"}}, nil
		},
	}
	for _, c := range []struct {
		token, service, gateway string
		want                    string // service, or the error
	}{
		{"app", "", "edge", accessOne},
		{"app", accessOne, "edge", accessOne},
		{"app", "", accessOne + "/gateways/edge", accessOne},
		{"app", accessTwo, "edge", "may do"},
		{"app", "", accessTwo + "/gateways/edge", "may do"},
		{"app", "", "none", "may do"},
		{"app", "", "", "gateway.name is needed"},
		{"other", "", "edge", "may do"},
		{"both", "", "edge", "by its resource ID"},
		{"both", accessTwo, "edge", accessTwo},
		{"", "", "edge", "not valid"},
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", http.NoBody)
		r.Header.Set("Authorization", "Bearer "+c.token)
		id, err := a.authenticate(r, c.service, c.gateway)
		if err != nil && (strings.HasPrefix(c.want, "/") || !strings.Contains(err.Error(), c.want)) ||
			err == nil && id != (configsync.Identity{Service: c.want, Gateway: "edge"}) {
			t.Errorf("%+v: %+v, %v", c, id, err)
		}
	}
}

// doerFunc answers requests for tokens.
type doerFunc func(r *http.Request) (*http.Response, error)

func (f doerFunc) Do(r *http.Request) (*http.Response, error) { return f(r) }

func TestApplicationToken(t *testing.T) {
	t.Parallel()
	assertion := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(assertion, []byte("signed"), 0o600); err != nil {
		t.Fatal(err)
	}
	certificate := applicationPEM(t)
	const base = "config.service.endpoint=plane;gateway.name=edge;"
	const app = base + "config.service.auth.azureAd.tenantId=t;config.service.auth.azureAd.clientId=c;config.service.auth.azureAd.authority=https://plane.test;"
	for _, c := range []struct{ mode, settings, environment, want string }{
		{"azureAdApp", app + "config.service.auth.azureAd.clientSecret=s", "", "client_secret=s"},
		{"AZUREADAPP", app, "", "clientSecret or"},
		{"azureAdApp", app + "config.service.auth.azureAd.certificatePath=none.pem", "", "no such file"},
		{"azureAdApp", app + "config.service.auth.azureAd.certificatePath=" + assertion, "", "neither a certificate"},
		{"azureAdApp", app + "config.service.auth.azureAd.certificatePath=" + certificate, "", "client_assertion=ey"},
		{"azureAdApp", base + "config.service.auth.azureAd.clientId=c;config.service.auth.azureAd.clientSecret=s", "", "tenantId is required"},
		{"azureAdApp", app + "config.service.auth.azureAd.clientSecret=s;config.service.auth.tokenAudience=https://azure-api.cn/configuration", "", "azure-api.cn%2Fconfiguration%2F.default"},
		{"azureAdApp", base + "config.service.auth.azureAd.clientSecret=s", "", "clientId is required"},
		{"azureAdApp", "", "", "gateway.name are required"},
		{"workloadIdentity", app, "AZURE_FEDERATED_TOKEN_FILE=" + assertion, "client_assertion=signed"},
		{"workloadIdentity", base, "AZURE_TENANT_ID=t;AZURE_CLIENT_ID=c;AZURE_AUTHORITY_HOST=https://plane.test/;AZURE_FEDERATED_TOKEN_FILE=" + assertion, "client_assertion=signed"},
		{"workloadIdentity", app, "", "AZURE_FEDERATED_TOKEN_FILE is not set"},
	} {
		s, env := &settings{values: map[string]settingValue{}}, map[string]string{}
		for _, d := range gatewaySettings {
			s.values[d.name] = settingValue{value: d.normal}
		}
		for pair := range strings.SplitSeq(c.settings, ";") {
			name, value, _ := strings.Cut(pair, "=")
			s.values[name] = settingValue{value: value}
		}
		for pair := range strings.SplitSeq(c.environment, ";") {
			name, value, _ := strings.Cut(pair, "=")
			env[name] = value
		}
		var asked string
		token, err := applicationToken(s, c.mode, doerFunc(func(r *http.Request) (*http.Response, error) {
			_ = r.ParseForm()
			asked = r.URL.String() + "?" + r.PostForm.Encode()
			w := httptest.NewRecorder()
			_, _ = w.WriteString(`{"access_token":"abc","expires_in":3600}`)
			return w.Result(), nil
		}), func(name string) string { return env[name] })
		if err != nil {
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("%+v: %v", c, err)
			}
			continue
		}
		text, err := token(t.Context())
		if err != nil || text != "Bearer abc" || !strings.Contains(asked, c.want) || !strings.Contains(asked, "https://plane.test/t/oauth2/v2.0/token?") ||
			!strings.Contains(asked, "%2Fconfiguration%2F.default") {
			t.Errorf("%+v: asked %s, got %s, %v", c, asked, text, err)
		}
	}
}

// applicationPEM writes the certificate of an application with its key.
func applicationPEM(t *testing.T) string {
	t.Helper()
	pair, err := selfSigned(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	key, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: pair.Certificate[0]})
	text = append(text, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})...)
	name := filepath.Join(t.TempDir(), "app.pem")
	if err := os.WriteFile(name, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}
