package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/causeway-apim/causeway/internal/telemetry"
)

// TestPlaneSpans sends a span to a collector, which gets those that are left when the plane ends.
func TestPlaneSpans(t *testing.T) {
	t.Parallel()
	got := make(chan []byte, 1)
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		z, err := gzip.NewReader(r.Body)
		if err != nil || r.URL.Path != "/v1/traces" {
			t.Errorf("%s: %v", r.URL.Path, err)
			return
		}
		body, _ := io.ReadAll(z)
		got <- body
	}))
	t.Cleanup(collector.Close)
	spans, err := openPlaneSpans(collector.URL+"/v1/traces", "0.5", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	o := spans.options()
	if o.Ratio != 0.5 {
		t.Errorf("the ratio is %v", o.Ratio)
	}
	o.Add(&telemetry.Span{Trace: [16]byte{1}, ID: [8]byte{2}, Name: "PUT things", Server: true, Start: time.Now(), End: time.Now()})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	spans.traces.Run(ctx)
	select {
	case body := <-got:
		if !bytes.Contains(body, []byte("PUT things")) || !bytes.Contains(body, []byte(planeService)) {
			t.Errorf("%q", body)
		}
	case <-time.After(time.Minute):
		t.Error("the collector got nothing")
	}
}

func TestCollectorOfPlaneSpans(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ endpoint, protocol, want string }{
		{"", "http/protobuf", ""},
		{"http://c:4317", "", "http://c:4317"},
		{"http://c:4318", "http/protobuf", "http://c:4318/v1/traces"},
		{"http://c/otlp/", "http/protobuf", "http://c/otlp/v1/traces"},
		{"http://c/v1/traces", "http/json", "http://c/v1/traces"},
	} {
		got := collectorOf(func(name string) string {
			return map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": c.endpoint, "OTEL_EXPORTER_OTLP_PROTOCOL": c.protocol}[name]
		})
		if got != c.want {
			t.Errorf("%v: %q", c, got)
		}
	}
	for _, sampling := range []string{"", "x", "-1", "2", "NaN"} {
		if _, err := openPlaneSpans("http://127.0.0.1:4318", sampling, slog.New(slog.DiscardHandler)); err == nil {
			t.Errorf("the sampling %q is taken", sampling)
		}
	}
}
