package importer

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
	"go.yaml.in/yaml/v4/plugin/loaderlimits"
)

// maxAliasBytes is how much text and structure the aliases of a YAML document
// may add to it. Descriptions use few of them; a document that needs more is an
// attempt to fill the memory ("billion laughs").
const maxAliasBytes = 8 << 20

// nodeBytes is what a node counts for in that sum, beside its text.
const nodeBytes = 64

// readYAML reads the one YAML document in data.
func readYAML(ctx context.Context, data []byte, maxDepth int) (*node, *Error) {
	// The package's own limits guard its recursion; those of yamlReader, which
	// come afterwards, are exact.
	limits := loaderlimits.New(loaderlimits.DepthValue(2*maxDepth+2), loaderlimits.AliasNone())
	loader, err := yaml.NewLoader(bytes.NewReader(data), yaml.WithPlugin(limits))
	if err != nil {
		return nil, yamlError(err)
	}
	var document, second yaml.Node
	if err := loader.Load(&document); errors.Is(err, io.EOF) || err == nil && len(document.Content) == 0 {
		return nil, &Error{Line: 1, Column: 1, Reason: "the document is empty", Advice: "Send an OpenAPI or Swagger description."}
	} else if err != nil {
		return nil, yamlError(err)
	}
	r := yamlReader{ctx: ctx, maxDepth: maxDepth, active: map[*yaml.Node]bool{}}
	if err := loader.Load(&second); err == nil {
		return nil, r.fail(&second, "there is a second YAML document", "Import each description by itself.")
	} else if !errors.Is(err, io.EOF) {
		return nil, yamlError(err)
	}
	return r.convert(document.Content[0], 0)
}

func yamlError(err error) *Error {
	e := &Error{Reason: "the document is not valid YAML: " + err.Error(), Advice: "Check indentation and quotes near this place.", Err: err}
	var load *yaml.LoadError
	if errors.As(err, &load) {
		e.Line, e.Column = max(load.Mark.Line, 1), max(load.Mark.Column, 1)
		e.Reason = "the document is not valid YAML: " + load.Message
	}
	return e
}

// yamlReader turns the nodes of the YAML package into ours, which have no
// aliases, anchors, merge keys and tags.
type yamlReader struct {
	ctx      context.Context
	maxDepth int
	count    int
	aliases  int                 // how many surround the current node
	added    int                 // bytes that aliases have added
	active   map[*yaml.Node]bool // targets of the aliases that surround it
}

func (r *yamlReader) fail(y *yaml.Node, reason, advice string) *Error {
	return &Error{Line: y.Line, Column: y.Column, Reason: reason, Advice: advice}
}

func (r *yamlReader) convert(y *yaml.Node, depth int) (*node, *Error) {
	if err := r.account(y); err != nil {
		return nil, err
	}
	n := &node{place: place{int32(y.Line), int32(y.Column)}}
	switch y.Kind {
	case yaml.AliasNode:
		return r.alias(y, depth)
	case yaml.ScalarNode:
		scalar(y, n)
		return n, nil
	}
	if depth >= r.maxDepth {
		return nil, r.fail(y, fmt.Sprintf("the document is nested more than %d levels deep", r.maxDepth), "Move inner parts to components and refer to them.")
	}
	if y.Kind == yaml.MappingNode {
		return r.mapping(y, n, depth+1)
	}
	n.kind = kindArray
	n.items = make([]*node, len(y.Content))
	for i, item := range y.Content {
		var err *Error
		if n.items[i], err = r.convert(item, depth+1); err != nil {
			return nil, err
		}
	}
	return n, nil
}

// account bounds what aliases add, and notices that nobody waits any more.
func (r *yamlReader) account(y *yaml.Node) *Error {
	if r.count++; r.count%512 == 0 && r.ctx.Err() != nil {
		return &Error{Reason: "the import was stopped", Err: r.ctx.Err()}
	}
	if r.aliases == 0 {
		return nil
	}
	if r.added += len(y.Value) + nodeBytes; r.added > maxAliasBytes {
		return r.fail(y, "the aliases of the document expand to too much", "Write the parts out, or put them under components and use $ref.")
	}
	return nil
}

func (r *yamlReader) alias(y *yaml.Node, depth int) (*node, *Error) {
	if y.Alias == nil || r.active[y.Alias] {
		return nil, r.fail(y, fmt.Sprintf("the alias *%s stands inside of what it refers to", clip(y.Value)), "Use $ref for recursive types.")
	}
	r.active[y.Alias] = true
	r.aliases++
	n, err := r.convert(y.Alias, depth)
	r.aliases--
	delete(r.active, y.Alias)
	return n, err
}

func (r *yamlReader) mapping(y *yaml.Node, n *node, depth int) (*node, *Error) {
	n.kind = kindObject
	n.members = make([]member, 0, len(y.Content)/2)
	var merged []*node
	for i := 0; i+1 < len(y.Content); i += 2 {
		value, err := r.convert(y.Content[i+1], depth)
		if err != nil {
			return nil, err
		}
		key := y.Content[i]
		if key.Kind == yaml.AliasNode && key.Alias != nil {
			key = key.Alias
		}
		switch {
		case key.Kind != yaml.ScalarNode:
			return nil, r.fail(y.Content[i], "a name must be a word, not a list or an object", "Put the name in quotes.")
		case key.Tag == "!!merge":
			merged = append(merged, value)
		default:
			n.members = append(n.members, member{key.Value, place{int32(y.Content[i].Line), int32(y.Content[i].Column)}, value})
		}
	}
	if first, second, twice := n.buildIndex(); twice {
		t := tree{syntax: SyntaxYAML}
		return nil, t.failTwice(&n.members[first], &n.members[second])
	}
	for _, m := range merged {
		n.merge(m)
	}
	return n, nil
}

// merge adds the members of a "<<" value, which is an object or a list of
// objects, that n does not have itself.
func (n *node) merge(from *node) {
	for _, item := range from.items {
		n.merge(item)
	}
	for _, m := range from.members {
		if n.get(m.name) == nil {
			n.members = append(n.members, m)
			if n.index != nil {
				n.index[m.name] = len(n.members) - 1
			} else if len(n.members) >= indexFrom {
				n.buildIndex()
			}
		}
	}
}

// scalar sets kind and text of n as the YAML core schema says. What JSON does
// not have, such as dates and infinities, stays text.
func scalar(y *yaml.Node, n *node) {
	n.kind, n.text = kindString, y.Value
	switch y.ShortTag() {
	case "!!null":
		n.kind, n.text = kindNull, ""
	case "!!bool":
		n.kind, n.text = kindBool, strings.ToLower(y.Value)
		if n.text != "true" && n.text != "false" {
			n.kind, n.text = kindString, y.Value
		}
	case "!!int", "!!float":
		if text, ok := jsonNumber(y); ok {
			n.kind, n.text = kindNumber, text
		}
	}
}

// jsonNumber writes a YAML number, which may be 0x1f or 1_000, as JSON.
func jsonNumber(y *yaml.Node) (string, bool) {
	if json.Valid([]byte(y.Value)) {
		return y.Value, true
	}
	var whole int64
	if y.Decode(&whole) == nil {
		return strconv.FormatInt(whole, 10), true
	}
	var float float64
	if y.Decode(&float) != nil || math.IsInf(float, 0) || math.IsNaN(float) {
		return "", false
	}
	return strconv.FormatFloat(float, 'g', -1, 64), true
}
