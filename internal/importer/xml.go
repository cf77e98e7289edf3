package importer

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"maps"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// maxXMLNodes bounds the elements of one document.
const maxXMLNodes = 1_000_000

// xmlNode is an element with its place.
type xmlNode struct {
	name     xml.Name // Space is a namespace, or the prefix where it is not declared
	attrs    []xml.Attr
	children []*xmlNode
	text     string // what stands directly in it, joined
	line     int    // of the first byte, from 1
	column   int    // in characters, from 1
	// start and end are offsets into the document's text.
	start, end int
	scope      map[string]string // namespaces by prefix, shared between elements
}

// xmlTree is a document as it was read.
type xmlTree struct {
	root *xmlNode
	text []byte // as UTF-8
	url  string // where it came from; may be empty
}

// attr returns an attribute without namespace, with white space around it removed.
func (n *xmlNode) attr(name string) string {
	if n != nil {
		for _, a := range n.attrs {
			if a.Name.Space == "" && a.Name.Local == name {
				return strings.TrimSpace(a.Value)
			}
		}
	}
	return ""
}

// qname reads an attribute that is a qualified name; unprefixed names are in the default namespace.
func (n *xmlNode) qname(name string) xml.Name {
	value := n.attr(name)
	if value == "" {
		return xml.Name{}
	}
	prefix, local, ok := strings.Cut(value, ":")
	if !ok {
		prefix, local = "", value
	}
	return xml.Name{Space: n.scope[prefix], Local: local}
}

// all returns the children of that name.
func (n *xmlNode) all(space, local string) []*xmlNode {
	var list []*xmlNode
	if n != nil {
		for _, c := range n.children {
			if c.name.Local == local && c.name.Space == space {
				list = append(list, c)
			}
		}
	}
	return list
}

// first returns the first child of that name, or nil.
func (n *xmlNode) first(space, local string) *xmlNode {
	if n != nil {
		for _, c := range n.children {
			if c.name.Local == local && c.name.Space == space {
				return c
			}
		}
	}
	return nil
}

// fail makes an error about the element.
func (t *xmlTree) fail(n *xmlNode, advice, format string, args ...any) *Error {
	e := &Error{Line: n.line, Column: n.column, Reason: fmt.Sprintf(format, args...), Advice: advice}
	if t.url != "" {
		e.Reason = "in " + clip(t.url) + ": " + e.Reason
	}
	return e
}

// warn makes a warning about the element.
func (n *xmlNode) warn(format string, args ...any) Warning {
	return Warning{n.line, n.column, fmt.Sprintf(format, args...)}
}

// readXML parses a document within the limits. Document type declarations are refused: their entities could expand to anything.
func readXML(ctx context.Context, data []byte, o Options) (*xmlTree, *Error) {
	if int64(len(data)) > o.MaxBytes {
		return nil, tooLarge(len(data), o.MaxBytes)
	}
	text, err := decodeXML(data)
	if err != nil {
		return nil, err
	}
	r := xmlReader{text: text, options: o, decoder: xml.NewDecoder(bytes.NewReader(text)), line: 1}
	r.decoder.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil }
	if err := r.read(ctx); err != nil {
		return nil, err
	}
	return &xmlTree{root: r.root, text: text}, nil
}

func tooLarge(size int, most int64) *Error {
	return &Error{Reason: fmt.Sprintf("the document has %d bytes, more than the limit of %d", size, most), Advice: "Split the API, or leave out examples."}
}

// decodeXML turns UTF-16 and ISO 8859-1 into UTF-8.
func decodeXML(data []byte) ([]byte, *Error) {
	switch {
	case bytes.HasPrefix(data, []byte("\xff\xfe")):
		return utf16Text(data[2:], func(b []byte) uint16 { return uint16(b[0]) | uint16(b[1])<<8 }), nil
	case bytes.HasPrefix(data, []byte("\xfe\xff")):
		return utf16Text(data[2:], func(b []byte) uint16 { return uint16(b[1]) | uint16(b[0])<<8 }), nil
	}
	data = data[len(bom(data)):]
	switch strings.ToLower(declaredEncoding(data)) {
	case "iso-8859-1", "latin1", "windows-1252":
		runes := make([]rune, len(data))
		for i, c := range data {
			runes[i] = rune(c)
		}
		return []byte(string(runes)), nil
	}
	if at := invalidUTF8(data); at >= 0 {
		line := bytes.Count(data[:at], []byte("\n")) + 1
		return nil, &Error{Line: line, Column: columnAt(data, at), Reason: "the document is not UTF-8", Advice: "Save it as UTF-8."}
	}
	return data, nil
}

// declaredEncoding is the encoding that the XML declaration names.
func declaredEncoding(data []byte) string {
	if !bytes.HasPrefix(data, []byte("<?xml")) {
		return ""
	}
	end := bytes.Index(data, []byte("?>"))
	if end < 0 {
		return ""
	}
	_, rest, ok := strings.Cut(string(data[:end]), "encoding")
	rest = strings.TrimLeft(rest, " \t\r\n=")
	if !ok || rest == "" {
		return ""
	}
	value, _, _ := strings.Cut(rest[1:], rest[:1])
	return value
}

func utf16Text(data []byte, unit func([]byte) uint16) []byte {
	units := make([]uint16, len(data)/2)
	for i := range units {
		units[i] = unit(data[2*i:])
	}
	return []byte(string(utf16.Decode(units)))
}

