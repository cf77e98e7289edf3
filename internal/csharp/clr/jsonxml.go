package clr

import (
	"strings"

	"github.com/causeway-apim/causeway/internal/csharp"
)

// This file is JsonConvert's conversion between XML and JSON (XmlNodeConverter): attributes are members with @, text is #text,
// elements of the same name an array.

// jsonNamespace is the namespace of json:Array.
const jsonNamespace = "http://james.newtonking.com/projects/json"

// jsonOfXML writes a node as JSON.
func jsonOfXML(r run, n *domNode, indented, omitRoot bool) string {
	if n == nil {
		return "null"
	}
	s := jsonText(tokenOfXML(r, n, omitRoot), indented)
	r.Alloc(len(s))
	return s
}

func tokenOfXML(r run, n *domNode, omitRoot bool) JToken {
	switch {
	case n.kind == xmlDocument && omitRoot && n.root() != nil:
		return elementJSON(r, n.root(), 0)
	case omitRoot && n.kind != xmlDocument:
		return elementJSON(r, n, 0)
	}
	o := &JObject{}
	if n.kind == xmlDocument {
		membersOfXML(r, o, n, 0)
	} else {
		o.Set(memberName(n), elementJSON(r, n, 0))
	}
	return o
}

// domOfLinq copies a node of System.Xml.Linq; nil when it is none.
func domOfLinq(r run, v any) *domNode {
	n, ok := v.(XNode)
	if !ok {
		return nil
	}
	top := &domNode{kind: xmlDocument}
	text := xmlString(r, n, saveUnformatted)
	d, isDoc := v.(*XDocument)
	if isDoc && d.decl != nil {
		text = d.decl.ToString() + text
	}
	loadDOM(r, top, text, false)
	if isDoc {
		return top
	}
	return top.root()
}

// memberName is the name of a node's member.
func memberName(n *domNode) string {
	switch n.kind {
	case xmlAttribute:
		if n.uri == jsonNamespace {
			return "$" + n.local
		}
		return "@" + n.name()
	case xmlDeclarationNode, xmlInstruction:
		return "?" + n.name()
	}
	return n.name()
}

// elementJSON is the value of an element or another node.
func elementJSON(r run, n *domNode, depth int) JToken {
	checkDepth(depth)
	r.Step()
	r.Alloc(64)
	switch n.kind {
	case xmlElement:
	case xmlDeclarationNode:
		o := &JObject{}
		x := &xmlReader{s: " " + n.value + "?>", alloc: r.Alloc}
		x.attributesUntil("?")
		for _, a := range x.pending {
			o.Set("@"+a.name, &JValue{typ: jsonString, v: a.value})
		}
		return o
	default:
		return &JValue{typ: jsonString, v: n.value}
	}
	visible := 0
	for _, a := range n.attrs {
		if !isArrayMark(a) {
			visible++
		}
	}
	if visible == 0 {
		switch {
		case n.first == nil && !n.open:
			return &JValue{typ: jsonNull}
		case n.first == nil:
			return &JValue{typ: jsonString, v: ""}
		case n.first == n.last && n.first.kind == xmlText:
			return &JValue{typ: jsonString, v: n.first.value}
		}
	}
	o := &JObject{}
	for _, a := range n.attrs {
		if !isArrayMark(a) {
			o.Set(memberName(a), &JValue{typ: jsonString, v: a.value})
		}
	}
	membersOfXML(r, o, n, depth)
	return o
}

// isArrayMark tells whether an attribute is json:Array or the declaration of its prefix.
func isArrayMark(a *domNode) bool {
	return a.uri == jsonNamespace && a.local == "Array" || a.uri == xmlnsSpace && a.value == jsonNamespace
}

// membersOfXML adds the children of a node, grouped by name.
func membersOfXML(r run, o *JObject, n *domNode, depth int) {
	groups := map[string]*JArray{}
	for k := n.first; k != nil; k = k.next {
		if k.kind == xmlComment || k.kind == xmlDocType || k.kind == xmlWhitespace || k.kind == xmlSignificantWhitespace {
			continue
		}
		name := memberName(k)
		v := elementJSON(r, k, depth+1)
		forced := false
		for _, a := range k.attrs {
			forced = forced || a.uri == jsonNamespace && a.local == "Array" && a.value == "true"
		}
		list := groups[name]
		switch {
		case list != nil:
			list.items = append(list.items, adopt(list, v))
		case forced || o.find(name) >= 0:
			list = &JArray{}
			if first := o.Get(name); first != nil {
				first.node().parent = nil
				list.items = append(list.items, adopt(list, first))
			}
			list.items = append(list.items, adopt(list, v))
			groups[name] = list
			o.Set(name, list)
		default:
			o.Set(name, v)
		}
	}
}

// An xmlOfJSON writes JSON as XML text.
type xmlOfJSON struct {
	r run
	b strings.Builder
}

