package policy

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// The limits of a document: what is beyond them is no policy that somebody wrote.
const (
	maxDocument   = 1 << 20 // bytes
	maxDepth      = 100
	maxNodes      = 50_000 // elements and attributes
	maxAttributes = 100    // of an element
)

// node is an element.
type node struct {
	name     string
	attrs    []attr
	children []*node
	// text is what stands between the children: decoded, without comments. An element that was read as opaque has no children and its whole
	// content here: see source.inner.
	text text
	// pos is where "<" stands; inner where the content is.
	pos, innerFrom, innerTo int
	// end is where the element ends.
	end int
}

// attr is an attribute; pos is where its name begins.
type attr struct {
	name  string
	value text
	pos   int
}

// attr returns the attribute of that name, or nil.
func (n *node) attr(name string) *attr {
	for i := range n.attrs {
		if n.attrs[i].name == name {
			return &n.attrs[i]
		}
	}
	return nil
}

// syntaxError is why a text is no document.
type syntaxError struct {
	pos     int
	message string
}

func (e *syntaxError) Error() string { return e.message }

// source is the text of a document.
type source string

// position is the line and column, in characters from 1, of an offset.
func (s source) position(offset int) (line, column int) {
	offset = min(max(offset, 0), len(s))
	head := string(s[:offset])
	start := strings.LastIndexByte(head, '\n') + 1
	return strings.Count(head, "\n") + 1, utf8.RuneCountInString(head[start:]) + 1
}

// parseXML reads a document. format "rawxml" takes expressions as raw C#; otherwise a text that is well-formed XML is taken as such (entities in
// expressions are decoded), and any other one as rawxml, because most documents in the wild are not well-formed. The contents of elements for
// which opaque is true are kept as text.
func parseXML(document, format string, opaque func(name string) bool) (*node, error) {
	if len(document) > maxDocument {
		return nil, &syntaxError{0, fmt.Sprintf("the document is larger than %d bytes", maxDocument)}
	}
	if format != "rawxml" {
		if root, err := (&parser{src: document, opaque: opaque, strict: true}).document(); err == nil {
			return root, nil
		}
	}
	root, err := (&parser{src: document, opaque: opaque}).document()
	if err != nil {
		return nil, err
	}
	return root, nil
}

// parser reads one document from front to back.
type parser struct {
	src    string
	at     int
	strict bool
	opaque func(name string) bool
	depth  int
	nodes  int
	wasted int // see expressionEnd
}

func (p *parser) errorf(pos int, format string, args ...any) *syntaxError {
	return &syntaxError{pos, fmt.Sprintf(format, args...)}
}

func (p *parser) rest() string { return p.src[p.at:] }

func (p *parser) has(prefix string) bool { return strings.HasPrefix(p.src[p.at:], prefix) }

