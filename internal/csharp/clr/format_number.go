package clr

import (
	"math"
	"strconv"
	"strings"

	"github.com/causeway-apim/causeway/internal/csharp"
)

// number is a decimal number on its way to text: 0.digits * 10^exp.
type number struct {
	neg    bool
	digits string // without leading zeros; "" is zero
	exp    int
	float  float64 // the exact value of a float or double
	bits   int     // 32 or 64 for those, else 0
	isInt  bool
	size   int   // bytes of an integer type
	raw    int64 // its bits
	dec    bool
}

func trimZeros(digits string, exp int) (string, int) {
	n := len(digits)
	digits = strings.TrimLeft(digits, "0")
	exp -= n - len(digits)
	if digits == "" {
		return "", 0
	}
	return digits, exp
}

// numberOf takes a boxed number apart.
func numberOf(v any) (number, bool) {
	switch x := v.(type) {
	case float64:
		return floatNumber(x, 64), true
	case float32:
		return floatNumber(float64(x), 32), true
	case csharp.Decimal:
		d := x.Digits()
		n := number{neg: x.Negative(), dec: true}
		n.digits, n.exp = trimZeros(d, len(d)-x.Scale())
		if n.digits == "" {
			n.exp = 0
		}
		return n, true
	case uint64:
		s := strconv.FormatUint(x, 10)
		n := number{isInt: true, size: 8, raw: int64(x)}
		n.digits, n.exp = trimZeros(s, len(s))
		return n, true
	}
	i, ok := csharp.Integer(v)
	if !ok {
		return number{}, false
	}
	n := number{isInt: true, raw: i, neg: i < 0}
	switch v.(type) {
	case int64:
		n.size = 8
	case int32, uint32:
		n.size = 4
	case int16, uint16:
		n.size = 2
	default:
		n.size = 1
	}
	s := strings.TrimPrefix(strconv.FormatInt(i, 10), "-")
	n.digits, n.exp = trimZeros(s, len(s))
	return n, true
}

func floatNumber(f float64, bits int) number {
	n := number{neg: math.Signbit(f), float: f, bits: bits}
	if f != 0 && !math.IsNaN(f) && !math.IsInf(f, 0) {
		n.digits, n.exp = floatDigits(strconv.FormatFloat(math.Abs(f), 'e', -1, bits))
	}
	return n
}

// floatDigits reads d.ddde+x.
func floatDigits(s string) (string, int) {
	m, e, _ := strings.Cut(s, "e")
	exp, _ := strconv.Atoi(e)
	return trimZeros(strings.Replace(m, ".", "", 1), exp+1)
}

// round keeps so many digits, half away from zero.
func (n number) round(keep int) number {
	if keep >= len(n.digits) {
		return n
	}
	if keep < 0 || keep == 0 && n.digits[0] < '5' {
		n.digits, n.exp = "", 0
		return n
	}
	up := n.digits[keep] >= '5'
	d := []byte(n.digits[:keep])
	if up {
		i := keep - 1
		for ; i >= 0 && d[i] == '9'; i-- {
			d[i] = '0'
		}
		if i >= 0 {
			d[i]++
		} else {
			d = append([]byte{'1'}, d...)
			n.exp++
		}
	}
	n.digits = string(d)
	return n
}

// places rounds to a number of decimal places: the exact binary value for a double, half away for the rest.
func (n number) places(p int) number {
	if n.bits == 0 {
		return n.round(n.exp + p)
	}
	if n.digits == "" {
		return n
	}
	s := strconv.FormatFloat(math.Abs(n.float), 'f', p, 64)
	whole, frac, _ := strings.Cut(s, ".")
	n.digits, n.exp = trimZeros(whole+frac, len(whole))
	return n
}

// significant rounds to a number of significant digits in the same way.
func (n number) significant(p int) number {
	if n.bits == 0 {
		return n.round(p)
	}
	if n.digits == "" {
		return n
	}
	n.digits, n.exp = floatDigits(strconv.FormatFloat(math.Abs(n.float), 'e', p-1, 64))
	return n
}

// split gives the digits before the point, at least one, and exactly places digits behind it.
func (n number) split(places int) (whole, frac string) {
	d := n.digits
	switch {
	case n.exp <= 0:
		whole = "0"
		frac = strings.Repeat("0", min(-n.exp, places)) + d
	case n.exp >= len(d):
		whole = d + strings.Repeat("0", n.exp-len(d))
	default:
		whole, frac = d[:n.exp], d[n.exp:]
	}
	if len(frac) > places {
		frac = frac[:places]
	}
	return whole, frac + strings.Repeat("0", places-len(frac))
}

func fixed(n number, places int, group bool) string {
	whole, frac := n.split(places)
	if group {
		whole = grouped(whole)
	}
	if places > 0 {
		return whole + "." + frac
	}
	return whole
}

