package gateway

import (
	"cmp"
	"context"
	"io"

	"github.com/causeway-apim/causeway/internal/message"
	"github.com/causeway-apim/causeway/internal/policy"
)

// send sends a request of a policy.
func (s *service) send(ctx context.Context, c *config, req *message.Request, o policy.SendOptions) (*message.Response, error) {
	if err := s.sendTo(c, req, &o); err != nil {
		return nil, err
	}
	proxy, err := s.gateway.proxyFor(&req.URL, o.Proxy, o.Backend)
	if err != nil {
		return nil, err
	}
	tlsConfig, err := s.tlsConfig(c, o.Backend, o.Certificate)
	if err != nil {
		return nil, err
	}
	removeHopByHop(&req.Header, false)
	addCredentials(req, o.Backend)
	timeout := cmp.Or(o.Timeout, defaultSendTimeout)
	ctx, cancel := context.WithTimeout(ctx, timeout)
	resp, err := s.gateway.transport.RoundTrip(ctx, req, message.TransportOptions{
		ConnectTimeout: min(connectTimeout, timeout), HeaderTimeout: timeout, IdleTimeout: timeout, TLS: tlsConfig, Proxy: proxy,
	})
	switch {
	case err != nil:
		cancel()
		return nil, forwardError(err, timeout)
	case resp.Body == nil:
		cancel()
	default:
		resp.Body = &cancelBody{Body: resp.Body, cancel: cancel}
	}
	return resp, nil
}

// sendTo puts the URL of the backend entity that the options name before that of the request.
func (s *service) sendTo(c *config, req *message.Request, o *policy.SendOptions) error {
	if o.BackendID == "" {
		return nil
	}
	t, err := s.pickBackend(c, o.BackendID, nil)
	if err != nil {
		return err
	}
	if t.backend.base.Host == "" {
		return backendFailure("Backend " + t.backend.part.Name + " has no usable URL.")
	}
	req.URL, o.Backend = t.backend.base.Join(req.URL), &t.backend.part
	return nil
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

// maxUnwanted is how much of the answer to a one-way request is read, in bytes.
const maxUnwanted = 64 << 10

// maxOneWay is how many one-way requests are under way at a time.
const maxOneWay = 1024

// sendLater sends a one-way request in the background. What is over the limit
// is dropped with a log line.
func (s *service) sendLater(c *config, req *message.Request, o policy.SendOptions) {
	g := s.gateway
	select {
	case g.oneWay <- struct{}{}:
	default:
		g.log.Warn("A one-way request was dropped: too many are under way.", "host", req.URL.Host)
		return
	}
	g.background.Go(func() {
		defer func() { <-g.oneWay }()
		resp, err := s.send(g.ctx, c, req, o)
		if err != nil {
			g.log.Warn("A one-way request failed.", "host", req.URL.Host, "error", err)
			return
		}
		if resp.Body != nil {
			_, _ = io.CopyN(io.Discard, resp.Body, maxUnwanted) // reading a short one keeps the connection
			resp.Body.Close()
		}
		resp.Release()
	})
}
