package clr

import (
	"math"
	"math/bits"

	"github.com/causeway-apim/causeway/internal/csharp"
)

func declareMath(b *csharp.Builder) {
	type dec = csharp.Decimal
	b.Enum("System.MidpointRounding", false, []string{"ToEven", "AwayFromZero", "ToZero", "ToNegativeInfinity", "ToPositiveInfinity"}, []int64{0, 1, 2, 3, 4})
	t := b.Type("static class System.Math", csharp.NoGo())
	t.Const("double PI", math.Pi)
	t.Const("double E", math.E)
	declareMathMore(t)
	for name, f := range map[string]func(float64) float64{"Sqrt": math.Sqrt, "Sin": math.Sin, "Cos": math.Cos, "Tan": math.Tan, "Asin": math.Asin,
		"Acos": math.Acos, "Atan": math.Atan, "Sinh": math.Sinh, "Cosh": math.Cosh, "Tanh": math.Tanh, "Exp": math.Exp, "Log10": math.Log10, "Log2": math.Log2,
		"Log": math.Log, "Cbrt": math.Cbrt, "Floor": math.Floor, "Ceiling": math.Ceil, "Truncate": math.Trunc} {
		t.Static("double "+name+"(double d)", csharp.F1(f))
	}
	t.Static("double Atan2(double y, double x)", csharp.F2(math.Atan2))
	t.Static("double IEEERemainder(double x, double y)", csharp.F2(math.Remainder))
	t.Static("double Pow(double x, double y)", csharp.F2(math.Pow))
	t.Static("double Log(double a, double newBase)", csharp.F2(logBase))
	for name, m := range map[string]csharp.Midpoint{"Truncate": csharp.MidpointZero, "Floor": csharp.MidpointNegative, "Ceiling": csharp.MidpointPositive} {
		t.Static("decimal "+name+"(decimal d)", csharp.F1(func(d dec) dec { return d.Round(0, m) }))
	}
	t.Static("double Round(double a)", csharp.F1(math.RoundToEven))
	t.Static("double Round(double value, int digits)", csharp.F2(func(f float64, n int) float64 { return roundFloat(f, n, 0) }))
	t.Static("double Round(double value, MidpointRounding mode)", csharp.F2(func(f float64, m int) float64 { return roundFloat(f, 0, m) }))
	t.Static("double Round(double value, int digits, MidpointRounding mode)", csharp.F3(roundFloat))
	t.Static("decimal Round(decimal d)", csharp.F1(func(d dec) dec { return d.Round(0, csharp.MidpointEven) }))
	t.Static("decimal Round(decimal d, int decimals)", csharp.F2(func(d dec, n int) dec { return roundDecimal(d, n, 0) }))
	t.Static("decimal Round(decimal d, MidpointRounding mode)", csharp.F2(func(d dec, m int) dec { return roundDecimal(d, 0, m) }))
	t.Static("decimal Round(decimal d, int decimals, MidpointRounding mode)", csharp.F3(roundDecimal))
	for _, k := range intTypes() {
		declareIntMath(t, k)
	}
	for _, k := range []string{"double", "float"} {
		t.Static(k+" Abs("+k+" value)", csharp.F1(math.Abs))
		t.Static(k+" Max("+k+" val1, "+k+" val2)", csharp.F2(math.Max))
		t.Static(k+" Min("+k+" val1, "+k+" val2)", csharp.F2(math.Min))
		t.Static(k+" Clamp("+k+" value, "+k+" min, "+k+" max)", csharp.F3(clampFloat))
		t.Static("int Sign("+k+" value)", csharp.F1(signOfFloat))
	}
	declareDecimalMath(t)
	t.Static("long BigMul(int a, int b)", csharp.F2(func(a, c int64) int64 { return a * c }))
	t.Static("ulong BigMul(uint a, uint b)", csharp.F2(func(a, c int64) int64 { return a * c }))
	t.Static("ulong BigMul(ulong a, ulong b, out ulong low)", csharp.F3(func(a, c int64, out ref) int64 {
		hi, lo := bits.Mul64(uint64(a), uint64(c))
		out.Value = lo
		return int64(hi)
	}))
	t.Static("long BigMul(long a, long b, out long low)", csharp.F3(func(a, c int64, out ref) int64 {
		hi, lo := bits.Mul64(uint64(a), uint64(c))
		out.Value = int64(lo)
		return int64(hi) - a>>63&c - c>>63&a
	}))
	for _, k := range intTypes() {
		t.Static("("+k.keyword+" Quotient, "+k.keyword+" Remainder) DivRem("+k.keyword+" left, "+k.keyword+" right)", divRem(k))
	}
	t.Static("(double Sin, double Cos) SinCos(double x)", csharp.F2(func(t resultType, x float64) *csharp.Record {
		return csharp.NewRecord(t.Type, []any{math.Sin(x), math.Cos(x)})
	}))
	t.Static("double MaxMagnitude(double x, double y)", csharp.F2(func(x, y float64) float64 { return magnitude(x, y, 1) }))
	t.Static("double MinMagnitude(double x, double y)", csharp.F2(func(x, y float64) float64 { return magnitude(x, y, -1) }))
	t.Static("int ILogB(double x)", csharp.F1(func(x float64) int {
		switch {
		case x == 0:
			return math.MinInt32
		case math.IsNaN(x) || math.IsInf(x, 0):
			return math.MaxInt32
		}
		return int(math.Logb(x))
	}))
	t.Static("int DivRem(int a, int b, out int result)", csharp.F3(func(a, c int64, out ref) int64 { out.Value = int32(a % c); return a / c }))
	t.Static("long DivRem(long a, long b, out long result)", csharp.F3(func(a, c int64, out ref) int64 { out.Value = a % c; return a / c }))
}

