package clr

import (
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/causeway-apim/causeway/internal/csharp"
)

// JToken is Newtonsoft.Json.Linq.JToken: *JObject, *JArray, *JConstructor, *JProperty or *JValue. A token knows its parent; adding one
// that has a parent adds a copy.
type JToken interface {
	kind() jsonKind
	node() *jsonNode
	clone() JToken
	ToString() string
	ClrName() string
}

// jsonKind is JTokenType, with .NET's values.
type jsonKind int

const (
	jsonNone jsonKind = iota
	jsonObject
	jsonArray
	jsonConstructor
	jsonProperty
	jsonComment
	jsonInteger
	jsonFloat
	jsonString
	jsonBoolean
	jsonNull
	jsonUndefined
	jsonDate
	jsonRaw
	jsonBytes
	jsonGuid
	jsonURI
	jsonTimeSpan
)

var jsonKindNames = []string{
	"None", "Object", "Array", "Constructor", "Property", "Comment", "Integer", "Float", "String", "Boolean", "Null",
	"Undefined", "Date", "Raw", "Bytes", "Guid", "Uri", "TimeSpan",
}

// jsonNode is what every token has.
type jsonNode struct{ parent JToken }

func (n *jsonNode) node() *jsonNode { return n }

// jsonChildren are the tokens directly in one.
func jsonChildren(t JToken) []JToken {
	switch x := t.(type) {
	case *JObject:
		out := make([]JToken, len(x.props))
		for i, p := range x.props {
			out[i] = p
		}
		return out
	case jsonList:
		return *x.list()
	case *JProperty:
		if x.value == nil {
			return nil
		}
		return []JToken{x.value}
	}
	return nil
}

// adopt gives a token for a place below parent: itself when it has none yet, a copy otherwise. nil becomes JSON null.
func adopt(parent, t JToken) JToken {
	if isNilToken(t) {
		t = &JValue{typ: jsonNull}
	}
	if _, ok := parent.(jsonList); ok && t.kind() == jsonProperty {
		badChild(t, parent)
	}
	if t.node().parent != nil || isAncestor(t, parent) {
		t = t.clone()
	}
	t.node().parent = parent
	return t
}

// isAncestor tells whether t is parent or above it: a token cannot be below itself.
func isAncestor(t, parent JToken) bool {
	for p := parent; p != nil; p = p.node().parent {
		if p == t {
			return true
		}
	}
	return false
}

func isNilToken(t JToken) bool {
	switch x := t.(type) {
	case nil:
		return true
	case *JObject:
		return x == nil
	case *JArray:
		return x == nil
	case *JConstructor:
		return x == nil
	case *JProperty:
		return x == nil
	case *JValue:
		return x == nil
	}
	return false
}

// tokenOrNil gives t for a C# variable: nil tokens are null.
func tokenOrNil(t JToken) any {
	if isNilToken(t) {
		return nil
	}
	return t
}

// indexIn is the position of a token in its parent.
func indexIn(t JToken) int {
	switch p := t.node().parent.(type) {
	case *JObject:
		for i, x := range p.props {
			if JToken(x) == t {
				return i
			}
		}
	case jsonList:
		return slices.Index(*p.list(), t)
	case *JProperty:
		return 0
	}
	return -1
}

// jsonRoot is the topmost token.
func jsonRoot(t JToken) JToken {
	for t.node().parent != nil {
		t = t.node().parent
	}
	return t
}

// jsonPath is the path from the root: a[0]['b c'].
func jsonPath(t JToken) string {
	var steps []JToken
	for x := t; x.node().parent != nil; x = x.node().parent {
		steps = append(steps, x)
	}
	if p, ok := jsonRoot(t).(*JProperty); ok && p != t {
		steps = append(steps, p)
	}
	var b strings.Builder
	for _, x := range slices.Backward(steps) {
		switch p := x.(type) {
		case *JProperty:
			writePathName(&b, p.name)
		default:
			if _, ok := x.node().parent.(jsonList); ok {
				b.WriteString("[" + strconv.Itoa(indexIn(x)) + "]")
			}
		}
	}
	return b.String()
}

func writePathName(b *strings.Builder, name string) {
	if strings.ContainsAny(name, " '/\"[]()\t\n\r\f\b.\\$@+~`!#%^&*-=<>?,;:|{}") && name != "$" {
		b.WriteString("['" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(name) + "']")
		return
	}
	if b.Len() > 0 {
		b.WriteByte('.')
	}
	b.WriteString(name)
}

// removeToken takes a token out of its parent.
func removeToken(t JToken) {
	switch p := t.node().parent.(type) {
	case nil:
		invalidOperation("The parent is missing.")
	case *JObject:
		p.removeAt(indexIn(t))
	case jsonList:
		removeItem(p, indexIn(t))
	case *JProperty:
		csharp.Throw("Newtonsoft.Json.JsonException", "Cannot add or remove items from Newtonsoft.Json.Linq.JProperty.")
	}
}

