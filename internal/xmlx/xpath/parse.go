package xpath

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/causeway-apim/causeway/internal/xmlx"
)

// Static is what an expression refers to outside of itself.
type Static interface {
	// Space is the namespace of a prefix.
	Space(prefix string) (uri string, ok bool)
	// Variable finds a variable.
	Variable(name xmlx.Name) (func(*Context) Value, error)
	// Function finds a function that XPath itself does not have; nil when there is none either.
	Function(name xmlx.Name, args []*Expr) (*Expr, error)
}

// Expr is a compiled expression.
type Expr struct {
	Type Type
	eval func(*Context) Value
	// positional says that the value depends on position() or last().
	positional bool
	// constant says that the value is always the same.
	constant bool
}

// NewExpr makes an expression of a function.
func NewExpr(t Type, eval func(*Context) Value, args ...*Expr) *Expr {
	e := &Expr{Type: t, eval: eval}
	for _, a := range args {
		e.positional = e.positional || a.positional
	}
	return e
}

// Eval evaluates the expression. It fails by [Fail].
func (e *Expr) Eval(c *Context) Value { return e.eval(c) }

// Nodes evaluates an expression whose value must be a set of nodes.
func (e *Expr) Nodes(c *Context) []*Node {
	v := e.eval(c)
	switch v.Type {
	case Set:
		return v.Nodes
	case Fragment:
		Fail(errors.New("a result tree fragment cannot be used as a node-set; convert it with msxsl:node-set() first"))
	}
	Fail(errors.New("the expression does not give a node-set"))
	return nil
}

// Compile compiles an expression.
func Compile(text string, static Static) (*Expr, error) {
	p, err := newParser(text, static)
	if err == nil {
		var e *Expr
		if e, err = p.whole(p.or); err == nil {
			return e, nil
		}
	}
	return nil, fmt.Errorf("the expression %q: %w", text, err)
}

type parser struct {
	tokens []token
	at     int
	depth  int
	static Static
}

// maxNesting is how deep an expression may be nested.
const maxNesting = 100

func newParser(text string, static Static) (*parser, error) {
	tokens, err := scan(text)
	return &parser{tokens: tokens, static: static}, err
}

func (p *parser) whole(parse func() (*Expr, error)) (*Expr, error) {
	e, err := parse()
	if err == nil && p.peek().kind != tokenEnd {
		err = fmt.Errorf("unexpected %q", p.peek().text)
	}
	return e, err
}

func (p *parser) peek() token { return p.tokens[p.at] }

func (p *parser) peekAt(n int) token { return p.tokens[min(p.at+n, len(p.tokens)-1)] }

func (p *parser) symbol(s string) bool {
	if t := p.peek(); t.kind == tokenSymbol && t.text == s {
		p.at++
		return true
	}
	return false
}

func (p *parser) operator(names ...string) string {
	t := p.peek()
	if t.kind != tokenOperator && t.kind != tokenSymbol {
		return ""
	}
	for _, name := range names {
		if t.text == name {
			p.at++
			return name
		}
	}
	return ""
}

func (p *parser) expect(s string) error {
	if !p.symbol(s) {
		return fmt.Errorf("%q is missing before %q", s, p.peek().text)
	}
	return nil
}

// binary parses operands with operators of one level between them.
func (p *parser) binary(operand func() (*Expr, error), make func(op string, a, b *Expr) (*Expr, error), ops ...string) (*Expr, error) {
	a, err := operand()
	for n := 0; err == nil; n++ {
		op := p.operator(ops...)
		if op == "" {
			return a, nil
		}
		if n > maxNesting*10 {
			return nil, errors.New("the expression has too many operators")
		}
		var b *Expr
		if b, err = operand(); err == nil {
			a, err = make(op, a, b)
		}
	}
	return nil, err
}

func (p *parser) or() (*Expr, error) {
	if p.depth++; p.depth > maxNesting {
		return nil, errors.New("the expression is nested too deeply")
	}
	defer func() { p.depth-- }()
	return p.binary(p.and, func(_ string, a, b *Expr) (*Expr, error) {
		return NewExpr(Boolean, func(c *Context) Value { return BoolValue(a.eval(c).Bool() || b.eval(c).Bool()) }, a, b), nil
	}, "or")
}

func (p *parser) and() (*Expr, error) {
	return p.binary(p.equality, func(_ string, a, b *Expr) (*Expr, error) {
		return NewExpr(Boolean, func(c *Context) Value { return BoolValue(a.eval(c).Bool() && b.eval(c).Bool()) }, a, b), nil
	}, "and")
}

func comparison(op string, a, b *Expr) (*Expr, error) {
	return NewExpr(Boolean, func(c *Context) Value {
		x, y := a.eval(c), b.eval(c)
		c.Budget.Spend(1 + len(x.Nodes)*max(1, len(y.Nodes)))
		return BoolValue(compare(op, x, y))
	}, a, b), nil
}

func (p *parser) equality() (*Expr, error) { return p.binary(p.relational, comparison, "=", "!=") }

func (p *parser) relational() (*Expr, error) {
	return p.binary(p.additive, comparison, "<", "<=", ">", ">=")
}

