package telemetry

import "runtime/metrics"

// systemSource is where a system metric comes from: runtime/metrics, or its own function.
type systemSource struct {
	name, unit string
	gauge      bool
	labels     []Label
	sample     string
	read       func() (float64, bool)
}

// systemSources are the system metrics, by OpenTelemetry's semantic conventions for processes and for the Go runtime.
func systemSources() []systemSource {
	user := []Label{{"cpu.mode", "user"}}
	system := []Label{{"cpu.mode", "system"}}
	return []systemSource{
		{name: "process.cpu.time", unit: "s", labels: user, read: func() (float64, bool) { u, _, ok := processTimes(); return u.Seconds(), ok }},
		{name: "process.cpu.time", unit: "s", labels: system, read: func() (float64, bool) { _, s, ok := processTimes(); return s.Seconds(), ok }},
		{name: "process.memory.usage", unit: "By", gauge: true, read: residentMemory},
		{name: "go.memory.used", unit: "By", gauge: true, sample: "/memory/classes/total:bytes"},
		{name: "go.memory.allocated", unit: "By", sample: "/gc/heap/allocs:bytes"},
		{name: "go.memory.allocations", unit: "{allocation}", sample: "/gc/heap/allocs:objects"},
		{name: "go.memory.gc.goal", unit: "By", gauge: true, sample: "/gc/heap/goal:bytes"},
		{name: "go.gc.cycles", unit: "{cycle}", sample: "/gc/cycles/total:gc-cycles"},
		{name: "go.gc.cpu.time", unit: "s", sample: "/cpu/classes/gc/total:cpu-seconds"},
		{name: "go.goroutine.count", unit: "{goroutine}", gauge: true, sample: "/sched/goroutines:goroutines"},
		{name: "go.processor.limit", unit: "{thread}", gauge: true, sample: "/sched/gomaxprocs:threads"},
	}
}

// systemSeries are the system metrics as they are now; what the platform does not tell is left out.
func systemSeries() []Series {
	sources := systemSources()
	samples := make([]metrics.Sample, len(sources))
	for i := range sources {
		if samples[i].Name = sources[i].sample; samples[i].Name == "" {
			samples[i].Name = "/sched/goroutines:goroutines" // any: it is not looked at
		}
	}
	metrics.Read(samples)
	var series []Series
	for i, source := range sources {
		value, ok := sampleValue(&samples[i])
		if source.read != nil {
			value, ok = source.read()
		}
		if ok {
			series = append(series, Series{Name: source.name, Unit: source.unit, Labels: source.labels, Gauge: source.gauge, Value: value})
		}
	}
	return series
}

func sampleValue(s *metrics.Sample) (float64, bool) {
	switch s.Value.Kind() {
	case metrics.KindUint64:
		return float64(s.Value.Uint64()), true
	case metrics.KindFloat64:
		return s.Value.Float64(), true
	}
	return 0, false
}
