package policies

import (
	"slices"

	"github.com/causeway-apim/causeway/internal/policy"
)

// RateLimitByKey is the rate-limit-by-key policy.
var RateLimitByKey = policy.Define[rateLimitByKey](policy.Spec{
	Name:     "rate-limit-by-key",
	Sections: policy.Inbound,
	Flow:     policy.FlowStays,
	Doc:      "Limits the calls that have the same key within a sliding period. A key has one counter for the whole service.",
})

type rateLimitByKey struct {
	Calls     policy.Value[int64]  `attr:"calls,required" min:"1" doc:"Most calls within the period."`
	Period    policy.Value[int64]  `attr:"renewal-period,required" min:"1" max:"300" doc:"Seconds of the period."`
	Key       policy.Value[string] `attr:"counter-key,required" doc:"Key of the counter."`
	Condition policy.Value[bool]   `attr:"increment-condition" doc:"Whether the request counts; may look at the response."`
	Count     policy.Value[int64]  `attr:"increment-count" default:"1" min:"0" doc:"How much the request counts."`
	Report    limitNames
}

func (p *rateLimitByKey) Run(x *policy.Exec) error {
	calls, err := p.Calls.Get(x)
	if err != nil {
		return err
	}
	period, err := p.Period.Get(x)
	if err != nil {
		return err
	}
	key, err := p.Key.Get(x)
	if err != nil {
		return err
	}
	count, err := p.Count.Get(x)
	if err != nil {
		return err
	}
	limits := x.Limits(window(x.Concat("rate-limit-by-key|", key), calls, period))
	if !p.Condition.IsSet() {
		d, err := x.Host.Counters().Take(x.Context(), limits, count)
		if err != nil {
			return err
		}
		return p.Report.report(x, limits, d)
	}
	d, err := x.Host.Counters().Check(x.Context(), limits, count)
	if err != nil {
		return err
	}
	if d.Allowed {
		later := slices.Clone(limits)
		x.AtEnd(func(x *policy.Exec) { p.increment(x, later, count) })
	}
	return p.Report.report(x, limits, d)
}

// increment counts the request when its end is known. A condition that fails
// then counts nothing: there is nobody left to tell but the log.
func (p *rateLimitByKey) increment(x *policy.Exec, limits []policy.Limit, count int64) {
	yes, err := p.Condition.Get(x)
	if err == nil && yes {
		err = x.Host.Counters().Commit(x.Context(), limits, count)
	}
	if err != nil {
		x.Host.Log(x.Context(), policy.LogError, "rate-limit-by-key could not count a request.", "error", err)
	}
}
