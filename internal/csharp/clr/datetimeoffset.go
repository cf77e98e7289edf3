package clr

import (
	"github.com/causeway-apim/causeway/internal/csharp"
)

// DateTimeOffset is System.DateTimeOffset: the ticks that the clock shows, and how far that clock is from UTC.
type DateTimeOffset struct {
	Clock  int64
	Offset TimeSpan
}

func (o DateTimeOffset) utc() int64 { return o.Clock - int64(o.Offset) }

func (o DateTimeOffset) clock() DateTime { return DateTime{Ticks: o.Clock} }

// ClrName is System.DateTimeOffset.
func (DateTimeOffset) ClrName() string { return "System.DateTimeOffset" }

// ToString is the general format of the invariant culture with the offset.
func (o DateTimeOffset) ToString() string { return o.Format("") }

// Format is ToString(spec).
func (o DateTimeOffset) Format(spec string) string { return formatDate(spec, o.clock(), &o.Offset) }

// Equals compares moments.
func (o DateTimeOffset) Equals(v any) bool {
	x, ok := v.(DateTimeOffset)
	return ok && x.utc() == o.utc()
}

// HashKey is equal for equal moments.
func (o DateTimeOffset) HashKey() any { return DateTimeOffset{Clock: o.utc()} }

// CompareTo compares moments.
func (o DateTimeOffset) CompareTo(v any) int {
	if v == nil {
		return 1
	}
	x, ok := v.(DateTimeOffset)
	if !ok {
		csharp.ThrowArgument("System.ArgumentException", "Object must be of type DateTimeOffset.", "")
	}
	return compareInts(o.utc(), x.utc())
}

// newOffset checks an offset and the moment that it gives.
func newOffset(d DateTime, offset TimeSpan) DateTimeOffset {
	if d.Kind == KindUTC && offset != 0 {
		csharp.ThrowArgument("System.ArgumentException", "The UTC Offset for Utc DateTime instances must be 0.", "offset")
	}
	if offset%ticksPerMinute != 0 {
		csharp.ThrowArgument("System.ArgumentException", "Offset must be specified in whole minutes.", "offset")
	}
	if offset < -14*ticksPerHour || offset > 14*ticksPerHour {
		outOfRange("offset", "Offset must be within plus or minus 14 hours.")
	}
	o := DateTimeOffset{d.Ticks, offset}
	if utc := o.utc(); utc < 0 || utc > maxTicks {
		outOfRange("offset", "The UTC time represented when the offset is applied must be between year 0 and 10,000.")
	}
	if d.Kind != KindUnspecified && offset != 0 {
		csharp.ThrowArgument("System.ArgumentException", "The UTC Offset of the local dateTime parameter does not match the offset argument.", "offset")
	}
	return o
}

// move adds ticks to the clock.
func (o DateTimeOffset) move(n int64) DateTimeOffset {
	return newOffset(o.clock().plus(n, "t"), o.Offset)
}

func fromUnix(n, unit int64, name string) DateTimeOffset {
	if n < -unixEpochTicks/unit || n > (maxTicks-unixEpochTicks)/unit {
		outOfRange(name, "Valid values are between "+text(-unixEpochTicks/unit)+" and "+text((maxTicks-unixEpochTicks)/unit)+", inclusive.")
	}
	return DateTimeOffset{Clock: unixEpochTicks + n*unit}
}

