package policies

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/causeway-apim/causeway/internal/csharp/clr"
	"github.com/causeway-apim/causeway/internal/graphql"
	"github.com/causeway-apim/causeway/internal/policy"
)

// ValidateGraphQLRequest is the validate-graphql-request policy.
var ValidateGraphQLRequest = policy.Define[validateGraphQLRequest](policy.Spec{
	Name: "validate-graphql-request", Sections: policy.Inbound,
	Scopes: policy.ScopeService | policy.ScopeWorkspace | policy.ScopeProduct | policy.ScopeAPI | policy.ScopeOperation,
	Body:   policy.UsesRequestBody,
	Doc:    "Validates a GraphQL request against the schema of its API and decides who may select which fields.",
})

type validateGraphQLRequest struct {
	Variable  policy.Value[string] `attr:"error-variable-name" doc:"Variable that gets the errors, besides GraphQLErrors."`
	MaxSize   policy.Value[int64]  `attr:"max-size,required" min:"1" max:"102400" doc:"Largest size of the request in bytes."`
	MaxDepth  policy.Value[int64]  `attr:"max-depth" default:"6" min:"1" doc:"Most fields that may stand in each other."`
	Authorize *graphqlAuthorize    `elem:"authorize" doc:"Rules for fields."`

	toJSON policy.JSONValue
}

type graphqlAuthorize struct {
	Rules []graphqlRule `elem:"rule" doc:"A rule. The first one that matches a field decides, unless its action is ignore."`
}

type graphqlRule struct {
	Path   string               `attr:"path,required" doc:"/Type/field, /field at the root, or /__* for the fields that describe the schema. A star stands for any characters."`
	Action policy.Value[string] `attr:"action" default:"allow" enum:"allow,remove,reject,ignore,deny" doc:"What happens to the field. deny is what expressions may say for reject."`
}

// graphqlErrors is the variable that always gets the errors.
const graphqlErrors = "GraphQLErrors"

// Compile checks the paths.
func (p *validateGraphQLRequest) Compile(c *policy.Compiler) (err error) {
	for _, r := range p.rules() {
		if !strings.HasPrefix(r.Path, "/") || strings.Count(r.Path, "/") > 2 || strings.HasSuffix(r.Path, "/") {
			c.Errorf("InvalidValue", "the path %q of a rule is not of the form /type/field", r.Path)
		}
		if action, ok := r.Action.Constant(); ok && action == "deny" { // the documentation has it in an expression only
			c.Errorf("InvalidValue", "the action of a rule is not one of allow, remove, reject, ignore")
		}
	}
	p.toJSON, err = c.JSONValue()
	return err
}

func (p *validateGraphQLRequest) rules() []graphqlRule {
	if p.Authorize == nil {
		return nil
	}
	return p.Authorize.Rules
}

func (p *validateGraphQLRequest) Run(x *policy.Exec) error {
	if x.API == nil || !strings.EqualFold(x.API.Type, "graphql") || isUpgrade(x) {
		return nil // a WebSocket brings its requests later
	}
	schema, err := x.Host.GraphQLSchema(x.API.ID)
	if err != nil {
		return &policy.Error{Reason: "GraphQLSchemaNotFound", Message: "The GraphQL schema of the API cannot be used: " + err.Error() + ".", Err: err}
	}
	operation, err := p.validate(x, schema)
	var list graphql.Errors
	if errors.As(err, &list) {
		return p.refuse(x, list)
	}
	if err != nil {
		return err
	}
	return p.authorize(x, operation)
}

// isUpgrade tells the handshake of a WebSocket.
func isUpgrade(x *policy.Exec) bool {
	return x.Request.Method == "GET" && x.Request.Header.HasToken("Upgrade", "websocket")
}

// validate checks the size, the request and its depth. Faults of the request are [graphql.Errors].
func (p *validateGraphQLRequest) validate(x *policy.Exec, schema *graphql.Schema) (*graphql.Operation, error) {
	limit, err := p.MaxSize.Get(x)
	if err != nil {
		return nil, err
	}
	depth, err := p.MaxDepth.Get(x)
	if err != nil {
		return nil, err
	}
	r, size, err := graphqlRequest(x)
	if err != nil {
		return nil, err
	}
	if size > limit {
		return nil, graphql.Errors{{Message: fmt.Sprintf("The request is %d bytes long and exceeds the limit of %d bytes.", size, limit)}}
	}
	operation, err := schema.Prepare(r)
	if err != nil {
		return nil, err
	}
	if d := int64(operation.Depth()); d > depth {
		return nil, graphql.Errors{{Message: fmt.Sprintf("The query has a depth of %d and exceeds the limit of %d.", d, depth)}}
	}
	return operation, nil
}

