package csharp

// unboxInt reads any boxed integer, char or enum. A ulong keeps its bits.
func unboxInt(v any) (int64, bool) {
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
