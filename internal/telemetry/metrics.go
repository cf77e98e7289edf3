package telemetry

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Names of the metrics of API Management's self-hosted gateway, as OpenTelemetry gets them.
const (
	MetricRequests        = "Requests"
	MetricDuration        = "DurationInMs"
	MetricBackendDuration = "BackendDurationInMs"
	MetricClientDuration  = "ClientDurationInMs"
	MetricGatewayDuration = "GatewayDurationInMs"
)

const (
	maxMetricSeries = 2000 // of requests; what comes beyond is counted together
	maxMetricHosts  = 200
	maxCustomSeries = 5000
	otherValue      = "other"
)

// Label is a dimension of a metric.
type Label struct{ Name, Value string }

// Series are the measurements of a metric with one set of labels since the start.
type Series struct {
	Name      string
	Unit      string
	Labels    []Label
	Histogram *Histogram // nil: a counter or a gauge
	Gauge     bool       // the value goes up and down
	Value     float64    // of a counter or a gauge
}

// Histogram counts measurements by buckets.
type Histogram struct {
	Bounds        []float64 // upper ones, included
	Counts        []uint64  // one more than bounds
	Count         uint64
	Sum, Min, Max float64
}

func (h *Histogram) add(v float64) {
	i, _ := slices.BinarySearch(h.Bounds, v)
	h.Counts[i]++
	if h.Count == 0 {
		h.Min, h.Max = v, v
	}
	h.Count++
	h.Sum, h.Min, h.Max = h.Sum+v, min(h.Min, v), max(h.Max, v)
}

// MetricsOptions say what metrics tell of the gateway.
type MetricsOptions struct {
	GatewayID string
	Location  func() string // of the gateway; asked when metrics are read
	Buckets   []float64     // milliseconds, ascending
	Start     time.Time
	// System adds metrics of the process: CPU, memory, garbage collection.
	System bool
}

// Metrics add up what requests take and what policies measure. Adding a request allocates nothing for dimensions that are known already; it is
// safe for concurrent use. The number of series is bounded.
type Metrics struct {
	o MetricsOptions

	mu       sync.Mutex
	hosts    map[string]string
	requests map[requestKey]*uint64
	times    map[string]*[4]Histogram // by host: total, backend, client, gateway
	recent   [16]requestSeries        // found lately, by the code of the answer
	host     string                   // that Host was asked for the last time
	custom   map[string]*Series
}

type requestKey struct {
	host, reason  string
	code, backend int
	cache         CacheUse
	status        Status
	overflow      bool
}

// requestSeries are the series that requests of a key are counted in.
type requestSeries struct {
	requestKey
	n     *uint64
	times *[4]Histogram
}

// NewMetrics returns empty metrics.
func NewMetrics(o MetricsOptions) *Metrics {
	return &Metrics{
		o: o, hosts: make(map[string]string), requests: make(map[requestKey]*uint64), times: make(map[string]*[4]Histogram),
		custom: make(map[string]*Series),
	}
}

// Start is when counting began.
func (m *Metrics) Start() time.Time { return m.o.Start }

