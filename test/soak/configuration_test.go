//go:build linux

package soak

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"net/http"
	"testing"
	"time"

	"software.sslmate.com/src/go-pkcs12"
)

const (
	subscriptionKey = "00112233445566778899aabbccddeeff"
	tokenKey        = "a key for tokens that is long enough for HS256"
	hostname        = "soak.test"
)

// policies is a document whose sections hold statements besides what is inherited.
func policies(inbound, backend, outbound string) map[string]any {
	return map[string]any{"format": "rawxml", "value": "<policies><inbound><base />" + inbound + "</inbound><backend>" + backend + "</backend><outbound><base />" +
		outbound + "</outbound><on-error><base /></on-error></policies>"}
}

const base = "<base />"

// typical is the policy of the API that changes all the time; n tells which version it is.
func typical(n int) map[string]any {
	return policies(`<rate-limit-by-key calls="1000000" renewal-period="60" counter-key="@(context.Subscription.Id)" />
<validate-jwt header-name="Authorization" require-scheme="Bearer"><issuer-signing-keys><key>{{token-key}}</key></issuer-signing-keys>
<issuers><issuer>soak</issuer></issuers></validate-jwt>
<set-header name="X-Caller" exists-action="override"><value>@(context.Subscription.Id + "/" + context.Request.IpAddress)</value></set-header>
<include-fragment fragment-id="common" />
<rewrite-uri template="/bytes/{size}" />`, base,
		fmt.Sprintf(`<set-header name="X-Change" exists-action="override"><value>%d</value></set-header>
<set-header name="X-Named" exists-action="override"><value>{{named}}</value></set-header>`, n))
}

