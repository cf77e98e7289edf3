package policies

import (
	"net/netip"
	"strings"

	"github.com/causeway-apim/causeway/internal/policy"
)

// IPFilter is the ip-filter policy.
var IPFilter = policy.Define[ipFilter](policy.Spec{
	Name:     "ip-filter",
	Sections: policy.Inbound,
	Flow:     policy.FlowStays,
	Doc:      "Allows or forbids callers by their IP address.",
})

type ipFilter struct {
	Action    policy.Value[string] `attr:"action,required" enum:"allow,forbid" doc:"Whether the listed addresses are allowed or forbidden."`
	Addresses []filterAddress      `elem:"address" doc:"One address."`
	Ranges    []filterRange        `elem:"address-range" doc:"A range of addresses."`
}

type filterAddress struct {
	Address policy.Value[string] `text:"required" doc:"IPv4 or IPv6 address."`
	parsed  netip.Addr
}

type filterRange struct {
	From     policy.Value[string] `attr:"from,required" doc:"First address."`
	To       policy.Value[string] `attr:"to,required" doc:"Last address."`
	from, to netip.Addr
}

func (p *ipFilter) Compile(c *policy.Compiler) error {
	if len(p.Addresses) == 0 && len(p.Ranges) == 0 {
		c.Errorf("MissingElement", "ip-filter needs an address or address-range element")
	}
	return nil
}

func (a *filterAddress) Compile(c *policy.Compiler) error {
	a.parsed = constantAddress(c, a.Address)
	return nil
}

func (r *filterRange) Compile(c *policy.Compiler) error {
	r.from, r.to = constantAddress(c, r.From), constantAddress(c, r.To)
	if r.from.IsValid() && r.to.IsValid() && r.to.Less(r.from) {
		c.Errorf("InvalidRange", "the last address of the range is before the first")
	}
	return nil
}

// constantAddress parses an address that is not an expression.
func constantAddress(c *policy.Compiler, v policy.Value[string]) netip.Addr {
	text, ok := v.Constant()
	if !ok {
		return netip.Addr{}
	}
	a, err := parseAddress(text)
	if err != nil {
		c.Errorf("InvalidAddress", "%q is not an IP address", text)
	}
	return a
}

func parseAddress(text string) (netip.Addr, error) {
	a, err := netip.ParseAddr(strings.TrimSpace(text))
	return a.Unmap(), err
}

func (p *ipFilter) Run(x *policy.Exec) error {
	action, err := p.Action.Get(x)
	if err != nil {
		return err
	}
	caller, err := parseAddress(x.ClientIP)
	if err != nil {
		return forbidden("FailedToParseCallerIP", "Failed to establish IP address for the caller. Access denied.")
	}
	listed, err := p.lists(x, caller)
	switch {
	case err != nil:
		return err
	case action == "allow" && !listed:
		return forbidden("CallerIpNotAllowed", "Caller IP address "+x.ClientIP+" is not allowed. Access denied.")
	case action == "forbid" && listed:
		return forbidden("CallerIpBlocked", "Caller IP address is blocked. Access denied.")
	}
	return nil
}

func forbidden(reason, message string) error {
	return &policy.Error{Reason: reason, Message: message, Status: 403, Public: "Forbidden"}
}

// lists tells whether an address is among those of the policy.
func (p *ipFilter) lists(x *policy.Exec, caller netip.Addr) (bool, error) {
	for i := range p.Addresses {
		a := &p.Addresses[i]
		addr, err := addressOf(x, a.parsed, a.Address)
		if err != nil {
			return false, err
		}
		if addr == caller {
			return true, nil
		}
	}
	for i := range p.Ranges {
		r := &p.Ranges[i]
		from, err := addressOf(x, r.from, r.From)
		if err != nil {
			return false, err
		}
		to, err := addressOf(x, r.to, r.To)
		if err != nil {
			return false, err
		}
		if from.BitLen() == caller.BitLen() && !caller.Less(from) && !to.Less(caller) {
			return true, nil
		}
	}
	return false, nil
}

// addressOf is the address of a constant, or of an expression for this request.
func addressOf(x *policy.Exec, constant netip.Addr, v policy.Value[string]) (netip.Addr, error) {
	if constant.IsValid() {
		return constant, nil
	}
	text, err := v.Get(x)
	if err != nil {
		return netip.Addr{}, err
	}
	a, err := parseAddress(text)
	if err != nil {
		return netip.Addr{}, &policy.Error{Message: text + " is not an IP address.", Err: err}
	}
	return a, nil
}
