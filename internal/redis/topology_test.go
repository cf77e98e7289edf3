package redis

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"github.com/causeway-apim/causeway/internal/redis/redistest"
)

// put writes k over a connection.
func put(t *testing.T, c *Client) {
	t.Helper()
	err := c.Do(t.Context(), func(ctx context.Context, r rueidis.Client) error {
		return r.Do(ctx, r.B().Set().Key("k").Value("v").Build()).Error()
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestClientOfACluster(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, "--cluster-enabled", "yes")
	server.Do("CLUSTER", "ADDSLOTSRANGE", "0", "16383")
	c, reports := open(t, server.Address)
	for ping(c) != nil { // the node needs a moment to call itself a cluster
		_ = next(t, reports)
	}
	put(t, c)
	if got := server.Do("GET", "k"); got != "v" {
		t.Errorf("the cluster holds %q", got)
	}
}

func TestClientAsksSentinels(t *testing.T) {
	t.Parallel()
	primary := redistest.Start(t, "--requirepass", "pw")
	host, port, err := net.SplitHostPort(primary.Address)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "sentinel.conf")
	text := "sentinel monitor mymaster " + host + " " + port + " 1\nsentinel auth-pass mymaster pw\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	sentinel := redistest.StartSentinel(t, file)
	c, _ := open(t, sentinel.Address+",serviceName=mymaster,password=pw")
	put(t, c)
}

func TestClientOverTLS(t *testing.T) {
	t.Parallel()
	cert, key, roots := certificate(t)
	server := redistest.Start(t, "--tls-port", "PORT", "--tls-cert-file", cert, "--tls-key-file", key, "--tls-auth-clients", "no")
	target, err := ParseTarget(server.Address + ",ssl=true,sslHost=redis.test")
	if err != nil {
		t.Fatal(err)
	}
	trusting := Open(Options{Target: target, Roots: roots})
	t.Cleanup(trusting.Close)
	put(t, trusting)

	reports := make(chan error, 16)
	suspicious := Open(Options{Target: target, Roots: x509.NewCertPool(), Report: func(err error) { reports <- err }})
	t.Cleanup(suspicious.Close)
	if ping(suspicious) == nil || next(t, reports) == nil {
		t.Error("a certificate of nobody was taken")
	}
}

// certificate makes a self-signed certificate of redis.test.
func certificate(t *testing.T) (certFile, keyFile string, roots *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "redis.test"}, DNSNames: []string{"redis.test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	certPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	for file, data := range map[string][]byte{certFile: certPEM, keyFile: pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})} {
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	roots = x509.NewCertPool()
	roots.AppendCertsFromPEM(certPEM)
	return certFile, keyFile, roots
}
