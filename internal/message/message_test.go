package message_test

import (
	"errors"
	"io"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"github.com/causeway-apim/causeway/internal/message"
)

// show renders a header.
func show(h *message.Header) string {
	var b strings.Builder
	for name, value := range h.All() {
		b.WriteString(name + "=" + value + ";")
	}
	return b.String()
}

func TestHeader(t *testing.T) {
	t.Parallel()
	const start = "a=1;B=2;A=3;c=;"
	f := func(change func(h *message.Header), want string) {
		t.Helper()
		h := message.NewHeader("a", "1", "B", "2", "A", "3", "c", "")
		before := h.Clone()
		change(&h)
		if got := show(&h); got != want {
			t.Errorf("%s, want %s", got, want)
		}
		if got := show(&before); got != start {
			t.Errorf("the clone changed to %s", got)
		}
	}
	f(func(h *message.Header) {}, start)
	f(func(h *message.Header) { h.Add("b", "4") }, start+"b=4;")
	f(func(h *message.Header) { h.Set("A", "5") }, "A=5;B=2;c=;")
	f(func(h *message.Header) { h.Set("d", "5") }, start+"d=5;")
	f(func(h *message.Header) { h.Del("a") }, "B=2;c=;")
	f(func(h *message.Header) { h.Del("C") }, "a=1;B=2;A=3;")
	f(func(h *message.Header) { h.Del("x") }, start)
	f(func(h *message.Header) { h.DeleteFunc(func(f message.Field) bool { return f.Value > "1" }) }, "a=1;c=;")
	f(func(h *message.Header) { h.Reset() }, "")
	f(func(h *message.Header) { h.CopyFrom(h) }, start)
	f(func(h *message.Header) { other := message.NewHeader("x", "y"); h.CopyFrom(&other) }, "x=y;")
}

func TestHeaderLookUp(t *testing.T) {
	t.Parallel()
	h := message.NewHeader("Accept", "a", "X-Empty", "", "accept", "b, c", "Connection", "keep-alive , Upgrade")
	if h.Get("ACCEPT") != "a" || h.Get("none") != "" || !h.Has("x-empty") || h.Has("x") || h.Len() != 4 {
		t.Error("look-up failed")
	}
	if value, ok := h.Lookup("x-empty"); value != "" || !ok {
		t.Error("an empty value was not found")
	}
	if !slices.Equal(h.Values("accept"), []string{"a", "b, c"}) || h.Values("none") != nil {
		t.Errorf("values %q", h.Values("accept"))
	}
	if h.Joined("accept") != "a,b, c" || h.Joined("Connection") != "keep-alive , Upgrade" || h.Joined("none") != "" {
		t.Errorf("joined %q", h.Joined("accept"))
	}
	if !h.HasToken("connection", "upgrade") || h.HasToken("connection", "keep") || h.HasToken("x-empty", "a") {
		t.Error("tokens are wrong")
	}
	// K (Kelvin sign) folds to k in Unicode, but not here.
	if message.EqualName("\u212a", "k") || !message.EqualName("a-Z", "A-z") || message.EqualName("@", "`") {
		t.Error("names are compared wrongly")
	}
}

