package policies

import (
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/causeway-apim/causeway/internal/message"
)

func TestEstimateTokens(t *testing.T) {
	t.Parallel()
	// What the encoding cl100k_base makes of a text is known; the estimate must be within a fifth, or two tokens.
	for _, c := range []struct {
		text string
		want int64
	}{
		{"", 0},
		{"hello", 1},
		{"hello world", 2},
		{"What is the capital of France?", 7},
		{"The quick brown fox jumps over the lazy dog.", 10},
		{"tiktoken is great!", 6},
		{"antidisestablishmentarianism", 6},
		{"2 + 2 = 4", 7},
		{"1234567890", 4},
		{"お誕生日おめでとう", 9},
	} {
		got := estimateTokens(c.text)
		if d := got - c.want; d > max(c.want/5, 2) || -d > max(c.want/5, 2) {
			t.Errorf("%q is estimated as %d tokens, it is %d", c.text, got, c.want)
		}
	}
}

func TestRequestsOfAllShapes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		body, text string
		images     int
		numbers    int
	}{
		{`{"messages":[{"role":"user","content":"a"},{"role":"user","content":[{"type":"text","text":"b"},{"type":"image_url","image_url":{"url":"x"}}]}]}`, "a\nb", 1, 0},
		{`{"prompt":"a"}`, "a", 0, 0},
		{`{"prompt":["a","b"]}`, "a\nb", 0, 0},
		{`{"prompt":[[1,2],[3]]}`, "", 0, 3},
		{`{"input":"a"}`, "a", 0, 0},
		{`{"input":[1,2,3]}`, "", 0, 3},
		{`{"instructions":"i","input":[{"role":"user","content":[{"type":"input_text","text":"a"},{"type":"input_image","image_url":"x"}]}]}`, "i\na", 1, 0},
		{`{"system":[{"type":"text","text":"s"}],"messages":[{"role":"user","content":[{"type":"text","text":"a"}]}]}`, "s\na", 0, 0},
		{`{"systemInstruction":{"parts":[{"text":"s"}]},"contents":[{"role":"user","parts":[{"text":"a"},{"inlineData":{"mimeType":"image/png","data":"x"}}]}]}`, "s\na", 1, 0},
		{`{"messages":"no list"}`, "", 0, 0},
		{`no json`, "", 0, 0},
	} {
		r := parseLLMRequest([]byte(c.body))
		images := 0
		for i := range r.Messages {
			images += r.Messages[i].Images
		}
		if r.text() != c.text || images != c.images || r.Numbers != c.numbers {
			t.Errorf("%s: text %q, %d images, %d numbers", c.body, r.text(), images, r.Numbers)
		}
	}
}

func TestQuotaPeriods(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 23, 30, 0, 0, time.FixedZone("", 2*60*60)) // a Sunday
	for name, want := range map[string][2]string{
		"Hourly":  {"2026-03-01T21:00:00Z", "2026-03-01T22:00:00Z"},
		"Daily":   {"2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z"},
		"Weekly":  {"2026-02-23T00:00:00Z", "2026-03-02T00:00:00Z"},
		"Monthly": {"2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z"},
		"Yearly":  {"2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"},
	} {
		start, end := quotaPeriod(name, now)
		if got := [2]string{start.Format(time.RFC3339), end.Format(time.RFC3339)}; got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
}

// chunks is a body that gives a few bytes at a time.
type chunks struct{ io.Reader }

func (chunks) Close() error { return nil }

func chunked(s string) message.Body { return chunks{iotest.OneByteReader(strings.NewReader(s))} }

const eventStream = "data: {\"choices\":[{\"delta\":{\"content\":\"one\"}}]}\r\n\r\ndata: {\"choices\":[{\"delta\":{\"content\":\" two\"}}]}\r\n\r\ndata: [DONE]\r\n\r\n"

func TestStreamsAreCountedAsTheyPass(t *testing.T) {
	t.Parallel()
	var told []llmUsage
	b := &meteredBody{Body: chunked(eventStream), done: func(s *streamedAnswer) { told = append(told, s.cost(10)) }}
	data, err := io.ReadAll(b)
	if err != nil || string(data) != eventStream {
		t.Errorf("%q, %v", data, err)
	}
	if err := b.Close(); err != nil || len(told) != 1 || told[0] != (llmUsage{10, 2, 12}) {
		t.Errorf("told %v, %v", told, err)
	}

	told = nil
	b = &meteredBody{Body: chunked(eventStream), done: func(s *streamedAnswer) { told = append(told, s.cost(10)) }}
	if _, err := io.ReadFull(b, make([]byte, 60)); err != nil {
		t.Fatal(err)
	}
	if err := b.Close(); err != nil || len(told) != 1 || told[0] != (llmUsage{10, 1, 11}) {
		t.Errorf("of a stream that the client left: %v, %v", told, err)
	}
}

func TestLongLinesOfStreamsPass(t *testing.T) {
	t.Parallel()
	text := "data: " + strings.Repeat("x", maxEventLine+10) + "\n" + eventStream
	var told llmUsage
	b := &meteredBody{Body: message.StringBody(text), done: func(s *streamedAnswer) {
		told = s.cost(0)
		if cap(s.line) > 2*maxEventLine {
			t.Errorf("%d bytes are kept of a line", cap(s.line))
		}
	}}
	if n, err := io.Copy(io.Discard, b); err != nil || n != int64(len(text)) || told.total != 2 {
		t.Errorf("%d bytes, %v, %v", n, err, told)
	}
}

func TestJudgedStreams(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		refuse string
		want   string
		judged string
	}{
		{"", eventStream, "one|e two"},
		{"two", eventStream[:strings.Index(eventStream, "data: {\"choices\":[{\"delta\":{\"content\":\" two")], "one|e two"},
		{"one", "", "one"},
	} {
		var judged []string
		failures := 0
		b := &judgedBody{Body: chunked(eventStream), window: 3, overlap: 1, failed: func(error) { failures++ }, judge: func(text string) error {
			judged = append(judged, text)
			if c.refuse != "" && strings.Contains(strings.Join(judged, ""), c.refuse) {
				return io.ErrUnexpectedEOF
			}
			return nil
		}}
		data, err := io.ReadAll(b)
		passed := strings.TrimRight(string(data), "\r\n")
		if err != nil || passed != strings.TrimRight(c.want, "\r\n") || failures > 1 || (failures == 1) != (c.refuse != "") {
			t.Errorf("refusing %q: %q, %v, judged %q", c.refuse, data, err, judged)
		}
		if !strings.HasPrefix(strings.Join(judged, "|"), "one") {
			t.Errorf("judged %q", judged)
		}
	}
}

func FuzzLLM(f *testing.F) {
	for _, s := range []string{
		eventStream, `{"messages":[{"role":"user","content":[{"type":"text","text":"é 世界 123 !?"}]}],"stream":true}`,
		`{"usage":{"prompt_tokens":-1,"total_tokens":9223372036854775807}}`, "data: {\"type\":\"message_delta\",\"usage\":{\"output_tokens\":3}}\n",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r := parseLLMRequest([]byte(s))
		c := &llmCall{request: r, prompt: r.tokens()}
		u := c.cost([]byte(s))
		var streamed streamedAnswer
		streamed.pass([]byte(s))
		v := streamed.cost(c.prompt)
		if c.prompt < 0 || u.total < 0 || v.total < 0 || c.prompt > int64(4*len(s))+tokensPerImage*int64(len(s)) {
			t.Errorf("prompt %d, cost %v, streamed %v", c.prompt, u, v)
		}
	})
}
