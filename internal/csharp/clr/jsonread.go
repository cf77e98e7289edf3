package clr

import (
	"math"
	"math/big"
	"strconv"
	"strings"
	"unicode"
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
	dates bool // strings in ISO 8601 form become dates
	set   jsonSettings
	twice int // DuplicatePropertyNameHandling

	path          []jsonStep
	started       bool   // a token has been read
	loading       string // the class of the token that is loaded, "" for typed values
	untyped       bool   // the value of a type is an object of any kind
	inConstructor int    // the depth of the innermost constructor
}

// ParseToken reads a JSON text; syntax errors are JsonReaderException.
func ParseToken(r run, s string) JToken { return parseTokenWith(r, s, nil) }

func parseTokenWith(r run, s string, load *loadSettings) JToken {
	return loadToken(r, s, load, "JToken", 0)
}

// loadToken reads a text as a token of the class name, which begins with the bracket unless that is 0.
func loadToken(r run, s string, load *loadSettings, name string, bracket byte) JToken {
	p := &jsonReader{r: r, s: strings.TrimPrefix(s, "\ufeff"), dates: true, loading: name}
	if load != nil {
		p.twice = load.duplicates
	}
	p.space()
	if p.at >= len(p.s) {
		p.r.Step()
		p.fail("Error reading " + name + " from JsonReader.")
	}
	if c := p.s[p.at]; bracket != 0 && c != bracket {
		p.isNot(name, c)
	}
	p.loading = map[byte]string{'{': "JObject", '[': "JArray"}[p.s[p.at]]
	if p.loading == "" {
		p.loading = "JConstructor"
	}
	t := p.value()
	p.space()
	if p.at < len(p.s) {
		p.fail("Additional text encountered after finished reading JSON content: " + p.current() + ".")
	}
	return t
}

// isNot refuses a text that begins with c for a JObject or JArray.
func (p *jsonReader) isNot(name string, c byte) {
	what, ok := map[byte]string{'{': "StartObject", '[': "StartArray"}[c]
	if ok {
		p.started = true
		p.at++
	} else {
		t := p.value()
		if what = jsonKindNames[t.kind()]; t.kind() == jsonConstructor {
			what = "StartConstructor"
		}
	}
	p.fail("Error reading " + name + " from JsonReader. Current JsonReader item is not " +
		map[string]string{"JObject": "an object", "JArray": "an array"}[name] + ": " + what + ".")
}

const jsonReaderException = "Newtonsoft.Json.JsonReaderException"

// mustParse reads a text whose root has to be a T.
func mustParse[T JToken](r run, s, name string) T { return mustParseWith[T](r, s, name, nil) }

func mustParseWith[T JToken](r run, s, name string, load *loadSettings) T {
	needString(s, "s")
	return loadToken(r, s, load, name, map[string]byte{"JObject": '{', "JArray": '['}[name]).(T)
}

// space skips white space and comments.
func (p *jsonReader) space() {
	for p.at < len(p.s) {
		if p.s[p.at] == '/' {
			p.comment()
			continue
		}
		n := p.blank()
		if n == 0 {
			return
		}
		p.at += n
	}
}

func (p *jsonReader) comment() {
	if p.at++; p.at+1 >= len(p.s) {
		p.fail("Unexpected end while parsing comment.")
	}
	rest := p.s[p.at+1:]
	switch p.s[p.at] {
	case '*':
		end := strings.Index(rest, "*/")
		if end < 0 {
			p.at = len(p.s)
			p.fail("Unexpected end while parsing comment.")
		}
		p.at += end + len("**/")
	case '/':
		if end := strings.IndexAny(rest, "\r\n"); end >= 0 {
			p.at += end + 1
		} else {
			p.at = len(p.s)
		}
	default:
		p.fail("Error parsing comment. Expected: *, got " + p.current() + ".")
	}
}

func (p *jsonReader) value() JToken {
	p.r.Step()
	p.r.Alloc(64)
	p.space()
	if p.at >= len(p.s) {
		p.ended(true)
	}
	switch c := p.s[p.at]; {
	case c == '{':
		return p.object()
	case c == '[':
		return p.array()
	case c == 'n' && p.peek(1) == 'e':
		return p.constructor()
	}
	t := p.simple()
	p.finished()
	return t
}

