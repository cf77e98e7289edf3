//go:build linux

package main

import (
	"context"
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"time"

	"github.com/causeway-apim/causeway/internal/auth"
	"github.com/causeway-apim/causeway/internal/configsync"
	"github.com/causeway-apim/causeway/internal/snapshot"
)

const (
	serviceID       = "/subscriptions/s/resourcegroups/g/providers/microsoft.apimanagement/service/bench"
	gatewayName     = "bench"
	gatewayKey      = "a key that only this run knows"
	subscriptionKey = "0123456789abcdef0123456789abcdef"
)

// plane is the management plane, as much of it as a self-hosted gateway sees, and the identity provider of its tokens.
type plane struct {
	configsync.Feed
	listener net.Listener
	server   http.Server
	key      *rsa.PrivateKey
}

// newPlane serves a configuration whose APIs call the backend service on a port.
func newPlane(backendPort, operations int) (*plane, error) {
	p := &plane{}
	var err error
	if p.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return nil, err
	}
	if p.key, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
		return nil, err
	}
	parts, err := p.parts(fmt.Sprintf("127.0.0.1:%d", backendPort), operations)
	if err != nil {
		return nil, err
	}
	s, _ := snapshot.Empty().Edit(1, parts, nil)
	if err := p.Publish(serviceID, s); err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("/", &configsync.Server{Source: p, Version: "1.0.0"})
	mux.HandleFunc("/openid", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"issuer":"bench","jwks_uri":"%s/jwks"}`, p.url())
	})
	mux.HandleFunc("/jwks", func(w http.ResponseWriter, _ *http.Request) {
		n := base64.RawURLEncoding.EncodeToString(p.key.N.Bytes())
		e := base64.RawURLEncoding.EncodeToString(big.NewInt(int64(p.key.E)).Bytes())
		fmt.Fprintf(w, `{"keys":[{"kty":"RSA","use":"sig","alg":"RS256","kid":"1","n":"%s","e":"%s"}]}`, n, e)
	})
	p.server.Handler = mux
	go func() { _ = p.server.Serve(p.listener) }() // until close
	return p, nil
}

func (p *plane) url() string { return "http://" + p.listener.Addr().String() }

func (p *plane) close() { _ = p.server.Close() }

// GatewayKeys implements [configsync.Source].
func (p *plane) GatewayKeys(context.Context, string) ([]configsync.GatewayKeys, error) {
	return []configsync.GatewayKeys{{Service: serviceID, Gateway: gatewayName, Primary: gatewayKey, Secondary: gatewayKey}}, nil
}

// token is the gateway's own.
func (p *plane) token() (string, error) {
	now := time.Now()
	return auth.NewGatewayToken(gatewayName, gatewayKey, now.Add(24*time.Hour), now)
}

// jwt is a token for clients, good for a day.
func (p *plane) jwt() (string, error) {
	encode := func(v any) string {
		b, _ := json.Marshal(v) // maps of strings and numbers
		return base64.RawURLEncoding.EncodeToString(b)
	}
	text := encode(map[string]string{"alg": "RS256", "typ": "JWT", "kid": "1"}) + "." + encode(map[string]any{
		"iss": "bench", "aud": "api://bench", "sub": "00000000-0000-0000-0000-000000000001", "scp": "read write",
		"name": "Somebody", "exp": time.Now().Add(24 * time.Hour).Unix(), "nbf": time.Now().Add(-time.Minute).Unix(),
	})
	sum := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(rand.Reader, p.key, crypto.SHA256, sum[:])
	return text + "." + base64.RawURLEncoding.EncodeToString(signature), err
}

const defaultPolicy = `<policies><inbound /><backend><forward-request /></backend><outbound /><on-error /></policies>`

// typicalPolicy is what many APIs have, besides the subscription key.
const typicalPolicy = `<policies>
<inbound>
  <base />
  <rate-limit-by-key calls="1000000000" renewal-period="60" counter-key="@(context.Subscription.Id)" />
  <validate-jwt header-name="Authorization" require-scheme="Bearer">
    <openid-config url="%s/openid" />
    <audiences><audience>api://bench</audience></audiences>
    <issuers><issuer>bench</issuer></issuers>
  </validate-jwt>
  <set-header name="X-Caller" exists-action="override"><value>@(context.Subscription.Id + "/" + context.Request.IpAddress)</value></set-header>
  <set-header name="X-Operation" exists-action="override"><value>@($"{context.Api.Id}:{context.Operation.Id}")</value></set-header>
  <set-header name="X-Agent" exists-action="override"><value>@(context.Request.Headers.GetValueOrDefault("User-Agent", "none").ToLower())</value></set-header>
  <rewrite-uri template="/rewritten/{size}" />
