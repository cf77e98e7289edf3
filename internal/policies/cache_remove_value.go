package policies

import "github.com/causeway-apim/causeway/internal/policy"

// CacheRemoveValue is the cache-remove-value policy.
var CacheRemoveValue = policy.Define[cacheRemoveValue](policy.Spec{
	Name: "cache-remove-value",
	Flow: policy.FlowStays,
	Doc:  "Removes a value that cache-store-value has kept.",
})

type cacheRemoveValue struct {
	Key     policy.Value[string] `attr:"key,required" doc:"Key of the value."`
	Caching cachingType
}

func (p *cacheRemoveValue) Run(x *policy.Exec) error {
	key, err := p.Key.Get(x)
	if err != nil {
		return err
	}
	if cache := p.Caching.cache(x); cache != nil {
		if err := cache.Remove(x.Context(), "value|"+key); err != nil {
			cacheFailed(x, err)
		}
	}
	return nil
}
