package configsync

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/causeway-apim/causeway/internal/auth"
	"github.com/causeway-apim/causeway/internal/snapshot"
)

func TestGatewayFollowsItsView(t *testing.T) {
	t.Parallel()
	p := newPlane(t)
	s := serve(t, p)
	g := newGateway(t, s.url, p.token(time.Now().Add(time.Hour), time.Now()), nil).start()

	first := g.next()
	if first.from != nil || first.to.Sequence() != 1 || first.to.Len() != 3 || len(first.delta.Put) != 3 {
		t.Fatalf("first: sequence %d, %d parts, %+v", first.to.Sequence(), first.to.Len(), first.delta)
	}
	if _, ok := first.to.Get(snapshot.Key{Kind: snapshot.KindAPI, ID: "apis/foreign"}); ok {
		t.Error("an API that is not assigned came")
	}
	p.put(part(t, snapshot.KindAPI, "apis/foreign", snapshot.API{ID: "foreign", Path: "x"}))
	p.put(policy(t, "<policies />"))
	change := g.next()
	if change.to.Sequence() != 3 || len(change.delta.Put) != 1 || change.delta.Put[0].Key.Kind != snapshot.KindPolicy {
		t.Fatalf("got %d, %+v", change.to.Sequence(), change.delta)
	}
	if change.to.Digest() != snapshot.NewView(p.current, "edge").Snapshot().Digest() {
		t.Error("the digest differs from the plane's view")
	}
	g.status("serving", func(s Status) bool { return s.Serving == 3 && s.State == StateConnected })
	i := s.instance("at 3", func(i Instance) bool { return i.Sequence == 3 && i.Status == StatusOK })
	if i.ID != "instance-1" || i.Version != "1.2.3" || i.LastHeartbeat.IsZero() || i.TokenExpiry == nil {
		t.Errorf("got %+v", i)
	}
	list := s.Instances(strings.ToUpper(testService), "EDGE")
	b, err := json.Marshal(list)
	if err != nil || len(list) != 1 || !strings.HasPrefix(string(b), `[{"id":"instance-1","version":"1.2.3","lastHeartbeat":"`) {
		t.Errorf("instances: %s, %v", b, err)
	}
}

func TestLargeConfigurationComesInPieces(t *testing.T) {
	t.Parallel()
	p := newPlane(t)
	var parts []snapshot.Part
	for i := range 40 {
		id := fmt.Sprintf("apis/echo/operations/op%d", i)
		parts = append(parts, part(t, snapshot.KindOperation, id, snapshot.Operation{API: "echo", Display: strings.Repeat("x", 50_000)}))
	}
	p.put(parts...)
	s := serve(t, p)
	g := newGateway(t, s.url, p.token(time.Now().Add(time.Hour), time.Now()), nil).start()
	if got := g.until(2); got.Len() != 43 {
		t.Errorf("%d parts", got.Len())
	}
	g.status("progress", func(s Status) bool { return s.Receiving > 0 && s.Receiving < s.Total })
}

// TestResume loses the connection and counts what comes afterwards.
func TestResume(t *testing.T) {
	t.Parallel()
	p := newPlane(t)
	s := serve(t, p)
	g := newGateway(t, s.url, p.token(time.Now().Add(time.Hour), time.Now()), nil).start()
	g.until(1)
	for _, c := range s.hub(testService, "edge").connections() {
		c.ws.CloseNow()
	}
	g.state(StateWaiting)
	p.put(policy(t, "<policies>1</policies>"))
	p.put(policy(t, "<policies>2</policies>"))
	if got := g.until(3); got.Len() != 4 {
		t.Errorf("%d parts", got.Len())
	}
	for {
		select {
		case st := <-g.statuses:
			if st.Total > 0 {
				t.Error("the gateway took everything again")
			}
			continue
		default:
		}
		break
	}
	g.stop()

	// A plane that restarts does not know old views, but knows its own state.
	again := serve(t, p)
	hub, err := again.join(Identity{Service: testService, Gateway: "edge"})
	if err != nil {
		t.Fatal(err)
	}
	defer again.leave(hub)
	hub.prepare()
	view := hub.newest()
	if held := hub.held(1, hexDigest(view)); held == nil || held.Sequence() != 1 {
		t.Error("a gateway with the same content should not need it again")
	}
	if hub.held(2, strings.Repeat("0", 64)) != nil {
		t.Error("an unknown digest was taken for known")
	}
}

