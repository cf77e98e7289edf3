package csharp

import (
	"strings"
)

// interpolation binds $"…": concatenation when no hole has alignment or format, string.Format otherwise.
func (b *binder) interpolation(e *interpExpr) operand {
	out := operand{t: b.t.string, nonNull: true}
	for _, p := range e.parts {
		if p.x == nil {
			s := p.text
			out.parts = append(out.parts, func(*Frame) string { return s })
			continue
		}
		x := b.operandValue(p.x)
		if x.lambda != nil || x.group != nil {
			b.noConversion(x, b.t.object)
		}
		if x.t.kind == kindVoid {
			b.fail(p.x.at(), "CS0029", "Cannot implicitly convert type 'void' to 'object'")
		}
		width := 0
		if p.align != nil {
			a := b.convert(b.value(p.align), b.t.int, "")
			if !a.konst {
				b.fail(p.align.at(), "CS0150", "A constant value is expected")
			}
			n, _ := Integer(a.val)
			width = int(n)
		}
		f := b.text(x)
		if p.format != "" {
			o, format, hook := boxer(x.c, x.t), p.format, b.lib.hooks.Format
			f = func(fr *Frame) string { return hook(o(fr), format) }
		}
		if width != 0 {
			g := f
			f = func(fr *Frame) string { return Pad(fr.run, g(fr), width) }
		}
		out.parts = append(out.parts, f)
	}
	switch len(out.parts) {
	case 0:
		return b.constant(e.at(), b.t.string, "")
	case 1:
		f := out.parts[0]
		out.c.s = func(fr *Frame) string {
			if s := f(fr); !IsNull(s) {
				return s
			}
			return ""
		}
		out.parts = nil
		return out
	}
	out.c.s = joiner(out.parts)
	return out
}

// Pad aligns s in a field of the given width, to the left if that is negative.
func Pad(r *Run, s string, width int) string {
	n := Length(s)
	pad := width - n
	if width < 0 {
		pad = -width - n
	}
	if pad <= 0 {
		return s
	}
	r.Alloc(pad)
	if width < 0 {
		return s + strings.Repeat(" ", pad)
	}
	return strings.Repeat(" ", pad) + s
}
