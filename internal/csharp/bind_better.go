package csharp

// better tells whether c is a better member than d for the arguments.
func (b *binder) better(c, d *candidate, args []arg) bool {
	won := false
	for i, a := range args {
		if a.mode != "" {
			continue
		}
		switch b.betterConversion(a.x, c.params[i], d.params[i]) {
		case 1:
			won = true
		case -1:
			return false
		}
	}
	if won {
		return true
	}
	for i := range args {
		if c.params[i] != d.params[i] {
			return c.depth < d.depth || c.depth == d.depth && c.defaults < d.defaults
		}
	}
	switch {
	case (len(c.m.sig.typeParams) == 0) != (len(d.m.sig.typeParams) == 0):
		return len(c.m.sig.typeParams) == 0
	case c.expanded != d.expanded:
		return !c.expanded
	case c.defaults != d.defaults:
		return c.defaults < d.defaults
	case c.depth != d.depth:
		return c.depth < d.depth
	}
	// Equal after substitution: the more specific declaration wins, as Foo(int) over Foo(T).
	specific := 0
	for i := range args {
		specific += specificity(c.generic[i]) - specificity(d.generic[i])
	}
	if specific != 0 {
		return specific > 0
	}
	return len(c.m.sig.params) > len(d.m.sig.params) && c.expanded
}

func specificity(t *Type) int {
	switch {
	case t.kind == kindTypeParam:
		return 0
	case t.kind == kindArray || t.kind == kindNullable && t.elem != nil:
		return 1 + specificity(t.elem)
	}
	n := 1
	for _, a := range t.args {
		n += specificity(a)
	}
	return n
}

// betterConversion is 1 when converting x to t is better than to u, -1 the other way round, 0 when neither is.
func (b *binder) betterConversion(x operand, t, u *Type) int {
	if t == u {
		return 0
	}
	if x.lambda != nil && t.kind == kindDelegate && u.kind == kindDelegate {
		return b.betterLambda(x, t, u)
	}
	if x.t.kind != kindNull && x.t.kind != kindLambda {
		switch x.t {
		case t:
			return 1
		case u:
			return -1
		}
	}
	return b.betterTarget(t, u)
}

func (b *binder) betterTarget(t, u *Type) int {
	to := func(p, q *Type) bool {
		_, ok := b.implicit(operand{t: p, c: zeroCode(p)}, q)
		return ok
	}
	a, c := to(t, u), to(u, t)
	switch {
	case a && !c:
		return 1
	case c && !a:
		return -1
	}
	signed := func(k kind) bool { return k == kindSByte || k == kindShort || k == kindInt || k == kindLong }
	if t.isIntegral() && u.isIntegral() && signed(t.kind) != signed(u.kind) {
		if signed(t.kind) {
			return 1
		}
		return -1
	}
	return 0
}

func (b *binder) betterLambda(x operand, t, u *Type) int {
	p, q := t.delegate(), u.delegate()
	if len(p.params) != len(q.params) {
		return 0
	}
	for i := range p.params {
		if p.params[i].typ != q.params[i].typ {
			return 0
		}
	}
	switch {
	case p.result == q.result:
		return 0
	case p.result.kind == kindVoid:
		return -1
	case q.result.kind == kindVoid:
		return 1
	}
	bl := b.inferLambda(x.lambda, paramTypes(p))
	if bl == nil || bl.result == nil {
		return 0
	}
	switch bl.result {
	case p.result:
		return 1
	case q.result:
		return -1
	}
	return b.betterTarget(p.result, q.result)
}
