package policies

import (
	"mime"
	"strings"

	"github.com/causeway-apim/causeway/internal/message"
	"github.com/causeway-apim/causeway/internal/policy"
)

// SetBody is the set-body policy.
var SetBody = policy.Define[setBody](policy.Spec{
	Name:        "set-body",
	NoHandshake: true,
	Flow:        policy.FlowMessage,
	Doc:         "Replaces the body of the request (inbound, backend) or of the response (outbound, on-error).",
})

type setBody struct {
	Template  string               `attr:"template" enum:"none,liquid" doc:"Template language of the content."`
	XSINil    string               `attr:"xsi-nil" default:"blank" enum:"blank,null" doc:"How elements with xsi:nil appear in a template."`
	ParseDate bool                 `attr:"parse-date" default:"true" doc:"Whether texts of a JSON body that look like a time become one in a template."`
	Content   policy.Value[[]byte] `text:"exact" doc:"The body."`

	template *liquidBody // nil for a body that is no template
}

// Compile reads the template.
func (p *setBody) Compile(c *policy.Compiler) (err error) {
	if p.Template == "liquid" {
		p.template, err = p.compileTemplate(c)
	}
	return err
}

func (p *setBody) Run(x *policy.Exec) error {
	body, err := p.content(x, true)
	if err != nil {
		return err
	}
	x.SetBody(body)
	sayUTF8(x.Header())
	return nil
}

// sayUTF8 corrects the charset of a Content-Type that has one: texts of policies are UTF-8 ("Deep Dive on set-body Policy", Azure's blog).
func sayUTF8(h *message.Header) {
	contentType := h.Get("Content-Type")
	if !strings.Contains(contentType, ";") {
		return
	}
	media, parameters, err := mime.ParseMediaType(contentType)
	if charset := parameters["charset"]; err != nil || charset == "" || strings.EqualFold(charset, "utf-8") {
		return
	}
	parameters["charset"] = "utf-8"
	h.Set("Content-Type", mime.FormatMediaType(media, parameters))
}

// content is the new body; never nil, so that null is an empty one. The bytes may be shared with other requests. current says whether a
// template sees the current message as its body: in elements of other policies its body is empty.
func (p *setBody) content(x *policy.Exec, current bool) ([]byte, error) {
	if p.template != nil {
		return p.renderTemplate(x, current)
	}
	body, err := p.Content.Get(x)
	if body == nil {
		body = []byte{}
	}
	return body, err
}
