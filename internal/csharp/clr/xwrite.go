package clr

import (
	"strconv"
	"strings"

	"github.com/causeway-apim/causeway/internal/csharp"
)

// An xmlWriter writes nodes as XNode.ToString does.
type xmlWriter struct {
	b      []byte
	indent bool
	begun  bool // something was written at the top level
	spaces []binding
	pushed int // elements and prefixes in scope: .NET numbers the prefixes that it makes up by them
}

// binding is one prefix in scope of what is written.
type binding struct{ prefix, uri string }

// saveUnformatted is SaveOptions.DisableFormatting.
const (
	saveUnformatted = 1
)

// nodeText is XNode.ToString(options).
func nodeText(n XNode, options int) string {
	w := &xmlWriter{indent: options&saveUnformatted == 0, spaces: []binding{{"xml", xmlSpace}, {"", ""}}}
	w.node(n, 0, false)
	return string(w.b)
}

// xmlAttributeText is XAttribute.ToString.
func xmlAttributeText(a *XAttribute) string {
	w := &xmlWriter{}
	prefix := ""
	if p, ok := prefixOf(a.parent, a.name.space, false); ok && a.name.space != "" {
		prefix = p
	} else if a.name.space != "" && a.name.space != xmlnsSpace {
		prefix = "p0"
	}
	w.attribute(a, prefix)
	return strings.TrimPrefix(string(w.b), " ")
}

// node writes one node; mixed says that the parent has text, which forbids line breaks.
func (w *xmlWriter) node(n XNode, depth int, mixed bool) {
	checkDepth(depth)
	if t, ok := n.(textual); ok {
		w.text(t)
		return
	}
	if d, ok := n.(*XDocument); ok {
		for k := d.first; k != nil; k = k.links().next {
			w.node(k, depth, false)
		}
		return
	}
	if w.indent && !mixed && w.begun {
		w.line(depth)
	}
	w.begun = true
	switch x := n.(type) {
	case *XElement:
		w.element(x, depth, mixed)
	case *XComment:
		w.put("<!--", x.value, "-->")
	case *XProcessingInstruction:
		w.put("<?", x.target)
		if x.data != "" {
			w.put(" ", x.data)
		}
		w.put("?>")
	case *XDocumentType:
		w.docType(x)
	}
}

func (w *xmlWriter) put(parts ...string) {
	for _, p := range parts {
		w.b = append(w.b, p...)
	}
}

func (w *xmlWriter) line(depth int) {
	w.b = append(w.b, '\n')
	for range depth {
		w.b = append(w.b, ' ', ' ')
	}
}

func (w *xmlWriter) text(t textual) {
	if c, ok := t.(*XCData); ok {
		w.put("<![CDATA[", strings.ReplaceAll(c.value, "]]>", "]]]]><![CDATA[>"), "]]>")
		return
	}
	s := t.text().value
	checkXMLChars(s)
	w.escape(strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n"), false)
}

func (w *xmlWriter) docType(x *XDocumentType) {
	w.put("<!DOCTYPE ", x.name, " ")
	switch {
	case x.public != "":
		w.put(`PUBLIC "`, x.public, `" "`, x.system, `"`)
	case x.system != "":
		w.put(`SYSTEM "`, x.system, `"`)
	}
	if !csharp.IsNull(x.subset) {
		w.put("[", x.subset, "]")
	}
	w.put(">")
}

func (w *xmlWriter) escape(s string, attribute bool) {
	start := 0
	for i := 0; i < len(s); i++ {
		rep := ""
		switch s[i] {
		case '&':
			rep = "&amp;"
		case '<':
			rep = "&lt;"
		case '>':
			rep = "&gt;"
		case '"':
			rep = "&quot;"
		case '\t':
			rep = "&#x9;"
		case '\n':
			rep = "&#xA;"
		case '\r':
			rep = "&#xD;"
		}
		if rep == "" || !attribute && s[i] != '&' && s[i] != '<' && s[i] != '>' {
			continue
		}
		w.put(s[start:i], rep)
		start = i + 1
	}
	w.put(s[start:])
}

// checkXMLChars throws for characters that XML 1.0 does not allow.
func checkXMLChars(s string) {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < ' ' && c != '\t' && c != '\n' && c != '\r' {
			csharp.Throwf("System.ArgumentException", "'%c', hexadecimal value 0x%02X, is an invalid character.", c, c)
		}
	}
}

// lookup finds the prefix of a namespace in scope. An attribute needs one that is not empty.
func (w *xmlWriter) lookup(uri string, attribute bool) (string, bool) {
	for i := len(w.spaces) - 1; i >= 0; i-- {
		b := w.spaces[i]
		if b.uri == uri && (!attribute || b.prefix != "") && w.resolves(b.prefix, uri) {
			return b.prefix, true
		}
	}
	return "", false
}

// resolves tells whether a prefix means uri here.
func (w *xmlWriter) resolves(prefix, uri string) bool {
	for i := len(w.spaces) - 1; i >= 0; i-- {
		if w.spaces[i].prefix == prefix {
			return w.spaces[i].uri == uri
		}
	}
	return false
}

