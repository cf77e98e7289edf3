// Package manage is the management plane's server: it authenticates, authorises, bounds and logs every request and
// hands it to the resource engine, to the surroundings of ARM (subscriptions, resource groups, providers, locations)
// or to what cmd mounts beside them: the gateways' configuration connection, the console, the token service.
package manage

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/configsync"
	"github.com/causeway-apim/causeway/internal/resource"
	"github.com/causeway-apim/causeway/internal/store"
	"github.com/causeway-apim/causeway/internal/telemetry"
)

// Limits of the listeners. The deadline for reading is lifted for mounted handlers.
const (
	readHeaderTimeout = 10 * time.Second
	readTimeout       = 2 * time.Minute
	idleTimeout       = 2 * time.Minute
	requestTimeout    = 60 * time.Second
	maxHeaderBytes    = 64 << 10
)

// Config is what a [Server] needs. Store, Catalogue, Now and Authenticator must be set.
type Config struct {
	Store     store.Store
	Catalogue *resource.Catalogue
	Now       func() time.Time
	Log       *slog.Logger // access and error log; nil for none

	Authenticator Authenticator
	// Authorizer decides who may do what; nil allows every authenticated principal everything.
	Authorizer Authorizer

	// RateLimit bounds the requests of each principal; the zero value does not.
	RateLimit RateLimit

	// Endpoints are served before everything else, for whoever they authenticate: the token service.
	Endpoints []Endpoint
	// Extensions serve what other providers add to resources, by their namespace in lower case.
	Extensions map[string]Extension
	// OnDelete is told of scopes that a caller has deleted; may be nil.
	OnDelete func(ctx context.Context, scope arm.ID) error

	// OnRefusal is told of writes that were answered with an error; may be nil. See [CallOf].
	OnRefusal func(ctx context.Context, status int) error

	// Subscriptions are the Azure subscriptions that are listed; others come into being with their first resource group.
	Subscriptions []string
	// TenantID is the directory in WWW-Authenticate headers and the list of tenants.
	TenantID string

	// Fetch reads what a link of a template names, at most max bytes, and keeps its rules of addresses; nil refuses links.
	Fetch func(ctx context.Context, link string, max int64) ([]byte, error)

	// Handlers are mounted under their patterns, which are those of http.ServeMux. They authenticate their own requests:
	// the console, the token service.
	Handlers map[string]http.Handler

	// Connect serves the configuration connection of gateways, at configsync.Path below the root and below the path of a
	// service; nil for none. It authenticates gateways itself.
	Connect http.Handler

	// Spans say which requests leave spans.
	Spans telemetry.SpanOptions

	// Metrics writes metrics of others after those of the server, in the text format of Prometheus; may be nil.
	Metrics func(w io.Writer)

	// Guard refuses writes of single resources, such as those that a file manages; may be nil.
	Guard func(ctx context.Context, id arm.ID) error
	// OnWrite is awaited after every committed write before it is answered; may be nil.
	OnWrite func(ctx context.Context, service string, seq int64) error
}

// Server is the management plane's HTTP handler and its listeners.
type Server struct {
	c       Config
	engine  *resource.Engine
	limiter *limiter
	metrics *metrics
	mounted *http.ServeMux
	openAPI func() []byte
	handler http.Handler

	deployments deployments
}

// New returns a server. It fails when something needed is missing from c.
func New(c Config) (*Server, error) {
	if c.Store == nil || c.Catalogue == nil || c.Now == nil || c.Authenticator == nil {
		return nil, errors.New("manage: Store, Catalogue, Now and Authenticator are needed")
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Authorizer == nil {
		c.Authorizer = AuthorizerFunc(func(context.Context, Principal, string, arm.ID) error { return nil })
	}
	if c.TenantID == "" {
		c.TenantID = "00000000-0000-0000-0000-000000000000"
	}
	s := &Server{c: c, mounted: http.NewServeMux(), limiter: newLimiter(c.RateLimit, c.Now), metrics: newMetrics(c.Metrics)}
	for pattern, h := range c.Handlers {
		s.mounted.Handle(pattern, h)
	}
	s.engine = resource.NewEngine(resource.Config{
		Store: c.Store, Catalogue: c.Catalogue, Now: c.Now, Log: c.Log, Guard: c.Guard, OnWrite: c.OnWrite,
		Principal: func(ctx context.Context) string { return PrincipalOf(ctx).Name },
		Authorize: s.authorize,
		Sees:      s.seesSome,
	})
	s.openAPI = sync.OnceValue(c.Catalogue.OpenAPI)
	s.handler = s.observe(s.protect(http.HandlerFunc(s.route)))
	return s, nil
}

// Engine is the resource engine behind the server, for writes from within the process.
func (s *Server) Engine() *resource.Engine { return s.engine }

// ServeHTTP serves the management API and everything mounted beside it.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// Serve serves l until ctx ends, then drains for at most drain. It returns nil after a drain and the listener's error
// otherwise. Call it once for each listener; a TLS listener is passed as such.
func (s *Server) Serve(ctx context.Context, l net.Listener, drain time.Duration) error {
	srv := &http.Server{
		Handler: s, ReadHeaderTimeout: readHeaderTimeout, ReadTimeout: readTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeaderBytes,
		ErrorLog: slog.NewLogLogger(s.c.Log.Handler(), slog.LevelWarn),
	}
	failed := make(chan error, 1)
	go func() { failed <- srv.Serve(l) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), drain)
	defer cancel()
	if err := srv.Shutdown(stop); err != nil {
		_ = srv.Close() // what has not ended by now is cut off
	}
	s.deployments.stop()
	s.engine.Wait()
	return nil
}

