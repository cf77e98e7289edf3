package resources

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/resource"
)

// poolType is the type of a backend that stands for others.
const poolType = "Pool"

// backendThumbprintIndex finds backends by the thumbprints of their client certificates, in lower case.
const backendThumbprintIndex = "backendThumbprint"

// Backend says where and how to call a backend service, or which other backends to share the load between.
type Backend struct {
	Title          string                 `json:"title,omitempty" rule:"max=300" filter:"yes" doc:"Name that people see."`
	Description    string                 `json:"description,omitempty" rule:"max=2000" doc:"What it is."`
	ResourceID     string                 `json:"resourceId,omitempty" rule:"max=2000" doc:"URI of the service in another system, such as an ARM ID; kept."`
	Properties     *BackendProperties     `json:"properties,omitempty" doc:"Service Fabric cluster."`
	Credentials    *BackendCredentials    `json:"credentials,omitempty" doc:"What is added to each call. Values may hold named values."`
	Proxy          *BackendProxy          `json:"proxy,omitempty" doc:"Forward proxy."`
	TLS            *BackendTLS            `json:"tls,omitempty" doc:"What of the server's certificate is checked."`
	CircuitBreaker *BackendCircuitBreaker `json:"circuitBreaker,omitempty" doc:"When calls are stopped."`
	Pool           *BackendPool           `json:"pool,omitempty" doc:"Backends that share the load."`
	Type           string                 `json:"type" rule:"enum=Single|Pool,default=Single" doc:"One service or a pool of backends."`
	URL            string                 `json:"url,omitempty" rule:"max=2000" filter:"yes" doc:"Base URL of the service; needed unless it is a pool."`
	Protocol       string                 `json:"protocol,omitempty" rule:"enum=http|soap" doc:"Protocol; needed unless it is a pool."`
}

// BackendCredentials are added to each call of a backend. They are kept encrypted and, as in API Management, answered.
type BackendCredentials struct {
	Certificate    []string              `json:"certificate,omitempty" rule:"max=32" doc:"Thumbprints of client certificates."`
	CertificateIDs []string              `json:"certificateIds,omitempty" rule:"max=32,ref=certificates" doc:"Client certificates."`
	Header         map[string][]string   `json:"header,omitempty" rule:"secret" doc:"Headers."`
	Query          map[string][]string   `json:"query,omitempty" rule:"secret" doc:"Query parameters."`
	Authorization  *BackendAuthorization `json:"authorization,omitempty" doc:"Authorization header."`
}

// BackendAuthorization is the Authorization header of calls.
type BackendAuthorization struct {
	Scheme    string `json:"scheme" rule:"required,max=100" doc:"Scheme, such as Basic."`
	Parameter string `json:"parameter,omitempty" rule:"secret,required,max=4000" doc:"What follows the scheme."`
}

// BackendProxy is a forward proxy.
type BackendProxy struct {
	URL      string `json:"url" rule:"required,max=2000,url" doc:"URL of the proxy."`
	Username string `json:"username,omitempty" rule:"max=1000" doc:"User name."`
	Password string `json:"password,omitempty" rule:"secret,max=1000" doc:"Password; answered when it is a named value only."`
}

// BackendTLS says what of a server's certificate is checked.
type BackendTLS struct {
	ValidateCertificateChain bool `json:"validateCertificateChain" rule:"default=true" doc:"Trust known authorities only."`
	ValidateCertificateName  bool `json:"validateCertificateName" rule:"default=true" doc:"The certificate must be for the host."`

	ServerCertificateThumbprints []string             `json:"serverCertificateThumbprints,omitempty" rule:"max=32" doc:"Thumbprints of the server's certificates; others are refused, and no authority is asked."`
	ServerX509Names              []X509CertificateRef `json:"serverX509Names,omitempty" rule:"max=32" doc:"Names of the server's certificates with the thumbprints of their issuers; others are refused."`
}

// BackendCircuitBreaker stops calls to a service that fails.
type BackendCircuitBreaker struct {
	Rules []CircuitBreakerRule `json:"rules,omitempty" rule:"max=15" doc:"Each can open the breaker."`
}