// element writes a start tag, the content and the end tag. Declarations of namespaces that the tree lacks come last.
func (w *xmlWriter) element(e *XElement, depth int, mixed bool) {
	scope, pushed := len(w.spaces), w.pushed
	w.pushed++
	for _, a := range e.attrs {
		if p, ok := declaredPrefix(a); ok {
			w.spaces = append(w.spaces, binding{p, a.value})
		}
	}
	var missing []binding
	declare := func(prefix, uri string) {
		w.spaces = append(w.spaces, binding{prefix, uri})
		missing = append(missing, binding{prefix, uri})
	}
	prefix, ok := w.lookup(e.name.space, false)
	if !ok {
		if p, found := prefixOf(e, e.name.space, true); found {
			prefix = p
		}
		if declared := e.attribute(&XName{"", "xmlns"}); declared != nil && prefix == "" {
			xmlError("The prefix '' cannot be redefined from '%s' to '%s' within the same start element tag.", e.name.space, declared.value)
		}
		declare(prefix, e.name.space)
	}
	name := qualified(prefix, e.name.local)
	w.put("<", name)
	for _, a := range e.attrs {
		p := ""
		if d, isDecl := declaredPrefix(a); isDecl {
			if d != prefix {
				w.pushed++
			}
		} else if a.name.space != "" {
			if p, ok = w.lookup(a.name.space, true); !ok {
				var found bool
				if p, found = prefixOf(e, a.name.space, false); !found || p == "" {
					p = "p" + strconv.Itoa(w.pushed)
				}
				w.pushed++
				declare(p, a.name.space)
			}
		}
		w.attribute(a, p)
	}
	for i := len(missing) - 1; i >= 0; i-- {
		w.put(" ", strings.TrimSuffix("xmlns:"+missing[i].prefix, ":"), `="`)
		w.escape(missing[i].uri, true)
		w.put(`"`)
	}
	w.content(e, name, depth, mixed)
	w.spaces, w.pushed = w.spaces[:scope], pushed
}

func (w *xmlWriter) content(e *XElement, name string, depth int, mixed bool) {
	if e.first == nil {
		if e.open {
			w.put("></", name, ">")
		} else {
			w.put(" />")
		}
		return
	}
	w.put(">")
	for n := e.first; n != nil; n = n.links().next {
		if _, ok := n.(textual); ok {
			mixed = true
		}
		w.node(n, depth+1, mixed)
	}
	if w.indent && !mixed {
		w.line(depth)
	}
	w.put("</", name, ">")
}

func (w *xmlWriter) attribute(a *XAttribute, prefix string) {
	name := qualified(prefix, a.name.local)
	if p, ok := declaredPrefix(a); ok {
		name = strings.TrimSuffix("xmlns:"+p, ":")
	} else if a.name.space == xmlSpace {
		name = "xml:" + a.name.local
	}
	w.put(" ", name, `="`)
	checkXMLChars(a.value)
	w.escape(a.value, true)
	w.put(`"`)
}

func qualified(prefix, local string) string {
	if prefix == "" {
		return local
	}
	return prefix + ":" + local
}

// declaredPrefix gives the prefix that a namespace declaration declares.
func declaredPrefix(a *XAttribute) (string, bool) {
	switch {
	case a.name.space == xmlnsSpace:
		return a.name.local, true
	case a.name.space == "" && a.name.local == "xmlns":
		return "", true
	}
	return "", false
}

// prefixOf finds the prefix of a namespace from an element upwards.
func prefixOf(e *XElement, uri string, allowDefault bool) (string, bool) {
	switch uri {
	case xmlSpace:
		return "xml", true
	case xmlnsSpace:
		return "xmlns", true
	}
	hidden := map[string]bool{}
	for e != nil {
		for _, a := range e.attrs {
			p, ok := declaredPrefix(a)
			if !ok || hidden[p] {
				continue
			}
			if a.value == uri && (p != "" || allowDefault) {
				return p, true
			}
			hidden[p] = true
		}
		e, _ = e.parent.(*XElement)
	}
	return "", false
}

// namespaceOf is the namespace of a prefix at an element.
func namespaceOf(e *XElement, prefix string) (string, bool) {
	for e != nil {
		for _, a := range e.attrs {
			if p, ok := declaredPrefix(a); ok && p == prefix {
				return a.value, true
			}
		}
		e, _ = e.parent.(*XElement)
	}
	switch prefix {
	case "xml":
		return xmlSpace, true
	case "xmlns":
		return xmlnsSpace, true
	}
	return "", false
}

// ToString writes the element.
func (e *XElement) ToString() string { return nodeText(e, 0) }

// ToString writes the document without its declaration.
func (d *XDocument) ToString() string { return nodeText(d, 0) }

// ToString writes the text.
func (t *XText) ToString() string { return nodeText(t, 0) }

// ToString writes the section.
func (t *XCData) ToString() string { return nodeText(t, 0) }

// ToString writes the comment.
func (t *XComment) ToString() string { return nodeText(t, 0) }

// ToString writes the instruction.
func (t *XProcessingInstruction) ToString() string { return nodeText(t, 0) }

// ToString writes the document type.
func (t *XDocumentType) ToString() string { return nodeText(t, 0) }

// ToString is name="value".
func (a *XAttribute) ToString() string { return xmlAttributeText(a) }

// ToString is the declaration.
func (d *XDeclaration) ToString() string {
	s := "<?xml"
	for _, p := range []struct{ name, value string }{{"version", d.version}, {"encoding", d.encoding}, {"standalone", d.standalone}} {
		if !csharp.IsNull(p.value) {
			s += " " + p.name + `="` + p.value + `"`
		}
	}
	return s + "?>"
}
