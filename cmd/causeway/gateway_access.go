package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"software.sslmate.com/src/go-pkcs12"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/auth"
	"github.com/causeway-apim/causeway/internal/configsync"
	"github.com/causeway-apim/causeway/internal/manage"
)

const (
	// configurationAudience is what access tokens of self-hosted gateways are for ("Use Microsoft Entra authentication for
	// the self-hosted gateway", learn.microsoft.com).
	configurationAudience = "https://azure-api.net/configuration"
	// readConfiguration is the data action that an application needs at its gateway.
	readConfiguration = "Microsoft.ApiManagement/service/gateways/getConfiguration/action"
)

// gatewayAccess decides which gateway an application with an access token may be.
type gatewayAccess struct {
	verify    func(ctx context.Context, token, audience string) (manage.Principal, error)
	authorize func(ctx context.Context, p manage.Principal, action string, scope arm.ID) error
	keys      func(ctx context.Context, gateway string) ([]configsync.GatewayKeys, error)
}

// authenticate is the Auth of [configsync.Server]. A gateway is named by its ARM ID, or by its name when the endpoint
// names the service or only one service lets the application read a gateway of that name. The roles of the application
// are looked at whenever it connects.
func (a gatewayAccess) authenticate(r *http.Request, service, gateway string) (configsync.Identity, error) {
	none := configsync.Identity{}
	token, _ := auth.BearerToken(r.Header.Get("Authorization"))
	who, err := a.verify(r.Context(), token, configurationAudience)
	for _, audience := range []string{"https://azure-api.us/configuration", "https://azure-api.cn/configuration"} { // of Azure's other clouds
		if err != nil {
			if other, oerr := a.verify(r.Context(), token, audience); oerr == nil {
				who, err = other, nil
			}
		}
	}
	if err != nil {
		return none, err
	}
	if id, err := arm.ParseID(gateway); err == nil && id.Find("gateways") != "" {
		service, gateway = id.Service().Key(), id.Find("gateways")
	}
	if gateway == "" {
		return none, errors.New("the setting gateway.name is needed: an application's token does not name a gateway")
	}
	all, err := a.keys(r.Context(), gateway)
	if err != nil {
		return none, err
	}
	var found []configsync.Identity
	for _, k := range all {
		id, err := arm.ParseID(k.Service)
		if err != nil || service != "" && !strings.EqualFold(service, k.Service) {
			continue
		}
		if a.authorize(r.Context(), who, readConfiguration, id.Child("gateways", k.Gateway)) == nil {
			found = append(found, configsync.Identity{Service: k.Service, Gateway: strings.ToLower(k.Gateway)})
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return none, errors.New("there is no gateway " + gateway + " of which the application may do " + readConfiguration)
	}
	return none, errors.New("several services have a gateway " + gateway + ": name it by its resource ID")
}

// applicationToken returns what signs the gateway in as an application, by the settings.
func applicationToken(s *settings, mode string, doer auth.Doer, environment func(name string) string) (func(ctx context.Context) (string, error), error) {
	const at = "config.service.auth.azureAd."
	c := &auth.ClientCredentials{
		Doer: doer, Now: time.Now, Authority: s.text(at + "authority"), Tenant: s.text(at + "tenantId"), ClientID: s.text(at + "clientId"),
		Secret: s.text(at + "clientSecret"), Scope: s.text(at + "scope"),
	}
	switch {
	case s.text("config.service.endpoint") == "" || s.text("gateway.name") == "":
		return nil, usageError("settings config.service.endpoint and gateway.name are required: the address of the management plane, and the gateway's name or resource ID")
	case strings.EqualFold(mode, "workloadIdentity"): // what workload identity puts into a pod
		c.Secret, c.AssertionFile = "", environment("AZURE_FEDERATED_TOKEN_FILE")
		c.Tenant, c.ClientID = cmpOr(c.Tenant, environment("AZURE_TENANT_ID")), cmpOr(c.ClientID, environment("AZURE_CLIENT_ID"))
		if host := environment("AZURE_AUTHORITY_HOST"); host != "" {
			c.Authority = host
		}
		if c.AssertionFile == "" {
			return nil, usageError("setting config.service.auth is %q, and AZURE_FEDERATED_TOKEN_FILE is not set: is the pod labelled for workload identity?", mode)
		}
	case s.text(at+"certificatePath") != "":
		c.Certificate = func() (*tls.Certificate, error) { return applicationCertificate(s.text(at + "certificatePath")) }
		if _, err := c.Certificate(); err != nil {
			return nil, usageError("setting %scertificatePath: %w", at, err)
		}
	case c.Secret == "":
		return nil, usageError("setting %sclientSecret or %[1]scertificatePath is required", at)
	}
	if c.ClientID == "" {
		return nil, usageError("setting %sclientId is required", at)
	}
	if c.Tenant == "" && strings.TrimSuffix(c.Authority, "/") == auth.DefaultAuthority {
		return nil, usageError("setting %stenantId is required with Microsoft Entra ID; another authority may be the issuer of an OpenID Connect provider and has none", at)
	}
	audience := cmpOr(s.text("config.service.auth.tokenAudience"), configurationAudience)
	tokens := auth.NewTokenCache(c, time.Now)
	return func(ctx context.Context) (string, error) {
		t, err := tokens.AccessToken(ctx, audience, "")
		return "Bearer " + t.Token, err
	}, nil
}

// applicationCertificate reads a certificate with its private key, as PEM or as PKCS#12 without a password.
func applicationCertificate(name string) (*tls.Certificate, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	if pair, err := tls.X509KeyPair(text, text); err == nil {
		return &pair, nil
	}
	key, leaf, _, err := pkcs12.DecodeChain(text, "")
	if err != nil {
		return nil, fmt.Errorf("%s holds neither a certificate and its key in PEM nor a PKCS#12 file without a password", name)
	}
	return &tls.Certificate{Certificate: [][]byte{leaf.Raw}, PrivateKey: key, Leaf: leaf}, nil
}
