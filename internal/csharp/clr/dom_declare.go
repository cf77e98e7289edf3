package clr

import "github.com/causeway-apim/causeway/internal/csharp"

// This file declares XmlNode and its classes.

// A domList is System.Xml.XmlNodeList, and XmlAttributeCollection with an owner.
type domList struct {
	nodes func() []*domNode
	owner *domNode
}

// ClrName is the class.
func (l *domList) ClrName() string {
	if l.owner != nil {
		return domSpace + "XmlAttributeCollection"
	}
	return domSpace + "XmlNodeList"
}

// Each implements csharp.Enumerable.
func (l *domList) Each(r run, yield func(any) bool) {
	for _, n := range l.nodes() {
		r.Step()
		if !yield(n) {
			return
		}
	}
}

func (l *domList) at(i int) *domNode {
	if list := l.nodes(); i >= 0 && i < len(list) {
		return list[i]
	}
	return nil
}

func domNodes(set xpathSet) *domList {
	nodes := make([]*domNode, len(set))
	for i, n := range set {
		nodes[i] = n.(domPath).domNode
	}
	return &domList{nodes: func() []*domNode { return nodes }}
}

// byTagName is GetElementsByTagName.
func (n *domNode) byTagName(r run, keep func(*domNode) bool) *domList {
	return &domList{nodes: func() (out []*domNode) {
		xpathWalk(domPath{n}, func(x xpathNode) bool {
			r.Step()
			if d := x.(domPath).domNode; d != n && d.kind == xmlElement && keep(d) {
				r.Alloc(8)
				out = append(out, d)
			}
			return true
		})
		return out
	}}
}

func named(name string) func(*domNode) bool {
	return func(n *domNode) bool { return name == "*" || n.name() == name }
}

func namedNS(local, uri string) func(*domNode) bool {
	return func(n *domNode) bool { return (local == "*" || n.local == local) && (uri == "*" || n.uri == uri) }
}

func declareDOM(b *csharp.Builder) {
	declareNamespaces(b)
	t := b.Type("abstract class "+domSpace+"XmlNode : System.Collections.IEnumerable", csharp.Go[*domNode]()).Outside()
	t.Prop("string Name", csharp.F1((*domNode).name))
	t.Prop("string LocalName", csharp.F1(func(n *domNode) string {
		if n.kind == xmlElement || n.kind == xmlAttribute {
			return n.local
		}
		return n.name()
	}))
	t.Prop("string Prefix", csharp.F1(func(n *domNode) string { return n.prefix }))
	t.Prop("string NamespaceURI", csharp.F1(func(n *domNode) string { return n.uri }))
	t.Prop("XmlNodeType NodeType", csharp.F1(func(n *domNode) int { return n.kind }))
	t.Prop("string Value", csharp.F1(func(n *domNode) string {
		if n.hasValue() {
			return n.value
		}
		return csharp.Null()
	}), csharp.V2(func(n *domNode, s string) {
		if !n.hasValue() {
			invalidOperation("Cannot set a value on node type '" + csharp.FormatValue(n.ClrName()[len(domSpace)+len("Xml"):]) + "'.")
		}
		n.value = notNull(s)
	}))
	t.Prop("string InnerText", csharp.F2(func(r run, n *domNode) string {
		s := n.innerText()
		r.Alloc(len(s))
		return s
	}), csharp.V3(func(r run, n *domNode, s string) { n.setInnerText(r, s) }))
	t.Prop("string InnerXml", csharp.F2(func(r run, n *domNode) string { return n.innerXML(r) }), csharp.V3(func(r run, n *domNode, s string) { n.setInnerXML(r, s) }))
	t.Prop("string OuterXml", csharp.F2(func(r run, n *domNode) string { return n.outerXML(r) }))
	declareDOMAxes(t)
	declareDOMChanges(t)
	declareDOMElement(b)
	declareDOMSmall(b)
	declareDOMDocument(b)
}

