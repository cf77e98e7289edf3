package clr

import (
	"slices"
	"strings"

	"github.com/causeway-apim/causeway/internal/csharp"
)

// This file declares XElement, XAttribute, XDocument and the smaller nodes.

func newElement(r run, name *XName, content any) *XElement {
	if name == nil {
		csharp.ThrowArgumentNull("name")
	}
	r.Alloc(128)
	e := &XElement{name: name}
	addContent(r, e, nil, content)
	return e
}

func newAttribute(name *XName, v any) *XAttribute {
	if name == nil {
		csharp.ThrowArgumentNull("name")
	}
	needArg(v, "value")
	return &XAttribute{name: name, value: xmlValue(v)}
}

// index is the position of an attribute.
func (a *XAttribute) index() int {
	if a.parent == nil {
		return -1
	}
	return slices.Index(a.parent.attrs, a)
}

// sibling is the attribute at a distance.
func (a *XAttribute) sibling(by int) *XAttribute {
	if i := a.index() + by; a.parent != nil && i >= 0 && i < len(a.parent.attrs) {
		return a.parent.attrs[i]
	}
	return nil
}

func (a *XAttribute) remove() {
	i := a.index()
	if i < 0 {
		invalidOperation("The parent is missing.")
	}
	a.parent.attrs = slices.Delete(a.parent.attrs, i, i+1)
	a.parent = nil
}

func (e *XElement) setAttribute(name *XName, v any) {
	a := e.attribute(name)
	switch {
	case a == nil && v == nil:
	case a == nil:
		addAttribute(e, newAttribute(name, v))
	case v == nil:
		a.remove()
	default:
		a.value = xmlValue(v)
	}
}

func (e *XElement) setText(r run, s string) {
	removeNodes(e)
	e.open = s == ""
	if s != "" {
		r.Alloc(len(s))
		addText(e, nil, s)
	}
}

func (e *XElement) setElement(r run, name *XName, v any) {
	var child *XElement
	forward(e.first, func(n XNode) bool {
		if x, ok := n.(*XElement); ok && name != nil && *x.name == *name {
			child = x
		}
		return child == nil
	})
	switch {
	case child == nil && v == nil:
	case child == nil:
		addContent(r, e, e.last, newElement(r, name, xmlValue(v)))
	case v == nil:
		removeNode(child)
	default:
		child.setText(r, xmlValue(v))
	}
}

func (e *XElement) removeAttributes() {
	for _, a := range e.attrs {
		a.parent = nil
	}
	e.attrs = nil
}

// castXML is an explicit conversion of an element or attribute; null gives null or ArgumentNullException.
func castXML(r run, v any, param string, to *csharp.Type) any {
	target := to
	if to.IsNullable() {
		target = to.Elem()
	}
	s := ""
	switch x := v.(type) {
	case nil:
		if to.IsNullable() || !to.IsValueType() {
			return nil
		}
		csharp.ThrowArgumentNull(param)
	case *XElement:
		s = contentText(x)
	case *XAttribute:
		s = x.value
	}
	if target.FullName() == "System.String" {
		return s
	}
	s = strings.Trim(s, " \t\r\n")
	switch target.FullName() {
	case "System.Boolean":
		switch strings.ToLower(s) {
		case "true", "1":
			return true
		case "false", "0":
			return false
		}
		csharp.Throwf("System.FormatException", "The string '%s' is not a valid Boolean value.", s)
	case "System.Double", "System.Single":
		s = strings.Replace(s, "INF", "Infinity", 1)
	case "System.DateTime":
		return parseStyled(r, s, 128) // RoundtripKind
	case "System.DateTimeOffset":
		return mustOffset(r, s, 0)
	case "System.Guid":
		return mustGuid(s, "")
	case "System.TimeSpan":
		return parseDuration(s)
	}
	return changeType(r, s, target)
}

