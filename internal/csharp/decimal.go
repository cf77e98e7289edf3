package csharp

import (
	"errors"
	"math"
	"math/big"
	"math/bits"
	"strconv"
	"strings"
)

// Decimal is System.Decimal: a 96-bit integer, a sign and a scale of 0 to 28 decimal places. The scale is kept, so 1.10 and
// 1.1 are equal but print differently. The zero value is 0.
type Decimal struct {
	lo    uint64
	hi    uint32
	scale uint8
	neg   bool
}

var errDecimalRange = errors.New("value was either too large or too small for a Decimal")

func throwDecimalOverflow() {
	Throw("System.OverflowException", "Value was either too large or too small for a Decimal.")
}

// DecimalFromInt64 converts exactly.
func DecimalFromInt64(n int64) Decimal {
	if n < 0 {
		return Decimal{lo: uint64(-n), neg: true}
	}
	return Decimal{lo: uint64(n)}
}

// DecimalFromUint64 converts exactly.
func DecimalFromUint64(n uint64) Decimal { return Decimal{lo: n} }

// NewDecimal makes a value from its parts, as the constructor Decimal(lo, mid, hi, isNegative, scale).
func NewDecimal(lo, mid, hi uint32, neg bool, scale uint8) Decimal {
	return Decimal{lo: uint64(mid)<<32 | uint64(lo), hi: hi, scale: scale, neg: neg}
}

// Parts gives the 96-bit integer, sign and scale.
func (d Decimal) Parts() (lo, mid, hi uint32, neg bool, scale uint8) {
	return uint32(d.lo), uint32(d.lo >> 32), d.hi, d.neg, d.scale
}

func (d Decimal) big() *big.Int {
	b := new(big.Int).SetUint64(uint64(d.hi))
	b.Lsh(b, 64)
	return b.Or(b, new(big.Int).SetUint64(d.lo))
}

func pow10(n int) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil) }

// DecimalFromBig makes coefficient * 10^-scale fit in 96 bits and 28 places by rounding half to even; an overflow panics with
// OverflowException.
func DecimalFromBig(coefficient *big.Int, scale int) Decimal {
	c := new(big.Int).Abs(coefficient)
	if scale < 0 {
		c.Mul(c, pow10(-scale))
		scale = 0
	}
	drop := 0
	if scale > 28 {
		drop = scale - 28
	}
	if n := c.BitLen(); n > 96 {
		if more := int(float64(n-96)*0.30103) - 1; more > drop {
			drop = more
		}
	}
	for r := c; ; drop++ {
		if drop > 0 {
			r = roundDiv(c, pow10(drop), MidpointEven)
		}
		if r.BitLen() <= 96 {
			if drop > scale {
				throwDecimalOverflow()
			}
			lo := new(big.Int).And(r, new(big.Int).SetUint64(math.MaxUint64)).Uint64()
			hi := uint32(new(big.Int).Rsh(r, 64).Uint64())
			return Decimal{lo: lo, hi: hi, scale: uint8(scale - drop), neg: coefficient.Sign() < 0}
		}
		if drop >= scale {
			throwDecimalOverflow()
		}
	}
}

// Midpoint is System.MidpointRounding.
type Midpoint int

// The members of MidpointRounding.
const (
	MidpointEven Midpoint = iota
	MidpointAway
	MidpointZero
	MidpointNegative
	MidpointPositive
)

// roundDiv divides non-negative a by b with rounding.
func roundDiv(a, b *big.Int, mode Midpoint) *big.Int {
	q, r := new(big.Int).QuoRem(a, b, new(big.Int))
	if r.Sign() == 0 {
		return q
	}
	c := r.Lsh(r, 1).Cmp(b)
	up := c > 0
	switch mode {
	case MidpointEven:
		up = up || c == 0 && q.Bit(0) == 1
	case MidpointAway:
		up = up || c == 0
	case MidpointPositive:
		up = true
	default:
		up = false
	}
	if up {
		q.Add(q, big.NewInt(1))
	}
	return q
}