func declareDOMAxes(t *csharp.TypeBuilder) {
	for name, get := range map[string]func(n *domNode) *domNode{
		"FirstChild": func(n *domNode) *domNode { return n.first }, "LastChild": func(n *domNode) *domNode { return n.last },
		"NextSibling": func(n *domNode) *domNode { return n.next }, "PreviousSibling": func(n *domNode) *domNode { return n.prev },
		"ParentNode": func(n *domNode) *domNode {
			if n.kind == xmlAttribute {
				return nil
			}
			return n.parent
		},
	} {
		t.Prop("XmlNode "+name, csharp.F1(get))
	}
	t.Prop("XmlDocument OwnerDocument", csharp.F1(func(n *domNode) *domNode { return n.doc }))
	t.Prop("bool HasChildNodes", csharp.F1(func(n *domNode) bool { return n.first != nil }))
	t.Prop("XmlNodeList ChildNodes", csharp.F1(func(n *domNode) *domList {
		return &domList{nodes: func() (out []*domNode) {
			for k := n.first; k != nil; k = k.next {
				out = append(out, k)
			}
			return out
		}}
	}))
	t.Prop("XmlAttributeCollection Attributes", csharp.F1(func(n *domNode) *domList {
		if n.kind != xmlElement {
			return nil
		}
		return &domList{owner: n, nodes: func() []*domNode { return n.attrs }}
	}))
	t.Index("XmlElement this[string name]", csharp.F2(func(n *domNode, name string) *domNode {
		return n.element(func(k *domNode) bool { return k.name() == name })
	}))
	t.Index("XmlElement this[string localname, string ns]", csharp.F3(func(n *domNode, local, uri string) *domNode {
		return n.element(func(k *domNode) bool { return k.local == local && k.uri == uri })
	}))
	t.Method("string GetNamespaceOfPrefix(string prefix)", csharp.F2(func(n *domNode, p string) string { uri, _ := n.namespace(notNull(p)); return uri }))
	t.Method("string GetPrefixOfNamespace(string namespaceURI)", csharp.F2((*domNode).prefixFor))
	single := func(r run, n *domNode, expr string, ns *xmlNamespaces) *domNode {
		if set := selectXPath(r, domPath{n}, expr, ns.resolver()); len(set) > 0 {
			return set[0].(domPath).domNode
		}
		return nil
	}
	t.Method("XmlNode SelectSingleNode(string xpath)", csharp.F3(func(r run, n *domNode, expr string) *domNode { return single(r, n, expr, nil) }))
	t.Method("XmlNode SelectSingleNode(string xpath, XmlNamespaceManager nsmgr)", csharp.F4(single))
	t.Method("XmlNodeList SelectNodes(string xpath)", csharp.F3(func(r run, n *domNode, expr string) *domList {
		return domNodes(selectXPath(r, domPath{n}, expr, nil))
	}))
	t.Method("XmlNodeList SelectNodes(string xpath, XmlNamespaceManager nsmgr)", csharp.F4(func(r run, n *domNode, expr string, ns *xmlNamespaces) *domList {
		return domNodes(selectXPath(r, domPath{n}, expr, ns.resolver()))
	}))
	t.Method("void WriteTo(XmlWriter w)", csharp.V2(func(n *domNode, w *xmlOut) { w.dom(n, 0) }))
	t.Method("void WriteContentTo(XmlWriter w)", csharp.V2(func(n *domNode, w *xmlOut) {
		for k := n.first; k != nil; k = k.next {
			w.dom(k, 0)
		}
	}))
}

func declareDOMChanges(t *csharp.TypeBuilder) {
	t.Method("XmlNode AppendChild(XmlNode newChild)", csharp.F3(func(r run, n, child *domNode) *domNode { return n.add(r, child, nil) }))
	t.Method("XmlNode PrependChild(XmlNode newChild)", csharp.F3(func(r run, n, child *domNode) *domNode { return n.add(r, child, n.first) }))
	t.Method("XmlNode InsertBefore(XmlNode newChild, XmlNode refChild)", csharp.F4(func(r run, n, child, ref *domNode) *domNode { return n.add(r, child, ref) }))
	t.Method("XmlNode InsertAfter(XmlNode newChild, XmlNode refChild)", csharp.F4(func(r run, n, child, ref *domNode) *domNode {
		if ref == nil {
			return n.add(r, child, n.first)
		}
		if ref.parent != n {
			csharp.Throw("System.ArgumentException", "The reference node is not a child of this node.")
		}
		return n.add(r, child, ref.next)
	}))
	t.Method("XmlNode RemoveChild(XmlNode oldChild)", csharp.F2((*domNode).remove))
	t.Method("XmlNode ReplaceChild(XmlNode newChild, XmlNode oldChild)", csharp.F4(func(r run, n, child, old *domNode) *domNode {
		if old == nil {
			csharp.ThrowNullReference()
		}
		after := old.next
		n.remove(old)
		n.add(r, child, after)
		return old
	}))
	t.Method("void RemoveAll()", csharp.V1(func(n *domNode) {
		n.removeChildren()
		for len(n.attrs) > 0 {
			n.drop(n.attrs[0])
		}
	}))
	t.Method("XmlNode CloneNode(bool deep)", csharp.F3(func(r run, n *domNode, deep bool) *domNode { return n.clone(r, deep, n.doc, 0) }))
	t.Method("XmlNode Clone()", csharp.F2(func(r run, n *domNode) *domNode { return n.clone(r, true, n.doc, 0) }))
	t.Method("void Normalize()", csharp.V1((*domNode).normalize))
}

