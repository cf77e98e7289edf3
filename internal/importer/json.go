package importer

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
)

// jsonReader reads JSON text (RFC 8259) into nodes. It exists because
// encoding/json keeps neither the order of members nor places.
type jsonReader struct {
	ctx      context.Context
	data     []byte // the same bytes as text
	text     string // strings without escapes are slices of it
	pos      int
	line     int32
	depth    int
	maxDepth int
	// Nodes and the lists in them come from larger pieces of memory, which
	// saves most allocations.
	pool       int // how many are allocated at once
	nodes      []node
	itemPool   []*node
	memberPool []member

	items   []*node  // stack of the arrays that are being read
	members []member // stack of the objects that are being read
}

// keep copies list to memory of the pool, which grows by size; the copy itself
// has no room to grow into.
func keep[T any](pool *[]T, size int, list []T) []T {
	if len(list) > len(*pool) {
		if len(list) > size/8 {
			return append([]T(nil), list...)
		}
		*pool = make([]T, size)
	}
	kept := (*pool)[:len(list):len(list)]
	*pool = (*pool)[len(list):]
	copy(kept, list)
	return kept
}

// readJSON reads one value that fills all of data.
func readJSON(ctx context.Context, data []byte, maxDepth int) (*node, *Error) {
	r := &jsonReader{ctx: ctx, data: data, text: string(data), line: 1, maxDepth: maxDepth}
	r.pool = min(512, len(data)/16+1)
	r.pos = len(bom(data))
	n, err := r.value()
	if err != nil {
		return nil, err
	}
	r.space()
	if r.pos < len(r.text) {
		return nil, r.fail(r.pos, "there is more text after the end of the JSON document", "Remove it.")
	}
	return n, nil
}

func (r *jsonReader) fail(at int, reason, advice string) *Error {
	return &Error{Line: int(r.line), Column: columnAt(r.data, min(at, len(r.data))), Reason: reason, Advice: advice}
}

func (r *jsonReader) unexpected(wanted string) *Error {
	const advice = "Check the document with a JSON validator."
	if r.pos >= len(r.text) {
		return r.fail(r.pos, "the JSON document ends where "+wanted+" is expected", advice)
	}
	found := []rune(r.text[r.pos:min(r.pos+4, len(r.text))])[0]
	return r.fail(r.pos, fmt.Sprintf("found %q where %s is expected", found, wanted), advice)
}

// space skips white space; it is the only place where lines can end, because
// strings must not contain line breaks.
func (r *jsonReader) space() {
	for r.pos < len(r.text) {
		switch r.text[r.pos] {
		case '\n':
			r.line++
		case ' ', '\t', '\r':
		default:
			return
		}
		r.pos++
	}
}

func (r *jsonReader) newNode(k kind) (*node, *Error) {
	if len(r.nodes) == 0 {
		if err := r.ctx.Err(); err != nil {
			return nil, &Error{Reason: "the import was stopped", Err: err}
		}
		r.nodes = make([]node, r.pool)
	}
	n := &r.nodes[0]
	r.nodes = r.nodes[1:]
	n.kind, n.place = k, place{r.line, int32(r.pos)}
	return n, nil
}

func (r *jsonReader) value() (*node, *Error) {
	r.space()
	if r.pos >= len(r.text) {
		return nil, r.unexpected("a value")
	}
	switch c := r.text[r.pos]; {
	case c == '{':
		return r.object()
	case c == '[':
		return r.array()
	case c == '"':
		n, err := r.newNode(kindString)
		if err == nil {
			n.text, err = r.string()
		}
		return n, err
	case c == '-' || c >= '0' && c <= '9':
		return r.number()
	case strings.HasPrefix(r.text[r.pos:], "true"):
		return r.word(kindBool, "true")
	case strings.HasPrefix(r.text[r.pos:], "false"):
		return r.word(kindBool, "false")
	case strings.HasPrefix(r.text[r.pos:], "null"):
		return r.word(kindNull, "null")
	}
	return nil, r.unexpected("a value")
}

