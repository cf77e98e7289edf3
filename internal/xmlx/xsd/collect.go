package xsd

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/causeway-apim/causeway/internal/xmlx"
)

// Space is the namespace of XML Schema.
const Space = "http://www.w3.org/2001/XMLSchema"

// Finder finds documents that a schema refers to.
type Finder interface {
	// Located is the document at a location as an include or import writes it.
	Located(location string) (text []byte, ok bool)
	// Defining are documents that may define a namespace, for imports that name no location.
	Defining(namespace string) [][]byte
}

// The bounds of a schema with all that it refers to.
const (
	maxDocuments = 100
	maxBytes     = 16 << 20
)

// ErrNoSchema says that a document holds no schema.
var ErrNoSchema = errors.New("the document holds no XML schema")

// collector gathers the schema documents that belong together and gives them file names.
type collector struct {
	finder Finder
	files  map[string][]byte
	// byText are the files of documents: schemas may refer to each other, and to one by several names.
	byText map[string][]string
	// byNamespace are the files of target namespaces.
	byNamespace map[string]string
	bytes       int
}

// add takes a document's schemas and returns their files.
func (k *collector) add(text []byte) ([]string, error) {
	if names, ok := k.byText[string(text)]; ok {
		return names, nil
	}
	k.bytes += len(text)
	if len(k.files) >= maxDocuments || k.bytes > maxBytes {
		return nil, fmt.Errorf("the schema refers to more than %d documents or %d bytes", maxDocuments, maxBytes)
	}
	d, err := xmlx.Parse(text)
	if err != nil {
		return nil, err
	}
	roots := schemasIn(d.Root, nil)
	if len(roots) == 0 {
		return nil, ErrNoSchema
	}
	names := make([]string, len(roots))
	for i, n := range roots {
		names[i] = "s" + strconv.Itoa(len(k.files)) + ".xsd"
		k.files[names[i]] = nil
		target, _ := n.Attr("", "targetNamespace")
		if _, ok := k.byNamespace[target]; !ok {
			k.byNamespace[target] = names[i]
		}
	}
	k.byText[string(text)] = names
	for _, n := range roots {
		if err := k.prepare(n); err != nil {
			return nil, err
		}
	}
	mergeNamespaces(roots, names)
	for i, n := range roots {
		k.files[names[i]] = n.Append(nil)
	}
	return names, nil
}

// mergeNamespaces lets the first of several schemas of one namespace include the others.
func mergeNamespaces(roots []*xmlx.Node, names []string) {
	first := make(map[string]*xmlx.Node)
	for i, n := range roots {
		target, _ := n.Attr("", "targetNamespace")
		if first[target] == nil {
			first[target] = n
			continue
		}
		first[target].Children = append([]*xmlx.Node{reference("include", names[i], "")}, first[target].Children...)
	}
}

// reference is an include or an import.
func reference(local, file, namespace string) *xmlx.Node {
	const prefix = "causeway"
	n := &xmlx.Node{Name: xmlx.Name{Prefix: prefix, Local: local, Space: Space}, Attrs: []xmlx.Attr{
		{Name: xmlx.Name{Prefix: "xmlns", Local: prefix, Space: xmlx.XMLNS}, Value: Space},
	}}
	setAttr(n, "schemaLocation", file)
	setAttr(n, "namespace", namespace)
	return n
}

// entry is the file that leads to all files of a document: the only one, or one of our own that imports the first of every namespace.
func (k *collector) entry(names []string) string {
	if len(names) == 1 {
		return names[0]
	}
	root := &xmlx.Node{Name: xmlx.Name{Prefix: "xs", Local: "schema", Space: Space}, Attrs: []xmlx.Attr{
		{Name: xmlx.Name{Prefix: "xmlns", Local: "xs", Space: xmlx.XMLNS}, Value: Space},
	}}
	setAttr(root, "targetNamespace", "urn:causeway:all")
	for _, namespace := range slices.Sorted(maps.Keys(k.byNamespace)) {
		if file := k.byNamespace[namespace]; slices.Contains(names, file) {
			root.Children = append(root.Children, reference("import", file, namespace))
		}
	}
	const file = "all.xsd"
	k.files[file] = root.Append(nil)
	return file
}

