package counters

import (
	"context"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"
)

// How instances synchronise. A batch leaves batchDelay after the first thing in it was counted, and once more after another
// batchDelay, because datagrams get lost.
const (
	batchDelay        = 5 * time.Millisecond
	heartbeatInterval = time.Second
	resolveInterval   = 5 * time.Second
	lostAfter         = 5 * time.Second
	forgetAfter       = 10 * time.Minute
	// maxSkew is how far the clocks of instances may differ. A datagram that is older is somebody's copy: its sender's numbers may be
	// forgotten by then.
	maxSkew    = 2 * time.Minute
	maxSenders = 1024
	maxPending = 1 << 16
)

// PeersOptions say how instances of a gateway find each other.
type PeersOptions struct {
	// Hosts are names or addresses of all instances, this one among them, such as a headless service of Kubernetes; one with a port
	// gets everything there.
	Hosts []string
	// SyncPort is where counts go, HeartbeatPort where signs of life go.
	SyncPort, HeartbeatPort int
	// Secret is what only instances of this gateway know; nil while there is none yet.
	Secret func() []byte
	Lookup func(ctx context.Context, host string) ([]netip.Addr, error)
	Now    func() time.Time
	// Report is called when the number of other instances that are heard of changes, or with the reason why they cannot be found.
	Report func(others int, err error)
}

// Peers keeps the counters of several instances together: each tells the others by UDP what it counts, and counts what they
// tell. That is approximate: what another instance has counted within the last few milliseconds, or while datagrams are lost,
// is not known here. The counters of an instance that starts are what it counts and hears from then on.
type Peers struct {
	o      PeersOptions
	memory *Memory
	sender [senderSize]byte
	wake   chan struct{}

	mu      sync.Mutex
	pending map[string]count
	targets targets
	senders map[[senderSize]byte]*arrivals
	others  int
	skewed  time.Duration // of a datagram that was refused, since that was reported
	number  uint32
	secret  string
	aead    cipher.AEAD
}

// targets are where datagrams go.
type targets struct{ sync, heartbeat []netip.AddrPort }

// NewPeers watches what is counted in memory, which must not be in use yet. Run does the rest.
func NewPeers(m *Memory, o PeersOptions) *Peers {
	p := &Peers{o: o, memory: m, wake: make(chan struct{}, 1), pending: make(map[string]count), senders: make(map[[senderSize]byte]*arrivals)}
	_, _ = rand.Read(p.sender[:]) // never fails: see crypto/rand
	m.watch = append(m.watch, p.note)
	return p
}

// note takes down what was counted here.
func (p *Peers) note(l Limit, cost int64) {
	if len(l.Key) > maxSyncedKey || cost == 0 {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.targets.sync) == 0 {
		return
	}
	c, ok := p.pending[l.Key]
	switch {
	case ok:
		c.cost += cost
		p.pending[c.limit.Key] = c
	case len(p.pending) < maxPending:
		l.Key = strings.Clone(l.Key)
		p.pending[l.Key] = count{l, cost}
	}
	if len(p.pending) == 1 && !ok {
		select {
		case p.wake <- struct{}{}:
		default:
		}
	}
}

// Run finds the other instances and exchanges counts with them until ctx ends. syncConn and heartbeatConn are sockets on the
// ports of this instance; Run closes them.
func (p *Peers) Run(ctx context.Context, syncConn, heartbeatConn net.PacketConn) error {
	var running sync.WaitGroup
	stop := context.AfterFunc(ctx, func() {
		syncConn.Close()
		heartbeatConn.Close()
	})
	defer stop()
	failed := make(chan error, 2)
	for _, conn := range []net.PacketConn{syncConn, heartbeatConn} {
		running.Go(func() { failed <- p.receive(conn) })
	}
	running.Go(func() { p.announce(ctx, heartbeatConn) })
	running.Go(func() { p.send(ctx, syncConn) })
	running.Wait()
	if err := errors.Join(<-failed, <-failed); ctx.Err() == nil {
		return err
	}
	return nil
}

