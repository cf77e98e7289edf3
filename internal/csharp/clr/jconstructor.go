package clr

import (
	"slices"
	"strconv"
	"unicode"
	"unicode/utf8"

	"github.com/causeway-apim/causeway/internal/csharp"
)

// JConstructor is Newtonsoft.Json.Linq.JConstructor: new Name(1,2), which Newtonsoft reads and writes besides JSON.
type JConstructor struct {
	jsonNode
	name  string
	items []JToken
}

func (*JConstructor) kind() jsonKind { return jsonConstructor }

// ClrName is Newtonsoft.Json.Linq.JConstructor.
func (*JConstructor) ClrName() string { return "Newtonsoft.Json.Linq.JConstructor" }

// ToString is the indented text.
func (c *JConstructor) ToString() string { return jsonText(c, true) }

func (c *JConstructor) clone() JToken {
	n := &JConstructor{name: c.name}
	n.items = cloneItems(n, c.items)
	return n
}

func (c *JConstructor) list() *[]JToken { return &c.items }

// Each implements csharp.Enumerable: the arguments.
func (c *JConstructor) Each(r run, yield func(any) bool) {
	for i := 0; i < len(c.items); i++ {
		r.Step()
		if !yield(c.items[i]) {
			return
		}
	}
}

// argument is the position that a key names; what says what is done with it, in the exception's words.
func (c *JConstructor) argument(what string, key any) int {
	i, ok := csharp.Integer(key)
	if !ok {
		shown := text(key)
		if _, isString := key.(string); isString {
			shown = strconv.Quote(shown)
		}
		csharp.Throw("System.ArgumentException", what+" JConstructor values with invalid key value: "+shown+". Argument position index expected.")
	}
	return jsonAt(c, int(i))
}

// jsonList is a token with numbered items: *JArray or *JConstructor.
type jsonList interface {
	JToken
	list() *[]JToken
}

func jsonAt(t jsonList, i int) int {
	if i < 0 || i >= len(*t.list()) {
		outOfRange("index", "Index was out of range. Must be non-negative and less than the size of the collection.")
	}
	return i
}

func removeItem(t jsonList, i int) {
	items := t.list()
	(*items)[jsonAt(t, i)].node().parent = nil
	*items = slices.Delete(*items, i, i+1)
}

func insertItem(t jsonList, i int, item JToken) {
	items := t.list()
	if i < 0 || i > len(*items) {
		beyondList()
	}
	*items = slices.Insert(*items, i, adopt(t, item))
}

func beyondList() { outOfRange("index", "Index must be within the bounds of the List.") }

// addJSON adds what a constructor or a method was given at a place: one token or simple value, or those of a sequence that is
// no token and no string. Each item of a sequence goes to the place behind that of the one before, whatever that one added, so
// that sequences inside sequences mix, as they do in Newtonsoft's library.
func addJSON(r run, t JToken, at int, v any) {
	if list, ok := contents(v); ok {
		for i, item := range csharp.Items(r, list) {
			addJSON(r, t, at+i, item)
		}
		return
	}
	r.Alloc(32)
	item := contentToken(chargeCopy(r, t, v))
	switch x := t.(type) {
	case *JObject:
		p, ok := item.(*JProperty)
		if !ok {
			badChild(item, x)
		}
		x.insert(at, p)
	case jsonList:
		insertItem(x, at, item)
	}
}

// contents is the sequence that v is, if its items are meant.
func contents(v any) (csharp.Enumerable, bool) {
	if _, isToken := v.(JToken); isToken {
		return nil, false
	}
	list, ok := v.(csharp.Enumerable)
	return list, ok
}

// cloneItems copies items for another parent.
func cloneItems(parent JToken, items []JToken) []JToken {
	out := make([]JToken, len(items))
	for i, t := range items {
		out[i] = t.clone()
		out[i].node().parent = parent
	}
	return out
}

// constructor reads new Name(1,2).
func (p *jsonReader) constructor() JToken {
	if len(p.s)-p.at < len("new") {
		p.at = len(p.s)
		p.fail("Unexpected end when reading JSON.")
	}
	word := p.s[p.at : p.at+len("new")]
	if p.at += len("new"); word != "new" || !p.separated() {
		p.fail("Unexpected content while parsing JSON.")
	}
	p.space()
	start := p.at
	for p.at < len(p.s) {
		c, n := utf8.DecodeRuneInString(p.s[p.at:])
		if !unicode.IsLetter(c) && !unicode.IsDigit(c) {
			break
		}
		p.at += n
	}
	c := &JConstructor{name: p.s[start:p.at]}
	p.space()
	switch {
	case p.at >= len(p.s):
		p.fail("Unexpected end while parsing constructor.")
	case p.s[p.at] != '(':
		p.fail("Unexpected character while parsing constructor: " + p.current() + ".")
	}
	checkConstructorName(c.name)
	defer func(outer int) { p.inConstructor = outer }(p.inConstructor)
	p.inConstructor = len(p.path) + 1
	p.items(c, ')')
	return c
}

func declareJConstructor(b *csharp.Builder) {
	t := b.Type("class Newtonsoft.Json.Linq.JConstructor : JContainer, IList<JToken>", csharp.Go[*JConstructor]())
	t.New("()", csharp.F0(func() *JConstructor { return &JConstructor{} }))
	t.New("(JConstructor other)", csharp.F2(func(r run, c *JConstructor) *JConstructor {
		needArg(c, "other")
		return chargeClone(r, c).clone().(*JConstructor)
	}))
	t.New("(string name)", csharp.F1(newConstructor))
	t.New("(string name, object content)", csharp.F3(func(r run, name string, v any) *JConstructor {
		c := newConstructor(name)
		addJSON(r, c, 0, v)
		return c
	}))
	t.New("(string name, params object[] content)", csharp.F3(func(r run, name string, content array) *JConstructor {
		c := newConstructor(name)
		addJSON(r, c, 0, content)
		return c
	}))
	t.Prop("string Name", csharp.F1(func(c *JConstructor) string { return c.name }),
		csharp.V2(func(c *JConstructor, name string) { c.name = name }))
}

func newConstructor(name string) *JConstructor {
	needString(name, "name")
	checkConstructorName(name)
	return &JConstructor{name: name}
}

func checkConstructorName(name string) {
	if name == "" {
		csharp.ThrowArgument("System.ArgumentException", "Constructor name cannot be empty.", "name")
	}
}
