package clr

import (
	"math"
	"time"

	"github.com/causeway-apim/causeway/internal/csharp"
)

// Ticks are units of 100 ns.
const (
	ticksPerMillisecond = 10_000
	ticksPerSecond      = 1000 * ticksPerMillisecond
	ticksPerMinute      = 60 * ticksPerSecond
	ticksPerHour        = 60 * ticksPerMinute
	ticksPerDay         = 24 * ticksPerHour
	maxTicks            = 3155378975999999999
	unixEpochTicks      = 621355968000000000

	// oleEpochTicks is 1899-12-30, where OLE automation dates begin.
	oleEpochTicks = 599264352000000000

	unixEpochSeconds = unixEpochTicks / ticksPerSecond
)

// A Kind is System.DateTimeKind.
type Kind uint8

// The members of DateTimeKind. Local time is UTC: a gateway runs in UTC.
const (
	KindUnspecified Kind = iota
	KindUTC
	KindLocal
)

// A DateTime is System.DateTime: ticks since 0001-01-01 and a kind, which does not count for equality.
type DateTime struct {
	Ticks int64
	Kind  Kind
}

// NewDateTime gives the UTC DateTime of a Go time.
func NewDateTime(t time.Time) DateTime {
	return DateTime{unixEpochTicks + t.Unix()*ticksPerSecond + int64(t.Nanosecond())/100, KindUTC}
}

// Time gives the Go time, in UTC.
func (d DateTime) Time() time.Time {
	n := d.Ticks - unixEpochTicks
	sec := n / ticksPerSecond
	rest := n % ticksPerSecond
	if rest < 0 {
		sec, rest = sec-1, rest+ticksPerSecond
	}
	return time.Unix(sec, rest*100).UTC()
}

// ClrName is System.DateTime.
func (DateTime) ClrName() string { return "System.DateTime" }

// ToString is the general format of the invariant culture.
func (d DateTime) ToString() string { return d.Format("G") }

// Equals compares the ticks.
func (d DateTime) Equals(v any) bool { e, ok := v.(DateTime); return ok && d.Ticks == e.Ticks }

// HashKey is the ticks.
func (d DateTime) HashKey() any { return DateTime{Ticks: d.Ticks} }

// CompareTo compares the ticks.
func (d DateTime) CompareTo(v any) int {
	e, ok := v.(DateTime)
	if !ok {
		csharp.Throw("System.ArgumentException", "Object must be of type DateTime.")
	}
	return compareInts(d.Ticks, e.Ticks)
}

