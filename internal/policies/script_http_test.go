package policies_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/causeway-apim/causeway/internal/message"
	"github.com/causeway-apim/causeway/internal/policy"
	"github.com/causeway-apim/causeway/internal/snapshot"
)

// splitMessage splits the text of a message into its first line, its header and its body. The line end before the next file of the archive
// does not belong to the body.
func splitMessage(text string) (first string, h message.Header, body string, err error) {
	text = strings.ReplaceAll(text, "\r\n", "\n")
	head, body, _ := strings.Cut(text, "\n\n")
	first, fields, _ := strings.Cut(strings.TrimSuffix(head, "\n"), "\n")
	for line := range strings.SplitSeq(fields, "\n") {
		if line == "" {
			continue
		}
		name, value, ok := strings.Cut(line, ":")
		if !ok {
			return "", h, "", fmt.Errorf("%q is no header field", line)
		}
		h.Add(name, strings.TrimSpace(value))
	}
	return first, h, strings.TrimSuffix(body, "\n"), nil
}

// parseRequest reads "GET /path?query" or "GET http://host/path", with "HTTP/1.1" behind or without.
func parseRequest(text string) (*message.Request, error) {
	first, h, body, err := splitMessage(text)
	if err != nil {
		return nil, err
	}
	words := strings.Fields(first)
	if len(words) < 2 {
		return nil, fmt.Errorf("%q is no request line", first)
	}
	target := words[1]
	if strings.HasPrefix(target, "/") {
		host := h.Get("Host")
		if host == "" {
			host = "gateway.test"
		}
		target = "http://" + host + target
	}
	u, err := message.ParseURL(target)
	if err != nil {
		return nil, err
	}
	if !h.Has("Host") {
		h.Add("Host", u.Authority())
	}
	r := &message.Request{Method: words[0], Target: words[1], Proto: "HTTP/1.1", URL: u, Header: h}
	if body != "" {
		r.Body, r.ContentLength = message.StringBody(body), int64(len(body))
	}
	return r, nil
}

// parseResponse reads "HTTP/1.1 200 OK", "200 OK" or "200".
func parseResponse(text string) (*message.Response, error) {
	first, h, body, err := splitMessage(text)
	if err != nil {
		return nil, err
	}
	if strings.HasPrefix(first, "HTTP/") {
		_, first, _ = strings.Cut(first, " ")
	}
	code, reason, _ := strings.Cut(first, " ")
	status, err := strconv.Atoi(code)
	if err != nil {
		return nil, fmt.Errorf("%q is no status line", first)
	}
	r := &message.Response{Status: status, Reason: reason, Header: h}
	if body != "" {
		r.Body, r.ContentLength = message.StringBody(body), int64(len(body))
	}
	return r, nil
}

func formatResponse(r *message.Response, body []byte) string {
	reason := r.Reason
	if reason == "" {
		reason = http.StatusText(r.Status)
	}
	return formatMessage(fmt.Sprintf("HTTP/1.1 %d %s", r.Status, reason), &r.Header, string(body))
}

func (c *call) format() string {
	return formatMessage(c.request.Method+" "+c.request.URL.String(), &c.request.Header, c.body)
}

func formatMessage(first string, h *message.Header, body string) string {
	var b strings.Builder
	b.WriteString(first + "\n")
	for name, value := range h.All() {
		fmt.Fprintf(&b, "%s: %s\n", name, value)
	}
	if body != "" {
		b.WriteString("\n" + body + "\n")
	}
	return b.String()
}

// config is what the requests of a script belong to.
type config struct {
	product, subscription, user, noBase, traced bool
	graphql                                     bool // the API is one
	ip                                          string
	template                                    string
	responses                                   []snapshot.OperationResponse
	tls                                         *tls.ConnectionState
	operation                                   *snapshot.Operation // what it says wins over the two above
}

func defaultConfig() config { return config{ip: "192.0.2.1", template: "/{*rest}"} }

