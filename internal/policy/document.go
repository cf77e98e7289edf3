package policy

import (
	"fmt"
	"slices"
	"strings"
)

// DefaultServicePolicy is what a service without a policy document of its own runs.
const DefaultServicePolicy = `<policies>
	<inbound />
	<backend>
		<forward-request />
	</backend>
	<outbound />
	<on-error />
</policies>
`

// The kinds of documents, after their root elements.
const (
	KindPolicies = "policies"
	KindFragment = "fragment"
	KindResolver = "resolver"
)

// CodeInternal is the code of a diagnostic that means a bug of ours.
const CodeInternal = "InternalError"

// Diagnostic is one finding in a document.
type Diagnostic struct {
	Line    int    `json:"line"`   // 1-based
	Column  int    `json:"column"` // 1-based, in characters
	Code    string `json:"code"`   // such as UnknownAttribute, or the C# compiler's, such as CS0103
	Message string `json:"message"`
}

// String is "line:column: message (code)".
func (d Diagnostic) String() string {
	return fmt.Sprintf("%d:%d: %s (%s)", d.Line, d.Column, d.Message, d.Code)
}

// Report is what was found in a document.
type Report struct {
	// Kind is KindPolicies, KindFragment or KindResolver, after the root element; empty for another root.
	Kind     string       `json:"kind"`
	Errors   []Diagnostic `json:"errors"`
	Warnings []Diagnostic `json:"warnings"`
	// Statements are what is known of each statement; see Options.Explain.
	Statements []*Statement `json:"statements,omitempty"`
	// References are the names that the document refers to, also when it has errors.
	References References `json:"-"`
}

// OK says whether there are no errors.
func (r *Report) OK() bool { return len(r.Errors) == 0 }

// Err is the first error, or nil.
func (r *Report) Err() error {
	if r.OK() {
		return nil
	}
	return fmt.Errorf("policy document: %s", r.Errors[0])
}

// Options are the surroundings of a document.
type Options struct {
	// Kind restricts what the document may be: KindPolicies, KindFragment or KindResolver; "" takes what the root element says.
	Kind string
	// Scope is where the document stands; 0 means that every policy is accepted.
	Scope Scope
	// Handshake is set for a document of the operation of a WebSocket API; see [Spec.NoHandshake].
	Handshake bool
	// Format is "xml", "rawxml", or "" to find out.
	Format string
	// Strict makes C# members outside the published allow-list errors.
	Strict bool
	// Lookup is the service's configuration. nil: unknown names are warnings.
	Lookup Lookup
	// Explain adds what is known of each statement to the report.
	Explain bool
}

// Lookup is what a document may refer to by name. Names compare without regard to case.
type Lookup interface {
	// NamedValue is a named value, and whether it is a secret.
	NamedValue(name string) (value string, secret, ok bool)
	Fragment(name string) (text, format string, ok bool)
	HasBackend(name string) bool
	HasCertificate(idOrThumbprint string) bool
}

// References are the names that a document refers to, in lower case, sorted, without duplicates. Names that come from an expression at run
// time are not among them.
type References struct {
	NamedValues, Fragments, Backends, Certificates []string
}

// Document is a compiled policy document. It is immutable.
type Document struct {
	scope      Scope
	sections   [sectionCount]section
	resolver   Block    // the data source of a resolver
	events     []string // see Events
	references References
}

// References are the names that the document, its fragments included, refers to: a change of one of them calls for compiling it again.
func (d *Document) References() References { return d.references }

// section is a compiled section: what stands before and after <base />. Without <base /> everything stands before.
type section struct {
	before, after Block
	base          bool
	use           BodyUse
}

