package telemetry

import (
	"context"
	"encoding/hex"
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
	RequestID                                [16]byte
	CallerIP                                 string
	Service, API, Operation                  string
	Product, Subscription, User              string
	Method                                   string
	URL                                      []byte // without query
	ResponseCode, BackendResponseCode        int
	RequestSize, ResponseSize                int64 // bytes on the wire
	TotalTime, BackendTime                   time.Duration
	ClientTime                               time.Duration // from the head of the answer to its last byte
	ErrorSource, ErrorReason, ErrorMessage   string
	ErrorSection, ErrorScope, ConnectionFail string
	Host                                     string // that the client asked for
	ServiceID                                string // as the gateway knows the service
	Cache                                    CacheUse
}

// Success is APIM's isRequestSuccess: an answer of the 2xx or 3xx classes.
func (r *Record) Success() bool { return r.ResponseCode >= 200 && r.ResponseCode < 400 }

// Status is API Management's category of an answer.
type Status string

// The categories ("Observability in Azure API Management", gateway logs).
const (
	StatusSuccessful   Status = "Successful"   // up to 301, 304, 307
	StatusUnauthorized Status = "Unauthorized" // 401, 403, 429
	StatusErroneous    Status = "Erroneous"    // 400, 500 to 599
	StatusOther        Status = "Other"
)

// Status returns the category of the answer.
func (r *Record) Status() Status {
	switch c := r.ResponseCode; {
	case c >= 100 && c <= 301, c == 304, c == 307:
		return StatusSuccessful
	case c == 401, c == 403, c == 429:
		return StatusUnauthorized
	case c == 400, c >= 500 && c <= 599:
		return StatusErroneous
	}
	return StatusOther
}

// Queue hands records from requests to a writer. Requests never wait for it: a
// full queue drops the record and counts it.
type Queue struct {
	records chan *Record
	pool    sync.Pool
	dropped atomic.Int64
	stop    chan struct{}
	done    chan struct{}
}

// NewQueue returns a queue for size records and starts its writer, which calls
// write for each record and lost, at most once a second, with the number of
// records dropped since the last call.
func NewQueue(size int, write func(*Record), lost func(n int64)) *Queue {
	q := &Queue{records: make(chan *Record, size), stop: make(chan struct{}), done: make(chan struct{})}
	q.pool.New = func() any { return &Record{URL: make([]byte, 0, 128)} }
	go q.run(write, lost)
	return q
}

// New returns an empty record for Add.
func (q *Queue) New() *Record { return q.pool.Get().(*Record) }

// Add takes over a record that New made. After Close it is lost.
func (q *Queue) Add(r *Record) {
	select {
	case q.records <- r:
	default:
		q.dropped.Add(1)
		q.recycle(r)
	}
}

// Close writes what is queued and ends the writer.
func (q *Queue) Close() {
	close(q.stop)
	<-q.done
}

func (q *Queue) run(write func(*Record), lost func(n int64)) {
	defer close(q.done)
	var warned time.Time
	take := func(r *Record) {
		now := r.Time
		write(r)
		q.recycle(r)
		if q.dropped.Load() > 0 && now.Sub(warned) >= time.Second {
			warned = now
			lost(q.dropped.Swap(0))
		}
	}
	for stopped := false; !stopped; {
		select {
		case r := <-q.records:
			take(r)
		case <-q.stop:
			stopped = true
		}
	}
	for len(q.records) > 0 {
		take(<-q.records)
	}
	if n := q.dropped.Swap(0); n > 0 {
		lost(n)
	}
}

func (q *Queue) recycle(r *Record) {
	*r = Record{URL: r.URL[:0]}
	q.pool.Put(r)
}

// LogRecord writes a record as one log line.
func LogRecord(log *slog.Logger, r *Record) {
	if !log.Enabled(context.Background(), slog.LevelInfo) {
		return
	}
	attrs := make([]slog.Attr, 0, 20)
	attrs = append(attrs, slog.String(EventKey, "RequestCompleted"), slog.String("category", "GatewayLogs"),
		slog.Bool("isRequestSuccess", r.Success()), slog.String("method", r.Method), slog.String("url", string(r.URL)),
		slog.Int("responseCode", r.ResponseCode), slog.Float64("totalTime", millis(r.TotalTime)))
	text := func(key, value string) {
		if value != "" {
			attrs = append(attrs, slog.String(key, value))
		}
	}
	text("correlationId", uuidText(r.RequestID))
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
	attrs = append(attrs, slog.String("cache", r.Cache.String()))
	text("lastErrorSource", r.ErrorSource)
	text("lastErrorReason", r.ErrorReason)
	text("lastErrorMessage", r.ErrorMessage)
	text("lastErrorSection", r.ErrorSection)
	text("lastErrorScope", r.ErrorScope)
	text("connectionError", r.ConnectionFail)
	log.LogAttrs(context.Background(), slog.LevelInfo, "Request was answered.", attrs...)
}

// uuidText is the text form of a UUID.
func uuidText(u [16]byte) string {
	var b [36]byte
	hex.Encode(b[0:8], u[0:4])
	hex.Encode(b[9:13], u[4:6])
	hex.Encode(b[14:18], u[6:8])
	hex.Encode(b[19:23], u[8:10])
	hex.Encode(b[24:36], u[10:16])
	b[8], b[13], b[18], b[23] = '-', '-', '-', '-'
	return string(b[:])
}

func millis(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
