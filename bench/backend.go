//go:build linux

package main

import (
	"bytes"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"syscall"
)

// The sizes of the answers that the backend service gives, by the last segment of the path.
var bodySizes = map[string]int{"b512": 512, "b16k": 16 << 10, "b1m": 1 << 20}

const webSocketPath = "ws"

// backend is the backend service: it answers requests from memory and echoes WebSocket messages.
type backend struct {
	poller   *poller
	listener int
	answers  map[string][]byte
	conns    map[int]*backendConn
	buf      []byte
}

type backendConn struct {
	fd      int
	in      []byte // an incomplete head or frame
	out     []byte // not written yet
	echoing bool
}

// runBackend serves on a port until the process ends.
func runBackend(port int) error {
	b := &backend{answers: map[string][]byte{}, conns: map[int]*backendConn{}, buf: make([]byte, 64<<10)}
	for name, size := range bodySizes {
		// max-age lets caches keep it, as they do at their own will only where they are told to.
		head := fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nCache-Control: max-age=3600\r\nContent-Length: %d\r\n\r\n", size)
		b.answers[name] = append([]byte(head), bytes.Repeat([]byte("x"), size)...)
	}
	var err error
	if b.poller, err = newPoller(); err != nil {
		return err
	}
	if err := b.listen(port); err != nil {
		return err
	}
	for {
		events, err := b.poller.wait(-1)
		if err != nil {
			return err
		}
		for _, e := range events {
			fd := int(e.Fd)
			if fd == b.listener {
				b.accept()
			} else if c := b.conns[fd]; c != nil && !b.serve(c, e.Events) {
				delete(b.conns, fd)
				_ = syscall.Close(fd)
			}
		}
	}
}

func (b *backend) listen(port int) (err error) {
	if b.listener, err = syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC|syscall.SOCK_NONBLOCK, 0); err != nil {
		return err
	}
	_ = syscall.SetsockoptInt(b.listener, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1)
	if err := syscall.Bind(b.listener, &syscall.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		return fmt.Errorf("bind: %w", err)
	}
	if err := syscall.Listen(b.listener, 4096); err != nil {
		return err
	}
	return b.poller.watch(b.listener, syscall.EPOLLIN, false)
}

func (b *backend) accept() {
	for {
		fd, _, err := syscall.Accept4(b.listener, syscall.SOCK_CLOEXEC|syscall.SOCK_NONBLOCK)
		if err != nil {
			return
		}
		if prepare(fd) != nil || b.poller.watch(fd, syscall.EPOLLIN, false) != nil {
			_ = syscall.Close(fd)
			continue
		}
		b.conns[fd] = &backendConn{fd: fd}
	}
}

// serve reads and answers what there is, and says whether the connection goes on.
func (b *backend) serve(c *backendConn, events uint32) bool {
	if events&syscall.EPOLLIN != 0 {
		n, err := syscall.Read(c.fd, b.buf)
		if n <= 0 {
			return err == syscall.EAGAIN
		}
		data := b.buf[:n]
		if len(c.in) > 0 {
			c.in = append(c.in, data...)
			data = c.in
		}
		rest, ok := b.take(c, data)
		if !ok {
			return false
		}
		c.in = append(c.in[:0], rest...)
	}
	return b.flush(c, events&syscall.EPOLLOUT != 0)
}

// take answers the complete requests in data and returns what follows them.
func (b *backend) take(c *backendConn, data []byte) (rest []byte, ok bool) {
	for len(data) > 0 {
		if c.echoing {
			n := echoFrame(c, data)
			if n <= 0 {
				return data, n == 0
			}
			data = data[n:]
			continue
		}
		end := bytes.Index(data, []byte("\r\n\r\n"))
		if end < 0 {
			return data, true
		}
		head := data[:end]
		size := end + 4 + contentLength(head)
		if len(data) < size {
			return data, true
		}
		data = data[size:]
		line, _, _ := bytes.Cut(head, []byte("\r\n"))
		_, target, _ := bytes.Cut(line, []byte(" "))
		target, _, _ = bytes.Cut(target, []byte(" "))
		target = bytes.TrimRight(target, "/")
		name := target[bytes.LastIndexByte(target, '/')+1:]
		if string(name) == webSocketPath {
			c.out = append(c.out, webSocketAnswer(head)...)
			c.echoing = true
			continue
		}
		answer := b.answers[string(name)]
		if answer == nil {
			return nil, false
		}
		if len(c.out) == 0 {
			c.out = answer[:len(answer):len(answer)] // read only: an append copies
		} else {
			c.out = append(c.out, answer...)
		}
	}
	return nil, true
}

// contentLength is the length of the body behind a head, 0 without one.
func contentLength(head []byte) int {
	if head[0] == 'G' {
		return 0
	}
	for line := range bytes.SplitSeq(head, []byte("\r\n")) {
		name, value, _ := bytes.Cut(line, []byte(":"))
		if bytes.EqualFold(name, []byte("Content-Length")) {
			n, _ := strconv.Atoi(string(bytes.TrimSpace(value))) // proxies under test send numbers
			return n
		}
	}
	return 0
}

// flush writes as much as the socket takes.
func (b *backend) flush(c *backendConn, blocked bool) bool {
	for len(c.out) > 0 {
		n, err := syscall.Write(c.fd, c.out)
		if err == syscall.EAGAIN {
			return blocked || b.poller.watch(c.fd, syscall.EPOLLIN|syscall.EPOLLOUT, true) == nil
		}
		if err != nil {
			return false
		}
		c.out = c.out[n:]
	}
	c.out = nil
	return !blocked || b.poller.watch(c.fd, syscall.EPOLLIN, true) == nil
}

// webSocketAnswer accepts an upgrade (RFC 6455, 4.2.2).
func webSocketAnswer(head []byte) string {
	key := ""
	for line := range strings.SplitSeq(string(head), "\r\n") {
		if name, value, _ := strings.Cut(line, ":"); strings.EqualFold(name, "Sec-WebSocket-Key") {
			key = strings.TrimSpace(value)
		}
	}
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " +
		base64.StdEncoding.EncodeToString(sum[:]) + "\r\n\r\n"
}

// echoFrame answers one masked frame of less than 126 bytes (RFC 6455, 5.2) and returns its length: 0 when it is not all there, -1 when it is
// something else.
func echoFrame(c *backendConn, data []byte) int {
	const head = 2 + 4
	if len(data) < head {
		return 0
	}
	size := int(data[1] & 0x7f)
	if size > 125 || data[1]&0x80 == 0 {
		return -1
	}
	if len(data) < head+size {
		return 0
	}
	mask, payload := data[2:head], data[head:head+size]
	c.out = append(c.out, data[0], byte(size))
	for i, x := range payload {
		c.out = append(c.out, x^mask[i&3])
	}
	return head + size
}
