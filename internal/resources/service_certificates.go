package resources

import (
	"crypto/sha1"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"strings"

	"software.sslmate.com/src/go-pkcs12"
)

// describeCertificates answers what the certificates that a write brings say, as Azure does and clients count on. What cannot be read stays
// without a description.
func (p *ServiceProperties) describeCertificates() {
	for i := range p.HostnameConfigurations {
		h := &p.HostnameConfigurations[i]
		if h.EncodedCertificate != "" {
			h.Certificate, h.CertificateSource = certificateInfo(h.EncodedCertificate, h.CertificatePassword), "Custom"
		} else if h.KeyVaultID != "" {
			h.CertificateSource = "KeyVault"
		}
	}
	for i := range p.Certificates {
		if c := &p.Certificates[i]; c.EncodedCertificate != "" {
			c.Certificate = certificateInfo(c.EncodedCertificate, c.CertificatePassword)
		}
	}
}

// certificateInfo describes a certificate in base64, with its key or without; nil when it is none.
func certificateInfo(encoded, password string) *CertificateInfo {
	leaf, err := readCertificate(encoded, password)
	if err != nil {
		return nil
	}
	return &CertificateInfo{
		Expiry: leaf.NotAfter.UTC(), Thumbprint: fmt.Sprintf("%X", sha1.Sum(leaf.Raw)), Subject: distinguishedName(leaf.Subject),
	}
}

// readCertificate reads a certificate in base64: DER, PEM or PKCS #12, of which the key stays unread.
func readCertificate(encoded, password string) (*x509.Certificate, error) {
	raw, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(encoded), ""))
	if err != nil {
		return nil, err
	}
	if leaf := publicCertificate(raw); leaf != nil {
		return leaf, nil
	}
	_, leaf, _, err := pkcs12.DecodeChain(raw, password)
	return leaf, err
}
