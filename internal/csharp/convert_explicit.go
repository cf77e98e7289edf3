package csharp

func (b *binder) explicitExists(x operand, t *Type) bool {
	err := b.attempt(func() { b.explicit(x, t) })
	return err == nil || err.code == "CS0221" // a constant that is out of range
}

// cast binds (T)x.
func (b *binder) explicit(x operand, t *Type) operand {
	if y, ok := b.implicit(x, t); ok {
		y.lv = nil
		return y
	}
	switch {
	case (x.t.isNumeric() || x.t.kind == kindEnum) && (t.isNumeric() || t.kind == kindEnum):
		return b.numeric(x, t, true)
	case x.t.kind == kindNullable && t.kind == kindNullable:
		y, ok := b.liftConversion(x, t, func(y operand) (operand, bool) { return b.explicit(y, t.elem), true })
		if ok {
			return y
		}
	case t.kind == kindNullable && (x.t.isNumeric() || x.t.kind == kindEnum):
		return b.box(b.explicit(x, t.elem), t)
	case x.t.kind == kindNullable && t.isValue():
		src := x.c.o
		in := operand{pos: x.pos, t: x.t.elem, c: unboxer(func(fr *Frame) any {
			v := src(fr)
			if v == nil {
				Throw("System.InvalidOperationException", "Nullable object must have a value.")
			}
			return v
		}, x.t.elem)}
		return b.explicit(in, t)
	}
	if b.downcast(x.t, t) {
		return b.unbox(x, t)
	}
	if y, ok := b.userConversion(x, t, "explicit"); ok {
		return y
	}
	b.fail(x.pos, "CS0030", "Cannot convert type '%s' to '%s'", x.t, t)
	return x
}

// downcast tells whether a value of static type from may turn out to be a t at run time.
func (b *binder) downcast(from, to *Type) bool {
	switch {
	case from.kind == kindVoid || to.kind == kindVoid || from.kind == kindNull || from.kind == kindLambda:
		return false
	case from.kind == kindObject || from.kind == kindDynamic:
		return true
	case from.kind == kindArray && to.kind == kindArray:
		return from.rank == to.rank && (from.elem == to.elem || !from.elem.isValue() && !to.elem.isValue() && (referenceConversion(to.elem, from.elem) || b.downcast(from.elem, to.elem)))
	case to.isValue() || to.kind == kindNullable:
		return referenceConversion(to.underlying(), from)
	case from.isValue() || from.kind == kindNullable:
		return false
	case from.kind == kindString || to.kind == kindString:
		return referenceConversion(to, from)
	case from.kind == kindInterface || to.kind == kindInterface:
		return from.kind != kindRecord && to.kind != kindRecord
	}
	return referenceConversion(to, from)
}

// unbox casts a reference at run time; a mismatch throws InvalidCastException.
func (b *binder) unbox(x operand, t *Type) operand {
	src := boxer(x.c, x.t)
	is := b.lib.instance(t)
	if t.kind != kindNullable { // a nullable unboxes only from exactly its type
		is = b.lib.unboxable(t)
	}
	lib := b.lib
	nullOK := t.nullOK()
	checked := func(fr *Frame) any {
		v := src(fr)
		switch {
		case v == nil && nullOK:
			return nil
		case v == nil:
			ThrowNullReference()
		case !is(v):
			Throwf("System.InvalidCastException", "Unable to cast object of type '%s' to type '%s'.", lib.TypeOf(v).FullName(), t.FullName())
		}
		return v
	}
	out := operand{pos: x.pos, t: t}
	switch t.kind {
	case kindString:
		out.c = code{s: func(fr *Frame) string {
			v := src(fr)
			if s, ok := v.(string); ok {
				return s
			}
			if v != nil {
				Throwf("System.InvalidCastException", "Unable to cast object of type '%s' to type 'System.String'.", lib.TypeOf(v).FullName())
			}
			return Null()
		}}
	default:
		out.c = unboxer(checked, t)
	}
	return out
}

// unboxable is instance for a cast: an enum also unboxes as its underlying type, and the reverse.
func (l *Library) unboxable(t *Type) func(any) bool {
	is := l.instance(t)
	switch t.kind {
	case kindInt:
		return func(v any) bool {
			_, enum := v.(Enum)
			return enum || is(v)
		}
	case kindEnum:
		return func(v any) bool {
			_, num := v.(int32)
			return num || is(v)
		}
	}
	return is
}

// instance makes the test whether a boxed value, not nil, is a t.
func (l *Library) instance(t *Type) func(any) bool {
	w := &l.family.t
	switch t.kind {
	case kindObject, kindDynamic:
		return func(v any) bool { return v != nil }
	case kindString:
		return func(v any) bool { _, ok := v.(string); return ok }
	case kindInt:
		return func(v any) bool { _, ok := v.(int32); return ok }
	case kindBool:
		return func(v any) bool { _, ok := v.(bool); return ok }
	case kindEnum:
		return func(v any) bool { e, ok := v.(Enum); return ok && e.Type == t }
	case kindArray:
		if t == w.byte.ArrayOf() {
			return func(v any) bool { _, ok := v.([]byte); return ok }
		}
		return func(v any) bool { a, ok := v.(*Array); return ok && referenceConversion(a.ClrType(), t) }
	case kindNullable:
		return l.instance(t.elem)
	}
	if t.kind >= kindBool && t.kind <= kindDecimal {
		k := t.kind
		return func(v any) bool { have, ok := kindOf(v); return ok && have == k }
	}
	for x := t; x != nil; x = x.Base() {
		if x == w.exception {
			return func(v any) bool {
				e, ok := v.(*Exception)
				if !ok {
					return false
				}
				l.resolveException(e)
				return referenceConversion(e.Type, t)
			}
		}
	}
	d := t
	if t.def != nil {
		d = t.def
	}
	is := d.goType.is
	return func(v any) bool {
		if v == nil {
			return false
		}
		if typer, ok := v.(Typer); ok {
			return referenceConversion(typer.ClrType(), t)
		}
		if have := l.TypeOf(v); have.kind != kindObject && referenceConversion(have, t) {
			return true
		}
		return is != nil && is(v)
	}
}
