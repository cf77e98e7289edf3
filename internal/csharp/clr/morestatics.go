package clr

import (
	"encoding/base64"
	"encoding/hex"
	"math"
	"strings"

	"github.com/causeway-apim/causeway/internal/csharp"
)

// This file declares the overloads of Convert with a provider and further ones of Math and StringBuilder.

func declareConvertMore(b *csharp.Builder, t *csharp.TypeBuilder) {
	t.Static("bool ToBoolean(object value, IFormatProvider provider)", csharp.F2(func(v, _ any) bool { return toBoolean(v) }))
	t.Static("bool ToBoolean(string value, IFormatProvider provider)", csharp.F2(func(s string, _ any) bool { return toBoolean(csharp.BoxString(s)) }))
	t.Static("char ToChar(object value, IFormatProvider provider)", csharp.F2(func(v, _ any) csharp.Char { return toChar(v) }))
	t.Static("char ToChar(string value, IFormatProvider provider)", csharp.F2(func(s string, _ any) csharp.Char { needString(s, "value"); return toChar(s) }))
	t.Static("decimal ToDecimal(string value, IFormatProvider provider)", csharp.F2(func(s string, _ any) csharp.Decimal { return toDecimal(csharp.BoxString(s)) }))
	t.Static("DateTime ToDateTime(object value, IFormatProvider provider)", csharp.F3(func(r run, v, _ any) DateTime { return toDateTime(r, v) }))
	t.Static("DateTime ToDateTime(string value, IFormatProvider provider)", csharp.F3(func(r run, s string, _ any) DateTime { return toDateTime(r, csharp.BoxString(s)) }))
	t.Static("string ToString(DateTime value, IFormatProvider provider)", csharp.F2(func(d, _ any) string { return text(d) }))
	t.Static("object ChangeType(object value, Type conversionType, IFormatProvider provider)", csharp.F4(func(r run, v any, to *csharp.Type, _ any) any { return changeType(r, v, to) }))
	byCode := func(r run, v any, code int) any {
		if v == nil && (code == 0 || code == 1 || code == 18) {
			return nil
		}
		if code < 3 || code >= len(typeCodes) || typeCodes[code] == "" {
			csharp.ThrowArgument("System.ArgumentException", "Unknown TypeCode value.", "typeCode")
		}
		return changeType(r, v, r.Library().MustType("System."+typeCodes[code]))
	}
	t.Static("object ChangeType(object value, TypeCode typeCode)", csharp.F3(byCode))
	t.Static("object ChangeType(object value, TypeCode typeCode, IFormatProvider provider)", csharp.F4(func(r run, v any, code int, _ any) any { return byCode(r, v, code) }))
	b.Enum("System.Base64FormattingOptions", false, []string{"None", "InsertLineBreaks"}, []int64{0, 1}).Outside()
	t.Static("string ToBase64String(byte[] inArray, Base64FormattingOptions options)", csharp.F3(func(r run, p []byte, o int) string {
		if p == nil {
			csharp.ThrowArgumentNull("inArray")
		}
		r.Alloc(2 * len(p))
		s := base64.StdEncoding.EncodeToString(p)
		if o == 0 {
			return s
		}
		var out strings.Builder
		for ; len(s) > 76; s = s[76:] {
			out.WriteString(s[:76] + "\r\n")
		}
		return out.String() + s
	}))
	t.Static("string ToHexString(byte[] inArray, int offset, int length)", csharp.F3(func(p []byte, i, n int) string { return strings.ToUpper(hex.EncodeToString(window(p, i, n))) }))
	t.Static("string ToHexStringLower(byte[] inArray)", csharp.F1(func(p []byte) string { return hex.EncodeToString(p) }))
	t.Static("string ToHexStringLower(byte[] inArray, int offset, int length)", csharp.F3(func(p []byte, i, n int) string { return hex.EncodeToString(window(p, i, n)) }))
	t.Static("bool IsDBNull(object value)", csharp.F1(func(any) bool { return false }))
	t.Static("byte[] FromBase64CharArray(char[] inArray, int offset, int length)", csharp.F4(func(r run, a array, i, n int) []byte {
		needArray(a, "inArray")
		s := charsToString(a)
		if i < 0 || n < 0 || n > csharp.Length(s)-i {
			outOfRange("offset", "Offset and length must refer to a position in the string.")
		}
		r.Alloc(n)
		return decodeBase64(csharp.Slice(s, i, i+n))
	}))
}

