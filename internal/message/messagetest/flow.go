package messagetest

import (
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/causeway-apim/causeway/internal/message"
)

// Sockets buffer some megabytes by themselves; an engine must not add to it without bound.
const mostBuffered, endless = 24 << 20, 1 << 40

// settled waits for a sender that is not read to go beyond the bound, which it must not.
func settled(t *testing.T, over <-chan struct{}) {
	t.Helper()
	select {
	case <-over:
		t.Error("bytes moved though nobody read")
	case <-time.After(300 * time.Millisecond):
	}
}

func testResponseBackPressure(t *testing.T, e Engine) {
	over := make(chan struct{})
	body := &pattern{size: endless, over: over, bound: mostBuffered}
	responded := make(chan error, 1)
	to := e.Serve(t, message.HandlerFunc(func(x message.Exchange) {
		responded <- x.Respond(&message.Response{Status: 200, Body: body, ContentLength: -1})
	}))
	resp := send(t, e.Transport(t), get(to, "/"))
	if _, err := resp.Body.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	settled(t, over)
	_ = resp.Body.Close()
	wantErr(t, receive(t, responded, "Respond"), message.ErrClientGone)
	if !body.isClosed() {
		t.Error("the body was not closed")
	}
}

func testRequestBackPressure(t *testing.T, e Engine) {
	over := make(chan struct{})
	body := &pattern{size: endless, over: over, bound: mostBuffered}
	release := make(chan struct{})
	to := e.Serve(t, message.HandlerFunc(func(x message.Exchange) {
		_, _ = x.Request().Body.Read(make([]byte, 1))
		<-release
	}))
	ctx, cancel := context.WithCancel(within(t))
	failed := make(chan error, 1)
	tr := e.Transport(t)
	go func() {
		r := request("POST", to, "/")
		r.Body, r.ContentLength = body, -1
		_, err := tr.RoundTrip(ctx, r, message.TransportOptions{})
		failed <- err
	}()
	settled(t, over)
	cancel()
	wantKind(t, receive(t, failed, "RoundTrip"), message.BackendCanceled)
	close(release)
	if !body.isClosed() {
		t.Error("the body was not closed")
	}
}

func testDuplex(t *testing.T, e Engine) {
	to := e.Serve(t, message.HandlerFunc(func(x message.Exchange) {
		_ = x.Respond(&message.Response{Status: 200, Body: x.Request().Body, ContentLength: -1})
	}))
	reader, writer := io.Pipe()
	r := request("POST", to, "/")
	r.Body, r.ContentLength = pipeBody{reader}, -1
	wrote := make(chan struct{})
	go func() {
		defer close(wrote)
		_, _ = io.WriteString(writer, "0")
	}()
	resp := send(t, e.Transport(t), r)
	buf := make([]byte, 1)
	for i := range 20 {
		want := string(rune('0' + i))
		if i > 0 {
			_, _ = io.WriteString(writer, want)
		}
		if _, err := io.ReadFull(resp.Body, buf); err != nil || string(buf) != want {
			t.Fatalf("echo %d: %q, %v", i, buf, err)
		}
	}
	<-wrote
	_ = writer.Close()
	if got := readAll(t, resp.Body); got != "" {
		t.Errorf("rest %q", got)
	}
}

func testEarlyAnswer(t *testing.T, e Engine) {
	to := e.Serve(t, message.HandlerFunc(func(x message.Exchange) { _ = x.Respond(answer(413, "too much")) }))
	reader, writer := io.Pipe()
	defer writer.Close()
	r := request("POST", to, "/")
	r.Body, r.ContentLength = pipeBody{reader}, 1<<30
	resp := send(t, e.Transport(t), r)
	if got := readAll(t, resp.Body); resp.Status != 413 || got != "too much" {
		t.Errorf("answer %d %q", resp.Status, got)
	}
	if _, err := io.WriteString(writer, "more"); err == nil {
		t.Error("the request body was not closed")
	}
}

