package graphql_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/causeway-apim/causeway/internal/graphql"
)

// pipe is a WebSocket whose client is the test.
type pipe struct {
	in     chan string
	out    chan string
	closed chan string
}

func newPipe() *pipe {
	return &pipe{in: make(chan string), out: make(chan string, 1000), closed: make(chan string, 2)}
}

func (p *pipe) Read(ctx context.Context) ([]byte, error) {
	select {
	case m, ok := <-p.in:
		if !ok {
			return nil, errors.New("gone")
		}
		return []byte(m), nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (p *pipe) Write(_ context.Context, m []byte) error {
	p.out <- string(m)
	return nil
}

func (p *pipe) Close(code int, reason string) error {
	p.closed <- strings.TrimSpace(fmt.Sprint(code, " ", reason))
	return nil
}

// session serves a connection; the script's lines are "> sent", "< received", "event JSON" and "closed CODE REASON".
func session(t *testing.T, protocol, script string) {
	schema, err := graphql.ParseSchema(`type Query { a: Int } type Subscription { made: User other: Int } type User { id: ID! name: String }`)
	if err != nil {
		t.Fatal(err)
	}
	hub, conn := graphql.NewHub(), newPipe()
	s := &graphql.Subscriptions{
		Schema: schema, Hub: hub, Topic: func(field string) string { return "api/" + field },
		Execute: func(ctx context.Context, o *graphql.Operation, event []byte) []byte {
			return o.Execute(ctx, graphql.Options{Source: fakeSource{}, Event: event})
		},
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.Serve(t.Context(), conn, protocol)
	}()
	for line := range strings.Lines(strings.TrimSpace(script)) {
		line = strings.TrimSpace(line)
		switch verb, rest, _ := strings.Cut(line, " "); verb {
		case ">":
			conn.in <- rest
		case "<":
			if got := <-conn.out; got != rest {
				t.Errorf("got %s, want %s", got, rest)
			}
		case "event":
			hub.Publish("api/made", []byte(rest))
		case "closed":
			if got := <-conn.closed; got != rest {
				t.Errorf("closed with %s, want %s", got, rest)
			}
		}
	}
	select {
	case <-done:
	default:
		close(conn.in)
		<-done
	}
	if n := hub.Listeners("api/made"); n != 0 {
		t.Errorf("%d listeners are left", n)
	}
}

func TestSubscriptionProtocols(t *testing.T) {
	t.Parallel()
	for name, script := range map[string]string{
		"graphql-transport-ws": `
			> {"type":"connection_init"}
			< {"type":"connection_ack"}
			> {"type":"ping","payload":{"a":1}}
			< {"type":"pong","payload":{"a":1}}
			> {"type":"subscribe","id":"1","payload":{"query":"subscription { made { name } }"}}
			> {"type":"ping"}
			< {"type":"pong"}
			event {"id":1,"name":"Ann"}
			< {"id":"1","type":"next","payload":{"data":{"made":{"name":"Ann"}}}}
			> {"type":"complete","id":"1"}
			> {"type":"ping"}
			< {"type":"pong"}
			event {"id":2}
			> {"type":"subscribe","id":"1","payload":{"query":"subscription S($x: Boolean!) { m: made @include(if: $x) { id } }","variables":{"x":true}}}
			> {"type":"subscribe","id":"2","payload":{"query":"{ a }"}}
			< {"id":"2","type":"error","payload":[{"message":"queries and mutations are not served over WebSocket"}]}
			event {"id":3}
			< {"id":"1","type":"next","payload":{"data":{"m":{"id":"3"}}}}
			> {"type":"subscribe","id":"1","payload":{"query":"subscription { other }"}}
			closed 4409 Subscriber for 1 already exists`,
		"graphql-ws": `
			> {"type":"connection_init","payload":{}}
			< {"type":"connection_ack"}
			> {"type":"start","id":"a","payload":{"query":"subscription { nothing }"}}
			< {"id":"a","type":"error","payload":{"message":"Cannot query field \"nothing\" on type \"Subscription\".","locations":[{"line":1,"column":16}]}}
			> {"type":"start","id":"b","payload":{"query":"subscription { made { id } }"}}
			> {"type":"connection_init"}
			< {"type":"connection_ack"}
			event {"name":"no id"}
			< {"id":"b","type":"data","payload":{"errors":[{"message":"Cannot return null for the non-nullable field User.id.","locations":[{"line":1,"column":23}],"path":["made","id"]}],"data":{"made":null}}}
			> {"type":"stop","id":"b"}
			> {"type":"connection_terminate"}
			closed 1000`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			session(t, name, script)
		})
	}
}

func TestConnectionsThatAreClosed(t *testing.T) {
	t.Parallel()
	for name, script := range map[string]string{
		"no message":      "> {\nclosed 4400 Invalid message received",
		"unknown message": "> {\"type\":\"connection_init\"}\n> {\"type\":\"what\"}\nclosed 4400 Invalid message received",
		"not begun":       "> {\"type\":\"subscribe\",\"id\":\"1\",\"payload\":{\"query\":\"x\"}}\nclosed 4401 Unauthorized",
		"begun twice":     "> {\"type\":\"connection_init\"}\n> {\"type\":\"connection_init\"}\nclosed 4429 Too many initialisation requests",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			session(t, graphql.ProtocolTransport, script)
		})
	}
}

func TestAClientThatIsTooSlowIsDropped(t *testing.T) {
	t.Parallel()
	schema, err := graphql.ParseSchema(`type Query { a: Int } type Subscription { n: Int }`)
	if err != nil {
		t.Fatal(err)
	}
	hub, conn := graphql.NewHub(), newPipe()
	taken := make(chan struct{})
	s := &graphql.Subscriptions{
		Schema: schema, Hub: hub, Topic: func(field string) string { return field },
		Execute: func(context.Context, *graphql.Operation, []byte) []byte { <-taken; return []byte("{}") },
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.Serve(t.Context(), conn, graphql.ProtocolTransport)
	}()
	conn.in <- `{"type":"connection_init"}`
	conn.in <- `{"type":"subscribe","id":"1","payload":{"query":"subscription { n }"}}`
	conn.in <- `{"type":"ping"}`
	for hub.Listeners("n") == 1 { // nobody takes them: the queue fills
		hub.Publish("n", []byte("1"))
	}
	close(taken)
	if got := <-conn.closed; got != "1013 The client is too slow for its subscription" {
		t.Errorf("closed with %s", got)
	}
	close(conn.in)
	<-done
}
