package clr

import (
	"math/big"

	"github.com/causeway-apim/causeway/internal/csharp"
)

const ticksPerMicrosecond = 10

// wholeSpan adds whole numbers of units, exactly.
func wholeSpan(parts ...int64) TimeSpan {
	total := new(big.Int)
	for i := 0; i < len(parts); i += 2 {
		total.Add(total, new(big.Int).Mul(big.NewInt(parts[i]), big.NewInt(parts[i+1])))
	}
	if !total.IsInt64() {
		csharp.Throw("System.ArgumentOutOfRangeException", "TimeSpan overflowed because the duration is too long.")
	}
	return TimeSpan(total.Int64())
}

// declareSpanUnits declares the whole numbers of units and the microseconds that .NET 7 and 9 added.
func declareSpanUnits(t *csharp.TypeBuilder) {
	const day, hour, minute, second, milli, micro = ticksPerDay, ticksPerHour, ticksPerMinute, ticksPerSecond, ticksPerMillisecond, ticksPerMicrosecond
	const fromMinutes, fromSeconds, fromMillis = "long minutes = 0, ", "long seconds = 0, ", "long milliseconds = 0, long microseconds = 0)"
	t.Static("TimeSpan FromDays(int days)", csharp.F1(func(n int64) TimeSpan { return wholeSpan(n, day) }))
	t.Static("TimeSpan FromDays(int days, int hours = 0, "+fromMinutes+fromSeconds+fromMillis, csharp.F6(func(d, h, m, s, ms, us int64) TimeSpan {
		return wholeSpan(d, day, h, hour, m, minute, s, second, ms, milli, us, micro)
	}))
	t.Static("TimeSpan FromHours(int hours)", csharp.F1(func(n int64) TimeSpan { return wholeSpan(n, hour) }))
	t.Static("TimeSpan FromHours(int hours, "+fromMinutes+fromSeconds+fromMillis, csharp.F5(func(h, m, s, ms, us int64) TimeSpan {
		return wholeSpan(h, hour, m, minute, s, second, ms, milli, us, micro)
	}))
	t.Static("TimeSpan FromMinutes(long minutes)", csharp.F1(func(n int64) TimeSpan { return wholeSpan(n, minute) }))
	t.Static("TimeSpan FromMinutes(long minutes, "+fromSeconds+fromMillis, csharp.F4(func(m, s, ms, us int64) TimeSpan {
		return wholeSpan(m, minute, s, second, ms, milli, us, micro)
	}))
	t.Static("TimeSpan FromSeconds(long seconds)", csharp.F1(func(n int64) TimeSpan { return wholeSpan(n, second) }))
	t.Static("TimeSpan FromSeconds(long seconds, "+fromMillis, csharp.F3(func(s, ms, us int64) TimeSpan { return wholeSpan(s, second, ms, milli, us, micro) }))
	t.Static("TimeSpan FromMilliseconds(long milliseconds, long microseconds)", csharp.F2(func(ms, us int64) TimeSpan { return wholeSpan(ms, milli, us, micro) }))
	t.Static("TimeSpan FromMicroseconds(long microseconds)", csharp.F1(func(n int64) TimeSpan { return wholeSpan(n, micro) }))
	t.Static("TimeSpan FromMicroseconds(double value)", csharp.F1(func(v float64) TimeSpan { return spanOf(v, micro) }))
	t.New("(int days, int hours, int minutes, int seconds, int milliseconds, int microseconds)", csharp.F6(func(d, h, m, s, ms, us int64) TimeSpan {
		return wholeSpan(d, day, h, hour, m, minute, s, second, ms, milli, us, micro)
	}))
	t.Prop("int Microseconds", csharp.F1(func(s TimeSpan) int64 { return int64(s) / micro % 1000 }))
	t.Prop("int Nanoseconds", csharp.F1(func(s TimeSpan) int64 { return int64(s) % micro * 100 }))
	t.Prop("double TotalMicroseconds", csharp.F1(func(s TimeSpan) float64 { return float64(s) / micro }))
	t.Prop("double TotalNanoseconds", csharp.F1(func(s TimeSpan) float64 { return float64(s) * 100 }))
	t.Static("bool Equals(TimeSpan t1, TimeSpan t2)", csharp.F2(func(a, b TimeSpan) bool { return a == b }))
	units := []struct {
		name  string
		ticks int64
	}{{"Microsecond", micro}, {"Millisecond", milli}, {"Second", second}, {"Minute", minute}, {"Hour", hour}, {"Day", day}}
	t.Const("long NanosecondsPerTick", int64(100))
	t.Const("long TicksPerMicrosecond", int64(micro))
	for i, small := range units {
		for _, big := range units[i+1:] {
			if small.name == "Hour" {
				t.Const("int HoursPerDay", int32(24))
			} else {
				t.Const("long "+small.name+"sPer"+big.name, big.ticks/small.ticks)
			}
		}
	}
}
