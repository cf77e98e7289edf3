package policies

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/causeway-apim/causeway/internal/message"
	"github.com/causeway-apim/causeway/internal/policy"
)

// LLMTokenLimit is the llm-token-limit policy.
var LLMTokenLimit = policy.Define[llmTokenLimit](policy.Spec{
	Name:     llmTokenLimitName,
	Sections: policy.Inbound,
	Body:     policy.UsesRequestBody,
	Doc:      "Limits the tokens that calls of language models with the same key cost, per minute or in a fixed period. What a call has cost is read from its answer, or estimated.",
})

type llmTokenLimit struct{ Limit tokenLimit }

// Compile checks what tags cannot say.
func (p *llmTokenLimit) Compile(*policy.Compiler) error { return p.Limit.check() }

func (p *llmTokenLimit) Run(x *policy.Exec) error { return p.Limit.run(x, llmTokenLimitName) }

// The names of the policies that limit tokens.
const (
	llmTokenLimitName         = "llm-token-limit"
	azureOpenAITokenLimitName = "azure-openai-token-limit"
)

// tokenLimit is what the two policies that limit tokens have in common.
type tokenLimit struct {
	Key       policy.Value[string] `attr:"counter-key,required" doc:"Key of the counter."`
	PerMinute policy.Value[int64]  `attr:"tokens-per-minute" min:"1" doc:"Most tokens within a minute."`
	Quota     policy.Value[int64]  `attr:"token-quota" min:"1" doc:"Most tokens within the period."`
	Period    string               `attr:"token-quota-period" enum:"Hourly,Daily,Weekly,Monthly,Yearly" doc:"Period of the quota; it begins with the hour, day, week (on Monday), month or year in UTC."`
	Estimate  policy.Value[bool]   `attr:"estimate-prompt-tokens" default:"false" doc:"Whether the tokens of the prompt are estimated before the call. When the answer streams they always are."`

	RetryHeader            string `attr:"retry-after-header-name" default:"Retry-After" doc:"Response header with the seconds to wait."`
	RetryVariable          string `attr:"retry-after-variable-name" doc:"Variable with the seconds to wait."`
	RemainingHeader        string `attr:"remaining-tokens-header-name" doc:"Response header with the tokens that are left in the minute."`
	RemainingVariable      string `attr:"remaining-tokens-variable-name" doc:"Variable with the tokens that are left in the minute."`
	RemainingQuotaHeader   string `attr:"remaining-quota-tokens-header-name" doc:"Response header with the tokens that are left of the quota."`
	RemainingQuotaVariable string `attr:"remaining-quota-tokens-variable-name" doc:"Variable with the tokens that are left of the quota."`
	ConsumedHeader         string `attr:"tokens-consumed-header-name" doc:"Response header with the tokens that the call has cost; not on an answer that streams."`
	ConsumedVariable       string `attr:"tokens-consumed-variable-name" doc:"Variable with the estimated tokens of the prompt, or 0; after the answer with what the call has cost."`
}

// check wants something to be limited.
func (p *tokenLimit) check() error {
	switch {
	case p.Quota.IsSet() != (p.Period != ""):
		return errors.New("token-quota and token-quota-period belong together")
	case !p.PerMinute.IsSet() && !p.Quota.IsSet():
		return errors.New("tokens-per-minute is needed, or token-quota and token-quota-period")
	}
	return nil
}

// tokenCounter is one limit of a policy and where it reports.
type tokenCounter struct {
	limit            policy.Limit
	header, variable string
	room             int64 // before the call
	refuse           func(seconds int64) *policy.Error
}

func (p *tokenLimit) run(x *policy.Exec, name string) error {
	counters, err := p.counters(x, name)
	if err != nil {
		return err
	}
	estimate, err := p.Estimate.Get(x)
	if err != nil {
		return err
	}
	call, err := callOf(x)
	if err != nil {
		return err
	}
	prompt := int64(0)
	if estimate || call.request.Stream {
		prompt = call.prompt
	}
	for i := range counters {
		if err := p.admit(x, &counters[i], prompt); err != nil {
			return err
		}
	}
	if p.ConsumedVariable != "" {
		x.SetVariable(p.ConsumedVariable, int32(min(prompt, 1<<31-1)))
	}
	p.countLater(x, call, name, counters)
	return nil
}