// normalize joins adjacent texts and drops empty ones.
func (n *domNode) normalize() {
	for k := n.first; k != nil; {
		next := k.next
		switch {
		case k.kind == xmlText && k.value == "":
			k.unlink()
		case k.kind == xmlText && k.prev != nil && k.prev.kind == xmlText:
			k.prev.value = csharp.Concat(k.prev.value, k.value)
			k.unlink()
		}
		k = next
	}
}

func declareDOMElement(b *csharp.Builder) {
	t := b.Type("class "+domSpace+"XmlElement : XmlNode", csharp.Go[*domNode]()).Outside()
	t.Prop("bool IsEmpty", csharp.F1(func(n *domNode) bool { return n.first == nil && !n.open }), csharp.V2(func(n *domNode, empty bool) {
		if n.open = !empty; empty {
			n.removeChildren()
		}
	}))
	t.Prop("bool HasAttributes", csharp.F1(func(n *domNode) bool { return len(n.attrs) > 0 }))
	value := func(a *domNode) string {
		if a == nil {
			return ""
		}
		return a.value
	}
	t.Method("string GetAttribute(string name)", csharp.F2(func(n *domNode, name string) string { return value(n.attribute(name)) }))
	t.Method("string GetAttribute(string localName, string namespaceURI)", csharp.F3(func(n *domNode, l, u string) string { return value(n.attributeNS(l, u)) }))
	t.Method("bool HasAttribute(string name)", csharp.F2(func(n *domNode, name string) bool { return n.attribute(name) != nil }))
	t.Method("bool HasAttribute(string localName, string namespaceURI)", csharp.F3(func(n *domNode, l, u string) bool { return n.attributeNS(l, u) != nil }))
	t.Method("XmlAttribute GetAttributeNode(string name)", csharp.F2((*domNode).attribute))
	t.Method("XmlAttribute GetAttributeNode(string localName, string namespaceURI)", csharp.F3((*domNode).attributeNS))
	t.Method("void SetAttribute(string name, string value)", csharp.V4(func(r run, n *domNode, name, v string) {
		a := n.attribute(name)
		if a == nil {
			a = n.doc.named(r, xmlAttribute, name, "")
			n.put(a)
		}
		a.value = notNull(v)
	}))
	t.Method("string SetAttribute(string localName, string namespaceURI, string value)", csharp.F5(func(r run, n *domNode, l, u, v string) string {
		a := n.attributeNS(l, notNull(u))
		if a == nil {
			a = n.doc.named(r, xmlAttribute, l, u)
			n.put(a)
		}
		a.value = notNull(v)
		return v
	}))
	t.Method("XmlAttribute SetAttributeNode(XmlAttribute newAttr)", csharp.F2((*domNode).put))
	t.Method("void RemoveAttribute(string name)", csharp.V2(func(n *domNode, name string) { n.drop(n.attribute(name)) }))
	t.Method("void RemoveAttribute(string localName, string namespaceURI)", csharp.V3(func(n *domNode, l, u string) { n.drop(n.attributeNS(l, u)) }))
	t.Method("void RemoveAllAttributes()", csharp.V1(func(n *domNode) {
		for len(n.attrs) > 0 {
			n.drop(n.attrs[0])
		}
	}))
	declareTagNames(t)
	a := b.Type("class "+domSpace+"XmlAttribute : XmlNode", csharp.Go[*domNode]()).Outside()
	a.Prop("XmlElement OwnerElement", csharp.F1(func(n *domNode) *domNode { return n.parent }))
	a.Prop("bool Specified", csharp.F1(func(*domNode) bool { return true }))
}

