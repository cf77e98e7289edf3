// Package otlp sends metrics to an OpenTelemetry collector.
package otlp

import (
	"context"
	"fmt"
	"net/url"
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

// exporter is what both transports are.
type exporter interface {
	Export(ctx context.Context, rm *metricdata.ResourceMetrics) error
	Shutdown(ctx context.Context) error
}

// Options say where metrics go.
type Options struct {
	// Collector is the URI of the collector. Port 4318 or a path that ends in /v1/metrics means HTTP, anything else gRPC; the scheme https
	// means TLS.
	Collector string
	// Instance and Version describe the gateway.
	Gateway, Instance, Version string
	// Interval is the time between two reports; Timeout bounds one.
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
	text := o.Collector
	if !strings.Contains(text, "://") {
		text = "http://" + text
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		return nil, fmt.Errorf("%q is not the URI of a collector", o.Collector)
	}
	s := &Sender{o: o, resource: resource.NewSchemaless(
		attribute.String("service.name", "causeway-gateway"), attribute.String("service.version", o.Version),
		attribute.String("service.instance.id", o.Instance), attribute.String("apim.gateway.id", o.Gateway),
	)}
	if u.Port() == "4318" || strings.HasSuffix(u.Path, "/v1/metrics") {
		if u.Path == "" || u.Path == "/" {
			u.Path = "/v1/metrics"
		}
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
			Scope: instrumentation.Scope{Name: "causeway", Version: s.o.Version}, Metrics: convert(series, m.Start(), s.o.Now()),
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
	if len(histogram.DataPoints) > 0 {
		return histogram
	}
	return sum
}
