package policies

import (
	"github.com/causeway-apim/causeway/internal/message"
	"github.com/causeway-apim/causeway/internal/policy"
	"github.com/causeway-apim/causeway/internal/snapshot"
)

// Proxy is the proxy policy.
var Proxy = policy.Define[forwardProxy](policy.Spec{
	Name:     "proxy",
	Sections: policy.Inbound,
	Flow:     policy.FlowStays,
	Doc:      "Sends the request to the backend service through a forward proxy. Requests that policies send need an element of their own.",
})

type forwardProxy struct {
	URL      policy.Value[string] `attr:"url,required" doc:"URL of the proxy: http://host:port."`
	Username policy.Value[string] `attr:"username" doc:"User name for the proxy; the proxy asks for Basic or NTLM."`
	Password policy.Value[string] `attr:"password" doc:"Password for the proxy."`
}

// Compile refuses a URL that cannot be a proxy's.
func (p *forwardProxy) Compile(c *policy.Compiler) error {
	if u, ok := p.URL.Constant(); ok {
		if _, err := message.ParseProxy(u, "", ""); err != nil {
			c.Errorf("InvalidURL", "proxy: %v", err)
		}
	}
	return nil
}

func (p *forwardProxy) Run(x *policy.Exec) (err error) {
	x.Proxy, err = p.choose(x)
	return err
}

// choose returns the proxy for this request.
func (p *forwardProxy) choose(x *policy.Exec) (*snapshot.Proxy, error) {
	var chosen snapshot.Proxy
	for _, v := range []struct {
		from policy.Value[string]
		to   *string
	}{{p.URL, &chosen.URL}, {p.Username, &chosen.Username}, {p.Password, &chosen.Password}} {
		text, err := v.from.Get(x)
		if err != nil {
			return nil, err
		}
		*v.to = text
	}
	if _, err := message.ParseProxy(chosen.URL, "", ""); err != nil {
		return nil, &policy.Error{Message: "The URL of the proxy is not valid: " + err.Error() + ".", Err: err}
	}
	return &chosen, nil
}
