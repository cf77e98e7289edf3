package policy

import (
	"context"
	"encoding/json"
	"maps"
	"strings"

	"github.com/causeway-apim/causeway/internal/message"
)

// GraphQL is one run of a resolver: the field that it resolves.
type GraphQL struct {
	// Arguments are those of the field, a JSON object.
	Arguments json.RawMessage
	// Parent is the object that has the field, as JSON; null at the root.
	Parent json.RawMessage
	// Publish gives an event, as JSON, to the subscribers of a field of the subscription type. The bytes are kept.
	Publish func(field string, event []byte)

	caller *message.Header // of the request to the API
}

// StartResolver makes x ready for a resolver's run within a request to a GraphQL API. outer is the Exec of that request, which rests meanwhile; several
// resolvers may start from it at a time. x has a request of its own, whose body is the caller's request with the arguments, and a copy of the
// variables: what a resolver sets is its own.
func (x *Exec) StartResolver(ctx context.Context, host Host, outer *Exec, body []byte, g *GraphQL) {
	x.Reset(ctx, host)
	g.caller = &outer.Request.Header
	x.GraphQL, x.Section, x.Scope = g, Inbound, ScopeResolver
	parent := string(g.Parent)
	if parent == "null" {
		parent = ""
	}
	x.SetGraphQL(string(g.Arguments), parent)
	x.Request = &message.Request{
		Method: "GET", Proto: "HTTP/1.1", URL: message.URL{Path: "/"}, Body: message.BytesBody(body), ContentLength: int64(len(body)),
	}
	x.OriginalURL, x.OriginalMethod, x.ClientIP = outer.OriginalURL, outer.OriginalMethod, outer.ClientIP
	x.Service, x.Deployment, x.API, x.Operation = outer.Service, outer.Deployment, outer.API, outer.Operation
	x.Product, x.Subscription, x.User, x.SubscriptionKey = outer.Product, outer.Subscription, outer.User, outer.SubscriptionKey
	x.Matched = append(x.Matched, outer.Matched...)
	x.RequestID, x.Started = outer.RequestID, outer.Started
	x.variables = maps.Clone(outer.variables)
	for name, value := range x.variables {
		if v, ok := value.(*ResponseValue); ok {
			x.variables[name] = v.copyFor(x)
		}
	}
}

// KeepResponses reads the bodies of responses in variables into memory, so that resolvers which run side by side each have their own.
func (x *Exec) KeepResponses() error {
	for _, value := range x.variables {
		if v, ok := value.(*ResponseValue); ok && !v.consumed {
			if _, err := readBody(v.body, v.length, v.header); err != nil {
				return err
			}
		}
	}
	return nil
}

// copyFor copies a response whose body is in memory.
func (v *ResponseValue) copyFor(x *Exec) *ResponseValue {
	r := *v.r
	if body, ok := r.Body.(message.Memory); ok {
		r.Body = message.BytesBody(body.Rest())
	}
	own := newResponseValue(x, &r)
	own.consumed = v.consumed
	return &own
}

// Resolve runs the document of a resolver on an Exec that StartResolver has prepared. The result is the value of the field: JSON, or a text for a
// scalar; empty for null.
func (d *Document) Resolve(x *Exec) ([]byte, error) {
	defer x.closeStored()
	if err := x.Run(d.resolver); err != nil {
		return nil, WrapError(err)
	}
	return x.ReadResponseBody()
}

// Events are the fields of the subscription type that the document of a resolver publishes events to.
func (d *Document) Events() []string { return d.events }

// resolver compiles the document of a resolver, whose root is a policy itself.
func (k *compilation) resolver(root *node) *Document {
	c := Compiler{k: k, node: root, section: Inbound, scope: ScopeResolver}
	block := c.steps([]*node{root}, nil)
	return &Document{scope: ScopeResolver, resolver: block, events: k.events}
}

// visibleHeader is what context.Request.Headers shows: in a resolver the caller's fields too, though only the resolver's own are sent.
func (x *Exec) visibleHeader() *message.Header {
	if x.GraphQL == nil || x.GraphQL.caller == nil {
		return &x.Request.Header
	}
	shown := x.GraphQL.caller.Clone()
	for name := range x.Request.Header.All() {
		shown.Del(name)
	}
	for name, value := range x.Request.Header.All() {
		shown.Add(name, value)
	}
	return &shown
}

// GraphQLFieldErrors is the key ([Exec.State]) of the errors of fields that validate-graphql-request has taken out of a request, graphql.Errors: the
// answer is to have them.
type GraphQLFieldErrors struct{}

// Detached returns an Exec for resolvers that outlive the request: it owns its strings and has no response. Nothing but StartResolver may use it.
func (x *Exec) Detached() *Exec {
	own := &Exec{
		Host: x.Host, Request: x.Request.Detach(), OriginalURL: x.OriginalURL.Detach(), OriginalMethod: strings.Clone(x.OriginalMethod), ClientIP: x.ClientIP,
		Service: x.Service, Deployment: x.Deployment, API: x.API, Operation: x.Operation, Product: x.Product, Subscription: x.Subscription, User: x.User,
		SubscriptionKey: strings.Clone(x.SubscriptionKey), RequestID: x.RequestID, Started: x.Started, variables: make(map[string]any, len(x.variables)),
	}
	for name, value := range x.variables {
		switch v := value.(type) {
		case *ResponseValue: // its connection ends with the request
		case string:
			own.variables[name] = strings.Clone(v)
		default:
			own.variables[name] = v
		}
	}
	return own
}
