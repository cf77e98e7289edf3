package auth

import (
	"crypto/hmac"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"
)

// MaxGatewayTokenLife is the longest life of a gateway token when it is made.
// Source: learn.microsoft.com, "Self-hosted gateway authentication options".
const MaxGatewayTokenLife = 30 * 24 * time.Hour

const (
	gatewayTokenPrefix = "GatewayKey "
	gatewayTokenTime   = "200601021504" // yyyyMMddHHmm, UTC
	maxGatewayToken    = 1024           // bytes, prefix included
	maxGatewayName     = 80             // Microsoft.ApiManagement/service/gateways
)

// Errors of gateway tokens. An expired token is a *TokenExpiredError.
var (
	// ErrTokenMalformed means that the text is not a gateway token at all.
	ErrTokenMalformed = errors.New("malformed gateway token")
	// ErrTokenUnknownKey means that no current key of the gateway made the
	// token: it was forged, or its key was regenerated since.
	ErrTokenUnknownKey = errors.New("gateway token was not made with a current key of the gateway")
)

// TokenExpiredError says when a token expired whose signature is right.
type TokenExpiredError struct{ At time.Time }

func (e *TokenExpiredError) Error() string {
	return "gateway token expired at " + e.At.UTC().Format(time.RFC3339)
}

// GatewayToken is a parsed, not yet verified gateway token:
//
//	{gateway}&{yyyyMMddHHmm}&{base64(HMAC-SHA512(key, gateway + "\n" + expiry))}
type GatewayToken struct {
	// Gateway is the gateway's name in the spelling of the token.
	Gateway string
	// Expiry is the moment (UTC, whole minutes) from which the token is void.
	Expiry time.Time

	signature []byte
}

// NewGatewayToken makes a token for a gateway, without the "GatewayKey "
// prefix, as the action generateToken answers it. The expiry is cut to the
// minute; it must lie after now and at most MaxGatewayTokenLife away.
func NewGatewayToken(gateway, key string, expiry, now time.Time) (string, error) {
	if gateway == "" || len(gateway) > maxGatewayName || strings.ContainsAny(gateway, "&\n") {
		return "", fmt.Errorf("make gateway token: %q is not a gateway name", gateway)
	}
	if key == "" {
		return "", errors.New("make gateway token: empty key")
	}
	expiry = expiry.UTC().Truncate(time.Minute)
	if !expiry.After(now) {
		return "", errors.New("make gateway token: expiry is not in the future")
	}
	if expiry.Sub(now) > MaxGatewayTokenLife {
		return "", errors.New("make gateway token: expiry is more than 30 days away")
	}
	stamp := expiry.Format(gatewayTokenTime)
	sum := signGatewayToken(gateway, stamp, key)
	return gateway + "&" + stamp + "&" + base64.StdEncoding.EncodeToString(sum), nil
}

// ParseGatewayToken reads a token with or without the "GatewayKey " prefix.
// The error wraps ErrTokenMalformed and never repeats the token.
func ParseGatewayToken(text string) (GatewayToken, error) {
	text = strings.TrimSpace(text)
	if len(text) > maxGatewayToken {
		return GatewayToken{}, fmt.Errorf("%w: longer than %d bytes", ErrTokenMalformed, maxGatewayToken)
	}
	if n := len(gatewayTokenPrefix); len(text) >= n && strings.EqualFold(text[:n], gatewayTokenPrefix) {
		text = strings.TrimLeft(text[n:], " ")
	}
	fields := strings.Split(text, "&")
	if len(fields) != 3 {
		return GatewayToken{}, fmt.Errorf("%w: not of the form name&expiry&signature", ErrTokenMalformed)
	}
	name := fields[0]
	if name == "" || len(name) > maxGatewayName || strings.ContainsAny(name, " \r\n\t") {
		return GatewayToken{}, fmt.Errorf("%w: no gateway name before the first &", ErrTokenMalformed)
	}
	expiry, err := time.Parse(gatewayTokenTime, fields[1])
	if err != nil || expiry.Format(gatewayTokenTime) != fields[1] {
		return GatewayToken{}, fmt.Errorf("%w: expiry is not yyyyMMddHHmm", ErrTokenMalformed)
	}
	sum, err := base64.StdEncoding.Strict().DecodeString(fields[2])
	if err != nil || len(sum) != sha512.Size {
		return GatewayToken{}, fmt.Errorf("%w: signature is not the base64 of %d bytes", ErrTokenMalformed, sha512.Size)
	}
	return GatewayToken{Gateway: name, Expiry: expiry, signature: sum}, nil
}

// Verify checks the signature against the keys of the token's gateway (usually
// the primary and the secondary one) and then the expiry. It returns the index
// of the key that made the token, also beside a *TokenExpiredError: then the
// holder is known, but late. With ErrTokenUnknownKey the index is -1.
func (t GatewayToken) Verify(now time.Time, keys ...string) (int, error) {
	stamp := t.Expiry.UTC().Format(gatewayTokenTime)
	found := -1
	for i, key := range keys {
		// No early exit: which key fits must not show in the time taken.
		if hmac.Equal(signGatewayToken(t.Gateway, stamp, key), t.signature) && key != "" && found < 0 {
			found = i
		}
	}
	switch {
	case found < 0:
		return -1, ErrTokenUnknownKey
	case !now.Before(t.Expiry):
		return found, &TokenExpiredError{At: t.Expiry}
	default:
		return found, nil
	}
}

// GatewayKeyID is a name for a pair of keys that tells nothing of them: another
// pair has another name.
func GatewayKeyID(primary, secondary string) string {
	mac := hmac.New(sha512.New, []byte(primary))
	mac.Write([]byte(secondary))
	return hex.EncodeToString(mac.Sum(nil)[:12])
}

func signGatewayToken(gateway, stamp, key string) []byte {
	mac := hmac.New(sha512.New, []byte(key))
	mac.Write([]byte(gateway + "\n" + stamp))
	return mac.Sum(nil)
}
