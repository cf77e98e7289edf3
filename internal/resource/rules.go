package resource

import (
	"errors"
	"fmt"
	"net/mail"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/causeway-apim/causeway/internal/arm"
)

// maxDetails bounds the errors that are listed for one body.
const maxDetails = 50

// rules are what the rule tag of a field says.
type rules struct {
	required, readonly, writeonly, secret, immutable bool
	url, email, cascade, clear                       bool
	min, max                                         *float64
	enum                                             []string
	pattern                                          *regexp.Regexp
	refs                                             []string // type paths
	def                                              string   // value of absent fields, as JSON or as plain text
}

func (r *rules) hidden() bool { return r.secret || r.writeonly }

func parseRules(tag string, t reflect.Type) (r rules, err error) {
	for tag != "" {
		var word string
		if strings.HasPrefix(tag, "pattern=") {
			word, tag = tag, ""
		} else {
			word, tag, _ = strings.Cut(tag, ",")
		}
		name, arg, _ := strings.Cut(word, "=")
		if err := r.set(name, arg); err != nil {
			return r, fmt.Errorf("rule %s: %w", word, err)
		}
	}
	if (len(r.enum) > 0 || r.pattern != nil || r.refs != nil || r.url || r.email) && stringElem(t) == nil {
		return r, errors.New("a rule for strings on another type")
	}
	return r, nil
}

func (r *rules) set(name, arg string) (err error) {
	switch name {
	case "required":
		r.required = true
	case "readonly":
		r.readonly = true
	case "writeonly":
		r.writeonly = true
	case "secret":
		r.secret = true
	case "immutable":
		r.immutable = true
	case "url":
		r.url = true
	case "email":
		r.email = true
	case "cascade":
		r.cascade = true
	case "clear":
		r.clear = true
	case "default":
		r.def = arg
	case "enum":
		r.enum = strings.Split(arg, "|")
	case "ref":
		r.refs = strings.Split(arg, "|")
	case "pattern":
		r.pattern, err = regexp.Compile("^(?:" + arg + ")$")
	case "min", "max":
		var n float64
		n, err = strconv.ParseFloat(arg, 64)
		if name == "min" {
			r.min = &n
		} else {
			r.max = &n
		}
	default:
		return errors.New("unknown")
	}
	return err
}

// stringElem returns the string type behind t, *t or []t.
func stringElem(t reflect.Type) reflect.Type {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if t.Kind() == reflect.String {
		return t
	}
	return nil
}

// problems collects the invalid properties of one body.
type problems []arm.Detail

func (p *problems) add(path, format string, args ...any) {
	if len(*p) < maxDetails {
		*p = append(*p, arm.Detail{Code: arm.CodeValidation, Target: path, Message: fmt.Sprintf(format, args...)})
	}
}

func (p problems) err() error {
	if len(p) == 0 {
		return nil
	}
	return arm.InvalidAll(p...)
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func at(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }

// visit calls fn for every field of the struct v and of what is nested in it.
func (s *schema) visit(v reflect.Value, path string, fn func(f *field, v reflect.Value, path string)) {
	s.walk(v, path, func(*field) bool { return true }, fn)
}

// walk is visit for some fields and what is in them: those that are wanted.
func (s *schema) walk(v reflect.Value, path string, wanted func(f *field) bool, fn func(f *field, v reflect.Value, path string)) {
	for _, f := range s.fields {
		if !wanted(f) {
			continue
		}
		fv, p := v.FieldByIndex(f.index), join(path, f.name)
		fn(f, fv, p)
		if f.sub == nil {
			continue
		}
		switch f.shape {
		case object:
			if fv.Kind() == reflect.Pointer {
				if fv.IsNil() {
					continue
				}
				fv = fv.Elem()
			}
			f.sub.walk(fv, p, wanted, fn)
		case list:
			for i := range fv.Len() {
				f.sub.walk(fv.Index(i), at(p, i), wanted, fn)
			}
		case dict:
			// Map elements cannot be set in place: visit a copy and put it back.
			for _, k := range fv.MapKeys() {
				c := reflect.New(f.sub.typ).Elem()
				c.Set(fv.MapIndex(k))
				f.sub.walk(c, join(p, k.String()), wanted, fn)
				fv.SetMapIndex(k, c)
			}
		}
	}
}

// validate checks the rules that need nothing but the value, and stores enum values in their own spelling.
func (s *schema) validate(v reflect.Value, p *problems) {
	s.visit(v, "", func(f *field, v reflect.Value, path string) { f.rules.check(v, path, p) })
}

func (r *rules) check(v reflect.Value, path string, p *problems) {
	if r.required && isEmpty(v) {
		p.add(path, "%s is required.", path)
		return
	}
	for v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return
		}
		v = v.Elem()
	}
	switch v.Kind() {
	case reflect.String:
		r.checkSize(float64(utf8.RuneCountInString(v.String())), path, "characters", p)
		r.checkString(v, path, p)
	case reflect.Slice:
		if v.Type() != rawType {
			r.checkSize(float64(v.Len()), path, "items", p)
		}
		if v.Type().Elem().Kind() == reflect.String {
			for i := range v.Len() {
				r.checkString(v.Index(i), at(path, i), p)
			}
		}
	case reflect.Int, reflect.Int32, reflect.Int64:
		r.checkSize(float64(v.Int()), path, "", p)
	case reflect.Float64:
		r.checkSize(v.Float(), path, "", p)
	}
}

