package policies

import (
	"encoding/binary"
	"errors"
	"time"

	"github.com/causeway-apim/causeway/internal/policy"
)

// CacheValue is the cache-value policy.
var CacheValue = policy.Define[cacheValue](policy.Spec{
	Name: "cache-value",
	Flow: policy.FlowStays,
	Doc:  "Puts a value from the cache into a variable. Without a fresh one its policies run, for one request at a time, and what they put into the variable is kept.",
})

type cacheValue struct {
	Key          policy.Value[string] `attr:"key,required" doc:"Key of the value."`
	Variable     string               `attr:"variable-name,required" doc:"Variable for the value, which the policies inside set."`
	ExpiresAfter policy.Value[int64]  `attr:"expires-after" default:"28800" min:"0" doc:"Seconds for which the value is kept."`
	RefreshAfter policy.Value[int64]  `attr:"refresh-after" min:"0" doc:"Seconds after which the policies run again, while the value of before serves other requests; the same as expires-after without it."`
	Default      policy.Value[any]    `attr:"default-value" doc:"Value of the variable when the policies leave it unset."`
	Caching      cachingType
	Value        valueSteps `elem:"value,required" doc:"Policies that set the variable."`
	values       *policy.ValueCodec
}

type valueSteps struct {
	Steps policy.Block
}

// Compile compares the times.
func (p *cacheValue) Compile(c *policy.Compiler) error {
	p.values = c.Values()
	expires, known := p.ExpiresAfter.Constant()
	refresh, fixed := p.RefreshAfter.Constant()
	if known && fixed && refresh >= expires {
		return errors.New("refresh-after must be less than expires-after")
	}
	return nil
}

// Run uses a fresh value. A request that finds none works it out, and those that come meanwhile use the value of before, or wait when there is none.
func (p *cacheValue) Run(x *policy.Exec) error {
	name, err := p.Key.Get(x)
	if err != nil {
		return err
	}
	key := "cache-value|" + name
	found, fresh := p.lookup(x, key)
	if fresh {
		return nil
	}
	release, claimed, err := p.claim(x, key, !found)
	switch {
	case err == nil && !claimed:
		return nil // another request works on it, the value of before is in the variable
	case err == nil:
		defer release()
	case x.Context().Err() != nil:
		return err
	default: // a cache that fails is an empty one
		cacheFailed(x, err)
	}
	if !found {
		if _, fresh := p.lookup(x, key); fresh { // somebody was faster
			return nil
		}
	}
	return p.workOut(x, key)
}

// claim makes the request the one that works the value out. Without a cache each does.
func (p *cacheValue) claim(x *policy.Exec, key string, wait bool) (release func(), ok bool, err error) {
	cache := p.Caching.cache(x)
	if cache == nil {
		return func() {}, true, nil
	}
	return cache.Claim(x.Context(), key, wait)
}

// lookup sets the variable to what is in the cache.
func (p *cacheValue) lookup(x *policy.Exec, key string) (found, fresh bool) {
	data, ok := p.Caching.cached(x, key)
	if !ok {
		return false, false
	}
	refresh, n := binary.Varint(data)
	if n <= 0 {
		return false, false
	}
	value, err := p.values.Decode(x, data[n:])
	if err != nil {
		cacheFailed(x, err)
		return false, false
	}
	x.SetVariable(p.Variable, value)
	return true, x.Now().UnixNano() < refresh
}

// workOut runs the policies and keeps what they have set.
func (p *cacheValue) workOut(x *policy.Exec, key string) error {
	before, _ := x.Variable(p.Variable)
	x.SetVariable(p.Variable, nil)
	if err := x.Run(p.Value.Steps); err != nil {
		return err
	}
	value, _ := x.Variable(p.Variable)
	if value == nil {
		return p.fallback(x, before)
	}
	expires, err := p.ExpiresAfter.Get(x)
	if err != nil {
		return err
	}
	refresh := expires
	if p.RefreshAfter.IsSet() {
		if refresh, err = p.RefreshAfter.Get(x); err != nil {
			return err
		}
	}
	data, err := p.values.Encode(x, value)
	if err != nil {
		return &policy.Error{Reason: "CacheValueNotSupported", Message: "The value cannot be kept: " + err.Error() + ".", Err: err}
	}
	fresh := x.Now().Add(time.Duration(min(refresh, longestKept)) * time.Second).UnixNano()
	p.Caching.keep(x, key, append(binary.AppendVarint(nil, fresh), data...), expires)
	return nil
}

// fallback gives the variable the value of before, or the default.
func (p *cacheValue) fallback(x *policy.Exec, before any) error {
	if before != nil || !p.Default.IsSet() {
		x.SetVariable(p.Variable, before)
		return nil
	}
	value, err := p.Default.Get(x)
	if err == nil {
		x.SetVariable(p.Variable, value)
	}
	return err
}
