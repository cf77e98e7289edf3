package otlp

import (
	"cmp"
	"context"
	"encoding/json"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	collectorlogs "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	collectortrace "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	logs "go.opentelemetry.io/proto/otlp/logs/v1"
	resource "go.opentelemetry.io/proto/otlp/resource/v1"
	trace "go.opentelemetry.io/proto/otlp/trace/v1"

	"github.com/causeway-apim/causeway/internal/telemetry"
)

type droppedCounter = atomic.Int64

// pause is the time between two batches.
func (o *Options) pause() time.Duration {
	if o.Pause > 0 {
		return o.Pause
	}
	return batchPause
}

// resource describes the program.
func (o *Options) resource() *resource.Resource {
	all := []slog.Attr{
		slog.String("service.name", cmp.Or(o.Service, serviceName)), slog.String("service.version", o.Version), slog.String("service.instance.id", o.Instance),
	}
	if o.Service == "" {
		all = append(all, slog.String("apim.gateway.id", o.Gateway))
	}
	return &resource.Resource{Attributes: attributes(all)}
}

// Traces sends spans.
type Traces struct {
	o         Options
	collector *collector
	batcher   *batcher[*telemetry.Span]
}

// NewTraces checks the options; the collector need not be there.
func NewTraces(o Options) (*Traces, error) {
	c, err := openCollector(o, "traces")
	if err != nil {
		return nil, err
	}
	t := &Traces{o: o, collector: c}
	t.batcher = newBatcher(o, t.send)
	return t, nil
}

// Add takes a span over; it does not wait.
func (t *Traces) Add(s *telemetry.Span) { t.batcher.add(s) }

// Run sends spans until ctx ends, and those that are left then.
func (t *Traces) Run(ctx context.Context) {
	t.batcher.run(ctx)
	t.collector.Close()
}

func (t *Traces) send(ctx context.Context, batch []*telemetry.Span) error {
	spans := make([]*trace.Span, len(batch))
	for i, s := range batch {
		spans[i] = span(s)
	}
	return t.collector.sendTraces(ctx, &collectortrace.ExportTraceServiceRequest{ResourceSpans: []*trace.ResourceSpans{{
		Resource:   t.o.resource(),
		ScopeSpans: []*trace.ScopeSpans{{Scope: t.o.scope(), Spans: spans}},
	}}})
}

func (o *Options) scope() *common.InstrumentationScope {
	return &common.InstrumentationScope{Name: scopeName, Version: o.Version}
}

func span(s *telemetry.Span) *trace.Span {
	out := &trace.Span{
		TraceId: s.Trace[:], SpanId: s.ID[:], TraceState: s.State, Name: s.Name, Kind: trace.Span_SPAN_KIND_CLIENT,
		StartTimeUnixNano: nanos(s.Start), EndTimeUnixNano: nanos(s.End), Attributes: attributes(s.Attrs), Flags: 1,
	}
	if s.Server {
		out.Kind = trace.Span_SPAN_KIND_SERVER
	}
	if s.Parent != [8]byte{} {
		out.ParentSpanId = s.Parent[:]
	}
	if s.Failed {
		out.Status = &trace.Status{Code: trace.Status_STATUS_CODE_ERROR, Message: s.Message}
	}
	for _, e := range s.Events {
		out.Events = append(out.Events, &trace.Span_Event{TimeUnixNano: nanos(e.Time), Name: e.Name, Attributes: attributes(e.Attrs)})
	}
	return out
}

func nanos(t time.Time) uint64 { return uint64(max(t.UnixNano(), 0)) }

// Logs sends log records. It is a handler of log/slog.
type Logs struct {
	*logSender
	attrs []slog.Attr
	group string
}

type logSender struct {
	o         Options
	level     slog.Leveler
	collector *collector
	batcher   *batcher[*logs.LogRecord]
}

// NewLogs checks the options; the collector need not be there. o.Report must not log into the handler itself.
func NewLogs(o Options, level slog.Leveler) (*Logs, error) {
	c, err := openCollector(o, "logs")
	if err != nil {
		return nil, err
	}
	s := &logSender{o: o, level: level, collector: c}
	s.batcher = newBatcher(o, s.send)
	return &Logs{logSender: s}, nil
}

