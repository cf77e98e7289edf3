package graphql

import (
	"encoding/json"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// Decision is what becomes of a selected field.
type Decision uint8

// The decisions.
const (
	Allow Decision = iota
	Remove
	Reject
)

// Authorize asks decide about every field that the operation selects, fragments included and whatever @skip and @include say. decide gets the paths
// by which rules may name the field: "/Type/field", the object types of an interface or union one by one, and "/field" at the root. The first field
// that is rejected ends it with an error of the type [Errors]; an error of decide ends it too. Fields that are removed are gone from the operation
// afterwards; removed says so for the answer.
func (o *Operation) Authorize(decide func(paths []string) (Decision, error)) (removed Errors, err error) {
	p := pruner{Operation: o, decide: decide, fragments: make(map[string]*ast.FragmentDefinition), used: make(map[string]bool)}
	op := *o.op
	op.SelectionSet = p.set(o.op.SelectionSet)
	if p.err != nil || len(p.removed) == 0 {
		return nil, p.err
	}
	if len(op.SelectionSet) == 0 {
		op.SelectionSet = ast.SelectionSet{typename(o.schema.root(op.Operation))}
	}
	p.directives(op.Directives)
	op.VariableDefinitions = nil
	variables := make(map[string]json.RawMessage)
	for _, v := range o.op.VariableDefinitions {
		if p.used[v.Variable] {
			op.VariableDefinitions = append(op.VariableDefinitions, v)
			if raw, ok := o.request.Variables[v.Variable]; ok {
				variables[v.Variable] = raw
			}
		}
	}
	document := &ast.QueryDocument{Operations: ast.OperationList{&op}}
	for _, f := range o.document.Fragments {
		if own := p.fragments[f.Name]; own != nil {
			document.Fragments = append(document.Fragments, own)
		}
	}
	o.op, o.document = &op, document
	o.request.Query, o.request.Variables = printDocument(document), variables
	return p.removed, nil
}

// Request is the request of the operation as it stands, in JSON.
func (o *Operation) Request() ([]byte, error) { return json.Marshal(o.request) }

// typename is the field that a selection set gets when nothing else is left of it.
func typename(d *ast.Definition) *ast.Field {
	return &ast.Field{
		Alias: "__typename", Name: "__typename", ObjectDefinition: d,
		Definition: &ast.FieldDefinition{Name: "__typename", Type: ast.NonNullNamedType("String", nil)},
	}
}

// pruner copies an operation without what is removed from it.
type pruner struct {
	*Operation
	decide    func(paths []string) (Decision, error)
	fragments map[string]*ast.FragmentDefinition // done
	used      map[string]bool                    // variables
	removed   Errors
	err       error
}

func (p *pruner) set(set ast.SelectionSet) ast.SelectionSet {
	out := make(ast.SelectionSet, 0, len(set))
	for _, s := range set {
		if p.err != nil {
			return out
		}
		switch s := s.(type) {
		case *ast.Field:
			if f := p.field(s); f != nil {
				out = append(out, f)
			}
		case *ast.InlineFragment:
			own := *s
			if own.SelectionSet = p.set(s.SelectionSet); len(own.SelectionSet) > 0 {
				p.directives(s.Directives)
				out = append(out, &own)
			}
		case *ast.FragmentSpread:
			if f := p.fragment(s.Definition); len(f.SelectionSet) > 0 {
				p.directives(s.Directives)
				own := *s
				own.Definition = f
				out = append(out, &own)
			}
		}
	}
	return out
}

func (p *pruner) fragment(f *ast.FragmentDefinition) *ast.FragmentDefinition {
	if own, ok := p.fragments[f.Name]; ok {
		return own
	}
	own := *f
	own.SelectionSet = p.set(f.SelectionSet)
	if len(own.SelectionSet) > 0 {
		p.fragments[f.Name] = &own
	}
	return &own
}

// field decides about a field; nil when it is removed.
func (p *pruner) field(f *ast.Field) *ast.Field {
	decision, err := p.decide(p.paths(f))
	if err != nil {
		p.err = err
		return nil
	}
	switch decision {
	case Remove:
		p.removed = append(p.removed, &Error{Message: "Access to the field " + f.Name + " is not allowed.", Locations: locationOf(f.Position)})
		return nil
	case Reject:
		p.err = Errors{{Message: "Access to the field " + f.Name + " is not allowed.", Locations: locationOf(f.Position)}}
		return nil
	}
	own := *f
	for _, a := range f.Arguments {
		p.value(a.Value)
	}
	p.directives(f.Directives)
	if len(f.SelectionSet) > 0 {
		own.SelectionSet = p.set(f.SelectionSet)
		if len(own.SelectionSet) == 0 {
			own.SelectionSet = ast.SelectionSet{typename(p.schema.types.Types[f.Definition.Type.Name()])}
		}
	}
	return &own
}

// paths are the names of a field in rules.
func (p *pruner) paths(f *ast.Field) []string {
	var paths []string
	d := f.ObjectDefinition
	if d == nil { // the fields that every type has
		return []string{"/" + f.Name}
	}
	paths = append(paths, "/"+d.Name+"/"+f.Name)
	if d.IsAbstractType() {
		for _, t := range p.schema.types.PossibleTypes[d.Name] {
			paths = append(paths, "/"+t.Name+"/"+f.Name)
		}
	}
	if d == p.schema.root(p.op.Operation) {
		paths = append(paths, "/"+f.Name)
	}
	return paths
}

func (p *pruner) directives(list ast.DirectiveList) {
	for _, d := range list {
		for _, a := range d.Arguments {
			p.value(a.Value)
		}
	}
}

func (p *pruner) value(v *ast.Value) {
	if v.Kind == ast.Variable {
		p.used[v.Raw] = true
	}
	for _, c := range v.Children {
		p.value(c.Value)
	}
}

// MatchPath says whether the path of a rule names one of a field's. A star stands for any characters.
func MatchPath(rule string, paths []string) bool {
	for _, path := range paths {
		if matchStars(rule, path) {
			return true
		}
	}
	return false
}

func matchStars(pattern, s string) bool {
	head, rest, star := strings.Cut(pattern, "*")
	if !star {
		return pattern == s
	}
	s, ok := strings.CutPrefix(s, head)
	if !ok {
		return false
	}
	pieces := strings.Split(rest, "*")
	last := pieces[len(pieces)-1]
	for _, piece := range pieces[:len(pieces)-1] {
		i := strings.Index(s, piece)
		if i < 0 {
			return false
		}
		s = s[i+len(piece):]
	}
	return strings.HasSuffix(s, last)
}
