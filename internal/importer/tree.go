package importer

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"
)

// kind is the JSON kind of a node; YAML is read into the same ones.
type kind uint8

const (
	kindNull kind = iota
	kindBool
	kindNumber
	kindString
	kindArray
	kindObject
)

func (k kind) String() string {
	return [...]string{"null", "a boolean", "a number", "a string", "an array", "an object"}[k]
}

// node is a value of the document with its place. Descriptions are read into
// this tree, rather than into Go structs or a model of the specification, for
// three reasons: every error can name line and column, the order of members is
// kept, and one mapping serves all three versions.
type node struct {
	kind kind
	place
	text    string // of a scalar; a number's is valid JSON
	items   []*node
	members []member
	index   map[string]int // of members, when there are many
}

type member struct {
	name string
	place
	node *node
}

// place is where a node or a member's name starts.
type place struct {
	line int32 // from 1; 0 is nowhere
	at   int32 // JSON: offset of the first byte; YAML: column from 1
}

// indexFrom is how many members an object needs before a map beats a scan.
const indexFrom = 12

// buildIndex prepares look-ups and reports the first name that comes twice.
func (n *node) buildIndex() (first, second int, twice bool) {
	if len(n.members) < indexFrom {
		for i := range n.members {
			for j := range i {
				if n.members[i].name == n.members[j].name {
					return j, i, true
				}
			}
		}
		return 0, 0, false
	}
	n.index = make(map[string]int, len(n.members))
	for i := range n.members {
		if j, ok := n.index[n.members[i].name]; ok {
			return j, i, true
		}
		n.index[n.members[i].name] = i
	}
	return 0, 0, false
}

// get returns the member of that name, or nil when n is no object or has none.
func (n *node) get(name string) *node {
	if n == nil || n.kind != kindObject {
		return nil
	}
	if n.index != nil {
		if i, ok := n.index[name]; ok {
			return n.members[i].node
		}
		return nil
	}
	for i := range n.members {
		if n.members[i].name == name {
			return n.members[i].node
		}
	}
	return nil
}

// str returns the text of a scalar. Numbers and booleans count, because YAML
// makes them out of unquoted words such as "version: 1.0".
func (n *node) str() string {
	if n == nil || n.kind == kindArray || n.kind == kindObject {
		return ""
	}
	return n.text
}

// is reports whether n is the boolean true.
func (n *node) is() bool {
	return n != nil && n.kind == kindBool && n.text == "true"
}

// object returns the members of an object, or none.
func (n *node) object() []member {
	if n == nil {
		return nil
	}
	return n.members
}

// array returns the items of an array, or none.
func (n *node) array() []*node {
	if n == nil {
		return nil
	}
	return n.items
}

// tree is a document as it was read.
type tree struct {
	root   *node
	data   []byte
	syntax Syntax
}

// longLine is the length from which columns are counted in bytes: in a document
// that is one line of megabytes nobody looks for a column by eye.
const longLine = 64 << 10

// position turns the place of a node into line and column as editors show it.
func (t *tree) position(p place) (line, column int) {
	if p.line == 0 {
		return 1, 1
	}
	if t.syntax == SyntaxYAML {
		return int(p.line), int(p.at)
	}
	return int(p.line), columnAt(t.data, int(p.at))
}

// columnAt counts the characters of the line of data up to the offset.
func columnAt(data []byte, at int) int {
	start := bytes.LastIndexByte(data[:at], '\n') + 1
	if at-start > longLine {
		return at - start + 1
	}
	return utf8.RuneCount(data[start:at]) + 1
}

// fail makes an error about a place.
func (t *tree) fail(p place, reason, advice string) *Error {
	line, column := t.position(p)
	return &Error{Line: line, Column: column, Reason: reason, Advice: advice}
}

// failTwice is the error about an object with two members of one name.
func (t *tree) failTwice(first, second *member) *Error {
	line, _ := t.position(first.place)
	return t.fail(second.place,
		fmt.Sprintf("the member %q is there twice, first in line %d", clip(second.name), line),
		"Rename or remove one of them.")
}

// clip shortens a text for a message.
func clip(s string) string {
	const most = 80
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

// appendJSON writes n as compact JSON, members in their order.
func appendJSON(b []byte, n *node) []byte {
	switch n.kind {
	case kindNull:
		return append(b, "null"...)
	case kindBool, kindNumber:
		return append(b, n.text...)
	case kindString:
		return appendJSONString(b, n.text)
	case kindArray:
		b = append(b, '[')
		for i, item := range n.items {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendJSON(b, item)
		}
		return append(b, ']')
	default:
		b = append(b, '{')
		for i := range n.members {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendJSONString(b, n.members[i].name)
			b = append(b, ':')
			b = appendJSON(b, n.members[i].node)
		}
		return append(b, '}')
	}
}

// appendJSONString writes s, which is valid UTF-8, as a JSON string. Unlike
// encoding/json it leaves <, > and & alone: the text is never put into HTML.
func appendJSONString(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	start := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		b = append(b, s[start:i]...)
		start = i + 1
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\n':
			b = append(b, '\\', 'n')
		case '\r':
			b = append(b, '\\', 'r')
		case '\t':
			b = append(b, '\\', 't')
		default:
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
	}
	b = append(b, s[start:]...)
	return append(b, '"')
}
