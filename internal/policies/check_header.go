package policies

import (
	"fmt"
	"strings"

	"github.com/causeway-apim/causeway/internal/policy"
)

// CheckHeader is the check-header policy.
var CheckHeader = policy.Define[checkHeader](policy.Spec{
	Name:     "check-header",
	Sections: policy.Inbound,
	Flow:     policy.FlowStays,
	Doc:      "Refuses requests without a header, or whose header has another value than those listed.",
})

type checkHeader struct {
	Name       policy.Value[string]   `attr:"name,required" doc:"Header to look at."`
	Code       policy.Value[int]      `attr:"failed-check-httpcode,required" min:"100" max:"599" doc:"Status code of the refusal."`
	Message    policy.Value[string]   `attr:"failed-check-error-message,required,empty" doc:"Message of the refusal."`
	IgnoreCase policy.Value[bool]     `attr:"ignore-case,required" doc:"Whether the case of values does not matter."`
	Values     []policy.Value[string] `elem:"value" doc:"Allowed value; without any, the header only has to be there."`
}

func (p *checkHeader) Run(x *policy.Exec) error {
	name, err := p.Name.Get(x)
	if err != nil {
		return err
	}
	if !x.Request.Header.Has(name) {
		return p.refuse(x, "HeaderNotFound", fmt.Sprintf("Header %s was not found in the request. Access denied.", name))
	}
	if len(p.Values) == 0 {
		return nil
	}
	have := x.Request.Header.Joined(name)
	fold, err := p.IgnoreCase.Get(x)
	if err != nil {
		return err
	}
	for _, v := range p.Values {
		want, err := v.Get(x)
		if err != nil {
			return err
		}
		if have == want || fold && strings.EqualFold(have, want) {
			return nil
		}
	}
	return p.refuse(x, "HeaderValueNotAllowed", fmt.Sprintf("Header %s value of %s is not allowed. Access denied.", name, have))
}

func (p *checkHeader) refuse(x *policy.Exec, reason, message string) error {
	code, err := p.Code.Get(x)
	if err != nil {
		return err
	}
	public, err := p.Message.Get(x)
	if err != nil {
		return err
	}
	return &policy.Error{Reason: reason, Message: message, Status: code, Public: public}
}
