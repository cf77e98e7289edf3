package clr

import (
	"crypto/md5"  // a policy chooses its algorithm: kept for compatibility
	"crypto/sha1" // likewise
	"crypto/sha256"
	"crypto/sha512"
	"hash"

	"github.com/causeway-apim/causeway/internal/csharp"
)

// A HashAlgorithm is System.Security.Cryptography.HashAlgorithm, an HMAC included.
type HashAlgorithm struct {
	clrName string
	h       hash.Hash
	key     []byte           // of an HMAC
	make    func() hash.Hash // of an HMAC: the hash under it
	last    []byte
}

// ClrName is the name of the class.
func (a *HashAlgorithm) ClrName() string { return a.clrName }

// Dispose does nothing: a hash keeps no resources.
func (a *HashAlgorithm) Dispose() {}

func (a *HashAlgorithm) compute(r run, b []byte) []byte {
	if b == nil {
		csharp.ThrowArgumentNull("buffer")
	}
	r.Steps(len(b) / 64)
	r.Alloc(a.h.Size())
	a.h.Reset()
	_, _ = a.h.Write(b) // a hash never fails
	a.last = a.h.Sum(nil)
	return a.last
}

func (a *HashAlgorithm) computeRange(r run, b []byte, offset, n int) []byte {
	switch {
	case b == nil:
		csharp.ThrowArgumentNull("buffer")
	case offset < 0:
		outOfRange("offset", "Non-negative number required.")
	case n < 0 || n > len(b):
		csharp.Throw("System.ArgumentException", "Value was invalid.")
	case len(b)-n < offset:
		csharp.Throw("System.ArgumentException", "Offset and length were out of bounds for the array or count is greater than the number of elements from index to the end of the source collection.")
	}
	return a.compute(r, b[offset:offset+n])
}

// hashFamily is one hash function and the classes that offer it.
type hashFamily struct {
	name string // MD5, SHA1 …
	bits int
	make func() hash.Hash
}

func hashFamilies() []hashFamily {
	return []hashFamily{
		{"MD5", 128, md5.New}, {"SHA1", 160, sha1.New}, {"SHA256", 256, sha256.New}, {"SHA384", 384, sha512.New384}, {"SHA512", 512, sha512.New},
	}
}

const cryptoSpace = "System.Security.Cryptography."

func declareHashes(b *csharp.Builder) {
	t := b.Type("abstract class "+cryptoSpace+"HashAlgorithm : System.IDisposable", csharp.Go[*HashAlgorithm]())
	t.Method("byte[] ComputeHash(byte[] buffer)", csharp.F3(func(r run, a *HashAlgorithm, b []byte) []byte { return a.compute(r, b) }))
	t.Method("byte[] ComputeHash(byte[] buffer, int offset, int count)", csharp.F5(func(r run, a *HashAlgorithm, b []byte, i, n int) []byte { return a.computeRange(r, b, i, n) }))
	t.Prop("int HashSize", csharp.F1(func(a *HashAlgorithm) int { return 8 * a.h.Size() }))
	t.Prop("byte[] Hash", csharp.F1(func(a *HashAlgorithm) []byte { return a.last }))
	t.Prop("bool CanReuseTransform", csharp.F1(func(*HashAlgorithm) bool { return true }))
	t.Method("void Clear()", csharp.V1((*HashAlgorithm).Dispose))
	t.Method("void Dispose()", csharp.V1((*HashAlgorithm).Dispose))
	t.Method("void Initialize()", csharp.V1(func(a *HashAlgorithm) { a.h.Reset() }))
	families := hashFamilies()
	t.Static("HashAlgorithm Create(string hashName)", csharp.F1(func(name string) *HashAlgorithm {
		for _, f := range families {
			if name == f.name || name == cryptoSpace+f.name || len(f.name) > 4 && name == "SHA-"+f.name[3:] {
				return &HashAlgorithm{clrName: cryptoSpace + f.name + "+Implementation", h: f.make()}
			}
		}
		return nil
	}))
	for _, f := range families {
		base := b.Type("abstract class "+cryptoSpace+f.name+" : HashAlgorithm", csharp.Go[*HashAlgorithm]())
		base.Static(f.name+" Create()", csharp.F0(func() *HashAlgorithm {
			return &HashAlgorithm{clrName: cryptoSpace + f.name + "+Implementation", h: f.make()}
		}))
		base.Static("byte[] HashData(byte[] source)", csharp.F2(func(r run, data []byte) []byte {
			if data == nil {
				csharp.ThrowArgumentNull("source")
			}
			return (&HashAlgorithm{h: f.make()}).compute(r, data)
		}))
		for _, suffix := range []string{"Managed", "CryptoServiceProvider"} {
			if f.name == "MD5" && suffix == "Managed" {
				continue
			}
			full := cryptoSpace + f.name + suffix
			c := b.Type("class "+full+" : "+f.name, csharp.Go[*HashAlgorithm]())
			if suffix != "Managed" {
				c.Outside()
			}
			c.New("()", csharp.F0(func() *HashAlgorithm { return &HashAlgorithm{clrName: full, h: f.make()} }))
		}
	}
	declareHashName(b, families)
}

// HashAlgorithmName is the struct of that name.
type HashAlgorithmName string

// ClrName is System.Security.Cryptography.HashAlgorithmName.
func (HashAlgorithmName) ClrName() string { return cryptoSpace + "HashAlgorithmName" }

// ToString is the name.
func (n HashAlgorithmName) ToString() string { return string(n) }

func declareHashName(b *csharp.Builder, families []hashFamily) {
	t := b.Type("struct "+cryptoSpace+"HashAlgorithmName", csharp.Go[HashAlgorithmName]())
	for _, f := range families {
		n := HashAlgorithmName(f.name)
		t.StaticProp("HashAlgorithmName "+f.name, csharp.F0(func() HashAlgorithmName { return n }))
	}
	t.New("(string name)", csharp.F1(func(s string) HashAlgorithmName { return HashAlgorithmName(s) }))
	t.Prop("string Name", csharp.F1(func(n HashAlgorithmName) string {
		if n == "" {
			return csharp.Null()
		}
		return string(n)
	}))
	t.Op("bool operator ==(HashAlgorithmName left, HashAlgorithmName right)", csharp.F2(func(a, b HashAlgorithmName) bool { return a == b }))
	t.Op("bool operator !=(HashAlgorithmName left, HashAlgorithmName right)", csharp.F2(func(a, b HashAlgorithmName) bool { return a != b }))
}
