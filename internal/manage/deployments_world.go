package manage

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/armtemplate"
)

// Versions that reference() and its like read with when the template gives none.
const (
	readVersion     = "2024-05-01" // of Microsoft.ApiManagement
	surroundVersion = "2022-12-01" // of everything else
)

// caller sends requests to the server within the process, in the name of who sent another one.
type caller struct {
	s           *Server
	host        string
	tls         *tls.ConnectionState
	client      string
	correlation string
}

func (s *Server) callerOf(w http.ResponseWriter, r *http.Request) *caller {
	return &caller{s: s, host: r.Host, tls: r.TLS, client: r.RemoteAddr, correlation: w.Header().Get("x-ms-correlation-request-id")}
}

// answered is the answer to a request within the process.
type answered struct {
	status int
	header http.Header
	body   bytes.Buffer
}

// Header implements http.ResponseWriter.
func (a *answered) Header() http.Header { return a.header }

// WriteHeader implements http.ResponseWriter.
func (a *answered) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
}

// Write implements http.ResponseWriter.
func (a *answered) Write(p []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return a.body.Write(p)
}

// object returns the answer's body as an object, empty when it is none.
func (a *answered) object() *armtemplate.Object {
	o := &armtemplate.Object{}
	if o.UnmarshalJSON(a.body.Bytes()) != nil {
		return &armtemplate.Object{}
	}
	return o
}

// failure returns the answer's error.
func (a *answered) failure(target string) *deploymentError {
	var body struct {
		Error deploymentError `json:"error"`
	}
	if json.Unmarshal(a.body.Bytes(), &body) != nil || body.Error.Code == "" {
		return &deploymentError{Code: http.StatusText(a.status), Message: "The request failed with the status " + http.StatusText(a.status) + ".", Target: target}
	}
	// What the error is about in the resource becomes a detail of it: its own target is the resource.
	if inner := body.Error.Target; inner != "" && !strings.EqualFold(inner, target) && len(body.Error.Details) == 0 {
		body.Error.Details = []*deploymentError{{Code: body.Error.Code, Message: body.Error.Message, Target: inner}}
	}
	body.Error.Target = target
	return &body.Error
}

// send runs a request with the rights, guards, limits of size and audit of one from outside. id is not escaped.
func (c *caller) send(ctx context.Context, method, id, version string, body []byte) (*answered, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	u := url.URL{Scheme: "http", Host: c.host, Path: id, RawQuery: url.Values{"api-version": {version}}.Encode()}
	r, err := http.NewRequestWithContext(ctx, method, u.String(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.RemoteAddr, r.TLS = c.client, c.tls
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("x-ms-correlation-request-id", c.correlation)
	a := &answered{header: http.Header{}}
	w := &recorder{ResponseWriter: a}
	c.s.observe(c.s.protect(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r = withCall(w, r)
		c.s.dispatch(w, r)
		c.s.afterDelete(w, r)
		c.s.refused(w, r)
	}))).ServeHTTP(w, r)
	return a, ctx.Err()
}

func versionFor(id, version string) string {
	switch parsed, err := arm.ParseID(id); {
	case version != "":
		return version
	case err == nil && strings.HasPrefix(strings.ToLower(parsed.Type()), strings.ToLower(arm.Provider)+"/"):
		return readVersion
	}
	return surroundVersion
}

// world answers what a template asks of the state of things, with the rights of who deploys it.
type world struct {
	*caller
	// secrets are the values of secure outputs of nested deployments that this one has run, by the keys of their IDs.
	secrets map[string]*armtemplate.Object
	// foreseen are resources as a what-if expects them, by the keys of their IDs; nil for a real deployment.
	foreseen map[string]*armtemplate.Object
}

// Reference implements armtemplate.World.
func (w *world) Reference(ctx context.Context, id, version string) (*armtemplate.Object, error) {
	if o := w.foreseen[strings.ToLower(id)]; o != nil {
		return o, nil
	}
	a, err := w.send(ctx, http.MethodGet, id, versionFor(id, version), nil)
	if err != nil {
		return nil, err
	}
	if a.status != http.StatusOK {
		return nil, a.failure(id)
	}
	return a.object(), nil
}

// List implements armtemplate.World. listKeys of a subscription is what its listSecrets answers.
func (w *world) List(ctx context.Context, function, id, version string, args armtemplate.Value) (armtemplate.Value, error) {
	if strings.EqualFold(function, "listOutputsWithSecureValues") {
		return w.secureOutputs(ctx, id, version)
	}
	var body []byte
	if args != nil {
		var err error
		if body, err = json.Marshal(args); err != nil {
			return nil, err
		}
	}
	a, err := w.send(ctx, http.MethodPost, id+"/"+function, versionFor(id, version), body)
	if err == nil && strings.EqualFold(function, "listKeys") && (a.status == http.StatusNotFound || a.status == http.StatusMethodNotAllowed) {
		a, err = w.send(ctx, http.MethodPost, id+"/listSecrets", versionFor(id, version), body)
	}
	if err != nil {
		return nil, err
	}
	if a.status != http.StatusOK {
		return nil, a.failure(id)
	}
	v, err := armtemplate.ParseJSON(a.body.Bytes())
	return v, err
}

// secureOutputs are the outputs of a nested deployment with the values of secure ones.
func (w *world) secureOutputs(ctx context.Context, id, version string) (armtemplate.Value, error) {
	d, err := w.Reference(ctx, id, version)
	if err != nil {
		return nil, err
	}
	out := &armtemplate.Object{}
	shown, secret := d.Object("properties").Object("outputs"), w.secrets[strings.ToLower(id)]
	for _, k := range shown.Keys() {
		o := shown.Object(k)
		if s := secret.Object(k); s != nil {
			o = s
		}
		v, _ := o.Get("value")
		out.Set(k, v)
	}
	return out, nil
}

// Providers implements armtemplate.World.
func (w *world) Providers(_ context.Context, namespace string) (*armtemplate.Object, error) {
	p, err := w.s.provider(arm.Path("subscriptions", "0", "providers", namespace))
	if err != nil {
		return nil, err
	}
	b, err := json.Marshal(p.body)
	if err != nil {
		return nil, err
	}
	o := &armtemplate.Object{}
	return o, o.UnmarshalJSON(b)
}

// Now implements armtemplate.World.
func (w *world) Now() time.Time { return w.s.c.Now().UTC() }

// NewGUID implements armtemplate.World.
func (w *world) NewGUID() string { return arm.NewGUID() }
