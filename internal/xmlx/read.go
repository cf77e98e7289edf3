package xmlx

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// The limits of a document.
const (
	maxDepth = 256
	maxNodes = 2_000_000 // elements, attributes and texts
)

// Parse reads a document. White space between elements is kept; document types, and with them entities of one's own, are refused.
func Parse(data []byte) (*Document, error) {
	d, err := parse(data)
	if err != nil {
		return nil, fmt.Errorf("reading XML: %w", err)
	}
	return d, nil
}

func parse(data []byte) (*Document, error) {
	data, err := decode(data)
	if err != nil {
		return nil, err
	}
	p := &parser{data: data, doc: &Document{}}
	p.d = xml.NewDecoder(bytes.NewReader(data))
	p.d.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil } // decoded already
	for {
		start := p.d.InputOffset()
		t, err := p.d.RawToken()
		if err == io.EOF {
			break
		}
		if err == nil {
			err = p.token(t, start)
		}
		if err != nil {
			return nil, err
		}
	}
	switch {
	case len(p.open) > 0:
		return nil, fmt.Errorf("the element %q has no end", p.open[len(p.open)-1].Name)
	case p.doc.Root == nil:
		return nil, errors.New("the document has no root element")
	}
	return p.doc, nil
}

// decode makes UTF-8 of UTF-16, which a byte order mark tells, and of Latin-1, which the declaration tells.
func decode(data []byte) ([]byte, error) {
	switch {
	case bytes.HasPrefix(data, []byte("\xef\xbb\xbf")):
		data = data[3:]
	case bytes.HasPrefix(data, []byte{0xff, 0xfe}), bytes.HasPrefix(data, []byte{0xfe, 0xff}):
		low, high := 0, 1
		if data[0] == 0xfe {
			low, high = 1, 0
		}
		units := make([]uint16, 0, len(data)/2)
		for i := 2; i+1 < len(data); i += 2 {
			units = append(units, uint16(data[i+low])|uint16(data[i+high])<<8)
		}
		return []byte(string(utf16.Decode(units))), nil
	}
	head := bytes.ToLower(data[:min(len(data), 100)])
	if i := bytes.Index(head, []byte("?>")); i > 0 && bytes.HasPrefix(head, []byte("<?xml")) && bytes.Contains(head[:i], []byte("iso-8859-1")) {
		runes := make([]rune, len(data))
		for i, b := range data {
			runes[i] = rune(b)
		}
		return []byte(string(runes)), nil
	}
	if !utf8.Valid(data) {
		return nil, errors.New("the document is not valid UTF-8")
	}
	return data, nil
}

type parser struct {
	d     *xml.Decoder
	data  []byte
	doc   *Document
	open  []*Node
	nodes int
	// spaces are the declared prefixes: for each, the namespaces from the outermost element on.
	spaces map[string][]string
}

func (p *parser) token(t xml.Token, start int64) error {
	if p.nodes++; p.nodes > maxNodes {
		return fmt.Errorf("the document has more than %d nodes", maxNodes)
	}
	switch t := t.(type) {
	case xml.StartElement:
		return p.start(t)
	case xml.EndElement:
		return p.end(t)
	case xml.CharData:
		kind := Text
		if bytes.HasPrefix(p.data[start:], []byte("<![CDATA[")) {
			kind = CData
		}
		return p.text(kind, string(t))
	case xml.Comment:
		p.add(&Node{Kind: Comment, Text: string(t)})
	case xml.ProcInst:
		if t.Target == "xml" {
			return p.declaration(string(t.Inst), start)
		}
		p.add(&Node{Kind: Instruction, Name: Name{Local: t.Target}, Text: string(t.Inst)})
	case xml.Directive:
		return errors.New("a document type declaration is not allowed")
	}
	return nil
}

// text adds to the element; outside of the root there is only white space.
func (p *parser) text(kind Kind, s string) error {
	if len(p.open) == 0 {
		if kind == CData || strings.TrimSpace(s) != "" {
			return errors.New("text stands outside of the root element")
		}
		return nil
	}
	p.add(&Node{Kind: kind, Text: s})
	return nil
}

