package telemetry

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// Record is what is known of one request when its last byte is sent. Its
// strings are the record's own: it outlives the request. Names follow APIM's
// GatewayLogs.
type Record struct {
	Time                                     time.Time
	RequestID, CallerIP                      string
	Service, API, Operation                  string
	Product, Subscription, User              string
	Method, URL                              string
	ResponseCode, BackendResponseCode        int
	RequestSize, ResponseSize                int64 // bytes on the wire
	TotalTime, BackendTime                   time.Duration
	ErrorSource, ErrorReason, ErrorMessage   string
	ErrorSection, ErrorScope, ConnectionFail string
}

// Success is APIM's isRequestSuccess: an answer of the 2xx or 3xx classes.
func (r *Record) Success() bool { return r.ResponseCode >= 200 && r.ResponseCode < 400 }

// Queue hands records from requests to a writer. Requests never wait for it: a
// full queue drops the record and counts it.
type Queue struct {
	records chan *Record
	pool    sync.Pool
	dropped atomic.Int64
	done    chan struct{}
}

// NewQueue returns a queue for size records and starts its writer, which calls
// write for each record and lost, at most once a second, with the number of
// records dropped since the last call.
func NewQueue(size int, write func(*Record), lost func(n int64)) *Queue {
	q := &Queue{records: make(chan *Record, size), done: make(chan struct{})}
	q.pool.New = func() any { return new(Record) }
	go q.run(write, lost)
	return q
}

// New returns an empty record for Add.
func (q *Queue) New() *Record { return q.pool.Get().(*Record) }

// Add hands over a record that New made.
func (q *Queue) Add(r *Record) {
	select {
	case q.records <- r:
	default:
		q.dropped.Add(1)
		q.recycle(r)
	}
}

// Close writes what is queued and ends the writer. Add must not be called
// afterwards.
func (q *Queue) Close() {
	close(q.records)
	<-q.done
}

func (q *Queue) run(write func(*Record), lost func(n int64)) {
	defer close(q.done)
	var warned time.Time
	for r := range q.records {
		now := r.Time
		write(r)
		q.recycle(r)
		if q.dropped.Load() > 0 && now.Sub(warned) >= time.Second {
			warned = now
			lost(q.dropped.Swap(0))
		}
	}
	if n := q.dropped.Swap(0); n > 0 {
		lost(n)
	}
}

func (q *Queue) recycle(r *Record) {
	*r = Record{}
	q.pool.Put(r)
}

// LogRecord writes a record as one log line.
func LogRecord(log *slog.Logger, r *Record) {
	if !log.Enabled(context.Background(), slog.LevelInfo) {
		return
	}
	attrs := make([]slog.Attr, 0, 20)
	attrs = append(attrs, slog.String(EventKey, "RequestCompleted"), slog.String("category", "GatewayLogs"),
		slog.Bool("isRequestSuccess", r.Success()), slog.String("method", r.Method), slog.String("url", r.URL),
		slog.Int("responseCode", r.ResponseCode), slog.Float64("totalTime", millis(r.TotalTime)))
	text := func(key, value string) {
		if value != "" {
			attrs = append(attrs, slog.String(key, value))
		}
	}
	text("correlationId", r.RequestID)
	text("callerIpAddress", r.CallerIP)
	text("serviceName", r.Service)
	text("apiId", r.API)
	text("operationId", r.Operation)
	text("productId", r.Product)
	text("apimSubscriptionId", r.Subscription)
	text("userId", r.User)
	if r.BackendResponseCode != 0 {
		attrs = append(attrs, slog.Int("backendResponseCode", r.BackendResponseCode), slog.Float64("backendTime", millis(r.BackendTime)))
	}
	attrs = append(attrs, slog.Int64("requestSize", r.RequestSize), slog.Int64("responseSize", r.ResponseSize))
	text("lastErrorSource", r.ErrorSource)
	text("lastErrorReason", r.ErrorReason)
	text("lastErrorMessage", r.ErrorMessage)
	text("lastErrorSection", r.ErrorSection)
	text("lastErrorScope", r.ErrorScope)
	text("connectionError", r.ConnectionFail)
	log.LogAttrs(context.Background(), slog.LevelInfo, "Request was answered.", attrs...)
}

func millis(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
