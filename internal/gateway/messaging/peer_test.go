package messaging_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/Azure/go-amqp"
)

// peer is the other side of AMQP 1.0 (OASIS, parts 2, 3 and 5) with the node $cbs: it takes messages on links for which it has got a token.
type peer struct {
	t      *testing.T
	listen net.Listener

	mu       sync.Mutex
	conns    []net.Conn
	opened   int
	tokens   []putToken
	taken    []delivery
	status   int32  // of tokens; 0 means 202
	refuse   string // condition with which messages are rejected
	breakOne bool   // close the connection at the next message
}

type putToken struct{ name, kind, token string }

// delivery is a message that was taken.
type delivery struct {
	address string
	format  uint32
	message *amqp.Message
}

func newPeer(t *testing.T) *peer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &peer{t: t, listen: l}
	var serving sync.WaitGroup
	t.Cleanup(func() {
		_ = l.Close()
		p.closeAll()
		serving.Wait()
	})
	serving.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			p.mu.Lock()
			p.conns = append(p.conns, conn)
			p.opened++
			p.mu.Unlock()
			serving.Go(func() {
				defer conn.Close()
				c := &peerConn{peer: p, conn: conn, links: make(map[uint32]*peerLink)}
				if err := c.serve(); err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, net.ErrClosed) && !isReset(err) {
					t.Error(err)
				}
			})
		}
	})
	return p
}

func isReset(err error) bool { return strings.Contains(err.Error(), "reset") }

func (p *peer) closeAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.conns {
		_ = c.Close()
	}
	p.conns = nil
}

// peerConn is one connection; it has one session.
type peerConn struct {
	*peer
	conn    net.Conn
	links   map[uint32]*peerLink // by the handle of the client
	answers *peerLink            // to $cbs requests
}

type peerLink struct {
	address   string
	handle    uint32
	delivered uint32
	partial   []byte
	format    uint32
	id        uint32
}

const (
	headerSASL = "AMQP\x03\x01\x00\x00"
	headerAMQP = "AMQP\x00\x01\x00\x00"
)

func (c *peerConn) serve() error {
	for _, header := range []string{headerSASL, headerAMQP} {
		b := make([]byte, 8)
		if _, err := io.ReadFull(c.conn, b); err != nil {
			return err
		}
		if string(b) != header {
			return errors.New("unexpected protocol header " + string(b))
		}
		if _, err := io.WriteString(c.conn, header); err != nil {
			return err
		}
		if header == headerSASL {
			if err := c.sasl(); err != nil {
				return err
			}
		}
	}
	for {
		kind, channel, body, err := c.read()
		if err != nil {
			return err
		}
		if kind != 0 || len(body) == 0 { // heartbeat
			continue
		}
		code, fields, payload := performative(body)
		if done, err := c.handle(channel, code, fields, payload); done || err != nil {
			return err
		}
	}
}

func (c *peerConn) sasl() error {
	if err := c.write(1, 0, described(0x40, symbol("ANONYMOUS")), nil); err != nil {
		return err
	}
	if _, _, _, err := c.read(); err != nil {
		return err
	}
	return c.write(1, 0, described(0x44, []byte{0x50, 0}), nil)
}

func (c *peerConn) handle(channel uint16, code uint64, f []value, payload []byte) (done bool, err error) {
	send := func(code uint64, fields ...[]byte) {
		if err == nil {
			err = c.write(0, channel, described(code, fields...), nil)
		}
	}
	switch code {
	case 0x10: // open
		send(code, str("peer"))
	case 0x11: // begin
		send(code, ushort(channel), uintOf(0), uintOf(5000), uintOf(5000))
	case 0x12: // attach
		c.attach(f, send)
	case 0x13: // flow
	case 0x14: // transfer
		err = c.transfer(channel, f, payload, send)
	case 0x15: // disposition
	case 0x16: // detach
		send(code, uintOf(f[0].number()), boolean(true))
	case 0x17: // end
		send(code)
	case 0x18: // close
		send(code)
		return true, err
	}
	return false, err
}

func (c *peerConn) attach(f []value, send func(uint64, ...[]byte)) {
	handle := uint32(f[1].number())
	l := &peerLink{handle: handle}
	null := []byte{0x40}
	if receives := f[2].raw[0] == 0x41; receives { // the client receives: answers of $cbs
		l.address = f[5].inner(0).text()
		c.answers = l
		send(0x12, f[0].raw, uintOf(uint64(handle)), boolean(false), null, null, f[5].raw, f[6].raw, null, null, uintOf(0))
		return
	}
	l.address = f[6].inner(0).text()
	c.links[handle] = l
	send(0x12, f[0].raw, uintOf(uint64(handle)), boolean(true), null, null, f[5].raw, f[6].raw)
	if l.address != "$cbs" && !c.allows(l.address) {
		send(0x16, uintOf(uint64(handle)), boolean(true), described(0x1d, symbol("amqp:unauthorized-access"), str("no token")))
		return
	}
	send(0x13, uintOf(0), uintOf(5000), uintOf(0), uintOf(5000), uintOf(uint64(handle)), uintOf(0), uintOf(1000))
}

// allows says whether a token for the address or what it is in was put.
func (c *peerConn) allows(address string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, t := range c.tokens {
		if strings.HasSuffix(t.name, "/"+address) {
			return true
		}
	}
	return false
}

