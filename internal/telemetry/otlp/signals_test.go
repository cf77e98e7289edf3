package otlp_test

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	collectorlogs "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	collectormetrics "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	collectortrace "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/causeway-apim/causeway/internal/telemetry"
	"github.com/causeway-apim/causeway/internal/telemetry/otlp"
)

// peer is a collector. Its first answer to a signal says that it is busy.
type peer struct {
	collectortrace.UnimplementedTraceServiceServer
	busy    atomic.Bool
	header  chan string
	traces  chan *collectortrace.ExportTraceServiceRequest
	logs    chan *collectorlogs.ExportLogsServiceRequest
	metrics chan *collectormetrics.ExportMetricsServiceRequest
}

type logsPeer struct {
	collectorlogs.UnimplementedLogsServiceServer
	*peer
}

type metricsPeer struct {
	collectormetrics.UnimplementedMetricsServiceServer
	*peer
}

func newPeer() *peer {
	return &peer{
		header: make(chan string, 10), traces: make(chan *collectortrace.ExportTraceServiceRequest, 10),
		logs: make(chan *collectorlogs.ExportLogsServiceRequest, 10), metrics: make(chan *collectormetrics.ExportMetricsServiceRequest, 10),
	}
}

func (p *peer) Export(ctx context.Context, r *collectortrace.ExportTraceServiceRequest) (*collectortrace.ExportTraceServiceResponse, error) {
	if p.busy.CompareAndSwap(false, true) {
		return nil, status.Error(codes.Unavailable, "busy")
	}
	md, _ := metadata.FromIncomingContext(ctx)
	p.header <- strings.Join(md.Get("x-key"), "")
	p.traces <- r
	return &collectortrace.ExportTraceServiceResponse{}, nil
}

func (p *logsPeer) Export(_ context.Context, r *collectorlogs.ExportLogsServiceRequest) (*collectorlogs.ExportLogsServiceResponse, error) {
	p.logs <- r
	return &collectorlogs.ExportLogsServiceResponse{}, nil
}

func (p *metricsPeer) Export(_ context.Context, r *collectormetrics.ExportMetricsServiceRequest) (*collectormetrics.ExportMetricsServiceResponse, error) {
	p.metrics <- r
	return &collectormetrics.ExportMetricsServiceResponse{}, nil
}

// ServeHTTP takes traces and logs over HTTP.
func (p *peer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	z, err := gzip.NewReader(r.Body)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	body, _ := io.ReadAll(z)
	traces, logs := &collectortrace.ExportTraceServiceRequest{}, &collectorlogs.ExportLogsServiceRequest{}
	switch {
	case r.URL.Path == "/v1/traces" && p.busy.CompareAndSwap(false, true):
		w.WriteHeader(http.StatusServiceUnavailable)
	case r.URL.Path == "/v1/traces" && proto.Unmarshal(body, traces) == nil:
		p.header <- r.Header.Get("X-Key")
		p.traces <- traces
	case r.URL.Path == "/v1/logs" && proto.Unmarshal(body, logs) == nil:
		p.logs <- logs
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

// startPeers returns a collector and its URIs by transport.
func startGRPC(t *testing.T, p *peer) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer()
	collectortrace.RegisterTraceServiceServer(server, p)
	collectorlogs.RegisterLogsServiceServer(server, &logsPeer{peer: p})
	collectormetrics.RegisterMetricsServiceServer(server, &metricsPeer{peer: p})
	go func() { _ = server.Serve(listener) }() // ends with Stop
	t.Cleanup(server.Stop)
	return "http://" + listener.Addr().String()
}

func options(uri string) otlp.Options {
	return otlp.Options{
		Collector: uri, Headers: map[string]string{"x-key": "k"}, Gateway: "edge", Instance: "i", Version: "1", Pause: time.Millisecond, Interval: time.Minute,
		Timeout: 20 * time.Second, Now: func() time.Time { return time.Unix(200, 0) }, Report: func(error) {},
	}
}

// TestSignals sends a span and a log record over both transports, the span to a collector that is busy at first.
func TestSignals(t *testing.T) {
	t.Parallel()
	for _, transport := range []string{"grpc", "http"} {
		t.Run(transport, func(t *testing.T) {
			t.Parallel()
			p := newPeer()
			var uri string
			if transport == "grpc" {
				uri = startGRPC(t, p)
			} else {
				server := httptest.NewServer(p)
				t.Cleanup(server.Close)
				uri = server.URL + "/v1/traces"
			}
			ctx, end := context.WithCancel(t.Context())
			defer end()
			traces, err := otlp.NewTraces(options(uri))
			if err != nil {
				t.Fatal(err)
			}
			go traces.Run(ctx)
			traces.Add(&telemetry.Span{
				Trace: [16]byte{1}, ID: [8]byte{2}, Parent: [8]byte{3}, State: "a=b", Name: "GET /x", Server: true, Start: time.Unix(1, 0), End: time.Unix(2, 0),
				Attrs: []slog.Attr{slog.Int("http.response.status_code", 500)}, Failed: true, Message: "Timeout",
				Events: []telemetry.SpanEvent{{Time: time.Unix(1, 5), Name: "set-header"}},
			})
			if got := <-p.header; got != "k" {
				t.Errorf("the header is %q", got)
			}
			got := fmt.Sprint((<-p.traces).ResourceSpans)
			for _, want := range []string{"GET /x", "SPAN_KIND_SERVER", "a=b", "http.response.status_code", "int_value:500", "STATUS_CODE_ERROR", "set-header", "causeway-gateway", "edge"} {
				if !strings.Contains(got, want) {
					t.Errorf("no %s in %s", want, got)
				}
			}
			logs, err := otlp.NewLogs(options(uri), slog.LevelInfo)
			if err != nil {
				t.Fatal(err)
			}
			go logs.Run(ctx)
			log := slog.New(logs).With("always", true).WithGroup("g")
			log.Debug("too much")
			log.Error("It broke.", "error", errors.New("boom"), slog.Group("sub", "n", 1))
			record := fmt.Sprint((<-p.logs).ResourceLogs)
			for _, want := range []string{"It broke.", "SEVERITY_NUMBER_ERROR", "always", "g.error", "boom", "g.sub"} {
				if !strings.Contains(record, want) {
					t.Errorf("no %s in %s", want, record)
				}
			}
			if strings.Contains(record, "too much") {
				t.Error("a line below the level is sent")
			}
		})
	}
}

func TestMetricsOverGRPC(t *testing.T) {
	t.Parallel()
	p := newPeer()
	s, err := otlp.New(t.Context(), options(startGRPC(t, p)))
	if err != nil {
		t.Fatal(err)
	}
	m := telemetry.NewMetrics(telemetry.MetricsOptions{GatewayID: "edge", Location: func() string { return "here" }, Buckets: []float64{5}, Start: time.Unix(100, 0), System: true})
	m.Add(&telemetry.Record{Host: "h", ResponseCode: 200})
	s.Send(t.Context(), m)
	got := fmt.Sprint((<-p.metrics).ResourceMetrics)
	for _, want := range []string{"Requests", "DurationInMs", "process.cpu.time", "go.goroutine.count", "gauge"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in %s", want, got)
		}
	}
}

func TestHeaders(t *testing.T) {
	t.Parallel()
	got, err := otlp.ParseHeaders("api-key=a%20b, Other=c=d,")
	if err != nil || got["api-key"] != "a b" || got["other"] != "c=d" {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := otlp.ParseHeaders("secret"); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("got %v", err)
	}
}
