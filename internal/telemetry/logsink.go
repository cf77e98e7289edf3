package telemetry

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// sinkLines and sinkBytes may wait for a target of logs.
	sinkLines = 8192
	sinkBytes = 8 << 20
	// maxPacket and maxSocketPacket are what a datagram of UDP and one of a Unix socket may be long; longer lines are dropped, for half of one is
	// of no use to who parses it. maxFrame bounds a message on a connection.
	maxPacket       = 65_000
	maxSocketPacket = 200_000
	maxFrame        = 1 << 20
	sinkTimeout     = 5 * time.Second
	// sinkRetry is the time between two attempts to reach a target.
	sinkRetry = 2 * time.Second
)

// LogSinkOptions describe a target of logs.
type LogSinkOptions struct {
	Target LogTarget
	// Endpoint is the path of a Unix socket, or host:port, which may have udp://, tcp:// or tls:// before it; without a scheme it is UDP.
	Endpoint string
	Facility int // of syslog
	Level    slog.Leveler
	// Host and Process are what messages of RFC 5424 say that they come from.
	Host, Process string
	// Report is told how many lines were dropped since the last time, and with an error when the target cannot be reached; without one when it
	// can again. It must not log into the sink itself.
	Report func(dropped int64, err error)
}

// LogSink sends log lines to a target. Who logs never waits for it: lines that come faster than they leave are dropped and counted.
type LogSink struct {
	*logHandler
	o        LogSinkOptions
	network  string // unixgram, udp or tcp
	secure   bool   // with TLS
	stream   bool   // messages are framed by their length (RFC 6587, 3.4.1)
	longest  int
	lines    chan []byte
	bytes    atomic.Int64
	dropped  atomic.Int64
	conn     net.Conn
	failing  bool
	reported time.Time
	stop     chan struct{}
	done     chan struct{}
	ending   sync.Once
}

// OpenLogSink checks the options and starts sending. Nobody needs to listen at the endpoint.
func OpenLogSink(o LogSinkOptions) (*LogSink, error) {
	s := &LogSink{o: o, lines: make(chan []byte, sinkLines), stop: make(chan struct{}), done: make(chan struct{})}
	if err := s.address(); err != nil {
		return nil, err
	}
	var encode func([]byte, *logLine) []byte
	switch o.Target {
	case TargetRFC5424:
		encode = func(b []byte, l *logLine) []byte { return l.appendRFC5424(b, o.Facility, o.Host, o.Process) }
	case TargetLocalSyslog:
		encode = func(b []byte, l *logLine) []byte { return l.appendLocalSyslog(b, o.Facility, o.Process) }
	case TargetJournal:
		encode = func(b []byte, l *logLine) []byte { return l.appendJournal(b) }
	case TargetJSON:
		encode = func(b []byte, l *logLine) []byte { return l.appendJSON(b) }
	default:
		return nil, fmt.Errorf("%q is not a target of logs", o.Target)
	}
	s.logHandler = newLogHandler(sinkWriter{s}, o.Level, encode)
	go s.run()
	return s, nil
}

// address reads the endpoint.
func (s *LogSink) address() error {
	text := s.o.Endpoint
	scheme, rest, ok := strings.Cut(text, "://")
	if !ok {
		scheme, rest = "udp", text
		if strings.HasPrefix(text, "/") || strings.HasPrefix(text, "@") {
			scheme = "unix"
		}
	}
	switch strings.ToLower(scheme) {
	case "unix", "unixgram":
		s.network, s.longest = "unixgram", maxSocketPacket
	case "udp":
		s.network, s.longest = "udp", maxPacket
	case "tcp", "tls":
		s.network, s.longest, s.stream, s.secure = "tcp", maxFrame, true, strings.EqualFold(scheme, "tls")
	default:
		return fmt.Errorf("endpoint %q has the scheme %s, not unix, udp, tcp or tls", text, scheme)
	}
	if s.o.Endpoint = rest; s.network == "unixgram" {
		if rest == "" {
			return fmt.Errorf("endpoint %q has no path", text)
		}
		return nil
	}
	if s.o.Target == TargetJournal || s.stream && s.o.Target != TargetRFC5424 {
		return fmt.Errorf("endpoint %q cannot be reached by %s in the form %s", text, scheme, s.o.Target)
	}
	host, port, err := net.SplitHostPort(rest)
	if err != nil {
		host, port = rest, "514" // syslog's own
	}
	if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 || host == "" {
		return fmt.Errorf("endpoint %q is not host:port or the path of a socket", text)
	}
	s.o.Endpoint = net.JoinHostPort(strings.Trim(host, "[]"), port)
	return nil
}