func compareInts(a, b int64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func dateTicks(y, m, d int) int64 {
	if y < 1 || y > 9999 || m < 1 || m > 12 || d < 1 || d > daysInMonth(y, m) {
		csharp.Throw("System.ArgumentOutOfRangeException", "Year, Month, and Day parameters describe an un-representable DateTime.")
	}
	return NewDateTime(time.Date(y, time.Month(m), d, 0, 0, 0, 0, time.UTC)).Ticks
}

func timeTicks(h, m, s, ms int) int64 {
	if h < 0 || h > 23 || m < 0 || m > 59 || s < 0 || s > 59 {
		csharp.Throw("System.ArgumentOutOfRangeException", "Hour, Minute, and Second parameters describe an un-representable DateTime.")
	}
	if ms < 0 || ms > 999 {
		outOfRange("millisecond", "Valid values are between 0 and 999, inclusive.")
	}
	return int64(h*3600+m*60+s)*ticksPerSecond + int64(ms)*10_000
}

func isLeap(y int) bool { return y%4 == 0 && (y%100 != 0 || y%400 == 0) }

func daysInMonth(y, m int) int {
	if m == 2 && isLeap(y) {
		return 29
	}
	return []int{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}[m-1]
}

func (d DateTime) addTicks(ticks int64) DateTime { return d.plus(ticks, "value") }

// plus adds ticks; param is what .NET calls the addend.
func (d DateTime) plus(ticks int64, param string) DateTime {
	n := d.Ticks + ticks
	if n < 0 || n > maxTicks || ticks > maxTicks || ticks < -maxTicks {
		outOfRange(param, "The added or subtracted value results in an un-representable DateTime.")
	}
	return DateTime{n, d.Kind}
}

// addUnits adds a number of units, as AddDays does.
func (d DateTime) addUnits(v float64, unit int64) DateTime {
	return d.addTicks(scaleTicks(v, unit, "value"))
}

// scaleTicks turns a double of some unit into ticks. .NET keeps whole units and the fraction apart, then truncates.
func scaleTicks(v float64, unit int64, param string) int64 {
	if math.IsNaN(v) {
		return 0 // as .NET does
	}
	if math.Abs(v) > float64(maxTicks)/float64(unit)+1 {
		outOfRange(param, "Value to add was out of range.")
	}
	whole, frac := math.Modf(v)
	return int64(whole)*unit + int64(frac*float64(unit))
}

func (d DateTime) addMonths(n int) DateTime {
	if n < -120000 || n > 120000 {
		outOfRange("months", "Months value must be between +/-120000.")
	}
	t := d.Time()
	y, m, day := t.Date()
	i := int(m) - 1 + n
	y += i / 12
	if i %= 12; i < 0 {
		i += 12
		y--
	}
	if y < 1 || y > 9999 {
		outOfRange("months", "The added or subtracted value results in an un-representable DateTime.")
	}
	day = min(day, daysInMonth(y, i+1))
	return DateTime{dateTicks(y, i+1, day) + d.Ticks%ticksPerDay, d.Kind}
}

func (d DateTime) date() DateTime { return DateTime{d.Ticks - d.Ticks%ticksPerDay, d.Kind} }

func declareDateTime(b *csharp.Builder) {
	b.Enum("System.DateTimeKind", false, []string{"Unspecified", "Utc", "Local"}, []int64{0, 1, 2})
	b.Enum("System.DayOfWeek", false, []string{"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"}, []int64{0, 1, 2, 3, 4, 5, 6}).Outside()
	b.Enum("System.Globalization.DateTimeStyles", true,
		[]string{"None", "AllowLeadingWhite", "AllowTrailingWhite", "AllowInnerWhite", "AllowWhiteSpaces", "NoCurrentDateDefault", "AdjustToUniversal", "AssumeLocal", "AssumeUniversal", "RoundtripKind"},
		[]int64{0, 1, 2, 4, 7, 8, 16, 32, 64, 128}).Outside()
	t := b.Type("struct System.DateTime : IComparable, IFormattable, IComparable<DateTime>, IEquatable<DateTime>", csharp.Go[DateTime]())
	t.StaticProp("DateTime MinValue", csharp.F0(func() DateTime { return DateTime{} }))
	t.StaticProp("DateTime MaxValue", csharp.F0(func() DateTime { return DateTime{Ticks: maxTicks} }))
	t.StaticProp("DateTime UnixEpoch", csharp.F0(func() DateTime { return DateTime{unixEpochTicks, KindUTC} })).Outside()
	now := func(r run) DateTime { return NewDateTime(r.Now()) }
	local := func(r run) DateTime { return DateTime{now(r).Ticks, KindLocal} }
	t.StaticProp("DateTime UtcNow", csharp.F1(now))
	t.StaticProp("DateTime Now", csharp.F1(local))
	t.StaticProp("DateTime Today", csharp.F1(func(r run) DateTime { return local(r).date() }))
	declareDateTimeNew(t)
	declareDateTimeParts(t)
	declareDateTimeAdd(t)
	declareDateTimeOps(t)
	declareDateTimeText(t)
}

func kindOf(n int) Kind {
	if n < 0 || n > 2 {
		csharp.ThrowArgument("System.ArgumentException", "Invalid DateTimeKind value.", "kind")
	}
	return Kind(n)
}

// newTicks checks a number of ticks.
func newTicks(n int64, k Kind) DateTime {
	if n < 0 || n > maxTicks {
		outOfRange("ticks", "Ticks must be between DateTime.MinValue.Ticks and DateTime.MaxValue.Ticks.")
	}
	return DateTime{n, k}
}

// newDate makes a DateTime of its parts.
func newDate(y, mo, d, h, mi, s, ms int, k Kind) DateTime {
	return DateTime{dateTicks(y, mo, d) + timeTicks(h, mi, s, ms), k}
}

func declareDateTimeNew(t *csharp.TypeBuilder) {
	t.New("(long ticks)", csharp.F1(func(n int64) DateTime { return newTicks(n, KindUnspecified) }))
	t.New("(long ticks, DateTimeKind kind)", csharp.F2(func(n int64, k int) DateTime { return newTicks(n, kindOf(k)) }))
	t.New("(int year, int month, int day)", csharp.F3(func(y, m, d int) DateTime { return DateTime{Ticks: dateTicks(y, m, d)} }))
	t.New("(int year, int month, int day, int hour, int minute, int second)", csharp.F6(func(y, mo, d, h, mi, s int) DateTime {
		return DateTime{Ticks: dateTicks(y, mo, d) + timeTicks(h, mi, s, 0)}
	}))
	t.New("(int year, int month, int day, int hour, int minute, int second, DateTimeKind kind)", csharp.F7(func(y, mo, d, h, mi, s, k int) DateTime {
		return DateTime{dateTicks(y, mo, d) + timeTicks(h, mi, s, 0), kindOf(k)}
	}))
	t.New("(int year, int month, int day, int hour, int minute, int second, int millisecond)", csharp.F7(func(y, mo, d, h, mi, s, ms int) DateTime {
		return DateTime{Ticks: dateTicks(y, mo, d) + timeTicks(h, mi, s, ms)}
	}))
	t.New("(int year, int month, int day, int hour, int minute, int second, int millisecond, DateTimeKind kind)", csharp.F8(func(y, mo, d, h, mi, s, ms, k int) DateTime {
		return DateTime{dateTicks(y, mo, d) + timeTicks(h, mi, s, ms), kindOf(k)}
	}))
	t.New("(int year, int month, int day, int hour, int minute, int second, int millisecond, int microsecond)", csharp.F8(func(y, mo, d, h, mi, s, ms, us int) DateTime {
		at := DateTime{Ticks: dateTicks(y, mo, d) + timeTicks(h, mi, s, ms)}
		if us < 0 || us > 999 {
			outOfRange("microsecond", "Valid values are between 0 and 999, inclusive.")
		}
		at.Ticks += int64(us) * 10
		return at
	}))
	t.Static("DateTime SpecifyKind(DateTime value, DateTimeKind kind)", csharp.F2(func(d DateTime, k int) DateTime { return DateTime{d.Ticks, kindOf(k)} })).Outside()
	t.Static("int DaysInMonth(int year, int month)", csharp.F2(func(y, m int) int {
		if m < 1 || m > 12 {
			outOfRange("month", "Month must be between one and twelve.")
		}
		return daysInMonth(y, m)
	}))
	t.Static("bool IsLeapYear(int year)", csharp.F1(func(y int) bool {
		if y < 1 || y > 9999 {
			outOfRange("year", "Year must be between 1 and 9999.")
		}
		return isLeap(y)
	}))
}

func declareDateTimeParts(t *csharp.TypeBuilder) {
	for name, f := range map[string]func(time.Time) int{
		"Year": time.Time.Year, "Month": func(t time.Time) int { return int(t.Month()) }, "Day": time.Time.Day, "Hour": time.Time.Hour,
		"Minute": time.Time.Minute, "Second": time.Time.Second, "DayOfYear": time.Time.YearDay,
		"Millisecond": func(t time.Time) int { return t.Nanosecond() / 1e6 },
	} {
		t.Prop("int "+name, csharp.F1(func(d DateTime) int { return f(d.Time()) }))
	}
	t.Prop("long Ticks", csharp.F1(func(d DateTime) int64 { return d.Ticks }))
	t.Prop("DateTime Date", csharp.F1(DateTime.date))
	t.Prop("TimeSpan TimeOfDay", csharp.F1(func(d DateTime) TimeSpan { return TimeSpan(d.Ticks % ticksPerDay) }))
	t.Prop("DayOfWeek DayOfWeek", csharp.F1(func(d DateTime) int { return int(d.Time().Weekday()) }))
	t.Prop("DateTimeKind Kind", csharp.F1(func(d DateTime) int { return int(d.Kind) })).Outside()
	t.Method("bool IsDaylightSavingTime()", csharp.F1(func(DateTime) bool { return false }))
	t.Method("DateTime ToUniversalTime()", csharp.F1(func(d DateTime) DateTime { return DateTime{d.Ticks, KindUTC} })).Outside()
	t.Method("DateTime ToLocalTime()", csharp.F1(func(d DateTime) DateTime { return DateTime{d.Ticks, KindLocal} })).Outside()
}

func declareDateTimeAdd(t *csharp.TypeBuilder) {
	for name, unit := range map[string]int64{"Days": ticksPerDay, "Hours": 3600 * ticksPerSecond, "Minutes": 60 * ticksPerSecond, "Seconds": ticksPerSecond, "Milliseconds": 10_000} {
		t.Method("DateTime Add"+name+"(double value)", csharp.F2(func(d DateTime, v float64) DateTime { return d.addUnits(v, unit) }))
	}
	t.Method("DateTime AddTicks(long value)", csharp.F2(DateTime.addTicks))
	t.Method("DateTime AddMonths(int months)", csharp.F2(DateTime.addMonths))
	t.Method("DateTime AddYears(int value)", csharp.F2(func(d DateTime, n int) DateTime {
		if n < -10000 || n > 10000 {
			outOfRange("value", "Years value must be between +/-10000.")
		}
		return d.addMonths(12 * n)
	}))
	t.Method("DateTime Add(TimeSpan value)", csharp.F2(func(d DateTime, s TimeSpan) DateTime { return d.addTicks(int64(s)) }))
	t.Method("DateTime Subtract(TimeSpan value)", csharp.F2(func(d DateTime, s TimeSpan) DateTime { return d.addTicks(-int64(s)) }))
	t.Method("TimeSpan Subtract(DateTime value)", csharp.F2(func(d, e DateTime) TimeSpan { return TimeSpan(d.Ticks - e.Ticks) }))
}

// compareOps declares == != < > <= >= for a type by a comparison.
func compareOps[T any](t *csharp.TypeBuilder, name string, cmp func(a, b T) int) {
	for op, f := range map[string]func(int) bool{
		"==": func(n int) bool { return n == 0 }, "!=": func(n int) bool { return n != 0 }, "<": func(n int) bool { return n < 0 },
		">": func(n int) bool { return n > 0 }, "<=": func(n int) bool { return n <= 0 }, ">=": func(n int) bool { return n >= 0 },
	} {
		t.Op("bool operator "+op+"("+name+" a, "+name+" b)", csharp.F2(func(a, b T) bool { return f(cmp(a, b)) }))
	}
}

func declareDateTimeOps(t *csharp.TypeBuilder) {
	cmp := func(a, b DateTime) int { return compareInts(a.Ticks, b.Ticks) }
	compareOps(t, "DateTime", cmp)
	t.Method("int CompareTo(object value)", csharp.F2(func(a DateTime, b any) int { return compareTo("DateTime", a, b) }))
	t.Method("int CompareTo(DateTime value)", csharp.F2(cmp))
	t.Method("bool Equals(DateTime value)", csharp.F2(func(a, b DateTime) bool { return a.Ticks == b.Ticks }))
	t.Static("int Compare(DateTime t1, DateTime t2)", csharp.F2(cmp)).Outside()
	t.Static("bool Equals(DateTime t1, DateTime t2)", csharp.F2(func(a, b DateTime) bool { return a.Ticks == b.Ticks })).Outside()
	t.Op("DateTime operator +(DateTime d, TimeSpan t)", csharp.F2(func(d DateTime, s TimeSpan) DateTime { return d.plus(int64(s), "t") }))
	t.Op("DateTime operator -(DateTime d, TimeSpan t)", csharp.F2(func(d DateTime, s TimeSpan) DateTime { return d.plus(-int64(s), "t") }))
	t.Op("TimeSpan operator -(DateTime d1, DateTime d2)", csharp.F2(func(d, e DateTime) TimeSpan { return TimeSpan(d.Ticks - e.Ticks) }))
}

func declareDateTimeText(t *csharp.TypeBuilder) {
	t.Method("string ToString()", csharp.F1(DateTime.ToString))
	t.Method("string ToString(string format)", csharp.F2(DateTime.Format))
	t.Method("string ToString(IFormatProvider provider)", csharp.F2(func(d DateTime, _ any) string { return d.ToString() }))
	t.Method("string ToString(string format, IFormatProvider provider)", csharp.F3(func(d DateTime, f string, _ any) string { return d.Format(f) }))
	for name, f := range map[string]string{"ToShortDateString": "d", "ToLongDateString": "D", "ToShortTimeString": "t", "ToLongTimeString": "T"} {
		t.Method("string "+name+"()", csharp.F1(func(d DateTime) string { return d.Format(f) })).Outside()
	}
	t.Method("double ToOADate()", csharp.F1(func(d DateTime) float64 {
		return float64((d.Ticks-oleEpochTicks)/ticksPerMillisecond) / 86_400_000
	})).Outside()
	t.Static("DateTime FromOADate(double d)", csharp.F1(func(n float64) DateTime {
		return DateTime{Ticks: oleEpochTicks + int64(math.Round(n*86_400_000))*ticksPerMillisecond}
	})).Outside()
	t.Method("long ToFileTimeUtc()", csharp.F1(func(d DateTime) int64 { return d.Ticks - 504911232000000000 })).Outside()
	t.Static("DateTime Parse(string s)", csharp.F2(func(r run, s string) DateTime { return parseStyled(r, s, 0) }))
	t.Static("DateTime Parse(string s, IFormatProvider provider)", csharp.F3(func(r run, s string, _ any) DateTime { return parseStyled(r, s, 0) }))
	t.Static("DateTime Parse(string s, IFormatProvider provider, DateTimeStyles styles)", csharp.F4(func(r run, s string, _ any, n int) DateTime { return parseStyled(r, s, n) }))
	try := func(r run, p *parsedDate, ok bool, style int, out ref) bool {
		out.Value = DateTime{}
		if ok {
			out.Value, ok = p.dateTime(r.Now(), style)
		}
		return ok
	}
	t.Static("bool TryParse(string s, out DateTime result)", csharp.F3(func(r run, s string, out ref) bool {
		p, ok := parseDate(s)
		return try(r, p, ok, 0, out)
	})).Outside()
	t.Static("bool TryParse(string s, IFormatProvider provider, DateTimeStyles styles, out DateTime result)", csharp.F5(func(r run, s string, _ any, n int, out ref) bool {
		p, ok := parseDate(s)
		return try(r, p, ok, n, out)
	})).Outside()
	exact := func(r run, s, f string, style int) DateTime {
		needString(s, "s")
		needDateFormat(f)
		p, ok := parseExact(s, f, style)
		return dated(r, s, p, ok, style)
	}
	t.Static("DateTime ParseExact(string s, string format, IFormatProvider provider)", csharp.F4(func(r run, s, f string, _ any) DateTime { return exact(r, s, f, 0) })).Outside()
	t.Static("DateTime ParseExact(string s, string format, IFormatProvider provider, DateTimeStyles style)", csharp.F5(func(r run, s, f string, _ any, n int) DateTime { return exact(r, s, f, n) })).Outside()
	t.Static("bool TryParseExact(string s, string format, IFormatProvider provider, DateTimeStyles style, out DateTime result)", csharp.F6(func(r run, s, f string, _ any, n int, out ref) bool {
		p, ok := parseExact(s, f, n)
		return try(r, p, ok, n, out)
	})).Outside()
	t.Static("DateTime ParseExact(string s, string[] formats, IFormatProvider provider, DateTimeStyles style)", csharp.F5(func(r run, s string, formats array, _ any, n int) DateTime {
		needString(s, "s")
		p, ok := parseAnyExact(r, s, formats, n)
		return dated(r, s, p, ok, n)
	})).Outside()
	t.Static("bool TryParseExact(string s, string[] formats, IFormatProvider provider, DateTimeStyles style, out DateTime result)", csharp.F6(func(r run, s string, formats array, _ any, n int, out ref) bool {
		out.Value = DateTime{}
		if csharp.IsNull(s) || formats == nil || len(formats.Items) == 0 {
			return false
		}
		p, ok := parseAnyExact(r, s, formats, n)
		return try(r, p, ok, n, out)
	})).Outside()
	t.Static("bool TryParse(string s, IFormatProvider provider, out DateTime result)", csharp.F4(func(r run, s string, _ any, out ref) bool {
		p, ok := parseDate(s)
		return try(r, p, ok, 0, out)
	})).Outside()
}

// parseAnyExact reads a date by the first format that fits.
func parseAnyExact(r run, s string, formats array, style int) (*parsedDate, bool) {
	if formats == nil {
		csharp.ThrowArgumentNull("formats")
	}
	if len(formats.Items) == 0 {
		formatError("No format specifiers were provided.")
	}
	for _, f := range formats.Items {
		r.Step()
		if p, ok := parseExact(s, csharp.UnboxString(f), style); ok {
			return p, true
		}
	}
	return nil, false
}

func badDate(s string) {
	csharp.Throwf("System.FormatException", "String '%s' was not recognized as a valid DateTime.", s)
}

// badExact says what is wrong with a text that has the form of its format, when p is that text, or with one that has not.
func badExact(s string, p *parsedDate) {
	if p != nil && p.impossible {
		csharp.Throwf("System.FormatException", "The DateTime represented by the string '%s' is not supported in calendar 'System.Globalization.GregorianCalendar'.", s)
	}
	badDay(s, p)
	badDate(s)
}

// badDay refuses a date that has another weekday, or a time that its zone takes beyond the range.
func badDay(s string, p *parsedDate) {
	switch {
	case p == nil:
	case p.wrongWeekday:
		csharp.Throwf("System.FormatException", "String '%s' was not recognized as a valid DateTime because the day of week was incorrect.", s)
	case p.outOfRange:
		csharp.Throwf("System.FormatException", "The DateTime represented by the string '%s' is out of range.", s)
	}
}

// badText says what is wrong with a text without a format: a word that no date has, a time that no day has, or anything else.
func badText(s string) {
	if i := unknownWord(s); i >= 0 {
		csharp.Throwf("System.FormatException", "The string '%s' was not recognized as a valid DateTime. There is an unknown word starting at index '%d'.", s, csharp.Length(s[:i]))
	}
	if impossibleTime(s) {
		csharp.Throwf("System.FormatException", "The DateTime represented by the string '%s' is not supported in calendar 'System.Globalization.GregorianCalendar'.", s)
	}
	badDate(s)
}

func dated(r run, s string, p *parsedDate, ok bool, style int) DateTime {
	if ok {
		if d, ok := p.dateTime(r.Now(), style); ok {
			return d
		}
	}
	badExact(s, p)
	return DateTime{}
}

func parseStyled(r run, s string, style int) DateTime {
	needString(s, "s")
	if p, ok := parseDate(s); ok {
		if d, ok := p.dateTime(r.Now(), style); ok {
			return d
		}
		badDay(s, p)
	}
	badText(s)
	return DateTime{}
}

// Format is ToString(spec) in the invariant culture.
func (d DateTime) Format(spec string) string {
	if csharp.IsNull(spec) {
		spec = ""
	}
	return formatDate(spec, d, nil)
}
