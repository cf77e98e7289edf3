package telemetry

import (
	"crypto/tls"
	"log/slog"
	"strconv"
	"strings"
	"time"
	"unsafe"
)

// lineForm is a form in which the columns of a record can be written.
type lineForm uint8

const (
	formAttrs lineForm = iota // as attributes, for a handler that has a form of its own
	formText
	formJSON
)

// lineEnd is what ends a line.
func (f lineForm) lineEnd() string {
	if f == formJSON {
		return "}\n"
	}
	return "\n"
}

// recordLine takes the columns of a record: as attributes, or as the text of lines. Their keys are given as lines of text have them.
type recordLine struct {
	form   lineForm
	attrs  []slog.Attr
	buf    []byte
	second int64             // that stamp is of, since 1970
	stamp  []byte            // the latest time up to its second
	known  *[64]knownSubject // of lines: what was written lately, by where the texts of the record lie
}

// knownSubject is a subject with its columns as they are in a line.
type knownSubject struct {
	subject
	text []byte
}

// subject is what a request was for: the same texts come again and again.
type subject struct {
	region, service, api, revision, operation, product, subscription, user, workspace, protocol string
	tls                                                                                         uint16
}

// columns adds those of the table ApiManagementGatewayLogs.
func (l *recordLine) columns(r *Record) {
	l.category()
	l.rest(r)
}

// category adds the columns that are the same of all records.
func (l *recordLine) category() {
	l.word(", category: ", CategoryGatewayLogs)
	l.word(", operationName: ", "Microsoft.ApiManagement/"+CategoryGatewayLogs)
}

// rest adds the other columns.
func (l *recordLine) rest(r *Record) {
	l.time(", timeGenerated: ", r.Time)
	l.flag(", isRequestSuccess: ", r.Success())
	l.word(", method: ", r.Method)
	l.url(", url: ", r.URL, r.Captured.query())
	l.number(", responseCode: ", int64(r.ResponseCode))
	l.number(", totalTime: ", r.TotalTime.Milliseconds())
	l.uuid(", correlationId: ", r.RequestID)
	l.text(", callerIpAddress: ", r.CallerIP)
	l.subject(r)
	l.number(", clientTime: ", r.ClientTime.Milliseconds())
	l.text(", backendId: ", r.Backend)
	if r.BackendMethod != "" {
		l.word(", backendMethod: ", r.BackendMethod)
		l.url(", backendUrl: ", r.BackendURL, r.Captured.backendQuery())
		l.text(", backendProtocol: ", r.BackendProtocol)
		l.number(", backendResponseCode: ", int64(r.BackendResponseCode))
		l.number(", backendTime: ", r.BackendTime.Milliseconds())
	}
	l.number(", requestSize: ", r.RequestSize)
	l.number(", responseSize: ", r.ResponseSize)
	l.word(", cache: ", r.Cache.String())
	l.tracing(&r.Tracing)
	l.lastError(r)
	if r.Captured != nil {
		l.captured(r.Captured)
	}
}

// subject adds the columns of what the request was for. The comparison costs little where the texts are those of the configuration.
func (l *recordLine) subject(r *Record) {
	if l.form == formAttrs {
		l.newSubject(r)
		return
	}
	known := &l.known[r.place()%uintptr(len(l.known))]
	of := subject{
		r.Region, r.Service, r.API, r.APIRevision, r.Operation, r.Product, r.Subscription, r.User, r.Workspace, r.ClientProtocol, r.ClientTLS,
	}
	if known.subject == of && len(known.text) > 0 {
		l.buf = append(l.buf, known.text...)
		return
	}
	start := len(l.buf)
	l.newSubject(r)
	known.subject, known.text = of, append(known.text[:0], l.buf[start:]...)
}

func (l *recordLine) newSubject(r *Record) {
	l.text(", region: ", r.Region)
	l.text(", serviceName: ", r.Service)
	l.text(", apiId: ", r.API)
	l.text(", apiRevision: ", r.APIRevision)
	l.text(", operationId: ", r.Operation)
	l.text(", productId: ", r.Product)
	l.text(", apimSubscriptionId: ", r.Subscription)
	l.text(", userId: ", r.User)
	l.text(", workspaceId: ", r.Workspace)
	l.text(", clientProtocol: ", r.ClientProtocol)
	if r.ClientTLS != 0 {
		l.text(", clientTlsVersion: ", strings.TrimPrefix(tls.VersionName(r.ClientTLS), "TLS "))
	}
}

func (l *recordLine) tracing(t *TraceState) {
	if t.Requested {
		l.flag(", isTraceRequested: ", true)
		l.flag(", isTraceAllowed: ", t.Allowed)
		l.flag(", isTraceExpired: ", t.Expired)
		l.flag(", isMasterTrace: ", t.Master)
	}
}

func (l *recordLine) lastError(r *Record) {
	if r.ErrorReason != "" || r.ErrorMessage != "" {
		l.number(", lastErrorElapsed: ", r.ErrorElapsed.Milliseconds())
	}
	l.text(", lastErrorSource: ", r.ErrorSource)
	l.text(", lastErrorReason: ", r.ErrorReason)
	l.text(", lastErrorMessage: ", r.ErrorMessage)
	l.text(", lastErrorSection: ", r.ErrorSection)
	l.text(", lastErrorScope: ", r.ErrorScope)
	l.text(", connectionError: ", r.ConnectionFail)
}

