package gateway

import (
	"encoding/json"
	"strings"

	"github.com/causeway-apim/causeway/internal/snapshot"
	"github.com/causeway-apim/causeway/internal/telemetry"
)

// modelAnswer is what answers of language models have in common: chat completions, responses and their streams.
type modelAnswer struct {
	ID    string `json:"id"`
	Model string `json:"model"`
	Usage *struct {
		Prompt     int `json:"prompt_tokens"`
		Input      int `json:"input_tokens"`
		Completion int `json:"completion_tokens"`
		Output     int `json:"output_tokens"`
		Total      int `json:"total_tokens"`
	} `json:"usage"`
	Response *modelAnswer `json:"response"` // in the events of a stream
}

// modelExchange is what a diagnostic says of an exchange with a language model; nil when the messages are not of one.
func modelExchange(want *snapshot.ModelExchanges, request, response *bodyStart) *telemetry.ModelExchange {
	asked := request.text(want.RequestLimit())
	var question struct {
		Model    string          `json:"model"`
		Stream   bool            `json:"stream"`
		Messages json.RawMessage `json:"messages"`
		Input    json.RawMessage `json:"input"`
		Prompt   json.RawMessage `json:"prompt"`
	}
	if json.Unmarshal([]byte(asked), &question) != nil || len(question.Messages)+len(question.Input)+len(question.Prompt) == 0 {
		return nil
	}
	m := &telemetry.ModelExchange{Model: question.Model, Stream: question.Stream}
	answered := response.text(want.ResponseLimit())
	m.Request, m.Response = cutText(asked, want.RequestBytes), cutText(answered, want.ResponseBytes)
	var whole modelAnswer
	if json.Unmarshal([]byte(answered), &whole) == nil {
		whole.into(m)
		return m
	}
	for line := range strings.Lines(answered) {
		data, ok := strings.CutPrefix(line, "data:")
		var part modelAnswer
		if ok && json.Unmarshal([]byte(data), &part) == nil {
			part.into(m)
		}
	}
	return m
}

// into takes over what an answer, or a part of one that streams, says.
func (a *modelAnswer) into(m *telemetry.ModelExchange) {
	if a.Response != nil {
		a.Response.into(m)
	}
	if a.ID != "" {
		m.RequestID = a.ID
	}
	if a.Model != "" {
		m.Model = a.Model
	}
	if u := a.Usage; u != nil {
		m.PromptTokens, m.CompletionTokens = max(u.Prompt, u.Input), max(u.Completion, u.Output)
		m.TotalTokens = max(u.Total, m.PromptTokens+m.CompletionTokens)
	}
}

func cutText(s string, most int) string {
	if len(s) > most {
		return strings.ToValidUTF8(s[:most], "")
	}
	return s
}
