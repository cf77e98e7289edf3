package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/causeway-apim/causeway/internal/configsync"
	"github.com/causeway-apim/causeway/internal/gateway"
	"github.com/causeway-apim/causeway/internal/resources"
)

const (
	// commandQuota asks gateways for the counters of a key, or sets them; requestQuota is their answer.
	commandQuota = "quota"
	requestQuota = "quotaAnswer"
	// quotaWait is how long gateways may take to answer.
	quotaWait = 2 * time.Second
)

// quotaCommand is the payload of the command.
type quotaCommand struct {
	ID  string `json:"id"` // of the question
	Key string `json:"key"`
	// Set changes the counters of a period; nil asks only.
	Set *quotaChange `json:"set,omitempty"`
}

// quotaChange is what the counters of a period are set to.
type quotaChange struct {
	Quota gateway.Quota `json:"quota"`
	Calls *int64        `json:"calls,omitempty"`
	Bytes *int64        `json:"bytes,omitempty"`
}

// quotaAnswer is what one gateway counts.
type quotaAnswer struct {
	ID     string          `json:"id"`
	Quotas []gateway.Quota `json:"quotas"`
}

// answerQuota does what the plane asks of a self-hosted gateway and sends the answer.
func answerQuota(ctx context.Context, g *gateway.Gateway, client *configsync.Client, payload json.RawMessage) error {
	var c quotaCommand
	if err := json.Unmarshal(payload, &c); err != nil {
		return fmt.Errorf("read the command: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, quotaWait)
	defer cancel()
	if s := c.Set; s != nil {
		if err := g.SetQuota(ctx, "", c.Key, s.Quota, s.Calls, s.Bytes); err != nil {
			return err
		}
	}
	quotas, err := g.Quotas(ctx, "", c.Key)
	if err != nil {
		return err
	}
	var taken struct{}
	return client.Request(ctx, requestQuota, quotaAnswer{c.ID, quotas}, &taken)
}

// quotaBoard asks the gateways of a plane for their counters.
type quotaBoard struct {
	managed func() *gateway.Gateway // nil without one
	command func(service, gateway, name string, payload any) (int, error)

	mu      sync.Mutex
	waiting map[string]*quotaQuestion // by service and ID
}

// quotaQuestion waits for the answers of gateways.
type quotaQuestion struct {
	answers chan []gateway.Quota
}

// Quotas implements resources.Quotas: what gateways count for themselves is added up.
func (b *quotaBoard) Quotas(ctx context.Context, service, key string) ([]resources.QuotaCounter, error) {
	sums, err := b.ask(ctx, service, quotaCommand{Key: key})
	if err != nil {
		return nil, err
	}
	counters := make([]resources.QuotaCounter, 0, len(sums))
	for _, q := range sums {
		counters = append(counters, quotaCounter(key, q))
	}
	return counters, nil
}

// SetQuota implements resources.Quotas. Where gateways count for themselves, one of them is given the whole value and the others nothing.
func (b *quotaBoard) SetQuota(ctx context.Context, service string, c resources.QuotaCounter, v resources.QuotaValueUpdate) error {
	change := &quotaChange{Quota: gateway.Quota{First: c.First, Period: c.Period, Start: c.PeriodStartTime}, Calls: v.CallsCount}
	if v.KBTransferred != nil {
		bytes := int64(*v.KBTransferred * 1024)
		change.Bytes = &bytes
	}
	_, err := b.ask(ctx, service, quotaCommand{Key: c.CounterKey, Set: change})
	return err
}

// ask asks all gateways and adds their answers up. Those that do not answer in time are left out.
func (b *quotaBoard) ask(ctx context.Context, service string, c quotaCommand) ([]gateway.Quota, error) {
	ctx, cancel := context.WithTimeout(ctx, quotaWait)
	defer cancel()
	sums := make(quotaSums)
	if g := b.managed(); g != nil {
		quotas, err := b.askManaged(ctx, g, service, c)
		if err != nil {
			return nil, err
		}
		if sums.add(quotas); c.Set != nil {
			c.Set = zeroOf(c.Set)
		}
	}
	c.ID = newToken()
	q := &quotaQuestion{answers: make(chan []gateway.Quota, 64)}
	b.mu.Lock()
	if b.waiting == nil {
		b.waiting = make(map[string]*quotaQuestion)
	}
	b.waiting[service+"|"+c.ID] = q
	b.mu.Unlock()
	defer func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.waiting, service+"|"+c.ID)
	}()
	n, err := b.command(service, "", commandQuota, c)
	if err != nil {
		return nil, err
	}
	for range n {
		select {
		case quotas := <-q.answers:
			sums.add(quotas)
		case <-ctx.Done():
			return sums.list(), nil
		}
	}
	return sums.list(), nil
}

