package http3

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	h3 "github.com/quic-go/quic-go/http3"

	"github.com/causeway-apim/causeway/internal/message"
)

// exchange implements [message.Exchange] for one request.
type exchange struct {
	server  *Server
	w       http.ResponseWriter
	control *http.ResponseController
	r       *http.Request
	ctx     message.ExchangeContext
	req     message.Request
	finish  []func(message.Result)
	result  message.Result
	owner   message.Releaser
	bytesIn atomic.Int64

	expected  bool        // the client waits for 100 Continue
	grpc      bool        // a call of gRPC, whose streams may rest
	head      sync.Mutex  // heads are sent one after the other: whoever reads the body sends one, too
	answered  bool        // a final head has been sent, or is about to be; guarded by head
	broken    bool        // the answer cannot be completed: the stream is reset
	continued atomic.Bool // 100 has been sent
	closed    atomic.Bool // nobody reads the body any more
}

var _ message.Exchange = (*exchange)(nil)

// serve is quic-go's handler.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	s.begin()
	defer s.finish()
	x := &exchange{server: s, w: w, control: http.NewResponseController(w), r: r}
	stop := context.AfterFunc(r.Context(), func() { x.ctx.End(message.ErrClientGone) })
	x.req = message.Request{TLS: r.TLS, Received: s.Now()}
	if remote, ok := r.Context().Value(h3.RemoteAddrContextKey).(net.Addr); ok {
		x.req.RemoteAddr = message.AddrPort(remote)
	}
	if local, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr); ok {
		x.req.LocalAddr = message.AddrPort(local)
	}
	if why := x.parse(); why != nil {
		stop()
		s.refused(x.req.RemoteAddr, why.status, why)
		w.WriteHeader(why.status)
		return
	}
	x.bytesIn.Store(int64(len(x.req.Method)+len(x.req.Target)) + headSize(&x.req.Header))
	if x.parseBody() != nil {
		panic(http.ErrAbortHandler) // resets the stream
	}
	x.run()
	stop()
	x.ctx.End(message.ErrFinished)
	x.settle()
	if x.broken {
		panic(http.ErrAbortHandler)
	}
}

// run lets the handler answer.
func (x *exchange) run() {
	panicked := x.handle()
	if x.answered {
		return
	}
	why := message.ErrNotAnswered
	switch {
	case x.r.Context().Err() != nil:
		why = message.ErrClientGone
	case panicked:
		why = errPanicked
	}
	_ = x.Respond(&message.Response{Status: 500}) // the reason why there was no answer matters more
	x.result.Err = why
}

var errPanicked = errors.New("handler panicked")

// handle runs the handler and keeps its panic from ending the stream before it is answered.
func (x *exchange) handle() (panicked bool) {
	defer func() {
		if v := recover(); v != nil {
			panicked = true
			if f := x.server.Hooks.Panicked; f != nil {
				f(v, debug.Stack())
			}
		}
	}()
	x.server.Handler.Serve(x)
	return false
}

// settle reports the result.
func (x *exchange) settle() {
	if x.result.Done.IsZero() {
		x.result.Done = x.server.Now()
	}
	x.result.BytesIn += x.bytesIn.Load()
	for _, f := range x.finish {
		f(x.result)
	}
	if x.owner != nil {
		x.owner.Release()
	}
}

// Context implements [message.Exchange].
func (x *exchange) Context() context.Context { return &x.ctx }

// Request implements [message.Exchange].
func (x *exchange) Request() *message.Request { return &x.req }

// OnFinish implements [message.Exchange].
func (x *exchange) OnFinish(f func(message.Result)) { x.finish = append(x.finish, f) }

// Upgrade implements [message.Exchange]: HTTP/3 has none (RFC 9114, 4.5).
func (x *exchange) Upgrade(*message.Response) (net.Conn, error) {
	return nil, fmt.Errorf("http/3 has no upgrade: %w", errors.ErrUnsupported)
}

// Informational implements [message.Exchange].
func (x *exchange) Informational(status int, h *message.Header) error {
	if status < 100 || status > 199 || status == 101 {
		return fmt.Errorf("status %d is not interim", status)
	}
	if h != nil {
		if err := h.Validate(); err != nil {
			return err
		}
	}
	x.head.Lock()
	defer x.head.Unlock()
	switch {
	case x.answered:
		return message.ErrAnswered
	case x.r.Context().Err() != nil:
		return message.ErrClientGone
	case status == 100 && x.continued.Swap(true):
		return nil
	}
	if h != nil {
		x.putHeader(h)
	}
	x.limitWrite()
	x.w.WriteHeader(status)
	clear(x.w.Header())
	return nil
}

