package importer

import (
	"fmt"
	"net/url"
	"path"
	"regexp"
	"strconv"
	"strings"
)

// bundler brings what references of an OpenAPI or Swagger description name in
// other documents into its tree: types become named types of the description,
// everything else takes the place of the reference. The bytes that were read
// stay as they are.
type bundler struct {
	*documents
	root    *tree
	trees   map[string]*tree  // by URL without fragment
	section *node             // the named types of the description
	types   []member          // those that were brought in
	prefix  string            // how references to them start
	taken   map[string]bool   // names of types
	names   map[string]string // of types that were brought in, by URL with fragment
	done    map[*node]bool    // objects and references that are as they are to be
	open    map[*node]bool    // what is being brought in
	queue   []waitingType
}

// waitingType is a type whose own references are still to be followed.
type waitingType struct {
	node *node
	at   string // URL of its document
}

const (
	// maxNesting is how many documents' parts may be brought into each other.
	maxNesting = 100
	// maxNodes is how large a description may become by that.
	maxNodes = 8 << 20
)

// bundle does nothing for a description that stands alone.
func (m *mapper) bundle() *Error {
	if m.options.Fetch == nil || !leadsOut(m.tree.root, false) {
		return nil
	}
	b := &bundler{
		documents: newDocuments(m.ctx, m.options, len(m.tree.data)), root: m.tree, trees: map[string]*tree{m.options.SourceURL: m.tree},
		prefix: m.types.section, taken: map[string]bool{}, names: map[string]string{}, done: map[*node]bool{}, open: map[*node]bool{},
	}
	b.section = m.tree.root
	for _, name := range strings.Split(strings.Trim(b.prefix, "#/"), "/") {
		b.section = b.section.child(name)
	}
	for _, t := range b.section.members {
		b.taken[t.name] = true
	}
	if err := b.walk(m.tree.root, m.options.SourceURL, false, false); err != nil {
		return err
	}
	for len(b.queue) > 0 { // no recursion: types refer to each other in long chains
		next := b.queue[0]
		b.queue = b.queue[1:]
		if err := b.walk(next.node, next.at, true, false); err != nil {
			return err
		}
	}
	b.section.members = append(b.section.members, b.types...)
	if _, ok := expanded(m.tree.root, map[*node]int{}); !ok {
		return tooMuch()
	}
	b.section.index = nil
	b.section.buildIndex()
	m.types = newTypes(m.tree.root, m.swagger, m.types.schemaID)
	return nil
}

// child returns the object of that name in n, and makes one when there is none.
func (n *node) child(name string) *node {
	if c := n.get(name); c != nil && c.kind == kindObject {
		return c
	}
	c := &node{kind: kindObject, place: n.place}
	n.members = append(n.members, member{name: name, place: n.place, node: c})
	n.index = nil
	n.buildIndex()
	return c
}

// leadsOut reports whether there is a reference to another document in n. names
// says that the names of n's members are anybody's choice.
func leadsOut(n *node, names bool) bool {
	if ref := refOf(n); ref != nil && !strings.HasPrefix(ref.text, "#") {
		return true
	}
	for _, item := range n.array() {
		if leadsOut(item, false) {
			return true
		}
	}
	for _, m := range n.object() {
		if (names || !isSample(m.name)) && leadsOut(m.node, !names && holdsNames(m.name)) {
			return true
		}
		for _, e := range namedExamples(&m, names) {
			if leadsOut(e, false) {
				return true
			}
		}
	}
	return false
}

// namedExamples are the references among the examples that a member of an object holds by name.
func namedExamples(m *member, names bool) (refs []*node) {
	if names || m.name != "examples" {
		return nil
	}
	for _, e := range m.node.object() {
		if refOf(e.node) != nil {
			refs = append(refs, e.node)
		}
	}
	return refs
}

// holdsNames reports whether the members of the object under this name are
// called as the author likes.
func holdsNames(name string) bool {
	switch name {
	case "paths", "properties", "patternProperties", "definitions", "$defs", "schemas", "responses", "parameters", "requestBodies", "headers",
		"content", "callbacks", "links", "pathItems", "x-ms-paths":
		return true
	}
	return false
}

// walk brings in what n refers to. at is the URL of the document that n is
// from; schema says that n is a type or in one.
func (b *bundler) walk(n *node, at string, schema, names bool) *Error {
	if n == nil || n.kind < kindArray || b.done[n] {
		return nil
	}
	b.done[n] = true
	if ref := refOf(n); ref != nil && !names {
		if err := b.follow(n, ref, at, schema); err != nil || !schema {
			return err
		} // OpenAPI 3.1 allows types to have members beside the reference
	}
	for _, item := range n.items {
		if err := b.walk(item, at, schema, false); err != nil {
			return err
		}
	}
	for i := range n.members {
		m := &n.members[i]
		if !names && isSample(m.name) {
			for _, e := range namedExamples(m, schema) {
				if err := b.walk(e, at, false, false); err != nil {
					return err
				}
			}
			continue
		}
		inSchema := schema || !names && (m.name == "schema" || m.name == "schemas" || m.name == "definitions")
		if err := b.walk(m.node, at, inSchema, !names && holdsNames(m.name)); err != nil {
			return err
		}
	}
	return nil
}

