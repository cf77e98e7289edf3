package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"mime"
	"net/url"
	"strings"

	"github.com/causeway-apim/causeway/internal/graphql"
	"github.com/causeway-apim/causeway/internal/message"
	"github.com/causeway-apim/causeway/internal/policy"
)

// forwardGraphQL sends a request to a GraphQL API on its way: to resolvers when
// the API has some or has no service behind it, to that service otherwise.
func (r *request) forwardGraphQL(ctx context.Context, x *policy.Exec, o policy.ForwardOptions) (*message.Response, error) {
	g := r.config.graphQL(r.matched.api.part.ID)
	behind := x.Base.Host != "" || x.BackendID != ""
	upgrade := isWebSocketRequest(x.Request)
	if g == nil || behind && (len(g.resolvers) == 0 || upgrade && !g.publishes) {
		return r.passGraphQL(ctx, x, o)
	}
	schema, err := g.schema()
	if err != nil {
		return nil, &policy.Error{Reason: "GraphQLSchemaNotFound", Message: "The GraphQL schema of the API cannot be used: " + err.Error() + ".", Err: err}
	}
	if upgrade {
		return r.subscribeGraphQL(x, g, schema)
	}
	operation, status, err := readGraphQL(x, schema)
	if err != nil {
		return graphqlAnswer(x, status, asErrors(err).Body()), nil
	}
	return r.executeGraphQL(ctx, x, o, g, operation)
}

// asErrors makes request errors of any error.
func asErrors(err error) graphql.Errors {
	if list, ok := errors.AsType[graphql.Errors](err); ok {
		return list
	}
	return graphql.Errors{{Message: err.Error()}}
}

// passGraphQL sends the request to the service behind the API. What policies
// have taken out of the request, its answer says.
func (r *request) passGraphQL(ctx context.Context, x *policy.Exec, o policy.ForwardOptions) (*message.Response, error) {
	removed, _ := x.State(policy.GraphQLFieldErrors{}).(graphql.Errors)
	if len(removed) > 0 {
		x.Request.Header.Del("Accept-Encoding") // the answer is going to be read
	}
	resp, err := r.forward(ctx, x, o)
	if err != nil || len(removed) == 0 {
		return resp, err
	}
	body, err := message.ReadAll(resp.Body, policy.MaxBody, resp.ContentLength)
	if err != nil {
		return nil, policy.WrapError(err)
	}
	policy.ReplaceResponseBody(resp, addErrors(body, removed))
	resp.Header.Del("Content-Length")
	return resp, nil
}

// addErrors adds errors to a GraphQL answer. What is no such answer stays.
func addErrors(body []byte, list graphql.Errors) []byte {
	var members map[string]json.RawMessage
	if json.Unmarshal(body, &members) != nil || members == nil {
		return body
	}
	var theirs []json.RawMessage
	if raw, ok := members["errors"]; ok && json.Unmarshal(raw, &theirs) != nil {
		return body
	}
	var own struct{ Errors []json.RawMessage }
	if json.Unmarshal(list.Body(), &own) != nil {
		return body
	}
	all, err := json.Marshal(append(theirs, own.Errors...))
	if err != nil {
		return body
	}
	members["errors"] = all
	out, err := json.Marshal(members)
	if err != nil {
		return body
	}
	return out
}

// readGraphQL reads and prepares the operation of a request, or says which
// status its fault has ("GraphQL over HTTP").
func readGraphQL(x *policy.Exec, schema *graphql.Schema) (*graphql.Operation, int, error) {
	var r graphql.Request
	var err error
	switch x.Request.Method {
	case "POST":
		var body []byte
		if body, err = x.ReadRequestBody(); err != nil {
			return nil, policy.WrapError(err).Status, err
		}
		if len(body) > graphql.MaxRequest {
			return nil, 413, errors.New("the request is too large")
		}
		kind, _, _ := mime.ParseMediaType(x.Request.Header.Get("Content-Type"))
		r, err = graphql.ParseRequest(kind, body)
	case "GET":
		values, perr := url.ParseQuery(x.Request.URL.RawQuery)
		if perr != nil {
			return nil, 400, errors.New("the query of the URL cannot be read")
		}
		r, err = graphql.ParseQuery(values.Get)
	default:
		return nil, 405, errors.New("GraphQL requests are sent by POST or GET")
	}
	if err != nil {
		return nil, 400, err
	}
	operation, err := schema.Prepare(r)
	switch {
	case err != nil:
		return nil, 400, err
	case operation.IsSubscription():
		return nil, 400, errors.New("subscriptions are served over WebSocket only")
	case operation.IsMutation() && x.Request.Method == "GET":
		return nil, 405, errors.New("a mutation must be sent by POST")
	}
	return operation, 0, nil
}

// graphqlAnswer is an answer of the gateway's own.
func graphqlAnswer(x *policy.Exec, status int, body []byte) *message.Response {
	kind := "application/json"
	if modern := "application/graphql-response+json"; strings.Contains(x.Request.Header.Joined("Accept"), modern) {
		kind = modern
	}
	resp := &message.Response{
		Status: status, Header: message.NewHeader("Content-Type", kind), Body: message.BytesBody(body), ContentLength: int64(len(body)),
	}
	if status == 405 {
		resp.Header.Set("Allow", "GET, POST")
	}
	return resp
}

