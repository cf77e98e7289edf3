package main

import (
	"crypto/x509"
	"encoding/pem"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// certificateFiles writes a new certificate and its key into a folder.
func certificateFiles(t *testing.T, dir string) (certificate, key string) {
	t.Helper()
	pair, err := selfSigned(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	certificate, key = filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")
	write(t, certificate, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: pair.Certificate[0]})))
	write(t, key, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})))
	return certificate, key
}

func TestWatchedCertificate(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	certificate, key := certificateFiles(t, dir)
	w := watchCertificate(certificate, key)
	first, err := w.latest()
	if err != nil {
		t.Fatal(err)
	}
	if again, _ := w.latest(); again != first {
		t.Error("files that did not change were read again")
	}
	write(t, key, "half of a key") // while somebody renews them
	if again, good, err := w.get(); again != first || !good || err == nil {
		t.Errorf("between two files: good %v, %v", good, err)
	}
	if again, err := w.latest(); again != first || err != nil {
		t.Errorf("between two files: %v", err)
	}
	certificateFiles(t, dir)
	// Clocks of file systems are coarse: the files must differ from those before all the same.
	for _, name := range []string{certificate, key} {
		if err := os.Chtimes(name, time.Time{}, time.Now().Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	if second, err := w.latest(); second == first || err != nil {
		t.Errorf("renewed files give the old certificate, %v", err)
	}
}

func TestPlaneTLSFollows(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	certificate, key := certificateFiles(t, dir)
	s, err := loadSettings("", []string{"config.service.tls.certificatePath=" + certificate, "config.service.tls.keyPath=" + key})
	if err != nil {
		t.Fatal(err)
	}
	secured, err := readPlaneTLS(s)
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	reconnected, ticks, done := make(chan struct{}), make(chan time.Time), make(chan struct{})
	now := func() time.Time { return time.Now().AddDate(1, 0, -1).Add(time.Minute) } // of the last day of the certificate
	go func() {
		defer close(done)
		secured.follow(t.Context(), slog.New(slog.NewTextHandler(&text, nil)), func() { reconnected <- struct{}{} }, ticks, now)
	}()
	ticks <- time.Time{}
	certificateFiles(t, dir)
	if err := os.Chtimes(key, time.Time{}, time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	ticks <- time.Time{}
	<-reconnected
	ticks <- time.Time{} // what it says of the renewal is written by now
	if n := strings.Count(text.String(), "CertificateNearExpiry"); n != 2 {
		t.Errorf("%d warnings of the expiry of two certificates:\n%s", n, text.String())
	}
	if !strings.Contains(text.String(), "CertificateRenewed") {
		t.Errorf("the log does not tell of the renewal:\n%s", text.String())
	}
}

func TestTLSSettingsProblems(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	certificate, key := certificateFiles(t, dir)
	gateway := func(want string, environ ...string) {
		t.Helper()
		s, err := loadSettings("", environ)
		if err == nil {
			_, err = readPlaneTLS(s)
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", environ, err, want)
		}
	}
	const prefix = "config.service.tls."
	gateway("needs "+prefix+"certificatePath", prefix+"keyPath="+key)
	gateway("no such file", prefix+"certificatePath="+certificate+".old", prefix+"keyPath="+key)
	gateway("neither a certificate", prefix+"certificatePath="+certificate)
	gateway("holds no certificate", prefix+"authoritiesPath="+key)
	s, err := loadSettings("", []string{"config.service.auth=Certificate", "config.service.endpoint=plane"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := gatewayToken(s); err == nil || !strings.Contains(err.Error(), "gateway.name") {
		t.Errorf("a sign-in by certificate without a name: %v", err)
	}

	server := func(want string, options map[string]string) {
		t.Helper()
		c := serverConfig{"gateway-client-certificates": {value: "optional"}}
		for name, value := range options {
			c[name] = settingValue{value: value}
		}
		_, err := readServerTLS(c, time.Now())
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, want %s", options, err, want)
		}
	}
	server("must be optional", map[string]string{"gateway-client-certificates": "always"})
	server("needs --gateway-client-ca", map[string]string{"gateway-client-certificates": "required"})
	server("holds no certificate", map[string]string{"gateway-client-ca": key})
	server("--tls-cert", map[string]string{"tls-cert": key, "tls-key": key})
}
