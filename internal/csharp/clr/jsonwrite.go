package clr

import (
	"encoding/base64"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/causeway-apim/causeway/internal/csharp"
)

// jsonText is the JSON of a token.
func jsonText(t JToken, indented bool) string {
	w := jsonWriter{indented: indented}
	w.token(t)
	return string(w.b)
}

// What is written without a run to charge it to is bounded all the same: one big string may stand in a tree many times.
const (
	maxText      = 64 << 20 // bytes
	maxJSONLevel = 1000
)

// jsonWriter writes JSON as Newtonsoft's JsonTextWriter does: two blanks of indentation, "\n" line ends, non-ASCII as it is.
type jsonWriter struct {
	b        []byte
	indented bool
	level    int
	escape   int  // StringEscapeHandling
	zone     *int // DateTimeZoneHandling; nil keeps the kind
}

func (w *jsonWriter) line() {
	if w.indented {
		w.b = append(w.b, '\n')
		for range w.level {
			w.b = append(w.b, ' ', ' ')
		}
	}
}

func (w *jsonWriter) token(t JToken) {
	switch x := t.(type) {
	case *JObject:
		w.object(len(x.props), func(i int) { w.property(x.props[i]) })
	case *JArray:
		w.array(len(x.items), func(i int) { w.token(x.items[i]) })
	case *JConstructor:
		w.constructor(x)
	case *JProperty:
		w.property(x)
	case *JValue:
		w.value(x)
	}
}

func (w *jsonWriter) object(n int, member func(i int)) { w.list('{', '}', n, member) }
func (w *jsonWriter) array(n int, item func(i int))    { w.list('[', ']', n, item) }

func (w *jsonWriter) list(open, end byte, n int, item func(i int)) {
	w.b = append(w.b, open)
	if w.level++; w.level > maxJSONLevel {
		panic(&csharp.LimitError{Limit: "depth"})
	}
	for i := range n {
		if len(w.b) > maxText {
			panic(&csharp.LimitError{Limit: "memory"})
		}
		if i > 0 {
			w.b = append(w.b, ',')
		}
		w.line()
		item(i)
	}
	w.level--
	if n > 0 {
		w.line()
	}
	w.b = append(w.b, end)
}

// constructor writes new Name(1,2). Newtonsoft breaks the line before its end even where there are no arguments.
func (w *jsonWriter) constructor(c *JConstructor) {
	w.b = append(append(w.b, "new "...), c.name...)
	w.list('(', ')', len(c.items), func(i int) { w.token(c.items[i]) })
	if len(c.items) == 0 && w.indented {
		w.b = w.b[:len(w.b)-1]
		w.line()
		w.b = append(w.b, ')')
	}
}

func (w *jsonWriter) property(p *JProperty) {
	w.name(p.name)
	if p.value == nil {
		w.b = append(w.b, "null"...)
		return
	}
	w.token(p.value)
}

func (w *jsonWriter) name(name string) {
	w.b = escapedJSON(w.b, name, w.escape)
	w.b = append(w.b, ':')
	if w.indented {
		w.b = append(w.b, ' ')
	}
}

func (w *jsonWriter) value(v *JValue) {
	switch v.typ {
	case jsonRaw:
		w.b = append(w.b, csharp.FormatValue(v.v)...)
	case jsonUndefined:
		w.b = append(w.b, "undefined"...)
	default:
		w.scalar(v.v)
	}
}

// scalar writes a simple .NET value; false when it is none.
func (w *jsonWriter) scalar(v any) bool {
	switch x := v.(type) {
	case nil:
		w.b = append(w.b, "null"...)
	case string:
		if csharp.IsNull(x) {
			w.b = append(w.b, "null"...)
			return true
		}
		w.b = escapedJSON(w.b, x, w.escape)
	case bool:
		w.b = strconv.AppendBool(w.b, x)
	case float64:
		w.float(x, 64)
	case float32:
		w.float(float64(x), 32)
	case csharp.Decimal:
		w.b = append(w.b, withPoint(csharp.FormatValue(x))...)
	case csharp.Char:
		w.b = escapedJSON(w.b, x.String(), w.escape)
	case csharp.Enum:
		w.b = strconv.AppendInt(w.b, x.Value, 10)
	case DateTime:
		if w.zone != nil {
			x = inZone(x, *w.zone)
		}
		w.b = append(append(append(w.b, '"'), jsonDateText(x, nil)...), '"')
	case DateTimeOffset:
		w.b = append(append(append(w.b, '"'), jsonDateText(x.clock(), &x.Offset)...), '"')
	case []byte:
		w.b = append(base64.StdEncoding.AppendEncode(append(w.b, '"'), x), '"')
	case uint64, *BigInteger:
		w.b = append(w.b, csharp.FormatValue(x)...)
	case TimeSpan, Guid:
		w.b = escapedJSON(w.b, csharp.FormatValue(x), w.escape)
	default:
		if isURI(v) {
			w.b = escapedJSON(w.b, csharp.FormatValue(v), w.escape)
			return true
		}
		n, ok := csharp.Integer(v)
		if !ok {
			return false
		}
		w.b = strconv.AppendInt(w.b, n, 10)
	}
	return true
}

func (w *jsonWriter) float(f float64, bits int) {
	s := csharp.FormatFloat(f, bits)
	if math.IsNaN(f) || math.IsInf(f, 0) {
		w.b = append(append(append(w.b, '"'), s...), '"')
		return
	}
	w.b = append(w.b, withPoint(s)...)
}

// withPoint makes a number that shows no point or exponent show ".0".
func withPoint(s string) string {
	if strings.ContainsAny(s, ".eE") {
		return s
	}
	return s + ".0"
}

// jsonDateText is the ISO 8601 form without trailing zeros of the fraction.
func jsonDateText(d DateTime, offset *TimeSpan) string {
	spec := "yyyy'-'MM'-'dd'T'HH':'mm':'ss.FFFFFFFK"
	return customDate(spec, d, offset)
}

// appendJSONString writes a string between quotes. What JavaScript could not hold in a literal is escaped.
func appendJSONString(b []byte, s string) []byte {
	b = append(b, '"')
	start := 0
	for i := 0; i < len(s); i++ {
		var escape string
		width := 1
		switch c := s[i]; {
		case c == '"':
			escape = `\"`
		case c == '\\':
			escape = `\\`
		case c == '\n':
			escape = `\n`
		case c == '\r':
			escape = `\r`
		case c == '\t':
			escape = `\t`
		case c == '\b':
			escape = `\b`
		case c == '\f':
			escape = `\f`
		case c < 0x20:
			escape = fmt.Sprintf(`\u%04x`, c)
		case c == 0xc2 && strings.HasPrefix(s[i:], "\u0085"):
			escape, width = `\u0085`, 2
		case c == 0xe2 && (strings.HasPrefix(s[i:], "\u2028") || strings.HasPrefix(s[i:], "\u2029")):
			escape, width = fmt.Sprintf(`\u202%d`, 8+int(s[i+2]-0xa8)), 3
		default:
			continue
		}
		b = append(append(b, s[start:i]...), escape...)
		i += width - 1
		start = i + 1
	}
	return append(append(b, s[start:]...), '"')
}
