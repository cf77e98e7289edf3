package liquid

import (
	"math"
	"math/big"
	"strconv"
	"strings"
)

// decimal is a number as .NET's Decimal has it: digits / 10^scale. Arithmetic with fractions uses it, so that 0.1 plus 10 minus 10 is 0.1.
type decimal struct {
	digits *big.Int
	scale  int
}

// maxScale and maxDigits are the precision of Decimal.
const (
	maxScale  = 28
	maxDigits = 29
)

// parseDecimal reads -?d+(.d+)?(e±d+)?.
func parseDecimal(s string) (*decimal, bool) {
	s = strings.TrimSpace(s)
	if len(s) == 0 || len(s) > 64 {
		return nil, false
	}
	exponent := 0
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		var err error
		if exponent, err = strconv.Atoi(s[i+1:]); err != nil || exponent < -maxScale || exponent > maxScale {
			return nil, false
		}
		s = s[:i]
	}
	whole, fraction, _ := strings.Cut(s, ".")
	n, ok := new(big.Int).SetString(whole+fraction, 10)
	if !ok || strings.ContainsAny(fraction, "+-_") || strings.Contains(whole, "_") {
		return nil, false
	}
	d := &decimal{n, len(fraction) - exponent}
	if d.scale < 0 {
		d.digits.Mul(d.digits, pow10(-d.scale))
		d.scale = 0
	}
	return d.fit()
}

// toDecimal is the decimal of a number, nil for anything else and for what has no place in one.
func toDecimal(v any) *decimal {
	switch v := v.(type) {
	case int64:
		return &decimal{big.NewInt(v), 0}
	case *decimal:
		return v
	case float64:
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			if d, ok := parseDecimal(strconv.FormatFloat(v, 'e', -1, 64)); ok {
				return d
			}
		}
	}
	return nil
}

func pow10(n int) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil) }

func (d *decimal) rat() *big.Rat { return new(big.Rat).SetFrac(d.digits, pow10(d.scale)) }

// at is d with another scale; digits that have no place are rounded, halves to the even neighbour.
func (d *decimal) at(scale int) *decimal {
	if scale >= d.scale {
		return &decimal{new(big.Int).Mul(d.digits, pow10(scale-d.scale)), scale}
	}
	return &decimal{divideEven(d.digits, pow10(d.scale-scale)), scale}
}

// divideEven divides and rounds halves to the even neighbour.
func divideEven(a, b *big.Int) *big.Int {
	q, rest := new(big.Int).QuoRem(a, b, new(big.Int))
	twice := new(big.Int).Abs(rest)
	switch c := twice.Lsh(twice, 1).CmpAbs(b); {
	case c > 0, c == 0 && q.Bit(0) == 1:
		q.Add(q, big.NewInt(int64(a.Sign()*b.Sign())))
	}
	return q
}

// fit rounds to the precision of Decimal; ok is false when the number is too large.
func (d *decimal) fit() (fitted *decimal, ok bool) {
	excess := max(d.scale-maxScale, len(new(big.Int).Abs(d.digits).String())-maxDigits)
	if excess <= 0 {
		return d, true
	}
	if excess > d.scale {
		return nil, false
	}
	return d.at(d.scale - excess), true
}

// trim drops zeros at the end, down to a scale.
func (d *decimal) trim(scale int) *decimal {
	for ten := big.NewInt(10); d.scale > scale; {
		q, rest := new(big.Int).QuoRem(d.digits, ten, new(big.Int))
		if rest.Sign() != 0 {
			break
		}
		d = &decimal{q, d.scale - 1}
	}
	return d
}

func (d *decimal) String() string {
	s := new(big.Int).Abs(d.digits).String()
	if d.scale > 0 {
		if pad := d.scale + 1 - len(s); pad > 0 {
			s = strings.Repeat("0", pad) + s
		}
		s = s[:len(s)-d.scale] + "." + s[len(s)-d.scale:]
	}
	if d.digits.Sign() < 0 {
		s = "-" + s
	}
	return s
}

// calculate applies + - * / or % to two decimals; ok is false for a division by zero and for what is too large.
func calculate(operator byte, a, b *decimal) (result *decimal, ok bool) {
	scale := max(a.scale, b.scale)
	switch operator {
	case '+', '-':
		x, y := a.at(scale).digits, b.at(scale).digits
		if operator == '-' {
			y = new(big.Int).Neg(y)
		}
		return (&decimal{new(big.Int).Add(x, y), scale}).fit()
	case '*':
		return (&decimal{new(big.Int).Mul(a.digits, b.digits), a.scale + b.scale}).fit()
	}
	if b.digits.Sign() == 0 {
		return nil, false
	}
	if operator == '%' {
		return &decimal{new(big.Int).Rem(a.at(scale).digits, b.at(scale).digits), scale}, true
	}
	quotient := &decimal{divideEven(new(big.Int).Mul(a.digits, pow10(maxScale-a.scale+b.scale)), b.digits), maxScale}
	if quotient, ok = quotient.fit(); !ok {
		return nil, false
	}
	return quotient.trim(max(a.scale-b.scale, 0)), true
}
