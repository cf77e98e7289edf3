package gateway

import (
	"strings"

	"github.com/causeway-apim/causeway/internal/gateway/messaging"
	"github.com/causeway-apim/causeway/internal/message"
	"github.com/causeway-apim/causeway/internal/policy"
	"github.com/causeway-apim/causeway/internal/snapshot"
	"github.com/causeway-apim/causeway/internal/telemetry"
)

// The types of loggers.
const (
	loggerEventHub     = "azureEventHub"
	loggerInsights     = "applicationInsights"
	loggerAzureMonitor = "azureMonitor"
)

// holdsCredentials says whether a header field is masked in any case.
func holdsCredentials(name string) bool { return policy.IsSecretHeader(name) }

// endObservation gives what was observed to those who want it. The record is complete.
func (r *request) endObservation(rec *telemetry.Record) {
	o := r.observed
	o.mu.Lock()
	defer o.mu.Unlock()
	failed := !rec.Success() || rec.ErrorReason != "" || rec.ConnectionFail != ""
	for _, d := range o.chosen {
		if d == nil {
			break
		}
		l, ok := r.config.loggers.Get(d.logger)
		if !ok {
			continue
		}
		sampled := o.link.sampledBy(d.part.Percentage)
		wanted := (sampled || failed && d.part.ErrorsAlways) && (failed || d.wantsAll())
		switch l.part.Type {
		case loggerInsights:
			r.sendInsights(d, l, rec, wanted, failed, sampled)
		case loggerEventHub:
			if wanted {
				r.sendEvent(d, l, rec)
			}
		case loggerAzureMonitor:
			if wanted {
				rec.Unlogged, rec.Captured = false, o.captured(d)
				if !d.part.LogClientIP {
					rec.CallerIP = ""
				}
			}
		}
	}
	if o.link.spans {
		r.addSpans(rec, failed)
	}
}

// sendEvent puts the record of a request into the queue of an event hub.
func (r *request) sendEvent(d *diagnostic, l *logger, rec *telemetry.Record) {
	own := *rec
	own.Captured = r.observed.captured(d)
	if !d.part.LogClientIP {
		own.CallerIP = ""
	}
	q, err := r.service.eventQueue(l)
	if err != nil {
		r.gateway.log.Debug("A record cannot be sent by a diagnostic.", "logger", l.part.Name, "error", err)
		return
	}
	q.add(messaging.Event{Body: own.AppendJSON(nil)})
}

// captured is what a diagnostic shows of the messages.
func (o *observation) captured(d *diagnostic) *telemetry.Captured {
	p := &d.part
	c := &telemetry.Captured{
		FrontendRequest: capturedMessage(&p.FrontendRequest, &o.request), FrontendResponse: capturedMessage(&p.FrontendResponse, &o.response),
		Query: visibleQuery(&p.FrontendRequest, o.query), Traces: o.tracesFor(d),
	}
	if call := o.lastCall(); call != nil {
		c.BackendRequest, c.BackendResponse = capturedMessage(&p.BackendRequest, &call.request), capturedMessage(&p.BackendResponse, &call.response)
		c.BackendQuery = visibleQuery(&p.BackendRequest, call.query())
	}
	if p.LanguageModel != nil {
		c.Model = modelExchange(p.LanguageModel, o.request.body, o.response.body)
	}
	return c
}

// lastCall is the last one of forward-request, nil without one.
func (o *observation) lastCall() *backendCall {
	for i := len(o.calls) - 1; i >= 0; i-- {
		if o.calls[i].forwarded {
			return o.calls[i]
		}
	}
	return nil
}

// query is the call's without credentials.
func (c *backendCall) query() string {
	_, query, _ := strings.Cut(policy.TraceURL(&c.url), "?")
	return query
}

// shownURL is the call's URL with what a diagnostic shows of its query.
func (c *backendCall) shownURL(log *snapshot.MessageLog) string {
	plain := c.url
	plain.RawQuery = ""
	return plain.String() + visibleQuery(log, c.query())
}

func capturedMessage(log *snapshot.MessageLog, s *seen) (m telemetry.CapturedMessage) {
	if len(log.Headers) > 0 {
		visibleHeaders(log, s.header.All(), func(name, value string) { m.Headers = append(m.Headers, telemetry.Label{Name: name, Value: value}) })
	}
	m.Body = s.body.text(log.Bytes)
	return m
}

// tracesFor are the messages of the trace policy that are heavy enough.
func (o *observation) tracesFor(d *diagnostic) (list []telemetry.TraceMessage) {
	for _, t := range o.traces {
		if int(t.Severity) >= d.least {
			list = append(list, t)
		}
	}
	return list
}

// sentCall is what the record says of the last call to a backend service.
type sentCall struct {
	method, entity string
	url            []byte // its memory is used again
}

// sent notes a call to a backend service.
func (r *request) sent(out *message.Request, entity *snapshot.Backend) {
	r.call.method, r.call.url = ownMethod(out.Method), appendRecordURL(r.call.url[:0], &out.URL)
	if r.call.entity = ""; entity != nil {
		r.call.entity = entity.Name
	}
}

// describe adds to the record what is told of the two connections.
func (r *request) describe(rec *telemetry.Record) {
	e, in := &r.exec, r.exec.Request
	rec.Unlogged = r.unlogged
	rec.Region = r.config.deployment.Region
	if e.API != nil {
		rec.APIRevision, rec.Workspace = e.API.Revision, r.workspace()
	}
	rec.ClientProtocol = ownProtocol(in.Proto)
	if in.TLS != nil {
		rec.ClientTLS = in.TLS.Version
	}
	if c := &r.call; c.method != "" {
		rec.BackendMethod, rec.Backend = c.method, c.entity
		rec.BackendURL, c.url = c.url, rec.BackendURL
	}
	t := &rec.Tracing
	t.Requested, t.Allowed, t.Expired = r.tracing.name != "", r.tracing.id != "", r.tracing.name == debugExpired
	t.Master = t.Allowed && e.Subscription != nil && e.Subscription.Name == masterSubscription
	rec.ErrorElapsed = max(r.answered.Sub(r.started), 0)
}

// ownProtocol is the name of a protocol that does not alias the request.
func ownProtocol(proto string) string {
	switch proto {
	case "HTTP/1.1":
		return "HTTP/1.1"
	case "HTTP/2.0":
		return "HTTP/2.0"
	case "HTTP/1.0":
		return "HTTP/1.0"
	case "HTTP/3.0":
		return "HTTP/3.0"
	}
	return ""
}
