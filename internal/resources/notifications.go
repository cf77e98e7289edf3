package resources

import (
	"net/mail"
	"strings"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/resource"
)

// notification is what administrators may be told about.
type notification struct{ name, title, description string }

// notificationList is API Management's list.
func notificationList() []notification {
	return []notification{
		{"RequestPublisherNotificationMessage", "Subscription requests (requiring approval)", "Sent when somebody asks for a subscription to a product that needs approval."},
		{"PurchasePublisherNotificationMessage", "New subscriptions", "Sent when somebody has subscribed to a product."},
		{"NewApplicationNotificationMessage", "Application gallery requests", "Sent when an application is submitted to the gallery."},
		{"BCC", "BCC", "Gets a blind copy of every mail to developers."},
		{"NewIssuePublisherNotificationMessage", "New issue or comment", "Sent when an issue or a comment is submitted in the portal."},
		{"AccountClosedPublisher", "Close account message", "Sent when a developer closes the account."},
		{"QuotaLimitApproachingPublisherNotificationMessage", "Approaching subscription quota limit", "Sent when a subscription comes near its quota."},
	}
}

// Notification says who is told about something that happens in the portal.
type Notification struct {
	Title       string                 `json:"title" rule:"readonly" doc:"Name that people see."`
	Description string                 `json:"description,omitempty" rule:"readonly" doc:"When it is sent."`
	Recipients  NotificationRecipients `json:"recipients" rule:"readonly" doc:"Who gets it."`
}

// NotificationRecipients are those who get a notification.
type NotificationRecipients struct {
	Emails []string `json:"emails" doc:"Addresses."`
	Users  []string `json:"users" doc:"IDs of users."`
}

func notifications() *resource.Type {
	var names []string
	for _, n := range notificationList() {
		names = append(names, n.name)
	}
	return resource.Define(resource.Spec[Notification]{
		Name: "notifications", Title: "Notification", Doc: "Says who is told about something that happens in the portal.",
		Parents: []string{""}, Workspaces: true, Names: names, Verbs: resource.Create | resource.Read | resource.List, PutOK: true,
		Initial: func(*resource.Reader, arm.ID) (*Notification, error) { return new(Notification), nil },
		View:    viewNotification,
	})
}

// viewNotification adds the texts and the recipients.
func viewNotification(x *resource.Reader, d *resource.Doc[Notification]) (any, error) {
	v := Notification{Recipients: NotificationRecipients{Emails: []string{}, Users: []string{}}}
	for _, n := range notificationList() {
		if strings.EqualFold(n.name, d.Name()) {
			v.Title, v.Description = n.title, n.description
		}
	}
	for r, err := range resource.All[EmailRecipient](x, d.ID, "recipientEmails") {
		if err != nil {
			return nil, err
		}
		v.Recipients.Emails = append(v.Recipients.Emails, r.Name())
	}
	for r, err := range resource.All[UserRecipient](x, d.ID, "recipientUsers") {
		if err != nil {
			return nil, err
		}
		v.Recipients.Users = append(v.Recipients.Users, r.Props.UserID)
	}
	return v, nil
}

// EmailRecipient is an address that gets a notification: the resource's name.
type EmailRecipient struct {
	Email string `json:"email" rule:"readonly" doc:"The address."`
}

func notificationEmails() *resource.Type {
	return resource.Define(resource.Spec[EmailRecipient]{
		Name: "recipientEmails", Title: "Notified address", Doc: "An address that gets a notification.",
		Parents: []string{"notifications"}, Workspaces: true, NameMax: 254, NamePattern: `[^*#&:<>?\\/]+`,
		Verbs: resource.JoinVerbs,
		Default: func(_ *resource.Tx, _, d *resource.Doc[EmailRecipient]) error {
			d.Props.Email = d.Name()
			return nil
		},
		Check: func(_ *resource.Tx, _, d *resource.Doc[EmailRecipient]) error {
			if _, err := mail.ParseAddress(d.Name()); err != nil {
				return arm.Invalid("email", "%q is not an e-mail address.", d.Name())
			}
			return nil
		},
	})
}

// UserRecipient is a user who gets a notification: the user of the resource's name.
type UserRecipient struct {
	UserID string `json:"userId" rule:"readonly" doc:"The user."`
}

func notificationUsers() *resource.Type {
	return resource.Define(resource.Spec[UserRecipient]{
		Name: "recipientUsers", Title: "Notified user", Doc: "A user who gets a notification.",
		Parents: []string{"notifications"}, Workspaces: true,
		Verbs: resource.JoinVerbs,
		Default: func(_ *resource.Tx, _, d *resource.Doc[UserRecipient]) error {
			d.Props.UserID = d.ID.Service().Child("users", d.Name()).String()
			return nil
		},
		Check: func(x *resource.Tx, _, d *resource.Doc[UserRecipient]) error {
			ok, err := x.Exists(d.ID.Service().Child("users", d.Name()))
			if err == nil && !ok {
				err = arm.Invalid("userId", "There is no user %q.", d.Name())
			}
			return err
		},
	})
}