func (p *parser) space() {
	for p.at < len(p.src) && isSpace(p.src[p.at]) {
		p.at++
	}
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

// document reads the root element and what may stand around it.
func (p *parser) document() (*node, *syntaxError) {
	if !utf8.ValidString(p.src) {
		return nil, p.errorf(0, "the document is not valid UTF-8")
	}
	if p.has("\ufeff") {
		p.at += len("\ufeff")
	}
	if err := p.misc(); err != nil {
		return nil, err
	}
	if p.at == len(p.src) || p.src[p.at] != '<' {
		return nil, p.errorf(p.at, "the document has no root element")
	}
	root, err := p.element()
	if err != nil {
		return nil, err
	}
	if err := p.misc(); err != nil {
		return nil, err
	}
	if p.at < len(p.src) {
		return nil, p.errorf(p.at, "nothing may follow the root element")
	}
	return root, nil
}

// misc skips white space, comments and processing instructions.
func (p *parser) misc() *syntaxError {
	for {
		p.space()
		skipped, err := p.comment()
		if err != nil || !skipped {
			return err
		}
	}
}

// comment skips one comment or processing instruction.
func (p *parser) comment() (skipped bool, err *syntaxError) {
	switch {
	case p.has("<!--"):
		return true, p.skipTo(4, "-->", "the comment has no end")
	case p.has("<?"):
		return true, p.skipTo(2, "?>", "the processing instruction has no end")
	case p.has("<!DOCTYPE"):
		return false, p.errorf(p.at, "a document type declaration is not allowed")
	}
	return false, nil
}

func (p *parser) skipTo(from int, end, message string) *syntaxError {
	i := strings.Index(p.rest()[from:], end)
	if i < 0 {
		return p.errorf(p.at, "%s", message)
	}
	p.at += from + i + len(end)
	return nil
}

// element reads an element whose "<" is next.
func (p *parser) element() (*node, *syntaxError) {
	n := &node{pos: p.at}
	if p.depth++; p.depth > maxDepth {
		return nil, p.errorf(p.at, "elements are nested deeper than %d", maxDepth)
	}
	if err := p.count(); err != nil {
		return nil, err
	}
	p.at++
	if n.name = p.name(); n.name == "" {
		return nil, p.errorf(n.pos, "a name must follow \"<\"")
	}
	empty, err := p.attributes(n)
	if err != nil {
		return nil, err
	}
	n.innerFrom, n.innerTo = p.at, p.at
	if !empty {
		if err := p.content(n); err != nil {
			return nil, err
		}
	}
	p.depth--
	n.end = p.at
	return n, nil
}

func (p *parser) count() *syntaxError {
	if p.nodes++; p.nodes > maxNodes {
		return p.errorf(p.at, "the document has more than %d elements and attributes", maxNodes)
	}
	return nil
}

// name reads a name; "" when there is none.
func (p *parser) name() string {
	start := p.at
	for p.at < len(p.src) {
		c := p.src[p.at]
		letter := 'a' <= c|0x20 && c|0x20 <= 'z' || c == '_' || c == ':' || c >= utf8.RuneSelf
		if !letter && (p.at == start || !('0' <= c && c <= '9') && c != '-' && c != '.') {
			break
		}
		p.at++
	}
	return p.src[start:p.at]
}

// attributes reads up to the end of the start tag and says whether it is an empty element's.
func (p *parser) attributes(n *node) (empty bool, err *syntaxError) {
	for {
		before := p.at
		p.space()
		switch {
		case p.at == len(p.src):
			return false, p.errorf(n.pos, "the start tag <%s has no end", n.name)
		case p.src[p.at] == '>':
			p.at++
			return false, nil
		case p.has("/>"):
			p.at += 2
			return true, nil
		case p.at == before && len(n.attrs) > 0:
			return false, p.errorf(p.at, "the value of attribute %q ends here, but is followed by %q; an expression in it must be complete, "+
				"and quotes in other texts are written &quot;", n.attrs[len(n.attrs)-1].name, p.glimpse())
		}
		if err := p.attribute(n); err != nil {
			return false, err
		}
	}
}

// glimpse is the next character, for messages.
func (p *parser) glimpse() string {
	_, size := utf8.DecodeRuneInString(p.rest())
	return p.rest()[:size]
}

func (p *parser) attribute(n *node) *syntaxError {
	a := attr{pos: p.at}
	if a.name = p.name(); a.name == "" {
		return p.errorf(p.at, "unexpected %q in the start tag <%s", p.glimpse(), n.name)
	}
	if n.attr(a.name) != nil {
		return p.errorf(a.pos, "attribute %q stands twice", a.name)
	}
	if len(n.attrs) == maxAttributes {
		return p.errorf(a.pos, "<%s> has more than %d attributes", n.name, maxAttributes)
	}
	if err := p.count(); err != nil {
		return err
	}
	p.space()
	if !p.has("=") {
		return p.errorf(p.at, "\"=\" and a value must follow attribute %q", a.name)
	}
	p.at++
	p.space()
	if !p.has(`"`) && !p.has("'") {
		return p.errorf(p.at, "the value of attribute %q must stand in quotes", a.name)
	}
	value, err := p.quoted(a.name)
	if err != nil {
		return err
	}
	a.value = value
	n.attrs = append(n.attrs, a)
	return nil
}

// content reads children and text up to and with the end tag.
func (p *parser) content(n *node) *syntaxError {
	if p.opaque != nil && p.opaque(n.name) {
		if err := p.opaqueContent(n); err != nil {
			return err
		}
		return p.endTag(n)
	}
	var pieces []text
	for {
		piece, err := p.text(n)
		if err != nil {
			return err
		}
		pieces = append(pieces, piece)
		if !p.has("<") { // the text goes on after an expression
			continue
		}
		if p.has("</") {
			n.innerTo = p.at
			n.text = joinTexts(pieces)
			return p.endTag(n)
		}
		if p.has("<![CDATA[") {
			piece, err := p.cdata()
			if err != nil {
				return err
			}
			pieces = append(pieces, piece)
			continue
		}
		skipped, err := p.comment()
		if err != nil {
			return err
		}
		if skipped {
			continue
		}
		child, err := p.element()
		if err != nil {
			return err
		}
		n.children = append(n.children, child)
	}
}

func (p *parser) cdata() (text, *syntaxError) {
	start := p.at + len("<![CDATA[")
	if err := p.skipTo(len("<![CDATA["), "]]>", "the CDATA section has no end"); err != nil {
		return text{}, err
	}
	return plainText(p.src[start:p.at-len("]]>")], start), nil
}

func (p *parser) endTag(n *node) *syntaxError {
	pos := p.at
	p.at += 2
	name := p.name()
	p.space()
	if name != n.name {
		line, _ := source(p.src).position(n.pos)
		return p.errorf(pos, "</%s> does not match <%s> of line %d", name, n.name, line)
	}
	if !p.has(">") {
		return p.errorf(pos, "the end tag </%s has no end", name)
	}
	p.at++
	return nil
}