func declareTagNames(t *csharp.TypeBuilder) {
	t.Method("XmlNodeList GetElementsByTagName(string name)", csharp.F3(func(r run, n *domNode, name string) *domList { return n.byTagName(r, named(name)) }))
	t.Method("XmlNodeList GetElementsByTagName(string localName, string namespaceURI)", csharp.F4(func(r run, n *domNode, l, u string) *domList {
		return n.byTagName(r, namedNS(l, u))
	}))
}

func declareDOMSmall(b *csharp.Builder) {
	c := b.Type("abstract class "+domSpace+"XmlCharacterData : XmlNode", csharp.Go[*domNode]()).Outside()
	c.Prop("string Data", csharp.F1(func(n *domNode) string { return n.value }), csharp.V2(func(n *domNode, s string) { n.value = notNull(s) }))
	c.Prop("int Length", csharp.F1(func(n *domNode) int { return csharp.Length(n.value) }))
	c.Method("void AppendData(string strData)", csharp.V3(func(r run, n *domNode, s string) {
		r.Alloc(len(n.value) + len(s))
		n.value = csharp.Concat(n.value, notNull(s))
	}))
	for _, name := range []string{"XmlText", "XmlCDataSection", "XmlComment", "XmlWhitespace", "XmlSignificantWhitespace"} {
		b.Type("class "+domSpace+name+" : XmlCharacterData", csharp.Go[*domNode]()).Outside()
	}
	p := b.Type("class "+domSpace+"XmlProcessingInstruction : XmlNode", csharp.Go[*domNode]()).Outside()
	p.Prop("string Target", csharp.F1((*domNode).name))
	p.Prop("string Data", csharp.F1(func(n *domNode) string { return n.value }))
	b.Type("class "+domSpace+"XmlDocumentType : XmlNode", csharp.Go[*domNode]()).Outside()
	d := b.Type("class "+domSpace+"XmlDeclaration : XmlNode", csharp.Go[*domNode]()).Outside()
	for i, name := range []string{"Version", "Encoding", "Standalone"} {
		d.Prop("string "+name, csharp.F1(func(n *domNode) string {
			x := &xmlReader{s: " " + n.value + "?>", alloc: func(int) {}}
			x.attributesUntil("?")
			for _, a := range x.pending {
				if a.name == []string{"version", "encoding", "standalone"}[i] {
					return a.value
				}
			}
			return ""
		}))
	}
	l := b.Type("class "+domSpace+"XmlNodeList : System.Collections.IEnumerable", csharp.Go[*domList]()).Outside()
	l.Prop("int Count", csharp.F1(func(l *domList) int { return len(l.nodes()) }))
	l.Index("XmlNode this[int i]", csharp.F2((*domList).at))
	l.Method("XmlNode Item(int index)", csharp.F2((*domList).at))
	a := b.Type("class "+domSpace+"XmlAttributeCollection : System.Collections.IEnumerable", csharp.Go[*domList]()).Outside()
	a.Prop("int Count", csharp.F1(func(l *domList) int { return len(l.owner.attrs) }))
	a.Index("XmlAttribute this[int i]", csharp.F2(func(l *domList, i int) *domNode {
		n := l.at(i)
		if n == nil {
			csharp.Throw("System.IndexOutOfRangeException", "The index being passed in is out of range.")
		}
		return n
	}))
	a.Index("XmlAttribute this[string name]", csharp.F2(func(l *domList, name string) *domNode { return l.owner.attribute(name) }))
	a.Index("XmlAttribute this[string localName, string namespaceURI]", csharp.F3(func(l *domList, n, u string) *domNode { return l.owner.attributeNS(n, u) }))
	a.Method("XmlNode GetNamedItem(string name)", csharp.F2(func(l *domList, name string) *domNode { return l.owner.attribute(name) }))
	a.Method("XmlAttribute Append(XmlAttribute node)", csharp.F2(func(l *domList, n *domNode) *domNode { l.owner.put(n); return n }))
	a.Method("XmlAttribute Remove(XmlAttribute node)", csharp.F2(func(l *domList, n *domNode) *domNode { return l.owner.drop(n) }))
	a.Method("XmlNode RemoveNamedItem(string name)", csharp.F2(func(l *domList, name string) *domNode { return l.owner.drop(l.owner.attribute(name)) }))
}

