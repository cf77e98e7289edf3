package clr

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/sha1" // thumbprints are SHA-1
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"unicode/utf16"

	"software.sslmate.com/src/go-pkcs12"

	"github.com/causeway-apim/causeway/internal/csharp"
)

// An X509Certificate2 is System.Security.Cryptography.X509Certificates.X509Certificate2.
type X509Certificate2 struct {
	cert  *x509.Certificate
	key   crypto.PrivateKey
	trust x509.VerifyOptions
}

const x509Space = "System.Security.Cryptography.X509Certificates."

// NewX509Certificate2 gives the .NET form of a certificate. key is its private key or nil. Verify uses the roots and
// intermediate certificates of trust; the zero value means those of the operating system.
func NewX509Certificate2(cert *x509.Certificate, key crypto.PrivateKey, trust x509.VerifyOptions) *X509Certificate2 {
	return &X509Certificate2{cert, key, trust}
}

// Certificate is the parsed certificate.
func (c *X509Certificate2) Certificate() *x509.Certificate { return c.cert }

// PrivateKey is the private key or nil.
func (c *X509Certificate2) PrivateKey() crypto.PrivateKey { return c.key }

// ClrName is the class.
func (*X509Certificate2) ClrName() string { return x509Space + "X509Certificate2" }

// Dispose does nothing.
func (*X509Certificate2) Dispose() {}

// Equals compares issuer and serial number.
func (c *X509Certificate2) Equals(o any) bool {
	x, ok := o.(*X509Certificate2)
	return ok && bytes.Equal(x.cert.RawIssuer, c.cert.RawIssuer) && x.cert.SerialNumber.Cmp(c.cert.SerialNumber) == 0
}

// HashKey is equal for equal certificates.
func (c *X509Certificate2) HashKey() any { return string(c.cert.RawIssuer) + c.serial() }

// ToString lists the main properties.
func (c *X509Certificate2) ToString() string {
	return fmt.Sprintf("[Subject]\n  %s\n\n[Issuer]\n  %s\n\n[Serial Number]\n  %s\n\n[Not Before]\n  %s\n\n[Not After]\n  %s\n\n[Thumbprint]\n  %s\n",
		c.subject(), c.issuer(), c.serial(), c.notBefore().ToString(), c.notAfter().ToString(), c.thumbprint())
}

func (c *X509Certificate2) subject() string    { return distinguishedName(c.cert.RawSubject) }
func (c *X509Certificate2) issuer() string     { return distinguishedName(c.cert.RawIssuer) }
func (c *X509Certificate2) thumbprint() string { return hexUpper(c.hash()) }
func (c *X509Certificate2) notBefore() DateTime {
	return DateTime{NewDateTime(c.cert.NotBefore).Ticks, KindLocal}
}
func (c *X509Certificate2) notAfter() DateTime {
	return DateTime{NewDateTime(c.cert.NotAfter).Ticks, KindLocal}
}

func (c *X509Certificate2) hash() []byte {
	sum := sha1.Sum(c.cert.Raw)
	return sum[:]
}

func (c *X509Certificate2) serial() string {
	b := c.cert.SerialNumber.Bytes()
	if len(b) == 0 || b[0]&0x80 != 0 {
		b = append([]byte{0}, b...)
	}
	return hexUpper(b)
}

func hexUpper(b []byte) string { return strings.ToUpper(hex.EncodeToString(b)) }

// parseCertificate reads DER, PEM, base64 and PKCS #12.
func parseCertificate(r run, data []byte, password string) *X509Certificate2 {
	if len(data) == 0 {
		csharp.ThrowArgument("System.ArgumentException", "Array may not be empty or null.", "rawData")
	}
	r.Steps(signCost)
	der := data
	if label, content, _, ok := findPEM(string(data)); ok && label == "CERTIFICATE" {
		der = content
	} else if text, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(string(data)), "")); err == nil {
		der = text
	}
	if cert, err := x509.ParseCertificate(der); err == nil {
		return &X509Certificate2{cert: cert}
	}
	key, cert, chain, err := pkcs12.DecodeChain(der, notNull(password))
	switch {
	case err == pkcs12.ErrIncorrectPassword:
		cryptoError("The certificate data cannot be read with the provided password, the password may be incorrect.")
	case err != nil:
		cryptoError("ASN1 corrupted data.")
	}
	c := &X509Certificate2{cert: cert, key: key, trust: x509.VerifyOptions{Intermediates: x509.NewCertPool()}}
	for _, x := range chain {
		c.trust.Intermediates.AddCert(x)
	}
	return c
}

