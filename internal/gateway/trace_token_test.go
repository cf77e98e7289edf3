package gateway_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/causeway-apim/causeway/internal/auth"
	"github.com/causeway-apim/causeway/internal/gateway"
	"github.com/causeway-apim/causeway/internal/policy"
	"github.com/causeway-apim/causeway/internal/snapshot"
)

// tokens gives out one token as a managed identity, and another from the credential manager.
type tokens struct{}

func (tokens) AccessToken(context.Context, string, string) (auth.Access, error) {
	return auth.Access{Token: "token-of-the-identity"}, nil
}

// Tokens that policies get from elsewhere are in no trace, whatever header or variable they end in.
func TestTraceHidesTokens(t *testing.T) {
	t.Parallel()
	w := &tracedWorld{world: newWorld(t), traces: make(map[string][]byte)}
	w.gateway.Close()
	w.gateway = newGateway(t, w.backend, slog.New(slog.DiscardHandler), w.clock.Now, func(o *gateway.Options) {
		o.Trace = func(_, id string, document []byte) { w.traces[id] = document }
		o.Trust = &policy.Trust{Identity: tokens{}}
		o.Credentials = tokens{}
	})
	w.snapshot = snapshot.Empty()
	w.put(
		servicePart, policyPart(t, "", defaultPolicy), apiPart(snapshot.API{ID: "a", Path: "a"}), operationPart("a", "op", "GET /x"),
		policyPart(t, "apis/a", inbound(`
			<authentication-managed-identity resource="https://r.example" output-token-variable-name="identity" />
			<get-authorization-context provider-id="p" authorization-id="a" context-variable-name="granted" />
			<set-header name="X-Identity" exists-action="override"><value>@("t " + (string)context.Variables["identity"])</value></set-header>
			<set-header name="X-Granted" exists-action="override"><value>@(((Authorization)context.Variables["granted"]).AccessToken)</value></set-header>`)),
		subscriptionPart("plain", "", "key-of-the-plain", nil),
	)
	x := w.do("GET http://dev.gateway.localhost/a/x?subscription-key=key-of-the-plain", "Apim-Debug-Authorization", w.token("a", time.Hour, 0))
	text := string(w.traces[x.header.Get("Apim-Trace-Id")])
	if sent := w.backend.sent(); sent.Get("X-Identity") != "t token-of-the-identity" || sent.Get("X-Granted") != "token-of-the-grant" || text == "" {
		t.Fatalf("%s, sent %v, trace %q", x, sent, text)
	}
	for _, secret := range []string{"token-of-the-identity", "token-of-the-grant"} {
		if strings.Contains(text, secret) {
			t.Errorf("the trace tells %q: %s", secret, text)
		}
	}
}

// Token implements gateway.Credentials.
func (tokens) Token(context.Context, string, policy.AuthorizationRequest) (gateway.Credential, error) {
	return gateway.Credential{AccessToken: "token-of-the-grant"}, nil
}
