package http1

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/Azure/go-ntlmssp"

	"github.com/causeway-apim/causeway/internal/message"
)

// Forward proxies. One with a user name gets Basic at once, which saves a round trip with most. It may answer that it wants NTLM: that
// authenticates connections, so that the handshake belongs to the opening of each, and the client remembers which proxies want it.

const (
	statusProxyAuth = http.StatusProxyAuthRequired
	// maxProxyAnswer bounds what a proxy says before a tunnel is open, in bytes, and maxProxies how many are remembered.
	maxProxyAnswer = 256 << 10
	maxProxies     = 1000
)

var (
	errProxyBody = errors.New("the proxy asks for NTLM and the request's body cannot be sent again; the next request will sign in first")
	errWantsNTLM = errors.New("the proxy asks for NTLM")
	errProxyData = errors.New("the proxy sent data before the tunnel was open")
)

// proxyError says that a proxy did not do what it was asked to.
type proxyError struct {
	address string
	status  int
	named   bool // credentials were sent
}

func (e *proxyError) Error() string {
	switch {
	case e.status != statusProxyAuth:
		return fmt.Sprintf("proxy %s answered %d", e.address, e.status)
	case e.named:
		return fmt.Sprintf("proxy %s refuses the user name and password", e.address)
	}
	return fmt.Sprintf("proxy %s asks for a user name and password", e.address)
}

// dialProxy connects to the proxy of a place: a tunnel to address, or a connection for requests in absolute form with what to tell the proxy.
func (c *Client) dialProxy(ctx context.Context, at *place, address string) (net.Conn, string, error) {
	ntlm := c.wantsNTLM(&at.proxy)
	conn, authorization, err := c.openProxy(ctx, at, address, ntlm)
	if errors.Is(err, errWantsNTLM) && !ntlm {
		c.rememberNTLM(&at.proxy)
		conn, authorization, err = c.openProxy(ctx, at, address, true)
	}
	return conn, authorization, err
}

func (c *Client) openProxy(ctx context.Context, at *place, address string, ntlm bool) (_ net.Conn, authorization string, err error) {
	conn, err := c.Dial(ctx, "tcp", at.proxy.Address())
	if err != nil {
		return nil, "", fmt.Errorf("connect to the proxy: %w", err)
	}
	if at.proxy.Secure {
		if conn, err = c.secureProxy(ctx, conn, &at.proxy); err != nil {
			return nil, "", err
		}
	}
	if !ntlm && !at.tunnel {
		return conn, basicOf(&at.proxy), nil
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(longAgo.time()) }) // fails on closed connections only
	talk := proxyTalk{conn: conn, in: bufio.NewReader(io.LimitReader(conn, maxProxyAnswer)), at: at, address: address}
	if ntlm {
		authorization, err = talk.negotiate()
	} else {
		authorization = basicOf(&at.proxy)
	}
	if err == nil && at.tunnel {
		err = talk.tunnel(authorization)
	}
	if !stop() {
		err = errors.Join(err, context.Cause(ctx))
	}
	if err == nil && talk.in.Buffered() > 0 {
		err = errProxyData
	}
	if err != nil {
		_ = conn.Close()
		return nil, "", err
	}
	return conn, authorization, conn.SetDeadline(time.Time{})
}

// secureProxy begins TLS with a proxy.
func (c *Client) secureProxy(ctx context.Context, conn net.Conn, p *message.Proxy) (net.Conn, error) {
	config := c.ProxyTLS.Clone()
	if config == nil {
		config = new(tls.Config)
	}
	config.ServerName, config.NextProtos = p.Host, []string{"http/1.1"}
	secured := tls.Client(conn, config)
	if err := secured.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("tls handshake with the proxy %s: %w", p.Address(), err)
	}
	return secured, nil
}

func basicOf(p *message.Proxy) string {
	if p.Username == "" && p.Password == "" {
		return ""
	}
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(p.Username+":"+p.Password))
}

// proxyTalk is what is said to a proxy before requests can go through it.
type proxyTalk struct {
	conn    net.Conn
	in      *bufio.Reader
	at      *place
	address string // of the target
}

// ask sends a request without a body and reads the answer's head and, unless a tunnel is open, its body.
func (t *proxyTalk) ask(authorization string) (*http.Response, error) {
	method, target := http.MethodConnect, t.address
	if !t.at.tunnel {
		method, target = http.MethodGet, "http://"+t.address+"/"
	}
	head := method + " " + target + " " + proto11 + "\r\nHost: " + t.address + "\r\n"
	if authorization != "" {
		head += "Proxy-Authorization: " + authorization + "\r\n"
	}
	if _, err := io.WriteString(t.conn, head+"\r\n"); err != nil {
		return nil, fmt.Errorf("ask the proxy: %w", err)
	}
	answer, err := http.ReadResponse(t.in, &http.Request{Method: method})
	if err != nil {
		return nil, fmt.Errorf("read the proxy's answer: %w", err)
	}
	if !t.at.tunnel || answer.StatusCode/100 != 2 {
		if _, err := io.Copy(io.Discard, answer.Body); err != nil {
			return nil, fmt.Errorf("read the proxy's answer: %w", err)
		}
	}
	return answer, nil
}

