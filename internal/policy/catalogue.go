package policy

// Catalogue is the list of policies and compiles documents with them. It is immutable and safe for concurrent use.
type Catalogue struct {
	definitions []Definition
	byName      map[string]*Definition
}

// NewCatalogue makes a catalogue. Wrong declarations are an error that names them all.
func NewCatalogue(definitions ...Definition) (*Catalogue, error) {
	c := &Catalogue{definitions: definitions, byName: make(map[string]*Definition, len(definitions))}
	for i := range definitions {
		c.byName[definitions[i].Name] = &definitions[i]
	}
	return c, nil
}

// Definitions are the policies in the order of the list.
func (c *Catalogue) Definitions() []Definition { return c.definitions }

// Diagnostic is one finding in a document.
type Diagnostic struct {
	Line    int    `json:"line"`   // 1-based
	Column  int    `json:"column"` // 1-based, in characters
	Code    string `json:"code"`   // such as UnknownAttribute, or the C# compiler's, such as CS0103
	Message string `json:"message"`
}

// Report is what was found in a document.
type Report struct {
	// Kind is "policies", "fragment" or "resolver", after the root element.
	Kind     string       `json:"kind"`
	Errors   []Diagnostic `json:"errors"`
	Warnings []Diagnostic `json:"warnings"`
}

// OK says whether there are no errors.
func (r *Report) OK() bool { return len(r.Errors) == 0 }

// Options are the surroundings of a document.
type Options struct {
	// Kind restricts what the document may be: "policies" or "fragment"; "" takes what the root element says.
	Kind string
	// Scope is where the document stands; 0 means that every policy is accepted.
	Scope Scope
	// Format is "xml", "rawxml", or "" to find out.
	Format string
	// Strict makes C# members outside the published allow-list errors.
	Strict bool
	// Lookup is the service's configuration. nil: unknown names are warnings.
	Lookup Lookup
}

// Lookup is what a document may refer to by name. Names compare without regard to case.
type Lookup interface {
	NamedValue(name string) (value string, ok bool)
	Fragment(name string) (text, format string, ok bool)
	HasBackend(name string) bool
	HasCertificate(idOrThumbprint string) bool
}

// References are the names that a document refers to, in lower case, sorted, without duplicates. Names that come from an expression at run
// time are not among them.
type References struct {
	NamedValues, Fragments, Backends, Certificates []string
}

// Document is a compiled policy document, or the fragment that it is. It is immutable.
type Document struct {
	scope      Scope
	sections   [sectionCount]section
	references References
}

// References are the names that the document, its fragments included, refers to.
func (d *Document) References() References { return d.references }

// section is a compiled section: what stands before and after <base />.
type section struct {
	before, after *Block
	base          bool
}

// Compile compiles a policy document. With errors in the report the document is nil.
func (c *Catalogue) Compile(text string, o Options) (*Document, Report) {
	return nil, Report{}
}

// Check compiles a document or a fragment of any kind for its report only.
func (c *Catalogue) Check(text string, o Options) Report {
	_, report := c.Compile(text, o)
	return report
}
