package policies

import (
	"encoding/binary"
	"errors"
	"math"
	"time"

	"github.com/causeway-apim/causeway/internal/policy"
)

// Retry is the retry policy.
var Retry = policy.Define[retry](policy.Spec{
	Name: "retry",
	Flow: policy.FlowStays,
	Doc:  "Runs its policies once, and again as long as the condition is true and retries are left.",
})

type retry struct {
	Condition   policy.Value[bool]    `attr:"condition,required" doc:"Whether to try again; looked at after each attempt."`
	Count       policy.Value[int]     `attr:"count,required" min:"1" max:"50" doc:"Most retries."`
	Interval    policy.Value[float64] `attr:"interval,required" min:"0" doc:"Seconds between attempts."`
	MaxInterval policy.Value[float64] `attr:"max-interval" min:"0" doc:"Most seconds between attempts; makes the wait grow exponentially."`
	Delta       policy.Value[float64] `attr:"delta" min:"0" doc:"Seconds by which the wait grows."`
	FirstFast   policy.Value[bool]    `attr:"first-fast-retry" default:"false" doc:"Whether the first retry follows at once."`
	Steps       policy.Block
}

// retrySchedule is what one run of the policy waits.
type retrySchedule struct {
	interval, maxInterval, delta float64
	firstFast                    bool
}

func (p *retry) Run(x *policy.Exec) error {
	count, err := p.Count.Get(x)
	if err != nil {
		return err
	}
	s, err := p.schedule(x)
	if err != nil {
		return err
	}
	for attempt := 0; ; attempt++ {
		failure := x.Run(p.Steps)
		if failure != nil && !retryable(failure) {
			return failure
		}
		if attempt >= count {
			return failure
		}
		again, err := p.Condition.Get(x)
		if err != nil {
			// With no response a condition on context.Response cannot be
			// evaluated: the failure itself tells more.
			if failure != nil {
				return failure
			}
			return err
		}
		if !again {
			return failure
		}
		if err := x.Host.Sleep(x.Context(), s.wait(x, attempt+1)); err != nil {
			return &policy.Error{Reason: policy.ReasonClientConnection, Message: "The client's connection ended between two attempts.", Err: err}
		}
	}
}

// retryable tells whether another attempt may help: backend services fail,
// policies that end the pipeline or refuse the request do not.
func retryable(err error) bool {
	var e *policy.Error
	if !errors.As(err, &e) {
		return false
	}
	return e.Reason == policy.ReasonBackendConnection || e.Reason == policy.ReasonTimeout
}

func (p *retry) schedule(x *policy.Exec) (s retrySchedule, err error) {
	if s.interval, err = p.Interval.Get(x); err != nil {
		return s, err
	}
	if s.maxInterval, err = p.MaxInterval.Get(x); err != nil {
		return s, err
	}
	if s.delta, err = p.Delta.Get(x); err != nil {
		return s, err
	}
	s.firstFast, err = p.FirstFast.Get(x)
	return s, err
}

// wait is the time before the n-th retry, counted from 1.
func (s retrySchedule) wait(x *policy.Exec, n int) time.Duration {
	if s.firstFast {
		if n == 1 {
			return 0
		}
		n--
	}
	seconds := s.interval
	switch {
	case s.delta > 0 && s.maxInterval > 0:
		spread := s.delta * (0.8 + 0.4*randomFraction(x))
		seconds = math.Min(s.maxInterval, s.interval+(math.Pow(2, float64(n-1))-1)*spread)
	case s.delta > 0:
		seconds = s.interval + float64(n-1)*s.delta
	case s.maxInterval > 0:
		seconds = math.Min(s.maxInterval, s.interval*math.Pow(2, float64(n-1)))
	}
	const day = 24 * 60 * 60
	return time.Duration(math.Min(seconds, day) * float64(time.Second))
}

func randomFraction(x *policy.Exec) float64 {
	var b [8]byte
	x.Host.Random(b[:])
	return float64(binary.LittleEndian.Uint64(b[:])>>11) / (1 << 53)
}