// announce finds the addresses and sends signs of life.
func (p *Peers) announce(ctx context.Context, conn net.PacketConn) {
	tick := time.NewTicker(heartbeatInterval)
	defer tick.Stop()
	var resolved time.Time
	for {
		if now := p.o.Now(); now.Sub(resolved) >= resolveInterval {
			p.resolve(ctx)
			resolved = now
		}
		p.mu.Lock()
		datagram, to := p.seal(p.payload(kindHeartbeat)), p.targets.heartbeat
		p.mu.Unlock()
		transmit(conn, datagram, to)
		p.countOthers()
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// resolve looks the hosts up. A failure leaves the addresses that were known.
func (p *Peers) resolve(ctx context.Context) {
	var found targets
	for _, host := range p.o.Hosts {
		name, port, err := net.SplitHostPort(host)
		if err != nil {
			name, port = host, ""
		}
		addrs, err := p.o.Lookup(ctx, name)
		if err != nil {
			if ctx.Err() == nil {
				p.o.Report(p.known(), fmt.Errorf("look up %s: %w", name, err))
			}
			return
		}
		for _, a := range addrs {
			a = a.Unmap()
			if port == "" {
				found.sync = append(found.sync, netip.AddrPortFrom(a, uint16(p.o.SyncPort)))
				found.heartbeat = append(found.heartbeat, netip.AddrPortFrom(a, uint16(p.o.HeartbeatPort)))
			} else if at, err := netip.ParseAddrPort(net.JoinHostPort(a.String(), port)); err == nil {
				found.sync, found.heartbeat = append(found.sync, at), append(found.heartbeat, at)
			}
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.targets = found
}

func (p *Peers) known() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.others
}

// countOthers reports when the number of instances that are heard of has changed, and forgets those that are long gone.
func (p *Peers) countOthers() {
	now, others := p.o.Now(), 0
	p.mu.Lock()
	for sender, a := range p.senders {
		switch silent := now.Sub(a.at); {
		case silent < lostAfter:
			others++
		case silent >= forgetAfter:
			delete(p.senders, sender)
		}
	}
	changed, skewed := others != p.others, p.skewed
	p.others, p.skewed = others, 0
	p.mu.Unlock()
	if changed {
		p.o.Report(others, nil)
	}
	if skewed > 0 {
		p.o.Report(others, fmt.Errorf("the clock of another instance differs by %v: its counts are not taken", skewed.Round(time.Second)))
	}
}

// send sends what was counted, in batches, each twice.
func (p *Peers) send(ctx context.Context, conn net.PacketConn) {
	var again [][]byte
	var to []netip.AddrPort
	for {
		if len(again) == 0 {
			select {
			case <-ctx.Done():
				return
			case <-p.wake:
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(batchDelay):
		}
		for _, datagram := range again {
			transmit(conn, datagram, to)
		}
		again, to = p.batch()
		for _, datagram := range again {
			transmit(conn, datagram, to)
		}
	}
}

// batch takes what is pending as datagrams.
func (p *Peers) batch() (datagrams [][]byte, to []netip.AddrPort) {
	p.mu.Lock()
	defer p.mu.Unlock()
	payload := p.payload(kindCounts)
	empty := len(payload)
	flush := func() {
		if len(payload) > empty {
			if d := p.seal(payload); d != nil {
				datagrams = append(datagrams, d)
			}
			payload = payload[:empty]
		}
	}
	var one []byte
	for _, c := range p.pending {
		one = appendCount(one[:0], c)
		if headerSize+len(payload)+len(one)+16 > maxDatagram {
			flush()
		}
		payload = append(payload, one...)
	}
	flush()
	clear(p.pending)
	return datagrams, p.targets.sync
}

// payload begins a payload: its kind and the time, in Unix seconds.
func (p *Peers) payload(kind byte) []byte {
	return binary.AppendVarint([]byte{kind}, p.o.Now().Unix())
}

// seal makes the next datagram; nil while there is no secret. The lock is held.
func (p *Peers) seal(payload []byte) []byte {
	aead := p.cipher()
	if aead == nil {
		return nil
	}
	p.number++
	if p.number == 0 { // a nonce is used once: this is another sender from now on
		_, _ = rand.Read(p.sender[:])
		p.number = 1
	}
	return sealDatagram(aead, p.sender, p.number, payload)
}

// cipher follows the secret; nil while there is none. The lock is held.
func (p *Peers) cipher() cipher.AEAD {
	secret := p.o.Secret()
	if len(secret) == 0 {
		return nil
	}
	if string(secret) != p.secret {
		aead, err := newSeal(secret)
		if err != nil {
			return nil
		}
		p.secret, p.aead = string(secret), aead
	}
	return p.aead
}

// transmit sends a datagram to all. What cannot be sent is lost, as it may be on the way.
func transmit(conn net.PacketConn, datagram []byte, to []netip.AddrPort) {
	if datagram == nil {
		return
	}
	for _, addr := range to {
		_, _ = conn.WriteTo(datagram, net.UDPAddrFromAddrPort(addr))
	}
}

// receive counts what others tell until the socket is closed.
func (p *Peers) receive(conn net.PacketConn) error {
	buf := make([]byte, 2*maxDatagram)
	for {
		n, _, err := conn.ReadFrom(buf)
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("receive counters: %w", err)
		}
		p.take(buf[:n])
	}
}

// take counts what is in a datagram, unless it is foreign, our own, or came before.
func (p *Peers) take(datagram []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	aead := p.cipher()
	if aead == nil {
		return
	}
	sender, number, payload, err := openDatagram(aead, datagram)
	if err != nil || sender == p.sender {
		return
	}
	kind, rest := payload[0], payload[1:]
	sent, n := binary.Varint(rest)
	if n <= 0 {
		return
	}
	if skew := p.o.Now().Sub(time.Unix(sent, 0)).Abs(); skew > maxSkew {
		p.skewed = max(skew, p.skewed)
		return
	}
	a := p.senders[sender]
	if a == nil {
		if len(p.senders) >= maxSenders {
			return
		}
		a = &arrivals{}
		p.senders[sender] = a
	}
	if !a.fresh(number) {
		return
	}
	a.at = p.o.Now()
	if kind != kindCounts {
		return
	}
	var counts []count
	if readCounts(rest[n:], func(c count) { counts = append(counts, c) }) != nil {
		return
	}
	// Counting locks a shard, and whoever counts holds its shard and wants our lock: not with ours held.
	p.mu.Unlock()
	defer p.mu.Lock()
	for _, c := range counts {
		p.memory.addElsewhere(c.limit, c.cost)
	}
}

// SplitHosts reads a list of hosts with commas between them.
func SplitHosts(list string) []string {
	hosts := strings.Split(list, ",")
	for i := range hosts {
		hosts[i] = strings.TrimSpace(hosts[i])
	}
	return slices.DeleteFunc(hosts, func(h string) bool { return h == "" })
}
