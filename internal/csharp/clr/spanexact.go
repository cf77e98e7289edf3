package clr

import (
	"strconv"
	"strings"

	"github.com/causeway-apim/causeway/internal/csharp"
)

// parseSpanExact reads a TimeSpan by one format. The standard formats are read as loosely as TimeSpan.Parse does, which
// takes everything that they print.
func parseSpanExact(s, format string) (TimeSpan, int) {
	switch format {
	case "c", "t", "T", "g", "G":
		return parseSpan(s)
	case "":
		return 0, 1
	}
	p := spanPattern{s: s}
	for i := 0; i < len(format); {
		n, ok := p.step(format[i:])
		if !ok {
			return 0, 1
		}
		i += n
	}
	if p.s != "" || len(format) == 1 {
		return 0, 1
	}
	ticks := (((p.part['d']*24+p.part['h'])*60+p.part['m'])*60+p.part['s'])*ticksPerSecond + p.part['f']
	if p.part['h'] > 23 || p.part['m'] > 59 || p.part['s'] > 59 || p.part['d'] > 10675199 {
		return 0, 2
	}
	return TimeSpan(ticks), 0
}

// spanPattern is what is left of a text while a custom format is read.
type spanPattern struct {
	s    string
	part [128]int64
}

// step reads by the first element of a format and tells its length.
func (p *spanPattern) step(f string) (n int, ok bool) {
	c := f[0]
	for n < len(f) && f[n] == c {
		n++
	}
	switch c {
	case '%':
		return 1, len(f) > 1
	case '\\':
		if len(f) < 2 {
			return 0, false
		}
		return 2, p.literal(f[1:2])
	case '\'', '"':
		end := strings.IndexByte(f[1:], c)
		if end < 0 {
			return 0, false
		}
		return end + 2, p.literal(f[1 : 1+end])
	case 'd', 'h', 'm', 's':
		most := 2
		if c == 'd' {
			most = 8
		}
		return n, n <= most && p.number(c, n, most)
	case 'f', 'F':
		return n, n <= 7 && p.fraction(n, c == 'F')
	}
	return 0, false
}

func (p *spanPattern) literal(text string) bool {
	rest, ok := strings.CutPrefix(p.s, text)
	p.s = rest
	return ok
}

// number reads digits: as many as the format has letters, or up to most for a single letter.
func (p *spanPattern) number(c byte, letters, most int) bool {
	n := 0
	for n < len(p.s) && n < most && p.s[n] >= '0' && p.s[n] <= '9' {
		n++
	}
	if n < letters || letters > 1 && c != 'd' && n != letters {
		return false
	}
	v, err := strconv.ParseInt(p.s[:n], 10, 64)
	p.part[c], p.s = v, p.s[n:]
	return err == nil
}

func (p *spanPattern) fraction(letters int, optional bool) bool {
	n := 0
	for n < len(p.s) && n < letters && p.s[n] >= '0' && p.s[n] <= '9' {
		n++
	}
	if n < letters && !optional {
		return false
	}
	v, _ := strconv.ParseInt((p.s[:n] + "0000000")[:7], 10, 64)
	p.part['f'], p.s = v, p.s[n:]
	return true
}

// withSign applies TimeSpanStyles.AssumeNegative, which standard formats do without: they have a sign.
func withSign(v TimeSpan, format string, styles int) TimeSpan {
	if styles == 1 && len(format) > 1 {
		return -v
	}
	return v
}

func declareSpanExact(t *csharp.TypeBuilder) {
	parse := func(s, format string, styles int) TimeSpan {
		needString(s, "input")
		needString(format, "format")
		v, state := parseSpanExact(s, format)
		switch state {
		case 1:
			csharp.Throw("System.FormatException", "Input string was not in a correct format.")
		case 2:
			csharp.Throwf("System.OverflowException", "The TimeSpan string '%s' could not be parsed because at least one of the numeric components is out of range or contains too many digits.", s)
		}
		return withSign(v, format, styles)
	}
	try := func(s, format string, styles int, out ref) bool {
		v, state := parseSpanExact(s, format)
		out.Value = withSign(v, format, styles)
		return state == 0 && !csharp.IsNull(s)
	}
	exactly := func(s string, formats array, styles int) (TimeSpan, bool) {
		needArray(formats, "formats")
		for _, f := range strs(formats) {
			if v, state := parseSpanExact(s, f); state == 0 && !csharp.IsNull(s) {
				return withSign(v, f, styles), true
			}
		}
		return 0, false
	}
	parseAny := func(s string, formats array, _ any, styles int) TimeSpan {
		needString(s, "input")
		v, ok := exactly(s, formats, styles)
		if !ok {
			formatError("String '" + s + "' was not recognized as a valid TimeSpan.")
		}
		return v
	}
	tryAny := func(s string, formats array, _ any, styles int, out ref) bool {
		v, ok := exactly(s, formats, styles)
		out.Value = v
		return ok
	}
	const formats = "string input, string[] formats, IFormatProvider formatProvider"
	t.Static("TimeSpan ParseExact("+formats+")", csharp.F3(func(s string, a array, p any) TimeSpan { return parseAny(s, a, p, 0) }))
	t.Static("TimeSpan ParseExact("+formats+", TimeSpanStyles styles)", csharp.F4(parseAny))
	t.Static("bool TryParseExact("+formats+", out TimeSpan result)", csharp.F4(func(s string, a array, p any, out ref) bool { return tryAny(s, a, p, 0, out) }))
	t.Static("bool TryParseExact("+formats+", TimeSpanStyles styles, out TimeSpan result)", csharp.F5(tryAny))
	t.Static("TimeSpan ParseExact(string input, string format, IFormatProvider formatProvider)", csharp.F3(func(s, f string, _ any) TimeSpan { return parse(s, f, 0) }))
	t.Static("TimeSpan ParseExact(string input, string format, IFormatProvider formatProvider, TimeSpanStyles styles)",
		csharp.F4(func(s, f string, _ any, st int) TimeSpan { return parse(s, f, st) }))
	t.Static("bool TryParseExact(string input, string format, IFormatProvider formatProvider, out TimeSpan result)",
		csharp.F4(func(s, f string, _ any, out ref) bool { return try(s, f, 0, out) }))
	t.Static("bool TryParseExact(string input, string format, IFormatProvider formatProvider, TimeSpanStyles styles, out TimeSpan result)",
		csharp.F5(func(s, f string, _ any, st int, out ref) bool { return try(s, f, st, out) }))
}
