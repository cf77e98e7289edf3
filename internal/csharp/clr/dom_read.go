package clr

import "strings"

// A domLoader turns what the reader of LINQ to XML has read into the older tree.
type domLoader struct {
	r     run
	doc   *domNode
	names map[*XElement][]string // as written: the element's, then its attributes'
	blank int                    // what white space becomes
}

// loadDOM replaces the content of a document by a text. keep says that white space between elements stays.
func loadDOM(r run, doc *domNode, s string, keep bool) {
	l := &domLoader{r, doc, map[*XElement][]string{}, xmlSignificantWhitespace}
	options := 0
	if keep {
		l.blank, options = xmlWhitespace, loadPreserveWhitespace
	}
	x := newXMLReader(r, s, options)
	x.written = func(e *XElement, name string) {
		names := []string{name}
		for _, a := range x.pending {
			names = append(names, a.name)
		}
		r.Alloc(64 + 16*len(names))
		l.names[e] = names
	}
	read := x.document()
	doc.removeChildren()
	if read.decl != nil {
		doc.insert(doc.make(r, xmlDeclarationNode, declarationValue(read.decl)), nil)
	}
	l.children(doc, read, 0)
}

// declarationValue is XmlDeclaration.Value.
func declarationValue(d *XDeclaration) string {
	return strings.TrimSuffix(strings.TrimPrefix(d.ToString(), "<?xml "), "?>")
}

func (l *domLoader) children(to *domNode, from XContainer, depth int) {
	checkDepth(depth)
	for n := from.kids().first; n != nil; n = n.links().next {
		switch x := n.(type) {
		case *XElement:
			to.insert(l.element(x, depth), nil)
		case *XCData:
			to.insert(l.doc.make(l.r, xmlCDATA, x.value), nil)
		case *XText:
			kind := xmlText
			if strings.Trim(x.value, " \t\r\n") == "" {
				kind = l.blank
			}
			to.insert(l.doc.make(l.r, kind, x.value), nil)
		case *XComment:
			to.insert(l.doc.make(l.r, xmlComment, x.value), nil)
		case *XProcessingInstruction:
			p := l.doc.make(l.r, xmlInstruction, x.data)
			p.local = x.target
			to.insert(p, nil)
		case *XDocumentType:
			p := l.doc.make(l.r, xmlDocType, nodeText(x, 0))
			p.local = x.name
			to.insert(p, nil)
		}
	}
}

func (l *domLoader) element(x *XElement, depth int) *domNode {
	names := l.names[x]
	e := l.doc.make(l.r, xmlElement, "")
	e.prefix, e.local, e.uri, e.open = writtenPrefix(names[0]), x.name.local, x.name.space, x.open || x.first != nil
	for i, a := range x.attrs {
		n := l.doc.make(l.r, xmlAttribute, a.value)
		n.prefix, n.local, n.uri, n.parent = writtenPrefix(names[i+1]), a.name.local, a.name.space, e
		if names[i+1] == "xmlns" {
			n.uri = xmlnsSpace
		}
		e.attrs = append(e.attrs, n)
	}
	l.children(e, x, depth+1)
	return e
}

func writtenPrefix(name string) string {
	prefix, _, ok := strings.Cut(name, ":")
	if !ok {
		return ""
	}
	return prefix
}

// setInnerXML is XmlNode.InnerXml: the text is read in the scope of the element.
func (n *domNode) setInnerXML(r run, s string) {
	s = notNull(s)
	if n.kind == xmlDocument {
		loadDOM(r, n, s, n.keep)
		return
	}
	if n.kind != xmlElement {
		invalidOperation("Cannot set the 'InnerXml' for the current node because it is either read-only or cannot have children.")
	}
	head := "<x"
	seen := map[string]bool{}
	for x := n; x != nil; x = x.parent {
		for _, a := range append([]*domNode{{prefix: "xmlns", local: x.prefix, uri: xmlnsSpace, value: x.uri}}, x.attrs...) {
			name := strings.TrimSuffix(a.name(), ":")
			if a.uri != xmlnsSpace || seen[name] || x.kind != xmlElement || a.value == "" && name != "xmlns" {
				continue
			}
			seen[name] = true
			w := &xmlWriter{}
			w.escape(a.value, true)
			head += " " + name + `="` + string(w.b) + `"`
		}
	}
	temporary := &domNode{kind: xmlDocument}
	loadDOM(r, temporary, head+">"+s+"</x>", n.document().keep)
	n.removeChildren()
	n.open = true
	for k := temporary.root().first; k != nil; k = k.next {
		n.insert(k.clone(r, true, n.document(), 0), nil)
	}
}
