package importer

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
)

// Import reads a description. An error is an *[Error] with line, column and
// reason; nothing partial is returned with it.
func Import(ctx context.Context, data []byte, o Options) (*Result, error) {
	if o.MaxBytes <= 0 {
		o.MaxBytes = DefaultMaxBytes
	}
	if o.MaxDepth <= 0 {
		o.MaxDepth = DefaultMaxDepth
	}
	if read := otherFormat(o.Format); read != nil {
		r, err := read(ctx, data, o)
		if err != nil {
			return nil, err
		}
		if len(r.Operations) > maxOperations {
			return nil, &Error{Reason: fmt.Sprintf("the description has more than %d operations", maxOperations), Advice: "Split the API."}
		}
		return r, nil
	}
	t, err := read(ctx, data, o)
	if err != nil {
		return nil, err
	}
	kind, version, err := identify(t, o.Format)
	if err != nil {
		return nil, err
	}
	m := newMapper(ctx, t, kind, version, o)
	if err := m.document(); err != nil {
		return nil, err
	}
	return m.result, nil
}

// maxOperations bounds the operations of one description.
const maxOperations = 20_000

// otherFormat finds what reads a format that is neither OpenAPI nor Swagger.
func otherFormat(f Format) func(context.Context, []byte, Options) (*Result, *Error) {
	switch f {
	case FormatWSDL:
		return importWSDL
	case FormatWADL:
		return importWADL
	case FormatOData:
		return importOData
	case FormatGraphQL:
		return importGraphQL
	case FormatGRPC:
		return importProto
	}
	return nil
}

// The result may be this many times as large as the document, and never is
// refused below the second number of bytes. References let a small document
// describe a huge result; honest ones stay below three times.
const (
	maxGrowth  = 32
	freeGrowth = 16 << 20
)

// What parts of the result count for.
const (
	operationBytes = 400
	partBytes      = 200 // a parameter, response, representation or example
	elementBytes   = 16  // what is in a list
)

// mapper turns one document into a result. Swagger 2.0 and OpenAPI 3.x differ
// in where bodies, types and servers stand; those places ask m.swagger.
type mapper struct {
	ctx     context.Context
	tree    *tree
	options Options
	swagger bool
	refs    references
	types   types
	result  *Result

	ids      unique
	tags     map[string]bool
	seen     map[string]*member // by method and template without names
	done     int
	total    int
	budget   int // bytes that the result may still have
	warnings warnings
}

func newMapper(ctx context.Context, t *tree, kind Format, version string, o Options) *mapper {
	m := &mapper{
		ctx: ctx, tree: t, options: o,
		swagger:  kind == FormatSwaggerJSON,
		ids:      unique{},
		budget:   freeGrowth + maxGrowth*len(t.data),
		tags:     map[string]bool{},
		seen:     map[string]*member{},
		warnings: warnings{tree: t, index: map[string]int{}},
		result:   &Result{Kind: kind, Syntax: t.syntax, SpecVersion: version, Original: t.data},
	}
	m.refs = references{tree: t, anchors: versionIn(version, "3.1"), targets: map[string]*node{}}
	schemaID := o.SchemaID
	if schemaID == "" {
		digest := sha256.Sum256(t.data)
		schemaID = hex.EncodeToString(digest[:12])
	}
	m.types = newTypes(t.root, m.swagger, schemaID)
	return m
}

// document maps everything, in the order in which a reader would look for
// mistakes: head, paths, references anywhere.
func (m *mapper) document() *Error {
	root := m.tree.root
	if err := m.info(root.get("info")); err != nil {
		return err
	}
	m.servers()
	m.declaredTags(root.get("tags"))
	paths := root.get("paths")
	if paths == nil && m.refs.anchors && (root.get("components") != nil || root.get("webhooks") != nil) {
		paths = newObject() // OpenAPI 3.1
	}
	if paths == nil || paths.kind != kindObject {
		return m.tree.fail(orPlace(paths, root), `the document has no object "paths"`, `Add the paths of the API under "paths".`)
	}
	if err := m.bundle(); err != nil {
		return err
	}
	if err := m.refs.check(root); err != nil {
		return err
	}
	extra := root.get("x-ms-paths")
	m.total = m.countOperations(paths) + m.countOperations(extra)
	if m.total > maxOperations {
		return m.tree.fail(paths.place, fmt.Sprintf("the description has more than %d operations", maxOperations), "Split the API.")
	}
	for _, group := range []*node{paths, extra} {
		for i := range group.object() {
			if err := m.pathItem(&group.members[i]); err != nil {
				return err
			}
		}
	}
	if hooks := root.get("webhooks"); len(hooks.object()) > 0 {
		m.warnings.add(hooks.place, "webhooks are not imported")
	}
	schema, err := m.types.schema(m.budget)
	if err != nil {
		return err
	}
	if schema != nil {
		m.result.Schemas = []Schema{*schema}
	}
	m.result.Warnings = m.warnings.list()
	return nil
}

// orPlace is the place of n, or that of the object where n is missing.
func orPlace(n, parent *node) place {
	if n != nil {
		return n.place
	}
	return parent.place
}

// spend notes that the result grows by about that many bytes.
func (m *mapper) spend(bytes int) *Error {
	if m.budget -= bytes; m.budget < 0 {
		return tooMuch()
	}
	return nil
}

func tooMuch() *Error {
	return &Error{Line: 1, Column: 1, Reason: "the references of the document expand to too much", Advice: "Refer to large parts less often, or split the API."}
}