func TestLookUpsDoNotAllocate(t *testing.T) {
	h := message.NewHeader("Host", "h", "Accept", "a", "X-A", "1", "x-a", "2")
	query, found := "a=1&b=2&c", 0
	if n := testing.AllocsPerRun(100, func() {
		found += len(h.Get("x-a")) + len(h.Joined("accept"))
		for range h.Each("X-A") {
			found++
		}
		for name := range h.All() {
			found += len(name)
		}
		for name, value := range message.QueryPairs(query) {
			found += len(name) + len(value)
		}
		h.Set("Accept", "b")
	}); n > 0 || found == 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestURL(t *testing.T) {
	t.Parallel()
	f := func(raw string, want message.URL, text, authority string) {
		t.Helper()
		got, err := message.ParseURL(raw)
		if err != nil || got != want || got.String() != text || got.Authority() != authority {
			t.Errorf("%q: %+v, %v, %q, %q", raw, got, err, got.String(), got.Authority())
		}
	}
	f("http://h", message.URL{Scheme: "http", Host: "h", Path: "/"}, "http://h/", "h")
	f("HTTPS://H:443/a%2F?b=c#d", message.URL{Scheme: "https", Host: "H", Port: 443, Path: "/a%2F", RawQuery: "b=c"}, "https://H/a%2F?b=c", "H")
	f("http://h:8080?x", message.URL{Scheme: "http", Host: "h", Port: 8080, Path: "/", RawQuery: "x"}, "http://h:8080/?x", "h:8080")
	f("https://[fe80::1%25eth0]:1/", message.URL{Scheme: "https", Host: "fe80::1%25eth0", Port: 1, Path: "/"}, "https://[fe80::1%25eth0]:1/", "[fe80::1%25eth0]:1")
	f("wss://h:80/", message.URL{Scheme: "wss", Host: "h", Port: 80, Path: "/"}, "wss://h:80/", "h:80")
	f("http://h:/", message.URL{Scheme: "http", Host: "h", Path: "/"}, "http://h/", "h")
	for _, bad := range []string{
		"", "h", "//h", "ftp://h", "http://", "http:///a", "http://u@h/", "http://h:0/", "http://h:65536/", "http://h:x/", "http://h:1:2/", "http://[::1",
		"http://[::1]x/", "http://[]/", "http://a b/", "http://a\\b/", "http://:80/", "http://[::1/]", "http://a^b/",
	} {
		if got, err := message.ParseURL(bad); err == nil {
			t.Errorf("%q: %+v", bad, got)
		}
	}
}

func TestQuery(t *testing.T) {
	t.Parallel()
	u := message.URL{RawQuery: "a=1&&b&=c&a=%20=2&"}
	var got []string
	for name, value := range u.Query() {
		got = append(got, name+":"+value)
	}
	if want := []string{"a:1", "b:", ":c", "a:%20=2"}; !slices.Equal(got, want) {
		t.Errorf("pairs %q", got)
	}
	for range u.Query() {
		break
	}
}

// FuzzParseURL checks that what is accepted survives writing, and that net/url sees the same host.
func FuzzParseURL(f *testing.F) {
	for _, seed := range []string{"http://h", "https://[::1]:1/a?b#c", "http://a:b@c", "ws://x:/"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		u, err := message.ParseURL(raw)
		if err != nil {
			return
		}
		again, err := message.ParseURL(u.String())
		u.Port, again.Port = u.EffectivePort(), again.EffectivePort()
		if err != nil || again != u {
			t.Fatalf("%q: %+v, then %+v, %v", raw, u, again, err)
		}
		if theirs, err := url.Parse(raw); err == nil && !strings.Contains(raw, "%") && theirs.Hostname() != u.Host {
			t.Errorf("%q: net/url sees host %q, we %q", raw, theirs.Hostname(), u.Host)
		}
	})
}

// scribbled returns a string over memory that the returned function overwrites.
func scribbled(s string) (string, func()) {
	b := []byte(s)
	return unsafe.String(&b[0], len(b)), func() {
		for i := range b {
			b[i] = '#'
		}
	}
}

func TestDetach(t *testing.T) {
	t.Parallel()
	raw, overwrite := scribbled("POST/a?bX-Namevaluehost")
	r := message.Request{Method: raw[:4], Target: raw[4:8], URL: message.URL{Host: raw[19:], Path: raw[4:6], RawQuery: raw[7:8]}, Body: message.StringBody("x"), ContentLength: 1}
	r.Header.Add(raw[8:14], raw[14:19])
	resp := message.Response{Status: 200, Reason: raw[:4], Header: r.Header.Clone(), Body: r.Body, ContentLength: 1}
	kept, keptResp, shared := r.Detach(), resp.Detach(), r.Clone()
	shared.Header.Set("X-Name", "own")
	overwrite()
	if kept.Method != "POST" || kept.Target != "/a?b" || kept.URL.String() != "://host/a?b" || show(&kept.Header) != "X-Name=value;" || kept.Body != nil {
		t.Errorf("request %+v", kept)
	}
	if keptResp.Reason != "POST" || show(&keptResp.Header) != "X-Name=value;" || keptResp.Body != nil || keptResp.ContentLength != 1 {
		t.Errorf("response %+v", keptResp)
	}
	if r.Header.At(0).Value != "#####" {
		t.Errorf("changing a clone changed the original to %q", r.Header.At(0).Value)
	}
}

func TestReadAll(t *testing.T) {
	t.Parallel()
	f := func(size int, limit, hint int64, want error) {
		t.Helper()
		content := strings.Repeat("a", size)
		got, err := message.ReadAll(message.StringBody(content), limit, hint)
		if want == nil && (err != nil || string(got) != content) {
			t.Errorf("size %d, limit %d, hint %d: %d bytes, %v", size, limit, hint, len(got), err)
		}
		var large *message.TooLargeError
		if want != nil && !errors.As(err, &large) {
			t.Errorf("size %d, limit %d, hint %d: %v", size, limit, hint, err)
		}
	}
	tooLarge := new(message.TooLargeError)
	for _, hint := range []int64{-1, 0, 5, 10, 3000} {
		f(0, 3000, hint, nil)
		f(10, 3000, hint, nil)
		f(3000, 3000, hint, nil)
		f(3001, 3000, hint, tooLarge)
	}
	f(1, 10, 11, tooLarge)
	f(1, 1<<40, 1<<39, nil)
	if b, err := message.ReadAll(nil, 1, -1); b != nil || err != nil {
		t.Errorf("no body: %q, %v", b, err)
	}
}

