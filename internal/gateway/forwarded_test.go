package gateway_test

import (
	"net/netip"
	"testing"

	"github.com/causeway-apim/causeway/internal/gateway"
	"github.com/causeway-apim/causeway/internal/snapshot"
)

// TestTrustedProxies checks who the client is, and what the backend service is told, behind proxies and without.
func TestTrustedProxies(t *testing.T) {
	t.Parallel()
	trusted, err := gateway.ParseNetworks("10.0.0.0/8, 2001:db8::1")
	if err != nil {
		t.Fatal(err)
	}
	parts := []snapshot.Part{
		apiPart(snapshot.API{ID: "a", Path: "a"}), operationPart("a", "get", "GET /"),
		policyPart(t, "apis/a", inbound(`<set-header name="Caller"><value>@(context.Request.IpAddress + " " + context.Request.OriginalUrl.Scheme)</value></set-header>`)),
	}
	with := newWorldWith(t, func(o *gateway.Options) { o.TrustedProxies = trusted }, parts...)
	without := newWorld(t, parts...)
	f := func(w *world, peer, chain, proto, caller, sentChain, sentProto string) {
		t.Helper()
		x := newExchange(t, "GET http://dev.gateway.localhost/a/", "X-Forwarded-For", chain, "X-Forwarded-Proto", proto)
		x.req.RemoteAddr = netip.AddrPortFrom(netip.MustParseAddr(peer), 5000)
		w.gateway.Serve(x)
		x.end()
		sent := w.backend.sent()
		if sent.Get("Caller") != caller || sent.Joined("X-Forwarded-For") != sentChain || sent.Get("X-Forwarded-Proto") != sentProto {
			t.Errorf("%s for %q: caller %q, chain %q, scheme %q", peer, chain, sent.Get("Caller"), sent.Joined("X-Forwarded-For"), sent.Get("X-Forwarded-Proto"))
		}
	}
	f(with, "10.1.1.1", "192.0.2.1", "https", "192.0.2.1 https", "192.0.2.1,10.1.1.1", "https")
	f(with, "10.1.1.1", "198.51.100.9, 192.0.2.1, 10.2.2.2", "https", "192.0.2.1 https", "198.51.100.9, 192.0.2.1, 10.2.2.2,10.1.1.1", "https")
	f(with, "2001:db8::1", "192.0.2.1:4711", "http", "192.0.2.1 http", "192.0.2.1:4711,2001:db8::1", "http")
	f(with, "10.1.1.1", "unknown", "https", "10.1.1.1 https", "unknown,10.1.1.1", "https")
	f(with, "10.1.1.1", "10.3.3.3", "http", "10.3.3.3 http", "10.3.3.3,10.1.1.1", "http")
	f(with, "203.0.113.5", "192.0.2.1", "https", "203.0.113.5 http", "203.0.113.5", "http")
	f(without, "203.0.113.5", "192.0.2.1", "https", "203.0.113.5 http", "192.0.2.1,203.0.113.5", "https")
	for _, wrong := range []string{"10.0.0.0/33", "here", "fe80::1%eth0"} {
		if _, err := gateway.ParseNetworks(wrong); err == nil {
			t.Errorf("%q was taken", wrong)
		}
	}
}
