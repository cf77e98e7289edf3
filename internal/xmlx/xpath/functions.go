package xpath

import (
	"fmt"
	"math"
	"strings"
	"unicode/utf8"

	"github.com/causeway-apim/causeway/internal/xmlx"
)

// core finds a function of XPath itself; nil when there is none of that name.
func core(name string, args []*Expr) (*Expr, error) {
	var e *Expr
	least, most := 0, 0
	switch name {
	case "last":
		e = &Expr{Type: Number, positional: true, eval: func(c *Context) Value { return NumberValue(float64(c.Size)) }}
	case "position":
		e = &Expr{Type: Number, positional: true, eval: func(c *Context) Value { return NumberValue(float64(c.Position)) }}
	case "true", "false":
		e = Constant(BoolValue(name == "true"))
	case "count", "sum":
		least, most, e = 1, 1, overSet(name, args)
	case "id", "boolean", "not", "ceiling", "floor", "round", "lang":
		least, most, e = 1, 1, ofOne(name, args)
	case "local-name", "namespace-uri", "name":
		most, e = 1, nameOf(name, args)
	case "string", "number", "string-length", "normalize-space":
		most, e = 1, ofText(name, args)
	case "concat":
		least, most, e = 2, maxArguments, concat(args)
	case "contains", "starts-with", "substring-before", "substring-after":
		least, most, e = 2, 2, ofTwo(name, args)
	case "substring":
		least, most, e = 2, 3, substring(args)
	case "translate":
		least, most, e = 3, 3, translate(args)
	default:
		return nil, nil
	}
	if err := CheckArguments(name, args, least, most); err != nil {
		return nil, err
	}
	if name == "count" || name == "sum" || len(args) == 1 && (name == "local-name" || name == "namespace-uri" || name == "name") {
		if err := mustBeSets(args[0]); err != nil {
			return nil, fmt.Errorf("%s(): %w", name, err)
		}
	}
	for _, a := range args {
		e.positional = e.positional || a.positional
	}
	return e, nil
}

// CheckArguments reports a call with too few or too many arguments.
func CheckArguments(name string, args []*Expr, least, most int) error {
	if len(args) < least || len(args) > most {
		return fmt.Errorf("%s() cannot have %d arguments", name, len(args))
	}
	return nil
}

func overSet(name string, args []*Expr) *Expr {
	return &Expr{Type: Number, eval: func(c *Context) Value {
		nodes := args[0].Nodes(c)
		if name == "count" {
			return NumberValue(float64(len(nodes)))
		}
		var sum float64
		for _, n := range nodes {
			sum += ParseNumber(n.String())
		}
		return NumberValue(sum)
	}}
}

func ofOne(name string, args []*Expr) *Expr {
	number := func(f func(float64) float64) *Expr {
		return &Expr{Type: Number, eval: func(c *Context) Value { return NumberValue(f(args[0].eval(c).Number())) }}
	}
	switch name {
	case "ceiling":
		return number(math.Ceil)
	case "floor":
		return number(math.Floor)
	case "round":
		return number(Round)
	case "id": // without a document type no attribute is an ID
		return &Expr{Type: Set, eval: func(c *Context) Value { args[0].eval(c); return SetValue() }}
	case "lang":
		return &Expr{Type: Boolean, eval: func(c *Context) Value { return BoolValue(inLanguage(c.Node, args[0].eval(c).String())) }}
	}
	not := name == "not"
	return &Expr{Type: Boolean, eval: func(c *Context) Value { return BoolValue(args[0].eval(c).Bool() != not) }}
}

// inLanguage says whether xml:lang of a node is a language or a part of it.
func inLanguage(n *Node, language string) bool {
	for ; n != nil; n = n.Parent {
		if v, ok := n.Attr(xmlx.XML, "lang"); ok {
			v, language = strings.ToLower(v), strings.ToLower(language)
			return v == language || strings.HasPrefix(v, language+"-")
		}
	}
	return false
}

