package auth

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"strings"
	"testing"
	"time"
)

func TestSignAssertion(t *testing.T) {
	t.Parallel()
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	ecKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Unix(1_800_000_000, 0)
	for alg, key := range map[string]crypto.Signer{"PS256": rsaKey, "ES256": ecKey} {
		der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{SerialNumber: big.NewInt(1)}, &x509.Certificate{SerialNumber: big.NewInt(1)}, key.Public(), key)
		if err != nil {
			t.Fatal(err)
		}
		text, err := signAssertion(&tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, "app", "https://login.test/t/oauth2/v2.0/token", now)
		if err != nil {
			t.Fatal(err)
		}
		parts := strings.Split(text, ".")
		var head map[string]string
		var claims struct {
			Aud, Iss, Sub, Jti string
			Nbf, Exp           int64
		}
		var raw [3][]byte
		for i := range raw {
			if raw[i], err = base64.RawURLEncoding.DecodeString(parts[i]); err != nil {
				t.Fatal(err)
			}
		}
		if err := json.Unmarshal(raw[0], &head); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(raw[1], &claims); err != nil {
			t.Fatal(err)
		}
		print := sha256.Sum256(der)
		if head["alg"] != alg || head["x5t#S256"] != base64.RawURLEncoding.EncodeToString(print[:]) {
			t.Errorf("header %v", head)
		}
		if claims.Iss != "app" || claims.Sub != "app" || claims.Aud != "https://login.test/t/oauth2/v2.0/token" || claims.Jti == "" || claims.Nbf != now.Unix() || claims.Exp != now.Unix()+600 {
			t.Errorf("claims %+v", claims)
		}
		digest := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
		switch k := key.(type) {
		case *rsa.PrivateKey:
			if err := rsa.VerifyPSS(&k.PublicKey, crypto.SHA256, digest[:], raw[2], nil); err != nil {
				t.Error(err)
			}
		case *ecdsa.PrivateKey:
			if !ecdsa.Verify(&k.PublicKey, digest[:], new(big.Int).SetBytes(raw[2][:32]), new(big.Int).SetBytes(raw[2][32:])) {
				t.Error("the signature does not hold")
			}
		}
	}
	if _, err := signAssertion(&tls.Certificate{Certificate: [][]byte{{1}}, PrivateKey: 5}, "app", "x", now); err == nil {
		t.Error("any key signs")
	}
}
