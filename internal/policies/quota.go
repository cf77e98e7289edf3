package policies

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/causeway-apim/causeway/internal/message"
	"github.com/causeway-apim/causeway/internal/policy"
)

// Quota is the quota policy.
var Quota = policy.Define[quota](policy.Spec{
	Name:           "quota",
	Sections:       policy.Inbound,
	Scopes:         policy.ScopeProduct,
	OncePerSection: true,
	Flow:           policy.FlowStays,
	Doc:            "Limits the calls and the bandwidth of a subscription within periods that begin with the subscription. Requests without one are not limited.",
})

type quota struct {
	Volume volume
	Period int64      `attr:"renewal-period,required" min:"0" doc:"Seconds of the period; 0 means that the quota is never renewed."`
	APIs   []quotaAPI `elem:"api" doc:"A quota of its own for one API of the product."`
}

type quotaAPI struct {
	Name       string `attr:"name" doc:"Name of the API."`
	ID         string `attr:"id" doc:"ID of the API; wins over name."`
	Volume     volume
	Period     int64            `attr:"renewal-period" default:"-1" min:"-1" doc:"Seconds of the period; 0 means never renewed. By default that of the whole quota, which -1 stands for."`
	Operations []quotaOperation `elem:"operation" doc:"A quota of its own for one operation."`
}

type quotaOperation struct {
	Name   string `attr:"name" doc:"Name of the operation."`
	ID     string `attr:"id" doc:"ID of the operation; wins over name."`
	Volume volume
	Period int64 `attr:"renewal-period" default:"-1" min:"-1" doc:"Seconds of the period; 0 means never renewed. By default that of the API's quota, which -1 stands for."`
}

// volume is how much a quota allows; 0 means that it does not limit that.
type volume struct {
	Calls     int64 `attr:"calls" min:"1" doc:"Most calls within the period."`
	Bandwidth int64 `attr:"bandwidth" min:"1" doc:"Most kilobytes within the period."`
}

// Compile wants something to be limited, and hands the period down.
func (p *quota) Compile(*policy.Compiler) error {
	for i := range p.APIs {
		a := &p.APIs[i]
		if a.Period < 0 {
			a.Period = p.Period
		}
		for j := range a.Operations {
			if o := &a.Operations[j]; o.Period < 0 {
				o.Period = a.Period
			}
		}
	}
	return p.Volume.check()
}

// Compile wants something to be limited.
func (p *quotaAPI) Compile(*policy.Compiler) error { return p.Volume.check() }

// Compile wants something to be limited.
func (p *quotaOperation) Compile(*policy.Compiler) error { return p.Volume.check() }

func (v *volume) check() error {
	if v.Calls == 0 && v.Bandwidth == 0 {
		return errors.New("a quota needs calls or bandwidth")
	}
	return nil
}

func (p *quota) Run(x *policy.Exec) error {
	if x.Subscription == nil {
		return nil
	}
	start := x.Subscription.Created
	if x.Subscription.Start != nil {
		start = *x.Subscription.Start
	}
	var l quotaLimits
	key := x.Concat("quota|", x.Subscription.Name, "|", scopeName(x))
	l.add(x, key, p.Volume, p.Period, start)
	for i := range p.APIs {
		a := &p.APIs[i]
		if x.API == nil || !matches(a.ID, a.Name, x.API.Name, x.API.Display) {
			continue
		}
		key := x.Concat(key, "|", x.API.Name)
		l.add(x, key, a.Volume, a.Period, start)
		for j := range a.Operations {
			o := &a.Operations[j]
			if x.Operation != nil && matches(o.ID, o.Name, x.Operation.Name, x.Operation.Display) {
				l.add(x, x.Concat(key, "|", x.Operation.Name), o.Volume, o.Period, start)
			}
		}
	}
	if err := l.checkBandwidth(x); err != nil {
		return err
	}
	if err := l.takeCalls(x, 1); err != nil {
		return err
	}
	l.countBandwidth(x)
	return nil
}

