package telemetry

import (
	"context"
	"log/slog"
)

// CategoryModelLogs is the category of exchanges with language models among the logs of Azure Monitor.
const CategoryModelLogs = "GatewayLlmLogs"

// modelChunk is how much of a message one line holds: longer ones have several, by their sequence numbers.
const modelChunk = 32 << 10

// ModelExchange is what is known of an exchange with a language model. Messages are empty unless they are wanted.
type ModelExchange struct {
	Model, RequestID                            string
	PromptTokens, CompletionTokens, TotalTokens int
	Stream                                      bool
	Request, Response                           string
}

// LogModel writes the log lines of an exchange with a language model, if the record has one: the columns of the table ApiManagementGatewayLlmLog.
func LogModel(log *slog.Logger, r *Record) {
	if r.Captured == nil || r.Captured.Model == nil {
		return
	}
	m := r.Captured.Model
	for sequence, request, response := 0, m.Request, m.Response; sequence == 0 || request != "" || response != ""; sequence++ {
		attrs := make([]slog.Attr, 0, 20)
		text := func(key, value string) {
			if value != "" {
				attrs = append(attrs, slog.String(key, value))
			}
		}
		text(EventKey, "ModelExchange")
		text("category", CategoryModelLogs)
		text("operationName", "Microsoft.ApiManagement/"+CategoryModelLogs)
		text("timeGenerated", r.Time.UTC().Format(timeLayout)+"Z")
		text("correlationId", UUIDText(r.RequestID))
		text("region", r.Region)
		text("requestId", m.RequestID)
		text("modelName", m.Model)
		attrs = append(attrs, slog.Int("sequenceNumber", sequence), slog.Bool("isStreamCompletion", m.Stream))
		if sequence == 0 {
			attrs = append(attrs, slog.Int("promptTokens", m.PromptTokens), slog.Int("completionTokens", m.CompletionTokens), slog.Int("totalTokens", m.TotalTokens))
		}
		text("requestMessages", cutChunk(&request))
		text("responseMessages", cutChunk(&response))
		log.LogAttrs(context.Background(), slog.LevelInfo, "A language model was asked.", attrs...)
	}
}

// cutChunk takes a line's part off the start of a message.
func cutChunk(s *string) string {
	n := min(len(*s), modelChunk)
	chunk := (*s)[:n]
	*s = (*s)[n:]
	return chunk
}

// AppendJSON appends the record as a JSON object with the columns of ApiManagementGatewayLogs.
func (r *Record) AppendJSON(b []byte) []byte {
	b = append(b, '{')
	for i, a := range r.AppendAttrs(nil) {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendJSONString(b, a.Key), ':')
		b = appendJSONValue(b, a.Value)
	}
	return append(b, '}')
}