// Identify names the gateway that the records come from. It is called before Run.
func (s *logSender) Identify(gateway, instance string) { s.o.Gateway, s.o.Instance = gateway, instance }

// Run sends log records until ctx ends, and those that are left then.
func (s *logSender) Run(ctx context.Context) {
	s.batcher.run(ctx)
	s.collector.Close()
}

func (s *logSender) send(ctx context.Context, batch []*logs.LogRecord) error {
	return s.collector.sendLogs(ctx, &collectorlogs.ExportLogsServiceRequest{ResourceLogs: []*logs.ResourceLogs{{
		Resource:  s.o.resource(),
		ScopeLogs: []*logs.ScopeLogs{{Scope: s.o.scope(), LogRecords: batch}},
	}}})
}

// Enabled implements [slog.Handler].
func (s *logSender) Enabled(_ context.Context, l slog.Level) bool { return l >= s.level.Level() }

// WithAttrs implements [slog.Handler].
func (l *Logs) WithAttrs(attrs []slog.Attr) slog.Handler {
	c := *l
	c.attrs = append(c.attrs[:len(c.attrs):len(c.attrs)], l.named(attrs)...)
	return &c
}

// WithGroup implements [slog.Handler].
func (l *Logs) WithGroup(name string) slog.Handler {
	c := *l
	c.group += name + "."
	return &c
}

func (l *Logs) named(attrs []slog.Attr) []slog.Attr {
	out := make([]slog.Attr, len(attrs))
	for i, a := range attrs {
		out[i] = slog.Attr{Key: l.group + a.Key, Value: a.Value}
	}
	return out
}

// Handle implements [slog.Handler]. It does not wait.
func (l *Logs) Handle(_ context.Context, r slog.Record) error {
	attrs := l.attrs[:len(l.attrs):len(l.attrs)]
	out := &logs.LogRecord{
		TimeUnixNano: nanos(r.Time), ObservedTimeUnixNano: nanos(l.o.Now()), Body: text(r.Message),
		SeverityNumber: severity(r.Level), SeverityText: r.Level.String(),
	}
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == telemetry.EventKey {
			out.EventName = a.Value.String()
			return true
		}
		attrs = append(attrs, l.named([]slog.Attr{a})...)
		return true
	})
	out.Attributes = attributes(attrs)
	l.batcher.add(out)
	return nil
}

// severity maps levels as OpenTelemetry's bridge of log/slog does.
func severity(l slog.Level) logs.SeverityNumber {
	const info = int(logs.SeverityNumber_SEVERITY_NUMBER_INFO)
	return logs.SeverityNumber(min(max(int(l)+info, 1), 24))
}

// attributes are those of log/slog in OpenTelemetry's form; what has no such form is JSON.
func attributes(attrs []slog.Attr) []*common.KeyValue {
	out := make([]*common.KeyValue, 0, len(attrs))
	for _, a := range attrs {
		out = append(out, &common.KeyValue{Key: a.Key, Value: value(a.Value.Resolve())})
	}
	return out
}

func value(v slog.Value) *common.AnyValue {
	switch v.Kind() {
	case slog.KindInt64:
		return &common.AnyValue{Value: &common.AnyValue_IntValue{IntValue: v.Int64()}}
	case slog.KindBool:
		return &common.AnyValue{Value: &common.AnyValue_BoolValue{BoolValue: v.Bool()}}
	case slog.KindFloat64:
		return &common.AnyValue{Value: &common.AnyValue_DoubleValue{DoubleValue: v.Float64()}}
	case slog.KindGroup:
		return &common.AnyValue{Value: &common.AnyValue_KvlistValue{KvlistValue: &common.KeyValueList{Values: attributes(v.Group())}}}
	case slog.KindAny:
		if _, isError := v.Any().(error); !isError {
			if encoded, err := json.Marshal(v.Any()); err == nil {
				return text(string(encoded))
			}
		}
	}
	return text(v.String())
}

// text keeps a copy: what handlers of log/slog are given may be in memory that is used again.
func text(s string) *common.AnyValue {
	return &common.AnyValue{Value: &common.AnyValue_StringValue{StringValue: strings.Clone(s)}}
}
