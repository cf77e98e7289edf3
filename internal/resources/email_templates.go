package resources

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/resource"
)

// EmailTemplate is the text of a mail to developers.
type EmailTemplate struct {
	Subject     string          `json:"subject" rule:"max=1000" filter:"yes" doc:"Subject; may hold parameters such as $DevFirstName."`
	Title       string          `json:"title,omitempty" filter:"yes" doc:"Name that people see."`
	Description string          `json:"description,omitempty" filter:"yes" doc:"When the mail is sent."`
	Body        string          `json:"body" doc:"The mail as well-formed HTML; may hold parameters."`
	IsDefault   bool            `json:"isDefault" rule:"readonly" doc:"The text is the one that came with the service."`
	Parameters  []MailParameter `json:"parameters" rule:"max=50" doc:"What may be used in subject and body."`
}

// MailParameter is a parameter of a mail.
type MailParameter struct {
	Name        string `json:"name" rule:"max=256,pattern=[A-Za-z0-9-._]+" doc:"Name, used as $Name."`
	Title       string `json:"title,omitempty" rule:"max=4096" doc:"Name that people see."`
	Description string `json:"description,omitempty" rule:"max=256" doc:"What it is."`
}

func emailTemplates() *resource.Type {
	var names []string
	for _, t := range mails() {
		names = append(names, t.name)
	}
	return resource.Define(resource.Spec[EmailTemplate]{
		Name: "templates", Title: "E-mail template", Doc: "The text of a mail to developers. Deleting one brings back the text that came with the service.",
		Parents: []string{""}, Names: names, Verbs: resource.CRUDL,
		Initial: func(_ *resource.Reader, id arm.ID) (*EmailTemplate, error) { return defaultMail(id.Name()), nil },
		Default: func(_ *resource.Tx, _, d *resource.Doc[EmailTemplate]) error {
			t, original := &d.Props, defaultMail(d.Name())
			t.Subject, t.Body = first(t.Subject, original.Subject), first(t.Body, original.Body)
			t.Title, t.Description = first(t.Title, original.Title), first(t.Description, original.Description)
			if len(t.Parameters) == 0 {
				t.Parameters = original.Parameters
			}
			t.IsDefault = false
			return nil
		},
		Check: func(_ *resource.Tx, _, d *resource.Doc[EmailTemplate]) error {
			if err := wellFormed(d.Props.Body); err != nil {
				return arm.Invalid("body", "body must be well-formed: %v.", err)
			}
			return nil
		},
	})
}

// wellFormed reports whether a mail's body can be read as XML, in which HTML's entities are known.
func wellFormed(body string) error {
	d := xml.NewDecoder(strings.NewReader(body))
	d.Entity = xml.HTMLEntity
	elements := 0
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			if elements == 0 {
				return errors.New("there is no element in it")
			}
			return nil
		}
		if err != nil {
			return err
		}
		if _, ok := token.(xml.StartElement); ok {
			elements++
		}
	}
}

// stockMail is a template that comes with the service.
type stockMail struct {
	name, title, description, subject string
	parameters                        string // names with blanks between them, without those that every mail has
	text                              string // paragraphs with line breaks between them
}

// What every mail may say: who gets it, and who sends it.
const everyMail = "DevFirstName DevLastName OrganizationName DevPortalUrl"

