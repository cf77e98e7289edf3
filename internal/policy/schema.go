package policy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"golang.org/x/text/language"
	"golang.org/x/text/message"

	"github.com/causeway-apim/causeway/internal/snapshot"
	"github.com/causeway-apim/causeway/internal/xmlx/xsd"
)

// Schema is a document of types, compiled type by type as they are asked for. It is safe for concurrent use.
type Schema struct {
	part     snapshot.Part
	document func() (any, error)
	types    sync.Map // schemaKey to *compiledType
	// namespaces are those that the document defines as an XML schema; xml is that schema, compiled.
	namespaces func() ([]string, error)
	xml        atomic.Pointer[compiledXML]
}

// schemaKey says which type was compiled, and how.
type schemaKey struct {
	pointer string
	options SchemaOptions
}

// compiledType is a type with the schemas that it refers to: it counts as long as they are the same.
type compiledType struct {
	definition *SchemaType
	err        error
	named      []namedSchema
}

// SchemaOptions change what a type allows.
type SchemaOptions struct {
	// AdditionalProperties is "true" or "false" for what additionalProperties is to say everywhere; empty leaves the document as it is.
	AdditionalProperties string
	// FoldNames compares the names of properties without regard to case.
	FoldNames bool
	// Schemas are where references to /schemas/NAME lead; nil when none are followed.
	Schemas Schemas
}

// SchemaType is a type that values can be held against.
type SchemaType struct {
	schema *jsonschema.Schema
	fold   bool
}

// The reasons why there is no definition.
var (
	// ErrSchemaUnreadable says that the document could not be read.
	ErrSchemaUnreadable = errors.New("the schema could not be resolved")
	// ErrNoDefinitions says that the document holds no types at all.
	ErrNoDefinitions = errors.New("the schema does not specify definitions")
	// ErrNoDefinition says that the document lacks the type, or that the type is no JSON schema.
	ErrNoDefinition = errors.New("the schema does not contain the definition")
)

// NewSchema makes the schema of a part. Its document is read when it is used for the first time.
func NewSchema(part snapshot.Part) *Schema {
	s := &Schema{part: part}
	s.document = sync.OnceValues(s.read)
	s.namespaces = sync.OnceValues(func() ([]string, error) {
		text, err := s.text()
		if err != nil {
			return nil, err
		}
		return xsd.Namespaces(text)
	})
	return s
}

// read is the document as a JSON schema: as it is, or what its value holds as text.
func (s *Schema) read() (any, error) {
	part, err := snapshot.Decode[snapshot.Schema](s.part)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSchemaUnreadable, err)
	}
	document := []byte(part.Document)
	if text, err := valueOf(document); err == nil {
		document = text
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(document))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSchemaUnreadable, err)
	}
	return v, nil
}

// Type is the type of that name among the document's components or definitions.
func (s *Schema) Type(name string, options ...SchemaOptions) (*SchemaType, error) {
	document, err := s.document()
	if err != nil {
		return nil, err
	}
	var some bool
	for _, path := range [][]string{{"components", "schemas"}, {"definitions"}, {"$defs"}} {
		types, ok := member(document, path...).(map[string]any)
		if !ok || len(types) == 0 {
			continue
		}
		some = true
		if _, ok := types[name]; ok {
			return s.At("#/"+strings.Join(path, "/")+"/"+escapePointer(name), options...)
		}
	}
	if !some {
		return nil, ErrNoDefinitions
	}
	return nil, ErrNoDefinition
}

// At is the type at a JSON pointer such as "#/components/schemas/address"; "" or "#" is the document itself.
func (s *Schema) At(pointer string, options ...SchemaOptions) (*SchemaType, error) {
	key := schemaKey{pointer: pointer}
	var all Schemas
	for _, o := range options {
		key.options, all = o, o.Schemas
	}
	key.options.Schemas = nil
	if found, ok := s.types.Load(key); ok {
		if c := found.(*compiledType); len(c.named) == 0 || all != nil && areCurrent(c.named, all) {
			return c.definition, c.err
		}
	}
	loader := &schemaLoader{all: all, options: key.options}
	definition, err := s.compile(key, loader)
	s.types.Store(key, &compiledType{definition, err, loader.named})
	return definition, err
}

// schemaURL is the base of references within a document; /schemas/NAME leads to namedSchemaURL with the name.
const (
	schemaURL      = "schema:///document"
	namedSchemaURL = "schema:///schemas/"
)

func (s *Schema) compile(key schemaKey, loader *schemaLoader) (*SchemaType, error) {
	document, err := s.document()
	if err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.AssertFormat()
	c.UseLoader(loader)
	c.UseRegexpEngine(compilePattern)
	if err := c.AddResource(schemaURL, modernise(document, key.options)); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSchemaUnreadable, err)
	}
	pointer := key.pointer
	if pointer == "" {
		pointer = "#"
	}
	schema, err := c.Compile(schemaURL + pointer)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoDefinition, err)
	}
	return &SchemaType{schema, key.options.FoldNames}, nil
}

// schemaLoader follows references to the service's schemas and notes which. Others are refused: a gateway reads no files and calls nobody for them.
type schemaLoader struct {
	all     Schemas
	options SchemaOptions
	named   []namedSchema
}