// parseDuration reads an xs:duration (XML Schema part 2, section 3.2.6) with years of 365 and months of 30 days.
func parseDuration(s string) TimeSpan {
	bad := func() {
		csharp.Throwf("System.FormatException", "The string '%s' is not a valid TimeSpan value.", s)
	}
	rest, negative := strings.CutPrefix(s, "-")
	rest, ok := strings.CutPrefix(rest, "P")
	if !ok || rest == "" || strings.HasSuffix(rest, "T") {
		bad()
	}
	units := map[string]int64{"Y": 365 * ticksPerDay, "M": 30 * ticksPerDay, "D": ticksPerDay, "TH": ticksPerHour, "TM": ticksPerMinute, "TS": ticksPerSecond}
	total, clock := 0.0, ""
	for rest != "" {
		if rest[0] == 'T' {
			clock, rest = "T", rest[1:]
		}
		i := strings.IndexFunc(rest, func(c rune) bool { return c != '.' && (c < '0' || c > '9') })
		if i <= 0 {
			bad()
		}
		n, valid := parseFloat(rest[:i], 0x20, 64)
		unit, known := units[clock+rest[i:i+1]]
		if !valid || !known {
			bad()
		}
		total += n * float64(unit)
		rest = rest[i+1:]
	}
	if negative {
		total = -total
	}
	return spanOf(total, 1)
}

var xmlCastTypes = []string{"string", "bool", "int", "uint", "long", "ulong", "float", "double", "decimal", "DateTime", "DateTimeOffset", "TimeSpan", "Guid"}

func xmlCasts(t *csharp.TypeBuilder, class, param string) {
	for _, name := range xmlCastTypes {
		names := []string{name, name + "?"}
		if name == "string" {
			names = names[:1]
		}
		for _, n := range names {
			t.Conv("explicit operator "+n+"("+class+" "+param+")", csharp.Boxed(csharp.F3(func(to resultType, r run, v any) any {
				return castXML(r, v, param, to.Type)
			})))
		}
	}
}

func declareXML(b *csharp.Builder) {
	declareXName(b)
	declareXNode(b)
	declareXElement(b)
	declareXAttribute(b)
	declareXDocument(b)
	declareXSmall(b)
	declareXExtensions(b)
}

func declareXElement(b *csharp.Builder) {
	t := b.Type("class "+linqSpace+"XElement : XContainer", csharp.Go[*XElement]())
	t.New("(XName name)", csharp.F2(func(r run, n *XName) *XElement { return newElement(r, n, nil) }))
	t.New("(XName name, object content)", csharp.F3(newElement))
	t.New("(XName name, params object[] content)", csharp.F3(func(r run, n *XName, a array) *XElement { return newElement(r, n, contentOf(a)) }))
	t.New("(XElement other)", csharp.F2(func(r run, e *XElement) *XElement {
		if e == nil {
			csharp.ThrowArgumentNull("other")
		}
		chargeNodes(r, e)
		return e.clone(0).(*XElement)
	}))
	parse := func(r run, s string, options int) *XElement {
		e := parseXML(r, s, options).root()
		detach(e)
		return e
	}
	t.Static("XElement Parse(string text)", csharp.F2(func(r run, s string) *XElement { return parse(r, s, 0) }))
	t.Static("XElement Parse(string text, LoadOptions options)", csharp.F3(parse))
	t.Prop("XName Name", csharp.F1(func(e *XElement) *XName { return e.name }), csharp.V2(func(e *XElement, n *XName) {
		if n == nil {
			csharp.ThrowArgumentNull("value")
		}
		e.name = n
	}))
	t.Prop("string Value", csharp.F2(func(r run, e *XElement) string {
		s := contentText(e)
		r.Alloc(len(s))
		return s
	}), csharp.V3(func(r run, e *XElement, s string) { needString(s, "value"); e.setText(r, s) }))
	t.Prop("bool IsEmpty", csharp.F1((*XElement).isEmpty))
	t.Prop("bool HasElements", csharp.F1(func(e *XElement) bool {
		has := false
		forward(e.first, func(n XNode) bool { _, has = n.(*XElement); return !has })
		return has
	}))
	t.Prop("bool HasAttributes", csharp.F1(func(e *XElement) bool { return len(e.attrs) > 0 }))
	t.Prop("XAttribute FirstAttribute", csharp.F1(func(e *XElement) *XAttribute { return e.edge(0) }))
	t.Prop("XAttribute LastAttribute", csharp.F1(func(e *XElement) *XAttribute { return e.edge(len(e.attrs) - 1) }))
	t.Method("XAttribute Attribute(XName name)", csharp.F2((*XElement).attribute))
	attributes := func(t resultType, e *XElement, keep func(*XAttribute) bool) *Seq {
		return &Seq{typ: t.Type, each: func(_ run, yield func(any) bool) {
			for _, a := range slices.Clone(e.attrs) {
				if keep(a) && !yield(a) {
					return
				}
			}
		}}
	}
	t.Method("IEnumerable<XAttribute> Attributes()", csharp.F2(func(t resultType, e *XElement) *Seq {
		return attributes(t, e, func(*XAttribute) bool { return true })
	}))
	t.Method("IEnumerable<XAttribute> Attributes(XName name)", csharp.F3(func(t resultType, e *XElement, n *XName) *Seq {
		return attributes(t, e, func(a *XAttribute) bool { return n != nil && *a.name == *n })
	}))
	declareXMLStreams(t, "XElement", func(d *XDocument) *XElement {
		e := d.root()
		detach(e)
		return e
	})
	declareXElementAxes(t)
	declareXElementChanges(t)
	xmlCasts(t, "XElement", "element")
}