// ParseDecimal reads digits with optional sign, point and exponent.
func ParseDecimal(s string) (d Decimal, err error) {
	neg := strings.HasPrefix(s, "-")
	s = strings.TrimLeft(s, "+-")
	exp := 0
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		if exp, err = strconv.Atoi(s[i+1:]); err != nil {
			return d, err
		}
		s = s[:i]
	}
	scale := 0
	if i := strings.IndexByte(s, '.'); i >= 0 {
		scale = len(s) - i - 1
		s = s[:i] + s[i+1:]
	}
	if len(s) > 2000 || exp > 400 || exp < -4000 {
		return d, errDecimalRange
	}
	c, ok := new(big.Int).SetString(s, 10)
	if !ok {
		return d, strconv.ErrSyntax
	}
	scale -= exp
	defer func() {
		if r := recover(); r != nil {
			err = errDecimalRange
		}
	}()
	d = DecimalFromBig(c, scale)
	d.neg = neg
	return d, nil
}

func (d Decimal) signed() *big.Int {
	b := d.big()
	if d.neg {
		b.Neg(b)
	}
	return b
}

// Add gives d + e.
func (d Decimal) Add(e Decimal) Decimal {
	if d.scale == e.scale && d.neg == e.neg && d.hi == 0 && e.hi == 0 {
		lo, carry := bits.Add64(d.lo, e.lo, 0)
		return Decimal{lo: lo, hi: uint32(carry), scale: d.scale, neg: d.neg}
	}
	a, b, scale := align(d, e)
	sum := a.Add(a, b)
	r := DecimalFromBig(sum, scale)
	if sum.Sign() == 0 {
		r.neg = d.neg && e.neg
	}
	return r
}

func align(d, e Decimal) (*big.Int, *big.Int, int) {
	a, b := d.signed(), e.signed()
	switch {
	case d.scale < e.scale:
		a.Mul(a, pow10(int(e.scale-d.scale)))
		return a, b, int(e.scale)
	case d.scale > e.scale:
		b.Mul(b, pow10(int(d.scale-e.scale)))
	}
	return a, b, int(d.scale)
}

func (d Decimal) magnitude() Decimal { d.neg = false; return d }

// Neg gives -d.
func (d Decimal) Neg() Decimal { d.neg = !d.neg; return d }

// Sub gives d - e.
func (d Decimal) Sub(e Decimal) Decimal { return d.Add(e.Neg()) }

// Mul gives d * e.
func (d Decimal) Mul(e Decimal) Decimal {
	if (d.IsZero() || e.IsZero()) && (d.hi|e.hi != 0 || (d.lo|e.lo)>>32 != 0) {
		return Decimal{} // .NET's way for factors of more than 32 bits
	}
	a := d.signed()
	r := DecimalFromBig(a.Mul(a, e.signed()), int(d.scale)+int(e.scale))
	r.neg = d.neg != e.neg
	return r
}

// Div gives d / e; division by zero panics with DivideByZeroException.
func (d Decimal) Div(e Decimal) Decimal {
	if e.IsZero() {
		Throw("System.DivideByZeroException", "Attempted to divide by zero.")
	}
	a, b := d.big(), e.big()
	scale := int(d.scale) - int(e.scale)
	if scale < 0 {
		a.Mul(a, pow10(-scale))
		scale = 0
	}
	least := scale
	// 30 further places are more than the result can hold, so rounding happens once.
	a.Mul(a, pow10(30))
	q, r := a.QuoRem(a, b, new(big.Int))
	scale += 30
	if r.Sign() != 0 {
		// A sticky digit keeps a remainder from looking like a tie.
		q.Mul(q, big.NewInt(10)).Add(q, big.NewInt(1))
		scale++
	}
	out := DecimalFromBig(q, scale)
	if out.IsZero() && !d.IsZero() {
		least = 0 // .NET drops all zeros of a quotient that is too small
	}
	out = out.trimTo(least)
	out.neg = d.neg != e.neg
	return out
}

// trimTo drops trailing zeros as long as the scale is above least.
func (d Decimal) trimTo(least int) Decimal {
	for int(d.scale) > least {
		hiQ, hiR := uint64(d.hi)/10, uint64(d.hi)%10
		lo, rem := bits.Div64(hiR, d.lo, 10)
		if rem != 0 {
			break
		}
		d.hi, d.lo = uint32(hiQ), lo
		d.scale--
	}
	return d
}

// Rem gives the remainder with the sign of d.
func (d Decimal) Rem(e Decimal) Decimal {
	if e.IsZero() {
		Throw("System.DivideByZeroException", "Attempted to divide by zero.")
	}
	if d.IsZero() || d.magnitude().Cmp(e.magnitude()) < 0 {
		return d // with its scale
	}
	a, b, scale := align(d, e)
	r := DecimalFromBig(a.Rem(a, b), scale)
	r.neg = d.neg
	return r
}

