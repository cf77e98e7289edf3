package gateway

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/causeway-apim/causeway/internal/message"
	"github.com/causeway-apim/causeway/internal/policy"
	"github.com/causeway-apim/causeway/internal/snapshot"
)

// traceForward records the request that goes to the backend service.
func traceForward(x *policy.Exec, out *message.Request, entity *snapshot.Backend, timeout time.Duration) {
	hideCredentials(x.Tracer, entity)
	x.Tracer.Add("forward-request", map[string]any{
		"message": fmt.Sprintf("Request is being forwarded to the backend service. Timeout set to %v seconds", cmp.Or(timeout, defaultForwardTimeout).Seconds()),
		"request": policy.TraceRequest(out.Method, &out.URL, &out.Header),
	})
}

// traceAnswer records what came back.
func traceAnswer(t *policy.Trace, source string, resp *message.Response, err error, took time.Duration) {
	data := map[string]any{"duration": took}
	if err != nil {
		data["message"], data["error"] = "The request failed.", err
	} else {
		data["response"] = policy.TraceResponse(resp)
	}
	t.Add(source, data)
}

// hideCredentials keeps the credentials of a backend entity out of a trace.
func hideCredentials(t *policy.Trace, entity *snapshot.Backend) {
	if entity == nil || entity.Credentials == nil {
		return
	}
	t.Hide(entity.Credentials.Parameter)
	for _, fields := range [...]map[string][]string{entity.Credentials.Header, entity.Credentials.Query} {
		for _, values := range fields {
			t.Hide(values...)
		}
	}
}

// sendTraced sends a request of a policy and records both sides.
func (r *request) sendTraced(ctx context.Context, req *message.Request, o policy.SendOptions) (*message.Response, error) {
	t := r.exec.Tracer
	hideCredentials(t, o.Backend)
	t.Add("send-request", map[string]any{
		"message": fmt.Sprintf("A request is being sent. Timeout set to %v seconds", cmp.Or(o.Timeout, defaultSendTimeout).Seconds()),
		"request": policy.TraceRequest(req.Method, &req.URL, &req.Header),
	})
	started := r.Now()
	o.BackendID = qualify(r.workspace(), o.BackendID)
	resp, err := r.service.send(ctx, r.config, req, o)
	traceAnswer(t, "send-request", resp, err, r.Now().Sub(started))
	return resp, err
}

// tracedCounters records what counters decide.
type tracedCounters struct {
	policy.Counters
	trace *policy.Trace
}

func (c *tracedCounters) record(what string, limits []policy.Limit, cost int64, d *policy.Decision, err error) {
	list := make([]any, len(limits))
	for i, l := range limits {
		list[i] = map[string]any{"key": l.Key, "limit": l.Max, "period": l.Period}
	}
	data := map[string]any{"message": what, "limits": list, "cost": cost}
	if d != nil {
		data["allowed"], data["remaining"] = d.Allowed, d.Remaining
		if !d.Allowed {
			data["retryAfter"] = d.RetryAfter
		}
	}
	if err != nil {
		data["error"] = err
	}
	c.trace.Add("counters", data)
}

func (c *tracedCounters) Take(ctx context.Context, limits []policy.Limit, cost int64) (policy.Decision, error) {
	d, err := c.Counters.Take(ctx, limits, cost)
	c.record("Limits were checked and counted.", limits, cost, &d, err)
	return d, err
}

func (c *tracedCounters) Check(ctx context.Context, limits []policy.Limit, cost int64) (policy.Decision, error) {
	d, err := c.Counters.Check(ctx, limits, cost)
	c.record("Limits were checked.", limits, cost, &d, err)
	return d, err
}

func (c *tracedCounters) Commit(ctx context.Context, limits []policy.Limit, cost int64) error {
	err := c.Counters.Commit(ctx, limits, cost)
	c.record("Limits were counted.", limits, cost, nil, err)
	return err
}

func (c *tracedCounters) Acquire(ctx context.Context, key string, slots int64) (bool, error) {
	ok, err := c.Counters.Acquire(ctx, key, slots)
	data := map[string]any{"message": "A slot was asked for.", "key": key, "slots": slots, "allowed": ok}
	if err != nil {
		data["error"] = err
	}
	c.trace.Add("counters", data)
	return ok, err
}

// tracedCache records hits and misses.
type tracedCache struct {
	policy.Cache
	trace *policy.Trace
}

func (c *tracedCache) Get(ctx context.Context, key string) (value []byte, ok bool, err error) {
	value, ok, err = c.Cache.Get(ctx, key)
	data := map[string]any{"message": "Cache miss.", "key": key, "hit": ok}
	switch {
	case err != nil:
		data["message"], data["error"] = "The cache could not be read.", err
	case ok:
		data["message"], data["length"] = "Cache hit.", len(value)
	}
	c.trace.Add("cache", data)
	return value, ok, err
}

func (c *tracedCache) Set(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	err := c.Cache.Set(ctx, key, value, ttl)
	data := map[string]any{"message": "A value was stored in the cache.", "key": key, "length": len(value), "timeToLive": ttl}
	if err != nil {
		data["message"], data["error"] = "The cache could not be written.", err
	}
	c.trace.Add("cache", data)
	return err
}

func (c *tracedCache) Remove(ctx context.Context, key string) error {
	err := c.Cache.Remove(ctx, key)
	data := map[string]any{"message": "A value was removed from the cache.", "key": key}
	if err != nil {
		data["error"] = err
	}
	c.trace.Add("cache", data)
	return err
}
