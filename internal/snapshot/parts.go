package snapshot

import (
	"encoding/json"
	"time"
)

// Kind says what a part describes. A gateway keeps parts of kinds that it does
// not know and reports them: a newer plane may send more than it understands.
type Kind string

// The kinds of parts, in the order in which a gateway applies them.
const (
	KindService      Kind = "service"
	KindGateway      Kind = "gateway"
	KindHostname     Kind = "hostname"
	KindCertificate  Kind = "certificate"
	KindAuthority    Kind = "authority"
	KindNamedValue   Kind = "namedValue"
	KindFragment     Kind = "fragment"
	KindBackend      Kind = "backend"
	KindLogger       Kind = "logger"
	KindVersionSet   Kind = "versionSet"
	KindAPI          Kind = "api"
	KindOperation    Kind = "operation"
	KindSchema       Kind = "schema"
	KindResolver     Kind = "resolver"
	KindCache        Kind = "cache"
	KindProduct      Kind = "product"
	KindProductAPI   Kind = "productApi"
	KindGroup        Kind = "group"
	KindUser         Kind = "user"
	KindSubscription Kind = "subscription"
	// KindSubscriptionKeys holds the keys themselves. Gateways get it only when
	// a policy reads them: the look-up works on the keyed hashes.
	KindSubscriptionKeys Kind = "subscriptionKeys"
	KindPolicy           Kind = "policy"
	// KindPublicCertificate goes only where an authority names it.
	KindPublicCertificate Kind = "publicCertificate"
	// KindGatewayAPI assigns an API to a self-hosted gateway. It decides what is
	// in a view and is not sent to gateways.
	KindGatewayAPI Kind = "gatewayApi"
)

// Key names a part within a service. ID is the lower-case ARM path below the
// service, such as "apis/echo/operations/get"; empty for the service itself.
type Key struct {
	Kind Kind   `json:"kind"`
	ID   string `json:"id"`
}

// Service is the API Management instance as its gateways see it.
type Service struct {
	ID       string `json:"id"`   // ARM ID in the spelling of its creation
	Name     string `json:"name"` // context.Deployment.ServiceName
	Location string `json:"location,omitempty"`
	// Hostnames of the managed gateway besides NAME.gateway.localhost.
	Hostnames []string `json:"hostnames,omitempty"`
	// Protocols are the custom properties about versions and ciphers of TLS and about HTTP/2, by their full names.
	Protocols map[string]string `json:"protocols,omitempty"`
	// KeyHashKey keys the hashes in Subscription (HMAC-SHA256).
	KeyHashKey        []byte `json:"keyHashKey"`
	StrictExpressions bool   `json:"strictExpressions,omitempty"`
	// DebugEpoch counts how often the debug credentials of the managed gateway were
	// invalidated.
	DebugEpoch int64 `json:"debugEpoch,omitempty"`
}

// Gateway is a self-hosted gateway resource.
type Gateway struct {
	Name     string `json:"name"`
	Location string `json:"location,omitempty"` // locationData.name: context.Deployment.Region
	// KeyID changes with the gateway's keys (auth.GatewayKeyID), so that every
	// replica of the plane looks at its open connections again.
	KeyID string `json:"keyId,omitempty"`
	// DebugEpoch counts how often the gateway's debug credentials were invalidated.
	DebugEpoch int64 `json:"debugEpoch,omitempty"`
}

// Hostname is a host name that a gateway serves over TLS.
type Hostname struct {
	Gateway                    string `json:"gateway"` // gateway name; "managed" for the service's own
	Hostname                   string `json:"hostname"`
	Certificate                string `json:"certificate,omitempty"` // certificate name
	NegotiateClientCertificate bool   `json:"negotiateClientCertificate,omitempty"`
	TLS10                      bool   `json:"tls10,omitempty"`
	TLS11                      bool   `json:"tls11,omitempty"`
	HTTP2                      bool   `json:"http2,omitempty"`
	Default                    bool   `json:"default,omitempty"` // for clients that name no host
}

