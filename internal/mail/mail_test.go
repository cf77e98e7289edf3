package mail_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/http"
	"net/http/httptest"
	netmail "net/mail"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/causeway-apim/causeway/internal/mail"
)

var sent = time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)

func message() *mail.Message {
	return &mail.Message{
		ID: "m1", Created: sent, FromName: "Café\r\nBcc: eve@example.com", From: "apis@example.org", ReplyTo: "help@example.org",
		ToName: "Ann Müller", To: "ann@example.com", Recipient: "copy@example.net", Subject: "Your key\r\nX-Evil: 1",
		HTML: "<html><head><title>T</title></head><body><p>Dear&nbsp;Ann,</p><p>see https://example.org/a?b=c&amp;d=" + strings.Repeat("e", 100) + "</p></body></html>",
	}
}

// parsed are the headers and the two bodies of a message.
func parsed(t *testing.T, text string) (h netmail.Header, plain, html string) {
	t.Helper()
	m, err := netmail.ReadMessage(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	_, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	parts := multipart.NewReader(m.Body, params["boundary"])
	for _, into := range []*string{&plain, &html} {
		p, err := parts.NextRawPart()
		if err != nil {
			t.Fatal(err)
		}
		var body io.Reader = p
		if p.Header.Get("Content-Transfer-Encoding") == "quoted-printable" {
			body = quotedprintable.NewReader(p)
		}
		b, err := io.ReadAll(body)
		if err != nil {
			t.Fatal(err)
		}
		*into = strings.ReplaceAll(string(b), "\r\n", "\n")
	}
	return m.Header, plain, html
}

func checkMessage(t *testing.T, text string) {
	t.Helper()
	h, plain, html := parsed(t, text)
	word := new(mime.WordDecoder)
	for name, want := range map[string]string{
		"From": `Café Bcc: eve@example.com <apis@example.org>`, "To": `Ann Müller <ann@example.com>`, "Subject": "Your key X-Evil: 1",
		"Reply-To": `Café Bcc: eve@example.com <help@example.org>`, "Message-Id": "<m1@example.org>", "Date": "Mon, 23 Nov 2026 10:00:00 +0000",
		"Bcc": "", "X-Evil": "", "Auto-Submitted": "auto-generated",
	} {
		got, err := word.DecodeHeader(h.Get(name))
		if err != nil || strings.ReplaceAll(got, `"`, "") != want {
			t.Errorf("%s: %q, %v; want %q", name, got, err, want)
		}
	}
	if want := "Dear Ann,\n\nsee https://example.org/a?b=c&d=" + strings.Repeat("e", 100) + "\n\n"; strings.TrimSpace(plain) != strings.TrimSpace(want) {
		t.Errorf("text %q, want %q", plain, want)
	}
	if strings.TrimSpace(html) != message().HTML {
		t.Errorf("HTML %q", html)
	}
}

func TestSMTP(t *testing.T) {
	t.Parallel()
	ca := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(ca.Close)
	serverTLS := &tls.Config{Certificates: ca.TLS.Certificates}
	clientTLS := ca.Client().Transport.(*http.Transport).TLSClientConfig
	for name, c := range map[string]struct {
		server *smtpServer
		sender mail.SMTP
		wrap   func(net.Listener) net.Listener
	}{
		"none":     {server: &smtpServer{}, sender: mail.SMTP{Security: "none"}},
		"starttls": {server: &smtpServer{tls: serverTLS}, sender: mail.SMTP{Security: "starttls"}},
		"tls": {
			server: &smtpServer{user: "ann secret"}, sender: mail.SMTP{Security: "tls", User: "ann", Password: "secret"},
			wrap: func(l net.Listener) net.Listener { return tls.NewListener(l, serverTLS) },
		},
		"sign-in": {server: &smtpServer{tls: serverTLS, user: "ann secret"}, sender: mail.SMTP{Security: "starttls", User: "ann", Password: "secret"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := startSMTP(t, c.server, c.wrap)
			c.sender.Address, c.sender.TLS = server.address(), clientTLS
			sender, err := mail.ParseSMTP(c.sender)
			if err != nil {
				t.Fatal(err)
			}
			if err := sender.Send(t.Context(), message()); err != nil {
				t.Fatal(err)
			}
			got := server.taken()
			if len(got) != 1 || got[0].from != "apis@example.org" || got[0].to != "copy@example.net" {
				t.Fatalf("got %+v", got)
			}
			checkMessage(t, got[0].data)
		})
	}
}

func TestSMTPFailures(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		server  *smtpServer
		sender  mail.SMTP
		refused bool
	}{
		"no STARTTLS":         {server: &smtpServer{}, sender: mail.SMTP{Security: "starttls"}},
		"no such recipient":   {server: &smtpServer{answers: map[string]string{"RCPT": "550 nobody"}}, sender: mail.SMTP{Security: "none"}, refused: true},
		"recipient is full":   {server: &smtpServer{answers: map[string]string{"RCPT": "452 full"}}, sender: mail.SMTP{Security: "none"}},
		"not taken":           {server: &smtpServer{answers: map[string]string{"DATA": "554 spam"}}, sender: mail.SMTP{Security: "none"}, refused: true},
		"wrong password":      {server: &smtpServer{user: "ann secret"}, sender: mail.SMTP{Security: "none", User: "ann", Password: "wrong"}},
		"closes for the day":  {server: &smtpServer{answers: map[string]string{"MAIL": "421 closed"}}, sender: mail.SMTP{Security: "none"}},
		"server says it late": {server: &smtpServer{answers: map[string]string{"DATA": "451 later"}}, sender: mail.SMTP{Security: "none"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := startSMTP(t, c.server, nil)
			c.sender.Address = server.address()
			err := c.sender.Send(t.Context(), message())
			if err == nil || errors.Is(err, mail.ErrRefused) != c.refused {
				t.Errorf("error %v; refused for good: want %v", err, c.refused)
			}
			if got := server.taken(); len(got) != 0 {
				t.Errorf("took %+v", got)
			}
		})
	}
}

