package gateway

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"
)

// netSet is a set of networks.
type netSet struct{ prefixes []netip.Prefix }

func newNetSet(prefixes []netip.Prefix) *netSet {
	s := &netSet{}
	for _, p := range prefixes {
		s.prefixes = append(s.prefixes, p.Masked())
	}
	return s
}

// has says whether an address is in the set. Addresses of version 4 in those of version 6 count as what they are.
func (s *netSet) has(a netip.Addr) bool {
	if s == nil {
		return false
	}
	a = a.Unmap().WithZone("")
	for _, p := range s.prefixes {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// ParseNetworks reads a list of networks and addresses with commas or blanks between, such as "10.0.0.0/8, 2001:db8::1".
func ParseNetworks(list string) (prefixes []netip.Prefix, err error) {
	for _, word := range strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' }) {
		p, err := netip.ParsePrefix(word)
		if err != nil {
			a, aerr := netip.ParseAddr(word)
			if aerr != nil || a.Zone() != "" {
				return nil, fmt.Errorf("%q is neither an IP address nor a network such as 10.0.0.0/8", word)
			}
			p = netip.PrefixFrom(a, a.BitLen())
		}
		prefixes = append(prefixes, p)
	}
	return prefixes, nil
}

// behindProxies makes a listener read the header of the PROXY protocol, version 1 or 2, from connections of trusted load balancers
// (haproxy.org/download/3.0/doc/proxy-protocol.txt). What others send in its place is no HTTP, and refused as such.
func (s *Server) behindProxies(l net.Listener) net.Listener {
	if s.proxied == nil {
		return l
	}
	return &proxyListener{Listener: l, from: s.proxied}
}

type proxyListener struct {
	net.Listener
	from *netSet
}

// Accept implements [net.Listener]. It does not wait for headers.
func (l *proxyListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	tcp, ok := c.(*net.TCPConn)
	if !ok {
		return c, nil
	}
	peer, ok := tcp.RemoteAddr().(*net.TCPAddr)
	if !ok || !l.from.has(peer.AddrPort().Addr()) {
		return c, nil
	}
	return &proxiedConn{TCPConn: tcp, remote: peer, local: tcp.LocalAddr()}, nil
}

// proxiedConn is a connection that begins with a header. The first who reads or asks for an address reads it.
type proxiedConn struct {
	*net.TCPConn
	once          sync.Once
	err           error
	early         []byte // behind the header
	remote, local net.Addr
}

// proxyHeaderTimeout limits the arrival of a header: it stands in the first packet.
const proxyHeaderTimeout = 5 * time.Second

func (c *proxiedConn) prepare() {
	c.once.Do(func() {
		_ = c.TCPConn.SetReadDeadline(time.Now().Add(proxyHeaderTimeout)) // fails on closed connections only: reading says so
		h, rest, err := readProxyHeader(c.TCPConn)
		_ = c.TCPConn.SetReadDeadline(time.Time{})
		c.err, c.early = err, rest
		if h.source.IsValid() {
			c.remote, c.local = net.TCPAddrFromAddrPort(h.source), net.TCPAddrFromAddrPort(h.target)
		}
	})
}

// RemoteAddr implements [net.Conn].
func (c *proxiedConn) RemoteAddr() net.Addr { c.prepare(); return c.remote }

// LocalAddr implements [net.Conn].
func (c *proxiedConn) LocalAddr() net.Addr { c.prepare(); return c.local }

// Read implements [io.Reader].
func (c *proxiedConn) Read(p []byte) (int, error) {
	c.prepare()
	switch {
	case len(c.early) > 0:
		n := copy(p, c.early)
		c.early = c.early[n:]
		return n, nil
	case c.err != nil:
		return 0, c.err
	}
	return c.TCPConn.Read(p)
}

// WriteTo implements [io.WriterTo], so that nobody reads past what has come early.
func (c *proxiedConn) WriteTo(w io.Writer) (int64, error) {
	c.prepare()
	if c.err != nil {
		return 0, c.err
	}
	early := c.early
	c.early = nil
	n, err := w.Write(early)
	if err != nil {
		return int64(n), err
	}
	m, err := c.TCPConn.WriteTo(w)
	return int64(n) + m, err
}

// proxyHeader is who speaks to whom; not valid when the load balancer speaks for itself or does not say.
type proxyHeader struct{ source, target netip.AddrPort }

var (
	proxySignature = []byte("\r\n\r\n\x00\r\nQUIT\n") // of version 2
	errProxyHeader = errors.New("the header of the PROXY protocol is malformed")
)

const (
	maxProxyLine   = 107 // of version 1, with CR LF
	maxProxyHeader = 16 + 4<<10
)

// readProxyHeader reads a header and returns what has been read behind it.
func readProxyHeader(r io.Reader) (h proxyHeader, rest []byte, err error) {
	buf := make([]byte, 0, 512)
	for {
		h, n, err := parseProxyHeader(buf)
		if err != nil {
			return h, nil, err
		}
		if n > 0 {
			return h, buf[n:], nil
		}
		if len(buf) == cap(buf) {
			buf = append(make([]byte, 0, 2*cap(buf)), buf...)
		}
		m, err := r.Read(buf[len(buf):cap(buf)])
		if buf = buf[:len(buf)+m]; err != nil && m == 0 {
			return h, nil, fmt.Errorf("read the header of the PROXY protocol: %w", err)
		}
	}
}

// parseProxyHeader returns a header and its length; 0 when more of it is needed.
func parseProxyHeader(b []byte) (h proxyHeader, n int, err error) {
	start := b[:min(len(b), len(proxySignature))]
	switch {
	case bytes.Equal(start, proxySignature):
		return parseProxyBinary(b)
	case bytes.HasPrefix(proxySignature, start): // nothing yet, too
		return h, 0, nil
	}
	end := bytes.Index(b[:min(len(b), maxProxyLine)], []byte("\r\n"))
	switch {
	case end >= 0:
		h, err = parseProxyLine(string(b[:end]))
		return h, end + 2, err
	case len(b) >= maxProxyLine || !bytes.HasPrefix(b, []byte("PROXY ")) && !bytes.HasPrefix([]byte("PROXY "), b):
		return h, 0, errProxyHeader
	}
	return h, 0, nil
}

// parseProxyLine reads the line of version 1.
func parseProxyLine(line string) (h proxyHeader, err error) {
	words := strings.Split(line, " ")
	switch {
	case len(words) >= 2 && words[0] == "PROXY" && words[1] == "UNKNOWN":
		return h, nil
	case len(words) != 6 || words[0] != "PROXY" || words[1] != "TCP4" && words[1] != "TCP6":
		return h, errProxyHeader
	}
	if h.source, err = proxyAddress(words[2], words[4], words[1] == "TCP4"); err != nil {
		return proxyHeader{}, err
	}
	if h.target, err = proxyAddress(words[3], words[5], words[1] == "TCP4"); err != nil {
		return proxyHeader{}, err
	}
	return h, nil
}

func proxyAddress(address, port string, four bool) (netip.AddrPort, error) {
	a, err := netip.ParseAddr(address)
	if err != nil || a.Is4() != four || a.Zone() != "" {
		return netip.AddrPort{}, errProxyHeader
	}
	p, err := strconv.ParseUint(port, 10, 16)
	if err != nil || len(port) > 1 && port[0] == '0' {
		return netip.AddrPort{}, errProxyHeader
	}
	return netip.AddrPortFrom(a, uint16(p)), nil
}

// parseProxyBinary reads version 2: the signature, version and command, family and protocol, the length of the rest.
func parseProxyBinary(b []byte) (h proxyHeader, n int, err error) {
	const head = 16
	if len(b) < head {
		return h, 0, nil
	}
	n = head + int(binary.BigEndian.Uint16(b[14:]))
	command := b[12] & 0x0f
	switch {
	case b[12]>>4 != 2, command > 1, n > maxProxyHeader:
		return h, 0, errProxyHeader
	case len(b) < n:
		return h, 0, nil
	case command == 0: // LOCAL: the load balancer looks whether we live
		return h, n, nil
	}
	size := map[byte]int{0x11: 4, 0x21: 16}[b[13]] // TCP over IPv4, over IPv6
	if size == 0 {
		return h, n, nil // what we cannot know counts as not said
	}
	if n < head+2*size+4 {
		return h, 0, errProxyHeader
	}
	at := b[head:n]
	source, _ := netip.AddrFromSlice(at[:size])
	target, _ := netip.AddrFromSlice(at[size : 2*size])
	h.source = netip.AddrPortFrom(source, binary.BigEndian.Uint16(at[2*size:]))
	h.target = netip.AddrPortFrom(target, binary.BigEndian.Uint16(at[2*size+2:]))
	return h, n, nil
}
