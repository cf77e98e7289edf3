package configsync

import "time"

// Values of Instance.Status.
const (
	StatusOK            = "ok"            // connected, serves the sequence that is reported
	StatusRejected      = "rejected"      // connected, refused the newest configuration; see Message
	StatusTokenExpiring = "tokenExpiring" // connected, its token expires soon
	StatusTokenExpired  = "tokenExpired"  // serves without changes: its token expired
	StatusTokenRevoked  = "tokenRevoked"  // serves without changes: its key was regenerated
	StatusDisconnected  = "disconnected"  // the connection is lost
)

// Instance is one running process of a gateway, as the plane knows it.
type Instance struct {
	ID            string     `json:"id"`
	Version       string     `json:"version"`
	LastHeartbeat time.Time  `json:"lastHeartbeat"`
	Sequence      int64      `json:"sequence"`              // configuration that it serves
	TokenExpiry   *time.Time `json:"tokenExpiry,omitempty"` // nil for application tokens
	Status        string     `json:"status"`
	Message       string     `json:"message"`
}
