package clr

import (
	"strings"

	"github.com/dlclark/regexp2"

	"github.com/causeway-apim/causeway/internal/csharp"
)

// filter applies [?(expression)] to the children of each token.
func (p *pathReader) filter(in []JToken) (out []JToken) {
	p.at++
	p.blanks()
	if p.peek() != '(' {
		p.fail("Unexpected character while parsing path indexer: " + string(p.peek()))
	}
	p.at++
	f := p.or(0)
	p.blanks()
	if p.peek() != ')' {
		p.fail("Unexpected character while parsing path query: " + string(p.peek()))
	}
	p.at++
	for _, t := range p.all(in) {
		if f(t) {
			out = append(out, t)
		}
	}
	return out
}

// condition decides about one token, @ in the expression.
type condition func(t JToken) bool

func (p *pathReader) or(depth int) condition {
	left := p.and(depth)
	for {
		p.blanks()
		if !strings.HasPrefix(p.s[p.at:], "||") {
			return left
		}
		p.at += 2
		a, b := left, p.and(depth)
		left = func(t JToken) bool { return a(t) || b(t) }
	}
}

func (p *pathReader) and(depth int) condition {
	left := p.comparison(depth)
	for {
		p.blanks()
		if !strings.HasPrefix(p.s[p.at:], "&&") {
			return left
		}
		p.at += 2
		a, b := left, p.comparison(depth)
		left = func(t JToken) bool { return a(t) && b(t) }
	}
}

// filterOperators are the comparisons, longest first.
var filterOperators = []string{"===", "!==", "==", "!=", "<>", "<=", ">=", "=~", "<", ">"}

// operand gives the tokens that one side of a comparison means.
type filterOperand func(t JToken) []JToken

func (p *pathReader) comparison(depth int) condition {
	p.blanks()
	if p.peek() == '(' {
		if depth > 32 {
			p.fail("The path query is nested too deep.")
		}
		p.at++
		inner := p.or(depth + 1)
		p.blanks()
		if p.peek() != ')' {
			p.fail("Unexpected character while parsing path query: " + string(p.peek()))
		}
		p.at++
		return inner
	}
	left := p.operand()
	p.blanks()
	for _, op := range filterOperators {
		if strings.HasPrefix(p.s[p.at:], op) {
			p.at += len(op)
			right := p.operand()
			return func(t JToken) bool {
				for _, a := range left(t) {
					for _, b := range right(t) {
						p.r.Step()
						if p.compare(op, a, b) {
							return true
						}
					}
				}
				return false
			}
		}
	}
	return func(t JToken) bool { return len(left(t)) > 0 }
}

func (p *pathReader) operand() filterOperand {
	p.blanks()
	switch c := p.peek(); {
	case c == '@' || c == '$':
		return p.pathOperand(c)
	case c == '\'' || c == '"':
		s := p.quoted()
		return constantOperand(&JValue{typ: jsonString, v: s})
	case c == '/':
		end := p.at + 1
		for end < len(p.s) && p.s[end] != '/' {
			if p.s[end] == '\\' {
				end++
			}
			end++
		}
		for end++; end < len(p.s) && p.s[end]|0x20 >= 'a' && p.s[end]|0x20 <= 'z'; end++ {
		}
		text := p.s[p.at:min(end, len(p.s))]
		p.at = min(end, len(p.s))
		return constantOperand(&JValue{typ: jsonString, v: text})
	}
	start := p.at
	for p.at < len(p.s) && (isNameByte(p.s[p.at]) || strings.IndexByte("+-.", p.s[p.at]) >= 0) {
		p.at++
	}
	if p.at == start {
		p.fail("Could not read query operator.")
	}
	return constantOperand(ParseToken(p.r, p.s[start:p.at]))
}

func constantOperand(t JToken) filterOperand { return func(JToken) []JToken { return []JToken{t} } }

// pathOperand reads a path that starts at the token (@) or at the root ($) and ends where the comparison goes on.
func (p *pathReader) pathOperand(from byte) filterOperand {
	p.at++
	start, depth := p.at, 0
	for p.at < len(p.s) {
		c := p.s[p.at]
		if c == '\'' || c == '"' {
			p.quoted()
			continue
		}
		if depth == 0 && strings.IndexByte(" )=!<>&|,]", c) >= 0 {
			break
		}
		switch c {
		case '[':
			depth++
		case ']':
			depth--
		}
		p.at++
	}
	path, root := p.s[start:p.at], p.root
	return func(t JToken) []JToken {
		if from == '$' {
			t = root
		}
		inner := &pathReader{r: p.r, s: path, root: root}
		return inner.steps([]JToken{t}, false)
	}
}

// compare applies an operator to two simple values. Strings and numbers are compared by value, as Newtonsoft does.
func (p *pathReader) compare(op string, a, b JToken) bool {
	x, okA := a.(*JValue)
	y, okB := b.(*JValue)
	if !okA || !okB {
		return op == "!=" || op == "<>" || op == "!=="
	}
	switch op {
	case "=~":
		return matchesPattern(p.r, x, y)
	case "===":
		return strictEqual(x, y)
	case "!==":
		return !strictEqual(x, y)
	case "==":
		return looseEqual(x, y)
	case "!=", "<>":
		return !looseEqual(x, y)
	}
	if x.v == nil || y.v == nil {
		return false
	}
	n := 0
	f, okF := jsonNumber(x.v)
	g, okG := jsonNumber(y.v)
	switch {
	case okF && okG:
		n = compareFloats(f, g)
	default:
		n = strings.Compare(x.ToString(), y.ToString())
	}
	switch op {
	case "<":
		return n < 0
	case "<=":
		return n <= 0
	case ">":
		return n > 0
	}
	return n >= 0
}

func strictEqual(x, y *JValue) bool {
	if (x.typ == jsonInteger || x.typ == jsonFloat) && (y.typ == jsonInteger || y.typ == jsonFloat) {
		f, _ := jsonNumber(x.v)
		g, _ := jsonNumber(y.v)
		return f == g
	}
	return x.typ == y.typ && equalJSONValues(x.v, y.v)
}

// looseEqual also finds a date, a Guid and the like equal to its text.
func looseEqual(x, y *JValue) bool {
	if strictEqual(x, y) {
		return true
	}
	switch {
	case y.typ == jsonString && x.typ != jsonNull && x.typ != jsonBoolean && x.typ != jsonInteger && x.typ != jsonFloat:
		if d, ok := x.v.(DateTime); ok {
			return jsonDateText(d, nil) == y.ToString()
		}
		return x.ToString() == y.ToString()
	}
	return false
}

// matchesPattern is the operator =~ with a text and /pattern/flags.
func matchesPattern(r run, x, y *JValue) bool {
	pattern := strings.TrimPrefix(y.ToString(), "/")
	end := strings.LastIndexByte(pattern, '/')
	if x.typ != jsonString || end < 0 {
		return false
	}
	options := regexp2.None
	for _, c := range pattern[end+1:] {
		switch c {
		case 'i':
			options |= regexp2.IgnoreCase
		case 'm':
			options |= regexp2.Multiline
		case 's':
			options |= regexp2.Singleline
		case 'x':
			options |= regexp2.IgnorePatternWhitespace
		}
	}
	re, err := regexp2.Compile(pattern[:end], options)
	if err != nil {
		csharp.Throw("System.ArgumentException", err.Error())
	}
	re.MatchTimeout = r.RegexTime()
	ok, err := re.MatchString(x.ToString())
	return ok && err == nil
}
