package configsync

import (
	"context"
	"crypto/ed25519"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/causeway-apim/causeway/internal/snapshot"
)

// Client keeps a gateway's configuration up with the plane. Set the fields
// before Run.
type Client struct {
	// Endpoint is the plane's URL or host, with or without a service's ARM
	// path; without a scheme it means https.
	Endpoint string
	// Token returns the credential: a gateway token with or without
	// "GatewayKey ", or "Bearer …", or "" where the certificate of TLS is the
	// credential. It is asked before each attempt.
	Token func(ctx context.Context) (string, error)
	// Gateway is the gateway's name: needed with application tokens only.
	Gateway  string
	Instance string // identifies this process among the gateway's instances
	Version  string
	// Dir holds the disk copy; empty for none.
	Dir string
	// DialTimeout bounds an attempt to connect; 0 means half a minute.
	DialTimeout time.Duration
	// Bundle is a file to serve in place of what a plane sends, signed with the key that belongs to BundleKey; then there is no
	// connection, and neither endpoint nor token is needed.
	Bundle    string
	BundleKey ed25519.PublicKey
	// Key encrypts the disk copy (KeySize bytes); nil: it is as readable as its files.
	Key []byte

	// Renewed is told of a new gateway token, which Token must return from then on; nil: tokens are not renewed.
	Renewed func(token string, expiry time.Time)

	// Apply puts a configuration into service. Calls do not overlap.
	Apply ApplyFunc
	// Command takes commands of the plane; it must not block. Nil ignores them.
	Command func(ctx context.Context, name string, payload json.RawMessage)
	// Status is told of each change of the status; nil: nobody wants to know.
	// Calls do not overlap; it must not block.
	Status func(Status)
	// Disk is told of trouble with the disk copy (the error names the file) and
	// with nil when a copy was written again after trouble. Nil: nobody wants to
	// know.
	Disk func(error)

	TLS   *tls.Config                                                       // nil: the system's roots
	Proxy func(*http.Request) (*url.URL, error)                             // nil: from the environment
	Dial  func(ctx context.Context, network, addr string) (net.Conn, error) // nil: net.Dialer
	Now   func() time.Time                                                  // nil: time.Now
	// Random returns a number in [0, 1) for the jitter; nil: math/rand.
	Random func() float64

	outbox   outbox
	requests requests
	current  current
}

// clientRun is a running client. Three loops pass the newest snapshot on: the
// connection to held, the apply loop from held to serving, the disk loop from
// serving to the disk copy.
type clientRun struct {
	*Client
	target target
	http   *http.Client

	mu      sync.Mutex
	held    *snapshot.Snapshot // as the plane sees us
	serving *snapshot.Snapshot // nil until something was applied
	status  Status

	telling sync.Mutex // keeps calls of Status in order; taken before mu

	applyWake, diskWake, statusWake chan struct{}
	applied                         chan struct{} // closed when the apply loop has ended
}

// Run serves until ctx ends, and returns nil then. It first hands over the disk
// copy, if there is one, and connects at the same time. It returns an error at
// once for settings that can never work.
func (c *Client) Run(ctx context.Context) error {
	var at target
	if c.Bundle == "" {
		var err error
		if at, err = parseEndpoint(c.Endpoint); err != nil {
			return err
		}
	}
	if c.Instance == "" || len(c.Instance) > maxInstanceID || c.Token == nil && c.Bundle == "" || c.Apply == nil {
		return errors.New("configuration client: instance, token and apply must be set")
	}
	r := &clientRun{
		Client: c, target: at, http: c.httpClient(), held: snapshot.Empty(),
		applyWake: make(chan struct{}, 1), diskWake: make(chan struct{}, 1), statusWake: make(chan struct{}, 1), applied: make(chan struct{}),
	}
	defer r.http.CloseIdleConnections()
	c.outbox.start(c.now())
	r.status = Status{State: StateStarting, Host: at.host}
	var loops sync.WaitGroup
	seal, err := newSealing(c.Key)
	if err != nil {
		return fmt.Errorf("configuration client: %w", err)
	}
	if c.Dir != "" && c.Bundle == "" {
		d := openDisk(c.Dir, seal, r.reportDisk)
		if s := d.load(); s != nil {
			r.held = s
			r.tell(func(st *Status) { st.Held = s.Sequence() })
			signal(r.applyWake)
		}
		loops.Go(func() { r.diskLoop(ctx, d) })
	}
	if c.Bundle != "" {
		ctx, cancel := context.WithCancel(ctx)
		loops.Go(func() { r.applyLoop(ctx) })
		err := r.runBundle(ctx)
		cancel()
		loops.Wait()
		return err
	}
	loops.Go(func() {
		defer close(r.applied)
		r.applyLoop(ctx)
	})
	if c.Renewed != nil {
		loops.Go(func() { r.renewLoop(ctx) })
	}
	r.connectLoop(ctx)
	loops.Wait()
	return nil
}

