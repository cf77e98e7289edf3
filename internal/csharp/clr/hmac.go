package clr

import (
	"crypto/hmac"
	"crypto/rand"
	"slices"

	"github.com/causeway-apim/causeway/internal/csharp"
)

func (a *HashAlgorithm) setKey(key []byte) {
	if key == nil {
		csharp.ThrowArgumentNull("value")
	}
	a.key = slices.Clone(key)
	if h := a.make(); len(key) > h.BlockSize() { // RFC 2104, section 2
		_, _ = h.Write(key) // a hash never fails
		a.key = h.Sum(nil)
	}
	a.h = hmac.New(a.make, a.key)
}

// declareHMAC declares HMACs and the random number class. A parameterless constructor makes a random key, as in .NET.
func declareHMAC(b *csharp.Builder) {
	k := b.Type("abstract class "+cryptoSpace+"KeyedHashAlgorithm : HashAlgorithm", csharp.Go[*HashAlgorithm]())
	k.Prop("byte[] Key", csharp.F1(func(a *HashAlgorithm) []byte { return slices.Clone(a.key) }), csharp.V2((*HashAlgorithm).setKey))
	h := b.Type("abstract class "+cryptoSpace+"HMAC : KeyedHashAlgorithm", csharp.Go[*HashAlgorithm]())
	h.Prop("string HashName", csharp.F1(func(a *HashAlgorithm) string { return a.clrName[len(cryptoSpace+"HMAC"):] }))
	for _, f := range hashFamilies() {
		full := cryptoSpace + "HMAC" + f.name
		create := func(key []byte) *HashAlgorithm {
			if key == nil {
				csharp.ThrowArgumentNull("key")
			}
			a := &HashAlgorithm{clrName: full, make: f.make}
			a.setKey(key)
			return a
		}
		t := b.Type("class "+full+" : HMAC", csharp.Go[*HashAlgorithm]())
		t.New("()", csharp.F0(func() *HashAlgorithm {
			key := make([]byte, f.make().BlockSize())
			_, _ = rand.Read(key) // never fails: see crypto/rand
			return create(key)
		}))
		t.New("(byte[] key)", csharp.F1(create))
		t.Static("byte[] HashData(byte[] key, byte[] source)", csharp.F3(func(r run, key, source []byte) []byte {
			if source == nil {
				csharp.ThrowArgumentNull("source")
			}
			return create(key).compute(r, source)
		}))
	}
}