// xmlReader builds the tree.
type xmlReader struct {
	text    []byte
	options Options
	decoder *xml.Decoder
	open    []*xmlNode
	root    *xmlNode
	count   int
	texts   [][]byte // of the open elements
	// line is that of the offset at, which starts at the offset begin.
	line, at, begin int
}

// position counts lines on from the last one that was asked for.
func (r *xmlReader) position(offset int) (line, column int) {
	passed := r.text[r.at:offset]
	if last := bytes.LastIndexByte(passed, '\n'); last >= 0 {
		r.line += bytes.Count(passed, []byte("\n"))
		r.begin = r.at + last + 1
	}
	r.at = offset
	if offset-r.begin > longLine {
		return r.line, offset - r.begin + 1
	}
	return r.line, utf8.RuneCount(r.text[r.begin:offset]) + 1
}

func (r *xmlReader) read(ctx context.Context) *Error {
	for {
		start := int(r.decoder.InputOffset())
		token, err := r.decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return r.syntax(err)
		}
		if err := r.token(ctx, token, start); err != nil {
			return err
		}
	}
	if r.root == nil {
		return &Error{Line: 1, Column: 1, Reason: "the document holds no XML element", Advice: "Send the description as XML."}
	}
	return nil
}

func (r *xmlReader) token(ctx context.Context, token xml.Token, start int) *Error {
	switch t := token.(type) {
	case xml.StartElement:
		return r.start(ctx, t, start)
	case xml.EndElement:
		last := len(r.open) - 1
		n := r.open[last]
		n.end, n.text = int(r.decoder.InputOffset()), string(r.texts[last])
		r.open, r.texts = r.open[:last], r.texts[:last]
	case xml.CharData:
		if len(r.open) > 0 {
			last := len(r.open) - 1
			r.texts[last] = append(r.texts[last], t...)
		}
	case xml.Directive:
		if bytes.HasPrefix(bytes.ToUpper(t), []byte("DOCTYPE")) {
			line, column := r.position(start)
			return &Error{Line: line, Column: column, Reason: "the document has a document type declaration", Advice: "Remove it: entities and external subsets are not read."}
		}
	}
	return nil
}

func (r *xmlReader) start(ctx context.Context, t xml.StartElement, start int) *Error {
	n := &xmlNode{name: t.Name, attrs: t.Copy().Attr, start: start}
	n.line, n.column = r.position(start)
	if r.count++; r.count > maxXMLNodes || len(r.open) >= r.options.MaxDepth {
		return &Error{Line: n.line, Column: n.column, Reason: fmt.Sprintf("the document has more than %d elements or nests deeper than %d", maxXMLNodes, r.options.MaxDepth), Advice: "Split the API."}
	}
	if r.count%1024 == 0 && ctx.Err() != nil {
		return &Error{Reason: "the import was stopped", Err: ctx.Err()}
	}
	if len(r.open) > 0 {
		parent := r.open[len(r.open)-1]
		parent.children = append(parent.children, n)
		n.scope = parent.scope
	} else if r.root != nil {
		return &Error{Line: n.line, Column: n.column, Reason: "there is a second root element", Advice: "Send one document."}
	} else {
		r.root, n.scope = n, map[string]string{"xml": "http://www.w3.org/XML/1998/namespace"}
	}
	n.declare()
	r.open, r.texts = append(r.open, n), append(r.texts, nil)
	return nil
}

// declare takes the namespace declarations of the element into its scope.
func (n *xmlNode) declare() {
	own := false
	for _, a := range n.attrs {
		prefix, ok := declaredPrefix(a.Name)
		if !ok {
			continue
		}
		if !own {
			n.scope, own = maps.Clone(n.scope), true
		}
		n.scope[prefix] = a.Value
	}
}

// declaredPrefix says which prefix an attribute declares, if it declares one.
func declaredPrefix(name xml.Name) (prefix string, ok bool) {
	switch {
	case name.Space == "xmlns":
		return name.Local, true
	case name.Space == "" && name.Local == "xmlns":
		return "", true
	}
	return "", false
}

// syntax gives an error of the decoder its place.
func (r *xmlReader) syntax(err error) *Error {
	line, column := r.decoder.InputPos()
	reason := err.Error()
	if se, ok := errors.AsType[*xml.SyntaxError](err); ok {
		reason = se.Msg
	}
	return &Error{Line: line, Column: column, Reason: "the document is not valid XML: " + reason, Advice: "Correct it."}
}

// standalone is the text of an element with the namespace declarations that it needs to stand alone.
func (t *xmlTree) standalone(n *xmlNode) string {
	source := string(t.text[n.start:n.end])
	var missing strings.Builder
	for _, prefix := range sortedKeys(n.scope) {
		if prefix == "xml" || n.declares(prefix) {
			continue
		}
		missing.WriteString(" xmlns")
		if prefix != "" {
			missing.WriteString(":" + prefix)
		}
		missing.WriteString(`="` + escapeXML(n.scope[prefix]) + `"`)
	}
	at := strings.IndexAny(source, " \t\r\n/>")
	return source[:at] + missing.String() + source[at:]
}

func (n *xmlNode) declares(prefix string) bool {
	for _, a := range n.attrs {
		if p, ok := declaredPrefix(a.Name); ok && p == prefix {
			return true
		}
	}
	return false
}

// escapeXML writes a text so that it may stand in an element or in an attribute.
func escapeXML(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;").Replace(s)
}