func isEmpty(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Slice, reflect.Map:
		return v.Len() == 0
	case reflect.Bool, reflect.Int, reflect.Int64, reflect.Float64:
		return false
	}
	return v.IsZero()
}

func (r *rules) checkSize(n float64, path, unit string, p *problems) {
	if unit != "" {
		unit = " " + unit
	}
	if r.max != nil && n > *r.max {
		p.add(path, "%s must not be more than %v%s.", path, *r.max, unit)
	}
	if r.min != nil && n < *r.min && (n != 0 || unit == "" || r.required) {
		p.add(path, "%s must not be less than %v%s.", path, *r.min, unit)
	}
}

func (r *rules) checkString(v reflect.Value, path string, p *problems) {
	s := v.String()
	if s == "" {
		return
	}
	if len(r.enum) > 0 {
		i := slices.IndexFunc(r.enum, func(e string) bool { return strings.EqualFold(e, s) })
		if i < 0 {
			p.add(path, "%s must be one of %s.", path, strings.Join(r.enum, ", "))
			return
		}
		v.SetString(r.enum[i])
	}
	if r.pattern != nil && !r.pattern.MatchString(s) {
		p.add(path, "%s does not have the required form %s.", path, r.pattern)
	}
	if r.url && !isURL(s) {
		p.add(path, "%s must be an absolute URL.", path)
	}
	if r.email {
		if a, err := mail.ParseAddress(s); err != nil || a.Address != s {
			p.add(path, "%s must be an e-mail address.", path)
		}
	}
}

func isURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Host != "" && slices.Contains([]string{"http", "https", "ws", "wss"}, strings.ToLower(u.Scheme))
}

// checkImmutable compares the fields that may not change.
func (s *schema) checkImmutable(before, after reflect.Value, p *problems) {
	for _, f := range s.fields {
		b, a := before.FieldByIndex(f.index), after.FieldByIndex(f.index)
		if f.rules.immutable && !isEmpty(b) && !sameValue(b, a) {
			p.add(f.name, "%s cannot be changed.", f.name)
		}
	}
}

func sameValue(a, b reflect.Value) bool {
	if a.Kind() == reflect.String {
		return strings.EqualFold(a.String(), b.String())
	}
	return reflect.DeepEqual(a.Interface(), b.Interface())
}

// keepReadonly copies what callers cannot write from the stored value.
func (s *schema) keepReadonly(from, to reflect.Value) {
	s.carry(from, to, func(f *field, _ reflect.Value) bool { return f.rules.readonly })
}

// keepSecrets copies the secrets that to lacks, where what they are in is still there.
func (s *schema) keepSecrets(from, to reflect.Value) {
	s.carry(from, to, func(f *field, dst reflect.Value) bool { return f.rules.secret && dst.IsZero() })
}

// carry copies the values of fields that keep chooses.
func (s *schema) carry(from, to reflect.Value, keep func(f *field, dst reflect.Value) bool) {
	for _, f := range s.fields {
		src, dst := from.FieldByIndex(f.index), to.FieldByIndex(f.index)
		switch {
		case keep(f, dst):
			dst.Set(src)
		case f.shape == object && src.Kind() == reflect.Struct:
			f.sub.carry(src, dst, keep)
		case f.shape == object && !src.IsNil() && !dst.IsNil():
			f.sub.carry(src.Elem(), dst.Elem(), keep)
		}
	}
}
