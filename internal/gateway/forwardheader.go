package gateway

import (
	"strings"

	"github.com/causeway-apim/causeway/internal/message"
	"github.com/causeway-apim/causeway/internal/policy"
)

// forwardHeader fills the header of a request for the backend service.
func (r *request) forwardHeader(out *message.Header, x *policy.Exec) {
	in := x.Request
	upgrade := r.matched.api != nil && (r.matched.api.isWebSocket() || r.matched.api.isGraphQL() && isWebSocketRequest(in))
	has := copyEndToEnd(out, &in.Header, r.host, upgrade)
	if has.kind(upgradeField) {
		out.Set("Upgrade", "websocket") // what else the caller offers, such as h2c, would lead past the policies
	}
	if isGRPCCall(in) {
		out.Set("TE", "trailers") // gRPC wants to know that nobody between drops them
	}
	if last := r.neighbour(x.ClientIP); last != "" {
		if !has.kind(forwardedForField) {
			out.Add("X-Forwarded-For", last)
		} else if chain := out.Joined("X-Forwarded-For"); chain != "" {
			out.Set("X-Forwarded-For", chain+","+last)
		} else {
			out.Set("X-Forwarded-For", last)
		}
	}
	if r.host != "" && !has.kind(forwardedHostField) {
		out.Add("X-Forwarded-Host", r.host)
	}
	if !has.kind(forwardedProtoField) {
		out.Add("X-Forwarded-Proto", x.OriginalURL.Scheme)
	}
}

// fieldKind is what the gateway has to know of a field when it passes a message on.
type fieldKind uint8

const (
	endToEnd        fieldKind = iota
	hopByHop                  // RFC 9110, 7.6.1
	connectionField           // likewise, and names others
	upgradeField              // likewise, unless the message switches to another protocol
	hostField
	forwardedForField
	forwardedHostField
	forwardedProtoField
)

// fieldKindOf is asked for each field of each message: the length tells most names apart.
func fieldKindOf(name string) fieldKind {
	switch len(name) {
	case len("TE"):
		return kindIf(name, "TE", hopByHop)
	case len("Host"):
		return kindIf(name, "Host", hostField)
	case len("Trailer"): // and Upgrade
		return max(kindIf(name, "Trailer", hopByHop), kindIf(name, "Upgrade", upgradeField))
	case len("Connection"): // and Keep-Alive
		return max(kindIf(name, "Connection", connectionField), kindIf(name, "Keep-Alive", hopByHop))
	case len("X-Forwarded-For"):
		return kindIf(name, "X-Forwarded-For", forwardedForField)
	case len("X-Forwarded-Host"): // and Proxy-Connection
		return max(kindIf(name, "X-Forwarded-Host", forwardedHostField), kindIf(name, "Proxy-Connection", hopByHop))
	case len("X-Forwarded-Proto"): // and Transfer-Encoding
		return max(kindIf(name, "X-Forwarded-Proto", forwardedProtoField), kindIf(name, "Transfer-Encoding", hopByHop))
	case len("Proxy-Authenticate"):
		return kindIf(name, "Proxy-Authenticate", hopByHop)
	case len("Proxy-Authorization"):
		return kindIf(name, "Proxy-Authorization", hopByHop)
	}
	return endToEnd
}

func kindIf(name, wanted string, kind fieldKind) fieldKind {
	if message.EqualName(name, wanted) {
		return kind
	}
	return endToEnd
}

// fieldKinds is a set.
type fieldKinds uint16

func (s fieldKinds) kind(k fieldKind) bool { return s&(1<<k) != 0 }

// copyEndToEnd makes out a copy of in without what [removeHopByHop] removes, and returns the kinds of the fields in it. The caller's Host names the
// gateway and is left out: the transport writes the backend service's own. One that a policy has set stays.
func copyEndToEnd(out, in *message.Header, callersHost string, upgrade bool) (has fieldKinds) {
	out.Reset()
	var seen fieldKinds
	for i := range in.Len() {
		f := in.At(i)
		k := fieldKindOf(f.Name)
		again := seen.kind(k)
		seen |= 1 << k
		if removed(k, upgrade) || k == hostField && !has.kind(hostField) && (again || f.Value == callersHost) {
			continue
		}
		has |= 1 << k
		out.Add(f.Name, f.Value)
	}
	if !seen.kind(connectionField) {
		return has
	}
	if list := namedByConnection(in); list != "" {
		out.DeleteFunc(func(f message.Field) bool {
			k := fieldKindOf(f.Name)
			gone := k != upgradeField && hasToken(list, f.Name)
			if gone {
				has &^= 1 << k // names of one kind but end-to-end ones are equal
			}
			return gone
		})
	}
	return has
}

// removeHopByHop removes the fields that belong to one connection: those of RFC
// 9110, 7.6.1, and those that Connection names. A message that switches to
// another protocol keeps its Upgrade.
func removeHopByHop(h *message.Header, upgrade bool) {
	named := namedByConnection(h)
	h.DeleteFunc(func(f message.Field) bool {
		k := fieldKindOf(f.Name)
		return removed(k, upgrade) || named != "" && k != upgradeField && hasToken(named, f.Name)
	})
}

// removed says whether fields of a kind are removed whatever Connection says.
func removed(k fieldKind, upgrade bool) bool {
	return k == hopByHop || k == connectionField || k == upgradeField && !upgrade
}

// namedByConnection is the list of what Connection names, "" when that are only fields that are removed anyway.
func namedByConnection(h *message.Header) string {
	named := h.Joined("Connection")
	if message.EqualName(named, "Keep-Alive") {
		return ""
	}
	return named
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