// Certificate is a service certificate with its private key.
type Certificate struct {
	Name       string    `json:"name"`
	Thumbprint string    `json:"thumbprint"` // SHA-1, upper-case hexadecimal, as APIM shows it
	Subject    string    `json:"subject,omitempty"`
	NotAfter   time.Time `json:"notAfter"`
	PFX        []byte    `json:"pfx,omitempty"`
	Password   string    `json:"password,omitempty"`
}

// NamedValue replaces {{Name}} in policy documents.
type NamedValue struct {
	Name   string `json:"name"` // display name, which policies use
	Value  string `json:"value"`
	Secret bool   `json:"secret,omitempty"`
}

// Fragment is a policy fragment: its text as it was uploaded.
type Fragment struct {
	Name   string `json:"name"`
	Format string `json:"format"` // xml or rawxml
	Value  string `json:"value"`
}

// Policy is a policy document at one scope.
type Policy struct {
	// Scope is the lower-case path of what the document applies to: "" for the
	// service, "products/p", "apis/a", "apis/a/operations/o".
	Scope  string `json:"scope"`
	Format string `json:"format"` // xml or rawxml
	Value  string `json:"value"`
}

// Backend is a backend entity: where and how to call a backend service.
type Backend struct {
	Name           string          `json:"name"`
	Title          string          `json:"title,omitempty"`
	Type           string          `json:"type,omitempty"` // Single (default) or Pool
	URL            string          `json:"url,omitempty"`
	Protocol       string          `json:"protocol,omitempty"`
	Credentials    *Credentials    `json:"credentials,omitempty"`
	Proxy          *Proxy          `json:"proxy,omitempty"`
	TLS            *BackendTLS     `json:"tls,omitempty"`
	CircuitBreaker *CircuitBreaker `json:"circuitBreaker,omitempty"`
	Pool           []PoolMember    `json:"pool,omitempty"`
	// SessionCookie is the name of the cookie that keeps a session at one member of a pool; empty for no such thing.
	SessionCookie string `json:"sessionCookie,omitempty"`
	// FailureStatus is the status code while no member of a pool may be called; 0 for 503.
	FailureStatus int `json:"failureStatus,omitempty"`
}

// Credentials are added to each request to a backend service.
type Credentials struct {
	Header map[string][]string `json:"header,omitempty"`
	Query  map[string][]string `json:"query,omitempty"`
	// Authorization header: scheme and parameter.
	Scheme         string   `json:"scheme,omitempty"`
	Parameter      string   `json:"parameter,omitempty"`
	Certificates   []string `json:"certificates,omitempty"`   // thumbprints
	CertificateIDs []string `json:"certificateIds,omitempty"` // certificate names
}

// Proxy is the forward proxy of a backend.
type Proxy struct {
	URL      string `json:"url"`
	Username string `json:"username,omitempty"`
	Password string `json:"password,omitempty"`
}

// BackendTLS says what of a backend service's certificate is checked.
type BackendTLS struct {
	ValidateChain bool `json:"validateChain"`
	ValidateName  bool `json:"validateName"`
	// Thumbprints and Identities, if there are any, say which certificates are accepted, in place of the usual checks.
	Thumbprints []string         `json:"thumbprints,omitempty"`
	Identities  []ServerIdentity `json:"identities,omitempty"`
}

// CircuitBreaker stops calls to a backend service that fails.
type CircuitBreaker struct {
	Rules []CircuitBreakerRule `json:"rules"`
}

// CircuitBreakerRule trips when Count (or Percentage of) calls failed within
// Interval; the backend then rests for TripDuration.
type CircuitBreakerRule struct {
	Name             string        `json:"name"`
	Count            int           `json:"count,omitempty"`
	Percentage       int           `json:"percentage,omitempty"`
	Interval         time.Duration `json:"interval"`
	StatusRanges     [][2]int      `json:"statusRanges,omitempty"`
	ErrorReasons     []string      `json:"errorReasons,omitempty"`
	TripDuration     time.Duration `json:"tripDuration"`
	AcceptRetryAfter bool          `json:"acceptRetryAfter,omitempty"`
	FailureStatus    int           `json:"failureStatus,omitempty"` // the answer meanwhile; 0 for 503
}

