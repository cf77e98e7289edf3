package clr

import (
	"crypto/rand"

	"github.com/causeway-apim/causeway/internal/csharp"
)

// RandomNumberGenerator is the class of that name and RNGCryptoServiceProvider.
type RandomNumberGenerator struct{ _ byte }

// ClrName is System.Security.Cryptography.RNGCryptoServiceProvider.
func (*RandomNumberGenerator) ClrName() string { return cryptoSpace + "RNGCryptoServiceProvider" }

// Dispose does nothing.
func (*RandomNumberGenerator) Dispose() {}

// fill writes random bytes; with nonZero each of them is different from zero.
func (*RandomNumberGenerator) fill(r run, data []byte, nonZero bool) {
	if data == nil {
		csharp.ThrowArgumentNull("data")
	}
	r.Steps(len(data) / 64)
	_, _ = rand.Read(data) // never fails: see crypto/rand
	for i := range data {
		for nonZero && data[i] == 0 {
			_, _ = rand.Read(data[i : i+1])
		}
	}
}

func declareRNG(b *csharp.Builder) {
	t := b.Type("abstract class "+cryptoSpace+"RandomNumberGenerator : System.IDisposable", csharp.Go[*RandomNumberGenerator]()).Outside()
	t.Method("void GetBytes(byte[] data)", csharp.V3(func(r run, g *RandomNumberGenerator, data []byte) { g.fill(r, data, false) }))
	t.Method("void GetNonZeroBytes(byte[] data)", csharp.V3(func(r run, g *RandomNumberGenerator, data []byte) { g.fill(r, data, true) }))
	t.Method("void Dispose()", csharp.V1((*RandomNumberGenerator).Dispose))
	t.Static("RandomNumberGenerator Create()", csharp.F0(func() *RandomNumberGenerator { return &RandomNumberGenerator{} }))
	t.Static("byte[] GetBytes(int count)", csharp.F2(func(r run, n int) []byte {
		if n < 0 {
			outOfRange("count", "Non-negative number required.")
		}
		r.Alloc(n)
		data := make([]byte, n)
		(&RandomNumberGenerator{}).fill(r, data, false)
		return data
	}))
	p := b.Type("class "+cryptoSpace+"RNGCryptoServiceProvider : RandomNumberGenerator", csharp.Go[*RandomNumberGenerator]())
	p.New("()", csharp.F0(func() *RandomNumberGenerator { return &RandomNumberGenerator{} }))
	p.Method("void GetBytes(byte[] data)", csharp.V3(func(r run, g *RandomNumberGenerator, data []byte) { g.fill(r, data, false) }))
	p.Method("void GetNonZeroBytes(byte[] data)", csharp.V3(func(r run, g *RandomNumberGenerator, data []byte) { g.fill(r, data, true) }))
}
