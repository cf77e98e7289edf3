package gateway_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/causeway-apim/causeway/internal/graphql"
	"github.com/causeway-apim/causeway/internal/message"
	"github.com/causeway-apim/causeway/internal/snapshot"
)

// userResolver asks a service with a secret named value.
const userResolver = `<http-data-source>
  <http-request>
    <set-method>GET</set-method>
    <set-url>http://users.test/me</set-url>
    <set-header name="X-Pass" exists-action="override"><value>{{secret-value}}</value></set-header>
  </http-request>
</http-data-source>`

// friendResolver asks for each user of a list.
const friendResolver = `<http-data-source>
  <http-request>
    <set-method>GET</set-method>
    <set-url>@("http://users.test/friend?pass=" + "{{secret-value}}")</set-url>
  </http-request>
</http-data-source>`

// newGraphQLTraceWorld has a GraphQL API without a service behind it.
func newGraphQLTraceWorld(t *testing.T) *tracedWorld {
	t.Helper()
	w := newTracedWorld(t)
	document, err := json.Marshal(map[string]string{"value": `type Query { user: User users: [User] } type User { name: String friend: User }`})
	if err != nil {
		t.Fatal(err)
	}
	w.put(
		mustPart(snapshot.KindAPI, "apis/q", snapshot.API{ID: "q", Name: "q", Path: "q", Type: "graphql", Revision: "1", IsCurrent: true, Protocols: []string{"http"}}),
		mustPart(snapshot.KindSchema, "apis/q/schemas/graphql", snapshot.Schema{ContentType: graphql.ContentTypeSchema, Document: document}),
	)
	for name, resolver := range map[string]struct{ path, text string }{
		"user": {"Query/user", userResolver}, "users": {"Query/users", strings.Replace(userResolver, "/me", "/all", 1)}, "friend": {"User/friend", friendResolver},
	} {
		id := "apis/q/resolvers/" + name
		w.put(mustPart(snapshot.KindResolver, id, snapshot.Resolver{Name: name, Path: resolver.path}), policyPart(t, id, resolver.text))
	}
	w.backend.answer = func(r *message.Request) (*message.Response, error) {
		user := `{"name":"ada"}`
		if strings.HasSuffix(r.URL.Path, "/all") {
			user = "[" + strings.Repeat(user+",", 399) + user + "]"
		}
		return textResponse(203, user, "Content-Type", "application/json"), nil
	}
	return w
}

// query sends a traced query and returns its answer and the trace.
func (w *tracedWorld) query(t *testing.T, text string) (*fakeExchange, []byte) {
	t.Helper()
	x := newExchange(t, "POST http://dev.gateway.localhost/q", "Content-Type", "application/json", "Apim-Debug-Authorization", w.token("q", time.Hour, 0))
	body := `{"query":"` + text + `"}`
	x.req.Body, x.req.ContentLength = message.StringBody(body), int64(len(body))
	w.gateway.Serve(x)
	x.end()
	return x, w.traces[x.header.Get("Apim-Trace-Id")]
}

func TestTraceTellsWhatResolversDid(t *testing.T) {
	t.Parallel()
	w := newGraphQLTraceWorld(t)
	x, trace := w.query(t, "{ user { name } }")
	sent := w.backend.sent()
	if x.String() != `200 {"data":{"user":{"name":"ada"}}}` || sent.Get("X-Pass") != "hunter2" {
		t.Fatalf("%s, sent %v", x, sent)
	}
	_, sources := parseTrace(t, trace)
	want := "resolver Query.user: http-data-source resolver Query.user: set-method resolver Query.user: set-header " +
		"resolver Query.user: forward-request resolver Query.user: forward-request resolver Query.user: http-data-source "
	if !strings.Contains(sources["backend"], want) {
		t.Errorf("backend: %s\nwant %s", sources["backend"], want)
	}
	text := string(trace)
	for _, part := range []string{`"url":"http://users.test/me"`, `{"name":"X-Pass","value":"***"}`, `"status":{"code":203,`, `"scope":"resolver"`} {
		if !strings.Contains(text, part) {
			t.Errorf("the trace lacks %s: %s", part, text)
		}
	}
	if strings.Contains(text, "hunter2") {
		t.Errorf("the trace tells the secret: %s", text)
	}
}

// Resolvers of a list run side by side, and cannot take the whole trace.
func TestTraceOfManyResolvers(t *testing.T) {
	t.Parallel()
	w := newGraphQLTraceWorld(t)
	x, trace := w.query(t, "{ users { friend { name } } }")
	if x.status != 200 || strings.Contains(x.body, "errors") {
		t.Fatalf("%s", x)
	}
	d, sources := parseTrace(t, trace)
	if n := strings.Count(sources["backend"], "resolver User.friend: forward-request"); n < 100 || len(d.TraceEntries["backend"]) > 1100 {
		t.Errorf("%d requests of resolvers, %d entries", n, len(d.TraceEntries["backend"]))
	}
	if !strings.Contains(string(trace), `"entriesDropped":`) || !strings.HasSuffix(sources["outbound"], "transfer-response ") {
		t.Errorf("dropped entries are not counted, or what follows is not told: %s", sources["outbound"])
	}
	if strings.Contains(string(trace), "hunter2") {
		t.Error("the trace tells the secret")
	}
}
