package clr

import (
	"math"
	"math/bits"

	"github.com/causeway-apim/causeway/internal/csharp"
)

// This file declares the static members that .NET 7 gave to the types of numbers: much of Math, and questions about one number.

// declareIntStatics declares the static members of an integer type. Values come as 64 bits, those of ulong by their bits.
func declareIntStatics(t *csharp.TypeBuilder, k intType) {
	declareIntMath(t, k)
	n := k.keyword
	mask := ^uint64(0) >> (64 - k.bits)
	wrap := func(u uint64) int64 { // to the type's width
		if k.signed {
			return int64(u<<(64-k.bits)) >> (64 - k.bits)
		}
		return int64(u & mask)
	}
	for name, is := range map[string]func(v int64) bool{
		"IsEvenInteger": func(v int64) bool { return v&1 == 0 }, "IsOddInteger": func(v int64) bool { return v&1 != 0 },
		"IsPow2": func(v int64) bool { return (v > 0 || !k.signed) && bits.OnesCount64(uint64(v)&mask) == 1 },
	} {
		t.Static("bool "+name+"("+n+" value)", csharp.F1(is))
	}
	for name, f := range map[string]func(u uint64) int{
		"PopCount": bits.OnesCount64, "LeadingZeroCount": func(u uint64) int { return bits.LeadingZeros64(u) - (64 - k.bits) },
		"TrailingZeroCount": func(u uint64) int { return min(bits.TrailingZeros64(u), k.bits) },
	} {
		t.Static(n+" "+name+"("+n+" value)", csharp.F1(func(v int64) int64 { return int64(f(uint64(v) & mask)) }))
	}
	t.Static(n+" Log2("+n+" value)", csharp.F1(func(v int64) int64 {
		if k.signed && v < 0 {
			csharp.Throw("System.ArgumentOutOfRangeException", "value must be non-negative. (Parameter 'value')")
		}
		return int64(bits.Len64(uint64(v)&mask|1) - 1)
	}))
	rotate := func(v int64, by int) int64 {
		u, s := uint64(v)&mask, uint(by)&uint(k.bits-1)
		return wrap(u<<s | u>>(uint(k.bits)-s))
	}
	t.Static(n+" RotateLeft("+n+" value, int rotateAmount)", csharp.F2(rotate))
	t.Static(n+" RotateRight("+n+" value, int rotateAmount)", csharp.F2(func(v int64, by int) int64 { return rotate(v, -by) }))
	t.Static("("+n+" Quotient, "+n+" Remainder) DivRem("+n+" left, "+n+" right)", divRem(k))
	if k.signed {
		declareSignedStatics(t, k)
	}
}

// divRem is DivRem with a pair as its result.
func divRem(k intType) csharp.Func {
	lo, _ := k.limits()
	return csharp.F3(func(t resultType, a, c int64) *csharp.Record {
		if k.signed && c == -1 && a == lo.Int64() {
			csharp.Throw("System.OverflowException", "Arithmetic operation resulted in an overflow.")
		}
		if k.signed {
			return csharp.NewRecord(t.Type, []any{k.box(a / c), k.box(a % c)})
		}
		return csharp.NewRecord(t.Type, []any{k.box(int64(uint64(a) / uint64(c))), k.box(int64(uint64(a) % uint64(c)))})
	})
}

func declareSignedStatics(t *csharp.TypeBuilder, k intType) {
	n := k.keyword
	t.Static("bool IsNegative("+n+" value)", csharp.F1(func(v int64) bool { return v < 0 }))
	t.Static("bool IsPositive("+n+" value)", csharp.F1(func(v int64) bool { return v >= 0 }))
	lo, _ := k.limits()
	t.Static(n+" CopySign("+n+" value, "+n+" sign)", csharp.F2(func(v, s int64) int64 {
		if s < 0 {
			return -max(v, -v)
		}
		if v == lo.Int64() {
			csharp.Throw("System.OverflowException", "Negating the minimum value of a twos complement number is invalid.")
		}
		return max(v, -v)
	}))
	magnitude := func(v int64) uint64 { return uint64(max(v, -v)) }
	t.Static(n+" MaxMagnitude("+n+" x, "+n+" y)", csharp.F2(func(a, c int64) int64 {
		if x, y := magnitude(a), magnitude(c); x > y || x == y && a > c {
			return a
		}
		return c
	}))
	t.Static(n+" MinMagnitude("+n+" x, "+n+" y)", csharp.F2(func(a, c int64) int64 {
		if x, y := magnitude(a), magnitude(c); x < y || x == y && a < c {
			return a
		}
		return c
	}))
}

