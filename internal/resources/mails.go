package resources

import (
	"encoding/json"
	"html"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/auth"
	"github.com/causeway-apim/causeway/internal/resource"
)

// What links in mails let their readers do, as paths of the developer portal.
const (
	confirmSignup     = "identities/basic/signup"
	confirmInvitation = "invitation"
	confirmPassword   = "password"
)

const (
	// passwordTicketLife is how long a link to choose a new password is good, confirmTicketLife one to confirm an account.
	passwordTicketLife = 24 * time.Hour
	confirmTicketLife  = 7 * 24 * time.Hour
	// maxOutboxList bounds the list of what is in the outbox.
	maxOutboxList = 1000
	// blindCopy is the notification whose recipients get copies of the mail to developers.
	blindCopy = "BCC"
)

// errNoMail is the answer of a plane that cannot send mail.
func errNoMail() error {
	return arm.Errorf(arm.CodeNotImplemented, "This management plane has no way to send mail: start it with --mail-smtp or --mail-spool.")
}

// mailer queues the mail about one change, in its transaction. Nothing is queued when the plane cannot send mail.
type mailer struct {
	env     Env
	x       *resource.Tx
	service *resource.Doc[Service]
}

// notified reports whether the caller of a write wants those whom it concerns to be told.
func notified(x *resource.Tx) bool { return strings.EqualFold(x.Param("notify"), "true") }

func (e Env) mailer(x *resource.Tx) (*mailer, error) {
	service, err := resource.Get[Service](&x.Reader, x.Service)
	return &mailer{e, x, service}, err
}

// toDeveloper queues a mail that a template makes, and blind copies of it. Copies of mail with a link that acts as a
// password are not made.
func (m *mailer) toDeveloper(template string, user *resource.Doc[User], values map[string]string) error {
	if !m.env.Mail || user == nil {
		return nil
	}
	t, err := resource.Get[EmailTemplate](&m.x.Reader, m.service.ID.Child("templates", template))
	if err != nil {
		return err
	}
	u := user.Props
	all := map[string]string{
		"DevFirstName": u.FirstName, "DevLastName": u.LastName, "OrganizationName": m.service.Props.Properties.PublisherName,
		"DevPortalUrl": m.portal(),
	}
	for name, value := range values {
		all[name] = value
	}
	to := []string{u.Email}
	if values["ConfirmUrl"] == "" {
		copies, err := m.recipients(m.service.ID, blindCopy)
		if err != nil {
			return err
		}
		to = append(to, copies...)
	}
	mail := m.mail(template, expandMail(t.Props.Subject, all, plainValue), expandMail(t.Props.Body, all, html.EscapeString))
	mail.ToName, mail.To = strings.TrimSpace(u.FirstName+" "+u.LastName), u.Email
	return m.queue(mail, to)
}

// toPublishers queues a mail to those who want to be told about something in owner, the service or a workspace.
func (m *mailer) toPublishers(owner arm.ID, notification, subject, text string) error {
	if !m.env.Mail {
		return nil
	}
	to, err := m.recipients(owner, notification)
	if err != nil {
		return err
	}
	for _, address := range to {
		mail := m.mail(notification, subject, mailDocument(html.EscapeString(text)))
		mail.To = address
		if err := m.queue(mail, []string{address}); err != nil {
			return err
		}
	}
	return nil
}

func (m *mailer) mail(template, subject, body string) resource.Mail {
	p := m.service.Props.Properties
	return resource.Mail{Template: template, SenderName: p.PublisherName, Sender: p.NotificationSenderEmail, Subject: subject, HTML: body}
}

func (m *mailer) queue(mail resource.Mail, to []string) error {
	slices.Sort(to)
	for _, address := range slices.Compact(to) {
		mail.Recipient = address
		if err := m.x.QueueMail(mail); err != nil {
			return err
		}
	}
	return nil
}

// recipients are the addresses of a notification's recipients.
func (m *mailer) recipients(owner arm.ID, notification string) (to []string, err error) {
	id := owner.Child("notifications", notification)
	for r, err := range resource.All[EmailRecipient](&m.x.Reader, id, "recipientEmails") {
		if err != nil {
			return nil, err
		}
		to = append(to, r.Name())
	}
	for r, err := range resource.All[UserRecipient](&m.x.Reader, id, "recipientUsers") {
		if err != nil {
			return nil, err
		}
		user, err := m.user(r.Props.UserID)
		if err != nil {
			return nil, err
		}
		if user != nil {
			to = append(to, user.Props.Email)
		}
	}
	return to, nil
}

