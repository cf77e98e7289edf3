package configsync

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/causeway-apim/causeway/internal/auth"
)

// Path is where a Server is mounted: below the root of a listener, or below the
// ARM path of a service.
const Path = "/gateway-configuration/v1/connect"

// Identity says which gateway a connection belongs to.
type Identity struct {
	Service string // ARM ID, lower case
	Gateway string // name, lower case
	// Expiry is when the credential ends; zero for never.
	Expiry time.Time
	// CertificateExpiry is when the client certificate ends that came with the credential, or is the credential; zero without one.
	CertificateExpiry time.Time

	token *auth.GatewayToken // nil for other credentials
}

// Record is a numbered record of an instance on its way to the plane: usage,
// traces, events. (Instance, Sequence) identifies it, also when it comes twice.
type Record struct {
	Sequence int64           `json:"sequence"`
	Kind     string          `json:"kind"`
	Payload  json.RawMessage `json:"payload"`
}

// Server serves configurations to gateways. It handles requests whose path ends
// in Path. Set the fields before the first request.
type Server struct {
	Source Source
	// Auth accepts credentials other than gateway tokens, of a request that may
	// name a service (ARM ID, lower case, or empty) and a gateway. Nil refuses
	// them. The error's text goes to the gateway.
	Auth func(r *http.Request, service, gateway string) (Identity, error)
	// Certificates is mutual TLS of gateways; nil looks at no certificate.
	Certificates *ClientCertificates
	// Admit may refuse an instance beside others of its gateway that are connected here. The error's text goes to the gateway. Nil
	// takes any number.
	Admit func(ctx context.Context, id Identity, others int) error
	// Version of the plane, as in "1.4.0".
	Version string
	Now     func() time.Time // nil: time.Now
	Log     *slog.Logger     // nil: discard
	// Changed is told of each change of an instance, so that it can be kept;
	// it must not block. Nil: nobody wants to know.
	Changed func(service, gateway string, i Instance)
	// Record takes records of gateways; they are acknowledged when it returns
	// nil, and come again otherwise. Nil takes and drops them.
	Record func(ctx context.Context, from Identity, instance string, r Record) error
	// Request answers what gateways ask for by name; the answer is encoded as JSON. Calls run side by side. An error that wraps ErrRefused is
	// final, others may pass. Nil refuses all.
	Request func(ctx context.Context, from Identity, name string, payload json.RawMessage) (any, error)

	// mu is taken before the locks of services, those before the locks of
	// gateways.
	mu       sync.Mutex
	services map[string]*serviceHub
	conns    sync.WaitGroup
	closed   bool
}

func (s *Server) now() time.Time {
	if s.Now == nil {
		return time.Now()
	}
	return s.Now()
}

func (s *Server) log() *slog.Logger {
	if s.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return s.Log
}

// ServeHTTP upgrades the request to the configuration connection and serves it
// until it ends.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	service, ok := strings.CutSuffix(r.URL.Path, Path)
	if !ok || r.Method != http.MethodGet {
		http.NotFound(w, r)
		return
	}
	id, err := s.authenticate(r, strings.ToLower(service))
	if err != nil {
		s.refuse(w, r, id, err)
		return
	}
	hub, err := s.join(id)
	if err != nil {
		s.refuse(w, r, id, err)
		return
	}
	defer s.leave(hub)
	if s.Admit != nil {
		if err := s.Admit(r.Context(), id, hub.others(r.Header.Get(headerInstance))); err != nil {
			s.refuse(w, r, id, &refusal{http.StatusForbidden, codeNotAdmitted, err})
			return
		}
	}
	hub.prepare()
	ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{
		CompressionMode:      websocket.CompressionNoContextTakeover,
		CompressionThreshold: compressAbove,
	})
	if err != nil {
		return // Accept has answered
	}
	ws.SetReadLimit(maxUpMessage)
	c := &serverConn{server: s, hub: hub, ws: ws, id: id, address: r.RemoteAddr}
	if err := c.serve(r.Context()); err != nil {
		s.log().InfoContext(r.Context(), "gateway connection ended", "service", id.Service, "gateway", id.Gateway,
			"instance", c.instance, "reason", err.Error())
	}
}

// refusal is an error with its HTTP status and code.
type refusal struct {
	status int
	code   string
	err    error
}

func (e *refusal) Error() string { return e.err.Error() }
func (e *refusal) Unwrap() error { return e.err }

func refused(code string, err error) error {
	return &refusal{http.StatusUnauthorized, code, err}
}

// refuse answers a request that gets no connection. A gateway whose token
// expired is known all the same: its instance shows it.
func (s *Server) refuse(w http.ResponseWriter, r *http.Request, id Identity, err error) {
	e := &refusal{http.StatusServiceUnavailable, "ServiceUnavailable", err}
	if !errors.As(err, &e) && errors.Is(err, ErrNoService) {
		e = &refusal{http.StatusNotFound, codeNoService, err}
	}
	if e.code == codeTokenExpired {
		s.noteExpired(r, id, err)
	}
	s.log().WarnContext(r.Context(), "gateway connection refused", "service", id.Service, "gateway", id.Gateway,
		"remote", r.RemoteAddr, "code", e.code, "reason", err.Error())
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(e.status)
	body := map[string]map[string]string{"error": {"code": e.code, "message": err.Error()}}
	// The client has gone when this fails.
	_ = json.NewEncoder(w).Encode(body)
}

