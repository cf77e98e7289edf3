package clr

import "github.com/causeway-apim/causeway/internal/csharp"

func declareXMLReader(b *csharp.Builder) {
	b.Enum(domSpace+"ReadState", false, []string{"Initial", "Interactive", "Error", "EndOfFile", "Closed"}, []int64{0, 1, 2, 3, 4}).Outside()
	b.Enum(domSpace+"DtdProcessing", false, []string{"Prohibit", "Ignore", "Parse"}, []int64{0, 1, 2}).Outside()
	s := b.Type("class "+domSpace+"XmlReaderSettings", csharp.Go[*readerSettings]()).Outside()
	s.New("()", csharp.F0(func() *readerSettings { return &readerSettings{} }))
	for name, field := range map[string]func(*readerSettings) *bool{
		"IgnoreWhitespace":             func(s *readerSettings) *bool { return &s.whitespace },
		"IgnoreComments":               func(s *readerSettings) *bool { return &s.comments },
		"IgnoreProcessingInstructions": func(s *readerSettings) *bool { return &s.instructions },
	} {
		s.Prop("bool "+name, csharp.F1(func(s *readerSettings) bool { return *field(s) }), csharp.V2(func(s *readerSettings, v bool) { *field(s) = v }))
	}
	t := b.Type("abstract class "+domSpace+"XmlReader : System.IDisposable", csharp.Go[*xmlCursor]()).Outside()
	create := func(r run, in *StringReader, s *readerSettings) *xmlCursor {
		if in == nil {
			csharp.ThrowArgumentNull("input")
		}
		if s == nil {
			s = &readerSettings{}
		}
		return &xmlCursor{r: r, text: in.take(r, len(in.open().units)-in.pos), set: s}
	}
	t.Static("XmlReader Create(System.IO.TextReader input)", csharp.F2(func(r run, in *StringReader) *xmlCursor { return create(r, in, nil) }))
	t.Static("XmlReader Create(System.IO.TextReader input, XmlReaderSettings settings)", csharp.F3(create))
	declareReaderState(t)
	declareReaderMoves(t)
	declareReaderText(t)
}

func declareReaderState(t *csharp.TypeBuilder) {
	t.Prop("XmlNodeType NodeType", csharp.F1((*xmlCursor).kind))
	t.Prop("ReadState ReadState", csharp.F1(func(x *xmlCursor) int { return x.state }))
	t.Prop("bool EOF", csharp.F1(func(x *xmlCursor) bool { return x.state == readEndOfFile }))
	t.Prop("int Depth", csharp.F1((*xmlCursor).depth))
	str := func(name string, get func(n *domNode) string) {
		t.Prop("string "+name, csharp.F1(func(x *xmlCursor) string {
			if n := x.node(); n != nil {
				return get(n)
			}
			return ""
		}))
	}
	named := func(n *domNode) bool {
		return n.kind == xmlElement || n.kind == xmlAttribute || n.kind == xmlInstruction || n.kind == xmlDocType || n.kind == xmlDeclarationNode
	}
	str("Name", func(n *domNode) string {
		if named(n) {
			return n.name()
		}
		return ""
	})
	str("LocalName", func(n *domNode) string {
		if n.kind == xmlDeclarationNode {
			return "xml"
		}
		return n.local
	})
	str("Prefix", func(n *domNode) string { return n.prefix })
	str("NamespaceURI", func(n *domNode) string { return n.uri })
	str("Value", func(n *domNode) string { return n.value })
	t.Prop("bool HasValue", csharp.F1(func(x *xmlCursor) bool { n := x.node(); return n != nil && n.hasValue() }))
	t.Prop("bool IsEmptyElement", csharp.F1(func(x *xmlCursor) bool {
		return x.kind() == xmlElement && x.cur.first == nil && !x.cur.open
	}))
	t.Prop("int AttributeCount", csharp.F1(func(x *xmlCursor) int {
		if x.cur == nil || x.end {
			return 0
		}
		return len(x.cur.attrs)
	}))
	t.Prop("bool HasAttributes", csharp.F1(func(x *xmlCursor) bool { return x.attributeAt(0) != nil }))
	t.Method("string LookupNamespace(string prefix)", csharp.F2(func(x *xmlCursor, p string) string {
		if x.cur != nil {
			if uri, ok := x.cur.namespace(notNull(p)); ok {
				return uri
			}
		}
		return csharp.Null()
	}))
	byName := func(x *xmlCursor, name string) string {
		return attributeValue(x.attribute(func(n *domNode) *domNode { return n.attribute(name) }))
	}
	byNS := func(x *xmlCursor, l, u string) string {
		return attributeValue(x.attribute(func(n *domNode) *domNode { return n.attributeNS(l, notNull(u)) }))
	}
	byIndex := func(x *xmlCursor, i int) string {
		a := x.attributeAt(i)
		if a == nil {
			outOfRange("i", "Specified argument was out of the range of valid values.")
		}
		return a.value
	}
	t.Method("string GetAttribute(string name)", csharp.F2(byName))
	t.Method("string GetAttribute(string name, string namespaceURI)", csharp.F3(byNS))
	t.Method("string GetAttribute(int i)", csharp.F2(byIndex))
	t.Index("string this[string name]", csharp.F2(byName))
	t.Index("string this[string name, string namespaceURI]", csharp.F3(byNS))
	t.Index("string this[int i]", csharp.F2(byIndex))
}

