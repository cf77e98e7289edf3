package snapshot

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os"
	"reflect"
	"testing"
)

func TestDeltaRoundTrip(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	s := Empty()
	for range 100 {
		next, d := randomEdit(t, r, s)
		b, err := d.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		got, err := DecodeDelta(b)
		if err != nil || !reflect.DeepEqual(got, d) {
			t.Fatalf("got %+v, %v; want %+v", got, err, d)
		}
		s = next
	}
}

func TestSplit(t *testing.T) {
	t.Parallel()
	to := big(t, 50, 50)
	from, _ := Empty().Edit(1, []Part{policyPart(t, 3, 9), policyPart(t, 99, 1)}, nil)
	for _, size := range []int{1, 1000, 1 << 20} {
		s, pieces := from, 0
		for d := range Diff(from, to.At(2)).Split(from, size) {
			if s.Sequence() != 1 {
				t.Fatal("complete before the end")
			}
			next, err := s.Apply(d)
			if err != nil {
				t.Fatal(err)
			}
			s = next
			pieces++
		}
		if s.Digest() != to.Digest() || s.Sequence() != 2 {
			t.Errorf("size %d: wrong result after %d pieces", size, pieces)
		}
		if (pieces == 1) != (size == 1<<20) {
			t.Errorf("size %d: %d pieces", size, pieces)
		}
	}
}

func TestDecodeDeltaFindsDamage(t *testing.T) {
	t.Parallel()
	_, d := Empty().Edit(3, []Part{policyPart(t, 1, 1)}, nil)
	b, err := d.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	for i := range b {
		damaged := bytes.Clone(b)
		damaged[i] ^= 0x40
		if _, err := DecodeDelta(damaged); !errors.Is(err, ErrCorrupt) {
			t.Fatalf("byte %d changed: %v", i, err)
		}
		if _, err := DecodeDelta(b[:i]); !errors.Is(err, ErrCorrupt) {
			t.Fatalf("cut at %d: %v", i, err)
		}
	}
}

// TestFormat1 loads a delta as the first release wrote it. The file must load
// forever: never make it anew.
func TestFormat1(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("testdata/format1.delta")
	if err != nil {
		t.Fatal(err)
	}
	d, err := DecodeDelta(b)
	if err != nil {
		t.Fatal(err)
	}
	s, err := Empty().Apply(d)
	if err != nil {
		t.Fatal(err)
	}
	p, ok := s.Get(Key{KindPolicy, "apis/echo/policies/policy"})
	if !ok {
		t.Fatal("no policy")
	}
	policy, err := Decode[Policy](p)
	if err != nil || policy.Scope != "apis/echo" || policy.Value != "<policies />" {
		t.Errorf("got %+v, %v", policy, err)
	}
	if _, ok := s.Get(Key{"futureKind", "future/1"}); !ok || s.Sequence() != 42 || s.Len() != 3 {
		t.Errorf("sequence %d, %d parts", s.Sequence(), s.Len())
	}
	if again, err := Diff(Empty(), s).MarshalBinary(); err != nil || !bytes.Equal(again, b) {
		t.Errorf("the encoding of the same parts changed (%v)", err)
	}
}

// FuzzDecodeDelta checks that whatever decodes encodes to the same bytes.
func FuzzDecodeDelta(f *testing.F) {
	golden, err := os.ReadFile("testdata/format1.delta")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(golden)
	f.Add([]byte{1, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		// The fuzzer cannot guess checksums: also try with the right one.
		for _, in := range [][]byte{b, appendChecksum(b)} {
			d, err := DecodeDelta(in)
			if err != nil {
				if !errors.Is(err, ErrCorrupt) {
					t.Fatal(err)
				}
				continue
			}
			if out, err := d.MarshalBinary(); err != nil || !bytes.Equal(in, out) {
				t.Fatalf("%x encodes as %x (%v)", in, out, err)
			}
		}
	})
}

func appendChecksum(b []byte) []byte {
	sum := checksum(b)
	return append(bytes.Clone(b), byte(sum), byte(sum>>8), byte(sum>>16), byte(sum>>24))
}
