package policy

import (
	"fmt"
	"strings"

	"github.com/causeway-apim/causeway/internal/message"
)

// DefaultDapr is where a Dapr sidecar listens unless it is told otherwise.
const DefaultDapr = "http://localhost:3500"

// Dapr is the HTTP API of the Dapr sidecar of the gateway.
type Dapr struct {
	// Base is scheme, host and port.
	Base message.URL
	// Token is the sidecar's API token; empty for none.
	Token string
}

// NewDapr reads the settings that Dapr's own libraries take from the environment: DAPR_HTTP_ENDPOINT or DAPR_HTTP_PORT, and DAPR_API_TOKEN.
func NewDapr(setting func(name string) string) (Dapr, error) {
	address := setting("DAPR_HTTP_ENDPOINT")
	if address == "" {
		address = DefaultDapr
		if port := setting("DAPR_HTTP_PORT"); port != "" {
			address = "http://localhost:" + port
		}
	}
	base, err := message.ParseURL(strings.TrimSuffix(strings.TrimSpace(address), "/"))
	if err != nil || base.Path != "/" || base.RawQuery != "" {
		return Dapr{}, fmt.Errorf("address of the Dapr sidecar %q: it must be a URL such as %s", address, DefaultDapr)
	}
	base.Path = ""
	return Dapr{Base: base, Token: setting("DAPR_API_TOKEN")}, nil
}

// URL is the address of a path of the API.
func (d Dapr) URL(path string) message.URL {
	u := d.Base
	u.Path = path
	return u
}

// SignIn puts the token on a request.
func (d Dapr) SignIn(h *message.Header) {
	if d.Token != "" {
		h.Set("dapr-api-token", d.Token)
	}
}