// declareFloatStatics declares the static members of float or double; round is to the type's precision.
func declareFloatStatics(t *csharp.TypeBuilder, k string, size int) {
	round := func(x float64) float64 {
		if size == 32 {
			return float64(float32(x))
		}
		return x
	}
	for name, x := range map[string]float64{"E": math.E, "Pi": math.Pi, "Tau": 2 * math.Pi, "NegativeZero": math.Copysign(0, -1)} {
		if size == 32 {
			t.Const(k+" "+name, float32(x))
		} else {
			t.Const(k+" "+name, x)
		}
	}
	for name, f := range map[string]func(float64) float64{"Abs": math.Abs, "Sqrt": math.Sqrt, "Cbrt": math.Cbrt, "Exp": math.Exp, "Log": math.Log,
		"Log2": math.Log2, "Log10": math.Log10, "Floor": math.Floor, "Ceiling": math.Ceil, "Truncate": math.Trunc, "Round": math.RoundToEven,
		"Sin": math.Sin, "Cos": math.Cos, "Tan": math.Tan, "Asin": math.Asin, "Acos": math.Acos, "Atan": math.Atan, "Sinh": math.Sinh,
		"Cosh": math.Cosh, "Tanh": math.Tanh, "Asinh": math.Asinh, "Acosh": math.Acosh, "Atanh": math.Atanh,
		"DegreesToRadians": func(x float64) float64 { return round(x*round(math.Pi)) / 180 },
		"RadiansToDegrees": func(x float64) float64 { return round(x*180) / round(math.Pi) }} {
		t.Static(k+" "+name+"("+k+" x)", csharp.F1(func(x float64) float64 { return round(f(x)) }))
	}
	for name, f := range map[string]func(x, y float64) float64{"Max": math.Max, "Min": math.Min, "Pow": math.Pow, "Atan2": math.Atan2,
		"CopySign": math.Copysign, "Hypot": math.Hypot, "Ieee754Remainder": math.Remainder, "Log": logBase,
		"MaxMagnitude": func(x, y float64) float64 { return magnitude(x, y, 1) }, "MinMagnitude": func(x, y float64) float64 { return magnitude(x, y, -1) }} {
		t.Static(k+" "+name+"("+k+" x, "+k+" y)", csharp.F2(func(x, y float64) float64 { return round(f(x, y)) }))
	}
	t.Static(k+" Round("+k+" x, int digits)", csharp.F2(func(f float64, n int) float64 { return round(roundFloat(f, n, 0)) }))
	t.Static(k+" Round("+k+" x, MidpointRounding mode)", csharp.F2(func(f float64, m int) float64 { return round(roundFloat(f, 0, m)) }))
	t.Static(k+" Round("+k+" x, int digits, MidpointRounding mode)", csharp.F3(func(f float64, n, m int) float64 { return round(roundFloat(f, n, m)) }))
	t.Static(k+" Clamp("+k+" value, "+k+" min, "+k+" max)", csharp.F3(clampFloat))
	t.Static("int Sign("+k+" value)", csharp.F1(signOfFloat))
	integer := func(x float64) bool { return x == math.Trunc(x) && !math.IsInf(x, 0) }
	least := math.Ldexp(1, -1022)
	if size == 32 {
		least = math.Ldexp(1, -126)
	}
	for name, is := range map[string]func(float64) bool{
		"IsInteger": integer, "IsEvenInteger": func(x float64) bool { return integer(x) && math.Mod(x, 2) == 0 },
		"IsOddInteger": func(x float64) bool { return integer(x) && math.Mod(x, 2) != 0 },
		"IsPositive":   func(x float64) bool { return !math.Signbit(x) }, "IsRealNumber": func(x float64) bool { return !math.IsNaN(x) },
		"IsNormal":    func(x float64) bool { x = math.Abs(x); return x >= least && !math.IsInf(x, 0) },
		"IsSubnormal": func(x float64) bool { x = math.Abs(x); return x > 0 && x < least },
		"IsPow2":      func(x float64) bool { f, _ := math.Frexp(x); return f == 0.5 },
	} {
		t.Static("bool "+name+"("+k+" value)", csharp.F1(is))
	}
}

