//go:build linux

// Package soak keeps real processes under a mixed load while everything around them changes and fails: `make soak`.
package soak

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/causeway-apim/causeway/internal/causewaytest"
)

// soak is a management plane, two gateways and their backend services.
type soak struct {
	system   *causewaytest.System
	plane    atomic.Pointer[causewaytest.Process]
	gateways []*gateway
	good     []string // addresses of backend services
	calls    string   // of gRPC
	bad      *bad
	token    string
	score    *score
	changed  atomic.Int64 // the last change that the plane has confirmed
	away     atomic.Bool  // the plane
}

// gateway is a self-hosted one: the steady one is measured, the other one is handed over from process to process.
type gateway struct {
	process      *causewaytest.Process
	base, secure string
	steady       bool
	pid          int
	seen         atomic.Int64 // the newest change that it has served
}

// length is how long the load is on.
func length(t *testing.T) time.Duration {
	text := os.Getenv("CAUSEWAY_SOAK")
	if text == "" {
		return 12 * time.Second
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatalf("CAUSEWAY_SOAK: %v", err)
	}
	return d
}

// TestSoak is the load. Every failure that is not a backend service's own fails it, and so do memory and goroutines that grow.
func TestSoak(t *testing.T) {
	s := start(t)
	steady := s.gateways[0]
	profiles := steady.process.Listen["profiles"]
	idle, err := measure(steady.pid, profiles)
	if err != nil {
		t.Fatal(err)
	}
	length := length(t)
	ctx, cancel := context.WithTimeout(t.Context(), length)
	defer cancel()
	meter := &meter{pid: steady.pid, profiles: profiles}
	meter.run(ctx, t, max(length/100, 500*time.Millisecond))
	var work sync.WaitGroup
	stops := s.load(ctx, &work)
	work.Go(func() { s.changes(ctx) })
	work.Go(func() { s.restarts(ctx, t, max(length/8, 5*time.Second)) })
	work.Go(func() { s.handOvers(ctx, max(length/10, 4*time.Second)) })
	work.Wait()
	for _, stop := range stops {
		stop()
	}
	s.settled(t)
	t.Log("\n" + s.score.summary())
	if s.score.failures > 0 {
		t.Errorf("%d failures", s.score.failures)
	}
	const enough = 2 * time.Minute
	meter.check(t, length >= enough) // before that memory still grows to what the load needs
	s.rests(t, idle, profiles)
}

// start starts everything and waits until both gateways serve.
func start(t *testing.T) *soak {
	t.Helper()
	s := &soak{system: causewaytest.NewSystem(t), good: []string{newGood(t), newGood(t)}, calls: newEchoCalls(t), bad: newBad(t), token: token(), score: newScore()}
	s.plane.Store(s.system.Start("plane", "dev", "--empty"))
	s.declare(t)
	auth := s.gatewayToken(t)
	for _, name := range []string{"steady", "moving"} {
		p := s.system.Start(name, "config.service.endpoint="+s.plane.Load().Listen["management"], "config.service.auth="+auth, "net.server.http3.enabled="+fmt.Sprint(name == "steady"),
			"gateway", "--gateway-tls-listen", "127.0.0.1:0", "--profile-listen", "127.0.0.1:0")
		s.gateways = append(s.gateways, &gateway{process: p, base: p.Listen["gateway"], secure: p.Listen["gateway-tls"], steady: name == "steady", pid: p.PID()})
	}
	last := s.gateways[1] // the harness knows the first process only
	t.Cleanup(func() { _ = syscall.Kill(last.pid, syscall.SIGTERM) })
	s.settled(t)
	return s
}

// gatewayToken makes a token of the gateway.
func (s *soak) gatewayToken(t *testing.T) string {
	t.Helper()
	expiry := time.Now().UTC().Add(24 * time.Hour).Format(time.RFC3339)
	var token struct{ Value string }
	answer := s.system.ARM(s.plane.Load(), http.MethodPost, "gateways/edge/generateToken", `{"keyType":"primary","expiry":"`+expiry+`"}`)
	if err := json.Unmarshal([]byte(answer), &token); err != nil {
		t.Fatal(err)
	}
	return "GatewayKey " + token.Value
}