func declareReaderMoves(t *csharp.TypeBuilder) {
	t.Method("bool Read()", csharp.F1((*xmlCursor).read))
	t.Method("void Skip()", csharp.V1((*xmlCursor).skip))
	t.Method("void Close()", csharp.V1((*xmlCursor).Dispose))
	t.Method("void Dispose()", csharp.V1((*xmlCursor).Dispose))
	t.Method("XmlNodeType MoveToContent()", csharp.F1((*xmlCursor).content))
	t.Method("bool MoveToElement()", csharp.F1(func(x *xmlCursor) bool {
		on := x.attr != nil
		x.attr = nil
		return on
	}))
	t.Method("bool MoveToFirstAttribute()", csharp.F1(func(x *xmlCursor) bool { return x.moveTo(x.attributeAt(0)) }))
	t.Method("bool MoveToNextAttribute()", csharp.F1(func(x *xmlCursor) bool { return x.moveTo(x.nextAttribute()) }))
	t.Method("bool MoveToAttribute(string name)", csharp.F2(func(x *xmlCursor, name string) bool {
		return x.moveTo(x.attribute(func(n *domNode) *domNode { return n.attribute(name) }))
	}))
	t.Method("void MoveToAttribute(int i)", csharp.V2(func(x *xmlCursor, i int) {
		if !x.moveTo(x.attributeAt(i)) {
			outOfRange("i", "Specified argument was out of the range of valid values.")
		}
	}))
	for name, move := range map[string]func(*xmlCursor, func(*domNode) bool) bool{
		"ReadToFollowing":   func(x *xmlCursor, keep func(*domNode) bool) bool { return x.find(nil, keep) },
		"ReadToDescendant":  (*xmlCursor).descendant,
		"ReadToNextSibling": (*xmlCursor).sibling,
		"IsStartElement":    (*xmlCursor).startsElement,
	} {
		t.Method("bool "+name+"(string name)", csharp.F2(func(x *xmlCursor, s string) bool { return move(x, func(n *domNode) bool { return n.name() == s }) }))
		t.Method("bool "+name+"(string localName, string namespaceURI)", csharp.F3(func(x *xmlCursor, l, u string) bool {
			return move(x, func(n *domNode) bool { return n.local == l && n.uri == u })
		}))
	}
	t.Method("bool IsStartElement()", csharp.F1(func(x *xmlCursor) bool { return x.content() == xmlElement }))
}

