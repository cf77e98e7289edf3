package clr

import (
	"slices"
	"strings"
	"sync"
	_ "time/tzdata" // images without zone files must know the zones too

	"github.com/causeway-apim/causeway/internal/csharp"
)

// A TimeZoneInfo is System.TimeZoneInfo: a zone of the IANA database under the identifier it was asked for by, which may be
// a Windows one, or a zone that an expression made.
type TimeZoneInfo struct {
	id, display, standard, daylight string
	data                            *zoneData // of the database; nil for one of an expression
	offset                          TimeSpan  // BaseUtcOffset
	rules                           []*AdjustmentRule
	adjusts                         bool // SupportsDaylightSavingTime
	kind                            Kind // of times converted to it
}

var (
	zoneUTC   = sync.OnceValue(func() *TimeZoneInfo { return utcZone("UTC", KindUTC) })
	zoneLocal = sync.OnceValue(func() *TimeZoneInfo { return utcZone("Etc/UTC", KindLocal) })
)

func utcZone(id string, k Kind) *TimeZoneInfo {
	const name = "Coordinated Universal Time"
	return &TimeZoneInfo{id: id, display: "(UTC) " + name, standard: name, daylight: name, kind: k}
}

// ClrName is System.TimeZoneInfo.
func (*TimeZoneInfo) ClrName() string { return "System.TimeZoneInfo" }

// ToString is the display name.
func (z *TimeZoneInfo) ToString() string { return z.display }

// Equals compares identifiers and rules.
func (z *TimeZoneInfo) Equals(o any) bool {
	x, ok := o.(*TimeZoneInfo)
	return ok && x != nil && strings.EqualFold(x.id, z.id) && z.sameRules(x)
}

// HashKey is equal for equal zones.
func (z *TimeZoneInfo) HashKey() any { return "TimeZoneInfo " + strings.ToUpper(z.id) }

// sameRules is HasSameRules.
func (z *TimeZoneInfo) sameRules(o *TimeZoneInfo) bool {
	if z.data != nil && z.data == o.data {
		return true
	}
	a, b := z.adjustments(), o.adjustments()
	return z.offset == o.offset && z.adjusts == o.adjusts && slices.EqualFunc(a, b, func(x, y *AdjustmentRule) bool { return x.Equals(y) })
}

// find finds a zone by its IANA or Windows identifier.
func (zs *zones) find(r run, id string) (*TimeZoneInfo, bool) {
	switch id {
	case "UTC", "utc":
		return zoneUTC(), true
	case "", "Local":
		return nil, false
	}
	name := id
	if iana, ok := ianaZone(id); ok {
		name = iana
	}
	data, ok := zs.load(name)
	if !ok {
		return nil, false
	}
	z := &TimeZoneInfo{id: id, data: data, offset: wholeMinutes(data.base(NewDateTime(r.Now()).Ticks)), adjusts: len(data.steps) > 1}
	z.standard, z.daylight = id, strings.Replace(id, "Standard Time", "Daylight Time", 1)
	off, sign := z.offset, "+"
	if off < 0 {
		sign, off = "-", -off
	}
	_, h, m, _, _ := off.parts()
	z.display = "(UTC" + sign + two(h) + ":" + two(m) + ") " + id
	return z, true
}

func (zs *zones) must(r run, id string) *TimeZoneInfo {
	needString(id, "id")
	z, ok := zs.find(r, id)
	if !ok {
		csharp.Throwf("System.TimeZoneNotFoundException", "The time zone ID '%s' was not found on the local computer.", id)
	}
	return z
}

// ianaZone maps a Windows identifier (Unicode CLDR, territory 001).
func ianaZone(id string) (string, bool) {
	for _, line := range strings.Split(windowsZones, "\n") {
		if w, iana, ok := strings.Cut(line, "="); ok && w == id {
			return iana, true
		}
	}
	return "", false
}

// at is the offset at a moment and whether it is daylight saving time.
func (z *TimeZoneInfo) at(utc int64) (TimeSpan, bool) {
	if z.data == nil {
		return z.byRules(utc)
	}
	t := DateTime{Ticks: utc}.Time().In(z.data.loc)
	_, seconds := t.Zone()
	off := TimeSpan(int64(seconds) * ticksPerSecond)
	if seconds%60 != 0 {
		off = z.offset + wholeMinutes(off-z.offset)
	}
	return off, t.IsDST()
}

// wall gives the offsets that a clock reading can have: none when the clock skips it, two when it shows it twice, the later
// moment (standard time) first.
func (z *TimeZoneInfo) wall(clock int64) []TimeSpan {
	before, _ := z.at(max(clock-ticksPerDay, 0))
	after, _ := z.at(min(clock+ticksPerDay, maxTicks))
	var out []TimeSpan
	for _, off := range []TimeSpan{min(before, after), max(before, after)} {
		if have, _ := z.at(min(max(clock-int64(off), 0), maxTicks)); have == off && (len(out) == 0 || out[0] != off) {
			out = append(out, off)
		}
	}
	return out
}

