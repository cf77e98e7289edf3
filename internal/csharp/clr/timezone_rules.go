package clr

import (
	"time"

	"github.com/causeway-apim/causeway/internal/csharp"
)

// A TransitionTime is System.TimeZoneInfo.TransitionTime: when in a year clocks are changed, on a date or on a weekday of a
// week of a month, of which the fifth is the last.
type TransitionTime struct {
	clock            DateTime // on 0001-01-01
	month, week, day int
	weekday          time.Weekday
	fixed            bool
}

// ClrName is System.TimeZoneInfo.TransitionTime.
func (TransitionTime) ClrName() string { return "System.TimeZoneInfo.TransitionTime" }

// ToString is the name of the type.
func (TransitionTime) ToString() string { return "System.TimeZoneInfo+TransitionTime" }

// Equals compares what counts for the kind of rule.
func (x TransitionTime) Equals(v any) bool {
	y, ok := v.(TransitionTime)
	return ok && x.normal() == y.normal()
}

// HashKey is equal for equal transitions.
func (x TransitionTime) HashKey() any { return x.normal() }

func (x TransitionTime) normal() TransitionTime {
	x.clock.Kind = KindUnspecified
	if x.fixed {
		x.week, x.weekday = 0, 0
	} else {
		x.day = 0
	}
	return x
}

// in is the clock reading of the transition in a year.
func (x TransitionTime) in(year int) int64 {
	day := x.day
	switch days := daysInMonth(year, x.month); {
	case x.fixed:
		day = min(day, days)
	case x.week <= 4:
		day = 1 + (int(x.weekday)-weekdayOf(year, x.month, 1)+7)%7 + 7*(x.week-1)
	default:
		day = days - (weekdayOf(year, x.month, days)-int(x.weekday)+7)%7
	}
	return dateTicks(year, x.month, day) + x.clock.Ticks
}

func weekdayOf(y, m, d int) int { return int((dateTicks(y, m, d)/ticksPerDay + 1) % 7) }

func needUnspecified(d DateTime, param string) {
	if d.Kind != KindUnspecified {
		csharp.ThrowArgument("System.ArgumentException", "The supplied DateTime must have the Kind property set to DateTimeKind.Unspecified.", param)
	}
}

func newTransition(x TransitionTime) TransitionTime {
	needUnspecified(x.clock, "timeOfDay")
	switch {
	case x.month < 1 || x.month > 12:
		outOfRange("month", "The Month parameter must be in the range 1 through 12.")
	case x.day < 1 || x.day > 31:
		outOfRange("day", "The Day parameter must be in the range 1 through 31.")
	case x.week < 1 || x.week > 5:
		outOfRange("week", "The Week parameter must be in the range 1 through 5.")
	case x.weekday < time.Sunday || x.weekday > time.Saturday:
		outOfRange("dayOfWeek", "The DayOfWeek enumeration must be in the range 0 through 6.")
	case x.clock.Ticks >= ticksPerDay || x.clock.Ticks%ticksPerMillisecond != 0:
		csharp.ThrowArgument("System.ArgumentException", "The supplied DateTime must have the Year, Month, and Day properties set to 1.  The time cannot be specified more precisely than whole milliseconds.", "timeOfDay")
	}
	return x
}

// fixedTransition is the transition at a clock reading, to the millisecond.
func fixedTransition(clock int64) TransitionTime {
	at := DateTime{Ticks: clock}.Time()
	within := clock % ticksPerDay
	return TransitionTime{clock: DateTime{Ticks: within - within%ticksPerMillisecond}, month: int(at.Month()), week: 1, day: at.Day(), fixed: true}
}

// An AdjustmentRule is System.TimeZoneInfo.AdjustmentRule: how the clocks of a zone are changed between two dates.
type AdjustmentRule struct {
	from, to    DateTime // dates
	delta, base TimeSpan // of daylight saving time to the zone's offset; of the zone's offset to its present one
	start, end  TransitionTime
}

// ClrName is System.TimeZoneInfo.AdjustmentRule.
func (*AdjustmentRule) ClrName() string { return "System.TimeZoneInfo.AdjustmentRule" }

