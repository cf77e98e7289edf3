package snapshot

import (
	"iter"
	"slices"
	"sort"
)

// fanout is the most items or children of a tree node. 32 keeps both the depth
// and the bytes that one change copies small.
const fanout = 32

// tree is a persistent sorted set (a B+ tree without links): a change copies
// the nodes on its path and shares the others with the tree before.
type tree[T any] struct {
	root  *node[T]
	count int
	cmp   func(a, b T) int
}

// node is a leaf (kids is nil) with its items, or an inner node whose items are
// the lowest items of its kids.
type node[T any] struct {
	items []T
	kids  []*node[T]
	owner *treeEdit[T] // the edit that may change the node in place
}

func newTree[T any](cmp func(a, b T) int) tree[T] { return tree[T]{root: &node[T]{}, cmp: cmp} }

// treeOf returns the tree of items that are in order, without doubles.
func treeOf[T any](cmp func(a, b T) int, items []T) tree[T] {
	if len(items) == 0 {
		return newTree(cmp)
	}
	var level []*node[T]
	for leaf := range slices.Chunk(items, fanout) {
		level = append(level, &node[T]{items: slices.Clone(leaf)})
	}
	for len(level) > 1 {
		var above []*node[T]
		for kids := range slices.Chunk(level, fanout) {
			n := &node[T]{items: make([]T, len(kids)), kids: slices.Clone(kids)}
			for i, k := range kids {
				n.items[i] = k.items[0]
			}
			above = append(above, n)
		}
		level = above
	}
	return tree[T]{root: level[0], count: len(items), cmp: cmp}
}

func (t tree[T]) len() int { return t.count }

// find returns the item for which at returns 0; at compares an item with the
// place that is looked for.
func (t tree[T]) find(at func(T) int) (T, bool) {
	n := t.root
	for n.kids != nil {
		n = n.kids[n.kid(at)]
	}
	if i, ok := n.leaf(at); ok {
		return n.items[i], true
	}
	var none T
	return none, false
}

// kid is the index of the child in which the place lies.
func (n *node[T]) kid(at func(T) int) int {
	i := sort.Search(len(n.items), func(i int) bool { return at(n.items[i]) > 0 })
	return max(i-1, 0)
}

func (n *node[T]) leaf(at func(T) int) (int, bool) {
	i := sort.Search(len(n.items), func(i int) bool { return at(n.items[i]) >= 0 })
	return i, i < len(n.items) && at(n.items[i]) == 0
}

// from returns the items from a place on, in order; nil means the start.
func (t tree[T]) from(at func(T) int) iter.Seq[T] {
	return func(yield func(T) bool) { t.root.walk(at, yield) }
}

func (n *node[T]) walk(at func(T) int, yield func(T) bool) bool {
	first := 0
	if n.kids == nil {
		if at != nil {
			first, _ = n.leaf(at)
		}
		for _, v := range n.items[first:] {
			if !yield(v) {
				return false
			}
		}
		return true
	}
	if at != nil {
		first = n.kid(at)
	}
	for i, k := range n.kids[first:] {
		if i > 0 {
			at = nil
		}
		if !k.walk(at, yield) {
			return false
		}
	}
	return true
}

// treeEdit changes a copy of a tree; nodes that it made are changed in place.
type treeEdit[T any] struct{ tree tree[T] }

func (t tree[T]) edit() *treeEdit[T] { return &treeEdit[T]{tree: t} }

// done returns the changed tree. The edit must not be used afterwards.
func (e *treeEdit[T]) done() tree[T] {
	t := e.tree
	e.tree = tree[T]{}
	return t
}

func (e *treeEdit[T]) own(n *node[T]) *node[T] {
	if n.owner == e {
		return n
	}
	c := &node[T]{items: make([]T, len(n.items), fanout+1), owner: e}
	copy(c.items, n.items)
	if n.kids != nil {
		c.kids = make([]*node[T], len(n.kids), fanout+1)
		copy(c.kids, n.kids)
	}
	return c
}

