package cache

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"math"
	"slices"
	"strings"
	"sync"
	"time"
)

// Bounds of an index of vectors.
const (
	// MaxDimensions is how many numbers a vector has at most.
	MaxDimensions = 8192
	// maxVectors is how many vectors a space holds: a search looks at each.
	maxVectors = 4096
	// maxSpaces is how many spaces are held.
	maxSpaces = 1024
	// maxIndexBytes bounds the vectors of all spaces together.
	maxIndexBytes = 256 << 20
)

var errVector = errors.New("a vector has no direction, or too many dimensions")

// Vectors keeps values by the meaning of what they answer: by vectors, of which the nearest one is found. They lie in spaces that know nothing of each
// other. It is safe for concurrent use.
type Vectors struct {
	now    func() time.Time
	values *Memory
	index  index
}

// NewVectors returns an index in memory. Its values are kept in a cache of the same bounds as those of other values.
func NewVectors(o Options) *Vectors {
	return &Vectors{now: o.Now, values: NewMemory(o)}
}

// Nearest returns the value whose vector is nearest, when the cosine distance (0: the same direction, 1: nothing in common) is at most maxDistance.
func (v *Vectors) Nearest(ctx context.Context, space string, vector []float32, maxDistance float64) (value []byte, distance float64, ok bool, err error) {
	unit, err := normalize(vector)
	if err != nil {
		return nil, 0, false, err
	}
	return v.index.nearest(space, unit, maxDistance, v.now(), func(key string) ([]byte, bool, error) { return v.values.Get(ctx, key) })
}

// Add keeps a value for ttl. It replaces the one with the same vector.
func (v *Vectors) Add(ctx context.Context, space string, vector []float32, value []byte, ttl time.Duration) error {
	unit, err := normalize(vector)
	if err != nil {
		return err
	}
	key := valueKey(space, unit)
	if err := v.values.Set(ctx, key, value, ttl); err != nil {
		return err
	}
	v.index.add(space, point{key: key, vector: unit, expires: v.now().Add(ttl)})
	return nil
}

// valueKey is the key of the value of a vector.
func valueKey(space string, unit []float32) string {
	h := sha256.New()
	h.Write(vectorBytes(unit))
	return "vector|" + space + "|" + base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:18])
}

// vectorBytes are the numbers one after the other, little-endian.
func vectorBytes(v []float32) []byte {
	b := make([]byte, 0, 4*len(v))
	for _, x := range v {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(x))
	}
	return b
}

// normalize returns a vector of the same direction and of length 1.
func normalize(v []float32) ([]float32, error) {
	sum := 0.0
	for _, x := range v {
		sum += float64(x) * float64(x)
	}
	if len(v) > MaxDimensions || sum == 0 || math.IsNaN(sum) || math.IsInf(sum, 0) {
		return nil, errVector
	}
	length := math.Sqrt(sum)
	unit := make([]float32, len(v))
	for i, x := range v {
		unit[i] = float32(float64(x) / length)
	}
	return unit, nil
}

// index finds vectors. Its zero value is empty.
type index struct {
	mu     sync.Mutex
	spaces map[string]*space
	bytes  int
	uses   uint64
}

// space is the vectors of one space, oldest first.
type space struct {
	points   []point
	lastUsed uint64
	seen     string // last record that was read from elsewhere
}

// point is a vector of length 1 and the key of its value.
type point struct {
	key     string
	vector  []float32
	expires time.Time
}

func (p *point) size() int { return 4*len(p.vector) + len(p.key) }

// nearest looks for the nearest point that still has a value.
func (x *index) nearest(name string, unit []float32, maxDistance float64, now time.Time, get func(key string) ([]byte, bool, error)) ([]byte, float64, bool, error) {
	for {
		key, distance, ok := x.best(name, unit, maxDistance, now)
		if !ok {
			return nil, 0, false, nil
		}
		value, ok, err := get(key)
		if err != nil || ok {
			return value, distance, ok, err
		}
		x.remove(name, key) // the value has gone before its vector
	}
}