func grouped(s string) string {
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func badSpecifier() { formatError("Format specifier was invalid.") }

const maxPrecision = 999_999_999

// formatNumber formats a boxed number by a standard or custom format; false when v is no number.
func formatNumber(v any, spec string) (string, bool) {
	n, ok := numberOf(v)
	if !ok {
		return "", false
	}
	if n.bits != 0 && (math.IsNaN(n.float) || math.IsInf(n.float, 0)) {
		return csharp.FormatFloat(n.float, n.bits), true
	}
	c := spec[0]
	if c|0x20 >= 'a' && c|0x20 <= 'z' && strings.Trim(spec[1:], "0123456789") == "" {
		p := -1
		if len(spec) > 1 {
			var err error
			if p, err = strconv.Atoi(spec[1:]); err != nil || p > maxPrecision {
				badSpecifier()
			}
			if p > 100_000 {
				p = 100_000 // more zeros than any policy wants; keeps the memory bounded
			}
		}
		return standard(v, n, c, p), true
	}
	return custom(n, spec), true
}

func (n number) zero() bool { return n.digits == "" }

// sign puts a minus before the text of a negative number; a decimal or integer that rounds to zero has none.
func (n number) sign(s string) string {
	if n.neg && !(n.zero() && n.bits == 0) {
		return "-" + s
	}
	return s
}

func standard(v any, n number, c byte, p int) string {
	orElse := func(d int) int {
		if p < 0 {
			return d
		}
		return p
	}
	switch c | 0x20 {
	case 'f', 'n':
		d := orElse(2)
		n = n.places(d)
		return n.sign(fixed(n, d, c|0x20 == 'n'))
	case 'c':
		d := orElse(2)
		n = n.places(d)
		s := "¤" + fixed(n, d, true)
		if n.neg && !(n.zero() && n.bits == 0) {
			return "(" + s + ")"
		}
		return s
	case 'p':
		d := orElse(2)
		if n.bits != 0 {
			// The exact value times 100 is rounded, not the product of doubles.
			n = n.places(d + 2)
		}
		n.exp += 2
		if n.zero() {
			n.exp = 0
		}
		if n.bits == 0 {
			n = n.round(n.exp + d)
		}
		return n.sign(fixed(n, d, true) + " %")
	case 'e':
		return n.sign(scientific(n.significant(orElse(6)+1), orElse(6), c, 3))
	case 'g':
		return general(v, n, c, p)
	case 'r':
		if n.bits == 0 {
			return text(v)
		}
		return csharp.FormatFloat(n.float, n.bits)
	case 'd', 'x', 'b':
		if !n.isInt {
			badSpecifier()
		}
		return integral(n, c, p)
	}
	badSpecifier()
	return ""
}

func integral(n number, c byte, p int) string {
	switch c | 0x20 {
	case 'd':
		s, _ := n.split(0)
		return n.sign(leftZeros(s, p))
	}
	raw := uint64(n.raw)
	if n.size < 8 {
		raw &= 1<<(8*n.size) - 1
	}
	base := 16
	if c|0x20 == 'b' {
		base = 2
	}
	s := strconv.FormatUint(raw, base)
	if c == 'X' {
		s = strings.ToUpper(s)
	}
	return leftZeros(s, p)
}

// scientific writes d.dddE+ddd with so many digits behind the point and at least so many in the exponent.
func scientific(n number, places int, e byte, least int) string {
	d := n.digits
	exp := n.exp - 1
	if n.zero() {
		d, exp = "0", 0
	}
	if len(d) < places+1 {
		d += strings.Repeat("0", places+1-len(d))
	}
	s := d[:1]
	if places > 0 {
		s += "." + d[1:places+1]
	}
	return s + exponent(exp, e, least)
}

func exponent(exp int, e byte, least int) string {
	sign := "+"
	if exp < 0 {
		sign, exp = "-", -exp
	}
	return string(e) + sign + leftZeros(strconv.Itoa(exp), least)
}

// general is G: the shorter of fixed and scientific.
func general(v any, n number, c byte, p int) string {
	e := byte('E')
	if c == 'g' {
		e = 'e'
	}
	if p <= 0 {
		s := text(v)
		if c == 'g' {
			s = strings.Replace(s, "E", "e", 1)
		}
		return s
	}
	n = n.significant(p)
	n.digits = strings.TrimRight(n.digits, "0")
	if n.zero() {
		return n.sign("0")
	}
	if n.exp > p || n.exp < -3 {
		return n.sign(scientific(n, len(n.digits)-1, e, 2))
	}
	return n.sign(fixed(n, max(0, len(n.digits)-n.exp), false))
}
