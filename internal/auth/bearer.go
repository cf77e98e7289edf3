package auth

import (
	"crypto/sha256"
	"crypto/subtle"
	"strings"
)

// BearerToken takes the token out of an Authorization header value
// "Bearer TOKEN" (RFC 6750, section 2.1); the scheme's case does not matter.
func BearerToken(header string) (string, bool) {
	scheme, token, ok := strings.Cut(header, " ")
	token = strings.TrimSpace(token)
	if !ok || !strings.EqualFold(scheme, "Bearer") || token == "" {
		return "", false
	}
	return token, true
}

// EqualSecret compares a presented secret with the right one in a time that
// tells neither the content nor the length of the right one. An empty right
// secret equals nothing.
func EqualSecret(presented, right string) bool {
	p, r := sha256.Sum256([]byte(presented)), sha256.Sum256([]byte(right))
	return subtle.ConstantTimeCompare(p[:], r[:]) == 1 && right != ""
}
