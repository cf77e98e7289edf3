package snapshot

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestRandomEdits compares snapshots after many edits with maps, with snapshots
// made from scratch and with what deltas make of the one before.
func TestRandomEdits(t *testing.T) {
	t.Parallel()
	for seed := range uint64(8) {
		r := rand.New(rand.NewPCG(seed, 1))
		s, want := Empty(), map[Key]Part{}
		history := []*Snapshot{s}
		for range 400 {
			next, d := randomEdit(t, r, s)
			for _, k := range d.Delete {
				delete(want, k)
			}
			for _, p := range d.Put {
				want[p.Key] = p
			}
			applied, err := s.Apply(d)
			if err != nil {
				t.Fatal(err)
			}
			parts := slices.AppendSeq(slices.Collect(s.All()), next.All()) // of doubles the later one counts
			for _, k := range d.Delete {
				parts = slices.DeleteFunc(parts, func(p Part) bool { return p.Key == k })
			}
			scratch := Of(next.Sequence(), parts)
			if applied.Digest() != next.Digest() || scratch.Digest() != next.Digest() {
				t.Fatalf("seed %d: digests differ at %d", seed, next.Sequence())
			}
			if next.Len() != len(want) || applied.Len() != len(want) || scratch.Bytes() != next.Bytes() {
				t.Fatalf("seed %d: %d parts, want %d", seed, next.Len(), len(want))
			}
			s = next
			if r.IntN(4) == 0 { // what was made at once is edited like what grew
				s = scratch
			}
			history = append(history, s)
		}
		keys := make([]Key, 0, len(want))
		for p := range s.All() {
			if got, ok := s.Get(p.Key); !ok || got.Digest != want[p.Key].Digest {
				t.Fatalf("%s differs", p.Key)
			}
			keys = append(keys, p.Key)
		}
		if !slices.IsSortedFunc(keys, Key.Compare) {
			t.Fatal("not in order")
		}
		for range 200 {
			a, b := history[r.IntN(len(history))], history[r.IntN(len(history))]
			if got, err := a.Apply(Diff(a, b)); err != nil || got.Digest() != b.Digest() {
				t.Fatalf("difference from %d to %d: %v", a.Sequence(), b.Sequence(), err)
			}
		}
	}
}

func TestSameContentIsNoChange(t *testing.T) {
	t.Parallel()
	p := mustEncode(t, KindGroup, "groups/g", Group{Name: "g"})
	a, _ := Empty().Edit(1, []Part{p}, nil)
	b, d := a.Edit(2, []Part{p}, []Key{{KindGroup, "groups/none"}})
	if !d.Empty() || b.Digest() != a.Digest() || b.Sequence() != 2 {
		t.Fatalf("got %+v", d)
	}
	c, d := b.Edit(3, nil, []Key{p.Key})
	if len(d.Delete) != 1 || c.Digest() != Empty().Digest() || c.Len() != 0 || c.Bytes() != 0 {
		t.Fatalf("got %+v, %d parts", d, c.Len())
	}
}

func TestApplyRefusesForeignDeltas(t *testing.T) {
	t.Parallel()
	a, d := Empty().Edit(5, []Part{mustEncode(t, KindGroup, "groups/g", Group{Name: "g"})}, nil)
	if _, err := a.Apply(d); !errors.Is(err, ErrSequence) {
		t.Errorf("again: %v", err)
	}
	d.Digest[7] ^= 1
	if _, err := Empty().Apply(d); !errors.Is(err, ErrDigest) {
		t.Errorf("wrong digest: %v", err)
	}
}

func TestByKind(t *testing.T) {
	t.Parallel()
	s := big(t, 300, 100)
	n := 0
	for p := range s.ByKind(KindOperation) {
		if p.Key.Kind != KindOperation {
			t.Fatalf("got %s", p.Key)
		}
		n++
	}
	if n != 300 {
		t.Errorf("%d operations", n)
	}
	for p := range s.ByKind("nothing") {
		t.Errorf("got %s", p.Key)
	}
}

func TestEncodeDecode(t *testing.T) {
	t.Parallel()
	in := Policy{Scope: "apis/a", Format: "rawxml", Value: `<policies a="1 & 2">é</policies>`}
	p := mustEncode(t, KindPolicy, "apis/a/policies/policy", in)
	q := mustEncode(t, KindPolicy, "apis/a/policies/policy", in)
	if p.Digest != q.Digest || string(p.Data) != string(q.Data) {
		t.Error("the same value gives different parts")
	}
	if out, err := Decode[Policy](p); err != nil || out != in {
		t.Errorf("got %+v, %v", out, err)
	}
	if _, err := Encode(KindPolicy, "APIs/a", in); err == nil {
		t.Error("upper-case ID accepted")
	}
	bad, err := NewPart(p.Key, []byte("\x09{}"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Decode[Policy](bad); err == nil {
		t.Error("unknown format decoded")
	}
}
