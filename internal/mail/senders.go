package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"
)

// ErrRefused says that a message will never be taken: trying again does not help.
var ErrRefused = errors.New("refused")

// Sender hands a message over. When it returns nil, somebody else is responsible for the message.
type Sender interface {
	Send(ctx context.Context, m *Message) error
}

// smtpTimeout bounds each step of a conversation with a server.
const smtpTimeout = 30 * time.Second

// SMTP sends through a server.
type SMTP struct {
	Address string // HOST:PORT
	// Security is starttls (a server that does not offer it gets nothing), tls from the first byte, or none.
	Security       string
	User, Password string      // no sign-in without User
	TLS            *tls.Config // nil for the system's authorities
}

// ParseSMTP checks the settings of a server before anything is sent.
func ParseSMTP(s SMTP) (*SMTP, error) {
	host, port, err := net.SplitHostPort(s.Address)
	if err != nil || host == "" {
		return nil, fmt.Errorf("%q is not HOST:PORT", s.Address)
	}
	if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
		return nil, fmt.Errorf("%q has no port between 1 and 65535", s.Address)
	}
	switch s.Security {
	case "starttls", "tls", "none":
	default:
		return nil, fmt.Errorf("%q is not starttls, tls or none", s.Security)
	}
	return &s, nil
}

// client makes a client that dials with dial.
func (s *SMTP) client(dial gomail.DialContextFunc) (*gomail.Client, error) {
	host, port, err := net.SplitHostPort(s.Address)
	if err != nil {
		return nil, err
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		return nil, err
	}
	options := []gomail.Option{
		gomail.WithPort(n), gomail.WithTimeout(smtpTimeout), gomail.WithoutNoop(), gomail.WithDialContextFunc(dial), gomail.WithTLSConfig(s.tlsConfig()),
	}
	switch s.Security {
	case "tls":
		options = append(options, gomail.WithSSL())
	case "none":
		options = append(options, gomail.WithTLSPolicy(gomail.NoTLS))
	default:
		options = append(options, gomail.WithTLSPolicy(gomail.TLSMandatory))
	}
	if s.User != "" {
		options = append(options, gomail.WithSMTPAuthCustom(&signIn{sender: s, host: host}))
	}
	return gomail.NewClient(host, options...)
}

func (s *SMTP) tlsConfig() *tls.Config {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if s.TLS != nil {
		config = s.TLS.Clone()
	}
	config.ServerName, _, _ = net.SplitHostPort(s.Address)
	return config
}

// dial opens the connection, encrypted when that is to be so from the first byte.
func (s *SMTP) dial(ctx context.Context) (net.Conn, error) {
	dialer := &net.Dialer{Timeout: smtpTimeout}
	if s.Security == "tls" {
		return (&tls.Dialer{NetDialer: dialer, Config: s.tlsConfig()}).DialContext(ctx, "tcp", s.Address)
	}
	return dialer.DialContext(ctx, "tcp", s.Address)
}

// signIn signs in to a server in the best way that both know; the password itself goes over encrypted connections only.
// The library's own choice does not know that a connection that we have dialled is encrypted.
type signIn struct {
	sender *SMTP
	host   string
	smtp.Auth
}

// Start implements smtp.Auth.
func (a *signIn) Start(server *smtp.ServerInfo) (proto string, toServer []byte, err error) {
	user, password := a.sender.User, a.sender.Password
	switch {
	case slices.Contains(server.Auth, "PLAIN") && server.TLS:
		a.Auth = smtp.PlainAuth("", user, password, a.host, false)
	case slices.Contains(server.Auth, "LOGIN") && server.TLS:
		a.Auth = smtp.LoginAuth(user, password, a.host, false)
	case slices.Contains(server.Auth, "CRAM-MD5"):
		a.Auth = smtp.CRAMMD5Auth(user, password)
	default:
		return "", nil, fmt.Errorf("the server knows no way to sign in that may be used on this connection (%s)", strings.Join(server.Auth, ", "))
	}
	return a.Auth.Start(server)
}

// Send implements Sender. A recipient or a message that the server refuses for good is ErrRefused.
func (s *SMTP) Send(ctx context.Context, m *Message) error {
	message, err := m.message(gomail.EncodingQP)
	if err != nil {
		return err
	}
	var conn net.Conn
	client, err := s.client(func(ctx context.Context, _, _ string) (_ net.Conn, err error) {
		conn, err = s.dial(ctx)
		return conn, err
	})
	if err != nil {
		return fmt.Errorf("mail server %s: %w", s.Address, err)
	}
	err = client.DialAndSendWithContext(ctx, message)
	if conn != nil {
		_ = conn.Close() // the library leaves it open when a server lacks STARTTLS or refuses the sign-in
	}
	if message.IsDelivered() { // only the good-bye failed
		return nil
	}
	if failed, ok := errors.AsType[*gomail.SendError](err); ok && failed.ErrorCode() >= 500 {
		return fmt.Errorf("mail server %s: %w: %w", s.Address, ErrRefused, err)
	}
	if err != nil {
		return fmt.Errorf("mail server %s: %w", s.Address, err)
	}
	return nil
}

// Spool writes messages into a folder, where people or other programs find them: a file each, named after the time and
// the message, so that a message that is sent again is the same file.
type Spool struct{ Dir string }

// Send implements Sender.
func (s *Spool) Send(_ context.Context, m *Message) (err error) {
	message, err := m.message(gomail.NoEncoding) // people read it as it is, and follow its links
	if err != nil {
		return err
	}
	if err := os.MkdirAll(s.Dir, 0o700); err != nil {
		return fmt.Errorf("make the folder for mail: %w", err)
	}
	f, err := os.CreateTemp(s.Dir, ".mail-*") // readable by its owner only
	if err != nil {
		return fmt.Errorf("write mail: %w", err)
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}()
	_, err = message.WriteTo(f)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("write mail: %w", err)
	}
	name := m.Created.UTC().Format("20060102T150405.000") + "-" + m.ID + ".eml"
	if err := os.Rename(f.Name(), filepath.Join(s.Dir, name)); err != nil {
		return fmt.Errorf("write mail: %w", err)
	}
	return nil
}
