package snapshot

// cursor walks the items of a tree. Its path starts at the leaf, so that equal
// indexes mean equal heights in trees of different depth.
type cursor[T any] struct {
	path []step[T] // leaf first, root last
}

type step[T any] struct {
	n *node[T]
	i int
}

func newCursor[T any](t tree[T]) *cursor[T] {
	c := &cursor[T]{}
	depth := 1
	for n := t.root; n.kids != nil; n = n.kids[0] {
		depth++
	}
	c.path = make([]step[T], depth)
	c.path[depth-1].n = t.root
	c.descend(depth - 1)
	return c
}

// descend fills the path below a height from the child that is current there.
func (c *cursor[T]) descend(height int) {
	for h := height; h > 0; h-- {
		s := c.path[h]
		c.path[h-1] = step[T]{n: s.n.kids[s.i]}
	}
}

func (c *cursor[T]) end() bool { return c.path[0].i >= len(c.path[0].n.items) }

func (c *cursor[T]) item() T { return c.path[0].n.items[c.path[0].i] }

// next goes to the next item.
func (c *cursor[T]) next() { c.skip(0, 1) }

// skip moves n children (items in a leaf) on at a height.
func (c *cursor[T]) skip(height, n int) {
	c.path[height].i += n
	for h := height; h < len(c.path); h++ {
		if c.path[h].i < len(c.path[h].n.items) {
			c.descend(h)
			return
		}
		if h+1 < len(c.path) {
			c.path[h+1].i++
		}
	}
	// Past the last item: every step of the path stands at its end.
	for h := range c.path {
		c.path[h].i = len(c.path[h].n.items)
	}
}

// skipShared moves both cursors over the largest node at whose start both
// stand, and reports whether there was one.
func skipShared[T any](a, b *cursor[T]) bool {
	shared := -1
	for h := 0; h < min(len(a.path), len(b.path)); h++ {
		if a.path[h].i != 0 || b.path[h].i != 0 {
			break
		}
		if a.path[h].n == b.path[h].n {
			shared = h
		}
	}
	if shared < 0 {
		return false
	}
	n := len(a.path[shared].n.items)
	a.skip(shared, n)
	b.skip(shared, n)
	return true
}

// diff calls f for each item that is in one tree only (the other argument is
// zero) or in both at the same place, unless the trees share it.
func diff[T any](from, to tree[T], f func(was, is T)) {
	var none T
	a, b := newCursor(from), newCursor(to)
	for !a.end() && !b.end() {
		if skipShared(a, b) {
			continue
		}
		was, is := a.item(), b.item()
		switch c := from.cmp(was, is); {
		case c < 0:
			f(was, none)
			a.next()
		case c > 0:
			f(none, is)
			b.next()
		default:
			f(was, is)
			a.next()
			b.next()
		}
	}
	for ; !a.end(); a.next() {
		f(a.item(), none)
	}
	for ; !b.end(); b.next() {
		f(none, b.item())
	}
}
