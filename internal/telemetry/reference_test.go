package telemetry

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestReferenceMetrics compares names, units and dimensions with those of API Management's self-hosted gateway ("Self-hosted gateway and
// OpenTelemetry").
func TestReferenceMetrics(t *testing.T) {
	t.Parallel()
	want := []string{
		"BackendDurationInMs ms Hostname", "ClientDurationInMs ms Hostname", "DurationInMs ms Hostname", "GatewayDurationInMs ms Hostname",
		"Requests  GatewayId Location Hostname ResponseCode ResponseCodeCategory BackendResponseCode BackendResponseCodeCategory Status LastErrorReason Cache",
	}
	m := NewMetrics(MetricsOptions{GatewayID: "edge", Location: func() string { return "here" }, Buckets: []float64{5}, Start: time.Unix(0, 0)})
	m.Add(&Record{Host: m.Host("h:80"), ResponseCode: 200, BackendResponseCode: 404})
	var got []string
	for _, s := range m.Read() {
		line := s.Name + " " + s.Unit
		for _, l := range s.Labels {
			line += " " + l.Name
		}
		got = append(got, line)
		if text := fmt.Sprint(s.Labels); s.Name == MetricRequests && text != "[{GatewayId edge} {Location here} {Hostname h} {ResponseCode 200} {ResponseCodeCategory 2xx} "+
			"{BackendResponseCode 404} {BackendResponseCodeCategory 4xx} {Status Successful} {LastErrorReason } {Cache None}]" {
			t.Errorf("dimensions are %s", text)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestSystemMetrics(t *testing.T) {
	t.Parallel()
	m := NewMetrics(MetricsOptions{Location: func() string { return "" }, System: true})
	got := make(map[string]Series)
	for _, s := range m.Read() {
		got[s.Name] = s
	}
	for _, name := range []string{"process.cpu.time", "go.memory.used", "go.gc.cycles", "go.goroutine.count"} {
		if _, ok := got[name]; !ok {
			t.Errorf("no %s", name)
		}
	}
	if s := got["go.goroutine.count"]; !s.Gauge || s.Value < 1 {
		t.Errorf("goroutines are %+v", s)
	}
	var text strings.Builder
	if err := WritePrometheus(&text, m.Read()); err != nil || !strings.Contains(text.String(), "# TYPE apim_go_goroutine_count gauge") {
		t.Errorf("%s, %v", text.String(), err)
	}
}

// TestMetricsAreBounded lets callers and policies make up as many names as they like.
func TestMetricsAreBounded(t *testing.T) {
	t.Parallel()
	m := NewMetrics(MetricsOptions{Location: func() string { return "" }, Buckets: []float64{5}})
	const n = 20_000
	for i := range n {
		host := m.Host(fmt.Sprintf("host-%d.test", i))
		m.Add(&Record{Host: host, ResponseCode: 200 + i%400, ErrorReason: fmt.Sprintf("Reason%d", i)})
		m.Measure("custom", 1, []Label{{"id", fmt.Sprint(i)}})
	}
	series, requests := m.Read(), 0.0
	for _, s := range series {
		if s.Name == MetricRequests {
			requests += s.Value
		}
	}
	if most := maxMetricSeries + 1 + 4*(maxMetricHosts+2) + maxCustomSeries; len(series) > most {
		t.Errorf("%d series, more than %d", len(series), most)
	}
	if requests != n {
		t.Errorf("%v requests are counted of %d", requests, n)
	}
	lines := &lineCounter{}
	if err := WritePrometheus(lines, series); err != nil || lines.n > 12_000 {
		t.Errorf("%d lines, %v", lines.n, err)
	}
}

type lineCounter struct{ n int }

func (c *lineCounter) Write(p []byte) (int, error) {
	c.n += strings.Count(string(p), "\n")
	return len(p), nil
}

func TestMetricsDoNotAllocate(t *testing.T) {
	m := NewMetrics(MetricsOptions{Location: func() string { return "" }, Buckets: []float64{5, 10}})
	r := &Record{ResponseCode: 200, TotalTime: time.Millisecond}
	if allocs := testing.AllocsPerRun(100, func() {
		r.Host = m.Host("api.test:8080")
		m.Add(r)
	}); allocs > 0 {
		t.Errorf("%v allocations", allocs)
	}
}
