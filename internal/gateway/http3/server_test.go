package http3_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/quic-go/quic-go"
	h3 "github.com/quic-go/quic-go/http3"

	"github.com/causeway-apim/causeway/internal/gateway/http3"
	"github.com/causeway-apim/causeway/internal/message"
)

// patience bounds every wait; it passes only when a test fails.
const patience = 30 * time.Second

// certificate makes a certificate for a name.
func certificate(t *testing.T, name string) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{name}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// start serves until the end of the test and returns the address.
func start(t *testing.T, s *http3.Server) string {
	t.Helper()
	if s.TLS == nil {
		own := certificate(t, "h3.test")
		s.TLS = &tls.Config{GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
			return &tls.Config{Certificates: []tls.Certificate{own}, NextProtos: []string{"h2"}}, nil
		}}
	}
	socket, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(socket) }()
	t.Cleanup(func() {
		_ = s.Close()
		if err := <-served; !errors.Is(err, http3.ErrServerClosed) {
			t.Errorf("serve: %v", err)
		}
	})
	return socket.LocalAddr().String()
}

// client returns quic-go's client.
func client(t *testing.T) *http.Client {
	transport := &h3.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableCompression: true}
	t.Cleanup(func() { _ = transport.Close() })
	return &http.Client{Transport: transport}
}