func (p *parser) add(n *Node) {
	if len(p.open) == 0 {
		p.doc.Nodes = append(p.doc.Nodes, n)
		return
	}
	parent := p.open[len(p.open)-1]
	parent.Children = append(parent.Children, n)
}

func (p *parser) start(t xml.StartElement) error {
	if len(p.open) == maxDepth {
		return fmt.Errorf("elements are nested deeper than %d", maxDepth)
	}
	n := &Node{Attrs: make([]Attr, 0, len(t.Attr)), Empty: bytes.HasSuffix(p.data[:p.d.InputOffset()], []byte("/>"))}
	if len(p.open) == 0 {
		if p.doc.Root != nil {
			return errors.New("the document has more than one root element")
		}
		p.doc.Root = n
	}
	p.nodes += len(t.Attr)
	for _, a := range t.Attr {
		n.Attrs = append(n.Attrs, Attr{Name{Prefix: a.Name.Space, Local: a.Name.Local}, a.Value})
	}
	p.declare(n)
	var ok bool
	if n.Name, ok = p.resolve(Name{Prefix: t.Name.Space, Local: t.Name.Local}, true); !ok {
		return fmt.Errorf("the prefix %q is not declared", t.Name.Space)
	}
	seen := make(map[Name]bool, len(n.Attrs))
	for i := range n.Attrs {
		a := &n.Attrs[i]
		if a.Name.Space == "" {
			if a.Name, ok = p.resolve(a.Name, false); !ok {
				return fmt.Errorf("the prefix %q is not declared", a.Name.Prefix)
			}
		}
		unique := Name{Local: a.Name.Local, Space: a.Name.Space}
		if seen[unique] {
			return fmt.Errorf("the attribute %q stands twice", a.Name)
		}
		seen[unique] = true
	}
	p.add(n)
	p.open = append(p.open, n)
	return nil
}

// declare notes the namespaces that an element declares.
func (p *parser) declare(n *Node) {
	for i := range n.Attrs {
		a := &n.Attrs[i]
		if prefix, ok := declared(a.Name); ok {
			a.Name.Space = XMLNS
			if p.spaces == nil {
				p.spaces = make(map[string][]string)
			}
			p.spaces[prefix] = append(p.spaces[prefix], a.Value)
		}
	}
}

// declared is the prefix that an attribute declares.
func declared(n Name) (prefix string, ok bool) {
	switch {
	case n.Prefix == "xmlns":
		return n.Local, true
	case n.Prefix == "" && n.Local == "xmlns":
		return "", true
	}
	return "", false
}

// resolve finds the namespace of a name. Attributes without a prefix have none.
func (p *parser) resolve(n Name, element bool) (Name, bool) {
	switch {
	case n.Prefix == "xml":
		n.Space = XML
		return n, true
	case n.Prefix == "" && !element:
		return n, true
	}
	if list := p.spaces[n.Prefix]; len(list) > 0 {
		n.Space = list[len(list)-1]
		return n, true
	}
	return n, n.Prefix == ""
}

func (p *parser) end(t xml.EndElement) error {
	name := Name{Prefix: t.Name.Space, Local: t.Name.Local}
	if len(p.open) == 0 {
		return fmt.Errorf("</%s> has no start", name)
	}
	n := p.open[len(p.open)-1]
	if n.Name.Prefix != name.Prefix || n.Name.Local != name.Local {
		return fmt.Errorf("</%s> does not match <%s>", name, n.Name)
	}
	p.open = p.open[:len(p.open)-1]
	for _, a := range n.Attrs {
		if prefix, ok := declared(a.Name); ok {
			p.spaces[prefix] = p.spaces[prefix][:len(p.spaces[prefix])-1]
		}
	}
	return nil
}

// declaration reads <?xml version="1.0" … ?>.
func (p *parser) declaration(s string, start int64) error {
	if start != 0 {
		return errors.New("the XML declaration must stand at the beginning")
	}
	for _, part := range strings.Fields(s) {
		name, value, ok := strings.Cut(part, "=")
		if !ok || len(value) < 2 {
			return errors.New("the XML declaration is not valid")
		}
		p.doc.Declaration = append(p.doc.Declaration, Attr{Name{Local: name}, value[1 : len(value)-1]})
	}
	return nil
}
