package configsync

import "time"

// State says how a client stands with the plane.
type State string

// The states of a client.
const (
	StateStarting      State = "starting"      // nothing known yet
	StateConnected     State = "connected"     // configuration flows
	StateWaiting       State = "waiting"       // not connected; Reason says why, Retry when it tries again
	StateBundle        State = "bundle"        // a bundle is served; there is no plane
	StateTokenExpiring State = "tokenExpiring" // connected; the token expires soon
	StateTokenExpired  State = "tokenExpired"  // refused until a new token is given
	StateTokenRefused  State = "tokenRefused"  // malformed, unknown or revoked token
)

// Status is what a client tells its owner, for logs and probes.
type Status struct {
	State  State
	Reason string // a sentence with host and port, for the log
	Host   string // host:port of the plane
	Retry  time.Duration
	// Held is the sequence that came from the plane (or from disk), Serving the
	// one that was applied last; Rejected is why RejectedSequence does not serve.
	Held, Serving    int64
	Rejected         string
	RejectedSequence int64
	// Unknown counts messages of types that this version does not know.
	Unknown int64
	// Receiving and Total are bytes of a configuration that is coming in whole;
	// zero otherwise.
	Receiving, Total int64
}
