package gateway

import (
	"slices"
	"strings"

	"github.com/causeway-apim/causeway/internal/snapshot"
)

// traits are what each request asks of its API, worked out once.
type traits struct {
	kind                 apiKind
	workspace            string // "" for the service's own APIs
	http, https, ws, wss bool   // the protocols over which it is offered
}

// apiKind is what an API speaks.
type apiKind uint8

const (
	plainAPI apiKind = iota // HTTP
	graphQLAPI
	grpcAPI
	soapAPI // passed through
	webSocketAPI
)

func traitsOf(part *snapshot.API) traits {
	offers := func(protocol string) bool { return slices.Contains(part.Protocols, protocol) }
	t := traits{
		workspace: workspaceOfName(part.ID),
		http:      offers("http"), https: offers("https"), ws: offers("ws"), wss: offers("wss"),
	}
	switch {
	case strings.EqualFold(part.Type, "graphql"):
		t.kind = graphQLAPI
	case strings.EqualFold(part.Type, "grpc"):
		t.kind = grpcAPI
	case part.Type == "soap":
		t.kind = soapAPI
	case part.Type == "websocket":
		t.kind = webSocketAPI
	}
	return t
}

// isWebSocket says whether the API passes WebSocket connections through and
// takes nothing else.
func (a *api) isWebSocket() bool { return a.kind == webSocketAPI }
