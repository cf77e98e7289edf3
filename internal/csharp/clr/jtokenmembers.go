package clr

import (
	"github.com/causeway-apim/causeway/internal/csharp"
)

func declareJSON(b *csharp.Builder) {
	declareJSONSettings(b)
	declareJSONMerge(b)
	declareJSONConvert(b)
	b.Type("interface Newtonsoft.Json.Linq.IJEnumerable<T> : IEnumerable<T>", csharp.Go[csharp.Enumerable]())
	e := b.Type("struct Newtonsoft.Json.Linq.JEnumerable<T> : IEnumerable<T>", csharp.Go[*tokenList]())
	e.Index("IEnumerable<JToken> this[object key]", csharp.F3(func(r run, l *tokenList, key any) any {
		var out []JToken
		for _, t := range l.items {
			if v := child(t, key); v != nil {
				out = append(out, v)
			}
		}
		return tokens(r, "JToken", out)
	}))
	t := b.Type("abstract class Newtonsoft.Json.Linq.JToken : IEnumerable<JToken>", csharp.Go[JToken]())
	declareJTokenRead(t)
	declareJTokenTree(t)
	declareJTokenCasts(t)
	declareJContainer(b)
	declareJObject(b)
	declareJArray(b)
	declareJConstructor(b)
	declareJProperty(b)
	declareJValue(b)
	declareJSONExtensions(b)
}

// child is token[key].
func child(t JToken, key any) JToken {
	switch x := t.(type) {
	case *JObject:
		name, ok := key.(string)
		if !ok {
			csharp.Throw("System.ArgumentException", "Accessed JObject values with invalid key value: "+text(key)+". Object property name expected.")
		}
		return x.Get(name)
	case *JArray:
		i, ok := csharp.Integer(key)
		if !ok {
			csharp.Throw("System.ArgumentException", "Accessed JArray values with invalid key value: "+keyText(key)+". Int32 array index expected.")
		}
		return x.items[x.at(int(i))]
	case *JConstructor:
		return x.items[x.argument("Accessed", key)]
	}
	csharp.Throw("System.InvalidOperationException", "Cannot access child value on "+t.ClrName()+".")
	return nil
}

// keyText is a key in messages: strings stand in quotes.
func keyText(key any) string {
	if s, ok := key.(string); ok {
		return `"` + s + `"`
	}
	return text(key)
}

func setChild(t JToken, key any, v any) {
	switch x := t.(type) {
	case *JObject:
		name, ok := key.(string)
		if !ok {
			csharp.Throw("System.ArgumentException", "Set JObject values with invalid key value: "+text(key)+". Object property name expected.")
		}
		x.Set(name, asToken(v))
		return
	case *JArray:
		i, ok := csharp.Integer(key)
		if !ok {
			csharp.Throw("System.ArgumentException", "Set JArray values with invalid key value: "+keyText(key)+". Int32 array index expected.")
		}
		replaceToken(x.items[x.at(int(i))], asToken(v))
		return
	case *JConstructor:
		replaceToken(x.items[x.argument("Set", key)], asToken(v))
		return
	}
	csharp.Throw("System.InvalidOperationException", "Cannot set child value on "+t.ClrName()+".")
}

func values(r run, t JToken) any {
	items := jsonChildren(t)
	out := make([]JToken, len(items))
	for i, c := range items {
		out[i] = c
		if p, ok := c.(*JProperty); ok {
			out[i] = p.value
		}
	}
	r.Alloc(16 * len(out))
	return &tokenList{r.Library().MustType("Newtonsoft.Json.Linq.JEnumerable<JToken>"), out}
}

// converted makes a lazy IEnumerable<T> of tokens converted to T.
func converted(r run, t *csharp.Type, items []JToken) any {
	typ := r.Library().MustType("System.Collections.Generic.IEnumerable<object>").Definition().Of(t)
	return &Seq{typ, func(r run, yield func(any) bool) {
		for _, x := range items {
			if !yield(valueOfToken(r, x, t)) {
				return
			}
		}
	}}
}

