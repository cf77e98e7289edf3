//go:build linux

package soak

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
	h3 "github.com/quic-go/quic-go/http3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

// A load is a kind of calls that a worker makes one after the other.
type load struct {
	name    string
	workers int
	pause   time.Duration
	// start returns what makes a call, and what ends it.
	start func(s *soak, g *gateway) (call func(ctx context.Context) error, stop func())
}

// patience is how long a call may take before it has failed.
const patience = 60 * time.Second

// loads is the mixture. Each has its own connections.
func loads() []load {
	keep, fresh, secure, two := &http.Transport{}, &http.Transport{DisableKeepAlives: true}, &http.Transport{TLSClientConfig: tlsConfig()},
		&http.Transport{TLSClientConfig: tlsConfig(), ForceAttemptHTTP2: true}
	for _, t := range []*http.Transport{keep, fresh, secure, two} {
		t.MaxIdleConnsPerHost, t.ExpectContinueTimeout = 20, patience
	}
	return []load{
		{"typical", 3, 3 * time.Millisecond, over(keep, typicalCall)},
		{"typical, new connections", 1, 10 * time.Millisecond, over(fresh, typicalCall)},
		{"typical, TLS", 2, 5 * time.Millisecond, over(secure, securely(typicalCall))},
		{"typical, HTTP/2", 3, 5 * time.Millisecond, over(two, typicalCall)},
		{"large answers, HTTP/2", 1, 50 * time.Millisecond, over(two, getCall("/good/bytes/3000000", 3000000))},
		{"large answers", 1, 50 * time.Millisecond, over(keep, getCall("/good/bytes/3000000", 3000000))},
		{"backend entity", 1, 5 * time.Millisecond, over(keep, getCall("/entity/bytes/1000", 1000))},
		{"cache", 1, 5 * time.Millisecond, over(keep, getCall("/cached/bytes/16000", 16000))},
		{"rate limit", 1, 20 * time.Millisecond, over(keep, limitedCall)},
		{"uploads", 1, 30 * time.Millisecond, over(keep, echoCall(2_000_000, true, false))},
		{"uploads, chunked", 1, 30 * time.Millisecond, over(keep, echoCall(500_000, false, false))},
		{"uploads, 100-continue", 1, 30 * time.Millisecond, over(keep, echoCall(200_000, true, true))},
		{"uploads, HTTP/2", 1, 30 * time.Millisecond, over(two, echoCall(500_000, false, false))},
		{"events", 2, time.Millisecond, over(keep, eventsCall)},
		{"events, HTTP/2", 1, time.Millisecond, over(two, eventsCall)},
		{"bad backend service", 6, 5 * time.Millisecond, over(keep, badCall("/bad/get"))},
		{"bad backend service, retry", 2, 5 * time.Millisecond, over(two, badCall("/bad/retry"))},
		{"WebSocket", 2, 10 * time.Millisecond, socketLoad},
		{"gRPC", 2, 5 * time.Millisecond, callsLoad},
		{"HTTP/3", 2, 5 * time.Millisecond, http3Load},
		{"clients that leave", 2, 10 * time.Millisecond, leaveLoad},
	}
}

// tlsConfig is that of clients who look at the certificate's name only: it is made anew all the time.
func tlsConfig() *tls.Config {
	return &tls.Config{ServerName: hostname, InsecureSkipVerify: true, ClientSessionCache: tls.NewLRUClientSessionCache(50), VerifyConnection: func(state tls.ConnectionState) error {
		if names := state.PeerCertificates[0].DNSNames; !slices.Contains(names, hostname) {
			return fmt.Errorf("the certificate is for %q", names)
		}
		return nil
	}}
}

// over makes a load of a call by a transport.
func over(transport *http.Transport, call func(ctx context.Context, s *soak, g *gateway, do doer) error) func(*soak, *gateway) (func(context.Context) error, func()) {
	return func(s *soak, g *gateway) (func(context.Context) error, func()) {
		do := doer{client: &http.Client{Transport: transport}, base: g.base}
		if transport.ForceAttemptHTTP2 {
			do.base, do.major = g.secure, 2
		}
		return func(ctx context.Context) error { return call(ctx, s, g, do) }, transport.CloseIdleConnections
	}
}

// securely has a call use TLS.
func securely(call func(context.Context, *soak, *gateway, doer) error) func(context.Context, *soak, *gateway, doer) error {
	return func(ctx context.Context, s *soak, g *gateway, do doer) error {
		do.base, do.major = g.secure, 1
		return call(ctx, s, g, do)
	}
}

// doer sends requests and checks the protocol of their answers.
type doer struct {
	client *http.Client
	base   string
	major  int
}