// counters are the limits of the policy.
func (p *tokenLimit) counters(x *policy.Exec, name string) (list []tokenCounter, err error) {
	key, err := p.Key.Get(x)
	if err != nil {
		return nil, err
	}
	key = name + "|" + key
	if p.PerMinute.IsSet() {
		most, err := p.PerMinute.Get(x)
		if err != nil {
			return nil, err
		}
		list = append(list, tokenCounter{
			limit:  policy.Limit{Key: key + "|minute", Max: most, Period: time.Minute, Window: policy.SlidingWindow},
			header: p.RemainingHeader, variable: p.RemainingVariable, refuse: p.tooFast,
		})
	}
	if p.Quota.IsSet() {
		most, err := p.Quota.Get(x)
		if err != nil {
			return nil, err
		}
		start, end := quotaPeriod(p.Period, x.Now())
		list = append(list, tokenCounter{
			limit: policy.Limit{
				Key: fmt.Sprintf("%s|%s|%d", key, p.Period, start.Unix()), Max: most, Period: end.Sub(start), Window: policy.FixedWindow, Start: start,
			},
			header: p.RemainingQuotaHeader, variable: p.RemainingQuotaVariable, refuse: p.tooMuch,
		})
	}
	return list, nil
}

// quotaPeriod is the period that a moment falls into, in UTC. Weeks begin on Monday, as in ISO 8601.
func quotaPeriod(name string, now time.Time) (start, end time.Time) {
	now = now.UTC()
	year, month, day := now.Date()
	switch name {
	case "Hourly":
		start = time.Date(year, month, day, now.Hour(), 0, 0, 0, time.UTC)
		return start, start.Add(time.Hour)
	case "Daily":
		start = time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
		return start, start.AddDate(0, 0, 1)
	case "Weekly":
		start = time.Date(year, month, day-(int(now.Weekday())+6)%7, 0, 0, 0, 0, time.UTC)
		return start, start.AddDate(0, 0, 7)
	case "Monthly":
		start = time.Date(year, month, 1, 0, 0, 0, 0, time.UTC)
		return start, start.AddDate(0, 1, 0)
	}
	start = time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC)
	return start, start.AddDate(1, 0, 0)
}

// admit refuses the call when a limit has no room for the prompt, or none at all.
func (p *tokenLimit) admit(x *policy.Exec, c *tokenCounter, prompt int64) error {
	cost := max(prompt, 1)
	d, err := x.Host.Counters().Check(x.Context(), []policy.Limit{c.limit}, cost)
	if err != nil {
		return err
	}
	if d.Allowed {
		c.room = d.Remaining + cost
		c.report(x, c.room-prompt)
		return nil
	}
	c.report(x, d.Remaining)
	seconds := int64((d.RetryAfter + time.Second - 1) / time.Second)
	if p.RetryVariable != "" {
		x.SetVariable(p.RetryVariable, int32(min(seconds, 1<<31-1)))
	}
	return c.refuse(seconds)
}

// report says what is left.
func (c *tokenCounter) report(x *policy.Exec, left int64) {
	left = max(left, 0)
	if c.variable != "" {
		x.SetVariable(c.variable, int32(min(left, 1<<31-1)))
	}
	if c.header != "" {
		announce(x, c.header, left)
	}
}

// announce sets a header of the response, now or later.
func announce(x *policy.Exec, name string, value int64) {
	text := strconv.FormatInt(value, 10)
	x.PendingHeader().Set(name, text)
	if x.Response != nil {
		x.Response.Header.Set(name, text)
	}
}

func (p *tokenLimit) tooFast(seconds int64) *policy.Error {
	return &policy.Error{
		Reason: "RateLimitExceeded", Message: "Token limit is exceeded", Status: 429,
		Public: fmt.Sprintf("Token limit is exceeded. Try again in %d seconds.", seconds),
		Header: message.NewHeader(p.RetryHeader, strconv.FormatInt(seconds, 10)),
	}
}

func (p *tokenLimit) tooMuch(seconds int64) *policy.Error {
	return &policy.Error{
		Reason: "QuotaExceeded", Message: "Out of token quota. Quota will be replenished in " + formatSpan(seconds) + ".", Status: 403,
		Header: message.NewHeader(p.RetryHeader, strconv.FormatInt(seconds, 10)),
	}
}

// countLater counts what the call has cost when that is known.
func (p *tokenLimit) countLater(x *policy.Exec, call *llmCall, name string, counters []tokenCounter) {
	host, shared := x.Host, x.Host.Counters()
	limits := make([]policy.Limit, len(counters))
	for i := range counters {
		limits[i] = counters[i].limit
	}
	call.count(x, func(x *policy.Exec, u llmUsage) {
		ctx := context.Background() // what was spent counts, even when the client has gone
		if u.total > 0 {
			if err := shared.Commit(ctx, limits, u.total); err != nil {
				host.Log(ctx, policy.LogError, name+" could not count the tokens of a call.", "error", err)
			}
		}
		if x == nil {
			return
		}
		for i := range counters {
			counters[i].report(x, counters[i].room-u.total)
		}
		if p.ConsumedVariable != "" {
			x.SetVariable(p.ConsumedVariable, int32(min(u.total, 1<<31-1)))
		}
		if p.ConsumedHeader != "" {
			announce(x, p.ConsumedHeader, u.total)
		}
	})
}
