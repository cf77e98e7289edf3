package gateway_test

import (
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/causeway-apim/causeway/internal/message"
	"github.com/causeway-apim/causeway/internal/snapshot"
)

// forwardWorld has one API with an operation for every path.
func forwardWorld(t *testing.T, forward string, parts ...snapshot.Part) *world {
	w := newWorld(t, append([]snapshot.Part{
		apiPart(snapshot.API{ID: "a", Path: "a", ServiceURL: "http://backend.test:81/base/?fixed=1"}),
		operationPart("a", "get", "GET /*"), operationPart("a", "post", "POST /*"),
	}, parts...)...)
	if forward != "" {
		w.put(policyPart(t, "", "<policies><inbound /><backend>"+forward+"</backend><outbound /><on-error /></policies>"))
	}
	return w
}

// head is a request's line and header.
func head(r *message.Request) string {
	out := r.Method + " " + r.URL.String()
	for name, value := range r.Header.All() {
		out += "\n" + name + ": " + value
	}
	return out
}

func TestForwardHeaders(t *testing.T) {
	t.Parallel()
	w := forwardWorld(t, "")
	w.backend.answer = func(*message.Request) (*message.Response, error) {
		return textResponse(200, "ok", "X-One", "1", "Connection", "X-Hop", "X-Hop", "1", "Keep-Alive", "5", "Upgrade", "h2c", "Set-Cookie", "a", "Set-Cookie", "b"), nil
	}
	f := func(want string, header ...string) {
		t.Helper()
		x := w.do("GET "+host+"/a/x%20y?q=1&q=2", header...)
		if got := head(w.backend.last()); got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
		if got := fmt.Sprint(x.header); got != "{[{X-One 1} {Set-Cookie a} {Set-Cookie b}]}" {
			t.Errorf("answer: %s", got)
		}
	}
	const line = "GET http://backend.test:81/base/x%20y?fixed=1&q=1&q=2\n"
	f(line + "X-Forwarded-For: 192.0.2.7\nX-Forwarded-Host: dev.gateway.localhost\nX-Forwarded-Proto: http")
	f(line+"accept: */*\nX-Dup: 1\nX-Dup: 2\nX-Forwarded-For: 203.0.113.1,203.0.113.2,192.0.2.7\nX-Forwarded-Host: outer\nX-Forwarded-Proto: https",
		"accept", "*/*", "Connection", "close, X-Mine", "X-Mine", "1", "TE", "trailers", "Proxy-Authorization", "x", "Keep-Alive", "1", "Upgrade", "websocket", "X-Dup", "1",
		"X-Dup", "2", "X-Forwarded-For", "203.0.113.1", "X-Forwarded-For", "203.0.113.2", "X-Forwarded-Host", "outer", "X-Forwarded-Proto", "https")
	w.put(policyPart(t, "apis/a", inbound(`<set-header name="Host"><value>own.test</value></set-header>`)))
	f(line + "Host: own.test\nX-Forwarded-For: 192.0.2.7\nX-Forwarded-Host: dev.gateway.localhost\nX-Forwarded-Proto: http")
}

func TestForwardTimeout(t *testing.T) {
	t.Parallel()
	w := forwardWorld(t, `<forward-request timeout="7" />`)
	w.do("GET " + host + "/a/")
	if o := w.backend.options[0]; o.HeaderTimeout != 7*time.Second || o.ConnectTimeout != 7*time.Second || o.TLS != nil {
		t.Errorf("options %+v", o)
	}
	w = forwardWorld(t, "")
	w.do("GET " + host + "/a/")
	if o := w.backend.options[0]; o.HeaderTimeout != 300*time.Second || o.ConnectTimeout != 30*time.Second {
		t.Errorf("options %+v", o)
	}
}

func TestForwardTrailer(t *testing.T) {
	t.Parallel()
	w := forwardWorld(t, "")
	x := newExchange(t, "POST "+host+"/a/")
	x.req.Body, x.req.ContentLength = &trailedBody{x: x}, -1
	var got string
	w.backend.answer = func(r *message.Request) (*message.Response, error) {
		data, err := message.ReadAll(r.Body, 100, -1)
		got = string(data) + " " + r.Trailer.Get("Sum")
		return &message.Response{Status: 204}, err
	}
	w.gateway.Serve(x)
	x.end()
	if got != "body 42" {
		t.Errorf("the backend service got %q", got)
	}
}