// follow replaces a reference, or leads it to a named type.
func (b *bundler) follow(n, ref *node, at string, schema bool) *Error {
	link, fragment, err := b.address(ref, at)
	if err != nil {
		return err
	}
	if b.trees[link] == b.root {
		ref.text = "#" + fragment
		return nil
	}
	key := link + "#" + fragment
	if name, known := b.names[key]; known && schema {
		ref.text = b.prefix + escapePointer(name)
		return nil
	}
	t, err := b.load(ref, link)
	if err != nil {
		return err
	}
	target := (&references{tree: t}).find(fragment)
	if target == nil {
		return b.root.fail(ref.place, b.from(at)+fmt.Sprintf("the reference %q leads nowhere", clip(ref.text)), "Correct it, or add what it names.")
	}
	if schema {
		name := b.name(link, fragment)
		b.names[key] = name
		ref.text = b.prefix + escapePointer(name)
		b.types = append(b.types, member{name: name, place: ref.place, node: target})
		b.queue = append(b.queue, waitingType{target, link})
		return nil
	}
	if b.open[target] || len(b.open) >= maxNesting {
		return b.root.fail(ref.place, fmt.Sprintf("the reference %q leads back to itself", clip(ref.text)), "Let it end at a definition.")
	}
	b.open[target] = true
	if err := b.walk(target, link, false, false); err != nil {
		return err
	}
	delete(b.open, target)
	*n = *target
	return nil
}

// from begins a message about a document that is not the description itself.
func (b *bundler) from(at string) string {
	if b.trees[at] == b.root {
		return ""
	}
	return "in " + clip(at) + ": "
}

// expanded counts the nodes of a tree whose parts may be shared, every use by itself. It gives up on trees that are too large or contain
// themselves; sizes has those that are known, 0 while they are being counted.
func expanded(n *node, sizes map[*node]int) (size int, ok bool) {
	if n.kind < kindArray {
		return 1, true
	}
	if size, known := sizes[n]; known {
		return size, size > 0
	}
	sizes[n], size = 0, 1
	count := func(child *node) bool {
		more, ok := expanded(child, sizes)
		size += more
		return ok && size <= maxNodes
	}
	for _, item := range n.items {
		if !count(item) {
			return 0, false
		}
	}
	for i := range n.members {
		if !count(n.members[i].node) {
			return 0, false
		}
	}
	sizes[n] = size
	return size, true
}

// address splits a reference into the URL of a document and a fragment.
func (b *bundler) address(ref *node, at string) (link, fragment string, _ *Error) {
	text, fragment, _ := strings.Cut(ref.text, "#")
	if text == "" {
		return at, fragment, nil
	}
	u, err := url.Parse(text)
	if err == nil && !u.IsAbs() {
		var base *url.URL
		if base, err = url.Parse(at); err == nil {
			u = base.ResolveReference(u)
		}
	}
	if err != nil || !u.IsAbs() {
		return "", "", b.root.fail(ref.place, b.from(at)+fmt.Sprintf("the reference %q leads out of the document", clip(ref.text)), "Bundle the files into one document first, or import by link.")
	}
	return u.String(), fragment, nil
}

// load reads a document once. Its nodes get the place of the reference, where
// mistakes in it are shown.
func (b *bundler) load(ref *node, link string) (*tree, *Error) {
	if t := b.trees[link]; t != nil {
		return t, nil
	}
	fail := func(format string, args ...any) *Error {
		return b.root.fail(ref.place, fmt.Sprintf(format, args...), "Correct the reference, or bundle the files into one document.")
	}
	if len(b.trees) >= maxDocuments {
		return nil, fail("the description has more than %d documents", maxDocuments)
	}
	data, cause := b.options.Fetch(b.ctx, link)
	if cause != nil {
		e := fail("%q cannot be read: %v", clip(link), cause)
		e.Err = cause
		return nil, e
	}
	if b.bytes += int64(len(data)); b.bytes > b.options.MaxBytes {
		return nil, tooLarge(int(b.bytes), b.options.MaxBytes)
	}
	o := b.options
	o.Format = FormatAuto
	t, err := read(b.ctx, data, o)
	if err != nil {
		return nil, fail("in %s, line %d, column %d: %s", clip(link), err.Line, err.Column, err.Reason)
	}
	moveTo(t.root, ref.place)
	b.trees[link] = t
	return t, nil
}

// moveTo gives a whole tree one place.
func moveTo(n *node, p place) {
	n.place = p
	for _, item := range n.items {
		moveTo(item, p)
	}
	for i := range n.members {
		n.members[i].place = p
		moveTo(n.members[i].node, p)
	}
}

// name finds a name for a type: the last word of the reference, or that of the
// file.
func (b *bundler) name(link, fragment string) string {
	word := pointerToken(fragment[strings.LastIndexByte(fragment, '/')+1:])
	if word == "" {
		if u, err := url.Parse(link); err == nil {
			word = strings.TrimSuffix(path.Base(u.Path), path.Ext(u.Path))
		}
	}
	if word = regexp.MustCompile(`[^A-Za-z0-9._-]+`).ReplaceAllString(word, "_"); word == "" {
		word = "type"
	}
	name := word
	for i := 2; b.taken[name]; i++ {
		name = word + strconv.Itoa(i)
	}
	b.taken[name] = true
	return name
}

// escapePointer is a name as a step of a JSON pointer.
func escapePointer(name string) string {
	return strings.ReplaceAll(strings.ReplaceAll(name, "~", "~0"), "/", "~1")
}
