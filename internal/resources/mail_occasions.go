package resources

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/resource"
)

// tellNewUser sends what the caller who made a user asks for: a link to confirm the account, an invitation, or a
// welcome.
func (e Env) tellNewUser(x *resource.Tx, d *resource.Doc[User]) error {
	m, err := e.mailer(x)
	if err != nil || !e.Mail {
		return err
	}
	switch strings.ToLower(d.Props.Confirmation) {
	case "signup":
		return m.toConfirm("ConfirmSignUpIdentityDefault", confirmSignup, d)
	case "invite":
		return m.toConfirm("InviteUserNotificationMessage", confirmInvitation, d)
	}
	if !notified(x) {
		return nil
	}
	return m.toDeveloper("NewDeveloperNotificationMessage", d, nil)
}

// tellClosed tells about an account that is being deleted.
func (e Env) tellClosed(x *resource.Tx, d *resource.Doc[User]) error {
	if !notified(x) {
		return nil
	}
	m, err := e.mailer(x)
	if err != nil {
		return err
	}
	if err := m.toDeveloper("AccountClosedDeveloper", d, nil); err != nil {
		return err
	}
	return m.toPublishers(m.service.ID, "AccountClosedPublisher", "An account has been closed",
		fmt.Sprintf("The account of %s has been closed.", person(d)))
}

// person is a user as administrators read it.
func person(d *resource.Doc[User]) string {
	if d == nil {
		return "somebody"
	}
	return fmt.Sprintf("%s %s (%s)", d.Props.FirstName, d.Props.LastName, d.Props.Email)
}

// sendPassword is the action that lets a user choose a new password.
func (e Env) sendPassword() resource.Action[User] {
	return resource.Action[User]{
		Name: "confirmations/password/send", Doc: "Sends the user a mail with a link to choose a new password.",
		Write: func(x *resource.Tx, d *resource.Doc[User], _ json.RawMessage) (any, error) {
			if !e.Mail {
				return nil, errNoMail()
			}
			m, err := e.mailer(x)
			if err != nil {
				return nil, err
			}
			return nil, m.toConfirm("PasswordResetByAdminNotificationMessage", confirmPassword, d)
		},
	}
}

// tellSubscription tells the owner of a subscription and the publishers about its state, when the caller asks for that.
func (e Env) tellSubscription(x *resource.Tx, old, d *resource.Doc[Subscription]) error {
	before := ""
	if old != nil {
		before = old.Props.State
	}
	if !notified(x) || before == d.Props.State {
		return nil
	}
	m, err := e.mailer(x)
	if err != nil {
		return err
	}
	owner, err := m.user(d.Props.OwnerID)
	if err != nil {
		return err
	}
	values, err := m.subscriptionValues(d)
	if err != nil {
		return err
	}
	what := fmt.Sprintf("%s of %s", first(values["SubscriptionName"], d.Name()), person(owner))
	switch {
	case d.Props.State == subscriptionSubmitted:
		if err := m.toDeveloper("RequestDeveloperNotificationMessage", owner, values); err != nil {
			return err
		}
		return m.toPublishers(ownerOf(d.ID), "RequestPublisherNotificationMessage", "Somebody asks for a subscription to "+values["ProdName"],
			"The subscription "+what+" to "+values["ProdName"]+" waits for approval.")
	case d.Props.State == subscriptionActive && (before == "" || before == subscriptionSubmitted):
		if err := m.toDeveloper("PurchaseDeveloperNotificationMessage", owner, values); err != nil {
			return err
		}
		return m.toPublishers(ownerOf(d.ID), "PurchasePublisherNotificationMessage", "There is a new subscription to "+values["ProdName"],
			"The subscription "+what+" to "+values["ProdName"]+" is active.")
	case d.Props.State == subscriptionRejected:
		return m.toDeveloper("RejectDeveloperNotificationMessage", owner, values)
	}
	return nil // API Management has no mail for other changes
}

// subscriptionValues are what mails say about a subscription.
func (m *mailer) subscriptionValues(d *resource.Doc[Subscription]) (map[string]string, error) {
	values := map[string]string{"SubscriptionId": d.Name(), "SubscriptionName": first(d.Props.DisplayName, d.Name()), "ProdName": "all APIs", "ProdTerms": ""}
	scope, err := arm.ParseID(strings.TrimSuffix(d.Props.Scope, "/"))
	if err != nil {
		return nil, err
	}
	switch {
	case scope.Find("products") != "":
		p, err := resource.Get[Product](&m.x.Reader, scope)
		if err != nil {
			return nil, err
		}
		values["ProdName"], values["ProdTerms"] = p.Props.DisplayName, p.Props.Terms
	case scope.Find("apis") != "":
		a, err := resource.Get[API](&m.x.Reader, scope)
		if err != nil {
			return nil, err
		}
		values["ProdName"] = a.Props.DisplayName
	}
	return values, nil
}

// tellIssue tells about a new issue.
func (e Env) tellIssue(x *resource.Tx, old, d *resource.Doc[Issue]) error {
	if old != nil || !e.Mail {
		return nil
	}
	m, err := e.mailer(x)
	if err != nil {
		return err
	}
	reporter, err := m.user(d.Props.UserID)
	if err != nil {
		return err
	}
	api, err := resource.Get[API](&x.Reader, d.ID.Parent())
	if err != nil {
		return err
	}
	values := map[string]string{"IssueId": d.Name(), "IssueName": d.Props.Title, "ApiName": api.Props.DisplayName}
	if err := m.toDeveloper("NewIssueNotificationMessage", reporter, values); err != nil {
		return err
	}
	return m.toPublishers(m.service.ID, "NewIssuePublisherNotificationMessage", "New issue: "+d.Props.Title,
		fmt.Sprintf("%s reports about %s: %s\n%s", person(reporter), api.Props.DisplayName, d.Props.Title, d.Props.Description))
}

// tellComment tells the reporter of an issue, and the publishers, about a comment of somebody else.
func (e Env) tellComment(x *resource.Tx, old, d *resource.Doc[IssueComment]) error {
	if old != nil || !e.Mail {
		return nil
	}
	m, err := e.mailer(x)
	if err != nil {
		return err
	}
	issue, err := resource.Get[Issue](&x.Reader, d.ID.Parent())
	if err != nil {
		return err
	}
	reporter, err := m.user(issue.Props.UserID)
	if err != nil {
		return err
	}
	commenter, err := m.user(d.Props.UserID)
	if err != nil || commenter == nil {
		return err
	}
	values := map[string]string{
		"IssueId": issue.Name(), "IssueName": issue.Props.Title, "CommentText": d.Props.Text,
		"CommenterFirstName": commenter.Props.FirstName, "CommenterLastName": commenter.Props.LastName,
	}
	if reporter != nil && !reporter.ID.Equal(commenter.ID) {
		if err := m.toDeveloper("NewCommentNotificationMessage", reporter, values); err != nil {
			return err
		}
	}
	return m.toPublishers(m.service.ID, "NewIssuePublisherNotificationMessage", "New comment on "+issue.Props.Title,
		fmt.Sprintf("%s writes about %s:\n%s", person(commenter), issue.Props.Title, d.Props.Text))
}