// set changes one setting; see testdata/README.md.
func (c *config) set(name, value string) error {
	yes := value == "yes"
	switch name {
	case "product":
		c.product = yes
	case "subscription":
		c.subscription = yes
	case "user":
		c.user = yes
	case "service-url":
		c.noBase = !yes
	case "tracing":
		c.traced = yes
	case "ip":
		c.ip = value
	case "template":
		c.template = value
	case "response": // STATUS,TYPE,EXAMPLE
		parts := strings.SplitN(value, ",", 3)
		if len(parts) != 3 {
			return fmt.Errorf("response wants STATUS,TYPE,EXAMPLE")
		}
		c.responses = append(c.responses, snapshot.OperationResponse{
			Status: number(parts[0]), Representations: []snapshot.Representation{{ContentType: parts[1], Examples: []string{parts[2]}}},
		})
	default:
		return fmt.Errorf("there is no setting %q", name)
	}
	return nil
}

func testAPI() *snapshot.API {
	return &snapshot.API{
		ID: "echo", Name: "echo", Display: "Echo API", Path: "echo", Protocols: []string{"http", "https"}, ServiceURL: "http://backend.test/base",
		Revision: "2", IsCurrent: true, Version: "v1", SubscriptionRequired: true,
	}
}

// start prepares an Exec as the gateway does: the API is at /echo, its backend service at http://backend.test/base.
func (c *config) start(x *policy.Exec, h *fakeHost, r *message.Request) {
	x.Reset(context.Background(), h)
	x.Request, x.OriginalURL, x.OriginalMethod, x.ClientIP, x.Started = r, r.URL, r.Method, c.ip, h.now
	x.Request.TLS = c.tls
	h.Random(x.RequestID[:])
	x.Service = &snapshot.Service{ID: "/subscriptions/0/service/test", Name: "test", Location: "Earth"}
	x.Deployment = &policy.Deployment{GatewayID: "managed", InstanceID: "one", Region: "Earth"}
	x.API = testAPI()
	if c.graphql {
		x.API.Type = "graphql"
	}
	x.Operation = &snapshot.Operation{API: "echo", Name: "op", Display: "Operation", Method: r.Method, URLTemplate: c.template, Responses: c.responses}
	if o := c.operation; o != nil {
		x.Operation.Parameters, x.Operation.Request, x.Operation.Responses = o.Parameters, o.Request, o.Responses
	}
	x.Request.URL.Path = "/" + strings.TrimPrefix(strings.TrimPrefix(r.URL.Path, "/echo"), "/")
	x.Matched = matchTemplate(x.Matched, c.template, &x.Request.URL)
	if !c.noBase {
		x.Base, _ = message.ParseURL(x.API.ServiceURL)
	}
	if c.product {
		x.Product = &snapshot.Product{Name: "starter", Display: "Starter", Published: true, SubscriptionRequired: true, Groups: []string{"Developers"}}
	}
	if c.subscription {
		x.SubscriptionKey = "key"
		x.Subscription = &snapshot.Subscription{
			Name: "sub", Display: "Sub", Scope: "products/starter", State: "active", Created: time.Date(2025, 1, 2, 3, 4, 5, 0, time.UTC),
		}
	}
	if c.user {
		x.User = &snapshot.User{
			Name: "ada", Email: "ada@example.com", FirstName: "Ada", LastName: "Lovelace", Note: "note", Groups: []string{"Developers"},
			Registered: time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC), Identities: []snapshot.Identity{{Provider: "Basic", ID: "ada@example.com"}},
		}
	}
	if c.traced {
		policy.NewTrace(x)
	}
}

// matchTemplate takes the parameters out of a URL: "{x}" for a segment, "{*x}" for the rest, "?a={x}" for a query parameter.
func matchTemplate(params []policy.Param, template string, u *message.URL) []policy.Param {
	template, query, _ := strings.Cut(template, "?")
	for name, value := range message.QueryPairs(query) {
		for n, v := range u.Query() {
			if n == name {
				params = append(params, policy.Param{Name: strings.Trim(value, "{}"), Value: decoded(v)})
			}
		}
	}
	names, values := strings.Split(template, "/"), strings.Split(u.Path, "/")
	for i, name := range names {
		inner, ok := strings.CutPrefix(name, "{")
		if !ok || i >= len(values) {
			continue
		}
		inner = strings.TrimSuffix(inner, "}")
		if rest, ok := strings.CutPrefix(inner, "*"); ok {
			return append(params, policy.Param{Name: rest, Value: decoded(strings.Join(values[i:], "/"))})
		}
		params = append(params, policy.Param{Name: inner, Value: decoded(values[i])})
	}
	return params
}

// decoded is a part of a path without percent-encoding.
func decoded(s string) string {
	if d, err := url.PathUnescape(s); err == nil {
		return d
	}
	return s
}