func (b *quotaBoard) askManaged(ctx context.Context, g *gateway.Gateway, service string, c quotaCommand) ([]gateway.Quota, error) {
	if s := c.Set; s != nil {
		if err := g.SetQuota(ctx, service, c.Key, s.Quota, s.Calls, s.Bytes); err != nil && !errors.Is(err, gateway.ErrNoService) {
			return nil, err
		}
	}
	quotas, err := g.Quotas(ctx, service, c.Key)
	if errors.Is(err, gateway.ErrNoService) {
		return nil, nil
	}
	return quotas, err
}

// take takes the answer of a gateway.
func (b *quotaBoard) take(from configsync.Identity, payload json.RawMessage) (any, error) {
	var a quotaAnswer
	if err := json.Unmarshal(payload, &a); err != nil {
		return nil, fmt.Errorf("%w: the answer cannot be read", configsync.ErrRefused)
	}
	b.mu.Lock()
	q := b.waiting[from.Service+"|"+a.ID]
	b.mu.Unlock()
	if q != nil {
		select {
		case q.answers <- a.Quotas:
		default:
		}
	}
	return struct{}{}, nil
}

// zeroOf is a change to nothing of the counters that a change is about.
func zeroOf(c *quotaChange) *quotaChange {
	zero := &quotaChange{Quota: c.Quota}
	if c.Calls != nil {
		zero.Calls = new(int64)
	}
	if c.Bytes != nil {
		zero.Bytes = new(int64)
	}
	return zero
}

// quotaSums adds counters up by their periods. Those that gateways share count once.
type quotaSums map[string]gateway.Quota

func (s quotaSums) add(quotas []gateway.Quota) {
	for _, q := range quotas {
		key := fmt.Sprint(q.First.Unix(), " ", q.Period, " ", q.Shared)
		have, ok := s[key]
		if ok && !q.Shared {
			q.Calls, q.Bytes = q.Calls+have.Calls, q.Bytes+have.Bytes
		}
		s[key] = q
	}
}

func (s quotaSums) list() []gateway.Quota {
	joined := make(map[string]gateway.Quota)
	for _, q := range s {
		key := fmt.Sprint(q.First.Unix(), " ", q.Period)
		have := joined[key]
		q.Calls, q.Bytes = q.Calls+have.Calls, q.Bytes+have.Bytes
		joined[key] = q
	}
	return slices.SortedFunc(maps.Values(joined), func(a, b gateway.Quota) int {
		return cmp.Or(a.First.Compare(b.First), cmp.Compare(a.Period, b.Period))
	})
}

// quotaCounter is a counter as the management API shows it.
func quotaCounter(key string, q gateway.Quota) resources.QuotaCounter {
	c := resources.QuotaCounter{
		CounterKey: key, PeriodStartTime: q.Start, Period: q.Period, First: q.First,
		Value: resources.QuotaValue{CallsCount: q.Calls, KBTransferred: float64(q.Bytes) / 1024},
	}
	number := int64(0)
	if seconds := int64(q.Period / time.Second); seconds > 0 {
		number = (q.Start.Unix() - q.First.Unix()) / seconds
		c.PeriodEndTime = q.Start.Add(q.Period)
	} else {
		c.PeriodEndTime = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)
	}
	c.PeriodKey = fmt.Sprintf("%d_%s", number, isoDuration(q.Period))
	return c
}

// isoDuration writes a duration of whole seconds as ISO 8601 does.
func isoDuration(d time.Duration) string {
	var b strings.Builder
	b.WriteByte('P')
	seconds := int64(d / time.Second)
	if days := seconds / 86400; days > 0 {
		fmt.Fprintf(&b, "%dD", days)
	}
	if seconds%86400 == 0 && seconds > 0 {
		return b.String()
	}
	b.WriteByte('T')
	for _, part := range []struct {
		n    int64
		unit byte
	}{{seconds % 86400 / 3600, 'H'}, {seconds % 3600 / 60, 'M'}, {seconds % 60, 'S'}} {
		if part.n > 0 || seconds == 0 && part.unit == 'S' {
			fmt.Fprintf(&b, "%d%c", part.n, part.unit)
		}
	}
	return b.String()
}
