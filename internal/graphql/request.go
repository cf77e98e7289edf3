package graphql

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"
)

// Limits of a request. They are for the gateway's own safety: policies set narrower ones.
const (
	// MaxRequest is the size in bytes up to which a request is read.
	MaxRequest = 1 << 20
	// maxTokens bounds the text of a query: validation takes time that grows with its square.
	maxTokens = 15_000
	// maxDepth bounds how deep fields nest, and how deep values in variables do.
	maxDepth = 200
	// maxErrors bounds the errors of one answer.
	maxErrors = 100
)

// Request is what a client asks for, in the form of GraphQL over HTTP.
type Request struct {
	Query         string                     `json:"query"`
	OperationName string                     `json:"operationName,omitempty"`
	Variables     map[string]json.RawMessage `json:"variables,omitempty"`
	Extensions    map[string]json.RawMessage `json:"extensions,omitempty"`
}

// ParseRequest reads a request as it is sent by POST. The media type application/graphql means that the body is the query itself.
func ParseRequest(mediaType string, body []byte) (Request, error) {
	var r Request
	if mediaType == "application/graphql" {
		r.Query = string(body)
	} else if err := json.Unmarshal(body, &r); err != nil {
		return r, errors.New("the body is not a GraphQL request in JSON")
	}
	if strings.TrimSpace(r.Query) == "" {
		return r, errors.New("the request has no query")
	}
	return r, nil
}

// ParseQuery reads a request as it is sent by GET, from the values of the URL's query.
func ParseQuery(value func(name string) string) (Request, error) {
	r := Request{Query: value("query"), OperationName: value("operationName")}
	if variables := value("variables"); variables != "" {
		if err := json.Unmarshal([]byte(variables), &r.Variables); err != nil {
			return r, errors.New("the variables are not a JSON object")
		}
	}
	if strings.TrimSpace(r.Query) == "" {
		return r, errors.New("the request has no query")
	}
	return r, nil
}

// Operation is a validated operation with its variables, ready to be executed. It belongs to one goroutine until it is executed.
type Operation struct {
	schema    *Schema
	request   Request
	document  *ast.QueryDocument
	op        *ast.OperationDefinition
	variables map[string]any
}

// Prepare parses and validates a request against the schema and reads its variables. The error is always of the type [Errors].
func (s *Schema) Prepare(r Request) (*Operation, error) {
	document, err := parser.ParseQueryWithTokenLimit(&ast.Source{Input: r.Query}, maxTokens)
	if err != nil {
		return nil, requestErrors(err)
	}
	if nesting(document) > maxDepth { // before anything walks it along its fragments
		return nil, Errors{{Message: fmt.Sprintf("The query is nested deeper than %d levels.", maxDepth)}}
	}
	if list := validator.ValidateWithRules(s.types, document, nil); len(list) > 0 {
		return nil, requestErrors(list)
	}
	o := &Operation{schema: s, request: r, document: document}
	if o.op, err = chooseOperation(document, r.OperationName); err != nil {
		return nil, Errors{{Message: err.Error()}}
	}
	if s.root(o.op.Operation) == nil {
		return nil, Errors{{Message: fmt.Sprintf("The schema has no %s type.", o.op.Operation), Locations: locationOf(o.op.Position)}}
	}
	if depth := o.Depth(); depth > maxDepth {
		return nil, Errors{{Message: fmt.Sprintf("The query has a depth of %d, which exceeds the limit of %d.", depth, maxDepth)}}
	}
	if o.variables, err = s.readVariables(o.op, r.Variables); err != nil {
		return nil, requestErrors(err)
	}
	return o, nil
}

// chooseOperation finds the operation that a request names, or its only one.
func chooseOperation(d *ast.QueryDocument, name string) (*ast.OperationDefinition, error) {
	if name == "" {
		if len(d.Operations) == 1 {
			return d.Operations[0], nil
		}
		return nil, errors.New("the request must say by operationName which operation to run")
	}
	if op := d.Operations.ForName(name); op != nil {
		return op, nil
	}
	return nil, fmt.Errorf("the request has no operation named %q", name)
}

// nesting is how deep selection sets stand in each other in the text, fragments apart.
func nesting(d *ast.QueryDocument) int {
	deepest := 0
	for _, op := range d.Operations {
		deepest = max(deepest, nestingOf(op.SelectionSet))
	}
	for _, f := range d.Fragments {
		deepest = max(deepest, nestingOf(f.SelectionSet))
	}
	return deepest
}

func nestingOf(set ast.SelectionSet) int {
	deepest := 0
	for _, s := range set {
		switch s := s.(type) {
		case *ast.Field:
			deepest = max(deepest, 1+nestingOf(s.SelectionSet))
		case *ast.InlineFragment:
			deepest = max(deepest, 1+nestingOf(s.SelectionSet))
		}
	}
	return deepest
}

// IsMutation and IsSubscription tell the kinds of operations apart.
func (o *Operation) IsMutation() bool { return o.op.Operation == ast.Mutation }

// IsSubscription says whether the operation asks for events.
func (o *Operation) IsSubscription() bool { return o.op.Operation == ast.Subscription }

// SubscriptionField is the field of the subscription type that the operation asks for; validation has seen that there is one.
func (o *Operation) SubscriptionField() string {
	run := o.start(context.Background(), Options{})
	for _, g := range run.collect(o.schema.types.Subscription, o.op.SelectionSet) {
		return g.fields[0].Name
	}
	return ""
}

// Depth is the number of fields on the longest way from the root of the operation to a leaf.
func (o *Operation) Depth() int {
	return (&depths{fragments: make(map[string]int)}).of(o.op.SelectionSet)
}

// depths measures fragments once each: they may stand in each other many times.
type depths struct{ fragments map[string]int }

func (d *depths) of(set ast.SelectionSet) int {
	deepest := 0
	for _, s := range set {
		switch s := s.(type) {
		case *ast.Field:
			deepest = max(deepest, 1+d.of(s.SelectionSet))
		case *ast.InlineFragment:
			deepest = max(deepest, d.of(s.SelectionSet))
		case *ast.FragmentSpread:
			depth, ok := d.fragments[s.Name]
			if !ok {
				depth = d.of(s.Definition.SelectionSet)
				d.fragments[s.Name] = depth
			}
			deepest = max(deepest, depth)
		}
	}
	return deepest
}

// decodeJSON reads a value whose numbers keep their text.
func decodeJSON(data []byte) (v any, err error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	if err = d.Decode(&v); err == nil && d.Decode(new(json.RawMessage)) != io.EOF {
		err = errors.New("more than one value")
	}
	return v, err
}