// put adds or replaces an item.
func (e *treeEdit[T]) put(v T) {
	root, right := e.insert(e.tree.root, v)
	if right != nil {
		root = &node[T]{
			items: append(make([]T, 0, fanout+1), root.items[0], right.items[0]),
			kids:  append(make([]*node[T], 0, fanout+1), root, right),
			owner: e,
		}
	}
	e.tree.root = root
}

// insert returns the node that replaces n and, when that was too full, a new
// node to its right.
func (e *treeEdit[T]) insert(n *node[T], v T) (*node[T], *node[T]) {
	n = e.own(n)
	at := func(o T) int { return e.tree.cmp(o, v) }
	if n.kids == nil {
		i, found := n.leaf(at)
		if found {
			n.items[i] = v
			return n, nil
		}
		n.items = slices.Insert(n.items, i, v)
		e.tree.count++
		return n, e.split(n, i)
	}
	i := n.kid(at)
	kid, right := e.insert(n.kids[i], v)
	n.kids[i], n.items[i] = kid, kid.items[0]
	if right == nil {
		return n, nil
	}
	n.kids = slices.Insert(n.kids, i+1, right)
	n.items = slices.Insert(n.items, i+1, right.items[0])
	return n, e.split(n, i+1)
}

// split cuts a node that is too full. After an insertion at its end it stays
// nearly full: filling in order gives a dense tree.
func (e *treeEdit[T]) split(n *node[T], at int) *node[T] {
	if len(n.items) <= fanout {
		return nil
	}
	cut := len(n.items) / 2
	if at == len(n.items)-1 {
		cut = len(n.items) - 2
	}
	right := &node[T]{items: append(make([]T, 0, fanout+1), n.items[cut:]...), owner: e}
	clear(n.items[cut:])
	n.items = n.items[:cut]
	if n.kids != nil {
		right.kids = append(make([]*node[T], 0, fanout+1), n.kids[cut:]...)
		clear(n.kids[cut:])
		n.kids = n.kids[:cut]
	}
	return right
}

// delete removes an item that is in the tree.
func (e *treeEdit[T]) delete(v T) {
	root := e.remove(e.tree.root, func(o T) int { return e.tree.cmp(o, v) })
	for len(root.kids) == 1 {
		root = root.kids[0]
	}
	if len(root.items) == 0 {
		root = &node[T]{owner: e}
	}
	e.tree.root = root
}

func (e *treeEdit[T]) remove(n *node[T], at func(T) int) *node[T] {
	n = e.own(n)
	if n.kids == nil {
		if i, found := n.leaf(at); found {
			n.items = slices.Delete(n.items, i, i+1)
			e.tree.count--
		}
		return n
	}
	i := n.kid(at)
	kid := e.remove(n.kids[i], at)
	if len(kid.items) == 0 {
		n.kids = slices.Delete(n.kids, i, i+1)
		n.items = slices.Delete(n.items, i, i+1)
		return n
	}
	n.kids[i], n.items[i] = kid, kid.items[0]
	if len(kid.items) < fanout/4 {
		e.join(n, i)
	}
	return n
}

// join merges a small child with a neighbour when both fit into one node.
func (e *treeEdit[T]) join(n *node[T], i int) {
	if i == len(n.kids)-1 {
		i--
	}
	if i < 0 || len(n.kids[i].items)+len(n.kids[i+1].items) > fanout {
		return
	}
	left, right := e.own(n.kids[i]), n.kids[i+1]
	left.items = append(left.items, right.items...)
	left.kids = append(left.kids, right.kids...)
	n.kids[i], n.items[i] = left, left.items[0]
	n.kids = slices.Delete(n.kids, i+1, i+2)
	n.items = slices.Delete(n.items, i+1, i+2)
}
