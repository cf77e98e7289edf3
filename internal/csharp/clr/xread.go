package clr

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/causeway-apim/causeway/internal/csharp"
)

// An xmlReader parses XML 1.0 with namespaces into a tree. External entities do not exist and entities that a document
// declares are not expanded: there is nothing to blow up.
type xmlReader struct {
	s       string
	pos     int
	alloc   func(int)
	keep    bool // white space between markup
	cur     XContainer
	starts  []int // positions of the names of the open elements
	pending []pendingAttr
	written func(e *XElement, name string) // gets the name of an element as it stands there; pending has those of its attributes
}

type pendingAttr struct {
	name, value string
	pos         int
}

const loadPreserveWhitespace = 1

// parseXML reads a document.
func parseXML(r run, s string, options int) *XDocument { return newXMLReader(r, s, options).document() }

func newXMLReader(r run, s string, options int) *xmlReader {
	needString(s, "s")
	r.Alloc(len(s))
	return &xmlReader{s: strings.TrimPrefix(s, "\uFEFF"), alloc: r.Alloc, keep: options&loadPreserveWhitespace != 0}
}

func (x *xmlReader) document() *XDocument {
	d := &XDocument{}
	x.cur = d
	if strings.HasPrefix(x.s, "<?xml") && len(x.s) > 5 && isXMLSpace(x.s[5]) {
		d.decl = x.declaration()
	}
	for x.pos < len(x.s) {
		x.item(d)
	}
	if e, ok := x.cur.(*XElement); ok {
		var open []string
		for ; e != nil; e, _ = e.parent.(*XElement) {
			open = append([]string{x.nameOf(e)}, open...)
		}
		x.fail("Unexpected end of file has occurred. The following elements are not closed: " + strings.Join(open, ", ") + ".")
	}
	if d.root() == nil {
		xmlError("Root element is missing.")
	}
	return d
}

func (x *xmlReader) nameOf(e *XElement) string {
	p, _ := prefixOf(e, e.name.space, true)
	return qualified(p, e.name.local)
}

func isXMLSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

// fail throws with the position that the reader has reached.
func (x *xmlReader) fail(message string) { x.failAt(x.pos, message) }

func (x *xmlReader) failAt(pos int, message string) {
	line, column := x.place(pos)
	at := " Line " + strconv.Itoa(line) + ", position " + strconv.Itoa(column) + "."
	panicXML(message+at, line, column)
}

// place gives line and column of a position.
func (x *xmlReader) place(pos int) (line, column int) {
	before := x.s[:min(pos, len(x.s))]
	return 1 + strings.Count(before, "\n"), csharp.Length(before[strings.LastIndexByte(before, '\n')+1:]) + 1
}

func panicXML(message string, line, column int) {
	defer func() {
		if e, ok := recover().(exception); ok {
			e.Fields = map[string]any{"LineNumber": int32(line), "LinePosition": int32(column)}
			panic(e)
		}
	}()
	csharp.Throw("System.Xml.XmlException", message)
}

func (x *xmlReader) at(text string) bool { return strings.HasPrefix(x.s[x.pos:], text) }

// until takes what stands before text and steps behind it.
func (x *xmlReader) until(text, what string) string {
	i := strings.Index(x.s[x.pos:], text)
	if i < 0 {
		x.pos = len(x.s)
		x.fail("Unexpected end of file while parsing " + what + " has occurred.")
	}
	s := x.s[x.pos : x.pos+i]
	x.pos += i + len(text)
	return s
}

func (x *xmlReader) space() bool {
	start := x.pos
	for x.pos < len(x.s) && isXMLSpace(x.s[x.pos]) {
		x.pos++
	}
	return x.pos > start
}

// item reads one piece of markup or text.
func (x *xmlReader) item(d *XDocument) {
	start := x.pos
	x.alloc(96)
	switch {
	case x.s[x.pos] != '<':
		x.text(d)
	case x.at("<!--"):
		x.pos += 4
		body := x.until("-->", "Comment")
		if strings.Contains(body, "--") || strings.HasSuffix(body, "-") {
			x.failAt(start, "An XML comment cannot contain '--', and '-' cannot be the last character.")
		}
		appendNode(x.cur, &XComment{value: newlines(body)})
	case x.at("<![CDATA["):
		if x.cur == XContainer(d) {
			x.fail("Data at the root level is invalid.")
		}
		x.pos += 9
		body := newlines(x.until("]]>", "CDATA"))
		x.checkChars(start, body)
		appendNode(x.cur, &XCData{XText{value: body}})
	case x.at("<?"):
		x.pos += 2
		target := x.name()
		if strings.EqualFold(target, "xml") {
			x.failAt(start, "Unexpected XML declaration. The XML declaration must be the first node in the document, and no whitespace characters are allowed to appear before it.")
		}
		appendNode(x.cur, &XProcessingInstruction{target: target, data: newlines(strings.TrimLeft(x.until("?>", "PI"), " \t\r\n"))})
	case x.at("<!DOCTYPE"):
		x.docType(d)
	case x.at("</"):
		x.end()
	default:
		x.start(d)
	}
}

