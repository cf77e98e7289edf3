package clr

import (
	"slices"

	"github.com/causeway-apim/causeway/internal/csharp"
)

// JArray is Newtonsoft.Json.Linq.JArray.
type JArray struct {
	jsonNode
	items []JToken
}

func (*JArray) kind() jsonKind { return jsonArray }

// ClrName is Newtonsoft.Json.Linq.JArray.
func (*JArray) ClrName() string { return "Newtonsoft.Json.Linq.JArray" }

// ToString is the indented JSON text.
func (a *JArray) ToString() string { return jsonText(a, true) }

func (a *JArray) clone() JToken {
	c := &JArray{}
	c.items = cloneItems(c, a.items)
	return c
}

func (a *JArray) list() *[]JToken { return &a.items }

// Items gives the tokens; do not change the slice.
func (a *JArray) Items() []JToken { return a.items }

// Each implements csharp.Enumerable.
func (a *JArray) Each(r run, yield func(any) bool) {
	for i := 0; i < len(a.items); i++ {
		r.Step()
		if !yield(a.items[i]) {
			return
		}
	}
}

// Count is the number of items.
func (a *JArray) Count() int { return len(a.items) }

func (a *JArray) at(i int) int           { return jsonAt(a, i) }
func (a *JArray) removeAt(i int)         { removeItem(a, i) }
func (a *JArray) insert(i int, t JToken) { insertItem(a, i, t) }

func declareJArray(b *csharp.Builder) {
	t := b.Type("class Newtonsoft.Json.Linq.JArray : JContainer, IList<JToken>, IEnumerable<JToken>", csharp.Go[*JArray]())
	declareSteps(t, "JToken")
	t.New("()", csharp.F0(func() *JArray { return &JArray{} }))
	t.New("(JArray other)", csharp.F2(func(r run, a *JArray) *JArray { return chargeClone(r, a).clone().(*JArray) }))
	t.New("(object content)", csharp.F2(func(r run, v any) *JArray {
		if x, ok := v.(*JArray); ok {
			return chargeClone(r, x).clone().(*JArray)
		}
		a := &JArray{}
		addJSON(r, a, 0, v)
		return a
	}))
	t.New("(params object[] content)", csharp.F2(func(r run, list array) *JArray {
		a := &JArray{}
		addJSON(r, a, 0, list)
		return a
	}))
	t.Static("JArray Parse(string json)", csharp.F2(func(r run, s string) *JArray { return mustParse[*JArray](r, s, "JArray") }))
	t.Static("JArray Parse(string json, JsonLoadSettings settings)", csharp.F3(func(r run, s string, set *loadSettings) *JArray {
		return mustParseWith[*JArray](r, s, "JArray", set)
	}))
	t.Static("JArray FromObject(object o)", csharp.F2(func(r run, v any) *JArray {
		needArg(v, "o")
		tok := tokenOf(r, v)
		a, ok := tok.(*JArray)
		if !ok {
			csharp.Throw("System.ArgumentException", "Object serialized to "+jsonKindNames[tok.kind()]+". JArray instance expected.")
		}
		return a
	}))
	t.Index("JToken this[int index]", csharp.F2(func(a *JArray, i int) any { return a.items[a.at(i)] }),
		csharp.V4(func(r run, a *JArray, i int, v any) { replaceToken(a.items[a.at(i)], asToken(chargeCopy(r, a, v))) }))
	t.Method("void Add(JToken item)", csharp.V3(func(r run, a *JArray, v any) { a.items = append(a.items, adopt(a, asToken(chargeCopy(r, a, v)))) }))
	t.Method("void Insert(int index, JToken item)", csharp.V4(func(r run, a *JArray, i int, v any) { a.insert(i, asToken(chargeCopy(r, a, v))) }))
	t.Method("void RemoveAt(int index)", csharp.V2((*JArray).removeAt))
	t.Method("bool Remove(JToken item)", csharp.F2(func(a *JArray, v any) bool {
		i := a.indexOf(v)
		if i >= 0 {
			a.removeAt(i)
		}
		return i >= 0
	}))
	t.Method("int IndexOf(JToken item)", csharp.F2((*JArray).indexOf))
	t.Method("bool Contains(JToken item)", csharp.F2(func(a *JArray, v any) bool { return a.indexOf(v) >= 0 }))
	t.Method("void Clear()", csharp.V1(func(a *JArray) {
		for _, x := range a.items {
			x.node().parent = nil
		}
		a.items = nil
	}))
}

// indexOf looks for a token itself, as Newtonsoft does.
func (a *JArray) indexOf(v any) int {
	t, _ := v.(JToken)
	return slices.Index(a.items, t)
}