// ToString is the name of the type.
func (*AdjustmentRule) ToString() string { return "System.TimeZoneInfo+AdjustmentRule" }

// Equals compares all parts.
func (a *AdjustmentRule) Equals(v any) bool {
	b, ok := v.(*AdjustmentRule)
	return ok && b != nil && a.from.Ticks == b.from.Ticks && a.to.Ticks == b.to.Ticks && a.delta == b.delta && a.base == b.base &&
		a.start.Equals(b.start) && a.end.Equals(b.end)
}

// HashKey is equal for equal rules.
func (a *AdjustmentRule) HashKey() any {
	b := *a
	b.from.Kind, b.to.Kind, b.start, b.end = KindUnspecified, KindUnspecified, b.start.normal(), b.end.normal()
	return b
}

const offsetMessage = "The TimeSpan parameter must be within plus or minus 14.0 hours."

func checkMinutes(d TimeSpan, param string) {
	if int64(d)%ticksPerMinute != 0 {
		csharp.ThrowArgument("System.ArgumentException", "The TimeSpan parameter cannot be specified more precisely than whole minutes.", param)
	}
}

func newRule(from, to DateTime, delta TimeSpan, start, end TransitionTime, base TimeSpan) *AdjustmentRule {
	const argument = "System.ArgumentException"
	needUnspecified(from, "dateStart")
	needUnspecified(to, "dateEnd")
	if start.Equals(end) {
		csharp.ThrowArgument(argument, "The DaylightTransitionStart property must not equal the DaylightTransitionEnd property.", "daylightTransitionEnd")
	}
	if from.Ticks > to.Ticks {
		csharp.ThrowArgument(argument, "The DateStart property must come before the DateEnd property.", "dateStart")
	}
	if delta < -23*TimeSpan(ticksPerHour) || delta > 14*TimeSpan(ticksPerHour) {
		csharp.ThrowActual(offsetMessage, "daylightDelta", delta.ToString())
	}
	checkMinutes(delta, "daylightDelta")
	for _, d := range []struct {
		at    DateTime
		param string
	}{{from, "dateStart"}, {to, "dateEnd"}} {
		if d.at.Ticks%ticksPerDay != 0 {
			csharp.ThrowArgument(argument, "The supplied DateTime includes a TimeOfDay setting.   This is not supported.", d.param)
		}
	}
	return &AdjustmentRule{from, to, delta, base, start, end}
}

// ruleAt finds the rule for a clock reading by the zone's present offset.
func ruleAt(rules []*AdjustmentRule, clock int64) *AdjustmentRule {
	for _, r := range rules {
		if clock >= r.from.Ticks && clock < r.to.Ticks+ticksPerDay {
			return r
		}
	}
	return nil
}

// byRules gives the offset of a custom zone at a moment and whether it is daylight saving time.
func (z *TimeZoneInfo) byRules(utc int64) (TimeSpan, bool) {
	clock := clampTicks(utc + int64(z.offset))
	r := ruleAt(z.rules, clock)
	if r == nil {
		return z.offset, false
	}
	standard := z.offset + r.base
	if r.delta == 0 {
		return standard, false
	}
	year := DateTime{Ticks: clock}.Time().Year()
	start, end := r.start.in(year)-int64(standard), r.end.in(year)-int64(standard)-int64(r.delta)
	dst := start <= utc && utc < end
	if start > end { // summer is at the turn of the year
		dst = utc < end || utc >= start
	}
	if dst {
		standard += r.delta
	}
	return standard, dst
}

func customZone(id string, base TimeSpan, display, standard, daylight string, rules []*AdjustmentRule) *TimeZoneInfo {
	needString(id, "id")
	if id == "" {
		csharp.ThrowArgument("System.ArgumentException", "The value cannot be an empty string.", "id")
	}
	if max(base, -base) > 14*TimeSpan(ticksPerHour) {
		outOfRange("baseUtcOffset", offsetMessage)
	}
	checkMinutes(base, "baseUtcOffset")
	for i, r := range rules {
		message := ""
		switch {
		case r == nil:
			message = "The AdjustmentRule array cannot contain null elements."
		case i > 0 && r.from.Ticks <= rules[i-1].to.Ticks:
			message = "The elements of the AdjustmentRule array must be in chronological order and must not overlap."
		case max(base+r.base+r.delta, -base-r.base-r.delta) > 14*TimeSpan(ticksPerHour):
			message = "The sum of the BaseUtcOffset and DaylightDelta properties must within plus or minus 14.0 hours."
		}
		if message != "" {
			csharp.Throw("System.InvalidTimeZoneException", message)
		}
	}
	return &TimeZoneInfo{id: id, display: display, standard: standard, daylight: daylight, offset: base, rules: rules, adjusts: len(rules) > 0}
}