// user reads a user, nil when there is none: it may have gone since it was referred to.
func (m *mailer) user(id string) (*resource.Doc[User], error) {
	if id == "" {
		return nil, nil
	}
	parsed, err := arm.ParseID(id)
	if err != nil {
		return nil, err
	}
	user, err := resource.Get[User](&m.x.Reader, parsed)
	if arm.IsNotFound(err) {
		return nil, nil
	}
	return user, err
}

// confirmURL makes a link to the developer portal that lets a user do one thing once.
func (m *mailer) confirmURL(user *resource.Doc[User], purpose string) (string, error) {
	access, err := openAccess(m.x, m.service.ID)
	if err != nil {
		return "", err
	}
	life := confirmTicketLife
	if purpose == confirmPassword {
		life = passwordTicketLife
	}
	ticket := auth.Ticket{
		Purpose: purpose, Subject: user.ID.Key(), State: strings.ToLower(user.Props.Email) + "\n" + user.Props.PasswordHash, Expiry: m.x.Now.Add(life),
	}.Sign([]byte(access.Props.PrimaryKey))
	return m.portal() + "/confirm-v2/" + purpose + "?" + url.Values{"userid": {user.Name()}, "ticket": {ticket}}.Encode(), nil
}

// portal is the URL of the developer portal, without a slash at its end.
func (m *mailer) portal() string {
	return strings.TrimSuffix(urlOf(m.env.PortalURL, m.service.Name()), "/")
}

// toConfirm sends a user a link.
func (m *mailer) toConfirm(template, purpose string, user *resource.Doc[User]) error {
	link, err := m.confirmURL(user, purpose)
	if err != nil {
		return err
	}
	return m.toDeveloper(template, user, map[string]string{"ConfirmUrl": link})
}

// plainValue keeps a value on one line: it goes into a header.
func plainValue(s string) string { return strings.Join(strings.Fields(s), " ") }

// expandMail puts values for $Name into a template; what has no value stays. Of two names that fit, the longer counts.
func expandMail(template string, values map[string]string, escape func(string) string) string {
	var b strings.Builder
	for {
		before, after, found := strings.Cut(template, "$")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		best := ""
		for name := range values {
			if len(name) > len(best) && strings.HasPrefix(after, name) {
				best = name
			}
		}
		if best == "" {
			b.WriteByte('$')
		} else {
			b.WriteString(escape(values[best]))
		}
		template = after[len(best):]
	}
}

// mailDocument makes HTML of lines; each is a paragraph.
func mailDocument(text string) string {
	var b strings.Builder
	b.WriteString("<!DOCTYPE html>\n<html>\n  <head />\n  <body>\n")
	for line := range strings.SplitSeq(text, "\n") {
		b.WriteString("    <p>" + line + "</p>\n")
	}
	b.WriteString("  </body>\n</html>\n")
	return b.String()
}

// outboxItem is mail that waits, or could not be sent, as it is answered.
type outboxItem struct {
	ID        string    `json:"id"`
	Template  string    `json:"template"`
	Recipient string    `json:"recipient"`
	Subject   string    `json:"subject"`
	Created   time.Time `json:"created"`
	Tries     int       `json:"tries"`
	NextTry   time.Time `json:"nextTry,omitzero"`
	Dead      bool      `json:"dead"`
	Problem   string    `json:"problem,omitempty"`
}

// outboxAction lists the mail that was not sent yet.
func outboxAction() resource.Action[Service] {
	return resource.Action[Service]{
		Name: "outbox", Method: "GET", Doc: "Ours: lists mail that waits to be sent or could not be sent, the oldest first, at most 1000.",
		Read: func(x *resource.Reader, d *resource.Doc[Service], _ json.RawMessage) (any, error) {
			mails, err := x.Store().Mails(x.Context(), d.ID.Key(), maxOutboxList)
			list := make([]outboxItem, 0, len(mails))
			for _, m := range mails {
				item := outboxItem{m.ID, m.Template, m.Recipient, m.Subject, m.Created, m.Tries, m.Due, m.Dead, m.Problem}
				if m.Dead {
					item.NextTry = time.Time{}
				}
				list = append(list, item)
			}
			return map[string]any{"value": list, "count": len(list)}, err
		},
	}
}
