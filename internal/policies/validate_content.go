package policies

import (
	"errors"
	"fmt"
	"strings"

	"github.com/causeway-apim/causeway/internal/message"
	"github.com/causeway-apim/causeway/internal/policy"
	"github.com/causeway-apim/causeway/internal/snapshot"
)

// maxValidated is the most bytes of a body that can be validated.
const maxValidated = 4 << 20

// ValidateContent is the validate-content policy.
var ValidateContent = policy.Define[validateContent](policy.Spec{
	Name:        "validate-content",
	NoHandshake: true,
	Sections:    policy.Inbound | policy.Outbound | policy.OnError,
	Flow:        policy.FlowStays,
	Doc:         "Looks whether the size and the content of the body are what the description of the API has.",
})

type validateContent struct {
	Unspecified policy.Value[string] `attr:"unspecified-content-type-action,required" enum:"ignore,prevent,detect" doc:"What to do about content types that the description does not have."`
	MaxSize     policy.Value[int64]  `attr:"max-size,required" min:"0" max:"4194304" doc:"Most bytes of the body."`
	Size        policy.Value[string] `attr:"size-exceeded-action,required" enum:"ignore,prevent,detect" doc:"What to do about larger bodies."`
	Variable    string               `attr:"errors-variable-name" doc:"Variable for the errors."`
	Map         *contentTypeMap      `elem:"content-type-map" doc:"Content types that count as others."`
	Contents    []*contentRule       `elem:"content" doc:"How to validate one content type."`

	value policy.JSONValue
}

type contentTypeMap struct {
	Any     string            `attr:"any-content-type-value" doc:"Content type that counts for every message."`
	Missing string            `attr:"missing-content-type-value" doc:"Content type that counts for messages without one."`
	Types   []contentTypeRule `elem:"type" doc:"Content type that counts as another."`
}

type contentTypeRule struct {
	From string             `attr:"from" doc:"Content type of the message."`
	When policy.Value[bool] `attr:"when" doc:"Condition, instead of from."`
	To   string             `attr:"to,required" doc:"Content type that counts."`
}

type contentRule struct {
	Type                 string             `attr:"type" doc:"Content type; empty for all of the description."`
	As                   string             `attr:"validate-as,required" enum:"json,xml,soap" doc:"Kind of the body."`
	SchemaID             string             `attr:"schema-id" doc:"Schema of the service, instead of the description's."`
	SchemaRef            string             `attr:"schema-ref" doc:"JSON pointer to the type in that schema."`
	Action               string             `attr:"action,required" enum:"ignore,prevent,detect" doc:"What to do about other bodies."`
	AdditionalProperties policy.Value[bool] `attr:"allow-additional-properties,const" doc:"Whether objects may have further properties, whatever the schema says."`
	FoldNames            bool               `attr:"case-insensitive-property-names" default:"false" doc:"Whether the case of property names does not matter."`
}

func (p *validateContent) Compile(c *policy.Compiler) (err error) {
	usesSectionBody(c)
	p.value, err = c.JSONValue()
	return err
}

// Compile looks for what no table of the reference allows.
func (r *contentRule) Compile(c *policy.Compiler) error {
	if r.SchemaRef != "" && (r.As != "json" || r.SchemaID == "") {
		c.Errorf("InvalidValue", "schema-ref needs validate-as json and a schema-id")
	}
	return nil
}

// Compile checks that a rule has exactly one of from and when.
func (r *contentTypeRule) Compile(c *policy.Compiler) error {
	if (r.From != "") == r.When.IsSet() {
		c.Errorf("InvalidValue", "<type> must have either from or when")
	}
	return nil
}

// contentCheck is one run of the policy.
type contentCheck struct {
	findings
	x               *policy.Exec
	kind            string // RequestBody or ResponseBody
	whose           string // request or response
	header          *message.Header
	representations []snapshot.Representation
	body            []byte
}

func (p *validateContent) Run(x *policy.Exec) error {
	k := newContentCheck(x)
	proceed, err := p.size(k)
	if err == nil && proceed && len(k.body) > 0 {
		err = p.content(k)
	}
	if err != nil {
		return err
	}
	return k.finish(x, p.Variable, p.value)
}

func newContentCheck(x *policy.Exec) *contentCheck {
	k := &contentCheck{x: x, kind: "RequestBody", whose: "request", header: &x.Request.Header}
	if isResponseSection(x) {
		k.kind, k.whose, k.header = "ResponseBody", "response", &x.EnsureResponse().Header
	}
	switch o := x.Operation; {
	case o == nil:
	case isResponseSection(x):
		for i := range o.Responses {
			if o.Responses[i].Status == x.Response.Status {
				k.representations = o.Responses[i].Representations
			}
		}
	case o.Request != nil:
		k.representations = o.Request.Representations
	}
	return k
}

// size reads the body unless it is too large. proceed says whether its content is to be looked at.
func (p *validateContent) size(k *contentCheck) (proceed bool, err error) {
	limit, err := p.MaxSize.Get(k.x)
	if err != nil {
		return false, err
	}
	action, err := p.Size.Get(k.x)
	if err != nil {
		return false, err
	}
	read, length := k.x.ReadRequestBody, k.x.Request.ContentLength
	if isResponseSection(k.x) {
		read, length = k.x.ReadResponseBody, k.x.Response.ContentLength
	}
	if length <= max(limit, maxValidated) {
		if k.body, err = read(); err != nil {
			return false, err
		}
		length = int64(len(k.body))
	}
	if length > limit {
		name := "Request's"
		if isResponseSection(k.x) {
			name = "Response's"
		}
		k.add(action, violation{
			Type: k.kind, ValidationRule: "SizeLimit",
			Details: fmt.Sprintf("%s body is %d bytes long and it exceeds the configured limit of %d bytes.", name, length, limit),
			public:  fmt.Sprintf("%s body is %d bytes long and it exceeds the limit of %d bytes.", name, length, limit),
		})
	}
	return !k.prevent && length <= maxValidated, nil
}

