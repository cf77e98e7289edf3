package armtemplate

import (
	"encoding/json"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Hash returns a number of the template's content, as templateHash shows it.
func (t *Template) Hash() string { return Hash(t.root) }

// Hash returns a number of the content of a template that is not read yet. It is ours: Azure's is not documented.
func Hash(root *Object) string {
	h := fnv.New64a()
	b, err := root.MarshalJSON()
	if err != nil {
		return ""
	}
	_, _ = h.Write(b) // never fails
	return strconv.FormatUint(h.Sum64(), 10)
}

// definition follows $ref of a type ("Type definitions", languageVersion 2.0).
func (d *Deployment) definition(def *Object) *Object {
	for range maxDepth {
		ref := def.Text("$ref")
		if ref == "" {
			return def
		}
		name, ok := strings.CutPrefix(ref, "#/definitions/")
		next := d.template.root.Object("definitions").Object(name)
		if !ok || next == nil {
			fail("The type '%s' is not defined.", shorten(ref))
		}
		merged := next.Clone()
		for _, k := range def.Keys() { // what stands beside the reference narrows the type
			if v, _ := def.Get(k); !strings.EqualFold(k, "$ref") {
				merged.Set(k, v)
			}
		}
		def = merged
	}
	fail("The types refer to one another in a circle.")
	return nil
}

func (d *Deployment) nullable(def *Object) bool {
	v, _ := d.definition(def).Get("nullable")
	return v == true
}

// kind returns the name of a type as answers write it and whether its values are secret.
func (d *Deployment) kind(def *Object) (name string, secure bool) {
	switch t := strings.ToLower(d.definition(def).Text("type")); t {
	case "string":
		return "String", false
	case "securestring":
		return "SecureString", true
	case "int":
		return "Int", false
	case "bool":
		return "Bool", false
	case "array":
		return "Array", false
	case "object":
		return "Object", false
	case "secureobject":
		return "SecureObject", true
	}
	return "", false
}

// untyped reports whether a type is any: it has no name in language version 2.0.
func (d *Deployment) untyped(def *Object) bool {
	return d.definition(def).Text("type") == "" && strings.HasPrefix(d.template.root.Text("languageVersion"), "2.")
}

// kindOf is kind for a value that is known: any type has the name of the value's.
func (d *Deployment) kindOf(def *Object, v Value) (name string, secure bool) {
	if name, secure = d.kind(def); name != "" {
		return name, secure
	}
	name = kindOf(v)
	if short := map[string]string{"Integer": "Int", "Boolean": "Bool"}[name]; short != "" {
		name = short
	}
	return name, false
}

// checkType raises an error unless a value is of a type and within its bounds. name is for messages.
func (d *Deployment) checkType(def *Object, name string, v Value, depth int) {
	if depth > maxDepth {
		fail("The type of '%s' is nested too deep.", name)
	}
	if d.work.steps--; d.work.steps < 0 {
		fail("The template takes more work than is allowed.")
	}
	def = d.definition(def)
	kind, secure := d.kind(def)
	if kind == "" {
		if t := def.Text("type"); t != "" {
			fail("The type '%s' of '%s' is not valid: it is one of string, secureString, int, bool, object, secureObject and array.", t, name)
		}
		return // {} is any type
	}
	if v == nil && d.nullable(def) {
		return
	}
	want := map[string]string{"SecureString": "String", "Int": "Integer", "Bool": "Boolean", "SecureObject": "Object"}[kind]
	if want == "" {
		want = kind
	}
	if kindOf(v) != want {
		fail("The provided value for '%s' is not of the expected type '%s': it is of the type '%s'.", name, kind, kindOf(v))
	}
	d.checkBounds(def, name, v, secure)
	switch v := v.(type) {
	case []Value:
		d.checkItems(def, name, v, depth)
	case *Object:
		d.checkMembers(def, name, v, depth)
	}
}

func (d *Deployment) checkBounds(def *Object, name string, v Value, secure bool) {
	if allowed, ok := def.Get("allowedValues"); ok {
		l, _ := allowed.([]Value)
		in := func(v Value) bool {
			return slices.ContainsFunc(l, func(a Value) bool { return Equal(a, v) })
		}
		items, array := v.([]Value)
		if !in(v) && !(array && !slices.ContainsFunc(items, func(item Value) bool { return !in(item) })) {
			shown := "it"
			if !secure {
				shown = "'" + shorten(plain(v)) + "'"
			}
			fail("The provided value for '%s' is not valid: %s is not part of the allowed values '%s'.", name, shown, shorten(compact(l)))
		}
	}
	size, what := int64(0), ""
	switch v := v.(type) {
	case int64:
		d.within(def, name, v, "minValue", "maxValue", "value")
		return
	case json.Number, bool, nil:
		return
	case string:
		size, what = int64(utf8.RuneCountInString(v)), "length"
	case []Value:
		size, what = int64(len(v)), "number of elements"
	case *Object:
		size, what = int64(v.Len()), "number of members"
	}
	d.within(def, name, size, "minLength", "maxLength", what)
}

func (d *Deployment) within(def *Object, name string, n int64, lowest, highest, what string) {
	if lo, ok := def.Get(lowest); ok {
		if bound, ok := lo.(int64); ok && n < bound {
			fail("The provided value for '%s' is not valid: its %s %d is below the minimum %d.", name, what, n, bound)
		}
	}
	if hi, ok := def.Get(highest); ok {
		if bound, ok := hi.(int64); ok && n > bound {
			fail("The provided value for '%s' is not valid: its %s %d is above the maximum %d.", name, what, n, bound)
		}
	}
}

func (d *Deployment) checkItems(def *Object, name string, l []Value, depth int) {
	prefix, _ := def.Get("prefixItems")
	fixed, _ := prefix.([]Value)
	for i, v := range l {
		item := def.Object("items")
		if i < len(fixed) {
			item, _ = fixed[i].(*Object)
		} else if none, ok := def.Get("items"); ok && none == false {
			fail("The provided value for '%s' has more elements than are allowed.", name)
		}
		if item != nil {
			d.checkType(item, name+indexPath(i), v, depth+1)
		}
	}
}

func (d *Deployment) checkMembers(def *Object, name string, o *Object, depth int) {
	if by := def.Object("discriminator"); by != nil {
		property := by.Text("propertyName")
		variant := by.Object("mapping").Object(o.Text(property))
		if variant == nil {
			fail("The provided value for '%s' is not valid: '%s' must be one of '%s'.", name, property, strings.Join(by.Object("mapping").Keys(), ", "))
		}
		d.checkType(variant, name, o, depth+1)
		return
	}
	members := def.Object("properties")
	for _, k := range members.Keys() {
		v, ok := o.Get(k)
		inner := members.Object(k)
		switch {
		case ok:
			d.checkType(inner, name+"."+k, v, depth+1)
		case inner != nil && !d.nullable(inner):
			fail("The provided value for '%s' is not valid: the property '%s' is missing.", name, k)
		}
	}
	more, ok := def.Get("additionalProperties")
	if !ok {
		return
	}
	for _, k := range o.Keys() {
		if _, known := members.Get(k); known {
			continue
		}
		if more == false {
			fail("The provided value for '%s' is not valid: the property '%s' is not allowed.", name, k)
		}
		if inner, ok := more.(*Object); ok {
			v, _ := o.Get(k)
			d.checkType(inner, name+"."+k, v, depth+1)
		}
	}
}
