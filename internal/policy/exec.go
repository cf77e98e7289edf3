package policy

import (
	"context"
	"time"

	"github.com/causeway-apim/causeway/internal/csharp"
	"github.com/causeway-apim/causeway/internal/message"
	"github.com/causeway-apim/causeway/internal/snapshot"
)

// Param is a template parameter of the operation with the text that it matched, percent-decoded.
type Param struct{ Name, Value string }

// Deployment is where the gateway runs: context.Deployment.
type Deployment struct {
	// GatewayID is "managed" for the service's own gateway, a self-hosted gateway's name otherwise.
	GatewayID string
	// InstanceID names this process among the gateway's.
	InstanceID string
	// Region is the location of the gateway or of the service.
	Region string
}

// Exec is the state of one request in its pipeline and what stands behind the C# variable `context`. It belongs to one goroutine. It can be
// reused after [Exec.Reset]; strings in it are valid until the exchange finishes, so policies clone what they keep longer.
type Exec struct {
	// Host is the outside world. Never nil.
	Host Host
	// Tracer is the request's debug trace; nil when it is not traced.
	Tracer *Trace

	// Request is the current request: policies change it, Forward sends it. Its URL.Path and URL.RawQuery are what goes to the backend
	// service below Base; scheme, host and port of its URL are not used.
	Request *message.Request
	// Response is the current response; nil before the backend answered. Use SetResponse to replace it.
	Response *message.Response
	// OriginalURL is the URL that the client asked for, OriginalMethod its method.
	OriginalURL    message.URL
	OriginalMethod string
	// Base is the URL of the backend service: the API's until set-backend-service changes it. A zero URL means that there is none.
	Base message.URL
	// BackendID is the backend entity chosen by set-backend-service; empty for none.
	BackendID string
	// ClientCertificate is the client certificate for the backend's TLS that authentication-certificate chose, or nil.
	ClientCertificate *snapshot.Certificate
	// Proxy is the forward proxy that the proxy policy chose, or nil.
	Proxy *snapshot.Proxy
	// ClientIP is the caller's address in text form, as context.Request.IpAddress shows it; empty when unknown.
	ClientIP string

	// The configuration that the request belongs to. Service and API are set, the others may be nil.
	Service      *snapshot.Service
	Deployment   *Deployment
	API          *snapshot.API
	Operation    *snapshot.Operation
	Product      *snapshot.Product
	Subscription *snapshot.Subscription
	User         *snapshot.User
	// SubscriptionKey is the key that the client sent and that was accepted.
	SubscriptionKey string
	// Matched are the template parameters of the operation.
	Matched []Param

	// RequestID is context.RequestId and the activityId of error bodies.
	RequestID [16]byte
	// Started is context.Timestamp.
	Started time.Time

	// GraphQL is the field that a resolver resolves; nil in other documents.
	GraphQL *GraphQL

	// CacheHit and CacheMiss say that the response cache was asked and what it said.
	CacheHit, CacheMiss bool
	// LastError is why on-error runs; nil before.
	LastError *LastError
	// Section is the section that runs; Scope the scope of the document that the running step stands in.
	Section Section
	Scope   Scope

	ctx       context.Context
	variables map[string]any
	forked    bool     // variables are shared with a branch or with what the branch came from
	branch    bool     // made by Fork
	written   []string // what a branch has set
	pending   message.Header
	atEnd     []func(x *Exec)
	atAnswer  []func(x *Exec) error
	atFinish  []func(bytesIn, bytesOut int64)
	state     []state
	stored    []*message.Response // see NewResponseValue
	bodies    bodies
	limits    csharp.Limits
	scratch   csharp.Scratch
	limit     [1]Limit // see Limits

	forkedFrom routing // of a branch
	tracing    tracing // used with a Tracer only
}

// Scratch is memory for strings that are valid until it is reset.
type Scratch = csharp.Scratch

// state is something that policies remember between them; see [Exec.SetState].
type state struct{ key, value any }

