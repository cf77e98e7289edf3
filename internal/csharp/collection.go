package csharp

// Items gives the items of anything enumerable as boxed values. The slice of an array is shared; do not change it.
func Items(r *Run, v any) []any {
	if a, ok := v.(*Array); ok {
		return a.Items
	}
	var out []any
	Each(r, v, func(x any) bool {
		out = append(out, x)
		return true
	})
	r.Alloc(16 * len(out))
	return out
}

// MakeArray makes the Go form of t[] with those items, which it takes over: []byte for byte, *Array for everything else.
func (t *Type) MakeArray(items []any) any {
	if t.kind != kindByte {
		return &Array{Elem: t, Items: items}
	}
	out := make([]byte, len(items))
	for i, x := range items {
		out[i], _ = x.(byte)
	}
	return out
}

// Kind predicates for library members that depend on a type argument.

// IsValueType tells whether t is a value type and not T?.
func (t *Type) IsValueType() bool { return t.isValue() }

// IsEnum tells whether t is an enum.
func (t *Type) IsEnum() bool { return t.kind == kindEnum }

// IsArray tells whether t is an array type.
func (t *Type) IsArray() bool { return t.kind == kindArray }

// IsNullable tells whether t is T? of a value type.
func (t *Type) IsNullable() bool { return t.kind == kindNullable }

// IsInterface tells whether t is an interface.
func (t *Type) IsInterface() bool { return t.kind == kindInterface }

// IsAssignableTo tells whether every value of t can be used as a u without conversion.
func (t *Type) IsAssignableTo(u *Type) bool { return referenceConversion(t, u) }

// Params are the type parameters of a generic definition.
func (t *Type) Params() []*Type { return t.params }

// InstanceOf tells whether a boxed value is a t; nil is never one.
func (l *Library) InstanceOf(v any, t *Type) bool { return v != nil && l.instance(t)(v) }

// Cast is the run-time cast (T)v: exact unboxing, null for reference types and T?, else InvalidCastException or
// NullReferenceException.
func (l *Library) Cast(v any, t *Type) any {
	switch {
	case v == nil && t.nullOK():
		return nil
	case v == nil:
		ThrowNullReference()
	case !l.instance(t.underlying())(v):
		Throwf("System.InvalidCastException", "Unable to cast object of type '%s' to type '%s'.", l.TypeOf(v).FullName(), t.FullName())
	}
	return v
}

// Definition is the generic definition of a constructed type and t itself for others.
func (t *Type) Definition() *Type {
	if t.def != nil {
		return t.def
	}
	return t
}
