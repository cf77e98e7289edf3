package clr

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/des" // a policy chooses its algorithm: kept for compatibility
	"crypto/rand"
	"slices"

	"github.com/causeway-apim/causeway/internal/csharp"
)

// System.Security.Cryptography.CipherMode and PaddingMode.
const (
	modeCBC = 1
	modeECB = 2
	modeCFB = 4

	paddingNone     = 1
	paddingPKCS7    = 2
	paddingZeros    = 3
	paddingANSI     = 4
	paddingISO10126 = 5
)

// A symmetricKind is one block cipher.
type symmetricKind struct {
	name      string // of the class, such as Aes
	block     int    // bytes
	keys      []int  // allowed lengths in bytes, the default last
	newCipher func(key []byte) (cipher.Block, error)
	aliases   []string // of SymmetricAlgorithm.Create
}

func symmetricKinds() []*symmetricKind {
	return []*symmetricKind{
		{"Aes", aes.BlockSize, []int{16, 24, 32}, aes.NewCipher, []string{"Aes", "AES", "AesManaged", "AesCryptoServiceProvider"}},
		{"Rijndael", aes.BlockSize, []int{16, 24, 32}, aes.NewCipher, []string{"Rijndael", "RijndaelManaged"}},
		{"TripleDES", des.BlockSize, []int{16, 24}, newTripleDES, []string{"TripleDES", "3DES", "Triple DES", "TripleDESCryptoServiceProvider"}},
		{"DES", des.BlockSize, []int{8}, des.NewCipher, []string{"DES", "DESCryptoServiceProvider"}},
	}
}

// newTripleDES takes keys of two parts too, of which the first is used twice.
func newTripleDES(key []byte) (cipher.Block, error) {
	if len(key) == 16 {
		key = append(slices.Clone(key), key[:8]...)
	}
	return des.NewTripleDESCipher(key)
}

// A SymmetricAlgorithm is System.Security.Cryptography.SymmetricAlgorithm.
type SymmetricAlgorithm struct {
	kind          *symmetricKind
	clrName       string
	key, iv       []byte
	mode, padding int
}

// ClrName is the name of the class.
func (a *SymmetricAlgorithm) ClrName() string { return a.clrName }

// Dispose does nothing.
func (a *SymmetricAlgorithm) Dispose() {}

func newSymmetric(kind *symmetricKind, clrName string) *SymmetricAlgorithm {
	a := &SymmetricAlgorithm{kind: kind, clrName: clrName, mode: modeCBC, padding: paddingPKCS7}
	a.generateKey()
	a.generateIV()
	return a
}

func (a *SymmetricAlgorithm) generateKey() {
	a.key = make([]byte, a.kind.keys[len(a.kind.keys)-1])
	_, _ = rand.Read(a.key) // never fails: see crypto/rand
}

func (a *SymmetricAlgorithm) generateIV() {
	a.iv = make([]byte, a.kind.block)
	_, _ = rand.Read(a.iv)
}

func cryptoError(message string) { csharp.Throw(cryptoSpace+"CryptographicException", message) }

func (a *SymmetricAlgorithm) setKey(key []byte) {
	if key == nil {
		csharp.ThrowArgumentNull("value")
	}
	if !slices.Contains(a.kind.keys, len(key)) {
		cryptoError("Specified key is not a valid size for this algorithm.")
	}
	a.key = slices.Clone(key)
}

func (a *SymmetricAlgorithm) setIV(iv []byte) {
	if iv == nil {
		csharp.ThrowArgumentNull("value")
	}
	if len(iv) != a.kind.block {
		cryptoError("Specified initialization vector (IV) does not match the block size for this algorithm.")
	}
	a.iv = slices.Clone(iv)
}

func (a *SymmetricAlgorithm) cipher() cipher.Block {
	c, err := a.kind.newCipher(a.key)
	if err != nil {
		cryptoError("Specified key is not a valid size for this algorithm.")
	}
	return c
}

func (a *SymmetricAlgorithm) encrypt(r run, data []byte) []byte {
	r.Alloc(len(data) + a.kind.block)
	r.Steps(len(data) / 64)
	data = a.pad(data)
	c := a.cipher()
	switch a.mode {
	case modeCBC:
		cipher.NewCBCEncrypter(c, a.iv).CryptBlocks(data, data)
	case modeECB:
		for i := 0; i < len(data); i += a.kind.block {
			c.Encrypt(data[i:], data[i:])
		}
	default:
		a.feedback(c, data, true)
	}
	return data
}

func (a *SymmetricAlgorithm) decrypt(r run, data []byte) []byte {
	r.Alloc(len(data))
	r.Steps(len(data) / 64)
	if len(data)%a.step() != 0 {
		cryptoError("The input data is not a complete block.")
	}
	data = slices.Clone(data)
	c := a.cipher()
	switch a.mode {
	case modeCBC:
		cipher.NewCBCDecrypter(c, a.iv).CryptBlocks(data, data)
	case modeECB:
		for i := 0; i < len(data); i += a.kind.block {
			c.Decrypt(data[i:], data[i:])
		}
	default:
		a.feedback(c, data, false)
	}
	return a.unpad(data)
}

