package configsync

import (
	"errors"
	"iter"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/causeway-apim/causeway/internal/snapshot"
)

const (
	// InstanceLife is how long an instance is listed after its last sign of life.
	InstanceLife = 5 * time.Minute
	// maxInstances of one gateway that are listed; further ones are served.
	maxInstances  = 10_000
	maxInstanceID = 256
	// The ring of old views from which a gateway can resume.
	ringLength = 256
	ringBytes  = 32 << 20
	// maxEncoded bounds the encoded change that is kept for other connections.
	maxEncoded = 4 << 20
)

// serviceHub follows one service for all its connected gateways.
type serviceHub struct {
	server *Server
	name   string
	stop   func()
	wake   chan struct{}
	done   chan struct{}

	// latest is from the source; it has no lock, because views may take their
	// time and the publisher must not wait for them.
	latest atomic.Pointer[snapshot.Snapshot]

	mu       sync.Mutex
	master   *snapshot.Snapshot // what the views stand at
	gateways map[string]*gatewayHub
}

// join returns the hub of a gateway for a new connection, which must prepare it
// before it uses views, and leave it afterwards.
func (s *Server) join(id Identity) (*gatewayHub, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, errors.New("the server is going away")
	}
	sh := s.services[id.Service]
	if sh == nil {
		sh = &serviceHub{
			server: s, name: id.Service, wake: make(chan struct{}, 1), done: make(chan struct{}),
			gateways: map[string]*gatewayHub{},
		}
		current, stop, err := s.Source.Watch(id.Service, sh.changed)
		if err != nil {
			return nil, err
		}
		sh.master, sh.stop = current, stop
		sh.latest.CompareAndSwap(nil, current) // changed may have run already
		if s.services == nil {
			s.services = map[string]*serviceHub{}
		}
		s.services[id.Service] = sh
		go sh.run()
	}
	s.conns.Add(1)
	return sh.gateway(id.Gateway), nil
}

func (s *Server) leave(g *gatewayHub) {
	g.mu.Lock()
	g.users--
	g.left = s.now()
	g.mu.Unlock()
	s.conns.Done()
	s.sweep()
}

// sweep lets go of gateways that nobody has used for a while.
func (s *Server) sweep() {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	for name, sh := range s.services {
		sh.mu.Lock()
		maps.DeleteFunc(sh.gateways, func(_ string, g *gatewayHub) bool { return g.idle(now) })
		unused := len(sh.gateways) == 0
		sh.mu.Unlock()
		if unused {
			delete(s.services, name)
			sh.close()
		}
	}
}

// hub is the hub of a gateway, or nil.
func (s *Server) hub(service, gateway string) *gatewayHub {
	if hubs := s.hubs(service, gateway); gateway != "" && len(hubs) == 1 {
		return hubs[0]
	}
	return nil
}

// hubs are the hubs of a gateway, or of all gateways of a service for "".
func (s *Server) hubs(service, gateway string) []*gatewayHub {
	s.mu.Lock()
	defer s.mu.Unlock()
	sh := s.services[strings.ToLower(service)]
	if sh == nil {
		return nil
	}
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if gateway == "" {
		return slices.Collect(maps.Values(sh.gateways))
	}
	if g := sh.gateways[strings.ToLower(gateway)]; g != nil {
		return []*gatewayHub{g}
	}
	return nil
}

// changed takes the newest snapshot from the source; it must not keep the
// publisher waiting.
func (h *serviceHub) changed(s *snapshot.Snapshot) {
	h.latest.Store(s)
	signal(h.wake)
}

// signal wakes the one reader of a channel with room for one.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

func (h *serviceHub) run() {
	for {
		select {
		case <-h.wake:
			for _, g := range h.advance() {
				g.recheckSoon()
			}
		case <-h.done:
			return
		}
	}
}

// advance brings all views up to the newest snapshot; changes that came since
// the last time are one. It returns the gateways whose own part changed.
func (h *serviceHub) advance() (touched []*gatewayHub) {
	h.mu.Lock()
	defer h.mu.Unlock()
	latest := h.latest.Load()
	if latest == h.master {
		return nil
	}
	d := snapshot.Diff(h.master, latest)
	h.master = latest
	for _, g := range h.gateways {
		if g.view != nil {
			g.advance(d, h.master)
		}
	}
	for k := range changedKeys(d) {
		if g := h.gateways[path.Base(k.ID)]; k.Kind == snapshot.KindGateway && g != nil {
			touched = append(touched, g)
		}
	}
	return touched
}

