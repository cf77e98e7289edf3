package gateway

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/causeway-apim/causeway/internal/message"
	"github.com/causeway-apim/causeway/internal/policy"
	"github.com/causeway-apim/causeway/internal/snapshot"
	"github.com/causeway-apim/causeway/internal/telemetry"
)

// observation is what is kept of a request that somebody wants to know more about than its record: a diagnostic, or who collects spans. Most
// requests have none.
type observation struct {
	chosen  [maxDiagnostics]*diagnostic // that may send the request; nil past the end
	headers bool                        // some of them wants header fields
	link    link
	query   string // the caller's, without credentials
	agent   string

	request, response seen
	mu                sync.Mutex
	calls             []*backendCall
	traces            []telemetry.TraceMessage
	metrics           []policy.Metric
}

// link is the place of a request in a distributed trace.
type link struct {
	trace        [16]byte
	span, parent [8]byte // parent is zero at the root
	flags        byte
	state        string
	spans        bool // the spans of the request are collected
	w3c, legacy  bool // what the backend service is told
	// root and above are those of the older protocol: the operation, and the caller's whole ID.
	root, above string
	appID       string // of Application Insights
}

// seen is what is kept of a message.
type seen struct {
	header message.Header
	body   *bodyStart
}

// backendCall is a call to a backend service, or one of send-request.
type backendCall struct {
	span           [8]byte
	forwarded      bool // by forward-request
	method         string
	url            message.URL
	started, ended time.Time
	status         int
	failure        string
	request        seen
	response       seen
}

const (
	// maxTraceMessages and maxCalls of one request are kept.
	maxTraceMessages = 100
	maxCalls         = 100
	maxTraceMessage  = 32 << 10 // bytes, as Application Insights takes them
)

// observe begins the observation that diagnostics and the collection of spans want. The request is matched and admitted.
func (r *request) observe() {
	if r.config.diagnostics.len() == 0 && r.gateway.spans.Add == nil {
		return
	}
	var list [maxDiagnostics]*diagnostic
	n := r.config.findDiagnostics(r.matched.api, &list)
	spans := r.gateway.spans.Add != nil
	if n == 0 && !spans {
		return
	}
	o := &observation{link: r.beginLink(list[:n], spans)}
	kept := 0
	for _, d := range list[:n] {
		if d.part.ErrorsAlways || d.part.Metrics || o.link.sampledBy(d.part.Percentage) {
			o.chosen[kept] = d
			kept++
			o.headers = o.headers || d.wantsHeaders()
		}
	}
	if kept == 0 && !o.link.spans {
		r.unlog(list[:n])
		if o.link.w3c && o.link.parent == [8]byte{} { // the backend service is not to decide anew
			r.exec.Request.Header.Set("traceparent", o.link.traceparent(o.link.span))
		}
		return
	}
	r.unlog(list[:n])
	e := &r.exec
	if e.OriginalURL.RawQuery != "" {
		_, o.query, _ = strings.Cut(policy.TraceURL(&e.OriginalURL), "?")
		o.query = strings.Clone(o.query)
	}
	if o.link.spans {
		o.agent = strings.Clone(e.Request.Header.Get("User-Agent"))
		if r.gateway.spans.Verbose && e.Tracer == nil {
			var secrets []string
			r.config.secretValues(func(value string) { secrets = append(secrets, value) })
			policy.NewTrace(e, append(secrets, e.SubscriptionKey)...)
		}
	}
	o.request = o.look(&e.Request.Header, &e.Request.Body, o.most(func(d *snapshot.Diagnostic) int {
		return max(d.FrontendRequest.Bytes, d.LanguageModel.RequestLimit())
	}), isGRPCCall(e.Request))
	r.observed = o
}

// unlog leaves the log line of the request to the diagnostic azuremonitor, if there is one.
func (r *request) unlog(list []*diagnostic) {
	for _, d := range list {
		if l, ok := r.config.loggers.Get(d.logger); ok && l.part.Type == loggerAzureMonitor {
			r.unlogged = true
		}
	}
}

func (d *diagnostic) wantsHeaders() bool {
	p := &d.part
	return len(p.FrontendRequest.Headers)+len(p.FrontendResponse.Headers)+len(p.BackendRequest.Headers)+len(p.BackendResponse.Headers) > 0
}

// most is the largest of the sizes that the diagnostics want.
func (o *observation) most(size func(*snapshot.Diagnostic) int) (most int) {
	for _, d := range o.chosen {
		if d != nil {
			most = max(most, size(&d.part))
		}
	}
	return most
}

