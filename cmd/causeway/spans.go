package main

import (
	"log/slog"
	"os"
	"strconv"
	"time"

	"github.com/causeway-apim/causeway/internal/telemetry"
	"github.com/causeway-apim/causeway/internal/telemetry/otlp"
)

// openTraces reads the settings of spans.
func (m *gatewayMetrics) openTraces(s *settings, log *slog.Logger) error {
	const prefix = "observability.opentelemetry.traces."
	if !s.flag(prefix + "enabled") {
		return nil
	}
	ratio, err := strconv.ParseFloat(s.text(prefix+"sampling"), 64)
	if err != nil || !(ratio >= 0 && ratio <= 1) {
		return usageError("setting %ssampling is %q; it must be a number from 0 to 1", prefix, s.text(prefix+"sampling"))
	}
	o, err := collectorOptions(s, "spans", log)
	if err != nil {
		return err
	}
	o.Gateway, o.Instance = m.name, m.instance
	if m.traces, err = otlp.NewTraces(o); err != nil {
		return usageError("setting observability.opentelemetry.collector.uri: %w", err)
	}
	m.spans = telemetry.SpanOptions{Add: m.traces.Add, Ratio: ratio, Verbose: s.flag(prefix + "verbose")}
	return nil
}

// collectorOptions are those of spans and log lines.
func collectorOptions(s *settings, what string, log *slog.Logger) (o otlp.Options, err error) {
	const uri = "observability.opentelemetry.collector.uri"
	if s.text(uri) == "" {
		return o, usageError("setting %s is required: the collector that takes %s, such as http://collector:4317", uri, what)
	}
	headers, err := otlp.ParseHeaders(os.Getenv("OTEL_EXPORTER_OTLP_HEADERS"))
	if err != nil {
		return o, usageError("OTEL_EXPORTER_OTLP_HEADERS: %w", err)
	}
	return otlp.Options{
		Collector: s.text(uri), Headers: headers, Version: version, Timeout: metricsTimeout, Now: time.Now,
		Report: reportSending(what, log),
	}, nil
}
