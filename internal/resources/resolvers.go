package resources

import (
	"encoding/json"
	"strings"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/importer"
	"github.com/causeway-apim/causeway/internal/policy"
	"github.com/causeway-apim/causeway/internal/resource"
	"github.com/causeway-apim/causeway/internal/snapshot"
)

// resolverIndex finds resolvers by their API and the field that they resolve.
const resolverIndex = "resolver"

// apiTypeGraphQL is the type of APIs that have resolvers.
const apiTypeGraphQL = "graphql"

// Resolver says which field of a GraphQL API its policy document resolves.
type Resolver struct {
	DisplayName string `json:"displayName,omitempty" rule:"min=1,max=300" filter:"yes" doc:"Name that people see; by default that of the resource."`
	Path        string `json:"path" rule:"required,max=300,pattern=[_A-Za-z][_0-9A-Za-z]*/[_A-Za-z][_0-9A-Za-z]*" filter:"yes" doc:"Field that is resolved: Type/field."`
	Description string `json:"description,omitempty" rule:"max=1000" filter:"yes" doc:"What the resolver is for."`
}

func resolvers() *resource.Type {
	return resource.Define(resource.Spec[Resolver]{
		Name: "resolvers", Title: "Resolver of a GraphQL API", Doc: "A field of a GraphQL schema whose data comes from the resolver's policy document.",
		Parents: []string{"apis"}, Verbs: resource.CRUDL, NameMax: 80,
		Default: func(_ *resource.Tx, _, d *resource.Doc[Resolver]) error {
			d.Props.DisplayName = first(d.Props.DisplayName, d.Name())
			return nil
		},
		Check: checkResolver,
		Indexes: func(d *resource.Doc[Resolver]) []resource.Index {
			return []resource.Index{{Name: resolverIndex, Value: resolverKey(d)}}
		},
		Publish: func(p *resource.Pub, d *resource.Doc[Resolver]) error {
			return p.Add(snapshot.KindResolver, d.ID.Rel(), snapshot.Resolver{Name: d.Name(), Path: d.Props.Path})
		},
	})
}

// resolverKey is what no two resolvers may share: the API and the field, whose case counts.
func resolverKey(d *resource.Doc[Resolver]) string { return d.ID.Parent().Rel() + " " + d.Props.Path }

// checkResolver refuses resolvers outside of GraphQL APIs, and a second one for a field.
func checkResolver(x *resource.Tx, _, d *resource.Doc[Resolver]) error {
	api, err := resource.Get[API](&x.Reader, d.ID.Parent())
	if err != nil {
		return err
	}
	if !strings.EqualFold(api.Props.Type, apiTypeGraphQL) {
		return arm.Invalid("path", "Resolvers belong to APIs of the type graphql.")
	}
	keys, err := x.Lookup(resolverIndex, resolverKey(d))
	if err != nil {
		return err
	}
	for _, key := range keys {
		id, err := arm.ParseID(key)
		if err != nil {
			return err
		}
		if !id.Equal(d.ID) {
			return arm.Invalid("path", "The field %s is resolved by the resolver %q already.", d.Props.Path, id.Name())
		}
	}
	return nil
}

// kindOfDocument is the kind of policy document that stands at a scope.
func kindOfDocument(scope policy.Scope) string {
	if scope == policy.ScopeResolver {
		return policy.KindResolver
	}
	return policy.KindPolicies
}

// checkGraphQLSchema looks into the schema of a GraphQL API: the gateway works with it.
func checkGraphQLSchema(document json.RawMessage) error {
	var d struct {
		Value string `json:"value"`
	}
	err := json.Unmarshal(document, &d)
	if err == nil {
		err = importer.CheckGraphQL(d.Value)
	}
	if err != nil {
		return invalidDocument("document", "The GraphQL schema is not valid: ", arm.Detail{Code: arm.CodeValidation, Message: err.Error() + "."})
	}
	return nil
}
