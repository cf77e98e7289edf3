package counters

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/redis/rueidis"

	"github.com/causeway-apim/causeway/internal/redis"
)

//go:embed redis.lua
var redisScript string

// Redis counts in a Redis that several gateways share, and is exact: a call is one script, which Redis runs alone. Slots are not its business: they are
// of one process, so that one that dies gives them back.
type Redis struct {
	client *redis.Client
	script *rueidis.Lua
	now    func() time.Time
}

// NewRedis counts in that Redis. Closing the client is up to the caller. now is the clock; nil means that of the Redis server, so that the clocks of
// gateways need not agree.
func NewRedis(client *redis.Client, now func() time.Time) *Redis {
	return &Redis{client: client, script: rueidis.NewLuaScript(redisScript), now: now}
}

// Take adds cost to every limit if each has room for it, and to none otherwise.
func (r *Redis) Take(ctx context.Context, limits []Limit, cost int64) (Decision, error) {
	return r.run(ctx, "take", limits, cost)
}

// Check says what Take would, and adds nothing.
func (r *Redis) Check(ctx context.Context, limits []Limit, cost int64) (Decision, error) {
	return r.run(ctx, "check", limits, cost)
}

// Commit adds cost to every limit, whether it has room or not.
func (r *Redis) Commit(ctx context.Context, limits []Limit, cost int64) error {
	_, err := r.run(ctx, "commit", limits, cost)
	return err
}

var errAnswer = errors.New("the answer of the counting script cannot be read")

func (r *Redis) run(ctx context.Context, mode string, limits []Limit, cost int64) (d Decision, err error) {
	keys := make([]string, len(limits))
	args := append(make([]string, 0, 3+4*len(limits)), mode, strconv.FormatInt(cost, 10), r.time())
	for i, l := range limits {
		kind := "s"
		switch {
		case l.Window == Fixed || l.Period <= 0:
			kind = "f"
		case l.Window == Bucket:
			kind = "b"
		}
		keys[i] = redisKey(kind, l.Key)
		period, start := max(l.Period, 0).Microseconds(), int64(0)
		if period > 0 && !l.Start.IsZero() {
			start = l.Start.UnixMicro() % period // far from 1970 the script would lose digits
		}
		args = append(args, kind, strconv.FormatInt(l.Max, 10), strconv.FormatInt(period, 10), strconv.FormatInt(start, 10))
	}
	err = r.client.Do(ctx, func(ctx context.Context, c rueidis.Client) error {
		answer, err := r.script.Exec(ctx, c, keys, args).ToArray()
		if err != nil {
			return err
		}
		d, err = decision(answer)
		return err
	})
	if err != nil {
		return Decision{}, fmt.Errorf("count in Redis: %w", err)
	}
	return d, nil
}

// time is what the script takes for now.
func (r *Redis) time() string {
	if r.now == nil {
		return "0"
	}
	return strconv.FormatInt(r.now().UnixMicro(), 10)
}

func decision(answer []rueidis.RedisMessage) (d Decision, err error) {
	if len(answer) != 4 {
		return d, errAnswer
	}
	var n [4]int64
	for i, m := range answer {
		if n[i], err = m.AsInt64(); err != nil {
			return d, fmt.Errorf("%w: %w", errAnswer, err)
		}
	}
	d = Decision{Allowed: n[0] == 1, Exceeded: int(n[1]), Remaining: n[2]}
	switch {
	case d.Allowed:
	case n[3] < 0:
		d.RetryAfter = math.MaxInt64
	default:
		d.RetryAfter = max(time.Duration(n[3])*time.Microsecond, 1)
	}
	return d, nil
}

const (
	redisPrefix = "causeway:counter:"
	// groupWords is how many words of a key, between |, say where in a cluster it lies: the service, the policy and the first of what it counts by. The
	// limits of one call share them.
	groupWords = 3
	// longestKey is the length up to which a key is written out, for those who look at it.
	longestKey = 256
)

// redisKey is the name of a counter in Redis.
func redisKey(kind, key string) string {
	end := 0
	for range groupWords {
		i := strings.IndexByte(key[end:], '|')
		if i < 0 {
			end = len(key)
			break
		}
		end += i + 1
	}
	group := sha256.Sum256([]byte(key[:end]))
	if len(key) > longestKey {
		whole := sha256.Sum256([]byte(key))
		key = base64.RawURLEncoding.EncodeToString(whole[:])
	}
	return redisPrefix + kind + ":{" + base64.RawURLEncoding.EncodeToString(group[:9]) + "}:" + key
}
