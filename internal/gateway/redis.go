package gateway

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/causeway-apim/causeway/internal/cache"
	"github.com/causeway-apim/causeway/internal/counters"
	"github.com/causeway-apim/causeway/internal/policy"
	"github.com/causeway-apim/causeway/internal/redis"
	"github.com/causeway-apim/causeway/internal/snapshot"
	"github.com/causeway-apim/causeway/internal/telemetry"
)

// RedisOptions say what a gateway does with Redis beyond what the caches of a service's configuration say.
type RedisOptions struct {
	// Counters is the connection string of the Redis that holds the counters, and that is the external cache of services which have none. Empty: the
	// external cache of a service holds its counters.
	Counters string
	// Away is what happens to limits while Redis is away.
	Away CountersAway
	// Patience is how long one use of a Redis may take before it counts as away; 0: a second.
	Patience time.Duration
}

// stores are where the policies of a service keep things, as its configuration says.
type stores struct {
	counters           policy.Counters
	internal, external policy.Cache // external may be nil
	vectors            policy.Vectors
}

// redisServer is a Redis with what is kept in it.
type redisServer struct {
	client   *redis.Client
	counters *counters.Redis
	cache    *cache.Redis
	vectors  *cache.RedisVectors
	// unkept counts the decisions that were made without it since it went away.
	unkept atomic.Int64
	// told is when the log was told of a failure of one command, in Unix nanoseconds.
	told atomic.Int64
}

// retirement is how long requests may use a Redis that the configuration no longer names.
const retirement = 30 * time.Second

// openStores returns what the policies of a configuration use. An external cache that cannot be understood is none: the other parts of the configuration
// count. The gateway is locked.
func (g *Gateway) openStores(c *config, prefix string) stores {
	st := stores{
		counters: &serviceCounters{Counters: g.counters, prefix: prefix}, internal: &serviceCache{g.cache, prefix}, vectors: &serviceVectors{g.vectors, prefix},
	}
	external := g.redisServer(c.cacheConnection())
	counting := external
	if g.redis.Counters != "" {
		counting = g.redisServer(g.redis.Counters)
	}
	if external == nil {
		external = counting
	}
	if external != nil {
		st.external, st.vectors = &serviceCache{external.cache, prefix}, &serviceVectors{external.vectors, prefix}
	}
	if counting != nil {
		shared := &sharedCounters{server: counting, local: g.counters, away: g.redis.Away, log: g.log, now: g.now}
		st.counters = &serviceCounters{Counters: shared, prefix: prefix}
	}
	return st
}

// cacheConnection is the connection string of the external cache: that of the gateway's location, or else the default one. Empty for none. Of several the
// first by name counts.
func (c *config) cacheConnection() string {
	here := snapshot.LocationKey(c.deployment.Region)
	var best, connection string
	c.caches.each(func(name string, part snapshot.Cache) bool {
		rank := "2"
		switch snapshot.LocationKey(part.UseFrom) {
		case here:
			rank = "0"
		case snapshot.DefaultCache:
			rank = "1"
		}
		if rank += name; rank < "2" && (best == "" || rank < best) {
			best, connection = rank, part.Connection
		}
		return true
	})
	return expandNamedValues(connection, func(name string) (string, bool) {
		v, ok := c.namedValue("", name)
		if !ok {
			return "", false
		}
		return v.Value, true
	})
}

// redisServer returns the Redis of a connection string, nil when there is none.
func (g *Gateway) redisServer(connection string) *redisServer {
	if connection == "" {
		return nil
	}
	if s, ok := g.servers[connection]; ok {
		return s
	}
	target, err := redis.ParseTarget(connection)
	if err != nil {
		g.log.Error("An external cache cannot be used: "+err.Error()+".", telemetry.EventKey, "RedisConnectionInvalid")
		return nil
	}
	s := &redisServer{}
	s.client = redis.Open(redis.Options{Target: target, Roots: g.trust.Roots, Report: func(err error) { g.reportRedis(s, target, err) }, Patience: g.redis.Patience})
	s.counters, s.cache = counters.NewRedis(s.client, nil), cache.NewRedis(s.client, 0)
	s.vectors = cache.NewRedisVectors(s.client, s.cache, g.now)
	g.servers[connection] = s
	return s
}

// reportRedis tells the log that Redis has gone or is back.
func (g *Gateway) reportRedis(s *redisServer, target redis.Target, err error) {
	if err != nil {
		g.log.Error("Redis is away. What limits do meanwhile is said by counters.redis.failure; the external cache is empty.",
			telemetry.EventKey, "RedisAway", "endpoints", target.String(), "limits", g.redis.Away.String(), "error", err)
		return
	}
	g.log.Warn("Redis is back.", telemetry.EventKey, "RedisBack", "endpoints", target.String(), "decisionsWithoutIt", s.unkept.Swap(0))
}

// retireServers closes the connections that no configuration needs any more, when requests have had time to end.
func (g *Gateway) retireServers() {
	needed := map[string]bool{g.redis.Counters: true}
	for _, s := range g.services.Load().all {
		needed[s.current.Load().cacheConnection()] = true
	}
	for connection, s := range g.servers {
		if needed[connection] {
			continue
		}
		delete(g.servers, connection)
		g.retiring.Go(func() {
			select {
			case <-time.After(retirement):
			case <-g.ctx.Done():
			}
			s.client.Close()
		})
	}
}

// closeServers ends all connections.
func (g *Gateway) closeServers() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, s := range g.servers {
		s.client.Close()
	}
	clear(g.servers)
	g.retiring.Wait()
}

// serviceVectors prefixes spaces, so that services on one gateway never share one.
type serviceVectors struct {
	vectors policy.Vectors
	prefix  string
}

func (v *serviceVectors) Nearest(ctx context.Context, space string, vector []float32, maxDistance float64) (value []byte, distance float64, ok bool, err error) {
	return v.vectors.Nearest(ctx, v.prefix+space, vector, maxDistance)
}

func (v *serviceVectors) Add(ctx context.Context, space string, vector []float32, value []byte, ttl time.Duration) error {
	return v.vectors.Add(ctx, v.prefix+space, vector, value, ttl)
}