func rulesOf(a any) []*AdjustmentRule {
	if a == nil {
		return nil
	}
	items := indexable(a)
	out := make([]*AdjustmentRule, len(items))
	for i, v := range items {
		out[i], _ = v.(*AdjustmentRule)
	}
	return out
}

func declareZoneRules(b *csharp.Builder) {
	t := b.Type("struct System.TimeZoneInfo.TransitionTime : IEquatable<TimeZoneInfo.TransitionTime>", csharp.Go[TransitionTime]())
	t.Static("TimeZoneInfo.TransitionTime CreateFixedDateRule(DateTime timeOfDay, int month, int day)", csharp.F3(func(clock DateTime, month, day int) TransitionTime {
		return newTransition(TransitionTime{clock: clock, month: month, week: 1, day: day, fixed: true})
	}))
	t.Static("TimeZoneInfo.TransitionTime CreateFloatingDateRule(DateTime timeOfDay, int month, int week, DayOfWeek dayOfWeek)", csharp.F4(func(clock DateTime, month, week, weekday int) TransitionTime {
		return newTransition(TransitionTime{clock: clock, month: month, week: week, day: 1, weekday: time.Weekday(weekday)})
	}))
	t.Prop("DateTime TimeOfDay", csharp.F1(func(x TransitionTime) DateTime { return x.clock }))
	for name, f := range map[string]func(TransitionTime) int{"Month": func(x TransitionTime) int { return x.month }, "Week": func(x TransitionTime) int { return x.week }, "Day": func(x TransitionTime) int { return x.day }} {
		t.Prop("int "+name, csharp.F1(f))
	}
	t.Prop("DayOfWeek DayOfWeek", csharp.F1(func(x TransitionTime) int { return int(x.weekday) }))
	t.Prop("bool IsFixedDateRule", csharp.F1(func(x TransitionTime) bool { return x.fixed }))
	t.Method("bool Equals(TimeZoneInfo.TransitionTime other)", csharp.F2(func(x, y TransitionTime) bool { return x.Equals(y) }))
	t.Op("bool operator ==(TimeZoneInfo.TransitionTime t1, TimeZoneInfo.TransitionTime t2)", csharp.F2(func(x, y TransitionTime) bool { return x.Equals(y) }))
	t.Op("bool operator !=(TimeZoneInfo.TransitionTime t1, TimeZoneInfo.TransitionTime t2)", csharp.F2(func(x, y TransitionTime) bool { return !x.Equals(y) }))

	r := b.Type("class System.TimeZoneInfo.AdjustmentRule : IEquatable<TimeZoneInfo.AdjustmentRule>", csharp.Go[*AdjustmentRule]())
	const create = "TimeZoneInfo.AdjustmentRule CreateAdjustmentRule(DateTime dateStart, DateTime dateEnd, TimeSpan daylightDelta, TimeZoneInfo.TransitionTime daylightTransitionStart, TimeZoneInfo.TransitionTime daylightTransitionEnd"
	r.Static(create+")", csharp.F5(func(from, to DateTime, delta TimeSpan, start, end TransitionTime) *AdjustmentRule {
		return newRule(from, to, delta, start, end, 0)
	}))
	r.Static(create+", TimeSpan baseUtcOffsetDelta)", csharp.F6(newRule))
	for name, f := range map[string]func(*AdjustmentRule) DateTime{"DateStart": func(a *AdjustmentRule) DateTime { return a.from }, "DateEnd": func(a *AdjustmentRule) DateTime { return a.to }} {
		r.Prop("DateTime "+name, csharp.F1(f))
	}
	for name, f := range map[string]func(*AdjustmentRule) TimeSpan{"DaylightDelta": func(a *AdjustmentRule) TimeSpan { return a.delta }, "BaseUtcOffsetDelta": func(a *AdjustmentRule) TimeSpan { return a.base }} {
		r.Prop("TimeSpan "+name, csharp.F1(f))
	}
	for name, f := range map[string]func(*AdjustmentRule) TransitionTime{"DaylightTransitionStart": func(a *AdjustmentRule) TransitionTime { return a.start }, "DaylightTransitionEnd": func(a *AdjustmentRule) TransitionTime { return a.end }} {
		r.Prop("TimeZoneInfo.TransitionTime "+name, csharp.F1(f))
	}
	r.Method("bool Equals(TimeZoneInfo.AdjustmentRule other)", csharp.F2(func(a *AdjustmentRule, b any) bool { return a.Equals(b) }))
}

