package policies

import (
	"bytes"
	"encoding/json"

	"github.com/causeway-apim/causeway/internal/liquid"
	"github.com/causeway-apim/causeway/internal/message"
	"github.com/causeway-apim/causeway/internal/policy"
	"github.com/causeway-apim/causeway/internal/snapshot"
	"github.com/causeway-apim/causeway/internal/xmlx"
)

// MockResponse is the mock-response policy.
var MockResponse = policy.Define[mockResponse](policy.Spec{
	Name:        "mock-response",
	NoHandshake: true,
	Sections:    policy.Inbound | policy.Outbound | policy.OnError,
	Flow:        policy.FlowStays,
	Doc:         "Ends the pipeline with an example of the operation's responses, with one made of its schema, or with an empty body when there is neither.",
})

type mockResponse struct {
	Status      int    `attr:"status-code" default:"200" min:"100" max:"599" doc:"Status code; chooses among the operation's responses."`
	ContentType string `attr:"content-type" doc:"Media type; chooses among the response's representations."`
	Index       int    `attr:"index" default:"0" min:"0" doc:"Which of several examples."`
}

func (p *mockResponse) Run(x *policy.Exec) error {
	r := &message.Response{Status: p.Status}
	contentType, body := p.ContentType, []byte(nil)
	if described := p.representation(x.Operation); described != nil {
		contentType, body = described.ContentType, p.example(x, described)
	}
	if contentType != "" {
		r.Header.Add("Content-Type", contentType)
	}
	policy.ReplaceResponseBody(r, body)
	x.SetResponse(r)
	return policy.ErrStop
}

// representation finds that of the status code and media type, or else the first of the status code.
func (p *mockResponse) representation(op *snapshot.Operation) *snapshot.Representation {
	if op == nil {
		return nil
	}
	for i := range op.Responses {
		answer := &op.Responses[i]
		if answer.Status != p.Status {
			continue
		}
		for j := range answer.Representations {
			if described := &answer.Representations[j]; p.ContentType != "" && mediaType(described.ContentType) == mediaType(p.ContentType) {
				return described
			}
		}
		if len(answer.Representations) > 0 {
			return &answer.Representations[0]
		}
	}
	return nil
}

// example is the chosen example, or one made of the schema where there are none; empty without both.
func (p *mockResponse) example(x *policy.Exec, described *snapshot.Representation) []byte {
	if p.Index < len(described.Examples) {
		return []byte(described.Examples[p.Index])
	}
	if len(described.Examples) > 0 || described.Schema == "" {
		return nil
	}
	schema, ok := x.Host.Schema(x.API.ID, described.Schema)
	if !ok {
		return nil
	}
	value, ok := schema.Sample(described.TypeName, x.Host)
	if !ok {
		return nil
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if encoder.Encode(value) != nil {
		return nil
	}
	sample := bytes.TrimSpace(text.Bytes())
	if kindOf(mediaType(described.ContentType)) != xmlBody {
		return sample
	}
	v, err := liquid.FromJSON(sample, false)
	if err != nil {
		return nil
	}
	name := described.TypeName
	if name == "" {
		name = rootName
	}
	root := (&xmlWriter{}).element(name, v, nil)
	return (&xmlx.Document{Root: root, Nodes: []*xmlx.Node{root}}).Append(nil)
}