// isEmpty tells whether the element is written without an end tag.
func (e *XElement) isEmpty() bool { return e.first == nil && !e.open }

// edge is the attribute at a position, nil beyond.
func (e *XElement) edge(i int) *XAttribute {
	if i < 0 || i >= len(e.attrs) {
		return nil
	}
	return e.attrs[i]
}

func declareXElementAxes(t *csharp.TypeBuilder) {
	for name, walk := range map[string]func(e *XElement, y func(XNode) bool){
		"DescendantsAndSelf": func(e *XElement, y func(XNode) bool) { walk(e, true, y) },
		"AncestorsAndSelf":   func(e *XElement, y func(XNode) bool) { up(e, y) },
	} {
		t.Method("IEnumerable<XElement> "+name+"()", csharp.F2(func(t resultType, e *XElement) *Seq {
			return axis[*XElement](t, nil, func(y func(XNode) bool) { walk(e, y) })
		}))
		t.Method("IEnumerable<XElement> "+name+"(XName name)", csharp.F3(func(t resultType, e *XElement, n *XName) *Seq {
			return axis[*XElement](t, oneOf(n), func(y func(XNode) bool) { walk(e, y) })
		}))
	}
	t.Method("IEnumerable<XNode> DescendantNodesAndSelf()", csharp.F2(func(t resultType, e *XElement) *Seq {
		return axis[XNode](t, nil, func(y func(XNode) bool) { walk(e, true, y) })
	}))
	t.Method("XNamespace GetDefaultNamespace()", csharp.F1(func(e *XElement) *XNamespace {
		uri, _ := namespaceOf(e, "")
		return &XNamespace{uri}
	}))
	t.Method("XNamespace GetNamespaceOfPrefix(string prefix)", csharp.F2(func(e *XElement, p string) *XNamespace {
		needString(p, "prefix")
		if uri, ok := namespaceOf(e, p); ok && p != "" {
			return &XNamespace{uri}
		}
		return nil
	}))
	t.Method("string GetPrefixOfNamespace(XNamespace ns)", csharp.F2(func(e *XElement, n *XNamespace) string {
		if n == nil {
			csharp.ThrowArgumentNull("ns")
		}
		if p, ok := prefixOf(e, n.uri, false); ok {
			return p
		}
		return csharp.Null()
	}))
}

func declareXElementChanges(t *csharp.TypeBuilder) {
	t.Method("void SetValue(object value)", csharp.V3(func(r run, e *XElement, v any) { needArg(v, "value"); e.setText(r, xmlValue(v)) }))
	t.Method("void SetAttributeValue(XName name, object value)", csharp.V3((*XElement).setAttribute))
	t.Method("void SetElementValue(XName name, object value)", csharp.V4(func(r run, e *XElement, n *XName, v any) { e.setElement(r, n, v) }))
	t.Method("void RemoveAttributes()", csharp.V1((*XElement).removeAttributes))
	removeAll := func(e *XElement) {
		e.removeAttributes()
		removeNodes(e)
	}
	t.Method("void RemoveAll()", csharp.V1(removeAll))
	replaceAll := func(r run, e *XElement, v any) {
		v = snapshot(r, v)
		removeAll(e)
		addContent(r, e, nil, v)
	}
	replaceAttributes := func(r run, e *XElement, v any) {
		v = snapshot(r, v)
		e.removeAttributes()
		addContent(r, e, e.last, v)
	}
	for name, do := range map[string]func(run, *XElement, any){"ReplaceAll": replaceAll, "ReplaceAttributes": replaceAttributes} {
		t.Method("void "+name+"(object content)", csharp.V3(do))
		t.Method("void "+name+"(params object[] content)", csharp.V3(func(r run, e *XElement, a array) { do(r, e, contentOf(a)) }))
	}
}

