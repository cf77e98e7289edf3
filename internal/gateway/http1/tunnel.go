package http1

import (
	"errors"
	"io"
	"net"
	"sync"
	"time"

	"github.com/causeway-apim/causeway/internal/message"
)

// tunnel is a raw connection after an upgrade. Bytes that arrived with the head come first.
type tunnel struct {
	net.Conn
	early  []byte
	blocks *blocks
}

var (
	_ message.Tunnel = (*tunnel)(nil)
	_ io.WriterTo    = (*tunnel)(nil)
)

// newTunnel takes the connection and what is unread in its input.
func newTunnel(c net.Conn, in *input) *tunnel {
	t := &tunnel{Conn: c, blocks: in.blocks}
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

// WriteTo implements [io.WriterTo], which io.Copy makes use of: most tunnels rest most of the time, and have no large buffers then.
func (t *tunnel) WriteTo(w io.Writer) (written int64, err error) {
	from, size := newReceiver(t.Conn, t.blocks), blockSizes[0]
	if early := t.early; len(early) > 0 {
		t.early = nil
		n, err := w.Write(early)
		if written = int64(n); err != nil {
			return written, err
		}
	}
	for err == nil {
		var b *block
		var n int
		if b, n, err = from.receive(size); n > 0 {
			n, writeErr := w.Write(b.data[:n])
			if written += int64(n); writeErr != nil {
				err = writeErr
			}
		}
		if size = blockSizes[0]; b != nil && n == len(b.data) {
			size = streamSize // there is more
		}
		t.blocks.put(b)
	}
	if err == io.EOF {
		err = nil
	}
	return written, err
}

// receiver reads what arrives on a connection.
type receiver interface {
	// receive waits for bytes and returns how many there are at the start of a buffer of at least the size, which may be nil when there are none. The
	// caller gives the buffer back.
	receive(size int) (*block, int, error)
}

// eagerReceiver holds a buffer while it waits.
type eagerReceiver struct {
	conn net.Conn
	pool *blocks
}

// receive implements receiver.
func (r *eagerReceiver) receive(size int) (*block, int, error) {
	b := r.pool.get(size)
	n, err := r.conn.Read(b.data)
	return b, n, err
}

// CloseWrite implements [message.Tunnel].
func (t *tunnel) CloseWrite() error {
	if half, ok := t.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return errors.ErrUnsupported
}

// join moves bytes both ways until both sides have ended, closes both and returns how many went from a to b and back. A side that fails ends the
// other one, and one that has ended its direction does so after a while: clients vanish, and not every backend service takes notice.
func join(a, b message.Tunnel, while time.Duration) (forward, back int64) {
	closeBoth := func() { _, _ = a.Close(), b.Close() }
	var both sync.WaitGroup
	var first sync.Once
	var limit *time.Timer
	ended := func() { first.Do(func() { limit = time.AfterFunc(while, closeBoth) }) }
	both.Go(func() {
		back = pour(a, b)
		ended()
	})
	forward = pour(b, a)
	ended()
	both.Wait()
	limit.Stop()
	closeBoth()
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