func TestParseSMTP(t *testing.T) {
	t.Parallel()
	for _, s := range []mail.SMTP{
		{Address: "example.com", Security: "tls"}, {Address: ":25", Security: "tls"}, {Address: "example.com:smtp", Security: "tls"},
		{Address: "example.com:70000", Security: "tls"}, {Address: "example.com:25", Security: "maybe"},
	} {
		if _, err := mail.ParseSMTP(s); err == nil {
			t.Errorf("%+v was taken", s)
		}
	}
}

func TestSpool(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "mail")
	spool := &mail.Spool{Dir: dir}
	for range 2 { // the second time is the same message again
		if err := spool.Send(t.Context(), message()); err != nil {
			t.Fatal(err)
		}
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 1 || files[0].Name() != "20261123T100000.000-m1.eml" {
		t.Fatalf("files %v, %v", files, err)
	}
	text, err := os.ReadFile(filepath.Join(dir, files[0].Name()))
	if err != nil {
		t.Fatal(err)
	}
	checkMessage(t, string(text))
	bad := message()
	bad.Recipient = "nobody"
	if err := spool.Send(t.Context(), bad); !errors.Is(err, mail.ErrRefused) {
		t.Errorf("a recipient without address: %v", err)
	}
}

// queue is an outbox in memory.
type queue struct {
	now     time.Time
	waiting map[string]*mail.Message
	due     map[string]time.Time
	log     []string
}

func (q *queue) claim(_ context.Context, lease time.Duration) (*mail.Message, error) {
	for id, m := range q.waiting {
		if !q.due[id].After(q.now) {
			q.due[id] = q.now.Add(lease)
			m.Tries++
			return m, nil
		}
	}
	return nil, nil
}

func (q *queue) sent(_ context.Context, id string) error {
	delete(q.waiting, id)
	q.log = append(q.log, "sent")
	return nil
}

