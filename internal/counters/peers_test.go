package counters

import (
	"context"
	"encoding/hex"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// instance is a memory that is kept together with others.
type instance struct {
	memory *Memory
	peers  *Peers
	others atomic.Int64
}

// neighbours starts n instances on loopback that know each other.
func neighbours(t *testing.T, n int, secret func(i int) []byte) []*instance {
	t.Helper()
	var conns []net.PacketConn
	var hosts []string
	for range n {
		conn, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		conns, hosts = append(conns, conn), append(hosts, conn.LocalAddr().String())
	}
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	t.Cleanup(func() {
		cancel()
		running.Wait()
	})
	list := make([]*instance, n)
	for i := range list {
		in := &instance{memory: NewMemory(time.Now)}
		in.peers = NewPeers(in.memory, PeersOptions{
			Hosts: hosts, Now: time.Now,
			Secret: func() []byte { return secret(i) },
			Lookup: func(_ context.Context, host string) ([]netip.Addr, error) {
				return []netip.Addr{netip.MustParseAddr(host)}, nil
			},
			Report: func(others int, err error) {
				if err != nil {
					t.Error(err)
				}
				in.others.Store(int64(others))
			},
		})
		// Nothing is sent to the heartbeat's port here: the hosts have ports of their own.
		heartbeat, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		running.Go(func() {
			if err := in.peers.Run(ctx, conns[i], heartbeat); err != nil {
				t.Error(err)
			}
		})
		list[i] = in
	}
	return list
}

func shared(int) []byte { return []byte("secret") }

// eventually waits for a condition.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within 30 seconds: %s", what)
		}
	}
}

func TestPeersCountTogether(t *testing.T) {
	t.Parallel()
	list := neighbours(t, 3, shared)
	for _, in := range list {
		eventually(t, "every instance hears of two others", func() bool { return in.others.Load() == 2 })
	}
	limits := []Limit{
		{Key: "s|rate-limit|a", Max: 10, Period: time.Hour},
		{Key: "s|quota|b", Max: 10, Period: time.Hour, Window: Fixed, Start: time.Unix(3, 0)},
		{Key: "s|llm-token-limit|c", Max: 10, Period: time.Hour, Window: Bucket},
	}
	for _, l := range limits {
		for i, in := range list[:2] {
			if d, err := in.memory.Take(t.Context(), []Limit{l}, int64(3+i)); err != nil || !d.Allowed {
				t.Fatalf("%s: %+v, %v", l.Key, d, err)
			}
		}
		for _, in := range list {
			eventually(t, l.Key+" has three left everywhere", func() bool {
				d, err := in.memory.Check(t.Context(), []Limit{l}, 0)
				return err == nil && d.Remaining == 3
			})
		}
	}
	// What is heard is not told again: after a while the counts are the same.
	if d, err := list[2].memory.Take(t.Context(), limits[:1], 3); err != nil || !d.Allowed {
		t.Fatalf("%+v, %v", d, err)
	}
	for _, in := range list {
		eventually(t, "nothing is left", func() bool {
			d, err := in.memory.Check(t.Context(), limits[:1], 1)
			return err == nil && !d.Allowed && d.Remaining == 0
		})
	}
}

func TestPeersIgnoreStrangers(t *testing.T) {
	t.Parallel()
	list := neighbours(t, 3, func(i int) []byte { return []byte{byte(i / 2)} }) // the third has another secret
	for _, in := range list[:2] {
		eventually(t, "two hear of each other", func() bool { return in.others.Load() == 1 })
	}
	l := []Limit{{Key: "k", Max: 10, Period: time.Hour}}
	for range 4 {
		if _, err := list[2].memory.Take(t.Context(), l, 1); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := list[0].memory.Take(t.Context(), l, 2); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the second hears of the first", func() bool {
		d, err := list[1].memory.Check(t.Context(), l, 0)
		return err == nil && d.Remaining == 8
	})
	if list[2].others.Load() != 0 {
		t.Error("the stranger heard of others")
	}
}

func TestDatagramCountsOnce(t *testing.T) {
	t.Parallel()
	now := time.Unix(1000, 0)
	p := NewPeers(NewMemory(time.Now), PeersOptions{Secret: func() []byte { return []byte("secret") }, Now: func() time.Time { return now }})
	aead, err := newSeal([]byte("secret"))
	if err != nil {
		t.Fatal(err)
	}
	l := Limit{Key: "k", Max: 100, Period: time.Hour}
	used := func() int64 {
		d, err := p.memory.Check(t.Context(), []Limit{l}, 0)
		if err != nil {
			t.Fatal(err)
		}
		return l.Max - d.Remaining
	}
	send := func(number uint32, tamper int) {
		b := sealDatagram(aead, [senderSize]byte{1}, number, appendCount(p.payload(kindCounts), count{l, 1}))
		if tamper >= 0 {
			b[tamper] ^= 1
		}
		p.take(b)
	}
	for i, step := range []struct {
		number uint32
		tamper int
		want   int64
	}{
		{1, -1, 1}, {1, -1, 1}, {3, -1, 2}, {2, -1, 3}, {2, -1, 3}, {70, -1, 4}, {3, -1, 4}, {7, -1, 5}, {6, -1, 5}, {71, 0, 5}, {72, 5, 5}, {73, 14, 5}, {74, 30, 5}, {500, -1, 6},
	} {
		send(step.number, step.tamper)
		if got := used(); got != step.want {
			t.Fatalf("step %d: counted %d, want %d", i, got, step.want)
		}
	}
	old := sealDatagram(aead, [senderSize]byte{2}, 1, appendCount(p.payload(kindCounts), count{l, 1}))
	now = now.Add(3 * time.Minute)
	p.take(old)
	if used() != 6 || p.skewed != 3*time.Minute {
		t.Errorf("an old datagram counted: %d, skewed %v", used(), p.skewed)
	}
}

func TestSendersAreBounded(t *testing.T) {
	t.Parallel()
	p := NewPeers(NewMemory(time.Now), PeersOptions{Secret: func() []byte { return []byte("secret") }, Now: time.Now})
	aead, err := newSeal([]byte("secret"))
	if err != nil {
		t.Fatal(err)
	}
	for i := range maxSenders + 10 {
		p.take(sealDatagram(aead, [senderSize]byte{1: byte(i >> 8), 2: byte(i)}, 1, p.payload(kindHeartbeat)))
	}
	if len(p.senders) > maxSenders {
		t.Errorf("%d senders are remembered", len(p.senders))
	}
}

func FuzzReadCounts(f *testing.F) {
	f.Add(appendCount(nil, count{Limit{Key: "s|rate-limit|a", Max: 5, Period: time.Minute, Start: time.Unix(7, 0)}, 3}))
	f.Add(appendCount(appendCount(nil, count{Limit{Key: "a", Max: 1, Window: Fixed}, -1}), count{Limit{Key: "b", Max: 1, Period: 1, Window: Bucket}, 1}))
	raw, _ := hex.DecodeString("0161000000")
	f.Add(raw)
	f.Fuzz(func(t *testing.T, b []byte) {
		m := NewMemory(time.Now)
		_ = readCounts(b, func(c count) {
			m.addElsewhere(c.limit, c.cost)
			again := appendCount(nil, c)
			if err := readCounts(again, func(d count) {
				if d.limit.Key != c.limit.Key || d.cost != c.cost || d.limit.Period != c.limit.Period {
					t.Errorf("%+v came back as %+v", c, d)
				}
			}); err != nil {
				t.Error(err)
			}
		})
	})
}