// CircuitBreakerRule is one reason to stop calls.
type CircuitBreakerRule struct {
	Name             string            `json:"name" rule:"required,max=80" doc:"Name."`
	FailureCondition *FailureCondition `json:"failureCondition" rule:"required" doc:"What has to happen."`
	TripDuration     string            `json:"tripDuration" rule:"required" doc:"How long calls stop: ISO 8601, PT1M."`
	AcceptRetryAfter bool              `json:"acceptRetryAfter" doc:"The service's Retry-After header says how long instead."`
	FailureResponse  *FailureResponse  `json:"failureResponse,omitempty" doc:"What callers are answered meanwhile; 503 by default."`
}

// FailureResponse is the answer in place of that of a service which is not called.
type FailureResponse struct {
	StatusCode int `json:"statusCode,omitempty" rule:"min=100,max=599" doc:"Status code; below 200 it counts as 503."`
}

// FailureCondition is a number or a share of failures within an interval.
type FailureCondition struct {
	Count            int           `json:"count,omitempty" rule:"min=0" doc:"Failures."`
	Percentage       int           `json:"percentage,omitempty" rule:"min=0,max=100" doc:"Share of failures among all calls, in percent."`
	Interval         string        `json:"interval" rule:"required" doc:"Time in which they are counted: ISO 8601, PT10S."`
	StatusCodeRanges []StatusRange `json:"statusCodeRanges,omitempty" rule:"max=10" doc:"Answers that are failures."`
	ErrorReasons     []string      `json:"errorReasons,omitempty" rule:"max=10" doc:"Reasons of errors that are failures; every error when there are none."`
}

// StatusRange is a range of status codes, both ends included.
type StatusRange struct {
	Min int `json:"min" rule:"min=200,max=599"`
	Max int `json:"max" rule:"min=200,max=599"`
}

// BackendPool are the backends of a pool.
type BackendPool struct {
	Services        []PoolService    `json:"services" rule:"required,max=30" doc:"Backends, no pools among them."`
	FailureResponse *FailureResponse `json:"failureResponse,omitempty" doc:"What callers are answered while no backend may be called; 503 by default."`
	SessionAffinity *SessionAffinity `json:"sessionAffinity,omitempty" doc:"Keeps the requests of a session at one backend."`
}

// SessionAffinity says how requests of one session are known.
type SessionAffinity struct {
	SessionID *SessionID `json:"sessionId,omitempty" doc:"What identifies a session."`
}

// SessionID is where the identifier of a session stands. The gateway makes it and sets the cookie.
type SessionID struct {
	Source string `json:"source" rule:"enum=cookie,default=cookie" doc:"Kind of place."`
	Name   string `json:"name" rule:"required,max=128,pattern=[A-Za-z0-9!#$%&'*+.^_|~-]+" doc:"Name of the cookie."`
}

// PoolService is one backend of a pool.
type PoolService struct {
	ID       string `json:"id" rule:"required,ref=backends" doc:"Backend."`
	Priority *int   `json:"priority,omitempty" rule:"min=0,max=100" doc:"Those of the lowest number are called first."`
	Weight   *int   `json:"weight,omitempty" rule:"min=0,max=100" doc:"Share of calls within a priority."`
}

// BackendProperties hold what only some kinds of backends have.
type BackendProperties struct {
	ServiceFabricCluster *ServiceFabricCluster `json:"serviceFabricCluster,omitempty" doc:"Kept; calls to a cluster fail."`
}

// ServiceFabricCluster is a cluster in which a service is looked up.
type ServiceFabricCluster struct {
	ClientCertificateID           string               `json:"clientCertificateId,omitempty"`
	ClientCertificateThumbprint   string               `json:"clientCertificatethumbprint,omitempty"`
	MaxPartitionResolutionRetries *int                 `json:"maxPartitionResolutionRetries,omitempty"`
	ManagementEndpoints           []string             `json:"managementEndpoints" rule:"required"`
	ServerX509Names               []X509CertificateRef `json:"serverX509Names,omitempty"`
	ServerCertificateThumbprints  []string             `json:"serverCertificateThumbprints,omitempty"`
}

// X509CertificateRef names a certificate by its common name and issuer.
type X509CertificateRef struct {
	Name                        string `json:"name,omitempty"`
	IssuerCertificateThumbprint string `json:"issuerCertificateThumbprint,omitempty"`
}

