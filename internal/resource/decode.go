package resource

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strings"

	"github.com/causeway-apim/causeway/internal/arm"
)

// decoder reads a request's JSON into a struct by its schema: names in any case, unknown ones ignored, readonly ones
// skipped, every value of a wrong type reported with its path.
type decoder struct {
	merge    bool // JSON merge patch (RFC 7396) onto the value: absent members stay, null empties
	problems problems
}

// object reads data, which is valid JSON, into the struct v.
func (d *decoder) object(s *schema, v reflect.Value, data []byte, path string) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(data, &members); err != nil || members == nil {
		d.problems.add(path, "%s must be an object.", orBody(path))
		return
	}
	if !d.merge {
		d.defaults(s, v)
	}
	seen := make(map[*field]bool, len(members))
	for name, value := range members {
		f := s.byName[strings.ToLower(name)]
		if f == nil || f.rules.readonly {
			continue
		}
		p := join(path, f.name)
		if seen[f] {
			d.problems.add(p, "%s is given twice.", p)
			continue
		}
		seen[f] = true
		d.field(f, v.FieldByIndex(f.index), value, p)
	}
}

func orBody(path string) string {
	if path == "" {
		return "The resource's properties"
	}
	return path
}

func (d *decoder) defaults(s *schema, v reflect.Value) {
	for _, f := range s.fields {
		if f.rules.def != "" {
			// Define has tried it.
			_ = setDefault(v.FieldByIndex(f.index), f.rules.def)
		}
	}
}

// setDefault sets a value from the text of a default rule: JSON, or a string without quotes.
func setDefault(v reflect.Value, text string) error {
	if t := v.Type(); t.Kind() == reflect.String || t.Kind() == reflect.Pointer && t.Elem().Kind() == reflect.String {
		quoted, err := json.Marshal(text)
		if err != nil {
			return err
		}
		text = string(quoted)
	}
	return json.Unmarshal([]byte(text), v.Addr().Interface())
}

func isNull(data []byte) bool { return string(data) == "null" }

func (d *decoder) field(f *field, v reflect.Value, data []byte, path string) {
	if isNull(data) {
		v.SetZero()
		return
	}
	switch f.shape {
	case object:
		if v.Kind() == reflect.Pointer {
			if !d.merge || v.IsNil() {
				v.Set(reflect.New(f.sub.typ))
				d.defaults(f.sub, v.Elem())
			}
			v = v.Elem()
		}
		d.object(f.sub, v, data, path)
	case list:
		d.list(f, v, data, path)
	case dict:
		d.dict(f, v, data, path)
	case merged:
		d.leafMap(v, data, path)
	case raw:
		if d.merge && !v.IsNil() {
			if merged, err := arm.MergePatch(v.Bytes(), data); err == nil {
				data = merged
			}
		}
		v.SetBytes(bytes.Clone(data))
	default:
		d.leaf(v, data, path)
	}
}

func (d *decoder) list(f *field, v reflect.Value, data []byte, path string) {
	var items []json.RawMessage
	if json.Unmarshal(data, &items) != nil {
		d.problems.add(path, "%s must be an array.", path)
		return
	}
	fresh := reflect.MakeSlice(v.Type(), len(items), len(items))
	whole := decoder{} // an array is replaced, not merged
	for i, item := range items {
		whole.object(f.sub, fresh.Index(i), item, at(path, i))
	}
	d.problems = append(d.problems, whole.problems...)
	v.Set(fresh)
}

func (d *decoder) dict(f *field, v reflect.Value, data []byte, path string) {
	var items map[string]json.RawMessage
	if json.Unmarshal(data, &items) != nil {
		d.problems.add(path, "%s must be an object.", path)
		return
	}
	fresh := reflect.MakeMapWithSize(v.Type(), len(items))
	if d.merge {
		for k, e := range v.Seq2() {
			fresh.SetMapIndex(k, e)
		}
	}
	for name, item := range items {
		k := reflect.ValueOf(name).Convert(v.Type().Key())
		if isNull(item) {
			fresh.SetMapIndex(k, reflect.Value{})
			continue
		}
		e := reflect.New(f.sub.typ).Elem()
		if old := fresh.MapIndex(k); old.IsValid() {
			e.Set(old)
		}
		d.object(f.sub, e, item, join(path, name))
		fresh.SetMapIndex(k, e)
	}
	v.Set(fresh)
}

func (d *decoder) leafMap(v reflect.Value, data []byte, path string) {
	fresh := reflect.New(v.Type()).Elem()
	if !d.leaf(fresh, data, path) || !d.merge || v.IsNil() {
		v.Set(fresh)
		return
	}
	var items map[string]json.RawMessage
	if json.Unmarshal(data, &items) != nil {
		return // leaf has reported it
	}
	result := reflect.MakeMap(v.Type())
	for k, e := range v.Seq2() {
		result.SetMapIndex(k, e)
	}
	for name, item := range items {
		k := reflect.ValueOf(name).Convert(v.Type().Key())
		if isNull(item) {
			result.SetMapIndex(k, reflect.Value{})
		} else {
			result.SetMapIndex(k, fresh.MapIndex(k))
		}
	}
	v.Set(result)
}

// leaf decodes a value without fields of its own and reports one of a wrong type.
func (d *decoder) leaf(v reflect.Value, data []byte, path string) bool {
	fresh := reflect.New(v.Type())
	err := json.Unmarshal(data, fresh.Interface())
	if err == nil {
		v.Set(fresh.Elem())
		return true
	}
	if te, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		d.problems.add(path, "%s must be %s, not %s.", path, typeName(v.Type()), withArticle(te.Value))
	} else {
		d.problems.add(path, "%s must be %s.", path, typeName(v.Type()))
	}
	return false
}

func withArticle(jsonKind string) string {
	kind, _, _ := strings.Cut(jsonKind, " ") // "number 1.5"
	if strings.ContainsRune("aeiou", rune(kind[0])) {
		return "an " + kind
	}
	return "a " + kind
}

// typeName says in words what JSON a Go type takes.
func typeName(t reflect.Type) string {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case t == timeType:
		return "a date and time as 2024-05-01T12:00:00Z"
	case t.Kind() == reflect.Bool:
		return "a boolean"
	case t.Kind() == reflect.String:
		return "a string"
	case t.Kind() >= reflect.Int && t.Kind() <= reflect.Uint64:
		return "a whole number"
	case t.Kind() == reflect.Float64 || t.Kind() == reflect.Float32:
		return "a number"
	case t.Kind() == reflect.Slice:
		return "an array of " + plural(typeName(t.Elem()))
	case t.Kind() == reflect.Map:
		return "an object"
	}
	return "another type"
}

func plural(s string) string {
	_, noun, _ := strings.Cut(s, " ")
	return noun + "s"
}
