package xslt

import (
	"strings"

	"github.com/causeway-apim/causeway/internal/xmlx"
)

// htmlTraits are what the html method does differently for an element.
type htmlTraits uint8

const (
	htmlVoid htmlTraits = 1 << iota
	htmlRawText
	htmlBlock
	htmlHead
)

func traitsOf(local string) htmlTraits {
	switch strings.ToLower(local) {
	case "area", "base", "basefont", "br", "col", "embed", "frame", "img", "input", "isindex", "link", "meta", "param", "source", "track", "wbr":
		switch strings.ToLower(local) {
		case "base", "link", "meta", "isindex", "frame":
			return htmlVoid | htmlBlock
		}
		return htmlVoid
	case "hr":
		return htmlVoid | htmlBlock
	case "script", "style":
		return htmlRawText | htmlBlock
	case "head":
		return htmlHead | htmlBlock
	case "html", "body", "title", "div", "p", "table", "thead", "tbody", "tfoot", "tr", "td", "th", "caption", "colgroup", "ul", "ol", "li", "dl", "dt",
		"dd", "h1", "h2", "h3", "h4", "h5", "h6", "form", "fieldset", "legend", "center", "blockquote", "address", "frameset", "noscript", "noframes",
		"section", "article", "nav", "header", "footer", "aside", "main", "menu", "dir", "optgroup", "option":
		return htmlBlock
	}
	return 0
}

func (w *writer) startHTML(name xmlx.Name, attrs []xmlx.Attr) {
	t := traitsOf(name.Local)
	if w.Indent && t&htmlBlock != 0 && len(w.b) > 0 && (w.blockAt == len(w.b) || len(w.elements) == 0) {
		w.newLine(len(w.elements))
	}
	w.raw("<", name.Local)
	for i := range attrs {
		w.htmlAttr(&attrs[i])
	}
	w.push(openElement{name: name, empty: true, html: t})
}

func (w *writer) htmlAttr(a *xmlx.Attr) {
	w.raw(" ", a.Name.String())
	switch strings.ToLower(a.Name.Local) {
	case "checked", "compact", "declare", "defer", "disabled", "ismap", "multiple", "nohref", "noresize", "noshade", "nowrap", "readonly", "selected":
		if strings.EqualFold(a.Value, a.Name.Local) {
			return
		}
	}
	value := a.Value
	switch strings.ToLower(a.Name.Local) {
	case "action", "background", "cite", "classid", "codebase", "data", "href", "longdesc", "profile", "src", "usemap":
		value = escapeURI(value)
	}
	w.raw(`="`)
	w.escape(value, true)
	w.raw(`"`)
}

// escapeURI writes what is not ASCII by its UTF-8 bytes.
func escapeURI(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] < 0x80 {
			b.WriteByte(s[i])
			continue
		}
		b.WriteByte('%')
		b.WriteByte("0123456789ABCDEF"[s[i]>>4])
		b.WriteByte("0123456789ABCDEF"[s[i]&15])
	}
	return b.String()
}

// afterHTMLStart follows the ">" of a start tag.
func (w *writer) afterHTMLStart(e *openElement) {
	if e.html&htmlBlock != 0 {
		w.blockAt = len(w.b)
	}
	if e.html&htmlHead == 0 {
		return
	}
	if w.Indent {
		w.newLine(len(w.elements))
	}
	mediaType := w.MediaType
	if mediaType == "" {
		mediaType = "text/html"
	}
	w.raw(`<META http-equiv="Content-Type" content="`, mediaType, "; charset=", strings.ToLower(w.Encoding), `">`)
	w.blockAt = len(w.b)
	e.empty = false
}

func (w *writer) endHTML(e openElement) {
	void := e.html&htmlVoid != 0
	if w.tagOpen {
		w.elements = append(w.elements, e)
		w.content()
		e = w.elements[len(w.elements)-1]
		w.elements = w.elements[:len(w.elements)-1]
	}
	if !void {
		if w.Indent && e.html&htmlBlock != 0 && w.blockAt == len(w.b) && !e.empty {
			w.newLine(len(w.elements))
		}
		w.raw("</", e.name.Local, ">")
	}
	if e.html&htmlBlock != 0 {
		w.blockAt = len(w.b)
	}
	w.mixed = e.mixed
}
