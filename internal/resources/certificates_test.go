package resources_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha1"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"fmt"
	"math/big"
	"net/http"
	"testing"
	"time"

	"software.sslmate.com/src/go-pkcs12"

	"github.com/causeway-apim/causeway/internal/resource/resourcetest"
	"github.com/causeway-apim/causeway/internal/snapshot"
)

// newPFX makes a key with a certificate and packs them.
func newPFX(t *testing.T, password string) (pfx []byte, leaf *x509.Certificate) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "client", Organization: []string{"Contoso"}},
		NotBefore: time.Unix(0, 0), NotAfter: time.Date(2040, 1, 1, 0, 0, 0, 0, time.UTC),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	if leaf, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	if pfx, err = pkcs12.Modern.Encode(key, leaf, nil, password); err != nil {
		t.Fatal(err)
	}
	return pfx, leaf
}

func TestCertificate(t *testing.T) {
	t.Parallel()
	srv := resourcetest.NewService(t, catalogue(t))
	pfx, leaf := newPFX(t, "opens it")
	data := base64.StdEncoding.EncodeToString(pfx)
	props := srv.Must(http.StatusCreated, "PUT", "certificates/Client", `{"properties":{"data":"`+data+`","password":"opens it"}}`).JSON(t)["properties"].(map[string]any)
	thumbprint := fmt.Sprintf("%X", sha1.Sum(leaf.Raw))
	if props["thumbprint"] != thumbprint || props["subject"] != "CN=client, O=Contoso" || props["expirationDate"] != "2040-01-01T00:00:00Z" || len(props) != 3 {
		t.Errorf("the certificate is answered as %v", props)
	}
	r := srv.Must(http.StatusBadRequest, "PUT", "certificates/wrong", `{"properties":{"data":"`+data+`","password":"does not"}}`)
	if e := r.JSON(t)["error"].(map[string]any); e["target"] != "password" {
		t.Errorf("a wrong password: %s", r.Body)
	}
	public := base64.StdEncoding.EncodeToString(leaf.Raw)
	srv.Must(http.StatusCreated, "PUT", "certificates/public", `{"properties":{"data":"`+public+`"}}`)

	snap := publish(t, srv)
	c := part[snapshot.Certificate](t, snap, snapshot.KindCertificate, "certificates/client")
	if c.Name != "Client" || c.Thumbprint != thumbprint || string(c.PFX) != string(pfx) || c.Password != "opens it" || !c.NotAfter.Equal(leaf.NotAfter) {
		t.Errorf("the part is %+v", c)
	}
	if _, _, _, err := pkcs12.DecodeChain(c.PFX, c.Password); err != nil {
		t.Error(err)
	}
	if c := part[snapshot.Certificate](t, snap, snapshot.KindCertificate, "certificates/public"); len(c.PFX) != 0 || c.Thumbprint != thumbprint {
		t.Errorf("the part of a certificate without key is %+v", c)
	}
}

func TestBackendParts(t *testing.T) {
	t.Parallel()
	srv := resourcetest.NewService(t, catalogue(t))
	pfx, leaf := newPFX(t, "")
	srv.Must(http.StatusCreated, "PUT", "certificates/Client", `{"properties":{"data":"`+base64.StdEncoding.EncodeToString(pfx)+`"}}`)
	thumbprint := fmt.Sprintf("%X", sha1.Sum(leaf.Raw))
	srv.Must(http.StatusCreated, "PUT", "backends/One", `{"properties":{"url":"https://one.example","protocol":"http","tls":{"validateCertificateName":false},
		"credentials":{"certificate":["`+thumbprint+`"],"certificateIds":["/certificates/CLIENT"],"header":{"a":["b"]},"authorization":{"scheme":"Basic","parameter":"x"}},
		"proxy":{"url":"http://p.example","username":"u","password":"p"},
		"circuitBreaker":{"rules":[{"name":"r","tripDuration":"P0DT1H30M","acceptRetryAfter":true,
			"failureCondition":{"percentage":20,"interval":"PT1.5S","statusCodeRanges":[{"min":500,"max":599}],"errorReasons":["Timeout"]}}]}}}`)
	srv.Must(http.StatusCreated, "PUT", "backends/Pool", `{"properties":{"type":"Pool","pool":{"services":[{"id":"/backends/ONE","priority":2,"weight":7}]}}}`)
	srv.Must(http.StatusCreated, "PUT", "gateways/Edge", `{"properties":{"locationData":{"name":"Cellar"}}}`)
	srv.Must(http.StatusCreated, "PUT", "gateways/edge/hostnameConfigurations/H", `{"properties":{"hostname":"Edge.Example","certificateId":"/certificates/client","tls11Enabled":true}}`)
	snap := publish(t, srv)

	b := part[snapshot.Backend](t, snap, snapshot.KindBackend, "backends/one")
	if b.Name != "One" || b.URL != "https://one.example" || b.TLS == nil || !b.TLS.ValidateChain || b.TLS.ValidateName {
		t.Errorf("the part is %+v", b)
	}
	if c := b.Credentials; c.Header["a"][0] != "b" || c.Scheme != "Basic" || c.Parameter != "x" || c.Certificates[0] != thumbprint || c.CertificateIDs[0] != "client" {
		t.Errorf("the credentials are %+v", c)
	}
	if *b.Proxy != (snapshot.Proxy{URL: "http://p.example", Username: "u", Password: "p"}) {
		t.Errorf("the proxy is %+v", b.Proxy)
	}
	if r := b.CircuitBreaker.Rules[0]; r.Interval != 1500*time.Millisecond || r.TripDuration != 90*time.Minute || r.Percentage != 20 ||
		r.StatusRanges[0] != [2]int{500, 599} || !r.AcceptRetryAfter || r.ErrorReasons[0] != "Timeout" {
		t.Errorf("the rule is %+v", r)
	}
	pool := part[snapshot.Backend](t, snap, snapshot.KindBackend, "backends/pool")
	if pool.Type != "Pool" || len(pool.Pool) != 1 || pool.Pool[0] != (snapshot.PoolMember{Backend: "one", Priority: 2, Weight: 7}) {
		t.Errorf("the pool is %+v", pool)
	}
	h := part[snapshot.Hostname](t, snap, snapshot.KindHostname, "gateways/edge/hostnameconfigurations/h")
	if h != (snapshot.Hostname{Gateway: "Edge", Hostname: "edge.example", Certificate: "client", TLS11: true, HTTP2: true}) {
		t.Errorf("the host name is %+v", h)
	}
	if g := part[snapshot.Gateway](t, snap, snapshot.KindGateway, "gateways/edge"); g.Name != "Edge" || g.Location != "Cellar" {
		t.Errorf("the gateway is %+v", g)
	}
}