</inbound>
<backend><base /></backend><outbound><base /></outbound><on-error><base /></on-error>
</policies>`

const cachePolicy = `<policies>
<inbound><base /><cache-lookup vary-by-developer="false" vary-by-developer-groups="false" /></inbound>
<backend><base /></backend><outbound><base /><cache-store duration="3600" /></outbound><on-error><base /></on-error>
</policies>`

// routePolicy is the policy of each API of the large configuration, operationPolicy that of each tenth operation.
const (
	routePolicy = `<policies><inbound><base /><set-header name="X-Api" exists-action="override"><value>@(context.Api.Id)</value></set-header></inbound>` +
		`<backend><base /></backend><outbound><base /></outbound><on-error><base /></on-error></policies>`
	operationPolicy = `<policies><inbound><base /><set-header name="X-Item" exists-action="override"><value>@(context.Request.MatchedParameters["id"])</value></set-header></inbound>` +
		`<backend><base /></backend><outbound><base /></outbound><on-error><base /></on-error></policies>`
)

// partList collects parts and the first error.
type partList struct {
	parts []snapshot.Part
	err   error
}

func (l *partList) add(kind snapshot.Kind, id string, value any) {
	p, err := snapshot.Encode(kind, id, value)
	if err != nil && l.err == nil {
		l.err = err
	}
	l.parts = append(l.parts, p)
}

func (l *partList) api(a snapshot.API, operation, policy string) {
	a.Name, a.Display, a.Revision, a.IsCurrent = a.ID, a.ID, "1", true
	if a.Protocols == nil {
		a.Protocols = []string{"http", "https"}
	}
	l.add(snapshot.KindAPI, "apis/"+a.ID, a)
	l.add(snapshot.KindGatewayAPI, "gateways/"+gatewayName+"/apis/"+a.ID, snapshot.GatewayAPI{Gateway: gatewayName, API: a.ID})
	if operation != "" {
		l.operation(a.ID, "get", "GET", operation, "")
	}
	if policy != "" {
		l.policy("apis/"+a.ID, policy)
	}
}

func (l *partList) operation(api, name, method, template, policy string) {
	l.add(snapshot.KindOperation, "apis/"+api+"/operations/"+name, snapshot.Operation{
		API: api, Name: name, Display: "The operation " + name, Method: method, URLTemplate: template,
		Responses: []snapshot.OperationResponse{{}},
	})
	if policy != "" {
		l.policy("apis/"+api+"/operations/"+name, policy)
	}
}

func (l *partList) policy(scope, text string) {
	id := "policies/policy"
	if scope != "" {
		id = scope + "/" + id
	}
	l.add(snapshot.KindPolicy, id, snapshot.Policy{Scope: scope, Format: "rawxml", Value: text})
}

// parts are the configuration. The scenarios' APIs are always there; the operations come on top.
func (p *plane) parts(backend string, operations int) ([]snapshot.Part, error) {
	hashKey := []byte("0123456789abcdef")
	mac := hmac.New(sha256.New, hashKey)
	mac.Write([]byte(subscriptionKey))
	var l partList
	l.add(snapshot.KindService, "", snapshot.Service{ID: serviceID, Name: "bench", KeyHashKey: hashKey})
	l.add(snapshot.KindGateway, "gateways/"+gatewayName, snapshot.Gateway{Name: gatewayName})
	l.policy("", defaultPolicy)
	l.add(snapshot.KindSubscription, "subscriptions/one", snapshot.Subscription{Name: "one", Scope: "apis", State: "active", PrimaryHash: mac.Sum(nil)})
	l.api(snapshot.API{ID: "plain", Path: "plain", ServiceURL: "http://" + backend}, "/{size}", "")
	l.operation("plain", "post", "POST", "/{size}", "")
	l.api(snapshot.API{ID: "cached", Path: "cached", ServiceURL: "http://" + backend}, "/{size}", cachePolicy)
	l.api(snapshot.API{ID: "typical", Path: "typical", ServiceURL: "http://" + backend, SubscriptionRequired: true}, "/{size}", fmt.Sprintf(typicalPolicy, p.url()))
	l.api(snapshot.API{ID: "ws", Path: "ws", Type: "websocket", Protocols: []string{"ws"}, ServiceURL: "ws://" + backend + "/ws"}, "", "")
	for i := range operations {
		name := fmt.Sprintf("r%d", i/operationsOfAPI)
		if i%operationsOfAPI == 0 {
			l.api(snapshot.API{ID: name, Path: name, ServiceURL: "http://" + backend}, "", routePolicy)
		}
		policy := ""
		if i%10 == 0 {
			policy = operationPolicy
		}
		l.operation(name, fmt.Sprintf("op%d", i%operationsOfAPI), "GET", fmt.Sprintf("/op%d/{id}/{size}", i%operationsOfAPI), policy)
	}
	return l.parts, l.err
}

const (
	operationsOfAPI = 100
	manyOperations  = 5000
	routePath       = "/r25/op50/7/b512"
)
