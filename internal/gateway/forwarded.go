package gateway

import (
	"net/netip"
	"strings"

	"github.com/causeway-apim/causeway/internal/message"
)

// caller is the address of the client: that of the connection, or what trusted proxies say in X-Forwarded-For. When there is a list of trusted
// proxies, the fields of others are removed: they could say anything.
func (r *request) caller(in *message.Request) netip.Addr {
	peer, trusted := in.RemoteAddr.Addr(), r.gateway.trustedProxies
	if trusted == nil {
		return peer
	}
	if r.behindProxy = trusted.has(peer); !r.behindProxy {
		for _, name := range [...]string{"X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "Forwarded"} {
			in.Header.Del(name)
		}
		return peer
	}
	if peer != r.proxy {
		r.proxy, r.proxyText = peer, addressText(peer)
	}
	return forwardedFor(in.Header.Joined("X-Forwarded-For"), peer, trusted)
}

// forwardedFor goes through a list of addresses from the nearest to the first that is no trusted proxy.
func forwardedFor(chain string, peer netip.Addr, trusted *netSet) netip.Addr {
	nearest := peer
	for chain != "" && trusted.has(nearest) {
		i := strings.LastIndexByte(chain, ',')
		word := strings.TrimSpace(chain[i+1:])
		chain = chain[:max(i, 0)]
		a, err := netip.ParseAddr(word)
		if err != nil {
			ap, err := netip.ParseAddrPort(word) // some write the port, too
			if err != nil {
				break
			}
			a = ap.Addr()
		}
		nearest = a.Unmap().WithZone("")
	}
	return nearest
}

// neighbour is the address for the end of X-Forwarded-For: that of whoever has connected.
func (r *request) neighbour(client string) string {
	if r.behindProxy {
		return r.proxyText
	}
	return client
}
