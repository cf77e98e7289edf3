package clr

import (
	"strings"
	"sync"
	"time"
)

// zones keeps what was read of the time zone database, by name. It is safe for concurrent use; only names that exist are kept.
type zones struct{ known sync.Map }

// A zoneData is a zone of the database with the moments at which its clocks change.
type zoneData struct {
	loc   *time.Location
	steps []zoneStep // in order; the first is from the beginning
	rule  *yearlyRule
}

// A zoneStep is a moment from which an offset holds.
type zoneStep struct {
	from    int64 // ticks in UTC
	offset  TimeSpan
	dst     bool
	numeric bool // the abbreviation is a number, such as +03
}

// yearlyRule is the rule by which a zone goes on after its last step.
type yearlyRule struct {
	start, end         TransitionTime // into and out of daylight saving time
	standard, daylight TimeSpan
	// Rules of the database can have hours beyond the day, such as 26 or -1, which a TransitionTime cannot: these are the days
	// from the true change to that of the transition.
	startShift, endShift int64
}

func (zs *zones) load(name string) (*zoneData, bool) {
	if d, ok := zs.known.Load(name); ok {
		return d.(*zoneData), true
	}
	name = strings.Clone(name) // which may end with the request
	loc, err := time.LoadLocation(name)
	if err != nil {
		return nil, false
	}
	d, _ := zs.known.LoadOrStore(name, newZoneData(loc))
	return d.(*zoneData), true
}

// lastListedYear is the last year for which files of the database list single changes, though a rule could tell them: so they
// are compiled for the sake of old readers.
const lastListedYear = 2037

// lastSecond is the last moment that 32 bits of seconds can tell.
const lastSecond = unixEpochTicks + (1<<31-1)*ticksPerSecond

func newZoneData(loc *time.Location) *zoneData {
	d := &zoneData{loc: loc, rule: ruleOf(loc)}
	for t := (DateTime{}).Time(); ; {
		name, seconds := t.In(loc).Zone()
		s := zoneStep{NewDateTime(t).Ticks, TimeSpan(int64(seconds) * ticksPerSecond), t.In(loc).IsDST(), strings.ContainsAny(name, "+-")}
		n := len(d.steps) - 1
		if d.rule == nil || n < 0 || s.from%ticksPerDay != 0 && s.from != lastSecond || s.offset != d.steps[n].offset || s.dst != d.steps[n].dst {
			d.steps = append(d.steps, s)
		}
		var more bool
		if t, more = nextChange(loc, t); !more || t.Year() > 2100 {
			break
		}
	}
	if d.rule == nil {
		return d
	}
	// After 2037 single changes are listed up to the last year that the rule does not tell.
	listed := lastListedYear
	for i := 1; i < len(d.steps); i++ {
		told, days := d.rule.end, d.rule.endShift
		if d.steps[i].dst {
			told, days = d.rule.start, d.rule.startShift
		}
		clock := d.steps[i].from + int64(d.steps[i-1].offset) + days*ticksPerDay
		if year := (DateTime{Ticks: clock}).Time().Year(); told.in(year) != clock {
			listed = max(listed, year)
		}
	}
	for len(d.steps) > 0 && (DateTime{Ticks: d.steps[len(d.steps)-1].from}).Time().Year() > listed {
		d.steps = d.steps[:len(d.steps)-1]
	}
	// A zone whose abbreviations are numbers has a change of nothing where 32 bits of seconds end, for the sake of a library.
	if last := d.steps[len(d.steps)-1]; last.from < lastSecond && (last.numeric || d.steps[len(d.steps)-2].numeric) {
		last.from = lastSecond
		d.steps = append(d.steps, last)
	}
	return d
}

// nextChange is the next moment at which the clocks of a zone may change. Where package time goes by a rule it knows no further
// than the turn of the year, give or take a day.
func nextChange(loc *time.Location, t time.Time) (time.Time, bool) {
	_, end := t.In(loc).ZoneBounds()
	if end.IsZero() {
		return t, false
	}
	if end = end.UTC(); !end.After(t) {
		end = t.Add(24 * time.Hour)
	}
	return end, true
}

// ruleOf finds the rule that a zone follows in the far future; nil when its clocks do not change.
func ruleOf(loc *time.Location) *yearlyRule {
	const from, years = 2400, 28 // all calendars of a year
	t := time.Date(from, 1, 1, 0, 0, 0, 0, time.UTC)
	var r yearlyRule
	var starts, ends []int64
	for more := true; more; {
		_, before := t.In(loc).Zone()
		was := t.In(loc).IsDST()
		if t, more = nextChange(loc, t); t.Year() >= from+years {
			break
		}
		clock := NewDateTime(t).Ticks + int64(before)*ticksPerSecond
		_, after := t.In(loc).Zone()
		if before == after && was == t.In(loc).IsDST() {
			continue
		}
		if offset := TimeSpan(int64(after) * ticksPerSecond); t.In(loc).IsDST() {
			r.daylight, starts = offset, append(starts, clock)
		} else {
			r.standard, ends = offset, append(ends, clock)
		}
	}
	var ok1, ok2 bool
	r.start, r.startShift, ok1 = fitTransition(starts)
	r.end, r.endShift, ok2 = fitTransition(ends)
	if !ok1 || !ok2 {
		return nil
	}
	return &r
}

