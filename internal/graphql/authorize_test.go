package graphql_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/causeway-apim/causeway/internal/graphql"
)

func TestAuthorize(t *testing.T) {
	t.Parallel()
	schema, err := graphql.ParseSchema(`type Query { user(id: ID): User node: Node } type User implements Node { name: String id: ID boss(id: ID): User } interface Node { id: ID }`)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, query, rules string // path=decision
		want, removed      string // of the request that is left, or the error
	}{
		{"nothing", `{ user { name } }`, "/User/id=remove", `{ user { name } }`, ""},
		{"a field", `{ user { name i: id } }`, "/User/id=remove", "query { user { name } }", "id"},
		{"all of an object", `{ user { id } }`, "/User/id=remove", "query { user { __typename } }", "id"},
		{"all of the root", `{ user { id } }`, "/user=remove", "query { __typename }", "user"},
		{"through an interface", `{ node { id } }`, "/User/id=reject", "error: Access to the field id is not allowed.", ""},
		{"introspection", `{ __schema { types { name } } }`, "/__*=reject", "error: Access to the field __schema is not allowed.", ""},
		{"__typename below the root is no introspection", `{ user { __typename } }`, "/__*=reject", `{ user { __typename } }`, ""},
		{
			"variables and fragments that are used no more", `query Q($a: ID, $b: ID) { user(id: $a) { ...F boss(id: $b) { name } } } fragment F on User { id }`,
			"/User/id=remove /User/boss=remove", "query Q ($a: ID) { user(id: $a) { __typename } }", "id boss",
		},
		{"skipped fields too", `{ user { id @skip(if: true) } }`, "/User/id=reject", "error: Access to the field id is not allowed.", ""},
		{"the first rule that matches", `{ user { id } }`, "/User/*=allow /User/id=reject", `{ user { id } }`, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := graphql.Request{Query: c.query, Variables: map[string]json.RawMessage{"a": []byte("1"), "b": []byte("2")}}
			o, err := schema.Prepare(r)
			if err != nil {
				t.Fatal(err)
			}
			removed, err := o.Authorize(decider(c.rules))
			got := ""
			if err != nil {
				got = "error: " + err.Error()
			} else {
				body, err := o.Request()
				if err != nil {
					t.Fatal(err)
				}
				var left graphql.Request
				if err := json.Unmarshal(body, &left); err != nil {
					t.Fatal(err)
				}
				got = strings.Join(strings.Fields(left.Query), " ")
			}
			if got != c.want {
				t.Errorf("got %s", got)
			}
			var names []string
			for _, e := range removed {
				names = append(names, strings.Fields(e.Message)[4])
			}
			if strings.Join(names, " ") != c.removed {
				t.Errorf("removed %v", names)
			}
		})
	}
}

func decider(rules string) func([]string) (graphql.Decision, error) {
	return func(paths []string) (graphql.Decision, error) {
		for rule := range strings.FieldsSeq(rules) {
			path, action, _ := strings.Cut(rule, "=")
			if graphql.MatchPath(path, paths) {
				return map[string]graphql.Decision{"allow": graphql.Allow, "remove": graphql.Remove, "reject": graphql.Reject}[action], nil
			}
		}
		return graphql.Allow, nil
	}
}

func TestMatchPath(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		rule, path string
		want       bool
	}{
		{"/User/id", "/User/id", true}, {"/User/id", "/User/ident", false}, {"/__*", "/__schema", true}, {"/*/id", "/User/id", true},
		{"/User/*", "/User/id", true}, {"/User/*x", "/User/x", true}, {"/a*b*c", "/abc", true}, {"/a*b*c", "/acb", false}, {"/user/id", "/User/id", false},
	} {
		if got := graphql.MatchPath(c.rule, []string{c.path}); got != c.want {
			t.Errorf("%s on %s: %v", c.rule, c.path, got)
		}
	}
}

func TestDepth(t *testing.T) {
	t.Parallel()
	schema, err := graphql.ParseSchema(`type Query { self: Query leaf: Int }`)
	if err != nil {
		t.Fatal(err)
	}
	for query, want := range map[string]int{
		`{ leaf }`: 1, `{ self { leaf } }`: 2, `{ self { ... on Query { self { ...F } } } } fragment F on Query { self { leaf } }`: 4,
	} {
		o, err := schema.Prepare(graphql.Request{Query: query})
		if err != nil {
			t.Fatal(err)
		}
		if o.Depth() != want {
			t.Errorf("%s: %d", query, o.Depth())
		}
	}
}
