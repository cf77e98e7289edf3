package http1

import (
	"errors"
	"io"
	"net"
	"sync"

	"github.com/causeway-apim/causeway/internal/message"
)

// tunnel is a raw connection after an upgrade. Bytes that arrived with the head come first.
type tunnel struct {
	net.Conn
	early []byte
}

var _ message.Tunnel = (*tunnel)(nil)

// newTunnel takes the connection and what is unread in its input.
func newTunnel(c net.Conn, in *input) *tunnel {
	t := &tunnel{Conn: c}
	if in.buffered() > 0 {
		t.early = append([]byte(nil), in.buf[in.r:in.w]...)
		in.r = in.w
	}
	return t
}

// Read implements [io.Reader].
func (t *tunnel) Read(p []byte) (int, error) {
	if len(t.early) == 0 {
		return t.Conn.Read(p)
	}
	n := copy(p, t.early)
	t.early = t.early[n:]
	return n, nil
}

// CloseWrite implements [message.Tunnel].
func (t *tunnel) CloseWrite() error {
	if half, ok := t.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return errors.ErrUnsupported
}

// join moves bytes both ways until both sides have ended, closes both and returns how many went from a to b and back. A side that fails ends the
// other one.
func join(a, b message.Tunnel) (forward, back int64) {
	var both sync.WaitGroup
	both.Go(func() { back = pour(a, b) })
	forward = pour(b, a)
	both.Wait()
	_, _ = a.Close(), b.Close()
	return forward, back
}

// pour copies from src to dst until the end of src and passes the end on.
func pour(dst, src message.Tunnel) int64 {
	n, err := io.Copy(dst, src)
	if err != nil || dst.CloseWrite() != nil {
		_, _ = dst.Close(), src.Close()
	}
	return n
}
