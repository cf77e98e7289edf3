package liquid

import (
	"fmt"
	"strconv"
	"strings"
)

// operand is a literal, a variable with its members, or a range.
type operand interface {
	eval(r *run) any
}

type literal struct{ value any }

func (l literal) eval(*run) any { return l.value }

// path is a variable and the members that follow: a.b["c"][0].
type path struct {
	name string
	keys []operand
}

func (p *path) eval(r *run) any {
	v := r.variable(p.name)
	for _, k := range p.keys {
		if v == nil {
			return nil
		}
		v = member(v, key(k.eval(r)))
	}
	return v
}

// key is the form of a value as the name or position of a member.
func key(v any) any {
	switch v := plain(v).(type) {
	case int64, string:
		return v
	case nil:
		return nil
	default:
		return Text(v)
	}
}

type rangeOf struct{ from, to operand }

func (o *rangeOf) eval(r *run) any {
	from, _ := wholeNumber(o.from.eval(r))
	to, _ := wholeNumber(o.to.eval(r))
	return span{from, to}
}

// wholeNumber is the whole number of a value or of its text.
func wholeNumber(v any) (int64, bool) {
	switch v := plain(v).(type) {
	case int64:
		return v, true
	case string:
		n, err := strconv.ParseInt(strings.TrimSpace(v), 10, 64)
		return n, err == nil
	case float64, *decimal:
		if d := toDecimal(v); d != nil {
			if n := d.at(0).digits; n.IsInt64() {
				return n.Int64(), true
			}
		}
	}
	return 0, false
}

// filtered is an operand and the filters that its value goes through.
type filtered struct {
	of      operand
	filters []call
}

type call struct {
	name string
	run  filter // nil for a name that is not known
	args []operand
}

func (f *filtered) eval(r *run) (any, error) {
	v := f.of.eval(r)
	for _, c := range f.filters {
		if err := r.step(); err != nil {
			return nil, err
		}
		if c.run == nil {
			return "Liquid error: Error - Filter '" + c.name + "' could not be found.", nil
		}
		args := make([]any, len(c.args))
		for i, a := range c.args {
			args[i] = a.eval(r)
		}
		out, err := c.run(r, v, args)
		if failed, ok := err.(filterError); ok {
			return "Liquid error: " + string(failed), nil
		}
		if err != nil {
			return nil, err
		}
		if s, ok := out.(string); ok {
			if err := r.keep(s); err != nil {
				return nil, err
			}
		}
		v = out
	}
	return v, nil
}

// filterError is a failure that is written in the place of the value.
type filterError string

func (e filterError) Error() string { return string(e) }

// condition is what if, unless and case test.
type condition interface {
	test(r *run) bool
}

type comparison struct {
	operator    string // empty: whether left is true
	left, right operand
}

type logical struct {
	and         bool
	left, right condition
}

func (c *logical) test(r *run) bool {
	if c.and {
		return c.left.test(r) && c.right.test(r)
	}
	return c.left.test(r) || c.right.test(r)
}

func (c *comparison) test(r *run) bool {
	a := c.left.eval(r)
	if c.operator == "" {
		return truthy(a)
	}
	b := c.right.eval(r)
	switch c.operator {
	case "==":
		return equal(a, b)
	case "!=", "<>":
		return !equal(a, b)
	case "contains":
		return contains(a, b)
	case "startswith":
		return first(a, b)
	case "endswith":
		return last(a, b)
	case "haskey":
		o, ok := a.(Object)
		if ok {
			_, ok = o.Get(Text(b))
		}
		return ok
	case "hasvalue":
		for _, item := range items(a) {
			if p, ok := item.(pair); ok && equal(p.value, b) {
				return true
			}
		}
		return false
	}
	n, ok := order(a, b)
	if !ok {
		return false
	}
	switch c.operator {
	case "<":
		return n < 0
	case "<=":
		return n <= 0
	case ">":
		return n > 0
	}
	return n >= 0
}

func contains(a, b any) bool {
	if s, ok := plain(a).(string); ok {
		return b != nil && strings.Contains(s, Text(b))
	}
	for _, item := range items(a) {
		if p, ok := item.(pair); ok {
			item = p.key
		}
		if equal(item, b) {
			return true
		}
	}
	return false
}

func first(a, b any) bool {
	if s, ok := plain(a).(string); ok {
		return strings.HasPrefix(s, Text(b))
	}
	return len(items(a)) > 0 && equal(element(a, 0), b)
}

func last(a, b any) bool {
	if s, ok := plain(a).(string); ok {
		return strings.HasSuffix(s, Text(b))
	}
	return len(items(a)) > 0 && equal(element(a, -1), b)
}

// markup reads the tokens of one {{ }} or {% %}.
type markup struct {
	tokens []token
	at     int
	depth  int
	p      *parser
}

func (m *markup) peek() token { return m.tokens[m.at] }

func (m *markup) next() token {
	t := m.tokens[m.at]
	if t.kind != tokenEnd {
		m.at++
	}
	return t
}

// take takes a mark or a name if it is next.
func (m *markup) take(text string) bool {
	if t := m.peek(); (t.kind == tokenMark || t.kind == tokenName) && t.text == text {
		m.at++
		return true
	}
	return false
}

func (m *markup) expect(text string) error {
	if m.take(text) {
		return nil
	}
	return m.unexpected("expected " + strconv.Quote(text))
}

