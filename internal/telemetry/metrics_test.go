package telemetry_test

import (
	"bytes"
	"cmp"
	"fmt"
	"math/rand/v2"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/causeway-apim/causeway/internal/telemetry"
)

func newMetrics() *telemetry.Metrics {
	return telemetry.NewMetrics(telemetry.MetricsOptions{GatewayID: "edge", Location: func() string { return "here" }, Buckets: []float64{5, 10}})
}

func testRecord(m *telemetry.Metrics) *telemetry.Record {
	return &telemetry.Record{
		Host: m.Host("api.example:8080"), ResponseCode: 200, BackendResponseCode: 404, TotalTime: 9 * time.Millisecond, BackendTime: 5 * time.Millisecond,
		ClientTime: 1 * time.Millisecond,
	}
}

func TestPrometheus(t *testing.T) {
	t.Parallel()
	m := newMetrics()
	m.Add(testRecord(m))
	m.Add(testRecord(m))
	m.Measure("Cups sold", 3, []telemetry.Label{{Name: "kind", Value: "a \"b\"\n"}})
	var b bytes.Buffer
	if err := telemetry.WritePrometheus(&b, m.Read()); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`apim_cups_sold_total{kind="a \"b\"\n"} 3`,
		`# TYPE apim_backend_duration_in_ms histogram`,
		`apim_backend_duration_in_ms_bucket{hostname="api.example",le="5"} 2`,
		`apim_gateway_duration_in_ms_sum{hostname="api.example"} 6`,
		`apim_duration_in_ms_bucket{hostname="api.example",le="+Inf"} 2`,
		`apim_requests_total{gateway_id="edge",location="here",hostname="api.example",response_code="200",response_code_category="2xx",` +
			`backend_response_code="404",backend_response_code_category="4xx",status="Successful",last_error_reason="",cache="None"} 2`,
	} {
		if !strings.Contains(b.String(), want+"\n") {
			t.Errorf("no line %s in\n%s", want, b.String())
		}
	}
}

func TestMetricsAreBounded(t *testing.T) {
	m := newMetrics()
	for i := range 3000 {
		r := testRecord(m)
		r.Host, r.ErrorReason = m.Host(fmt.Sprint("host", i)), fmt.Sprint(i)
		m.Add(r)
	}
	series, total := m.Read(), 0.0
	for _, s := range series {
		if s.Name == telemetry.MetricRequests {
			total += s.Value
		}
	}
	if total != 3000 || len(series) > 2001+4*201 {
		t.Errorf("%v requests in %d series", total, len(series))
	}
	m = newMetrics()
	r := testRecord(m)
	m.Add(r)
	if n := testing.AllocsPerRun(100, func() { r.Host = m.Host("api.example"); m.Add(r) }); n != 0 {
		t.Errorf("adding allocates %v times", n)
	}
}

func TestStatsD(t *testing.T) {
	t.Parallel()
	for format, want := range map[string]string{
		"dogStatsD": "Requests:1|c|#GatewayId:edge,Hostname:api.example,ResponseCode:200,ResponseCodeCategory:2xx,Status:Successful\n" +
			"DurationInMS:9|ms|#GatewayId:edge,Hostname:api.example\nBackendDurationInMS:5|ms|#GatewayId:edge,Hostname:api.example\n" +
			"ClientDurationInMS:1|ms|#GatewayId:edge,Hostname:api.example",
		"librato":  "Requests#GatewayId=edge,Hostname=api.example,ResponseCode=200,ResponseCodeCategory=2xx,Status=Successful:1|c\n",
		"influxDB": "Requests,GatewayId=edge,Hostname=api.example,ResponseCode=200,ResponseCodeCategory=2xx,Status=Successful:1|c\n",
		"":         "Requests:1|c\nDurationInMS:9|ms\nBackendDurationInMS:5|ms\nClientDurationInMS:1|ms",
	} {
		t.Run("format "+format, func(t *testing.T) {
			t.Parallel()
			peer, err := net.ListenPacket("udp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer peer.Close()
			s, err := telemetry.OpenStatsD(telemetry.StatsDOptions{Endpoint: "udp://" + peer.LocalAddr().String(), TagFormat: format, GatewayID: "edge"})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			s.Add(testRecord(newMetrics()))
			packet := make([]byte, 4096)
			if err := peer.SetReadDeadline(time.Now().Add(30 * time.Second)); err != nil {
				t.Fatal(err)
			}
			n, _, err := peer.ReadFrom(packet)
			if got := string(packet[:n]); err != nil || !strings.HasPrefix(got, want) {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
	for _, bad := range []telemetry.StatsDOptions{{Endpoint: "127.0.0.1:8125", TagFormat: "xml"}, {Endpoint: "127.0.0.1:8125", Sampling: 2}, {Endpoint: "nowhere"}} {
		if _, err := telemetry.OpenStatsD(bad); err == nil {
			t.Errorf("%+v is taken", bad)
		}
	}
}

func BenchmarkMetrics(b *testing.B) {
	m := newMetrics()
	r := &telemetry.Record{
		ResponseCode: 200, BackendResponseCode: 200, TotalTime: 12 * time.Millisecond, BackendTime: 10 * time.Millisecond, ClientTime: time.Millisecond,
	}
	for b.Loop() {
		r.Host = m.Host("api.contoso.example:8080")
		m.Add(r)
	}
}

// TestMetricsOfAny compares the counters with those of each request by itself.
func TestMetricsOfAny(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	m := newMetrics()
	requests, times := make(map[string]float64), make(map[string]uint64)
	for range 20_000 {
		r := &telemetry.Record{
			Host: m.Host([...]string{"a:80", "b", "[::1]:80", ""}[random.IntN(4)]), ResponseCode: 200 + random.IntN(20), BackendResponseCode: 200 * random.IntN(2),
			ErrorReason: [...]string{"", "", "Timeout"}[random.IntN(3)], Cache: telemetry.CacheUse(random.IntN(3)),
		}
		m.Add(r)
		requests[fmt.Sprintf("%s %d %d %s %v", r.Host, r.ResponseCode, r.BackendResponseCode, r.ErrorReason, r.Cache)]++
		times[r.Host]++
	}
	n := 0
	for _, s := range m.Read() {
		label := make(map[string]string)
		for _, l := range s.Labels {
			label[l.Name] = l.Value
		}
		if s.Name != telemetry.MetricRequests {
			if host := strings.TrimPrefix(label["Hostname"], "other"); s.Histogram.Count != times[host] {
				t.Errorf("%s of %q counts %d, want %d", s.Name, host, s.Histogram.Count, times[host])
			}
			continue
		}
		n++
		backend := cmp.Or(label["BackendResponseCode"], "0")
		key := fmt.Sprintf("%s %s %s %s %s", label["Hostname"], label["ResponseCode"], backend, label["LastErrorReason"], strings.ToLower(label["Cache"]))
		if requests[key] != s.Value {
			t.Errorf("%s counts %v, want %v", key, s.Value, requests[key])
		}
	}
	if n != len(requests) {
		t.Errorf("%d counters, want %d", n, len(requests))
	}
}