func TestRefusedConfiguration(t *testing.T) {
	t.Parallel()
	p := newPlane(t)
	s := serve(t, p)
	bad := snapshot.Key{Kind: snapshot.KindPolicy, ID: "apis/echo/policies/policy"}
	g := newGateway(t, s.url, p.token(time.Now().Add(time.Hour), time.Now()), func(s *snapshot.Snapshot) error {
		if got, ok := s.Get(bad); ok && strings.Contains(string(got.Data), "bad") {
			return errors.New("line 1: bad policy")
		}
		return nil
	}).start()
	g.until(1)
	p.put(policy(t, "bad"))
	s.instance("rejected", func(i Instance) bool {
		return i.Status == StatusRejected && i.Sequence == 1 && i.Message == "sequence 2 was refused: line 1: bad policy"
	})
	g.status("rejected", func(s Status) bool { return s.Rejected != "" && s.Held == 2 && s.Serving == 1 })
	p.put(policy(t, "good"))
	a := g.next()
	if a.from.Sequence() != 1 || a.to.Sequence() != 3 || a.delta.From != 1 {
		t.Errorf("from %d to %d", a.from.Sequence(), a.to.Sequence())
	}
	s.instance("ok", func(i Instance) bool { return i.Status == StatusOK && i.Sequence == 3 })
}

func TestKeyIsRegenerated(t *testing.T) {
	t.Parallel()
	p := newPlane(t)
	s := serve(t, p)
	commands := make(chan string, 10)
	g := newGateway(t, s.url, "GatewayKey "+p.token(time.Now().Add(time.Hour), time.Now()), nil)
	g.Command = func(_ context.Context, name string, _ json.RawMessage) { commands <- name }
	g.start()
	g.until(1)
	for _, name := range []string{"EDGE", ""} {
		if err := s.Recheck(t.Context(), testService, name); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := s.Command(testService, "edge", "ping", 1); n != 1 || err != nil {
		t.Fatalf("%d connections, %v", n, err)
	}
	if got := <-commands; got != "ping" {
		t.Fatalf("got %s: a token that holds was revoked", got)
	}
	p.mu.Lock()
	p.keys[0].Primary = "new key"
	p.mu.Unlock()
	// The gateway's part says that there are other keys.
	p.put(part(t, snapshot.KindGateway, "gateways/edge", snapshot.Gateway{
		Name: "edge", KeyID: auth.GatewayKeyID("new key", "secondary key"),
	}))
	if got := <-commands; got != CommandTokenRevoked {
		t.Errorf("got command %s", got)
	}
	st := g.state(StateTokenRefused)
	if !strings.Contains(st.Reason, "regenerated") {
		t.Errorf("reason %q", st.Reason)
	}
	s.instance("revoked", func(i Instance) bool { return i.Status == StatusTokenRevoked })
	st = g.status("refused again", func(st Status) bool { return strings.Contains(st.Reason, auth.ErrTokenUnknownKey.Error()) })
	if st.State != StateTokenRefused {
		t.Errorf("got %+v", st)
	}
}

func TestRefusedConnections(t *testing.T) {
	t.Parallel()
	p := newPlane(t)
	s := serve(t, p)
	now := time.Now()
	past, err := auth.NewGatewayToken("edge", "secondary key", now.Add(-time.Hour), now.Add(-2*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, endpoint, token string
		state                 State
		reason                string
	}{
		{"malformed", s.url, "nonsense", StateTokenRefused, "malformed gateway token"},
		{"expired", s.url, past, StateTokenExpired, "gateway token expired at"},
		{"application", s.url, "Bearer x", StateTokenRefused, "application tokens are not accepted"},
		{"other service", s.url + "/other", p.token(now.Add(time.Hour), now), StateTokenRefused, "not made with a current key"},
		{"nobody there", "http://127.0.0.1:1", "x", StateWaiting, "cannot connect to 127.0.0.1:1: "},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := newGateway(t, c.endpoint, c.token, nil).start()
			if st := g.state(c.state); !strings.Contains(st.Reason, c.reason) || st.Retry != firstWait/2 {
				t.Errorf("got %+v", st)
			}
		})
	}
	if list := s.Instances(testService, "edge"); len(list) != 1 || list[0].Status != StatusTokenExpired {
		t.Errorf("instances %+v", list)
	}
}

func TestServiceOfToken(t *testing.T) {
	t.Parallel()
	p := newPlane(t)
	p.keys = append(p.keys, GatewayKeys{Service: "/other", Gateway: "edge", Primary: "other key"})
	s := serve(t, p)
	now := time.Now()
	// The path may be spelt in any case, as ARM paths may.
	g := newGateway(t, s.url+strings.ToUpper(testService), p.token(now.Add(time.Hour), now), nil).start()
	g.until(1)
	twin := p.keys[0]
	twin.Service = "/twin"
	p.mu.Lock()
	p.keys = append(p.keys, twin)
	p.mu.Unlock()
	h := newGateway(t, s.url, p.token(now.Add(time.Hour), now), nil).start()
	if st := h.state(StateTokenRefused); !strings.Contains(st.Reason, "several services") {
		t.Errorf("got %+v", st)
	}
}

