package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"time"

	"github.com/causeway-apim/causeway/internal/configsync"
	"github.com/causeway-apim/causeway/internal/telemetry"
)

const (
	// certificatePoll is how often files of certificates are looked at.
	certificatePoll = 2 * time.Second
	// certificateWarning is how long before its end a certificate is warned of.
	certificateWarning = 24 * time.Hour
)

// planeTLS is TLS from a gateway to its plane.
type planeTLS struct {
	config *tls.Config
	// certificate is the gateway's own; nil for none.
	certificate *watched[*tls.Certificate]
}

// readPlaneTLS reads the settings of it, and the files that they name.
func readPlaneTLS(s *settings) (*planeTLS, error) {
	const prefix = "config.service.tls."
	t := &planeTLS{config: &tls.Config{MinVersion: tls.VersionTLS12}}
	if file := s.text(prefix + "authoritiesPath"); file != "" {
		roots := watchAuthorities(file)
		if _, err := roots.latest(); err != nil {
			return nil, usageError("setting %sauthoritiesPath: %w", prefix, err)
		}
		t.config.InsecureSkipVerify = true // what follows does it, with the authorities as they are then
		t.config.VerifyConnection = verifyWith(roots)
	}
	if s.flag("config.service.endpoint.disableCertificateValidation") {
		t.config.InsecureSkipVerify, t.config.VerifyConnection = true, nil // the setting says so
	}
	file, key := s.text(prefix+"certificatePath"), s.text(prefix+"keyPath")
	if file == "" {
		if key != "" {
			return nil, usageError("setting %skeyPath needs %[1]scertificatePath", prefix)
		}
		return t, nil
	}
	t.certificate = watchCertificate(file, key)
	if _, err := t.certificate.latest(); err != nil {
		return nil, usageError("settings %scertificatePath and %[1]skeyPath: %w", prefix, err)
	}
	t.config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return t.certificate.latest() }
	return t, nil
}

// verifyWith checks a server's certificate as crypto/tls does, with authorities that may change.
func verifyWith(roots *watched[*x509.CertPool]) func(tls.ConnectionState) error {
	return func(state tls.ConnectionState) error {
		pool, err := roots.latest()
		if err != nil {
			return err
		}
		o := x509.VerifyOptions{Roots: pool, Intermediates: x509.NewCertPool(), DNSName: state.ServerName}
		for _, c := range state.PeerCertificates[1:] {
			o.Intermediates.AddCert(c)
		}
		if _, err := state.PeerCertificates[0].Verify(o); err != nil {
			return &tls.CertificateVerificationError{UnverifiedCertificates: state.PeerCertificates, Err: err}
		}
		return nil
	}
}

// follow has the gateway connect anew when its certificate was renewed, and warns of one that expires soon, until ctx ends.
func (t *planeTLS) follow(ctx context.Context, log *slog.Logger, reconnect func(), ticks <-chan time.Time, now func() time.Time) {
	if t.certificate == nil {
		return
	}
	used, _, _ := t.certificate.get()
	var warned *tls.Certificate
	failed := ""
	for {
		newest, _, err := t.certificate.get()
		switch {
		case err != nil && err.Error() != failed:
			failed = err.Error()
			log.Warn("The client certificate cannot be read anew; the one before is used.", telemetry.EventKey, "CertificateFailed", "error", err)
		case err == nil:
			failed = ""
		}
		if newest != used {
			used = newest
			log.Info("The client certificate was renewed; the gateway connects with it.", telemetry.EventKey, "CertificateRenewed", "expiry", used.Leaf.NotAfter)
			reconnect()
		}
		if left := used.Leaf.NotAfter.Sub(now()); left < certificateWarning && warned != used {
			warned = used
			log.Warn("The client certificate expires soon.", telemetry.EventKey, "CertificateNearExpiry", "expiry", used.Leaf.NotAfter)
		}
		select {
		case <-ticks:
		case <-ctx.Done():
			return
		}
	}
}

// serverTLS is TLS of the management listeners.
type serverTLS struct {
	certificate  func() (*tls.Certificate, error)
	certificates *configsync.ClientCertificates // nil without mutual TLS of gateways
}

// readServerTLS reads the options of it.
func readServerTLS(c serverConfig, now time.Time) (*serverTLS, error) {
	t := &serverTLS{}
	certFile, keyFile := c.text("tls-cert"), c.text("tls-key")
	if certFile == "" && keyFile == "" {
		made, err := selfSigned(now)
		if err != nil {
			return nil, err
		}
		t.certificate = func() (*tls.Certificate, error) { return made, nil }
	} else {
		t.certificate = watchCertificate(certFile, keyFile).latest
	}
	if _, err := t.certificate(); err != nil {
		return nil, fmt.Errorf("load the certificate: %w; check --tls-cert and --tls-key", err)
	}
	use, known := map[string]configsync.CertificateUse{
		"optional": configsync.CertificateOptional, "required": configsync.CertificateRequired, "sufficient": configsync.CertificateSufficient,
	}[c.text("gateway-client-certificates")]
	if !known {
		return nil, usageError("--gateway-client-certificates is %q; it must be optional, required or sufficient", c.text("gateway-client-certificates"))
	}
	file := c.text("gateway-client-ca")
	if file == "" {
		if use != configsync.CertificateOptional {
			return nil, usageError("--gateway-client-certificates needs --gateway-client-ca")
		}
		return t, nil
	}
	roots := watchAuthorities(file)
	if _, err := roots.latest(); err != nil {
		return nil, usageError("--gateway-client-ca: %w", err)
	}
	t.certificates = &configsync.ClientCertificates{Use: use, Roots: roots.latest}
	return t, nil
}

// config is for the listeners. They ask for certificates where gateways may have some, and take any: whose it is, is looked at when a gateway
// connects, so that the clients of administrators are none the wiser.
func (t *serverTLS) config() (*tls.Config, error) {
	c := &tls.Config{
		MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return t.certificate() },
	}
	if t.certificates != nil {
		roots, err := t.certificates.Roots()
		if err != nil {
			return nil, err
		}
		c.ClientAuth, c.ClientCAs = tls.RequestClientCert, roots // the names of authorities are a hint to clients
	}
	return c, nil
}
