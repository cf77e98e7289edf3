package message

import (
	"fmt"
	"net"
	"strconv"
	"strings"
)

// Proxy is a forward proxy that is spoken to over HTTP/1.1 without TLS: it gets requests for http in absolute form (RFC 9112, 3.2.2) and those for
// https through a tunnel (RFC 9110, 9.3.6).
type Proxy struct {
	Host string
	Port int
	// Secure says that the proxy itself is reached over TLS.
	Secure bool
	// Username and Password sign in with Basic, or with NTLM when the proxy asks for that. Both may be empty. The name may be DOMAIN\name.
	Username, Password string
}

// ParseProxy reads the URL of a proxy, http://host:port or https://host:port, where the port may be left out.
func ParseProxy(url, username, password string) (*Proxy, error) {
	u, err := ParseURL(strings.TrimSpace(url))
	switch {
	case err != nil:
		return nil, err
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, fmt.Errorf("url %q: a proxy is reached over http or https", url)
	}
	return &Proxy{Host: strings.Clone(u.Host), Port: u.EffectivePort(), Secure: u.Secure(), Username: username, Password: password}, nil
}

// Address is host and port in the form that dialers take.
func (p *Proxy) Address() string { return net.JoinHostPort(p.Host, strconv.Itoa(p.Port)) }

// Detach returns a copy that owns its strings.
func (p *Proxy) Detach() Proxy {
	return Proxy{Host: strings.Clone(p.Host), Port: p.Port, Secure: p.Secure, Username: strings.Clone(p.Username), Password: strings.Clone(p.Password)}
}
