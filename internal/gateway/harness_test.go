package gateway_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/causeway-apim/causeway/internal/cache"
	"github.com/causeway-apim/causeway/internal/causewaytest"
	"github.com/causeway-apim/causeway/internal/counters"
	"github.com/causeway-apim/causeway/internal/gateway"
	"github.com/causeway-apim/causeway/internal/message"
	"github.com/causeway-apim/causeway/internal/policies"
	"github.com/causeway-apim/causeway/internal/policy"
	"github.com/causeway-apim/causeway/internal/snapshot"
	"github.com/causeway-apim/causeway/internal/telemetry"
)

const serviceID = "/subscriptions/s/resourceGroups/r/providers/Microsoft.ApiManagement/service/dev"

var hashKey = []byte("0123456789abcdef")

// world is a gateway with a fake backend service and a clock that stands.
type world struct {
	tb       testing.TB
	gateway  *gateway.Gateway
	clock    *causewaytest.Clock
	backend  *fakeBackend
	snapshot *snapshot.Snapshot
	log      *lockedBuffer
}

// newWorld returns a world whose configuration has a service with the default
// policy, and parts.
func newWorld(tb testing.TB, parts ...snapshot.Part) *world {
	tb.Helper()
	return newWorldWith(tb, func(*gateway.Options) {}, parts...)
}

// newWorldWith is newWorld with changed options.
func newWorldWith(tb testing.TB, change func(*gateway.Options), parts ...snapshot.Part) *world {
	tb.Helper()
	w := &world{
		tb: tb, clock: causewaytest.NewClock(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)), backend: &fakeBackend{},
		snapshot: snapshot.Empty(), log: &lockedBuffer{},
	}
	handler, err := telemetry.NewLogHandler(w.log, telemetry.LogOptions{Format: "json"})
	if err != nil {
		tb.Fatal(err)
	}
	w.gateway = newGateway(tb, w.backend, slog.New(handler), w.clock.Now, change)
	w.put(append([]snapshot.Part{servicePart, policyPart(tb, "", policy.DefaultServicePolicy)}, parts...)...)
	return w
}

func newGateway(tb testing.TB, transport message.Transport, log *slog.Logger, now func() time.Time, options ...func(*gateway.Options)) *gateway.Gateway {
	tb.Helper()
	catalogue, err := policies.Catalogue()
	if err != nil {
		tb.Fatal(err)
	}
	o := gateway.Options{
		Name: "managed", InstanceID: "test", Catalogue: catalogue, Transport: transport, Log: log, Now: now,
		Counters: gateway.MemoryCounters(counters.NewMemory(now)), Cache: cache.NewMemory(cache.Options{Now: now}),
		Trust: &policy.Trust{}, Redis: gateway.RedisOptions{Patience: time.Minute},
	}
	for _, change := range options {
		change(&o)
	}
	return gateway.New(o)
}

var servicePart = mustPart(snapshot.KindService, "", snapshot.Service{ID: serviceID, Name: "dev", Location: "here", KeyHashKey: hashKey})

func mustPart(kind snapshot.Kind, id string, value any) snapshot.Part {
	p, err := snapshot.Encode(kind, id, value)
	if err != nil {
		panic(err)
	}
	return p
}

func apiPart(a snapshot.API) snapshot.Part {
	if a.Revision == "" {
		a.Revision, a.IsCurrent = "1", true
	}
	if a.Name == "" {
		a.Name, _, _ = strings.Cut(a.ID, ";")
	}
	if a.Protocols == nil {
		a.Protocols = []string{"http", "https"}
	}
	if a.ServiceURL == "" {
		a.ServiceURL = "http://backend.test"
	}
	return mustPart(snapshot.KindAPI, "apis/"+a.ID, a)
}

// operationPart makes an operation, such as "GET /items/{id}", of that name.
func operationPart(api, name, template string) snapshot.Part {
	method, path, _ := strings.Cut(template, " ")
	return mustPart(snapshot.KindOperation, "apis/"+api+"/operations/"+name, snapshot.Operation{API: api, Name: name, Method: method, URLTemplate: path})
}

func policyPart(tb testing.TB, scope, text string) snapshot.Part {
	tb.Helper()
	return mustPart(snapshot.KindPolicy, strings.TrimPrefix(scope+"/policies/policy", "/"), snapshot.Policy{Scope: scope, Format: "rawxml", Value: text})
}

// inbound is a policy document with statements before <base /> in inbound.
func inbound(statements string) string {
	return "<policies><inbound>" + statements + "<base /></inbound><backend><base /></backend><outbound><base /></outbound><on-error><base /></on-error></policies>"
}

func subscriptionPart(name, scope, key string, change func(*snapshot.Subscription)) snapshot.Part {
	mac := hmac.New(sha256.New, hashKey)
	mac.Write([]byte(key))
	s := snapshot.Subscription{Name: name, Scope: scope, State: "active", PrimaryHash: mac.Sum(nil)}
	if change != nil {
		change(&s)
	}
	return mustPart(snapshot.KindSubscription, "subscriptions/"+name, s)
}

