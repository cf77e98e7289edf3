package clr

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1" // a policy chooses its algorithm: kept for compatibility
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"hash"
	"math/big"
	"strings"

	"github.com/causeway-apim/causeway/internal/csharp"
)

// RSA is System.Security.Cryptography.RSA: a public key, maybe with its private half. Without either it is a new one that
// waits for an import: expressions do not generate keys.
type RSA struct {
	public  *rsa.PublicKey
	private *rsa.PrivateKey
}

// ClrName is System.Security.Cryptography.RSA.
func (*RSA) ClrName() string { return cryptoSpace + "RSA" }

// Dispose does nothing.
func (*RSA) Dispose() {}

// signCost is what a private-key operation counts in steps; they take about a millisecond.
const signCost = 20_000

// An rsaPadding is RSASignaturePadding or RSAEncryptionPadding.
type rsaPadding struct {
	class, name string
	oaep        func() hash.Hash
}

// ClrName is the class.
func (p *rsaPadding) ClrName() string { return cryptoSpace + p.class }

// ToString is the name.
func (p *rsaPadding) ToString() string { return p.name }

// hashOf gives the Go hash of a name.
func hashOf(n HashAlgorithmName) crypto.Hash {
	switch n {
	case "MD5":
		return crypto.MD5
	case "SHA1":
		return crypto.SHA1
	case "SHA256":
		return crypto.SHA256
	case "SHA384":
		return crypto.SHA384
	case "SHA512":
		return crypto.SHA512
	case "":
		csharp.ThrowArgument("System.ArgumentException", "The hash algorithm name cannot be null or empty.", "hashAlgorithm")
	}
	cryptoError("'" + string(n) + "' is not a known hash algorithm.")
	return 0
}

func (k *RSA) privateKey() *rsa.PrivateKey {
	if k.private == nil {
		cryptoError("The key has no private half.")
	}
	return k.private
}

func (k *RSA) publicKey() *rsa.PublicKey {
	if k.public == nil {
		cryptoError("The key is empty: import one.")
	}
	return k.public
}

func digest(r run, data []byte, h crypto.Hash) []byte {
	if data == nil {
		csharp.ThrowArgumentNull("data")
	}
	r.Steps(len(data) / 64)
	x := h.New()
	_, _ = x.Write(data) // a hash never fails
	return x.Sum(nil)
}

func needPadding(p *rsaPadding) {
	if p == nil {
		csharp.ThrowArgumentNull("padding")
	}
}

func (k *RSA) signHash(r run, sum []byte, n HashAlgorithmName, p *rsaPadding) []byte {
	needPadding(p)
	r.Steps(signCost)
	h := hashOf(n)
	if len(sum) != h.Size() {
		cryptoError("The provided hash value is not the expected size for the specified hash algorithm.")
	}
	var out []byte
	var err error
	if p.name == "Pss" {
		out, err = rsa.SignPSS(rand.Reader, k.privateKey(), h, sum, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash})
	} else {
		out, err = rsa.SignPKCS1v15(rand.Reader, k.privateKey(), h, sum)
	}
	if err != nil {
		cryptoError("The signature could not be made: " + err.Error())
	}
	return out
}

func (k *RSA) verifyHash(r run, sum, signature []byte, n HashAlgorithmName, p *rsaPadding) bool {
	needPadding(p)
	if signature == nil {
		csharp.ThrowArgumentNull("signature")
	}
	r.Steps(signCost / 20)
	h := hashOf(n)
	if len(sum) != h.Size() {
		return false
	}
	if p.name == "Pss" {
		return rsa.VerifyPSS(k.publicKey(), h, sum, signature, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}) == nil
	}
	return rsa.VerifyPKCS1v15(k.publicKey(), h, sum, signature) == nil
}

func (k *RSA) encrypt(r run, data []byte, p *rsaPadding) []byte {
	needPadding(p)
	if data == nil {
		csharp.ThrowArgumentNull("data")
	}
	r.Steps(signCost / 20)
	var out []byte
	var err error
	if p.oaep != nil {
		out, err = rsa.EncryptOAEP(p.oaep(), rand.Reader, k.publicKey(), data, nil)
	} else {
		//lint:ignore SA1019 RSAEncryptionPadding.Pkcs1 is in .NET, and policies that talk to old systems use it
		out, err = rsa.EncryptPKCS1v15(rand.Reader, k.publicKey(), data)
	}
	if err != nil {
		cryptoError("The data cannot be encrypted: " + err.Error())
	}
	return out
}

