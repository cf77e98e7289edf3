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
	direct bool // lines are made here, not by the handler
	recordLines
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

// NewRecordLog returns a log of records in the form of a logger. A logger of [NewLogHandler] costs no allocation for a record.
func NewRecordLog(log *slog.Logger) *RecordLog {
	l := &RecordLog{log: log}
	if h := directHandler(log); h != nil {
		l.direct, l.recordLines = true, newRecordLines(h)
	}
	return l
}

// wantsLine says whether a line of a record is wanted.
func wantsLine(log *slog.Logger, r *Record) bool {
	return !r.Unlogged && log.Enabled(context.Background(), recordLevel)
}

// Write adds a line, unless the record or the level says that none is wanted.
func (l *RecordLog) Write(r *Record) {
	if !wantsLine(l.log, r) {
		return
	}
	if !l.direct {
		l.line.attrs = append(l.line.attrs[:0], slog.String(EventKey, recordEvent))
		l.line.columns(r)
		l.log.LogAttrs(context.Background(), recordLevel, recordMessage, l.line.attrs...)
		return
	}
	if l.add(r); len(l.line.buf) >= recordLogSize {
		l.Flush()
	}
}

// Flush writes the lines that were added.
func (l *RecordLog) Flush() {
	l.write(l.line.buf)
	l.line.buf = l.line.buf[:0]
}

// recordLines gathers lines of records.
type recordLines struct {
	handler *logHandler
	head    []byte // what the lines of the buffer begin with
	line    recordLine
}

func newRecordLines(h *logHandler) recordLines {
	return recordLines{handler: h, line: *newRecordLine(h.form)}
}

func newRecordLine(form lineForm) *recordLine {
	return &recordLine{form: form, known: new([64]knownSubject)}
}

// add adds a line.
func (l *recordLines) add(r *Record) {
	l.begin()
	start := len(l.line.buf)
	l.line.rest(r)
	l.line.end(start)
}

// begin adds the head of a line.
func (l *recordLines) begin() {
	if len(l.line.buf) == 0 {
		l.makeHead(time.Now().UTC())
	}
	l.line.buf = append(l.line.buf, l.head...)
}

// makeHead makes the head of the lines that are written together: they have one time.
func (l *recordLines) makeHead(now time.Time) {
	line := logLine{severity: recordLevel, level: levelName(recordLevel), time: now, event: recordEvent, message: recordMessage, attrs: l.handler.attrs}
	l.head = l.handler.encode(l.head[:0], &line)
	l.line.buf = append(l.line.buf, l.head[:len(l.head)-len(l.line.form.lineEnd())]...)
	l.line.category()
	l.head, l.line.buf = append(l.head[:0], l.line.buf...), l.line.buf[:0]
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
