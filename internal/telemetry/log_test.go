package telemetry

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func TestTextLine(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	h, err := NewLogHandler(&out, LogOptions{})
	if err != nil {
		t.Fatal(err)
	}
	r := slog.NewRecord(time.Date(2026, 2, 23, 7, 26, 2, 728e6, time.UTC), slog.LevelError, "hello\nworld", 0)
	r.AddAttrs(slog.String(EventKey, "ClientHelloParsingFailed"), slog.Any("exception", errors.New("boom")))
	if err := h.Handle(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	const want = "[Error]2026-02-23T07:26:02.728 [ClientHelloParsingFailed] hello\\nworld, exception: boom\n"
	if out.String() != want {
		t.Errorf("got  %swant %s", out.String(), want)
	}
}

func TestJSONLine(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	h, err := NewLogHandler(&out, LogOptions{Format: "json"})
	if err != nil {
		t.Fatal(err)
	}
	slog.New(h).WithGroup("api").With("id", "echo").Info("a \"quoted\" line\n", EventKey, "RequestReceived", "took", 3*time.Millisecond)
	var got map[string]any
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatalf("%v in %s", err, out.String())
	}
	if got["level"] != "Info" || got["eventType"] != "RequestReceived" || got["api.id"] != "echo" || got["message"] != "a \"quoted\" line\n" {
		t.Errorf("got %v", got)
	}
	if strings.Count(out.String(), "\n") != 1 {
		t.Errorf("not one line: %q", out.String())
	}
}

func TestLogChoices(t *testing.T) {
	t.Parallel()
	if _, err := NewLogHandler(nil, LogOptions{Format: "xml"}); err == nil {
		t.Error("format xml accepted")
	}
	if _, err := LogLevel("loud"); err == nil {
		t.Error("level loud accepted")
	}
	for _, w := range []string{"all", "debug", "info", "warn", "error", "fatal", ""} {
		if _, err := LogLevel(w); err != nil {
			t.Error(err)
		}
	}
}

func FuzzJSONLine(f *testing.F) {
	for _, s := range []string{"plain", "a \"b\" \\ \n\x00", "ümlaut \u2028", "\xff"} {
		f.Add(s, 1.5, int64(7))
	}
	f.Fuzz(func(t *testing.T, text string, number float64, whole int64) {
		var out bytes.Buffer
		h, err := NewLogHandler(&out, LogOptions{Format: "json"})
		if err != nil {
			t.Fatal(err)
		}
		slog.New(h).Info(text, "text", text, "float", number, "int", whole, "list", []string{text}, "error", errors.New(text))
		var got map[string]any
		if err := json.Unmarshal(out.Bytes(), &got); err != nil || strings.Count(out.String(), "\n") != 1 {
			t.Fatalf("%v in %q", err, out.String())
		}
		want := strings.ToValidUTF8(text, "\ufffd")
		if utf8.ValidString(text) && (got["message"] != want || got["text"] != want || got["error"] != want) {
			t.Errorf("%q became %v", text, got)
		}
		if f, ok := got["float"].(float64); ok && f != number {
			t.Errorf("%v became %v", number, f)
		}
	})
}
