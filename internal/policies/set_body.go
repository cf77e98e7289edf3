package policies

import "github.com/causeway-apim/causeway/internal/policy"

// SetBody is the set-body policy.
var SetBody = policy.Define[setBody](policy.Spec{
	Name: "set-body",
	Doc:  "Replaces the body of the request (inbound, backend) or of the response (outbound, on-error).",
})

type setBody struct {
	Template string               `attr:"template" enum:"none,liquid" doc:"Template language of the content."`
	XSINil   string               `attr:"xsi-nil" default:"blank" enum:"blank,null" doc:"How elements with xsi:nil appear in a template."`
	Content  policy.Value[[]byte] `text:"exact" doc:"The body."`
}

// Compile says which body is replaced.
func (p *setBody) Compile(c *policy.Compiler) error {
	if p.Template == "liquid" {
		c.Errorf("NotSupported", "Liquid templates are not supported yet")
	}
	return nil
}

func (p *setBody) Run(x *policy.Exec) error {
	body, err := p.content(x)
	if err != nil {
		return err
	}
	x.SetBody(body)
	return nil
}

// content is the new body; never nil, so that null is an empty one. The bytes may be shared with other requests.
func (p *setBody) content(x *policy.Exec) ([]byte, error) {
	body, err := p.Content.Get(x)
	if body == nil {
		body = []byte{}
	}
	return body, err
}
