package auth_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/lestrrat-go/jwx/v3/jwa"
	"github.com/lestrrat-go/jwx/v3/jwe"
	"github.com/lestrrat-go/jwx/v3/jwk"
	"github.com/lestrrat-go/jwx/v3/jws"

	"github.com/causeway-apim/causeway/internal/auth"
)

func sign(t *testing.T, alg string, key any, payload string) string {
	t.Helper()
	a, ok := jwa.LookupSignatureAlgorithm(alg)
	if !ok {
		t.Fatalf("no algorithm %s", alg)
	}
	text, err := jws.Sign([]byte(payload), jws.WithKey(a, key))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func newKey(t *testing.T, material any) auth.Key {
	t.Helper()
	k, err := auth.NewKey("", material)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func rsaKey(t *testing.T) *rsa.PrivateKey {
	t.Helper()
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func ecKey(t *testing.T, curve elliptic.Curve) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func endless(keys ...auth.Key) *auth.Rules { return &auth.Rules{Keys: keys, AllowEndless: true} }

func TestAlgorithms(t *testing.T) {
	t.Parallel()
	secret, private := []byte(strings.Repeat("s", 64)), rsaKey(t)
	keys := map[string]any{"HS": secret, "RS": private, "PS": private}
	for _, alg := range []string{"HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"} {
		key := keys[alg[:2]]
		switch alg {
		case "ES256":
			key = ecKey(t, elliptic.P256())
		case "ES384":
			key = ecKey(t, elliptic.P384())
		case "ES512":
			key = ecKey(t, elliptic.P521())
		}
		text := sign(t, alg, key, `{"sub":"a"}`)
		if err := endless(newKey(t, key)).Check(parse(t, text), time.Time{}); err != nil {
			t.Errorf("%s: %v", alg, err)
		}
		head, rest, _ := strings.Cut(text, ".")
		_, signature, _ := strings.Cut(rest, ".")
		changed := head + "." + base64.RawURLEncoding.EncodeToString([]byte(`{"sub":"b"}`)) + "." + signature
		if got := reasonOf(endless(newKey(t, key)).Check(parse(t, changed), time.Time{})); got != auth.TokenSignatureInvalid {
			t.Errorf("%s with another payload: %q", alg, got)
		}
	}
}

// TestAlgorithmConfusion shows that a token cannot choose what a key is used for.
func TestAlgorithmConfusion(t *testing.T) {
	t.Parallel()
	private := rsaKey(t)
	der, err := x509.MarshalPKIXPublicKey(private.Public())
	if err != nil {
		t.Fatal(err)
	}
	part := base64.RawURLEncoding.EncodeToString
	forge := func(header string, mac []byte) string {
		input := part([]byte(header)) + "." + part([]byte(`{"sub":"evil"}`))
		if mac == nil {
			return input + "."
		}
		h := hmac.New(sha256.New, mac)
		h.Write([]byte(input))
		return input + "." + part(h.Sum(nil))
	}
	jwkText, err := json.Marshal(mustImport(t, private.Public()))
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"public key as secret, DER":     forge(`{"alg":"HS256"}`, der),
		"public key as secret, PEM":     forge(`{"alg":"HS256"}`, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})),
		"public key as secret, modulus": forge(`{"alg":"HS256"}`, private.N.Bytes()),
		"none":                          forge(`{"alg":"none"}`, nil),
		"None":                          forge(`{"alg":"None"}`, nil),
		"no algorithm":                  forge(`{}`, nil),
		"no signature":                  forge(`{"alg":"RS256"}`, nil),
		"own key":                       forge(`{"alg":"HS256","jwk":{"kty":"oct","k":"AAAA"}}`, []byte{0, 0, 0}),
		"empty secret":                  forge(`{"alg":"HS256"}`, []byte{}),
		"unknown":                       forge(`{"alg":"XX256"}`, []byte("x")),
		"embedded own key":              signedWithOwnKey(t),
	} {
		rules := endless(newKey(t, private.Public()))
		if got := reasonOf(rules.Check(parse(t, text), time.Time{})); got != auth.TokenSignatureInvalid {
			t.Errorf("%s: got %q", name, got)
		}
	}
	// The key set says what a key is for.
	for _, extra := range []string{`"alg":"PS256"`, `"use":"enc"`, `"key_ops":["encrypt"]`} {
		set := `{"keys":[` + strings.TrimSuffix(string(jwkText), "}") + `,` + extra + `}]}`
		keys, err := auth.ParseKeySet([]byte(set))
		if err != nil {
			t.Fatal(err)
		}
		if err := endless(keys...).Check(parse(t, sign(t, "RS256", private, `{}`)), time.Time{}); err == nil {
			t.Errorf("a key with %s verified RS256", extra)
		}
	}
	keys, err := auth.ParseKeySet([]byte(`{"keys":[{"kty":"oct","k":"AAAA"}]}`))
	if err != nil || len(keys) != 0 {
		t.Errorf("a published secret counts: %v, %v", keys, err)
	}
}