// simple reads a value that is no object and no array.
func (p *jsonReader) simple() JToken {
	switch c := p.s[p.at]; {
	case c == '"' || c == '\'':
		s := p.quoted()
		if p.dates {
			if d, ok := parseJSONDate(s); ok {
				return &JValue{typ: jsonDate, v: inZone(d, p.zone())}
			}
		}
		return &JValue{typ: jsonString, v: s}
	case c == '-' && p.peek(1) != 'I' || c == '.' || c >= '0' && c <= '9':
		return p.number()
	case c == ',': // a value that is left out
		return &JValue{typ: jsonUndefined}
	case c == ']' || c == ')':
		p.wrongEnd(c)
	case c == 'n' && p.at+1 == len(p.s):
		p.at++
		p.fail("Unexpected end when reading JSON.")
	}
	if t, ok := p.jsonWord(); ok {
		return t
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
	{"NaN", jsonFloat, math.NaN()}, {"Infinity", jsonFloat, math.Inf(1)}, {"-Infinity", jsonFloat, math.Inf(-1)},
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
	p.enter(false)
	o := &JObject{}
	for p.space(); p.peek(0) != '}'; p.space() {
		if p.at >= len(p.s) {
			p.ended(true)
		}
		name := p.name()
		v := p.value()
		p.member(o, name, v)
		if !p.next('}') {
			break
		}
	}
	p.leave()
	return o
}

// next reads what stands after a value: true for a comma, false for the end of the container or of the text.
func (p *jsonReader) next(end byte) bool {
	p.space()
	if p.at >= len(p.s) {
		p.ended(false)
		return false
	}
	switch c := p.s[p.at]; c {
	case end:
		return false
	case ',':
		p.at++
		return true
	case '}', ']', ')':
		p.wrongEnd(c)
	}
	p.fail("After parsing a value an unexpected character was encountered: " + p.current() + ".")
	return false
}

// name reads the name of a property and the colon behind it.
func (p *jsonReader) name() string {
	var name string
	if c := p.s[p.at]; c == '"' || c == '\'' {
		name = p.quoted()
	} else {
		name = p.bareName()
	}
	if p.space(); p.peek(0) != ':' {
		p.fail("Invalid character after parsing property name. Expected ':' but got: " + p.current() + ".")
	}
	p.at++
	p.named(name)
	return name
}

// bareName reads a name without quotes.
func (p *jsonReader) bareName() string {
	start := p.at
	for p.at < len(p.s) {
		c, n := utf8.DecodeRuneInString(p.s[p.at:])
		if !unicode.IsLetter(c) && !unicode.IsDigit(c) && c != '_' && c != '$' {
			break
		}
		p.at += n
	}
	switch {
	case p.at == start:
		p.fail("Invalid property identifier character: " + p.current() + ".")
	case p.at >= len(p.s):
		p.fail("Unexpected end while parsing unquoted property name.")
	case p.s[p.at] != ':' && p.blank() == 0:
		p.fail("Invalid JavaScript property identifier character: " + p.current() + ".")
	}
	return p.s[start:p.at]
}

func (p *jsonReader) array() JToken {
	a := &JArray{}
	p.items(a, ']')
	return a
}

// items reads what stands between brackets, from the opening one, where the reader stands, to end.
func (p *jsonReader) items(into jsonList, end byte) {
	p.enter(true)
	items := into.list()
	for p.space(); p.peek(0) != end; p.space() {
		if p.at >= len(p.s) {
			p.ended(true)
		}
		if p.s[p.at] == ',' { // an item that is left out is undefined
			*items = append(*items, adopt(into, &JValue{typ: jsonUndefined}))
			p.finished()
			p.at++
			continue
		}
		v := p.value()
		v.node().parent = into
		*items = append(*items, v)
		if !p.next(end) {
			break
		}
	}
	p.leave()
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

// escape reads what stands behind a backslash. Messages stand where Newtonsoft's reader does: behind the character after it.
func (p *jsonReader) escape(b []byte) []byte {
	p.at++
	if p.at >= len(p.s) {
		return b // the caller finds the end of the text
	}
	c := p.current()
	p.at += len(c)
	if c == "u" {
		if p.at+4 >= len(p.s) {
			p.fail("Unexpected end while parsing Unicode escape sequence.")
		}
		n, err := strconv.ParseUint(p.s[p.at:p.at+4], 16, 16)
		if err != nil {
			p.fail("Invalid Unicode escape sequence: \\u" + p.s[p.at:p.at+4] + ".")
		}
		p.at += 4
		return csharp.AppendUnit(b, uint16(n))
	}
	e, ok := jsonEscapes[c[0]]
	if !ok {
		p.fail("Bad JSON escape sequence: \\" + c + ".")
	}
	return append(b, e)
}

// number reads an integer of any size or a double.
func (p *jsonReader) number() JToken {
	start := p.at
	for p.at < len(p.s) && strings.IndexByte("0123456789abcdefABCDEFxX.+-", p.s[p.at]) >= 0 {
		p.at++
	}
	text := p.s[start:p.at]
	if p.at < len(p.s) && p.blank() == 0 && strings.IndexByte(",}])/", p.s[p.at]) < 0 {
		p.fail("Unexpected character encountered while parsing number: " + p.current() + ".")
	}
	digits := strings.TrimPrefix(text, "-")
	switch {
	case len(text) > 1 && text[0] == '0' && strings.IndexByte(".eE", text[1]) < 0:
		hex, isHex := strings.CutPrefix(strings.ToLower(text), "0x")
		n, err := strconv.ParseUint(hex, map[bool]int{true: 16, false: 8}[isHex], 64)
		if err == nil {
			return &JValue{typ: jsonInteger, v: int64(n)}
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
