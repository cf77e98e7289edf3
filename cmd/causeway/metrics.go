package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/causeway-apim/causeway/internal/gateway"
	"github.com/causeway-apim/causeway/internal/telemetry"
	"github.com/causeway-apim/causeway/internal/telemetry/otlp"
)

const (
	// metricsInterval is the time between two reports to a collector, as API Management's gateway has it; OTEL_METRIC_EXPORT_INTERVAL
	// (milliseconds) is another.
	metricsInterval = time.Minute
	metricsTimeout  = 10 * time.Second
	metricsListener = "metrics" // its name among those that are handed over
)

// gatewayMetrics are the metrics of a self-hosted gateway and where they go. Without a target it has none.
type gatewayMetrics struct {
	metrics    *telemetry.Metrics // nil: nobody wants them
	statsd     *telemetry.StatsD  // nil without
	sender     *otlp.Sender       // nil without a collector
	prometheus net.Listener       // nil without
	gateway    *gateway.Gateway   // set when it is there

	spans          telemetry.SpanOptions
	traces         *otlp.Traces // nil without
	logs           *logTargets
	name, instance string
}

// openMetrics reads the settings of metrics.
func openMetrics(ctx context.Context, s *settings, inherited *inheritance, name, instance string, log *slog.Logger) (*gatewayMetrics, error) {
	m := &gatewayMetrics{logs: targetsOf(log), name: name, instance: instance}
	buckets, err := parseBuckets(s.text("observability.opentelemetry.histogram.buckets"))
	if err != nil {
		return nil, usageError("setting observability.opentelemetry.histogram.buckets: %w", err)
	}
	if strings.EqualFold(s.text("telemetry.metrics.local"), "statsd") {
		if m.statsd, err = openStatsD(s, name); err != nil {
			return nil, err
		}
	}
	if s.flag("observability.opentelemetry.enabled") {
		if m.sender, err = openCollector(ctx, s, name, instance, log); err != nil {
			return nil, err
		}
	}
	if address := s.text("telemetry.metrics.prometheus.listen"); address != "" && address != "off" {
		if m.prometheus = inherited.takeListener(metricsListener); m.prometheus == nil {
			m.prometheus, err = net.Listen("tcp", address)
		}
		if err != nil {
			return nil, fmt.Errorf("setting telemetry.metrics.prometheus.listen: %w", err)
		}
		log.Info("Metrics are served on http://"+m.prometheus.Addr().String()+"/metrics.", telemetry.EventKey, "Listening")
	}
	if err := m.openTraces(s, log); err != nil {
		return nil, err
	}
	if m.statsd != nil || m.sender != nil || m.prometheus != nil {
		m.metrics = telemetry.NewMetrics(telemetry.MetricsOptions{GatewayID: name, Location: m.location, Buckets: buckets, Start: time.Now(), System: s.flag("observability.opentelemetry.system-metrics.enabled")})
	}
	return m, nil
}

// location is that of the gateway, when its configuration has come.
func (m *gatewayMetrics) location() string { return m.gateway.Location() }

// record is called for each record; nil when nobody wants them.
func (m *gatewayMetrics) record() func(*telemetry.Record) {
	if m.statsd == nil {
		return nil
	}
	return m.statsd.Add
}

// parseBuckets reads ascending bounds in milliseconds.
func parseBuckets(text string) (buckets []float64, err error) {
	for word := range strings.SplitSeq(text, ",") {
		n, err := strconv.ParseFloat(strings.TrimSpace(word), 64)
		if err != nil || n <= 0 {
			return nil, fmt.Errorf("%q is not a list of milliseconds such as 5,10,25", text)
		}
		buckets = append(buckets, n)
	}
	slices.Sort(buckets)
	return slices.Compact(buckets), nil
}

func openStatsD(s *settings, name string) (*telemetry.StatsD, error) {
	const prefix = "telemetry.metrics.local.statsd."
	sampling := float64(1)
	if text := s.text(prefix + "sampling"); text != "" {
		var err error
		if sampling, err = strconv.ParseFloat(text, 64); err != nil || !(sampling > 0 && sampling <= 1) {
			return nil, usageError("setting %ssampling is %q; it must be a number above 0 and up to 1", prefix, text)
		}
	}
	if s.text(prefix+"endpoint") == "" {
		return nil, usageError("setting %sendpoint is required when telemetry.metrics.local is statsd: host:port", prefix)
	}
	d, err := telemetry.OpenStatsD(telemetry.StatsDOptions{
		Endpoint: s.text(prefix + "endpoint"), Sampling: sampling, TagFormat: s.text(prefix + "tag-format"), GatewayID: name,
	})
	if err != nil {
		return nil, usageError("settings %s*: %w", prefix, err)
	}
	return d, nil
}

func openCollector(ctx context.Context, s *settings, name, instance string, log *slog.Logger) (*otlp.Sender, error) {
	const uri = "observability.opentelemetry.collector.uri"
	if s.text(uri) == "" {
		return nil, usageError("setting %s is required when observability.opentelemetry.enabled is true: the collector, such as http://collector:4317", uri)
	}
	interval := metricsInterval
	if text := os.Getenv("OTEL_METRIC_EXPORT_INTERVAL"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return nil, usageError("OTEL_METRIC_EXPORT_INTERVAL is %q; it must be a number of milliseconds", text)
		}
		interval = time.Duration(n) * time.Millisecond
	}
	sender, err := otlp.New(ctx, otlp.Options{
		Collector: s.text(uri), Gateway: name, Instance: instance, Version: version, Interval: interval, Timeout: metricsTimeout, Now: time.Now,
		Report: func(err error) {
			if err != nil {
				log.Warn("Metrics cannot be sent to the collector.", telemetry.EventKey, "MetricsFailed", "error", err)
				return
			}
			log.Info("Metrics reach the collector again.", telemetry.EventKey, "MetricsRestored")
		},
	})
	if err != nil {
		return nil, usageError("setting %s: %w", uri, err)
	}
	return sender, nil
}

// run sends and serves metrics until ctx ends.
func (m *gatewayMetrics) run(ctx context.Context) {
	var running sync.WaitGroup
	defer running.Wait()
	running.Go(func() { m.logs.run(ctx, m.name, m.instance) })
	if m.traces != nil {
		running.Go(func() { m.traces.Run(ctx) })
	}
	if m.sender != nil {
		running.Go(func() { m.sender.Run(ctx, m.metrics) })
	}
	if m.prometheus != nil {
		server := &http.Server{Handler: http.HandlerFunc(m.metrics.ServeMetrics), ReadHeaderTimeout: metricsTimeout, WriteTimeout: metricsTimeout}
		running.Go(func() { _ = server.Serve(m.prometheus) }) // ends with Close
		context.AfterFunc(ctx, func() { _ = server.Close() })
	}
	<-ctx.Done()
}