// within is a context for what should take no time.
func within(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// receive waits for a value.
func receive[T any](t *testing.T, c <-chan T, what string) (v T) {
	t.Helper()
	select {
	case v = <-c:
	case <-time.After(patience):
		t.Fatalf("no %s", what)
	}
	return v
}

// send sends a request and returns status and body.
func send(t *testing.T, c *http.Client, method, url string, body io.Reader, change func(*http.Request)) (*http.Response, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(within(t), method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(request)
	}
	response, err := c.Do(request)
	if err != nil {
		t.Fatalf("%s %s: %v", method, url, err)
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatalf("%s %s: %v", method, url, err)
	}
	return response, string(data)
}

// echo answers with what the request is, or with its body.
func echo(x message.Exchange) {
	r := x.Request()
	data, err := message.ReadAll(r.Body, 8<<20, -1)
	if err != nil {
		_ = x.Respond(&message.Response{Status: 400})
		return
	}
	resp := &message.Response{Status: 200, Body: message.BytesBody(data), ContentLength: int64(len(data)), Trailer: r.Trailer.Clone()}
	resp.Header = message.NewHeader("x-seen", fmt.Sprintf("%s %s %s %s %d %v", r.Method, r.Target, r.URL.String(), r.Proto, r.ContentLength, r.Body != nil))
	for name, value := range r.Header.All() {
		if strings.HasPrefix(name, "x-") {
			resp.Header.Add(name, value)
		}
	}
	_ = x.Respond(resp)
}

func TestMessages(t *testing.T) {
	t.Parallel()
	address := start(t, &http3.Server{Handler: message.HandlerFunc(echo)})
	c := client(t)
	base := "https://" + address
	for _, test := range []struct {
		method, path string
		body         io.Reader
		want         string
	}{
		{"GET", "/a%2fb/../c;v=1?q=%20&&x", nil, "GET /a%2fb/../c;v=1?q=%20&&x " + base + "/a%2fb/../c;v=1?q=%20&&x HTTP/3.0 0 false"},
		{"HEAD", "/", nil, "HEAD / " + base + "/ HTTP/3.0 0 false"},
		{"DELETE", "/", nil, "DELETE / " + base + "/ HTTP/3.0 0 false"},
		{"POST", "/", strings.NewReader("hello"), "POST / " + base + "/ HTTP/3.0 5 true"},
		{"PUT", "/", struct{ io.Reader }{strings.NewReader("hello")}, "PUT / " + base + "/ HTTP/3.0 -1 true"},
		{"GET", "/", struct{ io.Reader }{strings.NewReader("hello")}, "GET / " + base + "/ HTTP/3.0 -1 true"},
	} {
		response, body := send(t, c, test.method, base+test.path, test.body, func(r *http.Request) {
			r.Header["X-B"] = []string{"1", "2", ""}
			r.Header.Set("X-Utf", "zażółć")
		})
		if got := response.Header.Get("X-Seen"); got != test.want || response.StatusCode != 200 {
			t.Errorf("%s %s: %d %s, want %s", test.method, test.path, response.StatusCode, got, test.want)
		}
		if want := map[bool]string{true: "hello"}[test.body != nil]; body != want {
			t.Errorf("%s %s: body %q", test.method, test.path, body)
		}
		if fmt.Sprint(response.Header["X-B"], response.Header["X-Utf"]) != "[1 2 ] [zażółć]" || response.Header.Get("Date") == "" || response.Header["Content-Type"] != nil {
			t.Errorf("%s %s: fields %v", test.method, test.path, response.Header)
		}
	}
}

func TestBodies(t *testing.T) {
	t.Parallel()
	finished := make(chan message.Result, 100)
	address := start(t, &http3.Server{Handler: message.HandlerFunc(func(x message.Exchange) {
		x.OnFinish(func(r message.Result) { finished <- r })
		r := x.Request()
		_ = x.Respond(&message.Response{Status: 200, Body: r.Body, ContentLength: r.ContentLength}) // while it comes in
	})})
	c := client(t)
	for _, size := range []int{1, 4095, 4096, 100_000, 3 << 20} {
		for _, known := range []bool{true, false} {
			data := bytes.Repeat([]byte("0123456789"), size/10+1)[:size]
			body := io.Reader(bytes.NewReader(data))
			if !known {
				body = struct{ io.Reader }{body}
			}
			response, got := send(t, c, "POST", "https://"+address+"/", body, nil)
			if got != string(data) || known != (response.ContentLength == int64(size)) {
				t.Errorf("%d bytes, known %v: got %d, announced %d", size, known, len(got), response.ContentLength)
			}
			if r := receive(t, finished, "finish"); r.Err != nil || r.BytesIn < int64(size) || r.BytesOut < int64(size) || r.BytesIn > int64(size)+1000 || r.Done.Before(r.FirstByte) {
				t.Errorf("result %+v", r)
			}
		}
	}
}

func TestTrailers(t *testing.T) {
	t.Parallel()
	c, address := client(t), start(t, &http3.Server{Handler: message.HandlerFunc(echo)})
	response, _ := send(t, c, "POST", "https://"+address+"/", struct{ io.Reader }{strings.NewReader("x")}, func(r *http.Request) {
		r.Trailer = http.Header{"X-Sum": {"1", "2"}}
	})
	if got := fmt.Sprint(response.Trailer); got != "map[X-Sum:[1 2]]" {
		t.Errorf("trailer %s", got)
	}
}

func TestInterim(t *testing.T) {
	t.Parallel()
	c, address := client(t), start(t, &http3.Server{Handler: message.HandlerFunc(func(x message.Exchange) {
		early := message.NewHeader("Link", "</a>")
		if err := errors.Join(x.Informational(103, &early), x.Informational(102, nil)); err != nil {
			t.Errorf("interim: %v", err)
		}
		if x.Informational(200, nil) == nil || x.Informational(101, nil) == nil {
			t.Error("a status that is not interim was sent")
		}
		if _, err := x.Upgrade(&message.Response{Status: 101}); !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("upgrade: %v", err)
		}
		echo(x)
		if err := x.Informational(103, nil); !errors.Is(err, message.ErrAnswered) {
			t.Errorf("interim behind the answer: %v", err)
		}
		if err := x.Respond(&message.Response{Status: 500}); !errors.Is(err, message.ErrAnswered) {
			t.Errorf("second answer: %v", err)
		}
	})})
	var seen []string
	trace := &httptrace.ClientTrace{Got1xxResponse: func(code int, h textproto.MIMEHeader) error {
		seen = append(seen, fmt.Sprint(code, h.Get("Link")))
		return nil
	}}
	response, body := send(t, c, "POST", "https://"+address+"/", strings.NewReader("hello"), func(r *http.Request) {
		*r = *r.WithContext(httptrace.WithClientTrace(r.Context(), trace))
		r.Header.Set("Expect", "100-continue")
	})
	if got := fmt.Sprint(seen); got != "[103</a> 102 100]" || body != "hello" || response.Header.Get("Link") != "" {
		t.Errorf("interim answers %s, body %q, fields %v", got, body, response.Header)
	}
}