func declareDateTimeOffset(b *csharp.Builder) {
	t := b.Type("struct System.DateTimeOffset : IComparable, IComparable<DateTimeOffset>, IEquatable<DateTimeOffset>, IFormattable", csharp.Go[DateTimeOffset]())
	t.New("(DateTime dateTime)", csharp.F1(func(d DateTime) DateTimeOffset { return DateTimeOffset{Clock: d.Ticks} }))
	t.New("(DateTime dateTime, TimeSpan offset)", csharp.F2(newOffset))
	t.New("(long ticks, TimeSpan offset)", csharp.F2(func(n int64, o TimeSpan) DateTimeOffset { return newOffset(newTicks(n, KindUnspecified), o) }))
	t.New("(int year, int month, int day, int hour, int minute, int second, TimeSpan offset)", csharp.F7(func(y, m, d, h, mi, s int, o TimeSpan) DateTimeOffset {
		return newOffset(newDate(y, m, d, h, mi, s, 0, KindUnspecified), o)
	}))
	t.New("(int year, int month, int day, int hour, int minute, int second, int millisecond, TimeSpan offset)", csharp.F8(func(y, m, d, h, mi, s, ms int, o TimeSpan) DateTimeOffset {
		return newOffset(newDate(y, m, d, h, mi, s, ms, KindUnspecified), o)
	}))
	now := func(r run) DateTimeOffset { return DateTimeOffset{Clock: NewDateTime(r.Now()).Ticks} }
	t.StaticProp("DateTimeOffset UtcNow", csharp.F1(now))
	t.StaticProp("DateTimeOffset Now", csharp.F1(now))
	t.StaticProp("DateTimeOffset MinValue", csharp.F0(func() DateTimeOffset { return DateTimeOffset{} }))
	t.StaticProp("DateTimeOffset MaxValue", csharp.F0(func() DateTimeOffset { return DateTimeOffset{Clock: maxTicks} }))
	t.StaticProp("DateTimeOffset UnixEpoch", csharp.F0(func() DateTimeOffset { return DateTimeOffset{Clock: unixEpochTicks} }))
	t.Static("DateTimeOffset FromUnixTimeSeconds(long seconds)", csharp.F1(func(n int64) DateTimeOffset { return fromUnix(n, ticksPerSecond, "seconds") }))
	t.Static("DateTimeOffset FromUnixTimeMilliseconds(long milliseconds)", csharp.F1(func(n int64) DateTimeOffset { return fromUnix(n, ticksPerMillisecond, "milliseconds") }))
	t.Conv("implicit operator DateTimeOffset(DateTime dateTime)", csharp.F1(func(d DateTime) DateTimeOffset { return DateTimeOffset{Clock: d.Ticks} }))
	declareOffsetParts(t)
	declareOffsetMath(t)
	declareOffsetText(t)
}

func declareOffsetParts(t *csharp.TypeBuilder) {
	part := func(decl string, f func(o DateTimeOffset) int) { t.Prop(decl, csharp.F1(f)) }
	part("int Year", func(o DateTimeOffset) int { return o.clock().Time().Year() })
	part("int Month", func(o DateTimeOffset) int { return int(o.clock().Time().Month()) })
	part("int Day", func(o DateTimeOffset) int { return o.clock().Time().Day() })
	part("int Hour", func(o DateTimeOffset) int { return o.clock().Time().Hour() })
	part("int Minute", func(o DateTimeOffset) int { return o.clock().Time().Minute() })
	part("int Second", func(o DateTimeOffset) int { return o.clock().Time().Second() })
	part("int Millisecond", func(o DateTimeOffset) int { return o.clock().Time().Nanosecond() / 1_000_000 })
	part("int DayOfYear", func(o DateTimeOffset) int { return o.clock().Time().YearDay() })
	part("DayOfWeek DayOfWeek", func(o DateTimeOffset) int { return int(o.clock().Time().Weekday()) })
	t.Prop("long Ticks", csharp.F1(func(o DateTimeOffset) int64 { return o.Clock }))
	t.Prop("long UtcTicks", csharp.F1(DateTimeOffset.utc))
	t.Prop("int Microsecond", csharp.F1(func(o DateTimeOffset) int64 { return o.Clock / ticksPerMicrosecond % 1000 }))
	t.Prop("int Nanosecond", csharp.F1(func(o DateTimeOffset) int64 { return o.Clock % ticksPerMicrosecond * 100 }))
	t.Prop("int TotalOffsetMinutes", csharp.F1(func(o DateTimeOffset) int64 { return int64(o.Offset) / ticksPerMinute }))
	t.Prop("TimeSpan Offset", csharp.F1(func(o DateTimeOffset) TimeSpan { return o.Offset }))
	t.Prop("TimeSpan TimeOfDay", csharp.F1(func(o DateTimeOffset) TimeSpan { return TimeSpan(o.Clock % ticksPerDay) }))
	t.Prop("DateTime Date", csharp.F1(func(o DateTimeOffset) DateTime { return DateTime{Ticks: o.Clock - o.Clock%ticksPerDay} }))
	t.Prop("DateTime DateTime", csharp.F1(DateTimeOffset.clock))
	t.Prop("DateTime UtcDateTime", csharp.F1(func(o DateTimeOffset) DateTime { return DateTime{o.utc(), KindUTC} }))
	t.Prop("DateTime LocalDateTime", csharp.F1(func(o DateTimeOffset) DateTime { return DateTime{o.utc(), KindLocal} }))
}

