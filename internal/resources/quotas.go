package resources

import (
	"context"
	"encoding/json"
	"math"
	"net/http"
	"time"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/resource"
)

// Quotas are the counters of the quota-by-key policy on the gateways of a service, which is a lower-case ARM ID.
type Quotas interface {
	// Quotas returns the periods of a key that run.
	Quotas(ctx context.Context, service, key string) ([]QuotaCounter, error)
	// SetQuota changes the counters of a period; fields that are nil stay as they are.
	SetQuota(ctx context.Context, service string, c QuotaCounter, v QuotaValueUpdate) error
}

// QuotaCounter is a period of a key, API Management's QuotaCounterContract.
type QuotaCounter struct {
	CounterKey      string     `json:"counterKey"`
	PeriodKey       string     `json:"periodKey"` // number of the period and its length: 3_P1D
	PeriodStartTime time.Time  `json:"periodStartTime"`
	PeriodEndTime   time.Time  `json:"periodEndTime"`
	Value           QuotaValue `json:"value"`

	// Period is the length; 0 means for ever. First is when the first one began.
	Period time.Duration `json:"-"`
	First  time.Time     `json:"-"`
}

// QuotaValue is what was used.
type QuotaValue struct {
	CallsCount    int64   `json:"callsCount"`
	KBTransferred float64 `json:"kbTransferred"`
}

// QuotaValueUpdate sets what was used.
type QuotaValueUpdate struct {
	CallsCount    *int64   `json:"callsCount,omitempty"`
	KBTransferred *float64 `json:"kbTransferred,omitempty"`
}

// quotaUpdateContract is the body of an update.
type quotaUpdateContract struct {
	Properties QuotaValueUpdate `json:"properties"`
}

// Quota is the counter of a key. It is not stored here but on gateways.
type Quota struct{}

func anyQuota(*resource.Reader, arm.ID) (*Quota, error) { return &Quota{}, nil }

func quotas(env Env) *resource.Type {
	return resource.Define(resource.Spec[Quota]{
		Name: "quotas", Title: "Quota", Doc: "What a key of the quota-by-key policy has used, as gateways count it. Its name is the key.",
		Parents: []string{""}, Acts: anyQuota,
		Actions: []resource.Action[Quota]{
			{
				Method: http.MethodGet, Doc: "Lists the periods of the key that run.", Output: collection[QuotaCounter]{},
				Read: func(x *resource.Reader, d *resource.Doc[Quota], _ json.RawMessage) (any, error) {
					return listQuotas(env, x, d.Name())
				},
			}, {
				Method: http.MethodPatch, Doc: "Sets the counters of the periods that run.", Input: quotaUpdateContract{}, Output: collection[QuotaCounter]{},
				Read: func(x *resource.Reader, d *resource.Doc[Quota], body json.RawMessage) (any, error) {
					all, err := listQuotas(env, x, d.Name())
					if err != nil {
						return nil, err
					}
					if err := setQuotas(env, x, all.Value, body); err != nil {
						return nil, err
					}
					return listQuotas(env, x, d.Name())
				},
			},
		},
	})
}

func quotaPeriods(env Env) *resource.Type {
	find := func(x *resource.Reader, d *resource.Doc[Quota]) (*QuotaCounter, error) {
		all, err := listQuotas(env, x, d.ID.Parent().Name())
		if err != nil {
			return nil, err
		}
		for i := range all.Value {
			if all.Value[i].PeriodKey == d.Name() {
				return &all.Value[i], nil
			}
		}
		return nil, arm.NotFound(d.ID)
	}
	return resource.Define(resource.Spec[Quota]{
		Name: "periods", Title: "Period of a quota", Doc: "A period of a key of the quota-by-key policy.",
		Parents: []string{"quotas"}, Acts: anyQuota,
		Actions: []resource.Action[Quota]{
			{
				Method: http.MethodGet, Doc: "Reads the counters of a period that runs.", Output: QuotaCounter{},
				Read: func(x *resource.Reader, d *resource.Doc[Quota], _ json.RawMessage) (any, error) {
					return found(find(x, d))
				},
			}, {
				Method: http.MethodPatch, Doc: "Sets the counters of a period that runs.", Input: quotaUpdateContract{}, Output: QuotaCounter{},
				Read: func(x *resource.Reader, d *resource.Doc[Quota], body json.RawMessage) (any, error) {
					c, err := find(x, d)
					if err != nil {
						return nil, err
					}
					if err := setQuotas(env, x, []QuotaCounter{*c}, body); err != nil {
						return nil, err
					}
					return found(find(x, d))
				},
			},
		},
	})
}

// found keeps a nil pointer from becoming an answer.
func found(c *QuotaCounter, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	return c, nil
}

func listQuotas(env Env, x *resource.Reader, key string) (*collection[QuotaCounter], error) {
	list := &collection[QuotaCounter]{Value: []QuotaCounter{}}
	if env.Quotas == nil {
		return list, nil
	}
	counters, err := env.Quotas.Quotas(x.Context(), x.Service.Key(), key)
	if err != nil {
		return nil, quotasAway(err)
	}
	list.Value, list.Count = append(list.Value, counters...), int64(len(counters))
	return list, nil
}

func setQuotas(env Env, x *resource.Reader, counters []QuotaCounter, body json.RawMessage) error {
	var in quotaUpdateContract
	if err := readInput(body, &in); err != nil {
		return err
	}
	v := in.Properties
	switch {
	case v.CallsCount == nil && v.KBTransferred == nil:
		return arm.Invalid("properties", "callsCount or kbTransferred is required.")
	case v.CallsCount != nil && (*v.CallsCount < 0 || *v.CallsCount > math.MaxInt32):
		return arm.Invalid("properties.callsCount", "callsCount is a number of calls, at least 0.")
	case v.KBTransferred != nil && !(*v.KBTransferred >= 0 && *v.KBTransferred <= math.MaxInt32):
		return arm.Invalid("properties.kbTransferred", "kbTransferred is a number of kilobytes, at least 0.")
	}
	for _, c := range counters {
		if err := env.Quotas.SetQuota(x.Context(), x.Service.Key(), c, v); err != nil {
			return quotasAway(err)
		}
	}
	return nil
}

// quotasAway says that the counters cannot be reached at this time, which is nobody's mistake.
func quotasAway(err error) error {
	return arm.Errorf(arm.CodeServiceUnavailable, "The counters cannot be reached: %s.", err)
}