func declareDOMDocument(b *csharp.Builder) {
	t := b.Type("class "+domSpace+"XmlDocument : XmlNode", csharp.Go[*domNode]()).Outside()
	t.New("()", csharp.F1(func(r run) *domNode { r.Alloc(128); return &domNode{kind: xmlDocument} }))
	t.Prop("XmlElement DocumentElement", csharp.F1((*domNode).root))
	t.Prop("bool PreserveWhitespace", csharp.F1(func(n *domNode) bool { return n.keep }), csharp.V2(func(n *domNode, keep bool) { n.keep = keep }))
	t.Prop("XmlNameTable NameTable", csharp.F1(func(*domNode) *xmlNameTable { return &xmlNameTable{} }))
	t.Method("void LoadXml(string xml)", csharp.V3(func(r run, n *domNode, s string) {
		needString(s, "s")
		loadDOM(r, n, s, n.keep)
	}))
	t.Method("void Load(System.IO.TextReader txtReader)", csharp.V3(func(r run, n *domNode, x *StringReader) {
		loadDOM(r, n, x.take(r, len(x.open().units)-x.pos), n.keep)
	}))
	t.Method("void Load(XmlReader reader)", csharp.V3(func(r run, n *domNode, x *xmlCursor) { loadDOM(r, n, x.doc.outerXML(r), n.keep) }))
	create := func(kind int, class, what string) {
		t.Method(class+" Create"+what+"(string name)", csharp.F3(func(r run, n *domNode, name string) *domNode { return n.named(r, kind, name, "") }))
		t.Method(class+" Create"+what+"(string qualifiedName, string namespaceURI)", csharp.F4(func(r run, n *domNode, name, uri string) *domNode { return n.named(r, kind, name, uri) }))
		t.Method(class+" Create"+what+"(string prefix, string localName, string namespaceURI)", csharp.F5(func(r run, n *domNode, p, l, u string) *domNode {
			return n.qualified(r, kind, p, notNull(l), u)
		}))
	}
	create(xmlElement, "XmlElement", "Element")
	create(xmlAttribute, "XmlAttribute", "Attribute")
	for _, x := range []struct {
		kind        int
		class, what string
	}{{xmlText, "XmlText", "TextNode"}, {xmlCDATA, "XmlCDataSection", "CDataSection"}, {xmlComment, "XmlComment", "Comment"}, {xmlWhitespace, "XmlWhitespace", "Whitespace"}} {
		t.Method(x.class+" Create"+x.what+"(string text)", csharp.F3(func(r run, n *domNode, s string) *domNode { return n.make(r, x.kind, s) }))
	}
	t.Method("XmlProcessingInstruction CreateProcessingInstruction(string target, string data)", csharp.F4(func(r run, n *domNode, target, data string) *domNode {
		p := n.make(r, xmlInstruction, data)
		p.local = notNull(target)
		return p
	}))
	t.Method("XmlDeclaration CreateXmlDeclaration(string version, string encoding, string standalone)", csharp.F5(func(r run, n *domNode, v, e, s string) *domNode {
		d := &XDeclaration{v, e, s}
		for _, p := range []*string{&d.encoding, &d.standalone} {
			if *p == "" {
				*p = csharp.Null()
			}
		}
		return n.make(r, xmlDeclarationNode, declarationValue(d))
	}))
	t.Method("XmlNode ImportNode(XmlNode node, bool deep)", csharp.F4(func(r run, n, from *domNode, deep bool) *domNode {
		if from == nil {
			invalidOperation("Cannot import a null node.")
		}
		return from.clone(r, deep, n, 0)
	}))
	t.Method("void Save(System.IO.TextWriter writer)", csharp.V3(func(r run, n *domNode, x *StringWriter) {
		set := newXMLSettings()
		set.indent = !n.keep
		saveXML(r, &xmlOut{r: r, set: set, target: x.sb}, func(w *xmlOut) { w.dom(n, 0) })
	}))
	t.Method("void Save(XmlWriter w)", csharp.V2(func(n *domNode, w *xmlOut) { w.dom(n, 0) }))
	declareTagNames(t)
}

// saveXML writes a whole document.
func saveXML(_ run, w *xmlOut, write func(*xmlOut)) {
	write(w)
	w.Dispose()
}