func declareJTokenRead(t *csharp.TypeBuilder) {
	t.Index("JToken this[object key]", csharp.F2(func(t JToken, key any) any {
		needArg(key, "key")
		return tokenOrNil(child(t, key))
	}), csharp.V3(setChild))
	t.Static("JToken Parse(string json)", csharp.F2(func(r run, s string) any {
		needString(s, "s")
		return ParseToken(r, s)
	}))
	t.Static("JToken Parse(string json, JsonLoadSettings settings)", csharp.F3(func(r run, s string, set *loadSettings) any {
		needString(s, "s")
		return parseTokenWith(r, s, set)
	}))
	t.Static("JToken FromObject(object o)", csharp.F2(func(r run, v any) any {
		needArg(v, "o")
		return tokenOf(r, v)
	}))
	t.Static("bool DeepEquals(JToken t1, JToken t2)", csharp.F2(func(a, b any) bool { return deepEquals(asToken(a), asToken(b)) }))
	t.Prop("JTokenType Type", csharp.F1(func(t JToken) int { return int(t.kind()) }))
	t.Prop("string Path", csharp.F1(jsonPath))
	t.Prop("bool HasValues", csharp.F1(func(t JToken) bool { return len(jsonChildren(t)) > 0 }))
	t.Method("string ToString()", csharp.F1(func(t JToken) string { return t.ToString() }))
	t.Method("string ToString(Formatting formatting)", csharp.F3(func(r run, t JToken, f int) string {
		s := jsonText(t, f == 1)
		r.Alloc(len(s))
		return s
	}))
	t.Method("JToken SelectToken(string path)", csharp.F3(func(r run, t JToken, path string) any { return selectOne(r, t, path, false) }))
	t.Method("JToken SelectToken(string path, bool errorWhenNoMatch)", csharp.F4(selectOne))
	t.Method("IEnumerable<JToken> SelectTokens(string path)", csharp.F3(func(r run, t JToken, path string) any {
		return tokens(r, "JToken", selectTokens(r, t, path, false))
	}))
	t.Method("IEnumerable<JToken> SelectTokens(string path, bool errorWhenNoMatch)", csharp.F4(func(r run, t JToken, path string, must bool) any {
		return tokens(r, "JToken", selectTokens(r, t, path, must))
	}))
	t.Method("T Value<T>(object key)", csharp.F4(func(a typeArgs, r run, t JToken, key any) any {
		return valueOfToken(r, tokenOrNil(child(t, key)), a[0])
	}))
	t.Method("IEnumerable<T> Values<T>()", csharp.F3(func(a typeArgs, r run, t JToken) any {
		return converted(r, a[0], values(r, t).(*tokenList).items)
	}))
	t.Method("JToken SelectToken(string path, JsonSelectSettings settings)", csharp.F4(func(r run, t JToken, path string, s *selectSettings) any {
		return selectOne(r, t, path, s != nil && s.must)
	}))
	t.Method("IEnumerable<JToken> SelectTokens(string path, JsonSelectSettings settings)", csharp.F4(func(r run, t JToken, path string, s *selectSettings) any {
		return tokens(r, "JToken", selectTokens(r, t, path, s != nil && s.must))
	}))
	t.Method("T ToObject<T>()", csharp.F3(func(a typeArgs, r run, t JToken) any { return convertToken(r, t, a[0]) }))
	t.Method("object ToObject(Type objectType)", csharp.F3(func(r run, t JToken, to *csharp.Type) any { return convertToken(r, t, to) }))
}

func selectOne(r run, t JToken, path string, must bool) any {
	found := selectTokens(r, t, path, must)
	if len(found) > 1 {
		csharp.Throw("Newtonsoft.Json.JsonException", "Path returned multiple tokens.")
	}
	if len(found) == 0 {
		return nil
	}
	return found[0]
}

