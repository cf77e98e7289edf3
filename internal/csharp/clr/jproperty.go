package clr

import "github.com/causeway-apim/causeway/internal/csharp"

// JProperty is Newtonsoft.Json.Linq.JProperty. It also serves as the KeyValuePair<string, JToken> of a JObject's enumerator.
type JProperty struct {
	jsonNode
	name  string
	value JToken
}

func (*JProperty) kind() jsonKind { return jsonProperty }

// ClrName is Newtonsoft.Json.Linq.JProperty.
func (*JProperty) ClrName() string { return "Newtonsoft.Json.Linq.JProperty" }

// ToString is "name": value.
func (p *JProperty) ToString() string { return jsonText(p, true) }

func (p *JProperty) clone() JToken {
	c := &JProperty{name: p.name}
	if p.value != nil {
		c.value = p.value.clone()
		c.value.node().parent = c
	}
	return c
}

func (p *JProperty) set(v JToken) {
	if p.value != nil && p.value == v {
		return
	}
	if prop, ok := v.(*JProperty); ok && prop != nil {
		badChild(prop, p)
	}
	if p.value != nil {
		p.value.node().parent = nil
	}
	p.value = adopt(p, v)
}

// Each gives the value.
func (p *JProperty) Each(_ run, yield func(any) bool) { yield(p.value) }

func (p *JProperty) pairKey() any   { return p.name }
func (p *JProperty) pairValue() any { return p.value }

func declareJProperty(b *csharp.Builder) {
	t := b.Type("class Newtonsoft.Json.Linq.JProperty : JContainer", csharp.Go[*JProperty]())
	t.New("(string name, object content)", csharp.F3(func(r run, name string, v any) *JProperty {
		needString(name, "name")
		p := &JProperty{name: name}
		if list, ok := contents(v); ok {
			a := &JArray{}
			addJSON(r, a, 0, list)
			v = a
		}
		p.set(contentToken(chargeCopy(r, p, v)))
		return p
	}))
	t.New("(string name, params object[] content)", csharp.F3(func(r run, name string, list array) *JProperty {
		needString(name, "name")
		p := &JProperty{name: name}
		if list == nil {
			p.set(nil)
			return p
		}
		a := &JArray{}
		addJSON(r, a, 0, list)
		p.set(a)
		return p
	}))
	t.New("(JProperty other)", csharp.F2(func(r run, p *JProperty) *JProperty { return chargeClone(r, p).clone().(*JProperty) }))
	t.Prop("string Name", csharp.F1(func(p *JProperty) string { return p.name }))
	t.Prop("JToken Value", csharp.F1(func(p *JProperty) any { return tokenOrNil(p.value) }),
		csharp.V3(func(r run, p *JProperty, v any) { p.set(asToken(chargeCopy(r, p, v))) }))
}
