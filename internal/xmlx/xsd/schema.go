package xsd

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/jacoelho/xsd"
	xsderrors "github.com/jacoelho/xsd/errors"

	"github.com/causeway-apim/causeway/internal/xmlx"
)

// Schema is a compiled schema. It is safe for concurrent use.
type Schema struct{ compiled *xsd.Schema }

// Compile compiles a document that is a schema or has schemas in it, such as a WSDL description, with what they refer to. finder may be nil.
func Compile(text []byte, finder Finder) (*Schema, error) {
	k := &collector{finder: finder, files: make(map[string][]byte), byText: make(map[string][]string), byNamespace: make(map[string]string)}
	roots, err := k.add(text)
	if err != nil {
		return nil, err
	}
	compiled, err := xsd.LoadWithOptions(files(k.files), k.entry(roots), xsd.NewLoadOptions().WithAllowMissingImportLocations(true))
	if err != nil {
		return nil, explained(err)
	}
	return &Schema{compiled}, nil
}

// explained makes one line of the validator's messages.
func explained(err error) error {
	return errors.New(strings.Join(strings.Fields(err.Error()), " "))
}

// Namespaces are the target namespaces of the schemas in a document.
func Namespaces(text []byte) ([]string, error) {
	d, err := xmlx.Parse(text)
	if err != nil {
		return nil, err
	}
	var list []string
	for _, n := range schemasIn(d.Root, nil) {
		target, _ := n.Attr("", "targetNamespace")
		list = append(list, target)
	}
	return list, nil
}

// Validate holds an element, as the root of a document, against the schema. around are the namespaces declared around it. The error says what the first
// fault is, and where.
func (s *Schema) Validate(root *xmlx.Node, around ...*xmlx.Node) error {
	element := *root
	for _, n := range around {
		element.Attrs = withDeclarations(element.Attrs, declarationsOf(n))
	}
	err := s.compiled.Validate(bytes.NewReader(element.Append(nil)))
	if err == nil {
		return nil
	}
	list, ok := xsderrors.AsValidations(err)
	if !ok || len(list) == 0 {
		return err
	}
	return fault(&list[0], root)
}

// fault words a violation: what is wrong, with what, and where.
func fault(v *xsderrors.Validation, root *xmlx.Node) error {
	var b strings.Builder
	text := v.Message
	if v.Code == string(xsderrors.ErrValidateRootNotDeclared) {
		return fmt.Errorf("the element '%s' is not declared (at '/%s')", expanded(root.Name), root.Name.Local)
	}
	b.WriteString(text)
	if v.Actual != "" {
		fmt.Fprintf(&b, ", found '%s'", v.Actual)
	}
	if len(v.Expected) > 0 {
		fmt.Fprintf(&b, ", expected '%s'", strings.Join(v.Expected, "', '"))
	}
	path := withoutNamespaces(v.Path)
	if path == "/" || path == "" {
		path = "/" + root.Name.Local
	}
	fmt.Fprintf(&b, " (at '%s')", path)
	return errors.New(b.String())
}

func expanded(n xmlx.Name) string {
	if n.Space == "" {
		return n.Local
	}
	return n.Space + ":" + n.Local
}

// withoutNamespaces makes /a/b of /{urn:x}a/{urn:x}b.
func withoutNamespaces(path string) string {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(path, "{")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		_, path, _ = strings.Cut(rest, "}")
	}
}
