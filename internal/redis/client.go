package redis

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/rueidis"
)

// ErrAway says that Redis cannot be used at the moment. Whoever gets it has not waited.
var ErrAway = errors.New("redis is away")

// Options say what to connect to.
type Options struct {
	Target Target
	// Roots are the authorities for the server's certificate; nil means those of the operating system.
	Roots *x509.CertPool
	// Report hears why Redis has gone away, and nil when it is back. It is called once for each, by one goroutine. Nil for nobody.
	Report func(err error)
	// Patience is how long one use of Redis may take before it counts as away; 0: a second. That is long enough for a machine that is busy: while Redis
	// is away limits are not exact.
	Patience time.Duration
}

const (
	// defaultPatience is that of options without one.
	defaultPatience = time.Second
	// dialTime is how long a connection may take.
	dialTime = 2 * time.Second
	// writeTime is how long a connection may stand still with commands in it.
	writeTime = 4 * time.Second
	// firstRetry and lastRetry are the pauses between attempts to reach it again.
	firstRetry, lastRetry = 50 * time.Millisecond, time.Second
	// stableTime is how long it has to work until the pauses begin at the first again.
	stableTime = 10 * time.Second
)

// Client is a connection to Redis that makes and renews itself. It is safe for concurrent use.
type Client struct {
	o      Options
	live   atomic.Pointer[rueidis.Client] // nil while Redis is away
	tried  chan struct{}                  // closed when the first attempt has ended
	failed chan error
	cancel context.CancelFunc
	ended  sync.WaitGroup
}

// Open begins to connect and returns at once. Close ends it.
func Open(o Options) *Client {
	ctx, cancel := context.WithCancel(context.Background())
	c := &Client{o: o, tried: make(chan struct{}), failed: make(chan error, 1), cancel: cancel}
	c.o.Patience = cmp.Or(c.o.Patience, defaultPatience)
	if c.o.Report == nil {
		c.o.Report = func(error) {}
	}
	c.ended.Go(func() { c.keep(ctx) })
	return c
}

// Close ends the connection. What is under way fails.
func (c *Client) Close() {
	c.cancel()
	c.ended.Wait()
}

// Do uses the connection. It waits for the first attempt to connect, no longer than for f. It returns ErrAway without calling f while
// Redis is away. Errors other than the caller's own end are failures of Redis.
func (c *Client) Do(ctx context.Context, f func(context.Context, rueidis.Client) error) error {
	limited, cancel := context.WithTimeout(ctx, c.o.Patience)
	defer cancel()
	select {
	case <-c.tried:
	default:
		select {
		case <-c.tried:
		case <-limited.Done():
			return c.reason(ctx, limited.Err())
		}
	}
	r := c.live.Load()
	if r == nil {
		return ErrAway
	}
	err := f(limited, *r)
	if err == nil || ctx.Err() != nil || !isFailure(err) {
		return err
	}
	if c.live.CompareAndSwap(r, nil) {
		c.failed <- err // has room: the keeper takes the one of before first
	}
	return fmt.Errorf("%w: %w", ErrAway, err)
}

// reason tells the caller's end from Redis's slowness.
func (c *Client) reason(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return fmt.Errorf("%w: %w", ErrAway, err)
}

// isFailure tells whether an error says that Redis cannot do its work. Other errors that it answers are about one command.
func isFailure(err error) bool {
	if rueidis.IsRedisNil(err) {
		return false
	}
	answered, ok := rueidis.IsRedisErr(err)
	if !ok {
		return true
	}
	word, _, _ := strings.Cut(answered.Error(), " ")
	switch word {
	case "LOADING", "READONLY", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN", "NOAUTH", "WRONGPASS", "NOPERM", "OOM", "MISCONF", "NOREPLICAS", "BUSY":
		return true
	}
	return false
}

