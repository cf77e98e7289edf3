package auth

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"

	"github.com/lestrrat-go/jwx/v3/jwa"
	"github.com/lestrrat-go/jwx/v3/jws"
)

// signingBits is the size of keys that sign tokens: what Microsoft Entra ID uses, and every client can verify.
const signingBits = 2048

// Types of tokens, in their header: an ID token can thus never pass for an access token (RFC 9068, section 2.1).
const (
	TypeAccessToken = "at+jwt"
	TypeIDToken     = "JWT"
)

// SigningKey signs tokens with RS256.
type SigningKey struct {
	// ID is the key's thumbprint (RFC 7638).
	ID string

	private *rsa.PrivateKey
}

// NewSigningKey makes a key. It takes some tenths of a second.
func NewSigningKey() (*SigningKey, error) {
	k, err := rsa.GenerateKey(rand.Reader, signingBits)
	if err != nil {
		return nil, fmt.Errorf("make signing key: %w", err)
	}
	return newSigningKey(k), nil
}

func newSigningKey(k *rsa.PrivateKey) *SigningKey {
	s := &SigningKey{private: k}
	n, e := s.numbers()
	sum := sha256.Sum256([]byte(`{"e":"` + e + `","kty":"RSA","n":"` + n + `"}`))
	s.ID = base64.RawURLEncoding.EncodeToString(sum[:])
	return s
}

// ParseSigningKey reads what Marshal wrote.
func ParseSigningKey(text string) (*SigningKey, error) {
	der, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, errors.New("the signing key is not in Base64")
	}
	k, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, fmt.Errorf("read signing key: %w", err)
	}
	r, ok := k.(*rsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("the signing key is a %T", k)
	}
	return newSigningKey(r), nil
}

// Marshal returns the private key as text that is to be kept secret.
func (s *SigningKey) Marshal() (string, error) {
	der, err := x509.MarshalPKCS8PrivateKey(s.private)
	return base64.StdEncoding.EncodeToString(der), err
}

// Public returns the half that verifies.
func (s *SigningKey) Public() (Key, error) { return NewKey(s.ID, &s.private.PublicKey) }

func (s *SigningKey) numbers() (n, e string) {
	text := base64.RawURLEncoding.EncodeToString
	return text(s.private.N.Bytes()), text(big.NewInt(int64(s.private.E)).Bytes())
}

// JWK returns the public half as an entry of a key set (RFC 7517, section 4).
func (s *SigningKey) JWK() map[string]string {
	n, e := s.numbers()
	return map[string]string{"kty": "RSA", "use": "sig", "alg": "RS256", "kid": s.ID, "n": n, "e": e}
}

// Sign makes a token of claims. typ is one of the types of tokens.
func (s *SigningKey) Sign(typ string, claims map[string]any) (string, error) {
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", fmt.Errorf("encode claims: %w", err)
	}
	h := jws.NewHeaders()
	if err := errors.Join(h.Set(jws.KeyIDKey, s.ID), h.Set(jws.TypeKey, typ)); err != nil {
		return "", fmt.Errorf("sign token: %w", err)
	}
	token, err := jws.Sign(payload, jws.WithKey(jwa.RS256(), s.private, jws.WithProtectedHeaders(h)))
	if err != nil {
		return "", fmt.Errorf("sign token: %w", err)
	}
	return string(token), nil
}

// Type is the token's typ.
func (t *Token) Type() string {
	text, _ := t.header["typ"].(string)
	return text
}

// HeaderText is a header that is a text; empty when it is not.
func (t *Token) HeaderText(name string) string {
	text, _ := t.header[name].(string)
	return text
}

// Claims decodes the token's claims onto v.
func (t *Token) Claims(v any) error {
	if err := json.Unmarshal(t.Payload, v); err != nil {
		return refuse(TokenInvalid, "JWT has claims of unexpected types.")
	}
	return nil
}