// settled waits until both gateways serve the last change that the plane has confirmed.
func (s *soak) settled(t *testing.T) {
	t.Helper()
	for _, g := range s.gateways {
		client := doer{client: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}, base: g.base}
		for deadline := time.Now().Add(patience); ; {
			err := typicalCall(t.Context(), s, g, client)
			if err == nil && g.seen.Load() >= s.changed.Load() {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("%s serves change %d, the plane has confirmed %d; %v; its log ends:\n%s", g.process.Name, g.seen.Load(), s.changed.Load(), err, tail(g.process.Log()))
			}
		}
	}
}

// tail is the end of a log.
func tail(log string) string { return log[max(0, len(log)-20_000):] }

// load starts the workers and returns what is to be called when they have ended.
func (s *soak) load(ctx context.Context, work *sync.WaitGroup) (stops []func()) {
	for _, g := range s.gateways {
		for _, l := range loads() {
			name := g.process.Name + ": " + l.name
			for range l.workers {
				call, stop := l.start(s, g)
				stops = append(stops, stop)
				if call == nil {
					continue
				}
				work.Go(func() {
					for ; ctx.Err() == nil; pause(ctx, l.pause) {
						within, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
						err := call(within)
						cancel()
						s.score.note(name, err)
						if err != nil {
							pause(ctx, 200*time.Millisecond) // what is broken for a moment is not to fill the score
						}
					}
				})
			}
		}
	}
	return stops
}

// changes changes the configuration all the time. While the plane is away it tries again.
func (s *soak) changes(ctx context.Context) {
	for n := 1; ctx.Err() == nil; pause(ctx, 50*time.Millisecond) {
		away := s.away.Load()
		err := s.change(n)
		if err != nil && (away || s.away.Load()) {
			continue
		}
		s.score.note("changes", err)
		n++
	}
}

// restarts ends the plane and starts it again: in turn as asked, and as the kernel would.
func (s *soak) restarts(ctx context.Context, t *testing.T, every time.Duration) {
	for n := 0; ; n++ {
		pause(ctx, every)
		if ctx.Err() != nil {
			return
		}
		s.away.Store(true)
		var err error
		if plane := s.plane.Load(); n%2 == 0 {
			_, err = plane.Stop(syscall.SIGTERM)
		} else {
			plane.Kill()
		}
		pause(ctx, time.Second)
		s.plane.Store(s.system.Start("plane", "dev", "--empty"))
		s.away.Store(false)
		s.score.note("restarts of the plane", err)
	}
}

var successorLine = regexp.MustCompile(`Another process takes over\..*pid"?[=:] ?"?(\d+)`)

// handOvers has one process of the moving gateway follow the other.
func (s *soak) handOvers(ctx context.Context, every time.Duration) {
	g := s.gateways[1]
	for {
		pause(ctx, every)
		if ctx.Err() != nil {
			return
		}
		s.score.note("hand-overs", s.handOver(g))
	}
}

func (s *soak) handOver(g *gateway) error {
	old := g.pid
	if err := syscall.Kill(old, syscall.SIGUSR2); err != nil {
		return err
	}
	deadline := time.Now().Add(2 * time.Minute)
	for ; time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if found := successorLine.FindAllStringSubmatch(g.process.Log(), -1); len(found) > 0 {
			if pid, _ := strconv.Atoi(found[len(found)-1][1]); pid != old {
				g.pid = pid
			}
		}
		if g.pid != old && causewaytest.Ended(old) {
			return nil
		}
	}
	return fmt.Errorf("process %d has not ended, the next one is %d; the log ends:\n%s", old, g.pid, tail(g.process.Log()))
}

// rests waits until the steady gateway needs few more goroutines than before the load.
func (s *soak) rests(t *testing.T, idle sample, profiles string) {
	t.Helper()
	const more = 80 // up to 64 of HTTP/2 wait for requests; what leaks with each request or connection is far more
	for deadline := time.Now().Add(2 * patience); ; time.Sleep(time.Second) {
		now, err := measure(s.gateways[0].pid, profiles)
		if err != nil {
			t.Fatal(err)
		}
		if now.goroutines <= idle.goroutines+more {
			t.Logf("at rest: before %v; after %v", idle, now)
			return
		}
		if time.Now().After(deadline) {
			text, _ := profile(profiles, "goroutine?debug=1") // it only explains
			t.Fatalf("at rest there are %d goroutines, before the load %d:\n%s", now.goroutines, idle.goroutines, text)
		}
	}
}
