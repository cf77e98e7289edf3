package clr

import (
	"math"
	"strings"

	"github.com/causeway-apim/causeway/internal/csharp"
)

// An xpathFunc is a function of XPath's core library (section 4).
type xpathFunc struct {
	min, max int
	do       func(c *xpathContext, args []any) any
}

// xpathFunction finds a function.
func xpathFunction(name string) (xpathFunc, bool) {
	if f, ok := xpathStringFunction(name); ok {
		return f, true
	}
	switch name {
	case "last":
		return xpathFunc{0, 0, func(c *xpathContext, _ []any) any { return float64(c.size) }}, true
	case "position":
		return xpathFunc{0, 0, func(c *xpathContext, _ []any) any { return float64(c.position) }}, true
	case "count":
		return xpathFunc{1, 1, func(_ *xpathContext, a []any) any { return float64(len(nodeSet(a[0]))) }}, true
	case "id":
		return xpathFunc{1, 1, xpathByID}, true
	case "sum":
		return xpathFunc{1, 1, func(c *xpathContext, a []any) any {
			total := 0.0
			for _, n := range nodeSet(a[0]) {
				total += c.num(xpathSet{n})
			}
			return total
		}}, true
	case "boolean":
		return xpathFunc{1, 1, func(_ *xpathContext, a []any) any { return xpathBool(a[0]) }}, true
	case "not":
		return xpathFunc{1, 1, func(_ *xpathContext, a []any) any { return !xpathBool(a[0]) }}, true
	case "true", "false":
		return xpathFunc{0, 0, func(*xpathContext, []any) any { return name == "true" }}, true
	case "lang":
		return xpathFunc{1, 1, func(c *xpathContext, a []any) any { return c.lang(c.text(a[0])) }}, true
	case "number":
		return xpathFunc{0, 1, func(c *xpathContext, a []any) any { return c.num(c.orNode(a)) }}, true
	case "floor":
		return xpathFunc{1, 1, func(c *xpathContext, a []any) any { return math.Floor(c.num(a[0])) }}, true
	case "ceiling":
		return xpathFunc{1, 1, func(c *xpathContext, a []any) any { return math.Ceil(c.num(a[0])) }}, true
	case "round":
		return xpathFunc{1, 1, func(c *xpathContext, a []any) any { return xpathRound(c.num(a[0])) }}, true
	}
	return xpathFunc{}, false
}

func xpathStringFunction(name string) (xpathFunc, bool) {
	two := func(f func(a, b string) any) (xpathFunc, bool) {
		return xpathFunc{2, 2, func(c *xpathContext, a []any) any { return f(c.text(a[0]), c.text(a[1])) }}, true
	}
	named := func(f func(prefix, local, uri string) string) (xpathFunc, bool) {
		return xpathFunc{0, 1, func(c *xpathContext, a []any) any {
			if set := nodeSet(c.orNode(a)); len(set) > 0 {
				return f(set[0].xpathName())
			}
			return ""
		}}, true
	}
	switch name {
	case "string":
		return xpathFunc{0, 1, func(c *xpathContext, a []any) any { return c.text(c.orNode(a)) }}, true
	case "local-name":
		return named(func(_, local, _ string) string { return local })
	case "namespace-uri":
		return named(func(_, _, uri string) string { return uri })
	case "name":
		return named(func(prefix, local, _ string) string { return qualified(prefix, local) })
	case "concat":
		return xpathFunc{2, math.MaxInt, func(c *xpathContext, a []any) any {
			out := ""
			for _, v := range a {
				out = csharp.Concat(out, c.text(v))
				c.r.Alloc(len(out))
			}
			return out
		}}, true
	case "starts-with":
		return two(func(a, b string) any { return strings.HasPrefix(a, b) })
	case "contains":
		return two(func(a, b string) any { return strings.Contains(a, b) })
	case "substring-before":
		return two(func(a, b string) any {
			before, _, ok := strings.Cut(a, b)
			if !ok {
				return ""
			}
			return before
		})
	case "substring-after":
		return two(func(a, b string) any { _, after, _ := strings.Cut(a, b); return after })
	case "substring":
		return xpathFunc{2, 3, xpathSubstring}, true
	case "string-length":
		return xpathFunc{0, 1, func(c *xpathContext, a []any) any { return float64(csharp.Length(c.text(c.orNode(a)))) }}, true
	case "normalize-space":
		return xpathFunc{0, 1, func(c *xpathContext, a []any) any {
			return strings.Join(strings.FieldsFunc(c.text(c.orNode(a)), func(r rune) bool { return strings.ContainsRune(" \t\r\n", r) }), " ")
		}}, true
	case "translate":
		return xpathFunc{3, 3, func(c *xpathContext, a []any) any { return xpathTranslate(c.text(a[0]), c.text(a[1]), c.text(a[2])) }}, true
	}
	return xpathFunc{}, false
}

// nodeSet is an argument that must be one.
func nodeSet(v any) xpathSet {
	set, ok := v.(xpathSet)
	if !ok {
		xpathError("Expression must evaluate to a node-set.")
	}
	return set
}

// orNode gives the only argument, or the context node where there is none.
func (c *xpathContext) orNode(args []any) any {
	if len(args) > 0 {
		return args[0]
	}
	return xpathSet{c.node}
}

// xpathByID is id(): no document declares identifiers, and LINQ to XML does not look for them.
func xpathByID(c *xpathContext, _ []any) any {
	if _, ok := c.node.(linqNode); ok {
		csharp.Throw("System.NotSupportedException", "This XPathNavigator does not support IDs.")
	}
	return xpathSet(nil)
}

// lang tells whether xml:lang of the context node is the language or a dialect of it.
func (c *xpathContext) lang(want string) bool {
	for n := c.node; n != nil; n = n.xpathParent() {
		for _, a := range n.xpathAttributes() {
			if _, local, uri := a.xpathName(); local == "lang" && uri == xmlSpace {
				have, _, _ := strings.Cut(strings.ToLower(a.xpathValue())+"-", strings.ToLower(want)+"-")
				return have == ""
			}
		}
	}
	return false
}

// xpathRound rounds half towards positive infinity.
func xpathRound(f float64) float64 {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return f
	}
	if t := math.Trunc(f); t == f {
		return f
	}
	return math.Copysign(math.Floor(f+0.5), f)
}

// xpathSubstring takes the characters whose position is at least the rounded first number and below its sum with the second.
func xpathSubstring(c *xpathContext, a []any) any {
	s := c.text(a[0])
	n := float64(csharp.Length(s))
	from := xpathRound(c.num(a[1]))
	to := math.Inf(1)
	if len(a) > 2 {
		to = from + xpathRound(c.num(a[2]))
	}
	if math.IsNaN(from) || math.IsNaN(to) {
		return ""
	}
	from, to = max(from, 1), min(to, n+1)
	if from >= to {
		return ""
	}
	return csharp.Slice(s, int(from)-1, int(to)-1)
}

func xpathTranslate(s, from, to string) string {
	src, dst := []rune(from), []rune(to)
	table := map[rune]rune{}
	for i, r := range src {
		if _, ok := table[r]; ok {
			continue
		}
		table[r] = -1
		if i < len(dst) {
			table[r] = dst[i]
		}
	}
	return strings.Map(func(r rune) rune {
		if t, ok := table[r]; ok {
			return t
		}
		return r
	}, s)
}
