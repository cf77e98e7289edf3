package xpath

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Type is the type of a value.
type Type uint8

// The types. Any is that of an expression whose type is known only when it runs.
const (
	Any Type = iota
	Set
	Number
	String
	Boolean
	// Fragment is a result tree fragment of XSLT: it counts as a string, and is no set of nodes.
	Fragment
)

// Value is a value of any type but [Any].
type Value struct {
	Type  Type
	Nodes []*Node // of a Set, in document order; of a Fragment, its root
	num   float64
	str   string
	bool  bool
}

// NumberValue, StringValue, BoolValue, SetValue and FragmentValue make values.
func NumberValue(f float64) Value { return Value{Type: Number, num: f} }

// StringValue makes a string.
func StringValue(s string) Value { return Value{Type: String, str: s} }

// BoolValue makes a boolean.
func BoolValue(b bool) Value { return Value{Type: Boolean, bool: b} }

// SetValue makes a set of nodes, which are in document order.
func SetValue(nodes ...*Node) Value { return Value{Type: Set, Nodes: nodes} }

// FragmentValue makes a result tree fragment.
func FragmentValue(root *Node) Value { return Value{Type: Fragment, Nodes: []*Node{root}} }

// String is the value as a string.
func (v Value) String() string {
	switch v.Type {
	case Set, Fragment:
		if len(v.Nodes) == 0 {
			return ""
		}
		return v.Nodes[0].String()
	case Number:
		return FormatNumber(v.num)
	case Boolean:
		return strconv.FormatBool(v.bool)
	}
	return v.str
}

// Number is the value as a number.
func (v Value) Number() float64 {
	switch v.Type {
	case Number:
		return v.num
	case Boolean:
		if v.bool {
			return 1
		}
		return 0
	}
	return ParseNumber(v.String())
}

// Bool is the value as a boolean.
func (v Value) Bool() bool {
	switch v.Type {
	case Set:
		return len(v.Nodes) > 0
	case Fragment:
		return true
	case Number:
		return v.num != 0 && !math.IsNaN(v.num)
	case Boolean:
		return v.bool
	}
	return v.str != ""
}

// FormatNumber writes a number without an exponent.
func FormatNumber(f float64) string {
	switch {
	case math.IsNaN(f):
		return "NaN"
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	case f == 0:
		return "0"
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}

const xmlSpace = " \t\r\n"

// ParseNumber reads a number: digits with at most one point, a minus sign, white space around them. NaN for anything else.
func ParseNumber(s string) float64 {
	s = strings.Trim(s, xmlSpace)
	digits, point := 0, false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case '0' <= c && c <= '9':
			digits++
		case c == '.' && !point:
			point = true
		case c == '-' && i == 0:
		default:
			return math.NaN()
		}
	}
	if digits == 0 {
		return math.NaN()
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil && !math.IsInf(f, 0) {
		return math.NaN()
	}
	return f
}

// Round rounds to the nearest integer, halves upwards.
func Round(f float64) float64 {
	if r := math.Floor(f + 0.5); r != 0 || f > 0 {
		return r
	}
	return math.Copysign(0, f)
}

// InOrder puts nodes into document order, each once.
func InOrder(nodes []*Node) []*Node {
	sorted := true
	for i := 1; i < len(nodes) && sorted; i++ {
		sorted = nodes[i-1].order < nodes[i].order
	}
	if sorted {
		return nodes
	}
	slices.SortStableFunc(nodes, func(a, b *Node) int { return cmp.Compare(a.order, b.order) })
	return compactNodes(nodes)
}

// compactNodes drops what stands twice. Namespaces of one element share their order, so that neighbours are not enough.
func compactNodes(nodes []*Node) []*Node {
	out := nodes[:0]
	for i, n := range nodes {
		twice := false
		for j := len(out) - 1; j >= 0 && out[j].order == n.order && !twice; j-- {
			twice = out[j] == n
		}
		if !twice {
			out = append(out, nodes[i])
		}
	}
	return out
}

// compare says whether a value stands in a relation to another one: =, !=, <, <=, >, >=.
func compare(op string, a, b Value) bool {
	if a.Type == Set && b.Type != Boolean {
		for _, n := range a.Nodes {
			if compareNode(op, n, b) {
				return true
			}
		}
		return false
	}
	if b.Type == Set && a.Type != Boolean {
		for _, n := range b.Nodes {
			if compareAtoms(op, a, nodeAtom(n, a)) {
				return true
			}
		}
		return false
	}
	return compareAtoms(op, a, b)
}

func compareNode(op string, n *Node, b Value) bool {
	if b.Type != Set {
		return compareAtoms(op, nodeAtom(n, b), b)
	}
	a := StringValue(n.String())
	for _, m := range b.Nodes {
		if compareAtoms(op, a, StringValue(m.String())) {
			return true
		}
	}
	return false
}

// nodeAtom is a node as it is compared with a value.
func nodeAtom(n *Node, with Value) Value {
	if with.Type == Number {
		return NumberValue(ParseNumber(n.String()))
	}
	return StringValue(n.String())
}

func compareAtoms(op string, a, b Value) bool {
	if op == "=" || op == "!=" {
		var equal bool
		switch {
		case a.Type == Boolean || b.Type == Boolean:
			equal = a.Bool() == b.Bool()
		case a.Type == Number || b.Type == Number:
			equal = a.Number() == b.Number()
		default:
			equal = a.String() == b.String()
		}
		return equal == (op == "=")
	}
	x, y := a.Number(), b.Number()
	switch op {
	case "<":
		return x < y
	case "<=":
		return x <= y
	case ">":
		return x > y
	}
	return x >= y
}
