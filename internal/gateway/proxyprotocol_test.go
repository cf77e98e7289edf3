package gateway

import (
	"bytes"
	"net/netip"
	"strings"
	"testing"
)

func TestProxyHeader(t *testing.T) {
	t.Parallel()
	f := func(in, source, target, rest string, fails bool) {
		t.Helper()
		for size := 1; size <= len(in); size += len(in) - 1 { // byte by byte, and at once
			h, got, err := readProxyHeader(&pieces{in, size})
			want := proxyHeader{}
			if source != "" {
				want = proxyHeader{netip.MustParseAddrPort(source), netip.MustParseAddrPort(target)}
			}
			if (err != nil) != fails || !fails && h != want || !fails && !strings.HasPrefix(rest, string(got)) {
				t.Errorf("%q: %v, rest %q, %v", in, h, got, err)
			}
		}
	}
	f("PROXY TCP4 192.0.2.1 192.0.2.2 5000 443\r\nGET /", "192.0.2.1:5000", "192.0.2.2:443", "GET /", false)
	f("PROXY TCP6 2001:db8::1 2001:db8::2 65535 0\r\n", "[2001:db8::1]:65535", "[2001:db8::2]:0", "", false)
	f("PROXY UNKNOWN whatever\r\nGET /", "", "", "GET /", false)
	const v2 = "\r\n\r\n\x00\r\nQUIT\n"
	f(v2+"\x21\x11\x00\x0c\xc0\x00\x02\x01\xc0\x00\x02\x02\x13\x88\x01\xbbGET /", "192.0.2.1:5000", "192.0.2.2:443", "GET /", false)
	f(v2+"\x21\x11\x00\x0f\xc0\x00\x02\x01\xc0\x00\x02\x02\x13\x88\x01\xbb\x04\x00\x00GET /", "192.0.2.1:5000", "192.0.2.2:443", "GET /", false) // with a TLV
	f(v2+"\x20\x00\x00\x00GET /", "", "", "GET /", false)                                                                                        // LOCAL
	f(v2+"\x21\x31\x00\x01xGET /", "", "", "GET /", false)                                                                                       // a socket of Unix
	for _, wrong := range []string{
		"GET / HTTP/1.1\r\n\r\n", "PROXY TCP4 192.0.2.1 192.0.2.2 5000\r\n", "PROXY TCP4 2001:db8::1 2001:db8::2 1 2\r\n", "PROXY TCP4 192.0.2.1 192.0.2.2 05000 443\r\n",
		"PROXY TCP4 192.0.2.1 192.0.2.2 70000 443\r\n", "PROXY UDP4 192.0.2.1 192.0.2.2 1 2\r\n", "PROXY " + strings.Repeat("x", 200), "PROXY", "",
		v2 + "\x11\x11\x00\x0c", v2 + "\x22\x11\x00\x0c", v2 + "\x21\x11\x00\x04\xc0\x00\x02\x01", v2 + "\x21\x11\xff\xff", v2[:8] + "xxxx" + "\x21\x11\x00\x0c",
	} {
		if h, _, err := readProxyHeader(strings.NewReader(wrong)); err == nil {
			t.Errorf("%q: %v", wrong, h)
		}
	}
}

// pieces is a reader that gives size bytes at a time.
type pieces struct {
	rest string
	size int
}

func (p *pieces) Read(b []byte) (int, error) {
	n := copy(b[:min(len(b), p.size)], p.rest)
	p.rest = p.rest[n:]
	if n == 0 {
		return 0, bytes.ErrTooLarge // any error
	}
	return n, nil
}

func FuzzProxyHeader(f *testing.F) {
	f.Add([]byte("PROXY TCP4 192.0.2.1 192.0.2.2 5000 443\r\n"))
	f.Add([]byte("\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c\xc0\x00\x02\x01\xc0\x00\x02\x02\x13\x88\x01\xbb"))
	f.Fuzz(func(t *testing.T, b []byte) {
		h, n, err := parseProxyHeader(b)
		if n < 0 || n > len(b) && err == nil && n > maxProxyHeader || err != nil && h.source.IsValid() {
			t.Errorf("%q: %v, %d, %v", b, h, n, err)
		}
		if err == nil && n > 0 {
			if again, m, err := parseProxyHeader(b[:n]); again != h || m != n || err != nil {
				t.Errorf("%q: without what follows %v, %d, %v", b, again, m, err)
			}
		}
	})
}