func newlines(s string) string {
	if !strings.Contains(s, "\r") {
		return s
	}
	return strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
}

func (x *xmlReader) text(d *XDocument) {
	start := x.pos
	end := strings.IndexByte(x.s[x.pos:], '<')
	if end < 0 {
		end = len(x.s) - x.pos
	}
	raw := x.s[x.pos : x.pos+end]
	if x.cur == XContainer(d) {
		if strings.Trim(raw, " \t\r\n") != "" {
			x.space()
			x.fail("Data at the root level is invalid.")
		}
		x.pos += end
		return
	}
	if i := strings.Index(raw, "]]>"); i >= 0 {
		x.failAt(start+i, "']]>' is not allowed in character data.")
	}
	value := x.decode(start, raw, false)
	x.pos = start + end
	if strings.Trim(value, " \t\r\n") == "" && !x.keep && !x.preserves() {
		return
	}
	appendNode(x.cur, &XText{value: value})
}

// preserves tells whether xml:space="preserve" is in force.
func (x *xmlReader) preserves() bool {
	e, _ := x.cur.(*XElement)
	for e != nil {
		if a := e.attribute(&XName{xmlSpace, "space"}); a != nil {
			return a.value == "preserve"
		}
		e, _ = e.parent.(*XElement)
	}
	return false
}

// decode replaces references and normalises line ends, in attributes all white space.
func (x *xmlReader) decode(pos int, raw string, attribute bool) string {
	raw = newlines(raw)
	x.checkChars(pos, raw)
	if attribute && strings.ContainsAny(raw, "\n\t") {
		raw = strings.NewReplacer("\n", " ", "\t", " ").Replace(raw)
	}
	if !strings.Contains(raw, "&") {
		return raw
	}
	var out strings.Builder
	for {
		i := strings.IndexByte(raw, '&')
		if i < 0 {
			out.WriteString(raw)
			return out.String()
		}
		out.WriteString(raw[:i])
		pos += i + 1
		end := strings.IndexByte(raw[i:], ';')
		if end < 0 {
			x.failAt(pos, "An error occurred while parsing EntityName.")
		}
		out.WriteString(x.reference(pos, raw[i+1:i+end]))
		raw = raw[i+end+1:]
		pos += end
	}
}

func (x *xmlReader) reference(pos int, name string) string {
	switch name {
	case "lt":
		return "<"
	case "gt":
		return ">"
	case "amp":
		return "&"
	case "quot":
		return `"`
	case "apos":
		return "'"
	}
	if digits, ok := strings.CutPrefix(name, "#"); ok {
		base := 10
		if strings.HasPrefix(digits, "x") {
			base, digits = 16, digits[1:]
		}
		n, err := strconv.ParseUint(digits, base, 32)
		if err != nil || n > utf8.MaxRune || n >= 0xD800 && n <= 0xDFFF || n < ' ' && n != 9 && n != 10 && n != 13 || n == 0xFFFE || n == 0xFFFF {
			x.failAt(pos, "Invalid syntax for a decimal or hexadecimal numeric entity reference.")
		}
		return string(rune(n))
	}
	for i, r := range name {
		if i == 0 && !nameStart(r) || !nameChar(r) && r != ':' {
			x.failAt(pos, "An error occurred while parsing EntityName.")
		}
	}
	x.failAt(pos, "Reference to undeclared entity '"+name+"'.")
	return ""
}

func (x *xmlReader) checkChars(pos int, s string) {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < ' ' && c != '\t' && c != '\n' && c != '\r' {
			x.failAt(pos+i, "'"+string(rune(c))+"', hexadecimal value 0x"+strings.ToUpper(strconv.FormatUint(uint64(c)+0x100, 16)[1:])+", is an invalid character.")
		}
	}
}

// name reads a name with at most one colon.
func (x *xmlReader) name() string {
	start := x.pos
	for x.pos < len(x.s) {
		r, n := utf8.DecodeRuneInString(x.s[x.pos:])
		first := x.pos == start || x.s[x.pos-1] == ':'
		if first && !nameStart(r) || !first && !nameChar(r) && r != ':' {
			break
		}
		x.pos += n
	}
	if name := x.s[start:x.pos]; name != "" && !strings.HasSuffix(name, ":") && strings.Count(name, ":") < 2 {
		return name
	}
	if x.pos >= len(x.s) {
		x.fail("Unexpected end of file has occurred.")
	}
	r, _ := utf8.DecodeRuneInString(x.s[x.pos:])
	x.fail("Name cannot begin with the '" + string(r) + "' character, hexadecimal value 0x" + strings.ToUpper(strconv.FormatInt(int64(r)+0x100, 16)[1:]) + ".")
	return ""
}

