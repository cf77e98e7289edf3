package telemetry

import (
	"context"
	"log/slog"
	"time"
)

// CategoryGatewayLogs is the category of records of requests among the logs of Azure Monitor.
const CategoryGatewayLogs = "GatewayLogs"

// recordLogSize is how many bytes of lines are gathered at most. Each write to a file begins and ends within a page, which costs about as much as
// copying several: of 128 KB a line's share is two thirds of what it is of 32 KB.
const recordLogSize = 128 << 10

// What each line of a request says, besides its columns.
const (
	recordLevel   = slog.LevelInfo
	recordEvent   = "RequestCompleted"
	recordMessage = "Request was answered."
)

// directHandler is the handler of a log, if it is one that lines of records can be made for.
func directHandler(log *slog.Logger) *logHandler {
	if log == nil {
		return nil
	}
	if h, ok := log.Handler().(*logHandler); ok && h.form != formAttrs {
		return h
	}
	return nil
}

// wantsLine says whether a line of a record is wanted.
func wantsLine(log *slog.Logger, r *Record) bool {
	return !r.Unlogged && log.Enabled(context.Background(), recordLevel)
}

// recordLines gathers lines of records.
type recordLines struct {
	handler *logHandler
	head    []byte // what the lines of the buffer begin with
	buf     []byte
}

func newRecordLine(form lineForm) *recordLine {
	return &recordLine{form: form, known: new([64]knownSubject)}
}

// add adds a line of which the head is missing.
func (l *recordLines) add(text []byte) {
	if len(l.buf) == 0 {
		l.makeHead(time.Now().UTC())
	}
	l.buf = append(append(l.buf, l.head...), text...)
}

// makeHead makes the head of the lines that are written together: they have one time.
func (l *recordLines) makeHead(now time.Time) {
	line := logLine{severity: recordLevel, level: levelName(recordLevel), time: now, event: recordEvent, message: recordMessage, attrs: l.handler.attrs}
	head := recordLine{form: l.handler.form, buf: l.handler.encode(l.head[:0], &line)}
	head.buf = head.buf[:len(head.buf)-len(head.form.lineEnd())]
	head.category()
	l.head = head.buf
}

// write writes lines, if there are any.
func (l *recordLines) write(lines []byte) {
	if len(lines) == 0 {
		return
	}
	l.handler.mu.Lock()
	defer l.handler.mu.Unlock()
	_, _ = l.handler.w.Write(lines) // as with every log: there is nowhere to say so
}

// AppendAttrs appends the columns of the table ApiManagementGatewayLogs, with a lower-case first letter and of the types that its reference page
// documents; times are whole milliseconds. Columns of text that are empty are left out.
func (r *Record) AppendAttrs(attrs []slog.Attr) []slog.Attr {
	l := recordLine{attrs: attrs}
	l.columns(r)
	return l.attrs
}
