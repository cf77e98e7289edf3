package policies_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"math/big"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/lestrrat-go/jwx/v3/jwa"
	"github.com/lestrrat-go/jwx/v3/jwe"
	"github.com/lestrrat-go/jwx/v3/jwk"
	"github.com/lestrrat-go/jwx/v3/jws"
	"github.com/rogpeppe/go-internal/testscript"
	"software.sslmate.com/src/go-pkcs12"

	"github.com/causeway-apim/causeway/internal/auth"
	"github.com/causeway-apim/causeway/internal/message"
	"github.com/causeway-apim/causeway/internal/policy"
	"github.com/causeway-apim/causeway/internal/snapshot"
)

// newTrust is the trust of a script: what it fetches comes from the script's answers.
func newTrust(h *fakeHost) *policy.Trust {
	now := func() time.Time { return h.now }
	return &policy.Trust{
		Tokens: new(auth.ValidTokens),
		OpenID: auth.NewOpenID(scriptDoer{h}, now), Authority: "https://login.test", Identity: auth.NoIdentity{},
		Roots: x509.NewCertPool(), Revocations: auth.NewRevocations(scriptDoer{h}, now),
	}
}

// scriptDoer answers HTTP requests by the script.
type scriptDoer struct{ host *fakeHost }

func (d scriptDoer) Do(r *http.Request) (*http.Response, error) {
	u, err := message.ParseURL(r.URL.String())
	if err != nil {
		return nil, err
	}
	m := &message.Request{Method: r.Method, Proto: "HTTP/1.1", URL: u}
	for name, values := range r.Header {
		m.Header.Add(name, strings.Join(values, ","))
	}
	if r.Body != nil {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		m.Body, m.ContentLength = message.BytesBody(body), int64(len(body))
	}
	answer, err := d.host.exchange(r.Context(), m, nil, nil)
	if err != nil {
		return nil, err
	}
	body, err := message.ReadAll(answer.Body, policy.MaxBody, answer.ContentLength)
	if err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: answer.Status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(string(body)))}, nil
}

// testKey is the key of that name in this script: "rsa…" is RSA, "ec…" ECDSA, anything else a secret.
func (s *session) testKey(name string) any {
	if k, ok := s.keys[name]; ok {
		return k
	}
	k, err := newTestKey(name)
	if err != nil {
		failf("%v", err)
	}
	s.keys[name] = k
	return k
}

func newTestKey(name string) (any, error) {
	switch {
	case strings.HasPrefix(name, "rsa"):
		const bits = 2048
		return rsa.GenerateKey(rand.Reader, bits)
	case strings.HasPrefix(name, "ec"):
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	}
	secret := make([]byte, 32)
	_, err := rand.Read(secret)
	return secret, err
}

func publicHalf(k any) any {
	if s, ok := k.(crypto.Signer); ok {
		return s.Public()
	}
	return k
}

// key sets the variables NAME_B64, or NAME_N and NAME_E, and NAME_JWK of keys: key NAME...
func (s *session) key(ts *testscript.TestScript, args []string) {
	for _, name := range args {
		k := s.testKey(name)
		switch k := k.(type) {
		case []byte:
			ts.Setenv(name+"_B64", base64.StdEncoding.EncodeToString(k))
		case *rsa.PrivateKey:
			ts.Setenv(name+"_N", base64.RawURLEncoding.EncodeToString(k.N.Bytes()))
			ts.Setenv(name+"_E", base64.RawURLEncoding.EncodeToString(big.NewInt(int64(k.E)).Bytes()))
		}
		j, err := jwk.Import(publicHalf(k))
		if err == nil {
			err = errors.Join(j.Set("kid", name), j.Set("use", "sig"))
		}
		raw, err2 := json.Marshal(j)
		if err = errors.Join(err, err2); err != nil {
			failf("%v", err)
		}
		ts.Setenv(name+"_JWK", string(raw))
	}
}

