package policies

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/causeway-apim/causeway/internal/message"
	"github.com/causeway-apim/causeway/internal/policy"
)

// RateLimit is the rate-limit policy.
var RateLimit = policy.Define[rateLimit](policy.Spec{
	Name:     "rate-limit",
	Sections: policy.Inbound,
	Scopes:   policy.ScopeProduct | policy.ScopeAPI | policy.ScopeOperation,
	Flow:     policy.FlowStays,
	Doc:      "Limits the calls of a subscription within a sliding period. Requests without a subscription are not limited.",
})

type rateLimit struct {
	Calls  int64 `attr:"calls,required" min:"1" doc:"Most calls within the period."`
	Period int64 `attr:"renewal-period,required" min:"1" max:"300" doc:"Seconds of the period."`
	Report limitNames
	APIs   []limitAPI `elem:"api" doc:"A limit of its own for one API of the product."`
}

type limitAPI struct {
	Name       string           `attr:"name" doc:"Name of the API."`
	ID         string           `attr:"id" doc:"ID of the API; wins over name."`
	Calls      int64            `attr:"calls,required" min:"1" doc:"Most calls within the period."`
	Period     int64            `attr:"renewal-period,required" min:"1" max:"300" doc:"Seconds of the period."`
	Operations []limitOperation `elem:"operation" doc:"A limit of its own for one operation."`
}

type limitOperation struct {
	Name   string `attr:"name" doc:"Name of the operation."`
	ID     string `attr:"id" doc:"ID of the operation; wins over name."`
	Calls  int64  `attr:"calls,required" min:"1" doc:"Most calls within the period."`
	Period int64  `attr:"renewal-period,required" min:"1" max:"300" doc:"Seconds of the period."`
}

// limitNames are the attributes that name headers and variables.
type limitNames struct {
	RetryHeader       string `attr:"retry-after-header-name" default:"Retry-After" doc:"Response header with the seconds to wait."`
	RetryVariable     string `attr:"retry-after-variable-name" doc:"Variable with the seconds to wait."`
	RemainingHeader   string `attr:"remaining-calls-header-name" doc:"Response header with the calls that are left."`
	RemainingVariable string `attr:"remaining-calls-variable-name" doc:"Variable with the calls that are left."`
	TotalHeader       string `attr:"total-calls-header-name" doc:"Response header with the limit."`
}

func (p *rateLimit) Run(x *policy.Exec) error {
	if x.Subscription == nil {
		return nil
	}
	limits := p.limits(x)
	d, err := x.Host.Counters().Take(x.Context(), limits, 1)
	if err != nil {
		return err
	}
	return p.Report.report(x, limits, d)
}

// limits are the limits that a request falls under; each counts by itself.
func (p *rateLimit) limits(x *policy.Exec) []policy.Limit {
	prefix := x.Concat("rate-limit|", x.Subscription.Name, "|", scopeName(x))
	limits := x.Limits(window(prefix, p.Calls, p.Period))
	for i := range p.APIs {
		a := &p.APIs[i]
		if x.API == nil || !matches(a.ID, a.Name, x.API.Name, x.API.Display) {
			continue
		}
		key := x.Concat(prefix, "|", x.API.Name)
		limits = append(limits, window(key, a.Calls, a.Period))
		for _, o := range a.Operations {
			if x.Operation != nil && matches(o.ID, o.Name, x.Operation.Name, x.Operation.Display) {
				limits = append(limits, window(x.Concat(key, "|", x.Operation.Name), o.Calls, o.Period))
			}
		}
	}
	return limits
}

// matches compares an element's id, or its name, with a resource.
func matches(id, name, resourceID, display string) bool {
	if id != "" {
		return strings.EqualFold(id, resourceID)
	}
	return name != "" && (strings.EqualFold(name, display) || strings.EqualFold(name, resourceID))
}

// scopeName names what the document of the running policy applies to.
func scopeName(x *policy.Exec) string {
	name := x.Scope.String()
	switch {
	case x.Scope == policy.ScopeProduct && x.Product != nil:
		return x.Concat(name, "/", x.Product.Name)
	case x.Scope == policy.ScopeAPI && x.API != nil:
		return x.Concat(name, "/", x.API.Name)
	case x.Scope == policy.ScopeOperation && x.API != nil && x.Operation != nil:
		return x.Concat(name, "/", x.API.Name, "/", x.Operation.Name)
	}
	return name
}

func window(key string, calls, seconds int64) policy.Limit {
	return policy.Limit{Key: key, Max: calls, Period: time.Duration(seconds) * time.Second, Window: policy.SlidingWindow}
}

// report writes headers and variables and refuses the request when a limit is
// reached.
func (n *limitNames) report(x *policy.Exec, limits []policy.Limit, d policy.Decision) error {
	h := x.PendingHeader()
	if n.TotalHeader != "" {
		h.Set(n.TotalHeader, strconv.FormatInt(limits[d.Exceeded].Max, 10))
	}
	if n.RemainingHeader != "" {
		h.Set(n.RemainingHeader, strconv.FormatInt(d.Remaining, 10))
	}
	if n.RemainingVariable != "" {
		x.SetVariable(n.RemainingVariable, int32(min(d.Remaining, 1<<31-1)))
	}
	if d.Allowed {
		return nil
	}
	seconds := int64((d.RetryAfter + time.Second - 1) / time.Second)
	if n.RetryVariable != "" {
		x.SetVariable(n.RetryVariable, int32(seconds))
	}
	return &policy.Error{
		Reason: "RateLimitExceeded", Message: "Rate limit is exceeded", Status: 429,
		Public: fmt.Sprintf("Rate limit is exceeded. Try again in %d seconds.", seconds),
		Header: message.NewHeader(n.RetryHeader, strconv.FormatInt(seconds, 10)),
	}
}
