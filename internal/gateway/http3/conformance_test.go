package http3_test

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"

	h3 "github.com/quic-go/quic-go/http3"

	"github.com/causeway-apim/causeway/internal/gateway/http3"
	"github.com/causeway-apim/causeway/internal/message"
	"github.com/causeway-apim/causeway/internal/message/messagetest"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	messagetest.Run(t, messagetest.Engine{
		Serve: func(t *testing.T, h message.Handler) message.URL {
			host, port, err := net.SplitHostPort(start(t, &http3.Server{Handler: h}))
			if err != nil {
				t.Fatal(err)
			}
			n, err := strconv.Atoi(port)
			if err != nil {
				t.Fatal(err)
			}
			return message.URL{Scheme: "https", Host: host, Port: n}
		},
		Transport: func(t *testing.T) message.Transport {
			transport := &h3.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableCompression: true} // start makes the certificate
			t.Cleanup(func() { _ = transport.Close() })
			return quicTransport{transport}
		},
		LowerNames: true, SortsNames: true, ResetsOvertake: true,
	})
}

// quicTransport is quic-go's client as a transport, as far as the suite needs it: the gateway itself speaks no HTTP/3 to backend services.
type quicTransport struct{ *h3.Transport }

// RoundTrip implements [message.Transport].
func (q quicTransport) RoundTrip(ctx context.Context, r *message.Request, o message.TransportOptions) (*message.Response, error) {
	sent := &sentBody{body: r.Body}
	fail := func(err error) error {
		_ = sent.Close()
		return sent.failure(ctx, err)
	}
	u, err := url.Parse(r.URL.String())
	if err != nil || strings.Contains(r.URL.Path, " ") {
		_ = sent.Close()
		return nil, &message.BackendError{Kind: message.RequestInvalid, Err: err}
	}
	request := (&http.Request{Method: r.Method, URL: u, Header: http.Header{}, Host: u.Host, ContentLength: r.ContentLength}).WithContext(
		httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{Got1xxResponse: func(status int, h textproto.MIMEHeader) error {
			if o.OnInformational != nil {
				o.OnInformational(status, fromHTTP(http.Header(h)))
			}
			return nil
		}}))
	for name, value := range r.Header.All() {
		if !message.ValidName(name) || !message.ValidValue(value) {
			_ = sent.Close()
			return nil, &message.BackendError{Kind: message.RequestInvalid, Err: &message.InvalidFieldError{Name: name}}
		}
		request.Header.Add(name, value)
	}
	if r.Body != nil {
		request.Body = sent
		for name, value := range r.Trailer.All() {
			if request.Trailer == nil {
				request.Trailer = http.Header{}
			}
			request.Trailer.Add(name, value)
		}
	}
	answer, err := q.Transport.RoundTrip(request)
	if err == nil && sent.broken() { // the server answers to what it has got
		err = errors.Join(answer.Body.Close(), io.ErrUnexpectedEOF)
	}
	if err != nil {
		return nil, fail(err)
	}
	resp := &message.Response{Status: answer.StatusCode, Header: *fromHTTP(answer.Header), ContentLength: answer.ContentLength}
	if answer.StatusCode == http.StatusNoContent || answer.ContentLength == 0 {
		resp.ContentLength = 0
	}
	resp.Body = &answerBody{ReadCloser: answer.Body, trailer: func() { resp.Trailer = *fromHTTP(answer.Trailer) }, sent: sent, fail: fail}
	return resp, nil
}

func fromHTTP(h http.Header) *message.Header {
	var header message.Header
	for name, values := range h {
		for _, value := range values {
			header.Add(name, value)
		}
	}
	return &header
}

// sentBody remembers why it could not be read.
type sentBody struct {
	body message.Body
	mu   sync.Mutex
	err  error
}

func (b *sentBody) Read(p []byte) (int, error) {
	n, err := b.body.Read(p)
	if err != nil && err != io.EOF {
		b.mu.Lock()
		b.err = cmp.Or(b.err, err)
		b.mu.Unlock()
	}
	return n, err
}

// broken says whether it could not be read.
func (b *sentBody) broken() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.err != nil && !errors.Is(b.err, message.ErrBodyClosed)
}

func (b *sentBody) Close() error {
	if b.body == nil {
		return nil
	}
	return b.body.Close()
}

// failure is the error of a round trip or of its answer's body.
func (b *sentBody) failure(ctx context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		return &message.BackendError{Kind: message.BackendCanceled, Err: context.Cause(ctx)}
	case b.broken():
		return &message.BackendError{Kind: message.RequestBodyFailed, Err: b.err}
	}
	return &message.BackendError{Kind: message.BackendAborted, Err: err}
}

// answerBody is the body of an answer. Its end is that of the request too.
type answerBody struct {
	io.ReadCloser
	trailer func()
	sent    *sentBody
	fail    func(error) error
}

func (b *answerBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	switch {
	case err == io.EOF:
		b.trailer()
		_ = b.sent.Close()
	case err != nil:
		err = b.fail(err)
	}
	return n, err
}
