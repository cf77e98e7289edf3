package resource

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/causeway-apim/causeway/internal/arm"
)

// serviceSegment is the name of the root type.
const serviceSegment = "service"

// Catalogue is the set of declared types as a tree of routes. It never changes.
type Catalogue struct {
	root  *node
	nodes map[string]*node // by path in lower case; "" is the service
	order []*node
}

// node is a type at one place of the tree.
type node struct {
	typ      *Type
	path     string // canonical, below the service: "apis/operations"; "" for the service
	armType  string // Microsoft.ApiManagement/service/apis/operations
	parent   *node
	children map[string]*node // by segment in lower case
	outside  bool             // a join in a workspace whose target is in the service: workspaces have no users
}

// NewCatalogue joins declared types. The first one is the service; parents come before what is nested in them. It
// fails when a parent is not declared or two types have one path.
func NewCatalogue(types ...*Type) (*Catalogue, error) {
	if len(types) == 0 || types[0].name != serviceSegment {
		return nil, fmt.Errorf("resource: catalogue: the first type has to be %s", serviceSegment)
	}
	root := &node{typ: types[0], armType: arm.ServiceType, children: map[string]*node{}}
	c := &Catalogue{root: root, nodes: map[string]*node{"": root}, order: []*node{root}}
	for _, t := range types[1:] {
		for _, parent := range t.parents {
			if err := c.add(t, parent); err != nil {
				return nil, fmt.Errorf("resource: catalogue: %s: %w", t.name, err)
			}
		}
		if w := c.nodes["workspaces"]; !t.workspaces || w == nil || w.typ.reason != "" {
			continue
		}
		for _, parent := range t.parents {
			if err := c.add(t, strings.TrimSuffix("workspaces/"+parent, "/")); err != nil {
				return nil, fmt.Errorf("resource: catalogue: %s: %w", t.name, err)
			}
		}
	}
	return c, c.checkReferences()
}

func (c *Catalogue) add(t *Type, parent string) error {
	p := c.nodes[strings.ToLower(parent)]
	if p == nil {
		return fmt.Errorf("its parent %q is not declared before it", parent)
	}
	n := &node{
		typ: t, path: strings.TrimPrefix(p.path+"/"+t.name, "/"), armType: p.armType + "/" + t.name, parent: p,
		children: map[string]*node{},
	}
	key := strings.ToLower(n.path)
	if c.nodes[key] != nil {
		return fmt.Errorf("%q is declared twice", n.path)
	}
	c.nodes[key] = n
	c.order = append(c.order, n)
	p.children[strings.ToLower(t.name)] = n
	return nil
}

// checkReferences finds ref rules and joins that name undeclared types.
func (c *Catalogue) checkReferences() error {
	for _, n := range c.order {
		targets := n.typ.schema.refTargets(map[*schema]bool{})
		if n.typ.join != "" {
			targets = append(targets, n.typ.join)
			n.outside = c.nodes[strings.ToLower("workspaces/"+n.typ.join)] == nil
		}
		for _, target := range targets {
			if c.nodes[strings.ToLower(target)] == nil {
				return fmt.Errorf("resource: catalogue: %s refers to %q, which is not declared", n.path, target)
			}
		}
	}
	return nil
}

func (s *schema) refTargets(seen map[*schema]bool) (targets []string) {
	if seen[s] {
		return nil
	}
	seen[s] = true
	for _, f := range s.fields {
		targets = append(targets, f.rules.refs...)
		if f.sub != nil {
			targets = append(targets, f.sub.refTargets(seen)...)
		}
	}
	return targets
}

// node returns the type at the path below the service, nil when there is none.
func (c *Catalogue) node(path string) *node { return c.nodes[strings.ToLower(path)] }

// nodeOf returns the type of a resource ID in a service, nil when there is none.
func (c *Catalogue) nodeOf(id arm.ID) *node {
	n := c.root
	rel := id.Rel()
	for rel != "" {
		seg, rest, _ := strings.Cut(rel, "/")
		if n = n.children[seg]; n == nil {
			return nil
		}
		_, rel, _ = strings.Cut(rest, "/")
	}
	return n
}

// Supports reports whether the engine serves a path: whether it is at or below a service or a list of services, or that
// of an asynchronous operation.
func Supports(path string) bool {
	return arm.IsOperation(path) || providerIndex(strings.Split(strings.Trim(path, "/"), "/")) > 0
}

