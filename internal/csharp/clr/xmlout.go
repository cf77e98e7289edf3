package clr

import (
	"strconv"
	"strings"

	"github.com/causeway-apim/causeway/internal/csharp"
)

// An xmlSettings is System.Xml.XmlWriterSettings.
type xmlSettings struct {
	indent, omitDeclaration, fragment bool
	level                             int // System.Xml.ConformanceLevel
	chars, newline                    string
	encoding                          *Encoding
}

// ClrName is System.Xml.XmlWriterSettings.
func (*xmlSettings) ClrName() string { return domSpace + "XmlWriterSettings" }

func newXMLSettings() *xmlSettings { return &xmlSettings{chars: "  ", newline: "\n"} }

// An xmlOut is System.Xml.XmlWriter.
type xmlOut struct {
	r       run
	set     *xmlSettings
	b       []byte
	target  *StringBuilder
	open    []outElement
	inTag   bool   // the start tag is not closed yet
	attr    string // the name of the attribute that is being written
	begun   bool
	closed  bool
	missing []binding // declarations to be written at the end of the start tag
	older   bool      // writes as XmlNode.OuterXml does: control characters as they are
}

// outElement is an element that is being written.
type outElement struct {
	name   string
	scope  []binding
	mixed  bool
	filled bool
}

// ClrName is System.Xml.XmlWriter.
func (*xmlOut) ClrName() string { return domSpace + "XmlWriter" }

// Dispose ends the open elements and hands the text over.
func (w *xmlOut) Dispose() {
	if w.closed {
		return
	}
	for len(w.open) > 0 {
		w.end(false)
	}
	w.flush()
	w.closed = true
}

func (w *xmlOut) flush() {
	w.target.append(w.r, string(w.b))
	w.b = w.b[:0]
}

func (w *xmlOut) put(parts ...string) {
	if w.closed {
		invalidOperation("The Writer is closed or in error state.")
	}
	w.r.Step()
	for _, p := range parts {
		w.r.Alloc(len(p))
		w.b = append(w.b, p...)
	}
}

// document is WriteStartDocument.
func (w *xmlOut) document(standalone string) {
	if w.begun {
		invalidOperation("Cannot write XML declaration. WriteStartDocument method has already written it.")
	}
	w.begun = true
	if w.set.omitDeclaration || w.set.fragment {
		w.begun = len(w.b) > 0
		return
	}
	w.put(`<?xml version="1.0" encoding="utf-16"`, standalone, "?>")
}

// before ends the start tag and breaks the line where the settings ask for it.
func (w *xmlOut) before(text bool) {
	w.endTag()
	if !w.begun && !text {
		w.document("")
	}
	if len(w.open) > 0 {
		top := &w.open[len(w.open)-1]
		top.filled = true
		top.mixed = top.mixed || text
		if top.mixed {
			return
		}
	} else if text && !w.set.fragment {
		invalidOperation("Token Text in state Start would result in an invalid XML document. Make sure that the ConformanceLevel setting is set to ConformanceLevel.Fragment or ConformanceLevel.Auto if you want to write an XML fragment.")
	}
	if w.set.indent && w.begun && !text {
		w.line()
	}
	w.begun = true
}

func (w *xmlOut) line() {
	w.put(w.set.newline, strings.Repeat(w.set.chars, len(w.open)))
}

func (w *xmlOut) endTag() {
	if w.attr != "" {
		w.put(`"`)
		w.attr = ""
	}
	if !w.inTag {
		return
	}
	for _, m := range w.missing {
		w.put(" ", strings.TrimSuffix("xmlns:"+m.prefix, ":"), `="`, escapeXML(m.uri, true), `"`)
	}
	w.missing, w.inTag = nil, false
	w.put(">")
}

func escapeXML(s string, attribute bool) string {
	checkXMLChars(s)
	w := &xmlWriter{}
	w.escape(s, attribute)
	return string(w.b)
}

// scope is what prefixes mean at the current place.
func (w *xmlOut) scope() []binding {
	if len(w.open) == 0 {
		return []binding{{"xml", xmlSpace}, {"", ""}}
	}
	return w.open[len(w.open)-1].scope
}