func backends(env Env) *resource.Type {
	return resource.Define(resource.Spec[Backend]{
		Name: "backends", Title: "Backend", Doc: "A backend service, or a pool of them.",
		Parents: []string{""}, Workspaces: true, Verbs: resource.CRUDL,
		Check: checkBackend,
		Delete: func(x *resource.Tx, old *resource.Doc[Backend]) error {
			return env.refuseIfUsed(x, usesBackend, old.Name())
		},
		Indexes: func(d *resource.Doc[Backend]) (rows []resource.Index) {
			if d.Props.Credentials == nil {
				return nil
			}
			for _, t := range d.Props.Credentials.Certificate {
				row := resource.Index{Name: backendThumbprintIndex, Value: strings.ToLower(t)}
				if !slices.Contains(rows, row) {
					rows = append(rows, row)
				}
			}
			return rows
		},
		View: func(_ *resource.Reader, d *resource.Doc[Backend]) (any, error) {
			v := d.Props
			if v.Proxy != nil && !isNamedValue(v.Proxy.Password) {
				proxy := *v.Proxy
				proxy.Password = ""
				v.Proxy = &proxy
			}
			return v, nil
		},
		Actions: []resource.Action[Backend]{{
			Name: "reconnect", Doc: "Has no effect: connections to backend services are renewed by themselves.", Async: true,
			Read: func(*resource.Reader, *resource.Doc[Backend], json.RawMessage) (any, error) { return nil, nil },
		}},
		Publish: publishBackend,
	})
}

// isNamedValue reports whether a text is nothing but the reference to a named value, which gives no secret away.
func isNamedValue(text string) bool {
	name, ok := strings.CutPrefix(text, "{{")
	name, closed := strings.CutSuffix(name, "}}")
	return ok && closed && name != "" && !strings.ContainsAny(name, "{}")
}

func checkBackend(x *resource.Tx, _, d *resource.Doc[Backend]) error {
	b := d.Props
	if err := checkTarget(b); err != nil {
		return err
	}
	if err := checkThumbprints(x, b.Credentials); err != nil {
		return err
	}
	if b.CircuitBreaker != nil {
		for i, rule := range b.CircuitBreaker.Rules {
			if err := rule.check(i); err != nil {
				return err
			}
		}
	}
	if b.Pool != nil {
		return checkPool(x, d)
	}
	return nil
}

// checkTarget checks what a backend of its type needs.
func checkTarget(b Backend) error {
	switch {
	case b.Type == poolType && b.Pool == nil:
		return arm.Invalid("pool", "A pool needs pool.services.")
	case b.Type == poolType && b.CircuitBreaker != nil:
		return arm.Invalid("circuitBreaker", "A pool has no circuit breaker of its own: its backends have.")
	case b.Type == poolType:
		return nil
	case b.Pool != nil:
		return arm.Invalid("pool", "Only a backend of the type Pool has a pool.")
	case b.URL == "":
		return arm.Invalid("url", "url is required.")
	case b.Protocol == "":
		return arm.Invalid("protocol", "protocol is required.")
	case b.Properties != nil && b.Properties.ServiceFabricCluster != nil:
		return nil // its URL names a service of the cluster
	}
	u, err := url.Parse(b.URL)
	if err != nil || u.Host == "" || !slices.Contains([]string{"http", "https", "ws", "wss"}, strings.ToLower(u.Scheme)) {
		return arm.Invalid("url", "url must be an absolute URL.")
	}
	return nil
}

func checkThumbprints(x *resource.Tx, c *BackendCredentials) error {
	if c == nil {
		return nil
	}
	for _, t := range c.Certificate {
		keys, err := x.Lookup(thumbprintIndex, strings.ToLower(t))
		if err != nil {
			return err
		}
		if len(keys) == 0 {
			return arm.Invalid("credentials.certificate", "There is no certificate with the thumbprint %s.", t)
		}
	}
	return nil
}

// checkPool refuses pools in pools: the members of a pool are single backends.
func checkPool(x *resource.Tx, pool *resource.Doc[Backend]) error {
	for _, s := range pool.Props.Pool.Services {
		id, err := arm.ParseID(s.ID)
		if err != nil {
			return err
		}
		if id.Equal(pool.ID) {
			return arm.Invalid("pool.services", "The pool would hold itself.")
		}
		member, err := resource.Get[Backend](&x.Reader, id)
		if err != nil {
			return err
		}
		if member.Props.Type == poolType {
			return arm.Invalid("pool.services", "The backend %s is a pool itself: a pool holds single backends.", id.Name())
		}
	}
	return nil
}
