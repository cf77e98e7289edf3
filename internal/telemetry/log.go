// Package telemetry makes what Causeway says about itself: logs and records of
// requests.
package telemetry

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// EventKey is the attribute that names the kind of event of a log record: the
// eventType of JSON lines and the bracketed word of text lines.
const EventKey = "event"

// LogOptions choose the form of log lines. The values are those of the setting
// telemetry.logs.std of APIM's self-hosted gateway.
type LogOptions struct {
	Format string // text (default), json or none
	Level  slog.Leveler
	Color  bool // colour the level of text lines
}

// LogLevel returns the level of a telemetry.logs.std.level word: all, debug,
// info, warn, error or fatal.
func LogLevel(word string) (slog.Level, error) {
	switch strings.ToLower(word) {
	case "all":
		return slog.LevelDebug - 4, nil
	case "debug":
		return slog.LevelDebug, nil
	case "info", "":
		return slog.LevelInfo, nil
	case "warn":
		return slog.LevelWarn, nil
	case "error":
		return slog.LevelError, nil
	case "fatal":
		return slog.LevelError + 4, nil
	}
	return 0, fmt.Errorf("log level %q is not one of all, debug, info, warn, error, fatal", word)
}

// NewLogHandler returns a handler that writes each record with one Write, so
// that lines of parallel writers never mix.
func NewLogHandler(w io.Writer, o LogOptions) (slog.Handler, error) {
	if o.Level == nil {
		o.Level = slog.LevelInfo
	}
	switch o.Format {
	case "", "text":
		h := newLogHandler(w, o.Level, func(b []byte, l *logLine) []byte { return l.appendText(b, o.Color) })
		h.form = formText
		return h, nil
	case "json":
		h := newLogHandler(w, o.Level, func(b []byte, l *logLine) []byte { return append(l.appendJSON(b), '\n') })
		h.form = formJSON
		return h, nil
	case "none":
		return slog.DiscardHandler, nil
	}
	return nil, fmt.Errorf("log format %q is not one of text, json, none", o.Format)
}

func newLogHandler(w io.Writer, least slog.Leveler, encode func([]byte, *logLine) []byte) *logHandler {
	return &logHandler{w: w, least: least, encode: encode, mu: &sync.Mutex{}}
}

type logHandler struct {
	w      io.Writer
	least  slog.Leveler
	encode func(b []byte, l *logLine) []byte
	form   lineForm // of encode; formAttrs for those of syslog and the like
	mu     *sync.Mutex
	attrs  []slog.Attr
	group  string
}

func (h *logHandler) Enabled(_ context.Context, l slog.Level) bool { return l >= h.least.Level() }

func (h *logHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	c := *h
	c.attrs = slices.Clip(h.attrs)
	for _, a := range attrs {
		a.Key = h.group + a.Key
		c.attrs = append(c.attrs, a)
	}
	return &c
}

func (h *logHandler) WithGroup(name string) slog.Handler {
	c := *h
	c.group = h.group + name + "."
	return &c
}

func (h *logHandler) Handle(_ context.Context, r slog.Record) error {
	line := logLine{severity: r.Level, level: levelName(r.Level), time: r.Time.UTC(), event: "Message", message: r.Message}
	for _, a := range h.attrs {
		line.add("", a)
	}
	r.Attrs(func(a slog.Attr) bool {
		line.add(h.group, a)
		return true
	})
	buf := h.encode(make([]byte, 0, 256), &line)
	h.mu.Lock()
	defer h.mu.Unlock()
	_, err := h.w.Write(buf)
	return err
}

// logLine is a record taken apart.
type logLine struct {
	severity              slog.Level
	level, event, message string
	time                  time.Time
	attrs                 []slog.Attr
}

func (l *logLine) add(prefix string, a slog.Attr) {
	a.Value = a.Value.Resolve()
	if a.Key == EventKey {
		l.event = a.Value.String()
		return
	}
	if a.Value.Kind() == slog.KindGroup {
		for _, sub := range a.Value.Group() {
			l.add(prefix+a.Key+".", sub)
		}
		return
	}
	a.Key = prefix + a.Key
	l.attrs = append(l.attrs, a)
}

const timeLayout = "2006-01-02T15:04:05.0000000"

// appendTime writes a time of UTC as timeLayout has it, with the first digits of its fraction. It takes a third of the time that AppendFormat does, for
// two times in each line of a request.
func appendTime(b []byte, t time.Time, digits int) []byte {
	year, month, day := t.Date()
	hour, minute, second := t.Clock()
	b = append(appendPair(appendPair(b, year/100), year%100), '-')
	b = append(appendPair(b, int(month)), '-')
	b = append(appendPair(b, day), 'T')
	b = append(appendPair(b, hour), ':')
	b = append(appendPair(b, minute), ':')
	return appendFraction(append(appendPair(b, second), '.'), t.Nanosecond(), digits)
}

// appendFraction writes the first digits of a fraction of a second.
func appendFraction(b []byte, nanoseconds, digits int) []byte {
	var text [len("123456789")]byte
	for i := len(text) - 1; i >= 0; i-- {
		text[i] = byte('0' + nanoseconds%10)
		nanoseconds /= 10
	}
	return append(b, text[:digits]...)
}