func declareReaderText(t *csharp.TypeBuilder) {
	t.Method("void ReadStartElement()", csharp.V1(func(x *xmlCursor) {
		x.startElement(func(*domNode) bool { return true }, "An element")
	}))
	t.Method("void ReadStartElement(string name)", csharp.V2(func(x *xmlCursor, s string) {
		x.startElement(func(n *domNode) bool { return n.name() == s }, "Element '"+s+"'")
	}))
	t.Method("void ReadEndElement()", csharp.V1((*xmlCursor).endElement))
	t.Method("string ReadElementContentAsString()", csharp.F1((*xmlCursor).elementText))
	t.Method("string ReadElementString()", csharp.F1(func(x *xmlCursor) string { x.content(); return x.elementText() }))
	t.Method("string ReadElementString(string name)", csharp.F2(func(x *xmlCursor, s string) string {
		if !x.startsElement(func(n *domNode) bool { return n.name() == s }) {
			x.fail("Element '" + s + "' was not found.")
		}
		return x.elementText()
	}))
	for name, kind := range map[string]string{"Int": "int", "Long": "long", "Double": "double", "Decimal": "decimal", "Boolean": "bool", "DateTime": "DateTime"} {
		t.Method(kind+" ReadElementContentAs"+name+"()", csharp.Boxed(csharp.F3(func(to resultType, r run, x *xmlCursor) any {
			return castXML(r, &XAttribute{value: x.elementText()}, "", to.Type)
		})))
	}
	t.Method("string ReadContentAsString()", csharp.F1((*xmlCursor).contentText))
	t.Method("string ReadString()", csharp.F1(func(x *xmlCursor) string {
		if x.kind() == xmlElement {
			x.read()
		}
		return x.contentText()
	}))
	t.Method("string ReadInnerXml()", csharp.F1(func(x *xmlCursor) string { return x.outer(true) }))
	t.Method("string ReadOuterXml()", csharp.F1(func(x *xmlCursor) string { return x.outer(false) }))
	t.Method("XmlReader ReadSubtree()", csharp.F1(func(x *xmlCursor) *xmlCursor {
		if x.kind() != xmlElement {
			invalidOperation("ReadSubtree() can be called only if the reader is on an element node.")
		}
		return &xmlCursor{r: x.r, text: x.cur.outerXML(x.r), set: x.set}
	}))
}

func declareXMLWriter(b *csharp.Builder) {
	b.Enum(domSpace+"ConformanceLevel", false, []string{"Auto", "Fragment", "Document"}, []int64{0, 1, 2}).Outside()
	s := b.Type("class "+domSpace+"XmlWriterSettings", csharp.Go[*xmlSettings]()).Outside()
	s.New("()", csharp.F0(newXMLSettings))
	for name, field := range map[string]func(*xmlSettings) *bool{
		"Indent":             func(s *xmlSettings) *bool { return &s.indent },
		"OmitXmlDeclaration": func(s *xmlSettings) *bool { return &s.omitDeclaration },
	} {
		s.Prop("bool "+name, csharp.F1(func(s *xmlSettings) bool { return *field(s) }), csharp.V2(func(s *xmlSettings, v bool) { *field(s) = v }))
	}
	for name, field := range map[string]func(*xmlSettings) *string{
		"IndentChars":  func(s *xmlSettings) *string { return &s.chars },
		"NewLineChars": func(s *xmlSettings) *string { return &s.newline },
	} {
		s.Prop("string "+name, csharp.F1(func(s *xmlSettings) string { return *field(s) }), csharp.V2(func(s *xmlSettings, v string) { needString(v, "value"); *field(s) = v }))
	}
	s.Prop("Encoding Encoding", csharp.F1(func(s *xmlSettings) *Encoding { return s.encoding }), csharp.V2(func(s *xmlSettings, e *Encoding) { s.encoding = e }))
	s.Prop("ConformanceLevel ConformanceLevel", csharp.F1(func(s *xmlSettings) int { return s.level }), csharp.V2(func(s *xmlSettings, v int) {
		s.level, s.fragment = v, v == 1
	}))
	t := b.Type("abstract class "+domSpace+"XmlWriter : System.IDisposable", csharp.Go[*xmlOut]()).Outside()
	create := func(r run, sb *StringBuilder, s *xmlSettings) *xmlOut {
		set := newXMLSettings()
		if s != nil {
			*set = *s
		}
		return &xmlOut{r: r, set: set, target: sb}
	}
	t.Static("XmlWriter Create(StringBuilder output)", csharp.F2(func(r run, sb *StringBuilder) *xmlOut { return create(r, sb, nil) }))
	t.Static("XmlWriter Create(StringBuilder output, XmlWriterSettings settings)", csharp.F3(create))
	t.Static("XmlWriter Create(System.IO.TextWriter output)", csharp.F2(func(r run, w *StringWriter) *xmlOut { return create(r, w.sb, nil) }))
	t.Static("XmlWriter Create(System.IO.TextWriter output, XmlWriterSettings settings)", csharp.F3(func(r run, w *StringWriter, s *xmlSettings) *xmlOut { return create(r, w.sb, s) }))
	declareWriterTags(t)
	declareWriterText(t)
}

