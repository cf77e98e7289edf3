package configsync

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"time"
)

// Path is where a Server is mounted: below the root of a listener, or below the
// ARM path of a service.
const Path = "/gateway-configuration/v1/connect"

// Identity says which gateway a connection belongs to.
type Identity struct {
	Service string // ARM ID, lower case
	Gateway string // name, lower case
	// Expiry is when the credential ends; zero for never.
	Expiry time.Time
}

// Record is a numbered record of an instance on its way to the plane: usage,
// traces, events. (Instance, Sequence) identifies it, also when it comes twice.
type Record struct {
	Sequence int64           `json:"sequence"`
	Kind     string          `json:"kind"`
	Payload  json.RawMessage `json:"payload"`
}

// Server serves configurations to gateways. It handles requests whose path ends
// in Path. Set the fields before the first request.
type Server struct {
	Source Source
	// Auth accepts credentials other than gateway tokens, of a request that may
	// name a service (ARM ID, lower case, or empty) and a gateway. Nil refuses
	// them. The error's text goes to the gateway.
	Auth func(r *http.Request, service, gateway string) (Identity, error)
	// Version of the plane, as in "1.4.0".
	Version string
	Now     func() time.Time // nil: time.Now
	Log     *slog.Logger     // nil: discard
	// Changed is told of each change of an instance, so that it can be kept;
	// it must not block. Nil: nobody wants to know.
	Changed func(service, gateway string, i Instance)
	// Record takes records of gateways; they are acknowledged when it returns
	// nil, and come again otherwise. Nil takes and drops them.
	Record func(ctx context.Context, from Identity, instance string, r Record) error
}

// Instances lists the instances of a gateway that were heard of in the last
// minutes, in the order of their IDs.
func (s *Server) Instances(service, gateway string) []Instance { return nil }

// Recheck looks at the keys of a gateway again: call it after a key was
// regenerated and after a gateway or its service was deleted. Connections
// whose token no longer holds are told and closed.
func (s *Server) Recheck(ctx context.Context, service, gateway string) error { return nil }

// Command sends a command to every connected instance of a gateway and returns
// how many there are.
func (s *Server) Command(service, gateway, name string, payload any) (int, error) { return 0, nil }

// ServeHTTP upgrades the request to the configuration connection.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {}

// Close ends all connections with "going away", so that gateways come back
// (to another replica) at once.
func (s *Server) Close() {}