// offsetOf is GetUtcOffset: of a clock reading, or of a moment when the time has a kind.
func (z *TimeZoneInfo) offsetOf(d DateTime) TimeSpan {
	if d.Kind != KindUnspecified && d.Kind != z.kind {
		off, _ := z.at(d.Ticks)
		return off
	}
	if list := z.wall(d.Ticks); len(list) > 0 {
		return list[0]
	}
	return z.offset
}

// toUTC is the moment of a clock reading in the zone.
func (z *TimeZoneInfo) toUTC(d DateTime) DateTime {
	if d.Kind != KindUnspecified && d.Kind != z.kind {
		csharp.ThrowArgument("System.ArgumentException", "The conversion could not be completed because the supplied DateTime did not have the Kind property set correctly.  For example, when the Kind property is DateTimeKind.Local, the source time zone must be TimeZoneInfo.Local.", "sourceTimeZone")
	}
	list := z.wall(d.Ticks)
	if len(list) == 0 {
		csharp.ThrowArgument("System.ArgumentException", "The supplied DateTime represents an invalid time.  For example, when the clock is adjusted forward, any time in the period that is skipped is invalid.", "dateTime")
	}
	return DateTime{clampTicks(d.Ticks - int64(list[0])), KindUTC}
}

func clampTicks(n int64) int64 { return min(max(n, 0), maxTicks) }

// fromUTC is the clock reading at a moment.
func (z *TimeZoneInfo) fromUTC(d DateTime) DateTime {
	off, _ := z.at(d.Ticks)
	return DateTime{clampTicks(d.Ticks + int64(off)), z.kind}
}

// zoneOf is the zone that a time's kind stands for.
func zoneOf(d DateTime) *TimeZoneInfo {
	if d.Kind == KindUTC {
		return zoneUTC()
	}
	return zoneLocal()
}

func convertZone(d DateTime, from, to *TimeZoneInfo) DateTime {
	if from == nil || to == nil {
		csharp.ThrowArgumentNull("destinationTimeZone")
	}
	return to.fromUTC(from.toUTC(d))
}

func (z *TimeZoneInfo) fromOffset(o DateTimeOffset) DateTimeOffset {
	off, _ := z.at(o.utc())
	return DateTimeOffset{clampTicks(o.utc() + int64(off)), off}
}

func declareTimeZone(b *csharp.Builder) {
	t := b.Type("class System.TimeZoneInfo : IEquatable<TimeZoneInfo>", csharp.Go[*TimeZoneInfo]())
	zs := new(zones)
	t.StaticProp("TimeZoneInfo Utc", csharp.F0(zoneUTC))
	t.StaticProp("TimeZoneInfo Local", csharp.F0(zoneLocal))
	for name, f := range map[string]func(z *TimeZoneInfo) string{
		"Id": func(z *TimeZoneInfo) string { return z.id }, "DisplayName": func(z *TimeZoneInfo) string { return z.display },
		"StandardName": func(z *TimeZoneInfo) string { return z.standard }, "DaylightName": func(z *TimeZoneInfo) string { return z.daylight },
	} {
		t.Prop("string "+name, csharp.F1(f))
	}
	t.Prop("TimeSpan BaseUtcOffset", csharp.F1(func(z *TimeZoneInfo) TimeSpan { return z.offset }))
	t.Prop("bool SupportsDaylightSavingTime", csharp.F1(func(z *TimeZoneInfo) bool { return z.adjusts }))
	t.Prop("bool HasIanaId", csharp.F1(func(z *TimeZoneInfo) bool {
		_, windows := ianaZone(z.id)
		return !windows && (z.data != nil || z.kind != KindUnspecified)
	}))
	t.Static("TimeZoneInfo FindSystemTimeZoneById(string id)", csharp.F2(zs.must))
	t.Static("bool TryFindSystemTimeZoneById(string id, out TimeZoneInfo timeZoneInfo)", csharp.F3(func(r run, id string, out ref) bool {
		z, ok := zs.find(r, id)
		out.Value = nil
		if ok {
			out.Value = z
		}
		return ok
	}))
	t.Static("bool TryConvertWindowsIdToIanaId(string windowsId, out string ianaId)", csharp.F2(func(id string, out ref) bool {
		name, ok := ianaZone(id)
		out.Value = nil
		if ok {
			out.Value = name
		}
		return ok
	}))
	t.Method("bool Equals(TimeZoneInfo other)", csharp.F2(func(z *TimeZoneInfo, o any) bool { return z.Equals(o) }))
	declareZoneRules(b)
	declareZoneWithRules(t)
	declareZoneConversions(t, zs)
	declareZoneQuestions(t)
	old := b.Type("class System.TimeZone", csharp.Go[*TimeZoneInfo]())
	old.StaticProp("TimeZone CurrentTimeZone", csharp.F0(zoneLocal))
	old.Prop("string StandardName", csharp.F1(func(z *TimeZoneInfo) string { return z.standard }))
	old.Prop("string DaylightName", csharp.F1(func(z *TimeZoneInfo) string { return z.daylight }))
	old.Method("TimeSpan GetUtcOffset(DateTime time)", csharp.F2((*TimeZoneInfo).offsetOf))
	old.Method("bool IsDaylightSavingTime(DateTime time)", csharp.F2(func(*TimeZoneInfo, DateTime) bool { return false }))
	old.Method("DateTime ToLocalTime(DateTime time)", csharp.F2(func(_ *TimeZoneInfo, d DateTime) DateTime { return DateTime{d.Ticks, KindLocal} }))
	old.Method("DateTime ToUniversalTime(DateTime time)", csharp.F2(func(_ *TimeZoneInfo, d DateTime) DateTime { return DateTime{d.Ticks, KindUTC} }))
}