func testClientGone(t *testing.T, e Engine) {
	started, ended, finished := make(chan struct{}), make(chan error, 1), make(chan message.Result, 1)
	to := e.Serve(t, message.HandlerFunc(func(x message.Exchange) {
		x.OnFinish(func(r message.Result) { finished <- r })
		close(started)
		<-x.Context().Done()
		ended <- x.Context().Err()
		_ = x.Respond(answer(200, "late"))
	}))
	ctx, cancel := context.WithCancel(within(t))
	failed := make(chan error, 1)
	tr := e.Transport(t)
	go func() {
		_, err := tr.RoundTrip(ctx, get(to, "/"), message.TransportOptions{})
		failed <- err
	}()
	receive(t, started, "the handler")
	cancel()
	wantKind(t, receive(t, failed, "RoundTrip"), message.BackendCanceled)
	err := receive(t, ended, "the end of the context")
	wantErr(t, err, message.ErrClientGone)
	wantErr(t, err, context.Canceled)
	receive(t, finished, "the finish")
}

func testAbortResponse(t *testing.T, e Engine) {
	broken := errors.New("broken")
	finished := make(chan message.Result, 2)
	to := e.Serve(t, message.HandlerFunc(func(x message.Exchange) {
		x.OnFinish(func(r message.Result) { finished <- r })
		length := int64(-1)
		if x.Request().URL.Path == "/fixed" {
			length = 200_000
		}
		wantErr(t, x.Respond(&message.Response{Status: 200, Body: &pattern{size: 200_000, fail: broken, failAt: 70_000}, ContentLength: length}), broken)
	}))
	tr := e.Transport(t)
	for _, path := range []string{"/fixed", "/chunked"} {
		wantKind(t, e.readBroken(t, tr, get(to, path), 200), message.BackendAborted)
		wantErr(t, receive(t, finished, "the finish").Err, broken)
	}
}

func testAbortRequest(t *testing.T, e Engine) {
	broken := errors.New("broken")
	read, begun := make(chan error, 2), make(chan struct{}, 2)
	to := e.Serve(t, message.HandlerFunc(func(x message.Exchange) {
		begun <- struct{}{}
		_, err := message.ReadAll(x.Request().Body, 1<<20, -1)
		read <- err
	}))
	tr := e.Transport(t)
	for _, length := range []int64{200_000, -1} {
		r := request("POST", to, "/")
		r.Body, r.ContentLength = &pattern{size: 200_000, fail: broken, failAt: 70_000, failAfter: begun}, length
		_, err := tr.RoundTrip(within(t), r, message.TransportOptions{})
		wantKind(t, err, message.RequestBodyFailed)
		wantErr(t, err, broken)
		wantErr(t, receive(t, read, "the request body"), message.ErrClientGone)
	}
}

func testFailFirst(t *testing.T, e Engine) {
	broken := errors.New("broken")
	to := e.Serve(t, message.HandlerFunc(func(x message.Exchange) {
		short := answer(200, "short")
		short.ContentLength++
		wantErr(t, x.Respond(short), message.ErrTruncated)
		wantErr(t, x.Respond(&message.Response{Status: 201, Body: &pattern{size: 10, fail: broken}, ContentLength: -1}), broken)
	}))
	wantKind(t, e.readBroken(t, e.Transport(t), get(to, "/"), 201), message.BackendAborted)
}

// readBroken sends a request whose answer breaks off behind a head with the status and returns how that looks to the client.
func (e Engine) readBroken(t *testing.T, tr message.Transport, r *message.Request, status int) error {
	t.Helper()
	resp, err := tr.RoundTrip(within(t), r, message.TransportOptions{})
	switch {
	case err != nil && e.ResetsOvertake:
		return err
	case err != nil:
		t.Fatal(err)
	case resp.Status != status:
		t.Errorf("status %d", resp.Status)
	}
	_, err = message.ReadAll(resp.Body, 1<<20, -1)
	return err
}

// testHeadFirst checks that the head of an event stream does not wait for the first event, nor that of a request for its body.
func testHeadFirst(t *testing.T, e Engine) {
	to := e.Serve(t, message.HandlerFunc(func(x message.Exchange) {
		_ = x.Respond(&message.Response{Status: 200, Body: x.Request().Body, ContentLength: -1})
	}))
	reader, writer := io.Pipe()
	r := request("POST", to, "/")
	r.Body, r.ContentLength = pipeBody{reader}, -1
	resp := send(t, e.Transport(t), r)
	_ = writer.Close()
	if got := readAll(t, resp.Body); got != "" {
		t.Errorf("body %q", got)
	}
}
