package otlp

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	collectorlogs "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	collectortrace "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	_ "google.golang.org/grpc/encoding/gzip" // compresses what is sent
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// maxAnswer is how much of a collector's answer is read.
const maxAnswer = 1 << 20

// collector sends batches of one signal over the transport that its URI asks for (OpenTelemetry Protocol 1.x).
type collector struct {
	url     *url.URL
	headers map[string]string
	client  *http.Client     // nil over gRPC
	conn    *grpc.ClientConn // nil over HTTP
}

// parseCollector reads the URI of a collector and says whether it means HTTP: by port 4318, or by a path that names a signal.
func parseCollector(text string) (u *url.URL, overHTTP bool, err error) {
	full := text
	if !strings.Contains(full, "://") {
		full = "http://" + full
	}
	u, err = url.Parse(full)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, false, fmt.Errorf("%q is not the URI of a collector", text)
	}
	return u, u.Port() == "4318" || strings.Contains(u.Path, "/v1/"), nil
}

// openCollector prepares the sending of a signal, such as traces; nobody needs to listen.
func openCollector(o Options, signal string) (*collector, error) {
	u, overHTTP, err := parseCollector(o.Collector)
	if err != nil {
		return nil, err
	}
	c := &collector{url: u, headers: o.Headers}
	if overHTTP {
		base, _, _ := strings.Cut(u.Path, "/v1/")
		u.Path = strings.TrimSuffix(base, "/") + "/v1/" + signal
		c.client = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
		return c, nil
	}
	secure := insecure.NewCredentials()
	if u.Scheme == "https" {
		secure = credentials.NewTLS(&tls.Config{})
	}
	host := u.Host
	if u.Port() == "" {
		host += ":4317"
	}
	c.conn, err = grpc.NewClient(host, grpc.WithTransportCredentials(secure), grpc.WithDefaultCallOptions(grpc.UseCompressor("gzip")))
	return c, err
}

// refusedError says that the collector does not want a batch: sending it again is of no use.
type refusedError struct{ error }

func (e refusedError) Unwrap() error { return e.error }

// post sends a request over HTTP.
func (c *collector) post(ctx context.Context, m proto.Message) error {
	body, err := proto.Marshal(m)
	if err != nil {
		return refusedError{err}
	}
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write(body) // memory takes everything
	_ = z.Close()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url.String(), &b)
	if err != nil {
		return refusedError{err}
	}
	req.Header.Set("Content-Type", "application/x-protobuf")
	req.Header.Set("Content-Encoding", "gzip")
	for name, value := range c.headers {
		req.Header.Set(name, value)
	}
	resp, err := c.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, maxAnswer)) // so that the connection is used again
	switch resp.StatusCode {
	case http.StatusOK, http.StatusAccepted:
		return nil
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return fmt.Errorf("the collector answers %s", resp.Status)
	}
	return refusedError{fmt.Errorf("the collector answers %s", resp.Status)}
}

func (c *collector) sendTraces(ctx context.Context, m *collectortrace.ExportTraceServiceRequest) error {
	if c.client != nil {
		return c.post(ctx, m)
	}
	_, err := collectortrace.NewTraceServiceClient(c.conn).Export(c.with(ctx), m)
	return grpcError(err)
}

func (c *collector) sendLogs(ctx context.Context, m *collectorlogs.ExportLogsServiceRequest) error {
	if c.client != nil {
		return c.post(ctx, m)
	}
	_, err := collectorlogs.NewLogsServiceClient(c.conn).Export(c.with(ctx), m)
	return grpcError(err)
}

func (c *collector) with(ctx context.Context) context.Context {
	return metadata.NewOutgoingContext(ctx, metadata.New(c.headers))
}

// grpcError tells failures that pass from others (OTLP specification, "Failures" of OTLP/gRPC).
func grpcError(err error) error {
	switch status.Code(err) {
	case codes.OK:
		return nil
	case codes.Canceled, codes.DeadlineExceeded, codes.Aborted, codes.OutOfRange, codes.Unavailable, codes.DataLoss, codes.ResourceExhausted:
		return err
	}
	return refusedError{err}
}

// Close ends the connection.
func (c *collector) Close() {
	if c.conn != nil {
		_ = c.conn.Close() // nothing is left to send
	} else {
		c.client.CloseIdleConnections()
	}
}

// ParseHeaders reads the environment variable OTEL_EXPORTER_OTLP_HEADERS: name=value pairs with commas between, values percent-encoded.
func ParseHeaders(text string) (map[string]string, error) {
	headers := make(map[string]string)
	for pair := range strings.SplitSeq(text, ",") {
		if strings.TrimSpace(pair) == "" {
			continue
		}
		name, value, ok := strings.Cut(pair, "=")
		decoded, err := url.PathUnescape(strings.TrimSpace(value))
		if name = strings.ToLower(strings.TrimSpace(name)); !ok || name == "" || err != nil {
			return nil, errors.New("a header is not name=value") // the text may hold a secret
		}
		headers[name] = decoded
	}
	return headers, nil
}

// batcher gathers what is sent together. Who adds never waits: what comes faster than it leaves is dropped and counted.
type batcher[T any] struct {
	o       Options
	items   chan T
	send    func(ctx context.Context, batch []T) error
	dropped droppedCounter
	failing bool
}

const (
	batchQueue = 4096
	batchSize  = 512
	// batchPause is how long an item waits for others.
	batchPause   = 2 * time.Second
	batchRetries = 4
)

func newBatcher[T any](o Options, send func(context.Context, []T) error) *batcher[T] {
	return &batcher[T]{o: o, items: make(chan T, batchQueue), send: send}
}

func (b *batcher[T]) add(item T) {
	select {
	case b.items <- item:
	default:
		b.dropped.Add(1)
	}
}

// run sends what comes until ctx ends, and what is left then.
func (b *batcher[T]) run(ctx context.Context) {
	for ctx.Err() == nil {
		select {
		case first := <-b.items:
			b.deliver(ctx, b.gather(ctx, first))
		case <-ctx.Done():
		}
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), min(b.o.Timeout, 3*time.Second))
	defer cancel()
	for len(b.items) > 0 && last.Err() == nil {
		b.deliver(last, b.gather(last, <-b.items))
	}
}

// gather waits a moment for more; without ctx it takes what is there.
func (b *batcher[T]) gather(ctx context.Context, first T) []T {
	batch := append(make([]T, 0, batchSize), first)
	pause := time.NewTimer(b.o.pause())
	defer pause.Stop()
	for len(batch) < batchSize {
		select {
		case item := <-b.items:
			batch = append(batch, item)
		case <-pause.C:
			return batch
		case <-ctx.Done():
			return batch
		}
	}
	return batch
}

// deliver sends a batch, several times if need be, and tells when that begins to fail, how much was dropped, and when it succeeds again.
func (b *batcher[T]) deliver(ctx context.Context, batch []T) {
	var err error
	for attempt := range batchRetries {
		one, cancel := context.WithTimeout(ctx, b.o.Timeout)
		err = b.send(one, batch)
		cancel()
		var refused refusedError
		if err == nil || errors.As(err, &refused) || attempt == batchRetries-1 || !wait(ctx, b.o.pause()<<attempt) {
			break
		}
	}
	if err != nil {
		b.dropped.Add(int64(len(batch)))
	}
	if n := b.dropped.Swap(0); n > 0 {
		err = errors.Join(err, fmt.Errorf("%d were dropped", n))
	}
	if err != nil || b.failing {
		b.failing = err != nil
		b.o.Report(err)
	}
}

func wait(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
