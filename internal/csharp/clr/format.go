package clr

import (
	"strconv"
	"strings"

	"github.com/causeway-apim/causeway/internal/csharp"
)

// Format is string.Format's treatment of one value: ToString(spec) in the invariant culture; "" for null.
func Format(v any, spec string) string {
	if csharp.IsNull(spec) {
		spec = ""
	}
	switch x := v.(type) {
	case nil:
		return ""
	case string:
		return x
	case bool, csharp.Char:
		return text(v)
	case csharp.Enum:
		return formatEnum(x, spec)
	case csharp.Formatter:
		return x.Format(spec)
	}
	if spec == "" {
		return text(v)
	}
	if s, ok := formatNumber(v, spec); ok {
		return s
	}
	return text(v)
}

func formatEnum(e csharp.Enum, spec string) string {
	switch spec {
	case "", "G", "g", "F", "f":
		return e.ToString()
	case "D", "d":
		return strconv.FormatInt(e.Value, 10)
	case "X", "x":
		return strings.ToUpper(leftZeros(strconv.FormatUint(uint64(uint32(e.Value)), 16), 8))
	}
	formatError("Format string can be only \"G\", \"g\", \"X\", \"x\", \"F\", \"f\", \"D\" or \"d\".")
	return ""
}

func leftZeros(s string, n int) string {
	if len(s) >= n {
		return s
	}
	return strings.Repeat("0", n-len(s)) + s
}

// composite is string.Format with indexed items.
func composite(r run, format string, args []any) string {
	needString(format, "format")
	var b strings.Builder
	p := compositeReader{format: format}
	for p.at < len(format) {
		c := format[p.at]
		if c != '{' && c != '}' {
			b.WriteByte(c)
			p.at++
			continue
		}
		switch next := p.move(); {
		case next == c:
			b.WriteByte(c)
			p.at++
		case c == '}':
			p.bad("Unexpected closing brace without a corresponding opening brace.")
		default:
			b.WriteString(p.item(r, args))
			r.Alloc(16)
		}
	}
	r.Alloc(b.Len())
	return b.String()
}

// compositeReader reads the items of a composite format.
type compositeReader struct {
	format string
	at     int
}

func (p *compositeReader) bad(why string) {
	formatError("Input string was not in a correct format. Failure to parse near offset " + strconv.Itoa(csharp.Length(p.format[:p.at])) + ". " + why)
}

// move goes to the next character, which there has to be.
func (p *compositeReader) move() byte {
	if p.at++; p.at >= len(p.format) {
		p.bad("Format item ends prematurely.")
	}
	return p.format[p.at]
}

// number reads digits. What follows, blanks apart, is the reader's next character.
func (p *compositeReader) number() int {
	c := p.format[p.at]
	if c < '0' || c > '9' {
		p.bad("Expected an ASCII digit.")
	}
	n := int(c - '0')
	for c = p.move(); c >= '0' && c <= '9' && n < 1_000_000; c = p.move() {
		n = n*10 + int(c-'0')
	}
	p.blanks()
	return n
}

func (p *compositeReader) blanks() {
	for p.format[p.at] == ' ' {
		p.move()
	}
}

// item formats one index[,width][:spec]} behind its opening brace.
func (p *compositeReader) item(r run, args []any) string {
	index, width, spec := p.number(), 0, ""
	if p.format[p.at] == ',' {
		p.move()
		p.blanks()
		left := p.format[p.at] == '-'
		if left {
			p.move()
		}
		if width = p.number(); left {
			width = -width
		}
	}
	if c := p.format[p.at]; c == ':' {
		start := p.at + 1
		for c = p.move(); c != '}'; c = p.move() {
			if c == '{' {
				p.bad("Format item ends prematurely.")
			}
		}
		spec = p.format[start:p.at]
	} else if c != '}' {
		p.bad("Format item ends prematurely.")
	}
	p.at++
	if index >= len(args) {
		formatError("Index (zero based) must be greater than or equal to zero and less than the size of the argument list.")
	}
	s := Format(args[index], spec)
	if width == 0 {
		return s
	}
	return csharp.Pad(r, s, max(-1_000_000, min(width, 1_000_000)))
}