func (m *markup) unexpected(what string) error {
	t := m.peek()
	if t.kind == tokenEnd {
		return &located{t.at, what + " before the end"}
	}
	return &located{t.at, fmt.Sprintf("%s, not %q", what, t.text)}
}

func (m *markup) end() error {
	if m.peek().kind != tokenEnd {
		return m.unexpected("expected the end")
	}
	return nil
}

// maxOperandDepth bounds brackets in brackets.
const maxOperandDepth = 20

// operand reads a literal, a variable or a range.
func (m *markup) operand() (operand, error) {
	if m.depth++; m.depth > maxOperandDepth {
		return nil, m.unexpected("brackets are nested too deeply")
	}
	defer func() { m.depth-- }()
	t := m.peek()
	switch t.kind {
	case tokenString:
		m.next()
		return literal{t.text}, nil
	case tokenNumber:
		m.next()
		return numberLiteral(t)
	case tokenName:
		m.next()
		return m.named(t.text)
	}
	switch {
	case m.take("("):
		return m.interval()
	case t.text == "[" && t.kind == tokenMark: // [name]: a variable whose name is a value
		m.next()
		inner, err := m.operand()
		if err != nil {
			return nil, err
		}
		if err := m.expect("]"); err != nil {
			return nil, err
		}
		if l, ok := inner.(literal); ok {
			return m.members(&path{name: Text(l.value)})
		}
		return nil, &located{t.at, "the name of a variable must be a text"}
	}
	return nil, m.unexpected("expected a value")
}

func numberLiteral(t token) (operand, error) {
	if n, err := strconv.ParseInt(t.text, 10, 64); err == nil {
		return literal{n}, nil
	}
	d, ok := parseDecimal(t.text)
	if !ok {
		return nil, &located{t.at, "the number is too large"}
	}
	return literal{d}, nil
}

// named is the operand that begins with a name: a keyword or a variable.
func (m *markup) named(name string) (operand, error) {
	if t := m.peek(); t.text != "." && t.text != "[" || t.kind != tokenMark {
		switch name {
		case "nil", "null":
			return literal{nil}, nil
		case "true":
			return literal{true}, nil
		case "false":
			return literal{false}, nil
		case "empty", "blank":
			return literal{keyword{}}, nil
		}
	}
	return m.members(&path{name: name})
}

// members reads .name and [key].
func (m *markup) members(p *path) (operand, error) {
	for {
		switch {
		case m.take("."):
			t := m.next()
			if t.kind != tokenName && t.kind != tokenNumber {
				m.at--
				return nil, m.unexpected("expected the name of a member")
			}
			p.keys = append(p.keys, literal{t.text})
		case m.take("["):
			k, err := m.operand()
			if err != nil {
				return nil, err
			}
			if err := m.expect("]"); err != nil {
				return nil, err
			}
			p.keys = append(p.keys, k)
		default:
			return p, nil
		}
	}
}

// interval reads what follows the bracket of (a..b).
func (m *markup) interval() (operand, error) {
	from, err := m.operand()
	if err != nil {
		return nil, err
	}
	if err := m.expect(".."); err != nil {
		return nil, err
	}
	to, err := m.operand()
	if err != nil {
		return nil, err
	}
	return &rangeOf{from, to}, m.expect(")")
}

// filtered reads an operand and its filters.
func (m *markup) filtered() (*filtered, error) {
	of, err := m.operand()
	if err != nil {
		return nil, err
	}
	f := &filtered{of: of}
	for m.take("|") {
		t := m.next()
		if t.kind != tokenName {
			m.at--
			return nil, m.unexpected("expected the name of a filter")
		}
		c := call{name: t.text, run: findFilter(t.text)}
		if c.run == nil {
			m.p.warn(t.at, "there is no filter %q", t.text)
		}
		for more := m.take(":"); more; more = m.take(",") {
			a, err := m.operand()
			if err != nil {
				return nil, err
			}
			c.args = append(c.args, a)
		}
		f.filters = append(f.filters, c)
	}
	return f, nil
}

// condition reads comparisons joined by and, or; as in DotLiquid the last one is evaluated first.
func (m *markup) condition() (condition, error) {
	var parts []condition
	var ands []bool
	for {
		c, err := m.comparison()
		if err != nil {
			return nil, err
		}
		parts = append(parts, c)
		switch {
		case m.take("and"):
			ands = append(ands, true)
		case m.take("or"):
			ands = append(ands, false)
		default:
			all := parts[len(parts)-1]
			for i := len(parts) - 2; i >= 0; i-- {
				all = &logical{ands[i], parts[i], all}
			}
			return all, m.end()
		}
	}
}

func (m *markup) comparison() (condition, error) {
	left, err := m.operand()
	if err != nil {
		return nil, err
	}
	c := &comparison{left: left}
	switch t := m.peek(); t.kind {
	case tokenMark:
		switch t.text {
		case "==", "!=", "<>", "<", "<=", ">", ">=":
			c.operator = t.text
		}
	case tokenName:
		switch name := foldName(t.text); name {
		case "contains", "startswith", "endswith", "haskey", "hasvalue":
			c.operator = name
		}
	}
	if c.operator == "" {
		return c, nil
	}
	m.next()
	c.right, err = m.operand()
	return c, err
}

// foldName makes one spelling of UrlEncode, url_encode and urlencode.
func foldName(s string) string { return strings.ToLower(strings.ReplaceAll(s, "_", "")) }