// route finds who serves an authenticated or anonymous request.
func (s *Server) route(w http.ResponseWriter, r *http.Request) {
	if i := slices.IndexFunc(s.c.Endpoints, func(e Endpoint) bool { return e.Serves(r.URL.Path) }); i >= 0 {
		s.c.Endpoints[i].ServeHTTP(w, r)
		return
	}
	if h := s.mountedHandler(r); h != nil {
		// These may be streams: they bound their own times.
		_ = http.NewResponseController(w).SetReadDeadline(time.Time{})
		h.ServeHTTP(w, r)
		return
	}
	if h := s.anonymous(strings.TrimSuffix(r.URL.Path, "/")); h != nil {
		h(w, r)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), requestTimeout)
	defer cancel()
	r, err := s.authenticate(withoutEmptySegments(r.WithContext(ctx)))
	if err != nil {
		s.challenge(w, r, err)
		return
	}
	if err := s.limiter.admit(w, r, PrincipalOf(r.Context()).ID); err != nil {
		arm.WriteError(w, err)
		return
	}
	r = withCall(w, r)
	if r.Body != nil && r.Body != http.NoBody {
		r.Body = withoutByteMark(r.Body)
	}
	s.dispatch(w, r)
	s.afterDelete(w, r)
	s.refused(w, r)
}

// withoutEmptySegments passes over empty segments in the path, as Azure Resource Manager does: the Azure CLI leaves one
// where a resource has no parent.
func withoutEmptySegments(r *http.Request) *http.Request {
	if strings.Contains(r.URL.Path, "//") {
		emptySegments, u := regexp.MustCompile("//+"), *r.URL
		u.Path, u.RawPath = emptySegments.ReplaceAllString(u.Path, "/"), emptySegments.ReplaceAllString(u.RawPath, "/")
		r.URL = &u // r is a copy of ours
	}
	return r
}

// dispatch hands a request of the management API to who serves it.
func (s *Server) dispatch(w http.ResponseWriter, r *http.Request) {
	extension, scope, rest := s.extension(r)
	deployment, isDeployment := parseDeployment(r.URL.EscapedPath())
	switch {
	case isDeployment:
		s.serveDeployments(w, r, deployment)
	case extension != nil:
		extension.ServeExtension(w, r, scope, rest)
	case resource.Supports(r.URL.Path):
		s.engine.ServeHTTP(w, r)
	default:
		s.surroundings(w, r)
	}
}

// anonymous returns who serves a path that needs no account, nil for others.
func (s *Server) anonymous(path string) http.HandlerFunc {
	switch path {
	case "/healthz", "/readyz":
		return s.health
	case "/livez":
		return func(w http.ResponseWriter, _ *http.Request) {
			arm.WriteJSON(w, http.StatusOK, map[string]string{"status": "alive"})
		}
	case "/metrics":
		return s.metrics.ServeHTTP
	case "/openapi.json":
		return s.serveOpenAPI
	case "/metadata/endpoints":
		return s.metadata
	}
	return nil
}

// extension finds who serves {scope}/providers/NAMESPACE/…, nil when the path is none of an extension.
func (s *Server) extension(r *http.Request) (e Extension, scope arm.ID, rest []string) {
	id, err := arm.ParseURLPath(r.URL.EscapedPath())
	if err != nil {
		return nil, scope, nil
	}
	segs := id.Segments()
	for i := len(segs) - 3; i >= 0; i-- {
		if !strings.EqualFold(segs[i], "providers") {
			continue
		}
		e = s.c.Extensions[strings.ToLower(segs[i+1])]
		if rest = segs[i+2:]; e == nil || r.Method == http.MethodPost && isRegistration(rest) {
			return nil, scope, nil
		}
		if i > 0 {
			scope = arm.Path(segs[:i]...)
		}
		return e, scope, rest
	}
	return nil, scope, nil
}

func isRegistration(rest []string) bool {
	return len(rest) == 1 && (strings.EqualFold(rest[0], "register") || strings.EqualFold(rest[0], "unregister"))
}

// refused tells of a write that was refused or failed.
func (s *Server) refused(w http.ResponseWriter, r *http.Request) {
	rec, known := w.(*recorder)
	if s.c.OnRefusal == nil || !known || rec.status < http.StatusBadRequest || r.Method == http.MethodGet || r.Method == http.MethodHead {
		return
	}
	if err := s.c.OnRefusal(context.WithoutCancel(r.Context()), rec.status); err != nil {
		s.c.Log.WarnContext(r.Context(), "a refused request is not in the audit log", "path", r.URL.Path, "error", err)
	}
}

// afterDelete tells of a deletion that was answered well.
func (s *Server) afterDelete(w http.ResponseWriter, r *http.Request) {
	rec, known := w.(*recorder)
	if s.c.OnDelete == nil || r.Method != http.MethodDelete || !known || rec.status >= http.StatusMultipleChoices {
		return
	}
	id, err := arm.ParseURLPath(r.URL.EscapedPath())
	if err == nil {
		err = s.c.OnDelete(context.WithoutCancel(r.Context()), id)
	}
	if err != nil {
		s.c.Log.WarnContext(r.Context(), "rights in a deleted scope could not be removed", "scope", r.URL.Path, "error", err)
	}
}

// mountedHandler returns who serves the request outside of the management API, nil for nobody.
func (s *Server) mountedHandler(r *http.Request) http.Handler {
	if s.c.Connect != nil && strings.HasSuffix(r.URL.Path, configsync.Path) {
		return s.c.Connect
	}
	if h, pattern := s.mounted.Handler(r); pattern != "" {
		return h
	}
	return nil
}