// token sets a variable to a token: token NAME ALG[/ENC] KEY CLAIMS [HEADER]; CLAIMS and HEADER are JSON objects. "exp" and "nbf" in CLAIMS
// are times from now, such as "-5s"; a token lives an hour unless exp is null. An encrypted token holds the claims or, with @, another token.
func (s *session) token(ts *testscript.TestScript, args []string) {
	need(args, 4, 5)
	header := map[string]any{}
	if len(args) == 5 {
		if err := json.Unmarshal([]byte(args[4]), &header); err != nil {
			failf("header: %v", err)
		}
	}
	payload := []byte(ts.Getenv(strings.TrimPrefix(args[3], "@")))
	if !strings.HasPrefix(args[3], "@") {
		payload = s.claims(args[3])
	}
	text, err := mint(args[1], s.testKey(args[2]), payload, header)
	if err != nil {
		failf("%v", err)
	}
	ts.Setenv(args[0], text)
}

func (s *session) claims(text string) []byte {
	claims := map[string]any{"exp": "1h"}
	if err := json.Unmarshal([]byte(text), &claims); err != nil {
		failf("claims: %v", err)
	}
	for _, name := range []string{"exp", "nbf"} {
		if from, ok := claims[name].(string); ok {
			if d, err := time.ParseDuration(from); err == nil {
				claims[name] = s.host.now.Add(d).Unix()
			}
		} else if claims[name] == nil {
			delete(claims, name)
		}
	}
	raw, err := json.Marshal(claims)
	if err != nil {
		failf("%v", err)
	}
	return raw
}

// mint signs or encrypts a payload.
func mint(algorithm string, key any, payload []byte, header map[string]any) (string, error) {
	algorithm, content, encrypted := strings.Cut(algorithm, "/")
	if encrypted {
		return encrypt(algorithm, content, key, payload)
	}
	if algorithm == "none" {
		part := base64.RawURLEncoding.EncodeToString
		return part([]byte(`{"alg":"none"}`)) + "." + part(payload) + ".", nil
	}
	h := jws.NewHeaders()
	for name, value := range header {
		if err := h.Set(name, value); err != nil {
			return "", err
		}
	}
	alg, _ := jwa.LookupSignatureAlgorithm(algorithm)
	text, err := jws.Sign(payload, jws.WithKey(alg, key, jws.WithProtectedHeaders(h)))
	return string(text), err
}

func encrypt(algorithm, content string, key any, payload []byte) (string, error) {
	alg, _ := jwa.LookupKeyEncryptionAlgorithm(algorithm)
	enc, _ := jwa.LookupContentEncryptionAlgorithm(content)
	text, err := jwe.Encrypt(payload, jwe.WithKey(alg, publicHalf(key)), jwe.WithContentEncryption(enc))
	return string(text), err
}

// expand replaces ${NAME} in files by the script's variables: expand FILE...
func (s *session) expand(ts *testscript.TestScript, args []string) {
	for _, file := range args {
		text := regexp.MustCompile(`\$\{\w+\}`).ReplaceAllStringFunc(ts.ReadFile(file), func(name string) string {
			value := ts.Getenv(name[2 : len(name)-1])
			if value == "" {
				failf("there is no variable %s", name)
			}
			return value
		})
		write(ts, file, text)
	}
}

// identity sets the managed identity by settings of auth.Identity: identity NAME=VALUE...
func (s *session) identity(_ *testscript.TestScript, args []string) {
	setting := func(name string) string {
		for _, arg := range args {
			if value, ok := strings.CutPrefix(arg, name+"="); ok {
				return value
			}
		}
		return ""
	}
	source, err := auth.Identity(setting, scriptDoer{s.host}, s.host.Now)
	if err != nil {
		failf("%v", err)
	}
	s.host.trust.Identity = source
}