func (l *schemaLoader) Load(location string) (any, error) {
	escaped, ok := strings.CutPrefix(location, namedSchemaURL)
	name, err := url.PathUnescape(escaped)
	if !ok || err != nil || l.all == nil {
		return nil, fmt.Errorf("references to %s are not followed", location)
	}
	s, _ := l.all.Schema("", name)
	l.named = append(l.named, namedSchema{"", name, s})
	if s == nil {
		return nil, fmt.Errorf("the service has no schema %q", name)
	}
	document, err := s.document()
	if err != nil {
		return nil, err
	}
	return modernise(document, l.options), nil
}

func member(v any, path ...string) any {
	for _, name := range path {
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = m[name]
	}
	return v
}

func escapePointer(name string) string {
	return strings.NewReplacer("~", "~0", "/", "~1", "%", "%25", "#", "%23", "\"", "%22", " ", "%20").Replace(name)
}

// Validate holds a value, as encoding/json reads it, against the type. The error says what the first fault is, and where.
func (d *SchemaType) Validate(v any) error {
	if d.fold {
		v = foldNames(v)
	}
	err := d.schema.Validate(v)
	var invalid *jsonschema.ValidationError
	if !errors.As(err, &invalid) {
		return err
	}
	for len(invalid.Causes) > 0 {
		invalid = invalid.Causes[0]
	}
	if _, ok := invalid.ErrorKind.(*kind.FalseSchema); ok {
		return fmt.Errorf("the value at '/%s' is not allowed", strings.Join(invalid.InstanceLocation, "/"))
	}
	text := invalid.ErrorKind.LocalizedString(message.NewPrinter(language.English))
	return fmt.Errorf("%s (at '/%s')", text, strings.Join(invalid.InstanceLocation, "/"))
}

// DecodeJSON reads a value for [SchemaType.Validate].
func DecodeJSON(data []byte) (any, error) {
	return jsonschema.UnmarshalJSON(strings.NewReader(string(data)))
}

// modernise copies a document and writes what OpenAPI 2 and 3.0 have in older ways as JSON Schema 2020-12 has it: nullable, and
// exclusive bounds that are true or false.
func modernise(v any, o SchemaOptions) any {
	switch v := v.(type) {
	case []any:
		list := make([]any, len(v))
		for i := range v {
			list[i] = modernise(v[i], o)
		}
		return list
	case map[string]any:
		m := make(map[string]any, len(v))
		for name, value := range v {
			switch name {
			case "example", "examples", "default", "enum", "const":
				m[name] = value // values, not schemas
			default:
				m[name] = modernise(value, o)
			}
		}
		exclusive(m, "exclusiveMinimum", "minimum")
		exclusive(m, "exclusiveMaximum", "maximum")
		nullable(m)
		properties(m, o)
		return m
	}
	return v
}

// exclusive makes {"minimum": 1, "exclusiveMinimum": true} {"exclusiveMinimum": 1}.
func exclusive(m map[string]any, flag, bound string) {
	on, ok := m[flag].(bool)
	if !ok {
		return
	}
	delete(m, flag)
	if value, ok := m[bound].(json.Number); ok && on {
		m[flag] = value
		delete(m, bound)
	}
}

// nullable lets null through where a schema says so.
func nullable(m map[string]any) {
	if m["nullable"] != true && m["x-nullable"] != true {
		return
	}
	switch typ := m["type"].(type) {
	case string:
		m["type"] = []any{typ, "null"}
	case nil:
		if ref, ok := m["$ref"]; ok {
			delete(m, "$ref")
			m["anyOf"] = []any{map[string]any{"$ref": ref}, map[string]any{"type": "null"}}
		}
	}
	if enum, ok := m["enum"].([]any); ok {
		m["enum"] = append(enum[:len(enum):len(enum)], nil)
	}
}

// properties applies the options to a schema of an object.
func properties(m map[string]any, o SchemaOptions) {
	props, ok := m["properties"].(map[string]any)
	isSchema := m["type"] == "object" || ok
	switch {
	case o.AdditionalProperties == "true":
		if _, is := m["additionalProperties"].(bool); is {
			m["additionalProperties"] = true
		}
	case o.AdditionalProperties == "false" && isSchema:
		m["additionalProperties"] = false
	}
	if !o.FoldNames || !ok {
		return
	}
	m["properties"] = foldKeys(props)
	if required, ok := m["required"].([]any); ok {
		folded := make([]any, len(required))
		for i, name := range required {
			s, _ := name.(string)
			folded[i] = strings.ToLower(s)
		}
		m["required"] = folded
	}
}

func foldKeys(m map[string]any) map[string]any {
	out := make(map[string]any, len(m))
	for name, value := range m {
		out[strings.ToLower(name)] = value
	}
	return out
}

// foldNames copies a value with the names of properties in lower case.
func foldNames(v any) any {
	switch v := v.(type) {
	case []any:
		list := make([]any, len(v))
		for i := range v {
			list[i] = foldNames(v[i])
		}
		return list
	case map[string]any:
		m := make(map[string]any, len(v))
		for name, value := range v {
			m[strings.ToLower(name)] = foldNames(value)
		}
		return m
	}
	return v
}
