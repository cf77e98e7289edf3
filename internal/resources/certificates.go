package resources

import (
	"context"
	"crypto/sha1" // a name for a certificate, not a protection
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	"software.sslmate.com/src/go-pkcs12"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/resource"
	"github.com/causeway-apim/causeway/internal/snapshot"
)

const (
	// maxRounds bounds the key derivation of a PKCS#12 file; common tools take a few thousand.
	maxRounds = 2_000_000
	// maxDERDepth is deeper than any PKCS#12 file is nested.
	maxDERDepth = 24
)

// Certificate is a certificate for policies and backends, with its private key or without.
type Certificate struct {
	Subject        string            `json:"subject" rule:"readonly" filter:"yes" doc:"Subject, as in CN=contoso.example."`
	Thumbprint     string            `json:"thumbprint" rule:"readonly" filter:"yes" doc:"SHA-1 of the certificate, upper-case hexadecimal."`
	ExpirationDate *time.Time        `json:"expirationDate" rule:"readonly" filter:"yes" doc:"When it expires."`
	Data           string            `json:"data,omitempty" rule:"secret,required,max=500000" doc:"PKCS#12 file, or a certificate without key in DER or PEM, in base64."`
	Password       string            `json:"password,omitempty" rule:"secret,max=1024" doc:"Password of the PKCS#12 file."`
	KeyVault       *KeyVaultContract `json:"keyVault,omitempty" doc:"The PKCS#12 file, when it is kept in a vault."`
}

func certificates(env Env) *resource.Type {
	return resource.Define(resource.Spec[Certificate]{
		Name: "certificates", Title: "Certificate", Doc: "A certificate for mutual TLS and for policies.",
		Parents: []string{""}, Workspaces: true, Verbs: resource.CRDL,
		Prepare: func(ctx context.Context, x *resource.Request, old, d *resource.Doc[Certificate]) (err error) {
			c := &d.Props
			if c.KeyVault == nil {
				if err = refuseRefresh(x); err != nil {
					return err
				}
				return c.read()
			}
			before := ""
			if old != nil {
				before = kept(old.Props.KeyVault, c.KeyVault, old.Props.Data)
			}
			if c.Data, err = c.KeyVault.read(ctx, env, x, before); err != nil {
				return err
			}
			return c.read()
		},
		Delete: func(x *resource.Tx, old *resource.Doc[Certificate]) error { return releaseCertificate(x, env, old) },
		Indexes: func(d *resource.Doc[Certificate]) []resource.Index {
			return append(vaultIndexes(d.Props.KeyVault), resource.Index{Name: thumbprintIndex, Value: strings.ToLower(d.Props.Thumbprint)})
		},
		Actions: []resource.Action[Certificate]{
			{Name: RefreshSecret, Doc: "Reads the certificate from its vault again.", Rewrite: true},
		},
		Publish: publishCertificate,
	})
}

// releaseCertificate refuses to delete a certificate that policies or backends use by its name or, when no other has the
// same, by its thumbprint. Fields that hold its ID refuse by themselves.
func releaseCertificate(x *resource.Tx, env Env, old *resource.Doc[Certificate]) error {
	if err := env.refuseIfUsed(x, usesCertificate, old.Name()); err != nil {
		return err
	}
	thumbprint := strings.ToLower(old.Props.Thumbprint)
	holders, err := x.Lookup(thumbprintIndex, thumbprint)
	if err != nil || len(holders) > 1 {
		return err
	}
	backends, err := x.Lookup(backendThumbprintIndex, thumbprint)
	if err != nil {
		return err
	}
	if len(backends) > 0 {
		id, err := arm.ParseID(backends[0])
		if err != nil {
			return err
		}
		return arm.Errorf(arm.CodeConflict, "The certificate cannot be deleted because /%s uses it by its thumbprint.", id.RelPath())
	}
	return env.refuseIfUsed(x, usesCertificate, old.Props.Thumbprint)
}

// read decodes the certificate and fills in what is answered of it.
func (c *Certificate) read() error {
	if c.Data == "" {
		return nil // the rules say so
	}
	raw, err := c.raw()
	if err != nil {
		return arm.Invalid("data", "data is not base64.")
	}
	leaf := publicCertificate(raw)
	if leaf == nil {
		if dearKeyDerivation(raw, maxDERDepth) {
			return arm.Invalid("data", "The PKCS#12 file derives its keys in more than %d rounds.", maxRounds)
		}
		_, leaf, _, err = pkcs12.DecodeChain(raw, c.Password)
		if errors.Is(err, pkcs12.ErrIncorrectPassword) {
			return arm.Invalid("password", "The password does not open the PKCS#12 file.")
		}
		if err != nil {
			return arm.Invalid("data", "data is neither a PKCS#12 file with a private key and its certificate nor a certificate.")
		}
	}
	notAfter := leaf.NotAfter.UTC()
	c.Subject, c.ExpirationDate = distinguishedName(leaf.Subject), &notAfter
	c.Thumbprint = fmt.Sprintf("%X", sha1.Sum(leaf.Raw))
	return nil
}

