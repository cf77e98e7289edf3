package clr

import (
	"math"
	"math/big"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/causeway-apim/causeway/internal/csharp"
)

// maxJSONDepth is JsonReader.MaxDepth; maxDeepJSON is what settings can raise it to, for what walks a token recurses.
const (
	maxJSONDepth = 64
	maxDeepJSON  = 1000
)

// jsonReader reads JSON as Newtonsoft's JsonTextReader does: comments, single quotes, names without quotes, trailing commas,
// hexadecimal and octal numbers, NaN, Infinity and undefined are accepted.
type jsonReader struct {
	r     run
	s     string
	at    int
	depth int
	dates bool // strings in ISO 8601 form become dates
	set   jsonSettings
	twice int // DuplicatePropertyNameHandling
	path  []string
}

// ParseToken reads a JSON text; syntax errors are JsonReaderException.
func ParseToken(r run, s string) JToken { return parseTokenWith(r, s, nil) }

func parseTokenWith(r run, s string, load *loadSettings) JToken {
	p := &jsonReader{r: r, s: strings.TrimPrefix(s, "\ufeff"), dates: true}
	if load != nil {
		p.twice = load.duplicates
	}
	p.space()
	if p.at >= len(p.s) {
		p.r.Step()
		csharp.Throw(jsonReaderException, "Error reading JToken from JsonReader. Path '', line 0, position 0.")
	}
	t := p.value()
	p.space()
	if p.at < len(p.s) {
		p.fail("Additional text encountered after finished reading JSON content: " + p.current() + ".")
	}
	return t
}

const jsonReaderException = "Newtonsoft.Json.JsonReaderException"

// mustParse reads a text whose root has to be a T.
func mustParse[T JToken](r run, s, name string) T { return mustParseWith[T](r, s, name, nil) }

func mustParseWith[T JToken](r run, s, name string, load *loadSettings) T {
	needString(s, "s")
	t := parseTokenWith(r, s, load)
	if x, ok := t.(T); ok {
		return x
	}
	what := map[jsonKind]string{jsonObject: "StartObject", jsonArray: "StartArray", jsonConstructor: "StartConstructor"}[t.kind()]
	if what == "" {
		what = jsonKindNames[t.kind()]
	}
	csharp.Throw(jsonReaderException, "Error reading "+name+" from JsonReader. Current JsonReader item is not "+
		map[string]string{"JObject": "an object", "JArray": "an array"}[name]+": "+what+". Path '', line 1, position 1.")
	panic("unreachable")
}

// current is the character at the reading position.
func (p *jsonReader) current() string {
	if p.at >= len(p.s) {
		return ""
	}
	_, n := utf8.DecodeRuneInString(p.s[p.at:])
	return p.s[p.at : p.at+n]
}

// fail throws JsonReaderException with path, line and position.
func (p *jsonReader) fail(message string) { csharp.Throw(jsonReaderException, message+p.place()) }

// place is the end of messages: where the reader stands.
func (p *jsonReader) place() string {
	line := 1 + strings.Count(p.s[:p.at], "\n")
	column := p.at - (strings.LastIndexByte(p.s[:p.at], '\n') + 1)
	return " Path '" + p.where() + "', line " + strconv.Itoa(line) + ", position " + strconv.Itoa(column) + "."
}

func (p *jsonReader) where() string {
	var b strings.Builder
	for _, s := range p.path {
		if strings.HasPrefix(s, "[") {
			b.WriteString(s)
		} else {
			writePathName(&b, s)
		}
	}
	return b.String()
}

// space skips white space and comments.
func (p *jsonReader) space() {
	for p.at < len(p.s) {
		switch c := p.s[p.at]; {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			p.at++
		case c == '/' && strings.HasPrefix(p.s[p.at:], "/*"):
			end := strings.Index(p.s[p.at+2:], "*/")
			if end < 0 {
				p.at = len(p.s)
				p.fail("Unexpected end while parsing comment.")
			}
			p.at += end + 4
		case c == '/' && strings.HasPrefix(p.s[p.at:], "//"):
			if end := strings.IndexByte(p.s[p.at:], '\n'); end >= 0 {
				p.at += end
			} else {
				p.at = len(p.s)
			}
		case c == 0xc2 && strings.HasPrefix(p.s[p.at:], "\u00a0"):
			p.at += 2
		default:
			return
		}
	}
}

