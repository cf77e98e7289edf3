package auth

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/lestrrat-go/jwx/v3/jwa"
	"github.com/lestrrat-go/jwx/v3/jwe"
	"github.com/lestrrat-go/jwx/v3/jws"
)

// MaxToken is the length of the longest token that is looked at, and of what may be in an encrypted one.
const MaxToken = 128 << 10

// Reasons why a token is refused, as API Management's validate-jwt policy names them ("Error handling in API Management policies").
const (
	TokenNotPresent           = "TokenNotPresent"
	TokenInvalid              = "JwtInvalid"
	TokenSignatureInvalid     = "TokenSignatureInvalid"
	TokenSignatureKeyNotFound = "TokenSignatureKeyNotFound"
	TokenExpired              = "TokenExpired"
	TokenAudienceNotAllowed   = "TokenAudienceNotAllowed"
	TokenIssuerNotAllowed     = "TokenIssuerNotAllowed"
	TokenClaimNotFound        = "TokenClaimNotFound"
	TokenClaimValueNotAllowed = "TokenClaimValueNotAllowed"
)

// TokenError says why a token is refused. The message holds nothing secret.
type TokenError struct {
	Reason  string
	Message string
	Err     error // the cause, for logs; may be nil
}

func (e *TokenError) Error() string { return e.Message }

// Unwrap returns the cause.
func (e *TokenError) Unwrap() error { return e.Err }

func refuse(reason, format string, args ...any) *TokenError {
	return &TokenError{Reason: reason, Message: fmt.Sprintf(format, args...)}
}

// Token is a JSON Web Token (RFC 7519). Reading it validates nothing; see [Rules].
type Token struct {
	// Header and Payload are JSON objects. They are those of the signed token when that came in an encrypted one.
	Header, Payload []byte
	// Algorithm and KeyID are the header's alg and kid.
	Algorithm, KeyID string

	compact string // what is signed
	signed  bool   // has an algorithm and a signature
	header  map[string]any
	claims  map[string]any

	verified atomic.Pointer[[sha256.Size]byte] // print of a key that has made the signature
	accepted atomic.Pointer[acceptance]        // the last one
	kept     bool                              // by [ValidTokens]
}

// ParseToken reads a token in compact serialisation, signed (RFC 7515) or encrypted (RFC 7516). For an encrypted one it needs a key that fits;
// others ignore keys. Errors are *TokenError.
func ParseToken(compact string, decryption []Key) (*Token, error) {
	switch {
	case compact == "":
		return nil, refuse(TokenNotPresent, "JWT not present.")
	case len(compact) > MaxToken:
		return nil, refuse(TokenInvalid, "JWT is longer than %d bytes.", MaxToken)
	case strings.Count(compact, ".") == 4:
		return decrypt(compact, decryption)
	}
	return parseSigned(compact)
}

func parseSigned(compact string) (*Token, error) {
	parts := strings.Split(compact, ".")
	if len(parts) != 3 {
		return nil, refuse(TokenInvalid, "JWT is not well formed: it must have three parts, or five when it is encrypted.")
	}
	t := &Token{compact: compact}
	var err error
	if t.Header, t.header, err = decodeObject(parts[0]); err != nil {
		return nil, &TokenError{TokenInvalid, "JWT is not well formed: its header is not a JSON object in Base64url.", err}
	}
	if t.Payload, t.claims, err = decodeObject(parts[1]); err != nil {
		return nil, &TokenError{TokenInvalid, "JWT is not well formed: its payload is not a JSON object in Base64url.", err}
	}
	t.readHeader()
	t.signed = t.Algorithm != "" && !strings.EqualFold(t.Algorithm, "none") && parts[2] != ""
	if !t.signed && parts[2] != "" {
		return nil, refuse(TokenInvalid, "JWT has a signature, but names no algorithm for it.")
	}
	if _, ok := t.header["crit"]; ok {
		return nil, refuse(TokenInvalid, "JWT needs an extension that is not supported (crit).")
	}
	return t, nil
}

// Claim is a claim that is a text; empty when it is not.
func (t *Token) Claim(name string) string {
	text, _ := t.claims[name].(string)
	return text
}