// PoolMember is a backend of a pool. A lower priority number goes first;
// weights share the load within a priority.
type PoolMember struct {
	Backend  string `json:"backend"`
	Priority int    `json:"priority,omitempty"`
	Weight   int    `json:"weight,omitempty"`
}

// Logger is where log-to-eventhub and diagnostics send to.
type Logger struct {
	Name string `json:"name"` // in the spelling of its creation
	// Type is azureEventHub, applicationInsights or azureMonitor.
	Type string `json:"type"`
	// Credentials are as those of the resource, named values in them included.
	Credentials map[string]string `json:"credentials,omitempty"`
	Buffered    bool              `json:"buffered,omitempty"`
	ResourceID  string            `json:"resourceId,omitempty"`
}

// VersionSet says how the versions of an API are told apart.
type VersionSet struct {
	Name       string `json:"name"`
	Display    string `json:"display,omitempty"`
	Scheme     string `json:"scheme"` // Segment, Header or Query
	HeaderName string `json:"headerName,omitempty"`
	QueryName  string `json:"queryName,omitempty"`
}

// API is one revision of an API.
type API struct {
	// ID is the resource name, lower-case, with ";rev=n" unless it is the name
	// under which the current revision is reached.
	ID         string   `json:"id"`
	Name       string   `json:"name"`    // resource name without revision, in its spelling: context.Api.Id
	Display    string   `json:"display"` // context.Api.Name
	Type       string   `json:"type,omitempty"`
	Path       string   `json:"path"` // without leading or trailing slash
	Protocols  []string `json:"protocols"`
	ServiceURL string   `json:"serviceUrl,omitempty"`
	Revision   string   `json:"revision"`
	IsCurrent  bool     `json:"isCurrent"`
	Version    string   `json:"version,omitempty"`
	VersionSet string   `json:"versionSet,omitempty"` // version set name, lower-case

	// Workspace is the one that the API belongs to: context.Workspace.
	Workspace *Workspace `json:"workspace,omitempty"`

	SubscriptionRequired bool   `json:"subscriptionRequired"`
	KeyHeader            string `json:"keyHeader,omitempty"` // default Ocp-Apim-Subscription-Key
	KeyQuery             string `json:"keyQuery,omitempty"`  // default subscription-key
}

// Workspace is a part of a service that a team manages by itself.
type Workspace struct {
	Name    string `json:"name"`    // resource name in its spelling: context.Workspace.Id
	Display string `json:"display"` // context.Workspace.Name
}

// HandshakeOperation is the name of the one operation of a WebSocket API. It stands for the handshakes at every path of the API.
const HandshakeOperation = "onHandshake"

// Operation is one operation of an API revision.
type Operation struct {
	API         string              `json:"api"`     // API.ID
	Name        string              `json:"name"`    // resource name in its spelling: context.Operation.Id
	Display     string              `json:"display"` // context.Operation.Name
	Method      string              `json:"method"`
	URLTemplate string              `json:"urlTemplate"`
	Parameters  []Parameter         `json:"parameters,omitempty"` // template parameters
	Request     *OperationRequest   `json:"request,omitempty"`
	Responses   []OperationResponse `json:"responses,omitempty"`
}

// Parameter is a template, query or header parameter of an operation.
type Parameter struct {
	Name     string   `json:"name"`
	Type     string   `json:"type,omitempty"`
	Required bool     `json:"required,omitempty"`
	Default  string   `json:"default,omitempty"`
	Values   []string `json:"values,omitempty"`
	Schema   string   `json:"schema,omitempty"`
	TypeName string   `json:"typeName,omitempty"`
}

// OperationRequest describes what an operation takes.
type OperationRequest struct {
	Query           []Parameter      `json:"query,omitempty"`
	Headers         []Parameter      `json:"headers,omitempty"`
	Representations []Representation `json:"representations,omitempty"`
}

// OperationResponse describes one answer of an operation.
type OperationResponse struct {
	Status          int              `json:"status"`
	Description     string           `json:"description,omitempty"`
	Headers         []Parameter      `json:"headers,omitempty"`
	Representations []Representation `json:"representations,omitempty"`
}

