package gateway

import (
	"fmt"
	"net/url"
	"strings"

	"golang.org/x/net/http/httpproxy"

	"github.com/causeway-apim/causeway/internal/message"
	"github.com/causeway-apim/causeway/internal/policy"
	"github.com/causeway-apim/causeway/internal/snapshot"
)

// proxyFor is the forward proxy for a request, nil for none: what a policy chose goes before the backend entity's own and that before the
// gateway's.
func (g *Gateway) proxyFor(to *message.URL, chosen *snapshot.Proxy, entity *snapshot.Backend) (*message.Proxy, error) {
	if chosen == nil && entity != nil {
		chosen = entity.Proxy
	}
	if chosen == nil {
		if g.proxy == nil {
			return nil, nil
		}
		return g.proxy(to), nil
	}
	p, err := message.ParseProxy(chosen.URL, chosen.Username, chosen.Password)
	if err != nil {
		return nil, &policy.Error{Reason: policy.ReasonBackendConnection, Message: "The forward proxy cannot be used: " + err.Error() + ".", Err: err}
	}
	return p, nil
}

// EnvironmentProxy chooses proxies by the settings HTTP_PROXY, HTTPS_PROXY and NO_PROXY, with the meaning that they have for curl and for Go's
// own client: this machine is never called through a proxy. It is nil when no proxy is set.
func EnvironmentProxy(setting func(name string) string) (func(u *message.URL) *message.Proxy, error) {
	c := httpproxy.Config{HTTPProxy: setting("HTTP_PROXY"), HTTPSProxy: setting("HTTPS_PROXY"), NoProxy: setting("NO_PROXY")}
	proxies := make(map[string]*message.Proxy)
	for name, text := range map[string]string{"HTTP_PROXY": c.HTTPProxy, "HTTPS_PROXY": c.HTTPSProxy} {
		if text == "" {
			continue
		}
		if !strings.Contains(text, "://") { // httpproxy takes host:port too
			text = "http://" + text
		}
		u, err := url.Parse(text)
		if err != nil {
			return nil, fmt.Errorf("%s is not the URL of a proxy", name) // the error would quote it, password included
		}
		password, _ := u.User.Password()
		p, err := message.ParseProxy(u.Scheme+"://"+u.Host, u.User.Username(), password)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		proxies[u.Scheme+"://"+u.Host] = p
	}
	if len(proxies) == 0 {
		return nil, nil
	}
	choose := c.ProxyFunc()
	return func(to *message.URL) *message.Proxy {
		scheme := "http"
		if to.Secure() {
			scheme = "https"
		}
		u, err := choose(&url.URL{Scheme: scheme, Host: to.Authority()})
		if err != nil || u == nil {
			return nil
		}
		return proxies[u.Scheme+"://"+u.Host]
	}, nil
}
