package telemetry

import (
	"context"
	"log/slog"
	"time"
)

// CategoryGatewayLogs is the category of records of requests among the logs of Azure Monitor.
const CategoryGatewayLogs = "GatewayLogs"

// RecordLog writes records of requests as log lines, several with one write. It belongs to one goroutine.
type RecordLog struct {
	log    *slog.Logger
	direct *logHandler // of log; nil when it has a handler of another kind
	head   []byte      // what the lines of the buffer begin with
	line   recordLine
}

// recordLogSize is how many bytes of lines are gathered at most. Each write to a file begins and ends within a page, which costs about as much as
// copying several: of 128 KB a line's share is two thirds of what it is of 32 KB.
const recordLogSize = 128 << 10

// What each line of a request says, besides its columns.
const (
	recordLevel   = slog.LevelInfo
	recordEvent   = "RequestCompleted"
	recordMessage = "Request was answered."
)

// NewRecordLog returns a log of records in the form of a logger. A logger of [NewLogHandler] costs no allocation for a record.
func NewRecordLog(log *slog.Logger) *RecordLog {
	l := &RecordLog{log: log}
	if h, ok := log.Handler().(*logHandler); ok && h.form != formAttrs {
		l.direct, l.line.form, l.line.known = h, h.form, new([64]knownSubject)
	}
	return l
}

// Write adds a line, unless the record or the level says that none is wanted.
func (l *RecordLog) Write(r *Record) {
	if r.Unlogged || !l.log.Enabled(context.Background(), recordLevel) {
		return
	}
	if l.direct == nil {
		l.line.attrs = append(l.line.attrs[:0], slog.String(EventKey, recordEvent))
		l.line.columns(r)
		l.log.LogAttrs(context.Background(), recordLevel, recordMessage, l.line.attrs...)
		return
	}
	if len(l.line.buf) == 0 {
		l.begin(time.Now().UTC())
	}
	l.line.buf = append(l.line.buf, l.head...)
	start := len(l.line.buf)
	l.line.rest(r)
	if l.line.end(start); len(l.line.buf) >= recordLogSize {
		l.Flush()
	}
}

// begin makes the head of the lines that are written together: they have one time.
func (l *RecordLog) begin(now time.Time) {
	line := logLine{severity: recordLevel, level: levelName(recordLevel), time: now, event: recordEvent, message: recordMessage, attrs: l.direct.attrs}
	l.head = l.direct.encode(l.head[:0], &line)
	l.line.buf = append(l.line.buf, l.head[:len(l.head)-len(l.line.form.lineEnd())]...)
	l.line.category()
	l.head, l.line.buf = append(l.head[:0], l.line.buf...), l.line.buf[:0]
}

// Flush writes the lines that were added.
func (l *RecordLog) Flush() {
	if len(l.line.buf) == 0 {
		return
	}
	l.direct.mu.Lock()
	defer l.direct.mu.Unlock()
	_, _ = l.direct.w.Write(l.line.buf) // as with every log: there is nowhere to say so
	l.line.buf = l.line.buf[:0]
}

// AppendAttrs appends the columns of the table ApiManagementGatewayLogs, with a lower-case first letter and of the types that its reference page
// documents; times are whole milliseconds. Columns of text that are empty are left out.
func (r *Record) AppendAttrs(attrs []slog.Attr) []slog.Attr {
	l := recordLine{attrs: attrs}
	l.columns(r)
	return l.attrs
}
