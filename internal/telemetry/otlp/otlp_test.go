package otlp_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	"google.golang.org/protobuf/proto"

	"github.com/causeway-apim/causeway/internal/telemetry"
	"github.com/causeway-apim/causeway/internal/telemetry/otlp"
)

func TestHTTP(t *testing.T) {
	t.Parallel()
	got := make(chan *collector.ExportMetricsServiceRequest, 1)
	peer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		m := &collector.ExportMetricsServiceRequest{}
		if err != nil || r.URL.Path != "/v1/metrics" || proto.Unmarshal(body, m) != nil {
			t.Errorf("request for %s, %v", r.URL.Path, err)
		}
		got <- m
	}))
	defer peer.Close()
	now := func() time.Time { return time.Unix(200, 0) }
	s, err := otlp.New(t.Context(), otlp.Options{
		Collector: peer.URL + "/v1/metrics", Gateway: "edge", Instance: "i", Interval: time.Minute, Timeout: 30 * time.Second, Now: now,
		Report: func(err error) { t.Error(err) },
	})
	if err != nil {
		t.Fatal(err)
	}
	m := telemetry.NewMetrics(telemetry.MetricsOptions{GatewayID: "edge", Location: func() string { return "here" }, Buckets: []float64{5, 10}, Start: time.Unix(100, 0)})
	s.Send(t.Context(), m) // nothing to send
	m.Add(&telemetry.Record{Host: "h", ResponseCode: 200, TotalTime: 7 * time.Millisecond})
	s.Send(t.Context(), m)
	var names []string
	for _, metric := range (<-got).ResourceMetrics[0].ScopeMetrics[0].Metrics {
		names = append(names, metric.Name)
		switch {
		case metric.Name == "Requests":
			p := metric.GetSum().DataPoints[0]
			if p.GetAsDouble() != 1 || len(p.Attributes) != 10 || p.StartTimeUnixNano != 100e9 || p.TimeUnixNano != 200e9 {
				t.Errorf("Requests: %v", p)
			}
		case metric.Name == "DurationInMs":
			p := metric.GetHistogram().DataPoints[0]
			if p.Count != 1 || p.GetSum() != 7 || !slices.Equal(p.BucketCounts, []uint64{0, 1, 0}) || metric.Unit != "ms" {
				t.Errorf("DurationInMs: %v", metric)
			}
		}
	}
	if want := []string{"BackendDurationInMs", "ClientDurationInMs", "DurationInMs", "GatewayDurationInMs", "Requests"}; !slices.Equal(names, want) {
		t.Errorf("metrics %v", names)
	}
	if _, err := otlp.New(t.Context(), otlp.Options{Collector: "http://"}); err == nil {
		t.Error("a collector without a host is taken")
	}
}
