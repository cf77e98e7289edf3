package policies

import (
	"context"
	"time"

	"github.com/causeway-apim/causeway/internal/policy"
)

// LLMSemanticCacheStore is the llm-semantic-cache-store policy.
var LLMSemanticCacheStore = policy.Define[semanticStore](policy.Spec{
	Name:           "llm-semantic-cache-store",
	Sections:       policy.Outbound,
	OncePerSection: true,
	Body:           policy.UsesResponseBody,
	Doc:            "Keeps the answer of a language model for later calls of like meaning that llm-semantic-cache-lookup of the same pipeline finds it for.",
})

// AzureOpenAISemanticCacheStore is the azure-openai-semantic-cache-store policy.
var AzureOpenAISemanticCacheStore = policy.Define[semanticStore](policy.Spec{
	Name:           "azure-openai-semantic-cache-store",
	Sections:       policy.Outbound,
	OncePerSection: true,
	Body:           policy.UsesResponseBody,
	Doc:            "The same as llm-semantic-cache-store.",
})

type semanticStore struct {
	Duration policy.Value[int64] `attr:"duration,required" min:"0" doc:"Seconds for which the answer is kept."`
}

func (p *semanticStore) Run(x *policy.Exec) error {
	c, _ := x.State(semanticCachingKey{}).(*semanticCaching)
	if c == nil || x.Response.Status != 200 {
		return nil
	}
	seconds, err := p.Duration.Get(x)
	if err != nil {
		return err
	}
	body, ok, err := cacheableBody(x.Response)
	if err != nil || !ok {
		return err
	}
	ttl := time.Duration(min(seconds, longestKept)) * time.Second
	stored := storedResponse{status: x.Response.Status, reason: x.Response.Reason, header: x.Response.Header, body: body, expires: x.Now().Add(ttl)}
	if err := x.Host.Vectors().Add(context.WithoutCancel(x.Context()), c.space, c.vector, stored.encode(), ttl); err != nil {
		cacheFailed(x, err)
	}
	return nil
}
