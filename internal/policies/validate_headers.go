package policies

import (
	"fmt"
	"strings"

	"github.com/causeway-apim/causeway/internal/policy"
	"github.com/causeway-apim/causeway/internal/snapshot"
)

// ValidateHeaders is the validate-headers policy.
var ValidateHeaders = policy.Define[validateHeaders](policy.Spec{
	Name:           "validate-headers",
	NoHandshake:    true,
	Sections:       policy.Outbound | policy.OnError,
	OncePerSection: true,
	Flow:           policy.FlowStays,
	Doc:            "Looks whether the response's headers are those that the operation's description has.",
})

type validateHeaders struct {
	Specified   policy.Value[string] `attr:"specified-header-action,required" enum:"ignore,prevent,detect" doc:"What to do about headers of the description with other values."`
	Unspecified policy.Value[string] `attr:"unspecified-header-action,required" enum:"ignore,prevent,detect" doc:"What to do about headers that the description does not have."`
	Variable    string               `attr:"errors-variable-name" doc:"Variable for the errors."`
	Headers     []namedAction        `elem:"header" doc:"What to do about one header."`

	value policy.JSONValue
}

func (p *validateHeaders) Compile(c *policy.Compiler) (err error) {
	p.value, err = c.JSONValue()
	return err
}

func (p *validateHeaders) Run(x *policy.Exec) error {
	if x.Response == nil {
		return nil
	}
	specified, err := p.Specified.Get(x)
	if err != nil {
		return err
	}
	unspecified, err := p.Unspecified.Get(x)
	if err != nil {
		return err
	}
	var f findings
	described := responseHeaders(x)
	for i := range described {
		d := &described[i]
		parameter{kind: inResponseHeader, of: d, values: x.Response.Header.Values(d.Name)}.check(x, &f, actionFor(p.Headers, d.Name, specified))
	}
	for _, name := range differentNames(&x.Response.Header) {
		if describes(described, name) {
			continue
		}
		f.add(actionForUnspecified(p.Headers, name, unspecified), violation{
			Name: name, Type: string(inResponseHeader), ValidationRule: "Unspecified", Details: fmt.Sprintf("Unspecified header %s is not allowed.", name),
		})
	}
	return f.finish(x, p.Variable, p.value)
}

// responseHeaders are the headers that the description has for the response's status.
func responseHeaders(x *policy.Exec) []snapshot.Parameter {
	if x.Operation == nil {
		return nil
	}
	for i := range x.Operation.Responses {
		if r := &x.Operation.Responses[i]; r.Status == x.Response.Status {
			return r.Headers
		}
	}
	return nil
}

func describes(list []snapshot.Parameter, name string) bool {
	for i := range list {
		if strings.EqualFold(list[i].Name, name) {
			return true
		}
	}
	return false
}
