package clr

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"encoding/xml"
	"math/big"
	"strings"

	"github.com/causeway-apim/causeway/internal/csharp"
)

// rsaFields are the parts of RSAKeyValue (XML Signature, section 4.4.2.2, and .NET's private parts) in the order of .NET.
var rsaFields = []string{"Modulus", "Exponent", "P", "Q", "DP", "DQ", "InverseQ", "D"}

// parameters gives the numbers of the key, the private ones as long as .NET has them.
func (k *RSA) parameters(private bool) map[string][]byte {
	pub := k.publicKey()
	size := pub.Size()
	out := map[string][]byte{"Modulus": pub.N.Bytes(), "Exponent": big.NewInt(int64(pub.E)).Bytes()}
	if !private {
		return out
	}
	x := k.privateKey()
	if len(x.Primes) != 2 {
		cryptoError("The key has more than two primes.")
	}
	half := (size + 1) / 2
	x.Precompute()
	for name, n := range map[string]*big.Int{"P": x.Primes[0], "Q": x.Primes[1], "DP": x.Precomputed.Dp, "DQ": x.Precomputed.Dq, "InverseQ": x.Precomputed.Qinv} {
		out[name] = n.FillBytes(make([]byte, half))
	}
	out["D"] = x.D.FillBytes(make([]byte, size))
	return out
}

func (k *RSA) toXML(private bool) string {
	p := k.parameters(private)
	var b strings.Builder
	b.WriteString("<RSAKeyValue>")
	for _, name := range rsaFields {
		if v := p[name]; v != nil {
			b.WriteString("<" + name + ">" + base64.StdEncoding.EncodeToString(v) + "</" + name + ">")
		}
	}
	b.WriteString("</RSAKeyValue>")
	return b.String()
}

func (k *RSA) fromXML(text string) {
	needString(text, "xmlString")
	var v struct {
		Parts []struct {
			XMLName xml.Name
			Text    string `xml:",chardata"`
		} `xml:",any"`
	}
	if err := xml.Unmarshal([]byte(csharp.ToUTF8(text)), &v); err != nil {
		cryptoError("The provided XML could not be read.")
	}
	p := &RSAParameters{map[string][]byte{}}
	for _, part := range v.Parts {
		p.fields[part.XMLName.Local] = decodeBase64(strings.TrimSpace(part.Text))
	}
	if p.fields["Modulus"] == nil || p.fields["Exponent"] == nil {
		cryptoError("Input string does not contain a valid encoding of the 'RSA' 'Modulus' parameter.")
	}
	k.importParameters(p)
}

// rsaExports are the encodings that a key can be written in, by the method's name without Export.
func rsaExports() map[string]struct {
	label string
	der   func(*RSA) []byte
} {
	must := func(der []byte, err error) []byte {
		if err != nil {
			cryptoError("The key cannot be written.")
		}
		return der
	}
	return map[string]struct {
		label string
		der   func(*RSA) []byte
	}{
		"RSAPrivateKey":        {"RSA PRIVATE KEY", func(k *RSA) []byte { return x509.MarshalPKCS1PrivateKey(k.privateKey()) }},
		"RSAPublicKey":         {"RSA PUBLIC KEY", func(k *RSA) []byte { return x509.MarshalPKCS1PublicKey(k.publicKey()) }},
		"Pkcs8PrivateKey":      {"PRIVATE KEY", func(k *RSA) []byte { return must(x509.MarshalPKCS8PrivateKey(k.privateKey())) }},
		"SubjectPublicKeyInfo": {"PUBLIC KEY", func(k *RSA) []byte { return must(x509.MarshalPKIXPublicKey(k.publicKey())) }},
	}
}

func declareRSAExport(t *csharp.TypeBuilder) {
	t.Method("string ToXmlString(bool includePrivateParameters)", csharp.F2((*RSA).toXML))
	t.Method("void FromXmlString(string xmlString)", csharp.V2((*RSA).fromXML))
	t.Method("RSAParameters ExportParameters(bool includePrivateParameters)", csharp.F2(func(k *RSA, private bool) *RSAParameters {
		return &RSAParameters{k.parameters(private)}
	}))
	for name, e := range rsaExports() {
		t.Method("byte[] Export"+name+"()", csharp.F1(e.der))
		t.Method("string Export"+name+"Pem()", csharp.F1(func(k *RSA) string {
			return strings.TrimSuffix(string(pem.EncodeToMemory(&pem.Block{Type: e.label, Bytes: e.der(k)})), "\n")
		}))
	}
	t.Prop("string SignatureAlgorithm", csharp.F1(func(*RSA) string { return "http://www.w3.org/2000/09/xmldsig#rsa-sha1" }))
	t.Prop("string KeyExchangeAlgorithm", csharp.F1(func(*RSA) string { return "RSA" }))
	t.Method("byte[] SignData(byte[] data, int offset, int count, HashAlgorithmName hashAlgorithm, RSASignaturePadding padding)",
		csharp.F7(func(r run, k *RSA, data []byte, i, n int, h HashAlgorithmName, p *rsaPadding) []byte {
			return k.signHash(r, digest(r, window(data, i, n), hashOf(h)), h, p)
		}))
}

// window gives count bytes from offset on.
func window(data []byte, offset, count int) []byte {
	if data == nil {
		csharp.ThrowArgumentNull("data")
	}
	if offset < 0 || offset > len(data) {
		outOfRange("offset", "Specified argument was out of the range of valid values.")
	}
	if count < 0 || count > len(data)-offset {
		outOfRange("count", "Specified argument was out of the range of valid values.")
	}
	return data[offset : offset+count]
}
