package policy

import (
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/causeway-apim/causeway/internal/snapshot"
	"github.com/causeway-apim/causeway/internal/xmlx/xsd"
)

// Schemas are the schemas that one may refer to.
type Schemas interface {
	// Schema is a schema of an API revision (by API.ID), or one of the service when api is empty.
	Schema(api, name string) (*Schema, bool)
	// APISchemas are all schemas of an API revision.
	APISchemas(api string) []*Schema
}

// CheckXMLSchema says why a text holds no XML schema. References to other schemas are not followed: they may come later.
func CheckXMLSchema(text string) error {
	list, err := xsd.Namespaces([]byte(text))
	if err == nil && len(list) == 0 {
		err = xsd.ErrNoSchema
	}
	return err
}

// compiledXML is an XML schema, with what it was made of: it counts as long as that is the same.
type compiledXML struct {
	schema *xsd.Schema
	err    error
	named  []namedSchema
	// siblings are the schemas of the API, when they were asked for.
	api      string
	siblings []*Schema
}

type namedSchema struct {
	api, name string
	schema    *Schema // nil when there was none
}

// areCurrent says whether names still lead to the same schemas.
func areCurrent(named []namedSchema, all Schemas) bool {
	for _, n := range named {
		if s, _ := all.Schema(n.api, n.name); s != n.schema {
			return false
		}
	}
	return true
}

func (c *compiledXML) isCurrent(all Schemas) bool {
	return areCurrent(c.named, all) && (c.siblings == nil || slices.Equal(c.siblings, all.APISchemas(c.api)))
}

// XML is the document as an XML schema, compiled with what it refers to: schemas of the API, if it is one of an API's, and of the service.
func (s *Schema) XML(all Schemas, api string) (*xsd.Schema, error) {
	if c := s.xml.Load(); c != nil && c.isCurrent(all) {
		return c.schema, c.err
	}
	c := &compiledXML{}
	text, err := s.text()
	if err == nil {
		c.schema, err = xsd.Compile(text, &schemaFinder{all: all, api: api, compiled: c})
	}
	if err != nil {
		c.err = fmt.Errorf("%w: %w", ErrSchemaUnreadable, err)
	}
	s.xml.Store(c)
	return c.schema, c.err
}

// IsXML says whether the document is text that holds XML.
func (s *Schema) IsXML() bool {
	text, err := s.text()
	return err == nil && strings.HasPrefix(strings.TrimLeft(string(text), "\ufeff \t\r\n"), "<")
}

// Defines says whether the document is an XML schema of a namespace.
func (s *Schema) Defines(namespace string) bool {
	list, err := s.namespaces()
	return err == nil && slices.Contains(list, namespace)
}

// text is the document where it is kept as a text: {"value": "…"}.
func (s *Schema) text() ([]byte, error) {
	part, err := snapshot.Decode[snapshot.Schema](s.part)
	if err != nil {
		return nil, err
	}
	return valueOf(part.Document)
}

func valueOf(document json.RawMessage) ([]byte, error) {
	var kept struct {
		Value *string `json:"value"`
	}
	if err := json.Unmarshal(document, &kept); err != nil {
		return nil, err
	}
	if kept.Value == nil {
		return nil, xsd.ErrNoSchema
	}
	return []byte(*kept.Value), nil
}

// schemaFinder leads the references of a schema to schemas of the configuration, and notes which.
type schemaFinder struct {
	all      Schemas
	api      string
	compiled *compiledXML
}

// Located finds /schemas/NAME, and for schemas of an API also what is called as the last part of a location.
func (f *schemaFinder) Located(location string) ([]byte, bool) {
	if _, rest, ok := strings.Cut(location, "://"); ok {
		location = rest
	}
	location, _, _ = strings.Cut(location, "?")
	base := path.Base(location)
	for _, name := range []string{base, strings.TrimSuffix(base, ".xsd")} {
		if f.api != "" {
			if text, ok := f.named(f.api, name); ok {
				return text, true
			}
		}
		if text, ok := f.named("", name); ok {
			return text, true
		}
	}
	return nil, false
}

func (f *schemaFinder) named(api, name string) ([]byte, bool) {
	s, _ := f.all.Schema(api, name)
	f.compiled.named = append(f.compiled.named, namedSchema{api, name, s})
	if s == nil {
		return nil, false
	}
	text, err := s.text()
	return text, err == nil
}

// Defining finds the schemas of the same API that have a namespace.
func (f *schemaFinder) Defining(namespace string) (list [][]byte) {
	if f.api == "" {
		return nil
	}
	f.compiled.api, f.compiled.siblings = f.api, f.all.APISchemas(f.api)
	for _, s := range f.compiled.siblings {
		if !s.Defines(namespace) {
			continue
		}
		if text, err := s.text(); err == nil {
			list = append(list, text)
		}
	}
	return list
}