// verify checks the chain up to a trusted root. Revocation lists are never fetched: expressions have no network.
func (c *X509Certificate2) verify(r run) bool {
	r.Steps(signCost)
	o := c.trust
	o.CurrentTime = r.Now()
	o.KeyUsages = []x509.ExtKeyUsage{x509.ExtKeyUsageAny}
	_, err := c.cert.Verify(o)
	return err == nil
}

func (c *X509Certificate2) rsaPublic() *RSA {
	if k, ok := c.cert.PublicKey.(*rsa.PublicKey); ok {
		return &RSA{public: k}
	}
	return nil
}

func (c *X509Certificate2) rsaPrivate() *RSA {
	if k, ok := c.key.(*rsa.PrivateKey); ok {
		return &RSA{public: &k.PublicKey, private: k}
	}
	return nil
}

// export gives the certificate as X509ContentType says.
func (c *X509Certificate2) export(kind int, password string) []byte {
	switch kind {
	case 1:
		return bytes.Clone(c.cert.Raw)
	case 3:
		if c.key == nil {
			break
		}
		out, err := pkcs12.Modern.Encode(c.key, c.cert, nil, notNull(password))
		if err != nil {
			cryptoError("The certificate cannot be exported.")
		}
		return out
	}
	cryptoError("Invalid content type.")
	return nil
}

// attributeNames are .NET's short names of the attributes of a name.
var attributeNames = map[string]string{
	"2.5.4.3": "CN", "2.5.4.4": "SN", "2.5.4.5": "SERIALNUMBER", "2.5.4.6": "C", "2.5.4.7": "L", "2.5.4.8": "S", "2.5.4.9": "STREET",
	"2.5.4.10": "O", "2.5.4.11": "OU", "2.5.4.12": "T", "2.5.4.42": "G", "2.5.4.43": "I", "2.5.4.46": "dnQualifier", "2.5.4.13": "Description",
	"1.2.840.113549.1.9.1": "E", "0.9.2342.19200300.100.1.25": "DC", "0.9.2342.19200300.100.1.1": "OID.0.9.2342.19200300.100.1.1",
}

// distinguishedName writes a name the way X500DistinguishedName.Name does: last part first.
func distinguishedName(raw []byte) string {
	var sequence pkix.RDNSequence
	if _, err := asn1.Unmarshal(raw, &sequence); err != nil {
		return ""
	}
	var parts []string
	for i := len(sequence) - 1; i >= 0; i-- {
		var set []string
		for _, a := range sequence[i] {
			name, ok := attributeNames[a.Type.String()]
			if !ok {
				name = "OID." + a.Type.String()
			}
			set = append(set, name+"="+quoteAttribute(attributeText(a.Value)))
		}
		parts = append(parts, strings.Join(set, " + "))
	}
	return strings.Join(parts, ", ")
}

// attributeText gives the text of an attribute's value; encoding/asn1 leaves BMPString as it is.
func attributeText(v any) string {
	switch x := v.(type) {
	case string:
		return x
	case asn1.RawValue:
		if x.Tag == asn1.TagBMPString {
			var units []uint16
			for i := 0; i+1 < len(x.Bytes); i += 2 {
				units = append(units, uint16(x.Bytes[i])<<8|uint16(x.Bytes[i+1]))
			}
			return string(utf16.Decode(units))
		}
		return string(x.Bytes)
	}
	return fmt.Sprint(v)
}

func quoteAttribute(s string) string {
	if s == "" || strings.ContainsAny(s, ",+=\"\n<>#;") || strings.TrimSpace(s) != s {
		return `"` + strings.ReplaceAll(s, `"`, `""`) + `"`
	}
	return s
}

// nameInfo is GetNameInfo: X509NameType SimpleName, EmailName, UpnName, DnsName, DnsFromAlternativeName, UrlName.
func (c *X509Certificate2) nameInfo(kind int, issuer bool) string {
	name := c.cert.Subject
	if issuer {
		name = c.cert.Issuer
	}
	first := func(list []string, other string) string {
		if len(list) > 0 && !issuer {
			return list[0]
		}
		return other
	}
	switch kind {
	case 0:
		for _, s := range []string{name.CommonName, first(name.OrganizationalUnit, ""), first(name.Organization, "")} {
			if s != "" {
				return s
			}
		}
		return first(c.cert.EmailAddresses, first(c.cert.DNSNames, ""))
	case 1:
		return first(c.cert.EmailAddresses, emailOf(name))
	case 3, 4:
		return first(c.cert.DNSNames, name.CommonName)
	case 5:
		if len(c.cert.URIs) > 0 && !issuer {
			return c.cert.URIs[0].String()
		}
	}
	return ""
}

