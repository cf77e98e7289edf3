package policies

import (
	"fmt"
	"strconv"

	"github.com/causeway-apim/causeway/internal/policy"
)

// ValidateStatusCode is the validate-status-code policy.
var ValidateStatusCode = policy.Define[validateStatusCode](policy.Spec{
	Name:        "validate-status-code",
	NoHandshake: true,
	Sections:    policy.Outbound | policy.OnError,
	Flow:        policy.FlowStays,
	Doc:         "Looks whether the status code of the response is one that the operation's description has.",
})

type validateStatusCode struct {
	Unspecified policy.Value[string] `attr:"unspecified-status-code-action,required" enum:"ignore,prevent,detect" doc:"What to do about codes that the description does not have."`
	Variable    string               `attr:"errors-variable-name" doc:"Variable for the errors."`
	Codes       []statusCodeAction   `elem:"status-code" doc:"What to do about one code that the description does not have."`

	value policy.JSONValue
}

type statusCodeAction struct {
	Code   int    `attr:"code,required" min:"100" max:"999" doc:"Status code."`
	Action string `attr:"action,required" enum:"ignore,prevent,detect" doc:"What to do about it."`
}

func (p *validateStatusCode) Compile(c *policy.Compiler) (err error) {
	p.value, err = c.JSONValue()
	return err
}

func (p *validateStatusCode) Run(x *policy.Exec) error {
	if x.Response == nil {
		return nil
	}
	code := x.Response.Status
	if x.Operation != nil {
		for i := range x.Operation.Responses {
			if x.Operation.Responses[i].Status == code {
				return nil
			}
		}
	}
	action, err := p.Unspecified.Get(x)
	if err != nil {
		return err
	}
	for _, c := range p.Codes {
		if c.Code == code {
			action = c.Action
		}
	}
	var f findings
	f.add(action, violation{
		Name: strconv.Itoa(code), Type: "StatusCode", ValidationRule: "Unspecified", Details: fmt.Sprintf("Response status code %d is not allowed.", code),
	})
	return f.finish(x, p.Variable, p.value)
}
