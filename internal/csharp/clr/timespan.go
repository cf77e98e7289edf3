package clr

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/causeway-apim/causeway/internal/csharp"
)

// A TimeSpan is System.TimeSpan in ticks of 100 ns.
type TimeSpan int64

// FromDuration converts a Go duration.
func FromDuration(d time.Duration) TimeSpan { return TimeSpan(d / 100) }

// ClrName is System.TimeSpan.
func (TimeSpan) ClrName() string { return "System.TimeSpan" }

// CompareTo compares two spans.
func (s TimeSpan) CompareTo(v any) int { return compareInts(int64(s), int64(v.(TimeSpan))) }

// ToString is the constant format [-][d.]hh:mm:ss[.fffffff].
func (s TimeSpan) ToString() string { return s.Format("c") }

// parts gives days, hours, minutes, seconds and ticks of the absolute value.
func (s TimeSpan) parts() (d, h, m, sec, frac uint64) {
	u := uint64(s)
	if s < 0 {
		u = -u
	}
	frac = u % ticksPerSecond
	u /= ticksPerSecond
	return u / 86400, u / 3600 % 24, u / 60 % 60, u % 60, frac
}

func two(n uint64) string { return leftZeros(strconv.FormatUint(n, 10), 2) }

// Format is ToString(format).
func (s TimeSpan) Format(f string) string {
	d, h, m, sec, frac := s.parts()
	sign := ""
	if s < 0 {
		sign = "-"
	}
	digits := leftZeros(strconv.FormatUint(frac, 10), 7)
	if csharp.IsNull(f) {
		f = ""
	}
	switch f {
	case "", "c", "t", "T":
		out := two(h) + ":" + two(m) + ":" + two(sec)
		if d > 0 {
			out = strconv.FormatUint(d, 10) + "." + out
		}
		if frac > 0 {
			out += "." + digits
		}
		return sign + out
	case "g":
		out := strconv.FormatUint(h, 10) + ":" + two(m) + ":" + two(sec)
		if d > 0 {
			out = strconv.FormatUint(d, 10) + ":" + out
		}
		if frac > 0 {
			out += "." + strings.TrimRight(digits, "0")
		}
		return sign + out
	case "G":
		return sign + strconv.FormatUint(d, 10) + ":" + two(h) + ":" + two(m) + ":" + two(sec) + "." + digits
	}
	return s.custom(f, digits)
}

func (s TimeSpan) custom(f, digits string) string {
	d, h, m, sec, _ := s.parts()
	var b strings.Builder
	bad := func() { formatError("Input string was not in a correct format.") }
	if len(f) == 1 {
		bad()
	}
	for i := 0; i < len(f); {
		c := f[i]
		n := 1
		for i+n < len(f) && f[i+n] == c {
			n++
		}
		num := func(v uint64, most int) {
			if n > most {
				bad()
			}
			b.WriteString(leftZeros(strconv.FormatUint(v, 10), n))
		}
		switch c {
		case 'd':
			num(d, 8)
		case 'h':
			num(h, 2)
		case 'm':
			num(m, 2)
		case 's':
			num(sec, 2)
		case 'f', 'F':
			if n > 7 {
				bad()
			}
			part := digits[:n]
			if c == 'F' {
				part = strings.TrimRight(part, "0")
			}
			b.WriteString(part)
		case '\\':
			if i+1 >= len(f) {
				bad()
			}
			b.WriteByte(f[i+1])
			n = 2
		case '\'', '"':
			j := strings.IndexByte(f[i+1:], c)
			if j < 0 {
				bad()
			}
			b.WriteString(f[i+1 : i+1+j])
			n = j + 2
		case '%':
			if n = 1; i+1 < len(f) && f[i+1] == c {
				bad()
			}
		default:
			bad()
		}
		i += n
	}
	return b.String()
}

func spanOf(v float64, unit int64) TimeSpan {
	refuseNaN(v, "")
	return spanOfTicks(v * float64(unit))
}

func refuseNaN(v float64, parameter string) {
	if math.IsNaN(v) {
		csharp.Throw("System.ArgumentException", "TimeSpan does not accept floating point Not-a-Number values."+parameter)
	}
}

func spanOfTicks(t float64) TimeSpan {
	switch {
	case t == math.MaxInt64: // what the greatest number of ticks is as a float
		return math.MaxInt64
	case !(t < math.MaxInt64 && t >= math.MinInt64):
		spanOverflow("TimeSpan overflowed because the duration is too long.")
	}
	return TimeSpan(int64(t))
}

func spanOverflow(message string) { csharp.Throw("System.OverflowException", message) }

func multiplySpan(s TimeSpan, factor float64) TimeSpan {
	refuseNaN(factor, " (Parameter 'factor')")
	return spanOfTicks(math.RoundToEven(float64(s) * factor))
}

func divideSpan(s TimeSpan, divisor float64) TimeSpan {
	refuseNaN(divisor, " (Parameter 'divisor')")
	return spanOfTicks(math.RoundToEven(float64(s) / divisor))
}

