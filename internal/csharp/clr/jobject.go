package clr

import (
	"slices"

	"github.com/causeway-apim/causeway/internal/csharp"
)

// JObject is Newtonsoft.Json.Linq.JObject: properties in order.
type JObject struct {
	jsonNode
	props []*JProperty
	index map[string]int // of objects with many properties; nil when it has to be made again
}

// indexFrom is the number of properties from which a map is faster than a search.
const indexFrom = 9

func (*JObject) kind() jsonKind { return jsonObject }

// ClrName is Newtonsoft.Json.Linq.JObject.
func (*JObject) ClrName() string { return "Newtonsoft.Json.Linq.JObject" }

// ToString is the indented JSON text.
func (o *JObject) ToString() string { return jsonText(o, true) }

func (o *JObject) clone() JToken {
	c := &JObject{props: make([]*JProperty, len(o.props))}
	for i, p := range o.props {
		q := p.clone().(*JProperty)
		q.parent = c
		c.props[i] = q
	}
	return c
}

// find is the position of a property, or -1.
func (o *JObject) find(name string) int {
	if len(o.props) < indexFrom {
		for i, p := range o.props {
			if p.name == name {
				return i
			}
		}
		return -1
	}
	if o.index == nil {
		o.index = make(map[string]int, len(o.props))
		for i, p := range o.props {
			o.index[p.name] = i
		}
	}
	if i, ok := o.index[name]; ok {
		return i
	}
	return -1
}

// Get gives the value of a property; nil when there is none.
func (o *JObject) Get(name string) JToken {
	if i := o.find(name); i >= 0 {
		return o.props[i].value
	}
	return nil
}

// Set adds or replaces a property. nil is JSON null.
func (o *JObject) Set(name string, value JToken) {
	if i := o.find(name); i >= 0 {
		o.props[i].set(value)
		return
	}
	p := &JProperty{name: name}
	p.parent = o
	p.set(value)
	o.append(p)
}

func (o *JObject) append(p *JProperty) {
	if o.index != nil {
		o.index[p.name] = len(o.props)
	}
	o.props = append(o.props, p)
}

func (o *JObject) insert(at int, p *JProperty) {
	if o.find(p.name) >= 0 {
		duplicateProperty(p.name)
	}
	if at > len(o.props) {
		beyondList()
	}
	if at == len(o.props) {
		o.append(adopt(o, p).(*JProperty))
		return
	}
	o.props = slices.Insert(o.props, at, adopt(o, p).(*JProperty))
	o.index = nil
}

func (o *JObject) removeAt(i int) {
	o.props[i].parent = nil
	o.props = slices.Delete(o.props, i, i+1)
	o.index = nil
}

// Each gives the properties. A JProperty serves as KeyValuePair<string, JToken> too, which is what C# sees of a JObject's own
// enumerator.
func (o *JObject) Each(r run, yield func(any) bool) {
	n := len(o.props)
	for i := 0; i < len(o.props); i++ {
		if len(o.props) != n {
			modified()
		}
		r.Step()
		if !yield(o.props[i]) {
			return
		}
	}
}

// The methods of Map, for IDictionary<string, JToken>.

// Count is the number of properties.
func (o *JObject) Count() int { return len(o.props) }

// Lookup finds the value of a property.
func (o *JObject) Lookup(key any) (any, bool) {
	name, _ := key.(string)
	i := o.find(name)
	if i < 0 {
		return nil, false
	}
	return o.props[i].value, true
}

// EachEntry calls yield for the properties.
func (o *JObject) EachEntry(yield func(key, value any) bool) {
	for _, p := range o.props {
		if !yield(p.name, p.value) {
			return
		}
	}
}

