package importer

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// The helpers here build trees that are written out.

func newObject() *node { return &node{kind: kindObject} }

func newArray(items ...*node) *node { return &node{kind: kindArray, items: items} }

// set appends a member and returns the object; a nil value is left out.
func (n *node) set(name string, value *node) *node {
	if value != nil {
		n.members = append(n.members, member{name: name, node: value})
	}
	return n
}

// always is the string s.
func always(s string) *node { return &node{kind: kindString, text: s} }

// optional is the string s, or nil when it is empty.
func optional(s string) *node {
	if s == "" {
		return nil
	}
	return always(s)
}

// optionalTrue is the boolean true, or nil.
func optionalTrue(b bool) *node {
	if !b {
		return nil
	}
	return &node{kind: kindBool, text: "true"}
}

func stringsNode(list []string) *node {
	if len(list) == 0 {
		return nil
	}
	n := newArray()
	for _, s := range list {
		n.items = append(n.items, always(s))
	}
	return n
}

// nonEmpty is n, or nil when it has neither members nor items.
func nonEmpty(n *node) *node {
	if len(n.members) == 0 && len(n.items) == 0 {
		return nil
	}
	return n
}

// typed turns the text of a default or an enumerated value into a value of its
// type, when it is one.
func typed(text, typeName string) *node {
	switch typeName {
	case "integer", "number":
		if _, err := strconv.ParseFloat(text, 64); err == nil && json.Valid([]byte(text)) {
			return &node{kind: kindNumber, text: text}
		}
	case "boolean":
		if text == "true" || text == "false" {
			return &node{kind: kindBool, text: text}
		}
	case "array", "object":
		if n, err := readJSON(context.Background(), []byte(text), DefaultMaxDepth); err == nil {
			return n
		}
	}
	return always(text)
}

// moved copies n with the references to one section pointing to another.
func moved(n *node, from, to string) *node {
	if from == to {
		return n
	}
	out := *n
	out.items, out.members, out.index = nil, nil, nil
	for _, item := range n.items {
		out.items = append(out.items, moved(item, from, to))
	}
	for _, m := range n.members {
		value := moved(m.node, from, to)
		if name, ok := strings.CutPrefix(value.text, from); ok && m.name == "$ref" && value.kind == kindString {
			value = always(to + name)
		}
		out.members = append(out.members, member{name: m.name, node: value})
	}
	return &out
}

// yamlNode turns a tree into one that the YAML package writes.
func yamlNode(n *node) *yaml.Node {
	switch n.kind {
	case kindArray:
		y := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
		for _, item := range n.items {
			y.Content = append(y.Content, yamlNode(item))
		}
		return y
	case kindObject:
		y := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
		for _, m := range n.members {
			y.Content = append(y.Content, yamlNode(always(m.name)), yamlNode(m.node))
		}
		return y
	case kindNull:
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Value: "null"}
	case kindBool:
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: n.text}
	case kindNumber:
		tag := "!!int"
		if strings.ContainsAny(n.text, ".eE") {
			tag = "!!float"
		}
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: tag, Value: n.text}
	}
	y := &yaml.Node{}
	y.SetString(n.text)
	return y
}