func declareXAttribute(b *csharp.Builder) {
	t := b.Type("class "+linqSpace+"XAttribute : XObject", csharp.Go[*XAttribute]())
	t.New("(XName name, object value)", csharp.F2(newAttribute))
	t.New("(XAttribute other)", csharp.F1(func(a *XAttribute) *XAttribute {
		if a == nil {
			csharp.ThrowArgumentNull("other")
		}
		return &XAttribute{name: a.name, value: a.value}
	}))
	t.Prop("XName Name", csharp.F1(func(a *XAttribute) *XName { return a.name }))
	t.Prop("string Value", csharp.F1(func(a *XAttribute) string { return a.value }), csharp.V2(func(a *XAttribute, s string) { needString(s, "value"); a.value = s }))
	t.Prop("bool IsNamespaceDeclaration", csharp.F1(func(a *XAttribute) bool { _, ok := declaredPrefix(a); return ok }))
	t.Prop("XAttribute NextAttribute", csharp.F1(func(a *XAttribute) *XAttribute { return a.sibling(1) }))
	t.Prop("XAttribute PreviousAttribute", csharp.F1(func(a *XAttribute) *XAttribute { return a.sibling(-1) }))
	t.Method("void Remove()", csharp.V1((*XAttribute).remove))
	t.Method("void SetValue(object value)", csharp.V2(func(a *XAttribute, v any) { needArg(v, "value"); a.value = xmlValue(v) }))
	t.Method("string ToString()", csharp.F1((*XAttribute).ToString))
	t.StaticProp("IEnumerable<XAttribute> EmptySequence", csharp.F1(func(t resultType) *Seq {
		return &Seq{typ: t.Type, each: func(run, func(any) bool) {}}
	}))
	xmlCasts(t, "XAttribute", "attribute")
}

func declareXDocument(b *csharp.Builder) {
	t := b.Type("class "+linqSpace+"XDocument : XContainer", csharp.Go[*XDocument]())
	create := func(r run, decl *XDeclaration, content any) *XDocument {
		d := &XDocument{decl: decl}
		addContent(r, d, nil, content)
		return d
	}
	t.New("()", csharp.F0(func() *XDocument { return &XDocument{} }))
	t.New("(params object[] content)", csharp.F2(func(r run, a array) *XDocument { return create(r, nil, contentOf(a)) }))
	t.New("(XDeclaration declaration, params object[] content)", csharp.F3(func(r run, d *XDeclaration, a array) *XDocument { return create(r, d, contentOf(a)) }))
	t.New("(XDocument other)", csharp.F2(func(r run, d *XDocument) *XDocument {
		if d == nil {
			csharp.ThrowArgumentNull("other")
		}
		chargeNodes(r, d)
		return d.clone(0).(*XDocument)
	}))
	t.Static("XDocument Parse(string text)", csharp.F2(func(r run, s string) *XDocument { return parseXML(r, s, 0) }))
	t.Static("XDocument Parse(string text, LoadOptions options)", csharp.F3(parseXML))
	declareXMLStreams(t, "XDocument", func(d *XDocument) *XDocument { return d })
	t.Prop("XElement Root", csharp.F1((*XDocument).root))
	t.Prop("XDeclaration Declaration", csharp.F1(func(d *XDocument) *XDeclaration { return d.decl }), csharp.V2(func(d *XDocument, x *XDeclaration) { d.decl = x }))
	t.Prop("XDocumentType DocumentType", csharp.F1(func(d *XDocument) (out *XDocumentType) {
		forward(d.first, func(n XNode) bool {
			x, ok := n.(*XDocumentType)
			if ok {
				out = x
			}
			return !ok
		})
		return out
	}))
	d := b.Type("class "+linqSpace+"XDeclaration", csharp.Go[*XDeclaration]())
	d.New("(string version, string encoding, string standalone)", csharp.F3(func(v, e, s string) *XDeclaration { return &XDeclaration{v, e, s} }))
	str := func(name string, field func(*XDeclaration) *string) {
		d.Prop("string "+name, csharp.F1(func(d *XDeclaration) string { return *field(d) }), csharp.V2(func(d *XDeclaration, s string) { *field(d) = s }))
	}
	str("Version", func(d *XDeclaration) *string { return &d.version })
	str("Encoding", func(d *XDeclaration) *string { return &d.encoding })
	str("Standalone", func(d *XDeclaration) *string { return &d.standalone })
}