func (d doer) do(ctx context.Context, method, path string, body io.Reader, header ...string) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, method, d.base+path, body)
	if err != nil {
		return nil, err
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	if once, ok := body.(*onceBody); ok {
		r.GetBody = once.unread
	}
	resp, err := d.client.Do(r)
	if err == nil && d.major > 0 && resp.ProtoMajor != d.major {
		resp.Body.Close()
		return nil, fmt.Errorf("answered in %s", resp.Proto)
	}
	return resp, err
}

// onceBody is a body that comes once. Until somebody reads it a client may turn to another connection: that of net/http has closed the body by then when a
// GOAWAY came as it chose the connection, and would fail by itself.
type onceBody struct {
	io.Reader
	begun atomic.Bool
}

func (b *onceBody) Read(p []byte) (int, error) {
	b.begun.Store(true)
	return b.Reader.Read(p)
}

func (b *onceBody) unread() (io.ReadCloser, error) {
	if b.begun.Load() {
		return nil, errors.New("the body has been read")
	}
	return io.NopCloser(b), nil
}

// want checks the status and reads n bytes of the pattern.
func want(resp *http.Response, status, n int) error {
	if resp.StatusCode != status {
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 500)) // it only explains
		return fmt.Errorf("status %d: %s", resp.StatusCode, text)
	}
	return checkPattern(resp.Body, n)
}

// typicalCall also checks that no client sees an older configuration than one that it has seen.
func typicalCall(ctx context.Context, s *soak, g *gateway, do doer) error {
	size, oldest := 500, g.seen.Load()
	resp, err := do.do(ctx, "GET", "/typical/"+strconv.Itoa(size), nil, "Ocp-Apim-Subscription-Key", subscriptionKey, "Authorization", "Bearer "+s.token)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if err := want(resp, 200, size); err != nil {
		return err
	}
	if named := resp.Header.Get("X-Named"); !strings.HasPrefix(named, "value ") {
		return fmt.Errorf("named value %q", named)
	}
	change, err := strconv.ParseInt(resp.Header.Get("X-Change"), 10, 64)
	if err != nil {
		return err
	}
	if g.steady && change < oldest {
		return fmt.Errorf("change %d is served behind %d", change, oldest)
	}
	for old := g.seen.Load(); change > old && !g.seen.CompareAndSwap(old, change); old = g.seen.Load() {
	}
	return nil
}

func getCall(path string, size int) func(context.Context, *soak, *gateway, doer) error {
	return func(ctx context.Context, _ *soak, _ *gateway, do doer) error {
		resp, err := do.do(ctx, "GET", path, nil)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		return want(resp, 200, size)
	}
}

func limitedCall(ctx context.Context, _ *soak, g *gateway, do doer) error {
	resp, err := do.do(ctx, "GET", "/limited/bytes/10", nil, "X-Key", strconv.FormatInt(time.Now().Unix()/10, 10))
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode == 429 {
		_, err := io.Copy(io.Discard, resp.Body)
		return err
	}
	return want(resp, 200, 10)
}

// echoCall sends a body and has it back.
func echoCall(size int, known, expect bool) func(context.Context, *soak, *gateway, doer) error {
	data, _ := io.ReadAll(io.LimitReader(&pattern{}, int64(size))) // which does not fail
	return func(ctx context.Context, _ *soak, _ *gateway, do doer) error {
		body, header := io.Reader(bytes.NewReader(data)), []string{"X-A", "b"}
		if !known {
			body = &onceBody{Reader: body}
		}
		if expect {
			header = []string{"Expect", "100-continue"}
		}
		resp, err := do.do(ctx, "POST", "/good/echo", body, header...)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		return want(resp, 200, size)
	}
}