// magnitude gives the number that is further from 0 with sign 1, nearer with sign -1; of equal ones the greater or the lesser.
func magnitude(x, y float64, sign int) float64 {
	switch n := compareFloat(math.Abs(x), math.Abs(y)) * sign; {
	case math.IsNaN(x) || math.IsNaN(y):
		return math.NaN()
	case n > 0:
		return x
	case n < 0:
		return y
	}
	if math.Signbit(x) == (sign < 0) {
		return x
	}
	return y
}

func logBase(a, base float64) float64 {
	switch {
	case math.IsNaN(a) || math.IsNaN(base) || base == 1:
		return math.NaN()
	case a != 1 && (base == 0 || math.IsInf(base, 1)):
		return math.NaN()
	}
	return math.Log(a) / math.Log(base)
}

func clampFloat(v, lo, hi float64) float64 {
	checkClamp(lo > hi, lo, hi)
	return math.Max(lo, math.Min(hi, v))
}

func signOfFloat(f float64) int {
	if math.IsNaN(f) {
		csharp.Throw("System.ArithmeticException", "Function does not accept floating point Not-a-Number values.")
	}
	return compareFloat(f, 0)
}

func declareDecimalStatics(t *csharp.TypeBuilder) {
	type dec = csharp.Decimal
	for _, k := range []string{"uint", "ulong"} {
		t.New("("+k+" value)", csharp.F1(func(v any) dec { return toDecimal(v) }))
	}
	t.New("(float value)", csharp.F1(func(f float64) dec { return csharp.DecimalFromFloat(f, true) }))
	t.New("(int[] bits)", csharp.F1(func(a array) dec {
		needArray(a, "bits")
		const used = 0x80FF0000
		var p [4]uint32
		for i, v := range a.Items[:min(4, len(a.Items))] {
			p[i] = uint32(v.(int32))
		}
		if len(a.Items) != 4 || p[3]&^used != 0 || p[3]>>16&0xFF > 28 {
			csharp.Throw("System.ArgumentException", "Decimal constructor requires an array or span of four valid decimal bytes.")
		}
		return csharp.NewDecimal(p[0], p[1], p[2], p[3]>>31 != 0, uint8(p[3]>>16))
	}))
	t.Prop("byte Scale", csharp.F1(func(d dec) uint8 { _, _, _, _, scale := d.Parts(); return scale }))
	declareDecimalMath(t)
	whole := func(d dec) bool { return d.Round(0, csharp.MidpointZero).Cmp(d) == 0 }
	two := csharp.DecimalFromInt64(2)
	for name, is := range map[string]func(dec) bool{
		"IsInteger": whole, "IsEvenInteger": func(d dec) bool { return whole(d) && d.Rem(two).Sign() == 0 },
		"IsOddInteger": func(d dec) bool { return whole(d) && d.Rem(two).Sign() != 0 },
		"IsNegative":   dec.Negative, "IsPositive": func(d dec) bool { return !d.Negative() },
	} {
		t.Static("bool "+name+"(decimal value)", csharp.F1(is))
	}
	for _, k := range intTypes() {
		t.Static(k.keyword+" To"+k.name+"(decimal value)", csharp.Boxed(csharp.F1(func(d dec) any { return k.fromBig(d.Round(0, csharp.MidpointZero)) })))
	}
	t.Static("float ToSingle(decimal d)", csharp.F1(func(d dec) float64 { return float64(float32(d.Float64())) }))
	scale := csharp.DecimalFromInt64(10_000)
	t.Static("decimal FromOACurrency(long cy)", csharp.F1(func(n int64) dec { return csharp.DecimalFromInt64(n).Div(scale) }))
	t.Static("long ToOACurrency(decimal value)", csharp.F1(func(d dec) int64 {
		n, ok := d.Mul(scale).Round(0, csharp.MidpointEven).Int64()
		if !ok {
			csharp.Throw("System.OverflowException", "Value was either too large or too small for a Currency.")
		}
		return n
	}))
}