// step is the length of which the data is a multiple.
func (a *SymmetricAlgorithm) step() int {
	if a.mode == modeCFB {
		return 1 // .NET's default feedback size is 8 bits
	}
	return a.kind.block
}

// feedback is CFB with a feedback of one byte (NIST SP 800-38A, section 6.3).
func (a *SymmetricAlgorithm) feedback(c cipher.Block, data []byte, encrypt bool) {
	shift := slices.Clone(a.iv)
	out := make([]byte, len(shift))
	for i, in := range data {
		c.Encrypt(out, shift)
		data[i] ^= out[0]
		if encrypt {
			in = data[i]
		}
		shift = append(shift[1:], in)
	}
}

func (a *SymmetricAlgorithm) pad(data []byte) []byte {
	step := a.step()
	n := step - len(data)%step
	out := slices.Clone(data)
	switch a.padding {
	case paddingNone:
		if n != step {
			cryptoError("The input data is not a complete block.")
		}
		return out
	case paddingZeros:
		return append(out, make([]byte, n%step)...)
	case paddingPKCS7:
		return append(out, bytes.Repeat([]byte{byte(n)}, n)...)
	}
	fill := make([]byte, n)
	if a.padding == paddingISO10126 {
		_, _ = rand.Read(fill)
	}
	fill[n-1] = byte(n)
	return append(out, fill...)
}

func (a *SymmetricAlgorithm) unpad(data []byte) []byte {
	if a.padding == paddingNone || a.padding == paddingZeros || len(data) == 0 {
		return data
	}
	n := int(data[len(data)-1])
	ok := n > 0 && n <= a.step()
	if ok {
		for _, c := range data[len(data)-n : len(data)-1] {
			ok = ok && (a.padding == paddingISO10126 || a.padding == paddingPKCS7 && int(c) == n || a.padding == paddingANSI && c == 0)
		}
	}
	if !ok {
		cryptoError("Padding is invalid and cannot be removed.")
	}
	return data[:len(data)-n]
}

// A transform is ICryptoTransform.
type transform struct {
	a       *SymmetricAlgorithm
	encrypt bool
}

// Dispose does nothing.
func (*transform) Dispose() {}

func (a *SymmetricAlgorithm) with(key, iv []byte) *SymmetricAlgorithm {
	x := *a
	x.setKey(key)
	if iv != nil || x.mode != modeECB {
		x.setIV(iv)
	}
	return &x
}

func declareSymmetric(b *csharp.Builder) {
	b.Enum(cryptoSpace+"CipherMode", false, []string{"CBC", "ECB", "OFB", "CFB", "CTS"}, []int64{1, 2, 3, 4, 5})
	b.Enum(cryptoSpace+"PaddingMode", false, []string{"None", "PKCS7", "Zeros", "ANSIX923", "ISO10126"}, []int64{1, 2, 3, 4, 5})
	kinds := symmetricKinds()
	byName := func(name string) *SymmetricAlgorithm {
		needString(name, "algName")
		for _, k := range kinds {
			for _, n := range k.aliases {
				if name == n || name == cryptoSpace+n {
					return newSymmetric(k, cryptoSpace+k.name)
				}
			}
		}
		return nil
	}
	tr := b.Type("interface "+cryptoSpace+"ICryptoTransform : System.IDisposable", csharp.Go[*transform]()).Outside()
	tr.Method("byte[] TransformFinalBlock(byte[] inputBuffer, int inputOffset, int inputCount)", csharp.F5(func(r run, t *transform, data []byte, i, n int) []byte {
		data = byteRange(data, i, n, "inputBuffer")
		if t.encrypt {
			return t.a.encrypt(r, data)
		}
		return t.a.decrypt(r, data)
	}))
	t := b.Type("abstract class "+cryptoSpace+"SymmetricAlgorithm : System.IDisposable", csharp.Go[*SymmetricAlgorithm]())
	t.Static("SymmetricAlgorithm Create(string algName)", csharp.F1(byName))
	declareSymmetricMembers(t)
	for _, k := range kinds {
		base := b.Type("abstract class "+cryptoSpace+k.name+" : SymmetricAlgorithm", csharp.Go[*SymmetricAlgorithm]()).Outside()
		base.Static(k.name+" Create()", csharp.F0(func() *SymmetricAlgorithm { return newSymmetric(k, cryptoSpace+k.name+"Implementation") }))
		for _, suffix := range []string{"Managed", "CryptoServiceProvider"} {
			if (suffix == "Managed") != (k.name == "Rijndael") && k.name != "Aes" {
				continue
			}
			full := cryptoSpace + k.name + suffix
			b.Type("class "+full+" : "+k.name, csharp.Go[*SymmetricAlgorithm]()).Outside().
				New("()", csharp.F0(func() *SymmetricAlgorithm { return newSymmetric(k, full) }))
		}
	}
	declareCipherExtensions(b, byName)
}