func eventsCall(ctx context.Context, _ *soak, _ *gateway, do doer) error {
	resp, err := do.do(ctx, "GET", "/good/events", nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err == nil && strings.Count(string(text), "data: ") != events {
		err = fmt.Errorf("status %d, events %q", resp.StatusCode, text)
	}
	return err
}

// badTimeout is how long the policy waits for the bad backend service.
const badTimeout = time.Second

// badCall fails unless the backend service is to blame, or the answer is whole.
func badCall(path string) func(context.Context, *soak, *gateway, doer) error {
	return func(ctx context.Context, s *soak, _ *gateway, do doer) error {
		id, sent := rand.Text(), time.Now()
		err := badOnce(ctx, do, path, id)
		var wrong *wrongAnswer
		late := time.Since(sent) >= badTimeout // what a busy machine needs longer for is nobody's fault
		if excused := s.bad.excused(id, sent); err != nil && (excused || late) && !errors.As(err, &wrong) {
			s.score.excuse()
			return nil
		}
		return err
	}
}

// wrongAnswer is an answer that looks right and is not, which nobody excuses.
type wrongAnswer struct{ text string }

func (e *wrongAnswer) Error() string { return fmt.Sprintf("wrong answer %.80q", e.text) }

func badOnce(ctx context.Context, do doer, path, id string) error {
	resp, err := do.do(ctx, "GET", path, nil, "X-Id", id)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	switch {
	case err != nil:
		return err
	case resp.StatusCode != 200:
		return fmt.Errorf("status %d: %s", resp.StatusCode, text)
	case string(text) != badBody(id):
		return &wrongAnswer{string(text)}
	}
	return nil
}

// socketLoad opens WebSockets and has messages of several sizes come back.
func socketLoad(_ *soak, g *gateway) (func(context.Context) error, func()) {
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: tlsConfig()}}
	return func(ctx context.Context) error {
		c, _, err := websocket.Dial(ctx, strings.Replace(g.secure, "https", "wss", 1)+"/sockets", &websocket.DialOptions{HTTPClient: client})
		if err != nil {
			return err
		}
		defer c.CloseNow()
		c.SetReadLimit(maxMessage)
		for i := range 30 {
			message := bytes.Repeat([]byte{byte(i)}, 1+i*i*50)
			if err := c.Write(ctx, websocket.MessageBinary, message); err != nil {
				return err
			}
			_, got, err := c.Read(ctx)
			if err != nil {
				return err
			}
			if !bytes.Equal(got, message) {
				return fmt.Errorf("%d bytes came back of %d", len(got), len(message))
			}
		}
		return c.Close(websocket.StatusNormalClosure, "")
	}, client.CloseIdleConnections
}

// callsLoad makes calls of gRPC: a unary one and a stream each time.
func callsLoad(_ *soak, g *gateway) (func(context.Context) error, func()) {
	conn, err := grpc.NewClient("passthrough:///"+strings.TrimPrefix(g.base, "http://"), grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.ForceCodec(bytesCodec{})))
	if err != nil {
		return func(context.Context) error { return err }, func() {}
	}
	return func(ctx context.Context) error {
		sent, got := make([]byte, 1000), []byte(nil)
		if err := conn.Invoke(ctx, "/soak.Echo/Say", &sent, &got); err != nil {
			return fmt.Errorf("unary: %w", err)
		}
		if len(got) != len(sent) {
			return fmt.Errorf("unary: %d bytes", len(got))
		}
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		stream, err := conn.NewStream(ctx, &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}, "/soak.Echo/Chat")
		if err != nil {
			return fmt.Errorf("stream: %w", err)
		}
		for i := range 10 {
			sent = make([]byte, i*1000)
			if err := stream.SendMsg(&sent); err != nil && err != io.EOF { // then RecvMsg says why
				return fmt.Errorf("stream: %w", err)
			}
			if err := stream.RecvMsg(&got); err != nil || len(got) != len(sent) {
				return fmt.Errorf("stream, message %d: %d bytes, %w", i, len(got), err)
			}
		}
		if err := stream.CloseSend(); err != nil {
			return err
		}
		if err := stream.RecvMsg(&got); err != io.EOF {
			return fmt.Errorf("end of stream: %w", err)
		}
		return nil
	}, func() { _ = conn.Close() }
}

// http3Load does without the gateway that is handed over: its connections of QUIC end with the process, and clients go back to TCP for a while.
func http3Load(s *soak, g *gateway) (func(context.Context) error, func()) {
	if !g.steady {
		return nil, func() {}
	}
	transport := &h3.Transport{TLSClientConfig: tlsConfig()}
	do := doer{&http.Client{Transport: transport}, g.secure, 3}
	echo := echoCall(300_000, true, false)
	return func(ctx context.Context) error { return errors.Join(typicalCall(ctx, s, g, do), echo(ctx, s, g, do)) }, func() { _ = transport.Close() }
}

// leaveLoad sends parts of requests, and takes parts of answers, and goes.
func leaveLoad(_ *soak, g *gateway) (func(context.Context) error, func()) {
	texts := []string{
		"", "GET", "GET /good/bytes/3000000 HTTP/1.1\r\nHost: h\r\n\r\n", "GET /good/events HTTP/1.1\r\nHost: h\r\n\r\n",
		"POST /good/echo HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\nabc", "POST /good/echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc",
		"GET /bad/get HTTP/1.1\r\nHost: h\r\n\r\nGET /bad/get HTTP/1.1\r\nHost: h\r\n\r\n", "GET / HTTP/1.1\r\nbroken\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00",
	}
	n := 0
	return func(ctx context.Context) error {
		n++
		c, err := (&net.Dialer{}).DialContext(ctx, "tcp", strings.TrimPrefix(g.base, "http://"))
		if err != nil {
			return err
		}
		defer c.Close()
		if n%2 == 0 {
			_ = c.(*net.TCPConn).SetLinger(0)
		}
		_, _ = io.WriteString(c, texts[n/2%len(texts)]) // whatever becomes of it
		_ = c.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
		_, _ = io.CopyN(io.Discard, c, 1000)
		return nil
	}, func() {}
}
