package policies

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/causeway-apim/causeway/internal/policy"
)

// QuotaByKey is the quota-by-key policy.
var QuotaByKey = policy.Define[quotaByKey](policy.Spec{
	Name:     "quota-by-key",
	Sections: policy.Inbound,
	Flow:     policy.FlowStays,
	Doc:      "Limits the calls and the bandwidth of requests with the same key within fixed periods. A key has one counter for the whole service.",
})

type quotaByKey struct {
	Volume      volume
	Period      int64                `attr:"renewal-period,required" min:"0" doc:"Seconds of the period, at least 300; 0 means that the quota is never renewed."`
	Key         policy.Value[string] `attr:"counter-key,required" doc:"Key of the counter."`
	Condition   policy.Value[bool]   `attr:"increment-condition" doc:"Whether the request counts; may look at the response."`
	Count       policy.Value[int64]  `attr:"increment-count" default:"1" min:"0" doc:"How many calls the request counts for."`
	FirstPeriod string               `attr:"first-period-start" default:"0001-01-01T00:00:00Z" doc:"When a period begins, as yyyy-MM-ddTHH:mm:ssZ."`

	start time.Time
}

const minQuotaPeriod = 300

// Compile checks what tags cannot say.
func (p *quotaByKey) Compile(*policy.Compiler) error {
	if p.Period != 0 && p.Period < minQuotaPeriod {
		return fmt.Errorf(`attribute "renewal-period" must be 0 or at least %d, not %d`, minQuotaPeriod, p.Period)
	}
	var err error
	if p.start, err = time.Parse(time.RFC3339, p.FirstPeriod); err != nil {
		return errors.New(`attribute "first-period-start" must be a time such as 2026-01-02T03:04:05Z`)
	}
	return p.Volume.check()
}

func (p *quotaByKey) Run(x *policy.Exec) error {
	key, err := p.Key.Get(x)
	if err != nil {
		return err
	}
	count, err := p.Count.Get(x)
	if err != nil {
		return err
	}
	var l quotaLimits
	l.add(x, x.Concat("quota-by-key|", key, "|", strconv.FormatInt(p.start.Unix(), 10)), p.Volume, p.Period, p.start)
	if err := l.checkBandwidth(x); err != nil {
		return err
	}
	if p.Condition.IsSet() {
		return p.countLater(x, l, count)
	}
	free, claimed := l.claim(x)
	if err := free.takeCalls(x, count); err != nil {
		return err
	}
	if err := claimed.checkCalls(x, 0); err != nil {
		return err
	}
	free.countBandwidth(x)
	return nil
}

// countLater checks now and counts when the condition can be evaluated: at the end of the pipeline.
func (p *quotaByKey) countLater(x *policy.Exec, l quotaLimits, count int64) error {
	if err := l.checkCalls(x, count); err != nil {
		return err
	}
	x.AtEnd(func(x *policy.Exec) {
		// A condition that fails counts nothing: there is nobody left to tell but the log.
		yes, err := p.Condition.Get(x)
		if err == nil && yes {
			free, _ := l.claim(x)
			if len(free.calls) > 0 {
				err = x.Host.Counters().Commit(x.Context(), free.calls, count)
			}
			free.countBandwidth(x)
		}
		if err != nil {
			x.Host.Log(x.Context(), policy.LogError, "quota-by-key could not count a request.", "error", err)
		}
	})
	return nil
}

// quotaClaim marks a counter that the request counts in.
type quotaClaim string

// claim splits the counters into those that no other policy of the request counts in, and the others: a key counts a request once.
func (l *quotaLimits) claim(x *policy.Exec) (free, claimed quotaLimits) {
	split := func(limits []policy.Limit) (free, claimed []policy.Limit) {
		for _, limit := range limits {
			k := quotaClaim(limit.Key)
			if x.State(k) != nil {
				claimed = append(claimed, limit)
				continue
			}
			x.SetState(k, true)
			free = append(free, limit)
		}
		return free, claimed
	}
	free.calls, claimed.calls = split(l.calls)
	free.bandwidth, claimed.bandwidth = split(l.bandwidth)
	return free, claimed
}
