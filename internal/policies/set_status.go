package policies

import (
	"github.com/causeway-apim/causeway/internal/message"
	"github.com/causeway-apim/causeway/internal/policy"
)

// SetStatus is the set-status policy.
var SetStatus = policy.Define[setStatus](policy.Spec{
	Name: "set-status",
	Flow: policy.FlowMessage,
	Doc:  "Sets the status code and the reason phrase of the response.",
})

type setStatus struct {
	Code   policy.Value[int]    `attr:"code,required" min:"100" max:"999" doc:"Status code."`
	Reason policy.Value[string] `attr:"reason" doc:"Reason phrase; the usual one of the code when absent."`
}

func (p *setStatus) Run(x *policy.Exec) error { return p.apply(x, x.EnsureResponse()) }

// apply changes r; other policies use it for the responses that they make.
func (p *setStatus) apply(x *policy.Exec, r *message.Response) error {
	code, err := p.Code.Get(x)
	if err != nil {
		return err
	}
	reason, err := p.Reason.Get(x)
	if err != nil {
		return err
	}
	r.Status, r.Reason = code, reason
	return nil
}
