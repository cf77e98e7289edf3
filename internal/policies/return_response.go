package policies

import (
	"fmt"

	"github.com/causeway-apim/causeway/internal/message"
	"github.com/causeway-apim/causeway/internal/policy"
)

// ReturnResponse is the return-response policy.
var ReturnResponse = policy.Define[returnResponse](policy.Spec{
	Name: "return-response",
	Flow: policy.FlowMessage,
	Doc:  "Ends the pipeline and answers with 200 and no body, or with the response of a variable, as its elements change it.",
})

type returnResponse struct {
	Variable string       `attr:"response-variable-name" doc:"Variable with a response, such as send-request sets."`
	Status   *setStatus   `elem:"set-status" doc:"Status of the response."`
	Headers  []*setHeader `elem:"set-header" doc:"Headers of the response."`
	Body     *setBody     `elem:"set-body" doc:"Body of the response."`
}

func (p *returnResponse) Run(x *policy.Exec) error {
	r, err := p.base(x)
	if err != nil {
		return err
	}
	if p.Status != nil {
		if err := p.Status.apply(x, r); err != nil {
			return err
		}
	}
	for _, h := range p.Headers {
		if err := h.apply(x, &r.Header); err != nil {
			return err
		}
	}
	if p.Body != nil {
		body, err := p.Body.content(x, false)
		if err != nil {
			return err
		}
		policy.ReplaceResponseBody(r, body)
	}
	x.SetResponse(r)
	return policy.ErrStop
}

// base is the response that the elements change.
func (p *returnResponse) base(x *policy.Exec) (*message.Response, error) {
	if p.Variable == "" {
		return &message.Response{Status: 200}, nil
	}
	value, _ := x.Variable(p.Variable)
	stored, ok := value.(*policy.ResponseValue)
	if !ok {
		return nil, &policy.Error{Reason: "ResponseVariableNotFound", Message: fmt.Sprintf("Variable %s holds no response.", p.Variable)}
	}
	return stored.Message(), nil
}