// look keeps the header fields of a message and the start of its body, which it replaces by one that is watched.
func (o *observation) look(h *message.Header, body *message.Body, bytes int, streams bool) (s seen) {
	if o.headers {
		s.header = h.Detach()
	}
	if bytes > 0 && *body != nil && !streams {
		s.body = &bodyStart{limit: bytes}
		if memory, ok := (*body).(message.Memory); ok {
			s.body.add(memory.Rest())
		} else {
			*body = &watchedBody{Body: *body, start: s.body}
		}
	}
	return s
}

// observeAnswer keeps what goes to the client.
func (r *request) observeAnswer(resp *message.Response) {
	o := r.observed
	if o == nil {
		return
	}
	if o.link.legacy && o.link.appID != "" {
		resp.Header.Set("Request-Context", "appId=cid-v1:"+o.link.appID)
	}
	o.response = o.look(&resp.Header, &resp.Body, o.most(func(d *snapshot.Diagnostic) int {
		return max(d.FrontendResponse.Bytes, d.LanguageModel.ResponseLimit())
	}), resp.Tunnel != nil || isGRPCCall(r.exec.Request))
}

// beginCall keeps what goes to a backend service and tells it of the trace; nil for nothing.
func (r *request) beginCall(out *message.Request, forwarded bool) *backendCall {
	o := r.observed
	if o == nil {
		return nil
	}
	c := &backendCall{forwarded: forwarded, method: strings.Clone(out.Method), url: out.URL.Detach(), started: r.Now()}
	_, _ = rand.Read(c.span[:]) // never fails
	if o.link.w3c {
		out.Header.Set("traceparent", o.link.traceparent(c.span))
	}
	if o.link.legacy {
		out.Header.Set("Request-Id", "|"+o.link.operation()+"."+hex.EncodeToString(c.span[:])+".")
		if o.link.appID != "" {
			out.Header.Set("Request-Context", "appId=cid-v1:"+o.link.appID)
		}
	}
	if forwarded {
		c.request = o.look(&out.Header, &out.Body, o.most(func(d *snapshot.Diagnostic) int { return d.BackendRequest.Bytes }), isGRPCCall(out))
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.calls) < maxCalls {
		o.calls = append(o.calls, c)
	}
	return c
}