// quotaLimits are the counters that a request falls under.
type quotaLimits struct{ calls, bandwidth []policy.Limit }

// add adds the counters of a volume. Periods begin at start and at multiples of the period after it.
func (l *quotaLimits) add(x *policy.Exec, key string, v volume, seconds int64, start time.Time) {
	limit := policy.Limit{Period: time.Duration(seconds) * time.Second, Window: policy.FixedWindow}
	if seconds > 0 {
		// The first start after 1970 counts the same periods, and is near enough to be subtracted from today.
		limit.Start = time.Unix((start.Unix()%seconds+seconds)%seconds, 0)
	}
	period := strconv.FormatInt(seconds, 10) // stands in the key: a counter knows one period
	if v.Calls > 0 {
		limit.Key, limit.Max = x.Concat(key, "|", period, "|calls"), v.Calls
		l.calls = append(l.calls, limit)
	}
	if v.Bandwidth > 0 {
		limit.Key, limit.Max = x.Concat(key, "|", period, "|bandwidth"), v.Bandwidth*kilobyte
		l.bandwidth = append(l.bandwidth, limit)
	}
}

const kilobyte = 1024

// takeCalls counts calls where all quotas have room.
func (l *quotaLimits) takeCalls(x *policy.Exec, count int64) error {
	if len(l.calls) == 0 {
		return nil
	}
	d, err := x.Host.Counters().Take(x.Context(), l.calls, count)
	return quotaError(d, err, "call volume")
}

// checkCalls says whether takeCalls would succeed.
func (l *quotaLimits) checkCalls(x *policy.Exec, count int64) error {
	if len(l.calls) == 0 {
		return nil
	}
	d, err := x.Host.Counters().Check(x.Context(), l.calls, count)
	return quotaError(d, err, "call volume")
}

// checkBandwidth refuses the request when nothing is left. How much it will use is known only when it is over, so the last one may use more.
func (l *quotaLimits) checkBandwidth(x *policy.Exec) error {
	if len(l.bandwidth) == 0 {
		return nil
	}
	d, err := x.Host.Counters().Check(x.Context(), l.bandwidth, 1)
	return quotaError(d, err, "bandwidth")
}

// countBandwidth counts the bytes of the exchange when they are known.
func (l *quotaLimits) countBandwidth(x *policy.Exec) {
	if len(l.bandwidth) == 0 {
		return
	}
	host, limits := x.Host, l.bandwidth
	counters := host.Counters()
	x.AtFinish(func(bytesIn, bytesOut int64) {
		ctx := context.Background() // the request's has ended, and nobody waits
		if err := counters.Commit(ctx, limits, bytesIn+bytesOut); err != nil {
			host.Log(ctx, policy.LogError, "The bandwidth of a request could not be counted.", "error", err)
		}
	})
}

// quotaError is the error of a counter without room.
func quotaError(d policy.Decision, err error, what string) error {
	if err != nil || d.Allowed {
		return err
	}
	e := &policy.Error{Reason: "QuotaExceeded", Message: "Out of " + what + " quota.", Status: 403}
	if d.RetryAfter < math.MaxInt64 {
		seconds := int64((d.RetryAfter + time.Second - 1) / time.Second)
		e.Message += " Quota will be replenished in " + formatSpan(seconds) + "."
		e.Header = message.NewHeader("Retry-After", strconv.FormatInt(seconds, 10))
	}
	return e
}

// formatSpan writes seconds as .NET's TimeSpan: [d.]hh:mm:ss.
func formatSpan(seconds int64) string {
	const day = 24 * 60 * 60
	text := fmt.Sprintf("%02d:%02d:%02d", seconds%day/3600, seconds%3600/60, seconds%60)
	if seconds >= day {
		text = fmt.Sprintf("%d.%s", seconds/day, text)
	}
	return text
}