func declareOffsetMath(t *csharp.TypeBuilder) {
	for name, unit := range map[string]int64{
		"Days": ticksPerDay, "Hours": ticksPerHour, "Minutes": ticksPerMinute, "Seconds": ticksPerSecond, "Milliseconds": ticksPerMillisecond,
	} {
		t.Method("DateTimeOffset Add"+name+"(double value)", csharp.F2(func(o DateTimeOffset, n float64) DateTimeOffset {
			return newOffset(o.clock().addUnits(n, unit), o.Offset)
		}))
	}
	t.Method("DateTimeOffset AddTicks(long ticks)", csharp.F2(DateTimeOffset.move))
	t.Method("DateTimeOffset AddMonths(int months)", csharp.F2(func(o DateTimeOffset, n int) DateTimeOffset { return newOffset(o.clock().addMonths(n), o.Offset) }))
	t.Method("DateTimeOffset AddYears(int years)", csharp.F2(func(o DateTimeOffset, n int) DateTimeOffset { return newOffset(o.clock().addMonths(n*12), o.Offset) }))
	add := func(o DateTimeOffset, s TimeSpan) DateTimeOffset { return o.move(int64(s)) }
	sub := func(o DateTimeOffset, s TimeSpan) DateTimeOffset { return o.move(-int64(s)) }
	diff := func(a, b DateTimeOffset) TimeSpan { return TimeSpan(a.utc() - b.utc()) }
	t.Method("DateTimeOffset Add(TimeSpan timeSpan)", csharp.F2(add))
	t.Method("DateTimeOffset Subtract(TimeSpan value)", csharp.F2(sub))
	t.Method("TimeSpan Subtract(DateTimeOffset value)", csharp.F2(diff))
	t.Op("DateTimeOffset operator +(DateTimeOffset d, TimeSpan t)", csharp.F2(add))
	t.Op("DateTimeOffset operator -(DateTimeOffset d, TimeSpan t)", csharp.F2(sub))
	t.Op("TimeSpan operator -(DateTimeOffset a, DateTimeOffset b)", csharp.F2(diff))
	compare := func(a, b DateTimeOffset) int { return compareInts(a.utc(), b.utc()) }
	compareOps(t, "DateTimeOffset", compare)
	t.Static("int Compare(DateTimeOffset first, DateTimeOffset second)", csharp.F2(compare))
	t.Static("bool Equals(DateTimeOffset first, DateTimeOffset second)", csharp.F2(func(a, b DateTimeOffset) bool { return a.utc() == b.utc() }))
	t.Method("DateTimeOffset AddMicroseconds(double microseconds)", csharp.F2(func(o DateTimeOffset, n float64) DateTimeOffset {
		return o.move(scaleTicks(n, ticksPerMicrosecond, "value"))
	}))
	t.Static("DateTimeOffset FromFileTime(long fileTime)", csharp.F1(func(n int64) DateTimeOffset {
		if n < 0 || n > maxTicks-fileTimeTicks {
			outOfRange("fileTime", "Not a valid Win32 FileTime.")
		}
		return DateTimeOffset{Clock: n + fileTimeTicks}
	}))
	t.Method("long ToFileTime()", csharp.F1(func(o DateTimeOffset) int64 {
		if o.utc() < fileTimeTicks {
			csharp.Throw("System.ArgumentOutOfRangeException", "Not a valid Win32 FileTime.")
		}
		return o.utc() - fileTimeTicks
	}))
	t.Method("int CompareTo(DateTimeOffset other)", csharp.F2(compare))
	t.Method("bool Equals(DateTimeOffset other)", csharp.F2(func(a, b DateTimeOffset) bool { return a.utc() == b.utc() }))
	t.Method("bool EqualsExact(DateTimeOffset other)", csharp.F2(func(a, b DateTimeOffset) bool { return a == b }))
	t.Method("DateTimeOffset ToUniversalTime()", csharp.F1(func(o DateTimeOffset) DateTimeOffset { return DateTimeOffset{Clock: o.utc()} }))
	t.Method("DateTimeOffset ToLocalTime()", csharp.F1(func(o DateTimeOffset) DateTimeOffset { return DateTimeOffset{Clock: o.utc()} }))
	t.Method("DateTimeOffset ToOffset(TimeSpan offset)", csharp.F2(func(o DateTimeOffset, s TimeSpan) DateTimeOffset {
		return newOffset(DateTime{Ticks: o.utc()}.plus(int64(s), "t"), s)
	}))
	t.Method("long ToUnixTimeSeconds()", csharp.F1(func(o DateTimeOffset) int64 { return floorTicks(o.utc(), ticksPerSecond) - unixEpochSeconds }))
	t.Method("long ToUnixTimeMilliseconds()", csharp.F1(func(o DateTimeOffset) int64 {
		return floorTicks(o.utc(), ticksPerMillisecond) - unixEpochTicks/ticksPerMillisecond
	}))
}

// floorTicks counts whole units; ticks are never negative.
// fileTimeTicks are the ticks of 1601-01-01, from which Windows counts.
const fileTimeTicks = 504911232000000000

