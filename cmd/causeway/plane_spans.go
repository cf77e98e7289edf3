package main

import (
	"log/slog"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/causeway-apim/causeway/internal/telemetry"
	"github.com/causeway-apim/causeway/internal/telemetry/otlp"
)

// planeService is the name of the management plane in traces.
const planeService = "causeway-management"

// collectorVariable is where OpenTelemetry's conventions have the collector.
const collectorVariable = "OTEL_EXPORTER_OTLP_ENDPOINT"

// planeSpans sends the spans of the management API; the zero value sends none.
type planeSpans struct {
	traces *otlp.Traces
	ratio  float64
}

// openPlaneSpans reads where spans go: collector, or what the environment says when it is empty.
func openPlaneSpans(collector, sampling string, log *slog.Logger) (planeSpans, error) {
	if collector == "" {
		collector = collectorOf(os.Getenv)
	}
	if collector == "" {
		return planeSpans{}, nil
	}
	ratio, err := strconv.ParseFloat(sampling, 64)
	if err != nil || !(ratio >= 0 && ratio <= 1) {
		return planeSpans{}, usageError("--opentelemetry-sampling is %q; it must be a number from 0 to 1", sampling)
	}
	headers, err := otlp.ParseHeaders(os.Getenv("OTEL_EXPORTER_OTLP_HEADERS"))
	if err != nil {
		return planeSpans{}, usageError("OTEL_EXPORTER_OTLP_HEADERS: %w", err)
	}
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	traces, err := otlp.NewTraces(otlp.Options{
		Collector: collector, Headers: headers, Service: planeService, Instance: host + "-" + strconv.Itoa(os.Getpid()), Version: version,
		Timeout: metricsTimeout, Now: time.Now, Report: reportSending("spans", log),
	})
	if err != nil {
		return planeSpans{}, usageError("--opentelemetry-collector: %w", err)
	}
	return planeSpans{traces, ratio}, nil
}

// collectorOf is the collector that OpenTelemetry's variables name, "" for none.
func collectorOf(environment func(name string) string) string {
	at := environment(collectorVariable)
	if at != "" && strings.HasPrefix(environment("OTEL_EXPORTER_OTLP_PROTOCOL"), "http") && !strings.Contains(at, "/v1/") {
		at = strings.TrimSuffix(at, "/") + "/v1/traces" // gRPC otherwise, unless the port says HTTP
	}
	return at
}

// options are those of the management server.
func (s planeSpans) options() (o telemetry.SpanOptions) {
	if s.traces != nil {
		o.Add, o.Ratio = s.traces.Add, s.ratio
	}
	return o
}

// reportSending tells when sending to the collector begins to fail and when it succeeds again.
func reportSending(what string, log *slog.Logger) func(error) {
	return func(err error) {
		if err != nil {
			log.Warn("Telemetry cannot be sent to the collector.", telemetry.EventKey, "TelemetryFailed", "what", what, "error", err)
			return
		}
		log.Info("Telemetry reaches the collector again.", telemetry.EventKey, "TelemetryRestored", "what", what)
	}
}
