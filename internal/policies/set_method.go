package policies

import (
	"strings"

	"github.com/causeway-apim/causeway/internal/message"
	"github.com/causeway-apim/causeway/internal/policy"
)

// SetMethod is the set-method policy.
var SetMethod = policy.Define[setMethod](policy.Spec{
	Name:        "set-method",
	NoHandshake: true,
	Flow:        policy.FlowMessage,
	Doc:         "Changes the method of the request.",
})

type setMethod struct {
	Method policy.Value[string] `text:"required" doc:"Method, such as POST."`
}

func (p *setMethod) Run(x *policy.Exec) error { return p.apply(x, x.Request) }

func (p *setMethod) apply(x *policy.Exec, r *message.Request) error {
	method, err := p.Method.Get(x)
	if err != nil {
		return err
	}
	method = strings.TrimSpace(method)
	if !message.ValidName(method) {
		return &policy.Error{Message: "The method " + method + " is not valid."}
	}
	r.Method = method
	return nil
}
