package policies

import (
	"errors"
	"strings"
	"time"

	"github.com/causeway-apim/causeway/internal/message"
	"github.com/causeway-apim/causeway/internal/policy"
)

// SendRequest is the send-request policy.
var SendRequest = policy.Define[sendRequest](policy.Spec{
	Name:  "send-request",
	Flow:  policy.FlowSent,
	Calls: "the URL of the request",
	Doc:   "Sends a request of its own and puts the answer into a variable.",
})

type sendRequest struct {
	Mode        policy.Value[string] `attr:"mode" default:"new" enum:"new,copy" doc:"Whether the request starts empty or as a copy of the current one."`
	Variable    string               `attr:"response-variable-name,required" doc:"Variable for the answer."`
	Timeout     policy.Value[int64]  `attr:"timeout" default:"60" min:"1" doc:"Seconds for the whole exchange."`
	IgnoreError bool                 `attr:"ignore-error" default:"false" doc:"Whether a failure sets the variable to null instead of leading to on-error."`
	Request     outgoing
}

// outgoing is a request that a policy makes.
type outgoing struct {
	URL     *setURL      `elem:"set-url" doc:"URL of the request."`
	Method  *setMethod   `elem:"set-method" doc:"Method of the request."`
	Headers []*setHeader `elem:"set-header" doc:"Headers of the request."`
	Body    *setBody     `elem:"set-body" doc:"Body of the request."`
	Basic   *basicAuth   `elem:"authentication-basic" doc:"User name and password for the request."`

	Certificate *certificateAuth `elem:"authentication-certificate" doc:"Client certificate for the request."`
	Identity    *identityAuth    `elem:"authentication-managed-identity" doc:"Managed identity whose token the request has."`

	Proxy *forwardProxy `elem:"proxy" doc:"Forward proxy that the request goes through."`
}

type setURL struct {
	URL policy.Value[string] `text:"required" doc:"Absolute URL."`
}

// Compile refuses a new request without URL and method.
func (p *sendRequest) Compile(c *policy.Compiler) error {
	p.Request.check(c, "send-request", p.Mode)
	return nil
}

func (p *sendRequest) Run(x *policy.Exec) error {
	resp, err := p.send(x)
	if err != nil {
		var failed *policy.Error
		if !p.IgnoreError || errors.As(err, &failed) && failed.Reason == policy.ReasonClientConnection {
			return err
		}
		x.SetVariable(p.Variable, nil)
		return nil
	}
	x.SetVariable(p.Variable, policy.NewResponseValue(x, resp))
	return nil
}

func (p *sendRequest) send(x *policy.Exec) (*message.Response, error) {
	mode, err := p.Mode.Get(x)
	if err != nil {
		return nil, err
	}
	seconds, err := p.Timeout.Get(x)
	if err != nil {
		return nil, err
	}
	r, err := p.Request.make(x, mode == "copy")
	if err != nil {
		return nil, err
	}
	o, err := p.Request.options(x, seconds)
	if err != nil {
		return nil, err
	}
	return x.Host.Send(x.Context(), r, o)
}

// options are how the request is sent.
func (o *outgoing) options(x *policy.Exec, seconds int64) (s policy.SendOptions, err error) {
	s.Timeout = time.Duration(seconds) * time.Second
	if o.Certificate != nil {
		if s.Certificate, err = o.Certificate.choose(x); err != nil {
			return s, err
		}
	}
	if o.Proxy != nil {
		s.Proxy, err = o.Proxy.choose(x)
	}
	return s, err
}

// check reports what a new request of the policy of that name lacks.
func (o *outgoing) check(c *policy.Compiler, name string, mode policy.Value[string]) {
	if m, ok := mode.Constant(); !ok || m != "new" {
		return
	}
	if o.URL == nil {
		c.Errorf("MissingElement", "%s with mode new needs a set-url element", name)
	}
	if o.Method == nil {
		c.Errorf("MissingElement", "%s with mode new needs a set-method element", name)
	}
}

// make builds the request. Its elements see the current request as context and
// change only the new one.
func (o *outgoing) make(x *policy.Exec, copied bool) (*message.Request, error) {
	r := &message.Request{Method: "GET", Proto: "HTTP/1.1"}
	if copied {
		if err := copyRequest(x, r); err != nil {
			return nil, err
		}
	}
	if o.URL != nil {
		text, err := o.URL.URL.Get(x)
		if err != nil {
			return nil, err
		}
		if r.URL, err = message.ParseURL(message.EscapeURL(strings.TrimSpace(text))); err != nil {
			return nil, &policy.Error{Message: "The URL of the request is not valid: " + err.Error() + ".", Err: err}
		}
		r.Header.Del("Host")
	}
	if o.Method != nil {
		if err := o.Method.apply(x, r); err != nil {
			return nil, err
		}
	}
	for _, h := range o.Headers {
		if err := h.apply(x, &r.Header); err != nil {
			return nil, err
		}
	}
	if o.Body != nil {
		body, err := o.Body.content(x, false)
		if err != nil {
			return nil, err
		}
		r.Body, r.ContentLength = message.BytesBody(body), int64(len(body))
	}
	if o.Basic != nil {
		if err := o.Basic.apply(x, &r.Header); err != nil {
			return nil, err
		}
	}
	if o.Identity != nil {
		if err := o.Identity.apply(x, &r.Header); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// copyRequest starts a request as a copy of the current one, its body included.
func copyRequest(x *policy.Exec, r *message.Request) error {
	body, err := x.BufferRequestBody()
	if err != nil {
		return err
	}
	*r = *x.Request.Clone()
	r.URL = x.BackendURL()
	r.Header.Del("Host")
	r.Body, r.ContentLength = nil, 0
	if body != nil {
		r.Body, r.ContentLength = message.BytesBody(body), int64(len(body))
	}
	return nil
}
