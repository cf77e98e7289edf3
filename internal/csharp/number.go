package csharp

import (
	"math"
	"strconv"
	"strings"
)

// number scans a numeric literal and gives its boxed value in the type that C# gives it.
func (s *scanner) number() any {
	start := s.i
	if s.src[s.i] == '0' && (s.peek(1)|0x20 == 'x' || s.peek(1)|0x20 == 'b') {
		base := 16
		if s.peek(1)|0x20 == 'b' {
			base = 2
		}
		s.i += 2
		from := s.i
		for s.peek(0) == '_' || base == 16 && hexDigit(s.peek(0)) >= 0 || base == 2 && (s.peek(0) == '0' || s.peek(0) == '1') {
			s.i++
		}
		digits := strings.ReplaceAll(s.src[from:s.i], "_", "")
		if digits == "" || s.src[s.i-1] == '_' {
			fail(start, "CS1013", "Invalid number")
		}
		return s.integer(start, digits, base)
	}
	for isDigit(s.peek(0)) || s.peek(0) == '_' {
		s.i++
	}
	real := false
	if s.peek(0) == '.' && isDigit(s.peek(1)) {
		real = true
		s.i++
		for isDigit(s.peek(0)) || s.peek(0) == '_' {
			s.i++
		}
	}
	if s.peek(0)|0x20 == 'e' && (isDigit(s.peek(1)) || (s.peek(1) == '+' || s.peek(1) == '-') && isDigit(s.peek(2))) {
		real = true
		s.i += 2
		for isDigit(s.peek(0)) || s.peek(0) == '_' {
			s.i++
		}
	}
	if s.src[s.i-1] == '_' {
		fail(start, "CS1013", "Invalid number")
	}
	digits := strings.ReplaceAll(s.src[start:s.i], "_", "")
	switch s.peek(0) | 0x20 {
	case 'f':
		s.i++
		f, _ := strconv.ParseFloat(digits, 32)
		return s.finite(start, f, float32(f))
	case 'd':
		s.i++
		f, _ := strconv.ParseFloat(digits, 64)
		return s.finite(start, f, f)
	case 'm':
		s.i++
		d, err := ParseDecimal(digits)
		if err != nil {
			fail(start, "CS0594", "Floating-point constant is outside the range of type 'decimal'")
		}
		return d
	}
	if real {
		f, _ := strconv.ParseFloat(digits, 64)
		return s.finite(start, f, f)
	}
	return s.integer(start, digits, 10)
}

func (s *scanner) finite(start int, f float64, v any) any {
	if math.IsInf(f, 0) {
		fail(start, "CS0594", "Floating-point constant is outside the range of its type")
	}
	return v
}

func (s *scanner) integer(start int, digits string, base int) any {
	n, err := strconv.ParseUint(digits, base, 64)
	if err != nil {
		fail(start, "CS1021", "Integral constant is too large")
	}
	u, l := false, false
	for {
		switch c := s.peek(0) | 0x20; {
		case c == 'u' && !u:
			u = true
		case c == 'l' && !l:
			l = true
		default:
			return integerOf(n, u, l)
		}
		s.i++
	}
}

// integerOf picks the first of int, uint, long, ulong that holds n and that the suffix allows.
func integerOf(n uint64, u, l bool) any {
	switch {
	case !u && !l && n <= math.MaxInt32:
		return int32(n)
	case !l && n <= math.MaxUint32:
		return uint32(n)
	case !u && n <= math.MaxInt64:
		return int64(n)
	}
	return n
}
