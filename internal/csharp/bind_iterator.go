package csharp

// sequenceOfCalls is what a call of an iterator gives: each enumeration runs the body afresh.
type sequenceOfCalls struct {
	f           *function
	cells, args []any
}

// ClrType is the declared result of the iterator.
func (s *sequenceOfCalls) ClrType() *Type { return s.f.result }

// Each implements Enumerable.
func (s *sequenceOfCalls) Each(r *Run, yield func(any) bool) {
	s.f.call(r, s.cells, s.args, func(v any) bool { r.Step(); return yield(v) })
}

// iterated is the type of the items of an iterator whose declared result is t.
func (b *binder) iterated(pos int, name string, t *Type) *Type {
	switch {
	case t.def == b.t.enumerable:
		return t.args[0]
	case t == b.lib.types["System.Collections.IEnumerable"]:
		return b.t.object
	}
	b.fail(pos, "CS1624", "The body of '%s' cannot be an iterator block because '%s' is not an iterator interface type", name, t)
	return nil
}

func (b *binder) yieldStatement(s *yieldStmt) exec {
	if b.fn.item == nil {
		if b.fn.outer != nil && b.fn.inst == nil {
			b.fail(s.at(), "CS1621", "The yield statement cannot be used inside an anonymous method or lambda expression")
		}
		b.fail(s.at(), "CS1624", "Only a local function can be an iterator")
	}
	if s.x == nil {
		b.flow = flow{bits: b.flow.bits, dead: true}
		return func(*Frame) ctl { return ctlReturn }
	}
	x := b.convert(b.value(s.x), b.fn.item, "")
	o := boxer(x.c, x.t)
	return func(fr *Frame) ctl {
		if !fr.yield(o(fr)) {
			return ctlReturn
		}
		return ctlNext
	}
}
