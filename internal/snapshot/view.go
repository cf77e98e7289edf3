package snapshot

// ManagedGateway is the name of a service's own gateway: its view is the whole
// configuration.
const ManagedGateway = "managed"

// View is what one gateway sees of a service's configuration, kept up with it
// at the cost of each change. It is not safe for concurrent use.
type View struct {
	gateway string
	master  *Snapshot
	seen    *Snapshot
}

// NewView makes the view of a gateway (by name, in any case) from scratch.
func NewView(s *Snapshot, gateway string) *View {
	return &View{gateway: gateway, master: s, seen: s}
}

// Snapshot is the gateway's configuration.
func (v *View) Snapshot() *Snapshot { return v.seen }

// Apply follows the service's configuration to s, which is the state after d,
// and returns the change of the view.
func (v *View) Apply(d Delta, s *Snapshot) Delta {
	was := v.seen
	v.master, v.seen = s, s
	return Diff(was, v.seen)
}
