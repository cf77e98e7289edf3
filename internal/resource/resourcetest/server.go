// Package resourcetest tests a catalogue of resource types: a server over an empty store in memory, and a suite that is
// generated for every type from its declaration and its sample.
//
// A sample is a txtar archive named after the type's path with dots for slashes (products.apis.txtar; service.txtar for
// the service). Its files:
//
//	sample.json      body of the PUT that creates the resource; not needed for joins
//	update.json      body of a PATCH that changes it
//	second.json      body of a second resource when the sample's cannot be used twice (unique values)
//	variant/NAME     bodies with properties that the sample does not have; their values are broken as well as the sample's
//	name             the resource's name; "sample" or the type's only one otherwise
//	setup/PATH       bodies of resources to create first, in order; PATH is below the service. May be empty for joins
//	steps            a script of requests, see below
//
// Steps are separated by empty lines: METHOD PATH, header lines "Name: value", the body, "=> STATUS" and the expected
// body, of which members that are not named are not looked at; "…" as a value stands for anything. PATH is relative to
// the service; NAME in it is the sample's path; "#" begins a comment line.
package resourcetest

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/resource"
	"github.com/causeway-apim/causeway/internal/store"
)

// The scope of the server's service.
const (
	Group   = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/test"
	Service = Group + "/providers/Microsoft.ApiManagement/service/contoso"
	version = "api-version=2024-05-01"
)

// Server is an engine over an empty store.
type Server struct {
	T      testing.TB
	Store  store.Store
	Engine *resource.Engine
	Now    time.Time
	// OnWrite is the engine's; nil for none. Set it before the first request.
	OnWrite func(ctx context.Context, service string, seq int64) error
}

// Response is an answer.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
}

// JSON decodes the body.
func (r Response) JSON(t testing.TB) map[string]any {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal(r.Body, &v); err != nil {
		t.Fatalf("body is not a JSON object: %v: %s", err, r.Body)
	}
	return v
}

// New returns a server with a resource group and no service.
func New(t testing.TB, c *resource.Catalogue) *Server {
	t.Helper()
	s := &Server{T: t, Now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	now := func() time.Time { return s.Now }
	st, err := store.Open(context.Background(), "sqlite://:memory:", store.Options{Now: now, Keyring: store.NewKeyring([32]byte{1})})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	s.Store = st
	s.Engine = resource.NewEngine(resource.Config{Store: st, Catalogue: c, Now: now, OnWrite: func(ctx context.Context, service string, seq int64) error {
		if s.OnWrite == nil {
			return nil
		}
		return s.OnWrite(ctx, service, seq)
	}})
	_, err = st.Update(context.Background(), "", func(tx store.Tx) error {
		group := &store.Document{ID: strings.ToLower(Group), Path: Group, Type: "resourceGroups", Parent: strings.ToLower(Group[:strings.LastIndex(Group, "/resourceGroups")]), Name: "test", Body: []byte("{}")}
		return tx.Put(context.Background(), group, nil)
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// NewService returns a server with a service, whose ID is [Service].
func NewService(t testing.TB, c *resource.Catalogue) *Server {
	t.Helper()
	s := New(t, c)
	s.Must(http.StatusCreated, "PUT", Service, `{"location":"westeurope","sku":{"name":"Developer","capacity":1},"properties":{"publisherEmail":"a@example.com","publisherName":"A"}}`)
	return s
}

// Do sends a request. path is absolute or relative to [Service]; headers are pairs.
func (s *Server) Do(method, path, body string, headers ...string) Response {
	s.T.Helper()
	if path == "" {
		path = Service
	} else if !strings.HasPrefix(path, "/") {
		path = Service + "/" + path
	}
	if !strings.Contains(path, "api-version=") {
		sep := "?"
		if strings.Contains(path, "?") {
			sep = "&"
		}
		path += sep + version
	}
	var rd io.Reader
	if body != "" {
		rd = strings.NewReader(body)
	}
	r := httptest.NewRequestWithContext(context.Background(), method, "http://manage.test"+strings.ReplaceAll(path, " ", "%20"), rd)
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	s.Engine.ServeHTTP(w, r)
	return Response{w.Code, w.Header(), bytes.Clone(w.Body.Bytes())}
}

// Must sends a request and fails the test when the status is not the expected one.
func (s *Server) Must(status int, method, path, body string, headers ...string) Response {
	s.T.Helper()
	r := s.Do(method, path, body, headers...)
	if r.Status != status {
		s.T.Fatalf("%s %s: status %d, want %d: %s", method, path, r.Status, status, r.Body)
	}
	return r
}

// Clock returns the server's time.
func (s *Server) Clock() time.Time { return s.Now }

// ServiceID returns the ID of [Service].
func (s *Server) ServiceID() arm.ID {
	s.T.Helper()
	id, err := arm.ParseID(Service)
	if err != nil {
		s.T.Fatal(err)
	}
	return id
}