// keep connects, and connects again, until ctx ends.
func (c *Client) keep(ctx context.Context) {
	var client rueidis.Client
	defer func() {
		c.live.Store(nil)
		if client != nil {
			client.Close()
		}
	}()
	pause, away, first := firstRetry, false, sync.OnceFunc(func() { close(c.tried) })
	defer first()
	for ctx.Err() == nil {
		var err error
		if client == nil {
			client, err = connect(ctx, c.o)
		}
		if err == nil {
			err = probe(ctx, client, c.o.Patience)
		}
		if err == nil {
			c.live.Store(&client)
			first()
			if away {
				c.o.Report(nil)
			}
			since := time.Now()
			select {
			case <-ctx.Done():
				return
			case err = <-c.failed:
			}
			if _, answered := rueidis.IsRedisErr(err); !answered { // its other connections are no better
				c.ended.Go(client.Close) // it waits for what is under way
				client = nil
			}
			away = false
			if time.Since(since) > stableTime {
				pause = firstRetry
			}
		}
		if !away && ctx.Err() == nil {
			c.o.Report(err)
		}
		away = true
		first()
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
		pause = min(2*pause, lastRetry)
	}
}

// probe writes something: a replica, or a server that is full, answers a PING too.
func probe(ctx context.Context, client rueidis.Client, patience time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return client.Do(ctx, client.B().Set().Key("causeway:probe").Value("1").PxMilliseconds(time.Minute.Milliseconds()).Build()).Error()
}

// connect opens the connections.
func connect(ctx context.Context, o Options) (rueidis.Client, error) {
	options := clientOptions(o)
	if o.Target.Sentinel != "" {
		return connectSentinel(options, o.Target)
	}
	client, err := rueidis.NewClient(options)
	if err == nil || len(o.Target.Endpoints) == 1 || !isNoCluster(err) {
		return client, err
	}
	return connectPrimary(ctx, options)
}

func clientOptions(o Options) rueidis.ClientOption {
	const buffer = 64 << 10
	t := o.Target
	options := rueidis.ClientOption{
		InitAddress: t.Endpoints, Username: t.User, Password: t.Password, SelectDB: t.Database, ClientName: t.Client,
		Dialer: net.Dialer{Timeout: dialTime, KeepAlive: time.Second}, ConnWriteTimeout: writeTime, DisableCache: true,
		ReadBufferEachConn: buffer, WriteBufferEachConn: buffer,
	}
	if options.ClientName == "" {
		options.ClientName = "causeway"
	}
	if t.TLS {
		options.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: o.Roots, ServerName: t.ServerName}
	}
	return options
}

// connectSentinel asks sentinels for the primary. They may or may not want the password that Redis wants.
func connectSentinel(options rueidis.ClientOption, t Target) (rueidis.Client, error) {
	options.Sentinel = rueidis.SentinelOption{
		MasterSet: t.Sentinel, Username: t.User, Password: t.Password, TLSConfig: options.TLSConfig, Dialer: options.Dialer, ClientName: options.ClientName,
	}
	client, err := rueidis.NewClient(options)
	if err == nil || t.Password == "" {
		return client, err
	}
	options.Sentinel.Username, options.Sentinel.Password = "", ""
	if client, again := rueidis.NewClient(options); again == nil {
		return client, nil
	}
	return nil, err
}

// isNoCluster says that the server answered that it is none of a cluster.
func isNoCluster(err error) bool {
	answered, ok := rueidis.IsRedisErr(err)
	return ok && strings.Contains(answered.Error(), "cluster support disabled")
}

// connectPrimary finds the primary among servers that are no cluster.
func connectPrimary(ctx context.Context, options rueidis.ClientOption) (client rueidis.Client, err error) {
	options.ForceSingleClient = true
	all := options.InitAddress
	var last error
	for _, endpoint := range all {
		options.InitAddress = []string{endpoint}
		if client, last = rueidis.NewClient(options); last != nil {
			continue
		}
		role, err := client.Do(ctx, client.B().Role().Build()).ToArray()
		if err == nil && len(role) > 0 {
			if name, _ := role[0].ToString(); name == "master" {
				return client, nil
			}
			err = errors.New("it is a replica")
		}
		client.Close()
		last = fmt.Errorf("%s: %w", endpoint, err)
	}
	return nil, last
}
