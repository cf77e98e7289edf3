package gateway

import (
	"encoding/json"
	"log/slog"
	"strings"
	"time"

	"github.com/causeway-apim/causeway/internal/telemetry"
)

// addSpans adds the spans of a request: one of the server, and one for each call. Attributes follow OpenTelemetry's semantic conventions for HTTP.
func (r *request) addSpans(rec *telemetry.Record, failed bool) {
	o, add := r.observed, r.gateway.spans.Add
	for _, c := range o.calls {
		add(o.callSpan(c))
	}
	s := &telemetry.Span{
		Trace: o.link.trace, ID: o.link.span, Parent: o.link.parent, State: o.link.state, Server: true, Start: rec.Time, End: rec.Time.Add(rec.TotalTime),
		Name: rec.Method, Failed: rec.ResponseCode >= 500 || rec.ConnectionFail != "", Message: rec.ErrorReason,
	}
	a := attrs{}
	a.text("http.request.method", rec.Method)
	a.text("url.scheme", strings.Clone(r.exec.OriginalURL.Scheme))
	a.text("url.path", strings.Clone(r.exec.OriginalURL.Path))
	if route := r.route(); route != "" {
		s.Name += " " + route
		a.text("http.route", route)
	}
	a = append(a, slog.Int("http.response.status_code", rec.ResponseCode))
	a.text("server.address", strings.Clone(r.exec.OriginalURL.Host))
	a.text("client.address", rec.CallerIP)
	a.text("network.protocol.version", strings.TrimPrefix(rec.ClientProtocol, "HTTP/"))
	a.text("user_agent.original", o.agent)
	a.text("apim.request.id", telemetry.UUIDText(rec.RequestID))
	a.text("apim.service.name", rec.Service)
	a.text("apim.api.id", rec.API)
	a.text("apim.api.revision", rec.APIRevision)
	a.text("apim.operation.id", rec.Operation)
	a.text("apim.product.id", rec.Product)
	a.text("apim.subscription.id", rec.Subscription)
	a.text("apim.workspace.id", rec.Workspace)
	a.text("apim.cache", rec.Cache.String())
	if failed {
		a.text("error.type", rec.ErrorReason)
		a.text("apim.error.source", rec.ErrorSource)
		a.text("apim.error.section", rec.ErrorSection)
	}
	s.Attrs = a
	for _, t := range o.traces {
		e := telemetry.SpanEvent{Time: t.Time, Name: t.Message, Attrs: []slog.Attr{slog.String("apim.trace.source", t.Source), slog.String("apim.trace.severity", t.Severity.String())}}
		for _, m := range t.Metadata {
			e.Attrs = append(e.Attrs, slog.String(m.Name, m.Value))
		}
		s.Events = append(s.Events, e)
	}
	if r.gateway.spans.Verbose && r.exec.Tracer != nil {
		s.Events = append(s.Events, policyEvents(r.exec.Tracer.Document(rec.Service, ""))...)
	}
	add(s)
}

// route is the template that the request was matched to.
func (r *request) route() string {
	if r.matched.api == nil {
		return ""
	}
	route := "/" + r.matched.api.part.Path
	if op := r.exec.Operation; op != nil {
		route = strings.TrimSuffix(route, "/") + op.URLTemplate
	}
	return route
}

func (o *observation) callSpan(c *backendCall) *telemetry.Span {
	s := &telemetry.Span{
		Trace: o.link.trace, ID: c.span, Parent: o.link.span, State: o.link.state, Name: c.method, Start: c.started, End: c.ended,
		Failed: c.failure != "" || c.status >= 400, Message: c.failure,
	}
	if s.End.IsZero() { // it goes on while the request has ended
		s.End = c.started
	}
	plain := c.url
	plain.RawQuery = ""
	a := attrs{}
	a.text("http.request.method", c.method)
	a.text("url.full", plain.String())
	a.text("server.address", c.url.Host)
	a = append(a, slog.Int("server.port", c.url.EffectivePort()))
	if c.status != 0 {
		a = append(a, slog.Int("http.response.status_code", c.status))
	}
	policyName := "send-request"
	if c.forwarded {
		policyName = "forward-request"
	}
	a.text("apim.policy", policyName)
	s.Attrs = a
	return s
}

// attrs are attributes of a span; empty texts are left out.
type attrs []slog.Attr

func (a *attrs) text(name, value string) {
	if value != "" {
		*a = append(*a, slog.String(name, value))
	}
}

// policyEvents are the entries of a debug trace as events.
func policyEvents(document []byte) (events []telemetry.SpanEvent) {
	type entry struct {
		Source    string          `json:"source"`
		Timestamp time.Time       `json:"timestamp"`
		Data      json.RawMessage `json:"data"`
	}
	var trace struct {
		Entries map[string][]entry `json:"traceEntries"`
	}
	if json.Unmarshal(document, &trace) != nil { // it is our own
		return nil
	}
	for _, section := range [...]string{"inbound", "backend", "outbound", "on-error"} {
		for _, e := range trace.Entries[section] {
			events = append(events, telemetry.SpanEvent{Time: e.Timestamp, Name: e.Source, Attrs: []slog.Attr{
				slog.String("apim.section", section), slog.String("apim.data", string(e.Data)),
			}})
		}
	}
	return events
}
