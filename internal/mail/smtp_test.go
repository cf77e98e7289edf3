package mail_test

import (
	"crypto/tls"
	"encoding/base64"
	"io"
	"net"
	"net/textproto"
	"strings"
	"sync"
	"testing"
)

// smtpServer is a mail server for tests: it takes mail, or refuses it as answers says.
type smtpServer struct {
	t        *testing.T
	listener net.Listener
	tls      *tls.Config // nil: it offers no STARTTLS
	user     string      // "user password": it wants a sign-in
	answers  map[string]string

	mu   sync.Mutex
	mail []received
}

// received is a message as it came.
type received struct{ from, to, data string }

func startSMTP(t *testing.T, s *smtpServer, wrap func(net.Listener) net.Listener) *smtpServer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if wrap != nil {
		l = wrap(l)
	}
	s.t, s.listener = t, l
	var wg sync.WaitGroup
	t.Cleanup(func() {
		_ = l.Close()
		wg.Wait()
	})
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { s.serve(c) })
		}
	})
	return s
}

func (s *smtpServer) address() string { return s.listener.Addr().String() }

func (s *smtpServer) taken() []received {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mail
}

func (s *smtpServer) serve(c net.Conn) {
	defer func() { _ = c.Close() }()
	text := textproto.NewConn(c)
	say := func(line string) { _ = text.PrintfLine("%s", line) }
	say("220 test ESMTP")
	var m received
	_, encrypted := c.(*tls.Conn)
	signedIn := s.user == ""
	for {
		line, err := text.ReadLine()
		if err != nil {
			return
		}
		verb, rest, _ := strings.Cut(line, " ")
		verb = strings.ToUpper(verb)
		if answer := s.answers[verb]; answer != "" {
			say(answer)
			continue
		}
		switch verb {
		case "EHLO":
			say("250-test")
			if s.tls != nil && !encrypted {
				say("250-STARTTLS")
			}
			if s.user != "" {
				say("250-AUTH PLAIN")
			}
			say("250 8BITMIME")
		case "STARTTLS":
			say("220 go")
			c = tls.Server(c, s.tls)
			text, encrypted = textproto.NewConn(c), true
			say = func(line string) { _ = text.PrintfLine("%s", line) }
		case "AUTH":
			plain, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(rest, "PLAIN "))
			signedIn = strings.ReplaceAll(strings.TrimPrefix(string(plain), "\x00"), "\x00", " ") == s.user
			say(map[bool]string{true: "235 welcome", false: "535 who are you"}[signedIn])
		case "MAIL":
			if !signedIn {
				say("530 sign in first")
				continue
			}
			m.from = address(rest)
			say("250 ok")
		case "RCPT":
			m.to = address(rest)
			say("250 ok")
		case "DATA":
			say("354 go on")
			data, err := io.ReadAll(text.DotReader())
			if err != nil {
				return
			}
			m.data = string(data)
			s.mu.Lock()
			s.mail = append(s.mail, m)
			s.mu.Unlock()
			say("250 taken")
		case "QUIT":
			say("221 bye")
			return
		default:
			say("250 ok")
		}
	}
}

// address is what stands in angle brackets.
func address(s string) string {
	_, s, _ = strings.Cut(s, "<")
	s, _, _ = strings.Cut(s, ">")
	return s
}