type trailedBody struct{ x *fakeExchange }

func (b *trailedBody) Read(p []byte) (int, error) {
	b.x.req.Trailer = message.NewHeader("Sum", "42")
	return copy(p, "body"), io.EOF
}

func (b *trailedBody) Close() error { return nil }

func TestForwardInterim(t *testing.T) {
	t.Parallel()
	w := forwardWorld(t, "")
	w.backend.answer = func(*message.Request) (*message.Response, error) {
		pass := w.backend.options[0].OnInformational
		for _, status := range []int{100, 103} {
			h := message.NewHeader("Link", "</style.css>", "Connection", "x")
			pass(status, &h)
		}
		return textResponse(200, "ok"), nil
	}
	if x := w.do("GET " + host + "/a/x"); len(x.interim) != 1 || x.interim[0] != "103 {[{Link </style.css>}]}" {
		t.Errorf("interim answers %q", x.interim)
	}
}

func TestForwardRedirects(t *testing.T) {
	t.Parallel()
	w := forwardWorld(t, `<forward-request follow-redirects="true" buffer-request-body="true" />`,
		mustPart(snapshot.KindBackend, "backends/b", snapshot.Backend{
			Name: "b", URL: "https://secure.test", TLS: &snapshot.BackendTLS{}, Credentials: &snapshot.Credentials{Header: map[string][]string{"X-Function-Key": {"s"}}},
		}), policyPart(t, "apis/a", inbound(`<choose><when condition="@(context.Request.Url.Path == "/entity")"><set-backend-service backend-id="b" /></when></choose>`)))
	f := func(request string, status int, location, want string) {
		t.Helper()
		w.backend.requests = nil
		w.backend.answer = func(r *message.Request) (*message.Response, error) {
			if len(w.backend.requests) == 1 {
				return textResponse(status, "moved", "Location", location), nil
			}
			body, _ := message.ReadAll(r.Body, 100, -1)
			return textResponse(200, r.Method+" "+r.URL.String()+" "+string(body)), nil
		}
		x := newExchange(t, request, "Authorization", "secret", "Cookie", "c", "Content-Type", "text/plain")
		if x.req.Method == "POST" {
			x.req.Body, x.req.ContentLength = message.StringBody("data"), 4
		}
		w.gateway.Serve(x)
		x.end()
		if got := strings.TrimSpace(x.String()); got != want {
			t.Errorf("%s, %d to %s: got %s, want %s", request, status, location, got, want)
		}
	}
	f("GET "+host+"/a/x", 302, "/y?z=1", "200 GET http://backend.test:81/y?z=1")
	if got := w.backend.last().Header; got.Get("Authorization") == "" || got.Get("Cookie") == "" {
		t.Error("credentials are lost on the way to the same origin")
	}
	f("GET "+host+"/a/entity", 307, "https://other.test/y", "200 GET https://other.test/y")
	if got := w.backend.last().Header; got.Has("Authorization") || got.Has("Cookie") || got.Has("X-Function-Key") || w.backend.options[len(w.backend.options)-1].TLS != nil {
		t.Errorf("credentials went to another origin: %v", got)
	}
	f("POST "+host+"/a/x", 303, "y", "200 GET http://backend.test:81/base/y")
	f("POST "+host+"/a/x", 308, "y", "200 POST http://backend.test:81/base/y data")
	f("GET "+host+"/a/x", 302, "ftp://x/", "302 moved")
	f("GET "+host+"/a/x", 302, "%zz://", "302 moved")
	w.backend.answer = func(*message.Request) (*message.Response, error) {
		return textResponse(302, "", "Location", "/again"), nil
	}
	w.backend.requests = nil
	if x := w.do("GET " + host + "/a/x"); x.status != 302 || len(w.backend.requests) != 11 {
		t.Errorf("a loop of redirects: %s after %d requests", x, len(w.backend.requests))
	}
}