func declareJObject(b *csharp.Builder) {
	t := b.Type("class Newtonsoft.Json.Linq.JObject : JContainer, IDictionary<string, JToken>, IEnumerable<KeyValuePair<string, JToken>>", csharp.Go[*JObject]())
	declareSteps(t, "KeyValuePair<string, JToken>")
	t.New("()", csharp.F0(func() *JObject { return &JObject{} }))
	t.New("(JObject other)", csharp.F2(func(r run, o *JObject) *JObject {
		if o == nil {
			csharp.ThrowArgumentNull("other")
		}
		return chargeClone(r, o).clone().(*JObject)
	}))
	t.New("(object content)", csharp.F2(newJObject))
	t.New("(params object[] content)", csharp.F2(func(r run, a array) *JObject {
		o := &JObject{}
		addJSON(r, o, 0, a)
		return o
	}))
	t.Static("JObject Parse(string json)", csharp.F2(func(r run, s string) *JObject { return mustParse[*JObject](r, s, "JObject") }))
	t.Static("JObject Parse(string json, JsonLoadSettings settings)", csharp.F3(func(r run, s string, set *loadSettings) *JObject {
		return mustParseWith[*JObject](r, s, "JObject", set)
	}))
	t.Static("JObject FromObject(object o)", csharp.F2(func(r run, v any) *JObject {
		needArg(v, "o")
		tok := tokenOf(r, v)
		o, ok := tok.(*JObject)
		if !ok {
			csharp.Throw("System.ArgumentException", "Object serialized to "+jsonKindNames[tok.kind()]+". JObject instance expected.")
		}
		return o
	}))
	t.Index("JToken this[string propertyName]", csharp.F2(func(o *JObject, name string) any {
		needString(name, "propertyName")
		return tokenOrNil(o.Get(name))
	}), csharp.V4(func(r run, o *JObject, name string, v any) {
		o.Set(name, asToken(chargeCopy(r, o, v)))
	}))
	t.Method("void Add(string propertyName, JToken value)", csharp.V4(func(r run, o *JObject, name string, v any) {
		needString(name, "propertyName")
		if o.find(name) >= 0 {
			duplicateProperty(name)
		}
		o.Set(name, asToken(chargeCopy(r, o, v)))
	}))
	t.Method("bool Remove(string propertyName)", csharp.F2(func(o *JObject, name string) bool {
		i := o.find(name)
		if i >= 0 {
			o.removeAt(i)
		}
		return i >= 0
	}))
	t.Method("bool ContainsKey(string propertyName)", csharp.F2(func(o *JObject, name string) bool {
		needString(name, "propertyName")
		return o.find(name) >= 0
	}))
	t.Method("bool TryGetValue(string propertyName, out JToken value)", csharp.F3(func(o *JObject, name string, out ref) bool {
		i := o.find(name)
		out.Value = nil
		if i >= 0 {
			out.Value = o.props[i].value
		}
		return i >= 0
	}))
	t.Method("JToken GetValue(string propertyName)", csharp.F2(func(o *JObject, name string) any { return tokenOrNil(o.Get(name)) }))
	t.Method("JToken GetValue(string propertyName, StringComparison comparison)", csharp.F3(func(o *JObject, name string, c int) any {
		return tokenOrNil(o.getFold(name, c))
	}))
	t.Method("bool TryGetValue(string propertyName, StringComparison comparison, out JToken value)", csharp.F4(func(o *JObject, name string, c int, out ref) bool {
		v := o.getFold(name, c)
		out.Value = tokenOrNil(v)
		return v != nil
	}))
	t.Method("JProperty Property(string name)", csharp.F2(func(o *JObject, name string) any {
		if i := o.find(name); i >= 0 {
			return o.props[i]
		}
		return nil
	}))
	t.Method("JProperty Property(string name, StringComparison comparison)", csharp.F3(func(o *JObject, name string, c int) any {
		if p := o.property(name, c); p != nil {
			return p
		}
		return nil
	}))
	t.Method("IEnumerable<JProperty> Properties()", csharp.F2(func(r run, o *JObject) any { return tokens(r, "JProperty", jsonChildren(o)) }))
	t.Method("JEnumerable<JToken> PropertyValues()", csharp.F2(func(r run, o *JObject) any { return values(r, o) }))
}

// newJObject is new JObject(content); one object is copied.
func newJObject(r run, v any) *JObject {
	if x, ok := v.(*JObject); ok {
		return chargeClone(r, x).clone().(*JObject)
	}
	o := &JObject{}
	addJSON(r, o, 0, v)
	return o
}

// getFold finds a property by name with a StringComparison.
func (o *JObject) getFold(name string, comparison int) JToken {
	if p := o.property(name, comparison); p != nil {
		return p.value
	}
	return nil
}