func (m *mapper) info(info *node) *Error {
	if info == nil || info.kind != kindObject {
		return m.tree.fail(orPlace(info, m.tree.root), `the document has no object "info"`, `Add "info" with the title and the version of the API.`)
	}
	r := m.result
	if r.Title = strings.TrimSpace(info.get("title").str()); r.Title == "" {
		return m.tree.fail(orPlace(info.get("title"), info), "the API has no title", `Add "title" to "info".`)
	}
	r.Description = info.get("description").str()
	r.Version = info.get("version").str()
	r.TermsOfService = info.get("termsOfService").str()
	if c := info.get("contact"); c != nil {
		r.Contact = &Contact{c.get("name").str(), c.get("url").str(), c.get("email").str()}
	}
	if l := info.get("license"); l != nil {
		r.License = &License{l.get("name").str(), l.get("url").str()}
	}
	return nil
}

func (m *mapper) declaredTags(list *node) {
	for _, tag := range list.array() {
		docs := tag.get("externalDocs")
		m.tag(Tag{tag.get("name").str(), tag.get("description").str(), docs.get("url").str(), docs.get("description").str()})
	}
}

// tag notes a tag once.
func (m *mapper) tag(tag Tag) {
	if tag.Name != "" && !m.tags[tag.Name] {
		m.tags[tag.Name] = true
		m.result.Tags = append(m.result.Tags, tag)
	}
}

// isMethod reports whether a member of a path item is an operation.
func isMethod(name string) bool {
	switch name {
	case "get", "put", "post", "delete", "options", "head", "patch", "trace":
		return true
	}
	return false
}

// countOperations counts what pathItem will map; it is only for the progress,
// so that references which lead nowhere wait for their error.
func (m *mapper) countOperations(paths *node) int {
	n := 0
	for _, path := range paths.object() {
		if strings.HasPrefix(path.name, "x-") {
			continue
		}
		item, _ := m.refs.resolve(path.node)
		for _, verb := range item.object() {
			if isMethod(verb.name) {
				n++
			}
		}
	}
	return n
}

// pathItem maps the operations of one path.
func (m *mapper) pathItem(path *member) *Error {
	if strings.HasPrefix(path.name, "x-") {
		return nil
	}
	if !strings.HasPrefix(path.name, "/") {
		return m.tree.fail(path.place, fmt.Sprintf("the path %q does not start with a slash", clip(path.name)), "Put one in front of it.")
	}
	if len(path.name) > maxTemplate {
		return m.tree.fail(path.place, fmt.Sprintf("the path %q has more than %d characters", clip(path.name), maxTemplate), "Shorten it.")
	}
	names, problem := templateNames(path.name)
	if problem != "" {
		return m.tree.fail(path.place, fmt.Sprintf("the path %q %s", clip(path.name), problem), `Write each parameter once, as "{name}".`)
	}
	item, err := m.refs.resolve(path.node)
	if err != nil {
		return err
	}
	if item.kind != kindObject {
		return m.tree.fail(item.place, fmt.Sprintf("the path %q is %s, not an object", clip(path.name), item.kind), "Put its operations there.")
	}
	if servers := item.get("servers"); servers != nil {
		m.warnings.add(servers.place, "servers of a path are not imported: an API has one service URL")
	}
	for i := range item.members {
		if isMethod(item.members[i].name) {
			if err := m.operation(path, names, item, &item.members[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

// operation maps one operation of a path.
func (m *mapper) operation(path *member, names []string, item *node, verb *member) *Error {
	if m.ctx.Err() != nil {
		return &Error{Reason: "the import was stopped", Err: m.ctx.Err()}
	}
	op := verb.node
	method := strings.ToUpper(verb.name)
	if op.kind != kindObject {
		return m.tree.fail(op.place, fmt.Sprintf("%s %s is %s, not an object", method, clip(path.name), op.kind), "Describe the operation there.")
	}
	if err := m.spend(operationBytes); err != nil {
		return err
	}
	if err := m.noTwin(method, path, verb); err != nil {
		return err
	}
	operationID := op.get("operationId").str()
	out := Operation{
		DisplayName: displayName(op.get("summary").str(), operationID, method, path.name),
		Description: op.get("description").str(),
		Method:      method,
		URLTemplate: path.name,
		Deprecated:  op.get("deprecated").is(),
	}
	out.ID = normalID(operationID)
	if out.ID == "" {
		out.ID = normalID(method + path.name)
	}
	out.ID = m.ids.name(out.ID)
	for _, tag := range op.get("tags").array() {
		if err := m.spend(elementBytes); err != nil {
			return err
		}
		if name := tag.str(); name != "" {
			out.Tags = append(out.Tags, name)
			m.tag(Tag{Name: name})
		}
	}
	x := exchange{mapper: m, operation: &out, node: op, names: names, path: path}
	if err := x.fill(item); err != nil {
		return err
	}
	for _, name := range []string{"servers", "callbacks"} {
		if n := op.get(name); n != nil {
			m.warnings.add(n.place, "%s of an operation are not imported", name)
		}
	}
	m.result.Operations = append(m.result.Operations, out)
	m.done++
	if m.options.Progress != nil {
		m.options.Progress(m.done, m.total)
	}
	return nil
}

// noTwin refuses an operation that requests could not tell from another one.
func (m *mapper) noTwin(method string, path, verb *member) *Error {
	key := method + " " + templateKey(path.name)
	if other := m.seen[key]; other != nil {
		line, _ := m.tree.position(other.place)
		return m.tree.fail(verb.place,
			fmt.Sprintf("%s %s matches the same requests as %s %s in line %d", method, clip(path.name), method, clip(other.name), line),
			"Keep one of them, or let the paths differ in more than the names of parameters.")
	}
	m.seen[key] = &member{name: path.name, place: verb.place}
	return nil
}