func (k *RSA) decrypt(r run, data []byte, p *rsaPadding) []byte {
	needPadding(p)
	if data == nil {
		csharp.ThrowArgumentNull("data")
	}
	r.Steps(signCost)
	var out []byte
	var err error
	if p.oaep != nil {
		out, err = rsa.DecryptOAEP(p.oaep(), rand.Reader, k.privateKey(), data, nil)
	} else {
		//lint:ignore SA1019 as in encrypt
		out, err = rsa.DecryptPKCS1v15(rand.Reader, k.privateKey(), data)
	}
	if err != nil {
		cryptoError("The data cannot be decrypted.")
	}
	return out
}

// load takes over a parsed key.
func (k *RSA) load(key any, err error) {
	switch x := key.(type) {
	case *rsa.PrivateKey:
		if err == nil {
			k.private, k.public = x, &x.PublicKey
			return
		}
	case *rsa.PublicKey:
		if err == nil {
			k.private, k.public = nil, x
			return
		}
	}
	cryptoError("ASN1 corrupted data.")
}

func (k *RSA) importPEM(text string) {
	needString(text, "input")
	for rest := text; ; {
		label, der, next, ok := findPEM(rest)
		if !ok {
			csharp.ThrowArgument("System.ArgumentException", "No supported key formats were found. Check that the input represents the contents of a PEM-encoded key file, not the path to such a file.", "input")
		}
		rest = next
		switch label {
		case "PRIVATE KEY":
			k.load(x509.ParsePKCS8PrivateKey(der))
		case "RSA PRIVATE KEY":
			k.load(anyKey(x509.ParsePKCS1PrivateKey(der)))
		case "PUBLIC KEY":
			k.load(x509.ParsePKIXPublicKey(der))
		case "RSA PUBLIC KEY":
			k.load(anyKey(x509.ParsePKCS1PublicKey(der)))
		default:
			continue
		}
		return
	}
}

// findPEM gives the next block of RFC 7468. Unlike encoding/pem it does not need line ends: named values lose them.
func findPEM(s string) (label string, der []byte, rest string, ok bool) {
	const begin, dashes = "-----BEGIN ", "-----"
	for {
		_, after, found := strings.Cut(s, begin)
		if !found {
			return "", nil, "", false
		}
		label, s, found = strings.Cut(after, dashes)
		body, tail, closed := strings.Cut(s, "-----END "+label+dashes)
		if !found || !closed {
			return "", nil, "", false
		}
		der, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(body), ""))
		if err == nil {
			return label, der, tail, true
		}
		s = tail
	}
}

func anyKey[K any](k K, err error) (any, error) { return k, err }

// RSAParameters is the struct of that name. Unlike a C# struct it is shared when it is copied.
type RSAParameters struct{ fields map[string][]byte }

// ClrName is System.Security.Cryptography.RSAParameters.
func (*RSAParameters) ClrName() string { return cryptoSpace + "RSAParameters" }

func (k *RSA) importParameters(p *RSAParameters) {
	num := func(name string) *big.Int { return new(big.Int).SetBytes(p.fields[name]) }
	n, e := num("Modulus"), num("Exponent")
	if n.Sign() == 0 || !e.IsInt64() || e.Int64() < 2 || e.Int64() > 1<<31-1 {
		cryptoError("The specified RSA parameters are not valid. Exponent and Modulus are required.")
	}
	k.public = &rsa.PublicKey{N: n, E: int(e.Int64())}
	k.private = nil
	if p.fields["D"] == nil {
		return
	}
	x := &rsa.PrivateKey{PublicKey: *k.public, D: num("D"), Primes: []*big.Int{num("P"), num("Q")}}
	if err := x.Validate(); err != nil {
		cryptoError("The specified RSA parameters are not valid.")
	}
	x.Precompute()
	k.private = x
}

