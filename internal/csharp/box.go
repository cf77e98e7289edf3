package csharp

// Integer reads any boxed integer, char or enum. A ulong keeps its bits.
func Integer(v any) (int64, bool) {
	switch x := v.(type) {
	case int32:
		return int64(x), true
	case int64:
		return x, true
	case Char:
		return int64(x), true
	case Enum:
		return x.Value, true
	case uint8:
		return int64(x), true
	case int8:
		return int64(x), true
	case int16:
		return int64(x), true
	case uint16:
		return int64(x), true
	case uint32:
		return int64(x), true
	case uint64:
		return int64(x), true
	}
	return 0, false
}

var kindNames = map[kind]string{kindBool: "System.Boolean", kindString: "System.String", kindChar: "System.Char", kindSByte: "System.SByte",
	kindByte: "System.Byte", kindShort: "System.Int16", kindUShort: "System.UInt16", kindInt: "System.Int32", kindUInt: "System.UInt32",
	kindLong: "System.Int64", kindULong: "System.UInt64", kindFloat: "System.Single", kindDouble: "System.Double", kindDecimal: "System.Decimal"}

// kindOf gives the kind of a boxed primitive.
func kindOf(v any) (kind, bool) {
	switch v.(type) {
	case bool:
		return kindBool, true
	case string:
		return kindString, true
	case Char:
		return kindChar, true
	case int8:
		return kindSByte, true
	case uint8:
		return kindByte, true
	case int16:
		return kindShort, true
	case uint16:
		return kindUShort, true
	case int32:
		return kindInt, true
	case uint32:
		return kindUInt, true
	case int64:
		return kindLong, true
	case uint64:
		return kindULong, true
	case float32:
		return kindFloat, true
	case float64:
		return kindDouble, true
	case Decimal:
		return kindDecimal, true
	}
	return 0, false
}

// boxInt gives the boxed form of an integer of kind k.
func boxInt(k kind, n int64) any {
	switch k {
	case kindInt:
		return int32(n)
	case kindLong:
		return n
	case kindChar:
		return Char(n)
	case kindByte:
		return uint8(n)
	case kindSByte:
		return int8(n)
	case kindShort:
		return int16(n)
	case kindUShort:
		return uint16(n)
	case kindUInt:
		return uint32(n)
	}
	return uint64(n)
}

// boxer makes code that boxes what c computes in static type t.
func boxer(c code, t *Type) func(*Frame) any {
	switch t.repr() {
	case reprInt:
		i := c.i
		switch t.kind {
		case kindEnum:
			return func(fr *Frame) any { return Enum{t, i(fr)} }
		case kindInt:
			return func(fr *Frame) any { return int32(i(fr)) }
		}
		k := t.kind
		return func(fr *Frame) any { return boxInt(k, i(fr)) }
	case reprFloat:
		f := c.f
		if t.kind == kindFloat {
			return func(fr *Frame) any { return float32(f(fr)) }
		}
		return func(fr *Frame) any { return f(fr) }
	case reprBool:
		b := c.b
		return func(fr *Frame) any { return b(fr) }
	case reprStr:
		s := c.s
		return func(fr *Frame) any { return BoxString(s(fr)) }
	case reprVoid:
		v := c.v
		return func(fr *Frame) any { v(fr); return nil }
	}
	return c.o
}

// unboxer is the reverse of boxer for values that are known to be of type t; nil becomes default(T).
func unboxer(o func(*Frame) any, t *Type) code {
	switch t.repr() {
	case reprInt:
		return code{i: func(fr *Frame) int64 {
			v := o(fr)
			if n, ok := v.(int32); ok {
				return int64(n)
			}
			n, _ := Integer(v)
			return n
		}}
	case reprFloat:
		return code{f: func(fr *Frame) float64 { return unboxFloat(o(fr)) }}
	case reprBool:
		return code{b: func(fr *Frame) bool { b, _ := o(fr).(bool); return b }}
	case reprStr:
		return code{s: func(fr *Frame) string { return UnboxString(o(fr)) }}
	case reprVoid:
		return code{v: func(fr *Frame) { o(fr) }}
	}
	if t.isValue() {
		zero := Zero(t)
		return code{o: func(fr *Frame) any {
			if v := o(fr); v != nil {
				return v
			}
			return zero
		}}
	}
	return code{o: o}
}

func unboxFloat(v any) float64 {
	switch x := v.(type) {
	case float64:
		return x
	case float32:
		return float64(x)
	}
	return 0
}

// Zero is the boxed default(T); nil for reference types and T?.
func Zero(t *Type) any {
	switch t.kind {
	case kindBool:
		return false
	case kindFloat:
		return float32(0)
	case kindDouble:
		return float64(0)
	case kindDecimal:
		return Decimal{}
	case kindEnum:
		return Enum{Type: t}
	case kindStruct:
		return t.zero()
	case kindRecord:
		if t.tuple {
			r := &Record{Type: t, Values: make([]any, len(t.fields))}
			for i, f := range t.fields {
				r.Values[i] = Zero(f.typ)
			}
			return r
		}
	}
	if t.isIntegral() {
		return boxInt(t.kind, 0)
	}
	return nil
}