func declareZoneConversions(t *csharp.TypeBuilder, zs *zones) {
	t.Static("DateTime ConvertTimeFromUtc(DateTime dateTime, TimeZoneInfo destinationTimeZone)", csharp.F2(func(d DateTime, to *TimeZoneInfo) DateTime {
		if d.Kind == KindUnspecified {
			d.Kind = KindUTC
		}
		return convertZone(d, zoneUTC(), to)
	}))
	t.Static("DateTime ConvertTimeToUtc(DateTime dateTime)", csharp.F1(func(d DateTime) DateTime { return DateTime{d.Ticks, KindUTC} }))
	t.Static("DateTime ConvertTimeToUtc(DateTime dateTime, TimeZoneInfo sourceTimeZone)", csharp.F2(func(d DateTime, from *TimeZoneInfo) DateTime {
		return convertZone(d, from, zoneUTC())
	}))
	t.Static("DateTime ConvertTime(DateTime dateTime, TimeZoneInfo destinationTimeZone)", csharp.F2(func(d DateTime, to *TimeZoneInfo) DateTime {
		return convertZone(d, zoneOf(d), to)
	}))
	t.Static("DateTime ConvertTime(DateTime dateTime, TimeZoneInfo sourceTimeZone, TimeZoneInfo destinationTimeZone)", csharp.F3(convertZone))
	t.Static("DateTimeOffset ConvertTime(DateTimeOffset dateTimeOffset, TimeZoneInfo destinationTimeZone)",
		csharp.F2(func(o DateTimeOffset, to *TimeZoneInfo) DateTimeOffset { return to.fromOffset(o) }))
	t.Static("DateTime ConvertTimeBySystemTimeZoneId(DateTime dateTime, string destinationTimeZoneId)", csharp.F3(func(r run, d DateTime, to string) DateTime {
		return convertZone(d, zoneOf(d), zs.must(r, to))
	}))
	t.Static("DateTime ConvertTimeBySystemTimeZoneId(DateTime dateTime, string sourceTimeZoneId, string destinationTimeZoneId)",
		csharp.F4(func(r run, d DateTime, from, to string) DateTime {
			return convertZone(d, zs.must(r, from), zs.must(r, to))
		}))
	t.Static("DateTimeOffset ConvertTimeBySystemTimeZoneId(DateTimeOffset dateTimeOffset, string destinationTimeZoneId)",
		csharp.F3(func(r run, o DateTimeOffset, to string) DateTimeOffset { return zs.must(r, to).fromOffset(o) }))
}

func declareZoneQuestions(t *csharp.TypeBuilder) {
	daylight := func(z *TimeZoneInfo, utc int64) bool { _, dst := z.at(clampTicks(utc)); return dst }
	t.Method("TimeSpan GetUtcOffset(DateTime dateTime)", csharp.F2((*TimeZoneInfo).offsetOf))
	t.Method("TimeSpan GetUtcOffset(DateTimeOffset dateTimeOffset)", csharp.F2(func(z *TimeZoneInfo, o DateTimeOffset) TimeSpan { return z.fromOffset(o).Offset }))
	t.Method("bool IsDaylightSavingTime(DateTime dateTime)", csharp.F2(func(z *TimeZoneInfo, d DateTime) bool {
		if d.Kind != KindUnspecified {
			return daylight(z, d.Ticks)
		}
		list := z.wall(d.Ticks)
		return len(list) == 1 && daylight(z, d.Ticks-int64(list[0]))
	}))
	t.Method("bool IsDaylightSavingTime(DateTimeOffset dateTimeOffset)", csharp.F2(func(z *TimeZoneInfo, o DateTimeOffset) bool { return daylight(z, o.utc()) }))
	t.Method("bool IsInvalidTime(DateTime dateTime)", csharp.F2(func(z *TimeZoneInfo, d DateTime) bool {
		return d.Kind == KindUnspecified && len(z.wall(d.Ticks)) == 0
	}))
	t.Method("bool IsAmbiguousTime(DateTime dateTime)", csharp.F2(func(z *TimeZoneInfo, d DateTime) bool {
		return d.Kind == KindUnspecified && len(z.wall(d.Ticks)) > 1
	}))
}
