package policies

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// llmRequest is what a request asks a language model, in any of the shapes that are in use: chat completions, completions, embeddings and responses of
// OpenAI and of those that follow it, messages of Anthropic, contents of Google's Vertex AI.
type llmRequest struct {
	Model    string
	Stream   bool
	Messages []llmMessage
	// Chat says that the messages have roles, each of which costs a few tokens.
	Chat bool
	// Numbers is how many tokens came as numbers.
	Numbers int
}

// llmMessage is one message of a dialogue, or a prompt.
type llmMessage struct {
	Role   string
	Text   string
	Images int
}

// isSystem says whether a message instructs the model and is not part of the dialogue.
func (m *llmMessage) isSystem() bool { return m.Role == "system" || m.Role == "developer" }

// parseLLMRequest reads a request. A body of another shape is a request that says nothing.
func parseLLMRequest(body []byte) *llmRequest {
	var raw struct {
		Model             string          `json:"model"`
		Stream            bool            `json:"stream"`
		Messages          []llmRawMessage `json:"messages"`
		System            json.RawMessage `json:"system"`
		Prompt            json.RawMessage `json:"prompt"`
		Input             json.RawMessage `json:"input"`
		Instructions      json.RawMessage `json:"instructions"`
		Contents          []llmRawMessage `json:"contents"`
		SystemInstruction *llmRawMessage  `json:"systemInstruction"`
		Tools             json.RawMessage `json:"tools"`
		Functions         json.RawMessage `json:"functions"`
	}
	if json.Unmarshal(body, &raw) != nil {
		return &llmRequest{}
	}
	r := &llmRequest{Model: raw.Model, Stream: raw.Stream, Chat: len(raw.Messages)+len(raw.Contents) > 0}
	r.add("system", raw.System)
	r.add("system", raw.Instructions)
	r.add("system", raw.Tools)
	r.add("system", raw.Functions)
	if raw.SystemInstruction != nil {
		raw.SystemInstruction.Role = "system"
		raw.Contents = append([]llmRawMessage{*raw.SystemInstruction}, raw.Contents...)
	}
	for _, m := range append(raw.Messages, raw.Contents...) {
		r.addMessage(m)
	}
	r.add("", raw.Prompt)
	var dialogue []llmRawMessage
	if json.Unmarshal(raw.Input, &dialogue) == nil && len(dialogue) > 0 { // of the responses API
		r.Chat = true
		for _, m := range dialogue {
			r.addMessage(m)
		}
	} else {
		r.add("user", raw.Input)
	}
	return r
}

// llmRawMessage is a message with its content in any form.
type llmRawMessage struct {
	Role      string          `json:"role"`
	Content   json.RawMessage `json:"content"`
	Parts     json.RawMessage `json:"parts"`
	ToolCalls json.RawMessage `json:"tool_calls"`
	Output    json.RawMessage `json:"output"`
}

func (r *llmRequest) addMessage(raw llmRawMessage) {
	m := llmMessage{Role: strings.ToLower(raw.Role)}
	for _, content := range []json.RawMessage{raw.Content, raw.Parts, raw.ToolCalls, raw.Output} {
		c := contentOf(content)
		m.Text += c.text
		m.Images += c.images
	}
	r.Messages = append(r.Messages, m)
}

// add adds what stands in a property as one message.
func (r *llmRequest) add(role string, raw json.RawMessage) {
	c := contentOf(raw)
	r.Numbers += c.numbers
	if c.text != "" || c.images > 0 {
		r.Messages = append(r.Messages, llmMessage{Role: role, Text: c.text, Images: c.images})
	}
}

// text is all text, a line break between messages.
func (r *llmRequest) text() string {
	var b strings.Builder
	for i := range r.Messages {
		if r.Messages[i].Text == "" {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(r.Messages[i].Text)
	}
	return b.String()
}

// content is what was found in a value.
type content struct {
	text            string
	images, numbers int
}

// maxContentDepth is how deep contents may be nested.
const maxContentDepth = 16

// contentOf finds the texts in a content: a string, or parts of several kinds.
func contentOf(raw json.RawMessage) content {
	var c content
	if len(raw) == 0 {
		return c
	}
	var v any
	if json.Unmarshal(raw, &v) != nil {
		return c
	}
	var b strings.Builder
	c.walk(&b, v, maxContentDepth)
	c.text = b.String()
	return c
}

func (c *content) walk(b *strings.Builder, v any, depth int) {
	if depth == 0 {
		return
	}
	switch v := v.(type) {
	case string:
		if b.Len() > 0 && v != "" {
			b.WriteByte('\n')
		}
		b.WriteString(v)
	case float64:
		c.numbers++
	case []any:
		for _, item := range v {
			c.walk(b, item, depth-1)
		}
	case map[string]any:
		if isImage(v) {
			c.images++
			return
		}
		// What a model reads of a part: its text, and of tools their names, descriptions and arguments.
		for _, name := range []string{"text", "content", "name", "description", "arguments", "input", "output", "function", "parameters", "properties", "refusal"} {
			c.walkProperty(b, name, v[name], depth)
		}
	}
}

// walkProperty looks into a property. The properties of a schema have names that count.
func (c *content) walkProperty(b *strings.Builder, name string, v any, depth int) {
	inner, ok := v.(map[string]any)
	if name != "properties" || !ok {
		c.walk(b, v, depth-1)
		return
	}
	for _, name := range slices.Sorted(maps.Keys(inner)) {
		c.walk(b, name, depth-1)
		c.walk(b, inner[name], depth-1)
	}
}

// isImage says whether a part of a content is an image.
func isImage(part map[string]any) bool {
	if kind, _ := part["type"].(string); strings.Contains(kind, "image") {
		return true
	}
	data, ok := part["inlineData"].(map[string]any)
	if !ok {
		return false
	}
	mime, _ := data["mimeType"].(string)
	return strings.HasPrefix(mime, "image/")
}