// dearKeyDerivation reports whether a PKCS#12 file asks for so many rounds of key derivation that opening it would stop
// everything else: parameters are an OCTET STRING, the salt, before an INTEGER (RFC 7292, appendix A; RFC 8018, A.2).
func dearKeyDerivation(der []byte, depth int) bool {
	salt := false
	for len(der) > 0 && depth > 0 {
		var v asn1.RawValue
		rest, err := asn1.Unmarshal(der, &v)
		if err != nil {
			return false // not DER: nothing that the decoder would take either
		}
		var rounds big.Int
		if salt && v.Class == asn1.ClassUniversal && v.Tag == asn1.TagInteger && rounds.SetBytes(v.Bytes).Cmp(big.NewInt(maxRounds)) > 0 {
			return true
		}
		salt = v.Class == asn1.ClassUniversal && v.Tag == asn1.TagOctetString
		if (v.IsCompound || salt) && dearKeyDerivation(v.Bytes, depth-1) {
			return true
		}
		der = rest
	}
	return false
}

// raw returns the uploaded bytes.
func (c *Certificate) raw() ([]byte, error) {
	return base64.StdEncoding.DecodeString(strings.Join(strings.Fields(c.Data), ""))
}

// publicCertificate reads a certificate without its key, in DER or PEM; nil when the bytes are something else.
func publicCertificate(raw []byte) *x509.Certificate {
	if block, _ := pem.Decode(raw); block != nil && block.Type == "CERTIFICATE" {
		raw = block.Bytes
	}
	c, err := x509.ParseCertificate(raw)
	if err != nil {
		return nil
	}
	return c
}

// attributeName is .NET's name of a part of a distinguished name.
func attributeName(oid string) string {
	switch oid {
	case "2.5.4.3":
		return "CN"
	case "2.5.4.5":
		return "SERIALNUMBER"
	case "2.5.4.6":
		return "C"
	case "2.5.4.7":
		return "L"
	case "2.5.4.8":
		return "S"
	case "2.5.4.9":
		return "STREET"
	case "2.5.4.10":
		return "O"
	case "2.5.4.11":
		return "OU"
	case "1.2.840.113549.1.9.1":
		return "E"
	case "0.9.2342.19200300.100.1.25":
		return "DC"
	}
	return "OID." + oid
}

// distinguishedName writes a name as .NET does: the last part first, values with special characters in quotes.
func distinguishedName(n pkix.Name) string {
	var parts []string
	for _, rdn := range slices.Backward(n.ToRDNSequence()) {
		var values []string
		for _, a := range rdn {
			value := fmt.Sprint(a.Value)
			if strings.ContainsAny(value, ",+=\"\n<>#;") || strings.TrimSpace(value) != value {
				value = `"` + strings.ReplaceAll(value, `"`, `""`) + `"`
			}
			values = append(values, attributeName(a.Type.String())+"="+value)
		}
		parts = append(parts, strings.Join(values, " + "))
	}
	return strings.Join(parts, ", ")
}

func publishCertificate(p *resource.Pub, d *resource.Doc[Certificate]) error {
	c := d.Props
	part := snapshot.Certificate{Name: d.Name(), Thumbprint: c.Thumbprint, Subject: c.Subject}
	if c.ExpirationDate != nil {
		part.NotAfter = *c.ExpirationDate
	}
	raw, err := c.raw()
	if err != nil {
		return fmt.Errorf("decode certificate: %w", err)
	}
	leaf := publicCertificate(raw)
	if leaf == nil {
		part.PFX, part.Password = raw, c.Password
		if _, leaf, _, err = pkcs12.DecodeChain(raw, c.Password); err != nil {
			return fmt.Errorf("decode certificate: %w", err)
		}
	}
	if err := p.Add(snapshot.KindCertificate, d.ID.Rel(), part); err != nil || !d.ID.Parent().Equal(d.ID.Service()) {
		return err // those of workspaces are nobody's authorities
	}
	return p.Add(snapshot.KindPublicCertificate, d.ID.Rel(), snapshot.PublicCertificate{Name: strings.ToLower(d.Name()), DER: leaf.Raw})
}