func addSpans(a, b TimeSpan) TimeSpan {
	n := a + b
	if (n > a) != (b > 0) && b != 0 {
		spanOverflow("TimeSpan overflowed because the duration is too long.")
	}
	return n
}

func subtractSpans(a, b TimeSpan) TimeSpan {
	n := a - b
	if (n < a) != (b > 0) && b != 0 {
		spanOverflow("TimeSpan overflowed because the duration is too long.")
	}
	return n
}

func negateSpan(s TimeSpan) TimeSpan {
	if s == math.MinInt64 {
		spanOverflow("Negating the minimum value of a twos complement number is invalid.")
	}
	return -s
}

func spanDuration(s TimeSpan) TimeSpan {
	if s == math.MinInt64 {
		spanOverflow("The duration cannot be returned for TimeSpan.MinValue because the absolute value of TimeSpan.MinValue exceeds the value of TimeSpan.MaxValue.")
	}
	return max(s, -s)
}

// parseSpan reads [-][d.]hh:mm[:ss[.fffffff]] or days alone: state 0 is success, 1 a bad format, 2 out of range.
func parseSpan(s string) (TimeSpan, int) {
	s = strings.TrimFunc(s, isWhite)
	neg := strings.HasPrefix(s, "-")
	s = strings.TrimPrefix(s, "-")
	parts := strings.Split(s, ":")
	nums := make([]string, 4) // d h m s
	frac := ""
	switch {
	case len(parts) == 1:
		nums[0] = parts[0]
	case len(parts) <= 4:
		if len(parts) == 4 {
			nums[0], parts = parts[0], parts[1:]
		} else if d, h, ok := strings.Cut(parts[0], "."); ok {
			nums[0], parts[0] = d, h
			if d == "" {
				return 0, 1
			}
		}
		if last := len(parts) - 1; last == 2 {
			var point bool
			if parts[2], frac, point = strings.Cut(parts[2], "."); point && frac == "" {
				return 0, 1
			}
		}
		for i, p := range parts {
			if p == "" {
				return 0, 1
			}
			nums[1+i] = p
		}
	default:
		return 0, 1
	}
	limits := []int64{10675199, 23, 59, 59}
	var v [4]int64
	for i, n := range nums {
		if n == "" {
			if i == 0 && len(parts) == 1 {
				return 0, 1
			}
			continue
		}
		if strings.Trim(n, "0123456789") != "" {
			return 0, 1
		}
		x, err := strconv.ParseInt(n, 10, 64)
		if err != nil || x > limits[i] {
			return 0, 2
		}
		v[i] = x
	}
	if strings.Trim(frac, "0123456789") != "" {
		return 0, 1
	}
	if len(frac) > 7 {
		return 0, 2
	}
	f, _ := strconv.ParseInt(frac+strings.Repeat("0", 7-len(frac)), 10, 64)
	total := ((v[0]*24+v[1])*60+v[2])*60 + v[3]
	if total > math.MaxInt64/ticksPerSecond {
		return 0, 2
	}
	ticks := total*ticksPerSecond + f
	if ticks < 0 && !(neg && ticks == math.MinInt64) {
		return 0, 2
	}
	if neg {
		ticks = -ticks
	}
	return TimeSpan(ticks), 0
}

func mustSpan(s string) TimeSpan {
	needString(s, "s")
	v, state := parseSpan(s)
	switch state {
	case 1:
		csharp.Throwf("System.FormatException", "String '%s' was not recognized as a valid TimeSpan.", s)
	case 2:
		csharp.Throwf("System.OverflowException", "The TimeSpan string '%s' could not be parsed because at least one of the numeric components is out of range or contains too many digits.", s)
	}
	return v
}

