package graphql

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/formatter"
)

// maxDelegated bounds the selections of a query for another service, in which fragments are written out.
const maxDelegated = 50_000

// delegate asks the other service for fields of the root.
func (e *execution) delegate(groups []group) {
	data, err := e.ask(groups)
	for _, g := range groups {
		g.slot.remote = true
		if err != nil {
			e.refuse(g.slot, err)
			continue
		}
		e.complete(g.slot, g.fields, rawOrNil(trimJSON(data[g.key])))
	}
}

// ask sends the query for the fields and notes the errors of the answer. A value that is missing without an error stays null.
func (e *execution) ask(groups []group) (map[string]json.RawMessage, error) {
	request, err := e.delegated(groups)
	if err != nil {
		return nil, err
	}
	body, err := e.options.Fallback(e.ctx, request)
	if err != nil {
		return nil, err
	}
	var answer struct {
		Data   map[string]json.RawMessage `json:"data"`
		Errors []struct {
			Message    string         `json:"message"`
			Path       []any          `json:"path"`
			Extensions map[string]any `json:"extensions"`
		} `json:"errors"`
	}
	if err := json.Unmarshal(body, &answer); err != nil || answer.Data == nil && len(answer.Errors) == 0 {
		return nil, errors.New("the GraphQL service behind the API gave no GraphQL answer")
	}
	for _, theirs := range answer.Errors {
		own := &Error{Message: theirs.Message, Extensions: theirs.Extensions}
		for _, key := range theirs.Path {
			if n, ok := key.(float64); ok {
				key = int(n)
			}
			own.Path = append(own.Path, key)
		}
		e.add(own)
	}
	return answer.Data, nil
}

// delegated is the request for the fields: the same operation without what is resolved here, fragments written out and unused variables left out.
func (e *execution) delegated(groups []group) (Request, error) {
	r := remover{execution: e, left: maxDelegated, used: make(map[string]bool)}
	op := *e.op
	op.SelectionSet = nil
	for _, g := range groups {
		for _, f := range g.fields {
			op.SelectionSet = append(op.SelectionSet, r.field(f))
		}
	}
	if r.left < 0 {
		return Request{}, fmt.Errorf("the query has more than %d selections", maxDelegated)
	}
	for _, d := range op.Directives {
		r.arguments(d.Arguments)
	}
	op.VariableDefinitions = nil
	out := Request{OperationName: op.Name, Extensions: e.request.Extensions}
	for _, v := range e.op.VariableDefinitions {
		if !r.used[v.Variable] {
			continue
		}
		op.VariableDefinitions = append(op.VariableDefinitions, v)
		if raw, ok := e.request.Variables[v.Variable]; ok {
			if out.Variables == nil {
				out.Variables = make(map[string]json.RawMessage)
			}
			out.Variables[v.Variable] = raw
		}
	}
	out.Query = printDocument(&ast.QueryDocument{Operations: ast.OperationList{&op}})
	return out, nil
}

func printDocument(d *ast.QueryDocument) string {
	var b bytes.Buffer
	formatter.NewFormatter(&b, formatter.WithIndent(" ")).FormatQueryDocument(d)
	return b.String()
}

// remover copies selections without the fields that have resolvers here.
type remover struct {
	*execution
	left int
	used map[string]bool // variables
}

func (r *remover) field(f *ast.Field) *ast.Field {
	r.left--
	out := *f
	r.arguments(f.Arguments)
	r.directives(f.Directives)
	if len(f.SelectionSet) == 0 {
		return &out
	}
	out.SelectionSet = r.set(f.SelectionSet)
	d := r.schema.types.Types[f.Definition.Type.Name()]
	if len(out.SelectionSet) == 0 || d.IsAbstractType() {
		// Aliased, so that it cannot meet a selection of the caller's own.
		out.SelectionSet = append(out.SelectionSet, &ast.Field{Alias: "__typename", Name: "__typename"})
	}
	return &out
}

func (r *remover) set(set ast.SelectionSet) ast.SelectionSet {
	var out ast.SelectionSet
	for _, s := range set {
		if r.left < 0 {
			return out
		}
		switch s := s.(type) {
		case *ast.Field:
			if s.ObjectDefinition == nil || s.Name == "__typename" || !r.options.Source.Resolves(s.ObjectDefinition.Name, s.Name) {
				out = append(out, r.field(s))
			}
		case *ast.InlineFragment:
			out = r.fragment(out, s.TypeCondition, s.Directives, s.SelectionSet)
		case *ast.FragmentSpread:
			out = r.fragment(out, s.Definition.TypeCondition, s.Directives, s.Definition.SelectionSet)
		}
	}
	return out
}

// fragment writes a fragment in place. One in which everything is resolved here vanishes.
func (r *remover) fragment(out ast.SelectionSet, condition string, directives ast.DirectiveList, set ast.SelectionSet) ast.SelectionSet {
	r.left--
	inner := r.set(set)
	if len(inner) == 0 {
		return out
	}
	r.directives(directives)
	return append(out, &ast.InlineFragment{TypeCondition: condition, Directives: directives, SelectionSet: inner})
}

func (r *remover) directives(list ast.DirectiveList) {
	for _, d := range list {
		r.arguments(d.Arguments)
	}
}

func (r *remover) arguments(list ast.ArgumentList) {
	for _, a := range list {
		r.value(a.Value)
	}
}

func (r *remover) value(v *ast.Value) {
	if v.Kind == ast.Variable {
		r.used[v.Raw] = true
	}
	for _, c := range v.Children {
		r.value(c.Value)
	}
}