// declareDecimalMath declares what Math and Decimal have for decimals.
func declareDecimalMath(t *csharp.TypeBuilder) {
	type dec = csharp.Decimal
	t.Static("decimal Abs(decimal value)", csharp.F1(func(d dec) dec {
		if d.Negative() {
			return d.Neg()
		}
		return d
	}))
	t.Static("decimal Max(decimal val1, decimal val2)", csharp.F2(func(a, c dec) dec {
		if a.Cmp(c) >= 0 {
			return a
		}
		return c
	}))
	t.Static("decimal Min(decimal val1, decimal val2)", csharp.F2(func(a, c dec) dec {
		if a.Cmp(c) <= 0 {
			return a
		}
		return c
	}))
	t.Static("int Sign(decimal value)", csharp.F1(dec.Sign))
	t.Static("decimal Clamp(decimal value, decimal min, decimal max)", csharp.F3(func(v, lo, hi dec) dec {
		switch {
		case lo.Cmp(hi) > 0:
			csharp.Throwf("System.ArgumentException", "'%s' cannot be greater than %s.", lo.ToString(), hi.ToString())
		case v.Cmp(lo) < 0:
			return lo
		case v.Cmp(hi) > 0:
			return hi
		}
		return v
	}))
}

func checkClamp(bad bool, lo, hi any) {
	if bad {
		csharp.Throwf("System.ArgumentException", "'%s' cannot be greater than %s.", text(lo), text(hi))
	}
}

func declareIntMath(t *csharp.TypeBuilder, k intType) {
	less := func(a, c int64) bool { return a < c }
	if k.keyword == "ulong" {
		less = func(a, c int64) bool { return uint64(a) < uint64(c) }
	}
	n := k.keyword
	t.Static(n+" Max("+n+" val1, "+n+" val2)", csharp.F2(func(a, c int64) int64 {
		if less(a, c) {
			return c
		}
		return a
	}))
	t.Static(n+" Min("+n+" val1, "+n+" val2)", csharp.F2(func(a, c int64) int64 {
		if less(c, a) {
			return c
		}
		return a
	}))
	t.Static(n+" Clamp("+n+" value, "+n+" min, "+n+" max)", csharp.F3(func(v, lo, hi int64) int64 {
		checkClamp(less(hi, lo), lo, hi)
		switch {
		case less(v, lo):
			return lo
		case less(hi, v):
			return hi
		}
		return v
	}))
	if !k.signed {
		return
	}
	lo, _ := k.limits()
	t.Static(n+" Abs("+n+" value)", csharp.F1(func(v int64) int64 {
		if v == lo.Int64() {
			csharp.Throw("System.OverflowException", "Negating the minimum value of a twos complement number is invalid.")
		}
		return max(v, -v)
	}))
	t.Static("int Sign("+n+" value)", csharp.F1(func(v int64) int { return compareFloat(float64(v), 0) }))
}

// roundFloat is Math.Round(value, digits, mode): it scales, rounds and scales back as .NET does, with its errors.
func roundFloat(f float64, digits, mode int) float64 {
	if digits < 0 || digits > 15 {
		outOfRange("digits", "Rounding digits must be between 0 and 15, inclusive.")
	}
	if mode < 0 || mode > 4 {
		csharp.ThrowArgument("System.ArgumentException", "The value '"+text(int32(mode))+"' is not valid for this usage of the type MidpointRounding.", "mode")
	}
	if math.Abs(f) >= 1e16 || math.IsNaN(f) {
		return f
	}
	p := math.Pow10(digits)
	x := f * p
	switch csharp.Midpoint(mode) {
	case csharp.MidpointEven:
		x = math.RoundToEven(x)
	case csharp.MidpointAway:
		x = math.Round(x)
	case csharp.MidpointZero:
		x = math.Trunc(x)
	case csharp.MidpointNegative:
		x = math.Floor(x)
	default:
		x = math.Ceil(x)
	}
	return x / p
}
