package graphql_test

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/causeway-apim/causeway/internal/graphql"
)

const fuzzSchema = `type Query { self(n: Int = 1, f: In): Query list: [Node!] leaf: String! u: U }
interface Node { id: ID } type A implements Node { id: ID self: A } type B { x: Int } union U = A | B
input In { a: Int = 2 in: In l: [[String!]] } type Mutation { m(f: In!): Query } type Subscription { s: Query }`

// FuzzExecute holds that whatever a client sends gives an answer in JSON, and that what has been pruned is a valid request again.
func FuzzExecute(f *testing.F) {
	for _, query := range []string{
		`{ self { leaf list { id ... on A { self { id } } } } }`, `query Q($f: In) { self(f: $f) { u { ... on B { x } __typename } } }`,
		`mutation { m(f: {l: [["a"]]}) { leaf } }`, `subscription { s { leaf } }`, `{ __schema { types { name fields { name } } } }`,
		`fragment F on Query { ...F } { ...F }`, `{ a: self { ...G @skip(if: true) } } fragment G on Query { leaf }`,
	} {
		f.Add(query, `{"f":{"a":1}}`)
	}
	schema, err := graphql.ParseSchema(fuzzSchema)
	if err != nil {
		f.Fatal(err)
	}
	source := fakeSource{resolvers: map[string]json.RawMessage{"Query/self": json.RawMessage(`{"leaf":"x","list":[{"__typename":"A","id":1}],"u":{"__typename":"B","x":"7"}}`)}}
	fallback := func(context.Context, graphql.Request) ([]byte, error) {
		return []byte(`{"data":{"leaf":null,"list":[{"__typename":"A"}]},"errors":[{"message":"m","path":["leaf"]}]}`), nil
	}
	f.Fuzz(func(t *testing.T, query, variables string) {
		r := graphql.Request{Query: query}
		if json.Unmarshal([]byte(variables), &r.Variables) != nil {
			r.Variables = nil
		}
		o, err := schema.Prepare(r)
		if err != nil {
			if _, ok := err.(graphql.Errors); !ok {
				t.Fatalf("the error is a %T", err)
			}
			return
		}
		if body := o.Execute(t.Context(), graphql.Options{Source: source, Fallback: fallback, Event: []byte(`{"leaf":1}`)}); !json.Valid(body) {
			t.Fatalf("%s gives %s", query, body)
		}
		prune(t, schema, o)
	})
}

// prune removes some fields and reads the request that is left.
func prune(t *testing.T, schema *graphql.Schema, o *graphql.Operation) {
	removed, err := o.Authorize(func(paths []string) (graphql.Decision, error) {
		if graphql.MatchPath("/*/id", paths) || graphql.MatchPath("/Query/leaf", paths) {
			return graphql.Remove, nil
		}
		return graphql.Allow, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(removed) == 0 {
		return
	}
	body, err := o.Request()
	if err != nil {
		t.Fatal(err)
	}
	r, err := graphql.ParseRequest("application/json", body)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := schema.Prepare(r); err != nil {
		t.Fatalf("%s: %v", body, err)
	}
}
