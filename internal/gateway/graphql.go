package gateway

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync"

	"github.com/causeway-apim/causeway/internal/graphql"
	"github.com/causeway-apim/causeway/internal/policy"
	"github.com/causeway-apim/causeway/internal/snapshot"
)

// graphqlAPI is what a GraphQL API has beside its part: its schema and its
// resolvers. It never changes.
type graphqlAPI struct {
	schemaDigest [32]byte
	schema       func() (*graphql.Schema, error) // parsed at its first use
	resolvers    map[graphqlField]*policy.Document
	publishes    bool // some resolver publishes events
}

// graphqlField is a field of an object type.
type graphqlField struct{ typ, name string }

var errNoGraphQLSchema = errors.New("the API has no GraphQL schema")

// isGraphQL says whether the API answers GraphQL requests at its one path.
func (a *api) isGraphQL() bool { return a.kind == graphQLAPI }

// isGraphQLPath tells the path of a GraphQL API itself, without what operations
// have below it.
func isGraphQLPath(path string) bool { return path == "" || path == "/" }

// touchGraphQL notes that a part of a GraphQL API has changed.
func (e *edit) touchGraphQL(id string) {
	if !strings.HasPrefix(id, "apis/") {
		return
	}
	if e.graphqlStale == nil {
		e.graphqlStale = make(map[string]bool)
	}
	e.graphqlStale[parentName(id)] = true
}

// putGraphQLPart keeps the ID of a schema or resolver under its API.
func (e *edit) putGraphQLPart(p snapshot.Part) {
	if p.Key.Kind == snapshot.KindSchema && !isGraphQLSchema(p) {
		e.removeGraphQLPart(p.Key)
		return
	}
	e.graphqlParts.add(parentName(p.Key.ID), p.Key.ID)
	e.touchGraphQL(p.Key.ID)
}

func (e *edit) removeGraphQLPart(k snapshot.Key) {
	e.graphqlParts.remove(parentName(k.ID), k.ID)
	e.touchGraphQL(k.ID)
}

// isGraphQLSchema looks at the content type, which stands at the beginning of
// the part: most schemas are others, and large.
func isGraphQLSchema(p snapshot.Part) bool {
	const head = 256
	return bytes.Contains(p.Data[:min(len(p.Data), head)], []byte(graphql.ContentTypeSchema))
}

// buildGraphQL makes the GraphQL side of the APIs whose parts have changed.
func (e *edit) buildGraphQL() error {
	for name := range e.graphqlStale {
		built := &graphqlAPI{
			schema:    func() (*graphql.Schema, error) { return nil, errNoGraphQLSchema },
			resolvers: make(map[graphqlField]*policy.Document),
		}
		some := false
		for id := range e.graphqlParts.each(name) {
			some = true
			if err := e.addGraphQLPart(built, name, id); err != nil {
				return err
			}
		}
		if some {
			e.graphqlAPIs.set(name, built)
		} else {
			e.graphqlAPIs.delete(name)
		}
	}
	return nil
}

func (e *edit) addGraphQLPart(built *graphqlAPI, api, id string) error {
	if part, ok := e.snapshot.Get(snapshot.Key{Kind: snapshot.KindSchema, ID: id}); ok {
		if old, ok := e.graphqlAPIs.Get(api); ok && old.schemaDigest == part.Digest {
			built.schema, built.schemaDigest = old.schema, old.schemaDigest
			return nil
		}
		built.schemaDigest = part.Digest
		built.schema = sync.OnceValues(func() (*graphql.Schema, error) {
			s, err := snapshot.Decode[snapshot.Schema](part)
			if err != nil {
				return nil, err
			}
			return graphql.ParseSchemaDocument(s.Document)
		})
		return nil
	}
	part, ok := e.snapshot.Get(snapshot.Key{Kind: snapshot.KindResolver, ID: id})
	if !ok {
		return nil
	}
	resolver, err := snapshot.Decode[snapshot.Resolver](part)
	if err != nil {
		return err
	}
	typ, field, _ := strings.Cut(resolver.Path, "/")
	if document, ok := e.documents.Get(id); ok {
		built.resolvers[graphqlField{typ, field}] = document
		built.publishes = built.publishes || len(document.Events()) > 0
	}
	return nil
}

// graphQL returns the GraphQL side of an API; nil when it has neither a schema
// nor resolvers.
func (c *config) graphQL(apiID string) *graphqlAPI {
	g, _ := c.graphqlAPIs.Get(apiID)
	return g
}

// noSQL is that of a gateway without databases.
type noSQL struct{}

func (noSQL) Run(context.Context, policy.SQLRequest) ([]byte, error) {
	return nil, errors.New("this gateway connects to no databases")
}

// SQL is the gateway's.
func (r *request) SQL() policy.SQL {
	if r.gateway.sql == nil {
		return noSQL{}
	}
	return r.gateway.sql
}

// GraphQLSchema returns the schema of a GraphQL API.
func (r *request) GraphQLSchema(api string) (*graphql.Schema, error) {
	g := r.config.graphQL(api)
	if g == nil {
		return nil, errNoGraphQLSchema
	}
	return g.schema()
}