// fitTransition finds the transition that tells all those clock readings, shifted by the days that it gives.
func fitTransition(clocks []int64) (x TransitionTime, shift int64, ok bool) {
	if len(clocks) == 0 {
		return x, 0, false
	}
	for _, shift := range []int64{0, 1, -1, -2, -3, -4, -5, -6} {
		x := TransitionTime{clock: DateTime{Ticks: clocks[0] % ticksPerDay}, day: 1}
		if shift > 0 && x.clock.Ticks < ticksPerDay/2 {
			continue // the rule has few hours before the day or many after it
		}
		at := DateTime{Ticks: clocks[0] + shift*ticksPerDay}.Time()
		x.month, x.weekday = int(at.Month()), at.Weekday()
		for x.week = 5; x.week > 0; x.week-- {
			fits := true
			for _, c := range clocks {
				c += shift * ticksPerDay
				fits = fits && x.in(DateTime{Ticks: c}.Time().Year()) == c
			}
			if fits {
				return x, shift, true
			}
		}
	}
	x = fixedTransition(clocks[0])
	for _, c := range clocks {
		if x.in(DateTime{Ticks: c}.Time().Year()) != c {
			return x, 0, false
		}
	}
	return x, 0, true
}

// base is the standard offset that holds at a moment, with its seconds.
func (d *zoneData) base(utc int64) TimeSpan {
	out := d.steps[0].offset
	for _, s := range d.steps {
		if s.from <= utc && !s.dst {
			out = s.offset
		}
	}
	return out
}

// wholeMinutes drops seconds, which offsets do not have in .NET; together with them whole days go.
func wholeMinutes(s TimeSpan) TimeSpan {
	if s%TimeSpan(ticksPerMinute) != 0 {
		s %= TimeSpan(ticksPerDay)
	}
	return s - s%TimeSpan(ticksPerMinute)
}

// adjustments are the zone's rules as .NET on Linux makes them of the database: one for each time in which another offset than
// the present one holds, cut at the turns of years, and one for the rule that holds for good.
func (z *TimeZoneInfo) adjustments() []*AdjustmentRule {
	if z.data == nil {
		return z.rules
	}
	var out []*AdjustmentRule
	steps := z.data.steps
	for i := 0; i < len(steps) && len(steps) > 1; i++ {
		s := steps[i]
		last := i == len(steps)-1
		if last && z.data.rule != nil {
			y := z.data.rule
			standard := wholeMinutes(y.standard - z.offset)
			from := DateTime{Ticks: s.from + int64(z.offset)}
			out = append(out, &AdjustmentRule{from.date(), DateTime{Ticks: maxTicks}.date(), wholeMinutes(y.daylight - z.offset - standard), standard, y.start, y.end})
			break
		}
		var delta, base TimeSpan
		if d := wholeMinutes(s.offset - z.offset); s.dst && i > 0 {
			if delta = d; d <= -23*TimeSpan(ticksPerHour) { // a zone on the other side of the date line: the day goes into the base
				delta, base = d+TimeSpan(ticksPerDay), -TimeSpan(ticksPerDay)
			}
		} else {
			const most = 14 * TimeSpan(ticksPerHour)
			base = min(max(z.offset+d, -most), most) - z.offset
		}
		if delta == 0 && base == 0 && !(s.dst && i > 0 && !last) {
			continue
		}
		from, to := int64(0), int64(maxTicks)
		if i > 0 {
			from = s.from + int64(z.offset)
		}
		if !last {
			to = steps[i+1].from - 1 + int64(z.offset) + int64(delta)
		}
		out = appendByYears(out, AdjustmentRule{delta: delta, base: base}, from, to)
	}
	return out
}

// appendByYears appends a rule for the time between two clock readings: a rule tells changes of every year, so that the first
// and the last year stand apart.
func appendByYears(out []*AdjustmentRule, r AdjustmentRule, from, to int64) []*AdjustmentRule {
	add := func(from, to int64) {
		x := r
		x.from, x.to = DateTime{Ticks: from}.date(), DateTime{Ticks: to}.date()
		x.start, x.end = fixedTransition(from), fixedTransition(to)
		out = append(out, &x)
	}
	first, last := DateTime{Ticks: from}.Time().Year(), DateTime{Ticks: to}.Time().Year()
	if first == last {
		add(from, to)
		return out
	}
	add(from, dateTicks(first+1, 1, 1)-ticksPerMillisecond)
	if last-first > 1 {
		add(dateTicks(first+1, 1, 1), dateTicks(last, 1, 1)-ticksPerMillisecond)
	}
	add(dateTicks(last, 1, 1), to)
	return out
}