// sinkWriter puts lines into the queue of a sink.
type sinkWriter struct{ s *LogSink }

// Write takes the line over: the handler makes a new one each time.
func (w sinkWriter) Write(line []byte) (int, error) {
	s, n := w.s, len(line)
	if n <= s.longest && s.bytes.Add(int64(n)) <= sinkBytes {
		select {
		case s.lines <- line:
			return n, nil
		default:
		}
	}
	if n <= s.longest {
		s.bytes.Add(-int64(n))
	}
	s.dropped.Add(1)
	return n, nil
}

// run sends lines until the sink is closed, and then those that wait.
func (s *LogSink) run() {
	defer close(s.done)
	for {
		select {
		case line := <-s.lines:
			s.deliver(line)
		case <-s.stop:
			for len(s.lines) > 0 {
				s.deliver(<-s.lines)
			}
			if s.conn != nil {
				s.conn.Close()
			}
			if n := s.dropped.Swap(0); n > 0 {
				s.o.Report(n, nil)
			}
			return
		}
	}
}

// deliver sends a line, over a new connection if the old one is broken. While the target is away lines wait in the queue; at the end there is one
// attempt for each.
func (s *LogSink) deliver(line []byte) {
	defer s.bytes.Add(-int64(len(line)))
	for {
		err := s.send(line)
		if err == nil {
			s.report(nil)
			return
		}
		if s.network == "udp" || s.ended() { // what is lost on the way is lost
			s.dropped.Add(1)
			s.report(err)
			return
		}
		s.report(err)
		pause := time.NewTimer(sinkRetry)
		select {
		case <-pause.C:
		case <-s.stop:
			pause.Stop()
		}
	}
}

func (s *LogSink) ended() bool {
	select {
	case <-s.stop:
		return true
	default:
		return false
	}
}

// report tells of the first failure, of lines that were dropped, and of the end of it. It tells of drops once a second and at the end.
func (s *LogSink) report(err error) {
	now := time.Now()
	if changed := (err != nil) != s.failing; !changed && (s.dropped.Load() == 0 || now.Sub(s.reported) < time.Second || s.ended()) {
		return
	}
	s.failing, s.reported = err != nil, now
	s.o.Report(s.dropped.Swap(0), err)
}

// send sends a line, and once more over a new connection when the old one has ended meanwhile.
func (s *LogSink) send(line []byte) error {
	if s.stream {
		line = append(append(strconv.AppendInt(make([]byte, 0, len(line)+8), int64(len(line)), 10), ' '), line...)
	}
	for {
		fresh := s.conn == nil
		if fresh {
			if err := s.dial(); err != nil {
				return err
			}
		}
		_ = s.conn.SetWriteDeadline(time.Now().Add(sinkTimeout)) // a connection that has ended fails with its write
		_, err := s.conn.Write(line)
		if err == nil {
			return nil
		}
		s.conn.Close()
		if s.conn = nil; fresh {
			return err
		}
	}
}

func (s *LogSink) dial() error {
	ctx, cancel := context.WithTimeout(context.Background(), sinkTimeout)
	defer cancel()
	var d net.Dialer
	conn, err := d.DialContext(ctx, s.network, s.o.Endpoint)
	if err != nil {
		return err
	}
	if s.secure {
		host, _, _ := net.SplitHostPort(s.o.Endpoint)
		secured := tls.Client(conn, &tls.Config{ServerName: host})
		if err := secured.HandshakeContext(ctx); err != nil {
			conn.Close()
			return err
		}
		conn = secured
	}
	s.conn = conn
	return nil
}

// Close sends what waits and ends the sink.
func (s *LogSink) Close() {
	s.ending.Do(func() { close(s.stop) })
	<-s.done
}

// LocalHost is the name of the machine for messages of syslog.
func LocalHost() string {
	host, err := os.Hostname()
	if err != nil {
		return "-"
	}
	return host
}
