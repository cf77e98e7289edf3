package arm

import (
	"strings"
	"time"
	"unicode/utf8"
)

// Limits of $filter.
const (
	maxFilterBytes = 4096
	maxFilterDepth = 32
)

// FieldKind is the type of a field in $filter.
type FieldKind uint8

// The kinds of fields. A list field holds strings; a comparison with it holds when one of them meets it.
const (
	FieldString FieldKind = iota
	FieldNumber
	FieldBool
	FieldTime
	FieldList
)

// String returns the kind in a sentence.
func (k FieldKind) String() string {
	return [...]string{"a string", "a number", "a boolean", "a date", "a list of strings"}[k]
}

// Fields are the fields that a type's $filter knows: name on the wire, with slashes for nested ones, to kind.
type Fields map[string]FieldKind

// find matches a name without regard to case and to a leading properties/.
func (f Fields) find(name string) (string, FieldKind, bool) {
	name = strings.ReplaceAll(name, ".", "/")
	if rest, ok := cutPrefixFold(name, "properties/"); ok {
		name = rest
	}
	for field, kind := range f {
		if strings.EqualFold(field, name) {
			return field, kind, true
		}
	}
	return "", 0, false
}

func cutPrefixFold(s, prefix string) (string, bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return s, false
	}
	return s[len(prefix):], true
}

// Filter is a $filter expression of the OData subset that API Management documents: eq ne gt ge lt le, and or not,
// parentheses, contains, substringof, startswith, endswith; strings in single quotes, numbers, true, false, null and
// dates. Strings are compared without regard to case, as API Management does.
type Filter struct {
	match func(get Getter) bool
	hints []Hint
}

// Hint is a condition that everything a filter selects meets, for finding it faster than by asking the filter of all.
type Hint struct {
	Field string // of kind FieldString or FieldList
	Text  string // the field holds it, ASCII letters without regard to case
	Equal bool   // and nothing else; one string of a list does
}

// Hints returns conditions that have to hold where the filter does: none for one that is open.
func (f *Filter) Hints() []Hint { return f.hints }

// Getter returns the value of a field: string, float64, bool, time.Time, []string, or nil when it is not set.
type Getter func(field string) any

// Match evaluates the filter.
func (f *Filter) Match(get Getter) bool { return f.match(get) }

// ParseFilter reads a $filter over fields. Its error is an [Error] that names the position, counted in bytes from 1.
func ParseFilter(s string, fields Fields) (*Filter, error) {
	if len(s) > maxFilterBytes {
		return nil, Errorf(CodeInvalidFilter, "$filter has at most %d bytes.", maxFilterBytes).WithTarget("$filter")
	}
	if !utf8.ValidString(s) || strings.ContainsRune(s, 0) { // no value has them, and PostgreSQL refuses them
		return nil, Errorf(CodeInvalidFilter, "$filter is not text in UTF-8 without null characters.").WithTarget("$filter")
	}
	p := filterParser{lex: filterLexer{text: s}, fields: fields}
	p.next()
	n := p.or(0)
	if p.err == nil && p.tok.kind != tokEnd {
		p.fail(p.tok.pos, "unexpected %q", p.tok.text)
	}
	if p.err != nil {
		return nil, p.err
	}
	return &Filter{n.test, n.hints}, nil
}

// predicate is a part of a filter with the conditions that hold where it does.
type predicate struct {
	test  func(Getter) bool
	hints []Hint
}

type filterParser struct {
	lex    filterLexer
	tok    token
	fields Fields
	err    *Error
}

func (p *filterParser) next() {
	p.tok = p.lex.next()
	if p.tok.kind == tokBad {
		p.fail(p.tok.pos, "unexpected %q", p.tok.text)
	}
}

// fail keeps the first error and ends the input, so that the parser unwinds.
func (p *filterParser) fail(pos int, format string, args ...any) {
	if p.err == nil {
		p.err = Errorf(CodeInvalidFilter, "$filter at position %d: "+format+".", append([]any{pos + 1}, args...)...).WithTarget("$filter")
	}
	p.tok = token{kind: tokEnd, pos: len(p.lex.text)}
	p.lex.pos = len(p.lex.text)
}

func (p *filterParser) word(w string) bool {
	return p.tok.kind == tokName && strings.EqualFold(p.tok.text, w)
}

func (p *filterParser) or(depth int) predicate {
	left := p.and(depth)
	for p.word("or") {
		p.next()
		l, r := left.test, p.and(depth).test
		left = predicate{test: func(g Getter) bool { return l(g) || r(g) }}
	}
	return left
}

func (p *filterParser) and(depth int) predicate {
	left := p.not(depth)
	for p.word("and") {
		p.next()
		l, r := left, p.not(depth)
		left = predicate{func(g Getter) bool { return l.test(g) && r.test(g) }, append(l.hints, r.hints...)}
	}
	return left
}

func (p *filterParser) not(depth int) predicate {
	if depth > maxFilterDepth {
		p.fail(p.tok.pos, "nested more than %d levels deep", maxFilterDepth)
		return predicate{}
	}
	if p.word("not") {
		p.next()
		n := p.not(depth + 1).test
		return predicate{test: func(g Getter) bool { return !n(g) }}
	}
	if p.tok.kind == tokOpen {
		p.next()
		n := p.or(depth + 1)
		p.expect(tokClose, ")")
		return n
	}
	return p.comparison()
}