func (c *peerConn) transfer(channel uint16, f []value, payload []byte, send func(uint64, ...[]byte)) error {
	l := c.links[uint32(f[0].number())]
	if len(l.partial) == 0 {
		l.id = uint32(f[1].number())
		l.format = uint32(f[3].number())
	}
	l.partial = append(l.partial, payload...)
	if len(f) > 5 && f[5].raw[0] == 0x41 { // more
		return nil
	}
	m := &amqp.Message{}
	if err := m.UnmarshalBinary(l.partial); err != nil {
		return err
	}
	l.partial = nil
	state := described(0x24) // accepted
	c.mu.Lock()
	refuse, breakOne := c.refuse, c.breakOne
	if l.address != "$cbs" {
		c.breakOne = false
		if refuse == "" && !breakOne {
			c.taken = append(c.taken, delivery{l.address, l.format, m})
		}
	}
	c.mu.Unlock()
	switch {
	case l.address == "$cbs":
		send(0x15, boolean(true), uintOf(uint64(l.id)), uintOf(uint64(l.id)), boolean(true), state)
		return c.answerToken(channel, m)
	case breakOne:
		return io.EOF
	case refuse != "":
		state = described(0x25, described(0x1d, symbol(refuse), str("not this one")))
	}
	send(0x15, boolean(true), uintOf(uint64(l.id)), uintOf(uint64(l.id)), boolean(true), state)
	return nil
}

// answerToken answers a put-token request.
func (c *peerConn) answerToken(channel uint16, m *amqp.Message) error {
	text := func(name string) string { s, _ := m.ApplicationProperties[name].(string); return s }
	token, _ := m.Value.(string)
	c.mu.Lock()
	c.tokens = append(c.tokens, putToken{text("name"), text("type"), token})
	status := c.status
	c.mu.Unlock()
	if status == 0 {
		status = 202
	}
	answer := amqp.Message{
		Properties:            &amqp.MessageProperties{CorrelationID: m.Properties.MessageID, To: m.Properties.ReplyTo},
		ApplicationProperties: map[string]any{"status-code": status, "status-description": "as told"},
	}
	b, err := answer.MarshalBinary()
	if err != nil {
		return err
	}
	id := c.answers.delivered
	c.answers.delivered++
	tag := []byte{0xa0, 1, byte(id)}
	return c.write(0, channel, described(0x14, uintOf(uint64(c.answers.handle)), uintOf(uint64(id)), tag, uintOf(0), boolean(true)), b)
}

func (c *peerConn) read() (kind byte, channel uint16, body []byte, err error) {
	head := make([]byte, 8)
	if _, err = io.ReadFull(c.conn, head); err != nil {
		return
	}
	body = make([]byte, binary.BigEndian.Uint32(head)-8)
	_, err = io.ReadFull(c.conn, body)
	return head[5], binary.BigEndian.Uint16(head[6:]), body[4*int(head[4])-8:], err
}

func (c *peerConn) write(kind byte, channel uint16, performative, payload []byte) error {
	b := binary.BigEndian.AppendUint32(nil, uint32(8+len(performative)+len(payload)))
	b = binary.BigEndian.AppendUint16(append(b, 2, kind), channel)
	_, err := c.conn.Write(append(append(b, performative...), payload...))
	return err
}

// value is an encoded value (part 1).
type value struct{ raw []byte }

// length is how many bytes the value at the start of b takes.
func length(b []byte) int {
	if b[0] == 0 {
		n := 1 + length(b[1:])
		return n + length(b[n:])
	}
	switch b[0] >> 4 {
	case 4:
		return 1
	case 5:
		return 2
	case 6:
		return 3
	case 7:
		return 5
	case 8:
		return 9
	case 9:
		return 17
	case 0xa, 0xc, 0xe:
		return 2 + int(b[1])
	}
	return 5 + int(binary.BigEndian.Uint32(b[1:]))
}

// performative splits a frame's body into the code and fields of its performative and the payload.
func performative(b []byte) (code uint64, fields []value, payload []byte) {
	n := length(b)
	v := value{b[:n]}
	return value{b[1:]}.number(), v.fields(), b[n:]
}

// fields are the elements of a list, which may be described.
func (v value) fields() (list []value) {
	b := v.raw
	if b[0] == 0 {
		b = b[1+length(b[1:]):]
	}
	switch b[0] {
	case 0xc0:
		b = b[3:]
	case 0xd0:
		b = b[9:]
	default:
		return nil
	}
	for len(b) > 0 {
		n := length(b)
		list = append(list, value{b[:n]})
		b = b[n:]
	}
	return list
}

func (v value) inner(i int) value {
	if f := v.fields(); i < len(f) {
		return f[i]
	}
	return value{[]byte{0x40}}
}

func (v value) number() uint64 {
	switch v.raw[0] {
	case 0x52, 0x53:
		return uint64(v.raw[1])
	case 0x70:
		return uint64(binary.BigEndian.Uint32(v.raw[1:]))
	case 0x80:
		return binary.BigEndian.Uint64(v.raw[1:])
	}
	return 0
}

func (v value) text() string {
	switch v.raw[0] {
	case 0xa1, 0xa3:
		return string(v.raw[2 : 2+int(v.raw[1])])
	}
	return ""
}

func str(s string) []byte    { return append([]byte{0xa1, byte(len(s))}, s...) }
func symbol(s string) []byte { return append([]byte{0xa3, byte(len(s))}, s...) }

func uintOf(n uint64) []byte { return binary.BigEndian.AppendUint32([]byte{0x70}, uint32(n)) }

func ushort(n uint16) []byte { return binary.BigEndian.AppendUint16([]byte{0x60}, n) }

func boolean(b bool) []byte {
	if b {
		return []byte{0x41}
	}
	return []byte{0x42}
}

// described is a list with a descriptor.
func described(code uint64, fields ...[]byte) []byte {
	body := bytes.Join(fields, nil)
	b := []byte{0, 0x53, byte(code), 0xd0}
	b = binary.BigEndian.AppendUint32(b, uint32(4+len(body)))
	b = binary.BigEndian.AppendUint32(b, uint32(len(fields)))
	return append(b, body...)
}