// start is WriteStartElement; a null prefix is looked up.
func (w *xmlOut) start(prefix, local, uri string) {
	checkNCName(local)
	w.before(false)
	scope := w.scope()
	probe := &xmlWriter{spaces: scope}
	var missing []binding
	if csharp.IsNull(uri) {
		uri = ""
		if prefix = notNull(prefix); prefix != "" || !probe.resolves("", "") {
			for _, b := range scope {
				if b.prefix == prefix {
					uri = b.uri
				}
			}
		}
	} else if csharp.IsNull(prefix) {
		prefix, _ = probe.lookup(uri, false)
	}
	if !probe.resolves(prefix, uri) {
		missing = append(missing, binding{prefix, uri})
		scope = append(scope[:len(scope):len(scope)], missing...)
	}
	w.open = append(w.open, outElement{name: qualified(prefix, local), scope: scope})
	if len(w.open) > maxXMLDepth {
		panic(&csharp.LimitError{Limit: "depth"})
	}
	w.put("<", qualified(prefix, local))
	w.inTag, w.missing = true, missing
}

// end is WriteEndElement, or WriteFullEndElement.
func (w *xmlOut) end(full bool) {
	if len(w.open) == 0 {
		invalidOperation("There was no XML start tag open.")
	}
	if w.attr != "" {
		w.put(`"`)
		w.attr = ""
	}
	top := w.open[len(w.open)-1]
	if w.inTag && !full {
		w.endTag()
		w.b = append(w.b[:len(w.b)-1], " />"...)
		w.open = w.open[:len(w.open)-1]
		return
	}
	w.endTag()
	w.open = w.open[:len(w.open)-1]
	if w.set.indent && top.filled && !top.mixed {
		w.line()
	}
	w.put("</", top.name, ">")
}

// attribute is WriteAttributeString.
func (w *xmlOut) attribute(prefix, local, uri, value string) {
	w.startAttribute(prefix, local, uri)
	w.put(w.escape(notNull(value), true), `"`)
	if declared, ok := strings.CutPrefix(w.attr, "xmlns:"); ok || w.attr == "xmlns" {
		if w.attr == "xmlns" {
			declared = ""
		}
		w.declare(declared, value)
	}
	w.attr = ""
}

// declare notes a declaration that the caller has written.
func (w *xmlOut) declare(prefix, uri string) {
	top := &w.open[len(w.open)-1]
	top.scope = append(top.scope[:len(top.scope):len(top.scope)], binding{prefix, uri})
	for i, m := range w.missing {
		if m.prefix == prefix {
			if m.uri != uri {
				xmlError("The prefix '%s' cannot be redefined from '%s' to '%s' within the same start element tag.", prefix, m.uri, uri)
			}
			w.missing = append(w.missing[:i:i], w.missing[i+1:]...)
			return
		}
	}
}

func (w *xmlOut) startAttribute(prefix, local, uri string) {
	if !w.inTag {
		invalidOperation("Token StartAttribute in state Content would result in an invalid XML document.")
	}
	if w.attr != "" {
		w.put(`"`)
	}
	prefix, uri = notNull(prefix), notNull(uri)
	switch {
	case local == "xmlns" && prefix == "" || prefix == "xmlns" || uri == xmlnsSpace:
		if local != "xmlns" {
			prefix = "xmlns"
		}
	case uri != "" && uri != xmlSpace:
		probe := &xmlWriter{spaces: w.scope()}
		if prefix == "" || !probe.resolves(prefix, uri) {
			if known, ok := probe.lookup(uri, true); ok && prefix == "" {
				prefix = known
			} else {
				if prefix == "" {
					prefix = w.madeUp()
				}
				top := &w.open[len(w.open)-1]
				top.scope = append(top.scope[:len(top.scope):len(top.scope)], binding{prefix, uri})
				w.missing = append(w.missing, binding{prefix, uri})
			}
		}
	case uri == xmlSpace:
		prefix = "xml"
	}
	checkNCName(local)
	w.attr = qualified(prefix, local)
	w.put(" ", w.attr, `="`)
}

// madeUp is a prefix for an attribute in a namespace that has none.
func (w *xmlOut) madeUp() string {
	depth := strconv.Itoa(len(w.open))
	if w.older {
		return "d" + depth + "p" + strconv.Itoa(len(w.missing)+1)
	}
	return "p" + depth
}

// escape escapes a value for where it stands.
func (w *xmlOut) escape(s string, attribute bool) string {
	s = escapeXML(s, attribute)
	switch {
	case !w.older && !attribute:
		return strings.ReplaceAll(s, "\r", "&#xD;")
	case w.older && attribute:
		return strings.ReplaceAll(s, "&#x9;", "\t")
	}
	return s
}