// tunnel asks for a tunnel.
func (t *proxyTalk) tunnel(authorization string) error {
	answer, err := t.ask(authorization)
	switch {
	case err != nil:
		return err
	case answer.StatusCode/100 == 2:
		return nil
	case answer.StatusCode == statusProxyAuth && strings.HasPrefix(authorization, "Basic ") && ntlmScheme(answer.Header.Values("Proxy-Authenticate")) != "":
		return errWantsNTLM
	}
	return &proxyError{t.at.proxy.Address(), answer.StatusCode, authorization != ""}
}

// negotiate makes the first two steps of NTLM (MS-NLMP, 1.3.1) and returns what the next request on the connection has to say.
func (t *proxyTalk) negotiate() (string, error) {
	hello, err := ntlmssp.NewNegotiateMessage("", "")
	if err != nil {
		return "", fmt.Errorf("sign in to the proxy: %w", err)
	}
	scheme := "NTLM"
	answer, err := t.ask(scheme + " " + base64.StdEncoding.EncodeToString(hello))
	if err != nil {
		return "", err
	}
	offers := answer.Header.Values("Proxy-Authenticate")
	if answer.StatusCode == statusProxyAuth && ntlmScheme(offers) == "Negotiate" { // the same messages under another name
		scheme = "Negotiate"
		if answer, err = t.ask(scheme + " " + base64.StdEncoding.EncodeToString(hello)); err != nil {
			return "", err
		}
		offers = answer.Header.Values("Proxy-Authenticate")
	}
	for _, offer := range offers {
		name, token, _ := strings.Cut(offer, " ")
		if !strings.EqualFold(name, scheme) || token == "" {
			continue
		}
		challenge, err := base64.StdEncoding.DecodeString(strings.TrimSpace(token))
		if err != nil {
			return "", fmt.Errorf("read the proxy's challenge: %w", err)
		}
		proof, err := ntlmssp.NewAuthenticateMessage(challenge, t.at.proxy.Username, t.at.proxy.Password, nil)
		if err != nil {
			return "", fmt.Errorf("answer the proxy's challenge: %w", err)
		}
		return scheme + " " + base64.StdEncoding.EncodeToString(proof), nil
	}
	return "", &proxyError{t.at.proxy.Address(), answer.StatusCode, true}
}

// ntlmScheme is the name under which NTLM is offered; empty when it is not.
func ntlmScheme(offers []string) (scheme string) {
	for _, offer := range offers {
		for part := range strings.SplitSeq(offer, ",") {
			name, _, _ := strings.Cut(strings.TrimSpace(part), " ")
			switch {
			case strings.EqualFold(name, "NTLM"):
				return "NTLM"
			case strings.EqualFold(name, "Negotiate"):
				scheme = "Negotiate"
			}
		}
	}
	return scheme
}

// appendAuthorization appends what the proxy is to be told. NTLM's proof is for one request: the connection is authenticated then.
func (c *clientConn) appendAuthorization(b []byte) []byte {
	if c.authorization == "" {
		return b
	}
	b = append(append(append(b, "Proxy-Authorization: "...), c.authorization...), "\r\n"...)
	if !strings.HasPrefix(c.authorization, "Basic ") {
		c.authorization, c.proved = "", true
	}
	return b
}

// refusedByProxy deals with a proxy's answer 407 to a request. It returns nil when the request is to be sent again, with NTLM.
func (c *Client) refusedByProxy(conn *clientConn, answer *message.Response) *message.BackendError {
	at := conn.pool.at // conn goes back to the pool with the body
	basic := strings.HasPrefix(conn.authorization, "Basic ")
	refused := &proxyError{at.proxy.Address(), answer.Status, basic || conn.proved}
	again := basic && ntlmScheme(answer.Header.Values("Proxy-Authenticate")) != ""
	if answer.Body != nil {
		_ = answer.Body.Close() // ends the use of the connection
	}
	answer.Release()
	if !again {
		return &message.BackendError{Kind: message.BackendConnect, Answered: true, Err: refused}
	}
	c.rememberNTLM(&at.proxy)
	return nil
}

func (c *Client) wantsNTLM(p *message.Proxy) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ntlm[*p]
}

func (c *Client) rememberNTLM(p *message.Proxy) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.ntlm) >= maxProxies {
		clear(c.ntlm) // names and passwords come from policies: there are few unless an expression makes them up
	}
	c.ntlm[p.Detach()] = true
}