func TestApplicationToken(t *testing.T) {
	t.Parallel()
	p := newPlane(t)
	s := serve(t, p)
	s.Auth = func(r *http.Request, service, gateway string) (Identity, error) {
		if token, _ := auth.BearerToken(r.Header.Get("Authorization")); token != "app" || service != "" {
			return Identity{}, errors.New("no")
		}
		return Identity{Service: testService, Gateway: gateway}, nil
	}
	g := newGateway(t, s.url, "Bearer app", nil)
	g.Gateway = "Managed"
	g.start()
	if got := g.until(1); got.Len() != 5 {
		t.Errorf("the managed gateway sees %d parts", got.Len())
	}
}

func TestRecords(t *testing.T) {
	t.Parallel()
	p := newPlane(t)
	s := serve(t, p)
	taken := make(chan Record, 10)
	failed := false
	s.Record = func(_ context.Context, from Identity, instance string, r Record) error {
		if from.Gateway != "edge" || instance != "instance-1" {
			t.Errorf("from %+v %s", from, instance)
		}
		if string(r.Payload) == "2" && !failed {
			failed = true
			return errors.New("store is away")
		}
		taken <- r
		return nil
	}
	g := newGateway(t, s.url, p.token(time.Now().Add(time.Hour), time.Now()), nil)
	for i := range 3 {
		if err := g.Send("usage", i+1); err != nil {
			t.Fatal(err)
		}
	}
	g.start()
	var last int64
	for _, want := range []string{"1", "2", "3"} {
		r := <-taken
		if string(r.Payload) == "1" && last != 0 {
			r = <-taken // its acknowledgement was lost: it comes twice, with the same number
		}
		if string(r.Payload) != want || r.Sequence <= last || r.Kind != "usage" {
			t.Errorf("got %+v, want %s", r, want)
		}
		last = r.Sequence
	}
}

// TestUnknownMessages talks to a client as a newer plane might.
func TestUnknownMessages(t *testing.T) {
	t.Parallel()
	empty, d := snapshot.Empty().Edit(7, []snapshot.Part{policy(t, "x")}, nil)
	resyncs := make(chan message, 1)
	hs := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ws, err := websocket.Accept(w, r, nil)
		if err != nil {
			t.Error(err)
			return
		}
		defer ws.CloseNow()
		send := func(kind websocket.MessageType, b []byte) {
			if err := ws.Write(r.Context(), kind, b); err != nil {
				t.Error(err)
			}
		}
		piece := func(head message, d snapshot.Delta) {
			b, err := encodePiece(head, d)
			if err != nil {
				t.Error(err)
			}
			send(websocket.MessageBinary, b)
		}
		send(websocket.MessageText, []byte(`{"type":"hello","protocol":9,"new":{"a":[1]}}`))
		send(websocket.MessageText, []byte(`{"type":"fashion","payload":1}`))
		send(websocket.MessageBinary, append([]byte{15}, `{"type":"blob"}payload`...))
		wrong := d
		wrong.Digest[0] ^= 1
		piece(message{Type: typeChange, Last: true}, wrong)
		piece(message{Type: typeChange, Last: true}, wrong) // was under way
		for {
			_, b, err := ws.Read(r.Context())
			if err != nil {
				return
			}
			if m, err := decodeMessage(b); err == nil && m.Type == typeResync {
				resyncs <- m
				full := snapshot.Diff(snapshot.Empty(), empty)
				piece(message{Type: typeChange, Full: true, Last: true}, full)
			}
		}
	}))
	t.Cleanup(hs.Close)
	g := newGateway(t, hs.URL, "x", nil).start()
	if got := g.until(7); got.Len() != 1 {
		t.Errorf("%d parts", got.Len())
	}
	g.status("counted", func(s Status) bool { return s.Unknown == 2 })
	if m := <-resyncs; !strings.Contains(m.Error, "digest") {
		t.Errorf("reason %q", m.Error)
	}
	if len(resyncs) > 0 {
		t.Error("asked twice")
	}
	g.stop()
}