// put applies parts, which has to succeed.
func (w *world) put(parts ...snapshot.Part) {
	w.tb.Helper()
	if err := w.change(parts); err != nil {
		w.tb.Fatal(err)
	}
}

// change applies a change. The gateway's state is the world's only on success.
func (w *world) change(put []snapshot.Part, del ...snapshot.Key) error {
	next, delta := w.snapshot.Edit(w.snapshot.Sequence()+1, put, del)
	from := w.snapshot
	if from.Sequence() == 0 {
		from = nil
	}
	err := w.gateway.Apply(w.tb.Context(), serviceID, from, next, delta)
	if err == nil {
		w.snapshot = next
	}
	return err
}

// do sends a request, such as "GET http://dev.gateway.localhost/echo", with
// header names and values in turn.
func (w *world) do(request string, header ...string) *fakeExchange {
	w.tb.Helper()
	x := newExchange(w.tb, request, header...)
	w.gateway.Serve(x)
	x.end()
	return x
}

// records ends the gateway and returns the log lines of its requests.
func (w *world) records() []string {
	w.gateway.Close()
	var out []string
	for line := range strings.Lines(w.log.String()) {
		if strings.Contains(line, "GatewayLogs") {
			out = append(out, line)
		}
	}
	return out
}

// fakeExchange is one request in memory.
type fakeExchange struct {
	ctx     context.Context
	req     message.Request
	status  int
	header  message.Header
	body    string
	interim []string
	finish  []func(message.Result)
	result  message.Result
	// failing is the error of the first Respond.
	failing error
}

func newExchange(tb testing.TB, request string, header ...string) *fakeExchange {
	tb.Helper()
	method, target, _ := strings.Cut(request, " ")
	u, err := message.ParseURL(target)
	if err != nil {
		tb.Fatal(err)
	}
	x := &fakeExchange{ctx: tb.Context()}
	x.req = message.Request{
		Method: method, Target: target, Proto: "HTTP/1.1", URL: u, Header: message.NewHeader(append([]string{"Host", u.Authority()}, header...)...),
		RemoteAddr: netip.MustParseAddrPort("192.0.2.7:5000"), Received: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
	}
	return x
}

func (x *fakeExchange) Context() context.Context { return x.ctx }

func (x *fakeExchange) Request() *message.Request { return &x.req }

func (x *fakeExchange) Informational(status int, h *message.Header) error {
	x.interim = append(x.interim, fmt.Sprint(status, *h))
	return nil
}

func (x *fakeExchange) Respond(r *message.Response) error {
	if r.Body != nil {
		defer r.Body.Close()
	}
	if x.status != 0 {
		return message.ErrAnswered
	}
	if err := x.failing; err != nil {
		x.failing = nil
		return err
	}
	x.status, x.header = r.Status, r.Header.Detach()
	if r.Body != nil {
		data, err := message.ReadAll(r.Body, 1<<20, r.ContentLength)
		if err != nil {
			return err
		}
		x.body = string(data)
	}
	return nil
}

func (x *fakeExchange) Upgrade(*message.Response) (net.Conn, error) {
	return nil, errors.ErrUnsupported
}

func (x *fakeExchange) OnFinish(f func(message.Result)) { x.finish = append(x.finish, f) }

func (x *fakeExchange) end() {
	x.result.Done = x.req.Received.Add(5 * time.Millisecond)
	for _, f := range x.finish {
		f(x.result)
	}
}

// String is the status and the body.
func (x *fakeExchange) String() string { return fmt.Sprint(x.status, " ", x.body) }

// fakeBackend is a transport that answers by itself.
type fakeBackend struct {
	mu       sync.Mutex
	requests []*message.Request
	options  []message.TransportOptions
	// answer makes the answer; nil means 200 with method and URL as body.
	answer func(r *message.Request) (*message.Response, error)
}

func (b *fakeBackend) RoundTrip(_ context.Context, r *message.Request, o message.TransportOptions) (*message.Response, error) {
	if r.Body != nil {
		defer r.Body.Close()
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.requests, b.options = append(b.requests, r.Detach()), append(b.options, o)
	if b.answer != nil {
		return b.answer(r)
	}
	return textResponse(200, r.Method+" "+r.URL.String()), nil
}

// sent is the header of the last request, nothing without one.
func (b *fakeBackend) sent() message.Header {
	if len(b.requests) == 0 {
		return message.Header{}
	}
	return b.last().Header
}

func (b *fakeBackend) last() *message.Request { return b.requests[len(b.requests)-1] }

func textResponse(status int, text string, header ...string) *message.Response {
	return &message.Response{Status: status, Header: message.NewHeader(header...), Body: message.StringBody(text), ContentLength: int64(len(text))}
}

// lockedBuffer is a log that tests read.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
