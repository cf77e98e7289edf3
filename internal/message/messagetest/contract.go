package messagetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/causeway-apim/causeway/internal/message"
)

// fields renders the fields of a header whose names begin with "x-", in order as far as the engine keeps it.
func (e Engine) fields(h *message.Header) string {
	var lines []string
	for name, value := range h.All() {
		if !strings.HasPrefix(strings.ToLower(name), "x-") {
			continue
		}
		if e.LowerNames {
			name = strings.ToLower(name)
		}
		lines = append(lines, name+"="+value)
	}
	if e.SortsNames {
		slices.SortStableFunc(lines, func(a, b string) int {
			a, _, _ = strings.Cut(a, "=")
			b, _, _ = strings.Cut(b, "=")
			return strings.Compare(a, b)
		})
	}
	return strings.Join(lines, "|")
}

func testHeader(t *testing.T, e Engine) {
	sent := message.NewHeader("X-Zulu", "1", "x-alpha", "2", "X-ALPHA", "3", "X-Empty", "", "X-Zulu", "a,b", "X-Utf", "zażółć")
	want := e.fields(&sent)
	to := e.Serve(t, message.HandlerFunc(func(x message.Exchange) {
		r := x.Request()
		ok := e.fields(&r.Header) == want && r.Method == "PaTCH" && r.URL.Path == "/a%2fb/../c;v=1" && r.URL.RawQuery == "q=%20&&x"
		ok = ok && r.RemoteAddr.IsValid() && r.LocalAddr.IsValid() && !r.Received.IsZero()
		resp := answer(200, fmt.Sprint(ok))
		resp.Header = sent.Clone()
		_ = x.Respond(resp)
	}))
	r := request("PaTCH", to, "/a%2fb/../c;v=1")
	r.URL.RawQuery = "q=%20&&x"
	r.Header = sent.Clone()
	resp := send(t, e.Transport(t), r)
	if got := e.fields(&resp.Header); got != want {
		t.Errorf("response fields %s, want %s", got, want)
	}
	if got := readAll(t, resp.Body); got != "true" {
		t.Error("the server saw another request")
	}
}

func testTrailers(t *testing.T, e Engine) {
	to := e.Serve(t, message.HandlerFunc(func(x message.Exchange) {
		r := x.Request()
		if err := checkPattern(r.Body, 5000); err != nil {
			t.Errorf("request body: %v", err)
		}
		body := &pattern{size: 7000, step: 999}
		resp := &message.Response{Status: 200, Body: body, ContentLength: -1}
		resp.Trailer = r.Trailer.Clone()
		_ = x.Respond(resp)
	}))
	r := request("POST", to, "/")
	r.Body, r.ContentLength = &pattern{size: 5000}, -1
	r.Trailer = message.NewHeader("X-Sum", "1", "X-Sum", "2")
	resp := send(t, e.Transport(t), r)
	if err := checkPattern(resp.Body, 7000); err != nil {
		t.Errorf("response body: %v", err)
	}
	if got := (Engine{LowerNames: true}).fields(&resp.Trailer); got != "x-sum=1|x-sum=2" {
		t.Errorf("trailer %s", got)
	}
}