func mustImport(t *testing.T, key any) jwk.Key {
	t.Helper()
	k, err := jwk.Import(key)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// signedWithOwnKey is a token that brings along the key that verifies it.
func signedWithOwnKey(t *testing.T) string {
	t.Helper()
	key := rsaKey(t)
	h := jws.NewHeaders()
	if err := h.Set("jwk", mustImport(t, key.Public())); err != nil {
		t.Fatal(err)
	}
	text, err := jws.Sign([]byte(`{}`), jws.WithKey(jwa.RS256(), key, jws.WithProtectedHeaders(h)))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestIssuersVouchForThemselves shows that the key of one issuer is no good for another's name.
func TestIssuersVouchForThemselves(t *testing.T) {
	t.Parallel()
	a, b := ecKey(t, elliptic.P256()), ecKey(t, elliptic.P256())
	sources := []*auth.Issuer{
		{Name: "https://a", Keys: []auth.Key{newKey(t, a)}},
		{Name: "https://b", Keys: []auth.Key{newKey(t, b)}},
		{Name: "https://a/2", Keys: []auth.Key{newKey(t, a)}},
		{Keys: []auth.Key{newKey(t, a)}},
	}
	for _, test := range []struct {
		key    *ecdsa.PrivateKey
		issuer string
		reason string
	}{
		{a, "https://a", ""},
		{a, "https://a/2", ""},
		{b, "https://b", ""},
		{a, "https://b", auth.TokenIssuerNotAllowed},
		{b, "https://a", auth.TokenIssuerNotAllowed},
		{a, "", auth.TokenIssuerNotAllowed},
		{b, "https://listed", ""},
	} {
		rules := &auth.Rules{Sources: sources, Issuers: []string{"https://listed"}, AllowEndless: true}
		text := sign(t, "ES256", test.key, fmt.Sprintf(`{"iss":%q}`, test.issuer))
		if got := reasonOf(rules.Check(parse(t, text), time.Time{})); got != test.reason {
			t.Errorf("issuer %q: got %q, want %q", test.issuer, got, test.reason)
		}
	}
}

func TestRules(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_000_000, 0)
	secret := []byte("a secret of some length, 32 bytes")
	for _, test := range []struct {
		name, payload string
		rules         auth.Rules
		reason        string
	}{
		{"no end", `{}`, auth.Rules{}, auth.TokenInvalid},
		{"end in a second", `{"exp":1000001}`, auth.Rules{}, ""},
		{"end now", `{"exp":1000000}`, auth.Rules{}, auth.TokenExpired},
		{"fraction", `{"exp":1000000.5}`, auth.Rules{}, ""},
		{"skew", `{"exp":999990}`, auth.Rules{Skew: 11 * time.Second}, ""},
		{"too much skew", `{"exp":999989}`, auth.Rules{Skew: 11 * time.Second}, auth.TokenExpired},
		{"text for a date", `{"exp":"1000001"}`, auth.Rules{}, auth.TokenInvalid},
		{"a date out of reach", `{"exp":1e300}`, auth.Rules{}, auth.TokenInvalid},
		{"nbf now", `{"nbf":1000000}`, auth.Rules{AllowEndless: true}, ""},
		{"nbf later", `{"nbf":1000001}`, auth.Rules{AllowEndless: true}, auth.TokenInvalid},
		{"nbf within the skew", `{"nbf":1000001}`, auth.Rules{AllowEndless: true, Skew: time.Second}, ""},
		{"nbf behind exp", `{"nbf":1000001,"exp":1000000}`, auth.Rules{Skew: time.Minute}, auth.TokenInvalid},
		{"wrong audience type", `{"aud":{"a":1}}`, auth.Rules{AllowEndless: true, Audiences: []string{"a"}}, auth.TokenAudienceNotAllowed},
		{"audiences", `{"aud":["b","a"]}`, auth.Rules{AllowEndless: true, Audiences: []string{"a"}}, ""},
		{"issuer type", `{"iss":["a"]}`, auth.Rules{AllowEndless: true, Issuers: []string{"a"}}, auth.TokenIssuerNotAllowed},
		{"empty issuer", `{"iss":""}`, auth.Rules{AllowEndless: true, Issuers: []string{""}}, auth.TokenIssuerNotAllowed},
		{"tenant", `{"iss":"x/a-1/y","tid":"a-1"}`, auth.Rules{AllowEndless: true, Issuers: []string{"x/{tenantid}/y"}}, ""},
		{"tenant with a path", `{"iss":"x/a/../b/y","tid":"a/../b"}`, auth.Rules{AllowEndless: true, Issuers: []string{"x/{tenantid}/y"}}, auth.TokenIssuerNotAllowed},
		{"no tenant", `{"iss":"x//y"}`, auth.Rules{AllowEndless: true, Issuers: []string{"x/{tenantid}/y"}}, auth.TokenIssuerNotAllowed},
		{"claim names have a case", `{"Scp":"a"}`, auth.Rules{AllowEndless: true, Claims: []auth.ClaimRule{{Name: "scp"}}}, auth.TokenClaimNotFound},
		{"all of none", `{"a":[]}`, auth.Rules{AllowEndless: true, Claims: []auth.ClaimRule{{Name: "a", Values: []string{"x"}}}}, auth.TokenClaimValueNotAllowed},
		{"object", `{"a":{"b":1}}`, auth.Rules{AllowEndless: true, Claims: []auth.ClaimRule{{Name: "a", Values: []string{`{"b":1}`}}}}, ""},
		{"separated list", `{"a":["x, y","z"]}`, auth.Rules{AllowEndless: true, Claims: []auth.ClaimRule{{Name: "a", Separator: ",", Values: []string{"y", "z"}}}}, ""},
	} {
		test.rules.Keys = []auth.Key{newKey(t, secret)}
		if got := reasonOf(test.rules.Check(parse(t, sign(t, "HS256", secret, test.payload)), now)); got != test.reason {
			t.Errorf("%s: got %q, want %q", test.name, got, test.reason)
		}
	}
}

func TestEncryptedTokens(t *testing.T) {
	t.Parallel()
	secret, private := []byte(strings.Repeat("k", 32)), rsaKey(t)
	inner := sign(t, "HS256", secret, `{"sub":"inner"}`)
	seal := func(alg jwa.KeyEncryptionAlgorithm, key any, payload string, options ...jwe.EncryptOption) string {
		t.Helper()
		options = append(options, jwe.WithKey(alg, key), jwe.WithContentEncryption(jwa.A128CBC_HS256()))
		text, err := jwe.Encrypt([]byte(payload), options...)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	keys := []auth.Key{newKey(t, secret), newKey(t, private)}
	for name, test := range map[string]struct {
		text string
		keys []auth.Key
		ok   bool
	}{
		"direct":           {seal(jwa.DIRECT(), secret, inner), keys, true},
		"wrapped":          {seal(jwa.A256KW(), secret, inner), keys, true},
		"RSA":              {seal(jwa.RSA_OAEP_256(), private.Public(), inner), keys, true},
		"claims":           {seal(jwa.DIRECT(), secret, `{"sub":"inner"}`), keys, true},
		"PKCS 1 v1.5":      {seal(jwa.RSA1_5(), private.Public(), inner), keys, false},
		"no key":           {seal(jwa.DIRECT(), secret, inner), nil, false},
		"public key":       {seal(jwa.RSA_OAEP(), private.Public(), inner), []auth.Key{newKey(t, private.Public())}, false},
		"another key":      {seal(jwa.DIRECT(), secret, inner), keys[1:], false},
		"no token":         {seal(jwa.DIRECT(), secret, "hello"), keys, false},
		"a bomb":           {seal(jwa.DIRECT(), secret, strings.Repeat(" ", auth.MaxToken+1)+"{}", jwe.WithCompress(jwa.Deflate())), keys, false},
		"encrypted twice":  {seal(jwa.DIRECT(), secret, seal(jwa.DIRECT(), secret, inner)), keys, false},
		"compressed claim": {seal(jwa.DIRECT(), secret, `{"sub":"inner"}`, jwe.WithCompress(jwa.Deflate())), keys, true},
	} {
		token, err := auth.ParseToken(test.text, test.keys)
		if (err == nil) != test.ok {
			t.Errorf("%s: %v", name, err)
		}
		if err == nil && token.Claim("sub") != "inner" {
			t.Errorf("%s: payload %s", name, token.Payload)
		}
	}
	token, err := auth.ParseToken(seal(jwa.DIRECT(), secret, `{}`), keys)
	if err != nil {
		t.Fatal(err)
	}
	if got := reasonOf(endless(keys...).Check(token, time.Time{})); got != auth.TokenSignatureInvalid {
		t.Errorf("encrypted claims count as signed: %q", got)
	}
}

func TestParseTokenRefuses(t *testing.T) {
	t.Parallel()
	part := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	for text, reason := range map[string]string{
		"":                                     auth.TokenNotPresent,
		"a":                                    auth.TokenInvalid,
		"a.b.c":                                auth.TokenInvalid,
		part(`{}`) + "." + part(`[]`) + ".":    auth.TokenInvalid,
		part(`{}`) + "." + part(`{}{}`) + ".":  auth.TokenInvalid,
		part(`null`) + "." + part(`{}`) + ".":  auth.TokenInvalid,
		part(`{}`) + "=." + part(`{}`) + ".":   auth.TokenInvalid,
		part(`{}`) + "." + part(`{}`) + ".AAA": auth.TokenInvalid,
		part(`{"alg":"HS256","crit":["exp"]}`) + "." + part(`{}`) + ".AAAA": auth.TokenInvalid,
		"a.b.c.d.e": auth.TokenInvalid,
		strings.Repeat("a", auth.MaxToken) + ".b.c": auth.TokenInvalid,
	} {
		if _, err := auth.ParseToken(text, nil); reasonOf(err) != reason {
			t.Errorf("%.40q: got %v", text, err)
		}
	}
}

func TestKeys(t *testing.T) {
	t.Parallel()
	private := rsaKey(t)
	n, e := base64.RawURLEncoding.EncodeToString(private.N.Bytes()), "AQAB"
	if _, err := auth.NewRSAKey("", n, e); err != nil {
		t.Error(err)
	}
	for _, bad := range [][2]string{{"*", e}, {n, "*"}, {n, "AA"}, {n, "AQ"}, {n, "Ag"}, {n, "____________"}, {"AQAB", e}, {strings.Repeat("_", 4000), e}} {
		if _, err := auth.NewRSAKey("", bad[0], bad[1]); err == nil {
			t.Errorf("n %.20q, e %q is a key", bad[0], bad[1])
		}
	}
	for _, text := range []string{"+/8=", "-_8", " +/8= \n"} {
		if _, err := auth.NewSecretKey("", text); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
	for _, text := range []string{"", "*", "A"} {
		if _, err := auth.NewSecretKey("", text); err == nil {
			t.Errorf("%q is a key", text)
		}
	}
	weak, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, material := range []any{nil, "text", weak.Public(), crypto.SHA256} {
		if _, err := auth.NewKey("", material); err == nil {
			t.Errorf("%v is a key", material)
		}
	}
}

func FuzzParseToken(f *testing.F) {
	part := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	f.Add(part(`{"alg":"HS256","kid":"a"}`) + "." + part(`{"exp":1,"aud":["a"],"iss":"b"}`) + ".AAAA")
	f.Add(part(`{"alg":"none"}`) + "." + part(`{}`) + ".")
	f.Add(part(`{"alg":"dir","enc":"A128CBC-HS256"}`) + "..AAAA.AAAA.AAAA")
	key, err := auth.NewKey("", []byte(strings.Repeat("k", 32)))
	if err != nil {
		f.Fatal(err)
	}
	rules := auth.Rules{
		Keys: []auth.Key{key}, Audiences: []string{"a"}, Issuers: []string{"b", "{tenantid}"},
		Claims: []auth.ClaimRule{{Name: "scp", Values: []string{"x"}, Separator: " "}},
	}
	f.Fuzz(func(t *testing.T, text string) {
		token, err := auth.ParseToken(text, []auth.Key{key})
		if err != nil {
			return
		}
		if err := rules.Check(token, time.Unix(0, 0)); err == nil {
			t.Errorf("%q is valid", text)
		}
	})
}

func FuzzParseKeySet(f *testing.F) {
	f.Add([]byte(`{"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB","alg":"RS256"},{"kty":"EC","crv":"P-256","x":"AA","y":"AA"},{"kty":"oct","k":"AAAA"}]}`))
	f.Add([]byte(`{"keys":[{"kty":"OKP","crv":"Ed25519","x":"AA"}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		keys, err := auth.ParseKeySet(data)
		if err != nil && keys != nil {
			t.Error("keys and an error")
		}
	})
}
