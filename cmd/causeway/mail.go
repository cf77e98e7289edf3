package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/causeway-apim/causeway/internal/mail"
	"github.com/causeway-apim/causeway/internal/store"
)

// deadMailLife is how long mail that could not be sent is kept to be looked at.
const deadMailLife = 30 * 24 * time.Hour

// mailOptions are how mail is sent, as flags of dev and server and in the
// server's file. The password is a secret of its own and stands in none of them.
var mailOptions = []serverOption{
	{name: "mail-smtp", help: "mail server that mail is sent through, HOST:PORT"},
	{name: "mail-security", normal: "starttls", help: "encryption of the connection to the mail server: starttls, tls or none"},
	{name: "mail-user", help: "user to sign in to the mail server with"},
	{name: "mail-password", help: "where the password for the mail server is: FILE or env:NAME"},
	{name: "mail-from", help: "address of the sender; needed with --mail-smtp. Services add their own names and reply addresses"},
	{name: "mail-spool", help: "folder into which mail is written instead of being sent"},
}

// devMailOptions reads the options of dev: flags win over the environment. With
// neither a mail server nor a folder, mail goes into the data folder.
func devMailOptions(cmd *cobra.Command, data string) serverConfig {
	c := make(serverConfig)
	for _, o := range mailOptions {
		v := settingValue{o.normal, "default"}
		if t, ok := os.LookupEnv("CAUSEWAY_" + underscore(o.name)); ok {
			v = settingValue{t, "environment"}
		}
		if f := cmd.Flags().Lookup(o.name); f != nil && f.Changed {
			v = settingValue{f.Value.String(), "flag"}
		}
		c[o.name] = v
	}
	if c.text("mail-smtp") == "" && c.text("mail-spool") == "" {
		c["mail-spool"] = settingValue{absolute(filepath.Join(data, "mail")), "default"}
	}
	return c
}

// mailSetup is how a plane sends mail.
type mailSetup struct {
	sender mail.Sender // nil: it sends none
	from   string      // empty for the service's own address
}

// openMail checks the options.
func openMail(c serverConfig) (s mailSetup, err error) {
	s.from = c.text("mail-from")
	server, spool := c.text("mail-smtp"), c.text("mail-spool")
	switch {
	case server != "" && spool != "":
		return s, usageError("--mail-smtp and --mail-spool exclude each other")
	case spool != "":
		s.sender = &mail.Spool{Dir: spool}
		return s, nil
	case server == "":
		return s, nil
	case !strings.Contains(s.from, "@"):
		return s, usageError("--mail-from is needed with --mail-smtp: the address of the sender")
	}
	password, err := readMailPassword(c.text("mail-password"))
	if err != nil {
		return s, err
	}
	s.sender, err = mail.ParseSMTP(mail.SMTP{Address: server, Security: c.text("mail-security"), User: c.text("mail-user"), Password: password})
	if err != nil {
		return s, usageError("--mail-smtp, --mail-security: %w", err)
	}
	return s, nil
}

func readMailPassword(source string) (string, error) {
	if source == "" {
		return "", nil
	}
	if name, ok := strings.CutPrefix(source, "env:"); ok {
		text, ok := os.LookupEnv(name)
		if !ok {
			return "", usageError("--mail-password names the environment variable %s, which is not set", name)
		}
		return text, nil
	}
	text, err := os.ReadFile(source)
	if err != nil {
		return "", fmt.Errorf("read the password of the mail server: %w; check --mail-password", err)
	}
	return strings.TrimRight(string(text), "\r\n"), nil
}

// sendMail sends what is put into the store's outbox until ctx ends.
func sendMail(ctx context.Context, s mailSetup, st store.Store, log *slog.Logger) {
	if s.sender != nil {
		s.outbox(st, time.Now, log).Run(ctx)
	}
}

// outbox joins the store's outbox with the sender.
func (s mailSetup) outbox(st store.Store, now func() time.Time, log *slog.Logger) *mail.Outbox {
	swept := time.Time{}
	return &mail.Outbox{
		Claim: func(ctx context.Context, lease time.Duration) (*mail.Message, error) {
			if now().Sub(swept) > time.Hour {
				swept = now()
				if err := st.ForgetMail(ctx, swept.Add(-deadMailLife)); err != nil {
					return nil, err
				}
			}
			m, err := st.ClaimMail(ctx, lease)
			if err != nil || m == nil {
				return nil, err
			}
			return s.message(m), nil
		},
		Sent: st.MailSent, Failed: st.MailFailed, Sender: s.sender, Now: now, Log: log,
	}
}

// message makes what is sent of what is queued. A sender of the plane's takes
// the place of the service's, which gets the answers then.
func (s mailSetup) message(m *store.QueuedMail) *mail.Message {
	out := &mail.Message{
		ID: m.ID, Created: m.Created, FromName: m.SenderName, From: m.Sender, ToName: m.ToName, To: m.To, Recipient: m.Recipient,
		Subject: m.Subject, HTML: m.HTML, Tries: m.Tries,
	}
	if s.from != "" && s.from != m.Sender {
		out.From = s.from
		if !strings.HasSuffix(m.Sender, ".invalid") { // RFC 2606: what a service has that was given none
			out.ReplyTo = m.Sender
		}
	}
	return out
}
