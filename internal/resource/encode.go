package resource

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// encode returns the JSON that is stored and answered, without secret and writeonly fields, and the secrets by path.
func (s *schema) encode(v reflect.Value) (body []byte, secrets map[string]string, err error) {
	if !s.hidden {
		body, err = marshal(v.Interface())
		return body, nil, err
	}
	e := encoder{secrets: make(map[string]string)}
	e.object(s, v, "")
	return e.buf.Bytes(), e.secrets, e.err
}

// marshal is json.Marshal without the escapes for HTML.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, fmt.Errorf("encode: %w", err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// encoder writes what encoding/json would, leaving hidden fields out.
type encoder struct {
	buf     bytes.Buffer
	secrets map[string]string
	err     error
}

func (e *encoder) object(s *schema, v reflect.Value, path string) {
	e.buf.WriteByte('{')
	comma := false
	for _, f := range s.fields {
		fv, p := v.FieldByIndex(f.index), join(path, f.name)
		if f.rules.secret && !fv.IsZero() {
			e.secret(fv, p)
		}
		if f.rules.hidden() || f.omitEmpty && isOmitted(fv) {
			continue
		}
		if comma {
			e.buf.WriteByte(',')
		}
		comma = true
		e.value(f.name)
		e.buf.WriteByte(':')
		e.field(f, fv, p)
	}
	e.buf.WriteByte('}')
}

// isOmitted is omitempty's rule, and omitzero's for structs.
func isOmitted(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Slice, reflect.Map:
		return v.Len() == 0
	}
	return v.IsZero()
}

func (e *encoder) field(f *field, v reflect.Value, path string) {
	if f.sub == nil || !f.sub.hidden || v.Kind() != reflect.Struct && v.IsNil() {
		e.value(v.Interface())
		return
	}
	switch f.shape {
	case object:
		if v.Kind() == reflect.Pointer {
			v = v.Elem()
		}
		e.object(f.sub, v, path)
	case list:
		e.buf.WriteByte('[')
		for i := range v.Len() {
			if i > 0 {
				e.buf.WriteByte(',')
			}
			e.object(f.sub, v.Index(i), at(path, i))
		}
		e.buf.WriteByte(']')
	case dict:
		e.dict(f, v, path)
	}
}

func (e *encoder) dict(f *field, v reflect.Value, path string) {
	keys := v.MapKeys()
	slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
	e.buf.WriteByte('{')
	for i, k := range keys {
		if i > 0 {
			e.buf.WriteByte(',')
		}
		e.value(k.String())
		e.buf.WriteByte(':')
		e.object(f.sub, v.MapIndex(k), join(path, k.String()))
	}
	e.buf.WriteByte('}')
}

func (e *encoder) value(v any) {
	b, err := marshal(v)
	if err != nil && e.err == nil {
		e.err = err
	}
	e.buf.Write(b)
}

// secret keeps strings as they are and everything else as JSON.
func (e *encoder) secret(v reflect.Value, path string) {
	if s := reflect.Indirect(v); s.Kind() == reflect.String {
		e.secrets[path] = s.String()
		return
	}
	b, err := marshal(v.Interface())
	if err != nil && e.err == nil {
		e.err = err
	}
	e.secrets[path] = string(b)
}

// reveal puts the stored secrets back into v.
func (s *schema) reveal(v reflect.Value, secrets map[string]string) (err error) {
	if len(secrets) == 0 {
		return nil
	}
	holds := func(f *field) bool { return f.rules.secret || f.sub != nil && f.sub.hidden }
	s.walk(v, "", holds, func(f *field, v reflect.Value, path string) {
		text, ok := secrets[path]
		if !ok || !f.rules.secret {
			return
		}
		if v.Kind() == reflect.String {
			v.SetString(text)
			return
		}
		data := []byte(text)
		if stringElem(v.Type()) != nil && v.Kind() != reflect.Slice {
			data, _ = json.Marshal(text) // strings always encode
		}
		if e := json.Unmarshal(data, v.Addr().Interface()); e != nil && err == nil {
			err = fmt.Errorf("stored secret of %s: %w", path, e)
		}
	})
	return err
}
