// Package sqlsource runs the statements of the policy sql-data-source on PostgreSQL and SQL Server.
//
// A [Source] keeps connections by connection string. Parameters are bound, never written into a statement. Results are
// limited in rows and bytes; the caller's context limits the time.
package sqlsource

import (
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/causeway-apim/causeway/internal/policy"
)

// Options change the limits of a Source; the zero value has usual ones.
type Options struct {
	// Dial opens connections; nil for those of the operating system. The address is host:port.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// MaxConnections limits the connections with one connection string, 16 when zero.
	MaxConnections int
	// MaxRows and MaxBytes limit a result, in rows and bytes of JSON: 10,000 and 4 MiB when zero. A larger one is an error.
	MaxRows, MaxBytes int
	// Now is the time.
	Now func() time.Time
}

const (
	defaultConnections = 16
	defaultRows        = 10_000
	defaultBytes       = 4 << 20

	// maxStatement and maxParameters limit what is sent: SQL Server takes 2,100 parameters.
	maxStatement  = 1 << 20
	maxParameters = 2000
	// maxPools is how many connection strings connections are kept for.
	maxPools = 64
	// connectLimit and idleLimit are for one connection.
	connectLimit = 15 * time.Second
	idleLimit    = 5 * time.Minute
)

// Source runs statements. It is safe for concurrent use.
type Source struct {
	o     Options
	mu    sync.Mutex
	pools map[[sha256.Size]byte]*pool
}

var _ policy.SQL = (*Source)(nil)

// pool is the connections with one connection string and one way to sign in.
type pool struct {
	engine
	refs int // statements that run
	used time.Time
	// token is the newest access token: connections are opened with it.
	mu    sync.Mutex
	token string
}

// engine is a database.
type engine interface {
	// run writes the rows of the last result.
	run(ctx context.Context, r policy.SQLRequest, w *writer) error
	close()
}

// New returns a Source without connections.
func New(o Options) *Source {
	o.MaxConnections = cmp.Or(o.MaxConnections, defaultConnections)
	o.MaxRows = cmp.Or(o.MaxRows, defaultRows)
	o.MaxBytes = cmp.Or(o.MaxBytes, defaultBytes)
	if o.Dial == nil {
		o.Dial = (&net.Dialer{}).DialContext
	}
	return &Source{o: o, pools: make(map[[sha256.Size]byte]*pool)}
}

// Run runs a statement; see [policy.SQL].
func (s *Source) Run(ctx context.Context, r policy.SQLRequest) ([]byte, error) {
	if len(r.Statement) > maxStatement || len(r.Parameters) > maxParameters {
		return nil, fmt.Errorf("the statement is longer than %d bytes or has more than %d parameters", maxStatement, maxParameters)
	}
	p, err := s.acquire(r)
	if err != nil {
		return nil, err
	}
	defer s.release(p)
	w := &writer{single: r.Single, maxRows: s.o.MaxRows, maxBytes: s.o.MaxBytes}
	w.reset(nil)
	if err := p.run(ctx, r, w); err != nil {
		return nil, err
	}
	return w.bytes(), nil
}

// Close closes all connections, when no statements run any more.
func (s *Source) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, p := range s.pools {
		p.close()
		delete(s.pools, key)
	}
}

// poolKey tells apart who signs in where: what is secret in it does not stay in memory.
func poolKey(r policy.SQLRequest) [sha256.Size]byte {
	h := sha256.New()
	fmt.Fprintf(h, "%t\n%d\n%s\n", r.Token != "", len(r.Connection), r.Connection)
	if r.Certificate != nil {
		for _, der := range r.Certificate.Certificate {
			h.Write(der)
		}
	}
	return [sha256.Size]byte(h.Sum(nil))
}

func (s *Source) acquire(r policy.SQLRequest) (*pool, error) {
	key := poolKey(r)
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.pools[key]
	if p == nil {
		p = &pool{}
		open := openSQLServer
		if r.PostgreSQL() {
			open = openPostgres
		}
		var err error
		if p.engine, err = open(r, s.o, p.currentToken); err != nil {
			return nil, err
		}
		s.evict()
		s.pools[key] = p
	}
	p.mu.Lock()
	p.token = r.Token
	p.mu.Unlock()
	p.refs++
	p.used = s.o.Now()
	return p, nil
}

func (s *Source) release(p *pool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p.refs--
}

// evict makes room for one more pool: the one that was not used for longest goes, unless all are in use.
func (s *Source) evict() {
	if len(s.pools) < maxPools {
		return
	}
	var oldest *pool
	var oldestKey [sha256.Size]byte
	for key, p := range s.pools {
		if p.refs == 0 && (oldest == nil || p.used.Before(oldest.used)) {
			oldest, oldestKey = p, key
		}
	}
	if oldest != nil {
		oldest.close()
		delete(s.pools, oldestKey)
	}
}

func (p *pool) currentToken() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.token
}