// mails are the templates of API Management with texts of our own.
func mails() []stockMail {
	return []stockMail{
		{
			"ApplicationApprovedNotificationMessage", "Application gallery submission approved", "Sent to developers when their application is shown in the gallery.",
			"Your application $AppName is in the application gallery", "AppId AppName",
			"Your application $AppName has been approved. Everybody can find it in the application gallery now.",
		},
		{
			"AccountClosedDeveloper", "Developer farewell letter", "Sent to developers when they have closed their account.",
			"Good-bye from $OrganizationName", "",
			"Your account has been closed as you asked. We are sorry to see you go, and you are welcome back at any time.",
		},
		{
			"QuotaLimitApproachingDeveloperNotificationMessage", "Developer quota limit approaching notification", "Sent to developers when a subscription comes near its quota.",
			"Your subscription to $ProdName is close to its quota", "ApiCallsCount ApiCallsLimit ProdName SubscriptionId SubscriptionName",
			"Your subscription $SubscriptionName has used $ApiCallsCount of $ApiCallsLimit calls.\nWhen the quota is used up, calls are refused until it is renewed.",
		},
		{
			"NewDeveloperNotificationMessage", "Developer welcome letter", "Sent to developers when they have made an account.",
			"Welcome to the APIs of $OrganizationName", "",
			"Your account is ready. Sign in at $DevPortalUrl to find APIs, try them and subscribe to products.",
		},
		{
			"EmailChangeIdentityDefault", "Email change notification", "Sent to developers to confirm a new address.",
			"Please confirm your new address", "ConfirmUrl",
			"Somebody, hopefully you, has asked for this address for an account at $OrganizationName.\nConfirm it here: $ConfirmUrl",
		},
		{
			"InviteUserNotificationMessage", "Invite user", "Sent to people whom an administrator invites.",
			"You are invited to the APIs of $OrganizationName", "ConfirmUrl",
			"An account has been made for you.\nChoose a password here: $ConfirmUrl",
		},
		{
			"NewCommentNotificationMessage", "New comment added to an issue", "Sent to developers when somebody comments on their issue.",
			"There is a comment on your issue $IssueName", "IssueId IssueName CommentText CommenterFirstName CommenterLastName",
			"$CommenterFirstName $CommenterLastName writes about $IssueName:\n$CommentText",
		},
		{
			"ConfirmSignUpIdentityDefault", "New developer account confirmation", "Sent to developers to confirm their address when they sign up.",
			"Please confirm your account at $OrganizationName", "ConfirmUrl",
			"Thank you for signing up.\nConfirm your address here: $ConfirmUrl",
		},
		{
			"NewIssueNotificationMessage", "New issue received", "Sent to developers when they have reported an issue.",
			"Your request $IssueName has been received", "IssueId IssueName ApiName",
			"Thank you for reporting $IssueName about $ApiName. We are looking into it and will write to you.",
		},
		{
			"PurchaseDeveloperNotificationMessage", "New subscription activated", "Sent to developers when they have subscribed to a product.",
			"Your subscription to $ProdName", "ProdName ProdTerms SubscriptionId SubscriptionName",
			"Your subscription $SubscriptionName to $ProdName is active. Its keys are on your profile page: $DevPortalUrl/profile",
		},
		{
			"PasswordResetIdentityDefault", "Password change confirmation", "Sent to developers who want to change their password.",
			"Change your password at $OrganizationName", "ConfirmUrl",
			"Somebody, hopefully you, wants to change the password of your account.\nChoose a new one here: $ConfirmUrl",
		},
		{
			"PasswordResetByAdminNotificationMessage", "Password reset by administrator", "Sent to developers whose password an administrator resets.",
			"Choose a new password at $OrganizationName", "ConfirmUrl",
			"An administrator has reset your password.\nChoose a new one here: $ConfirmUrl",
		},
		{
			"RejectDeveloperNotificationMessage", "Subscription request declined", "Sent to developers whose request for a subscription is declined.",
			"Your request for $ProdName has been declined", "ProdName SubscriptionId SubscriptionName",
			"We are sorry: your request for a subscription to $ProdName has been declined.",
		},
		{
			"RequestDeveloperNotificationMessage", "Subscription request received", "Sent to developers who ask for a subscription that needs approval.",
			"Your request for $ProdName has been received", "ProdName SubscriptionId SubscriptionName",
			"Thank you for your interest in $ProdName. We will tell you when your subscription is approved.",
		},
	}
}

// defaultMail is the template of a name as it comes with the service.
func defaultMail(name string) *EmailTemplate {
	for _, m := range mails() {
		if !strings.EqualFold(m.name, name) {
			continue
		}
		t := &EmailTemplate{Subject: m.subject, Title: m.title, Description: m.description, IsDefault: true}
		for _, p := range strings.Fields(m.parameters + " " + everyMail) {
			t.Parameters = append(t.Parameters, MailParameter{Name: p, Title: wordsOf(p)})
		}
		t.Body = mailDocument("Dear $DevFirstName $DevLastName,\n" + m.text + "\nBest regards,\n$OrganizationName")
		return t
	}
	return nil
}

// wordsOf makes words of a name: DevFirstName is Dev first name.
func wordsOf(name string) string {
	var b strings.Builder
	for i, c := range name {
		if i > 0 && c >= 'A' && c <= 'Z' {
			b.WriteByte(' ')
			c += 'a' - 'A'
		}
		b.WriteRune(c)
	}
	return b.String()
}
