package policies

import (
	"encoding/json"
	"strings"
)

// llmUsage is how many tokens a call has cost.
type llmUsage struct{ prompt, completion, total int64 }

// llmRawUsage is the usage in an answer, under the names of all who have one.
type llmRawUsage struct {
	Prompt        *int64 `json:"prompt_tokens"`
	Completion    *int64 `json:"completion_tokens"`
	Total         *int64 `json:"total_tokens"`
	Input         *int64 `json:"input_tokens"`
	Output        *int64 `json:"output_tokens"`
	CacheCreation *int64 `json:"cache_creation_input_tokens"` // Anthropic, not part of the input
	CacheRead     *int64 `json:"cache_read_input_tokens"`
	GooglePrompt  *int64 `json:"promptTokenCount"`
	Candidates    *int64 `json:"candidatesTokenCount"`
	Thoughts      *int64 `json:"thoughtsTokenCount"`
	GoogleTotal   *int64 `json:"totalTokenCount"`
}

// maxTokens is the largest number of tokens that is believed.
const maxTokens = 1 << 40

// merge takes the numbers that an answer, or a part of one, says. ok is false when it says none.
func (u *llmUsage) merge(raw *llmRawUsage) (ok bool) {
	if raw == nil {
		return false
	}
	sum := func(numbers ...*int64) (n int64, any bool) {
		for _, p := range numbers {
			if p != nil {
				n, any = n+min(max(*p, 0), maxTokens), true
			}
		}
		return n, any
	}
	if n, any := sum(raw.Prompt, raw.Input, raw.CacheCreation, raw.CacheRead, raw.GooglePrompt); any {
		u.prompt, ok = n, true
	}
	if n, any := sum(raw.Completion, raw.Output, raw.Candidates, raw.Thoughts); any {
		u.completion, ok = n, true
	}
	u.total = u.prompt + u.completion
	if n, any := sum(raw.Total, raw.GoogleTotal); any {
		u.total, ok = n, true
	}
	return ok
}

// llmAnswer is an answer of a model, or one event of an answer that streams.
type llmAnswer struct {
	Type  string       `json:"type"` // of events of the responses API and of Anthropic
	Usage *llmRawUsage `json:"usage"`
	// UsageMetadata is Google's usage.
	UsageMetadata *llmRawUsage `json:"usageMetadata"`
	Choices       []struct {
		Text    string          `json:"text"`
		Message json.RawMessage `json:"message"`
		Delta   json.RawMessage `json:"delta"`
	} `json:"choices"`
	Output     json.RawMessage `json:"output"`     // responses API
	Content    json.RawMessage `json:"content"`    // Anthropic
	Candidates json.RawMessage `json:"candidates"` // Google
	Delta      json.RawMessage `json:"delta"`      // events
	Response   *struct {
		Usage *llmRawUsage `json:"usage"`
	} `json:"response"`
	Message *struct {
		Usage *llmRawUsage `json:"usage"`
	} `json:"message"`
}

// usage takes over what the answer says of its cost.
func (a *llmAnswer) usage(u *llmUsage) (ok bool) {
	ok = u.merge(a.Usage)
	ok = u.merge(a.UsageMetadata) || ok
	if a.Response != nil {
		ok = u.merge(a.Response.Usage) || ok
	}
	if a.Message != nil {
		ok = u.merge(a.Message.Usage) || ok
	}
	return ok
}

// text is what the model says in the answer or event.
func (a *llmAnswer) text() string {
	var b strings.Builder
	add := func(raw json.RawMessage) {
		var v any
		if len(raw) > 0 && json.Unmarshal(raw, &v) == nil {
			walkAnswer(&b, v, maxContentDepth)
		}
	}
	for i := range a.Choices {
		b.WriteString(a.Choices[i].Text)
		add(a.Choices[i].Message)
		add(a.Choices[i].Delta)
	}
	add(a.Output)
	add(a.Content)
	add(a.Candidates)
	if a.Type == "" || strings.HasSuffix(a.Type, "delta") {
		add(a.Delta)
	}
	return b.String()
}

// walkAnswer finds the texts in a part of an answer.
func walkAnswer(b *strings.Builder, v any, depth int) {
	if depth == 0 {
		return
	}
	switch v := v.(type) {
	case string:
		b.WriteString(v)
	case []any:
		for _, item := range v {
			walkAnswer(b, item, depth-1)
		}
	case map[string]any:
		for _, name := range []string{
			"reasoning_content", "text", "thinking", "content", "parts", "refusal", "partial_json", "function", "function_call", "tool_calls", "arguments", "input",
		} {
			if inner, ok := v[name]; ok {
				walkAnswer(b, inner, depth-1)
			}
		}
	}
}
