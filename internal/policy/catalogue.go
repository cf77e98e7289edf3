package policy

import (
	"errors"
	"fmt"
	"reflect"

	"github.com/causeway-apim/causeway/internal/csharp"
)

// Catalogue is the list of policies and compiles documents with them. It is immutable and safe for concurrent use.
type Catalogue struct {
	definitions []Definition
	byName      map[string]*entry
	opaque      map[string]bool
	library     *csharp.Library
	globals     []csharp.Global
	targets     targets
	values      *ValueCodec
	limits      ExpressionLimits
}

// entry is a definition with the shape of its struct.
type entry struct {
	*Definition
	shape *shape
}

// NewCatalogue makes a catalogue. Wrong declarations are an error that names them all.
func NewCatalogue(definitions ...Definition) (*Catalogue, error) {
	library, globals, err := contextLibrary()
	if err != nil {
		return nil, fmt.Errorf("declare the context of expressions: %w", err)
	}
	c := &Catalogue{
		definitions: definitions, byName: make(map[string]*entry, len(definitions)),
		opaque: make(map[string]bool), library: library, globals: globals, targets: newTargets(library), values: newValueCodec(library),
	}
	all, seen := make(shapes), make(map[*shape]bool)
	var errs []error
	for i := range definitions {
		d := &definitions[i]
		if _, ok := c.byName[d.Name]; ok {
			errs = append(errs, fmt.Errorf("policy %s is declared twice", d.Name))
		}
		s, err := all.of(reflect.TypeOf(d.make()).Elem())
		if err != nil {
			errs = append(errs, fmt.Errorf("policy %s: %w", d.Name, err))
			continue
		}
		s.opaqueNames(d.Name, c.opaque, seen)
		c.byName[d.Name] = &entry{d, s}
	}
	return c, errors.Join(errs...)
}

// Definitions are the policies in the order of the list. The caller does not change them.
func (c *Catalogue) Definitions() []Definition { return c.definitions }

// Library is the C# library of expressions, the `context` object included.
func (c *Catalogue) Library() *csharp.Library { return c.library }

// Globals are the names that expressions see: `context`. The host argument of a run is the *Exec.
func (c *Catalogue) Globals() []csharp.Global { return c.globals }

// nearest proposes the policy that was probably meant. Short names are too much like each other for that.
func (c *Catalogue) nearest(name string) string {
	const short = 6
	if len(name) < short {
		return ""
	}
	names := make([]*field, len(c.definitions))
	for i := range c.definitions {
		names[i] = &field{name: c.definitions[i].Name}
	}
	return nearest(name, names)
}