func (s *Server) noteExpired(r *http.Request, id Identity, err error) {
	instance := r.Header.Get(headerInstance)
	if instance == "" || len(instance) > maxInstanceID {
		return
	}
	hub, joinErr := s.join(id)
	if joinErr != nil {
		return
	}
	defer s.leave(hub)
	hub.note(instance, func(i *Instance) {
		i.LastHeartbeat, i.Version = s.now(), r.Header.Get(headerVersion)
		i.TokenExpiry = &id.Expiry
		i.Status, i.Message = StatusTokenExpired, err.Error()
	})
}

// authenticate finds the gateway that a request speaks for. The identity is
// right beside the error of an expired token too.
func (s *Server) authenticate(r *http.Request, service string) (Identity, error) {
	certificate, err := s.Certificates.present(r, s.now())
	if err != nil {
		return Identity{}, err
	}
	header := r.Header.Get("Authorization")
	if header == "" && certificate != nil && s.Certificates.Use == CertificateSufficient {
		return s.certified(r, service, certificate)
	}
	id, err := s.authenticateToken(r, service, header)
	if err != nil {
		return id, err
	}
	return id.bind(certificate)
}

// authenticateToken finds the gateway of a gateway token or an application's.
func (s *Server) authenticateToken(r *http.Request, service, header string) (Identity, error) {
	if _, bearer := auth.BearerToken(header); bearer {
		if s.Auth == nil {
			return Identity{}, refused(codeTokenRefused, errors.New("application tokens are not accepted here"))
		}
		id, err := s.Auth(r, service, strings.ToLower(r.Header.Get(headerGateway)))
		if err != nil {
			return Identity{}, refused(codeTokenRefused, err)
		}
		return id, nil
	}
	token, err := auth.ParseGatewayToken(header)
	if err != nil {
		return Identity{}, refused(codeTokenRefused, err)
	}
	return s.verify(r.Context(), service, token)
}

// verify finds the gateway whose key made the token, among those of all
// services unless one is given.
func (s *Server) verify(ctx context.Context, service string, token auth.GatewayToken) (Identity, error) {
	all, err := s.Source.GatewayKeys(ctx, token.Gateway)
	if err != nil {
		return Identity{}, fmt.Errorf("look up the keys of gateway %s: %w", token.Gateway, err)
	}
	return s.match(all, service, token)
}

// match is verify with keys that were looked up.
func (s *Server) match(all []GatewayKeys, service string, token auth.GatewayToken) (Identity, error) {
	var found []Identity
	var foundErr error
	for _, k := range all {
		if service != "" && service != k.Service {
			continue
		}
		n, err := token.Verify(s.now(), k.Primary, k.Secondary)
		if n < 0 {
			continue
		}
		found = append(found, Identity{
			Service: k.Service, Gateway: strings.ToLower(k.Gateway), Expiry: token.Expiry, token: &token,
		})
		foundErr = err
	}
	switch {
	case len(found) == 0:
		return Identity{}, refused(codeTokenRefused, auth.ErrTokenUnknownKey)
	case len(found) > 1:
		return Identity{}, refused(codeTokenRefused, errors.New("the token fits several services: use an endpoint with the service's path"))
	case foundErr != nil:
		return found[0], refused(codeTokenExpired, foundErr)
	}
	return found[0], nil
}

// Instances lists the instances of a gateway that were heard of in the last
// minutes, in the order of their IDs.
func (s *Server) Instances(service, gateway string) []Instance {
	if hub := s.hub(service, gateway); hub != nil {
		return hub.list()
	}
	return nil
}

// Recheck looks at the keys of a gateway again (of every gateway of the service
// for the name ""). Connections whose token no longer holds are told and closed.
// The server does it by itself when the gateway's part changes, which happens
// with its keys and with its deletion.
func (s *Server) Recheck(ctx context.Context, service, gateway string) error {
	var failed error
	for _, hub := range s.hubs(service, gateway) {
		failed = errors.Join(failed, hub.recheck(ctx))
	}
	return failed
}

// Command sends a command to every connected instance of a gateway (of every
// gateway of the service for the name "") and returns how many there are.
func (s *Server) Command(service, gateway, name string, payload any) (int, error) {
	b, err := json.Marshal(payload)
	if err != nil {
		return 0, fmt.Errorf("encode command %s: %w", name, err)
	}
	sent := 0
	for _, hub := range s.hubs(service, gateway) {
		for _, c := range hub.connections() {
			c.send(message{Type: typeCommand, Name: name, Payload: b})
			sent++
		}
	}
	return sent, nil
}

// Close ends all connections with "going away", so that gateways come back
// (to another replica) at once, and waits for them.
func (s *Server) Close() {
	s.mu.Lock()
	s.closed = true
	services := s.services
	s.services = nil
	s.mu.Unlock()
	for _, h := range services {
		h.close()
	}
	s.conns.Wait()
}
