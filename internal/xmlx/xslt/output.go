package xslt

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/causeway-apim/causeway/internal/xmlx"
	"github.com/causeway-apim/causeway/internal/xmlx/xpath"
)

// Output is what xsl:output says.
type Output struct {
	// Method is "xml", "html" or "text"; empty lets the first element decide.
	Method                       string
	Version, Encoding, MediaType string
	OmitDeclaration, Indent      bool
	Standalone                   string // yes, no or empty
	DoctypePublic, DoctypeSystem string
	indentSet                    bool
	cdata                        map[xmlx.Name]bool
}

// Result is the outcome of a transformation.
type Result struct {
	Body []byte
	// Method is "xml", "html" or "text".
	Method string
	// MediaType and Encoding are what xsl:output says; Encoding is "utf-8" without it.
	MediaType, Encoding string
}

// writer writes a result as xsl:output says.
type writer struct {
	Output
	b       []byte
	max     int
	started bool // the method is decided
	rooted  bool // the root element has begun
	// elements are the open ones.
	elements []openElement
	// tagOpen: the ">" of the last start tag is still to come.
	tagOpen bool
	// mixed: text stands at this level, so that nothing is indented.
	mixed bool
	// textAt and blockAt are the lengths of b after the last text, and after the last tag of an HTML block.
	textAt, blockAt int
	// pending is text before the method is decided.
	limit func(rune) bool
}

type openElement struct {
	name         xmlx.Name
	mixed, empty bool
	html         htmlTraits
}

func newWriter(o Output, max int) *writer {
	w := &writer{Output: o, max: max}
	if w.Encoding == "" {
		w.Encoding = "utf-8"
	}
	switch strings.ToLower(w.Encoding) {
	case "us-ascii", "ascii":
		w.limit = func(r rune) bool { return r < 0x80 }
	case "iso-8859-1", "latin1":
		w.limit = func(r rune) bool { return r <= 0xff }
	}
	return w
}

// begin decides the method and writes what comes first.
func (w *writer) begin(first xmlx.Name) {
	if w.started {
		return
	}
	w.started = true
	if w.Method == "" {
		w.Method = "xml"
		if first.Space == "" && strings.EqualFold(first.Local, "html") {
			w.Method = "html"
		}
	}
	if w.Method == "html" && !w.indentSet {
		w.Indent = true
	}
	if w.Method != "xml" || w.OmitDeclaration {
		return
	}
	version := w.Version
	if version == "" {
		version = "1.0"
	}
	w.raw(`<?xml version="`, version, `" encoding="`, strings.ToLower(w.Encoding), `"`)
	if w.Standalone != "" {
		w.raw(` standalone="`, w.Standalone, `"`)
	}
	w.raw("?>")
}

func (w *writer) raw(parts ...string) {
	for _, s := range parts {
		w.b = append(w.b, s...)
	}
	if len(w.b) > w.max {
		xpath.Failf("%w: the result is larger than %d bytes", xpath.ErrBudget, w.max)
	}
}

func (w *writer) newLine(depth int) {
	w.raw("\n")
	for range depth {
		w.raw("  ")
	}
}

// content closes a start tag before what stands in the element.
func (w *writer) content() {
	if !w.tagOpen {
		return
	}
	w.tagOpen = false
	w.raw(">")
	e := &w.elements[len(w.elements)-1]
	if w.Method == "html" {
		w.afterHTMLStart(e)
	}
}

func (w *writer) start(name xmlx.Name, spaces []binding, attrs []xmlx.Attr) {
	w.begin(name)
	if w.Method == "text" {
		return
	}
	w.content()
	if !w.rooted {
		w.rooted = true
		w.doctype(name)
		w.mixed = false
	}
	if w.Method == "html" && name.Space == "" {
		w.startHTML(name, attrs)
		return
	}
	if w.Indent && !w.mixed && len(w.b) > 0 && w.textAt != len(w.b) {
		w.newLine(len(w.elements))
	}
	w.raw("<", name.String())
	for _, s := range spaces {
		w.declare(s)
	}
	for i := range attrs {
		w.raw(" ", attrs[i].Name.String(), `="`)
		w.escape(attrs[i].Value, true)
		w.raw(`"`)
	}
	w.push(openElement{name: name, empty: true})
}

func (w *writer) push(e openElement) {
	if n := len(w.elements); n > 0 {
		w.elements[n-1].empty = false
	}
	e.mixed = w.mixed
	w.elements = append(w.elements, e)
	w.tagOpen = true
}

func (w *writer) declare(s binding) {
	if s.prefix == "" {
		w.raw(` xmlns="`)
	} else {
		w.raw(" xmlns:", s.prefix, `="`)
	}
	w.escape(s.uri, true)
	w.raw(`"`)
}