// calledCertificate compares the client certificate of the last request that went out by its thumbprint: called-certificate [THUMBPRINT]. One
// that is not of the configuration has none.
func (s *session) calledCertificate(_ *testscript.TestScript, args []string) {
	need(args, 0, 1)
	c := s.lastCall().certificate
	if c == nil {
		failf("the last request had no client certificate")
	}
	if len(args) == 1 && c.Thumbprint != args[0] {
		failf("the client certificate of the last request was %q", c.Thumbprint)
	}
	if _, _, err := pkcs12.Decode(c.PFX, c.Password); err != nil {
		failf("the client certificate of the last request cannot be used: %v", err)
	}
}

// newCertificate issues a certificate for a key of its own. Without an issuer it signs itself.
func (s *session) newCertificate(name, issuer string) *x509.Certificate {
	if c, ok := s.issued[name]; ok {
		return c
	}
	key := s.testKey("ec-" + name).(*ecdsa.PrivateKey)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(0x0a1b), Subject: pkix.Name{Country: []string{"US"}, Organization: []string{"Contoso, Inc."}, CommonName: name},
		NotBefore: s.host.now.Add(-time.Hour), NotAfter: s.host.now.Add(24 * time.Hour), DNSNames: []string{name + ".test"},
		BasicConstraintsValid: true, IsCA: issuer == "",
	}
	parent, signer := template, key
	if issuer != "" {
		parent, signer = s.newCertificate(issuer, ""), s.testKey("ec-"+issuer).(*ecdsa.PrivateKey)
		template.CRLDistributionPoints = []string{"http://crl.test/list"}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		failf("%v", err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		failf("%v", err)
	}
	s.issued[name] = c
	return c
}

func thumbprint(c *x509.Certificate) string {
	sum := sha1.Sum(c.Raw)
	return strings.ToUpper(hex.EncodeToString(sum[:]))
}

// client makes requests come over TLS with a client certificate and sets NAME_THUMBPRINT: client [NAME [ISSUER]]
func (s *session) client(ts *testscript.TestScript, args []string) {
	need(args, 0, 2)
	s.config.tls = &tls.ConnectionState{}
	if len(args) == 0 {
		return
	}
	issuer := ""
	if len(args) == 2 {
		issuer = args[1]
	}
	c := s.newCertificate(args[0], issuer)
	s.config.tls.PeerCertificates = []*x509.Certificate{c}
	ts.Setenv(args[0]+"_THUMBPRINT", thumbprint(c))
	if issuer != "" {
		s.config.tls.PeerCertificates = append(s.config.tls.PeerCertificates, s.newCertificate(issuer, ""))
		ts.Setenv(issuer+"_THUMBPRINT", thumbprint(s.newCertificate(issuer, "")))
	}
}

// trusted makes a certificate an authority for client certificates: trusted NAME
func (s *session) trusted(_ *testscript.TestScript, args []string) {
	need(args, 1, 1)
	s.host.trust.Roots.AddCert(s.newCertificate(args[0], ""))
}

// pfx adds a certificate with a key to the configuration and sets the variables NAME_PFX (Base64, password "pw") and NAME_THUMBPRINT: pfx NAME
func (s *session) pfx(ts *testscript.TestScript, args []string) {
	need(args, 1, 1)
	c := s.newCertificate(args[0], "")
	raw, err := pkcs12.Modern.Encode(s.testKey("ec-"+args[0]), c, nil, "pw")
	if err != nil {
		failf("%v", err)
	}
	part := &snapshot.Certificate{Name: args[0], Thumbprint: thumbprint(c), PFX: raw, Password: "pw"}
	s.host.certificates[strings.ToLower(args[0])], s.host.certificates[strings.ToLower(part.Thumbprint)] = part, part
	ts.Setenv(args[0]+"_PFX", base64.StdEncoding.EncodeToString(raw))
	ts.Setenv(args[0]+"_THUMBPRINT", part.Thumbprint)
}
