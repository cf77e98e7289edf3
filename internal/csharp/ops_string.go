package csharp

import "slices"

// concat joins two operands of which one is a string.
func (b *binder) concat(pos int, x, y operand) operand {
	out := operand{pos: pos, t: b.t.string, nonNull: true}
	if x.konst && y.konst && (x.val == nil || x.t.kind == kindString) && (y.val == nil || y.t.kind == kindString) {
		return b.constant(pos, b.t.string, Concat(FormatValue(x.val), FormatValue(y.val)))
	}
	if x.t.kind == kindString && len(x.parts) > 0 {
		out.parts = append(out.parts, x.parts...)
	} else {
		out.parts = append(out.parts, b.text(x))
	}
	out.parts = append(out.parts, b.text(y))
	out.c.s = joiner(out.parts)
	return out
}

// joiner makes code that joins strings with one allocation, or with none where the run has room for them.
func joiner(parts []func(*Frame) string) func(*Frame) string {
	if len(parts) == 2 {
		p, q := parts[0], parts[1]
		return func(fr *Frame) string {
			a, c := p(fr), q(fr)
			fr.run.Alloc(len(a) + len(c))
			if endsHigh(a) {
				return Concat(a, c)
			}
			return fr.run.scratch().Join(a, c)
		}
	}
	if len(parts) == 3 {
		p, q, r := parts[0], parts[1], parts[2]
		return func(fr *Frame) string {
			a, c, d := p(fr), q(fr), r(fr)
			fr.run.Alloc(len(a) + len(c) + len(d))
			if endsHigh(a) || endsHigh(c) {
				return Concat(Concat(a, c), d)
			}
			return fr.run.scratch().Join(a, c, d)
		}
	}
	return func(fr *Frame) string {
		var buf [8]string
		all := buf[:0]
		n := 0
		for _, p := range parts {
			s := p(fr)
			n += len(s)
			all = append(all, s)
		}
		fr.run.Alloc(n)
		if slices.ContainsFunc(all, endsHigh) {
			out := ""
			for _, s := range all {
				out = Concat(out, s)
			}
			return out
		}
		return fr.run.scratch().Join(all...)
	}
}

// endsHigh tells whether s ends in a high surrogate.
func endsHigh(s string) bool {
	n := len(s)
	return n >= 3 && s[n-3] == 0xED && s[n-2] >= 0xA0 && s[n-2] <= 0xAF
}

// text makes code for the string of a value inside a concatenation: "" for null, else ToString.
func (b *binder) text(x operand) func(*Frame) string {
	switch {
	case x.konst:
		s := FormatValue(x.val)
		return func(*Frame) string { return s }
	case x.t.kind == kindString:
		return x.c.s
	case x.t.kind == kindInt || x.t.kind == kindLong || x.t.kind == kindShort:
		i := x.c.i
		return func(fr *Frame) string { return formatInt(i(fr)) }
	case x.t.kind == kindChar:
		i := x.c.i
		return func(fr *Frame) string { return Char(i(fr)).String() }
	case x.t.kind == kindBool:
		c := x.c.b
		return func(fr *Frame) string {
			if c(fr) {
				return "True"
			}
			return "False"
		}
	case x.t.kind == kindDouble:
		f := x.c.f
		return func(fr *Frame) string { return FormatFloat(f(fr), 64) }
	}
	o := boxer(x.c, x.t)
	return func(fr *Frame) string { return FormatValue(o(fr)) }
}

func stringEqual(x, y operand, not bool) func(*Frame) bool {
	p, q := x.c.s, y.c.s
	if y.konst {
		x, y = y, x
		p, q = q, p
	}
	if x.konst {
		want := UnboxString(x.val)
		switch {
		case IsNull(want):
			return func(fr *Frame) bool { return IsNull(q(fr)) != not }
		case want == "":
			return func(fr *Frame) bool { s := q(fr); return (s == "" && !IsNull(s)) != not }
		case not:
			return func(fr *Frame) bool { return q(fr) != want }
		}
		return func(fr *Frame) bool { return q(fr) == want }
	}
	return func(fr *Frame) bool {
		a, c := p(fr), q(fr)
		return (a == c && (a != "" || IsNull(a) == IsNull(c))) != not
	}
}
