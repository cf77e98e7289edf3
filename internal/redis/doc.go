// Package redis keeps a connection to Redis or to what speaks its protocol (Valkey, Azure Cache for Redis): a single server, a cluster, or a primary
// that sentinels know. Those who use it hear at once when it is away, instead of waiting for it.
package redis
