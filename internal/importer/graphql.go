package importer

import (
	"errors"
	"fmt"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// ContentTypeGraphQL is the content type under which the schema of a GraphQL API
// is stored.
const ContentTypeGraphQL = "application/vnd.ms-azure-apim.graphql.schema"

// CheckGraphQL says what is wrong with a schema in GraphQL's schema definition
// language, with line and column; nil for a valid one.
func CheckGraphQL(sdl string) error {
	schema, err := gqlparser.LoadSchema(&ast.Source{Name: "schema", Input: sdl})
	if ge, ok := errors.AsType[*gqlerror.Error](err); ok && len(ge.Locations) > 0 {
		return fmt.Errorf("line %d, column %d: %s", ge.Locations[0].Line, ge.Locations[0].Column, ge.Message)
	}
	if err == nil && schema.Query == nil {
		err = errors.New("the schema has no query type")
	}
	return err
}
