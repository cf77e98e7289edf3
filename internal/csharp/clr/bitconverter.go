package clr

import (
	"encoding/binary"
	"math"

	"github.com/causeway-apim/causeway/internal/csharp"
)

const upperHex = "0123456789ABCDEF"

// dashedHex is BitConverter.ToString.
func dashedHex(r run, b []byte) string {
	if len(b) == 0 {
		return ""
	}
	r.Alloc(3 * len(b))
	out := make([]byte, 0, 3*len(b)-1)
	for i, c := range b {
		if i > 0 {
			out = append(out, '-')
		}
		out = append(out, upperHex[c>>4], upperHex[c&15])
	}
	return string(out)
}

// bitsAt checks the range of a conversion from bytes and gives the bytes.
func bitsAt(b []byte, start, size int) []byte {
	switch {
	case b == nil:
		csharp.ThrowArgumentNull("value")
	case start < 0 || start >= len(b):
		outOfRange("startIndex", "Index was out of range. Must be non-negative and less than the size of the collection.")
	case start > len(b)-size:
		csharp.ThrowArgument("System.ArgumentException", "The array starting from the specified index is not long enough to read a value of the specified type.", "value")
	}
	return b[start : start+size]
}

// hexRange is the part of b that ToString(b, start, n) shows.
func hexRange(b []byte, start, n int) []byte {
	switch {
	case b == nil:
		csharp.ThrowArgumentNull("value")
	case start < 0 || start >= len(b) && start > 0:
		outOfRange("startIndex", "Index was out of range. Must be non-negative and less than the size of the collection.")
	case n < 0:
		outOfRange("length", "Value must be positive.")
	case start > len(b)-n:
		csharp.ThrowArgument("System.ArgumentException", "The array starting from the specified index is not long enough to read a value of the specified type.", "value")
	}
	return b[start : start+n]
}

func declareBitConverter(b *csharp.Builder) {
	t := b.Type("static class System.BitConverter", csharp.NoGo())
	le := binary.LittleEndian
	t.Const("bool IsLittleEndian", true)
	t.Static("ulong DoubleToUInt64Bits(double value)", csharp.F1(math.Float64bits))
	t.Static("double UInt64BitsToDouble(ulong value)", csharp.F1(math.Float64frombits))
	t.Static("uint SingleToUInt32Bits(float value)", csharp.F1(func(v float64) uint32 { return math.Float32bits(float32(v)) }))
	t.Static("float UInt32BitsToSingle(uint value)", csharp.F1(func(v uint32) float64 { return float64(math.Float32frombits(v)) }))
	t.Static("string ToString(byte[] value)", csharp.F2(func(r run, b []byte) string { return dashedHex(r, hexRange(b, 0, len(b))) }))
	t.Static("string ToString(byte[] value, int startIndex)", csharp.F3(func(r run, b []byte, i int) string { return dashedHex(r, hexRange(b, i, len(b)-i)) }))
	t.Static("string ToString(byte[] value, int startIndex, int length)", csharp.F4(func(r run, b []byte, i, n int) string { return dashedHex(r, hexRange(b, i, n)) }))

	t.Static("byte[] GetBytes(bool value)", csharp.F1(func(v bool) []byte {
		if v {
			return []byte{1}
		}
		return []byte{0}
	}))
	t.Static("byte[] GetBytes(char value)", csharp.F1(func(v csharp.Char) []byte { return le.AppendUint16(nil, uint16(v)) }))
	t.Static("byte[] GetBytes(short value)", csharp.F1(func(v int16) []byte { return le.AppendUint16(nil, uint16(v)) }))
	t.Static("byte[] GetBytes(int value)", csharp.F1(func(v int32) []byte { return le.AppendUint32(nil, uint32(v)) }))
	t.Static("byte[] GetBytes(long value)", csharp.F1(func(v int64) []byte { return le.AppendUint64(nil, uint64(v)) }))
	t.Static("byte[] GetBytes(ushort value)", csharp.F1(func(v uint16) []byte { return le.AppendUint16(nil, v) }))
	t.Static("byte[] GetBytes(uint value)", csharp.F1(func(v uint32) []byte { return le.AppendUint32(nil, v) }))
	t.Static("byte[] GetBytes(ulong value)", csharp.F1(func(v uint64) []byte { return le.AppendUint64(nil, v) }))
	t.Static("byte[] GetBytes(float value)", csharp.F1(func(v float32) []byte { return le.AppendUint32(nil, math.Float32bits(v)) }))
	t.Static("byte[] GetBytes(double value)", csharp.F1(func(v float64) []byte { return le.AppendUint64(nil, math.Float64bits(v)) }))

	t.Static("bool ToBoolean(byte[] value, int startIndex)", csharp.F2(func(b []byte, i int) bool { return bitsAt(b, i, 1)[0] != 0 }))
	t.Static("char ToChar(byte[] value, int startIndex)", csharp.F2(func(b []byte, i int) csharp.Char { return csharp.Char(le.Uint16(bitsAt(b, i, 2))) }))
	t.Static("short ToInt16(byte[] value, int startIndex)", csharp.F2(func(b []byte, i int) int16 { return int16(le.Uint16(bitsAt(b, i, 2))) }))
	t.Static("int ToInt32(byte[] value, int startIndex)", csharp.F2(func(b []byte, i int) int32 { return int32(le.Uint32(bitsAt(b, i, 4))) }))
	t.Static("long ToInt64(byte[] value, int startIndex)", csharp.F2(func(b []byte, i int) int64 { return int64(le.Uint64(bitsAt(b, i, 8))) }))
	t.Static("ushort ToUInt16(byte[] value, int startIndex)", csharp.F2(func(b []byte, i int) uint16 { return le.Uint16(bitsAt(b, i, 2)) }))
	t.Static("uint ToUInt32(byte[] value, int startIndex)", csharp.F2(func(b []byte, i int) uint32 { return le.Uint32(bitsAt(b, i, 4)) }))
	t.Static("ulong ToUInt64(byte[] value, int startIndex)", csharp.F2(func(b []byte, i int) uint64 { return le.Uint64(bitsAt(b, i, 8)) }))
	t.Static("float ToSingle(byte[] value, int startIndex)", csharp.F2(func(b []byte, i int) float32 { return math.Float32frombits(le.Uint32(bitsAt(b, i, 4))) }))
	t.Static("double ToDouble(byte[] value, int startIndex)", csharp.F2(func(b []byte, i int) float64 { return math.Float64frombits(le.Uint64(bitsAt(b, i, 8))) }))

	t.Static("long DoubleToInt64Bits(double value)", csharp.F1(func(v float64) int64 { return int64(math.Float64bits(v)) }))
	t.Static("double Int64BitsToDouble(long value)", csharp.F1(func(v int64) float64 { return math.Float64frombits(uint64(v)) }))
	t.Static("int SingleToInt32Bits(float value)", csharp.F1(func(v float32) int32 { return int32(math.Float32bits(v)) }))
	t.Static("float Int32BitsToSingle(int value)", csharp.F1(func(v int32) float32 { return math.Float32frombits(uint32(v)) }))
}