func TestMemoryBody(t *testing.T) {
	t.Parallel()
	b := message.StringBody("hello")
	p := make([]byte, 3)
	if n, err := b.Read(p); n != 3 || err != nil || string(b.Rest()) != "lo" {
		t.Errorf("%d, %v, rest %q", n, err, b.Rest())
	}
	if n, err := b.Read(p); n != 2 || !errors.Is(err, io.EOF) {
		t.Errorf("%d, %v", n, err)
	}
	_ = b.Close()
	if _, err := b.Read(p); !errors.Is(err, message.ErrBodyClosed) {
		t.Errorf("after close: %v", err)
	}
	if err := b.Rewind(); err != nil || string(b.Rest()) != "hello" {
		t.Errorf("rewind: %v", err)
	}
}

// source is a body whose reads can be held back.
type source struct {
	io.Reader
	hold   chan struct{}
	inside chan struct{}
	closed bool
}

func (s *source) Read(p []byte) (int, error) {
	if s.hold != nil {
		s.inside <- struct{}{}
		<-s.hold
	}
	return s.Reader.Read(p)
}

func (s *source) Close() error { s.closed = true; return nil }

func TestReplayBody(t *testing.T) {
	t.Parallel()
	src := &source{Reader: strings.NewReader("0123456789")}
	b := message.NewReplayBody(src, 8)
	p := make([]byte, 4)
	for range 3 {
		if n, err := b.Read(p); n != 4 || err != nil || string(p) != "0123" {
			t.Fatalf("%q, %v", p[:n], err)
		}
		_ = b.Close()
		if _, err := b.Read(p); !errors.Is(err, message.ErrBodyClosed) {
			t.Errorf("after close: %v", err)
		}
		if err := b.Rewind(); err != nil {
			t.Fatal(err)
		}
	}
	got, err := message.ReadAll(b, 100, -1)
	if string(got) != "0123456789" || err != nil {
		t.Errorf("all: %q, %v", got, err)
	}
	if err := b.Rewind(); !errors.Is(err, message.ErrNotReplayable) {
		t.Errorf("rewind beyond the limit: %v", err)
	}
	if src.closed || b.CloseSource() != nil || !src.closed {
		t.Error("the source was closed at the wrong time")
	}
}

// TestReplayBodyPasses checks that a pass that still waits for the source takes nothing from the next one.
func TestReplayBodyPasses(t *testing.T) {
	t.Parallel()
	src := &source{Reader: strings.NewReader("abc"), hold: make(chan struct{}), inside: make(chan struct{}, 2)}
	b := message.NewReplayBody(src, 8)
	old, next := make(chan error, 1), make(chan string, 1)
	go func() {
		_, err := b.Read(make([]byte, 8))
		old <- err
	}()
	<-src.inside
	_ = b.Close()
	if err := b.Rewind(); err != nil {
		t.Fatal(err)
	}
	go func() {
		data, err := message.ReadAll(b, 8, -1)
		if err != nil {
			t.Error(err)
		}
		next <- string(data)
	}()
	close(src.hold)
	if err := <-old; !errors.Is(err, message.ErrBodyClosed) {
		t.Errorf("old pass: %v", err)
	}
	if got := <-next; got != "abc" {
		t.Errorf("next pass: %q", got)
	}
}

func TestBackendError(t *testing.T) {
	t.Parallel()
	f := func(e message.BackendError, method string, want bool) {
		t.Helper()
		if got := e.MayRepeat(method); got != want {
			t.Errorf("%+v %s: %v", e, method, got)
		}
	}
	f(message.BackendError{}, "POST", true)
	f(message.BackendError{BytesSent: 1}, "POST", false)
	f(message.BackendError{BytesSent: 1}, "GET", true)
	f(message.BackendError{BytesSent: 1, Answered: true}, "GET", false)
	e := &message.BackendError{Kind: message.BackendTimeout, Err: message.ErrClientGone}
	if !e.Timeout() || !errors.Is(e, message.ErrClientGone) || e.Error() != "backend (timeout): client has gone" {
		t.Errorf("%v", e)
	}
}

// TestValueLength compares the eight bytes at a time with one at a time.
func TestValueLength(t *testing.T) {
	t.Parallel()
	plain := func(s string) int {
		for i := range len(s) {
			if c := s[i]; c < ' ' && c != '\t' || c == 0x7f {
				return i
			}
		}
		return len(s)
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		text := make([]byte, random.IntN(40))
		for i := range text {
			text[i] = ' ' + byte(random.IntN(0x5f))
			if random.IntN(20) == 0 {
				text[i] = "\t\x00\r\x1f\x7f\x80\xff\xa0"[random.IntN(8)]
			}
		}
		s := string(text)
		if got, want := message.ValueLength(s), plain(s); got != want {
			t.Fatalf("%q: %d, want %d", s, got, want)
		}
	}
}
