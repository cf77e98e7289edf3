package policies

import (
	"strings"

	"github.com/causeway-apim/causeway/internal/message"
	"github.com/causeway-apim/causeway/internal/policy"
	"github.com/causeway-apim/causeway/internal/snapshot"
)

// MockResponse is the mock-response policy.
var MockResponse = policy.Define[mockResponse](policy.Spec{
	Name:     "mock-response",
	Sections: policy.Inbound | policy.Outbound | policy.OnError,
	Flow:     policy.FlowStays,
	Doc:      "Ends the pipeline with an example of the operation's responses, or with an empty body when there is none.",
})

type mockResponse struct {
	Status      int    `attr:"status-code" default:"200" min:"100" max:"599" doc:"Status code; chooses among the operation's responses."`
	ContentType string `attr:"content-type" doc:"Media type; chooses among the response's representations."`
	Index       int    `attr:"index" default:"0" min:"0" doc:"Which of several examples."`
}

func (p *mockResponse) Run(x *policy.Exec) error {
	r := &message.Response{Status: p.Status}
	contentType, example := p.example(x.Operation)
	if contentType != "" {
		r.Header.Add("Content-Type", contentType)
	}
	policy.ReplaceResponseBody(r, []byte(example))
	x.SetResponse(r)
	return policy.ErrStop
}

// example finds the representation: that of the status code and media type, or
// else the first of the status code.
func (p *mockResponse) example(op *snapshot.Operation) (contentType, text string) {
	if op == nil {
		return p.ContentType, ""
	}
	for _, resp := range op.Responses {
		if resp.Status != p.Status {
			continue
		}
		var first *snapshot.Representation
		for i := range resp.Representations {
			rep := &resp.Representations[i]
			if first == nil {
				first = rep
			}
			if p.ContentType != "" && strings.EqualFold(rep.ContentType, p.ContentType) {
				first = rep
				break
			}
		}
		if first == nil {
			break
		}
		if p.Index < len(first.Examples) {
			text = first.Examples[p.Index]
		}
		return first.ContentType, text
	}
	return p.ContentType, ""
}