func declareXSmall(b *csharp.Builder) {
	x := b.Type("class "+linqSpace+"XText : XNode", csharp.Go[textual]())
	x.New("(string value)", csharp.F1(func(s string) *XText { needString(s, "value"); return &XText{value: s} }))
	x.New("(XText other)", csharp.F1(func(o textual) *XText {
		if o == nil {
			csharp.ThrowArgumentNull("other")
		}
		return &XText{value: o.text().value}
	}))
	x.Prop("string Value", csharp.F1(func(t textual) string { return t.text().value }), csharp.V2(func(t textual, s string) { needString(s, "value"); t.text().value = s }))
	b.Type("class "+linqSpace+"XCData : XText", csharp.Go[*XCData]()).
		New("(string value)", csharp.F1(func(s string) *XCData { needString(s, "value"); return &XCData{XText{value: s}} }))
	c := b.Type("class "+linqSpace+"XComment : XNode", csharp.Go[*XComment]())
	c.New("(string value)", csharp.F1(func(s string) *XComment { needString(s, "value"); return &XComment{value: s} }))
	c.New("(XComment other)", csharp.F1(func(o *XComment) *XComment {
		if o == nil {
			csharp.ThrowArgumentNull("other")
		}
		return &XComment{value: o.value}
	}))
	c.Prop("string Value", csharp.F1(func(c *XComment) string { return c.value }), csharp.V2(func(c *XComment, s string) { needString(s, "value"); c.value = s }))
	p := b.Type("class "+linqSpace+"XProcessingInstruction : XNode", csharp.Go[*XProcessingInstruction]())
	p.New("(string target, string data)", csharp.F2(func(target, data string) *XProcessingInstruction {
		needString(data, "data")
		checkNCName(target)
		return &XProcessingInstruction{target: target, data: data}
	}))
	p.Prop("string Target", csharp.F1(func(p *XProcessingInstruction) string { return p.target }))
	p.Prop("string Data", csharp.F1(func(p *XProcessingInstruction) string { return p.data }))
	d := b.Type("class "+linqSpace+"XDocumentType : XNode", csharp.Go[*XDocumentType]())
	d.New("(string name, string publicId, string systemId, string internalSubset)", csharp.F4(func(n, p, s, i string) *XDocumentType {
		return &XDocumentType{name: n, public: notNull(p), system: notNull(s), subset: i}
	}))
	d.Prop("string Name", csharp.F1(func(d *XDocumentType) string { return d.name }))
	for name, f := range map[string]func(*XDocumentType) string{"PublicId": func(d *XDocumentType) string { return d.public },
		"SystemId": func(d *XDocumentType) string { return d.system }, "InternalSubset": func(d *XDocumentType) string { return d.subset }} {
		d.Prop("string "+name, csharp.F1(f))
	}
	e := b.Type("class "+linqSpace+"XNodeEqualityComparer : IEqualityComparer<XNode>", csharp.Go[*nodeComparer]())
	e.New("()", csharp.F0(func() *nodeComparer { return &nodeComparer{} }))
	e.Method("bool Equals(XNode x, XNode y)", csharp.F3(func(_ *nodeComparer, a, b XNode) bool { return deepEqual(a, b, 0) }))
	e.Method("int GetHashCode(XNode obj)", csharp.F2(func(c *nodeComparer, n XNode) int {
		if n == nil {
			return 0
		}
		return hashCode(c.key(n))
	}))
	o := b.Type("class "+linqSpace+"XNodeDocumentOrderComparer : IComparer<XNode>", csharp.Go[*nodeOrder]())
	o.New("()", csharp.F0(func() *nodeOrder { return &nodeOrder{} }))
	o.Method("int Compare(XNode x, XNode y)", csharp.F4(func(r run, o *nodeOrder, a, b XNode) int { return o.order(r, a, b) }))
}

// nodeComparer is XNodeEqualityComparer.
type nodeComparer struct{ _ byte }

// ClrName is the class.
func (*nodeComparer) ClrName() string { return linqSpace + "XNodeEqualityComparer" }

// key is the text of a node: equal for nodes that are deeply equal.
func (*nodeComparer) key(v any) any {
	if n, ok := v.(XNode); ok {
		return nodeText(n, saveUnformatted)
	}
	return csharp.KeyOf(v)
}

// nodeOrder is XNodeDocumentOrderComparer.
type nodeOrder struct{ _ byte }

// ClrName is the class.
func (*nodeOrder) ClrName() string { return linqSpace + "XNodeDocumentOrderComparer" }

func (*nodeOrder) order(_ run, a, b any) int {
	x, ok := a.(XNode)
	y, ok2 := b.(XNode)
	switch {
	case !ok || !ok2:
		return Compare(ok, ok2)
	case x == y:
		return 0
	case isAfter(x, y):
		return 1
	}
	return -1
}