func TestBackendEntity(t *testing.T) {
	t.Parallel()
	entity := func(change func(b *snapshot.Backend)) snapshot.Part {
		b := snapshot.Backend{Name: "B", URL: "https://entity.test/api"}
		change(&b)
		return mustPart(snapshot.KindBackend, "backends/b", b)
	}
	w := forwardWorld(t, "", mustPart(snapshot.KindNamedValue, "namedvalues/k", snapshot.NamedValue{Name: "Key", Value: "one"}),
		entity(func(b *snapshot.Backend) {
			b.Credentials = &snapshot.Credentials{
				Header: map[string][]string{"X-Key": {"{{key}}"}}, Query: map[string][]string{"code": {"a b"}}, Scheme: "Basic", Parameter: "{{unknown}}",
			}
		}), policyPart(t, "apis/a", inbound(`<set-backend-service backend-id="b" />`)))
	f := func(want string) {
		t.Helper()
		x := w.do("GET " + host + "/a/x")
		got := fmt.Sprint(x.status)
		if len(w.backend.requests) > 0 {
			r := w.backend.last()
			got += " " + r.URL.String() + " " + r.Header.Get("X-Key") + " " + r.Header.Get("Authorization")
		}
		if got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		w.backend.requests = nil
	}
	f("200 https://entity.test/api/x?code=a+b one Basic {{unknown}}")
	w.put(mustPart(snapshot.KindNamedValue, "namedvalues/k", snapshot.NamedValue{Name: "Key", Value: "two"}))
	f("200 https://entity.test/api/x?code=a+b two Basic {{unknown}}")
	w.put(entity(func(b *snapshot.Backend) { b.Proxy = &snapshot.Proxy{URL: "socks5://proxy"} })) // proxies are reached over http and https
	f("500")
	w.put(entity(func(b *snapshot.Backend) { b.Credentials = &snapshot.Credentials{CertificateIDs: []string{"gone"}} }))
	f("500")
	w.put(entity(func(b *snapshot.Backend) { b.URL = "nonsense" }))
	f("500")
}

func TestBackendTLS(t *testing.T) {
	t.Parallel()
	w := forwardWorld(t, "", policyPart(t, "apis/a", inbound(`<set-backend-service backend-id="@(context.Request.Url.Query.GetValueOrDefault("b"))" />`)))
	for name, settings := range map[string]*snapshot.BackendTLS{"plain": nil, "strict": {ValidateChain: true, ValidateName: true}, "any": {}, "any2": {}, "chain": {ValidateChain: true}} {
		w.put(mustPart(snapshot.KindBackend, "backends/"+name, snapshot.Backend{Name: name, URL: "https://entity.test", TLS: settings}))
	}
	config := func(name string) any {
		w.do("GET " + host + "/a/x?b=" + name)
		return w.backend.options[len(w.backend.options)-1].TLS
	}
	if config("plain") != config("strict") {
		t.Error("verification without exceptions has a configuration of its own")
	}
	first := config("any")
	w.put(mustPart(snapshot.KindBackend, "backends/plain", snapshot.Backend{Name: "plain", URL: "https://moved.test"}))
	if first == config("plain") || first == config("chain") || first != config("any") || first != config("any2") {
		t.Error("backends do not share exactly the configurations of the same identity")
	}
}

// TestMadeCertificates checks that requests with the same certificate of a policy share connections: they have the same TLS configuration.
func TestMadeCertificates(t *testing.T) {
	t.Parallel()
	body := func(name string) string {
		return base64.StdEncoding.EncodeToString(encodePFX(t, testCertificate(t, name)))
	}
	one, two := body("one"), body("two")
	w := forwardWorld(t, "", policyPart(t, "apis/a", inbound(`<set-backend-service base-url="https://entity.test" /><choose>
		<when condition="@(context.Request.Url.Path.EndsWith(&quot;two&quot;))"><authentication-certificate body="`+two+`" password="pw" /></when>
		<otherwise><authentication-certificate body="@(Convert.FromBase64String(&quot;`+one+`&quot;))" password="pw" /></otherwise>
	</choose>`)))
	config := func(path string) *tls.Config {
		if x := w.do("GET " + host + "/a/" + path); x.status != 200 {
			t.Fatalf("got %s", x)
		}
		return w.backend.options[len(w.backend.options)-1].TLS
	}
	first := config("one")
	if other := config("two"); first == other || len(first.Certificates) != 1 || len(other.Certificates) != 1 {
		t.Error("different certificates share a configuration")
	}
	if first != config("one") {
		t.Error("the same certificate has another configuration with each request")
	}
}

