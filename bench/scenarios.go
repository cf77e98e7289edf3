//go:build linux

package main

import (
	"bytes"
	"fmt"
	"slices"
	"time"
)

// The ways to send load.
type traffic int

const (
	plainTraffic traffic = iota
	tlsTraffic
	freshTLSTraffic // a connection for each request
	http2Traffic
	webSocketTraffic
	pacedTraffic // half of what the first contender beside ours can take
	idleTraffic  // connections without requests
)

// scenario is one thing that is measured.
type scenario struct {
	name, title string
	path        string
	// own is the path for our gateway, where it differs: "typical" is compared with plain proxying of the others.
	own     string
	traffic traffic
	conns   int
	body    int  // bytes that each request brings
	streams int  // of each HTTP/2 connection
	many    bool // with many operations or routes
}

func scenarios() []scenario {
	return []scenario{
		{name: "plain-512", title: "plain, 512 B", path: "/plain/b512", conns: 32},
		{name: "plain-16k", title: "plain, 16 KiB", path: "/plain/b16k", conns: 32},
		{name: "plain-1m", title: "plain, 1 MiB streamed", path: "/plain/b1m", conns: 8},
		{name: "post", title: "POST of 1 KiB, answered with 512 B", path: "/plain/b512", conns: 32, body: 1 << 10},
		{name: "typical", title: "typical policy set (the others: plain), 512 B", path: "/plain/b512", own: "/typical/b512", conns: 32},
		{name: "half", title: "plain, 512 B, at half of nginx's load", path: "/plain/b512", traffic: pacedTraffic, conns: 64},
		{name: "tls", title: "TLS, keep-alive, 512 B", path: "/plain/b512", traffic: tlsTraffic, conns: 32},
		{name: "tls-new", title: "TLS, a connection for each request, 512 B", path: "/plain/b512", traffic: freshTLSTraffic, conns: 8},
		{name: "http2", title: "HTTP/2 with TLS, 4 × 16 streams, 512 B", path: "/plain/b512", traffic: http2Traffic, conns: 4, streams: 16},
		{name: "cache", title: "cache hits, 16 KiB", path: "/cached/b16k", conns: 32},
		{name: "websocket", title: "WebSocket echo, 64 B", path: "/ws", traffic: webSocketTraffic, conns: 32},
		{name: "routes", title: "one of 5,000 operations, with two `set-header`, 512 B", path: routePath, conns: 32, many: true},
		{name: "idle", title: "idle connections", path: "/plain/b512", traffic: idleTraffic, conns: 10_000},
	}
}

// round is what one turn of a contender has shown.
type round struct {
	cpu        time.Duration // per request
	throughput float64       // requests a second
	p50, p99   time.Duration
	peak, anon int64 // bytes
	perConn    int64 // bytes for each idle connection
}

// request is the head of the requests of a scenario.
func (b *bench) request(sc scenario, in *instance) []byte {
	path, extra := sc.path, ""
	if in.ours && sc.own != "" {
		path = sc.own
		for name, values := range subscriptionHeader(b.jwt) {
			extra += name + ": " + values[0] + "\r\n"
		}
	}
	method := "GET"
	if sc.body > 0 {
		method, extra = "POST", extra+fmt.Sprintf("Content-Type: application/json\r\nContent-Length: %d\r\n", sc.body)
	}
	head := method + " " + path + " HTTP/1.1\r\nHost: localhost\r\nUser-Agent: bench/1.0\r\nAccept: */*\r\n" + extra + "\r\n"
	return append([]byte(head), bytes.Repeat([]byte("x"), sc.body)...)
}

// measure gives a contender one turn.
func (b *bench) measure(sc scenario, in *instance, rate float64) (*round, error) {
	l := load{port: in.port, request: b.request(sc, in), conns: sc.conns}
	if sc.traffic == idleTraffic {
		return b.measureIdle(l, in)
	}
	run := func(d time.Duration) (*result, error) {
		switch sc.traffic {
		case tlsTraffic, freshTLSTraffic:
			l.port = in.tlsPort
			return l.runTLS(d, sc.traffic == freshTLSTraffic)
		case http2Traffic:
			l.port = in.tlsPort
			return l.runHTTP2(d, sc.streams, sc.path)
		case webSocketTraffic:
			l.upgrade = fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"+
				"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", sc.path)
			const size = 64
			l.request = append([]byte{0x81, 0x80 | size, 1, 2, 3, 4}, make([]byte, size)...)
			l.fixed = 2 + size
		case pacedTraffic:
			l.rate = rate
		}
		return l.run(d)
	}
	if _, err := run(b.turn / 8); err != nil { // warm up
		return nil, err
	}
	in.resetPeak(in.pids)
	before := in.cpu(in.pids)
	r, err := run(b.turn)
	if err != nil {
		return nil, err
	}
	if r.requests == 0 {
		return nil, fmt.Errorf("no request was answered")
	}
	return &round{
		cpu: (in.cpu(in.pids) - before) / time.Duration(r.requests), throughput: float64(r.requests) / r.took.Seconds(),
		p50: r.times.quantile(0.5), p99: r.times.quantile(0.99),
		peak: in.memory(in.pids, "VmHWM"), anon: in.memory(in.pids, "RssAnon"),
	}, nil
}

// measureIdle says what a connection costs that has had one request and rests.
func (b *bench) measureIdle(l load, in *instance) (*round, error) {
	before := in.memory(in.pids, "RssAnon")
	in.resetPeak(in.pids)
	release, err := l.hold()
	if err != nil {
		return nil, err
	}
	defer release()
	const rest = 5 * time.Second // a proxy may hold on to buffers for a while
	time.Sleep(rest)
	anon := in.memory(in.pids, "RssAnon")
	return &round{peak: in.memory(in.pids, "VmHWM"), anon: anon, perConn: (anon - before) / int64(l.conns)}, nil
}

// median is the middle round by each figure for itself.
func median(rounds []*round) *round {
	return &round{
		cpu: middle(rounds, func(r *round) time.Duration { return r.cpu }), throughput: middle(rounds, func(r *round) float64 { return r.throughput }),
		p50: middle(rounds, func(r *round) time.Duration { return r.p50 }), p99: middle(rounds, func(r *round) time.Duration { return r.p99 }),
		peak: middle(rounds, func(r *round) int64 { return r.peak }), anon: middle(rounds, func(r *round) int64 { return r.anon }),
		perConn: middle(rounds, func(r *round) int64 { return r.perConn }),
	}
}

func middle[T int64 | float64 | time.Duration](rounds []*round, of func(*round) T) T {
	var all []T
	for _, r := range rounds {
		all = append(all, of(r))
	}
	slices.Sort(all)
	return all[len(all)/2]
}