// emailOf is the e-mail address in a name.
func emailOf(name pkix.Name) string {
	for _, a := range name.Names {
		if a.Type.String() == "1.2.840.113549.1.9.1" {
			return attributeText(a.Value)
		}
	}
	return ""
}

// An oid is System.Security.Cryptography.Oid.
type oid struct{ value, name string }

// ClrName is System.Security.Cryptography.Oid.
func (*oid) ClrName() string { return cryptoSpace + "Oid" }

// oidNames are the friendly names of the algorithms that certificates use.
var oidNames = map[string]string{
	"1.2.840.113549.1.1.1": "RSA", "1.2.840.113549.1.1.5": "sha1RSA", "1.2.840.113549.1.1.11": "sha256RSA", "1.2.840.113549.1.1.12": "sha384RSA",
	"1.2.840.113549.1.1.13": "sha512RSA", "1.2.840.113549.1.1.4": "md5RSA", "1.2.840.113549.1.1.10": "RSASSA-PSS", "1.2.840.10045.2.1": "ECC",
	"1.2.840.10045.4.3.2": "sha256ECDSA", "1.2.840.10045.4.3.3": "sha384ECDSA", "1.2.840.10045.4.3.4": "sha512ECDSA", "1.3.101.112": "Ed25519",
}

func newOid(value string) *oid { return &oid{value, oidNames[value]} }

type certificateParts struct {
	TBS       asn1.RawValue
	Algorithm pkix.AlgorithmIdentifier
	Signature asn1.BitString
}

func (c *X509Certificate2) signatureOid() *oid {
	var parts certificateParts
	_, _ = asn1.Unmarshal(c.cert.Raw, &parts) // parsed before
	return newOid(parts.Algorithm.Algorithm.String())
}

// publicKeyInfo is the certificate's SubjectPublicKeyInfo (RFC 5280, section 4.1).
type publicKeyInfo struct {
	Algorithm pkix.AlgorithmIdentifier
	Key       asn1.BitString
}

// ClrName is the class PublicKey.
func (*publicKeyInfo) ClrName() string { return x509Space + "PublicKey" }

func (c *X509Certificate2) publicKey() *publicKeyInfo {
	var info publicKeyInfo
	_, _ = asn1.Unmarshal(c.cert.RawSubjectPublicKeyInfo, &info) // parsed before
	return &info
}

// x500Name is X500DistinguishedName.
type x500Name string

// ClrName is the class X500DistinguishedName.
func (x500Name) ClrName() string { return x509Space + "X500DistinguishedName" }

func declareX509(b *csharp.Builder) {
	type cert = *X509Certificate2
	b.Enum(x509Space+"X509ContentType", false, []string{"Unknown", "Cert", "SerializedCert", "Pfx", "SerializedStore", "Pkcs7", "Authenticode"},
		[]int64{0, 1, 2, 3, 4, 5, 6})
	b.Enum(x509Space+"X509NameType", false, []string{"SimpleName", "EmailName", "UpnName", "DnsName", "DnsFromAlternativeName", "UrlName"},
		[]int64{0, 1, 2, 3, 4, 5})
	o := b.Type("class "+cryptoSpace+"Oid", csharp.Go[*oid]())
	o.New("(string oid)", csharp.F1(newOid))
	o.Prop("string Value", csharp.F1(func(o *oid) string { return o.value }))
	o.Prop("string FriendlyName", csharp.F1(func(o *oid) string { return o.name }))
	b.Type("class "+x509Space+"X500DistinguishedName", csharp.Go[x500Name]()).Prop("string Name", csharp.F1(func(n x500Name) string { return string(n) }))
	pk := b.Type("class "+x509Space+"PublicKey", csharp.Go[*publicKeyInfo]())
	pk.Prop("Oid Oid", csharp.F1(func(k *publicKeyInfo) *oid { return newOid(k.Algorithm.Algorithm.String()) }))
	pk.Method("RSA GetRSAPublicKey()", csharp.F1(func(k *publicKeyInfo) *RSA {
		key, err := x509.ParsePKCS1PublicKey(k.Key.Bytes)
		if err != nil {
			return nil
		}
		return &RSA{public: key}
	}))

	base := b.Type("class "+x509Space+"X509Certificate : System.IDisposable", csharp.Go[cert]())
	str := func(t *csharp.TypeBuilder, name string, get func(cert) string) {
		t.Prop("string "+name, csharp.F1(get))
	}
	str(base, "Subject", cert.subject)
	str(base, "Issuer", cert.issuer)
	for name, get := range map[string]func(cert) string{
		"GetCertHashString": cert.thumbprint, "GetSerialNumberString": cert.serial, "GetName": cert.subject, "GetIssuerName": cert.issuer,
		"GetExpirationDateString": func(c cert) string { return c.notAfter().ToString() },
		"GetEffectiveDateString":  func(c cert) string { return c.notBefore().ToString() },
		"GetRawCertDataString":    func(c cert) string { return hexUpper(c.cert.Raw) },
		"GetPublicKeyString":      func(c cert) string { return hexUpper(c.publicKey().Key.Bytes) },
		"GetKeyAlgorithm":         func(c cert) string { return c.publicKey().Algorithm.Algorithm.String() },
		"ToString":                cert.ToString,
	} {
		base.Method("string "+name+"()", csharp.F1(get))
	}
	for name, get := range map[string]func(cert) []byte{
		"GetCertHash": cert.hash, "GetRawCertData": func(c cert) []byte { return bytes.Clone(c.cert.Raw) },
		"GetPublicKey": func(c cert) []byte { return c.publicKey().Key.Bytes },
		"GetSerialNumber": func(c cert) []byte {
			b, _ := hex.DecodeString(c.serial()) // made by hexUpper
			for i, j := 0, len(b)-1; i < j; i, j = i+1, j-1 {
				b[i], b[j] = b[j], b[i]
			}
			return b
		},
	} {
		base.Method("byte[] "+name+"()", csharp.F1(get))
	}
	base.Method("byte[] Export(X509ContentType contentType)", csharp.F2(func(c cert, kind int) []byte { return c.export(kind, "") }))
	base.Method("byte[] Export(X509ContentType contentType, string password)", csharp.F3(cert.export))
	base.Method("void Dispose()", csharp.V1(cert.Dispose))
	declareX509Second(b, str)
}

