package messagetest

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// TrickyRequests have one meaning each, though it takes care to find it. What stands in their bodies are no requests.
func TrickyRequests() map[string]string {
	body := fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(smuggled), smuggled)
	chunks := fmt.Sprintf("%x\r\n%s\r\n%s", len(smuggled), smuggled, empty)
	return map[string]string{
		"length":                          postHead + body,
		"length of GET":                   getHead + body,
		"length of HEAD":                  "HEAD / HTTP/1.1\r\nHost: h\r\n" + body,
		"length of OPTIONS":               "OPTIONS / HTTP/1.1\r\nHost: h\r\n" + body,
		"zeros before length":             strings.Replace(postHead+body, "Length: ", "Length: 000", 1),
		"length in capitals":              strings.Replace(postHead+body, "Content-Length", "CONTENT-LENGTH", 1),
		"chunks":                          postHead + "Transfer-Encoding: chunked\r\n\r\n" + chunks,
		"chunks of GET":                   getHead + "Transfer-Encoding: chunked\r\n\r\n" + chunks,
		"tab before chunked":              postHead + "Transfer-Encoding:\tchunked\r\n\r\n" + chunks,
		"no space before chunked":         postHead + "Transfer-Encoding:chunked\r\n\r\n" + chunks,
		"zeros before chunk size":         postHead + "Transfer-Encoding: chunked\r\n\r\n0000" + chunks,
		"chunk extension":                 postHead + "Transfer-Encoding: chunked\r\n\r\n" + strings.Replace(chunks, "\r\n", ";a=\"b\";c\r\n", 1),
		"trailer":                         postHead + "Transfer-Encoding: chunked\r\n\r\n" + strings.TrimSuffix(chunks, "\r\n") + "X-T: 1\r\n\r\n",
		"last chunk in data":              postHead + "Transfer-Encoding: chunked\r\n\r\n5\r\n" + empty + "\r\n" + chunks,
		"low line for the hyphen, coding": postHead + "Transfer_Encoding: chunked\r\n" + body,
		"low line for the hyphen, length": postHead + "Content_Length: 0\r\n" + body,
		"other name with a coding":        postHead + "X-Transfer-Encoding: chunked\r\n" + body,
		"length named by Connection":      postHead + "Connection: Content-Length\r\n" + body,
		"coding named by Connection":      postHead + "Connection: Transfer-Encoding\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks,
		"Host named by Connection":        postHead + "Connection: Host\r\n" + body,
		"upgrade to h2c":                  postHead + "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n" + body,
		"upgrade to websocket":            getHead + "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n" + body,
		"expectation":                     postHead + "Expect: 100-continue\r\n" + body,
		"expectation of GET":              getHead + "Expect: 100-continue\r\n" + body,
		"expectation with chunks":         postHead + "Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks,
		"line end in path":                "GET /%0d%0aHost:%20x%0d%0a%0d%0aGET%20/smuggled HTTP/1.1\r\nHost: h\r\n\r\n",
		"two slashes first":               "GET //other/path HTTP/1.1\r\nHost: h\r\n\r\n",
		"absolute form for another host":  "GET http://other/path HTTP/1.1\r\nHost: h\r\n\r\n",
		"method to override":              "POST /?_method=GET HTTP/1.1\r\nHost: h\r\nX-HTTP-Method-Override: HEAD\r\n" + body,
		"host to override":                getHead + "X-Forwarded-Host: other\r\nX-Host: other\r\nForwarded: host=other\r\n\r\n",
		"one empty line first":            "\r\n" + postHead + body,
		"1.0 with a length":               "POST / HTTP/1.0\r\nHost: h\r\nConnection: keep-alive\r\n" + body,
		"long value":                      getHead + "X-Long: " + strings.Repeat("a", 7000) + "\r\n\r\n",
	}
}

// Witness is a backend service that remembers which requests it has read to their ends, and tells whoever gets the answer.
type Witness struct {
	server *httptest.Server
	mu     sync.Mutex
	seen   []string
}

// seenField carries what the witness saw.
const seenField = "X-Seen"

// NewWitness starts a witness, which net/http keeps from being our own reader's friend.
func NewWitness(t *testing.T) *Witness {
	w := &Witness{}
	w.server = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			panic(http.ErrAbortHandler)
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		w.seen = append(w.seen, fmt.Sprint(len(w.seen), r.Method, r.URL.EscapedPath()))
		rw.Header().Set(seenField, w.seen[len(w.seen)-1])
	}))
	t.Cleanup(w.server.Close)
	return w
}

// Seen returns the number, method and path of each request that the witness has read to its end, in their order.
func (w *Witness) Seen() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.seen)
}

// Address is where the witness listens.
func (w *Witness) Address() string { return w.server.Listener.Addr().String() }

// CheckSmuggling sends malformed and tricky requests to a front that leads to the witness, perhaps over several servers. Behind each comes one more
// request on the same connection. Whatever the servers on the way make of them, they must agree about it: each request that the witness reads has its
// answer on the connection that it came on, in its turn, and none is made of a part of another.
func (w *Witness) CheckSmuggling(t *testing.T, front string) {
	t.Helper()
	cases := TrickyRequests()
	for _, c := range MalformedRequests() {
		cases["malformed: "+c.Name] = c.Text
	}
	for i, chunks := range MalformedChunks() {
		cases[fmt.Sprintf("malformed: chunks %d %.20q", i, chunks)] = postHead + "Transfer-Encoding: chunked\r\n\r\n" + chunks
	}
	passed := 0
	for name, text := range cases {
		if w.check(t, front, name, text) {
			passed++
		}
	}
	if least := len(TrickyRequests()) / 2; passed < least {
		t.Errorf("%d requests passed with the one behind them, want at least %d", passed, least)
	}
}

// check sends one of them. It says whether both requests have been answered.
func (w *Witness) check(t *testing.T, front, name, text string) bool {
	t.Helper()
	w.mu.Lock()
	w.seen = nil
	w.mu.Unlock()
	answered := exchangeAll(t, front, text+"GET /last HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
	w.mu.Lock()
	defer w.mu.Unlock()
	if !slices.Equal(answered, w.seen) {
		t.Errorf("%s: the witness saw %q, the client got answers to %q", name, w.seen, answered)
	}
	malformed := strings.HasPrefix(name, "malformed: ")
	inside := func(seen string) bool { return strings.HasSuffix(seen, "/smuggled") && !strings.Contains(seen, "%") }
	if !malformed && slices.ContainsFunc(w.seen, inside) {
		t.Errorf("%s: a body was taken for a request: %q", name, w.seen)
	}
	return len(answered) == 2
}

// exchangeAll sends raw bytes and returns what the witness says in the answers that come back until the connection ends.
func exchangeAll(t *testing.T, front, text string) (answered []string) {
	t.Helper()
	conn, err := net.Dial("tcp", front)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	// Servers that wait for more of a broken body are left after a while.
	_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
	go func() { _, _ = io.WriteString(conn, text) }() // those that have refused it read no further
	lines := bufio.NewReader(conn)
	for {
		line, err := lines.ReadString('\n')
		name, value, found := strings.Cut(strings.TrimSpace(line), ": ")
		if found && strings.EqualFold(name, seenField) {
			answered = append(answered, value)
		}
		if err != nil {
			if !errors.Is(err, io.EOF) && line != "" {
				t.Logf("%q, then %v", line, err)
			}
			return answered
		}
	}
}
