package resources

import (
	"encoding/base64"
	"net/url"
	"strings"
	"time"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/resource"
)

// issueIndex with the value issueIndexValue finds all issues of a service.
const (
	issueIndex      = "issue"
	issueIndexValue = "all"
)

// maxAttachmentBytes bounds what is attached to an issue.
const maxAttachmentBytes = 2 << 20

// linkFormat is the contentFormat of an attachment whose content is a link.
const linkFormat = "link"

// Issue is what a user reports about an API.
type Issue struct {
	Title       string     `json:"title" rule:"required,max=300" filter:"yes" doc:"Title."`
	Description string     `json:"description" rule:"required,max=8000" filter:"yes" doc:"What is wrong."`
	UserID      string     `json:"userId" rule:"required,ref=users,cascade" filter:"yes" doc:"Who reports it."`
	APIID       string     `json:"apiId,omitempty" rule:"readonly" filter:"yes" doc:"The API."`
	State       string     `json:"state" rule:"enum=proposed|open|removed|resolved|closed,default=proposed" filter:"yes" doc:"What became of it."`
	CreatedDate *time.Time `json:"createdDate,omitempty" filter:"yes" doc:"When it was reported."`
}

// issueView is an issue as it is answered.
type issueView struct {
	Issue
	Comments    []IssueComment    `json:"comments,omitempty"`
	Attachments []IssueAttachment `json:"attachments,omitempty"`
}

// IssueComment is what somebody says about an issue.
type IssueComment struct {
	Text        string     `json:"text" rule:"required,max=8000" doc:"What is said."`
	UserID      string     `json:"userId" rule:"required,ref=users,cascade" filter:"yes" doc:"Who says it."`
	CreatedDate *time.Time `json:"createdDate,omitempty" filter:"yes" doc:"When it was said."`
}

// IssueAttachment is a file that belongs to an issue.
type IssueAttachment struct {
	Title         string `json:"title" rule:"required,max=255" filter:"yes" doc:"Name of the file."`
	ContentFormat string `json:"contentFormat" rule:"required,max=255" doc:"link when content is a URL, otherwise the media type of the file."`
	Content       string `json:"content" rule:"required" doc:"URL, or the file in base64. A file is answered as it was written."`
}

func apiIssues(env Env) *resource.Type {
	return resource.Define(resource.Spec[Issue]{
		Name: "issues", Title: "Issue of an API", Doc: "What a user of the developer portal reports about an API.",
		Parents: []string{"apis"}, Verbs: resource.CRUDL, NameMax: 256,
		Default: func(x *resource.Tx, _, d *resource.Doc[Issue]) error {
			base, _ := arm.SplitRevision(d.ID.Parent().Name())
			d.Props.APIID = d.ID.Service().Child("apis", base).String()
			if d.Props.CreatedDate == nil {
				d.Props.CreatedDate = &x.Now
			}
			return nil
		},
		After: env.tellIssue,
		View:  viewIssue,
		Indexes: func(*resource.Doc[Issue]) []resource.Index {
			return []resource.Index{{Name: issueIndex, Value: issueIndexValue}}
		},
	})
}

// viewIssue adds comments and attachments when the caller asks for them.
func viewIssue(x *resource.Reader, d *resource.Doc[Issue]) (any, error) {
	v := issueView{Issue: d.Props}
	if !strings.EqualFold(x.Param("expandCommentsAttachments"), "true") {
		return v, nil
	}
	for c, err := range resource.All[IssueComment](x, d.ID, "comments") {
		if err != nil {
			return nil, err
		}
		v.Comments = append(v.Comments, c.Props)
	}
	for a, err := range resource.All[IssueAttachment](x, d.ID, "attachments") {
		if err != nil {
			return nil, err
		}
		v.Attachments = append(v.Attachments, a.Props)
	}
	return v, nil
}

func issueComments(env Env) *resource.Type {
	return resource.Define(resource.Spec[IssueComment]{
		Name: "comments", Title: "Comment on an issue", Doc: "What somebody says about an issue.",
		Parents: []string{"apis/issues"}, Verbs: resource.CRDL, NameMax: 256,
		Default: func(x *resource.Tx, _, d *resource.Doc[IssueComment]) error {
			if d.Props.CreatedDate == nil {
				d.Props.CreatedDate = &x.Now
			}
			return nil
		},
		After: env.tellComment,
	})
}

func issueAttachments() *resource.Type {
	return resource.Define(resource.Spec[IssueAttachment]{
		Name: "attachments", Title: "Attachment of an issue", Doc: "A file that belongs to an issue.",
		Parents: []string{"apis/issues"}, Verbs: resource.CRDL, NameMax: 256,
		Check: func(_ *resource.Tx, _, d *resource.Doc[IssueAttachment]) error {
			a := d.Props
			if a.ContentFormat == linkFormat {
				if u, err := url.Parse(a.Content); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
					return arm.Invalid("content", "content must be an http or https URL, because contentFormat is link.")
				}
				return nil
			}
			if len(a.Content) > base64.StdEncoding.EncodedLen(maxAttachmentBytes) {
				return arm.Invalid("content", "An attachment has at most %d MB.", maxAttachmentBytes>>20)
			}
			if _, err := base64.StdEncoding.DecodeString(a.Content); err != nil {
				return arm.Invalid("content", "content must be base64, because contentFormat is not link.")
			}
			return nil
		},
	})
}

// serviceIssues lists the issues of all APIs.
func serviceIssues() *resource.Type {
	return resource.Define(resource.Spec[Issue]{
		Name: "issues", Title: "Issue", Doc: "The issues of all APIs.",
		Parents: []string{""}, Verbs: resource.List | resource.Read,
		Items: func(x *resource.Reader, _ arm.ID) ([]string, error) { return x.Lookup(issueIndex, issueIndexValue) },
	})
}
