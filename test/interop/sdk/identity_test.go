//go:build interop

package sdk

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"net/http"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/authorization/armauthorization/v2"
)

const readerRole = "/subscriptions/" + subscription + "/providers/Microsoft.Authorization/roleDefinitions/acdd72a7-3385-48ef-bd42-f606fba81ae7"

// TestInteropCredentials gets tokens for the scopes that Azure's tools ask for, and none with a wrong secret.
func TestInteropCredentials(t *testing.T) {
	t.Parallel()
	s := Start(t)
	for _, scope := range []string{s.URL + "/.default", "https://management.azure.com/.default", "https://management.core.windows.net//.default"} {
		if token, err := s.Credential.GetToken(t.Context(), policy.TokenRequestOptions{Scopes: []string{scope}, EnableCAE: true}); err != nil || token.Token == "" {
			t.Errorf("%s: %v", scope, err)
		}
	}
	wrong, err := s.Secret(client, "wrong")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := wrong.GetToken(t.Context(), policy.TokenRequestOptions{Scopes: []string{s.URL + "/.default"}}); err == nil {
		t.Error("a wrong secret gets a token")
	}
}

// TestInteropCertificate signs an application in with a certificate, and with an assertion that it signs itself with its key.
func TestInteropCertificate(t *testing.T) {
	t.Parallel()
	s := Start(t)
	const app = "cccccccc-0000-4000-8000-000000000001"
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	body, err := json.Marshal(map[string]any{"properties": map[string]any{
		"kind": "ServicePrincipal", "displayName": "certificate", "keyCredentials": []any{map[string]any{"displayName": "own", "key": string(text)}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPut, s.URL+"/providers/Microsoft.Causeway/principals/"+app+"?api-version=2024-05-01", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+secret)
	r.Header.Set("Content-Type", "application/json")
	answer, err := s.HTTP.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	if answer.StatusCode != http.StatusCreated {
		t.Fatalf("make the application: %d", answer.StatusCode)
	}
	options := &azidentity.ClientCertificateCredentialOptions{ClientOptions: s.Options.ClientOptions, DisableInstanceDiscovery: true}
	credential, err := azidentity.NewClientCertificateCredential(tenant, app, []*x509.Certificate{certificate}, key, options)
	if err != nil {
		t.Fatal(err)
	}
	if token, err := credential.GetToken(t.Context(), policy.TokenRequestOptions{Scopes: []string{s.URL + "/.default"}}); err != nil || token.Token == "" {
		t.Errorf("the certificate: %v", err)
	}
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	if credential, err = azidentity.NewClientCertificateCredential(tenant, app, []*x509.Certificate{certificate}, other, options); err == nil {
		if token, err := credential.GetToken(t.Context(), policy.TokenRequestOptions{Scopes: []string{s.URL + "/.default"}}); err == nil {
			t.Errorf("another key gets the token %s", token.Token)
		}
	}
}

// TestInteropRoles assigns a role as Azure's tools do.
func TestInteropRoles(t *testing.T) {
	t.Parallel()
	s := Start(t)
	s.Service(t, "sdk-roles")
	scope := "subscriptions/" + subscription + "/resourceGroups/" + group + "/providers/Microsoft.ApiManagement/service/sdk-roles"
	f, err := armauthorization.NewClientFactory(subscription, s.Credential, s.Options)
	if err != nil {
		t.Fatal(err)
	}
	const name = "11111111-2222-4333-8444-555555555555"
	assignments := f.NewRoleAssignmentsClient()
	made, err := assignments.Create(t.Context(), scope, name, armauthorization.RoleAssignmentCreateParameters{
		Properties: &armauthorization.RoleAssignmentProperties{PrincipalID: to.Ptr(client), RoleDefinitionID: to.Ptr(readerRole)},
	}, nil)
	if err != nil || *made.Properties.Scope != "/"+scope {
		t.Fatalf("assign: %v", err)
	}
	_, err = assignments.Create(t.Context(), scope, "11111111-2222-4333-8444-666666666666", armauthorization.RoleAssignmentCreateParameters{
		Properties: &armauthorization.RoleAssignmentProperties{PrincipalID: to.Ptr(client), RoleDefinitionID: to.Ptr(readerRole)},
	}, nil)
	wantStatus(t, err, 409, "RoleAssignmentExists")
	if _, err := assignments.Delete(t.Context(), scope, name, nil); err != nil {
		t.Error(err)
	}
	page, err := f.NewRoleDefinitionsClient().NewListPager(scope, &armauthorization.RoleDefinitionsClientListOptions{
		Filter: to.Ptr("roleName eq 'API Management Service Contributor'"),
	}).NextPage(t.Context())
	if err != nil || len(page.Value) != 1 || *page.Value[0].Name != "312a565d-c81f-4fd8-895a-4e21e48d571c" {
		t.Errorf("role definitions: %v", err)
	}
}
