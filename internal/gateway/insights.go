package gateway

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"time"

	"github.com/causeway-apim/causeway/internal/gateway/messaging"
	"github.com/causeway-apim/causeway/internal/telemetry"
)

// envelope is an item of telemetry as the Track endpoint of Application Insights takes it ("Breeze", version 2).
type envelope struct {
	Name       string            `json:"name"`
	Time       string            `json:"time"`
	SampleRate float64           `json:"sampleRate,omitempty"`
	Key        string            `json:"iKey"`
	Tags       map[string]string `json:"tags"`
	Data       envelopeData      `json:"data"`
}

type envelopeData struct {
	Type string         `json:"baseType"`
	Base map[string]any `json:"baseData"`
}

// insights makes the items of one request for one logger.
type insights struct {
	r         *request
	d         *diagnostic
	rec       *telemetry.Record
	key       string
	rate      float64
	operation string // its ID
	name      string
	queue     *eventQueue
}

// sendInsights puts the telemetry of a request into the queue of a logger. Measurements are sent whatever the sampling says.
func (r *request) sendInsights(d *diagnostic, l *logger, rec *telemetry.Record, wanted, failed, sampled bool) {
	o := r.observed
	if !wanted && (!d.part.Metrics || len(o.metrics) == 0) {
		return
	}
	q, err := r.service.eventQueue(l)
	if err != nil {
		r.gateway.log.Debug("Telemetry cannot be sent by a diagnostic.", "logger", l.part.Name, "error", err)
		return
	}
	i := &insights{r: r, d: d, rec: rec, key: instrumentationKey(l), rate: d.part.Percentage, operation: o.link.operation(), queue: q}
	if strings.EqualFold(d.part.Correlation, "none") {
		i.operation = hex.EncodeToString(rec.RequestID[:])
	}
	if !sampled {
		i.rate = 100 // an error that is always sent stands for itself only
	}
	i.name = i.operationName()
	if d.part.Metrics {
		i.metrics()
	}
	if !wanted {
		return
	}
	i.request(failed)
	for _, c := range o.calls {
		if c.forwarded {
			i.dependency(c)
		}
	}
	for _, t := range o.tracesFor(d) {
		i.trace(&t)
	}
	if failed {
		i.exception()
	}
}

// operationName is that of all telemetry of the request: by default "API;rev=1 - operation", or else method and path.
func (i *insights) operationName() string {
	rec := i.rec
	if i.d.part.OperationName == "Url" || rec.API == "" {
		return rec.Method + " " + strings.Clone(i.r.exec.OriginalURL.Path)
	}
	revision := rec.API + ";rev=" + rec.APIRevision
	if rec.Operation == "" {
		return revision
	}
	return revision + " - " + rec.Operation
}

func (i *insights) add(at time.Time, kind, base string, parent string, data map[string]any) {
	data["ver"] = 2
	tags := map[string]string{
		"ai.operation.id": i.operation, "ai.operation.name": i.name, "ai.cloud.role": i.rec.Service + " " + i.rec.Region,
		"ai.cloud.roleInstance": i.r.gateway.instance, "ai.internal.sdkVersion": "causeway:1",
	}
	if parent != "" {
		tags["ai.operation.parentId"] = parent
	}
	if i.d.part.LogClientIP && i.rec.CallerIP != "" {
		tags["ai.location.ip"] = i.rec.CallerIP
	}
	rate := i.rate
	if base == "MetricData" {
		rate = 100
	}
	body, err := json.Marshal(envelope{
		Name: "Microsoft.ApplicationInsights." + strings.ReplaceAll(i.key, "-", "") + "." + kind, Time: at.UTC().Format("2006-01-02T15:04:05.0000000Z"),
		SampleRate: rate, Key: i.key, Tags: tags, Data: envelopeData{base, data},
	})
	if err == nil { // numbers that JSON does not have are not sent
		i.queue.add(messaging.Event{Body: body})
	}
}

// properties are the custom dimensions of requests and dependencies.
func (i *insights) properties() map[string]string {
	rec := i.rec
	p := map[string]string{"Service Type": "API Management", "Service Name": rec.Service, "Region": rec.Region, "Service ID": rec.Service, "Request Id": telemetry.UUIDText(rec.RequestID), "Cache": cacheWord(rec.Cache)}
	for name, value := range map[string]string{
		"API Name": rec.API, "API Revision": rec.APIRevision, "Operation Name": rec.Operation, "Product Name": rec.Product, "Subscription Name": rec.Subscription,
		"User ID": rec.User, "Workspace Name": rec.Workspace, "HTTP Method": rec.Method, "Gateway ID": i.r.config.deployment.GatewayID,
	} {
		if value != "" {
			p[name] = value
		}
	}
	return p
}

func cacheWord(c telemetry.CacheUse) string { return [...]string{"None", "Miss", "Hit"}[c] }