func declareJTokenTree(t *csharp.TypeBuilder) {
	t.Prop("JContainer Parent", csharp.F1(func(t JToken) any { return tokenOrNil(t.node().parent) }))
	t.Prop("JToken Root", csharp.F1(func(t JToken) any { return jsonRoot(t) }))
	at := func(t JToken, step int) any {
		p := t.node().parent
		if p == nil {
			return nil
		}
		items := jsonChildren(p)
		if i := indexIn(t) + step; i >= 0 && i < len(items) {
			return items[i]
		}
		return nil
	}
	t.Prop("JToken Next", csharp.F1(func(t JToken) any { return at(t, 1) }))
	t.Prop("JToken Previous", csharp.F1(func(t JToken) any { return at(t, -1) }))
	t.Prop("JToken First", csharp.F1(func(t JToken) any { return edge(t, 0) }))
	t.Prop("JToken Last", csharp.F1(func(t JToken) any { return edge(t, -1) }))
	t.Method("JEnumerable<JToken> Children()", csharp.F2(func(r run, t JToken) any {
		return &tokenList{r.Library().MustType("Newtonsoft.Json.Linq.JEnumerable<JToken>"), jsonChildren(t)}
	}))
	t.Method("JEnumerable<T> Children<T>()", csharp.F3(func(a typeArgs, r run, t JToken) any {
		var out []JToken
		for _, c := range jsonChildren(t) {
			if r.Library().InstanceOf(c, a[0]) {
				out = append(out, c)
			}
		}
		return &tokenList{r.Library().MustType("Newtonsoft.Json.Linq.JEnumerable<JToken>").Definition().Of(a[0]), out}
	}))
	t.Method("IEnumerable<JToken> Ancestors()", csharp.F2(func(r run, t JToken) any { return tokens(r, "JToken", ancestors(t)) }))
	t.Method("IEnumerable<JToken> AncestorsAndSelf()", csharp.F2(func(r run, t JToken) any { return tokens(r, "JToken", append([]JToken{t}, ancestors(t)...)) }))
	siblings := func(t JToken, after bool) []JToken {
		p := t.node().parent
		if p == nil {
			return nil
		}
		i := indexIn(t)
		if after {
			return jsonChildren(p)[i+1:]
		}
		return jsonChildren(p)[:i]
	}
	t.Method("IEnumerable<JToken> AfterSelf()", csharp.F2(func(r run, t JToken) any { return tokens(r, "JToken", siblings(t, true)) }))
	t.Method("IEnumerable<JToken> BeforeSelf()", csharp.F2(func(r run, t JToken) any { return tokens(r, "JToken", siblings(t, false)) }))
	t.Method("JToken DeepClone()", csharp.F2(func(r run, t JToken) any { return chargeClone(r, t).clone() }))
	t.Method("void Remove()", csharp.V1(removeToken))
	t.Method("void Replace(JToken value)", csharp.V3(func(r run, t JToken, v any) { replaceToken(t, asToken(chargeCopy(r, t, v))) }))
	beside := func(t JToken, v any, r run, after int) {
		switch p := t.node().parent.(type) {
		case *JObject, jsonList:
			addJSON(r, p, indexIn(t)+after, v)
		default:
			invalidOperation("The parent is missing.")
		}
	}
	t.Method("void AddAfterSelf(object content)", csharp.V3(func(r run, t JToken, v any) { beside(t, v, r, 1) }))
	t.Method("void AddBeforeSelf(object content)", csharp.V3(func(r run, t JToken, v any) { beside(t, v, r, 0) }))
}

// ancestors are the containers of t, the nearest first.
func ancestors(t JToken) []JToken {
	var out []JToken
	for p := t.node().parent; p != nil; p = p.node().parent {
		out = append(out, p)
	}
	return out
}

func edge(t JToken, which int) any {
	items := jsonChildren(t)
	if _, leaf := t.(*JValue); leaf {
		csharp.Throw("System.InvalidOperationException", "Cannot access child value on "+t.ClrName()+".")
	}
	if len(items) == 0 {
		return nil
	}
	return items[(which+len(items))%len(items)]
}