// TestSlowGatewayCoalesces changes the configuration while a gateway is busy.
func TestSlowGatewayCoalesces(t *testing.T) {
	t.Parallel()
	p := newPlane(t)
	s := serve(t, p)
	busy, goOn := make(chan struct{}), make(chan struct{})
	var calls atomic.Int32
	g := newGateway(t, s.url, p.token(time.Now().Add(time.Hour), time.Now()), func(s *snapshot.Snapshot) error {
		if calls.Add(1) == 1 {
			close(busy)
			<-goOn
		}
		return nil
	}).start()
	<-busy
	for i := range 100 {
		p.put(policy(t, fmt.Sprint(i)))
	}
	g.status("all held", func(s Status) bool { return s.Held == 101 })
	close(goOn)
	g.until(101)
	if n := calls.Load(); n != 2 {
		t.Errorf("%d calls of apply, want 2", n)
	}
}

// TestManyInstances connects many gateways and changes the configuration under
// them from several sides.
func TestManyInstances(t *testing.T) {
	t.Parallel()
	p := newPlane(t)
	s := serve(t, p)
	token := p.token(time.Now().Add(time.Hour), time.Now())
	var all []*gateway
	for i := range 50 {
		g := newGateway(t, s.url, token, nil)
		g.Instance = fmt.Sprint("instance-", i)
		all = append(all, g.start())
	}
	var writers sync.WaitGroup
	for w := range 4 {
		writers.Go(func() {
			for i := range 25 {
				p.put(part(t, snapshot.KindOperation, fmt.Sprintf("apis/echo/operations/%d-%d", w, i), snapshot.Operation{}))
			}
		})
	}
	writers.Wait()
	want := snapshot.NewView(p.current, "edge").Snapshot().Digest()
	for _, g := range all {
		if got := g.until(101); got.Digest() != want {
			t.Errorf("%s holds something else", g.Instance)
		}
	}
	if n := len(s.Instances(testService, "edge")); n != len(all) {
		t.Errorf("%d instances", n)
	}
}

func TestServerCloseSendsGatewaysAway(t *testing.T) {
	t.Parallel()
	p := newPlane(t)
	s := serve(t, p)
	g := newGateway(t, s.url, p.token(time.Now().Add(time.Hour), time.Now()), nil).start()
	g.until(1)
	s.Close()
	if st := g.state(StateWaiting); !strings.Contains(st.Reason, "going away") {
		t.Errorf("reason %q", st.Reason)
	}
}

func TestRunRefusesBadSettings(t *testing.T) {
	t.Parallel()
	for endpoint, ok := range map[string]bool{
		"": false, "ftp://x": false, "https://": false, "http://u:p@h": false, "://": false, "http://[::1": false,
	} {
		g := newGateway(t, endpoint, "x", nil)
		if err := g.Run(t.Context()); (err == nil) != ok {
			t.Errorf("%q: %v", endpoint, err)
		}
	}
}

func TestParseEndpoint(t *testing.T) {
	t.Parallel()
	f := func(in, url, host string) {
		t.Helper()
		if got, err := parseEndpoint(in); err != nil || got.url != url || got.host != host {
			t.Errorf("%s: got %+v, %v", in, got, err)
		}
	}
	f("plane.example", "https://plane.example"+Path, "plane.example:443")
	f("plane.example:8881", "https://plane.example:8881"+Path, "plane.example:8881")
	f(" http://127.0.0.1:8880/ ", "http://127.0.0.1:8880"+Path, "127.0.0.1:8880")
	f("https://h/a/b?api-version=1", "https://h/a/b"+Path, "h:443")
}

func TestFollow(t *testing.T) {
	t.Parallel()
	p := newPlane(t)
	var serving *snapshot.Snapshot
	var rejected []int64
	stop, err := Follow(t.Context(), p, testService, "managed", func(_ context.Context, from, to *snapshot.Snapshot, d snapshot.Delta) error {
		if from != serving {
			t.Error("from is not what serves")
		}
		if to.Sequence() == 2 {
			return errors.New("bad")
		}
		serving = to
		return nil
	}, func(sequence int64, _ error) { rejected = append(rejected, sequence) })
	if err != nil || serving.Len() != 5 {
		t.Fatalf("%v", err)
	}
	p.put(policy(t, "bad"))
	if serving.Sequence() != 1 || len(rejected) != 1 || rejected[0] != 2 {
		t.Fatalf("serving %d, rejected %v", serving.Sequence(), rejected)
	}
	if p.put(policy(t, "good")); serving.Sequence() != 3 {
		t.Fatalf("serving %d: the change must be applied when put returns", serving.Sequence())
	}
	p.Remove(testService)
	if serving.Len() != 0 {
		t.Error("a removed service still serves")
	}
	stop()
	if _, err := Follow(t.Context(), p, testService, "managed", nil, nil); !errors.Is(err, ErrNoService) {
		t.Errorf("got %v", err)
	}
}