func TestAnswersWithoutBody(t *testing.T) {
	t.Parallel()
	c, address := client(t), start(t, &http3.Server{Handler: message.HandlerFunc(func(x message.Exchange) {
		resp := &message.Response{Status: 200, Body: message.StringBody("0123456789"), ContentLength: 10}
		switch x.Request().URL.Path {
		case "/204":
			resp.Status = 204
		case "/304":
			resp.Status = 304
		case "/empty":
			resp.Body, resp.ContentLength = nil, 0
		}
		_ = x.Respond(resp)
	})})
	for _, test := range []struct{ method, path, length string }{{"HEAD", "/", "10"}, {"GET", "/204", ""}, {"GET", "/304", "10"}, {"GET", "/empty", "0"}} {
		response, body := send(t, c, test.method, "https://"+address+test.path, nil, nil)
		if got := response.Header.Get("Content-Length"); body != "" || got != test.length {
			t.Errorf("%s %s: length %q, body %q", test.method, test.path, got, body)
		}
	}
}

// TestFailures checks what clients get from handlers that fail, and that no answer looks complete that is not.
func TestFailures(t *testing.T) {
	t.Parallel()
	finished := make(chan error, 1)
	c, address := client(t), start(t, &http3.Server{
		Hooks: http3.Hooks{Panicked: func(any, []byte) {}},
		Handler: message.HandlerFunc(func(x message.Exchange) {
			x.OnFinish(func(r message.Result) { finished <- r.Err })
			switch x.Request().URL.Path {
			case "/none":
			case "/panic":
				panic("a bug")
			case "/invalid":
				resp := &message.Response{Status: 200, Header: message.NewHeader("X-Bad", "a\r\nX-Injected: 1")}
				var invalid *message.InvalidFieldError
				if err := x.Respond(resp); !errors.As(err, &invalid) {
					t.Errorf("invalid field: %v", err)
				}
				_ = x.Respond(&message.Response{Status: 201})
			case "/short":
				_ = x.Respond(&message.Response{Status: 200, ContentLength: 10, Body: struct{ io.ReadCloser }{io.NopCloser(strings.NewReader("abc"))}})
			}
		}),
	})
	for path, want := range map[string]int{"/none": 500, "/panic": 500, "/invalid": 201} {
		response, _ := send(t, c, "GET", "https://"+address+path, nil, nil)
		if err := receive(t, finished, "finish"); response.StatusCode != want || (err == nil) != (want == 201) {
			t.Errorf("%s: %d, %v", path, response.StatusCode, err)
		}
	}
	response, err := c.Get("https://" + address + "/short")
	if err == nil {
		_, err = io.ReadAll(response.Body)
		response.Body.Close()
	}
	if result := receive(t, finished, "finish"); err == nil || !errors.Is(result, message.ErrTruncated) {
		t.Errorf("short body: %v, %v", err, result)
	}
}

func TestClientGone(t *testing.T) {
	t.Parallel()
	arrived, ended, finished := make(chan struct{}), make(chan error, 1), make(chan error, 1)
	c, address := client(t), start(t, &http3.Server{Handler: message.HandlerFunc(func(x message.Exchange) {
		x.OnFinish(func(r message.Result) { finished <- r.Err })
		close(arrived)
		<-x.Context().Done()
		ended <- x.Context().Err()
	})})
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-arrived; cancel() }()
	request, err := http.NewRequestWithContext(ctx, "GET", "https://"+address+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Do(request); err == nil {
		t.Error("an answer came")
	}
	if err := receive(t, ended, "end of the context"); !errors.Is(err, message.ErrClientGone) {
		t.Errorf("context: %v", err)
	}
	if err := receive(t, finished, "finish"); !errors.Is(err, message.ErrClientGone) {
		t.Errorf("result: %v", err)
	}
}

// watcher is told of the end of a context.
type watcher chan struct{}

func (w watcher) ContextDone() { close(w) }

func TestWatch(t *testing.T) {
	t.Parallel()
	told := make(watcher)
	c, address := client(t), start(t, &http3.Server{Handler: message.HandlerFunc(func(x message.Exchange) {
		watchable, ok := x.Context().(message.Watchable)
		never := make(watcher)
		if !ok || !watchable.Watch(never) || !watchable.Unwatch(never) || watchable.Unwatch(never) || !watchable.Watch(told) {
			t.Error("watching and unwatching failed")
		}
		_ = x.Respond(&message.Response{Status: 200})
	})})
	send(t, c, "GET", "https://"+address+"/", nil, nil)
	receive(t, told, "end of the context")
}

