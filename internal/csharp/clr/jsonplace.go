package clr

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/causeway-apim/causeway/internal/csharp"
)

// This file says where a reader of JSON stands, for messages, as Newtonsoft's JsonTextReader counts.

// A jsonStep is a container that the reader is in, and what it has read of it: the name last read or the index of the item
// last finished.
type jsonStep struct {
	list  bool
	index int // -1 before the first item
	named bool
	name  string
}

// enter goes into the container whose bracket the reader is at.
func (p *jsonReader) enter(list bool) {
	p.finished()
	p.path = append(p.path, jsonStep{list: list, index: -1})
	limit := maxJSONDepth
	if p.set.maxDepth > 0 {
		limit = min(p.set.maxDepth, maxDeepJSON)
	} else if p.set.maxDepth < 0 {
		limit = maxDeepJSON
	}
	if len(p.path) > limit {
		p.fail("The reader's MaxDepth of " + strconv.Itoa(limit) + " has been exceeded.")
	}
	p.at++
}

// leave goes past the closing bracket, if the text did not end before it.
func (p *jsonReader) leave() {
	p.at = min(p.at+1, len(p.s))
	p.path = p.path[:len(p.path)-1]
}

// finished counts a value, or a container from its first bracket on.
func (p *jsonReader) finished() {
	p.started = true
	if n := len(p.path); n > 0 {
		p.path[n-1].index++
	}
}

// named notes the name of the property that follows.
func (p *jsonReader) named(name string) {
	s := &p.path[len(p.path)-1]
	s.name, s.named = name, true
}

// current is the character at the reading position.
func (p *jsonReader) current() string {
	if p.at >= len(p.s) {
		return "\x00"
	}
	_, n := utf8.DecodeRuneInString(p.s[p.at:])
	return p.s[p.at : p.at+n]
}

// fail throws JsonReaderException with path, line and position.
func (p *jsonReader) fail(message string) { csharp.Throw(jsonReaderException, message+p.place()) }

// place is the end of messages: where the reader stands. Before the first token the first position has no line.
func (p *jsonReader) place() string {
	read := p.s[:p.at]
	ends := strings.Count(read, "\n") + strings.Count(read, "\r") - strings.Count(read, "\r\n")
	column := csharp.Length(read[strings.LastIndexAny(read, "\r\n")+1:])
	line := ends + 1
	if column == 0 && !p.started {
		line = 0
	}
	return " Path '" + p.where() + "', line " + strconv.Itoa(line) + ", position " + strconv.Itoa(column) + "."
}

func (p *jsonReader) where() string {
	var b strings.Builder
	for _, s := range p.path {
		switch {
		case s.list && s.index >= 0:
			b.WriteString("[" + strconv.Itoa(s.index) + "]")
		case s.named:
			writePathName(&b, s.name)
		}
	}
	return b.String()
}

// wrongEnd refuses a closing bracket of another kind.
func (p *jsonReader) wrongEnd(bracket byte) {
	inside := "None"
	if n := len(p.path); n > 0 {
		inside = "Object"
		if p.path[n-1].list {
			inside = "Array"
		}
		if n == p.inConstructor {
			inside = "Constructor"
		}
		p.path = p.path[:n-1]
	}
	p.started = true
	p.at++
	p.fail("JsonToken " + map[byte]string{'}': "EndObject", ']': "EndArray", ')': "EndConstructor"}[bracket] +
		" is not valid for closing JsonType " + inside + ".")
}

// ended is called where the text ends inside a container. It throws when a whole token is loaded. The readers of typed values
// write what there is; open says that they miss something: an item after a comma or a bracket, a value after a name.
func (p *jsonReader) ended(open bool) {
	switch {
	case p.loading != "" && open && len(p.path) == 1 && p.path[0].index < 0 && !p.path[0].named:
		p.fail("Error reading " + p.loading + " from JsonReader.")
	case p.loading != "":
		p.fail("Unexpected end of content while loading " + p.loading + ".")
	case p.untyped && !p.path[0].list && len(p.path) == 1 && open && !p.path[0].named:
		p.failTyped("Unexpected end when reading JSON.")
	case p.untyped && !p.path[0].list && len(p.path) == 1:
		p.failTyped("Unexpected end when deserializing object.")
	case open && len(p.path) > 0:
		p.path = p.path[:len(p.path)-1]
		csharp.Throw("Newtonsoft.Json.JsonWriterException", "Unexpected end when reading token. Path '"+p.where()+"'.")
	}
}

// jsonWord reads one of the words that stand for values; ok is false where none begins here.
func (p *jsonReader) jsonWord() (tok *JValue, ok bool) {
	rest := p.s[p.at:]
	for _, w := range jsonWords {
		if rest[0] != w.text[0] || w.text == "null" && len(rest) > 1 && rest[1] != 'u' || w.text[0] == '-' && (len(rest) == 1 || rest[1] != 'I') {
			continue
		}
		if len(rest) < len(w.text) {
			p.at = len(p.s)
			p.fail("Unexpected end when reading JSON.")
		}
		same := 0
		for same < len(w.text) && rest[same] == w.text[same] {
			same++
		}
		if p.at += same; same < len(w.text) || !p.separated() {
			what := w.text
			if w.kind == jsonBoolean {
				what = "boolean"
			}
			p.fail("Error parsing " + what + " value.")
		}
		return &JValue{typ: w.kind, v: w.value}, true
	}
	return nil, false
}

// separated tells whether a word ends here.
func (p *jsonReader) separated() bool {
	if p.at >= len(p.s) {
		return true
	}
	switch p.s[p.at] {
	case '}', ']', ',', ')', ' ', '\t', '\r', '\n', '/', 0:
		return true
	}
	return p.blank() > 0
}

// blank is the length of the white space character at the reading position, or 0.
func (p *jsonReader) blank() int {
	if p.at >= len(p.s) {
		return 0
	}
	switch c := p.s[p.at]; {
	case c == ' ' || c >= '\t' && c <= '\r':
		return 1
	case c < utf8.RuneSelf:
		return 0
	}
	if c, n := utf8.DecodeRuneInString(p.s[p.at:]); unicode.IsSpace(c) || c == '\u001c' {
		return n
	}
	return 0
}
