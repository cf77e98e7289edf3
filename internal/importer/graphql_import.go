package importer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"
)

// GraphQLSchemaID is the resource name of the schema of a GraphQL API.
const GraphQLSchemaID = "graphql"

// maxGraphQLTokens bounds a schema.
const maxGraphQLTokens = 1_000_000

// importGraphQL reads a schema: in the schema definition language, or the answer to an introspection query.
func importGraphQL(ctx context.Context, data []byte, o Options) (*Result, *Error) {
	if int64(len(data)) > o.MaxBytes {
		return nil, tooLarge(len(data), o.MaxBytes)
	}
	if at := invalidUTF8(data); at >= 0 {
		line := bytes.Count(data[:at], []byte("\n")) + 1
		return nil, &Error{Line: line, Column: columnAt(data, at), Reason: "the document is not UTF-8", Advice: "Save it as UTF-8."}
	}
	text := bytes.TrimSpace(data[len(bom(data)):])
	syntax, sdl := SyntaxText, string(data[len(bom(data)):])
	if len(text) == 0 {
		return nil, &Error{Line: 1, Column: 1, Reason: "the document is empty", Advice: "Send a GraphQL schema."}
	}
	if text[0] == '{' {
		t := &tree{data: data, syntax: SyntaxJSON}
		var err *Error
		if t.root, err = readJSON(ctx, data, o.MaxDepth); err != nil {
			return nil, err
		}
		if sdl, err = schemaOfIntrospection(t); err != nil {
			return nil, err
		}
		syntax = SyntaxJSON
	}
	if _, err := parser.ParseSchemaWithLimit(&ast.Source{Name: "schema", Input: sdl}, maxGraphQLTokens); err != nil {
		return nil, graphQLError(err)
	}
	if err := CheckGraphQL(sdl); err != nil {
		return nil, graphQLError(err)
	}
	r := &Result{
		Kind: FormatGraphQL, Syntax: syntax, Type: TypeGraphQL, Original: data,
		Schemas: []Schema{{ID: GraphQLSchemaID, ContentType: ContentTypeGraphQL, Document: valueDocument(sdl)}},
	}
	return r, nil
}

// graphQLError gives an error of the parser its place.
func graphQLError(err error) *Error {
	const advice = "Correct the schema."
	if ge, ok := errors.AsType[*gqlerror.Error](err); ok && len(ge.Locations) > 0 {
		return &Error{Line: ge.Locations[0].Line, Column: ge.Locations[0].Column, Reason: strings.TrimSuffix(ge.Message, "."), Advice: advice}
	}
	e := &Error{Reason: err.Error(), Advice: advice}
	if n, _ := fmt.Sscanf(err.Error(), "line %d, column %d:", &e.Line, &e.Column); n == 2 {
		if _, reason, ok := bytes.Cut([]byte(err.Error()), []byte(": ")); ok {
			e.Reason = string(reason)
		}
	}
	return e
}
