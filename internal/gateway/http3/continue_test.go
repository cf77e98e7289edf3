package http3_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/causeway-apim/causeway/internal/gateway/http3"
	"github.com/causeway-apim/causeway/internal/message"
)

// TestAnswerBesideContinue answers while a transport begins to read the body that the client keeps until it is asked for it.
func TestAnswerBesideContinue(t *testing.T) {
	t.Parallel()
	var reading sync.WaitGroup
	c, address := client(t), start(t, &http3.Server{Handler: message.HandlerFunc(func(x message.Exchange) {
		body := x.Request().Body
		reading.Go(func() {
			_, _ = body.Read(make([]byte, 1))
			_ = body.Close()
		})
		resp := &message.Response{Status: 401, Header: message.NewHeader("x-a", "a", "x-b", "b")}
		if err := x.Respond(resp); err != nil {
			t.Errorf("answer: %v", err)
		}
	})})
	for range 50 {
		response, _ := send(t, c, "POST", "https://"+address+"/", strings.NewReader("hello"), func(r *http.Request) { r.Header.Set("Expect", "100-continue") })
		if response.StatusCode != 401 || response.Header.Get("X-A") != "a" || response.Header.Get("X-B") != "b" {
			t.Errorf("answer %d, fields %v", response.StatusCode, response.Header)
		}
	}
	reading.Wait()
}