func changedKeys(d snapshot.Delta) iter.Seq[snapshot.Key] {
	return func(yield func(snapshot.Key) bool) {
		for i := range d.Put {
			if !yield(d.Put[i].Key) {
				return
			}
		}
		for _, k := range d.Delete {
			if !yield(k) {
				return
			}
		}
	}
}

// gateway returns the hub of a gateway with one user more.
func (h *serviceHub) gateway(name string) *gatewayHub {
	h.mu.Lock()
	defer h.mu.Unlock()
	g := h.gateways[name]
	if g == nil {
		g = &gatewayHub{
			service: h, name: name, conns: map[*serverConn]struct{}{}, instances: map[string]*instanceState{},
		}
		h.gateways[name] = g
	}
	g.mu.Lock()
	g.users++
	g.mu.Unlock()
	return g
}

// prepare makes the view, once; the first user of a large service waits for it,
// others are served meanwhile.
func (g *gatewayHub) prepare() {
	g.once.Do(func() {
		h := g.service
		h.mu.Lock()
		master := h.master
		h.mu.Unlock()
		v := snapshot.NewView(master, g.name)
		h.mu.Lock()
		defer h.mu.Unlock()
		if h.master != master {
			v.Apply(snapshot.Diff(master, h.master), h.master)
		}
		g.mu.Lock()
		defer g.mu.Unlock()
		g.view, g.current = v, v.Snapshot()
		g.ring = []ringEntry{{s: g.current}}
	})
}

func (h *serviceHub) close() {
	h.stop()
	close(h.done)
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, g := range h.gateways {
		for _, c := range g.connections() {
			c.end(endGoingAway)
		}
	}
}

// gatewayHub is one gateway: its view, shared by all its connections.
type gatewayHub struct {
	service *serviceHub
	name    string
	once    sync.Once      // of prepare
	view    *snapshot.View // under the service's lock; nil until prepared

	mu      sync.Mutex
	users   int
	left    time.Time // when the last user left
	current *snapshot.Snapshot
	// ring are the last views, newest last; old parts in them are bounded.
	ring      []ringEntry
	ringBytes int64
	conns     map[*serverConn]struct{}
	instances map[string]*instanceState

	encoding sync.Mutex // taken alone
	encoded  encodedChange
}

type ringEntry struct {
	s     *snapshot.Snapshot
	bytes int64 // of the change that led there
}

// encodedChange spares encoding the same change for each instance.
type encodedChange struct {
	from, to *snapshot.Snapshot
	messages [][]byte
}

func (g *gatewayHub) advance(d snapshot.Delta, s *snapshot.Snapshot) {
	change := g.view.Apply(d, s)
	e := ringEntry{s: g.view.Snapshot()}
	for i := range change.Put {
		e.bytes += int64(len(change.Put[i].Data))
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.current = e.s
	g.ring = append(g.ring, e)
	g.ringBytes += e.bytes
	for len(g.ring) > ringLength || (g.ringBytes > ringBytes && len(g.ring) > 1) {
		g.ringBytes -= g.ring[0].bytes
		g.ring[0] = ringEntry{}
		g.ring = g.ring[1:]
	}
	for c := range g.conns {
		signal(c.wake)
	}
}

// held finds the snapshot that a gateway says it holds; nil when it is not
// known any more.
func (g *gatewayHub) held(sequence int64, digest string) *snapshot.Snapshot {
	g.mu.Lock()
	defer g.mu.Unlock()
	if hexDigest(g.current) == digest {
		return g.current.At(sequence)
	}
	for _, e := range g.ring {
		if e.s.Sequence() == sequence && hexDigest(e.s) == digest {
			return e.s
		}
	}
	return nil
}

func (g *gatewayHub) newest() *snapshot.Snapshot {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.current
}

// messages encodes the change between two snapshots, once for all connections
// that are at the same place.
func (g *gatewayHub) messages(from, to *snapshot.Snapshot) ([][]byte, error) {
	g.encoding.Lock()
	defer g.encoding.Unlock()
	if g.encoded.from == from && g.encoded.to == to {
		return g.encoded.messages, nil
	}
	var all [][]byte
	size := 0
	err := changeMessages(from, to, func(b []byte) error {
		all = append(all, b)
		size += len(b)
		return nil
	})
	if err == nil && size <= maxEncoded {
		g.encoded = encodedChange{from, to, all}
	}
	return all, err
}

func (g *gatewayHub) add(c *serverConn) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.conns[c] = struct{}{}
}

func (g *gatewayHub) remove(c *serverConn) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.conns, c)
}

func (g *gatewayHub) connections() []*serverConn {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Collect(maps.Keys(g.conns))
}

func (g *gatewayHub) idle(now time.Time) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.users == 0 && now.Sub(g.left) > InstanceLife
}