// Reset makes x ready for another request and keeps its memory.
func (x *Exec) Reset(ctx context.Context, host Host) {
	variables, limits := x.variables, x.limits
	if x.Host != host || host == nil {
		limits = csharp.Limits{}
	}
	scratch := x.scratch
	scratch.Reset()
	if x.forked { // a branch may still read them
		variables, scratch = nil, csharp.Scratch{}
	}
	clear(variables)
	clear(x.atEnd)
	clear(x.atAnswer)
	clear(x.atFinish)
	clear(x.state)
	clear(x.stored)
	clear(x.Matched)
	atEnd, atAnswer, atFinish, state, stored, matched, pending := x.atEnd[:0], x.atAnswer[:0], x.atFinish[:0], x.state[:0], x.stored[:0], x.Matched[:0], x.pending
	pending.Reset()
	*x = Exec{} // a literal with these in it would be copied
	x.Host, x.ctx, x.variables, x.limits, x.pending, x.Matched, x.scratch = host, ctx, variables, limits, pending, matched, scratch
	x.atEnd, x.atAnswer, x.atFinish, x.state, x.stored = atEnd, atAnswer, atFinish, state, stored
}

// Bind gives a new Exec, or one that Reset has made ready for the same host, the context of its request.
func (x *Exec) Bind(ctx context.Context, host Host) { x.ctx, x.Host = ctx, host }

// runLimits are the limits of expressions, with the host's clock and randomness.
func (x *Exec) runLimits() *csharp.Limits {
	if x.limits.Now == nil {
		x.limits.Now, x.limits.Random = x.Host.Now, x.Host.Random
		if h, ok := x.Host.(ExpressionLimiter); ok {
			l := h.ExpressionLimits()
			x.limits.Steps, x.limits.Memory, x.limits.Depth = l.Steps, l.Memory, l.Depth
			x.limits.RegexTime, x.limits.Time = l.RegexTime, l.Time
		}
	}
	x.limits.Scratch = x.room()
	return &x.limits
}

// room is the memory for strings that live as long as the request; nil for those of a trace, which is read later.
func (x *Exec) room() *csharp.Scratch {
	if x.Tracer != nil {
		return nil
	}
	return &x.scratch
}

// Concat makes a string of several. It is valid until the exchange finishes.
func (x *Exec) Concat(parts ...string) string { return x.room().Join(parts...) }

// Limits is a list of one limit, for [Counters], in memory that the next call uses again.
func (x *Exec) Limits(l Limit) []Limit {
	x.limit[0] = l
	return x.limit[:]
}

// Context ends when the client has gone or the exchange is over.
func (x *Exec) Context() context.Context { return x.ctx }

// WithContext runs f with another context, for containers that limit or cancel what runs in them.
func (x *Exec) WithContext(ctx context.Context, f func() error) error {
	outer := x.ctx
	x.ctx = ctx
	defer func() { x.ctx = outer }()
	return f()
}

// Now is the host's clock.
func (x *Exec) Now() time.Time { return x.Host.Now() }

// Variable returns context.Variables[name] and whether there is one. Values have the forms of package csharp; null is nil.
func (x *Exec) Variable(name string) (value any, ok bool) {
	value, ok = x.variables[name]
	return value, ok
}

// SetVariable sets context.Variables[name].
func (x *Exec) SetVariable(name string, value any) {
	if x.forked {
		x.ownVariables()
	}
	if v, ok := value.(*ResponseValue); ok && v == &x.bodies.response { // context.Response becomes another one, the variable stays
		kept := *v
		value = &kept
	}
	if x.branch {
		x.written = append(x.written, name)
	}
	if x.Tracer != nil {
		x.tracing.set = append(x.tracing.set, name)
	}
	if x.variables == nil {
		x.variables = make(map[string]any, 8)
	}
	x.variables[name] = value
}

