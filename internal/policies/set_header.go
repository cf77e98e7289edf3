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

	kind headerKind // of a constant name
}

// headerKind says what is special about a header's name.
type headerKind uint8

const (
	unknownHeader  headerKind = iota // not looked at yet
	invalidHeader                    // not a name
	fixedHeader                      // belongs to the gateway's framing, so that policies cannot change it
	repeatedHeader                   // several values stand in fields of their own
	plainHeader
)

func headerKindOf(name string) headerKind {
	switch {
	case !message.ValidName(name):
		return invalidHeader
	case isFixedHeader(name):
		return fixedHeader
	case isRepeatedHeader(name):
		return repeatedHeader
	}
	return plainHeader
}

// Compile looks at the name once.
func (p *setHeader) Compile(*policy.Compiler) error {
	if name, ok := p.Name.Constant(); ok {
		p.kind = headerKindOf(name)
	}
	return nil
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
	kind := p.kind
	if kind == unknownHeader {
		kind = headerKindOf(name)
	}
	switch {
	case kind == invalidHeader:
		return &policy.Error{Reason: "InvalidHeader", Message: fmt.Sprintf("%q is not a header name.", name)}
	case kind == fixedHeader || action == "skip" && h.Has(name):
		return nil
	case action == "delete":
		h.Del(name)
		return nil
	}
	return p.set(x, h, name, kind == repeatedHeader, action == "append")
}

// set evaluates the values and writes those that are not null.
func (p *setHeader) set(x *policy.Exec, h *message.Header, name string, repeated, keep bool) error {
	var room [4]string
	values := room[:0]
	for i := range p.Values {
		value, err := p.Values[i].Get(x)
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
	if repeated {
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
