package manage

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"net/http"
	"strings"
	"sync"

	"github.com/causeway-apim/causeway/internal/arm"
)

// Principal is who sends a request.
type Principal struct {
	ID    string // object ID
	Name  string // for records such as createdBy
	AppID string // of the program that it is or that it uses
	// Scope and ReadOnly are what an API token leaves of its principal's rights: below an ARM ID, "" for everywhere, and
	// reading only.
	Scope    string
	ReadOnly bool
}

// Authenticator finds out who sends a request. Its error should be an arm.Error of status 401; others count as a token
// that is not valid.
type Authenticator interface {
	Authenticate(r *http.Request) (Principal, error)
}

// Authorizer decides whether a principal may do an action, such as Microsoft.ApiManagement/service/apis/write, on a
// resource. Its error is an arm.Error of status 403; see [Forbidden].
type Authorizer interface {
	Authorize(ctx context.Context, p Principal, action string, scope arm.ID) error
}

// AuthorizerFunc is a function as an [Authorizer].
type AuthorizerFunc func(ctx context.Context, p Principal, action string, scope arm.ID) error

// Authorize calls f.
func (f AuthorizerFunc) Authorize(ctx context.Context, p Principal, action string, scope arm.ID) error {
	return f(ctx, p, action, scope)
}

// Forbidden is the error of an action that a principal may not do.
func Forbidden(p Principal, action string, scope arm.ID) *arm.Error {
	return arm.Errorf(arm.CodeAuthorization, "The client '%s' does not have authorization to perform action '%s' over scope '%s'.", p.Name, action, scope)
}

// BearerToken is an [Authenticator] that knows one token: that of dev, or the administrator's secret until a token
// service exists. It keeps only the token's hash.
type BearerToken struct {
	hash      [sha256.Size]byte
	principal Principal
}

// NewBearerToken returns the authenticator of a token.
func NewBearerToken(token string, p Principal) *BearerToken {
	return NewBearerTokenHash(sha256.Sum256([]byte(token)), p)
}

// NewBearerTokenHash returns the authenticator of a random token of which only the SHA-256 is known.
func NewBearerTokenHash(hash [sha256.Size]byte, p Principal) *BearerToken {
	return &BearerToken{hash: hash, principal: p}
}

// Authenticate implements [Authenticator]. Tokens are compared in constant time.
func (b *BearerToken) Authenticate(r *http.Request) (Principal, error) {
	token, err := Bearer(r)
	if err != nil {
		return Principal{}, err
	}
	if hash := sha256.Sum256([]byte(token)); subtle.ConstantTimeCompare(hash[:], b.hash[:]) != 1 {
		return Principal{}, arm.Errorf(arm.CodeInvalidToken, "The access token is not valid.")
	}
	return b.principal, nil
}

// Bearer returns the token of a request's Authorization header.
func Bearer(r *http.Request) (string, error) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	token = strings.TrimSpace(token)
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		return "", arm.Errorf(arm.CodeAuthentication, "Authentication failed. The 'Authorization' header is missing or is not a bearer token.")
	}
	return token, nil
}

type principalKey struct{}

// PrincipalOf returns who sent the request of a context; the zero Principal for work of the process itself.
func PrincipalOf(ctx context.Context) Principal {
	p, _ := ctx.Value(principalKey{}).(Principal)
	return p
}

// Call is a request of an authenticated caller, for records.
type Call struct {
	Principal
	Method, Path, Client string
	Request, Correlation string // identifiers
	mu                   sync.Mutex
	action               string
}

// Action is what was authorised last, such as Microsoft.ApiManagement/service/apis/write.
func (c *Call) Action() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.action
}

// Authorised notes an action for records; authorizers call it. It does nothing without a call.
func (c *Call) Authorised(action string) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.action = action
}

type callKey struct{}

// CallOf returns the request of a context, nil for work of the process itself.
func CallOf(ctx context.Context) *Call {
	c, _ := ctx.Value(callKey{}).(*Call)
	return c
}

// withCall notes a request in its context.
func withCall(w http.ResponseWriter, r *http.Request) *http.Request {
	h := w.Header()
	return r.WithContext(context.WithValue(r.Context(), callKey{}, &Call{
		Principal: PrincipalOf(r.Context()), Method: r.Method, Path: r.URL.Path, Client: r.RemoteAddr,
		Request: h.Get("x-ms-request-id"), Correlation: h.Get("x-ms-correlation-request-id"),
	}))
}

func (s *Server) authenticate(r *http.Request) (*http.Request, error) {
	p, err := s.c.Authenticator.Authenticate(r)
	if err != nil {
		return r, err
	}
	return r.WithContext(context.WithValue(r.Context(), principalKey{}, p)), nil
}

// Check refuses an action of the caller of a request at a scope, as the resource engine does for its own requests.
func (s *Server) Check(ctx context.Context, action string, scope arm.ID) error {
	return s.authorize(ctx, action, scope)
}

// authorize is the engine's hook. Work of the process itself has no principal and may do everything.
func (s *Server) authorize(ctx context.Context, action string, scope arm.ID) error {
	p, ok := ctx.Value(principalKey{}).(Principal)
	if !ok {
		return nil
	}
	return s.c.Authorizer.Authorize(ctx, p, action, scope)
}

// Extension serves what a provider adds to the resources of others: everything below {scope}/providers/NAMESPACE, for
// an authenticated caller. rest are the segments that follow, at least one; scope is the zero ID for the tenant. It
// authorises by itself, with [Server.Check] or otherwise.
type Extension interface {
	ServeExtension(w http.ResponseWriter, r *http.Request, scope arm.ID, rest []string)
}

// Endpoint serves paths outside of the management API and authenticates its own callers: the token service.
type Endpoint interface {
	http.Handler
	Serves(path string) bool
}

// challenge answers 401 as ARM does: clients read the authority from the header.
func (s *Server) challenge(w http.ResponseWriter, r *http.Request, err error) {
	e, known := arm.AsError(err)
	if !known {
		e = arm.Errorf(arm.CodeInvalidToken, "The access token is not valid.")
	}
	if e.Status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", fmt.Sprintf(`Bearer authorization_uri="%s/%s", error="invalid_token", error_description="%s"`,
			arm.BaseURL(r), s.c.TenantID, e.Code))
	}
	arm.WriteError(w, e)
}
