package resources_test

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/causeway-apim/causeway/internal/auth"
	"github.com/causeway-apim/causeway/internal/resource/resourcetest"
	"github.com/causeway-apim/causeway/internal/resources"
	"github.com/causeway-apim/causeway/internal/store"
)

// mailing is a service whose mail is taken out of the outbox.
type mailing struct{ *resourcetest.Server }

func newMailing(t *testing.T, mail bool) mailing {
	t.Helper()
	c, err := resources.New(resources.Env{Mail: mail, PortalURL: func(string) string { return "https://portal.test/" }})
	if err != nil {
		t.Fatal(err)
	}
	s := mailing{resourcetest.NewService(t, c)}
	for path, body := range map[string]string{
		"users/ann":        `{"properties":{"firstName":"Ann","lastName":"<Lee>","email":"ann@example.com"}}`,
		"users/bob":        `{"properties":{"firstName":"Bob","lastName":"Ray","email":"bob@example.com"}}`,
		"products/starter": `{"properties":{"displayName":"Starter & more","terms":"Be nice.","state":"published","approvalRequired":true}}`,
		"apis/echo":        `{"properties":{"displayName":"Echo","path":"echo"}}`,
	} {
		s.Must(http.StatusCreated, "PUT", path, body)
	}
	for _, n := range []string{
		"RequestPublisherNotificationMessage", "PurchasePublisherNotificationMessage", "NewIssuePublisherNotificationMessage", "AccountClosedPublisher",
	} {
		s.Must(http.StatusCreated, "PUT", "notifications/"+n+"/recipientEmails/desk@example.com", "")
		s.Must(http.StatusCreated, "PUT", "notifications/"+n+"/recipientUsers/1", "")
	}
	s.Must(http.StatusCreated, "PUT", "notifications/BCC/recipientEmails/archive@example.com", "")
	return s
}

// take empties the outbox and returns what was in it: RECIPIENT SUBJECT, sorted.
func (s mailing) take() (lines []string, mails []store.Mail) {
	s.T.Helper()
	for {
		m, err := s.Store.ClaimMail(context.Background(), time.Hour)
		if err != nil {
			s.T.Fatal(err)
		}
		if m == nil {
			slices.Sort(lines)
			return lines, mails
		}
		lines, mails = append(lines, m.Recipient+" "+m.Subject), append(mails, m.Mail)
		if err := s.Store.MailSent(context.Background(), m.ID); err != nil {
			s.T.Fatal(err)
		}
	}
}

func TestMailOccasions(t *testing.T) {
	t.Parallel()
	s := newMailing(t, true)
	subscription := func(state string) string {
		return `{"properties":{"displayName":"Mine","scope":"/products/starter","ownerId":"/users/ann"` + state + `}}`
	}
	for _, step := range []struct {
		request string // METHOD PATH
		body    string
		status  int
		want    []string
	}{
		{"PUT users/cat", `{"properties":{"firstName":"C","lastName":"D","email":"cat@example.com"}}`, 201, nil},
		{"PUT users/eve?notify=true", `{"properties":{"firstName":"E","lastName":"F","email":"eve@example.com"}}`, 201, []string{
			"archive@example.com Welcome to the APIs of A", "eve@example.com Welcome to the APIs of A",
		}},
		{"PUT users/fay", `{"properties":{"firstName":"F","lastName":"G","email":"fay@example.com","confirmation":"invite"}}`, 201, []string{
			"fay@example.com You are invited to the APIs of A",
		}},
		{"PUT users/gil", `{"properties":{"firstName":"G","lastName":"H","email":"gil@example.com","confirmation":"signup"}}`, 201, []string{
			"gil@example.com Please confirm your account at A",
		}},
		{"PUT subscriptions/quiet", subscription(""), 201, nil},
		{"PUT subscriptions/asked?notify=true", subscription(""), 201, []string{
			"a@example.com Somebody asks for a subscription to Starter & more", "ann@example.com Your request for Starter & more has been received",
			"archive@example.com Your request for Starter & more has been received", "desk@example.com Somebody asks for a subscription to Starter & more",
		}},
		{"PATCH subscriptions/asked?notify=true", `{"properties":{"displayName":"Mine too"}}`, 200, nil},
		{"PATCH subscriptions/asked?notify=true", `{"properties":{"state":"active"}}`, 200, []string{
			"a@example.com There is a new subscription to Starter & more", "ann@example.com Your subscription to Starter & more",
			"archive@example.com Your subscription to Starter & more", "desk@example.com There is a new subscription to Starter & more",
		}},
		{"PATCH subscriptions/asked?notify=true", `{"properties":{"state":"suspended"}}`, 200, nil},
		{"PATCH subscriptions/quiet?notify=true", `{"properties":{"state":"rejected"}}`, 200, []string{
			"ann@example.com Your request for Starter & more has been declined", "archive@example.com Your request for Starter & more has been declined",
		}},
		{"PUT apis/echo/issues/i", `{"properties":{"title":"No echo","description":"Silence.","userId":"/users/ann"}}`, 201, []string{
			"a@example.com New issue: No echo", "ann@example.com Your request No echo has been received",
			"archive@example.com Your request No echo has been received", "desk@example.com New issue: No echo",
		}},
		{"PUT apis/echo/issues/i/comments/c", `{"properties":{"text":"Shout.","userId":"/users/bob"}}`, 201, []string{
			"a@example.com New comment on No echo", "ann@example.com There is a comment on your issue No echo",
			"archive@example.com There is a comment on your issue No echo", "desk@example.com New comment on No echo",
		}},
		{"PUT apis/echo/issues/i/comments/own", `{"properties":{"text":"I do.","userId":"/users/ann"}}`, 201, []string{
			"a@example.com New comment on No echo", "desk@example.com New comment on No echo",
		}},
		{"POST users/bob/confirmations/password/send", "", 204, []string{"bob@example.com Choose a new password at A"}},
		{"DELETE users/cat", "", 204, nil},
		{"DELETE users/bob?notify=true", "", 204, []string{
			"a@example.com An account has been closed", "archive@example.com Good-bye from A", "bob@example.com Good-bye from A", "desk@example.com An account has been closed",
		}},
		{"PUT users/ann?notify=true", `{"properties":{"firstName":"Ann","lastName":"Lee","email":"eve@example.com"}}`, 409, nil}, // rolled back
	} {
		method, path, _ := strings.Cut(step.request, " ")
		s.Must(step.status, method, path, step.body)
		if got, _ := s.take(); !slices.Equal(got, step.want) {
			t.Errorf("%s:\n got %q\nwant %q", step.request, got, step.want)
		}
	}
}

