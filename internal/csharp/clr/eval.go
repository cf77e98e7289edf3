package clr

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/causeway-apim/causeway/internal/csharp"
)

// maxLine bounds one line of a batch.
const maxLine = 16 << 20

// evalLine is one input of EvalBatch.
type evalLine struct {
	ID   json.RawMessage     `json:"id"`
	Expr string              `json:"expr"`
	Vars map[string]evalItem `json:"vars"`
}

type evalItem struct {
	Type  string          `json:"type"`
	Value json.RawMessage `json:"value"`
}

// Outcome is what became of one expression: a result, an exception or a compile error.
type Outcome struct {
	ID           json.RawMessage `json:"id,omitempty"`
	Type         string          `json:"type,omitempty"`
	Result       *string         `json:"result,omitempty"`
	Throws       string          `json:"throws,omitempty"`
	CompileError string          `json:"compile_error,omitempty"`
	Line         int             `json:"line,omitempty"`
	Column       int             `json:"column,omitempty"`
	Message      string          `json:"message,omitempty"`
}

// EvalBatch reads JSON lines {"id","expr","vars"?} and writes for each line, in order, one JSON line with its outcome:
// {"id","type","result"}, {"id","throws","message"} or {"id","compile_error","line","column","message"}. Only a failure to
// read or write, or a line that is not such an object, is an error.
func EvalBatch(r io.Reader, w io.Writer) error {
	in := bufio.NewScanner(r)
	in.Buffer(make([]byte, 64<<10), maxLine)
	out := bufio.NewWriter(w)
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	e := NewEvaluator()
	for n := 1; in.Scan(); n++ {
		if len(in.Bytes()) == 0 {
			continue
		}
		var line evalLine
		if err := json.Unmarshal(in.Bytes(), &line); err != nil {
			return fmt.Errorf("reading line %d: %w", n, err)
		}
		o := e.evalLine(line)
		o.ID = line.ID
		if err := enc.Encode(o); err != nil {
			return fmt.Errorf("writing the outcome of line %d: %w", n, err)
		}
	}
	if err := in.Err(); err != nil {
		return fmt.Errorf("reading expressions: %w", err)
	}
	return out.Flush()
}

// An Evaluator runs single expressions outside a gateway, with context.Variables as their only surroundings.
type Evaluator struct {
	lib     *csharp.Library
	globals []csharp.Global
}

// evalContext is the context of an Evaluator.
type evalContext struct{ vars *Variables }

// Variables is context.Variables: names and values in the order of their first setting.
type Variables struct {
	names  []string
	values map[string]any
	pair   *csharp.Type
}

// Count is the number of variables.
func (v *Variables) Count() int { return len(v.names) }

// Lookup finds a variable by name.
func (v *Variables) Lookup(key any) (any, bool) {
	x, ok := v.values[key.(string)]
	return x, ok
}

// EachEntry implements Map.
func (v *Variables) EachEntry(yield func(key, value any) bool) {
	for _, n := range v.names {
		if !yield(n, v.values[n]) {
			return
		}
	}
}

// Each implements csharp.Enumerable.
func (v *Variables) Each(r run, yield func(any) bool) { EachPair(r, v.pair, v, yield) }

func (v *Variables) set(name string, x any) {
	if _, ok := v.values[name]; !ok {
		v.names = append(v.names, name)
	}
	v.values[name] = x
}

// NewEvaluator gives an evaluator on the .NET library.
func NewEvaluator() *Evaluator {
	b := Library().Extend()
	c := b.Type("interface IEvaluationContext", csharp.Go[*evalContext]())
	c.Prop("IReadOnlyDictionary<string, object> Variables", csharp.F1(func(c *evalContext) *Variables { return c.vars }))
	x := b.Type("static class EvaluationExtensions", csharp.NoGo())
	get := func(t typeArgs, r run, m Map, name string, d any) any {
		needString(name, "key")
		v, ok := m.Lookup(name)
		if !ok {
			return d
		}
		return r.Library().Cast(v, t[0])
	}
	x.Ext("T GetValueOrDefault<T>(this IReadOnlyDictionary<string, object> d, string name)", csharp.F4(func(t typeArgs, r run, m Map, n string) any {
		return get(t, r, m, n, csharp.Zero(t[0]))
	}))
	x.Ext("T GetValueOrDefault<T>(this IReadOnlyDictionary<string, object> d, string name, T defaultValue)", csharp.F5(get))
	lib, err := b.Build()
	if err != nil {
		panic(err) // a faulty declaration is a bug
	}
	return &Evaluator{lib: lib, globals: []csharp.Global{{Name: "context", Type: lib.MustType("IEvaluationContext")}}}
}