// graphqlRequest reads the request and its size, that of the body or of the query of the URL.
func graphqlRequest(x *policy.Exec) (r graphql.Request, size int64, err error) {
	if x.Request.Method == "GET" {
		values, perr := url.ParseQuery(x.Request.URL.RawQuery)
		if perr != nil {
			return r, 0, graphql.Errors{{Message: "The query of the URL cannot be read."}}
		}
		r, err = graphql.ParseQuery(values.Get)
		size = int64(len(x.Request.URL.RawQuery))
	} else {
		var body []byte
		if body, err = x.ReadRequestBody(); err != nil {
			return r, 0, err
		}
		r, err = graphql.ParseRequest(mediaType(x.Request.Header.Get("Content-Type")), body)
		size = int64(len(body))
	}
	if err != nil {
		err = graphql.Errors{{Message: err.Error()}}
	}
	return r, size, err
}

// authorize asks the rules about every field.
func (p *validateGraphQLRequest) authorize(x *policy.Exec, operation *graphql.Operation) error {
	if len(p.rules()) == 0 {
		return nil
	}
	actions := make([]string, len(p.rules())) // evaluated once each
	removed, err := operation.Authorize(func(paths []string) (graphql.Decision, error) {
		for i, r := range p.rules() {
			if !graphql.MatchPath(r.Path, paths) {
				continue
			}
			if actions[i] == "" {
				var err error
				if actions[i], err = r.Action.Get(x); err != nil {
					return graphql.Reject, err
				}
			}
			switch actions[i] {
			case "ignore":
				continue
			case "allow":
				return graphql.Allow, nil
			case "remove":
				return graphql.Remove, nil
			}
			return graphql.Reject, nil
		}
		return graphql.Allow, nil
	})
	var list graphql.Errors
	switch {
	case errors.As(err, &list):
		return p.refuse(x, list)
	case err != nil || len(removed) == 0:
		return err
	}
	return p.replace(x, operation, removed)
}

// replace makes what is left of the operation the request.
func (p *validateGraphQLRequest) replace(x *policy.Exec, operation *graphql.Operation, removed graphql.Errors) error {
	if err := p.note(x, removed); err != nil {
		return err
	}
	before, _ := x.State(policy.GraphQLFieldErrors{}).(graphql.Errors)
	x.SetState(policy.GraphQLFieldErrors{}, append(before[:len(before):len(before)], removed...))
	body, err := operation.Request()
	if err != nil {
		return err
	}
	if x.Request.Method != "GET" {
		x.SetBody(body)
		x.Request.Header.Set("Content-Type", "application/json")
		return nil
	}
	var r struct {
		Query, OperationName string
		Variables            json.RawMessage
	}
	if err := json.Unmarshal(body, &r); err != nil {
		return err
	}
	values := url.Values{"query": {r.Query}}
	if r.OperationName != "" {
		values.Set("operationName", r.OperationName)
	}
	if len(r.Variables) > 0 {
		values.Set("variables", string(r.Variables))
	}
	x.Request.URL.RawQuery = values.Encode()
	return nil
}

// refuse ends the request with its errors.
func (p *validateGraphQLRequest) refuse(x *policy.Exec, list graphql.Errors) error {
	if err := p.note(x, list); err != nil {
		return err
	}
	return &policy.Error{Reason: "GraphQLValidationFailed", Message: list.Error(), Status: 400, Body: list.Body()}
}

// note adds errors to the variables, which are JSON arrays.
func (p *validateGraphQLRequest) note(x *policy.Exec, list graphql.Errors) error {
	own, err := p.Variable.Get(x)
	if err != nil {
		return err
	}
	for _, name := range []string{graphqlErrors, own} {
		if name == "" {
			continue
		}
		text := "[" + errorsText(list) + "]"
		if before, ok := x.Variable(name); ok {
			if array, ok := before.(*clr.JArray); ok && array.Count() > 0 {
				text = strings.TrimSuffix(array.ToString(), "]") + "," + errorsText(list) + "]"
			}
		}
		value, err := p.toJSON(x, text)
		if err != nil {
			return err
		}
		x.SetVariable(name, value)
	}
	return nil
}

// errorsText are the members of the list of errors in JSON.
func errorsText(list graphql.Errors) string {
	text := string(list.Body()) // {"errors":[…]}
	return text[strings.IndexByte(text, '[')+1 : len(text)-2]
}
