package policies

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/causeway-apim/causeway/internal/message"
	"github.com/causeway-apim/causeway/internal/policy"
	"github.com/causeway-apim/causeway/internal/snapshot"
)

// ValidateParameters is the validate-parameters policy.
var ValidateParameters = policy.Define[validateParameters](policy.Spec{
	Name:           "validate-parameters",
	NoHandshake:    true,
	Sections:       policy.Inbound,
	OncePerSection: true,
	Flow:           policy.FlowStays,
	Doc:            "Looks whether the request's headers, query and path parameters are those that the operation's description has.",
})

type validateParameters struct {
	Specified   policy.Value[string] `attr:"specified-parameter-action,required" enum:"ignore,prevent,detect" doc:"What to do about parameters of the description with other values."`
	Unspecified policy.Value[string] `attr:"unspecified-parameter-action,required" enum:"ignore,prevent,detect" doc:"What to do about parameters that the description does not have."`
	Variable    string               `attr:"errors-variable-name" doc:"Variable for the errors."`
	Headers     *parameterActions    `elem:"headers" doc:"What to do about headers."`
	Query       *parameterActions    `elem:"query" doc:"What to do about query parameters."`
	Path        *pathActions         `elem:"path" doc:"What to do about path parameters."`

	value policy.JSONValue
}

type parameterActions struct {
	Specified   policy.Value[string] `attr:"specified-parameter-action" enum:"ignore,prevent,detect" doc:"What to do about those of the description with other values."`
	Unspecified policy.Value[string] `attr:"unspecified-parameter-action" enum:"ignore,prevent,detect" doc:"What to do about those that the description does not have."`
	Parameters  []namedAction        `elem:"parameter" doc:"What to do about one parameter."`
}

type pathActions struct {
	Specified  policy.Value[string] `attr:"specified-parameter-action" enum:"ignore,prevent,detect" doc:"What to do about those of the description with other values."`
	Parameters []namedAction        `elem:"parameter" doc:"What to do about one parameter."`
}

func (p *validateParameters) Compile(c *policy.Compiler) (err error) {
	p.value, err = c.JSONValue()
	return err
}

func (p *validateParameters) Run(x *policy.Exec) error {
	operation := x.Operation
	if operation == nil {
		operation = &snapshot.Operation{}
	}
	request := operation.Request
	if request == nil {
		request = &snapshot.OperationRequest{}
	}
	var f findings
	for _, check := range []func(*findings) error{
		func(f *findings) error { return p.path(x, f, operation) },
		func(f *findings) error { return p.query(x, f, operation, request.Query) },
		func(f *findings) error { return p.headers(x, f, request.Headers) },
	} {
		if err := check(&f); err != nil {
			return err
		}
	}
	return f.finish(x, p.Variable, p.value)
}

// actions are the actions of a group of parameters: its own, or those of the policy.
func (p *validateParameters) actions(x *policy.Exec, g *parameterActions) (specified, unspecified string, list []namedAction, err error) {
	first, second := p.Specified, p.Unspecified
	if g != nil {
		list = g.Parameters
		if g.Specified.IsSet() {
			first = g.Specified
		}
		if g.Unspecified.IsSet() {
			second = g.Unspecified
		}
	}
	if specified, err = first.Get(x); err == nil {
		unspecified, err = second.Get(x)
	}
	return specified, unspecified, list, err
}

func (p *validateParameters) path(x *policy.Exec, f *findings, o *snapshot.Operation) error {
	var group *parameterActions
	if p.Path != nil {
		group = &parameterActions{Specified: p.Path.Specified, Parameters: p.Path.Parameters}
	}
	specified, _, list, err := p.actions(x, group)
	if err != nil {
		return err
	}
	template, _, _ := strings.Cut(o.URLTemplate, "?")
	for i := range o.Parameters {
		d := &o.Parameters[i]
		name := strings.TrimPrefix(d.Name, "*")
		if !strings.Contains(strings.ToLower(template), "{"+strings.ToLower(name)+"}") && !strings.Contains(strings.ToLower(template), "{*"+strings.ToLower(name)+"}") {
			continue
		}
		var values []string
		for _, m := range x.Matched {
			if strings.EqualFold(m.Name, name) {
				values = append(values, m.Value)
			}
		}
		parameter{kind: inPath, of: d, values: values}.check(x, f, actionFor(list, name, specified))
	}
	return nil
}

func (p *validateParameters) query(x *policy.Exec, f *findings, o *snapshot.Operation, described []snapshot.Parameter) error {
	specified, unspecified, list, err := p.actions(x, p.Query)
	if err != nil {
		return err
	}
	described = append(described[:len(described):len(described)], queryOfTemplate(o)...)
	names, values := queryValues(x.OriginalURL.RawQuery)
	for i := range described {
		d := &described[i]
		parameter{kind: inQuery, of: d, values: values[strings.ToLower(d.Name)]}.check(x, f, actionFor(list, d.Name, specified))
	}
	for _, name := range names {
		if describes(described, name) || isKeyParameter(x, name) {
			continue
		}
		f.add(actionFor(list, name, unspecified), unspecifiedParameter(inQuery, name))
	}
	return nil
}

// queryOfTemplate are the parameters of an operation that stand in the query of its URL template, under the names of the query.
func queryOfTemplate(o *snapshot.Operation) []snapshot.Parameter {
	_, query, _ := strings.Cut(o.URLTemplate, "?")
	var list []snapshot.Parameter
	for name, value := range message.QueryPairs(query) {
		inner := strings.Trim(value, "{}")
		for _, d := range o.Parameters {
			if strings.EqualFold(d.Name, inner) {
				d.Name = name
				list = append(list, d)
			}
		}
	}
	return list
}

// queryValues are the names of a query, each once, and the values by names in lower case.
func queryValues(raw string) (names []string, values map[string][]string) {
	values = make(map[string][]string)
	for n, v := range message.QueryPairs(raw) {
		name, value := unescapeQuery(n), unescapeQuery(v)
		folded := strings.ToLower(name)
		if _, there := values[folded]; !there {
			names = append(names, name)
		}
		values[folded] = append(values[folded], value)
	}
	return names, values
}

// unescapeQuery decodes a name or value of a query; a malformed one stays as it is.
func unescapeQuery(s string) string {
	if decoded, err := url.QueryUnescape(s); err == nil {
		return decoded
	}
	return s
}

func (p *validateParameters) headers(x *policy.Exec, f *findings, described []snapshot.Parameter) error {
	specified, unspecified, list, err := p.actions(x, p.Headers)
	if err != nil {
		return err
	}
	for i := range described {
		d := &described[i]
		parameter{kind: inRequestHeader, of: d, values: x.Request.Header.Values(d.Name)}.check(x, f, actionFor(list, d.Name, specified))
	}
	for _, name := range differentNames(&x.Request.Header) {
		if describes(described, name) || x.API != nil && strings.EqualFold(name, x.API.KeyHeader) {
			continue
		}
		f.add(actionForUnspecified(list, name, unspecified), unspecifiedParameter(inRequestHeader, name))
	}
	return nil
}

func unspecifiedParameter(kind parameterKind, name string) violation {
	text := fmt.Sprintf("Unspecified %s %s is not allowed.", kind.text(), name)
	return violation{Name: name, Type: string(kind), ValidationRule: "Unspecified", Details: text, public: text}
}