func floorTicks(n, unit int64) int64 { return n / unit }

func declareOffsetText(t *csharp.TypeBuilder) {
	t.Method("string ToString()", csharp.F1(DateTimeOffset.ToString))
	t.Method("string ToString(string format)", csharp.F2(DateTimeOffset.Format))
	t.Method("string ToString(IFormatProvider provider)", csharp.F2(func(o DateTimeOffset, _ any) string { return o.ToString() }))
	t.Method("string ToString(string format, IFormatProvider provider)", csharp.F3(func(o DateTimeOffset, f string, _ any) string { return o.Format(f) }))
	t.Static("DateTimeOffset Parse(string input)", csharp.F2(func(r run, s string) DateTimeOffset { return mustOffset(r, s, 0) }))
	t.Static("DateTimeOffset Parse(string input, IFormatProvider provider)", csharp.F3(func(r run, s string, _ any) DateTimeOffset { return mustOffset(r, s, 0) }))
	t.Static("DateTimeOffset Parse(string input, IFormatProvider provider, DateTimeStyles styles)", csharp.F4(func(r run, s string, _ any, st int) DateTimeOffset {
		return mustOffset(r, s, st)
	}))
	t.Static("bool TryParse(string input, out DateTimeOffset result)", csharp.F3(func(r run, s string, out ref) bool { return tryOffset(r, s, 0, out) }))
	t.Static("bool TryParse(string input, IFormatProvider provider, DateTimeStyles styles, out DateTimeOffset result)", csharp.F5(func(r run, s string, _ any, st int, out ref) bool {
		return tryOffset(r, s, st, out)
	}))
	t.Static("DateTimeOffset ParseExact(string input, string format, IFormatProvider provider)", csharp.F4(func(r run, s, f string, _ any) DateTimeOffset {
		return mustOffsetExact(r, s, f, 0)
	}))
	t.Static("DateTimeOffset ParseExact(string input, string format, IFormatProvider provider, DateTimeStyles styles)", csharp.F5(func(r run, s, f string, _ any, st int) DateTimeOffset {
		return mustOffsetExact(r, s, f, st)
	}))
	t.Static("bool TryParseExact(string input, string format, IFormatProvider provider, DateTimeStyles styles, out DateTimeOffset result)", csharp.F6(func(r run, s, f string, _ any, st int, out ref) bool {
		p, ok := parseExact(s, f, st)
		out.Value = DateTimeOffset{}
		if ok {
			out.Value, ok = p.offset(r.Now(), st)
		}
		return ok
	}))
	t.Static("DateTimeOffset ParseExact(string input, string[] formats, IFormatProvider provider, DateTimeStyles styles)", csharp.F5(func(r run, s string, formats array, _ any, st int) DateTimeOffset {
		needString(s, "input")
		if p, ok := parseAnyExact(r, s, formats, st); ok {
			if d, ok := p.offset(r.Now(), st); ok {
				return d
			}
		}
		badDate(s)
		return DateTimeOffset{}
	}))
	t.Static("bool TryParse(string input, IFormatProvider provider, out DateTimeOffset result)", csharp.F4(func(r run, s string, _ any, out ref) bool { return tryOffset(r, s, 0, out) }))
	t.Static("bool TryParseExact(string input, string[] formats, IFormatProvider provider, DateTimeStyles styles, out DateTimeOffset result)", csharp.F6(func(r run, s string, formats array, _ any, st int, out ref) bool {
		out.Value = DateTimeOffset{}
		if csharp.IsNull(s) || formats == nil || len(formats.Items) == 0 {
			return false
		}
		p, ok := parseAnyExact(r, s, formats, st)
		if ok {
			out.Value, ok = p.offset(r.Now(), st)
		}
		return ok
	}))
}

func mustOffset(r run, s string, styles int) DateTimeOffset {
	needString(s, "input")
	p, ok := parseDate(s)
	if !ok {
		badText(s)
	}
	o, ok := p.offset(r.Now(), styles)
	if !ok {
		badDay(s, p)
		badText(s)
	}
	return o
}

func tryOffset(r run, s string, styles int, out ref) bool {
	out.Value = DateTimeOffset{}
	if csharp.IsNull(s) {
		return false
	}
	p, ok := parseDate(s)
	if ok {
		out.Value, ok = p.offset(r.Now(), styles)
	}
	return ok
}

func mustOffsetExact(r run, s, format string, styles int) DateTimeOffset {
	needString(s, "input")
	needDateFormat(format)
	p, ok := parseExact(s, format, styles)
	if !ok {
		badDate(s)
	}
	o, ok := p.offset(r.Now(), styles)
	if !ok {
		badExact(s, p)
	}
	return o
}