// declareZoneWithRules declares the members of TimeZoneInfo that have to do with rules.
func declareZoneWithRules(t *csharp.TypeBuilder) {
	const custom = "TimeZoneInfo CreateCustomTimeZone(string id, TimeSpan baseUtcOffset, string displayName, string standardDisplayName"
	t.Static(custom+")", csharp.F4(func(id string, off TimeSpan, display, standard string) *TimeZoneInfo {
		return customZone(id, off, display, standard, standard, nil)
	}))
	t.Static(custom+", string daylightDisplayName, TimeZoneInfo.AdjustmentRule[] adjustmentRules)", csharp.F6(func(id string, off TimeSpan, display, standard, daylight string, rules any) *TimeZoneInfo {
		return customZone(id, off, display, standard, daylight, rulesOf(rules))
	}))
	t.Static(custom+", string daylightDisplayName, TimeZoneInfo.AdjustmentRule[] adjustmentRules, bool disableDaylightSavingTime)", csharp.F7(func(id string, off TimeSpan, display, standard, daylight string, rules any, without bool) *TimeZoneInfo {
		z := customZone(id, off, display, standard, daylight, rulesOf(rules))
		if without {
			z.rules, z.adjusts, z.daylight = nil, false, ""
		}
		return z
	}))
	t.Method("TimeZoneInfo.AdjustmentRule[] GetAdjustmentRules()", csharp.F3(func(t resultType, r run, z *TimeZoneInfo) any {
		rules := z.adjustments()
		r.Alloc(160 * len(rules))
		items := make([]any, len(rules))
		for i, x := range rules {
			items[i] = x
		}
		return t.Elem().MakeArray(items)
	}))
	t.Method("bool HasSameRules(TimeZoneInfo other)", csharp.F2(func(z, o *TimeZoneInfo) bool {
		if o == nil {
			csharp.ThrowArgumentNull("other")
		}
		return z.sameRules(o)
	}))
	ambiguous := func(r run, z *TimeZoneInfo, list []TimeSpan, yes bool) any {
		if !yes || len(list) < 2 {
			csharp.ThrowArgument("System.ArgumentException", "The supplied DateTime is not in an ambiguous time range.", "dateTime")
		}
		return r.Library().MustType("System.TimeSpan").MakeArray([]any{list[0], list[1]})
	}
	t.Method("TimeSpan[] GetAmbiguousTimeOffsets(DateTime dateTime)", csharp.F3(func(r run, z *TimeZoneInfo, d DateTime) any {
		return ambiguous(r, z, z.wall(d.Ticks), d.Kind == KindUnspecified || d.Kind == z.kind)
	}))
	t.Method("TimeSpan[] GetAmbiguousTimeOffsets(DateTimeOffset dateTimeOffset)", csharp.F3(func(r run, z *TimeZoneInfo, o DateTimeOffset) any {
		return ambiguous(r, z, z.wall(z.fromOffset(o).Clock), true)
	}))
	t.Method("bool IsAmbiguousTime(DateTimeOffset dateTimeOffset)", csharp.F2(func(z *TimeZoneInfo, o DateTimeOffset) bool {
		return len(z.wall(z.fromOffset(o).Clock)) > 1
	}))
	t.Static("void ClearCachedData()", csharp.V1(func(run) {}))
}
