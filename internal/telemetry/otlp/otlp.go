// Package otlp sends metrics, spans and log records to an OpenTelemetry collector.
package otlp

import (
	"context"
	"fmt"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetricgrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/sdk/instrumentation"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/resource"

	"github.com/causeway-apim/causeway/internal/telemetry"
)

const (
	serviceName = "causeway-gateway"
	scopeName   = "causeway"
)

// exporter is what both transports are.
type exporter interface {
	Export(ctx context.Context, rm *metricdata.ResourceMetrics) error
	Shutdown(ctx context.Context) error
}

// Options say where a signal goes.
type Options struct {
	// Collector is the URI of the collector. Port 4318 or a path with /v1/ in it means HTTP, anything else gRPC; the scheme https means TLS.
	Collector string
	// Service is the name of the program; empty for a gateway's, which Gateway names. Instance and Version describe it.
	Service, Gateway, Instance, Version string
	// Headers are sent with spans and log records; the library for metrics takes its own from the environment.
	Headers map[string]string
	// Pause is the time between two batches of spans or log records; 0 means 2 s.
	Pause time.Duration
	// Interval is the time between two reports of metrics; Timeout bounds the sending of anything.
	Interval, Timeout time.Duration
	Now               func() time.Time
	// Report is told when reports begin to fail and, with nil, when they succeed again.
	Report func(error)
}

// Sender sends metrics.
type Sender struct {
	o        Options
	exporter exporter
	resource *resource.Resource
	failing  bool
}

// New checks the options; the collector need not be there.
func New(ctx context.Context, o Options) (*Sender, error) {
	u, overHTTP, err := parseCollector(o.Collector)
	if err != nil {
		return nil, err
	}
	s := &Sender{o: o, resource: resource.NewSchemaless(
		attribute.String("service.name", serviceName), attribute.String("service.version", o.Version),
		attribute.String("service.instance.id", o.Instance), attribute.String("apim.gateway.id", o.Gateway),
	)}
	if overHTTP {
		base, _, _ := strings.Cut(u.Path, "/v1/")
		u.Path = strings.TrimSuffix(base, "/") + "/v1/metrics"
		s.exporter, err = otlpmetrichttp.New(ctx, otlpmetrichttp.WithEndpointURL(u.String()), otlpmetrichttp.WithTimeout(o.Timeout))
	} else {
		s.exporter, err = otlpmetricgrpc.New(ctx, otlpmetricgrpc.WithEndpointURL(u.String()), otlpmetricgrpc.WithTimeout(o.Timeout))
	}
	if err != nil {
		return nil, fmt.Errorf("set up the sending of metrics: %w", err)
	}
	return s, nil
}

// Run sends metrics at each interval until ctx ends, and once more then.
func (s *Sender) Run(ctx context.Context, m *telemetry.Metrics) {
	tick := time.NewTicker(s.o.Interval)
	defer tick.Stop()
	for ctx.Err() == nil {
		select {
		case <-tick.C:
			s.Send(ctx, m)
		case <-ctx.Done():
		}
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), min(s.o.Timeout, 3*time.Second))
	defer cancel()
	s.Send(last, m)
	_ = s.exporter.Shutdown(last) // there is nothing left to send
}

// Send sends the metrics as they are now.
func (s *Sender) Send(ctx context.Context, m *telemetry.Metrics) {
	series := m.Read()
	if len(series) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, s.o.Timeout)
	defer cancel()
	err := s.exporter.Export(ctx, &metricdata.ResourceMetrics{
		Resource: s.resource,
		ScopeMetrics: []metricdata.ScopeMetrics{{
			Scope: instrumentation.Scope{Name: scopeName, Version: s.o.Version}, Metrics: convert(series, m.Start(), s.o.Now()),
		}},
	})
	if (err != nil) != s.failing {
		s.failing = err != nil
		s.o.Report(err)
	}
}

// convert makes OpenTelemetry's form of series, which are sorted by name: sums since the start.
func convert(series []telemetry.Series, start, now time.Time) (metrics []metricdata.Metrics) {
	for len(series) > 0 {
		n := 1
		for n < len(series) && series[n].Name == series[0].Name {
			n++
		}
		metrics = append(metrics, metricdata.Metrics{Name: series[0].Name, Unit: series[0].Unit, Data: aggregation(series[:n], start, now)})
		series = series[n:]
	}
	return metrics
}

func aggregation(series []telemetry.Series, start, now time.Time) metricdata.Aggregation {
	histogram := metricdata.Histogram[float64]{Temporality: metricdata.CumulativeTemporality}
	sum := metricdata.Sum[float64]{Temporality: metricdata.CumulativeTemporality, IsMonotonic: true}
	for i := range series {
		s := &series[i]
		attributes := make([]attribute.KeyValue, 0, len(s.Labels))
		for _, l := range s.Labels {
			attributes = append(attributes, attribute.String(l.Name, l.Value))
		}
		set := attribute.NewSet(attributes...)
		h := s.Histogram
		if h == nil {
			sum.IsMonotonic = sum.IsMonotonic && s.Value >= 0
			sum.DataPoints = append(sum.DataPoints, metricdata.DataPoint[float64]{Attributes: set, StartTime: start, Time: now, Value: s.Value})
			continue
		}
		histogram.DataPoints = append(histogram.DataPoints, metricdata.HistogramDataPoint[float64]{
			Attributes: set, StartTime: start, Time: now, Count: h.Count, Sum: h.Sum, Bounds: h.Bounds, BucketCounts: h.Counts,
			Min: metricdata.NewExtrema(h.Min), Max: metricdata.NewExtrema(h.Max),
		})
	}
	switch {
	case len(histogram.DataPoints) > 0:
		return histogram
	case series[0].Gauge:
		for i := range sum.DataPoints {
			sum.DataPoints[i].StartTime = time.Time{}
		}
		return metricdata.Gauge[float64]{DataPoints: sum.DataPoints}
	}
	return sum
}
