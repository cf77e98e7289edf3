package clr

import (
	"math"

	"github.com/causeway-apim/causeway/internal/csharp"
)

// Random is System.Random. With a seed it gives .NET's own sequence (Knuth's subtractive generator, as published in
// "Numerical Recipes in C", with .NET's well-known slip in one index); without one any other will do.
type Random struct {
	state       [56]int32
	next, nextp int
}

// ClrName is System.Random.
func (*Random) ClrName() string { return "System.Random" }

// newRandom prepares the generator for a seed.
func newRandom(seed int32) *Random {
	r := &Random{nextp: 21}
	sub := seed
	if sub < 0 {
		sub = -sub
	}
	if seed == math.MinInt32 {
		sub = math.MaxInt32
	}
	mj := int32(161803398) - sub
	r.state[55] = mj
	mk := int32(1)
	ii := 0
	for range 54 {
		if ii += 21; ii >= 55 {
			ii -= 55
		}
		r.state[ii] = mk
		if mk = mj - mk; mk < 0 {
			mk += math.MaxInt32
		}
		mj = r.state[ii]
	}
	for range 4 {
		for i := 1; i < 56; i++ {
			n := i + 30
			if n >= 55 {
				n -= 55
			}
			r.state[i] -= r.state[1+n]
			if r.state[i] < 0 {
				r.state[i] += math.MaxInt32
			}
		}
	}
	return r
}

// sample gives a number from 0 to Int32.MaxValue-1.
func (r *Random) sample() int32 {
	if r.next++; r.next >= 56 {
		r.next = 1
	}
	if r.nextp++; r.nextp >= 56 {
		r.nextp = 1
	}
	n := r.state[r.next] - r.state[r.nextp]
	if n == math.MaxInt32 {
		n--
	}
	if n < 0 {
		n += math.MaxInt32
	}
	r.state[r.next] = n
	return n
}

func (r *Random) double() float64 { return float64(r.sample()) * (1.0 / math.MaxInt32) }

// between gives a number from low up to, not including, high.
func (r *Random) between(low, high int) int {
	if low > high {
		outOfRange("minValue", "'minValue' cannot be greater than maxValue.")
	}
	width := int64(high) - int64(low)
	if width <= math.MaxInt32 {
		return low + int(r.double()*float64(width))
	}
	// A wide range takes two samples, one of them for the sign.
	n := int64(r.sample())
	if r.sample()%2 == 0 {
		n = -n
	}
	d := (float64(n) + (math.MaxInt32 - 1)) / (2*float64(math.MaxInt32) - 1)
	return int(int64(d*float64(width)) + int64(low))
}

func randomSeed() int32 {
	g := NewGuid()
	return int32(g[0])<<24 | int32(g[1])<<16 | int32(g[2])<<8 | int32(g[3])
}

func declareRandom(b *csharp.Builder) {
	t := b.Type("class System.Random", csharp.Go[*Random]())
	declareRandomMore(t)
	t.New("()", csharp.F0(func() *Random { return newRandom(randomSeed()) }))
	t.New("(int Seed)", csharp.F1(newRandom))
	t.Method("int Next()", csharp.F1(func(r *Random) int { return int(r.sample()) }))
	t.Method("int Next(int maxValue)", csharp.F2(func(r *Random, high int) int {
		if high < 0 {
			outOfRange("maxValue", "'maxValue' must be greater than zero.")
		}
		return int(r.double() * float64(high))
	}))
	t.Method("int Next(int minValue, int maxValue)", csharp.F3((*Random).between))
	t.Method("double NextDouble()", csharp.F1((*Random).double))
	t.Method("void NextBytes(byte[] buffer)", csharp.V2(func(r *Random, b []byte) {
		for i := range b {
			b[i] = byte(r.sample())
		}
	}))
}

// declareRandomMore declares the members of later versions: sequences after a seed are those of .NET only where they come of Next.
func declareRandomMore(t *csharp.TypeBuilder) {
	t.StaticProp("Random Shared", csharp.F0(func() *Random { return newRandom(randomSeed()) }))
	long := func(r *Random, low, high int64) int64 {
		if low > high {
			outOfRange("minValue", "'minValue' cannot be greater than maxValue.")
		}
		width := uint64(high) - uint64(low)
		if width <= 1 {
			return low
		}
		n := uint64(r.sample())<<62 ^ uint64(r.sample())<<31 ^ uint64(r.sample())
		return int64(uint64(low) + n%width)
	}
	t.Method("long NextInt64()", csharp.F1(func(r *Random) int64 { return long(r, 0, math.MaxInt64) }))
	t.Method("long NextInt64(long maxValue)", csharp.F2(func(r *Random, n int64) int64 {
		if n < 0 {
			csharp.ThrowActual("maxValue ('"+text(n)+"') must be a non-negative value.", "maxValue", text(n))
		}
		return long(r, 0, n)
	}))
	t.Method("long NextInt64(long minValue, long maxValue)", csharp.F3(long))
	t.Method("float NextSingle()", csharp.F1(func(r *Random) float64 { return float64(r.sample()>>7) / (1 << 24) }))
	t.Method("void Shuffle<T>(T[] values)", csharp.V2(func(r *Random, a any) {
		needArg(a, "values")
		for i, items := 0, indexable(a); i < len(items)-1; i++ {
			if j := r.between(i, len(items)); j != i {
				x, y := items[i], items[j]
				items[i], items[j] = y, x
				setItem(a, i, y)
				setItem(a, j, x)
			}
		}
	}))
	t.Method("T[] GetItems<T>(T[] choices, int length)", csharp.F5(func(t typeArgs, r run, x *Random, a any, n int) any {
		items := indexable(a)
		if len(items) == 0 {
			csharp.ThrowArgument("System.ArgumentException", "Span may not be empty.", "choices")
		}
		if n < 0 {
			negative("length", n)
		}
		r.Alloc(16 * n)
		out := make([]any, n)
		for i := range out {
			out[i] = items[x.between(0, len(items))]
		}
		return t[0].MakeArray(out)
	}))
}