// executeGraphQL runs the operation with the API's resolvers. Fields of the root
// without one go to the service behind the API, if there is one.
func (r *request) executeGraphQL(ctx context.Context, x *policy.Exec, o policy.ForwardOptions, g *graphqlAPI, operation *graphql.Operation) (*message.Response, error) {
	if err := x.KeepResponses(); err != nil {
		return nil, policy.WrapError(err)
	}
	request, err := operation.Request()
	if err != nil {
		return nil, policy.WrapError(err)
	}
	removed, _ := x.State(policy.GraphQLFieldErrors{}).(graphql.Errors)
	options := graphql.Options{Source: r.resolverSource(x, g, request), Errors: removed}
	if x.Base.Host != "" || x.BackendID != "" {
		options.Fallback = r.graphqlFallback(x, o)
	}
	return graphqlAnswer(x, 200, operation.Execute(ctx, options)), nil
}

// graphqlFallback asks the service behind the API. Only one question is under
// way at a time, and nothing else reads the body of the request meanwhile.
func (r *request) graphqlFallback(x *policy.Exec, o policy.ForwardOptions) func(context.Context, graphql.Request) ([]byte, error) {
	in := x.Request
	in.Method, in.URL.RawQuery = "POST", ""
	in.Header.Del("Accept-Encoding") // the answer is read here
	in.Header.Set("Content-Type", "application/json")
	return func(ctx context.Context, question graphql.Request) ([]byte, error) {
		body, err := json.Marshal(question)
		if err != nil {
			return nil, err
		}
		policy.ReplaceRequestBody(in, body)
		resp, err := r.forward(ctx, x, o)
		if err != nil {
			return nil, fieldError(r, x, "the service behind the API", err)
		}
		answer, err := message.ReadAll(resp.Body, policy.MaxBody, resp.ContentLength)
		if err != nil {
			return nil, fieldError(r, x, "the service behind the API", err)
		}
		return answer, nil
	}
}

// fieldError is what clients hear of a failure: faults that are not theirs are
// for the log.
func fieldError(host policy.Host, x *policy.Exec, who string, err error) error {
	e := policy.WrapError(err)
	text := e.Public
	if text == "" && e.Status > 0 && e.Status < 500 {
		text = e.Message
	}
	if text == "" {
		text = "The data of the field could not be obtained."
	}
	host.Log(x.Context(), policy.LogError, "A GraphQL field was not resolved.", "resolver", who, "source", e.Source, "reason", e.Reason, "error", e.Message)
	out := &graphql.Error{Message: text}
	if e.Reason != "" {
		out.Extensions = map[string]any{"code": e.Reason}
	}
	return out
}

// resolverSource is the source of an API's resolvers for one operation.
func (r *request) resolverSource(x *policy.Exec, g *graphqlAPI, request []byte) *resolverSource {
	return &resolverSource{
		gateway: r.gateway, service: r.service, config: r.config, api: g, outer: x, request: request,
		topic: eventTopic(r.service, r.matched.api),
	}
}

// resolverSource runs resolvers. It outlives the request that it was made for
// when that subscribes to events.
type resolverSource struct {
	gateway *Gateway
	service *service
	config  *config
	api     *graphqlAPI
	outer   *policy.Exec // at rest
	request []byte       // JSON of the operation
	topic   func(field string) string
}

// Resolves implements [graphql.Source].
func (s *resolverSource) Resolves(typ, field string) bool {
	return s.api.resolvers[graphqlField{typ, field}] != nil
}

// Resolve runs a resolver as a request of its own.
func (s *resolverSource) Resolve(ctx context.Context, f graphql.Field) ([]byte, error) {
	own := newRequest(s.gateway)
	own.service, own.config, own.started, own.interim = s.service, s.config, s.gateway.now(), nil
	x := &own.exec
	x.StartResolver(ctx, own, s.outer, withArguments(s.request, f.Arguments), &policy.GraphQL{
		Arguments: f.Arguments, Parent: f.Parent,
		Publish: func(field string, event []byte) { s.gateway.events.Publish(s.topic(field), event) },
	})
	if t := s.outer.Tracer; t != nil {
		x.Tracer = t.ForResolver(f.Type, f.Name)
	}
	value, err := s.api.resolvers[graphqlField{f.Type, f.Name}].Resolve(x)
	if err != nil {
		if x.Response != nil && x.Response.Body != nil {
			x.Response.Body.Close()
		}
		return nil, fieldError(own, x, f.Type+"/"+f.Name, err)
	}
	return value, nil
}

// withArguments adds the member arguments to the JSON of a request.
func withArguments(request, arguments []byte) []byte {
	b := bytes.Clone(bytes.TrimSuffix(request, []byte("}")))
	if len(b) > 1 {
		b = append(b, ',')
	}
	return append(append(append(b, `"arguments":`...), arguments...), '}')
}

// eventTopic names the events of one API in the gateway's hub.
func eventTopic(s *service, a *api) func(field string) string {
	prefix := s.id + "|" + a.part.ID + "|"
	return func(field string) string { return prefix + field }
}
