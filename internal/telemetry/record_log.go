package telemetry

import (
	"context"
	"crypto/tls"
	"log/slog"
	"strings"
	"time"
	"unsafe"
)

// CategoryGatewayLogs is the category of records of requests among the logs of Azure Monitor.
const CategoryGatewayLogs = "GatewayLogs"

// RecordLog writes records of requests as log lines, several with one write. It belongs to one goroutine.
type RecordLog struct {
	log    *slog.Logger
	direct *logHandler // of log; nil when it has a handler of another kind
	record recordLine
	line   logLine
	buf    []byte
	now    time.Time // of the lines in buf
}

// recordLogSize is how many bytes of lines are gathered at most.
const recordLogSize = 32 << 10

// NewRecordLog returns a log of records in the form of a logger. A logger of [NewLogHandler] costs no allocation for a record.
func NewRecordLog(log *slog.Logger) *RecordLog {
	direct, _ := log.Handler().(*logHandler)
	return &RecordLog{log: log, direct: direct}
}

// Write adds a line, unless the record or the level says that none is wanted.
func (l *RecordLog) Write(r *Record) {
	const level, event, message = slog.LevelInfo, "RequestCompleted", "Request was answered."
	if r.Unlogged || !l.log.Enabled(context.Background(), level) {
		return
	}
	l.record.attrs, l.record.scratch = l.record.attrs[:0], l.record.scratch[:0]
	if l.direct == nil {
		l.record.add(slog.String(EventKey, event))
		l.record.columns(r)
		l.log.LogAttrs(context.Background(), level, message, l.record.attrs...)
		return
	}
	if len(l.buf) == 0 {
		l.now = time.Now().UTC()
	}
	l.record.add(l.direct.attrs...)
	l.record.columns(r)
	l.line = logLine{severity: level, level: levelName(level), time: l.now, event: event, message: message, attrs: l.record.attrs}
	if l.buf = l.direct.encode(l.buf, &l.line); len(l.buf) >= recordLogSize {
		l.Flush()
	}
}

// Flush writes the lines that were added.
func (l *RecordLog) Flush() {
	if len(l.buf) == 0 {
		return
	}
	l.direct.mu.Lock()
	defer l.direct.mu.Unlock()
	_, _ = l.direct.w.Write(l.buf) // as with every log: there is nowhere to say so
	l.buf = l.buf[:0]
}

// AppendAttrs appends the columns of the table ApiManagementGatewayLogs, with a lower-case first letter and of the types that its reference page
// documents; times are whole milliseconds. Columns of text that are empty are left out.
func (r *Record) AppendAttrs(attrs []slog.Attr) []slog.Attr {
	l := recordLine{attrs: attrs}
	l.columns(r)
	return l.attrs
}

// recordLine gathers the attributes of a record. Texts that it makes lie in its scratch space, so that a line that is written at once costs nothing.
type recordLine struct {
	attrs   []slog.Attr
	scratch []byte
}

// made adds the text that f appends, if there is any.
func (l *recordLine) made(key string, f func(b []byte) []byte) {
	start := len(l.scratch)
	l.scratch = f(l.scratch)
	made := l.scratch[start:]
	l.text(key, unsafe.String(unsafe.SliceData(made), len(made)))
}

func (l *recordLine) columns(r *Record) {
	l.text("category", CategoryGatewayLogs)
	l.text("operationName", "Microsoft.ApiManagement/"+CategoryGatewayLogs)
	l.made("timeGenerated", func(b []byte) []byte { return append(appendTime(b, r.Time.UTC(), 7), 'Z') })
	l.add(slog.Bool("isRequestSuccess", r.Success()), slog.String("method", r.Method))
	l.made("url", r.appendURL)
	l.add(slog.Int("responseCode", r.ResponseCode), slog.Int64("totalTime", r.TotalTime.Milliseconds()))
	l.made("correlationId", func(b []byte) []byte { return appendUUID(b, r.RequestID) })
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
		l.made("backendUrl", r.appendBackendURL)
		l.text("backendProtocol", r.BackendProtocol)
		l.add(slog.Int("backendResponseCode", r.BackendResponseCode), slog.Int64("backendTime", r.BackendTime.Milliseconds()))
	}
	l.add(slog.Int64("requestSize", r.RequestSize), slog.Int64("responseSize", r.ResponseSize), slog.String("cache", r.Cache.String()))
	l.tracing(&r.Tracing)
	l.lastError(r)
	if r.Captured != nil {
		l.captured(r.Captured)
	}
}

// appendURL appends the caller's URL, with what a diagnostic shows of the query.
func (r *Record) appendURL(b []byte) []byte {
	if b = append(b, r.URL...); r.Captured != nil {
		b = append(b, r.Captured.Query...)
	}
	return b
}

func (r *Record) appendBackendURL(b []byte) []byte {
	if b = append(b, r.BackendURL...); r.Captured != nil {
		b = append(b, r.Captured.BackendQuery...)
	}
	return b
}

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