func declareWriterTags(t *csharp.TypeBuilder) {
	null := csharp.Null()
	t.Method("void WriteStartDocument()", csharp.V1(func(w *xmlOut) { w.document("") }))
	t.Method("void WriteStartDocument(bool standalone)", csharp.V2(func(w *xmlOut, yes bool) {
		w.document(map[bool]string{true: ` standalone="yes"`, false: ` standalone="no"`}[yes])
	}))
	t.Method("void WriteEndDocument()", csharp.V1(func(w *xmlOut) {
		for len(w.open) > 0 {
			w.end(false)
		}
	}))
	t.Method("void WriteStartElement(string localName)", csharp.V2(func(w *xmlOut, l string) { w.start(null, notNull(l), null) }))
	t.Method("void WriteStartElement(string localName, string ns)", csharp.V3(func(w *xmlOut, l, u string) { w.start(null, notNull(l), u) }))
	t.Method("void WriteStartElement(string prefix, string localName, string ns)", csharp.V4(func(w *xmlOut, p, l, u string) { w.start(p, notNull(l), u) }))
	t.Method("void WriteEndElement()", csharp.V1(func(w *xmlOut) { w.end(false) }))
	t.Method("void WriteFullEndElement()", csharp.V1(func(w *xmlOut) { w.end(true) }))
	element := func(w *xmlOut, p, l, u, v string) {
		w.start(p, notNull(l), u)
		if notNull(v) != "" {
			w.text(v)
		}
		w.end(false)
	}
	t.Method("void WriteElementString(string localName, string value)", csharp.V3(func(w *xmlOut, l, v string) { element(w, null, l, null, v) }))
	t.Method("void WriteElementString(string localName, string ns, string value)", csharp.V4(func(w *xmlOut, l, u, v string) { element(w, null, l, u, v) }))
	t.Method("void WriteElementString(string prefix, string localName, string ns, string value)", csharp.V5(element))
	t.Method("void WriteAttributeString(string localName, string value)", csharp.V3(func(w *xmlOut, l, v string) { w.attribute("", notNull(l), "", v) }))
	t.Method("void WriteAttributeString(string localName, string ns, string value)", csharp.V4(func(w *xmlOut, l, u, v string) { w.attribute("", notNull(l), u, v) }))
	t.Method("void WriteAttributeString(string prefix, string localName, string ns, string value)", csharp.V5(func(w *xmlOut, p, l, u, v string) {
		w.attribute(p, notNull(l), u, v)
	}))
	t.Method("void WriteStartAttribute(string localName)", csharp.V2(func(w *xmlOut, l string) { w.startAttribute("", notNull(l), "") }))
	t.Method("void WriteEndAttribute()", csharp.V1(func(w *xmlOut) {
		if w.attr != "" {
			w.put(`"`)
			w.attr = ""
		}
	}))
}

func declareWriterText(t *csharp.TypeBuilder) {
	t.Method("void WriteString(string text)", csharp.V2((*xmlOut).text))
	t.Method("void WriteValue(object value)", csharp.V2(func(w *xmlOut, v any) { needArg(v, "value"); w.text(xmlValue(v)) }))
	t.Method("void WriteRaw(string data)", csharp.V2(func(w *xmlOut, s string) { w.raw(notNull(s), true) }))
	t.Method("void WriteCData(string text)", csharp.V2(func(w *xmlOut, s string) { w.raw(nodeText(&XCData{XText{value: notNull(s)}}, 0), true) }))
	t.Method("void WriteComment(string text)", csharp.V2(func(w *xmlOut, s string) { w.raw("<!--"+notNull(s)+"-->", false) }))
	t.Method("void WriteProcessingInstruction(string name, string text)", csharp.V3(func(w *xmlOut, name, s string) {
		w.raw(nodeText(&XProcessingInstruction{target: name, data: notNull(s)}, 0), false)
	}))
	for _, name := range []string{"Close", "Dispose"} {
		t.Method("void "+name+"()", csharp.V1((*xmlOut).Dispose))
	}
	t.Method("void Flush()", csharp.V1(func(w *xmlOut) {
		if w.inTag && w.attr == "" {
			w.endTag()
		}
		w.flush()
	}))
}