// ownVariables copies variables that are shared with a fork.
func (x *Exec) ownVariables() {
	own := make(map[string]any, len(x.variables)+1)
	for name, value := range x.variables {
		own[name] = value
	}
	x.variables, x.forked = own, false
}

// Header is the header that the section changes: the request's in inbound and backend, the response's in outbound and on-error.
func (x *Exec) Header() *message.Header {
	if x.Section&(Outbound|OnError) != 0 {
		return &x.EnsureResponse().Header
	}
	return &x.Request.Header
}

// EnsureResponse returns Response and makes an empty 200 when there is none.
func (x *Exec) EnsureResponse() *message.Response {
	if x.Response == nil {
		x.SetResponse(&message.Response{Status: 200})
	}
	return x.Response
}

// SetResponse replaces the response: the old one's body is closed and its memory released, and the pending headers are merged into the new one.
func (x *Exec) SetResponse(r *message.Response) {
	if old := x.Response; old != nil && old != r {
		if old.Body != nil && old.Body != r.Body {
			old.Body.Close()
		}
	}
	x.bodies.response = newResponseValue(x, r)
	x.Response = r
	x.mergePending(&r.Header)
}

// PendingHeader is added to whatever response the request gets, now or later: for policies in inbound that announce something in the
// response. Fields replace those of the same name.
func (x *Exec) PendingHeader() *message.Header { return &x.pending }

func (x *Exec) mergePending(h *message.Header) {
	for i := range x.pending.Len() {
		f := x.pending.At(i)
		h.Set(f.Name, f.Value)
	}
}

// AtAnswer registers a function that runs when the backend section has ended, with its response and before outbound. An error leads to on-error. It does
// not run when the pipeline ends before, or goes on with a response from a cache.
func (x *Exec) AtAnswer(f func(x *Exec) error) { x.atAnswer = append(x.atAnswer, f) }

// AtEnd registers a function that runs when all sections have run and the response is known, before its body is sent.
func (x *Exec) AtEnd(f func(x *Exec)) { x.atEnd = append(x.atEnd, f) }

// IsAwaited says whether AtAnswer or AtEnd has registered a function.
func (x *Exec) IsAwaited() bool { return len(x.atAnswer)+len(x.atEnd) > 0 }

// AtFinish registers a function that runs when the last byte of the answer has been sent. It gets the bytes of the exchange on the wire. x is no
// longer usable then: what the function needs it owns.
func (x *Exec) AtFinish(f func(bytesIn, bytesOut int64)) { x.atFinish = append(x.atFinish, f) }

// Finish runs what waits for the end of the exchange. The gateway calls it, before Reset.
func (x *Exec) Finish(bytesIn, bytesOut int64) {
	for _, f := range x.atFinish {
		f(bytesIn, bytesOut)
	}
}

// SetState remembers a value for other policies of the request, where users do not see it. Keys are of types of their own, as with
// [context.WithValue].
func (x *Exec) SetState(key, value any) {
	for i := range x.state {
		if x.state[i].key == key {
			x.state[i].value = value
			return
		}
	}
	x.state = append(x.state, state{key, value})
}

// State returns what SetState has remembered, or nil.
func (x *Exec) State(key any) any {
	for i := range x.state {
		if x.state[i].key == key {
			return x.state[i].value
		}
	}
	return nil
}

// BackendURL is where Forward sends the request: Base, then the path and query of the request.
func (x *Exec) BackendURL() message.URL { return x.Base.Join(x.Request.URL) }

// Trace records a message in the request's debug trace, if it has one. Data are names and values in turn. What statements read and change is
// recorded by the engine.
func (x *Exec) Trace(source, message string, data ...any) {
	if x.Tracer != nil {
		x.Tracer.Step(source, message, data...)
	}
}

// HideInTrace makes a text one that the request's debug trace does not show from now on: a token or a password that a policy got from elsewhere.
func (x *Exec) HideInTrace(secret string) {
	if x.Tracer != nil {
		x.Tracer.Hide(secret)
	}
}