// token is a JWT that the policy takes.
func token() string {
	encode := base64.RawURLEncoding.EncodeToString
	text := encode([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + encode(fmt.Appendf(nil, `{"iss":"soak","exp":%d}`, time.Now().Add(24*time.Hour).Unix()))
	mac := hmac.New(sha256.New, []byte(tokenKey))
	mac.Write([]byte(text))
	return text + "." + encode(mac.Sum(nil))
}

// declare makes the configuration that the load needs.
func (s *soak) declare(t *testing.T) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	put := func(path string, properties map[string]any) {
		t.Helper()
		must(s.put(path, properties))
	}
	put("namedValues/token-key", map[string]any{"displayName": "token-key", "value": base64.StdEncoding.EncodeToString([]byte(tokenKey)), "secret": true})
	put("namedValues/named", map[string]any{"displayName": "named", "value": "value 0"})
	put("backends/good", map[string]any{"url": "http://" + s.good[0], "protocol": "http"})
	must(s.changeFragment(0))
	put("subscriptions/soak", map[string]any{"displayName": "soak", "scope": "/apis", "primaryKey": subscriptionKey, "state": "active"})
	put("gateways/edge", map[string]any{"locationData": map[string]any{"name": "here"}})
	api := func(name string, properties map[string]any) {
		t.Helper()
		properties["displayName"] = name
		if properties["path"] == nil {
			properties["path"] = name
		}
		put("apis/"+name, properties)
		put("gateways/edge/apis/"+name, nil)
	}
	both, open := []string{"http", "https"}, false
	api("typical", map[string]any{"protocols": both, "serviceUrl": "http://" + s.good[0], "subscriptionRequired": true})
	put("apis/typical/operations/get", operation("GET", "/{size}", "size"))
	put("apis/typical/policies/policy", typical(0))
	api("good", map[string]any{"protocols": both, "serviceUrl": "http://" + s.good[0], "subscriptionRequired": open})
	for name, o := range map[string]map[string]any{"bytes": operation("GET", "/bytes/{n}", "n"), "echo": operation("POST", "/echo"), "events": operation("GET", "/events")} {
		put("apis/good/operations/"+name, o)
	}
	api("entity", map[string]any{"protocols": both, "subscriptionRequired": open})
	put("apis/entity/operations/bytes", operation("GET", "/bytes/{n}", "n"))
	put("apis/entity/policies/policy", policies(`<set-backend-service backend-id="good" />`, base, ""))
	api("cached", map[string]any{"protocols": both, "serviceUrl": "http://" + s.good[0], "subscriptionRequired": open})
	put("apis/cached/operations/bytes", operation("GET", "/bytes/{n}", "n"))
	put("apis/cached/policies/policy", policies(`<cache-lookup vary-by-developer="false" vary-by-developer-groups="false" />`, base, `<cache-store duration="2" />`))
	api("limited", map[string]any{"protocols": both, "serviceUrl": "http://" + s.good[0], "subscriptionRequired": open})
	put("apis/limited/operations/bytes", operation("GET", "/bytes/{n}", "n"))
	put("apis/limited/policies/policy", policies(`<rate-limit-by-key calls="5" renewal-period="1" counter-key="@(context.Request.Headers.GetValueOrDefault("X-Key", ""))" />
<set-body>@(context.Request.Body == null ? "" : context.Request.Body.As<string>(preserveContent: true))</set-body>`, base, ""))
	api("bad", map[string]any{"protocols": both, "serviceUrl": "http://" + s.bad.address, "subscriptionRequired": open})
	put("apis/bad/operations/get", operation("GET", "/get"))
	forward := fmt.Sprintf(`<forward-request timeout="%d" />`, int(badTimeout.Seconds()))
	put("apis/bad/policies/policy", policies("", forward, ""))
	put("apis/bad/operations/retry", operation("GET", "/retry"))
	put("apis/bad/operations/retry/policies/policy", policies("", `<retry condition="@(context.Response.StatusCode >= 500)" count="2" interval="0">`+forward+`</retry>`, ""))
	api("sockets", map[string]any{"type": "websocket", "protocols": []string{"ws", "wss"}, "serviceUrl": "ws://" + s.good[0] + "/ws", "subscriptionRequired": open})
	api("calls", map[string]any{"type": "grpc", "path": "", "protocols": both, "serviceUrl": "http://" + s.calls, "subscriptionRequired": open})
	must(s.changeCertificate(0))
	put("gateways/edge/hostnameConfigurations/soak", map[string]any{"hostname": hostname, "certificateId": "/certificates/soak"})
}

// operation is one with parameters in its template.
func operation(method, template string, parameters ...string) map[string]any {
	list := []map[string]any{}
	for _, name := range parameters {
		list = append(list, map[string]any{"name": name, "type": "string", "required": true})
	}
	return map[string]any{"displayName": method + " " + template, "method": method, "urlTemplate": template, "templateParameters": list}
}

// put makes or replaces a resource.
func (s *soak) put(path string, properties map[string]any) error {
	body := map[string]any{}
	if properties != nil {
		body["properties"] = properties
	}
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	return s.manage(http.MethodPut, path, string(text))
}

// manage calls the management API.
func (s *soak) manage(method, path, body string) error {
	status, answer, err := s.system.TryARM(s.plane.Load(), method, path, body)
	if err == nil && status >= 400 {
		return fmt.Errorf("%s %s: status %d: %s", method, path, status, answer)
	}
	return err
}

// change changes one thing or another.
func (s *soak) change(n int) error {
	switch n % 8 {
	case 0:
		return s.put("namedValues/named", map[string]any{"displayName": "named", "value": fmt.Sprint("value ", n)})
	case 1:
		return s.put("backends/good", map[string]any{"url": "http://" + s.good[n/8%2], "protocol": "http"})
	case 2:
		return s.changeCertificate(n)
	case 3:
		return s.changeFragment(n)
	case 4: // an API comes, or another one with its operations goes
		name := fmt.Sprint("apis/passing-", n/16%10)
		if n/8%2 == 1 {
			return s.manage(http.MethodDelete, name+"?deleteRevisions=true", "")
		}
		if err := s.put(name, map[string]any{"displayName": name, "path": name, "protocols": []string{"http"}, "serviceUrl": "http://" + s.good[0]}); err != nil {
			return err
		}
		for i := range 3 {
			if err := s.put(fmt.Sprint(name, "/operations/o", i), operation("GET", fmt.Sprint("/", i))); err != nil {
				return err
			}
		}
		return s.put("gateways/edge/"+name, nil)
	case 5:
		return s.put(fmt.Sprint("subscriptions/passing-", n%50), map[string]any{"displayName": fmt.Sprint(n), "scope": "/apis", "state": "active"})
	case 6:
		return s.put("apis/good/operations/passing", operation("GET", fmt.Sprint("/passing/", n)))
	default:
		if err := s.put("apis/typical/policies/policy", typical(n)); err != nil {
			return err
		}
		s.changed.Store(int64(n))
		return nil
	}
}

func (s *soak) changeFragment(n int) error {
	return s.put("policyFragments/common", map[string]any{"format": "rawxml", "value": fmt.Sprintf(
		`<fragment><set-variable name="n" value="%d" /><set-header name="X-N" exists-action="override"><value>@((string)context.Variables["n"])</value></set-header></fragment>`, n)})
}

// changeCertificate makes a new certificate for the host name.
func (s *soak) changeCertificate(n int) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template := x509.Certificate{
		SerialNumber: big.NewInt(int64(n) + 1), Subject: pkix.Name{CommonName: hostname}, DNSNames: []string{hostname},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, key.Public(), key)
	if err != nil {
		return err
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return err
	}
	pfx, err := pkcs12.Modern2023.Encode(key, certificate, nil, "pw")
	if err != nil {
		return err
	}
	return s.put("certificates/soak", map[string]any{"data": base64.StdEncoding.EncodeToString(pfx), "password": "pw"})
}
