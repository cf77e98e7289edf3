package gateway

import (
	"cmp"
	"context"
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/causeway-apim/causeway/internal/policy"
)

// Quota is what a key of the quota-by-key policy has used in the period that runs.
type Quota struct {
	First  time.Time     `json:"first"`  // start of the first period
	Period time.Duration `json:"period"` // 0: for ever
	Start  time.Time     `json:"start"`  // of the period that runs
	Calls  int64         `json:"calls"`
	Bytes  int64         `json:"bytes"`
	// Shared says that other gateways count in the same counter.
	Shared bool `json:"shared,omitempty"`
}

// quotaPolicy begins the keys of the counters of the policy, which continue with its key, the start of the first period in Unix seconds, the
// seconds of the period and what is counted; see policies.QuotaByKey.
const quotaPolicy = "quota-by-key|"

// ErrNoService says that a gateway does not serve a service.
var ErrNoService = errors.New("the gateway does not serve the service")

// keyLister lists counters.
type keyLister interface {
	Keys(ctx context.Context, prefix string) ([]string, error)
}

// Quotas lists the periods that run of a key of the quota-by-key policy. An empty service is the gateway's only one.
func (g *Gateway) Quotas(ctx context.Context, service, key string) ([]Quota, error) {
	s := g.quotaService(service)
	if s == nil {
		return nil, ErrNoService
	}
	c := s.current.Load()
	own, ok := c.stores.counters.(*serviceCounters)
	if !ok {
		return nil, nil
	}
	lister, ok := own.Counters.(keyLister)
	if !ok {
		return nil, nil
	}
	_, shared := own.Counters.(*sharedCounters)
	prefix := quotaPolicy + key + "|"
	keys, err := lister.Keys(ctx, own.prefix+prefix)
	if err != nil {
		return nil, err
	}
	found := make(map[[2]int64]*Quota)
	for _, k := range keys {
		first, seconds, what, ok := parseQuotaKey(strings.TrimPrefix(k, own.prefix+prefix))
		if !ok {
			continue
		}
		q := found[[2]int64{first, seconds}]
		if q == nil {
			q = newQuota(first, seconds, g.now())
			q.Shared = shared
			found[[2]int64{first, seconds}] = q
		}
		used, err := usedOf(ctx, own, q.limit(key, what))
		if err != nil {
			return nil, err
		}
		if what == "calls" {
			q.Calls = used
		} else {
			q.Bytes = used
		}
	}
	list := make([]Quota, 0, len(found))
	for _, q := range found {
		list = append(list, *q)
	}
	slices.SortFunc(list, func(a, b Quota) int { return cmp.Or(a.First.Compare(b.First), cmp.Compare(a.Period, b.Period)) })
	return list, nil
}

// SetQuota makes the counters of a period that runs say what is given; nil leaves one as it is. Calls that come meanwhile still count.
func (g *Gateway) SetQuota(ctx context.Context, service, key string, q Quota, calls, bytes *int64) error {
	s := g.quotaService(service)
	if s == nil {
		return ErrNoService
	}
	counters := s.current.Load().stores.counters
	for what, value := range map[string]*int64{"calls": calls, "bandwidth": bytes} {
		if value == nil {
			continue
		}
		limit := q.limit(key, what)
		used, err := usedOf(ctx, counters, limit)
		if err == nil && used != *value {
			err = counters.Commit(ctx, []policy.Limit{limit}, *value-used)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (g *Gateway) quotaService(id string) *service {
	if id == "" {
		return g.services.Load().fallback
	}
	return g.services.Load().byID(id)
}

// parseQuotaKey reads what stands after the key of the policy.
func parseQuotaKey(rest string) (first, seconds int64, what string, ok bool) {
	words := strings.Split(rest, "|")
	if len(words) != 3 || words[2] != "calls" && words[2] != "bandwidth" {
		return 0, 0, "", false
	}
	first, err1 := strconv.ParseInt(words[0], 10, 64)
	seconds, err2 := strconv.ParseInt(words[1], 10, 64)
	return first, seconds, words[2], err1 == nil && err2 == nil && seconds >= 0
}

func newQuota(first, seconds int64, now time.Time) *Quota {
	q := &Quota{First: time.Unix(first, 0).UTC(), Period: time.Duration(seconds) * time.Second}
	q.Start = q.First
	if seconds > 0 {
		gone := (now.Unix() - first) % seconds
		if gone < 0 {
			gone += seconds
		}
		q.Start = time.Unix(now.Unix()-gone, 0).UTC()
	}
	return q
}

// limit is the counter of the policy.
func (q *Quota) limit(key, what string) policy.Limit {
	seconds := int64(q.Period / time.Second)
	l := policy.Limit{Period: q.Period, Window: policy.FixedWindow, Max: math.MaxInt32 << 20}
	l.Key = quotaPolicy + key + "|" + strconv.FormatInt(q.First.Unix(), 10) + "|" + strconv.FormatInt(seconds, 10) + "|" + what
	if seconds > 0 { // as the policy aligns its periods
		l.Start = time.Unix((q.First.Unix()%seconds+seconds)%seconds, 0)
	}
	return l
}

// usedOf is what a counter has counted in the period that runs.
func usedOf(ctx context.Context, counters policy.Counters, l policy.Limit) (int64, error) {
	d, err := counters.Check(ctx, []policy.Limit{l}, 0)
	return l.Max - d.Remaining, err
}