// evalLine makes the variables and evaluates; a variable that cannot be made is an outcome of its line.
func (e *Evaluator) evalLine(line evalLine) Outcome {
	vars, err := e.variables(line.Vars)
	if err != nil {
		return Outcome{CompileError: "variables", Line: 1, Column: 1, Message: err.Error()}
	}
	return e.Eval(line.Expr, vars)
}

// Eval compiles and runs one expression.
func (e *Evaluator) Eval(expr string, vars *Variables) Outcome {
	p, diags := e.lib.Compile(expr, csharp.Options{Globals: e.globals})
	if p == nil {
		for _, d := range diags {
			if !d.Warning {
				return Outcome{CompileError: d.Code, Line: d.Line, Column: d.Column, Message: d.Message}
			}
		}
	}
	v, err := p.Run(&evalContext{vars}, nil)
	if err == nil {
		var s string
		if s, err = resultText(v); err == nil {
			s = csharp.ToUTF8(s)
			return Outcome{Type: csharp.TypeName(v), Result: &s}
		}
	}
	var x *csharp.Exception
	if errors.As(err, &x) {
		return Outcome{Throws: x.TypeName(), Message: csharp.ToUTF8(x.Message)}
	}
	return Outcome{Throws: "LimitExceeded", Message: err.Error()}
}

// resultText turns the result into text; a lazy value may throw only now.
func resultText(v any) (s string, err error) {
	defer func() {
		if r := recover(); r != nil {
			x, ok := r.(*csharp.Exception)
			if !ok {
				panic(r)
			}
			err = x
		}
	}()
	return csharp.FormatValue(v), nil
}

// variables makes the values of a line, by expressions of the language itself.
func (e *Evaluator) variables(items map[string]evalItem) (*Variables, error) {
	pair := e.lib.MustType("System.Collections.Generic.KeyValuePair<string, object>")
	out := &Variables{values: map[string]any{}, pair: pair}
	for name, it := range items {
		v, err := e.variable(it)
		if err != nil {
			return nil, fmt.Errorf("variable %q: %w", name, err)
		}
		out.set(name, v)
	}
	return out, nil
}

// variableForms gives for each type of variable the expression that makes it from its text.
var variableForms = map[string]string{
	"int": "int.Parse(v)", "long": "long.Parse(v)", "double": "double.Parse(v)", "decimal": "decimal.Parse(v)", "bool": "bool.Parse(v)",
	"DateTime": "DateTime.Parse(v, null, System.Globalization.DateTimeStyles.RoundtripKind)", "Guid": "Guid.Parse(v)", "TimeSpan": "TimeSpan.Parse(v)",
	"JObject": "JObject.Parse(v)", "JArray": "JArray.Parse(v)", "JToken": "JToken.Parse(v)", "XElement": "XElement.Parse(v)", "XDocument": "XDocument.Parse(v)",
}

func (e *Evaluator) variable(it evalItem) (any, error) {
	var s string
	if json.Unmarshal(it.Value, &s) != nil {
		s = string(it.Value)
	}
	switch it.Type {
	case "null":
		return nil, nil
	case "string":
		return s, nil
	case "byte[]":
		return base64.StdEncoding.DecodeString(s)
	case "string[]", "List<string>":
		var list []string
		err := json.Unmarshal(it.Value, &list)
		items := make([]any, len(list))
		for i, x := range list {
			items[i] = x
		}
		if it.Type == "string[]" {
			return e.lib.MustType("string").MakeArray(items), err
		}
		return NewList(e.lib.MustType("List<string>"), items), err
	case "int[]":
		var list []int32
		err := json.Unmarshal(it.Value, &list)
		items := make([]any, len(list))
		for i, x := range list {
			items[i] = x
		}
		return e.lib.MustType("int").MakeArray(items), err
	case "Dictionary<string,string>":
		return e.stringMap(it.Value)
	}
	form, ok := variableForms[it.Type]
	if !ok {
		return nil, fmt.Errorf("unknown type %q", it.Type)
	}
	p, diags := e.lib.Compile(form, csharp.Options{Globals: []csharp.Global{{Name: "v", Type: e.lib.MustType("string")}}})
	if p == nil {
		return nil, fmt.Errorf("type %q: %v", it.Type, diags)
	}
	return p.Run(s, nil)
}

// stringMap keeps the order of the members.
func (e *Evaluator) stringMap(raw json.RawMessage) (any, error) {
	d := NewDictionary(e.lib, e.lib.MustType("Dictionary<string, string>"), nil)
	dec := json.NewDecoder(bytes.NewReader(raw))
	if _, err := dec.Token(); err != nil {
		return nil, err
	}
	for dec.More() {
		k, err := dec.Token()
		if err != nil {
			return nil, err
		}
		var v string
		if err := dec.Decode(&v); err != nil {
			return nil, err
		}
		d.Set(k, v)
	}
	return d, nil
}