func declareJContainer(b *csharp.Builder) {
	t := b.Type("abstract class Newtonsoft.Json.Linq.JContainer : JToken", csharp.Go[JToken]())
	t.Prop("int Count", csharp.F1(func(t JToken) int { return len(jsonChildren(t)) }))
	t.Method("void Add(object content)", csharp.V3(func(r run, t JToken, v any) {
		addJSON(r, t, len(jsonChildren(t)), v)
	}))
	t.Method("void AddFirst(object content)", csharp.V3(func(r run, t JToken, v any) {
		addJSON(r, t, 0, v)
	}))
	empty := func(t JToken) {
		for _, c := range jsonChildren(t) {
			c.node().parent = nil
		}
		switch x := t.(type) {
		case *JObject:
			x.props, x.index = nil, nil
		case jsonList:
			*x.list() = nil
		}
	}
	t.Method("void RemoveAll()", csharp.V1(empty))
	t.Method("void ReplaceAll(object content)", csharp.V3(func(r run, t JToken, v any) {
		empty(t)
		addJSON(r, t, len(jsonChildren(t)), v)
	}))
	t.Method("IEnumerable<JToken> Descendants()", csharp.F2(func(r run, t JToken) any { return tokens(r, "JToken", descend(t, nil)) }))
	t.Method("IEnumerable<JToken> DescendantsAndSelf()", csharp.F2(func(r run, t JToken) any { return tokens(r, "JToken", descend(t, []JToken{t})) }))
	declareMergeMembers(t)
}

func declareJSONExtensions(b *csharp.Builder) {
	t := b.Type("static class Newtonsoft.Json.Linq.Extensions", csharp.NoGo())
	t.Ext("U Value<U>(this IEnumerable<JToken> value)", csharp.F3(func(a typeArgs, r run, v any) any {
		needArg(v, "value")
		return valueOfToken(r, v, a[0])
	}))
	all := func(r run, v any, of func(JToken) []JToken) []JToken {
		needArg(v, "source")
		var out []JToken
		for _, item := range csharp.Items(r, v) {
			if t, ok := item.(JToken); ok {
				out = append(out, of(t)...)
			}
		}
		return out
	}
	t.Ext("IEnumerable<U> Values<U>(this IEnumerable<JToken> source)", csharp.F3(func(a typeArgs, r run, v any) any {
		return converted(r, a[0], all(r, v, func(t JToken) []JToken { return []JToken{t} }))
	}))
	t.Ext("IEnumerable<JToken> Values(this IEnumerable<JToken> source)", csharp.F2(func(r run, v any) any {
		if o, ok := v.(*JObject); ok {
			return values(r, o)
		}
		return tokens(r, "JToken", all(r, v, func(t JToken) []JToken { return values(r, t).(*tokenList).items }))
	}))
	t.Ext("IEnumerable<JToken> Values(this IEnumerable<JToken> source, object key)", csharp.F3(func(r run, v, key any) any {
		return tokens(r, "JToken", all(r, v, func(t JToken) []JToken {
			if c := child(t, key); c != nil {
				return []JToken{c}
			}
			return nil
		}))
	}))
	t.Ext("IEnumerable<JToken> Children(this IEnumerable<JToken> source)", csharp.F2(func(r run, v any) any {
		return tokens(r, "JToken", all(r, v, jsonChildren))
	}))
	t.Ext("IEnumerable<JProperty> Properties(this IEnumerable<JObject> source)", csharp.F2(func(r run, v any) any {
		return tokens(r, "JProperty", all(r, v, jsonChildren))
	}))
	for name, of := range map[string]func(JToken) []JToken{
		"Descendants": func(t JToken) []JToken { return descend(t, nil) }, "DescendantsAndSelf": func(t JToken) []JToken { return descend(t, []JToken{t}) },
		"Ancestors": ancestors, "AncestorsAndSelf": func(t JToken) []JToken { return append([]JToken{t}, ancestors(t)...) },
	} {
		t.Ext("IEnumerable<JToken> "+name+"(this IEnumerable<JToken> source)", csharp.F2(func(r run, v any) any { return tokens(r, "JToken", all(r, v, of)) }))
	}
}