// Host returns the name under which a host is counted: itself, without its port, as a text that may be kept.
func (m *Metrics) Host(host string) string {
	if i := strings.LastIndexByte(host, ':'); i >= 0 && !strings.HasSuffix(host, "]") {
		host = host[:i]
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if host == m.host && host != "" {
		return m.host
	}
	if own, ok := m.hosts[host]; ok {
		m.host = own
		return own
	}
	if len(m.hosts) >= maxMetricHosts || len(host) > 255 {
		return otherValue
	}
	host = strings.Clone(host)
	m.hosts[host] = host
	return host
}

// Add counts a request.
func (m *Metrics) Add(r *Record) {
	key := requestKey{host: r.Host, reason: r.ErrorReason, code: r.ResponseCode, backend: r.BackendResponseCode, cache: r.Cache, status: r.Status()}
	total, backend, client := millis(r.TotalTime), millis(r.BackendTime), millis(r.ClientTime)
	m.mu.Lock()
	defer m.mu.Unlock()
	s := &m.recent[uint(key.code)%uint(len(m.recent))]
	if s.n == nil || s.requestKey != key {
		*s = m.series(key)
	}
	*s.n++
	s.times[0].add(total)
	s.times[1].add(backend)
	s.times[2].add(client)
	s.times[3].add(max(total-backend-client, 0))
}

// series returns the series of a key, or those of all that are too many.
func (m *Metrics) series(key requestKey) requestSeries {
	s := requestSeries{requestKey: key, n: m.requests[key]}
	if s.n == nil && len(m.requests) >= maxMetricSeries {
		key = requestKey{overflow: true}
		s.n = m.requests[key]
	}
	if s.n == nil {
		s.n = new(uint64)
		m.requests[key] = s.n
	}
	s.times = m.histograms(key.host)
	return s
}

// histograms returns the times of the requests for a host.
func (m *Metrics) histograms(host string) *[4]Histogram {
	h := m.times[host]
	if h == nil {
		h = new([4]Histogram)
		for i := range h {
			h[i] = Histogram{Bounds: m.o.Buckets, Counts: make([]uint64, len(m.o.Buckets)+1)}
		}
		m.times[host] = h
	}
	return h
}

// Measure adds a value to a metric that a policy emits.
func (m *Metrics) Measure(name string, value float64, labels []Label) {
	var b strings.Builder
	b.WriteString(name)
	for _, l := range labels {
		b.WriteString("\x00" + l.Name + "\x00" + l.Value)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.custom[b.String()]
	if s == nil {
		if len(m.custom) >= maxCustomSeries {
			return
		}
		s = &Series{Name: strings.Clone(name)}
		for _, l := range labels {
			s.Labels = append(s.Labels, Label{strings.Clone(l.Name), strings.Clone(l.Value)})
		}
		m.custom[b.String()] = s
	}
	s.Value += value
}

// Read returns all series, sorted by name.
func (m *Metrics) Read() []Series {
	location := m.o.Location()
	var system []Series
	if m.o.System {
		system = systemSeries()
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	series := append(make([]Series, 0, len(system)+len(m.requests)+4*len(m.times)+len(m.custom)), system...)
	for key, n := range m.requests {
		labels := []Label{{"GatewayId", m.o.GatewayID}, {"Location", location}}
		series = append(series, Series{Name: MetricRequests, Labels: append(labels, key.labels()...), Value: float64(*n)})
	}
	for host, times := range m.times {
		for i, name := range [...]string{MetricDuration, MetricBackendDuration, MetricClientDuration, MetricGatewayDuration} {
			h := times[i]
			h.Counts = slices.Clone(h.Counts)
			series = append(series, Series{Name: name, Unit: "ms", Labels: []Label{{"Hostname", cmp.Or(host, otherValue)}}, Histogram: &h})
		}
	}
	for _, s := range m.custom {
		series = append(series, *s)
	}
	slices.SortFunc(series, func(a, b Series) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), slices.CompareFunc(a.Labels, b.Labels, func(a, b Label) int {
			return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.Value, b.Value))
		}))
	})
	return series
}

// labels are the dimensions of the counter of requests.
func (k requestKey) labels() []Label {
	if k.overflow {
		return []Label{{"Hostname", otherValue}}
	}
	code, category := codeLabels(k.code)
	backend, backendCategory := codeLabels(k.backend)
	return []Label{
		{"Hostname", k.host}, {"ResponseCode", code}, {"ResponseCodeCategory", category}, {"BackendResponseCode", backend},
		{"BackendResponseCodeCategory", backendCategory}, {"Status", string(k.status)}, {"LastErrorReason", k.reason}, {"Cache", cacheLabel(k.cache)},
	}
}

func cacheLabel(c CacheUse) string { return [...]string{"None", "Miss", "Hit"}[c] }

// codeLabels are a status and its class; empty for none.
func codeLabels(code int) (text, category string) {
	if code == 0 {
		return "", ""
	}
	return strconv.Itoa(code), strconv.Itoa(code/100) + "xx"
}
