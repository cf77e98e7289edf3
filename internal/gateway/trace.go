package gateway

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"strings"
	"time"

	"github.com/causeway-apim/causeway/internal/auth"
	"github.com/causeway-apim/causeway/internal/message"
	"github.com/causeway-apim/causeway/internal/policy"
	"github.com/causeway-apim/causeway/internal/snapshot"
	"github.com/causeway-apim/causeway/internal/telemetry"
)

// Header fields of tracing. Source: learn.microsoft.com, "Debug your APIs using
// request tracing"; the last two are the older way.
const (
	debugAuthorization = "Apim-Debug-Authorization"
	debugExpired       = "Apim-Debug-Authorization-Expired"
	debugWrongAPI      = "Apim-Debug-Authorization-WrongAPI"
	debugTraceID       = "Apim-Trace-Id"
	legacyTrace        = "Ocp-Apim-Trace"
	legacyLocation     = "Ocp-Apim-Trace-Location"
)

const (
	// tracePath is where a gateway gives the traces out that it named in
	// Ocp-Apim-Trace-Location. Their IDs cannot be guessed.
	tracePath    = "/trace-0123456789abcdef/"
	traceIDBytes = 16
	// masterSubscription is the built-in subscription to everything: requests
	// with its keys may always be traced.
	masterSubscription = "master"
)

// tracing is how a request is traced.
type tracing struct {
	id    string // of the trace; empty when there is none
	local bool   // the gateway gives the trace out itself
	// name and value are what the caller is told in a field of the answer.
	name, value string
}

// wantsTrace returns what a request says about tracing. It is asked for every
// request.
func wantsTrace(h *message.Header) (token string, legacy bool) {
	for i := range h.Len() {
		f := h.At(i)
		switch len(f.Name) {
		case len(debugAuthorization):
			if message.EqualName(f.Name, debugAuthorization) {
				token = f.Value
			}
		case len(legacyTrace):
			if message.EqualName(f.Name, legacyTrace) {
				legacy = strings.EqualFold(f.Value, "true")
			}
		}
	}
	return token, legacy
}

// beginTrace begins the trace that a request asks for, if it may. The request is
// matched and admitted, or no operation takes it.
func (r *request) beginTrace() {
	token, legacy := wantsTrace(&r.exec.Request.Header)
	switch {
	case token != "":
		r.exec.Request.Header.Del(debugAuthorization) // no business of the backend service
		r.authorizeTrace(strings.TrimSpace(token))
	case legacy && mayTrace(r.exec.Subscription):
		id := newTraceID()
		origin := message.URL{Scheme: r.exec.OriginalURL.Scheme, Host: r.exec.OriginalURL.Host, Port: r.exec.OriginalURL.Port, Path: tracePath + id}
		r.tracing = tracing{id: id, local: true, name: legacyLocation, value: origin.String()}
	}
	if r.tracing.id != "" {
		r.recordBeginning(token)
	}
}

// mayTrace says whether the older way of tracing is open to a subscription; nil
// is none.
func mayTrace(s *snapshot.Subscription) bool {
	return s != nil && (s.Tracing || s.Name == masterSubscription)
}

// authorizeTrace looks at debug credentials. Those that nobody made are not
// answered.
func (r *request) authorizeTrace(text string) {
	c := r.config
	key := auth.DebugKey(c.service.KeyHashKey, c.deployment.GatewayID, c.debugEpoch())
	token, err := auth.VerifyDebugToken(text, key, c.deployment.GatewayID, r.Now())
	var late *auth.TokenExpiredError
	switch api := r.matchedAPI(); {
	case errors.As(err, &late):
		r.tracing = tracing{name: debugExpired, value: "The debug credentials expired at " + late.At.UTC().Format(time.RFC3339) + "."}
	case err != nil:
	case api == nil || !token.Covers(api.Name, api.Revision):
		r.tracing = tracing{name: debugWrongAPI, value: "The debug credentials are for another API: " + token.API + "."}
	default:
		id := newTraceID()
		r.tracing = tracing{id: id, name: debugTraceID, value: id}
	}
}

// matchedAPI is the API that the request's path belongs to, also when it has no
// operation for it; nil when there is none.
func (r *request) matchedAPI() *snapshot.API {
	if r.matched.api == nil {
		return nil
	}
	return &r.matched.api.part
}

func newTraceID() string {
	var b [traceIDBytes]byte
	_, _ = rand.Read(b[:]) // never fails: see crypto/rand
	return hex.EncodeToString(b[:])
}