// schemasIn are the schemas in a document, each with the namespaces declared around it: the document's root, or, as in a WSDL description, elements
// further down.
func schemasIn(n *xmlx.Node, around []xmlx.Attr) []*xmlx.Node {
	if n.Name.Space == Space && n.Name.Local == "schema" {
		n.Attrs = withDeclarations(n.Attrs, around)
		return []*xmlx.Node{n}
	}
	around = withDeclarations(declarationsOf(n), around)
	var list []*xmlx.Node
	for _, c := range n.Elements() {
		list = append(list, schemasIn(c, around)...)
	}
	return list
}

func declarationsOf(n *xmlx.Node) (list []xmlx.Attr) {
	for _, a := range n.Attrs {
		if a.Name.Space == xmlx.XMLNS {
			list = append(list, a)
		}
	}
	return list
}

// withDeclarations adds the declarations that are not hidden.
func withDeclarations(attrs, around []xmlx.Attr) []xmlx.Attr {
	out := attrs[:len(attrs):len(attrs)]
	for _, a := range around {
		hidden := false
		for _, own := range attrs {
			hidden = hidden || own.Name.Space == xmlx.XMLNS && own.Name.Prefix == a.Name.Prefix && own.Name.Local == a.Name.Local
		}
		if !hidden {
			out = append(out, a)
		}
	}
	return out
}

// prepare leads the references of a schema to files and bounds its content models.
func (k *collector) prepare(schema *xmlx.Node) error {
	kept := schema.Children[:0]
	for _, n := range schema.Children {
		if n.Kind == xmlx.Element && n.Name.Space == Space {
			switch n.Name.Local {
			case "include":
				if err := k.include(n); err != nil {
					return err
				}
			case "import":
				if err := k.imported(n); err != nil {
					return err
				}
			case "redefine":
				return errors.New("xs:redefine is not supported")
			}
		}
		kept = append(kept, n)
	}
	schema.Children = kept
	return boundModels(schema)
}

func (k *collector) include(n *xmlx.Node) error {
	location, _ := n.Attr("", "schemaLocation")
	names, err := k.located(location)
	if err != nil {
		return err
	}
	if len(names) != 1 {
		return fmt.Errorf("the schema %q, which is included, is not there", location)
	}
	setAttr(n, "schemaLocation", names[0])
	return nil
}

// located are the files of what is found at a location; none when nothing is.
func (k *collector) located(location string) ([]string, error) {
	location = strings.TrimSpace(location)
	if location == "" || k.finder == nil {
		return nil, nil
	}
	text, ok := k.finder.Located(location)
	if !ok {
		return nil, nil
	}
	names, err := k.add(text)
	if err != nil {
		return nil, fmt.Errorf("the schema %q: %w", location, err)
	}
	return names, nil
}

// imported finds what an import means: what is at its location, or else who defines its namespace.
func (k *collector) imported(n *xmlx.Node) error {
	namespace, _ := n.Attr("", "namespace")
	location, _ := n.Attr("", "schemaLocation")
	names, err := k.located(location)
	if err != nil {
		return err
	}
	file := ""
	if len(names) > 0 {
		file = names[0]
	}
	if file == "" {
		if file, err = k.defining(namespace); err != nil {
			return err
		}
	}
	setAttr(n, "schemaLocation", file)
	return nil
}

func (k *collector) defining(namespace string) (string, error) {
	if file, ok := k.byNamespace[namespace]; ok || k.finder == nil {
		return file, nil
	}
	for _, text := range k.finder.Defining(namespace) {
		if _, err := k.add(text); err != nil && !errors.Is(err, ErrNoSchema) {
			return "", err
		}
		if file, ok := k.byNamespace[namespace]; ok {
			return file, nil
		}
	}
	return "", nil
}

// setAttr sets an attribute without namespace; an empty value removes it.
func setAttr(n *xmlx.Node, name, value string) {
	kept := n.Attrs[:0]
	for _, a := range n.Attrs {
		if a.Name.Space != "" || a.Name.Local != name {
			kept = append(kept, a)
		}
	}
	n.Attrs = kept
	if value != "" {
		n.Attrs = append(n.Attrs, xmlx.Attr{Name: xmlx.Name{Local: name}, Value: value})
	}
}