func poolParts(members ...snapshot.PoolMember) []snapshot.Part {
	parts := []snapshot.Part{mustPart(snapshot.KindBackend, "backends/pool", snapshot.Backend{Name: "pool", Type: "Pool", Pool: members})}
	for _, m := range members {
		parts = append(parts, mustPart(snapshot.KindBackend, "backends/"+m.Backend, snapshot.Backend{
			Name: m.Backend, URL: "http://" + m.Backend + ".test", CircuitBreaker: &snapshot.CircuitBreaker{Rules: []snapshot.CircuitBreakerRule{{
				Name: "r", Count: 2, Interval: time.Minute, TripDuration: 10 * time.Second, StatusRanges: [][2]int{{500, 599}}, AcceptRetryAfter: true,
			}}},
		}))
	}
	return parts
}

func TestPool(t *testing.T) {
	t.Parallel()
	f := func(want string, members ...snapshot.PoolMember) {
		t.Helper()
		w := forwardWorld(t, "", append(poolParts(members...), policyPart(t, "apis/a", inbound(`<set-backend-service backend-id="Pool" />`)))...)
		var got strings.Builder
		for range len(want) {
			w.do("GET " + host + "/a/x")
			got.WriteString(w.backend.last().URL.Host[:1])
		}
		if got.String() != want {
			t.Errorf("%v: got %s, want %s", members, got.String(), want)
		}
	}
	f("aaaa", snapshot.PoolMember{Backend: "a"})
	f("abcabc", snapshot.PoolMember{Backend: "a"}, snapshot.PoolMember{Backend: "b"}, snapshot.PoolMember{Backend: "c"})
	f("aabaaaba", snapshot.PoolMember{Backend: "a", Weight: 3}, snapshot.PoolMember{Backend: "b", Weight: 1})
	f("bcbc", snapshot.PoolMember{Backend: "a", Priority: 2}, snapshot.PoolMember{Backend: "b", Priority: 1}, snapshot.PoolMember{Backend: "c", Priority: 1})
	w := forwardWorld(t, "", append(poolParts(), policyPart(t, "apis/a", inbound(`<set-backend-service backend-id="Pool" />`)))...)
	if x := w.do("GET " + host + "/a/x"); x.status != 500 {
		t.Errorf("an empty pool: %s", x)
	}
}

// TestPoolSessions checks that a session stays at its member of a pool, moves when that cannot be called, and is known by its cookie alone.
func TestPoolSessions(t *testing.T) {
	t.Parallel()
	parts := poolParts(snapshot.PoolMember{Backend: "a", Priority: 2}, snapshot.PoolMember{Backend: "b", Priority: 1}, snapshot.PoolMember{Backend: "c", Priority: 1})
	parts[0] = mustPart(snapshot.KindBackend, "backends/pool", snapshot.Backend{
		Name: "pool", Type: "Pool", SessionCookie: "SessionId", FailureStatus: 429,
		Pool: []snapshot.PoolMember{{Backend: "a", Priority: 2}, {Backend: "b", Priority: 1}, {Backend: "c", Priority: 1}},
	})
	w := forwardWorld(t, "", append(parts, policyPart(t, "apis/a", inbound(`<set-backend-service backend-id="Pool" />`)))...)
	down := map[string]bool{}
	w.backend.answer = func(r *message.Request) (*message.Response, error) {
		if down[r.URL.Host] {
			return textResponse(500, "down"), nil
		}
		return textResponse(200, r.URL.Host, "Set-Cookie", "own=1"), nil
	}
	call := func(cookies ...string) (answer, cookie string) {
		t.Helper()
		header := []string{}
		for _, c := range cookies {
			header = append(header, "Cookie", c)
		}
		x := w.do("GET "+host+"/a/x", header...)
		for _, set := range x.header.Values("Set-Cookie") {
			if value, attributes, _ := strings.Cut(set, ";"); strings.HasPrefix(value, "SessionId=") {
				if attributes != " Path=/; HttpOnly" {
					t.Errorf("attributes %q", attributes)
				}
				cookie = value
			}
		}
		return x.String(), cookie
	}
	_, first := call()
	second, other := call("SessionId=unknown")
	if first == "" || other == "" || first == other || second != "200 c.test" {
		t.Fatalf("sessions %q and %q, the second at %s", first, other, second)
	}
	for range 3 {
		if got, moved := call("x=1; "+first, "y=2"); got != "200 b.test" || moved != "" {
			t.Errorf("the first session is at %s, cookie %q", got, moved)
		}
		if got, moved := call("x=1", other); got != "200 c.test" || moved != "" {
			t.Errorf("the second session is at %s, cookie %q", got, moved)
		}
	}
	down["b.test"] = true
	call(first)
	call(first)
	if got, moved := call(first); got != "200 c.test" || moved != other {
		t.Errorf("the session has moved to %s, cookie %q", got, moved)
	}
	down["a.test"], down["c.test"] = true, true
	for range 4 {
		call()
	}
	if got, _ := call(other); !strings.HasPrefix(got, "429 ") {
		t.Errorf("nobody can be called: %s", got)
	}
}