// messages adds header fields and bodies to custom dimensions.
func messages(p map[string]string, request, response telemetry.CapturedMessage) map[string]string {
	for side, m := range map[string]telemetry.CapturedMessage{"Request-": request, "Response-": response} {
		for _, h := range m.Headers {
			p[side+h.Name] = h.Value
		}
		if m.Body != "" {
			p[side+"Body"] = m.Body
		}
	}
	return p
}

func (i *insights) request(failed bool) {
	o, rec := i.r.observed, i.rec
	c := o.captured(i.d)
	i.add(rec.Time, "Request", "RequestData", i.parent(), map[string]any{
		"id": i.requestID(), "name": i.name, "duration": insightsDuration(rec.TotalTime), "responseCode": strconv.Itoa(rec.ResponseCode),
		"success": !failed, "url": string(rec.URL) + c.Query, "properties": messages(i.properties(), c.FrontendRequest, c.FrontendResponse),
		"measurements": map[string]float64{
			"Request Size": float64(rec.RequestSize), "Response Size": float64(rec.ResponseSize),
			"Client Time (in ms)": milliseconds(rec.ClientTime),
		},
	})
}

// requestID names the request within its operation.
func (i *insights) requestID() string {
	id := hex.EncodeToString(i.r.observed.link.span[:])
	if i.r.observed.link.w3c {
		return id
	}
	return "|" + i.operation + "." + id + "."
}

// parent is who called, "" for nobody that is known.
func (i *insights) parent() string {
	l := &i.r.observed.link
	switch {
	case strings.EqualFold(i.d.part.Correlation, "none"):
		return ""
	case l.above != "":
		return l.above
	case l.parent != [8]byte{}:
		return hex.EncodeToString(l.parent[:])
	}
	return ""
}

func (i *insights) dependency(c *backendCall) {
	log := &i.d.part
	p := messages(i.properties(), capturedMessage(&log.BackendRequest, &c.request), capturedMessage(&log.BackendResponse, &c.response))
	delete(p, "Cache")
	p["HTTP Method"] = c.method
	if i.rec.Backend != "" {
		p["Backend ID"] = i.rec.Backend
	}
	i.add(c.started, "RemoteDependency", "RemoteDependencyData", i.requestID(), map[string]any{
		"id": hex.EncodeToString(c.span[:]), "name": c.method + " " + c.url.Path, "type": "Backend", "target": c.url.Authority(),
		"data": c.method + " " + c.shownURL(&log.BackendRequest), "duration": insightsDuration(c.ended.Sub(c.started)),
		"resultCode": strconv.Itoa(c.status), "success": c.failure == "" && c.status > 0 && c.status < 400, "properties": p,
	})
}

// trace sends what the trace policy says. Severities are those of Application Insights: 0 is verbose, 1 information, 3 error.
func (i *insights) trace(t *telemetry.TraceMessage) {
	p := map[string]string{"Source": t.Source, "Request Id": telemetry.UUIDText(i.rec.RequestID)}
	for _, m := range t.Metadata {
		p[m.Name] = m.Value
	}
	i.add(t.Time, "Message", "MessageData", i.requestID(), map[string]any{
		"message": t.Message, "severityLevel": [...]int{0, 1, 3}[t.Severity], "properties": p,
	})
}

func (i *insights) exception() {
	rec := i.rec
	reason, message := rec.ErrorReason, rec.ErrorMessage
	if reason == "" {
		reason, message = "HttpError", fmt.Sprintf("The response has the status code %d.", rec.ResponseCode)
	}
	if rec.ConnectionFail != "" && rec.ErrorReason == "" {
		reason, message = "ClientConnectionFailure", rec.ConnectionFail
	}
	p := i.properties()
	maps.DeleteFunc(p, func(name, _ string) bool { return name == "Cache" })
	for name, value := range map[string]string{
		"LastErrorSource": rec.ErrorSource, "LastErrorSection": rec.ErrorSection, "LastErrorScope": rec.ErrorScope, "LastErrorReason": rec.ErrorReason,
	} {
		if value != "" {
			p[name] = value
		}
	}
	i.add(rec.Time.Add(rec.TotalTime), "Exception", "ExceptionData", i.requestID(), map[string]any{
		"exceptions": []map[string]any{{"id": 1, "typeName": reason, "message": message, "hasFullStack": false}},
		"problemId":  reason + " at " + i.name, "severityLevel": 3, "properties": p,
	})
}

func (i *insights) metrics() {
	for _, m := range i.r.observed.metrics {
		p := make(map[string]string, len(m.Dimensions))
		for _, d := range m.Dimensions {
			p[d.Name] = d.Value
		}
		i.add(i.rec.Time, "Metric", "MetricData", "", map[string]any{
			"metrics": []map[string]any{{"ns": m.Namespace, "name": m.Name, "kind": 0, "value": m.Value, "count": 1}}, "properties": p,
		})
	}
}

// insightsDuration writes d.hh:mm:ss.fffffff.
func insightsDuration(d time.Duration) string {
	d = max(d, 0)
	return fmt.Sprintf("%d.%02d:%02d:%02d.%07d", d/(24*time.Hour), d/time.Hour%24, d/time.Minute%60, d/time.Second%60, d%time.Second/100)
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
