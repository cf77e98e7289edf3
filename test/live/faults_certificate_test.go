package live

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/causeway-apim/causeway/internal/causewaytest"
)

// issuer issues certificates into files.
type issuer struct {
	t    *testing.T
	dir  string
	cert *x509.Certificate
	key  crypto.Signer
}

func newIssuer(t *testing.T) *issuer {
	t.Helper()
	i := &issuer{t: t, dir: t.TempDir()}
	i.issue("authority", &x509.Certificate{IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign})
	return i
}

// issue writes NAME.crt and NAME.key; the first one is the authority's own.
func (i *issuer) issue(name string, template *x509.Certificate) {
	i.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		i.t.Fatal(err)
	}
	template.SerialNumber, template.Subject = big.NewInt(time.Now().UnixNano()), pkix.Name{CommonName: name}
	template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(48*time.Hour)
	parent, signer := i.cert, i.key
	if parent == nil {
		parent, signer = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		i.t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		i.t.Fatal(err)
	}
	for file, block := range map[string]*pem.Block{name + ".key": {Type: "PRIVATE KEY", Bytes: secret}, name + ".crt": {Type: "CERTIFICATE", Bytes: der}} {
		// Written beside and renamed, as those who renew certificates do.
		part := filepath.Join(i.dir, file+".part")
		if err := os.WriteFile(part, pem.EncodeToMemory(block), 0o600); err != nil {
			i.t.Fatal(err)
		}
		if err := os.Rename(part, i.file(file)); err != nil {
			i.t.Fatal(err)
		}
	}
	if i.cert == nil {
		if i.cert, err = x509.ParseCertificate(der); err != nil {
			i.t.Fatal(err)
		}
		i.key = key
	}
}

func (i *issuer) file(name string) string { return filepath.Join(i.dir, name) }

// TestClientCertificates: a plane that requires certificates turns a gateway away that has none. One that has gets its configuration, and one
// that is signed in by its certificate alone takes a renewed certificate without a restart.
func TestClientCertificates(t *testing.T) {
	t.Parallel()
	w, i := newSystem(t), newIssuer(t)
	i.issue("plane", &x509.Certificate{IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}})
	client := func() *x509.Certificate {
		return &x509.Certificate{ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	}
	i.issue("edge", client())
	i.issue("stranger", client())
	start := func(name, use string) *causewaytest.Process {
		return w.system.Start(name, "server", "--management-tls-listen", "127.0.0.1:0", "--tls-cert", i.file("plane.crt"), "--tls-key", i.file("plane.key"),
			"--gateway-client-ca", i.file("authority.crt"), "--gateway-client-certificates", use)
	}
	service := func() {
		group, _, _ := strings.Cut(causewaytest.DevService, "/providers/")
		w.system.ARM(w.plane, http.MethodPut, group+"?api-version=2021-04-01", `{"location":"westeurope"}`)
		w.system.ARM(w.plane, http.MethodPut, causewaytest.DevService,
			`{"location":"westeurope","sku":{"name":"Developer","capacity":1},"properties":{"publisherEmail":"a@example.com","publisherName":"A"}}`)
		w.declare()
		w.change(0)
	}
	gateway := func(name string, settings ...string) *causewaytest.Process {
		return w.system.Start(name, append(settings, "config.service.endpoint="+w.plane.Listen["management-tls"],
			"config.service.tls.authoritiesPath="+i.file("authority.crt"), "gateway")...)
	}
	own := func(name string) []string {
		return []string{"config.service.tls.certificatePath=" + i.file(name+".crt"), "config.service.tls.keyPath=" + i.file(name+".key")}
	}

	w.plane = start("requires", "required")
	service()
	token := "config.service.auth=GatewayKey " + w.token("primary")
	awaitLog(t, gateway("without", token), "a client certificate is required here")
	awaitLog(t, gateway("stranger", append(own("stranger"), token)...), "not that of gateway edge")
	w.waitFor(gateway("with", append(own("edge"), token)...), 0, faultWait)

	w.plane = start("suffices", "sufficient")
	service()
	w.edge = gateway("edge", append(own("edge"), "config.service.auth=certificate", "gateway.name=edge")...)
	w.waitFor(w.edge, 0, faultWait)
	calling := w.callers(t, func() error { _, err := w.get(w.edge); return err })
	i.issue("edge", client())
	awaitLog(t, w.edge, "The client certificate was renewed")
	w.change(1)
	calling.stop()
	w.waitFor(w.edge, 1, faultWait)

	// The plane's own certificate is renewed as well: a gateway that trusts the new authority alone reaches it.
	next := newIssuer(t)
	next.dir, i.cert, i.key = i.dir, next.cert, next.key
	i.issue("plane", &x509.Certificate{IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}})
	authority := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: next.cert.Raw})
	if err := os.WriteFile(i.file("next.crt"), authority, 0o600); err != nil {
		t.Fatal(err)
	}
	renewed := w.system.Start("renewed", append(own("edge"), "config.service.auth=certificate", "gateway.name=edge",
		"config.service.endpoint="+w.plane.Listen["management-tls"], "config.service.tls.authoritiesPath="+i.file("next.crt"), "gateway")...)
	w.waitFor(renewed, 1, faultWait)
}
