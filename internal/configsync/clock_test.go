package configsync

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"
)

// pipeListener accepts connections that are pipes in memory, so that a whole
// plane and its gateways run on the fake clock of testing/synctest.
type pipeListener struct {
	conns chan net.Conn
	done  chan struct{}
	down  atomic.Bool
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error   { close(l.done); return nil }
func (l *pipeListener) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }

func (l *pipeListener) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	if l.down.Load() {
		return nil, errors.New("connection refused")
	}
	near, far := net.Pipe()
	select {
	case l.conns <- far:
		return near, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// clocked is a plane and a gateway in a synctest bubble.
type clocked struct {
	*gateway
	plane    *plane
	server   *Server
	listener *pipeListener
	commands chan string
}

// inBubble runs a test on the fake clock, with a token of that life.
func inBubble(t *testing.T, life time.Duration, test func(*testing.T, *clocked)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		c := &clocked{plane: newPlane(t), commands: make(chan string, 100)}
		c.listener = &pipeListener{conns: make(chan net.Conn), done: make(chan struct{})}
		c.server = &Server{Source: c.plane}
		hs := &http.Server{Handler: c.server}
		served := make(chan error, 1)
		go func() { served <- hs.Serve(c.listener) }()
		c.gateway = newGateway(t, "http://plane", c.plane.token(time.Now().Add(life), time.Now()), nil)
		c.Dial = c.listener.dial
		c.Command = func(_ context.Context, name string, _ json.RawMessage) { c.commands <- name }
		c.start()
		c.until(1)
		test(t, c)
		c.stop()
		c.server.Close()
		if err := hs.Close(); err != nil {
			t.Error(err)
		}
		<-served
	})
}

// instance is the gateway's only instance.
func (c *clocked) instance() Instance {
	c.t.Helper()
	synctest.Wait()
	list := c.server.Instances(testService, "edge")
	if len(list) != 1 {
		c.t.Fatalf("instances %+v", list)
	}
	return list[0]
}

func (c *clocked) pass(d time.Duration) {
	time.Sleep(d) // on the fake clock
	synctest.Wait()
}

func TestHeartbeat(t *testing.T) {
	t.Parallel()
	inBubble(t, 24*time.Hour, func(t *testing.T, c *clocked) {
		start := time.Now()
		if i := c.instance(); !i.LastHeartbeat.Equal(start) || i.Sequence != 1 {
			t.Errorf("at the start: %+v", i)
		}
		c.pass(61 * time.Second)
		if i := c.instance(); !i.LastHeartbeat.Equal(start.Add(time.Minute)) {
			t.Errorf("after a minute: %+v", i)
		}
		c.stop()
		c.pass(time.Second)
		if i := c.instance(); i.Status != StatusDisconnected {
			t.Errorf("after the stop: %+v", i)
		}
		c.pass(InstanceLife)
		c.pass(time.Second)
		if list := c.server.Instances(testService, "edge"); len(list) != 0 {
			t.Errorf("after its life: %+v", list)
		}
	})
}

func TestTokenExpires(t *testing.T) {
	t.Parallel()
	inBubble(t, 7*time.Hour, func(t *testing.T, c *clocked) {
		c.pass(5 * time.Hour)
		if i := c.instance(); i.Status != StatusOK || len(c.commands) != 0 {
			t.Errorf("two hours before: %+v", i)
		}
		c.pass(62 * time.Minute) // less than a seventh is left
		if i := c.instance(); i.Status != StatusTokenExpiring || <-c.commands != CommandTokenExpiring {
			t.Errorf("an hour before: %+v", i)
		}
		c.state(StateTokenExpiring)
		c.pass(58 * time.Minute)
		if i := c.instance(); i.Status != StatusTokenExpired || <-c.commands != CommandTokenExpired {
			t.Errorf("afterwards: %+v", i)
		}
		c.state(StateTokenExpired)
		// It goes on trying and stays in the list, without a new configuration.
		c.plane.put(policy(t, "late"))
		c.pass(time.Hour)
		if i := c.instance(); i.Status != StatusTokenExpired || len(c.applies) != 0 {
			t.Errorf("an hour later: %+v", i)
		}
	})
}

// TestReturnOfThePlane: changes arrive within 30 s after it is back.
func TestReturnOfThePlane(t *testing.T) {
	t.Parallel()
	inBubble(t, 24*time.Hour, func(t *testing.T, c *clocked) {
		c.listener.down.Store(true)
		for _, conn := range c.server.hub(testService, "edge").connections() {
			conn.ws.CloseNow()
		}
		c.pass(3 * time.Hour)
		c.plane.put(policy(t, "new"))
		c.listener.down.Store(false)
		c.pass(lastWait)
		if len(c.applies) != 1 {
			t.Errorf("%d changes arrived", len(c.applies))
		}
	})
}

// frozenConn is a connection on which bytes stop to arrive.
type frozenConn struct {
	net.Conn
	frozen *atomic.Bool
}

func (c frozenConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	for err == nil && c.frozen.Load() {
		n, err = c.Conn.Read(b)
	}
	return n, err
}

// TestDeadPeer: a plane that falls silent without closing is noticed, and so is
// one that never answers.
func TestDeadPeer(t *testing.T) {
	t.Parallel()
	inBubble(t, 24*time.Hour, func(t *testing.T, c *clocked) {
		var frozen atomic.Bool
		silent := newGateway(t, "http://plane", c.plane.token(time.Now().Add(time.Hour), time.Now()), nil)
		silent.Instance = "silent"
		silent.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
			conn, err := c.listener.dial(ctx, network, addr)
			return frozenConn{conn, &frozen}, err
		}
		silent.start().until(1)
		frozen.Store(true)
		c.pass(pingPeriod + pingTimeout + time.Second)
		if st := silent.state(StateWaiting); !strings.Contains(st.Reason, "the connection to plane:80 is lost") {
			t.Errorf("got %+v", st)
		}
		silent.stop()

		dead := newGateway(t, "http://dead", "x", nil)
		dead.Dial = func(context.Context, string, string) (net.Conn, error) {
			near, _ := net.Pipe() // nobody reads
			return near, nil
		}
		dead.start()
		c.pass(dialTimeout + time.Second)
		if st := dead.state(StateWaiting); st.Reason != "cannot connect to dead:80: no answer in time" {
			t.Errorf("got %+v", st)
		}
		dead.stop()
	})
}

// TestSilentGateway: a gateway of which nothing is heard is let go.
func TestSilentGateway(t *testing.T) {
	t.Parallel()
	inBubble(t, 24*time.Hour, func(t *testing.T, c *clocked) {
		conn, err := c.listener.dial(t.Context(), "", "")
		if err != nil {
			t.Fatal(err)
		}
		ws, resp, err := websocket.Dial(t.Context(), "http://plane"+Path, &websocket.DialOptions{
			HTTPHeader: http.Header{"Authorization": {"GatewayKey " + c.plane.token(time.Now().Add(time.Hour), time.Now())}},
			HTTPClient: &http.Client{Transport: &http.Transport{
				DialContext: func(context.Context, string, string) (net.Conn, error) { return conn, nil },
			}},
		})
		if err != nil {
			t.Fatal(err, resp)
		}
		c.pass(helloTimeout + time.Second)
		if _, _, err := ws.Read(t.Context()); err == nil {
			t.Error("still open without a hello")
		}
		if n := len(c.server.hub(testService, "edge").connections()); n != 1 {
			t.Errorf("%d connections", n)
		}
	})
}