func declareX509Second(b *csharp.Builder, str func(*csharp.TypeBuilder, string, func(*X509Certificate2) string)) {
	type cert = *X509Certificate2
	t := b.Type("class "+x509Space+"X509Certificate2 : X509Certificate", csharp.Go[cert]())
	t.New("(byte[] rawData)", csharp.F2(func(r run, data []byte) cert { return parseCertificate(r, data, "") }))
	t.New("(byte[] rawData, string password)", csharp.F3(parseCertificate))
	str(t, "Thumbprint", cert.thumbprint)
	str(t, "SerialNumber", cert.serial)
	str(t, "FriendlyName", func(cert) string { return "" })
	t.Prop("DateTime NotBefore", csharp.F1(cert.notBefore))
	t.Prop("DateTime NotAfter", csharp.F1(cert.notAfter))
	t.Prop("bool HasPrivateKey", csharp.F1(func(c cert) bool { return c.key != nil }))
	t.Prop("int Version", csharp.F1(func(c cert) int { return c.cert.Version }))
	t.Prop("byte[] RawData", csharp.F1(func(c cert) []byte { return bytes.Clone(c.cert.Raw) }))
	t.Prop("Oid SignatureAlgorithm", csharp.F1(cert.signatureOid))
	t.Prop("PublicKey PublicKey", csharp.F1(cert.publicKey))
	t.Prop("X500DistinguishedName SubjectName", csharp.F1(func(c cert) x500Name { return x500Name(c.subject()) }))
	t.Prop("X500DistinguishedName IssuerName", csharp.F1(func(c cert) x500Name { return x500Name(c.issuer()) }))
	t.Prop("AsymmetricAlgorithm PrivateKey", csharp.F1(cert.rsaPrivate))
	t.Method("string GetNameInfo(X509NameType nameType, bool forIssuer)", csharp.F3(cert.nameInfo))
	t.Method("bool Verify()", csharp.F2(func(r run, c cert) bool { return c.verify(r) }))

	e := b.Type("static class "+x509Space+"RSACertificateExtensions", csharp.NoGo())
	notNil := func(get func(cert) *RSA) csharp.Func {
		return csharp.F1(func(c cert) *RSA {
			if c == nil {
				csharp.ThrowArgumentNull("certificate")
			}
			return get(c)
		})
	}
	e.Ext("RSA GetRSAPublicKey(this X509Certificate2 certificate)", notNil(cert.rsaPublic))
	e.Ext("RSA GetRSAPrivateKey(this X509Certificate2 certificate)", notNil(cert.rsaPrivate))
	b.Type("static class CertificateExtensions", csharp.NoGo()).
		Ext("bool VerifyNoRevocation(this X509Certificate2 certificate)", csharp.F2(func(r run, c cert) bool {
			if c == nil {
				csharp.ThrowArgumentNull("certificate")
			}
			return c.verify(r)
		}))
}
