package armtemplate

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
)

// Template is a parsed template. It is used by one goroutine at a time.
type Template struct {
	root    *Object
	source  []byte
	exprs   map[string]expr
	library *library
}

// Parse reads a template. The error is an [*Error]: what is no JSON, lacks resources, or holds an expression that
// cannot be read, with its place.
func Parse(source []byte) (*Template, error) {
	if len(source) > MaxBytes {
		return nil, &Error{Code: CodeTemplateTooLarge, Message: "The template is larger than 4 MB."}
	}
	v, err := ParseJSON(source)
	if err != nil {
		return nil, err
	}
	root, ok := v.(*Object)
	if !ok {
		return nil, invalid("The template must be a JSON object.")
	}
	t, err := FromObject(root)
	if e, ok := err.(*Error); ok {
		e.Line, e.Column = locate(source, e.Path)
	}
	if t != nil {
		t.source = source
	}
	return t, err
}

// FromObject makes a template of JSON that is parsed already.
func FromObject(root *Object) (*Template, error) {
	t := &Template{root: root, exprs: map[string]expr{}, library: newLibrary()}
	err := guard(func() {
		if _, ok := root.Get("resources"); !ok {
			fail("The template has no member 'resources'.")
		}
		for _, limit := range []struct {
			name string
			most int
		}{{"parameters", MaxParameters}, {"variables", MaxVariables}, {"outputs", MaxOutputs}} {
			if n := root.Object(limit.name).Len(); n > limit.most {
				fail("The template has %d %s; at most %d are allowed.", n, limit.name, limit.most)
			}
		}
		for _, k := range root.Keys() {
			v, _ := root.Get(k)
			at(k, func() { t.parseAll(v) })
		}
	})
	if err != nil {
		return nil, err
	}
	return t, nil
}

// Source returns the template's text, nil when it came from within another template.
func (t *Template) Source() []byte { return t.source }

// Root returns the template as JSON. The caller must not change it.
func (t *Template) Root() *Object { return t.root }

// ContentVersion returns the version that the author gave the template.
func (t *Template) ContentVersion() string { return t.root.Text("contentVersion") }

// symbolic reports whether resources have symbolic names.
func (t *Template) symbolic() bool {
	v, _ := t.root.Get("resources")
	_, ok := v.(*Object)
	return ok
}

// parseAll reads every expression, so that errors are found before anything is deployed.
func (t *Template) parseAll(v Value) {
	switch v := v.(type) {
	case string:
		if IsExpression(v) {
			t.parsed(v)
		}
	case []Value:
		for i, item := range v {
			at(indexPath(i), func() { t.parseAll(item) })
		}
	case *Object:
		for _, k := range v.Keys() {
			item, _ := v.Get(k)
			at(k, func() { t.parseAll(item) })
		}
	}
}

// parsed returns the tree of an expression.
func (t *Template) parsed(s string) expr {
	if e, ok := t.exprs[s]; ok {
		return e
	}
	e, err := parseExpression(s)
	if err != nil {
		raise(err)
	}
	t.library.check(e)
	t.exprs[s] = e
	return e
}

// function returns the definition of a user-defined function, nil when there is none.
func (t *Template) function(space, name string) *Object {
	v, _ := t.root.Get("functions")
	spaces, _ := v.([]Value)
	for _, v := range spaces {
		if s, ok := v.(*Object); ok && strings.EqualFold(s.Text("namespace"), space) {
			if def := s.Object("members").Object(name); def != nil {
				return def
			}
		}
	}
	return nil
}

func indexPath(i int) string { return "[" + strconv.Itoa(i) + "]" }

// locate returns line and column of the value at a path, zeros when it is not there.
func locate(source []byte, path string) (line, column int) {
	if path == "" {
		return 0, 0
	}
	source = Relax(source)
	d := json.NewDecoder(bytes.NewReader(source))
	if offset, ok := seek(d, "", path, 0); ok {
		for int(offset) < len(source) && strings.IndexByte(" \t\r\n:,", source[offset]) >= 0 {
			offset++
		}
		return place(source, offset)
	}
	return 0, 0
}

// seek reads one value and returns where that at path begins. here is the path of the value that is read.
func seek(d *json.Decoder, here, path string, depth int) (offset int64, ok bool) {
	start := d.InputOffset()
	t, err := d.Token()
	if err != nil || depth > maxDepth {
		return 0, false
	}
	if here == path {
		return start, true
	}
	delim, nested := t.(json.Delim)
	if !nested {
		return 0, false
	}
	for i := 0; d.More(); i++ {
		next := here + indexPath(i)
		if delim == '{' {
			name, err := d.Token()
			if err != nil {
				return 0, false
			}
			next = strings.TrimPrefix(here+"."+name.(string), ".") // names are strings
		}
		if offset, ok := seek(d, next, path, depth+1); ok {
			return offset, true
		}
	}
	_, _ = d.Token() // the end of the array or object: the text was parsed before
	return 0, false
}