func declareTimeSpan(b *csharp.Builder) {
	t := b.Type("struct System.TimeSpan : IComparable, IFormattable, IComparable<TimeSpan>, IEquatable<TimeSpan>", csharp.Go[TimeSpan]())
	b.Enum("System.Globalization.TimeSpanStyles", true, []string{"None", "AssumeNegative"}, []int64{0, 1}).Outside()
	declareSpanExact(t)
	t.Method("TimeSpan Multiply(double factor)", csharp.F2(multiplySpan))
	t.Method("TimeSpan Divide(double divisor)", csharp.F2(divideSpan))
	t.StaticProp("TimeSpan Zero", csharp.F0(func() TimeSpan { return 0 }))
	t.StaticProp("TimeSpan MaxValue", csharp.F0(func() TimeSpan { return math.MaxInt64 }))
	t.StaticProp("TimeSpan MinValue", csharp.F0(func() TimeSpan { return math.MinInt64 }))
	units := map[string]int64{"Day": ticksPerDay, "Hour": 3600 * ticksPerSecond, "Minute": 60 * ticksPerSecond, "Second": ticksPerSecond, "Millisecond": 10_000}
	for name, unit := range units {
		t.Const("long TicksPer"+name, unit)
		t.Static("TimeSpan From"+name+"s(double value)", csharp.F1(func(v float64) TimeSpan { return spanOf(v, unit) }))
		const most = math.MaxInt64 / ticksPerMillisecond // of milliseconds, which .NET does not let a rounded number exceed
		t.Prop("double Total"+name+"s", csharp.F1(func(s TimeSpan) float64 { return min(max(float64(s)/float64(unit), -most), most) }))
	}
	t.Static("TimeSpan FromTicks(long value)", csharp.F1(func(n int64) TimeSpan { return TimeSpan(n) }))
	build := func(d, h, m, s, ms int64) TimeSpan {
		n := (((d*24+h)*60+m)*60+s)*1000 + ms
		if n > math.MaxInt64/ticksPerMillisecond || n < math.MinInt64/ticksPerMillisecond {
			csharp.Throw("System.ArgumentOutOfRangeException", "TimeSpan overflowed because the duration is too long.")
		}
		return TimeSpan(n * ticksPerMillisecond)
	}
	declareSpanUnits(t)
	t.New("(long ticks)", csharp.F1(func(n int64) TimeSpan { return TimeSpan(n) }))
	t.New("(int hours, int minutes, int seconds)", csharp.F3(func(h, m, s int64) TimeSpan { return build(0, h, m, s, 0) }))
	t.New("(int days, int hours, int minutes, int seconds)", csharp.F4(func(d, h, m, s int64) TimeSpan { return build(d, h, m, s, 0) }))
	t.New("(int days, int hours, int minutes, int seconds, int milliseconds)", csharp.F5(build))
	t.Prop("long Ticks", csharp.F1(func(s TimeSpan) int64 { return int64(s) }))
	for name, f := range map[string]func(n int64) int64{
		"Days": func(n int64) int64 { return n / ticksPerDay }, "Hours": func(n int64) int64 { return n / (3600 * ticksPerSecond) % 24 },
		"Minutes": func(n int64) int64 { return n / (60 * ticksPerSecond) % 60 }, "Seconds": func(n int64) int64 { return n / ticksPerSecond % 60 },
		"Milliseconds": func(n int64) int64 { return n / 10_000 % 1000 },
	} {
		t.Prop("int "+name, csharp.F1(func(s TimeSpan) int64 { return f(int64(s)) }))
	}
	cmp := func(a, c TimeSpan) int { return compareInts(int64(a), int64(c)) }
	compareOps(t, "TimeSpan", cmp)
	t.Method("int CompareTo(object value)", csharp.F2(func(a TimeSpan, b any) int { return compareTo("TimeSpan", a, b) }))
	t.Method("int CompareTo(TimeSpan value)", csharp.F2(cmp))
	t.Method("bool Equals(TimeSpan obj)", csharp.F2(func(a, c TimeSpan) bool { return a == c }))
	t.Static("int Compare(TimeSpan t1, TimeSpan t2)", csharp.F2(cmp))
	t.Method("TimeSpan Add(TimeSpan ts)", csharp.F2(addSpans))
	t.Method("TimeSpan Subtract(TimeSpan ts)", csharp.F2(subtractSpans))
	t.Method("TimeSpan Negate()", csharp.F1(negateSpan))
	t.Method("TimeSpan Duration()", csharp.F1(spanDuration))
	t.Op("TimeSpan operator +(TimeSpan t1, TimeSpan t2)", csharp.F2(addSpans))
	t.Op("TimeSpan operator -(TimeSpan t1, TimeSpan t2)", csharp.F2(subtractSpans))
	t.Op("TimeSpan operator -(TimeSpan t)", csharp.F1(negateSpan))
	t.Op("TimeSpan operator +(TimeSpan t)", csharp.F1(func(a TimeSpan) TimeSpan { return a }))
	t.Op("TimeSpan operator *(TimeSpan timeSpan, double factor)", csharp.F2(multiplySpan))
	t.Op("TimeSpan operator *(double factor, TimeSpan timeSpan)", csharp.F2(func(f float64, a TimeSpan) TimeSpan { return multiplySpan(a, f) }))
	t.Op("TimeSpan operator /(TimeSpan timeSpan, double divisor)", csharp.F2(divideSpan))
	t.Op("double operator /(TimeSpan t1, TimeSpan t2)", csharp.F2(func(a, c TimeSpan) float64 { return float64(a) / float64(c) }))
	t.Method("string ToString()", csharp.F1(TimeSpan.ToString))
	t.Method("string ToString(string format)", csharp.F2(TimeSpan.Format))
	t.Method("string ToString(string format, IFormatProvider provider)", csharp.F3(func(s TimeSpan, f string, _ any) string { return s.Format(f) }))
	t.Static("TimeSpan Parse(string s)", csharp.F1(mustSpan))
	t.Static("TimeSpan Parse(string s, IFormatProvider provider)", csharp.F2(func(s string, _ any) TimeSpan { return mustSpan(s) }))
	t.Static("bool TryParse(string input, IFormatProvider formatProvider, out TimeSpan result)", csharp.F3(func(s string, _ any, out ref) bool {
		v, state := parseSpan(notNull(s))
		out.Value = v
		return state == 0 && !csharp.IsNull(s)
	}))
	t.Static("bool TryParse(string s, out TimeSpan result)", csharp.F2(func(s string, out ref) bool {
		v, state := parseSpan(s)
		out.Value = v
		return state == 0
	}))
}
