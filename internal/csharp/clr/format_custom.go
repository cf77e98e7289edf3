package clr

import (
	"strings"

	"github.com/causeway-apim/causeway/internal/csharp"
)

// section is one ;-separated part of a custom format.
type section struct {
	items      []customItem
	whole      int // digit placeholders before the point
	frac       int
	leastWhole int // zeros that must be shown
	leastFrac  int
	group      bool
	scale      int // divisions by 1000
	percent    int // powers of ten to multiply by
	exponent   bool
	point      bool
}

type customItem struct {
	kind byte // '0' '#' '.' 'E' or 't' for text
	text string
	sign bool // E+
	min  int  // digits of the exponent
}

// maxFormat bounds a custom format in bytes: formatting takes time and memory for each of its characters.
const maxFormat = 64 << 10

// custom formats by a custom format such as "#,##0.00;(0)".
func custom(n number, format string) string {
	if len(format) > maxFormat {
		panic(&csharp.LimitError{Limit: "memory"})
	}
	parts := splitSections(format)
	pick := 0
	switch {
	case n.zero() && len(parts) > 2:
		pick = 2
	case n.neg && !n.zero() && len(parts) > 1 && parts[1] != "":
		pick = 1
	}
	if n.bits != 0 {
		// A custom format sees a double's first 15 digits, a float's 7.
		n = n.shown()
	}
	out, zero := render(n, parts[pick])
	if zero && len(parts) > 2 && pick != 2 {
		out, _ = render(number{}, parts[2])
		return out
	}
	if zero && pick == 1 {
		out, _ = render(number{}, parts[0])
		return out
	}
	// A negative zero of a double keeps its sign where something is written.
	if n.neg && pick == 0 && !(zero && (n.bits == 0 || out == "")) {
		return "-" + out
	}
	return out
}

func (n number) shown() number {
	digits := 15
	if n.bits == 32 {
		digits = 7
	}
	neg := n.neg
	n = n.significant(digits)
	n.neg = neg
	return n
}

// splitSections cuts at semicolons outside quotes and escapes.
func splitSections(f string) []string {
	var out []string
	start := 0
	var quote byte
	for i := 0; i < len(f); i++ {
		c := f[i]
		switch {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '\'' || c == '"':
			quote = c
		case c == '\\':
			i++
		case c == ';':
			out = append(out, f[start:i])
			start = i + 1
		}
	}
	return append(out, f[start:])
}

func parseSection(f string) section {
	var s section
	firstZero, lastZero := -1, -1
	lit := func(t string) { s.items = append(s.items, customItem{kind: 't', text: t}) }
	for i := 0; i < len(f); i++ {
		switch c := f[i]; c {
		case '0', '#':
			if s.exponent {
				lit(string(c))
				continue
			}
			s.items = append(s.items, customItem{kind: c})
			if s.point {
				s.frac++
				if c == '0' {
					lastZero = s.frac
				}
			} else {
				if c == '0' && firstZero < 0 {
					firstZero = s.whole
				}
				s.whole++
			}
		case '.':
			if !s.point {
				s.point = true
				s.items = append(s.items, customItem{kind: '.'})
			}
		case ',':
			if !s.point && s.whole > 0 {
				rest := strings.TrimLeft(f[i:], ",")
				if rest != "" && (rest[0] == '0' || rest[0] == '#') {
					s.group = true
				} else {
					j := i
					for j < len(f) && f[j] == ',' {
						j++
					}
					if hasDigitBeforePoint(f[j:]) {
						s.group = true
					} else {
						s.scale += j - i
					}
					i = j - 1
				}
			}
		case '%':
			s.percent += 2
			lit("%")
		case '\\':
			if i+1 < len(f) {
				i++
				lit(f[i : i+1])
			}
		case '\'', '"':
			j := strings.IndexByte(f[i+1:], c)
			if j < 0 {
				lit(f[i+1:])
				i = len(f)
				continue
			}
			lit(f[i+1 : i+1+j])
			i += j + 1
		case 'E', 'e':
			j := i + 1
			sign := false
			if j < len(f) && (f[j] == '+' || f[j] == '-') {
				sign = f[j] == '+'
				j++
			}
			k := j
			for k < len(f) && f[k] == '0' {
				k++
			}
			if k == j || s.exponent {
				lit(string(c))
				continue
			}
			s.exponent = true
			s.items = append(s.items, customItem{kind: 'E', text: string(c), sign: sign, min: k - j})
			i = k - 1
		default:
			if strings.HasPrefix(f[i:], "‰") {
				s.percent += 3
				lit("‰")
				i += len("‰") - 1
				continue
			}
			lit(f[i : i+1]) // a byte: those of one character come one after the other
		}
	}
	if firstZero >= 0 {
		s.leastWhole = s.whole - firstZero
	}
	if lastZero > 0 {
		s.leastFrac = lastZero
	}
	return s
}

// hasDigitBeforePoint tells whether a digit placeholder follows before the point.
func hasDigitBeforePoint(f string) bool {
	for i := 0; i < len(f); i++ {
		switch f[i] {
		case '0', '#':
			return true
		case '.', ';':
			return false
		}
	}
	return false
}

// render formats without sign; zero tells that the number rounded to zero.
func render(n number, format string) (out string, zero bool) {
	s := parseSection(format)
	var b strings.Builder
	exp := 0
	if !n.zero() {
		n.exp += s.percent - 3*s.scale
	}
	if s.exponent {
		keep := s.whole + s.frac
		n = n.round(keep)
		if !n.zero() {
			exp = n.exp - s.whole
			n.exp = s.whole
		}
	} else {
		n = n.round(n.exp + s.frac)
	}
	zero = n.zero()
	whole, frac := "", ""
	if !zero {
		whole, frac = n.split(max(s.frac, 0))
		whole = strings.TrimLeft(whole, "0")
	}
	whole = leftZeros(whole, s.leastWhole)
	frac = strings.TrimRight(frac, "0")
	if len(frac) < s.leastFrac {
		frac += strings.Repeat("0", s.leastFrac-len(frac))
	}
	left := s.whole // placeholders still to come before the point
	at := 0
	emit := func(to int) {
		for ; at < to; at++ {
			b.WriteByte(whole[at])
			if rest := len(whole) - at - 1; s.group && rest > 0 && rest%3 == 0 {
				b.WriteByte(',')
			}
		}
	}
	fi := 0
	for _, it := range s.items {
		switch it.kind {
		case '0', '#':
			if left > 0 {
				left--
				emit(len(whole) - left)
			} else if fi < len(frac) {
				b.WriteByte(frac[fi])
				fi++
			}
		case '.':
			if left == 0 {
				emit(len(whole))
			}
			if frac != "" {
				b.WriteByte('.')
			}
		case 'E':
			e := exponent(exp, it.text[0], it.min)
			if !it.sign {
				e = strings.Replace(e, "+", "", 1)
			}
			b.WriteString(e)
		default:
			b.WriteString(it.text)
		}
	}
	return b.String(), zero
}