func declareMathMore(t *csharp.TypeBuilder) {
	t.Const("double Tau", 2*math.Pi)
	for name, f := range map[string]func(float64) float64{"Acosh": math.Acosh, "Asinh": math.Asinh, "Atanh": math.Atanh,
		"BitIncrement": func(x float64) float64 { return math.Nextafter(x, math.Inf(1)) }, "BitDecrement": func(x float64) float64 { return math.Nextafter(x, math.Inf(-1)) }} {
		t.Static("double "+name+"(double d)", csharp.F1(f))
	}
	t.Static("double CopySign(double x, double y)", csharp.F2(math.Copysign))
	t.Static("double FusedMultiplyAdd(double x, double y, double z)", csharp.F3(math.FMA))
	t.Static("double ScaleB(double x, int n)", csharp.F2(math.Ldexp))
}

func declareStringBuilderMore(t *csharp.TypeBuilder) {
	type sb = *StringBuilder
	t.Method("StringBuilder AppendFormat(IFormatProvider provider, string format, params object[] args)", csharp.F5(func(r run, s sb, _ any, f string, a array) sb {
		return s.append(r, composite(r, f, a.Items))
	}))
	t.Method("StringBuilder AppendJoin(char separator, params object[] values)", csharp.F4(func(r run, s sb, sep csharp.Char, a array) sb {
		return s.append(r, joinText(r, sep.String(), texts(a.Items)))
	}))
	t.Method("StringBuilder AppendJoin<T>(char separator, IEnumerable<T> values)", csharp.F4(func(r run, s sb, sep csharp.Char, v any) sb {
		return s.append(r, joinText(r, sep.String(), texts(csharp.Items(r, v))))
	}))
	t.Method("StringBuilder Append(char[] value, int startIndex, int charCount)", csharp.F5(func(r run, s sb, a array, i, n int) sb {
		if a == nil {
			if i == 0 && n == 0 {
				return s
			}
			csharp.ThrowArgumentNull("value")
		}
		return s.append(r, substring(charsToString(a), i, n))
	}))
	t.Method("StringBuilder Insert(int index, string value, int count)", csharp.F5(func(r run, s sb, i int, v string, n int) sb {
		if n < 0 {
			outOfRange("count", "Non-negative number required.")
		}
		r.Alloc(len(v) * n)
		return insertText(r, s, i, strings.Repeat(v, n))
	}))
	part := func(r run, s sb, i, n int, change func(string) string) sb {
		v := s.ToString()
		total := csharp.Length(v)
		if i < 0 || i > total {
			outOfRange("startIndex", "Index was out of range. Must be non-negative and less than or equal to the size of the collection.")
		}
		if n < 0 || n > total-i {
			outOfRange("count", "Index was out of range. Must be non-negative and less than or equal to the size of the collection.")
		}
		r.Alloc(len(v))
		return s.set(csharp.Slice(v, 0, i) + change(csharp.Slice(v, i, i+n)) + csharp.Slice(v, i+n, total))
	}
	t.Method("StringBuilder Replace(string oldValue, string newValue, int startIndex, int count)", csharp.F6(func(r run, s sb, a, c string, i, n int) sb {
		return part(r, s, i, n, func(v string) string { return replaceText(r, v, a, c, ordinal) })
	}))
	t.Method("StringBuilder Replace(char oldChar, char newChar, int startIndex, int count)", csharp.F6(func(r run, s sb, a, c csharp.Char, i, n int) sb {
		return part(r, s, i, n, func(v string) string { return strings.ReplaceAll(v, a.String(), c.String()) })
	}))
	t.Method("int EnsureCapacity(int capacity)", csharp.F2(func(s sb, n int) int { return max(n, len(s.b)) }))
	t.Method("StringBuilder Append(StringBuilder value, int startIndex, int count)", csharp.F5(func(r run, s, v sb, i, n int) sb {
		if v == nil {
			if i == 0 && n == 0 {
				return s
			}
			csharp.ThrowArgumentNull("value")
		}
		return s.append(r, substring(v.ToString(), i, n))
	}))
	t.Method("StringBuilder Insert(int index, char[] value, int startIndex, int charCount)", csharp.F6(func(r run, s sb, at int, a array, i, n int) sb {
		return insertText(r, s, at, substring(charsToString(a), i, n))
	}))
	t.Method("void CopyTo(int sourceIndex, char[] destination, int destinationIndex, int count)", csharp.V6(func(r run, s sb, i int, dst array, at, n int) {
		needArray(dst, "destination")
		copyItems(stringToChars(r, substring(s.ToString(), i, n)).Items, dst, at)
	}))
	t.New("(string value, int startIndex, int length, int capacity)", csharp.F5(func(r run, v string, i, n, _ int) sb {
		return (&StringBuilder{}).append(r, substring(notNull(v), i, n))
	}))
	t.New("(int capacity, int maxCapacity)", csharp.F2(func(int, int) sb { return &StringBuilder{} }))
	t.Prop("int MaxCapacity", csharp.F1(func(sb) int { return math.MaxInt32 }))
}
