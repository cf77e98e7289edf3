package configsync

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"net"
	"net/http"
	"net/url"
	"time"
)

// Client keeps a gateway's configuration up with the plane. Set the fields
// before Run.
type Client struct {
	// Endpoint is the plane's URL or host, with or without a service's ARM
	// path; without a scheme it means https.
	Endpoint string
	// Token returns the credential: a gateway token with or without
	// "GatewayKey ", or "Bearer …". It is asked before each attempt.
	Token func(ctx context.Context) (string, error)
	// Gateway is the gateway's name: needed with application tokens only.
	Gateway  string
	Instance string // identifies this process among the gateway's instances
	Version  string
	// Dir holds the disk copy; empty for none.
	Dir string

	// Apply puts a configuration into service.
	Apply ApplyFunc
	// Command takes commands of the plane; nil ignores them.
	Command func(ctx context.Context, name string, payload json.RawMessage)
	// Status is told of each change of the status; nil: nobody wants to know.
	// It is called from one goroutine at a time and must not block.
	Status func(Status)
	// Disk is told of trouble with the disk copy (the error names the file) and
	// with nil when a copy was written again after trouble.
	Disk func(error)

	TLS   *tls.Config                                                       // nil: the system's roots
	Proxy func(*http.Request) (*url.URL, error)                             // nil: from the environment
	Dial  func(ctx context.Context, network, addr string) (net.Conn, error) // nil: net.Dialer
	Now   func() time.Time                                                  // nil: time.Now
	// Random returns a number in [0, 1) for the jitter; nil: math/rand.
	Random func() float64
}

// Run serves until ctx ends, and returns nil then. It first hands over the disk
// copy, if there is one, and connects at the same time. It returns an error at
// once for settings that can never work.
func (c *Client) Run(ctx context.Context) error { return nil }

// Send queues a record for the plane; it stays queued until the plane has
// acknowledged it. The error says that the queue is full.
func (c *Client) Send(kind string, payload any) error { return nil }