// text is WriteString.
func (w *xmlOut) text(s string) {
	s = notNull(s)
	if w.attr != "" {
		w.put(w.escape(s, true))
		return
	}
	w.before(true)
	w.put(w.escape(s, false))
}

// raw writes markup; mixed says that it counts as text.
func (w *xmlOut) raw(s string, mixed bool) {
	if w.attr == "" {
		w.before(mixed)
	}
	w.put(s)
}

// node writes a node of LINQ to XML.
func (w *xmlOut) node(n XNode, depth int) {
	checkDepth(depth)
	switch x := n.(type) {
	case *XDocument:
		if x.decl != nil && !w.begun {
			standalone := ""
			if !csharp.IsNull(x.decl.standalone) && x.decl.standalone != "" {
				standalone = ` standalone="` + x.decl.standalone + `"`
			}
			w.document(standalone)
		}
		for k := x.first; k != nil; k = k.links().next {
			w.node(k, depth+1)
		}
	case *XElement:
		prefix, ok := prefixOf(x, x.name.space, true)
		if !ok {
			prefix = csharp.Null()
		}
		w.start(prefix, x.name.local, x.name.space)
		for _, a := range x.attrs {
			p, _ := prefixOf(x, a.name.space, false)
			w.attribute(p, a.name.local, a.name.space, a.value)
		}
		for k := x.first; k != nil; k = k.links().next {
			w.node(k, depth+1)
		}
		w.end(!x.isEmpty())
	case *XCData:
		w.raw(nodeText(x, 0), true)
	case *XText:
		w.text(x.value)
	default:
		w.raw(nodeText(n, 0), false)
	}
}

// dom writes a node of the older tree.
func (w *xmlOut) dom(n *domNode, depth int) {
	checkDepth(depth)
	switch n.kind {
	case xmlDocument:
		for k := n.first; k != nil; k = k.next {
			w.dom(k, depth+1)
		}
	case xmlElement:
		w.start(n.prefix, n.local, n.uri)
		for _, a := range n.attrs {
			w.attribute(a.prefix, a.local, a.uri, a.value)
		}
		for k := n.first; k != nil; k = k.next {
			w.dom(k, depth+1)
		}
		w.end(n.open || n.first != nil)
	case xmlAttribute:
		w.attribute(n.prefix, n.local, n.uri, n.value)
	case xmlText:
		w.text(n.value)
	case xmlWhitespace, xmlSignificantWhitespace:
		w.raw(n.value, true)
	case xmlDeclarationNode:
		if !w.begun {
			standalone := ""
			if i := strings.Index(n.value, " standalone="); i >= 0 {
				standalone = n.value[i:]
			}
			w.document(standalone)
		}
	default:
		w.raw(n.outerXML(w.r), n.kind == xmlCDATA)
	}
}

// outerXML is XmlNode.OuterXml.
func (n *domNode) outerXML(r run) string {
	switch n.kind {
	case xmlElement, xmlText, xmlWhitespace, xmlSignificantWhitespace:
		return domText(r, n)
	case xmlAttribute:
		return n.name() + `="` + escapeXML(n.value, true) + `"`
	case xmlCDATA:
		return "<![CDATA[" + n.value + "]]>"
	case xmlComment:
		return "<!--" + n.value + "-->"
	case xmlInstruction:
		return "<?" + strings.TrimSuffix(n.local+" "+n.value, " ") + "?>"
	case xmlDeclarationNode:
		return "<?xml " + n.value + "?>"
	case xmlDocType:
		return n.value
	}
	return n.innerXML(r)
}

// innerXML is XmlNode.InnerXml.
func (n *domNode) innerXML(r run) string {
	switch n.kind {
	case xmlAttribute:
		return escapeXML(n.value, true)
	case xmlElement, xmlDocument:
		out := ""
		for k := n.first; k != nil; k = k.next {
			out += k.outerXML(r)
			r.Alloc(len(out))
		}
		return out
	}
	return ""
}

// domText writes one node without a declaration.
func domText(r run, n *domNode) string {
	w := &xmlOut{r: r, set: &xmlSettings{fragment: true}, target: &StringBuilder{}, older: true}
	w.dom(n, 0)
	return string(w.b)
}
