package policies

import (
	"errors"
	"fmt"
	"strings"

	"github.com/causeway-apim/causeway/internal/message"
	"github.com/causeway-apim/causeway/internal/policy"
)

// LLMSemanticCacheLookup is the llm-semantic-cache-lookup policy.
var LLMSemanticCacheLookup = policy.Define[semanticLookup](policy.Spec{
	Name:           "llm-semantic-cache-lookup",
	Sections:       policy.Inbound,
	OncePerSection: true,
	Body:           policy.UsesRequestBody,
	Doc:            "Answers a call of a language model with the answer to one of like meaning that llm-semantic-cache-store has kept; then the backend service is not called, and outbound goes on.",
})

// AzureOpenAISemanticCacheLookup is the azure-openai-semantic-cache-lookup policy.
var AzureOpenAISemanticCacheLookup = policy.Define[semanticLookup](policy.Spec{
	Name:           "azure-openai-semantic-cache-lookup",
	Sections:       policy.Inbound,
	OncePerSection: true,
	Body:           policy.UsesRequestBody,
	Doc:            "The same as llm-semantic-cache-lookup.",
})

type semanticLookup struct {
	Threshold    policy.Value[float64]  `attr:"score-threshold,required" min:"0" max:"1" doc:"How far apart in meaning two prompts may be, as cosine distance: 0 takes the same only."`
	Backend      policy.Value[string]   `attr:"embeddings-backend-id,required" doc:"Backend entity whose URL is that of an embeddings API."`
	Auth         string                 `attr:"embeddings-backend-auth" default:"system-assigned" enum:"system-assigned" doc:"How to sign in to it: with the managed identity, unless the backend entity has credentials of its own."`
	IgnoreSystem policy.Value[bool]     `attr:"ignore-system-messages" default:"false" doc:"Whether system messages are left out of the comparison."`
	MaxMessages  policy.Value[int64]    `attr:"max-message-count" min:"1" doc:"Messages of a dialogue from which on nothing is cached."`
	VaryBy       []policy.Value[string] `elem:"vary-by" doc:"For each of whose values there are answers of their own."`
}

// Compile notes the backend.
func (p *semanticLookup) Compile(c *policy.Compiler) error {
	if name, ok := p.Backend.Constant(); ok {
		c.Backend(name)
	}
	return nil
}

// semanticCaching is what the look-up tells the store.
type semanticCaching struct {
	space  string
	vector []float32
}

// semanticCachingKey is the key of it in the state of the request.
type semanticCachingKey struct{}

// Run never fails because of the cache: without it the model is called.
func (p *semanticLookup) Run(x *policy.Exec) error {
	c, err := p.prepare(x)
	if err != nil || c == nil {
		return err
	}
	threshold, err := p.Threshold.Get(x)
	if err != nil {
		return err
	}
	data, distance, ok, err := x.Host.Vectors().Nearest(x.Context(), c.space, c.vector, threshold)
	if err != nil {
		cacheFailed(x, err)
		return nil
	}
	if ok {
		stored, err := decodeResponse(data)
		if err == nil {
			x.Trace("semantic-cache", "An answer of like meaning was found.", "distance", distance)
			x.SetResponse(&message.Response{
				Status: stored.status, Reason: stored.reason, Header: stored.header, Body: message.BytesBody(stored.body), ContentLength: int64(len(stored.body)),
			})
			return policy.ErrSkipBackend
		}
		cacheFailed(x, err)
	}
	x.SetState(semanticCachingKey{}, c)
	return nil
}

// prepare works out what to look for; nil when nothing is to be cached.
func (p *semanticLookup) prepare(x *policy.Exec) (*semanticCaching, error) {
	call, err := callOf(x)
	if err != nil {
		return nil, err
	}
	dialogue := *call.request
	ignore, err := p.IgnoreSystem.Get(x)
	if err != nil {
		return nil, err
	}
	if ignore {
		dialogue.Messages = nil
		for _, m := range call.request.Messages {
			if !m.isSystem() {
				dialogue.Messages = append(dialogue.Messages, m)
			}
		}
	}
	most, err := p.MaxMessages.Get(x)
	if err != nil {
		return nil, err
	}
	text := dialogue.text()
	if text == "" || dialogue.Stream || p.MaxMessages.IsSet() && int64(len(dialogue.Messages)) > most {
		return nil, nil
	}
	backend, err := p.Backend.Get(x)
	if err != nil {
		return nil, err
	}
	c := &semanticCaching{}
	if c.space, err = p.space(x, &dialogue, backend); err != nil {
		return nil, err
	}
	if c.vector, err = embed(x, backend, text); err != nil {
		cacheFailed(x, err)
		return nil, nil
	}
	return c, nil
}

// space is what answers have in common that may stand for one another.
func (p *semanticLookup) space(x *policy.Exec, r *llmRequest, backend string) (string, error) {
	key := cacheKey{b: []byte("semantic|")}
	if x.API != nil {
		key.add(x.API.ID)
	}
	if x.Product != nil { // its policies may have changed the answer
		key.add("product", x.Product.Name)
	}
	key.add(x.OriginalURL.Path, r.Model, strings.ToLower(backend))
	images := 0
	for i := range r.Messages {
		images += r.Messages[i].Images
	}
	if images > 0 { // what they show is not in the text
		body, err := x.ReadRequestBody()
		if err != nil {
			return "", err
		}
		key.add("images", string(body))
	}
	for i := range p.VaryBy {
		value, err := p.VaryBy[i].Get(x)
		if err != nil {
			return "", err
		}
		key.add("vary-by", value)
	}
	return string(key.b), nil
}

// embed asks for the vector of a text (Create embeddings of OpenAI).
func embed(x *policy.Exec, backend, text string) ([]float32, error) {
	in := struct {
		Input string `json:"input"`
	}{text}
	var out struct {
		Data []struct {
			Embedding []float32 `json:"embedding"`
		} `json:"data"`
	}
	path, query := "", ""
	if b, ok := x.Host.Backend(backend); ok {
		path, query = embeddingsTarget(b.URL)
	}
	if err := askService(x, backend, path, query, in, &out); err != nil {
		return nil, fmt.Errorf("make an embedding: %w", err)
	}
	if len(out.Data) == 0 || len(out.Data[0].Embedding) == 0 {
		return nil, errors.New("make an embedding: the answer holds none")
	}
	return out.Data[0].Embedding, nil
}

// embeddingsTarget is what is missing of a URL for the operation: people give the whole URL, the base of an API, or a deployment of Azure OpenAI without
// a version.
func embeddingsTarget(base string) (path, query string) {
	u, err := message.ParseURL(base)
	if err != nil {
		return "", ""
	}
	if !strings.HasSuffix(strings.TrimSuffix(u.Path, "/"), "/embeddings") {
		path = "/embeddings"
	}
	if strings.Contains(u.Path, "/openai/deployments/") && !strings.Contains(u.RawQuery, "api-version=") {
		query = "api-version=2024-10-21"
	}
	return path, query
}