// TestEvents checks that parts of an answer arrive before the next ones are made, the head first.
func TestEvents(t *testing.T) {
	t.Parallel()
	reader, writer := io.Pipe()
	c, address := client(t), start(t, &http3.Server{Handler: message.HandlerFunc(func(x message.Exchange) {
		_ = x.Respond(&message.Response{Status: 200, Body: reader, ContentLength: -1})
	})})
	response, err := c.Get("https://" + address + "/")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	for i := range 5 {
		event := fmt.Sprint("event ", i)
		if _, err := io.WriteString(writer, event); err != nil {
			t.Fatal(err)
		}
		got := make([]byte, len(event))
		if _, err := io.ReadFull(response.Body, got); err != nil || string(got) != event {
			t.Fatalf("%q, %v", got, err)
		}
	}
	_ = writer.Close()
	if rest, err := io.ReadAll(response.Body); err != nil || len(rest) > 0 {
		t.Errorf("%q, %v", rest, err)
	}
}

func TestConcurrency(t *testing.T) {
	t.Parallel()
	c, address := client(t), start(t, &http3.Server{Handler: message.HandlerFunc(echo)})
	var all sync.WaitGroup
	for worker := range 8 {
		all.Go(func() {
			for i := range 20 {
				body := strings.Repeat(fmt.Sprint(worker, "/", i, " "), 1+i*100)
				response, err := c.Post("https://"+address+"/", "", strings.NewReader(body))
				if err != nil {
					t.Error(err)
					return
				}
				got, err := io.ReadAll(response.Body)
				response.Body.Close()
				if err != nil || string(got) != body {
					t.Errorf("%d bytes of %d, %v", len(got), len(body), err)
				}
			}
		})
	}
	all.Wait()
}

func TestLimits(t *testing.T) {
	t.Parallel()
	c, address := client(t), start(t, &http3.Server{Handler: message.HandlerFunc(echo)})
	for _, test := range []struct {
		name, path string
		want       int
		change     func(r *http.Request)
	}{
		{"long path", "/" + strings.Repeat("a", 9000), 414, nil},
		{"many fields", "/", 431, func(r *http.Request) { r.Header["X-A"] = make([]string, 200) }},
		{"large head", "/", 431, func(r *http.Request) { r.Header.Set("X-A", strings.Repeat("a", 80_000)) }},
		{"expectation", "/", 417, func(r *http.Request) { r.Header.Set("Expect", "money") }},
		{"authority", "/", 400, func(r *http.Request) { r.Host = "h:99999" }},
		{"usual", "/", 200, nil},
	} {
		if response, _ := send(t, c, "GET", "https://"+address+test.path, nil, test.change); response.StatusCode != test.want {
			t.Errorf("%s: %d, want %d", test.name, response.StatusCode, test.want)
		}
	}
}

func TestConnectionLimit(t *testing.T) {
	t.Parallel()
	refused := make(chan error, 10)
	address := start(t, &http3.Server{
		Handler: message.HandlerFunc(echo), Limits: http3.Limits{ConnsPerAddress: 1},
		Hooks: http3.Hooks{Refused: func(r message.Refused) { refused <- r.Err }},
	})
	send(t, client(t), "GET", "https://"+address+"/", nil, nil)
	if response, err := client(t).Get("https://" + address + "/"); err == nil {
		response.Body.Close()
		t.Error("a second connection was accepted")
	}
	if err := receive(t, refused, "refusal"); !errors.Is(err, message.ErrTooManyConns) {
		t.Errorf("refused with %v", err)
	}
}

// TestHandshake checks that certificates are chosen by name, and that no data of the first flight is taken.
func TestHandshake(t *testing.T) {
	t.Parallel()
	address := start(t, &http3.Server{Handler: message.HandlerFunc(echo), TLS: &tls.Config{GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		return &tls.Config{Certificates: []tls.Certificate{certificate(t, hello.ServerName)}, NextProtos: []string{"h2", "http/1.1"}}, nil
	}}})
	for _, name := range []string{"a.test", "b.test"} {
		conn, err := quic.DialAddr(within(t), address, &tls.Config{ServerName: name, InsecureSkipVerify: true, NextProtos: []string{"h3"}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		state := conn.ConnectionState()
		if got := state.TLS.PeerCertificates[0].DNSNames[0]; got != name || state.TLS.NegotiatedProtocol != "h3" || state.TLS.Version != tls.VersionTLS13 || state.Used0RTT {
			t.Errorf("%s: certificate of %s, %v", name, got, state)
		}
		_ = conn.CloseWithError(0, "")
	}
}
