package telemetry

import (
	"context"
	"crypto/tls"
	"log/slog"
	"strings"
)

// CategoryGatewayLogs is the category of records of requests among the logs of Azure Monitor.
const CategoryGatewayLogs = "GatewayLogs"

// LogRecord writes a record as one log line.
func LogRecord(log *slog.Logger, r *Record) {
	if r.Unlogged || !log.Enabled(context.Background(), slog.LevelInfo) {
		return
	}
	attrs := append(make([]slog.Attr, 0, 48), slog.String(EventKey, "RequestCompleted"))
	log.LogAttrs(context.Background(), slog.LevelInfo, "Request was answered.", r.AppendAttrs(attrs)...)
}

// AppendAttrs appends the columns of the table ApiManagementGatewayLogs, with a lower-case first letter and of the types that its reference page
// documents; times are whole milliseconds. Columns of text that are empty are left out.
func (r *Record) AppendAttrs(attrs []slog.Attr) []slog.Attr {
	l := recordLine{attrs}
	l.text("category", CategoryGatewayLogs)
	l.text("operationName", "Microsoft.ApiManagement/"+CategoryGatewayLogs)
	l.text("timeGenerated", r.Time.UTC().Format(timeLayout)+"Z")
	l.add(slog.Bool("isRequestSuccess", r.Success()), slog.String("method", r.Method), slog.String("url", r.url()),
		slog.Int("responseCode", r.ResponseCode), slog.Int64("totalTime", r.TotalTime.Milliseconds()))
	l.text("correlationId", UUIDText(r.RequestID))
	l.text("callerIpAddress", r.CallerIP)
	l.text("region", r.Region)
	l.text("serviceName", r.Service)
	l.text("apiId", r.API)
	l.text("apiRevision", r.APIRevision)
	l.text("operationId", r.Operation)
	l.text("productId", r.Product)
	l.text("apimSubscriptionId", r.Subscription)
	l.text("userId", r.User)
	l.text("workspaceId", r.Workspace)
	l.text("clientProtocol", r.ClientProtocol)
	if r.ClientTLS != 0 {
		l.text("clientTlsVersion", strings.TrimPrefix(tls.VersionName(r.ClientTLS), "TLS "))
	}
	l.add(slog.Int64("clientTime", r.ClientTime.Milliseconds()))
	l.text("backendId", r.Backend)
	if r.BackendMethod != "" {
		l.text("backendMethod", r.BackendMethod)
		l.text("backendUrl", r.backendURL())
		l.text("backendProtocol", r.BackendProtocol)
		l.add(slog.Int("backendResponseCode", r.BackendResponseCode), slog.Int64("backendTime", r.BackendTime.Milliseconds()))
	}
	l.add(slog.Int64("requestSize", r.RequestSize), slog.Int64("responseSize", r.ResponseSize), slog.String("cache", r.Cache.String()))
	l.tracing(&r.Tracing)
	l.lastError(r)
	if r.Captured != nil {
		l.captured(r.Captured)
	}
	return l.attrs
}

// url is the caller's URL, with what a diagnostic shows of the query.
func (r *Record) url() string {
	if r.Captured == nil {
		return string(r.URL)
	}
	return string(r.URL) + r.Captured.Query
}

func (r *Record) backendURL() string {
	if r.Captured == nil {
		return string(r.BackendURL)
	}
	return string(r.BackendURL) + r.Captured.BackendQuery
}

// recordLine gathers the attributes of a record.
type recordLine struct{ attrs []slog.Attr }

func (l *recordLine) add(attrs ...slog.Attr) { l.attrs = append(l.attrs, attrs...) }

func (l *recordLine) text(key, value string) {
	if value != "" {
		l.attrs = append(l.attrs, slog.String(key, value))
	}
}

func (l *recordLine) tracing(t *TraceState) {
	if t.Requested {
		l.add(slog.Bool("isTraceRequested", true), slog.Bool("isTraceAllowed", t.Allowed), slog.Bool("isTraceExpired", t.Expired),
			slog.Bool("isMasterTrace", t.Master))
	}
}

func (l *recordLine) lastError(r *Record) {
	if r.ErrorReason != "" || r.ErrorMessage != "" {
		l.add(slog.Int64("lastErrorElapsed", r.ErrorElapsed.Milliseconds()))
	}
	l.text("lastErrorSource", r.ErrorSource)
	l.text("lastErrorReason", r.ErrorReason)
	l.text("lastErrorMessage", r.ErrorMessage)
	l.text("lastErrorSection", r.ErrorSection)
	l.text("lastErrorScope", r.ErrorScope)
	l.text("connectionError", r.ConnectionFail)
}

func (l *recordLine) captured(c *Captured) {
	for _, m := range [...]struct {
		name string
		*CapturedMessage
	}{
		{"request", &c.FrontendRequest}, {"response", &c.FrontendResponse}, {"backendRequest", &c.BackendRequest}, {"backendResponse", &c.BackendResponse},
	} {
		if len(m.Headers) > 0 {
			l.add(slog.Any(m.name+"Headers", labelObject(m.Headers)))
		}
		l.text(m.name+"Body", m.Body)
	}
	if len(c.Traces) == 0 {
		return
	}
	traces := make([]map[string]any, len(c.Traces))
	for i, t := range c.Traces {
		traces[i] = map[string]any{
			"timestamp": t.Time.UTC().Format(timeLayout) + "Z", "severity": t.Severity.String(), "source": t.Source, "message": t.Message,
		}
		if len(t.Metadata) > 0 {
			traces[i]["metadata"] = labelObject(t.Metadata)
		}
	}
	l.add(slog.Any("traceRecords", traces))
}

// labelObject is a list of names and values as an object; values of one name are joined as in HTTP.
func labelObject(labels []Label) map[string]string {
	object := make(map[string]string, len(labels))
	for _, l := range labels {
		if old, ok := object[l.Name]; ok {
			l.Value = old + ", " + l.Value
		}
		object[l.Name] = l.Value
	}
	return object
}