// Send queues a record for the plane; it stays queued until the plane has
// acknowledged it. The error says that the queue is full. With a bundle there is
// nobody to send it to, and it is dropped.
func (c *Client) Send(kind string, payload any) error {
	if c.Bundle != "" {
		return nil
	}
	return c.outbox.add(kind, payload, c.now())
}

func (c *Client) now() time.Time {
	if c.Now == nil {
		return time.Now()
	}
	return c.Now()
}

func (c *Client) random() float64 {
	if c.Random == nil {
		return rand.Float64()
	}
	return c.Random()
}

func (r *clientRun) reportDisk(err error) {
	if r.Disk != nil {
		r.Disk(err)
	}
}

// tell changes the status and tells the owner when something did change.
func (r *clientRun) tell(change func(*Status)) {
	r.telling.Lock()
	defer r.telling.Unlock()
	r.mu.Lock()
	before := r.status
	change(&r.status)
	after := r.status
	r.mu.Unlock()
	if before != after && r.Status != nil {
		r.Status(after)
	}
}

func (r *clientRun) snapshots() (held, serving *snapshot.Snapshot) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.held, r.serving
}

// receive takes a new configuration from the connection.
func (r *clientRun) receive(s *snapshot.Snapshot) {
	r.mu.Lock()
	r.held = s
	r.mu.Unlock()
	r.tell(func(st *Status) { st.Held = s.Sequence() })
	signal(r.applyWake)
}

// applyLoop brings what came into service. What is refused waits for the next
// change; the old configuration serves on.
func (r *clientRun) applyLoop(ctx context.Context) {
	for {
		select {
		case <-r.applyWake:
		case <-ctx.Done():
			return
		}
		held, serving := r.snapshots()
		next, err := applyNext(ctx, r.Apply, serving, held)
		if err != nil && ctx.Err() != nil {
			return
		}
		if err != nil {
			r.tell(func(st *Status) { st.Rejected, st.RejectedSequence = err.Error(), held.Sequence() })
		} else {
			r.mu.Lock()
			r.serving = next
			r.mu.Unlock()
			r.tell(func(st *Status) { st.Serving, st.Rejected, st.RejectedSequence = next.Sequence(), "", 0 })
			signal(r.diskWake)
		}
		signal(r.statusWake)
	}
}

// diskRetry is the time after which a copy that could not be written is tried
// again.
const diskRetry = 15 * time.Second

// diskLoop writes what serves to the disk copy, at once and in its own time. At the end it writes what came into service last.
func (r *clientRun) diskLoop(ctx context.Context, d *disk) {
	defer d.close()
	retry := time.NewTimer(0)
	<-retry.C
	defer retry.Stop()
	for {
		stop := false
		select {
		case <-r.diskWake:
		case <-retry.C:
		case <-ctx.Done():
			<-r.applied
			stop = true
		}
		if _, serving := r.snapshots(); serving != nil {
			if err := d.save(serving); err != nil {
				retry.Reset(diskRetry)
			}
		}
		if stop {
			return
		}
	}
}
