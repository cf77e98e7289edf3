package policies

import (
	"bytes"

	"github.com/causeway-apim/causeway/internal/message"
	"github.com/causeway-apim/causeway/internal/policy"
)

// SendOneWayRequest is the send-one-way-request policy.
var SendOneWayRequest = policy.Define[sendOneWay](policy.Spec{
	Name:  "send-one-way-request",
	Flow:  policy.FlowSent,
	Calls: "the URL of the request, without waiting",
	Doc:   "Sends a request of its own and does not wait for the answer; failures of the exchange are logged.",
})

type sendOneWay struct {
	Mode    policy.Value[string] `attr:"mode" default:"new" enum:"new,copy" doc:"Whether the request starts empty or as a copy of the current one."`
	Timeout policy.Value[int64]  `attr:"timeout" default:"60" min:"1" doc:"Seconds for the whole exchange."`
	Request outgoing
}

// Compile refuses a new request without a URL.
func (p *sendOneWay) Compile(c *policy.Compiler) error {
	p.Request.check(c, "send-one-way-request", p.Mode)
	return nil
}

func (p *sendOneWay) Run(x *policy.Exec) error {
	mode, err := p.Mode.Get(x)
	if err != nil {
		return err
	}
	seconds, err := p.Timeout.Get(x)
	if err != nil {
		return err
	}
	r, err := p.Request.make(x, mode == "copy")
	if err != nil {
		return err
	}
	o, err := p.Request.options(x, seconds)
	if err != nil {
		return err
	}
	x.Host.SendLater(detach(r), o)
	return nil
}

// detach makes a request of a policy, whose body is in memory, one that outlives the current exchange.
func detach(r *message.Request) *message.Request {
	own := r.Detach()
	if body, ok := r.Body.(message.Memory); ok {
		data := bytes.Clone(body.Rest())
		own.Body, own.ContentLength = message.BytesBody(data), int64(len(data))
	}
	return own
}
