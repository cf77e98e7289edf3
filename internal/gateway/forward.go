package gateway

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/causeway-apim/causeway/internal/message"
	"github.com/causeway-apim/causeway/internal/policy"
)

// Limits of calls to backend services.
const (
	defaultForwardTimeout = 300 * time.Second // forward-request's timeout
	defaultSendTimeout    = 60 * time.Second  // send-request's timeout
	connectTimeout        = 30 * time.Second
	bodyIdleTimeout       = 300 * time.Second
	maxRedirects          = 10
)

// Forward sends the current request to its backend service.
func (r *request) Forward(ctx context.Context, x *policy.Exec, o policy.ForwardOptions) (*message.Response, error) {
	target, err := r.service.pickBackend(r.config, x)
	if err != nil {
		return nil, err
	}
	if x.Base.Host == "" {
		return nil, &policy.Error{Reason: policy.ReasonBackendConnection, Message: "The API has no backend service URL and no policy sets one."}
	}
	out := r.backendRequest(x)
	if target.entity != nil {
		if err := target.addCredentials(out); err != nil {
			return nil, err
		}
	}
	started := r.Now()
	resp, err := r.exchangeWithBackend(ctx, out, o, r.service.tlsConfig(target.entity, x.ClientCertificate, r.config))
	r.backendTime += r.Now().Sub(started)
	target.report(resp, err, r.Now())
	if err != nil {
		return nil, forwardError(err, o.Timeout)
	}
	r.backendStatus = resp.Status
	removeHopByHop(&resp.Header)
	return resp, nil
}

// exchangeWithBackend sends the request and follows redirects where asked to.
func (r *request) exchangeWithBackend(ctx context.Context, out *message.Request, o policy.ForwardOptions, tlsConfig *tls.Config) (*message.Response, error) {
	timeout := o.Timeout
	if timeout == 0 {
		timeout = defaultForwardTimeout
	}
	options := message.TransportOptions{
		ConnectTimeout: min(connectTimeout, timeout), HeaderTimeout: timeout, IdleTimeout: bodyIdleTimeout, TLS: tlsConfig,
	}
	for hop := 0; ; hop++ {
		resp, err := r.service.gateway.transport.RoundTrip(ctx, out, options)
		if err != nil || !o.FollowRedirects || !isRedirect(resp) || hop == maxRedirects {
			return resp, err
		}
		next, err := redirect(out, resp)
		if err != nil || next == nil {
			return resp, err
		}
		if resp.Body != nil {
			resp.Body.Close()
		}
		resp.Release()
		out = next
	}
}

// backendRequest makes the request for the backend service. It shares the body
// with the current request and takes its header over.
func (r *request) backendRequest(x *policy.Exec) *message.Request {
	out := &r.out
	*out = message.Request{
		Method: x.Request.Method, Proto: x.Request.Proto, URL: x.BackendURL(), Header: out.Header,
		Body: x.Request.Body, ContentLength: x.Request.ContentLength, Received: x.Request.Received,
	}
	out.Header.CopyFrom(&x.Request.Header)
	removeHopByHop(&out.Header)
	// The caller's Host names the gateway; one that a policy has set stays.
	if out.Header.Get("Host") == r.host {
		out.Header.Set("Host", out.URL.Authority())
	}
	if x.ClientIP != "" {
		if chain := out.Header.Joined("X-Forwarded-For"); chain != "" {
			out.Header.Set("X-Forwarded-For", chain+","+x.ClientIP)
		} else {
			out.Header.Set("X-Forwarded-For", x.ClientIP)
		}
	}
	if !out.Header.Has("X-Forwarded-Host") {
		out.Header.Add("X-Forwarded-Host", r.host)
	}
	if !out.Header.Has("X-Forwarded-Proto") {
		out.Header.Add("X-Forwarded-Proto", x.OriginalURL.Scheme)
	}
	return out
}

// removeHopByHop removes the fields that belong to one connection: those of RFC
// 9110, 7.6.1, and those that Connection names.
func removeHopByHop(h *message.Header) {
	named := h.Joined("Connection")
	h.DeleteFunc(func(f message.Field) bool {
		return isHopByHop(f.Name) || named != "" && hasToken(named, f.Name)
	})
}

func isHopByHop(name string) bool {
	switch len(name) {
	case 2:
		return message.EqualName(name, "TE")
	case 7:
		return message.EqualName(name, "Trailer") || message.EqualName(name, "Upgrade")
	case 10:
		return message.EqualName(name, "Connection") || message.EqualName(name, "Keep-Alive")
	case 16:
		return message.EqualName(name, "Proxy-Connection")
	case 17:
		return message.EqualName(name, "Transfer-Encoding")
	case 18:
		return message.EqualName(name, "Proxy-Authenticate")
	case 19:
		return message.EqualName(name, "Proxy-Authorization")
	}
	return false
}

