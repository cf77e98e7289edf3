package policies

import (
	"fmt"
	"strings"

	"github.com/causeway-apim/causeway/internal/csharp"
	"github.com/causeway-apim/causeway/internal/message"
	"github.com/causeway-apim/causeway/internal/policy"
)

// SetHeader is the set-header policy.
var SetHeader = policy.Define[setHeader](policy.Spec{
	Name: "set-header",
	Flow: policy.FlowMessage,
	Doc:  "Sets a header of the request (inbound, backend) or of the response (outbound, on-error), appends to it or removes it.",
})

type setHeader struct {
	Name   policy.Value[string]   `attr:"name,required" doc:"Header to set."`
	Exists policy.Value[string]   `attr:"exists-action" default:"override" enum:"override,skip,append,delete" doc:"What to do when the header is there."`
	Values []policy.Value[string] `elem:"value" doc:"Value; several become one field with commas, or several fields where commas would not do."`
}

func (p *setHeader) Run(x *policy.Exec) error { return p.apply(x, x.Header()) }

// apply changes h; other policies use it for the messages that they make.
func (p *setHeader) apply(x *policy.Exec, h *message.Header) error {
	name, err := p.Name.Get(x)
	if err != nil {
		return err
	}
	action, err := p.Exists.Get(x)
	if err != nil {
		return err
	}
	if !message.ValidName(name) {
		return &policy.Error{Reason: "InvalidHeader", Message: fmt.Sprintf("%q is not a header name.", name)}
	}
	if isFixedHeader(name) || action == "skip" && h.Has(name) {
		return nil
	}
	if action == "delete" {
		h.Del(name)
		return nil
	}
	return p.set(x, h, name, action == "append")
}

// set evaluates the values and writes those that are not null.
func (p *setHeader) set(x *policy.Exec, h *message.Header, name string, keep bool) error {
	var room [4]string
	values := room[:0]
	for _, v := range p.Values {
		value, err := v.Get(x)
		if err != nil {
			return err
		}
		if csharp.IsNull(value) {
			continue
		}
		if !message.ValidValue(value) { // the value stays out of the message: it may be a secret
			return &policy.Error{Reason: "InvalidHeader", Message: fmt.Sprintf("The value of header %s has a character that is not allowed.", name)}
		}
		values = append(values, value)
	}
	if len(values) == 0 {
		return nil
	}
	if isRepeatedHeader(name) {
		if !keep {
			h.Del(name)
		}
		for _, value := range values {
			h.Add(name, value)
		}
		return nil
	}
	if keep && h.Has(name) {
		values = append([]string{h.Joined(name)}, values...)
	}
	if len(values) == 1 {
		h.Set(name, values[0])
		return nil
	}
	h.Set(name, strings.Join(values, ","))
	return nil
}

// isFixedHeader says whether a header belongs to the gateway's framing, so that policies cannot change it.
func isFixedHeader(name string) bool {
	for _, fixed := range [...]string{"Connection", "Content-Length", "Keep-Alive", "Transfer-Encoding"} {
		if message.EqualName(name, fixed) {
			return true
		}
	}
	return false
}

// isRepeatedHeader says whether several values of a header stand in fields of their own.
func isRepeatedHeader(name string) bool {
	for _, repeated := range [...]string{
		"User-Agent", "WWW-Authenticate", "Proxy-Authenticate", "Cookie", "Set-Cookie", "Warning", "Date", "Expires",
		"If-Modified-Since", "If-Unmodified-Since", "Last-Modified", "Retry-After",
	} {
		if message.EqualName(name, repeated) {
			return true
		}
	}
	return false
}
