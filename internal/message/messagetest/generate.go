package messagetest

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
)

// last is the request behind a generated message. It ends the connection.
const last = "GET /last HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"

// Messages returns the malformed and the tricky requests, each with one more behind it.
func Messages() []string {
	var texts []string
	for _, c := range MalformedRequests() {
		texts = append(texts, c.Text+last)
	}
	for _, chunks := range MalformedChunks() {
		texts = append(texts, postHead+"Transfer-Encoding: chunked\r\n\r\n"+chunks+last)
	}
	tricky := TrickyRequests()
	for _, name := range slices.Sorted(maps.Keys(tricky)) {
		texts = append(texts, tricky[name]+last)
	}
	return texts
}

// Generate makes a message of HTTP/1.1 that may be right or wrong: requests out of parts that readers differ about, or one of [Messages], with some bytes
// changed.
func Generate(r *rand.Rand) string {
	var text string
	if r.IntN(3) == 0 {
		all := Messages()
		text = all[r.IntN(len(all))]
	} else {
		for range 1 + r.IntN(2) {
			text += generateRequest(r)
		}
		text += last
	}
	for range []int{0, 0, 1, 1, 2, 3}[r.IntN(6)] {
		text = mutate(r, text)
	}
	return text
}

func pick(r *rand.Rand, from ...string) string { return from[r.IntN(len(from))] }

// generateRequest makes one with a body, or something like it.
func generateRequest(r *rand.Rand) string {
	body := pick(r, "a", "abcdefgh", smuggled, "5\r\nabcde\r\n"+empty)
	off := pickInt(r, 0, 0, 0, 0, 1, -1)
	chunks := fmt.Sprintf("%x%s\r\n%s\r\n0\r\n%s\r\n", len(body)+off, pick(r, "", "", ";a", ";a=\"b\"", " ", ";", ";\t"), body, pick(r, "", "", "X-T: 1\r\n", "Content-Length: 3\r\n"))
	framing, content := "", ""
	switch r.IntN(5) {
	case 0:
	case 1, 2:
		framing, content = fmt.Sprintf("%s:%s%s\r\n", pick(r, "Content-Length", "content-length", "CONTENT-LENGTH", "Content_Length"), pick(r, " ", "", "\t", "  ", " 0", " +"),
			fmt.Sprint(len(body)+off)), body
	default:
		framing, content = fmt.Sprintf("%s:%s%s\r\n", pick(r, "Transfer-Encoding", "transfer-encoding", "TRANSFER-ENCODING", "Transfer_Encoding"), pick(r, " ", "", "\t"),
			pick(r, "chunked", "Chunked", "chunked ", "chunked\t", "identity", "gzip, chunked", "chunked, chunked", ",chunked", "chunked;a=b")), chunks
	}
	if r.IntN(8) == 0 {
		framing += pick(r, "Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n", framing)
	}
	lines := []string{pick(r, "Host: h\r\n", "Host: h\r\n", "Host: h:80\r\n", "host:h\r\n"), framing}
	for range r.IntN(3) {
		lines = append(lines, pick(r, "X-A: b\r\n", "X-A:\r\n", "Connection: keep-alive\r\n", "Connection: close, X-A\r\n", "Connection: Content-Length\r\n", "Connection: Transfer-Encoding\r\n",
			"Expect: 100-continue\r\n", "TE: trailers\r\n", "Upgrade: h2c\r\n", "X-A: \xff\r\n", "Cookie: a=b\r\n", "Trailer: X-T\r\n", "Keep-Alive: timeout=5\r\n"))
	}
	r.Shuffle(len(lines), func(i, j int) { lines[i], lines[j] = lines[j], lines[i] })
	return pick(r, "GET", "POST", "POST", "PUT", "HEAD", "OPTIONS", "DELETE", "post") + " " +
		pick(r, "/", "/a?b=c", "/a/../b", "//a", "/a%2fb", "/a%0d%0ab", "/%zz", "http://h/a", "http://other/a", "*", "/a;b", "/a\\b", "/\xff", "/a|b", "/a\"b") +
		pick(r, " HTTP/1.1", " HTTP/1.1", " HTTP/1.1", " HTTP/1.1", " HTTP/1.0", " HTTP/1.2") + "\r\n" + strings.Join(lines, "") + "\r\n" + content
}

func pickInt(r *rand.Rand, from ...int) int { return from[r.IntN(len(from))] }

// mutate changes a few bytes.
func mutate(r *rand.Rand, text string) string {
	at := r.IntN(len(text) + 1)
	if r.IntN(2) == 0 { // where lines and words end more happens
		if end := strings.IndexAny(text[at:], "\r\n: ,;"); end >= 0 {
			at += end
		}
	}
	odd := pick(r, "\r", "\n", "\r\n", " ", "\t", "\x00", "\x0b", "\x0c", "\x7f", "\x80", "\xa0", ":", ",", ";", "0", "1", "a", "\"", "/", "\r\n\r\n", "\r\n ", "_", "-", "+")
	rest := text[at:]
	if n := r.IntN(3); n <= len(rest) {
		rest = rest[n:]
	}
	if r.IntN(4) == 0 {
		odd = ""
	}
	return text[:at] + odd + rest
}