func (p *jsonReader) enter() {
	limit := maxJSONDepth
	if p.set.maxDepth > 0 {
		limit = min(p.set.maxDepth, maxDeepJSON)
	} else if p.set.maxDepth < 0 {
		limit = maxDeepJSON
	}
	if p.depth++; p.depth > limit {
		p.fail("The reader's MaxDepth of " + strconv.Itoa(limit) + " has been exceeded.")
	}
}

func (p *jsonReader) value() JToken {
	p.r.Step()
	p.r.Alloc(64)
	p.space()
	if p.at >= len(p.s) {
		p.fail("Unexpected end of content while loading JSON.")
	}
	switch c := p.s[p.at]; {
	case c == '{':
		return p.object()
	case c == '[':
		return p.array()
	case c == '"' || c == '\'':
		s := p.quoted()
		if p.dates {
			if d, ok := parseJSONDate(s); ok {
				return &JValue{typ: jsonDate, v: inZone(d, p.zone())}
			}
		}
		return &JValue{typ: jsonString, v: s}
	case c == '-' && strings.HasPrefix(p.s[p.at:], "-Infinity"):
		p.at += len("-Infinity")
		return &JValue{typ: jsonFloat, v: math.Inf(-1)}
	case c == '-' || c == '.' || c >= '0' && c <= '9':
		return p.number()
	}
	for _, w := range jsonWords {
		if strings.HasPrefix(p.s[p.at:], w.text) && !isNameByte(p.peek(len(w.text))) {
			p.at += len(w.text)
			return &JValue{typ: w.kind, v: w.value}
		}
	}
	if strings.HasPrefix(p.s[p.at:], "new") && !isNameByte(p.peek(len("new"))) {
		return p.constructor()
	}
	p.fail("Unexpected character encountered while parsing value: " + p.current() + ".")
	return nil
}

var jsonWords = []struct {
	text  string
	kind  jsonKind
	value any
}{
	{"true", jsonBoolean, true}, {"false", jsonBoolean, false}, {"null", jsonNull, nil}, {"undefined", jsonUndefined, nil},
	{"NaN", jsonFloat, math.NaN()}, {"Infinity", jsonFloat, math.Inf(1)},
}

func (p *jsonReader) peek(n int) byte {
	if p.at+n < len(p.s) {
		return p.s[p.at+n]
	}
	return 0
}

func isNameByte(c byte) bool {
	return c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9' || c == '_' || c == '$' || c >= 0x80
}

func (p *jsonReader) object() JToken {
	p.enter()
	o := &JObject{}
	p.at++
	for {
		p.space()
		if p.at >= len(p.s) {
			p.fail("Unexpected end of content while loading JObject.")
		}
		if p.s[p.at] == '}' {
			break
		}
		name := p.name()
		p.space()
		if p.peek(0) != ':' {
			if p.at >= len(p.s) {
				p.fail("Unexpected end of content while loading JObject.")
			}
			p.fail("Invalid character after parsing property name. Expected ':' but got: " + p.current() + ".")
		}
		p.at++
		p.path = append(p.path, name)
		v := p.value()
		p.member(o, name, v)
		p.path = p.path[:len(p.path)-1]
		if !p.next('}', "JObject") {
			break
		}
	}
	p.at++
	p.depth--
	return o
}

// next reads what stands after a value: true for a comma, false for the end, which stays.
func (p *jsonReader) next(end byte, what string) bool {
	p.space()
	switch {
	case p.at >= len(p.s):
		p.fail("Unexpected end of content while loading " + what + ".")
	case p.s[p.at] == end:
		return false
	case p.s[p.at] != ',':
		p.fail("After parsing a value an unexpected character was encountered: " + p.current() + ".")
	}
	p.at++
	return true
}

func (p *jsonReader) name() string {
	if c := p.s[p.at]; c == '"' || c == '\'' {
		return p.quoted()
	}
	start := p.at
	for p.at < len(p.s) && isNameByte(p.s[p.at]) {
		p.at++
	}
	if p.at == start {
		p.fail("Invalid property identifier character: " + p.current() + ".")
	}
	return p.s[start:p.at]
}

func (p *jsonReader) array() JToken {
	a := &JArray{}
	p.items(a, ']', "JArray")
	return a
}

