package policies

import (
	"strconv"
	"strings"

	"github.com/causeway-apim/causeway/internal/message"
	"github.com/causeway-apim/causeway/internal/policy"
)

// CORS is the cors policy.
var CORS = policy.Define[cors](policy.Spec{
	Name:           "cors",
	NoHandshake:    true,
	Sections:       policy.Inbound,
	OncePerSection: true,
	Flow:           policy.FlowMessage,
	Doc:            "Lets pages of other origins call the API from browsers: answers preflight requests and marks the answers of others.",
})

type cors struct {
	Credentials policy.Value[bool] `attr:"allow-credentials" default:"false" doc:"Whether browsers may send cookies and credentials."`
	Terminate   policy.Value[bool] `attr:"terminate-unmatched-request" default:"true" doc:"Whether requests of origins that are not allowed end with an empty 200."`
	Origins     corsOrigins        `elem:"allowed-origins,required" doc:"Origins that may call."`
	Methods     *corsMethods       `elem:"allowed-methods" doc:"Methods that they may use; GET and POST without this element."`
	Headers     *corsHeaders       `elem:"allowed-headers" doc:"Request headers that they may send."`
	Expose      *corsHeaders       `elem:"expose-headers" doc:"Response headers that they may read."`
}

type corsOrigins struct {
	Origins []policy.Value[string] `elem:"origin,required" doc:"Origin such as https://example.com, or *."`
}

type corsMethods struct {
	MaxAge  policy.Value[int]      `attr:"preflight-result-max-age" default:"0" min:"0" doc:"Seconds for which browsers may keep the answer."`
	Methods []policy.Value[string] `elem:"method,required" doc:"Method, or *."`
}

type corsHeaders struct {
	Headers []policy.Value[string] `elem:"header,required" doc:"Header name, or *."`
}

// Preflight answers an OPTIONS request that asks for leave (Fetch standard,
// CORS-preflight).
func (p *cors) Preflight(x *policy.Exec) (bool, error) {
	origin, matched, err := p.matchOrigin(x)
	if err != nil {
		return false, err
	}
	answer := &message.Response{Status: 200}
	if !matched {
		// The browser gets no leave, unless the cors policy of an outer scope
		// knows the origin: nothing behind the gateway is asked.
		x.SetResponse(answer)
		return p.Terminate.Get(x)
	}
	h := &answer.Header
	if err := p.mark(x, h, origin); err != nil {
		return false, err
	}
	methods, maxAge, err := p.methods(x)
	if err != nil {
		return false, err
	}
	wanted := x.Request.Header.Get("Access-Control-Request-Method")
	switch {
	case containsFold(methods, "*"):
		h.Add("Access-Control-Allow-Methods", wanted)
	case containsFold(methods, wanted):
		h.Add("Access-Control-Allow-Methods", strings.Join(methods, ","))
	}
	if err := p.allowHeaders(x, h); err != nil {
		return false, err
	}
	if maxAge > 0 {
		h.Add("Access-Control-Max-Age", strconv.Itoa(maxAge))
	}
	x.SetResponse(answer)
	return true, nil
}

// Run marks the answer of a request with an allowed origin.
func (p *cors) Run(x *policy.Exec) error {
	if !x.Request.Header.Has("Origin") {
		return nil
	}
	origin, matched, err := p.matchOrigin(x)
	if err != nil {
		return err
	}
	if !matched {
		terminate, err := p.Terminate.Get(x)
		if err != nil || !terminate {
			return err
		}
		x.SetResponse(&message.Response{Status: 200})
		return policy.ErrStop
	}
	h := x.PendingHeader()
	if err := p.mark(x, h, origin); err != nil {
		return err
	}
	if p.Expose == nil {
		return nil
	}
	names, err := values(x, p.Expose.Headers)
	if err == nil && len(names) > 0 {
		h.Set("Access-Control-Expose-Headers", strings.Join(names, ","))
	}
	return err
}

// mark writes the fields that every answer to an allowed origin has. With
// credentials the origin itself has to stand there: browsers refuse *.
func (p *cors) mark(x *policy.Exec, h *message.Header, origin string) error {
	credentials, err := p.Credentials.Get(x)
	if err != nil {
		return err
	}
	if origin == "*" && credentials {
		origin = x.Request.Header.Get("Origin")
	}
	h.Set("Access-Control-Allow-Origin", origin)
	if origin != "*" {
		h.Set("Vary", "Origin")
	}
	if credentials {
		h.Set("Access-Control-Allow-Credentials", "true")
	}
	return nil
}

// matchOrigin returns the value for Access-Control-Allow-Origin.
func (p *cors) matchOrigin(x *policy.Exec) (string, bool, error) {
	origin := x.Request.Header.Get("Origin")
	allowed, err := values(x, p.Origins.Origins)
	if err != nil {
		return "", false, err
	}
	for _, a := range allowed {
		if a == "*" {
			return "*", true, nil
		}
		if sameOrigin(a, origin) {
			return origin, true, nil
		}
	}
	return "", false, nil
}

// sameOrigin compares origins: without the default port and a slash at the end,
// which documents often have.
func sameOrigin(a, b string) bool { return strings.EqualFold(normalOrigin(a), normalOrigin(b)) }

func normalOrigin(o string) string {
	o = strings.TrimSuffix(strings.TrimSpace(o), "/")
	if rest, ok := strings.CutSuffix(o, ":443"); ok && len(o) > 8 && strings.EqualFold(o[:8], "https://") {
		return rest
	}
	if rest, ok := strings.CutSuffix(o, ":80"); ok && len(o) > 7 && strings.EqualFold(o[:7], "http://") {
		return rest
	}
	return o
}

func (p *cors) methods(x *policy.Exec) (methods []string, maxAge int, err error) {
	if p.Methods == nil {
		return []string{"GET", "POST"}, 0, nil
	}
	if maxAge, err = p.Methods.MaxAge.Get(x); err != nil {
		return nil, 0, err
	}
	methods, err = values(x, p.Methods.Methods)
	return methods, maxAge, err
}

// allowHeaders answers the request headers that a page wants to send.
func (p *cors) allowHeaders(x *policy.Exec, h *message.Header) error {
	wanted := x.Request.Header.Joined("Access-Control-Request-Headers")
	if p.Headers == nil || wanted == "" {
		return nil
	}
	allowed, err := values(x, p.Headers.Headers)
	if err != nil {
		return err
	}
	if containsFold(allowed, "*") {
		h.Add("Access-Control-Allow-Headers", wanted)
		return nil
	}
	h.Add("Access-Control-Allow-Headers", strings.Join(allowed, ","))
	return nil
}

// values evaluates a list.
func values(x *policy.Exec, list []policy.Value[string]) ([]string, error) {
	out := make([]string, 0, len(list))
	for _, v := range list {
		s, err := v.Get(x)
		if err != nil {
			return nil, err
		}
		out = append(out, strings.TrimSpace(s))
	}
	return out, nil
}

func containsFold(list []string, s string) bool {
	for _, l := range list {
		if strings.EqualFold(l, s) {
			return true
		}
	}
	return false
}
