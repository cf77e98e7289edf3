// Package graphql runs GraphQL (specification of October 2021 and, where tools rely on it, the draft after it) for APIs whose schema is in the
// gateway's configuration: requests, validation, execution with resolvers, introspection and subscriptions. It knows no network and no policy: what a
// field's data comes from is a [Source], and a WebSocket is a [Conn].
//
// Parsing and validation are those of vektah/gqlparser. Data travels as JSON text, so that numbers and names keep their spelling.
package graphql

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"
)

// ContentTypeSchema is the content type of the schema of a GraphQL API.
const ContentTypeSchema = "application/vnd.ms-azure-apim.graphql.schema"

// maxSchemaTokens bounds a schema: what is larger is no schema that people work with.
const maxSchemaTokens = 1_000_000

// Schema is a validated schema. It is immutable.
type Schema struct{ types *ast.Schema }

// ParseSchema reads a schema in the schema definition language. The error says line, column and reason.
func ParseSchema(sdl string) (*Schema, error) {
	prelude, err := parser.ParseSchema(validator.Prelude)
	if err != nil {
		return nil, fmt.Errorf("read the built-in types: %w", err)
	}
	own, err := parser.ParseSchemaWithLimit(&ast.Source{Name: "schema", Input: sdl}, maxSchemaTokens)
	if err != nil {
		return nil, schemaError(err)
	}
	dropBuiltIn(own)
	prelude.Merge(own)
	types, err := validator.ValidateSchemaDocument(prelude)
	if err != nil {
		return nil, schemaError(err)
	}
	if types.Query == nil {
		return nil, errors.New("the schema has no query type")
	}
	delete(types.Directives, "defer") // answers come in one piece
	return &Schema{types}, nil
}

// dropBuiltIn removes definitions of the built-in scalars and directives, which descriptions made by introspection repeat.
func dropBuiltIn(doc *ast.SchemaDocument) {
	builtIn := map[string]bool{"Int": true, "Float": true, "String": true, "Boolean": true, "ID": true}
	definitions := doc.Definitions[:0]
	for _, d := range doc.Definitions {
		if d.Kind != ast.Scalar || !builtIn[d.Name] {
			definitions = append(definitions, d)
		}
	}
	doc.Definitions = definitions
	builtIn = map[string]bool{"skip": true, "include": true, "deprecated": true, "specifiedBy": true, "oneOf": true, "defer": true}
	directives := doc.Directives[:0]
	for _, d := range doc.Directives {
		if !builtIn[d.Name] {
			directives = append(directives, d)
		}
	}
	doc.Directives = directives
}

// schemaError gives an error of the parser the form "line:column: reason".
func schemaError(err error) error {
	var ge *gqlerror.Error
	if errors.As(err, &ge) && len(ge.Locations) > 0 {
		return fmt.Errorf("%d:%d: %s", ge.Locations[0].Line, ge.Locations[0].Column, ge.Message)
	}
	return err
}

// ParseSchemaDocument reads the document property of a schema resource: an object whose member value is the text.
func ParseSchemaDocument(document []byte) (*Schema, error) {
	var d struct {
		Value string `json:"value"`
	}
	if err := json.Unmarshal(document, &d); err != nil {
		return nil, fmt.Errorf("read the document of the schema: %w", err)
	}
	return ParseSchema(d.Value)
}

// HasField says whether an object or interface type of the schema has a field.
func (s *Schema) HasField(typ, field string) bool {
	d := s.types.Types[typ]
	return d != nil && (d.Kind == ast.Object || d.Kind == ast.Interface) && d.Fields.ForName(field) != nil
}

// HasSubscription says whether the subscription type has a field.
func (s *Schema) HasSubscription(field string) bool {
	return s.types.Subscription != nil && s.types.Subscription.Fields.ForName(field) != nil
}

// root is the type that an operation begins with; nil when the schema has none.
func (s *Schema) root(k ast.Operation) *ast.Definition {
	switch k {
	case ast.Query:
		return s.types.Query
	case ast.Mutation:
		return s.types.Mutation
	case ast.Subscription:
		return s.types.Subscription
	}
	return nil
}

// applies says whether an object type is what a type condition asks for.
func (s *Schema) applies(object *ast.Definition, condition string) bool {
	if condition == "" || condition == object.Name {
		return true
	}
	for _, t := range s.types.PossibleTypes[condition] {
		if t.Name == object.Name {
			return true
		}
	}
	return false
}
