package cache

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/causeway-apim/causeway/internal/redis"
	"github.com/causeway-apim/causeway/internal/redis/redistest"
)

func openRedis(tb testing.TB, address string) *redis.Client {
	tb.Helper()
	target, err := redis.ParseTarget(address)
	if err != nil {
		tb.Fatal(err)
	}
	c := redis.Open(redis.Options{Target: target, Patience: time.Minute})
	tb.Cleanup(c.Close)
	return c
}

func TestRedisKeepsValues(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	here, there := NewRedis(openRedis(t, server.Address), 0), NewRedis(openRedis(t, server.Address), 0)
	for _, key := range []string{"a", "spaces and {braces}\n", strings.Repeat("long", 1000)} {
		value := []byte("\x00binary\xff" + key)
		if err := here.Set(t.Context(), key, value, time.Hour); err != nil {
			t.Fatal(err)
		}
		got, ok, err := there.Get(t.Context(), key)
		if err != nil || !ok || string(got) != string(value) {
			t.Errorf("%.20q: %q, %v, %v", key, got, ok, err)
		}
		if err := there.Remove(t.Context(), key); err != nil {
			t.Fatal(err)
		}
		if _, ok, err := here.Get(t.Context(), key); ok || err != nil {
			t.Errorf("%.20q is there after its removal, %v", key, err)
		}
	}
}

func TestRedisBounds(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	r := NewRedis(openRedis(t, server.Address), 10)
	for _, c := range []struct {
		value string
		ttl   time.Duration
		kept  bool
	}{
		{"small", time.Hour, true},
		{"much too large", time.Hour, false},
		{"again", time.Hour, true},
		{"gone", 0, false},
	} {
		if err := r.Set(t.Context(), "k", []byte(c.value), c.ttl); err != nil {
			t.Fatal(err)
		}
		if _, ok, err := r.Get(t.Context(), "k"); ok != c.kept || err != nil {
			t.Errorf("%s: kept %v, %v", c.value, ok, err)
		}
	}
	if err := r.Set(t.Context(), "k", []byte("v"), time.Minute); err != nil {
		t.Fatal(err)
	}
	if ttl := server.Do("PTTL", redisPrefix+"k"); strings.HasPrefix(ttl, "-") {
		t.Error("an entry has no end")
	}
	server.Do("SET", redisPrefix+"foreign", "somebody else's")
	if value, ok, err := r.Get(t.Context(), "foreign"); ok || err != nil {
		t.Errorf("a foreign value was taken: %q, %v", value, err)
	}
}

func TestRedisIsAway(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	client := openRedis(t, server.Address)
	r := NewRedis(client, 0)
	v := NewRedisVectors(client, r, time.Now)
	server.Kill()
	if _, _, err := r.Get(t.Context(), "k"); !errors.Is(err, redis.ErrAway) {
		t.Error(err)
	}
	if err := r.Set(t.Context(), "k", nil, time.Hour); !errors.Is(err, redis.ErrAway) {
		t.Error(err)
	}
	if err := r.Remove(t.Context(), "k"); !errors.Is(err, redis.ErrAway) {
		t.Error(err)
	}
	if _, _, _, err := v.Nearest(t.Context(), "s", []float32{1}, 1); !errors.Is(err, redis.ErrAway) {
		t.Error(err)
	}
}