func declareSymmetricMembers(t *csharp.TypeBuilder) {
	t.Prop("byte[] Key", csharp.F1(func(a *SymmetricAlgorithm) []byte { return slices.Clone(a.key) }), csharp.V2((*SymmetricAlgorithm).setKey))
	t.Prop("byte[] IV", csharp.F1(func(a *SymmetricAlgorithm) []byte { return slices.Clone(a.iv) }), csharp.V2((*SymmetricAlgorithm).setIV))
	t.Prop("CipherMode Mode", csharp.F1(func(a *SymmetricAlgorithm) int { return a.mode }), csharp.V2(func(a *SymmetricAlgorithm, m int) {
		if m != modeCBC && m != modeECB && m != modeCFB {
			cryptoError("Specified cipher mode is not valid for this algorithm.")
		}
		a.mode = m
	}))
	t.Prop("PaddingMode Padding", csharp.F1(func(a *SymmetricAlgorithm) int { return a.padding }), csharp.V2(func(a *SymmetricAlgorithm, p int) {
		if p < paddingNone || p > paddingISO10126 {
			cryptoError("Specified padding mode is not valid for this algorithm.")
		}
		a.padding = p
	}))
	t.Prop("int KeySize", csharp.F1(func(a *SymmetricAlgorithm) int { return 8 * len(a.key) }), csharp.V2(func(a *SymmetricAlgorithm, bits int) {
		if bits%8 != 0 || !slices.Contains(a.kind.keys, bits/8) {
			cryptoError("Specified key is not a valid size for this algorithm.")
		}
		a.key = make([]byte, bits/8)
		_, _ = rand.Read(a.key)
	}))
	t.Prop("int BlockSize", csharp.F1(func(a *SymmetricAlgorithm) int { return 8 * a.kind.block }), csharp.V2(func(a *SymmetricAlgorithm, bits int) {
		if bits != 8*a.kind.block {
			cryptoError("Specified block size is not valid for this algorithm.")
		}
	}))
	t.Method("void GenerateKey()", csharp.V1((*SymmetricAlgorithm).generateKey))
	t.Method("void GenerateIV()", csharp.V1((*SymmetricAlgorithm).generateIV))
	t.Method("void Clear()", csharp.V1((*SymmetricAlgorithm).Dispose))
	t.Method("void Dispose()", csharp.V1((*SymmetricAlgorithm).Dispose))
	for name, encrypt := range map[string]bool{"CreateEncryptor": true, "CreateDecryptor": false} {
		t.Method("ICryptoTransform "+name+"()", csharp.F1(func(a *SymmetricAlgorithm) *transform { return &transform{a.with(a.key, a.iv), encrypt} }))
		t.Method("ICryptoTransform "+name+"(byte[] rgbKey, byte[] rgbIV)", csharp.F3(func(a *SymmetricAlgorithm, key, iv []byte) *transform {
			return &transform{a.with(key, iv), encrypt}
		}))
	}
}

// declareCipherExtensions declares API Management's own Encrypt and Decrypt on byte arrays.
func declareCipherExtensions(b *csharp.Builder, byName func(string) *SymmetricAlgorithm) {
	e := b.Type("static class CipherExtensions", csharp.NoGo())
	for name, do := range map[string]func(*SymmetricAlgorithm, run, []byte) []byte{"Encrypt": (*SymmetricAlgorithm).encrypt, "Decrypt": (*SymmetricAlgorithm).decrypt} {
		e.Ext("byte[] "+name+"(this byte[] input, string alg, byte[] key, byte[] iv)", csharp.F5(func(r run, data []byte, alg string, key, iv []byte) []byte {
			needBytes(data)
			a := byName(alg)
			if a == nil {
				cryptoError("'" + alg + "' is not a known symmetric algorithm.")
			}
			return do(a.with(key, iv), r, data)
		}))
		e.Ext("byte[] "+name+"(this byte[] input, SymmetricAlgorithm alg)", csharp.F3(func(r run, data []byte, a *SymmetricAlgorithm) []byte {
			needBytes(data)
			if a == nil {
				csharp.ThrowArgumentNull("alg")
			}
			return do(a, r, data)
		}))
		e.Ext("byte[] "+name+"(this byte[] input, SymmetricAlgorithm alg, byte[] key, byte[] iv)", csharp.F5(func(r run, data []byte, a *SymmetricAlgorithm, key, iv []byte) []byte {
			needBytes(data)
			if a == nil {
				csharp.ThrowArgumentNull("alg")
			}
			return do(a.with(key, iv), r, data)
		}))
	}
}

func needBytes(b []byte) {
	if b == nil {
		csharp.ThrowArgumentNull("input")
	}
}
