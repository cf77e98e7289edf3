package cache

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/causeway-apim/causeway/internal/redis/redistest"
)

// vectors is what both indexes do.
type vectors interface {
	Nearest(ctx context.Context, space string, vector []float32, maxDistance float64) (value []byte, distance float64, ok bool, err error)
	Add(ctx context.Context, space string, vector []float32, value []byte, ttl time.Duration) error
}

// wantNearest compares what is found; "" means nothing.
func wantNearest(t *testing.T, v vectors, space string, vector []float32, maxDistance float64, want string) {
	t.Helper()
	got, _, ok, err := v.Nearest(t.Context(), space, vector, maxDistance)
	if err != nil || ok != (want != "") || string(got) != want {
		t.Errorf("nearest to %v in %s: %q, %v, %v; want %q", vector, space, got, ok, err, want)
	}
}

func addVectors(t *testing.T, v vectors) {
	t.Helper()
	for value, vector := range map[string][]float32{"east": {2, 0, 0}, "north": {0, 1, 0}, "north-east": {3, 3, 0}} {
		if err := v.Add(t.Context(), "a", vector, []byte(value), time.Minute); err != nil {
			t.Fatal(err)
		}
	}
}

func TestVectors(t *testing.T) {
	t.Parallel()
	c := newTestClock()
	server := redistest.Start(t)
	client := openRedis(t, server.Address)
	r := func() vectors { return NewRedisVectors(client, NewRedis(client, 0), c.now) }
	memory := NewVectors(Options{Now: c.now})
	for name, pair := range map[string][2]vectors{"memory": {memory, memory}, "redis": {r(), r()}} {
		wantNearest(t, pair[1], "a", []float32{1, 0, 0}, 1, "")
		addVectors(t, pair[0])
		t.Run(name, func(t *testing.T) {
			v := pair[1]
			wantNearest(t, v, "a", []float32{1, 0, 0}, 0, "east")
			wantNearest(t, v, "a", []float32{1, 0.1, 0}, 0.01, "east")
			wantNearest(t, v, "a", []float32{1, 0.1, 0}, 0.001, "")
			wantNearest(t, v, "a", []float32{1, 0.9, 0}, 0.5, "north-east")
			wantNearest(t, v, "a", []float32{0, 0, 1}, 0.99, "")
			wantNearest(t, v, "b", []float32{1, 0, 0}, 1, "")
			wantNearest(t, v, "a", []float32{1, 0}, 1, "") // of another model
			if err := v.Add(t.Context(), "a", []float32{5, 0, 0}, []byte("east again"), time.Minute); err != nil {
				t.Fatal(err)
			}
			wantNearest(t, v, "a", []float32{1, 0, 0}, 0, "east again")
			wantNearest(t, pair[0], "a", []float32{1, 0, 0}, 0, "east again")
			for _, bad := range [][]float32{nil, {0, 0}, {float32(math.NaN())}, make([]float32, MaxDimensions+1)} {
				if v.Add(t.Context(), "a", bad, nil, time.Minute) == nil {
					t.Errorf("a vector of %d numbers was taken", len(bad))
				}
			}
		})
	}
	c.advance(time.Minute)
	wantNearest(t, memory, "a", []float32{1, 0, 0}, 1, "")
}

func TestVectorsWithoutValues(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	client := openRedis(t, server.Address)
	v := NewRedisVectors(client, NewRedis(client, 0), time.Now)
	addVectors(t, v)
	wantNearest(t, v, "a", []float32{1, 0, 0}, 0.5, "east")
	server.Do("FLUSHALL")
	wantNearest(t, v, "a", []float32{1, 0, 0}, 1, "")
	addVectors(t, v)
	wantNearest(t, v, "a", []float32{1, 0, 0}, 0.5, "east")
	server.Do("XADD", streamKey("a"), "*", "k", "x", "v", "123", "e", "later")
	wantNearest(t, v, "a", []float32{1, 0, 0}, 0.5, "east")
}

func TestIndexIsBounded(t *testing.T) {
	t.Parallel()
	var x index
	now := time.Unix(1000, 0)
	for i := range maxVectors + 10 {
		x.add("s", point{key: fmt.Sprint(i), vector: []float32{1}, expires: now.Add(time.Hour)})
	}
	for i := range maxSpaces + 10 {
		x.add(fmt.Sprint(i), point{key: "k", vector: []float32{1}, expires: now.Add(time.Hour)})
	}
	if len(x.spaces) > maxSpaces {
		t.Errorf("%d spaces", len(x.spaces))
	}
	total := 0
	for _, s := range x.spaces {
		if len(s.points) > maxVectors {
			t.Errorf("%d points", len(s.points))
		}
		for i := range s.points {
			total += s.points[i].size()
		}
	}
	if total != x.bytes {
		t.Errorf("%d bytes are counted as %d", total, x.bytes)
	}
}

func BenchmarkNearest(b *testing.B) {
	v := NewVectors(Options{Now: time.Now})
	random := rand.New(rand.NewPCG(1, 2))
	vector := func() []float32 {
		v := make([]float32, 1536)
		for i := range v {
			v[i] = float32(random.NormFloat64())
		}
		return v
	}
	for range maxVectors {
		if err := v.Add(b.Context(), "s", vector(), []byte("v"), time.Hour); err != nil {
			b.Fatal(err)
		}
	}
	query := vector()
	for b.Loop() {
		if _, _, _, err := v.Nearest(b.Context(), "s", query, 0.1); err != nil {
			b.Fatal(err)
		}
	}
}
