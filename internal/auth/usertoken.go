package auth

import "time"

// MaxUserTokenLife is the longest life of a shared access token of a user.
// Source: learn.microsoft.com, "User - Get Shared Access Token".
const MaxUserTokenLife = MaxGatewayTokenLife

// NewUserToken makes the shared access token of a user of the developer portal. It has the form of a gateway's, with the
// user's name, and is signed with a key of the service's direct access, so that neither passes for the other.
func NewUserToken(user, key string, expiry, now time.Time) (string, error) {
	return NewGatewayToken(user, key, expiry, now)
}
