package policies

import "github.com/causeway-apim/causeway/internal/policy"

// CacheStoreValue is the cache-store-value policy.
var CacheStoreValue = policy.Define[cacheStoreValue](policy.Spec{
	Name: "cache-store-value",
	Flow: policy.FlowCache,
	Doc:  "Keeps a value in the cache under a key, for cache-lookup-value.",
})

type cacheStoreValue struct {
	Key      policy.Value[string] `attr:"key,required" doc:"Key of the value."`
	Value    policy.Value[any]    `attr:"value,required,empty" doc:"Value to keep."`
	Duration policy.Value[int64]  `attr:"duration,required" min:"0" doc:"Seconds for which it is kept."`
	Caching  cachingType
	values   *policy.ValueCodec
}

func (p *cacheStoreValue) Compile(c *policy.Compiler) error {
	p.values = c.Values()
	return nil
}

func (p *cacheStoreValue) Run(x *policy.Exec) error {
	key, err := p.Key.Get(x)
	if err != nil {
		return err
	}
	value, err := p.Value.Get(x)
	if err != nil {
		return err
	}
	seconds, err := p.Duration.Get(x)
	if err != nil {
		return err
	}
	data, err := p.values.Encode(x, value)
	if err != nil {
		return &policy.Error{Reason: "CacheValueNotSupported", Message: "The value cannot be kept: " + err.Error() + ".", Err: err}
	}
	p.Caching.keep(x, "value|"+key, data, seconds)
	return nil
}
