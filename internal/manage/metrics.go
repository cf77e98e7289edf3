package manage

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// metrics counts the requests of a plane, for Prometheus. The text format is a few lines of code; the client library
// would bring ten modules.
type metrics struct {
	more     func(io.Writer) // metrics of others, nil for none
	mu       sync.Mutex
	requests map[requestKind]*durations
}

type requestKind struct {
	method string
	status int
}

// durations is a histogram.
type durations struct {
	buckets [numBounds]uint64
	count   uint64
	sum     time.Duration
}

const numBounds = 10

func bounds() [numBounds]time.Duration {
	const ms = time.Millisecond
	return [numBounds]time.Duration{ms, 5 * ms, 10 * ms, 25 * ms, 50 * ms, 100 * ms, 250 * ms, time.Second, 5 * time.Second, 30 * time.Second}
}

func newMetrics(more func(io.Writer)) *metrics {
	return &metrics{more: more, requests: make(map[requestKind]*durations)}
}

// observe counts a request. Methods that callers make up are one.
func (m *metrics) observe(method string, status int, took time.Duration) {
	if !slices.Contains([]string{http.MethodGet, http.MethodHead, http.MethodPut, http.MethodPatch, http.MethodPost, http.MethodDelete}, method) {
		method = "other"
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	d := m.requests[requestKind{method, status}]
	if d == nil {
		d = &durations{}
		m.requests[requestKind{method, status}] = d
	}
	d.count++
	d.sum += took
	for i, bound := range bounds() {
		if took <= bound {
			d.buckets[i]++
		}
	}
}

// ServeHTTP answers in Prometheus' text format.
func (m *metrics) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	const name = "causeway_management_request_duration_seconds"
	var b strings.Builder
	fmt.Fprintf(&b, "# HELP %s Time to answer requests of the management plane.\n# TYPE %s histogram\n", name, name)
	m.mu.Lock()
	kinds := slices.SortedFunc(maps.Keys(m.requests), func(a, b requestKind) int {
		return strings.Compare(fmt.Sprint(a), fmt.Sprint(b))
	})
	for _, k := range kinds {
		d, labels := m.requests[k], fmt.Sprintf(`method="%s",status="%d"`, k.method, k.status)
		for i, bound := range bounds() {
			fmt.Fprintf(&b, "%s_bucket{%s,le=\"%g\"} %d\n", name, labels, bound.Seconds(), d.buckets[i])
		}
		fmt.Fprintf(&b, "%s_bucket{%s,le=\"+Inf\"} %d\n%s_sum{%s} %g\n%s_count{%s} %d\n", name, labels, d.count, name, labels, d.sum.Seconds(), name, labels, d.count)
	}
	m.mu.Unlock()
	if m.more != nil {
		m.more(&b)
	}
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	_, _ = w.Write([]byte(b.String())) // a client that has gone is no error of ours
}
