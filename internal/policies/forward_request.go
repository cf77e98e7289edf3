package policies

import (
	"time"

	"github.com/causeway-apim/causeway/internal/message"
	"github.com/causeway-apim/causeway/internal/policy"
)

// ForwardRequest is the forward-request policy.
var ForwardRequest = policy.Define[forwardRequest](policy.Spec{
	Name:     "forward-request",
	Sections: policy.Backend,
	Flow:     policy.FlowStays,
	Calls:    "the backend service",
	Doc:      "Sends the request to the backend service and waits for the head of its answer.",
})

type forwardRequest struct {
	Timeout         policy.Value[int64]  `attr:"timeout" min:"0" doc:"Seconds until the head of the answer has to be there; default 300."`
	TimeoutMS       policy.Value[int64]  `attr:"timeout-ms" min:"0" doc:"The same in milliseconds; instead of timeout."`
	ContinueTimeout policy.Value[int64]  `attr:"continue-timeout" min:"0" doc:"Seconds to wait for 100 Continue before the body is sent, where the request has Expect: 100-continue."`
	HTTPVersion     policy.Value[string] `attr:"http-version" default:"1" enum:"1,2or1,2" doc:"Version of HTTP towards the backend service."`
	FollowRedirects policy.Value[bool]   `attr:"follow-redirects" default:"false" doc:"Whether redirects are followed or handed to the caller."`
	BufferRequest   policy.Value[bool]   `attr:"buffer-request-body" default:"false" doc:"Whether the body is kept, so that a retry can send it again."`
	BufferResponse  policy.Value[bool]   `attr:"buffer-response,const" default:"true" doc:"Whether parts of the answer are gathered before they are passed on."`
	FailOnError     policy.Value[bool]   `attr:"fail-on-error-status-code,const" default:"false" doc:"Whether answers from 400 to 599 lead to on-error."`
}

func (p *forwardRequest) Compile(c *policy.Compiler) error {
	if p.Timeout.IsSet() && p.TimeoutMS.IsSet() {
		c.Errorf("ConflictingAttributes", "forward-request takes either timeout or timeout-ms")
	}
	if keep, ok := p.BufferRequest.Constant(); keep || !ok {
		c.UsesBody(policy.UsesRequestBody)
	}
	return nil
}

func (p *forwardRequest) Run(x *policy.Exec) error {
	o, err := p.options(x)
	if err != nil {
		return err
	}
	if err := p.prepareBody(x); err != nil {
		return err
	}
	dropResponse(x)
	resp, err := x.Host.Forward(x.Context(), x, o)
	if err != nil {
		return err
	}
	x.SetResponse(resp)
	if fail, _ := p.FailOnError.Constant(); fail && resp.Status >= 400 {
		return &policy.Error{
			Reason: "BackendErrorStatusCode", Status: resp.Status,
			Message: "The backend service answered with an error status code.",
		}
	}
	return nil
}

func (p *forwardRequest) options(x *policy.Exec) (o policy.ForwardOptions, err error) {
	seconds, err := p.Timeout.Get(x)
	if err != nil {
		return o, err
	}
	millis, err := p.TimeoutMS.Get(x)
	if err != nil {
		return o, err
	}
	o.Timeout = time.Duration(seconds)*time.Second + time.Duration(millis)*time.Millisecond
	wait, err := p.ContinueTimeout.Get(x)
	if err != nil {
		return o, err
	}
	o.ContinueTimeout = time.Duration(wait) * time.Second
	if o.HTTPVersion, err = p.HTTPVersion.Get(x); err != nil {
		return o, err
	}
	if o.FollowRedirects, err = p.FollowRedirects.Get(x); err != nil {
		return o, err
	}
	o.BufferResponse, _ = p.BufferResponse.Constant()
	return o, nil
}

// prepareBody makes sure that a kept body is sent from its start.
func (p *forwardRequest) prepareBody(x *policy.Exec) error {
	if x.Request.Body == nil {
		return nil
	}
	keep, err := p.BufferRequest.Get(x)
	if err != nil {
		return err
	}
	if keep {
		if _, err := x.BufferRequestBody(); err != nil {
			return err
		}
	}
	if body, ok := x.Request.Body.(message.Memory); ok {
		return body.Rewind()
	}
	return nil
}

// dropResponse forgets the answer of an attempt before, so that conditions see
// none when this one fails.
func dropResponse(x *policy.Exec) {
	if old := x.Response; old != nil {
		if old.Body != nil {
			old.Body.Close()
		}
		x.Response = nil
	}
}