func (w *writer) doctype(root xmlx.Name) {
	if w.DoctypeSystem == "" && (w.Method != "html" || w.DoctypePublic == "") {
		return
	}
	if w.Indent && len(w.b) > 0 {
		w.newLine(0)
	}
	w.raw("<!DOCTYPE ", root.String())
	switch {
	case w.DoctypePublic != "":
		w.raw(` PUBLIC "`, w.DoctypePublic, `"`)
		if w.DoctypeSystem != "" {
			w.raw(` "`, w.DoctypeSystem, `"`)
		}
	default:
		w.raw(` SYSTEM "`, w.DoctypeSystem, `"`)
	}
	w.raw(">")
}

func (w *writer) end() {
	if w.Method == "text" {
		return
	}
	last := len(w.elements) - 1
	e := w.elements[last]
	w.elements = w.elements[:last]
	if w.Method == "html" && e.name.Space == "" {
		w.endHTML(e)
		return
	}
	if w.tagOpen {
		w.tagOpen = false
		w.raw(" />")
	} else {
		if w.Indent && !w.mixed && !e.empty && w.textAt != len(w.b) {
			w.newLine(last)
		}
		w.raw("</", e.name.String(), ">")
	}
	w.mixed = e.mixed
}

func (w *writer) text(s string, raw bool) {
	if !w.started && w.Method == "" && isSpace(s) {
		return // it does not decide the method
	}
	w.begin(xmlx.Name{})
	if w.Method == "text" {
		w.raw(s)
		return
	}
	w.content()
	w.mixed = true
	if n := len(w.elements); n > 0 {
		e := &w.elements[n-1]
		e.empty = false
		switch {
		case e.html&htmlRawText != 0:
			raw = true
		case w.cdata[xmlx.Name{Local: e.name.Local, Space: e.name.Space}]:
			w.raw("<![CDATA[", strings.ReplaceAll(s, "]]>", "]]]]><![CDATA[>"), "]]>")
			w.textAt = len(w.b)
			return
		}
	}
	if raw {
		w.raw(s)
	} else {
		w.escape(s, false)
	}
	w.textAt = len(w.b)
}

func (w *writer) comment(s string) {
	w.begin(xmlx.Name{})
	if w.Method == "text" {
		return
	}
	w.aside()
	s = strings.ReplaceAll(s, "--", "- -")
	if strings.HasSuffix(s, "-") {
		s += " "
	}
	w.raw("<!--", strings.ReplaceAll(s, "--", "- -"), "-->")
}

func (w *writer) instruction(target, s string) {
	w.begin(xmlx.Name{})
	if w.Method == "text" {
		return
	}
	w.aside()
	w.raw("<?", target)
	if s != "" {
		w.raw(" ", strings.ReplaceAll(s, "?>", "? >"))
	}
	if w.Method == "html" {
		w.raw(">")
		return
	}
	w.raw("?>")
}

// aside makes room for a comment or an instruction.
func (w *writer) aside() {
	w.content()
	if n := len(w.elements); n > 0 {
		w.elements[n-1].empty = false
	}
	if w.Indent && !w.mixed && len(w.b) > 0 && w.textAt != len(w.b) {
		w.newLine(len(w.elements))
	}
}

// escape writes text of XML.
func (w *writer) escape(s string, attribute bool) {
	html := w.Method == "html"
	for i, c := range s {
		switch {
		case c == '&' && html && attribute && strings.HasPrefix(s[i+1:], "{"):
			w.b = append(w.b, '&')
		case c == '&':
			w.b = append(w.b, "&amp;"...)
		case c == '<' && !(html && attribute):
			w.b = append(w.b, "&lt;"...)
		case c == '>' && !(html && attribute):
			w.b = append(w.b, "&gt;"...)
		case c == '"' && attribute:
			w.b = append(w.b, "&quot;"...)
		case c == '\r', attribute && !html && (c == '\n' || c == '\t'):
			w.b = fmt.Appendf(w.b, "&#x%X;", c)
		case w.limit != nil && !w.limit(c):
			w.b = fmt.Appendf(w.b, "&#x%X;", c)
		case c < ' ' && c != '\n' && c != '\t', c == 0xfffe, c == 0xffff:
			w.b = utf8.AppendRune(w.b, utf8.RuneError)
		default:
			w.b = utf8.AppendRune(w.b, c)
		}
	}
	w.raw()
}

// finish ends the result.
func (w *writer) finish() Result {
	if !w.started {
		w.begin(xmlx.Name{})
	}
	return Result{Body: encode(w.b, w.Encoding), Method: w.Method, MediaType: w.MediaType, Encoding: strings.ToLower(w.Encoding)}
}