// Compile compiles a policy document. With errors in the report, or when the text is a fragment, the document is nil. That of a resolver runs by
// [Document.Resolve] and has no place in a pipeline.
func (c *Catalogue) Compile(text string, o Options) (*Document, Report) {
	k := &compilation{catalogue: c, options: o, src: source(text)}
	k.report.Errors, k.report.Warnings = []Diagnostic{}, []Diagnostic{} // empty lists, not null, in JSON
	if o.Explain {
		k.explaining = &explaining{}
	}
	d := k.document()
	if o.Explain {
		k.report.Statements = k.explaining.statements
		followSecrets(k.report.Statements)
	}
	k.report.References = k.references.sorted()
	if d == nil || !k.report.OK() {
		return nil, k.report
	}
	d.references = k.report.References
	return d, k.report
}

// Check compiles a document of any kind for its report only.
func (c *Catalogue) Check(text string, o Options) Report {
	_, report := c.Compile(text, o)
	return report
}

// compilation is the work on one document, or on one fragment inside of it.
type compilation struct {
	catalogue  *Catalogue
	options    Options
	src        source
	report     Report
	references references
	use        BodyUse
	events     []string // fields of the subscription type
	failures   int      // how many errors there were, also those beyond the report
	origin     *origin
	own        BodyUse     // of the statement that is being compiled, without those in it
	explaining *explaining // nil when nobody asks
	root       *node
	// Of the value that is being assigned: its text before named values took their places, and whether a secret is among them.
	written string
	secret  bool
	// outer is the compilation that includes this fragment; nil for a document of its own.
	outer *compilation
}

// references collects names.
type references struct{ namedValues, fragments, backends, certificates map[string]bool }

func note(set *map[string]bool, name string) {
	if *set == nil {
		*set = make(map[string]bool)
	}
	(*set)[strings.ToLower(name)] = true
}

func (r *references) add(other *references) {
	for _, pair := range [...][2]*map[string]bool{
		{&r.namedValues, &other.namedValues}, {&r.fragments, &other.fragments},
		{&r.backends, &other.backends}, {&r.certificates, &other.certificates},
	} {
		for name := range *pair[1] {
			note(pair[0], name)
		}
	}
}

func (r *references) sorted() References {
	list := func(set map[string]bool) []string {
		var names []string
		for name := range set {
			names = append(names, name)
		}
		slices.Sort(names)
		return names
	}
	return References{list(r.namedValues), list(r.fragments), list(r.backends), list(r.certificates)}
}

// maxDiagnostics is how many errors, and how many warnings, a report holds: nobody reads more.
const maxDiagnostics = 100

func (k *compilation) errorAt(pos int, code, format string, args ...any) {
	k.failures++
	if len(k.report.Errors) < maxDiagnostics {
		k.report.Errors = append(k.report.Errors, k.diagnostic(pos, code, format, args))
	}
}

func (k *compilation) warnAt(pos int, code, format string, args ...any) {
	if len(k.report.Warnings) < maxDiagnostics {
		k.report.Warnings = append(k.report.Warnings, k.diagnostic(pos, code, format, args))
	}
}

func (k *compilation) diagnostic(pos int, code, format string, args []any) Diagnostic {
	line, column := k.src.position(pos)
	return Diagnostic{line, column, code, fmt.Sprintf(format, args...)}
}

// unknownAt reports a name that the configuration does not have: an error where the configuration is known.
func (k *compilation) unknownAt(pos int, code, format string, args ...any) {
	if k.options.Lookup != nil {
		k.errorAt(pos, code, format, args...)
		return
	}
	k.warnAt(pos, code, format, args...)
}

// document compiles a whole document of any kind.
func (k *compilation) document() *Document {
	root := k.parse()
	if root == nil {
		return nil
	}
	k.root = root
	switch root.name {
	case "policies":
		k.report.Kind = KindPolicies
	case "fragment":
		k.report.Kind = KindFragment
	case "http-data-source", "sql-data-source", "cosmosdb-data-source":
		k.report.Kind = KindResolver
	}
	if k.report.Kind == "" || k.options.Kind != "" && k.options.Kind != k.report.Kind {
		k.errorAt(root.pos, "UnexpectedRoot", "the root element <%s> is not <%s>", root.name, rootOf(k.options.Kind))
		return nil
	}
	switch k.report.Kind {
	case KindPolicies:
		return k.policies(root)
	case KindFragment:
		k.fragment(root, AnySection)
	case KindResolver:
		return k.resolver(root)
	}
	return nil
}