func arithmetic(op string, a, b *Expr) (*Expr, error) {
	return NewExpr(Number, func(c *Context) Value {
		x, y := a.eval(c).Number(), b.eval(c).Number()
		switch op {
		case "+":
			x += y
		case "-":
			x -= y
		case "*":
			x *= y
		case "div":
			x /= y
		case "mod":
			x = math.Mod(x, y)
		}
		return NumberValue(x)
	}, a, b), nil
}

func (p *parser) additive() (*Expr, error) { return p.binary(p.multiplicative, arithmetic, "+", "-") }

func (p *parser) multiplicative() (*Expr, error) {
	return p.binary(p.unary, arithmetic, "*", "div", "mod")
}

func (p *parser) unary() (*Expr, error) {
	minus := 0
	for p.operator("-") != "" {
		minus++
	}
	e, err := p.union()
	if err != nil || minus == 0 {
		return e, err
	}
	sign := float64(1 - 2*(minus%2))
	return NewExpr(Number, func(c *Context) Value { return NumberValue(sign * e.eval(c).Number()) }, e), nil
}

func (p *parser) union() (*Expr, error) {
	return p.binary(p.path, func(_ string, a, b *Expr) (*Expr, error) {
		if err := mustBeSets(a, b); err != nil {
			return nil, err
		}
		return NewExpr(Set, func(c *Context) Value {
			x, y := a.Nodes(c), b.Nodes(c)
			c.Budget.Spend(len(x) + len(y))
			all := append(append(make([]*Node, 0, len(x)+len(y)), x...), y...)
			return SetValue(InOrder(all)...)
		}, a, b), nil
	}, "|")
}

func mustBeSets(list ...*Expr) error {
	for _, e := range list {
		if e.Type != Set && e.Type != Any {
			return errors.New("a node-set is needed here")
		}
	}
	return nil
}

// path parses a location path, or a primary expression with what follows it.
func (p *parser) path() (*Expr, error) {
	if !p.isPrimary() {
		return p.location()
	}
	e, err := p.primary()
	if err != nil {
		return nil, err
	}
	if t := p.peek(); t.kind == tokenSymbol && t.text == "[" {
		if err := mustBeSets(e); err != nil {
			return nil, err
		}
		predicates, err := p.predicates()
		if err != nil {
			return nil, err
		}
		e = filter(e, predicates)
	}
	if t := p.peek(); t.kind != tokenSymbol || t.text != "/" && t.text != "//" {
		return e, nil
	}
	if err := mustBeSets(e); err != nil {
		return nil, err
	}
	steps, err := p.moreSteps(nil)
	if err != nil {
		return nil, err
	}
	start := e
	return NewExpr(Set, pathOf(func(c *Context) []*Node { return start.Nodes(c) }, steps), e), nil
}

func (p *parser) isPrimary() bool {
	switch t := p.peek(); t.kind {
	case tokenVariable, tokenLiteral, tokenNumber:
		return true
	case tokenSymbol:
		return t.text == "("
	case tokenName:
		if next := p.peekAt(1); next.kind != tokenSymbol || next.text != "(" {
			return false
		}
		return !isNodeType(t.text)
	}
	return false
}

func isNodeType(s string) bool {
	return s == "node" || s == "text" || s == "comment" || s == "processing-instruction"
}

func (p *parser) primary() (*Expr, error) {
	t := p.peek()
	p.at++
	switch t.kind {
	case tokenVariable:
		name, err := p.name(t.text)
		if err != nil {
			return nil, err
		}
		eval, err := p.static.Variable(name)
		if err != nil {
			return nil, err
		}
		return NewExpr(Any, eval), nil
	case tokenLiteral:
		return Constant(StringValue(t.text)), nil
	case tokenNumber:
		return Constant(NumberValue(ParseNumber(t.text))), nil
	case tokenSymbol:
		e, err := p.or()
		if err == nil {
			err = p.expect(")")
		}
		return e, err
	}
	return p.call(t.text)
}

// Constant is an expression for a value.
func Constant(v Value) *Expr {
	return &Expr{Type: v.Type, constant: true, eval: func(*Context) Value { return v }}
}

// name resolves the prefix of a name; names without one have no namespace.
func (p *parser) name(s string) (xmlx.Name, error) {
	prefix, local, ok := strings.Cut(s, ":")
	if !ok {
		return xmlx.Name{Local: s}, nil
	}
	uri, ok := p.static.Space(prefix)
	if !ok {
		return xmlx.Name{}, fmt.Errorf("the prefix %q is not declared", prefix)
	}
	return xmlx.Name{Prefix: prefix, Local: local, Space: uri}, nil
}

// maxArguments is how many arguments a call may have.
const maxArguments = 100

func (p *parser) call(text string) (*Expr, error) {
	name, err := p.name(text)
	if err != nil {
		return nil, err
	}
	p.at++ // the bracket, which isPrimary has seen
	var args []*Expr
	for !p.symbol(")") {
		if len(args) > 0 {
			if err := p.expect(","); err != nil {
				return nil, err
			}
		}
		if len(args) == maxArguments {
			return nil, fmt.Errorf("%s() has too many arguments", text)
		}
		a, err := p.or()
		if err != nil {
			return nil, err
		}
		args = append(args, a)
	}
	var e *Expr
	if name.Space == "" {
		e, err = core(name.Local, args)
	}
	if e == nil && err == nil {
		e, err = p.static.Function(name, args)
	}
	if e == nil && err == nil {
		err = fmt.Errorf("there is no function %s()", text)
	}
	return e, err
}
