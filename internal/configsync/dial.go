package configsync

import (
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/coder/websocket"

	"github.com/causeway-apim/causeway/internal/auth"
)

const (
	dialTimeout = 30 * time.Second
	// Waits between attempts double from the first to the last; jitter takes up
	// to half off. After the plane's return a gateway is back within the last.
	firstWait = 250 * time.Millisecond
	lastWait  = 15 * time.Second
)

// target is a parsed endpoint.
type target struct {
	url  string
	host string // with port
}

func parseEndpoint(endpoint string) (target, error) {
	text := strings.TrimSpace(endpoint)
	if text == "" {
		return target{}, errors.New("configuration endpoint is empty")
	}
	if !strings.Contains(text, "://") {
		text = "https://" + text
	}
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return target{}, fmt.Errorf("configuration endpoint %q is not a URL", endpoint)
	case u.Scheme != "http" && u.Scheme != "https":
		return target{}, fmt.Errorf("configuration endpoint %q: the scheme must be http or https", endpoint)
	case u.Hostname() == "" || u.User != nil:
		return target{}, fmt.Errorf("configuration endpoint %q: host without user information expected", endpoint)
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	// A query such as api-version belongs to the v1 endpoints of Azure.
	u.RawQuery, u.Fragment = "", ""
	u.Path = strings.TrimRight(u.Path, "/") + Path
	return target{url: u.String(), host: net.JoinHostPort(u.Hostname(), port)}, nil
}

// httpClient makes the client of the upgrade request: HTTP/1.1 only, through
// the proxy if there is one. It keeps no connection behind a refusal: what was
// refused may be the connection's client certificate.
func (c *Client) httpClient() *http.Client {
	t := &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         c.Dial,
		DisableKeepAlives:   true,
		TLSHandshakeTimeout: 10 * time.Second,
		TLSClientConfig:     &tls.Config{MinVersion: tls.VersionTLS12},
	}
	if c.Proxy != nil {
		t.Proxy = c.Proxy
	}
	if c.TLS != nil {
		t.TLSClientConfig = c.TLS.Clone()
	}
	t.TLSClientConfig.NextProtos = []string{"http/1.1"}
	return &http.Client{Transport: t, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse // the token goes to the endpoint only
	}}
}

// outcome is the end of an attempt or a connection: the state to be in until
// the next one.
type outcome struct {
	state  State
	reason string
	worked bool // there was a connection
	again  bool // it was ended to be made anew
}

// connectLoop connects again and again until ctx ends.
func (r *clientRun) connectLoop(ctx context.Context) {
	failures := 0
	for ctx.Err() == nil {
		out := r.attempt(ctx)
		if ctx.Err() != nil {
			return
		}
		if out.again {
			continue
		}
		if out.worked {
			failures = 0
		}
		wait := r.backoff(failures)
		failures++
		r.tell(func(st *Status) {
			st.State, st.Reason, st.Retry = out.state, out.reason, wait
			st.Receiving, st.Total = 0, 0
		})
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
		}
		timer.Stop()
	}
}

func (r *clientRun) backoff(failures int) time.Duration {
	wait := min(lastWait, firstWait<<min(failures, 10))
	return wait - time.Duration(r.random()*float64(wait)/2)
}

// attempt connects once and serves the connection until it ends.
func (r *clientRun) attempt(ctx context.Context) outcome {
	token, err := r.Token(ctx)
	if err != nil {
		return outcome{state: StateTokenRefused, reason: "no token for " + r.target.host + ": " + err.Error()}
	}
	ws, err := r.dial(ctx, token)
	if err != nil {
		return r.dialOutcome(err)
	}
	defer ws.CloseNow()
	return r.session(ctx, ws)
}

// dialError is a refused upgrade, with the code of the plane's answer.
type dialError struct {
	status  int
	code    string
	message string
}

func (e *dialError) Error() string { return e.message }

func (r *clientRun) dial(ctx context.Context, token string) (*websocket.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(r.DialTimeout, dialTimeout))
	defer cancel()
	header := http.Header{}
	header.Set(headerInstance, r.Instance)
	header.Set(headerVersion, r.Version)
	header.Set(headerGateway, r.Gateway)
	if _, bearer := auth.BearerToken(token); token != "" && !bearer && !strings.HasPrefix(token, "GatewayKey ") {
		token = "GatewayKey " + token
	}
	if token != "" {
		header.Set("Authorization", token)
	}
	ws, resp, err := websocket.Dial(ctx, r.target.url, &websocket.DialOptions{
		HTTPClient: r.http, HTTPHeader: header,
		CompressionMode: websocket.CompressionNoContextTakeover, CompressionThreshold: compressAbove,
	})
	if err == nil {
		ws.SetReadLimit(maxDownMessage)
		return ws, nil
	}
	if resp == nil {
		return nil, err
	}
	return nil, readRefusal(resp)
}

func readRefusal(resp *http.Response) error {
	var body struct {
		Error struct{ Code, Message string }
	}
	e := &dialError{status: resp.StatusCode, message: "it answered " + http.StatusText(resp.StatusCode)}
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxHeader))
	if err == nil && json.Unmarshal(b, &body) == nil && body.Error.Code != "" {
		e.code, e.message = body.Error.Code, body.Error.Message
	}
	return e
}

func (r *clientRun) dialOutcome(err error) outcome {
	host := r.target.host
	var e *dialError
	if !errors.As(err, &e) {
		return outcome{state: StateWaiting, reason: "cannot connect to " + host + ": " + rootCause(err)}
	}
	switch {
	case e.code == codeTokenExpired:
		return outcome{state: StateTokenExpired, reason: host + " refused the token: " + e.message}
	case e.code == codeCertificateRefused:
		return outcome{state: StateWaiting, reason: host + " refused the client certificate: " + e.message}
	case e.code == codeNotAdmitted:
		return outcome{state: StateWaiting, reason: host + " does not take this instance: " + e.message}
	case e.status == http.StatusUnauthorized || e.status == http.StatusForbidden:
		return outcome{state: StateTokenRefused, reason: host + " refused the token: " + e.message}
	}
	return outcome{state: StateWaiting, reason: fmt.Sprintf("%s refused the connection (status %d): %s", host, e.status, e.message)}
}

// rootCause leaves out the layers that say no more than that dialling failed.
func rootCause(err error) string {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return "no answer in time"
	}
	return err.Error()
}
