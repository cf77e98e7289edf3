package policies

import (
	"strings"

	"github.com/causeway-apim/causeway/internal/message"
	"github.com/causeway-apim/causeway/internal/policy"
)

// HTTPDataSource is the http-data-source resolver policy.
var HTTPDataSource = policy.Define[httpDataSource](policy.Spec{
	Name: "http-data-source", Scopes: policy.ScopeResolver,
	Doc: "Resolves a field of a GraphQL schema with an HTTP request.",
})

type httpDataSource struct {
	Request  httpSourceRequest   `elem:"http-request,required" section:"inbound" doc:"The request: its URL and the policies that make it, in their order."`
	Backend  *httpSourceBackend  `elem:"backend" section:"backend" doc:"How the request is sent."`
	Response *httpSourceResponse `elem:"http-response" section:"outbound" doc:"Policies that make the value of the field out of the answer. Without it the answer is the value."`
}

type httpSourceRequest struct {
	URL   policy.Value[string] `elem:"set-url,required" doc:"Absolute URL. With set-backend-service its path and query are sent there."`
	Steps policy.Block         `only:"get-authorization-context,set-backend-service,set-method,include-fragment,set-header,set-body,authentication-certificate,authentication-managed-identity,authentication-basic,set-query-parameter"`
}

type httpSourceBackend struct {
	Steps policy.Block `only:"forward-request,include-fragment"`
}

type httpSourceResponse struct {
	Steps policy.Block `only:"set-body,xml-to-json,json-to-xml,find-and-replace,publish-event,include-fragment"`
}

// Compile refuses what may not stand twice, and a request without a method.
func (p *httpDataSource) Compile(c *policy.Compiler) error {
	names := p.Request.Steps.Names()
	once(c, names, "set-header", "include-fragment", "set-query-parameter")
	if !contains(names, "set-method") && !contains(names, "include-fragment") {
		c.Errorf("MissingElement", "<http-request> must have an element <set-method>")
	}
	if p.Response != nil {
		once(c, p.Response.Steps.Names(), "include-fragment", "find-and-replace")
	}
	if p.Backend != nil {
		once(c, p.Backend.Steps.Names(), "include-fragment")
	}
	return nil
}

// once reports policies that stand twice, but for those that may.
func once(c *policy.Compiler, names []string, many ...string) {
	seen := make(map[string]bool)
	for _, name := range names {
		if seen[name] && !contains(many, name) {
			c.Errorf("DuplicateElement", "<%s> may stand only once in its element", name)
		}
		seen[name] = true
	}
}

func contains(list []string, s string) bool {
	for _, item := range list {
		if item == s {
			return true
		}
	}
	return false
}

func (p *httpDataSource) Run(x *policy.Exec) error {
	if err := p.prepare(x); err != nil {
		return err
	}
	if err := p.send(x); err != nil {
		return err
	}
	x.Section = policy.Outbound
	shaped := p.Response != nil && contains(p.Response.Steps.Names(), "set-body")
	if status := x.Response.Status; status >= 400 && !shaped {
		return dataSourceFailed(status)
	}
	if p.Response == nil {
		return nil
	}
	return x.Run(p.Response.Steps)
}

// dataSourceFailed is the error for a data source that answers with an error status.
func dataSourceFailed(status int) *policy.Error {
	return &policy.Error{
		Reason: "DataSourceError", Message: "The data source answered with an error status code.", Status: status, Public: "The data source answered with an error.",
	}
}

// prepare makes the request. Its URL is worked out before its body, so that it can look at the arguments in the body that the resolver began with.
func (p *httpDataSource) prepare(x *policy.Exec) error {
	arguments := x.Request.Body
	names, located := p.Request.Steps.Names(), false
	for i, step := range p.Request.Steps.Split() {
		if names[i] == "set-body" && !located {
			located = true
			if err := p.locate(x); err != nil {
				return err
			}
		}
		if err := x.Run(step); err != nil {
			return err
		}
	}
	if !located {
		if err := p.locate(x); err != nil {
			return err
		}
	}
	switch {
	case x.Request.Body == nil:
	case x.Request.Body == arguments: // for expressions only
		policy.ReplaceRequestBody(x.Request, nil)
	case !x.Request.Header.Has("Content-Type"):
		x.Request.Header.Set("Content-Type", "application/json")
	}
	return nil
}

// locate sets where the request goes.
func (p *httpDataSource) locate(x *policy.Exec) error {
	text, err := p.Request.URL.Get(x)
	if err != nil {
		return err
	}
	u, err := message.ParseURL(message.EscapeURL(strings.TrimSpace(text)))
	if err != nil {
		return &policy.Error{Message: "The URL of the resolver's request is not valid: " + err.Error() + ".", Err: err}
	}
	query := x.Request.URL.RawQuery // of set-query-parameter
	if x.BackendID == "" && x.Base.Host == "" {
		x.Base = message.URL{Scheme: u.Scheme, Host: u.Host, Port: u.Port}
	}
	x.Request.URL.Path, x.Request.URL.RawQuery = u.Path, u.RawQuery
	if query != "" {
		x.Request.URL.RawQuery = strings.TrimPrefix(u.RawQuery+"&"+query, "&")
	}
	return nil
}

func (p *httpDataSource) send(x *policy.Exec) error {
	x.Section = policy.Backend
	if p.Backend != nil {
		if err := x.Run(p.Backend.Steps); err != nil || x.Response != nil {
			return err
		}
	}
	resp, err := x.Host.Forward(x.Context(), x, policy.ForwardOptions{BufferResponse: true})
	if err != nil {
		return err
	}
	x.SetResponse(resp)
	return nil
}