// Representation is one media type of a body, with its examples in order.
type Representation struct {
	ContentType string   `json:"contentType"`
	Schema      string   `json:"schema,omitempty"`
	TypeName    string   `json:"typeName,omitempty"`
	Examples    []string `json:"examples,omitempty"`
}

// MaxSchema is the size in bytes up to which a schema's document is published:
// gateways validate with schemas, and larger ones are not for that.
const MaxSchema = 4 << 20

// Schema is a document of types: of an API ("apis/a/schemas/s"), or of the
// service ("schemas/s").
type Schema struct {
	ContentType string          `json:"contentType"`
	Document    json.RawMessage `json:"document"`
}

// DefaultCache is the location of the cache that gateways use whose own location has none.
const DefaultCache = "default"

// Cache is an external cache: a Redis.
type Cache struct {
	// UseFrom is the location whose gateways use it, or DefaultCache.
	UseFrom string `json:"useFrom"`
	// Connection is a connection string of StackExchange.Redis.
	Connection string `json:"connection"`
}

// Resolver is a resolver of a GraphQL API ("apis/a/resolvers/r"). Its policy
// document is a part of its own.
type Resolver struct {
	Name string `json:"name"`
	// Path is the field that it resolves: "Type/field".
	Path string `json:"path"`
}

// Product is a product.
type Product struct {
	Name                 string   `json:"name"`    // resource name in its spelling: context.Product.Id
	Display              string   `json:"display"` // context.Product.Name
	Published            bool     `json:"published"`
	SubscriptionRequired bool     `json:"subscriptionRequired"`
	ApprovalRequired     bool     `json:"approvalRequired,omitempty"`
	SubscriptionsLimit   *int     `json:"subscriptionsLimit,omitempty"`
	Groups               []string `json:"groups,omitempty"` // group names
}

// ProductAPI says that a product holds an API.
type ProductAPI struct {
	Product string `json:"product"` // lower-case name
	API     string `json:"api"`     // lower-case name without revision
}

// Group is a group of users.
type Group struct {
	Name    string `json:"name"`
	Display string `json:"display"`
}

// User is the owner of subscriptions: context.User.
type User struct {
	Name       string     `json:"name"`
	Email      string     `json:"email,omitempty"`
	FirstName  string     `json:"firstName,omitempty"`
	LastName   string     `json:"lastName,omitempty"`
	Note       string     `json:"note,omitempty"`
	Registered time.Time  `json:"registered"`
	Active     bool       `json:"active"`
	Groups     []string   `json:"groups,omitempty"` // group names
	Identities []Identity `json:"identities,omitempty"`
}

// Identity is how a user signs in.
type Identity struct {
	Provider string `json:"provider"`
	ID       string `json:"id"`
}

// Subscription gives access with either of two keys.
type Subscription struct {
	Name    string `json:"name"` // context.Subscription.Id
	Display string `json:"display,omitempty"`
	// Scope is "" for every API of the service, "apis" for all APIs,
	// "apis/NAME" or "products/NAME" (lower-case, without revision).
	Scope   string     `json:"scope"`
	User    string     `json:"user,omitempty"` // user name; empty for none
	State   string     `json:"state"`          // active, suspended, submitted, rejected, cancelled, expired
	Created time.Time  `json:"created"`
	Start   *time.Time `json:"start,omitempty"`
	End     *time.Time `json:"end,omitempty"`
	Tracing bool       `json:"tracing,omitempty"`
	// HMAC-SHA256 of the keys under Service.KeyHashKey.
	PrimaryHash   []byte `json:"primaryHash,omitempty"`
	SecondaryHash []byte `json:"secondaryHash,omitempty"`
}

// SubscriptionKeys are the keys of a subscription; see KindSubscriptionKeys.
type SubscriptionKeys struct {
	Primary   string `json:"primary"`
	Secondary string `json:"secondary"`
}

// GatewayAPI assigns an API to a self-hosted gateway.
type GatewayAPI struct {
	Gateway string `json:"gateway"` // lower-case name
	API     string `json:"api"`     // lower-case name without revision
}