func declareRSA(b *csharp.Builder) {
	declareRSAPadding(b)
	b.Type("abstract class "+cryptoSpace+"AsymmetricAlgorithm : System.IDisposable", csharp.Go[*RSA]()).
		Prop("int KeySize", csharp.F1(func(k *RSA) int { return k.publicKey().N.BitLen() }))
	p := b.Type("struct "+cryptoSpace+"RSAParameters", csharp.Go[*RSAParameters]().WithZero(func(*csharp.Type) any {
		return &RSAParameters{map[string][]byte{}}
	})).Outside()
	for _, name := range []string{"Modulus", "Exponent", "D", "P", "Q", "DP", "DQ", "InverseQ"} {
		p.Prop("byte[] "+name, csharp.F1(func(p *RSAParameters) []byte { return p.fields[name] }), csharp.V2(func(p *RSAParameters, v []byte) {
			p.fields[name] = bytes.Clone(v)
		}))
	}
	t := b.Type("abstract class "+cryptoSpace+"RSA : AsymmetricAlgorithm", csharp.Go[*RSA]())
	t.Static("RSA Create()", csharp.F0(func() *RSA { return &RSA{} }))
	t.Static("RSA Create(RSAParameters parameters)", csharp.F1(func(p *RSAParameters) *RSA {
		k := &RSA{}
		k.importParameters(p)
		return k
	}))
	t.Method("byte[] SignData(byte[] data, HashAlgorithmName hashAlgorithm, RSASignaturePadding padding)", csharp.F5(func(r run, k *RSA, data []byte, n HashAlgorithmName, p *rsaPadding) []byte {
		return k.signHash(r, digest(r, data, hashOf(n)), n, p)
	}))
	t.Method("byte[] SignHash(byte[] hash, HashAlgorithmName hashAlgorithm, RSASignaturePadding padding)", csharp.F5(func(r run, k *RSA, sum []byte, n HashAlgorithmName, p *rsaPadding) []byte {
		return k.signHash(r, sum, n, p)
	}))
	t.Method("bool VerifyData(byte[] data, byte[] signature, HashAlgorithmName hashAlgorithm, RSASignaturePadding padding)", csharp.F6(func(r run, k *RSA, data, sig []byte, n HashAlgorithmName, p *rsaPadding) bool {
		return k.verifyHash(r, digest(r, data, hashOf(n)), sig, n, p)
	}))
	t.Method("bool VerifyHash(byte[] hash, byte[] signature, HashAlgorithmName hashAlgorithm, RSASignaturePadding padding)", csharp.F6(func(r run, k *RSA, sum, sig []byte, n HashAlgorithmName, p *rsaPadding) bool {
		return k.verifyHash(r, sum, sig, n, p)
	}))
	t.Method("byte[] Encrypt(byte[] data, RSAEncryptionPadding padding)", csharp.F4(func(r run, k *RSA, data []byte, p *rsaPadding) []byte { return k.encrypt(r, data, p) }))
	t.Method("byte[] Decrypt(byte[] data, RSAEncryptionPadding padding)", csharp.F4(func(r run, k *RSA, data []byte, p *rsaPadding) []byte { return k.decrypt(r, data, p) }))
	t.Method("void ImportParameters(RSAParameters parameters)", csharp.V2((*RSA).importParameters))
	declareRSAExport(t)
	t.Method("void ImportFromPem(string input)", csharp.V2((*RSA).importPEM))
	t.Method("void Dispose()", csharp.V1((*RSA).Dispose))
	for name, parse := range map[string]func([]byte) (any, error){
		"ImportRSAPrivateKey":        func(der []byte) (any, error) { return x509.ParsePKCS1PrivateKey(der) },
		"ImportRSAPublicKey":         func(der []byte) (any, error) { return x509.ParsePKCS1PublicKey(der) },
		"ImportPkcs8PrivateKey":      x509.ParsePKCS8PrivateKey,
		"ImportSubjectPublicKeyInfo": x509.ParsePKIXPublicKey,
	} {
		t.Method("void "+name+"(byte[] source, out int bytesRead)", csharp.V3(func(k *RSA, der []byte, n ref) {
			k.load(parse(der))
			n.Value = int32(len(der))
		}))
	}
	b.Type("class "+cryptoSpace+"RSACryptoServiceProvider : RSA", csharp.Go[*RSA]()).Outside().
		New("()", csharp.F0(func() *RSA { return &RSA{} }))
}

func declareRSAPadding(b *csharp.Builder) {
	const sign, encrypt = "RSASignaturePadding", "RSAEncryptionPadding"
	s := b.Type("class "+cryptoSpace+sign, csharp.Go[*rsaPadding]())
	for _, name := range []string{"Pkcs1", "Pss"} {
		p := &rsaPadding{class: sign, name: name}
		s.StaticProp(sign+" "+name, csharp.F0(func() *rsaPadding { return p }))
	}
	e := b.Type("class "+cryptoSpace+encrypt, csharp.Go[*rsaPadding]())
	for name, h := range map[string]func() hash.Hash{"Pkcs1": nil, "OaepSHA1": sha1.New, "OaepSHA256": sha256.New, "OaepSHA384": sha512.New384, "OaepSHA512": sha512.New} {
		p := &rsaPadding{class: encrypt, name: name, oaep: h}
		e.StaticProp(encrypt+" "+name, csharp.F0(func() *rsaPadding { return p }))
	}
}