// IsZero tells whether d is 0 at any scale.
func (d Decimal) IsZero() bool { return d.lo == 0 && d.hi == 0 }

// Sign is -1, 0 or 1.
func (d Decimal) Sign() int {
	switch {
	case d.IsZero():
		return 0
	case d.neg:
		return -1
	}
	return 1
}

// Cmp compares numerically.
func (d Decimal) Cmp(e Decimal) int {
	if d.scale == e.scale && d.hi == 0 && e.hi == 0 && !d.neg && !e.neg {
		switch {
		case d.lo < e.lo:
			return -1
		case d.lo > e.lo:
			return 1
		}
		return 0
	}
	a, b, _ := align(d, e)
	return a.Cmp(b)
}

// CompareTo is IComparable.CompareTo.
func (d Decimal) CompareTo(v any) int { return d.Cmp(v.(Decimal)) }

// Equals is Object.Equals: numerical equality with another decimal.
func (d Decimal) Equals(v any) bool {
	e, ok := v.(Decimal)
	return ok && d.Cmp(e) == 0
}

// HashKey is equal for numerically equal values.
func (d Decimal) HashKey() any {
	d = d.trimTo(0)
	if d.IsZero() {
		d.neg = false
	}
	return d
}

// Round rounds to a number of decimal places.
func (d Decimal) Round(places int, mode Midpoint) Decimal {
	if places >= int(d.scale) {
		return d
	}
	switch {
	case mode == MidpointNegative && d.neg:
		mode = MidpointPositive
	case mode == MidpointPositive && d.neg, mode == MidpointNegative:
		mode = MidpointZero
	}
	r := DecimalFromBig(roundDiv(d.big(), pow10(int(d.scale)-places), mode), places)
	r.neg = d.neg
	return r
}

// Int64 truncates to an integer; ok is false out of range.
func (d Decimal) Int64() (n int64, ok bool) {
	b := d.Round(0, MidpointZero).signed()
	return b.Int64(), b.IsInt64()
}

// Uint64 is Int64 for unsigned integers.
func (d Decimal) Uint64() (n uint64, ok bool) {
	b := d.Round(0, MidpointZero).signed()
	return b.Uint64(), b.IsUint64()
}

// Float64 gives the nearest double.
func (d Decimal) Float64() float64 {
	// The quotient of two doubles, as in .NET, not the nearest double.
	f := (float64(d.lo) + float64(d.hi)*(1<<64)) / math.Pow10(int(d.scale))
	if d.neg {
		return -f
	}
	return f
}

// DecimalFromFloat converts as (decimal)double does, to 15 significant digits (7 for a float); NaN, infinities and values out
// of range panic with OverflowException.
func DecimalFromFloat(f float64, single bool) Decimal {
	digits := 14
	if single {
		digits = 6
	}
	if math.IsNaN(f) || math.IsInf(f, 0) || math.Abs(f) >= 7.9228162514264338e28 {
		throwDecimalOverflow()
	}
	if f == 0 {
		return Decimal{} // without the sign of -0.0
	}
	d, err := ParseDecimal(strconv.FormatFloat(f, 'e', digits, 64))
	if err != nil {
		throwDecimalOverflow()
	}
	return d.trimTo(0)
}

// Digits gives the decimal digits of the coefficient without sign and point.
func (d Decimal) Digits() string {
	if d.hi == 0 {
		return strconv.FormatUint(d.lo, 10)
	}
	return d.big().String()
}

// Scale is the number of decimal places.
func (d Decimal) Scale() int { return int(d.scale) }

// Negative tells whether the sign bit is set.
func (d Decimal) Negative() bool { return d.neg }

// ToString is Decimal.ToString() in the invariant culture: all places of the scale.
func (d Decimal) ToString() string {
	s := d.Digits()
	if n := int(d.scale); n > 0 {
		if len(s) <= n {
			s = strings.Repeat("0", n-len(s)+1) + s
		}
		s = s[:len(s)-n] + "." + s[len(s)-n:]
	}
	if d.neg && !d.IsZero() {
		return "-" + s
	}
	return s
}

// ClrName is System.Decimal.
func (d Decimal) ClrName() string { return "System.Decimal" }
