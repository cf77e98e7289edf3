package policies

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"

	"github.com/causeway-apim/causeway/internal/message"
	"github.com/causeway-apim/causeway/internal/policy"
)

// llmCall is what the policies of language models share about one request.
type llmCall struct {
	request *llmRequest
	prompt  int64  // estimated tokens of the request
	backend string // entity that was called
	// counted are those who want to know the cost. x is nil when the answer has streamed: then the pipeline is over.
	counted []func(x *policy.Exec, u llmUsage)
}

// llmCallKey is the key of it in the state of the request.
type llmCallKey struct{}

// callOf reads the request of a language model, once.
func callOf(x *policy.Exec) (*llmCall, error) {
	if c, ok := x.State(llmCallKey{}).(*llmCall); ok {
		return c, nil
	}
	body, err := x.ReadRequestBody()
	if err != nil {
		return nil, err
	}
	c := &llmCall{request: parseLLMRequest(body)}
	c.prompt = c.request.tokens()
	x.SetState(llmCallKey{}, c)
	return c, nil
}

// count calls f with the cost when it is known: before outbound, or, for an answer that streams, when its end has passed.
func (c *llmCall) count(x *policy.Exec, f func(x *policy.Exec, u llmUsage)) {
	if len(c.counted) == 0 {
		// What is compressed could not be read as it passes.
		x.Request.Header.Set("Accept-Encoding", "identity")
		x.AtAnswer(c.answered)
	}
	c.counted = append(c.counted, f)
}

func (c *llmCall) tell(x *policy.Exec, u llmUsage) {
	for _, f := range c.counted {
		f(x, u)
	}
}

// answered looks at the response of the backend service. An error costs nothing.
func (c *llmCall) answered(x *policy.Exec) error {
	r := x.Response
	c.backend = strings.Clone(x.BackendID)
	switch kind := strings.ToLower(r.Header.Get("Content-Type")); {
	case r.Status < 200 || r.Status > 299 || r.Body == nil:
		c.tell(x, llmUsage{})
	case strings.HasPrefix(kind, "text/event-stream"):
		r.Body = &meteredBody{Body: r.Body, done: func(s *streamedAnswer) { c.tell(nil, s.cost(c.prompt)) }}
	default:
		body, err := x.ReadResponseBody()
		if err != nil {
			return err
		}
		c.tell(x, c.cost(body))
	}
	return nil
}

// cost is the cost that an answer says, or else an estimate. An answer that is none of a language model costs nothing.
func (c *llmCall) cost(body []byte) (u llmUsage) {
	var answers []llmAnswer // Google streams an array
	if err := json.Unmarshal(body, &answers); err != nil {
		answers = make([]llmAnswer, 1)
		if json.Unmarshal(body, &answers[0]) != nil {
			return u
		}
	}
	known, text := false, int64(0)
	for i := range answers {
		known = answers[i].usage(&u) || known
		text += estimateTokens(answers[i].text())
	}
	if !known && text > 0 {
		u = llmUsage{c.prompt, text, c.prompt + text}
	}
	return u
}

// streamedAnswer is what is known of an answer that streams, as it passes.
type streamedAnswer struct {
	usage      llmUsage
	known      bool
	completion int64 // estimated
	line       []byte
	skip       bool // the line is too long to be looked at
	ended      bool
}

// maxEventLine is the length up to which lines of an event stream are looked at.
const maxEventLine = 1 << 20

// cost is the cost of what has passed.
func (s *streamedAnswer) cost(prompt int64) llmUsage {
	if !s.known {
		return llmUsage{prompt, s.completion, prompt + s.completion}
	}
	u := s.usage
	if u.completion == 0 { // it ended before it said so
		u.completion = s.completion
		u.total = max(u.total, u.prompt+u.completion)
	}
	return u
}

// pass looks at bytes of the stream.
func (s *streamedAnswer) pass(p []byte) {
	for len(p) > 0 {
		part, rest, found := bytes.Cut(p, []byte{'\n'})
		p = rest
		if len(s.line)+len(part) > maxEventLine {
			s.skip = true
		}
		if !found {
			if !s.skip {
				s.line = append(s.line, part...)
			}
			return
		}
		if !s.skip {
			if len(s.line) > 0 {
				part = append(s.line, part...)
			}
			s.event(part)
		}
		s.line, s.skip = s.line[:0], false
	}
}

// event looks at a line of an event.
func (s *streamedAnswer) event(line []byte) {
	text, delta, ok := eventText(line, &s.usage)
	s.known = s.known || ok
	if delta {
		s.completion += max(estimateTokens(text), 1)
	}
	s.ended = s.ended || isLastEvent(line)
}

// eventText is what an event says: its text, and whether it has one; known says that it tells the cost.
func eventText(line []byte, u *llmUsage) (text string, delta, known bool) {
	data, ok := bytes.CutPrefix(line, []byte("data:"))
	data = bytes.TrimSpace(data)
	if !ok || len(data) == 0 || data[0] != '{' {
		return "", false, false
	}
	var a llmAnswer
	if json.Unmarshal(data, &a) != nil {
		return "", false, false
	}
	text = a.text()
	if strings.HasSuffix(a.Type, ".done") || strings.HasSuffix(a.Type, ".completed") { // the responses API repeats there what was said
		text = ""
	}
	return text, text != "", a.usage(u)
}

// isLastEvent says whether nothing of interest follows. Whoever gets it may call again at once.
func isLastEvent(line []byte) bool {
	data, ok := bytes.CutPrefix(line, []byte("data:"))
	data = bytes.TrimSpace(data)
	return ok && (bytes.Equal(data, []byte("[DONE]")) || bytes.Contains(data, []byte(`"message_stop"`)) || bytes.Contains(data, []byte(`"response.completed"`)))
}

// meteredBody is a stream that is counted as it passes.
type meteredBody struct {
	message.Body
	answer streamedAnswer
	done   func(*streamedAnswer)
}

func (b *meteredBody) Read(p []byte) (int, error) {
	n, err := b.Body.Read(p)
	b.answer.pass(p[:n])
	if err != nil || b.answer.ended {
		if err == io.EOF && len(b.answer.line) > 0 {
			b.answer.pass([]byte{'\n'})
		}
		b.finish()
	}
	return n, err
}

// Close counts what has passed of a stream that nobody wants to the end.
func (b *meteredBody) Close() error {
	b.finish()
	return b.Body.Close()
}

func (b *meteredBody) finish() {
	if done := b.done; done != nil {
		b.done = nil
		done(&b.answer)
	}
}

// Buffered implements [message.Buffered].
func (b *meteredBody) Buffered() int {
	if buffered, ok := b.Body.(message.Buffered); ok {
		return buffered.Buffered()
	}
	return 0
}