func (t *Token) readHeader() {
	t.Algorithm, _ = t.header["alg"].(string)
	t.KeyID, _ = t.header["kid"].(string)
}

// decodeObject reads one part of a token.
func decodeObject(part string) (raw []byte, object map[string]any, err error) {
	if raw, err = base64.RawURLEncoding.DecodeString(part); err != nil {
		return nil, nil, err
	}
	object, err = parseObject(raw)
	return raw, object, err
}

func parseObject(raw []byte) (map[string]any, error) {
	var object map[string]any
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if err := d.Decode(&object); err != nil {
		return nil, err
	}
	if object == nil || d.More() {
		return nil, fmt.Errorf("it is not one object")
	}
	return object, nil
}

// decrypt opens an encrypted token: in it is a signed one, or claims.
func decrypt(compact string, keys []Key) (*Token, error) {
	head, _, _ := strings.Cut(compact, ".")
	raw, header, err := decodeObject(head)
	if err != nil {
		return nil, &TokenError{TokenInvalid, "JWT is not well formed: its header is not a JSON object in Base64url.", err}
	}
	t := &Token{Header: raw, header: header}
	t.readHeader()
	if len(keys) == 0 {
		return nil, refuse(TokenInvalid, "JWT is encrypted, and there is no key to decrypt it.")
	}
	plain, ok := t.open(compact, keys)
	if !ok {
		return nil, refuse(TokenInvalid, "JWT cannot be decrypted with any of the keys.")
	}
	if bytes.Count(plain, []byte(".")) == 2 && plain[0] != '{' {
		return parseSigned(string(plain))
	}
	if t.claims, err = parseObject(plain); err != nil {
		return nil, &TokenError{TokenInvalid, "JWT is encrypted and holds neither a signed token nor claims.", err}
	}
	t.Payload = plain
	return t, nil
}

// open tries the keys on an encrypted token: all of them without a kid, otherwise those with that ID or none.
func (t *Token) open(compact string, keys []Key) (plain []byte, ok bool) {
	algorithm, known := jwa.LookupKeyEncryptionAlgorithm(t.Algorithm)
	if !known {
		return nil, false
	}
	for _, k := range keys {
		if !k.mayFit(t.KeyID) || !slices.Contains(k.encryption, t.Algorithm) {
			continue
		}
		plain, err := jwe.Decrypt([]byte(compact), jwe.WithKey(algorithm, k.decrypter), jwe.WithMaxDecompressBufferSize(MaxToken), jwe.WithCritValidation(true))
		if err == nil && len(plain) > 0 {
			return plain, true
		}
	}
	return nil, false
}

// mayFit says whether a key is to be tried on a token with a kid.
func (k *Key) mayFit(id string) bool { return id == "" || k.ID == "" || k.ID == id }

// verify checks the signature and returns the key that made it.
func (t *Token) verify(keys []Key) (*Key, *TokenError) {
	algorithm, known := jwa.LookupSignatureAlgorithm(t.Algorithm)
	if !known {
		return nil, refuse(TokenSignatureInvalid, "Signature validation failed: the algorithm %q is not supported. Access denied.", t.Algorithm)
	}
	tried, found := false, false
	for i := range keys {
		k := &keys[i]
		if !k.mayFit(t.KeyID) {
			continue
		}
		found = true
		if !slices.Contains(k.algorithms, t.Algorithm) {
			continue
		}
		tried = true
		if made := t.verified.Load(); made != nil && *made == k.print {
			return k, nil
		}
		if _, err := jws.VerifyCompactFast(k.verifier, []byte(t.compact), algorithm); err == nil {
			t.verified.CompareAndSwap(nil, &k.print)
			return k, nil
		}
	}
	switch {
	case !found && t.KeyID != "":
		return nil, refuse(TokenSignatureKeyNotFound, "Signature validation failed: there is no key with the ID %q. Access denied.", t.KeyID)
	case !found:
		return nil, refuse(TokenSignatureKeyNotFound, "Signature validation failed: there is no key. Access denied.")
	case !tried:
		return nil, refuse(TokenSignatureInvalid, "Signature validation failed: no key is one for the algorithm %s. Access denied.", t.Algorithm)
	}
	return nil, refuse(TokenSignatureInvalid, "Signature validation failed. Access denied.")
}