// providerIndex returns where "providers" stands in the path of a service, what is in one, or a list of services; -1 for
// other paths.
func providerIndex(segs []string) int {
	is := func(i int, word string) bool { return i < len(segs) && strings.EqualFold(segs[i], word) }
	for _, i := range []int{4, 2} {
		if !is(0, "subscriptions") || !is(i, "providers") || !is(i+1, arm.Provider) || !is(i+2, serviceSegment) {
			continue
		}
		if i == 4 && is(2, "resourceGroups") || i == 2 && len(segs) == 5 {
			return i
		}
	}
	return -1
}

// route is where a request leads.
type route struct {
	node   *node
	id     arm.ID // the resource; of a collection the resource that it is in
	list   bool   // the collection of node's type in id
	action int    // index into the type's actions, -1 for the generic verbs
	partly bool   // the list is cut down to what the caller may read
}

// match finds the route of an ID or collection path.
func (c *Catalogue) match(method string, path arm.ID) (route, error) {
	segs := path.Segments()
	base := providerIndex(segs)
	if base < 0 {
		return route{}, arm.NotFound(path)
	}
	rt := route{node: c.root, action: -1}
	if len(segs) == base+3 {
		rt.list, rt.id = true, canonicalScope(segs[:base])
		return rt, nil
	}
	rt.id = canonicalScope(segs[:base]).ChildOf(arm.Provider, serviceSegment, segs[base+3])
	rest := segs[base+4:]
	for len(rest) > 0 {
		child := rt.node.children[strings.ToLower(rest[0])]
		if child == nil || len(rest) == 1 && child.typ.verbs&List == 0 && rt.node.typ.hasAction(rest[0]) {
			return rt.findAction(method, rest, path)
		}
		if child.typ.reason != "" {
			return rt, arm.Errorf(arm.CodeNotImplemented, "%s are not implemented: %s", child.path, child.typ.reason).WithTarget(path.String())
		}
		rt.node = child
		if len(rest) == 1 {
			rt.list = true
			return rt, nil
		}
		name, ok := child.typ.canonicalName(rest[1])
		if !ok {
			return rt, arm.NotFound(path)
		}
		rt.id = rt.id.Child(child.typ.name, name)
		rest = rest[2:]
	}
	// An action without a name stands for a method of the resource itself.
	rt.action = slices.IndexFunc(rt.node.typ.actions, func(a action) bool { return a.name == "" && a.method == method })
	return rt, nil
}

// canonicalScope spells the keywords of /subscriptions/S[/resourceGroups/G] as ARM does.
func canonicalScope(segs []string) arm.ID {
	out := slices.Clone(segs)
	for i, word := range []string{"subscriptions", "", "resourceGroups", ""} {
		if i < len(out) && word != "" {
			out[i] = word
		}
	}
	return arm.Path(out...)
}

// hasAction reports whether there is an action of a name. It may be the list of a type that has none of its own.
func (t *Type) hasAction(name string) bool {
	return slices.ContainsFunc(t.actions, func(a action) bool { return strings.EqualFold(a.name, name) })
}

func (rt route) findAction(method string, rest []string, path arm.ID) (route, error) {
	name := strings.Join(rest, "/")
	found := false
	for i, a := range rt.node.typ.actions {
		if !strings.EqualFold(a.name, name) {
			continue
		}
		if found = true; a.method == method {
			rt.action = i
			return rt, nil
		}
	}
	if found {
		return rt, arm.Errorf(arm.CodeMethodNotAllowed, "The method %s is not allowed here.", method)
	}
	return rt, arm.Errorf(arm.CodeTypeNotFound, "There is no resource type or action %q at %s.", name, rt.node.armType).WithTarget(path.String())
}

// verb returns the generic verb of a method.
func (rt route) verb(method string) Verbs {
	switch {
	case rt.list && (method == http.MethodGet || method == http.MethodHead):
		return List
	case rt.list:
		return 0
	}
	switch method {
	case http.MethodGet:
		return Read
	case http.MethodHead:
		return Head
	case http.MethodPut:
		return Create
	case http.MethodPatch:
		return Update
	case http.MethodDelete:
		return Delete
	}
	return 0
}

// operation is the name of an operation for authorisation, such as Microsoft.ApiManagement/service/apis/write.
func (rt route) operation(method string) string {
	if rt.action >= 0 {
		a := rt.node.typ.actions[rt.action]
		if what, _, _ := strings.Cut(a.name, "/"); a.method == http.MethodGet { // reports/byApi is read with reports
			return strings.TrimSuffix(rt.node.armType+"/"+what, "/") + "/read"
		}
		if a.name == "" {
			return rt.node.armType + "/write"
		}
		return rt.node.armType + "/" + a.name + "/action"
	}
	switch rt.verb(method) {
	case Create, Update:
		return rt.node.armType + "/write"
	case Delete:
		return rt.node.armType + "/delete"
	}
	return rt.node.armType + "/read"
}