// endCall keeps what came back.
func (r *request) endCall(c *backendCall, resp *message.Response, err error) {
	o := r.observed
	if c == nil || o == nil {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	c.ended = r.Now()
	if err != nil {
		c.failure = err.Error()
		return
	}
	c.status = resp.Status
	if c.forwarded {
		c.response = o.look(&resp.Header, &resp.Body, o.most(func(d *snapshot.Diagnostic) int { return d.BackendResponse.Bytes }), resp.Tunnel != nil || isGRPCCall(r.exec.Request))
	}
}

// observeLog keeps what the trace policy says: its attributes begin with the source.
func (r *request) observeLog(weight policy.LogLevel, text string, attributes []any) {
	o := r.observed
	if o == nil || len(attributes) < 2 || attributes[0] != "source" {
		return
	}
	t := telemetry.TraceMessage{Time: r.Now(), Severity: telemetry.Severity(weight), Source: fmt.Sprint(attributes[1]), Message: strings.Clone(text[:min(len(text), maxTraceMessage)])}
	for i := 2; i+1 < len(attributes); i += 2 {
		t.Metadata = append(t.Metadata, telemetry.Label{Name: strings.Clone(fmt.Sprint(attributes[i])), Value: strings.Clone(fmt.Sprint(attributes[i+1]))})
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.traces) < maxTraceMessages {
		o.traces = append(o.traces, t)
	}
}

// observeMetric keeps a measurement of a policy.
func (r *request) observeMetric(m policy.Metric) {
	o := r.observed
	if o == nil {
		return
	}
	own := policy.Metric{Namespace: strings.Clone(m.Namespace), Name: strings.Clone(m.Name), Value: m.Value}
	for _, d := range m.Dimensions {
		own.Dimensions = append(own.Dimensions, policy.Dimension{Name: strings.Clone(d.Name), Value: strings.Clone(d.Value)})
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.metrics) < maxTraceMessages {
		o.metrics = append(o.metrics, own)
	}
}

// beginLink reads what the caller says of the trace that the request belongs to, or begins one.
func (r *request) beginLink(list []*diagnostic, spans bool) (l link) {
	l.w3c = spans
	for _, d := range list {
		logger, ok := r.config.loggers.Get(d.logger)
		if !ok || logger.part.Type != loggerInsights {
			continue
		}
		switch strings.ToLower(d.part.Correlation) {
		case "none":
		case "w3c":
			l.w3c = true
		default:
			l.legacy = true
		}
		l.appID = connectionSetting(logger.part.Credentials["connectionString"], "ApplicationId")
	}
	h := &r.exec.Request.Header
	binary.NativeEndian.PutUint64(l.span[:], randomNonZero())
	if !(l.w3c || l.legacy) || !l.parse(h.Get("traceparent")) {
		binary.NativeEndian.PutUint64(l.trace[:8], randomNonZero())
		binary.NativeEndian.PutUint64(l.trace[8:], randomNonZero())
		l.flags = 0
		if !spans || telemetry.TraceRatio(l.trace) < r.gateway.spans.Ratio {
			l.flags = 1
		}
	} else {
		l.state = strings.Clone(h.Get("tracestate"))
	}
	l.spans = spans && l.flags&1 == 1
	if id := h.Get("Request-Id"); l.legacy && !l.w3c && strings.HasPrefix(id, "|") && len(id) <= 1024 {
		l.above = strings.Clone(id)
		l.root, _, _ = strings.Cut(l.above[1:], ".")
	}
	return l
}

func randomNonZero() uint64 {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	b[0] |= 1
	return binary.NativeEndian.Uint64(b[:])
}

// parse reads a traceparent field (W3C Trace Context, 3.2) and says whether it is valid.
func (l *link) parse(text string) bool {
	c, ok := telemetry.ParseTraceParent(text)
	if !ok {
		return false
	}
	l.trace, l.parent, l.flags = c.Trace, c.Span, 0
	if c.Sampled {
		l.flags = 1
	}
	return true
}

// traceparent is the field for a call.
func (l *link) traceparent(span [8]byte) string {
	return fmt.Sprintf("00-%x-%x-%02x", l.trace, span, l.flags)
}

// operation is the ID of all telemetry of the trace.
func (l *link) operation() string {
	if l.root != "" {
		return l.root
	}
	return hex.EncodeToString(l.trace[:])
}

// sampledBy says whether a diagnostic sends so many percent. Requests of one operation are chosen together, as the libraries of Application
// Insights choose them.
func (l *link) sampledBy(percentage float64) bool {
	return percentage >= 100 || samplingScore(l.operation()) < percentage
}

// samplingScore is the score of Application Insights' sampling by the ID of the operation, from 0 to 100.
func samplingScore(operation string) float64 {
	const shortest = 8
	for operation != "" && len(operation) < shortest {
		operation += operation
	}
	hash := int32(5381)
	for i := range len(operation) {
		hash = hash<<5 + hash + int32(operation[i])
	}
	const largest = 1<<31 - 1
	if hash == -largest-1 {
		hash = largest
	}
	if hash < 0 {
		hash = -hash
	}
	return float64(hash) / largest * 100
}

// bodyStart keeps the first bytes of a body.
type bodyStart struct {
	mu    sync.Mutex
	limit int
	data  []byte
	cut   bool
}

func (b *bodyStart) add(p []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := min(len(p), b.limit-len(b.data))
	b.data, b.cut = append(b.data, p[:n]...), b.cut || n < len(p)
}

// text is at most so many bytes, whole characters of them.
func (b *bodyStart) text(limit int) string {
	if b == nil || limit <= 0 {
		return ""
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return strings.ToValidUTF8(string(b.data[:min(len(b.data), limit)]), "")
}

// watchedBody keeps the start of what is read.
type watchedBody struct {
	message.Body
	start *bodyStart
}

// Read implements [message.Body].
func (b *watchedBody) Read(p []byte) (int, error) {
	n, err := b.Body.Read(p)
	b.start.add(p[:n])
	return n, err
}

// Rewind implements [message.Rewinder].
func (b *watchedBody) Rewind() error {
	again, ok := b.Body.(message.Rewinder)
	if !ok {
		return message.ErrNotReplayable
	}
	if err := again.Rewind(); err != nil {
		return err
	}
	b.start.mu.Lock()
	defer b.start.mu.Unlock()
	b.start.data, b.start.cut = b.start.data[:0], false
	return nil
}

// Buffered implements [message.Buffered].
func (b *watchedBody) Buffered() int {
	if buffered, ok := b.Body.(message.Buffered); ok {
		return buffered.Buffered()
	}
	return 0
}
