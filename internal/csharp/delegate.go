package csharp

// combination is + and - on delegates.
func (b *binder) combination(pos int, op string, x, y operand) operand {
	p, q := x.c.o, y.c.o
	return operand{pos: pos, t: x.t, c: code{o: func(fr *Frame) any {
		a, _ := p(fr).(*Delegate)
		c, _ := q(fr).(*Delegate)
		var d *Delegate
		if op == "+" {
			d = combine(fr.run, a, c)
		} else {
			d = without(fr.run, a, c)
		}
		if d == nil {
			return nil
		}
		return d
	}}}
}

func (d *Delegate) parts() []*Delegate {
	switch {
	case d == nil:
		return nil
	case d.list == nil:
		return []*Delegate{d}
	}
	return d.list
}

func combine(r *Run, a, b *Delegate) *Delegate {
	list := append(append([]*Delegate(nil), a.parts()...), b.parts()...)
	r.Alloc(8 * len(list))
	return multicast(list)
}

// without takes the last occurrence of b's calls out of a's.
func without(r *Run, a, b *Delegate) *Delegate {
	list, cut := a.parts(), b.parts()
	r.Steps(len(list))
	for i := len(list) - len(cut); i >= 0 && len(cut) > 0; i-- {
		same := true
		for j, d := range cut {
			same = same && list[i+j] == d
		}
		if same {
			return multicast(append(append([]*Delegate(nil), list[:i]...), list[i+len(cut):]...))
		}
	}
	return a
}

// multicast makes a delegate that calls each of list and gives the last result.
func multicast(list []*Delegate) *Delegate {
	switch len(list) {
	case 0:
		return nil
	case 1:
		return list[0]
	}
	return &Delegate{Type: list[0].Type, list: list, Call: func(r *Run, args []any) (v any) {
		for _, d := range list {
			v = d.Call(r, args)
		}
		return v
	}}
}