func TestCircuitBreaker(t *testing.T) {
	t.Parallel()
	w := forwardWorld(t, "", append(poolParts(snapshot.PoolMember{Backend: "a", Priority: 1}, snapshot.PoolMember{Backend: "b", Priority: 2}),
		policyPart(t, "apis/a", inbound(`<set-backend-service backend-id="pool" />`)))...)
	answers := map[string]func() (*message.Response, error){}
	w.backend.answer = func(r *message.Request) (*message.Response, error) {
		if f := answers[r.URL.Host]; f != nil {
			return f()
		}
		return textResponse(200, r.URL.Host), nil
	}
	f := func(want string) *fakeExchange {
		t.Helper()
		x := w.do("GET " + host + "/a/x")
		if x.String() != want {
			t.Errorf("got %s, want %s", x, want)
		}
		return x
	}
	failing := func() (*message.Response, error) { return textResponse(503, "busy"), nil }
	answers["a.test"] = failing
	f("503 busy")
	w.clock.Advance(2 * time.Minute) // the first failure is forgotten
	f("503 busy")
	f("503 busy") // the second within a minute
	f("200 b.test")
	answers["b.test"] = func() (*message.Response, error) {
		return nil, &message.BackendError{Kind: message.BackendConnect, Err: errors.New("refused")}
	}
	w.do("GET " + host + "/a/x")
	w.do("GET " + host + "/a/x")
	x := f(`503 {"statusCode":503,"message":"The backend service is temporarily unavailable."}`)
	if got := x.header.Get("Retry-After"); got != "10" && got != "11" {
		t.Errorf("Retry-After: %s", got)
	}
	clear(answers)
	w.clock.Advance(11 * time.Second)
	f("200 a.test")
	answers["a.test"] = func() (*message.Response, error) { return textResponse(503, "busy", "Retry-After", "100"), nil }
	f("503 busy")
	f("503 busy")
	w.clock.Advance(99 * time.Second)
	f("200 b.test")
	w.clock.Advance(10 * time.Second)
	clear(answers)
	f("200 a.test")
}

func TestWebSocketAPI(t *testing.T) {
	t.Parallel()
	w := forwardWorld(t, "", apiPart(snapshot.API{ID: "ws", Path: "ws", Type: "websocket", Protocols: []string{"ws"}, ServiceURL: "ws://backend.test"}))
	tunnel := &fakeTunnel{}
	w.backend.answer = func(r *message.Request) (*message.Response, error) {
		if !r.Header.Has("Upgrade") {
			return textResponse(200, "plain"), nil
		}
		return &message.Response{Status: 101, Header: message.NewHeader("Upgrade", "websocket", "Sec-WebSocket-Accept", "x"), Tunnel: tunnel}, nil
	}
	handshake := []string{"Connection", "Upgrade", "Upgrade", "websocket", "Sec-WebSocket-Key", "k"}
	x := w.do("GET "+host+"/ws/any?x=1", handshake...)
	if x.status != 101 || x.header.Get("Upgrade") != "websocket" || x.header.Get("Sec-WebSocket-Accept") != "x" {
		t.Errorf("handshake: %s %v", x, x.header)
	}
	if got := w.backend.last().URL.String(); got != "ws://backend.test/any?x=1" || !tunnel.closed {
		t.Errorf("backend service: %s, tunnel %+v", got, tunnel)
	}
	if got := w.do("GET " + host + "/ws/any").status; got != 404 {
		t.Errorf("without a handshake: %d", got)
	}
	if got := w.do("GET https://dev.gateway.localhost/ws/any", handshake...).status; got != 404 {
		t.Errorf("over wss: %d", got)
	}
	if got := w.do("GET "+host+"/a/x", handshake...).String(); got != "200 plain" {
		t.Errorf("a handshake with an HTTP API: %s", got)
	}
}

type fakeTunnel struct {
	io.ReadWriter
	closed bool
}

func (t *fakeTunnel) Close() error { t.closed = true; return nil }

func (t *fakeTunnel) CloseWrite() error { return nil }
