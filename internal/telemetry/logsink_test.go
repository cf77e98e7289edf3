package telemetry

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// listenPackets returns an endpoint and a function that reads its next datagram.
func listenPackets(t *testing.T, network string) (endpoint string, next func() string) {
	t.Helper()
	address := "127.0.0.1:0"
	if network == "unixgram" {
		address = filepath.Join(t.TempDir(), "log")
	}
	conn, err := net.ListenPacket(network, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn.LocalAddr().String(), func() string {
		t.Helper()
		_ = conn.SetReadDeadline(time.Now().Add(30 * time.Second))
		b := make([]byte, 1<<18)
		n, _, err := conn.ReadFrom(b)
		if err != nil {
			t.Fatal(err)
		}
		return string(b[:n])
	}
}

func openSink(t *testing.T, o LogSinkOptions) *LogSink {
	t.Helper()
	o.Level, o.Host, o.Process = slog.LevelInfo, "box", "42"
	if o.Report == nil {
		o.Report = func(int64, error) {}
	}
	s, err := OpenLogSink(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// say logs a line with an instant of its own.
func say(t *testing.T, s *LogSink, level slog.Level, text string, attrs ...slog.Attr) {
	t.Helper()
	r := slog.NewRecord(time.Date(2026, 1, 2, 3, 4, 5, 678_901_000, time.UTC), level, text, 0)
	r.AddAttrs(attrs...)
	if err := s.Handle(t.Context(), r); err != nil {
		t.Fatal(err)
	}
}

func TestLogTargets(t *testing.T) {
	t.Parallel()
	cases := []struct {
		target  LogTarget
		network string
		want    string
	}{
		{TargetRFC5424, "udp", "<131>1 2026-01-02T03:04:05.678901Z box causeway-gateway 42 Failed " +
			`[causeway@32473 url="/a\"b\]" code="7"] It broke\nhere`},
		{TargetRFC5424, "unixgram", "<131>1 "},
		{TargetLocalSyslog, "unixgram", "<131>Jan  2 03:04:05 causeway-gateway[42]: [Failed] It broke\\nhere, url: /a\"b], code: 7"},
		{TargetJSON, "udp", `{"level":"Error","timestamp":"2026-01-02T03:04:05.6789010Z","eventType":"Failed","message":"It broke\nhere","url":"/a\"b]","code":7}`},
		{TargetJournal, "unixgram", "MESSAGE\n\x0d\x00\x00\x00\x00\x00\x00\x00It broke\nhere\nPRIORITY=3\nSYSLOG_IDENTIFIER=causeway-gateway\nEVENT_TYPE=Failed\nURL=/a\"b]\nCODE=7\n"},
	}
	for _, c := range cases {
		t.Run(string(c.target)+" "+c.network, func(t *testing.T) {
			t.Parallel()
			endpoint, next := listenPackets(t, c.network)
			s := openSink(t, LogSinkOptions{Target: c.target, Endpoint: endpoint, Facility: 16})
			if s.Enabled(t.Context(), slog.LevelDebug) {
				t.Error("takes what is below its level")
			}
			say(t, s, slog.LevelError, "It broke\nhere", slog.String(EventKey, "Failed"), slog.String("url", `/a"b]`), slog.Int("code", 7))
			if got := next(); !strings.HasPrefix(got, c.want) {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
		})
	}
}

// TestSyslogOverTCP reads messages that are framed by their length, over a connection that is replaced when it breaks.
func TestSyslogOverTCP(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	messages := make(chan string)
	go func() {
		for range 2 { // each connection carries one message
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			r := bufio.NewReader(conn)
			length, _ := r.ReadString(' ')
			n, _ := strconv.Atoi(strings.TrimSpace(length))
			message := make([]byte, n)
			_, _ = io.ReadFull(r, message)
			conn.Close()
			messages <- string(message)
		}
	}()
	s := openSink(t, LogSinkOptions{Target: TargetRFC5424, Endpoint: "tcp://" + listener.Addr().String(), Facility: 1})
	say(t, s, slog.LevelInfo, "first")
	if got := <-messages; !strings.HasSuffix(got, " - first") {
		t.Errorf("got %q", got)
	}
	again := time.NewTicker(10 * time.Millisecond) // what goes into the old connection before its end is known is lost
	defer again.Stop()
	for {
		say(t, s, slog.LevelInfo, "second")
		select {
		case got := <-messages:
			if !strings.HasSuffix(got, " - second") {
				t.Errorf("got %q", got)
			}
			return
		case <-again.C:
		}
	}
}

func TestSinkCountsWhatItDrops(t *testing.T) {
	t.Parallel()
	reports := make(chan int64, 100)
	s := openSink(t, LogSinkOptions{Target: TargetJSON, Endpoint: filepath.Join(t.TempDir(), "nobody"), Report: func(n int64, err error) { reports <- n }})
	say(t, s, slog.LevelInfo, "first")
	if n := <-reports; n != 0 {
		t.Errorf("the first failure reports %d lines", n)
	}
	for range sinkLines + 100 {
		say(t, s, slog.LevelInfo, "more")
	}
	s.Close()
	total := int64(0)
	for len(reports) > 0 {
		total += <-reports
	}
	if total != sinkLines+101 {
		t.Errorf("%d lines were reported as dropped of %d", total, sinkLines+101)
	}
}

func TestLogSinkOptions(t *testing.T) {
	t.Parallel()
	for _, o := range []LogSinkOptions{
		{Target: TargetJSON, Endpoint: "tcp://127.0.0.1:1"}, {Target: TargetJournal, Endpoint: "127.0.0.1:1"}, {Target: TargetRFC5424, Endpoint: ""},
		{Target: TargetRFC5424, Endpoint: "ftp://x"}, {Target: TargetRFC5424, Endpoint: "host:0"}, {Target: "forward", Endpoint: "/dev/log"},
	} {
		if s, err := OpenLogSink(o); err == nil {
			s.Close()
			t.Errorf("%+v is taken", o)
		}
	}
	for text, want := range map[string]int{"": 1, "7": 7, "local0": 16, "LOCAL7": 23} {
		if got, err := ParseFacility(text); got != want || err != nil {
			t.Errorf("facility %q is %d, %v", text, got, err)
		}
	}
	for _, text := range []string{"24", "-1", "mine"} {
		if _, err := ParseFacility(text); err == nil {
			t.Errorf("facility %q is taken", text)
		}
	}
}

// FuzzLogLine checks that no attribute breaks the form of a line.
func FuzzLogLine(f *testing.F) {
	f.Add("key", "value", "text")
	f.Add(`a]b"c`, "x\n\"]\\\xff", "\n")
	f.Fuzz(func(t *testing.T, key, value, text string) {
		l := logLine{level: "Info", event: key, message: text, attrs: []slog.Attr{slog.String(key, value)}}
		if b := l.appendJSON(nil); !json.Valid(b) || bytes.ContainsAny(b, "\r\n") {
			t.Errorf("JSON is %q", b)
		}
		for _, b := range [][]byte{l.appendRFC5424(nil, 1, key, value), l.appendLocalSyslog(nil, 1, "1"), l.appendText(nil, false)} {
			if bytes.ContainsAny(bytes.TrimSuffix(b, []byte("\n")), "\r\n") {
				t.Errorf("a line is %q", b)
			}
		}
		if !bytes.HasSuffix(l.appendJournal(nil), []byte("\n")) {
			t.Error("an entry has no end")
		}
	})
}
