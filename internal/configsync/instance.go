package configsync

import (
	"maps"
	"slices"
	"strings"
	"time"
)

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
	// CertificateExpiry is nil without a client certificate, ConnectedSince without a connection.
	CertificateExpiry *time.Time `json:"certificateExpiry,omitempty"`
	ConnectedSince    *time.Time `json:"connectedSince,omitempty"`
	Address           string     `json:"address,omitempty"` // from which it has connected last
	Status            string     `json:"status"`
	Message           string     `json:"message"`
}

type instanceState struct {
	Instance
	seen time.Time // last sign of life, be it a refused attempt
	conn *serverConn
	// token and since tell how old a token is at least: its text has no time of
	// issue.
	token time.Time
	since time.Time
}

// note changes what is known of an instance and tells who wants to know.
func (g *gatewayHub) note(id string, change func(*Instance)) {
	g.noteState(id, func(st *instanceState) { change(&st.Instance) })
}

func (g *gatewayHub) noteState(id string, change func(*instanceState)) {
	s := g.service.server
	g.mu.Lock()
	st := g.instances[id]
	if st == nil {
		g.forget(s.now())
		if len(g.instances) >= maxInstances {
			g.mu.Unlock()
			return
		}
		st = &instanceState{Instance: Instance{ID: id}}
		g.instances[id] = st
	}
	before := st.Instance
	st.seen = s.now()
	change(st)
	after := st.Instance
	g.mu.Unlock()
	if s.Changed != nil && before != after {
		s.Changed(g.service.name, g.name, after)
	}
}

// forget drops instances without a sign of life. The caller holds the lock.
func (g *gatewayHub) forget(now time.Time) {
	maps.DeleteFunc(g.instances, func(_ string, st *instanceState) bool { return now.Sub(st.seen) > InstanceLife })
}

// others counts the connected instances besides one.
func (g *gatewayHub) others(instance string) (n int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for id, st := range g.instances {
		if st.conn != nil && id != instance {
			n++
		}
	}
	return n
}

func (g *gatewayHub) list() []Instance {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.forget(g.service.server.now())
	list := make([]Instance, 0, len(g.instances))
	for _, st := range g.instances {
		list = append(list, st.Instance)
	}
	slices.SortFunc(list, func(a, b Instance) int { return strings.Compare(a.ID, b.ID) })
	return list
}