// rootOf names the root element that a kind of document has, for messages.
func rootOf(kind string) string {
	if kind == KindResolver {
		return "http-data-source>, <sql-data-source> or <cosmosdb-data-source"
	}
	return or(kind, KindPolicies)
}

func or(s, fallback string) string {
	if s == "" {
		return fallback
	}
	return s
}

// parse reads the XML and reports what is wrong with it.
func (k *compilation) parse() *node {
	root, err := parseXML(string(k.src), k.options.Format, func(name string) bool { return k.catalogue.opaque[name] })
	if err == nil {
		return root
	}
	pos := 0
	if syntax, ok := err.(*syntaxError); ok {
		pos = syntax.pos
	}
	k.errorAt(pos, "MalformedXml", "%s", err)
	return nil
}

// policies compiles the sections.
func (k *compilation) policies(root *node) *Document {
	d := &Document{scope: k.options.Scope}
	k.plain(root)
	var seen Section
	for _, n := range root.children {
		s := sectionNamed(n.name)
		switch {
		case s == 0:
			k.errorAt(n.pos, "UnknownSection", "<%s> is not a section: inbound, backend, outbound and on-error are", n.name)
			continue
		case seen&s != 0:
			k.errorAt(n.pos, "DuplicateSection", "section <%s> stands twice", n.name)
			continue
		}
		seen |= s
		k.plain(n)
		d.sections[s.index()] = k.section(n, s)
	}
	for i, name := range sectionNames {
		if seen&(1<<i) == 0 && k.options.Scope&^ScopeService != 0 {
			k.warnAt(root.pos, "MissingSection", "section <%s> is missing, so nothing is inherited for it; write <%s><base /></%s>", name, name, name)
		}
	}
	return d
}

// plain checks that an element has neither attributes nor text.
func (k *compilation) plain(n *node) {
	for _, a := range n.attrs {
		if a.name != "xmlns" && !strings.HasPrefix(a.name, "xmlns:") {
			k.errorAt(a.pos, "UnknownAttribute", "<%s> has no attribute %q", n.name, a.name)
		}
	}
	if t := n.text.trim(); t.s != "" {
		k.errorAt(t.source(0), "UnexpectedText", "<%s> has no text of its own", n.name)
	}
}

// section compiles a section with its <base />.
func (k *compilation) section(n *node, s Section) section {
	var out section
	k.use = 0
	c := Compiler{k: k, node: n, section: s, scope: k.options.Scope}
	at := -1
	var children []*node
	for _, child := range n.children {
		if child.name != "base" {
			children = append(children, child)
			continue
		}
		if at >= 0 {
			k.errorAt(child.pos, "DuplicateBase", "<base /> stands twice in <%s>", n.name)
		}
		k.plain(child)
		at = len(children)
	}
	block := c.steps(children, nil)
	if at < 0 || len(block.steps) != len(children) { // the latter has errors anyway
		at = len(block.steps)
	} else {
		out.base = true
	}
	out.before, out.after = Block{block.steps[:at:at]}, Block{block.steps[at:]}
	out.use = k.use
	return out
}

// fragment compiles the steps of a fragment.
func (k *compilation) fragment(root *node, s Section) Block {
	k.plain(root)
	c := Compiler{k: k, node: root, section: s, scope: k.options.Scope}
	return c.steps(root.children, nil)
}

// originOf is the text that is being compiled.
func (k *compilation) originOf() *origin {
	if k.origin == nil {
		k.origin = &origin{src: k.src}
	}
	return k.origin
}