func (q *queue) failed(_ context.Context, id string, again time.Time, dead bool, _ string) error {
	q.due[id] = again
	q.log = append(q.log, again.Sub(q.now).String())
	if dead {
		q.log = append(q.log, "dead")
		delete(q.waiting, id)
	}
	return nil
}

type senderFunc func() error

func (f senderFunc) Send(context.Context, *mail.Message) error { return f() }

func TestOutbox(t *testing.T) {
	t.Parallel()
	away := errors.New("the server is away")
	for name, c := range map[string]struct {
		answer func(try int) error
		want   string
	}{
		"sent at once":  {func(int) error { return nil }, "sent"},
		"sent at last":  {func(try int) error { return map[bool]error{true: away}[try < 4] }, "1m0s 2m0s 4m0s sent"},
		"refused":       {func(int) error { return mail.ErrRefused }, "1m0s dead"},
		"never":         {func(int) error { return away }, "1m0s 2m0s 4m0s 8m0s 16m0s 32m0s" + strings.Repeat(" 1h0m0s", 10) + " dead"},
		"refused later": {func(try int) error { return map[bool]error{true: away, false: mail.ErrRefused}[try < 2] }, "1m0s 2m0s dead"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			q := &queue{now: sent, waiting: map[string]*mail.Message{"m1": message()}, due: map[string]time.Time{}}
			try := 0
			o := &mail.Outbox{
				Claim: q.claim, Sent: q.sent, Failed: q.failed, Now: func() time.Time { return q.now }, Log: slog.New(slog.DiscardHandler),
				Sender: senderFunc(func() error { try++; return c.answer(try) }),
			}
			for range 20 {
				if err := o.Flush(t.Context()); err != nil {
					t.Fatal(err)
				}
				q.now = q.now.Add(time.Hour)
			}
			if got := strings.Join(q.log, " "); got != c.want {
				t.Errorf("got %s\nwant %s", got, c.want)
			}
		})
	}
}

// TestOutboxRuns sends what comes while it runs, and ends with its context.
func TestOutboxRuns(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancel(t.Context())
	q := &queue{now: sent, waiting: map[string]*mail.Message{"m1": message()}, due: map[string]time.Time{}}
	done := make(chan struct{})
	o := &mail.Outbox{
		Claim: q.claim, Failed: q.failed, Now: func() time.Time { return q.now }, Log: slog.New(slog.DiscardHandler),
		Sent:   func(ctx context.Context, id string) error { defer close(done); return q.sent(ctx, id) },
		Sender: senderFunc(func() error { stop(); return nil }), // what has begun is finished
	}
	o.Run(ctx)
	<-done
}

func FuzzMessage(f *testing.F) {
	f.Add("Ann", "ann@example.com", "Hello", "<p>Hello &amp; good-bye</p>")
	f.Add("A\r\nB", "a@b", "=?utf-8?q?x?=", "<p><b>x")
	f.Fuzz(func(t *testing.T, name, address, subject, html string) {
		dir := t.TempDir()
		m := message()
		m.FromName, m.ToName, m.To, m.Recipient, m.Subject, m.HTML = name, name, address, address, subject, html
		if err := (&mail.Spool{Dir: dir}).Send(t.Context(), m); err != nil {
			if !errors.Is(err, mail.ErrRefused) {
				t.Fatal(err)
			}
			return
		}
		files, err := filepath.Glob(filepath.Join(dir, "*.eml"))
		if err != nil || len(files) != 1 {
			t.Fatalf("%v, %v", files, err)
		}
		text, err := os.ReadFile(files[0])
		if err != nil {
			t.Fatal(err)
		}
		read, err := netmail.ReadMessage(strings.NewReader(string(text)))
		if err != nil {
			t.Fatal(err)
		}
		for h := range read.Header {
			switch h {
			case "From", "To", "Subject", "Reply-To", "Message-Id", "Date", "Auto-Submitted", "Mime-Version", "Content-Type":
			default:
				t.Errorf("header %s was smuggled in", h)
			}
		}
	})
}
