package gateway

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/causeway-apim/causeway/internal/message"
	"github.com/causeway-apim/causeway/internal/policy"
	"github.com/causeway-apim/causeway/internal/snapshot"
)

// Limits of calls to backend services.
const (
	defaultForwardTimeout = 300 * time.Second // forward-request's timeout
	defaultSendTimeout    = 60 * time.Second  // send-request's timeout
	connectTimeout        = 30 * time.Second
	bodyIdleTimeout       = 300 * time.Second
	maxRedirects          = 10
)

// Forward sends the current request to its backend service, or to the resolvers
// of a GraphQL API.
func (r *request) Forward(ctx context.Context, x *policy.Exec, o policy.ForwardOptions) (*message.Response, error) {
	if r.matched.api != nil && r.matched.api.isGraphQL() && isGraphQLPath(r.matched.path) {
		return r.forwardGraphQL(ctx, x, o)
	}
	return r.forward(ctx, x, o)
}

// forward sends the current request to its backend service.
func (r *request) forward(ctx context.Context, x *policy.Exec, o policy.ForwardOptions) (*message.Response, error) {
	t, err := r.service.pickBackend(r.config, qualify(r.workspace(), x.BackendID), &x.Request.Header)
	if err != nil {
		return nil, err
	}
	var entity *snapshot.Backend
	if t.backend != nil {
		entity, x.Base = &t.backend.part, t.backend.base
	}
	if x.Base.Host == "" {
		return nil, backendFailure("The API has no backend service URL and no policy sets one.")
	}
	tlsConfig, err := r.service.tlsConfig(r.config, entity, x.ClientCertificate)
	if err != nil {
		return nil, err
	}
	out := r.backendRequest(x)
	addCredentials(out, entity)
	proxy, err := r.gateway.proxyFor(&out.URL, x.Proxy, entity)
	if err != nil {
		return nil, err
	}
	if x.Tracer != nil {
		traceForward(x, out, entity, o.Timeout)
	}
	r.sent(out, entity)
	call := r.beginCall(out, true)
	started := r.Now()
	resp, err := r.exchangeWithBackend(ctx, out, o, entity, tlsConfig, proxy)
	ended := r.Now()
	r.backendTime, r.backendEnded = r.backendTime+ended.Sub(started), ended
	t.report(resp, err, ended)
	if x.Tracer != nil {
		traceAnswer(x.Tracer, "forward-request", resp, err, ended.Sub(started))
	}
	r.endCall(call, resp, err)
	if err != nil {
		return nil, forwardError(err, cmp.Or(o.Timeout, defaultForwardTimeout))
	}
	r.backendStatus = resp.Status
	if resp.Tunnel != nil {
		r.tunnel = resp.Tunnel
	}
	removeHopByHop(&resp.Header, resp.Tunnel != nil)
	t.keepSession(&resp.Header, x.OriginalURL.Scheme == "https")
	return resp, nil
}

// exchangeWithBackend sends the request and follows redirects where asked to.
func (r *request) exchangeWithBackend(ctx context.Context, out *message.Request, o policy.ForwardOptions, entity *snapshot.Backend, tlsConfig *tls.Config, proxy *message.Proxy) (*message.Response, error) {
	timeout := cmp.Or(o.Timeout, defaultForwardTimeout)
	options := message.TransportOptions{
		ConnectTimeout: min(connectTimeout, timeout), HeaderTimeout: timeout, IdleTimeout: bodyIdleTimeout, TLS: tlsConfig,
		ContinueTimeout: o.ContinueTimeout, Proxy: proxy, OnInformational: r.interim, Version: r.httpVersion(o.HTTPVersion),
	}
	if isGRPCCall(r.exec.Request) {
		options.IdleTimeout = 0 // streams may rest; the engine asks whether the backend service is there
	}
	for hop := 0; ; hop++ {
		resp, err := r.gateway.transport.RoundTrip(ctx, out, options)
		if err != nil || !o.FollowRedirects || !isRedirect(resp) || hop == maxRedirects {
			return resp, err
		}
		next := redirect(out, resp)
		if next == nil {
			return resp, nil
		}
		if !sameOrigin(&out.URL, &next.URL) { // nothing that identifies the gateway goes to another place
			options.TLS = nil
			removeCredentials(next, entity)
		}
		if resp.Body != nil {
			resp.Body.Close()
		}
		resp.Release()
		out = next
	}
}

// passInterim passes interim answers such as 103 on. 100 is between neighbours:
// the engine sends it when the body is read.
func (r *request) passInterim(status int, h *message.Header) {
	if status != 100 {
		removeHopByHop(h, false)
		_ = r.exchange.Informational(status, h) // a client that has gone shows up with the answer
	}
}

