package policy

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"time"

	"github.com/causeway-apim/causeway/internal/auth"
	"github.com/causeway-apim/causeway/internal/graphql"
	"github.com/causeway-apim/causeway/internal/message"
	"github.com/causeway-apim/causeway/internal/snapshot"
)

// Host is everything that policies need of the world outside their request. It is the only thing that tests of policies replace.
// It is safe for concurrent use.
type Host interface {
	Config
	Integrations

	// Forward sends x.Request to x.BackendURL() with the credentials, TLS settings and pool of x.BackendID, and returns the answer. It takes
	// x.Request.Body. Failures are *Error with the reasons Timeout, BackendConnectionFailure or ClientConnectionFailure. It does not set
	// x.Response.
	Forward(ctx context.Context, x *Exec, o ForwardOptions) (*message.Response, error)
	// Send sends a request that a policy made. Failures are as those of Forward.
	Send(ctx context.Context, r *message.Request, o SendOptions) (*message.Response, error)
	// SendLater sends a request in the background and drops its answer. r owns all its strings ([message.Request.Detach]) and has a body in
	// memory or none.
	SendLater(r *message.Request, o SendOptions)

	// Trust is what tokens and certificates are validated with. Never nil.
	Trust() *Trust
	// Counters are the counters of limits.
	Counters() Counters
	// SQL runs the statements of sql-data-source. Never nil.
	SQL() SQL
	// Cache keeps what policies store; nil when there is none of that type. Its keys are apart from those of other services.
	Cache(t CachingType) Cache
	// Vectors keeps responses by the meaning of what they answer: in the external cache, or in memory when there is none. Never nil.
	Vectors() Vectors
	// Metric reports a measurement. It does not wait. The strings are copied when they are kept.
	Metric(ctx context.Context, m Metric)
	// Log writes a log record of a policy or of the engine. Attributes are names and values in turn, as in log/slog.
	Log(ctx context.Context, level LogLevel, message string, attributes ...any)

	// Now is the clock.
	Now() time.Time
	// Sleep waits for d or until ctx has ended; then it returns the context's cause.
	Sleep(ctx context.Context, d time.Duration) error
	// Random fills p with random bytes.
	Random(p []byte)
}

// Trust is whom the gateway believes and who it is itself.
type Trust struct {
	// OpenID keeps the configurations and keys of issuers of tokens.
	OpenID *auth.OpenID
	// Tokens remembers tokens that were valid; nil for nothing.
	Tokens *auth.ValidTokens
	// Authority is the base URL of Microsoft Entra ID, without a slash at the end.
	Authority string
	// Identity is the gateway's managed identity; auth.NoIdentity when it has none.
	Identity auth.TokenSource
	// Roots are the authorities for client certificates; nil means those of the operating system.
	Roots *x509.CertPool
	// Intermediates are authorities that are not trusted by themselves, for chains in which the peer has left them out.
	Intermediates []*x509.Certificate
	// Revocations are the revocation lists of issuers of client certificates.
	Revocations *auth.Revocations
	// CheckServers says that certificates of backend services are held against them as well.
	CheckServers bool
}

// VerifyOptions are those for the certificates that a peer has presented, its own first.
func (t *Trust) VerifyOptions(presented []*x509.Certificate) x509.VerifyOptions {
	o := x509.VerifyOptions{Roots: t.Roots, Intermediates: x509.NewCertPool()}
	for _, c := range presented[1:] {
		o.Intermediates.AddCert(c)
	}
	for _, c := range t.Intermediates {
		o.Intermediates.AddCert(c)
	}
	return o
}

// Config is the part of the gateway's configuration that policies look up while they run. Names compare without regard to case.
type Config interface {
	// Backend is the backend entity of that name.
	Backend(name string) (*snapshot.Backend, bool)
	// Certificate is the certificate of that name or thumbprint.
	Certificate(idOrThumbprint string) (*snapshot.Certificate, bool)
	// KeyPair is the certificate of that name or thumbprint with its private key, decoded once. An error says that there is none or that it
	// cannot be read.
	KeyPair(idOrThumbprint string) (*tls.Certificate, error)
	// Certificates are all certificates, in the order of their names.
	Certificates() []*snapshot.Certificate
	// Group is the group of that name.
	Group(name string) (*snapshot.Group, bool)
	// ProductAPIs are the APIs of a product.
	ProductAPIs(product string) []*snapshot.API
	// GraphQLSchema is the schema of a GraphQL API revision (by API.ID). An error says why there is none.
	GraphQLSchema(api string) (*graphql.Schema, error)
	Schemas
	// SubscriptionKeys are the keys of a subscription; false where the configuration does not carry them.
	SubscriptionKeys(subscription string) (snapshot.SubscriptionKeys, bool)
}

// Metric is one measurement of emit-metric.
type Metric struct {
	Namespace, Name string
	Value           float64
	Dimensions      []Dimension
}

// Dimension is a name and a value by which measurements are told apart.
type Dimension struct{ Name, Value string }

