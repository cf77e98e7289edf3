package importer

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

// maxHops is how many references may follow each other.
const maxHops = 32

// references resolves the $ref members of one document.
type references struct {
	tree    *tree
	anchors bool             // OpenAPI 3.1: "#name" may be an anchor of JSON Schema
	targets map[string]*node // by reference, nil when there is none
}

// refOf returns the reference that n is, or nil. A member "$ref" that is not a
// string is an ordinary property of that name.
func refOf(n *node) *node {
	if ref := n.get("$ref"); ref != nil && ref.kind == kindString {
		return ref
	}
	return nil
}

// resolve follows references until it comes to something else. A nil node
// stays nil.
func (r *references) resolve(n *node) (*node, *Error) {
	first := n
	for range maxHops {
		ref := refOf(n)
		if ref == nil {
			return n, nil
		}
		var err *Error
		if n, err = r.target(ref); err != nil {
			return nil, err
		}
	}
	return nil, r.tree.fail(first.place, fmt.Sprintf("the reference %q leads back to itself", clip(refOf(first).text)), "Let it end at a definition.")
}

// target finds what a $ref member names.
func (r *references) target(ref *node) (*node, *Error) {
	n, known := r.targets[ref.text]
	if !known {
		if !strings.HasPrefix(ref.text, "#") {
			return nil, r.tree.fail(ref.place, fmt.Sprintf("the reference %q leads out of the document", clip(ref.text)), "Bundle the files into one document first.")
		}
		n = r.find(strings.TrimPrefix(ref.text, "#"))
		r.targets[ref.text] = n
	}
	if n == nil {
		return nil, r.tree.fail(ref.place, fmt.Sprintf("the reference %q leads nowhere", clip(ref.text)), "Correct it, or add what it names.")
	}
	return n, nil
}

// find follows a JSON pointer (RFC 6901) in the form of a URI fragment.
func (r *references) find(fragment string) *node {
	n := r.tree.root
	if fragment == "" {
		return n
	}
	if !strings.HasPrefix(fragment, "/") {
		return nil
	}
	for _, token := range strings.Split(fragment[1:], "/") {
		token = pointerToken(token)
		if n.kind == kindArray {
			i, err := strconv.Atoi(token)
			if err != nil || i < 0 || i >= len(n.items) {
				return nil
			}
			n = n.items[i]
		} else if n = n.get(token); n == nil {
			return nil
		}
	}
	return n
}

// pointerToken undoes the escapes of one step of a reference.
func pointerToken(token string) string {
	if strings.Contains(token, "%") {
		if decoded, err := url.PathUnescape(token); err == nil {
			token = decoded
		}
	}
	return strings.ReplaceAll(strings.ReplaceAll(token, "~1", "/"), "~0", "~")
}

// check finds the first reference in n that cannot be resolved. Sample data is
// left out, because there "$ref" is a word like any other.
func (r *references) check(n *node) *Error {
	if ref := refOf(n); ref != nil {
		if r.anchors && strings.HasPrefix(ref.text, "#") && !strings.HasPrefix(ref.text, "#/") {
			return nil
		}
		if _, err := r.target(ref); err != nil {
			return err
		}
	}
	for _, item := range n.array() {
		if err := r.check(item); err != nil {
			return err
		}
	}
	for i := range n.object() {
		m := &n.members[i]
		if m.node.kind < kindArray || isSample(m.name) {
			continue
		}
		if err := r.check(m.node); err != nil {
			return err
		}
	}
	return nil
}

func isSample(name string) bool {
	switch name {
	case "example", "examples", "enum", "const", "value":
		return true
	}
	return strings.HasPrefix(name, "x-") && name != "x-ms-paths"
}

// typeNameOf returns the name of the stored type that a schema refers to.
func typeNameOf(schema *node, section string) string {
	ref := refOf(schema)
	if ref == nil {
		return ""
	}
	name, ok := strings.CutPrefix(ref.text, section)
	if !ok || strings.Contains(name, "/") {
		return ""
	}
	return pointerToken(name)
}