func nameOf(name string, args []*Expr) *Expr {
	return &Expr{Type: String, eval: func(c *Context) Value {
		n := c.Node
		if len(args) == 1 {
			nodes := args[0].Nodes(c)
			if len(nodes) == 0 {
				return StringValue("")
			}
			n = nodes[0]
		}
		switch name {
		case "local-name":
			return StringValue(n.Name.Local)
		case "namespace-uri":
			return StringValue(n.Name.Space)
		}
		return StringValue(n.Name.String())
	}}
}

func ofText(name string, args []*Expr) *Expr {
	value := func(c *Context) Value {
		if len(args) == 0 {
			return StringValue(c.Node.String())
		}
		return args[0].eval(c)
	}
	switch name {
	case "number":
		return &Expr{Type: Number, eval: func(c *Context) Value { return NumberValue(value(c).Number()) }}
	case "string-length": // in UTF-16 units, as .NET counts
		return &Expr{Type: Number, eval: func(c *Context) Value { return NumberValue(float64(length16(value(c).String()))) }}
	case "normalize-space":
		return &Expr{Type: String, eval: func(c *Context) Value { return StringValue(normalizeSpace(value(c).String())) }}
	}
	return &Expr{Type: String, eval: func(c *Context) Value { return StringValue(c.Budget.spendText(value(c).String())) }}
}

func length16(s string) int {
	n := utf8.RuneCountInString(s)
	for _, c := range s {
		if c > 0xffff {
			n++
		}
	}
	return n
}

func normalizeSpace(s string) string {
	return strings.Join(strings.FieldsFunc(s, func(c rune) bool { return strings.ContainsRune(xmlSpace, c) }), " ")
}

func concat(args []*Expr) *Expr {
	return &Expr{Type: String, eval: func(c *Context) Value {
		var b strings.Builder
		for _, a := range args {
			b.WriteString(a.eval(c).String())
		}
		return StringValue(c.Budget.spendText(b.String()))
	}}
}

func ofTwo(name string, args []*Expr) *Expr {
	t := String
	if name == "contains" || name == "starts-with" {
		t = Boolean
	}
	return &Expr{Type: t, eval: func(c *Context) Value {
		a, b := args[0].eval(c).String(), args[1].eval(c).String()
		switch name {
		case "contains":
			return BoolValue(strings.Contains(a, b))
		case "starts-with":
			return BoolValue(strings.HasPrefix(a, b))
		case "substring-before":
			before, _, found := strings.Cut(a, b)
			if !found {
				before = ""
			}
			return StringValue(before)
		}
		_, after, _ := strings.Cut(a, b)
		return StringValue(after)
	}}
}

// substring takes the characters whose position, from 1, is at least the rounded start and less than start plus length.
func substring(args []*Expr) *Expr {
	return &Expr{Type: String, eval: func(c *Context) Value {
		s, from := args[0].eval(c).String(), Round(args[1].eval(c).Number())
		to := math.Inf(1)
		if len(args) == 3 {
			to = from + Round(args[2].eval(c).Number())
		}
		var b strings.Builder
		at := 0.0
		for _, r := range s {
			at++
			if at >= from && at < to {
				b.WriteRune(r)
			}
		}
		return StringValue(c.Budget.spendText(b.String()))
	}}
}

func translate(args []*Expr) *Expr {
	return &Expr{Type: String, eval: func(c *Context) Value {
		s, from, to := args[0].eval(c).String(), args[1].eval(c).String(), []rune(args[2].eval(c).String())
		table := make(map[rune]rune, len(from))
		i := 0
		for _, r := range from {
			if _, ok := table[r]; !ok {
				table[r] = -1
				if i < len(to) {
					table[r] = to[i]
				}
			}
			i++
		}
		return StringValue(c.Budget.spendText(strings.Map(func(r rune) rune {
			if out, ok := table[r]; ok {
				return out
			}
			return r
		}, s)))
	}}
}

// IsFunction says whether XPath itself has a function of that name.
func IsFunction(name string) bool {
	switch name {
	case "last", "position", "true", "false", "count", "sum", "id", "boolean", "not", "ceiling", "floor", "round", "lang", "local-name", "namespace-uri",
		"name", "string", "number", "string-length", "normalize-space", "concat", "contains", "starts-with", "substring-before", "substring-after",
		"substring", "translate":
		return true
	}
	return false
}