func (p *filterParser) expect(kind tokenKind, what string) {
	if p.tok.kind != kind {
		p.fail(p.tok.pos, "expected %q", what)
		return
	}
	p.next()
}

// comparison reads field op literal, literal op field, a function call (perhaps compared with true or false) or a
// boolean field alone.
func (p *filterParser) comparison() predicate {
	name, pos := p.tok, p.tok.pos
	if name.kind == tokName && p.lex.peekOpen() {
		return p.call()
	}
	left := p.operand()
	op, isOp := parseOp(p.tok)
	if !isOp {
		if left.isField && left.kind == FieldBool {
			return predicate{test: func(g Getter) bool { b, _ := g(left.field).(bool); return b }}
		}
		p.fail(p.tok.pos, "expected one of eq, ne, gt, ge, lt, le")
		return predicate{}
	}
	p.next()
	right := p.operand()
	if p.err != nil {
		return predicate{}
	}
	if !left.isField {
		left, right, op = right, left, op.mirrored()
	}
	if !left.isField || right.isField {
		p.fail(pos, "a field has to be compared with a value")
		return predicate{}
	}
	return p.compare(left, op, right)
}

func (p *filterParser) compare(field operand, op compareOp, lit operand) predicate {
	value, ok := convertLiteral(lit.value, field.kind)
	if !ok {
		p.fail(lit.pos, "%s is %s", field.field, field.kind)
		return predicate{}
	}
	name := field.field
	if value == nil && op > opNe || field.kind == FieldBool && op > opNe {
		p.fail(lit.pos, "only eq and ne are possible here")
		return predicate{}
	}
	n := predicate{test: func(g Getter) bool { return op.holds(g(name), value) }}
	if text, isText := value.(string); isText && op == opEq {
		n.hints = []Hint{{name, text, true}}
	}
	return n
}

// call reads contains(field,'text') and its like.
func (p *filterParser) call() predicate {
	fn, pos := strings.ToLower(p.tok.text), p.tok.pos
	p.next()
	p.next() // (
	first := p.operand()
	p.expect(tokComma, ",")
	second := p.operand()
	p.expect(tokClose, ")")
	var test func(s, part string) bool
	switch fn {
	case "contains", "substringof":
		test = strings.Contains
	case "startswith":
		test = strings.HasPrefix
	case "endswith":
		test = strings.HasSuffix
	default:
		p.fail(pos, "unknown function %q: use contains, substringof, startswith or endswith", fn)
	}
	if p.err != nil {
		return predicate{}
	}
	if fn == "substringof" {
		first, second = second, first
	}
	text, isText := second.value.(string)
	if !first.isField || second.isField || !isText || first.kind != FieldString && first.kind != FieldList {
		p.fail(pos, "%s takes a string field and a string", fn)
		return predicate{}
	}
	field, part := first.field, strings.ToLower(text)
	return p.againstBool(predicate{
		func(g Getter) bool {
			return anyString(g(field), func(s string) bool { return test(strings.ToLower(s), part) })
		},
		[]Hint{{Field: field, Text: text}},
	})
}

// againstBool reads the optional "eq true" after a function call.
func (p *filterParser) againstBool(n predicate) predicate {
	op, ok := parseOp(p.tok)
	if !ok {
		return n
	}
	p.next()
	lit := p.operand()
	want, isBool := lit.value.(bool)
	if !isBool || op > opNe {
		p.fail(lit.pos, "a function is compared with true or false by eq or ne")
		return predicate{}
	}
	if want == (op == opEq) {
		return n
	}
	return predicate{test: func(g Getter) bool { return !n.test(g) }}
}

// operand is a field or a literal.
type operand struct {
	isField bool
	field   string
	kind    FieldKind
	value   any // string, float64, bool, time.Time or nil
	pos     int
}

func (p *filterParser) operand() operand {
	t := p.tok
	o := operand{pos: t.pos}
	switch t.kind {
	case tokString:
		o.value = t.text
	case tokNumber:
		o.value = t.number
	case tokTime:
		o.value = t.time
	case tokName:
		switch strings.ToLower(t.text) {
		case "true":
			o.value = true
		case "false":
			o.value = false
		case "null":
		default:
			field, kind, ok := p.fields.find(t.text)
			if !ok {
				p.fail(t.pos, "%q cannot be filtered by", t.text)
				return o
			}
			o.isField, o.field, o.kind = true, field, kind
		}
	default:
		p.fail(t.pos, "expected a field or a value")
		return o
	}
	p.next()
	return o
}

// convertLiteral makes a literal comparable with a field of this kind.
func convertLiteral(v any, kind FieldKind) (any, bool) {
	switch v := v.(type) {
	case nil:
		return nil, true
	case string:
		if kind == FieldTime {
			t, err := time.Parse(time.RFC3339Nano, v)
			return t, err == nil
		}
		return v, kind == FieldString || kind == FieldList
	case float64:
		return v, kind == FieldNumber
	case bool:
		return v, kind == FieldBool
	case time.Time:
		return v, kind == FieldTime
	}
	return nil, false
}