func (r *jsonReader) word(k kind, word string) (*node, *Error) {
	n, err := r.newNode(k)
	if err != nil {
		return nil, err
	}
	r.pos += len(word)
	if k == kindBool {
		n.text = word
	}
	return n, nil
}

func (r *jsonReader) number() (*node, *Error) {
	n, err := r.newNode(kindNumber)
	if err != nil {
		return nil, err
	}
	end := r.pos
	for end < len(r.text) && strings.IndexByte("+-.eE0123456789", r.text[end]) >= 0 {
		end++
	}
	n.text = r.text[r.pos:end]
	if !json.Valid(r.data[r.pos:end]) {
		return nil, r.fail(r.pos, fmt.Sprintf("%q is not a JSON number", clip(n.text)), "Write it in quotes if it is text.")
	}
	r.pos = end
	return n, nil
}

// string reads the string that starts at pos.
func (r *jsonReader) string() (string, *Error) {
	start := r.pos
	escaped := false
	for i := start + 1; i < len(r.text); i++ {
		switch c := r.text[i]; {
		case c == '\\':
			escaped = true
			i++
		case c < ' ':
			return "", r.fail(i, "a string contains a line break or another control character", `Write it as an escape, such as \n.`)
		case c == '"':
			r.pos = i + 1
			if !escaped {
				return r.text[start+1 : i], nil
			}
			var s string
			if json.Unmarshal(r.data[start:i+1], &s) != nil {
				return "", r.fail(start, "a string contains an invalid escape", `JSON knows \" \\ \/ \b \f \n \r \t and \u with four hexadecimal digits.`)
			}
			return s, nil
		}
	}
	return "", r.fail(start, "a string does not end", "Add the closing quote.")
}

func (r *jsonReader) enter() *Error {
	r.depth++
	if r.depth > r.maxDepth {
		return r.fail(r.pos, fmt.Sprintf("the document is nested more than %d levels deep", r.maxDepth), "Move inner parts to components and refer to them.")
	}
	return nil
}

func (r *jsonReader) array() (*node, *Error) {
	n, err := r.newNode(kindArray)
	if err == nil {
		err = r.enter()
	}
	if err != nil {
		return nil, err
	}
	base := len(r.items)
	r.pos++
	for r.space(); !r.skip(']'); r.space() {
		if len(r.items) > base && !r.skip(',') {
			return nil, r.unexpected(`"," or "]"`)
		}
		item, err := r.value()
		if err != nil {
			return nil, err
		}
		r.items = append(r.items, item)
	}
	n.items = keep(&r.itemPool, r.pool, r.items[base:])
	r.items = r.items[:base]
	r.depth--
	return n, nil
}

func (r *jsonReader) object() (*node, *Error) {
	n, err := r.newNode(kindObject)
	if err == nil {
		err = r.enter()
	}
	if err != nil {
		return nil, err
	}
	base := len(r.members)
	r.pos++
	for r.space(); !r.skip('}'); r.space() {
		if len(r.members) > base && !r.skip(',') {
			return nil, r.unexpected(`"," or "}"`)
		}
		m, err := r.member()
		if err != nil {
			return nil, err
		}
		r.members = append(r.members, m)
	}
	n.members = keep(&r.memberPool, r.pool, r.members[base:])
	r.members = r.members[:base]
	r.depth--
	if first, second, twice := n.buildIndex(); twice {
		t := tree{data: r.data, syntax: SyntaxJSON}
		return nil, t.failTwice(&n.members[first], &n.members[second])
	}
	return n, nil
}

func (r *jsonReader) member() (m member, err *Error) {
	r.space()
	if r.pos >= len(r.text) || r.text[r.pos] != '"' {
		return m, r.unexpected("a member's name in double quotes")
	}
	m.place = place{r.line, int32(r.pos)}
	if m.name, err = r.string(); err != nil {
		return m, err
	}
	r.space()
	if !r.skip(':') {
		return m, r.unexpected(`":"`)
	}
	m.node, err = r.value()
	return m, err
}

func (r *jsonReader) skip(c byte) bool {
	if r.pos < len(r.text) && r.text[r.pos] == c {
		r.pos++
		return true
	}
	return false
}