func testInformational(t *testing.T, e Engine) {
	to := e.Serve(t, message.HandlerFunc(func(x message.Exchange) {
		early := message.NewHeader("X-Link", "a")
		if err := errors.Join(x.Informational(103, &early), x.Informational(102, nil)); err != nil {
			t.Errorf("informational: %v", err)
		}
		if x.Informational(200, nil) == nil || x.Informational(101, nil) == nil {
			t.Error("a status that is not interim was sent")
		}
		_ = x.Respond(answer(200, "final"))
		wantErr(t, x.Informational(103, nil), message.ErrAnswered)
	}))
	var seen []string
	resp, err := e.Transport(t).RoundTrip(within(t), get(to, "/"), message.TransportOptions{
		OnInformational: func(status int, h *message.Header) { seen = append(seen, fmt.Sprint(status, " ", h.Get("x-link"))) },
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := readAll(t, resp.Body); got != "final" || !slices.Equal(seen, []string{"103 a", "102 "}) {
		t.Errorf("interim answers %q, then %q", seen, got)
	}
}

func testBodies(t *testing.T, e Engine) {
	to := e.Serve(t, message.HandlerFunc(func(x message.Exchange) {
		r := x.Request()
		resp := &message.Response{Status: 200, Body: r.Body, ContentLength: r.ContentLength}
		if err := x.Respond(resp); err != nil {
			t.Errorf("echo: %v", err)
		}
	}))
	tr := e.Transport(t)
	for _, size := range []int{1, 511, 4095, 4096, 16 << 10, 32<<10 - 1, 32<<10 + 1, 300_000} {
		for _, length := range []int64{int64(size), -1} {
			for _, step := range []int{0, 1000} {
				r := request("POST", to, "/")
				r.Body, r.ContentLength = &pattern{size: size, step: step}, length
				resp := send(t, tr, r)
				if err := checkPattern(resp.Body, size); err != nil {
					t.Errorf("size %d, length %d, step %d: %v", size, length, step, err)
				}
				resp.Release()
			}
		}
	}
}

// testMemory checks bodies that are in memory, whose bytes are not copied.
func testMemory(t *testing.T, e Engine) {
	to := e.Serve(t, message.HandlerFunc(func(x message.Exchange) {
		data, err := message.ReadAll(x.Request().Body, 4<<20, x.Request().ContentLength)
		if err != nil {
			t.Errorf("request body: %v", err)
		}
		_ = x.Respond(&message.Response{Status: 200, Body: message.BytesBody(data), ContentLength: int64(len(data))})
	}))
	tr := e.Transport(t)
	for _, size := range []int{1, 3000, 70_000, 2_000_000} {
		data := make([]byte, size)
		for i := range data {
			data[i] = patternByte(i)
		}
		r := request("PUT", to, "/")
		r.Body, r.ContentLength = message.BytesBody(data), int64(size)
		if err := checkPattern(send(t, tr, r).Body, size); err != nil {
			t.Errorf("size %d: %v", size, err)
		}
	}
}

func testNoBody(t *testing.T, e Engine) {
	body := &pattern{size: 10}
	to := e.Serve(t, message.HandlerFunc(func(x message.Exchange) {
		var resp *message.Response
		switch x.Request().URL.Path {
		case "/204":
			resp = &message.Response{Status: 204}
		case "/304":
			resp = &message.Response{Status: 304, ContentLength: -1}
		case "/empty":
			resp = &message.Response{Status: 200}
		default:
			resp = &message.Response{Status: 200, Body: body, ContentLength: 10}
		}
		_ = x.Respond(resp)
	}))
	tr := e.Transport(t)
	for _, c := range []struct {
		method, path string
		length       int64
	}{{"HEAD", "/body", 10}, {"GET", "/204", 0}, {"GET", "/304", -1}, {"GET", "/empty", 0}, {"DELETE", "/204", 0}, {"HEAD", "/empty", 0}} {
		resp := send(t, tr, request(c.method, to, c.path))
		if resp.ContentLength != c.length || resp.Body != nil && readAll(t, resp.Body) != "" {
			t.Errorf("%s %s: length %d, body %v", c.method, c.path, resp.ContentLength, resp.Body)
		}
	}
	if !body.isClosed() || body.offset != 0 {
		t.Error("the body of the answer to HEAD was not closed unread")
	}
}

func testInvalidFields(t *testing.T, e Engine) {
	to := e.Serve(t, message.HandlerFunc(func(x message.Exchange) {
		for _, h := range []message.Header{
			message.NewHeader("X-Bad", "a\r\nX-Injected: 1"), message.NewHeader("X Bad", "1"), message.NewHeader("", "1"),
			message.NewHeader("X-Bad", "a\x00"), message.NewHeader("X-Bad:", "1"),
		} {
			resp := answer(200, "wrong")
			resp.Header = h
			var invalid *message.InvalidFieldError
			if err := x.Respond(resp); !errors.As(err, &invalid) {
				t.Errorf("%v: error %v", h, err)
			}
		}
		_ = x.Respond(answer(200, "right"))
	}))
	tr := e.Transport(t)
	if got := readAll(t, send(t, tr, get(to, "/")).Body); got != "right" {
		t.Errorf("answer %q", got)
	}
	bad := get(to, "/")
	bad.Header.Add("X-Bad", "a\nb")
	_, err := tr.RoundTrip(within(t), bad, message.TransportOptions{})
	wantKind(t, err, message.RequestInvalid)
	_, err = tr.RoundTrip(within(t), get(to, "/a b"), message.TransportOptions{})
	wantKind(t, err, message.RequestInvalid)
}

func testAnswers(t *testing.T, e Engine) {
	results := make(chan message.Result, 1)
	to := e.Serve(t, message.HandlerFunc(func(x message.Exchange) {
		if x.Request().URL.Path == "/none" {
			x.OnFinish(func(r message.Result) { results <- r })
			return
		}
		_ = x.Respond(answer(201, "first"))
		second := &pattern{size: 3}
		wantErr(t, x.Respond(&message.Response{Status: 200, Body: second, ContentLength: 3}), message.ErrAnswered)
		if !second.isClosed() {
			t.Error("the second answer's body was not closed")
		}
	}))
	tr := e.Transport(t)
	if resp := send(t, tr, get(to, "/twice")); resp.Status != 201 || readAll(t, resp.Body) != "first" {
		t.Error("the first answer did not count")
	}
	if resp := send(t, tr, get(to, "/none")); resp.Status != 500 {
		t.Errorf("no answer gives %d", resp.Status)
	}
	wantErr(t, receive(t, results, "the result").Err, message.ErrNotAnswered)
}

func testPanic(t *testing.T, e Engine) {
	results := make(chan message.Result, 1)
	to := e.Serve(t, message.HandlerFunc(func(x message.Exchange) {
		x.OnFinish(func(r message.Result) { results <- r })
		panic("a bug")
	}))
	if resp := send(t, e.Transport(t), get(to, "/")); resp.Status != 500 {
		t.Errorf("status %d", resp.Status)
	}
	if receive(t, results, "the result").Err == nil {
		t.Error("no error")
	}
}

// funcWatcher is a watcher that calls itself.
type funcWatcher struct{ f func() }

func (w *funcWatcher) ContextDone() { w.f() }

func testDerivedContexts(t *testing.T, e Engine) {
	ended, watched := make(chan error, 2), make(chan struct{})
	to := e.Serve(t, message.HandlerFunc(func(x message.Exchange) {
		child, cancel := context.WithCancel(x.Context())
		context.AfterFunc(child, func() { cancel(); ended <- child.Err() })
		watchable, ok := x.Context().(message.Watchable)
		if !ok {
			t.Error("the context is not watchable")
			return
		}
		never := &funcWatcher{func() { t.Error("a removed watcher was called") }}
		if !watchable.Watch(never) || !watchable.Unwatch(never) || watchable.Unwatch(never) {
			t.Error("watching and unwatching failed")
		}
		if !watchable.Watch(&funcWatcher{func() { close(watched) }}) {
			t.Error("watching failed")
		}
		_ = x.Respond(answer(200, ""))
	}))
	_ = send(t, e.Transport(t), get(to, "/"))
	wantErr(t, receive(t, ended, "the end of the derived context"), context.Canceled)
	receive(t, watched, "the watcher")
}

func testFinish(t *testing.T, e Engine) {
	type seen struct {
		result      message.Result
		path, field string
		responded   bool
	}
	var calls atomic.Int32
	finished := make(chan seen, 8)
	to := e.Serve(t, message.HandlerFunc(func(x message.Exchange) {
		r, responded := x.Request(), false
		x.OnFinish(func(result message.Result) {
			calls.Add(1)
			finished <- seen{result, strings.Clone(r.URL.Path), strings.Clone(r.Header.Get("x-field")), responded}
		})
		_ = x.Respond(&message.Response{Status: 200, Body: &pattern{size: 100_000}, ContentLength: 100_000})
		responded = true
	}))
	tr := e.Transport(t)
	for i := range 5 {
		r := get(to, fmt.Sprint("/", i))
		r.Header.Add("X-Field", fmt.Sprint("value", i))
		before := time.Now()
		if err := checkPattern(send(t, tr, r).Body, 100_000); err != nil {
			t.Fatal(err)
		}
		got := receive(t, finished, "the finish")
		if got.path != r.URL.Path || got.field != fmt.Sprint("value", i) || !got.responded {
			t.Errorf("finish saw %+v", got)
		}
		result := got.result
		if result.Err != nil || result.BytesIn < 10 || result.BytesOut < 100_000 || result.Done.Before(result.FirstByte) || result.FirstByte.Before(before) {
			t.Errorf("result %+v", result)
		}
	}
	if calls.Load() != 5 {
		t.Errorf("%d finishes", calls.Load())
	}
}

func testReuse(t *testing.T, e Engine) {
	to := e.Serve(t, message.HandlerFunc(func(x message.Exchange) {
		if body := x.Request().Body; body != nil {
			_, _ = message.ReadAll(body, 1<<20, -1)
		}
		_ = x.Respond(answer(200, x.Request().RemoteAddr.String()))
	}))
	tr := e.Transport(t)
	first := ""
	for i := range 10 {
		r := get(to, "/")
		if i%2 == 1 {
			r = request("POST", to, "/")
			r.Body, r.ContentLength = message.BytesBody(make([]byte, 100)), 100
		}
		remote := readAll(t, send(t, tr, r).Body)
		if first == "" {
			first = remote
		}
		if remote != first {
			t.Fatalf("request %d came on another connection", i)
		}
	}
}

func testUnreadRequest(t *testing.T, e Engine) {
	to := e.Serve(t, message.HandlerFunc(func(x message.Exchange) { _ = x.Respond(answer(200, "ok")) }))
	tr := e.Transport(t)
	for _, size := range []int{10, 20_000, 2_000_000} {
		for range 3 {
			r := request("POST", to, "/")
			r.Body, r.ContentLength = &pattern{size: size}, int64(size)
			if got := readAll(t, send(t, tr, r).Body); got != "ok" {
				t.Errorf("answer %q", got)
			}
		}
	}
}

func testConcurrency(t *testing.T, e Engine) {
	to := e.Serve(t, message.HandlerFunc(func(x message.Exchange) {
		r := x.Request()
		name := r.Header.Get("X-Name")
		resp := &message.Response{Status: 200, Body: r.Body, ContentLength: r.ContentLength}
		resp.Header.Add("X-Name", name)
		_ = x.Respond(resp)
	}))
	tr := e.Transport(t)
	var all sync.WaitGroup
	for worker := range 8 {
		all.Go(func() {
			for i := range 40 {
				size := 1 + (worker*977+i*331)%40_000
				r := request("POST", to, "/")
				r.Header.Add("X-Name", fmt.Sprint(worker, "/", i))
				r.Body, r.ContentLength = &pattern{size: size}, int64(size)
				if i%2 == 0 {
					r.ContentLength = -1
				}
				resp, err := tr.RoundTrip(within(t), r, message.TransportOptions{IdleTimeout: patience, HeaderTimeout: patience})
				if err != nil {
					t.Error(err)
					return
				}
				if resp.Header.Get("x-name") != r.Header.Get("x-name") {
					t.Errorf("answer of another request")
				}
				if err := checkPattern(resp.Body, size); err != nil {
					t.Error(err)
				}
				resp.Release()
			}
		})
	}
	all.Wait()
}
