package auth

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"errors"
	"time"
)

// assertionLife is how long a signed assertion holds.
const assertionLife = 10 * time.Minute

// signAssertion makes the assertion with which an application proves by its certificate who it is (RFC 7523, section 2.2; "Microsoft identity platform
// application authentication certificate credentials" on learn.microsoft.com).
func signAssertion(c *tls.Certificate, clientID, audience string, now time.Time) (string, error) {
	var alg string
	var sign func(digest []byte) ([]byte, error)
	switch key := c.PrivateKey.(type) {
	case *rsa.PrivateKey:
		alg, sign = "PS256", func(digest []byte) ([]byte, error) {
			return rsa.SignPSS(rand.Reader, key, crypto.SHA256, digest, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash})
		}
	case *ecdsa.PrivateKey:
		if key.Params().BitSize != 256 {
			return "", errors.New("sign an assertion: the key of the certificate is neither RSA nor on the curve P-256")
		}
		alg, sign = "ES256", func(digest []byte) ([]byte, error) {
			r, s, err := ecdsa.Sign(rand.Reader, key, digest)
			if err != nil {
				return nil, err
			}
			return append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...), nil
		}
	default:
		return "", errors.New("sign an assertion: the key of the certificate is neither RSA nor on the curve P-256")
	}
	print := sha256.Sum256(c.Certificate[0])
	head, err := json.Marshal(map[string]string{"alg": alg, "typ": "JWT", "x5t#S256": base64.RawURLEncoding.EncodeToString(print[:])})
	if err != nil {
		return "", err
	}
	claims, err := json.Marshal(map[string]any{
		"aud": audience, "iss": clientID, "sub": clientID, "jti": rand.Text(), "nbf": now.Unix(), "iat": now.Unix(), "exp": now.Add(assertionLife).Unix(),
	})
	if err != nil {
		return "", err
	}
	text := base64.RawURLEncoding.EncodeToString(head) + "." + base64.RawURLEncoding.EncodeToString(claims)
	digest := sha256.Sum256([]byte(text))
	signature, err := sign(digest[:])
	if err != nil {
		return "", err
	}
	return text + "." + base64.RawURLEncoding.EncodeToString(signature), nil
}
