package csharp

import (
	"math"
)

// implicitNumeric tells whether a numeric type widens to another without a cast.
func implicitNumeric(from, to kind) bool {
	switch from {
	case kindChar:
		return to == kindUShort || to >= kindInt && to <= kindDecimal
	case kindSByte:
		return to == kindShort || to == kindInt || to == kindLong || to >= kindFloat && to <= kindDecimal
	case kindByte:
		return to >= kindShort && to <= kindDecimal
	case kindShort:
		return to == kindInt || to == kindLong || to >= kindFloat && to <= kindDecimal
	case kindUShort:
		return to >= kindInt && to <= kindDecimal
	case kindInt:
		return to == kindLong || to >= kindFloat && to <= kindDecimal
	case kindUInt:
		return to >= kindLong && to <= kindDecimal
	case kindLong, kindULong:
		return to >= kindFloat && to <= kindDecimal
	case kindFloat:
		return to == kindDouble
	}
	return false
}

// intRange is the range of an integer kind as int64; ulong is treated apart.
func intRange(k kind) (lo, hi int64) {
	switch k {
	case kindSByte:
		return math.MinInt8, math.MaxInt8
	case kindByte:
		return 0, math.MaxUint8
	case kindShort:
		return math.MinInt16, math.MaxInt16
	case kindChar, kindUShort:
		return 0, math.MaxUint16
	case kindInt:
		return math.MinInt32, math.MaxInt32
	case kindUInt:
		return 0, math.MaxUint32
	case kindULong:
		return 0, math.MaxInt64
	}
	return math.MinInt64, math.MaxInt64
}

// numeric converts between numeric types and enums; explicit conversions may lose range.
func (b *binder) numeric(x operand, t *Type, explicit bool) operand {
	from, to := x.t, t
	fk, tk := from.kind, to.kind
	if fk == kindEnum {
		fk = kindInt
	}
	if tk == kindEnum {
		tk = kindInt
	}
	out := operand{pos: x.pos, t: t}
	c := x.c
	checked := b.checked || x.konst && !b.unchecked
	switch {
	case from.repr() == reprInt && to.repr() == reprInt:
		out.c = code{i: intToInt(c.i, fk, tk, checked && explicit)}
	case from.repr() == reprInt && to.repr() == reprFloat:
		i := c.i
		switch {
		case fk == kindULong:
			out.c = code{f: func(fr *Frame) float64 { return float64(uint64(i(fr))) }}
		case tk == kindFloat:
			out.c = code{f: func(fr *Frame) float64 { return float64(float32(i(fr))) }}
		default:
			out.c = code{f: func(fr *Frame) float64 { return float64(i(fr)) }}
		}
	case from.repr() == reprFloat && to.repr() == reprInt:
		f := c.f
		out.c = code{i: func(fr *Frame) int64 { return FloatToInt(f(fr), tk, checked) }}
	case from.repr() == reprFloat && to.repr() == reprFloat:
		out.c = c
		if tk == kindFloat && fk == kindDouble {
			f := c.f
			out.c = code{f: func(fr *Frame) float64 { return float64(float32(f(fr))) }}
		}
	case tk == kindDecimal:
		switch from.repr() {
		case reprInt:
			i := c.i
			if fk == kindULong {
				out.c = code{o: func(fr *Frame) any { return DecimalFromUint64(uint64(i(fr))) }}
			} else {
				out.c = code{o: func(fr *Frame) any { return DecimalFromInt64(i(fr)) }}
			}
		case reprFloat:
			f, single := c.f, fk == kindFloat
			out.c = code{o: func(fr *Frame) any { return DecimalFromFloat(f(fr), single) }}
		default:
			out.c = c
		}
	case fk == kindDecimal && to.repr() == reprFloat:
		o := c.o
		out.c = code{f: func(fr *Frame) float64 { return o(fr).(Decimal).Float64() }}
	case fk == kindDecimal:
		o := c.o
		out.c = code{i: func(fr *Frame) int64 { return decimalToInt(o(fr).(Decimal), tk) }}
	}
	if !x.konst {
		return out
	}
	var v any
	if e := caughtException(func() { v = boxer(out.c, t)(nil) }); e != nil {
		b.fail(x.pos, "CS0221", "Constant value '%s' cannot be converted to a '%s' (use 'unchecked' syntax to override)", FormatValue(x.val), t)
	}
	return b.constant(x.pos, t, v)
}

// caughtException runs f and gives the exception that it throws.
func caughtException(f func()) (e *Exception) {
	defer func() {
		if r := recover(); r != nil {
			var ok bool
			if e, ok = r.(*Exception); !ok {
				panic(r)
			}
		}
	}()
	f()
	return nil
}

func throwOverflow() {
	Throw("System.OverflowException", "Arithmetic operation resulted in an overflow.")
}

// wrap reduces n to the range of an integer kind as C# does without checking.
func wrap(k kind, n int64) int64 {
	switch k {
	case kindInt:
		return int64(int32(n))
	case kindSByte:
		return int64(int8(n))
	case kindByte:
		return int64(uint8(n))
	case kindShort:
		return int64(int16(n))
	case kindChar, kindUShort:
		return int64(uint16(n))
	case kindUInt:
		return int64(uint32(n))
	}
	return n
}

func intToInt(i func(*Frame) int64, from, to kind, checked bool) func(*Frame) int64 {
	lo, hi := intRange(to)
	flo, fhi := intRange(from)
	if from != kindULong && flo >= lo && fhi <= hi || from == to {
		return i
	}
	if !checked {
		if to == kindLong || to == kindULong {
			return i
		}
		return func(fr *Frame) int64 { return wrap(to, i(fr)) }
	}
	return func(fr *Frame) int64 {
		n := i(fr)
		if from == kindULong && n < 0 && to != kindULong || n < lo && !(from == kindULong) || n > hi && to != kindULong {
			throwOverflow()
		}
		return n
	}
}

// FloatToInt truncates a double to an integer kind; out of range it saturates or, when checked, throws OverflowException.
func FloatToInt(f float64, k kind, checked bool) int64 {
	f = math.Trunc(f)
	if k == kindULong {
		if checked && (f != f || f < 0 || f >= 1<<64) {
			throwOverflow()
		}
		switch {
		case f != f || f <= 0:
			return 0
		case f >= 1<<64:
			return -1
		}
		return int64(uint64(f))
	}
	lo, hi := intRange(k)
	if checked && (f != f || f < float64(lo) || f > float64(hi) || k == kindLong && f >= 1<<63) {
		throwOverflow()
	}
	// Small types go through int, as the runtime does.
	clo, chi := lo, hi
	if k != kindLong && k != kindUInt {
		clo, chi = math.MinInt32, math.MaxInt32
	}
	switch {
	case f != f:
		return 0
	case f <= float64(clo):
		return wrap(k, clo)
	case f >= float64(chi):
		return wrap(k, chi)
	}
	return wrap(k, int64(f))
}

func decimalToInt(d Decimal, k kind) int64 {
	if k == kindULong {
		n, ok := d.Uint64()
		if !ok {
			Throw("System.OverflowException", "Value was either too large or too small for a UInt64.")
		}
		return int64(n)
	}
	n, ok := d.Int64()
	if lo, hi := intRange(k); !ok || n < lo || n > hi {
		Throwf("System.OverflowException", "Value was either too large or too small for %s.", kindArticle(k))
	}
	return n
}

func kindArticle(k kind) string {
	name := kindNames[k][len("System."):]
	switch name[0] {
	case 'I', 'U':
		return "an " + name
	}
	if name == "Byte" {
		return "an unsigned byte"
	}
	return "a " + name
}
