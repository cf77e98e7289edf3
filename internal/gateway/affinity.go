package gateway

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/causeway-apim/causeway/internal/message"
	"github.com/causeway-apim/causeway/internal/snapshot"
)

// Session affinity of backend pools ("Backends in API Management", session awareness): the answer to a client's first request sets a cookie that says
// which member was called, and requests that bring it go there. All instances of a gateway understand each other's cookies.

// sessionsOf returns what cookies say of the members of a pool, by position; nil without session affinity. It gives no names away.
func sessionsOf(pool *snapshot.Backend) (sessions []string) {
	if pool.SessionCookie == "" {
		return nil
	}
	for _, m := range pool.Pool {
		sum := sha256.Sum256([]byte(strings.ToLower(pool.Name) + "\x00" + strings.ToLower(m.Backend)))
		sessions = append(sessions, hex.EncodeToString(sum[:16]))
	}
	return sessions
}

// session is what a request's cookie says of its session; empty when it has none.
func (b *backend) session(header *message.Header) string {
	if b.sessions == nil || header == nil {
		return ""
	}
	for cookies := range header.Each("Cookie") {
		for cookie := range strings.SplitSeq(cookies, ";") {
			if name, value, _ := strings.Cut(strings.TrimSpace(cookie), "="); name == b.part.SessionCookie {
				return value
			}
		}
	}
	return ""
}

// keepSession sets the cookie of a session that has just begun, or has had to move.
func (t target) keepSession(h *message.Header, secure bool) {
	if t.cookie == "" {
		return
	}
	attributes := "; Path=/; HttpOnly"
	if secure {
		attributes += "; Secure"
	}
	h.Add("Set-Cookie", t.cookie+attributes)
}
