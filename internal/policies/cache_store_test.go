package policies

import (
	"strings"
	"testing"
	"time"

	"github.com/causeway-apim/causeway/internal/message"
)

// streamBody is a body that comes in parts and has no length.
type streamBody struct {
	*strings.Reader
	closed bool
}

func (b *streamBody) Close() error { b.closed = true; return nil }

func TestCacheableBody(t *testing.T) {
	t.Parallel()
	f := func(size int, length int64, contentType string, kept, closed bool) {
		t.Helper()
		content := strings.Repeat("a", size)
		source := &streamBody{Reader: strings.NewReader(content)}
		r := &message.Response{Header: message.NewHeader("Content-Type", contentType), Body: source, ContentLength: length}
		body, ok, err := cacheableBody(r)
		if err != nil || ok != kept || source.closed != closed || kept && string(body) != content {
			t.Errorf("size %d, length %d: %d bytes, %v, %v, closed %v", size, length, len(body), ok, err, source.closed)
		}
		if all, err := message.ReadAll(r.Body, 1<<40, -1); err != nil || string(all) != content {
			t.Errorf("size %d: %d bytes are left, %v", size, len(all), err)
		}
	}
	f(10, -1, "text/plain", true, true)
	f(maxCachedBody, -1, "", true, true)
	f(maxCachedBody+1, -1, "", false, false)
	f(maxCachedBody+1, maxCachedBody+1, "", false, false)
	f(10, -1, "Text/Event-Stream; charset=utf-8", false, false)
}

// FuzzDecodeResponse feeds what a shared cache might hold.
func FuzzDecodeResponse(f *testing.F) {
	stored := storedResponse{
		status: 200, reason: "Fine", header: message.NewHeader("X-A", "1", "Set-Cookie", "a=b", "X-B", ""), body: []byte("body"),
		expires: time.Unix(1_767_323_045, 0),
	}
	f.Add(stored.encode())
	f.Add([]byte{})
	f.Add([]byte("\x00\xc8\x01\x00\xff\xff\xff\xff\x0f"))
	f.Add([]byte("\x00\xc8\x01\x00\x01\x03X A\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := decodeResponse(data)
		if err != nil {
			return
		}
		again, err := decodeResponse(s.encode())
		if err != nil || again.status != s.status || string(again.body) != string(s.body) || again.header.Has("Set-Cookie") {
			t.Errorf("%+v became %+v, %v", s, again, err)
		}
	})
}