// replaceToken puts another token in the place of one.
func replaceToken(t, with JToken) {
	switch p := t.node().parent.(type) {
	case nil:
		invalidOperation("The parent is missing.")
	case *JObject:
		prop, ok := with.(*JProperty)
		if !ok {
			badChild(with, p)
		}
		i := indexIn(t)
		if at := p.find(prop.name); at >= 0 && at != i {
			duplicateProperty(prop.name)
		}
		t.node().parent = nil
		p.props[i] = adopt(p, prop).(*JProperty)
		p.index = nil
	case jsonList:
		i := indexIn(t)
		t.node().parent = nil
		(*p.list())[i] = adopt(p, with)
	case *JProperty:
		p.set(with)
	}
}

func badChild(t JToken, parent JToken) {
	csharp.Throw("System.ArgumentException", "Can not add "+t.ClrName()+" to "+parent.ClrName()+".")
}

func duplicateProperty(name string) {
	csharp.Throw("System.ArgumentException", "Can not add property "+name+" to Newtonsoft.Json.Linq.JObject. Property with the same name already exists on object.")
}

// deepEquals compares values and structure; the order of properties does not matter.
func deepEquals(a, b JToken) bool {
	if isNilToken(a) || isNilToken(b) {
		return isNilToken(a) && isNilToken(b)
	}
	switch x := a.(type) {
	case *JObject:
		y, ok := b.(*JObject)
		if !ok || len(x.props) != len(y.props) {
			return false
		}
		for _, p := range x.props {
			i := y.find(p.name)
			if i < 0 || !deepEquals(p.value, y.props[i].value) {
				return false
			}
		}
		return true
	case *JArray:
		y, ok := b.(*JArray)
		return ok && slices.EqualFunc(x.items, y.items, deepEquals)
	case *JConstructor:
		y, ok := b.(*JConstructor)
		return ok && x.name == y.name && slices.EqualFunc(x.items, y.items, deepEquals)
	case *JProperty:
		y, ok := b.(*JProperty)
		return ok && x.name == y.name && deepEquals(x.value, y.value)
	case *JValue:
		y, ok := b.(*JValue)
		return ok && x.typ == y.typ && equalJSONValues(x.v, y.v)
	}
	return false
}

func equalJSONValues(a, b any) bool {
	x, okA := jsonInt(a)
	y, okB := jsonInt(b)
	if okA && okB {
		return x.Cmp(y) == 0
	}
	f, okF := jsonFloat64(a)
	g, okG := jsonFloat64(b)
	if okF && okG {
		return f == g || math.IsNaN(f) && math.IsNaN(g)
	}
	return csharp.Equal(a, b)
}

// jsonInt gives the value of any integer.
func jsonInt(v any) (*big.Int, bool) {
	switch x := v.(type) {
	case *BigInteger:
		return x.int(), true
	case uint64:
		return new(big.Int).SetUint64(x), true
	}
	n, ok := csharp.Integer(v)
	return big.NewInt(n), ok
}

func jsonFloat64(v any) (float64, bool) {
	switch x := v.(type) {
	case float64:
		return x, true
	case float32:
		return float64(x), true
	}
	return 0, false
}

// BigInteger is System.Numerics.BigInteger, as far as it appears in JSON.
type BigInteger big.Int

func (n *BigInteger) int() *big.Int { return (*big.Int)(n) }

// ClrName is System.Numerics.BigInteger.
func (*BigInteger) ClrName() string { return "System.Numerics.BigInteger" }

// ToString is the decimal form.
func (n *BigInteger) ToString() string { return n.int().String() }

// Equals compares values.
func (n *BigInteger) Equals(o any) bool {
	x, ok := o.(*BigInteger)
	return ok && x.int().Cmp(n.int()) == 0
}

// tokenList is a sequence of tokens whose items are ready.
type tokenList struct {
	typ   *csharp.Type
	items []JToken
}

// ClrType is the sequence's type.
func (l *tokenList) ClrType() *csharp.Type { return l.typ }

// Each implements csharp.Enumerable.
func (l *tokenList) Each(r run, yield func(any) bool) {
	for _, t := range l.items {
		r.Step()
		if !yield(t) {
			return
		}
	}
}

// tokens makes an IEnumerable<T> of tokens.
func tokens(r run, elem string, items []JToken) *tokenList {
	r.Alloc(16 * len(items))
	return &tokenList{r.Library().MustType("IEnumerable<" + elem + ">"), items}
}

// descend gathers all tokens below one, in document order.
func descend(t JToken, out []JToken) []JToken {
	for _, c := range jsonChildren(t) {
		out = descend(c, append(out, c))
	}
	return out
}
