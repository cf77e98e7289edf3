package messaging

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/Azure/go-amqp"

	"github.com/causeway-apim/causeway/internal/auth"
)

// Client sends messages over AMQP 1.0. It keeps a connection for each way to sign in to a namespace and a link for each entity. It is safe for
// concurrent use.
type Client struct {
	// Dial opens connections; nil means a [net.Dialer].
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// TLS is nil for the defaults of crypto/tls.
	TLS *tls.Config
	// Identity is the gateway's managed identity.
	Identity auth.TokenSource
	Now      func() time.Time

	mu     sync.Mutex
	conns  map[Target]*connection // by target without entity
	closed bool
}

const (
	// identityResource is whom the tokens of managed identities are for, with both services.
	identityResource = "https://servicebus.azure.net"
	// signatureLife is how long a signature of ours is valid, and renewBefore how long before its end a token is replaced.
	signatureLife = time.Hour
	renewBefore   = 5 * time.Minute
	// idleTime is after which an unused connection is closed, and sendTimeout how long a message may take on its way.
	idleTime    = 10 * time.Minute
	sendTimeout = 30 * time.Second
	maxConns    = 256
)

var errClosed = errors.New("the gateway ends")

// Send sends a message to a path, that of t's entity or below it, and returns when the other side has it. A connection that broke is replaced
// once.
func (c *Client) Send(ctx context.Context, t Target, path string, m *amqp.Message) error {
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	var err error
	for range 2 {
		var conn *connection
		if conn, err = c.connection(t); err != nil {
			return err
		}
		err = conn.send(ctx, path, m)
		if err == nil || !broken(err) || ctx.Err() != nil {
			return err
		}
		c.drop(conn)
	}
	return err
}

// broken says whether a new connection might help: the link, session or connection has ended.
func broken(err error) bool {
	var link *amqp.LinkError
	var session *amqp.SessionError
	var conn *amqp.ConnError
	switch {
	case errors.As(err, &link):
		return link.RemoteErr == nil || link.RemoteErr.Condition == amqp.ErrCondDetachForced || link.RemoteErr.Condition == amqp.ErrCondConnectionForced
	case errors.As(err, &session), errors.As(err, &conn):
		return true
	}
	return false
}

// connection returns the connection for a way to sign in.
func (c *Client) connection(t Target) (*connection, error) {
	t.Entity = ""
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil, errClosed
	}
	if c.conns == nil {
		c.conns = make(map[Target]*connection)
	}
	conn := c.conns[t]
	if conn == nil {
		if len(c.conns) >= maxConns {
			return nil, fmt.Errorf("there are connections to %d namespaces already", maxConns)
		}
		conn = &connection{client: c, target: t, busy: make(chan struct{}, 1), links: make(map[string]*link)}
		conn.idle = time.AfterFunc(idleTime, func() { c.drop(conn) })
		c.conns[t] = conn
	}
	return conn, nil
}

// drop forgets a connection and closes it.
func (c *Client) drop(conn *connection) {
	c.mu.Lock()
	if c.conns[conn.target] == conn {
		delete(c.conns, conn.target)
	}
	c.mu.Unlock()
	conn.close()
}

// Close closes all connections. What is being sent fails.
func (c *Client) Close() {
	c.mu.Lock()
	c.closed = true
	conns := c.conns
	c.conns = nil
	c.mu.Unlock()
	for _, conn := range conns {
		conn.close()
	}
}

// connection is an AMQP connection with its session and links. What is opened in it is opened by one caller at a time; messages are sent side by
// side.
type connection struct {
	client *Client
	target Target // without entity
	busy   chan struct{}
	idle   *time.Timer

	mu      sync.Mutex
	conn    *amqp.Conn
	session *amqp.Session
	tokens  *claims
	links   map[string]*link
}

// link is a sender with the end of the token that allowed it.
type link struct {
	sender  *amqp.Sender
	expires time.Time
}

func (c *connection) send(ctx context.Context, path string, m *amqp.Message) error {
	c.idle.Reset(idleTime)
	sender, err := c.sender(ctx, path)
	if err != nil {
		return err
	}
	if err := sender.Send(ctx, m, nil); err != nil {
		return fmt.Errorf("send to %s: %w", path, err)
	}
	return nil
}

// sender returns the link to a path with a token that is valid.
func (c *connection) sender(ctx context.Context, path string) (*amqp.Sender, error) {
	select {
	case c.busy <- struct{}{}:
		defer func() { <-c.busy }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	if err := c.open(ctx); err != nil {
		return nil, err
	}
	l := c.links[path]
	if l != nil && c.client.Now().Add(renewBefore).Before(l.expires) {
		return l.sender, nil
	}
	expires, err := c.authorize(ctx, path)
	if err != nil {
		return nil, fmt.Errorf("sign in to %s: %w", c.target.Host, err)
	}
	if l == nil {
		sender, err := c.session.NewSender(ctx, path, nil)
		if err != nil {
			return nil, fmt.Errorf("open %s: %w", path, err)
		}
		l = &link{sender: sender}
		c.links[path] = l
	}
	l.expires = expires
	return l.sender, nil
}

// open connects unless that has happened.
func (c *connection) open(ctx context.Context) error {
	if c.conn != nil {
		return nil
	}
	dial := c.client.Dial
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	raw, err := dial(ctx, "tcp", c.target.Address())
	if err != nil {
		return fmt.Errorf("connect to %s: %w", c.target.Host, err)
	}
	if !c.target.Plain {
		config := &tls.Config{}
		if c.client.TLS != nil {
			config = c.client.TLS.Clone()
		}
		config.ServerName = c.target.Host
		secured := tls.Client(raw, config)
		if err := secured.HandshakeContext(ctx); err != nil {
			_ = raw.Close()
			return fmt.Errorf("connect to %s: %w", c.target.Host, err)
		}
		raw = secured
	}
	var id [8]byte
	_, _ = rand.Read(id[:]) // never fails
	conn, err := amqp.NewConn(ctx, raw, &amqp.ConnOptions{
		ContainerID: "causeway-" + hex.EncodeToString(id[:]), HostName: c.target.Host, SASLType: amqp.SASLTypeAnonymous(),
	})
	if err != nil {
		_ = raw.Close()
		return fmt.Errorf("connect to %s: %w", c.target.Host, err)
	}
	session, err := conn.NewSession(ctx, nil)
	if err == nil {
		var tokens *claims
		if tokens, err = openClaims(ctx, session, hex.EncodeToString(id[:])); err == nil {
			c.mu.Lock()
			c.conn, c.session, c.tokens = conn, session, tokens
			c.mu.Unlock()
			return nil
		}
	}
	_ = conn.Close()
	return fmt.Errorf("connect to %s: %w", c.target.Host, err)
}

// close ends the connection; callers that use it get errors.
func (c *connection) close() {
	c.idle.Stop()
	c.mu.Lock()
	conn := c.conn
	c.mu.Unlock()
	if conn != nil {
		_ = conn.Close()
	}
}