// hasToken tells whether a comma-separated list names a field.
func hasToken(list, name string) bool {
	for list != "" {
		var token string
		token, list, _ = strings.Cut(list, ",")
		if message.EqualName(strings.TrimSpace(token), name) {
			return true
		}
	}
	return false
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
// not HTTP.
func redirect(sent *message.Request, resp *message.Response) (*message.Request, error) {
	base, err := url.Parse(sent.URL.String())
	if err != nil {
		return nil, fmt.Errorf("follow redirect: %w", err)
	}
	location, err := base.Parse(resp.Header.Get("Location"))
	if err != nil {
		return nil, nil //nolint:nilerr // an unusable Location leaves the redirect to the caller
	}
	target, err := message.ParseURL(location.String())
	if err != nil {
		return nil, nil //nolint:nilerr // likewise
	}
	next := sent.Clone()
	next.URL = target.Detach()
	next.Header.Set("Host", next.URL.Authority())
	if next.URL.Authority() != sent.URL.Authority() {
		next.Header.Del("Authorization")
		next.Header.Del("Cookie")
	}
	if resp.Status == 303 || (resp.Status == 301 || resp.Status == 302) && sent.Method == "POST" {
		if sent.Method != "HEAD" {
			next.Method = "GET"
		}
		next.Body, next.ContentLength = nil, 0
		next.Header.Del("Content-Type")
		return next, nil
	}
	if next.Body == nil {
		return next, nil
	}
	body, ok := next.Body.(message.Rewinder)
	if !ok || body.Rewind() != nil {
		return nil, nil
	}
	return next, nil
}

// forwardError gives a transport's error APIM's reason.
func forwardError(err error, timeout time.Duration) error {
	var own *policy.Error
	if errors.As(err, &own) {
		return own
	}
	e := &policy.Error{Reason: policy.ReasonBackendConnection, Message: "The connection to the backend service failed: " + err.Error(), Err: err}
	var failed *message.BackendError
	if !errors.As(err, &failed) {
		return e
	}
	e.Message = "The connection to the backend service failed: " + failed.Err.Error()
	gone := errors.Is(err, message.ErrClientGone)
	switch {
	case gone || failed.Kind == message.RequestBodyFailed:
		e.Reason, e.Message = policy.ReasonClientConnection, "The client's connection ended before the request was complete."
	case failed.Timeout() || failed.Kind == message.BackendCanceled && errors.Is(err, context.DeadlineExceeded):
		if timeout == 0 {
			timeout = defaultForwardTimeout
		}
		e.Reason = policy.ReasonTimeout
		e.Message = fmt.Sprintf("The backend service did not answer within %s.", timeout)
	}
	return e
}

// send sends a request of a policy.
func (s *service) send(ctx context.Context, req *message.Request, o policy.SendOptions) (*message.Response, error) {
	timeout := o.Timeout
	if timeout == 0 {
		timeout = defaultSendTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	removeHopByHop(&req.Header)
	resp, err := s.gateway.transport.RoundTrip(ctx, req, message.TransportOptions{
		ConnectTimeout: min(connectTimeout, timeout), HeaderTimeout: timeout, IdleTimeout: timeout,
		TLS: s.tlsConfig(o.Backend, o.Certificate, s.current.Load()),
	})
	if err != nil {
		cancel()
		return nil, forwardError(err, timeout)
	}
	if resp.Body == nil {
		cancel()
		return resp, nil
	}
	resp.Body = &cancelBody{Body: resp.Body, cancel: cancel}
	return resp, nil
}

// cancelBody ends the time limit of an exchange with its body.
type cancelBody struct {
	message.Body
	cancel context.CancelFunc
}

func (b *cancelBody) Read(p []byte) (int, error) {
	n, err := b.Body.Read(p)
	if err != nil {
		b.cancel()
	}
	return n, err
}

func (b *cancelBody) Close() error {
	defer b.cancel()
	return b.Body.Close()
}

// sendLater sends a one-way request in the background. There are so many at a
// time and no more: what is over that is dropped with a log line.
func (s *service) sendLater(req *message.Request, o policy.SendOptions) {
	g := s.gateway
	select {
	case g.oneWay <- struct{}{}:
	default:
		g.log.Warn("A one-way request was dropped: too many are under way.", "url", req.URL.Authority())
		return
	}
	g.background.Add(1)
	go func() {
		defer g.background.Done()
		defer func() { <-g.oneWay }()
		resp, err := s.send(g.ctx, req, o)
		if err != nil {
			g.log.Warn("A one-way request failed.", "url", req.URL.Authority(), "error", err)
			return
		}
		if resp.Body != nil {
			resp.Body.Close()
		}
		resp.Release()
	}()
}

// addCredentials puts the credentials of a backend entity on a request.
func (t *target) addCredentials(out *message.Request) error {
	c := t.entity.Credentials
	if c == nil {
		return nil
	}
	for name, values := range c.Header {
		out.Header.Del(name)
		for _, v := range values {
			out.Header.Add(name, v)
		}
	}
	if c.Scheme != "" {
		out.Header.Set("Authorization", strings.TrimSpace(c.Scheme+" "+c.Parameter))
	}
	for name, values := range c.Query {
		for _, v := range values {
			if out.URL.RawQuery != "" {
				out.URL.RawQuery += "&"
			}
			out.URL.RawQuery += url.QueryEscape(name) + "=" + url.QueryEscape(v)
		}
	}
	if t.entity.Proxy != nil && t.entity.Proxy.URL != "" {
		return &policy.Error{
			Reason:  policy.ReasonBackendConnection,
			Message: fmt.Sprintf("Backend %s asks for a forward proxy, which this gateway does not offer.", t.entity.Name),
		}
	}
	return nil
}