// recordBeginning starts the trace with what happened before the policies.
func (r *request) recordBeginning(token string) {
	e := &r.exec
	secrets := []string{token, e.SubscriptionKey}
	r.config.secretValues(func(value string) { secrets = append(secrets, value) })
	t := policy.NewTrace(e, secrets...)
	e.Section = policy.Inbound
	t.Add("api-inspector", map[string]any{"request": policy.TraceRequest(e.OriginalMethod, &e.OriginalURL, &e.Request.Header)})
	product, user := any("-"), any("-")
	if e.Product != nil {
		product = map[string]any{"id": e.Product.Name, "name": e.Product.Display}
	}
	if e.User != nil {
		user = map[string]any{"id": e.User.Name, "groups": e.User.Groups}
	}
	operation := any("-")
	if e.Operation != nil {
		operation = map[string]any{"method": e.Operation.Method, "uriTemplate": e.Operation.URLTemplate}
	}
	subscription := any("-")
	if e.Subscription != nil {
		subscription = e.Subscription.Name
	}
	api := any("-")
	if a := r.matchedAPI(); a != nil {
		api = map[string]any{
			"name": a.Name, "from": "/" + a.Path, "to": traceTarget(&e.Base), "version": nullIfEmpty(a.Version), "revision": a.Revision,
		}
	}
	t.Add("api-inspector", map[string]any{"configuration": map[string]any{
		"api":       api,
		"operation": operation, "user": user, "product": product, "subscription": subscription,
		"gateway": map[string]any{"id": e.Deployment.GatewayID, "instance": e.Deployment.InstanceID},
	}})
}

func nullIfEmpty(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// traceTarget is a URL in its parts.
func traceTarget(u *message.URL) any {
	if u.Host == "" {
		return "-"
	}
	query := make(map[string]any)
	for name, value := range u.Query() {
		query[name] = value
	}
	port := u.EffectivePort()
	queryString := ""
	if u.RawQuery != "" {
		queryString = "?" + u.RawQuery
	}
	return map[string]any{
		"scheme": u.Scheme, "host": u.Host, "port": port, "path": u.Path, "queryString": queryString, "query": query,
		"isDefaultPort": u.Secure() && port == 443 || !u.Secure() && port == 80,
	}
}

// announceTrace tells the caller in the answer.
func (r *request) announceTrace(resp *message.Response) {
	if r.tracing.name != "" {
		resp.Header.Set(r.tracing.name, r.tracing.value)
	}
}

// endTrace completes the trace and hands it over.
func (r *request) endTrace(res message.Result) {
	e := &r.exec
	e.Section = policy.Outbound
	data := map[string]any{"message": "Response has been sent to the caller in full", "statusCode": r.response, "bytesReceived": res.BytesIn, "bytesSent": res.BytesOut}
	if res.Err != nil {
		data["message"], data["error"] = "The response could not be sent in full", res.Err.Error()
	}
	e.Tracer.Add("transfer-response", data)
	document := e.Tracer.Document(r.config.service.Name, r.tracing.id)
	if r.tracing.local {
		r.gateway.traces.Put(r.tracing.id, document)
	} else if r.gateway.keepTrace != nil {
		r.gateway.keepTrace(r.service.id, r.tracing.id, document)
	}
}

// serveTrace gives a trace out and says whether there is one at the path.
func (g *Gateway) serveTrace(x message.Exchange, path string) bool {
	id, ok := strings.CutPrefix(path, tracePath)
	if !ok || len(id) != hex.EncodedLen(traceIDBytes) {
		return false
	}
	document, ok := g.traces.Get(id)
	if ok {
		g.respond(x, &message.Response{
			Status: 200, Header: message.NewHeader("Content-Type", "application/json; charset=utf-8", "Cache-Control", "no-store"),
			Body: message.BytesBody(document), ContentLength: int64(len(document)),
		})
	}
	return ok
}

// debugEpoch counts how often the debug credentials of this gateway were
// invalidated.
func (c *config) debugEpoch() int64 {
	if c.deployment.GatewayID == managedGateway {
		return c.service.DebugEpoch
	}
	return c.gatewayEpoch
}

// managedGateway is the name of the service's own gateway.
const managedGateway = "managed"

// secretValues yields the secret named values.
func (c *config) secretValues(yield func(value string)) {
	c.namedValues.each(func(_ string, v *snapshot.NamedValue) bool {
		if v.Secret {
			yield(v.Value)
		}
		return true
	})
}

// newTraces keeps the traces that the gateway itself gives out.
func newTraces(now func() time.Time) *telemetry.Traces {
	return telemetry.NewTraces(telemetry.TracesOptions{Now: now, Life: auth.MaxDebugTokenLife})
}
