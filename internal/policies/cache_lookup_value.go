package policies

import (
	"context"
	"time"

	"github.com/causeway-apim/causeway/internal/policy"
)

// CacheLookupValue is the cache-lookup-value policy.
var CacheLookupValue = policy.Define[cacheLookupValue](policy.Spec{
	Name: "cache-lookup-value",
	Flow: policy.FlowVariable,
	Doc:  "Puts a value that cache-store-value has kept into a variable. Without one the variable gets the default value, or stays as it is when there is none.",
})

type cacheLookupValue struct {
	Key      policy.Value[string] `attr:"key,required" doc:"Key of the value."`
	Variable string               `attr:"variable-name,required" doc:"Variable for the value."`
	Default  policy.Value[any]    `attr:"default-value" doc:"Value of the variable when there is none in the cache."`
	Caching  cachingType
	values   *policy.ValueCodec
}

// cachingType says which cache is meant.
type cachingType struct {
	Type string `attr:"caching-type" default:"prefer-external" enum:"prefer-external,external,internal" doc:"Which cache to use: the external one, the gateway's own, or the external one where there is one."`
}

// cache is the cache that is meant; nil when there is none of that type: then nothing is found and nothing is kept.
func (c *cachingType) cache(x *policy.Exec) policy.Cache {
	switch c.Type {
	case "external":
		return x.Host.Cache(policy.External)
	case "internal":
		return x.Host.Cache(policy.Internal)
	}
	return x.Host.Cache(policy.PreferExternal)
}

func (p *cacheLookupValue) Compile(c *policy.Compiler) error {
	p.values = c.Values()
	return nil
}

func (p *cacheLookupValue) Run(x *policy.Exec) error {
	key, err := p.Key.Get(x)
	if err != nil {
		return err
	}
	if data, ok := p.Caching.cached(x, "value|"+key); ok {
		value, err := p.values.Decode(x, data)
		if err == nil {
			x.SetVariable(p.Variable, value)
			return nil
		}
		cacheFailed(x, err)
	}
	if !p.Default.IsSet() {
		return nil
	}
	value, err := p.Default.Get(x)
	if err != nil {
		return err
	}
	x.SetVariable(p.Variable, value)
	return nil
}

// cached looks into the cache. A cache that fails is an empty one: requests go on.
func (c *cachingType) cached(x *policy.Exec, key string) ([]byte, bool) {
	cache := c.cache(x)
	if cache == nil {
		return nil, false
	}
	data, ok, err := cache.Get(x.Context(), key)
	if err != nil {
		cacheFailed(x, err)
		return nil, false
	}
	return data, ok
}

// longestKept is the longest time in seconds for which something is kept: a hundred years.
const longestKept = 100 * 365 * 24 * 60 * 60

// keep puts something into the cache for so many seconds. The request may be over before a cache elsewhere has answered: its context does not count.
func (c *cachingType) keep(x *policy.Exec, key string, data []byte, seconds int64) {
	cache := c.cache(x)
	if cache == nil {
		return
	}
	ttl := time.Duration(min(seconds, longestKept)) * time.Second
	if err := cache.Set(context.WithoutCancel(x.Context()), key, data, ttl); err != nil {
		cacheFailed(x, err)
	}
}

func cacheFailed(x *policy.Exec, err error) {
	x.Host.Log(x.Context(), policy.LogError, "The cache could not be used.", "error", err)
}