// LogLevel is the weight of a log record, as the severity of the trace policy.
type LogLevel uint8

// The levels.
const (
	LogVerbose LogLevel = iota
	LogInformation
	LogError
)

// ForwardOptions are the settings of forward-request.
type ForwardOptions struct {
	// Timeout limits the time to the end of the response's head; 0 means the host's default of 300 s.
	Timeout time.Duration
	// ContinueTimeout is how long the body waits for "100 Continue" where the request expects that; 0 sends it at once.
	ContinueTimeout time.Duration
	// HTTPVersion is "1", "2or1" or "2"; empty means "1".
	HTTPVersion string
	// FollowRedirects follows redirects of the backend service.
	FollowRedirects bool
	// BufferResponse gathers what streams in before it is written on; without it every part is passed on as it comes.
	BufferResponse bool
}

// SendOptions are the settings of requests that policies make.
type SendOptions struct {
	// Timeout limits the whole exchange; 0 means the host's default of 60 s.
	Timeout time.Duration
	// Certificate is the client certificate for TLS, or nil.
	Certificate *snapshot.Certificate
	// Proxy is the forward proxy, or nil.
	Proxy *snapshot.Proxy
	// Backend gives credentials and TLS settings, or nil.
	Backend *snapshot.Backend
	// BackendID is a backend entity, or a pool of them, that the request goes to: its URL comes before the path of the request. Empty for none.
	BackendID string
}

// Window says how a limit counts over time.
type Window uint8

// The windows.
const (
	// SlidingWindow counts what happened within the last period.
	SlidingWindow Window = iota
	// FixedWindow counts from multiples of the period after Limit.Start.
	FixedWindow
	// TokenBucket refills evenly over the period and holds Max at most.
	TokenBucket
)

// Limit is one counter and how much of it is allowed.
type Limit struct {
	// Key names the counter within the service: the policy's element name, what it counts by, and further words, with | between them. The limits of one
	// call have the first two in common, so that a cluster holds them together. It is copied when it is kept.
	Key string
	// Max is how much is allowed within Period. Period 0 means for ever.
	Max    int64
	Period time.Duration
	Window Window
	// Start aligns fixed windows.
	Start time.Time
}

// Decision is the answer of a counter.
type Decision struct {
	// Allowed says whether every limit has room.
	Allowed bool
	// Exceeded is the position of the first limit without room; 0 when Allowed.
	Exceeded int
	// Remaining is what is left of the tightest limit afterwards, at least 0.
	Remaining int64
	// RetryAfter is when there will be room again, at least 1 ns when not Allowed. 0 otherwise.
	RetryAfter time.Duration
}

// Counters are rate limits, quotas and slots. A call is one round trip to whatever holds them and is all or nothing.
type Counters interface {
	// Take adds cost to every limit if each has room for it, and to none otherwise.
	Take(ctx context.Context, limits []Limit, cost int64) (Decision, error)
	// Check says what Take would, and adds nothing.
	Check(ctx context.Context, limits []Limit, cost int64) (Decision, error)
	// Commit adds cost to every limit, whether it has room or not: for increments that are decided after the check.
	Commit(ctx context.Context, limits []Limit, cost int64) error
	// Acquire takes one of max slots and says whether there was one.
	Acquire(ctx context.Context, key string, max int64) (bool, error)
	// Release gives a slot back.
	Release(key string)
}

// CachingType says which cache is meant: the attribute caching-type.
type CachingType uint8

// The types.
const (
	// PreferExternal is the external cache where one is configured, else the gateway's own.
	PreferExternal CachingType = iota
	// External is the external cache only.
	External
	// Internal is the gateway's own cache only.
	Internal
)

// Cache keeps values for a while; any of them may be gone earlier.
type Cache interface {
	// Get returns the value of a key, which the caller does not change.
	Get(ctx context.Context, key string) (value []byte, ok bool, err error)
	// Set keeps a value for ttl and replaces the one before. The key is copied when it is kept; the value is not, and nobody changes it any more.
	Set(ctx context.Context, key string, value []byte, ttl time.Duration) error
	// Remove removes a key.
	Remove(ctx context.Context, key string) error
	// Claim makes its caller the only one who works out the value of a key, until release is called. While somebody else has the claim, ok is
	// false, or, with wait, Claim waits until that ends or ctx does; then the error is the context's cause.
	Claim(ctx context.Context, key string, wait bool) (release func(), ok bool, err error)
}

// Vectors keeps values by vectors, of which the nearest one is found. Spaces know nothing of each other.
type Vectors interface {
	// Nearest returns the value whose vector is nearest, when the cosine distance (0: the same direction, 1: nothing in common) is at most maxDistance.
	Nearest(ctx context.Context, space string, vector []float32, maxDistance float64) (value []byte, distance float64, ok bool, err error)
	// Add keeps a value for ttl and replaces the one with the same vector. Nobody changes the value any more.
	Add(ctx context.Context, space string, vector []float32, value []byte, ttl time.Duration) error
}
