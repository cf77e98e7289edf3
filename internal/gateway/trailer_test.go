package gateway_test

import (
	"testing"

	"github.com/causeway-apim/causeway/internal/message"
)

// TestForwardTrailerLate has a transport read the end of a body after the exchange, which may be another one's by then.
func TestForwardTrailerLate(t *testing.T) {
	t.Parallel()
	w := forwardWorld(t, "")
	x := newExchange(t, "POST "+host+"/a/")
	x.req.Body, x.req.ContentLength = &trailedBody{x: x}, -1
	var sent *message.Request
	w.backend.answer = func(r *message.Request) (*message.Response, error) {
		sent = r
		return &message.Response{Status: 204}, nil
	}
	w.gateway.Serve(x)
	x.end()
	if data, err := message.ReadAll(sent.Body, 100, -1); string(data) != "body" || err != nil || sent.Trailer.Len() > 0 {
		t.Errorf("body %q, trailer %v, %v", data, sent.Trailer, err)
	}
}
