package gateway_test

import (
	"testing"

	"github.com/causeway-apim/causeway/internal/gateway"
	"github.com/causeway-apim/causeway/internal/message"
	"github.com/causeway-apim/causeway/internal/snapshot"
)

// TestProxyOfBackend calls a backend entity that has a forward proxy whose password is a named value.
func TestProxyOfBackend(t *testing.T) {
	t.Parallel()
	w := newWorld(t,
		apiPart(snapshot.API{ID: "a", Path: "a"}), operationPart("a", "get", "GET /"),
		mustPart(snapshot.KindNamedValue, "namedvalues/p", snapshot.NamedValue{Name: "proxy-password", Value: "s3cret", Secret: true}),
		mustPart(snapshot.KindBackend, "backends/b", snapshot.Backend{
			Name: "b", URL: "http://b.test", Proxy: &snapshot.Proxy{URL: "http://proxy.test:3128", Username: "me", Password: "{{proxy-password}}"},
		}),
		policyPart(t, "apis/a", inbound(`<set-backend-service backend-id="b" />`)),
	)
	w.do("GET " + host + "/a")
	if got := w.backend.options[len(w.backend.options)-1].Proxy; got == nil || *got != (message.Proxy{Host: "proxy.test", Port: 3128, Username: "me", Password: "s3cret"}) {
		t.Errorf("the proxy was %+v", got)
	}
	w.put(policyPart(t, "apis/a", inbound(`<set-backend-service backend-id="b" /><proxy url="http://other.test" />`)))
	w.do("GET " + host + "/a")
	if got := w.backend.options[len(w.backend.options)-1].Proxy; got == nil || *got != (message.Proxy{Host: "other.test", Port: 80}) {
		t.Errorf("the policy's proxy goes before the entity's, got %+v", got)
	}
}

func TestEnvironmentProxy(t *testing.T) {
	t.Parallel()
	settings := map[string]string{"HTTP_PROXY": "http://u:p@web.test:3128", "HTTPS_PROXY": "https://tls.test:8443", "NO_PROXY": "inner.test,10.0.0.0/8"}
	choose, err := gateway.EnvironmentProxy(func(name string) string { return settings[name] })
	if err != nil {
		t.Fatal(err)
	}
	for to, want := range map[string]message.Proxy{
		"http://a.test/":           {Host: "web.test", Port: 3128, Username: "u", Password: "p"},
		"https://a.test/":          {Host: "tls.test", Port: 8443, Secure: true},
		"wss://a.test/":            {Host: "tls.test", Port: 8443, Secure: true},
		"http://x.inner.test:81/":  {},
		"https://10.1.2.3/":        {},
		"http://localhost:8080/":   {},
		"http://[::1]:8080/":       {},
		"https://inner.test.test/": {Host: "tls.test", Port: 8443, Secure: true},
	} {
		u, err := message.ParseURL(to)
		if err != nil {
			t.Fatal(err)
		}
		var got message.Proxy
		if p := choose(&u); p != nil {
			got = *p
		}
		if got != want {
			t.Errorf("%s goes through %+v, want %+v", to, got, want)
		}
	}
	if choose, err := gateway.EnvironmentProxy(func(string) string { return "" }); err != nil || choose != nil {
		t.Errorf("without settings: %v", err)
	}
	for _, bad := range []string{"socks5://p.test", "http://u:s3cret@p test"} {
		_, err := gateway.EnvironmentProxy(func(string) string { return bad })
		if err == nil {
			t.Errorf("%s is taken", bad)
		}
	}
}