// document gives the document that a JSON text stands for; a null root takes the only member.
func (x *xmlOfJSON) document(s, root string) string {
	needString(s, "value")
	t := (&jsonReader{r: x.r, s: s}).value()
	o, ok := t.(*JObject)
	if !ok {
		csharp.Throw(jsonSerializationException, "XmlNodeConverter can only convert JSON that begins with an object.")
	}
	if notNull(root) != "" {
		o = &JObject{}
		o.Set(root, t)
	}
	elements := 0
	for _, p := range o.props {
		if decl, ok := strings.CutPrefix(p.name, "?"); ok {
			x.b.WriteString("<?" + decl)
			for _, a := range jsonChildren(p.value) {
				if a, ok := a.(*JProperty); ok {
					x.b.WriteString(" " + strings.TrimPrefix(a.name, "@") + `="` + escapeXML(a.value.ToString(), true) + `"`)
				}
			}
			x.b.WriteString("?>")
			continue
		}
		if elements++; elements > 1 || p.value.kind() == jsonArray && len(jsonChildren(p.value)) != 1 {
			csharp.Throw(jsonSerializationException, "JSON root object has multiple properties. The root object must have a single property in order to create a valid XML document. Consider specifying a DeserializeRootElementName.")
		}
		x.element(p.name, p.value, 0)
	}
	return x.b.String()
}

func (x *xmlOfJSON) element(name string, v JToken, depth int) {
	checkDepth(depth)
	x.r.Step()
	if a, ok := v.(*JArray); ok {
		for _, item := range a.items {
			x.element(name, item, depth+1)
		}
		return
	}
	name = encodeXMLName(name)
	x.b.WriteString("<" + name)
	o, ok := v.(*JObject)
	if !ok {
		switch s, _ := v.(*JValue); {
		case s.v == nil:
			x.b.WriteString(" />")
		default:
			x.b.WriteString(">" + escapeXML(xmlValue(s.v), false) + "</" + name + ">")
		}
		x.r.Alloc(x.b.Len() / 8)
		return
	}
	for _, p := range o.props {
		if attr, ok := strings.CutPrefix(p.name, "@"); ok {
			value := ""
			if s, ok := p.value.(*JValue); ok && s.v != nil {
				value = xmlValue(s.v)
			}
			x.b.WriteString(" " + attr + `="` + escapeXML(value, true) + `"`)
		}
	}
	mark := x.b.Len()
	x.b.WriteString(">")
	for _, p := range o.props {
		switch {
		case strings.HasPrefix(p.name, "@"):
		case p.name == "#text":
			x.text(p.value, "", "")
		case p.name == "#cdata-section":
			x.text(p.value, "<![CDATA[", "]]>")
		default:
			x.element(p.name, p.value, depth+1)
		}
	}
	if x.b.Len() == mark+1 {
		whole := x.b.String()[:mark]
		x.b.Reset()
		x.b.WriteString(whole + " />")
		return
	}
	x.b.WriteString("</" + name + ">")
}

// text writes #text or #cdata-section, which may be a list.
func (x *xmlOfJSON) text(v JToken, before, after string) {
	list := []JToken{v}
	if a, ok := v.(*JArray); ok {
		list = a.items
	}
	for _, t := range list {
		s, ok := t.(*JValue)
		switch {
		case !ok || s.v == nil:
		case before != "":
			x.b.WriteString(before + xmlValue(s.v) + after)
		default:
			x.b.WriteString(escapeXML(xmlValue(s.v), false))
		}
	}
}

// encodeXMLName writes characters that a name cannot have as _xHHHH_ (XmlConvert.EncodeName).
func encodeXMLName(name string) string {
	var b strings.Builder
	for i, r := range name {
		if i == 0 && nameStart(r) || i > 0 && (nameChar(r) || r == ':') {
			b.WriteRune(r)
			continue
		}
		const hex = "0123456789ABCDEF"
		b.WriteString("_x" + string([]byte{hex[r>>12&15], hex[r>>8&15], hex[r>>4&15], hex[r&15]}) + "_")
	}
	return b.String()
}

func declareJSONOfXML(t *csharp.TypeBuilder) {
	for name, of := range map[string]func(run, any) *domNode{
		"SerializeXNode(System.Xml.Linq.XObject node": domOfLinq,
		"SerializeXmlNode(System.Xml.XmlNode node":    func(_ run, v any) *domNode { n, _ := v.(*domNode); return n },
	} {
		t.Static("string "+name+")", csharp.F2(func(r run, v any) string { return jsonOfXML(r, of(r, v), false, false) })).Outside()
		t.Static("string "+name+", Formatting formatting)", csharp.F3(func(r run, v any, f int) string { return jsonOfXML(r, of(r, v), f == 1, false) })).Outside()
		t.Static("string "+name+", Formatting formatting, bool omitRootObject)", csharp.F4(func(r run, v any, f int, omit bool) string {
			return jsonOfXML(r, of(r, v), f == 1, omit)
		})).Outside()
	}
	older := func(r run, s, root string) *domNode {
		n := &domNode{kind: xmlDocument}
		loadDOM(r, n, (&xmlOfJSON{r: r}).document(s, root), false)
		return n
	}
	newer := func(r run, s, root string) *XDocument {
		return parseXML(r, (&xmlOfJSON{r: r}).document(s, root), loadPreserveWhitespace)
	}
	t.Static("System.Xml.XmlDocument DeserializeXmlNode(string value)", csharp.F2(func(r run, s string) *domNode { return older(r, s, "") })).Outside()
	t.Static("System.Xml.XmlDocument DeserializeXmlNode(string value, string deserializeRootElementName)", csharp.F3(older)).Outside()
	t.Static("System.Xml.Linq.XDocument DeserializeXNode(string value)", csharp.F2(func(r run, s string) *XDocument { return newer(r, s, "") })).Outside()
	t.Static("System.Xml.Linq.XDocument DeserializeXNode(string value, string deserializeRootElementName)", csharp.F3(newer)).Outside()
}