func (x *xmlReader) end() {
	start := x.pos
	x.pos += 2
	name := x.name()
	x.space()
	e, ok := x.cur.(*XElement)
	if !ok {
		x.failAt(start+2, "Unexpected end tag.")
	}
	if own := x.nameOf(e); own != name && !x.sameName(e, name) {
		line, column := x.place(x.starts[len(x.starts)-1])
		x.failAt(start+2, "The '"+own+"' start tag on line "+strconv.Itoa(line)+" position "+strconv.Itoa(column)+" does not match the end tag of '"+name+"'.")
	}
	if !x.at(">") {
		x.fail("'" + x.here() + "' is an unexpected token. The expected token is '>'.")
	}
	x.pos++
	if e.first == nil {
		e.open = true
	}
	x.cur = e.parent
	x.starts = x.starts[:len(x.starts)-1]
}

// sameName compares a name as written with an element: a namespace may have several prefixes.
func (x *xmlReader) sameName(e *XElement, name string) bool {
	prefix, local, ok := strings.Cut(name, ":")
	if !ok {
		prefix, local = "", name
	}
	uri, _ := namespaceOf(e, prefix)
	return local == e.name.local && uri == e.name.space
}

// here is the character at the position, for messages.
func (x *xmlReader) here() string {
	if x.pos >= len(x.s) {
		x.fail("Unexpected end of file has occurred.")
	}
	_, n := utf8.DecodeRuneInString(x.s[x.pos:])
	return x.s[x.pos : x.pos+n]
}

func (x *xmlReader) start(d *XDocument) {
	x.pos++
	start := x.pos
	name := x.name()
	if x.cur == XContainer(d) && d.root() != nil {
		x.failAt(start, "There are multiple root elements.")
	}
	x.attributes()
	empty := x.at("/>")
	switch {
	case empty:
		x.pos += 2
	case x.at(">"):
		x.pos++
	default:
		x.fail("'" + x.here() + "' is an unexpected token. The expected token is '>'.")
	}
	if len(x.starts) >= maxXMLDepth {
		x.failAt(start, "The document is nested too deeply.")
	}
	e := &XElement{}
	appendNode(x.cur, e)
	for _, a := range x.pending { // declarations first: they hold for the names before them too
		if prefix, local, ok := strings.Cut(a.name, ":"); ok && prefix == "xmlns" {
			if a.value == "" {
				x.failAt(a.pos, "Invalid namespace declaration.")
			}
			e.attrs = append(e.attrs, &XAttribute{e, &XName{xmlnsSpace, local}, a.value})
		} else {
			e.attrs = append(e.attrs, &XAttribute{e, &XName{"", a.name}, a.value})
		}
	}
	for i, a := range x.pending {
		if prefix, local, ok := strings.Cut(a.name, ":"); ok && prefix != "xmlns" {
			e.attrs[i].name = &XName{x.resolve(e, prefix, a.pos), local}
		}
		for _, other := range e.attrs[:i] {
			if *other.name == *e.attrs[i].name {
				x.failAt(a.pos, "'"+a.name+"' is a duplicate attribute name.")
			}
		}
	}
	prefix, local, ok := strings.Cut(name, ":")
	if !ok {
		uri, _ := namespaceOf(e, "")
		e.name = &XName{uri, name}
	} else {
		e.name = &XName{x.resolve(e, prefix, start), local}
	}
	if x.written != nil {
		x.written(e, name)
	}
	if !empty {
		x.cur = e
		x.starts = append(x.starts, start)
	}
}

func (x *xmlReader) resolve(e *XElement, prefix string, pos int) string {
	uri, ok := namespaceOf(e, prefix)
	if !ok {
		x.failAt(pos, "'"+prefix+"' is an undeclared prefix.")
	}
	return uri
}

// maxAttributes bounds the attributes of one element, whose names are compared pair by pair.
const maxAttributes = 1000

// attributes reads name="value" pairs into pending.
func (x *xmlReader) attributes() {
	x.pending = x.pending[:0]
	for {
		spaced := x.space()
		if x.pos >= len(x.s) {
			x.fail("Unexpected end of file has occurred.")
		}
		if c := x.s[x.pos]; c == '>' || c == '/' {
			return
		}
		if !spaced {
			x.fail("'" + x.here() + "' is an unexpected token. Expecting whitespace.")
		}
		pos := x.pos
		name := x.name()
		x.space()
		if !x.at("=") {
			x.fail("'" + x.here() + "' is an unexpected token. The expected token is '='.")
		}
		x.pos++
		x.space()
		quote := x.here()
		if quote != `"` && quote != "'" {
			x.fail("'" + quote + "' is an unexpected token. The expected token is '\"' or '''.")
		}
		x.pos++
		valuePos := x.pos
		raw := x.until(quote, "AttributeValue")
		if i := strings.IndexByte(raw, '<'); i >= 0 {
			x.failAt(valuePos+i, "'<', hexadecimal value 0x3C, is an invalid attribute character.")
		}
		x.alloc(96)
		x.pending = append(x.pending, pendingAttr{name, x.decode(valuePos, raw, true), pos})
		if len(x.pending) > maxAttributes {
			x.failAt(pos, "The element has too many attributes.")
		}
	}
}
