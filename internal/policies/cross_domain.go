package policies

import (
	"strings"

	"github.com/causeway-apim/causeway/internal/message"
	"github.com/causeway-apim/causeway/internal/policy"
)

// CrossDomain is the cross-domain policy.
var CrossDomain = policy.Define[crossDomain](policy.Spec{
	Name:           "cross-domain",
	NoHandshake:    true,
	Sections:       policy.Inbound,
	Scopes:         policy.ScopeService,
	OncePerSection: true,
	Flow:           policy.FlowStays,
	Doc:            "Answers requests for /crossdomain.xml with its content, which tells Adobe's clients which sites may call. Other requests go on.",
})

type crossDomain struct {
	Content string `inner:"required" doc:"A cross-domain-policy document."`
}

// Compile wants a document of Adobe's.
func (p *crossDomain) Compile(c *policy.Compiler) error {
	p.Content = strings.TrimSpace(p.Content)
	if !strings.HasPrefix(p.Content, "<cross-domain-policy") {
		c.Errorf("InvalidPolicy", "cross-domain must contain an element <cross-domain-policy>")
	}
	return nil
}

// Run does nothing: the document is no part of an API.
func (p *crossDomain) Run(*policy.Exec) error { return nil }

// Unmatched answers with the document.
func (p *crossDomain) Unmatched(x *policy.Exec) bool {
	if x.Request.Method != "GET" || x.OriginalURL.Path != "/crossdomain.xml" {
		return false
	}
	body := `<?xml version="1.0"?>` + "\n" + p.Content
	x.SetResponse(&message.Response{
		Status: 200, Header: message.NewHeader("Content-Type", "text/x-cross-domain-policy"),
		Body: message.StringBody(body), ContentLength: int64(len(body)),
	})
	return true
}
