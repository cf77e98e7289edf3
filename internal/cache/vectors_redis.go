package cache

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/redis/rueidis"

	"github.com/causeway-apim/causeway/internal/redis"
)

// RedisVectors is an index of vectors whose entries lie in a Redis that several gateways share: the vectors of a space are records of a stream, of which
// each process reads the new ones before it searches in its own memory. It needs no module of Redis.
type RedisVectors struct {
	client *redis.Client
	values *Redis
	now    func() time.Time
	add    *rueidis.Lua
	index  index
}

// addVector appends a record and lets the stream live as long as its longest entry.
const addVector = `redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[1], '*', 'k', ARGV[2], 'v', ARGV[3], 'e', ARGV[4])
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[5]) then redis.call('PEXPIRE', KEYS[1], ARGV[5]) end`

const (
	streamPrefix = "causeway:vectors:"
	// streamPage is how many records are read at once.
	streamPage = 128
)

// NewRedisVectors returns an index whose values are kept in a cache of the same Redis.
func NewRedisVectors(client *redis.Client, values *Redis, now func() time.Time) *RedisVectors {
	return &RedisVectors{client: client, values: values, now: now, add: rueidis.NewLuaScript(addVector)}
}

// Nearest returns the value whose vector is nearest, when the cosine distance (0: the same direction, 1: nothing in common) is at most maxDistance.
func (v *RedisVectors) Nearest(ctx context.Context, space string, vector []float32, maxDistance float64) (value []byte, distance float64, ok bool, err error) {
	unit, err := normalize(vector)
	if err != nil {
		return nil, 0, false, err
	}
	if err := v.refresh(ctx, space); err != nil {
		return nil, 0, false, fmt.Errorf("read vectors from Redis: %w", err)
	}
	return v.index.nearest(space, unit, maxDistance, v.now(), func(key string) ([]byte, bool, error) { return v.values.Get(ctx, key) })
}

// Add keeps a value for ttl. It replaces the one with the same vector.
func (v *RedisVectors) Add(ctx context.Context, space string, vector []float32, value []byte, ttl time.Duration) error {
	unit, err := normalize(vector)
	if err != nil {
		return err
	}
	key := valueKey(space, unit)
	if err := v.values.Set(ctx, key, value, ttl); err != nil || ttl <= 0 {
		return err
	}
	millis := strconv.FormatInt(max(ttl.Milliseconds(), 1), 10)
	args := []string{
		strconv.Itoa(maxVectors), key, rueidis.BinaryString(vectorBytes(unit)), strconv.FormatInt(v.now().Add(ttl).UnixMilli(), 10), millis,
	}
	err = v.client.Do(ctx, func(ctx context.Context, c rueidis.Client) error {
		err := v.add.Exec(ctx, c, []string{streamKey(space)}, args).Error()
		if rueidis.IsRedisNil(err) { // a script that returns nothing
			return nil
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("write a vector to Redis: %w", err)
	}
	return nil
}

// streamKey is the name of a space's stream.
func streamKey(space string) string { return streamPrefix + redisKey(space)[len(redisPrefix):] }

// refresh reads the records that came since the last time.
func (v *RedisVectors) refresh(ctx context.Context, space string) error {
	for {
		from := "-"
		if last := v.index.seen(space); last != "" {
			from = "(" + last
		}
		var page []rueidis.XRangeEntry
		err := v.client.Do(ctx, func(ctx context.Context, c rueidis.Client) (err error) {
			page, err = c.Do(ctx, c.B().Xrange().Key(streamKey(space)).Start(from).End("+").Count(streamPage).Build()).AsXRange()
			return err
		})
		if err != nil && !rueidis.IsRedisNil(err) {
			return err
		}
		for _, record := range page {
			if p, ok := readPoint(record.FieldValues); ok {
				v.index.add(space, p)
			}
		}
		if len(page) > 0 {
			v.index.saw(space, page[len(page)-1].ID)
		}
		if len(page) < streamPage {
			return nil
		}
	}
}

// readPoint reads a record. What this package has not written is no point.
func readPoint(fields map[string]string) (p point, ok bool) {
	data := fields["v"]
	expires, err := strconv.ParseInt(fields["e"], 10, 64)
	if err != nil || len(data) == 0 || len(data)%4 != 0 || len(data)/4 > MaxDimensions || fields["k"] == "" {
		return p, false
	}
	p = point{key: fields["k"], vector: make([]float32, len(data)/4), expires: time.UnixMilli(expires)}
	for i := range p.vector {
		p.vector[i] = math.Float32frombits(binary.LittleEndian.Uint32([]byte(data[4*i : 4*i+4])))
	}
	unit, err := normalize(p.vector)
	p.vector = unit
	return p, err == nil
}