func TestMailTexts(t *testing.T) {
	t.Parallel()
	s := newMailing(t, true)
	s.Must(http.StatusOK, "PUT", "templates/RequestDeveloperNotificationMessage", `{"properties":{
		"subject":"$ProdName for $DevFirstName\n$DevLastName", "body":"<p>$ProdNames costs $5, $Unknown: $ProdName, <a href=\"$DevPortalUrl/x\">$DevLastName</a>$</p>"}}`)
	s.Must(http.StatusCreated, "PUT", "subscriptions/s?notify=true", `{"properties":{"displayName":"S","scope":"/products/starter","ownerId":"/users/ann"}}`)
	_, mails := s.take()
	i := slices.IndexFunc(mails, func(m store.Mail) bool { return m.Recipient == "ann@example.com" })
	if i < 0 {
		t.Fatalf("no mail to the owner in %+v", mails)
	}
	m := mails[i]
	if m.Subject != "Starter & more for Ann\n<Lee>" || m.Sender != "noreply@contoso.invalid" || m.SenderName != "A" || m.ToName != "Ann <Lee>" {
		t.Errorf("mail %+v", m)
	}
	if want := `<p>Starter &amp; mores costs $5, $Unknown: Starter &amp; more, <a href="https://portal.test/x">&lt;Lee&gt;</a>$</p>`; m.HTML != want {
		t.Errorf("body %s\nwant %s", m.HTML, want)
	}
}

// TestPasswordTicket follows the link of a mail: it is good for its user, until the password is another.
func TestPasswordTicket(t *testing.T) {
	t.Parallel()
	s := newMailing(t, true)
	s.Must(http.StatusNoContent, "POST", "users/ann/confirmations/password/send", "")
	_, mails := s.take()
	found := regexp.MustCompile(`https://portal\.test/confirm-v2/password\?([^\s<]+)`).FindStringSubmatch(mails[0].HTML)
	if found == nil {
		t.Fatalf("no link in %s", mails[0].HTML)
	}
	q, err := url.ParseQuery(strings.ReplaceAll(found[1], "&amp;", "&"))
	if err != nil || q.Get("userid") != "ann" {
		t.Fatalf("link %s: %v", found[0], err)
	}
	key := s.Must(http.StatusOK, "POST", "tenant/access/listSecrets", "").JSON(t)["primaryKey"].(string)
	ticket := auth.Ticket{Purpose: "password", Subject: strings.ToLower(resourcetest.Service) + "/users/ann", State: "ann@example.com\n"}
	if err := ticket.Verify(q.Get("ticket"), []byte(key), s.Now); err != nil {
		t.Errorf("the ticket of the mail: %v", err)
	}
}

func TestMailOutboxList(t *testing.T) {
	t.Parallel()
	s := newMailing(t, true)
	s.Must(http.StatusNoContent, "POST", "users/ann/confirmations/password/send", "")
	m, err := s.Store.ClaimMail(context.Background(), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Store.MailFailed(context.Background(), m.ID, s.Now, true, "nobody there"); err != nil {
		t.Fatal(err)
	}
	list := s.Must(http.StatusOK, "GET", "outbox", "")
	for _, want := range []string{`"recipient":"ann@example.com"`, `"tries":1`, `"dead":true`, `"problem":"nobody there"`, `"count":1`} {
		if !strings.Contains(string(list.Body), want) {
			t.Errorf("no %s in %s", want, list.Body)
		}
	}
	if strings.Contains(string(list.Body), "ticket") {
		t.Errorf("the list holds the link: %s", list.Body)
	}
}

// TestNoMail queues nothing on a plane that cannot send.
func TestNoMail(t *testing.T) {
	t.Parallel()
	s := newMailing(t, false)
	s.Must(http.StatusNotImplemented, "POST", "users/ann/confirmations/password/send", "")
	s.Must(http.StatusCreated, "PUT", "subscriptions/s?notify=true", `{"properties":{"displayName":"S","scope":"/apis","ownerId":"/users/ann"}}`)
	s.Must(http.StatusCreated, "PUT", "apis/echo/issues/i", `{"properties":{"title":"T","description":"D","userId":"/users/ann"}}`)
	if got, _ := s.take(); len(got) != 0 {
		t.Errorf("queued %q", got)
	}
}