// appendPair writes a number below 100 with two digits.
func appendPair(b []byte, n int) []byte { return append(b, byte('0'+n/10), byte('0'+n%10)) }

// appendText writes `[Level]timestamp [event] message, key: value`.
func (l *logLine) appendText(b []byte, color bool) []byte {
	start, end := "", ""
	if color {
		start, end = levelColor(l.severity), "\x1b[0m"
	}
	b = append(b, start...)
	b = append(append(append(b, '['), l.level...), ']')
	b = append(b, end...)
	b = appendTime(b, l.time, 3)
	b = append(b, ' ')
	return append(l.appendSentence(b), '\n')
}

// appendSentence writes `[event] message, key: value`.
func (l *logLine) appendSentence(b []byte) []byte {
	start := len(b)
	b = append(append(append(b, '['), l.event...), "] "...)
	b = append(b, l.message...)
	for i := range l.attrs {
		b = append(append(append(b, ", "...), l.attrs[i].Key...), ": "...)
		b = appendAttrText(b, l.attrs[i].Value)
	}
	return keepOnLine(b, start)
}

// keepOnLine makes one line of what was appended from start on.
func keepOnLine(b []byte, start int) []byte {
	if said := b[start:]; bytes.IndexByte(said, '\n') >= 0 || bytes.IndexByte(said, '\r') >= 0 {
		b = append(b[:start], singleLine(string(said))...)
	}
	return b
}

// appendAttrText appends the text of a value.
func appendAttrText(b []byte, v slog.Value) []byte {
	switch v.Kind() {
	case slog.KindInt64:
		return strconv.AppendInt(b, v.Int64(), 10)
	case slog.KindBool:
		return strconv.AppendBool(b, v.Bool())
	}
	return append(b, attrText(v)...)
}

// attrText is the text of a value; objects are JSON.
func attrText(v slog.Value) string {
	if v.Kind() != slog.KindAny {
		return v.String()
	}
	if _, ok := v.Any().(error); ok {
		return v.String()
	}
	if enc, err := json.Marshal(v.Any()); err == nil {
		return string(enc)
	}
	return v.String()
}

func (l *logLine) appendJSON(b []byte) []byte {
	b = append(b, `{"level":`...)
	b = appendJSONString(b, l.level)
	b = append(b, `,"timestamp":"`...)
	b = appendTime(b, l.time, 7)
	b = append(b, `Z","eventType":`...)
	b = appendJSONString(b, l.event)
	b = append(b, `,"message":`...)
	b = appendJSONString(b, l.message)
	for _, a := range l.attrs {
		b = append(b, ',')
		b = appendJSONString(b, a.Key)
		b = append(b, ':')
		b = appendJSONValue(b, a.Value)
	}
	return append(b, '}')
}

func appendJSONValue(b []byte, v slog.Value) []byte {
	switch v.Kind() {
	case slog.KindString:
		return appendJSONString(b, v.String())
	case slog.KindInt64:
		return strconv.AppendInt(b, v.Int64(), 10)
	case slog.KindUint64:
		return strconv.AppendUint(b, v.Uint64(), 10)
	case slog.KindBool:
		return strconv.AppendBool(b, v.Bool())
	case slog.KindFloat64:
		if f := v.Float64(); !math.IsNaN(f) && !math.IsInf(f, 0) {
			return strconv.AppendFloat(b, f, 'f', -1, 64)
		}
		return appendJSONString(b, v.String())
	case slog.KindDuration:
		return appendJSONString(b, v.Duration().String())
	}
	if err, ok := v.Any().(error); ok {
		return appendJSONString(b, err.Error())
	}
	enc, err := json.Marshal(v.Any())
	if err != nil {
		return appendJSONString(b, v.String())
	}
	return append(b, enc...)
}

// appendJSONString appends a JSON string. Most log strings need no escapes.
func appendJSONString(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' || c >= utf8.RuneSelf {
			enc, _ := json.Marshal(s) // a string never fails
			return append(b, enc...)
		}
	}
	return append(append(append(b, '"'), s...), '"')
}

// singleLine keeps a record on its line: what follows a break in a message may
// come from a client.
func singleLine(s string) string {
	if strings.ContainsAny(s, "\r\n") {
		s = strings.NewReplacer("\r\n", "\\n", "\n", "\\n", "\r", "\\r").Replace(s)
	}
	return s
}

func levelName(l slog.Level) string {
	switch {
	case l < slog.LevelInfo:
		return "Debug"
	case l < slog.LevelWarn:
		return "Info"
	case l < slog.LevelError:
		return "Warn"
	case l > slog.LevelError:
		return "Fatal"
	}
	return "Error"
}

func levelColor(l slog.Level) string {
	switch {
	case l < slog.LevelInfo:
		return "\x1b[2m"
	case l < slog.LevelWarn:
		return "\x1b[36m"
	case l < slog.LevelError:
		return "\x1b[33m"
	}
	return "\x1b[31m"
}
