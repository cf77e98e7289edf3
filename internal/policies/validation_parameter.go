package policies

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/causeway-apim/causeway/internal/policy"
	"github.com/causeway-apim/causeway/internal/snapshot"
)

// parameterKind is where a parameter stands, by its name in errors.
type parameterKind string

const (
	inPath           parameterKind = "PathParameter"
	inQuery          parameterKind = "QueryParameter"
	inRequestHeader  parameterKind = "RequestHeader"
	inResponseHeader parameterKind = "ResponseHeader"
)

// text is the kind in a sentence.
func (k parameterKind) text() string {
	switch k {
	case inPath:
		return "path parameter"
	case inQuery:
		return "query parameter"
	}
	return "header"
}

// parameter is a described parameter and the values that a message has for it.
type parameter struct {
	kind   parameterKind
	of     *snapshot.Parameter
	values []string
}

// check adds what is wrong with the values.
func (p parameter) check(x *policy.Exec, f *findings, action string) {
	if action == actionIgnore {
		return
	}
	add := func(rule, details, public string) {
		f.add(action, violation{Name: p.of.Name, Type: string(p.kind), ValidationRule: rule, Details: details, public: public})
	}
	both := func(format string, args ...any) {
		text := fmt.Sprintf(format, args...)
		add("IncorrectMessage", text, text)
	}
	what := p.kind.text() + " " + p.of.Name
	message := "Request"
	if p.kind == inResponseHeader {
		message = "Response"
	}
	switch {
	case len(p.values) == 0:
		if p.of.Required {
			both("%s does not contain the required %s.", message, what)
		}
		return
	case len(p.values) > 1 && p.of.Type != "array":
		both("%s cannot contain multiple values for the %s.", message, what)
		return
	}
	switch verdict, why := p.judge(x); verdict {
	case unparsable:
		add("IncorrectMessage", fmt.Sprintf("Value of the %s cannot be parsed according to the definition. %s", what, why),
			fmt.Sprintf("Value of the %s couldn't be parsed according to the definition. %s", what, why))
	case nonconforming:
		add("IncorrectMessage", fmt.Sprintf("Value of the %s does not conform to the definition. %s", what, why),
			fmt.Sprintf("The value of the %s does not conform to the definition. %s", what, why))
	case undefined:
		add("MissingDefinition", fmt.Sprintf("API's schema does not contain definition %s, which is associated with the %s.", p.of.TypeName, what), "")
	}
}

// verdict says in which way a value is wrong.
type verdict uint8

const (
	fine verdict = iota
	unparsable
	nonconforming
	undefined
)

// judge compares the values with the type, the list of values and the schema of the description.
func (p parameter) judge(x *policy.Exec) (v verdict, why string) {
	if len(p.of.Values) > 0 {
		for _, v := range p.values {
			if !slices.Contains(p.of.Values, v) {
				return nonconforming, fmt.Sprintf("Value %q is not one of %s.", v, strings.Join(p.of.Values, ", "))
			}
		}
	}
	var instance any
	if p.of.Type == "array" {
		items := make([]any, 0, len(p.values))
		for _, v := range p.values {
			for item := range strings.SplitSeq(v, ",") {
				items = append(items, guess(item))
			}
		}
		instance = items
	} else {
		if instance, why = typed(p.of.Type, p.values[0]); why != "" {
			return unparsable, why
		}
	}
	return p.conforms(x, instance)
}

// conforms compares a value with the schema of the description, if it has one.
func (p parameter) conforms(x *policy.Exec, instance any) (v verdict, why string) {
	if p.of.Schema == "" || p.of.TypeName == "" {
		return fine, ""
	}
	schema, ok := x.Host.Schema(x.API.ID, p.of.Schema)
	if !ok {
		return undefined, ""
	}
	definition, err := schema.Type(p.of.TypeName, policy.SchemaOptions{Schemas: x.Host})
	if err != nil {
		return undefined, ""
	}
	if err := definition.Validate(instance); err != nil {
		return nonconforming, err.Error()
	}
	return fine, ""
}

// typed reads a value as its type, or says why it cannot.
func typed(typ, value string) (v any, why string) {
	switch strings.ToLower(typ) {
	case "integer":
		n := json.Number(value)
		if _, err := strconv.ParseInt(value, 10, 64); err != nil && !isDigits(value) {
			return nil, fmt.Sprintf("%q is not an integer.", value)
		}
		return n, ""
	case "number":
		if _, err := strconv.ParseFloat(value, 64); err != nil || strings.ContainsAny(value, "xXpPnN_") {
			return nil, fmt.Sprintf("%q is not a number.", value)
		}
		return json.Number(value), ""
	case "boolean":
		if value != "true" && value != "false" {
			return nil, fmt.Sprintf("%q is not a boolean.", value)
		}
		return value == "true", ""
	case "object":
		v, err := policy.DecodeJSON([]byte(value))
		if _, ok := v.(map[string]any); err != nil || !ok {
			return nil, "It is not a JSON object."
		}
		return v, ""
	}
	return value, ""
}

// isDigits says whether a text is a whole number of any size.
func isDigits(s string) bool {
	s = strings.TrimPrefix(s, "-")
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// guess is the item of a list whose type is not known before the schema is asked.
func guess(s string) any {
	if _, err := strconv.ParseFloat(s, 64); err == nil && json.Valid([]byte(s)) {
		return json.Number(s)
	}
	return s
}