// Respond implements [message.Exchange].
func (x *exchange) Respond(r *message.Response) error {
	if r.Body != nil {
		defer r.Body.Close()
	}
	bare := x.r.Method == http.MethodHead || r.Status == http.StatusNoContent || r.Status == http.StatusNotModified
	if err := x.sendHead(r); err != nil {
		return err
	}
	err := x.send(r, bare)
	x.result.Done = x.server.Now()
	if err != nil {
		x.broken, x.result.Err = true, err
	}
	return err
}

// sendHead hands the head over, if the response can be sent.
func (x *exchange) sendHead(r *message.Response) error {
	x.head.Lock()
	defer x.head.Unlock()
	switch err := x.check(r); {
	case x.answered:
		r.Release()
		return message.ErrAnswered
	case err != nil:
		return err
	}
	x.answered, x.owner = true, r.Owner
	x.putHeader(&r.Header)
	if x.w.Header()["Content-Type"] == nil {
		x.w.Header()["Content-Type"] = nil // nobody is to guess
	}
	switch {
	case r.Status == http.StatusNoContent:
	case r.ContentLength > 0, r.ContentLength == 0 && r.Status != http.StatusNotModified:
		x.w.Header().Set("Content-Length", strconv.FormatInt(r.ContentLength, 10))
	}
	x.limitWrite()
	x.result.FirstByte, x.result.BytesOut = x.server.Now(), headSize(&r.Header)
	x.w.WriteHeader(r.Status)
	return nil
}

// limitWrite begins the time that the client has to take what is sent next.
func (x *exchange) limitWrite() {
	_ = x.control.SetWriteDeadline(time.Now().Add(x.server.limits.WriteTimeout)) // fails on ended streams only: then writing does
}

// check says why a response cannot be sent.
func (x *exchange) check(r *message.Response) error {
	if err := r.Header.Validate(); err != nil {
		return err
	}
	if memory, ok := r.Body.(message.Memory); ok && int64(len(memory.Rest())) < r.ContentLength && x.r.Method != http.MethodHead {
		return message.ErrTruncated
	}
	if r.Tunnel != nil {
		_ = r.Tunnel.Close()
		return fmt.Errorf("http/3 has no tunnels: %w", errors.ErrUnsupported)
	}
	return nil
}

// send sends the head and the body.
func (x *exchange) send(r *message.Response, bare bool) error {
	if err := x.control.Flush(); err != nil {
		return message.ClientGone(err)
	}
	if bare || r.Body == nil {
		return nil
	}
	buf := make([]byte, sendSize)
	for rest := r.ContentLength; ; {
		n, err := r.Body.Read(buf)
		part := buf[:n]
		if r.ContentLength >= 0 {
			if part = part[:min(int64(n), rest)]; int64(n) > rest {
				err = io.EOF // more than was announced
			}
			if rest -= int64(len(part)); err == io.EOF && rest > 0 {
				err = message.ErrTruncated
			}
		}
		if failed := x.write(part); failed != nil {
			return failed
		}
		switch {
		case err == io.EOF:
			x.limitWrite() // the body may have rested for longer than writing may take
			x.putTrailer(&r.Trailer)
			return nil
		case err != nil:
			return err
		}
	}
}

// sendSize is how much of a body is sent at a time.
const sendSize = 32 << 10

// write sends a part of the body at once.
func (x *exchange) write(p []byte) error {
	if len(p) == 0 {
		return nil
	}
	x.limitWrite()
	n, err := x.w.Write(p)
	x.result.BytesOut += int64(n)
	if err == nil {
		err = x.control.Flush()
	}
	if err != nil {
		return message.ClientGone(err)
	}
	return nil
}

// headSize is about the size of a head in bytes. What QPACK makes of it is not told.
func headSize(h *message.Header) (size int64) {
	for name, value := range h.All() {
		size += int64(len(name) + len(value))
	}
	return size
}

// putHeader hands the fields over that may be sent, but Content-Length, which the engine writes.
func (x *exchange) putHeader(h *message.Header) {
	out := x.w.Header()
	for name, value := range h.All() {
		if framing(name) || h.HasToken("Connection", name) {
			continue
		}
		out.Add(name, strings.Trim(value, " \t"))
	}
}

// putTrailer hands the trailer over. Fields that do not belong there or cannot be sent are left out.
func (x *exchange) putTrailer(h *message.Header) {
	out := x.w.Header()
	for name, value := range h.All() {
		if !framing(name) && message.ValidName(name) && message.ValidValue(value) {
			out.Add(http.TrailerPrefix+http.CanonicalHeaderKey(name), strings.Trim(value, " \t"))
		}
	}
}

// framing says whether a field frames or routes messages, or belongs to connections of HTTP/1.1 (RFC 9114, 4.2).
func framing(name string) bool {
	switch strings.ToLower(name) {
	case "host", "content-length", "connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade", "te", "trailer":
		return true
	}
	return false
}