// best returns the key of the nearest point.
func (x *index) best(name string, unit []float32, maxDistance float64, now time.Time) (key string, distance float64, ok bool) {
	x.mu.Lock()
	s := x.spaces[name]
	if s == nil {
		x.mu.Unlock()
		return "", 0, false
	}
	x.uses++
	s.lastUsed = x.uses
	x.drop(s, func(p *point) bool { return !p.expires.After(now) })
	points := s.points // a change makes another slice
	x.mu.Unlock()
	const rounding = 1e-6 // of numbers with 24 bits
	distance = math.Inf(1)
	for i := range points {
		p := &points[i]
		if len(p.vector) != len(unit) {
			continue
		}
		if d := max(1-dot(p.vector, unit), 0); d < distance {
			key, distance = p.key, d
		}
	}
	if distance < rounding {
		distance = 0
	}
	return key, distance, distance <= maxDistance
}

// dot is the product of two vectors of the same length.
func dot(a, b []float32) float64 {
	var sum [4]float32
	b = b[:len(a)]
	i := 0
	for ; i+4 <= len(a); i += 4 {
		sum[0] += a[i] * b[i]
		sum[1] += a[i+1] * b[i+1]
		sum[2] += a[i+2] * b[i+2]
		sum[3] += a[i+3] * b[i+3]
	}
	for ; i < len(a); i++ {
		sum[0] += a[i] * b[i]
	}
	return float64(sum[0] + sum[1] + sum[2] + sum[3])
}

// add adds a point and makes room for it.
func (x *index) add(name string, p point) {
	x.mu.Lock()
	defer x.mu.Unlock()
	s := x.space(name)
	x.drop(s, func(old *point) bool { return old.key == p.key })
	if len(s.points) >= maxVectors {
		oldest := s.points[0].key
		x.drop(s, func(old *point) bool { return old.key == oldest })
	}
	s.points = append(s.points, p) // readers of the slice see only what was there
	for x.bytes += p.size(); x.bytes > maxIndexBytes && len(x.spaces) > 1; {
		x.forget()
	}
}

// remove takes a point away.
func (x *index) remove(name, key string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if s := x.spaces[name]; s != nil {
		x.drop(s, func(p *point) bool { return p.key == key })
	}
}

// drop takes points away, in a new slice: a search may still read the old one.
func (x *index) drop(s *space, which func(*point) bool) {
	if !slices.ContainsFunc(s.points, func(p point) bool { return which(&p) }) {
		return
	}
	kept := make([]point, 0, len(s.points))
	for i := range s.points {
		if p := &s.points[i]; which(p) {
			x.bytes -= p.size()
		} else {
			kept = append(kept, *p)
		}
	}
	s.points = kept
}

// space returns the space of that name, made when there is none.
func (x *index) space(name string) *space {
	s := x.spaces[name]
	if s == nil {
		if len(x.spaces) >= maxSpaces {
			x.forget()
		}
		if x.spaces == nil {
			x.spaces = make(map[string]*space)
		}
		s = &space{}
		x.spaces[strings.Clone(name)] = s
	}
	x.uses++
	s.lastUsed = x.uses
	return s
}

// forget drops the space that nobody has used for the longest time.
func (x *index) forget() {
	var oldest string
	found := false
	for name, s := range x.spaces {
		if !found || s.lastUsed < x.spaces[oldest].lastUsed {
			oldest, found = name, true
		}
	}
	for i := range x.spaces[oldest].points {
		x.bytes -= x.spaces[oldest].points[i].size()
	}
	delete(x.spaces, oldest)
}

// seen is the last record of a space that was read from elsewhere.
func (x *index) seen(name string) string {
	x.mu.Lock()
	defer x.mu.Unlock()
	if s := x.spaces[name]; s != nil {
		return s.seen
	}
	return ""
}

// saw notes the last record that was read.
func (x *index) saw(name, record string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.space(name).seen = record
}
