//go:build linux

package main

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// together runs n workers until a time and adds up what they see.
func together(n int, duration time.Duration, work func(end time.Time, r *result) error) (*result, error) {
	results, errs := make([]result, n), make([]error, n)
	start := time.Now()
	end := start.Add(duration)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { errs[i] = work(end, &results[i]) })
	}
	all.Wait()
	sum := &results[0]
	for i := range results[1:] {
		sum.requests += results[i+1].requests
		sum.times.merge(&results[i+1].times)
	}
	sum.took = time.Since(start)
	return sum, errors.Join(errs...)
}

func dialTLS(port int, protocol string) (*tls.Conn, error) {
	return tls.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port), &tls.Config{
		InsecureSkipVerify: true, // certificates are not what is measured
		ServerName:         "localhost", NextProtos: []string{protocol},
	})
}

// runTLS sends requests over TLS, each on a connection of its own or on one that stays.
func (l load) runTLS(duration time.Duration, fresh bool) (*result, error) {
	return together(l.conns, duration, func(end time.Time, r *result) error {
		var c *tls.Conn
		var in *bufio.Reader
		defer func() {
			if c != nil {
				c.Close()
			}
		}()
		for begin := time.Now(); begin.Before(end); begin = time.Now() {
			if c == nil {
				var err error
				if c, err = dialTLS(l.port, "http/1.1"); err != nil {
					return err
				}
				in = bufio.NewReaderSize(c, 32<<10)
			}
			if err := exchange(c, in, l.request); err != nil {
				return err
			}
			r.requests++
			r.times.add(time.Since(begin))
			if fresh {
				// A reset leaves no port behind in TIME_WAIT.
				_ = c.NetConn().(*net.TCPConn).SetLinger(0)
				_ = c.NetConn().Close()
				c = nil
			}
		}
		return nil
	})
}

// exchange sends a request and reads its answer.
func exchange(c net.Conn, in *bufio.Reader, request []byte) error {
	if _, err := c.Write(request); err != nil {
		return err
	}
	for peek := 1; ; peek = in.Buffered() + 1 {
		if _, err := in.Peek(peek); err != nil {
			return err
		}
		data, err := in.Peek(in.Buffered())
		if err != nil {
			return err
		}
		body, length, ok, err := parseAnswer(data)
		if err != nil {
			return err
		}
		if ok {
			_, err := in.Discard(len(data) - len(body) + length)
			return err
		}
	}
}

// runHTTP2 sends requests over HTTP/2 with TLS: several streams at once on each connection.
func (l load) runHTTP2(duration time.Duration, streams int, path string) (*result, error) {
	block := requestBlock(path)
	return together(l.conns, duration, func(end time.Time, r *result) error {
		c, err := dialTLS(l.port, "h2")
		if err != nil {
			return err
		}
		defer c.Close()
		return (&h2Load{conn: c, block: block, end: end, result: r, sent: map[uint32]time.Time{}}).run(streams)
	})
}

// requestBlock is a field block that needs no dynamic table.
func requestBlock(path string) []byte {
	var b sliceWriter
	e := hpack.NewEncoder(&b)
	e.SetMaxDynamicTableSize(0)
	for _, f := range [][2]string{{":method", "GET"}, {":scheme", "https"}, {":authority", "localhost"}, {":path", path}, {"user-agent", "bench"}, {"accept", "*/*"}} {
		_ = e.WriteField(hpack.HeaderField{Name: f[0], Value: f[1], Sensitive: false}) // writing to memory does not fail
	}
	return b
}

type sliceWriter []byte

func (w *sliceWriter) Write(p []byte) (int, error) {
	*w = append(*w, p...)
	return len(p), nil
}

type h2Load struct {
	conn   *tls.Conn
	out    *bufio.Writer
	framer *http2.Framer
	block  []byte
	end    time.Time
	result *result
	sent   map[uint32]time.Time
	next   uint32
	data   uint32 // bytes to give back to the connection's window
}

func (h *h2Load) run(streams int) error {
	const window = 1 << 30
	h.out = bufio.NewWriter(h.conn)
	h.framer = http2.NewFramer(h.out, bufio.NewReaderSize(h.conn, 64<<10))
	h.framer.SetReuseFrames()
	h.next = 1
	_, err := io.WriteString(h.out, http2.ClientPreface)
	err = errors.Join(err,
		h.framer.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: window}, http2.Setting{ID: http2.SettingEnablePush}),
		h.framer.WriteWindowUpdate(0, window))
	for range streams {
		err = errors.Join(err, h.send(time.Now()))
	}
	for err = errors.Join(err, h.out.Flush()); err == nil; {
		var over bool
		if over, err = h.receive(); over {
			return nil
		}
	}
	return err
}

func (h *h2Load) send(now time.Time) error {
	h.sent[h.next] = now
	err := h.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: h.next, BlockFragment: h.block, EndStream: true, EndHeaders: true})
	h.next += 2
	return err
}

// receive takes one frame and answers it.
func (h *h2Load) receive() (over bool, err error) {
	frame, err := h.framer.ReadFrame()
	if err != nil {
		return false, err
	}
	ended := false
	switch f := frame.(type) {
	case *http2.SettingsFrame:
		if !f.IsAck() {
			err = errors.Join(h.framer.WriteSettingsAck(), h.out.Flush())
		}
	case *http2.PingFrame:
		if !f.IsAck() {
			err = errors.Join(h.framer.WritePing(true, f.Data), h.out.Flush())
		}
	case *http2.HeadersFrame:
		ended = f.StreamEnded()
	case *http2.DataFrame:
		h.data += uint32(len(f.Data()))
		ended = f.StreamEnded()
	case *http2.RSTStreamFrame, *http2.GoAwayFrame:
		err = fmt.Errorf("the server ends streams: %v", frame)
	}
	if err != nil || !ended {
		return false, err
	}
	now := time.Now()
	id := frame.Header().StreamID
	h.result.requests++
	h.result.times.add(now.Sub(h.sent[id]))
	delete(h.sent, id)
	if now.After(h.end) {
		return true, nil
	}
	if h.data > 1<<28 {
		err = h.framer.WriteWindowUpdate(0, h.data)
		h.data = 0
	}
	return false, errors.Join(err, h.send(now), h.out.Flush())
}
