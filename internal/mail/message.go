// Package mail sends mail: it makes messages of what the outbox holds, hands them to an SMTP server or writes them into
// a folder, and tries again when that fails.
//
// A message is sent at least once: one whose sender dies between handing it over and writing that down is sent again,
// with the same Message-ID, by which mail programs know that they have it.
package mail

import (
	"encoding/xml"
	"fmt"
	"net/mail"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"
)

// Message is mail to one recipient.
type Message struct {
	ID            string // names the message; a message that is sent again has the same
	Created       time.Time
	FromName      string
	From, ReplyTo string // addresses; ReplyTo may be empty
	ToName, To    string // who stands in the header
	Recipient     string // address that gets it: To, or that of a blind copy
	Subject       string
	HTML          string
	Tries         int // how often it was tried, this time included
}

// message makes the message that goes over the wire.
func (m *Message) message(e gomail.Encoding) (*gomail.Msg, error) {
	out := gomail.NewMsg(gomail.WithNoDefaultUserAgent(), gomail.WithEncoding(e))
	if err := out.FromFormat(oneLine(m.FromName), m.From); err != nil {
		return nil, fmt.Errorf("%w: sender: %w", ErrRefused, err)
	}
	if m.ReplyTo != "" {
		if err := out.ReplyToFormat(oneLine(m.FromName), m.ReplyTo); err != nil {
			return nil, fmt.Errorf("%w: reply address: %w", ErrRefused, err)
		}
	}
	// The library sends to those whom the headers name, blind copies included. So the one recipient is a blind copy, and
	// To is an ordinary header.
	if err := out.Bcc(m.Recipient); err != nil {
		return nil, fmt.Errorf("%w: recipient: %w", ErrRefused, err)
	}
	to, err := mail.ParseAddress(m.To)
	if err != nil {
		return nil, fmt.Errorf("%w: recipient: %w", ErrRefused, err)
	}
	to.Name = oneLine(m.ToName)
	out.SetGenHeaderPreformatted("To", to.String())
	out.Subject(oneLine(m.Subject))
	_, domain, _ := strings.Cut(m.From, "@")
	out.SetMessageIDWithValue(m.ID + "@" + domain)
	out.SetDateWithValue(m.Created)
	out.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834: answering machines keep quiet
	out.SetBodyString(gomail.TypeTextPlain, plainText(m.HTML))
	out.AddAlternativeString(gomail.TypeTextHTML, m.HTML)
	return out, nil
}

// oneLine keeps a text from adding lines to a header.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// plainText is what a reader without HTML sees: the text of the elements, a line for each that stands on lines of its
// own. Where the HTML cannot be read, it ends.
func plainText(html string) string {
	d := xml.NewDecoder(strings.NewReader(html))
	d.Strict, d.AutoClose, d.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	var b, line strings.Builder
	flush := func() {
		if text := oneLine(line.String()); text != "" {
			b.WriteString(text + "\n\n")
		}
		line.Reset()
	}
	hidden := ""
	for {
		token, err := d.Token()
		if err != nil {
			flush()
			return b.String()
		}
		switch t := token.(type) {
		case xml.StartElement:
			switch strings.ToLower(t.Name.Local) {
			case "style", "script", "title":
				hidden = t.Name.Local
			case "p", "div", "br", "li", "tr", "table", "h1", "h2", "h3", "h4", "h5", "h6":
				flush()
			}
		case xml.EndElement:
			switch {
			case t.Name.Local == hidden:
				hidden = ""
			case strings.EqualFold(t.Name.Local, "p"), strings.EqualFold(t.Name.Local, "div"):
				flush()
			}
		case xml.CharData:
			if hidden == "" {
				line.Write(t)
			}
		}
	}
}
