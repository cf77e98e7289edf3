package csharp

import (
	"fmt"
	"strings"
)

// typeScope resolves type names.
type typeScope struct {
	lib    *Library
	params []*Type          // type parameters in scope
	bound  map[string]*Type // type parameters with their closed arguments
}

var keywordTypes = func() map[string]string {
	m := map[string]string{}
	for full, k := range keywordNames {
		m[k] = full
	}
	return m
}()

type typeNotFound struct{ name string }

func (e *typeNotFound) Error() string {
	return fmt.Sprintf("The type or namespace name '%s' could not be found", e.name)
}

func (r typeScope) resolve(ref *typeRef) (*Type, error) {
	t, err := r.base(ref)
	if err != nil {
		return nil, err
	}
	// In C# int[][,] is an array of two-dimensional arrays: a run of ranks applies from its right end.
	for i := 0; i < len(ref.suffix); {
		if ref.suffix[i] == 0 {
			if !t.isValue() && t.kind != kindTypeParam {
				//lint:ignore ST1005 the sentence is the C# compiler's
				return nil, fmt.Errorf("The type '%s' must be a non-nullable value type in order to use it as 'T?'", t)
			}
			t = t.nullableOf()
			i++
			continue
		}
		j := i
		for j < len(ref.suffix) && ref.suffix[j] != 0 {
			j++
		}
		for k := j - 1; k >= i; k-- {
			t = t.arrayOf(ref.suffix[k])
		}
		i = j
	}
	return t, nil
}

func (r typeScope) base(ref *typeRef) (*Type, error) {
	if ref.tuple != nil {
		fields := make([]recordField, len(ref.tuple))
		for i, e := range ref.tuple {
			t, err := r.resolve(e.typ)
			if err != nil {
				return nil, err
			}
			fields[i] = recordField{e.name, t}
			if e.name == "" {
				fields[i].name = fmt.Sprintf("Item%d", i+1)
			}
		}
		return r.lib.family.record(fields, true), nil
	}
	if len(ref.parts) == 1 {
		name := ref.parts[0].name
		if full, ok := keywordTypes[name]; ok {
			return r.lib.types[full], nil
		}
		if t, ok := r.bound[name]; ok {
			return t, nil
		}
		for _, p := range r.params {
			if p.name == name {
				return p, nil
			}
		}
		if name == "dynamic" {
			return r.lib.family.t.dynamic, nil
		}
	}
	var names []string
	for _, p := range ref.parts {
		names = append(names, p.name)
	}
	last := ref.parts[len(ref.parts)-1]
	t := r.lib.lookup(strings.Join(names[:len(names)-1], "."), last.name, len(last.args))
	if t == nil {
		return nil, &typeNotFound{strings.Join(names, ".")}
	}
	if len(last.args) == 0 || ref.unbound() {
		return t, nil
	}
	args := make([]*Type, len(last.args))
	for i, a := range last.args {
		if a == nil || a.unbound() {
			return nil, &typeNotFound{strings.Join(names, ".") + "<>"}
		}
		var err error
		if args[i], err = r.resolve(a); err != nil {
			return nil, err
		}
	}
	if t == r.lib.family.t.nullable && !args[0].isValue() && args[0].kind != kindTypeParam {
		//lint:ignore ST1005 the sentence is the C# compiler's
		return nil, fmt.Errorf("The type '%s' must be a non-nullable value type in order to use it as parameter 'T' in 'Nullable<T>'", args[0])
	}
	return t.Of(args...), nil
}

// lookup finds a type by namespace, which may be empty or the name of the type that it is nested in, and name.
func (l *Library) lookup(namespace, name string, arity int) *Type {
	if t := l.types[key(namespace, name, arity)]; t != nil {
		return t
	}
	if namespace != "" {
		for _, outer := range l.short[namespace] {
			if t := l.types[key(outer.FullName(), name, arity)]; t != nil {
				return t
			}
		}
		return nil
	}
	if list := l.short[key("", name, arity)]; len(list) > 0 {
		return list[0]
	}
	return nil
}

// Type gives a type by its C# name, such as "int", "IReadOnlyDictionary<string, object>" or "System.Guid?".
func (l *Library) Type(name string) (t *Type, err error) {
	if t, ok := l.named.Load(name); ok {
		return t.(*Type), nil
	}
	defer func() {
		if err == nil {
			l.named.Store(name, t)
		}
	}()
	defer caught(&err, name)
	p := newParser(name, 0, len(name))
	ref := p.typ()
	if p.tok().kind != tokEOF {
		p.unexpected()
	}
	return typeScope{lib: l}.resolve(ref)
}

// TypeOf is the run-time type of a boxed value, nil for nil.
func (l *Library) TypeOf(v any) *Type {
	switch x := v.(type) {
	case nil:
		return nil
	case Typer:
		return x.ClrType()
	case Namer:
		if t := l.types[x.ClrName()]; t != nil {
			return t
		}
	case []byte:
		return l.family.t.byte.ArrayOf()
	}
	if k, ok := kindOf(v); ok {
		return l.types[kindNames[k]]
	}
	return l.family.t.object
}

func (l *Library) resolveException(e *Exception) {
	if e.Type != nil {
		return
	}
	if e.Type = l.types[e.name]; e.Type == nil {
		e.Type = l.family.t.exception
	}
}

// wrongArity reports a name that exists with another number of type arguments, and var where no variable is declared.
func (b *binder) wrongArity(ref *typeRef) {
	if len(ref.parts) == 0 {
		return
	}
	if ref.isVar() {
		b.fail(ref.pos, "CS0825", "The contextual keyword 'var' may only appear within a local variable declaration or in script code")
	}
	last := ref.parts[len(ref.parts)-1]
	var names []string
	for _, p := range ref.parts[:len(ref.parts)-1] {
		names = append(names, p.name)
	}
	for n := range 5 {
		t := b.lib.lookup(strings.Join(names, "."), last.name, n)
		switch {
		case t == nil || n == len(last.args):
		case n == 0:
			b.fail(ref.pos, "CS0308", "The non-generic type '%s' cannot be used with type arguments", t)
		default:
			b.fail(ref.pos, "CS0305", "Using the generic type '%s' requires %d type arguments", t, n)
		}
	}
}
