package policies

import "github.com/causeway-apim/causeway/internal/policy"

// LimitConcurrency is the limit-concurrency policy.
var LimitConcurrency = policy.Define[limitConcurrency](policy.Spec{
	Name: "limit-concurrency",
	Flow: policy.FlowStays,
	Doc:  "Lets only so many requests with the same key into its policies at a time; the others are refused at once.",
})

type limitConcurrency struct {
	Key   policy.Value[string] `attr:"key,required" doc:"Key of the counter, shared by all policies that use it."`
	Max   int64                `attr:"max-count,required" min:"1" doc:"Most requests inside at a time."`
	Steps policy.Block
}

func (p *limitConcurrency) Run(x *policy.Exec) error {
	key, err := p.Key.Get(x)
	if err != nil {
		return err
	}
	key = "limit-concurrency|" + key
	entered, err := x.Host.Counters().Acquire(x.Context(), key, p.Max)
	if err != nil {
		return err
	}
	if !entered {
		return &policy.Error{Reason: "ConcurrencyLimitExceeded", Message: "Concurrency limit is exceeded. Try again later.", Status: 429}
	}
	defer x.Host.Counters().Release(key)
	return x.Run(p.Steps)
}