// content finds the rule for the content type and applies it.
func (p *validateContent) content(k *contentCheck) error {
	sent := mediaType(k.header.Get("Content-Type"))
	media, err := p.mapped(k.x, sent)
	if err != nil {
		return err
	}
	described := k.representation(media)
	rule := p.rule(media, described != nil)
	if described == nil && (rule == nil || rule.SchemaID == "") {
		action, err := p.Unspecified.Get(k.x)
		if err != nil {
			return err
		}
		text := fmt.Sprintf("Unspecified content type %s is not allowed.", media)
		k.add(action, violation{Name: media, Type: k.kind, ValidationRule: "Unspecified", Details: text, public: text})
		return nil
	}
	if rule == nil || rule.Action == actionIgnore {
		return nil
	}
	if rule.As == "json" {
		k.json(rule, media, described)
		return nil
	}
	k.xml(rule, media, described)
	return nil
}

// mapped is the content type that counts.
func (p *validateContent) mapped(x *policy.Exec, sent string) (string, error) {
	if p.Map == nil {
		return sent, nil
	}
	for i := range p.Map.Types {
		t := &p.Map.Types[i]
		match := t.From != "" && mediaType(t.From) == sent
		if t.When.IsSet() {
			var err error
			if match, err = t.When.Get(x); err != nil {
				return "", err
			}
		}
		if match {
			return mediaType(t.To), nil
		}
	}
	switch {
	case p.Map.Any != "":
		return mediaType(p.Map.Any), nil
	case p.Map.Missing != "" && sent == "":
		return mediaType(p.Map.Missing), nil
	}
	return sent, nil
}

// rule is the rule for a content type: its own, or the one for all of the description.
func (p *validateContent) rule(media string, described bool) *contentRule {
	for _, r := range p.Contents {
		if r.Type != "" && mediaType(r.Type) == media {
			return r
		}
	}
	for _, r := range p.Contents {
		if r.Type == "" && (described || r.SchemaID != "") {
			return r
		}
	}
	return nil
}

func (k *contentCheck) representation(media string) *snapshot.Representation {
	for i := range k.representations {
		if r := &k.representations[i]; mediaType(r.ContentType) == media {
			return r
		}
	}
	return nil
}

// json holds the body against a JSON schema.
func (k *contentCheck) json(rule *contentRule, media string, described *snapshot.Representation) {
	typ, name, err := k.schemaType(rule, described)
	switch {
	case errors.Is(err, policy.ErrSchemaUnreadable):
		k.add(rule.Action, violation{Type: "ApiSchema", Details: "API's schema does not exist or it could not be resolved."})
		return
	case errors.Is(err, policy.ErrNoDefinitions):
		k.add(rule.Action, violation{Type: "ApiSchema", Details: "API's schema does not specify definitions."})
		return
	case err != nil:
		k.add(rule.Action, violation{
			Name: media, Type: k.kind, ValidationRule: "MissingDefinition",
			Details: fmt.Sprintf("API's schema does not contain definition %s, which is associated with the content type %s.", name, media),
		})
		return
	}
	value, err := policy.DecodeJSON(k.body)
	if err != nil {
		k.add(rule.Action, k.unreadable(media, err))
		return
	}
	if err := typ.Validate(value); err != nil {
		text := fmt.Sprintf("Body of the %s does not conform to the definition %s, which is associated with the content type %s. %s", k.whose, name, media, err)
		k.add(rule.Action, violation{Name: media, Type: k.kind, ValidationRule: "IncorrectMessage", Details: text, public: text})
	}
}

// unreadable is the finding for a body that cannot be validated.
func (k *contentCheck) unreadable(media string, err error) violation {
	return violation{
		Name: media, Type: k.kind, ValidationRule: "ValidationException",
		Details: fmt.Sprintf("Body of the %s cannot be validated for the content type %s. %s", k.whose, media, err),
	}
}

// schemaType is the type that a rule or the description names.
func (k *contentCheck) schemaType(rule *contentRule, described *snapshot.Representation) (typ *policy.SchemaType, name string, err error) {
	options := policy.SchemaOptions{FoldNames: rule.FoldNames, Schemas: k.x.Host}
	if allowed, ok := rule.AdditionalProperties.Constant(); ok {
		options.AdditionalProperties = fmt.Sprint(allowed)
	}
	if rule.SchemaID != "" {
		schema, ok := k.x.Host.Schema("", rule.SchemaID)
		if !ok {
			if schema, ok = k.x.Host.Schema(k.x.API.ID, rule.SchemaID); !ok {
				return nil, "", policy.ErrSchemaUnreadable
			}
		}
		typ, err = schema.At(rule.SchemaRef, options)
		return typ, strings.TrimSpace(rule.SchemaID + " " + rule.SchemaRef), err
	}
	schema, ok := k.x.Host.Schema(k.x.API.ID, described.Schema)
	if described.Schema == "" || !ok {
		return nil, described.TypeName, policy.ErrSchemaUnreadable
	}
	typ, err = schema.Type(described.TypeName, options)
	return typ, described.TypeName, err
}