// backendRequest makes the request for the backend service. It shares the body
// with the current request.
func (r *request) backendRequest(x *policy.Exec) *message.Request {
	in, out := x.Request, &r.out
	if in.Body != nil && in.ContentLength < 0 {
		out = &message.Request{}
	}
	// Field by field: a literal would be copied.
	out.Method, out.Proto, out.URL, out.Received = in.Method, in.Proto, x.BackendURL(), in.Received
	out.Body, out.ContentLength, out.Trailer = in.Body, in.ContentLength, message.Header{}
	if out != &r.out {
		// Trailers are known when the body has ended, which may be after this
		// exchange: then nothing of r may be touched.
		r.endTrailer()
		r.trailing = &trailingBody{Body: in.Body, from: &in.Trailer, to: &out.Trailer}
		out.Body = r.trailing
	}
	r.forwardHeader(&out.Header, x)
	return out
}

// trailingBody hands a request's trailer on when its body has ended. A transport may read the end as the exchange finishes, which takes the trailer away.
type trailingBody struct {
	message.Body
	mu   sync.Mutex
	from *message.Header // nil when the exchange has finished
	to   *message.Header
}

func (b *trailingBody) Read(p []byte) (int, error) {
	n, err := b.Body.Read(p)
	if err == io.EOF {
		b.mu.Lock()
		defer b.mu.Unlock()
		if b.from != nil {
			*b.to = b.from.Detach()
		}
	}
	return n, err
}

// endTrailer makes the transport leave the trailer of the request alone.
func (r *request) endTrailer() {
	if b := r.trailing; b != nil {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.from, r.trailing = nil, nil
	}
}

// Buffered implements [message.Buffered].
func (b *trailingBody) Buffered() int {
	if buffered, ok := b.Body.(message.Buffered); ok {
		return buffered.Buffered()
	}
	return 0
}

func isRedirect(r *message.Response) bool {
	switch r.Status {
	case 301, 302, 303, 307, 308:
		return r.Header.Has("Location")
	}
	return false
}

// redirect makes the request that a redirect asks for; nil when it cannot be
// followed: the body would have to be sent again and is gone, or the target is
// not HTTP. Then the redirect is the caller's.
func redirect(sent *message.Request, resp *message.Response) *message.Request {
	base, err := url.Parse(sent.URL.String())
	if err != nil {
		return nil
	}
	location, err := base.Parse(resp.Header.Get("Location"))
	if err != nil {
		return nil
	}
	target, err := message.ParseURL(location.String())
	if err != nil || target.Scheme != "http" && target.Scheme != "https" {
		return nil
	}
	next := sent.Clone()
	next.URL = target
	next.Header.Del("Host")
	if resp.Status == 303 || (resp.Status == 301 || resp.Status == 302) && sent.Method == "POST" {
		if sent.Method != "HEAD" {
			next.Method = "GET"
		}
		next.Body, next.ContentLength = nil, 0
		next.Header.Del("Content-Type")
		return next
	}
	if next.Body == nil {
		return next
	}
	if body, ok := next.Body.(message.Rewinder); !ok || body.Rewind() != nil {
		return nil
	}
	return next
}

func sameOrigin(a, b *message.URL) bool {
	return a.Scheme == b.Scheme && strings.EqualFold(a.Host, b.Host) && a.EffectivePort() == b.EffectivePort()
}

// forwardError gives a transport's error APIM's reason.
func forwardError(err error, timeout time.Duration) *policy.Error {
	e := policy.WrapError(err)
	var failed *message.BackendError
	if !errors.As(err, &failed) {
		return e
	}
	if failed.Kind == message.RequestBodyFailed && e.Status != 0 && e.Status != 499 {
		return e // the client is there and has to know what is wrong with the body
	}
	e = &policy.Error{Reason: policy.ReasonBackendConnection, Message: "The connection to the backend service failed: " + failed.Err.Error() + ".", Err: err}
	switch {
	case failed.Kind == message.RequestBodyFailed || errors.Is(err, message.ErrClientGone):
		e.Reason, e.Message, e.Status = policy.ReasonClientConnection, "The client's connection ended before the exchange was complete.", 499
	case failed.Timeout() || errors.Is(err, context.DeadlineExceeded):
		e.Reason = policy.ReasonTimeout
		e.Message = fmt.Sprintf("The backend service did not answer within %s.", timeout)
	}
	return e
}

// addCredentials puts the credentials of a backend entity on a request.
func addCredentials(out *message.Request, entity *snapshot.Backend) {
	if entity == nil || entity.Credentials == nil {
		return
	}
	c := entity.Credentials
	for name, values := range c.Header {
		out.Header.Del(name)
		for _, v := range values {
			out.Header.Add(name, v)
		}
	}
	if c.Scheme != "" {
		out.Header.Set("Authorization", strings.TrimSpace(c.Scheme+" "+c.Parameter))
	}
	for _, name := range slices.Sorted(maps.Keys(c.Query)) {
		for _, v := range c.Query[name] {
			if out.URL.RawQuery != "" {
				out.URL.RawQuery += "&"
			}
			out.URL.RawQuery += url.QueryEscape(name) + "=" + url.QueryEscape(v)
		}
	}
}

// removeCredentials takes the caller's and the gateway's credentials off a
// request.
func removeCredentials(out *message.Request, entity *snapshot.Backend) {
	out.Header.Del("Authorization")
	out.Header.Del("Cookie")
	if entity == nil || entity.Credentials == nil {
		return
	}
	for name := range entity.Credentials.Header {
		out.Header.Del(name)
	}
}
