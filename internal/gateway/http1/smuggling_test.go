package http1_test

import (
	"testing"

	"github.com/causeway-apim/causeway/internal/gateway/http1"
	"github.com/causeway-apim/causeway/internal/message/messagetest"
)

// TestSmuggling sends malformed and tricky requests through the server and the client to a server of net/http, whose verdict counts.
func TestSmuggling(t *testing.T) {
	t.Parallel()
	witness := messagetest.NewWitness(t)
	front := startServer(t, &http1.Server{Handler: &proxy{target(t, witness.Address()), newClient(t)}})
	witness.CheckSmuggling(t, front)
}
