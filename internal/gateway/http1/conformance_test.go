package http1_test

import (
	"testing"

	"github.com/causeway-apim/causeway/internal/gateway/http1"
	"github.com/causeway-apim/causeway/internal/message"
	"github.com/causeway-apim/causeway/internal/message/messagetest"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	messagetest.Run(t, messagetest.Engine{
		Serve: func(t *testing.T, h message.Handler) message.URL {
			return target(t, startServer(t, &http1.Server{Handler: h}))
		},
		Transport: func(t *testing.T) message.Transport { return newClient(t) },
		HTTP1:     true,
	})
}