func (l *recordLine) captured(c *Captured) {
	for _, m := range [...]struct {
		name string
		*CapturedMessage
	}{
		{"request", &c.FrontendRequest}, {"response", &c.FrontendResponse}, {"backendRequest", &c.BackendRequest}, {"backendResponse", &c.BackendResponse},
	} {
		if len(m.Headers) > 0 {
			l.object(", "+m.name+"Headers: ", labelObject(m.Headers))
		}
		l.text(", "+m.name+"Body: ", m.Body)
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
	l.object(", traceRecords: ", traces)
}

// query is what a diagnostic shows of the caller's; empty without one.
func (c *Captured) query() string {
	if c == nil {
		return ""
	}
	return c.Query
}

// backendQuery is the same of the call to the backend service.
func (c *Captured) backendQuery() string {
	if c == nil {
		return ""
	}
	return c.BackendQuery
}

// end ends the line whose columns begin at start.
func (l *recordLine) end(start int) {
	if l.form == formText {
		l.buf = keepOnLine(l.buf, start)
	}
	l.buf = append(l.buf, l.form.lineEnd()...)
}

// attr is an attribute of a column.
func (l *recordLine) attr(key string, value slog.Value) {
	l.attrs = append(l.attrs, slog.Attr{Key: key[len(", ") : len(key)-len(": ")], Value: value})
}

// key begins a column of a line. That of a text line is as long as that of JSON.
func (l *recordLine) key(key string) []byte {
	b := append(l.buf, key...)
	if n := len(b); l.form == formJSON {
		b[n-len(key)+1], b[n-2], b[n-1] = '"', '"', ':'
	}
	return b
}

// quote begins and ends what needs no escapes.
func (l *recordLine) quote(b []byte) []byte {
	if l.form == formJSON {
		b = append(b, '"')
	}
	return b
}

// text adds a column of text, unless it is empty.
func (l *recordLine) text(key, value string) {
	if value != "" {
		l.word(key, value)
	}
}

// word adds a column of text, even of an empty one.
func (l *recordLine) word(key, value string) {
	switch l.form {
	case formAttrs:
		l.attr(key, slog.StringValue(value))
	case formText:
		l.buf = append(l.key(key), value...)
	case formJSON:
		l.buf = appendJSONString(l.key(key), value)
	}
}

func (l *recordLine) number(key string, n int64) {
	if l.form == formAttrs {
		l.attr(key, slog.Int64Value(n))
		return
	}
	l.buf = appendNumber(l.key(key), n)
}

func (l *recordLine) flag(key string, is bool) {
	if l.form == formAttrs {
		l.attr(key, slog.BoolValue(is))
		return
	}
	l.buf = strconv.AppendBool(l.key(key), is)
}

// object adds a column that is JSON in each form of a line.
func (l *recordLine) object(key string, value any) {
	switch v := slog.AnyValue(value); l.form {
	case formAttrs:
		l.attr(key, v)
	case formText:
		l.buf = appendAttrText(l.key(key), v)
	case formJSON:
		l.buf = appendJSONValue(l.key(key), v)
	}
}

// url adds a URL with its query, unless both are empty.
func (l *recordLine) url(key string, url []byte, query string) {
	if query != "" {
		url = append(url[:len(url):len(url)], query...)
	}
	if l.form == formAttrs { // they outlive the record
		l.text(key, string(url))
		return
	}
	l.text(key, unsafe.String(unsafe.SliceData(url), len(url)))
}

func (l *recordLine) uuid(key string, u [16]byte) {
	if l.form == formAttrs {
		l.attr(key, slog.StringValue(UUIDText(u)))
		return
	}
	l.buf = l.quote(appendUUID(l.quote(l.key(key)), u))
}

// time adds a time as timeLayout has it, and that it is of UTC.
func (l *recordLine) time(key string, t time.Time) {
	if l.form == formAttrs {
		l.attr(key, slog.StringValue(string(l.appendTime(nil, t))))
		return
	}
	l.buf = l.quote(l.appendTime(l.quote(l.key(key)), t))
}

// appendTime writes a time. Most are of the second of the one before.
func (l *recordLine) appendTime(b []byte, t time.Time) []byte {
	if second := t.Unix(); second != l.second || len(l.stamp) == 0 {
		l.second, l.stamp = second, appendTime(l.stamp[:0], t.UTC(), 0)
	}
	return append(appendFraction(append(b, l.stamp...), t.Nanosecond(), 7), 'Z')
}

// appendNumber writes a number; most have three digits at most.
func appendNumber(b []byte, n int64) []byte {
	switch {
	case n < 0 || n > 999:
		return strconv.AppendInt(b, n, 10)
	case n > 99:
		return append(b, byte('0'+n/100), byte('0'+n/10%10), byte('0'+n%10))
	case n > 9:
		return append(b, byte('0'+n/10), byte('0'+n%10))
	}
	return append(b, byte('0'+n))
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
