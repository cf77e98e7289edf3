//go:build linux

package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// The program starts itself in other roles, which a variable names.
const (
	roleVariable = "BENCH_ROLE"
	roleBackend  = "backend"
	roleProxy    = "proxy"
	rolePinned   = "pinned"
)

// runRole runs another role than the benchmark's own.
func runRole(role string, args []string) error {
	switch role {
	case roleBackend:
		port, err := strconv.Atoi(args[0])
		if err != nil {
			return err
		}
		return runBackend(port)
	case roleProxy:
		if len(args) != 5 {
			return errors.New("proxy needs ports and certificate")
		}
		return runReverseProxy("127.0.0.1:"+args[0], "127.0.0.1:"+args[1], "127.0.0.1:"+args[2], args[3], args[4])
	}
	return fmt.Errorf("unknown role %q", role)
}

// runReverseProxy is net/http's reverse proxy with a pool that is large enough.
func runReverseProxy(address, tlsAddress, backend, cert, key string) error {
	transport := &http.Transport{MaxIdleConnsPerHost: 1024, DisableCompression: true}
	proxy := &httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(&url.URL{Scheme: "http", Host: backend}) },
		Transport: transport, ErrorLog: log.New(os.Stderr, "", 0),
	}
	plain := &http.Server{Handler: proxy}
	secure := &http.Server{Handler: proxy}
	listener, err := net.Listen("tcp", tlsAddress)
	if err != nil {
		return err
	}
	failed := make(chan error, 2)
	go func() { failed <- secure.ServeTLS(listener, cert, key) }()
	plain.Addr = address
	go func() { failed <- plain.ListenAndServe() }()
	return <-failed
}

// writeCertificate makes a certificate for localhost: ECDSA on P-256, as most of the web has.
func writeCertificate(dir string) (cert, key string, err error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return "", "", err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		return "", "", err
	}
	keyDER, err := x509.MarshalECPrivateKey(private)
	if err != nil {
		return "", "", err
	}
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	return cert, key, errors.Join(
		os.WriteFile(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o644),
		os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: keyDER}), 0o600))
}
