package auth

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/lestrrat-go/jwx/v3/jwk"
)

// Limits of keys and key sets.
const (
	maxKeys    = 200
	minRSABits = 1024
	maxRSABits = 16384
)

// Key verifies or decrypts tokens. Its type decides which algorithms it can be used with, never the token: a public key is no secret of an HMAC.
type Key struct {
	// ID is compared with a token's kid; empty for a key that is tried on every token.
	ID string

	verifier   any      // []byte, *rsa.PublicKey or *ecdsa.PublicKey
	algorithms []string // of signatures that it verifies
	decrypter  any      // []byte, *rsa.PrivateKey or *ecdsa.PrivateKey; nil for a public key
	encryption []string // algorithms of keys that it decrypts
	print      [sha256.Size]byte
}

// NewKey makes a key of a []byte, which is a secret, or of an RSA or ECDSA key. A private key verifies with its public half.
func NewKey(id string, material any) (Key, error) {
	k := Key{ID: id, verifier: material}
	switch m := material.(type) {
	case []byte:
		if len(m) == 0 {
			return Key{}, errors.New("a symmetric key is empty")
		}
		k.algorithms = []string{"HS256", "HS384", "HS512"}
		k.decrypter = m
		k.encryption = []string{"dir", "A128KW", "A192KW", "A256KW", "A128GCMKW", "A192GCMKW", "A256GCMKW"}
		k.print = sha256.Sum256(m)
		return k, nil
	case *rsa.PrivateKey:
		// Padding of PKCS #1 v1.5 is open to oracles: RSA1_5 is left out.
		k.verifier, k.decrypter, k.encryption = &m.PublicKey, m, []string{"RSA-OAEP", "RSA-OAEP-256"}
	case *ecdsa.PrivateKey:
		k.verifier, k.decrypter = &m.PublicKey, m
		k.encryption = []string{"ECDH-ES", "ECDH-ES+A128KW", "ECDH-ES+A192KW", "ECDH-ES+A256KW"}
	}
	return k.public()
}

// public sets what follows from the public half of an asymmetric key.
func (k Key) public() (Key, error) {
	switch p := k.verifier.(type) {
	case *rsa.PublicKey:
		if bits := p.N.BitLen(); bits < minRSABits || bits > maxRSABits {
			return Key{}, fmt.Errorf("an RSA key has %d bits, not %d to %d", bits, minRSABits, maxRSABits)
		}
		k.algorithms = []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}
	case *ecdsa.PublicKey:
		switch p.Curve {
		case elliptic.P256():
			k.algorithms = []string{"ES256"}
		case elliptic.P384():
			k.algorithms = []string{"ES384"}
		case elliptic.P521():
			k.algorithms = []string{"ES512"}
		default:
			return Key{}, errors.New("the curve of an elliptic key is not known")
		}
	default:
		return Key{}, fmt.Errorf("a %T is no key for tokens", k.verifier)
	}
	der, err := x509.MarshalPKIXPublicKey(k.verifier)
	if err != nil {
		return Key{}, fmt.Errorf("read public key: %w", err)
	}
	k.print = sha256.Sum256(der)
	return k, nil
}

// NewSecretKey makes a key of a secret in Base64, with the alphabet of RFC 4648, section 4 or 5, with padding or without.
func NewSecretKey(id, text string) (Key, error) {
	raw, err := decodeBase64(text)
	if err != nil {
		return Key{}, errors.New("the key is not valid Base64")
	}
	return NewKey(id, raw)
}

// NewRSAKey makes a key of an RSA modulus and exponent in Base64url, as in RFC 7518, section 6.3.1.
func NewRSAKey(id, n, e string) (Key, error) {
	modulus, err := decodeBase64(n)
	if err != nil {
		return Key{}, errors.New("the modulus is not valid Base64url")
	}
	raw, err := decodeBase64(e)
	if err != nil {
		return Key{}, errors.New("the exponent is not valid Base64url")
	}
	exponent := new(big.Int).SetBytes(raw)
	if !exponent.IsInt64() || exponent.Int64() < 3 || exponent.Int64() > 1<<31-1 || exponent.Bit(0) == 0 {
		return Key{}, errors.New("the exponent is not possible")
	}
	return NewKey(id, &rsa.PublicKey{N: new(big.Int).SetBytes(modulus), E: int(exponent.Int64())})
}

// decodeBase64 takes both alphabets, padding or none, and white space between.
func decodeBase64(text string) ([]byte, error) {
	text = strings.Map(func(r rune) rune {
		switch r {
		case '+':
			return '-'
		case '/':
			return '_'
		case ' ', '\t', '\r', '\n':
			return -1
		}
		return r
	}, text)
	return base64.RawURLEncoding.DecodeString(strings.TrimRight(text, "="))
}

// ParseKeySet reads a JSON Web Key Set (RFC 7517, section 5) and returns the public keys in it that verify signatures. Keys of other types or for
// other uses are left out, and symmetric ones too: an issuer that publishes its secret has none.
func ParseKeySet(data []byte) ([]Key, error) {
	set, err := jwk.Parse(data, jwk.WithIgnoreParseError(true))
	if err != nil {
		return nil, fmt.Errorf("read key set: %w", err)
	}
	if set.Len() > maxKeys {
		return nil, fmt.Errorf("the key set has more than %d keys", maxKeys)
	}
	var keys []Key
	for i := range set.Len() {
		entry, ok := set.Key(i)
		if !ok || !verifies(entry) {
			continue
		}
		var material any
		if err := jwk.Export(entry, &material); err != nil {
			continue
		}
		if _, secret := material.([]byte); secret {
			continue
		}
		id, _ := entry.KeyID()
		key, err := NewKey(id, material)
		if err != nil {
			continue
		}
		if alg, ok := entry.Algorithm(); ok {
			if !slices.Contains(key.algorithms, alg.String()) {
				continue
			}
			key.algorithms = []string{alg.String()}
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// verifies says whether a key is meant for signatures: its use (RFC 7517, 4.2) and its operations (4.3) do not say otherwise.
func verifies(k jwk.Key) bool {
	if use, ok := k.KeyUsage(); ok && use != "" && use != string(jwk.ForSignature) {
		return false
	}
	operations, ok := k.KeyOps()
	return !ok || len(operations) == 0 || slices.Contains(operations, jwk.KeyOpVerify)
}

// ParsePublicKey reads a certificate or a public key in PEM. The key's ID is empty: it is tried on every token.
func ParsePublicKey(text string) (Key, error) {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return Key{}, errors.New("it is not in PEM")
	}
	if block.Type == "CERTIFICATE" {
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return Key{}, fmt.Errorf("read certificate: %w", err)
		}
		return NewKey("", c.PublicKey)
	}
	public, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return Key{}, fmt.Errorf("read public key: %w", err)
	}
	if _, secret := public.([]byte); secret {
		return Key{}, errors.New("it is not a public key")
	}
	return NewKey("", public)
}
