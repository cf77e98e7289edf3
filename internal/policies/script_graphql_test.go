package policies_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/causeway-apim/causeway/internal/graphql"
	"github.com/causeway-apim/causeway/internal/message"
	"github.com/causeway-apim/causeway/internal/policy"
)

// fakeGraphQL is the GraphQL side of a script: a schema, a resolver, and what it published and asked a database.
type fakeGraphQL struct {
	types     *graphql.Schema
	resolver  *policy.Document
	value     string
	published []string
	rows      string
	asked     policy.SQLRequest
}

func (g *fakeGraphQL) GraphQLSchema(string) (*graphql.Schema, error) {
	if g.types == nil {
		return nil, errors.New("the API has no GraphQL schema")
	}
	return g.types, nil
}

func (g *fakeGraphQL) SQL() policy.SQL { return g }

// Run implements policy.SQL.
func (g *fakeGraphQL) Run(_ context.Context, r policy.SQLRequest) ([]byte, error) {
	g.asked = r
	if g.rows == "" {
		return nil, errors.New("there is no database")
	}
	return []byte(g.rows), nil
}

// graphql sets the schema of the API, which becomes a GraphQL API: graphql FILE
func (s *session) graphql(ts *testscript.TestScript, args []string) {
	need(args, 1, 1)
	types, err := graphql.ParseSchema(ts.ReadFile(args[0]))
	if err != nil {
		failf("%v", err)
	}
	s.host.types, s.config.graphql = types, true
}

// resolver compiles the document of a resolver: resolver FILE
func (s *session) resolverCommand(ts *testscript.TestScript, args []string) {
	need(args, 1, 1)
	s.host.resolver = s.compile(ts.ReadFile(args[0]), policy.ScopeResolver)
}

// resolve runs the resolver within a request with the header X-Caller: resolve ARGUMENTS [PARENT], both JSON without blanks
func (s *session) resolve(_ *testscript.TestScript, args []string) {
	need(args, 1, 2)
	parent := "null"
	if len(args) == 2 {
		parent = args[1]
	}
	s.host.calls, s.host.published, s.failure = nil, nil, nil
	s.config.start(&s.exec, s.host, &message.Request{Method: "POST", Header: message.NewHeader("X-Caller", "c")})
	s.exec.SetVariable("inbound", "set")
	var x policy.Exec
	body := `{"query":"{ q }","arguments":` + args[0] + `}`
	x.StartResolver(context.Background(), s.host, &s.exec, []byte(body), &policy.GraphQL{
		Arguments: json.RawMessage(args[0]), Parent: json.RawMessage(parent),
		Publish: func(field string, event []byte) {
			s.host.published = append(s.host.published, field+" "+string(event))
		},
	})
	value, err := s.host.resolver.Resolve(&x)
	s.failure, _ = errors.AsType[*policy.Error](err)
	s.host.value = string(value)
}

// value compares what the resolver gave: value TEXT...; "! value" means that it failed, then TEXT is a part of the message
func (s *session) resolvedValue(_ *testscript.TestScript, args []string) {
	want := strings.Join(args, " ")
	if s.failure != nil {
		failf("the resolver failed: %v", s.failure)
	}
	if got := strings.Join(strings.Fields(s.host.value), " "); got != want {
		failf("the value is %s", got)
	}
}

// failed looks into the failure of the resolver: failed REASON
func (s *session) failed(_ *testscript.TestScript, args []string) {
	need(args, 1, 1)
	if s.failure == nil || s.failure.Reason != args[0] {
		failf("the failure is %+v", s.failure)
	}
}

// published compares the events: published [FIELD JSON]...
func (s *session) publishedEvents(_ *testscript.TestScript, args []string) {
	if got, want := strings.Join(s.host.published, " "), strings.Join(args, " "); got != want {
		failf("published %s", got)
	}
}

// rows sets the answer of the database, without an argument there is none: rows [JSON]
func (s *session) rows(_ *testscript.TestScript, args []string) {
	s.host.rows = strings.Join(args, " ")
}

// asked compares what the database was asked: asked PART...
func (s *session) askedSQL(_ *testscript.TestScript, args []string) {
	r := s.host.asked
	got := fmt.Sprintf("connection=%s token=%s single=%v statement=%s", r.Connection, r.Token, r.Single, r.Statement)
	for _, p := range r.Parameters {
		got += fmt.Sprintf(" %s:%s=%v(%T)", p.Name, p.Type, p.Value, p.Value)
	}
	for _, part := range args {
		if !strings.Contains(got, part) {
			failf("%q is not in %s", part, got)
		}
	}
}

// graphqlCommands are the commands of this file.
func graphqlCommands(commands map[string]func(*testscript.TestScript, bool, []string)) map[string]func(*testscript.TestScript, bool, []string) {
	for name, run := range map[string]func(*session, *testscript.TestScript, []string){
		"graphql": (*session).graphql, "resolver": (*session).resolverCommand, "resolve": (*session).resolve, "value": (*session).resolvedValue,
		"failed": (*session).failed, "published": (*session).publishedEvents, "rows": (*session).rows, "asked": (*session).askedSQL,
	} {
		commands[name] = command(run)
	}
	return commands
}