// items reads what stands between brackets, from the opening one, where the reader stands, to end.
func (p *jsonReader) items(into jsonList, end byte, what string) {
	p.enter()
	items := into.list()
	p.at++
	for {
		p.space()
		if p.at >= len(p.s) {
			p.fail("Unexpected end of content while loading " + what + ".")
		}
		if p.s[p.at] == end {
			break
		}
		if p.s[p.at] == ',' { // an item that is left out is undefined
			*items = append(*items, adopt(into, &JValue{typ: jsonUndefined}))
			p.at++
			continue
		}
		p.path = append(p.path, "["+strconv.Itoa(len(*items))+"]")
		v := p.value()
		v.node().parent = into
		*items = append(*items, v)
		p.path = p.path[:len(p.path)-1]
		if !p.next(end, what) {
			break
		}
	}
	p.at++
	p.depth--
}

// quoted reads a string between quotes of either kind.
func (p *jsonReader) quoted() string {
	quote := p.s[p.at]
	p.at++
	start := p.at
	for p.at < len(p.s) && p.s[p.at] != quote && p.s[p.at] != '\\' {
		p.at++
	}
	if p.at < len(p.s) && p.s[p.at] == quote {
		p.at++
		return p.s[start : p.at-1]
	}
	b := append(make([]byte, 0, p.at-start+32), p.s[start:p.at]...)
	for p.at < len(p.s) {
		switch c := p.s[p.at]; c {
		case quote:
			p.at++
			p.r.Alloc(len(b))
			return string(b)
		case '\\':
			b = p.escape(b)
		default:
			b = append(b, c)
			p.at++
		}
	}
	p.fail("Unterminated string. Expected delimiter: " + string(quote) + ".")
	return ""
}

var jsonEscapes = map[byte]byte{'b': '\b', 't': '\t', 'n': '\n', 'f': '\f', 'r': '\r', '\\': '\\', '/': '/', '"': '"', '\'': '\''}

func (p *jsonReader) escape(b []byte) []byte {
	c := p.peek(1)
	if c == 'u' {
		if p.at+6 > len(p.s) {
			p.fail("Unexpected end while parsing Unicode escape sequence.")
		}
		n, err := strconv.ParseUint(p.s[p.at+2:p.at+6], 16, 16)
		if err != nil {
			p.fail("Invalid Unicode escape sequence: \\u" + p.s[p.at+2:p.at+6] + ".")
		}
		p.at += 6
		return csharp.AppendUnit(b, uint16(n))
	}
	e, ok := jsonEscapes[c]
	if !ok {
		p.fail("Bad JSON escape sequence: \\" + string(rune(c)) + ".")
	}
	p.at += 2
	return append(b, e)
}

// number reads an integer of any size or a double.
func (p *jsonReader) number() JToken {
	start := p.at
	for p.at < len(p.s) && strings.IndexByte("0123456789abcdefABCDEFxX.+-", p.s[p.at]) >= 0 {
		p.at++
	}
	text := p.s[start:p.at]
	digits, negative := strings.CutPrefix(text, "-")
	switch {
	case len(digits) > 2 && (digits[1] == 'x' || digits[1] == 'X'):
		n, err := strconv.ParseUint(digits[2:], 16, 64)
		if err == nil {
			return &JValue{typ: jsonInteger, v: signed(int64(n), negative)}
		}
	case len(digits) > 1 && digits[0] == '0' && strings.Trim(digits, "01234567") == "":
		n, err := strconv.ParseUint(digits, 8, 63)
		if err == nil {
			return &JValue{typ: jsonInteger, v: signed(int64(n), negative)}
		}
	case digits != "" && strings.Trim(digits, "0123456789") == "":
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			return &JValue{typ: jsonInteger, v: n}
		}
		if len(digits) > 380 {
			p.fail("JSON integer " + text + " is too large to parse.")
		}
		n, _ := new(big.Int).SetString(text, 10)
		return &JValue{typ: jsonInteger, v: (*BigInteger)(n)}
	case strings.ContainsAny(digits, ".eE") && !strings.ContainsAny(digits, "xXabcdfABCDF"):
		if p.set.floats == 1 {
			if d, err := csharp.ParseDecimal(text); err == nil {
				return &JValue{typ: jsonFloat, v: d}
			}
		}
		f, err := strconv.ParseFloat(text, 64)
		if err == nil || math.IsInf(f, 0) {
			return &JValue{typ: jsonFloat, v: f}
		}
	}
	p.fail("Input string '" + text + "' is not a valid number.")
	return nil
}

func signed(n int64, negative bool) int64 {
	if negative {
		return -n
	}
	return n
}
