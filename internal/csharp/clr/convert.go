package clr

import (
	"encoding/base64"
	"encoding/hex"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/causeway-apim/causeway/internal/csharp"
)

// A Convertible knows how to become a value of another primitive type for Convert.ToX(object).
type Convertible interface{ ConvertTo(keyword string) any }

// invalidConvert throws for a pair of primitive types that Convert does not convert.
func invalidConvert(v any, to string) {
	switch v.(type) {
	case bool, string, csharp.Char, float64, float32, csharp.Decimal, DateTime, csharp.Enum:
	default:
		if _, ok := csharp.Integer(v); !ok {
			csharp.Throwf("System.InvalidCastException", "Unable to cast object of type '%s' to type 'System.IConvertible'.", csharp.TypeName(v))
		}
	}
	from := strings.TrimPrefix(csharp.TypeName(v), "System.")
	csharp.Throwf("System.InvalidCastException", "Invalid cast from '%s' to '%s'.", from, to)
}

// toInt is Convert.ToInt32 and its like for any value; null is 0.
func (t intType) convert(v any) any {
	switch x := v.(type) {
	case nil:
		return t.box(0)
	case string:
		return t.must(x, styleInteger)
	case bool:
		return t.box(map[bool]int64{true: 1}[x])
	case float64:
		return t.fromFloat(x)
	case float32:
		return t.fromFloat(float64(x))
	case csharp.Decimal:
		return t.fromBig(x.Round(0, csharp.MidpointEven))
	case uint64:
		return t.check(new(big.Int).SetUint64(x))
	case Convertible:
		return x.ConvertTo(t.keyword)
	}
	n, ok := csharp.Integer(v)
	if !ok {
		invalidConvert(v, t.name)
	}
	return t.check(big.NewInt(n))
}

func (t intType) check(n *big.Int) any {
	lo, hi := t.limits()
	if n.Cmp(lo) < 0 || n.Cmp(hi) > 0 {
		t.overflow()
	}
	if n.IsInt64() {
		return t.box(n.Int64())
	}
	return t.box(int64(n.Uint64()))
}

func (t intType) fromFloat(f float64) any {
	f = math.RoundToEven(f)
	switch {
	case t.bits < 32 && !(f >= math.MinInt32 && f <= math.MaxInt32): // .NET converts to Int32 first
		csharp.Throw("System.OverflowException", "Value was either too large or too small for an Int32.")
	case t.bits == 64 && (math.IsNaN(f) || math.Abs(f) >= 1<<64):
		csharp.Throw("System.OverflowException", "Arithmetic operation resulted in an overflow.")
	case math.IsNaN(f) || math.IsInf(f, 0):
		t.overflow()
	}
	n, _ := big.NewFloat(f).Int(nil)
	return t.check(n)
}

func (t intType) fromBig(d csharp.Decimal) any {
	n, ok := new(big.Int).SetString(d.ToString(), 10)
	if !ok {
		t.overflow()
	}
	return t.check(n)
}

// toDouble is Convert.ToDouble.
func toDouble(v any) float64 {
	switch x := v.(type) {
	case nil:
		return 0
	case string:
		f, ok := parseFloat(x, styleFloat|styleThousands, 64)
		if !ok {
			badNumber(x)
		}
		return f
	case bool:
		return map[bool]float64{true: 1}[x]
	case float64:
		return x
	case float32:
		return float64(x)
	case csharp.Decimal:
		return x.Float64()
	case uint64:
		return float64(x)
	case Convertible:
		return x.ConvertTo("double").(float64)
	case csharp.Char:
		invalidConvert(v, "Double")
	}
	n, ok := csharp.Integer(v)
	if !ok {
		invalidConvert(v, "Double")
	}
	return float64(n)
}

// toDecimal is Convert.ToDecimal.
func toDecimal(v any) csharp.Decimal {
	switch x := v.(type) {
	case nil:
		return csharp.Decimal{}
	case string:
		return mustDecimal(x, styleNumber)
	case bool:
		return csharp.DecimalFromInt64(map[bool]int64{true: 1}[x])
	case float64:
		return csharp.DecimalFromFloat(x, false)
	case float32:
		return csharp.DecimalFromFloat(float64(x), true)
	case csharp.Decimal:
		return x
	case uint64:
		return csharp.DecimalFromUint64(x)
	case Convertible:
		return x.ConvertTo("decimal").(csharp.Decimal)
	case csharp.Char:
		invalidConvert(v, "Decimal")
	}
	n, ok := csharp.Integer(v)
	if !ok {
		invalidConvert(v, "Decimal")
	}
	return csharp.DecimalFromInt64(n)
}

// toBoolean is Convert.ToBoolean.
func toBoolean(v any) bool {
	switch x := v.(type) {
	case nil:
		return false
	case string:
		return mustBool(x)
	case bool:
		return x
	case float64:
		return x != 0
	case float32:
		return x != 0
	case csharp.Decimal:
		return !x.IsZero()
	case Convertible:
		return x.ConvertTo("bool").(bool)
	case csharp.Char:
		invalidConvert(v, "Boolean")
	}
	n, ok := csharp.Integer(v)
	if !ok {
		invalidConvert(v, "Boolean")
	}
	return n != 0
}

func toChar(v any) csharp.Char {
	switch x := v.(type) {
	case nil:
		return 0
	case string:
		if csharp.Length(x) != 1 {
			formatError("String must be exactly one character long.")
		}
		return csharp.CharAt(x, 0)
	case csharp.Char:
		return x
	case bool, float64, float32, csharp.Decimal:
		invalidConvert(v, "Char")
	}
	n, ok := csharp.Integer(v)
	if !ok {
		invalidConvert(v, "Char")
	}
	if n < 0 || n > 0xFFFF {
		csharp.Throw("System.OverflowException", "Value was either too large or too small for a character.")
	}
	return csharp.Char(n)
}

// changeType is Convert.ChangeType.
func changeType(r run, v any, t *csharp.Type) any {
	needArg(t, "conversionType")
	if v == nil && t.IsValueType() {
		csharp.Throw("System.InvalidCastException", "Null object cannot be converted to a value type.")
	}
	for _, k := range intTypes() {
		if t.FullName() == "System."+k.name {
			return k.convert(v)
		}
	}
	switch t.FullName() {
	case "System.String":
		switch v.(type) {
		case nil:
			return nil
		case string, bool, csharp.Char, float64, float32, csharp.Decimal, DateTime, csharp.Enum, Convertible:
		default:
			if _, ok := csharp.Integer(v); !ok {
				csharp.Throw("System.InvalidCastException", "Object must implement IConvertible.")
			}
		}
		return text(v)
	case "System.Double":
		return toDouble(v)
	case "System.Single":
		return float32(toDouble(v))
	case "System.Decimal":
		return toDecimal(v)
	case "System.Boolean":
		return toBoolean(v)
	case "System.Char":
		return toChar(v)
	case "System.DateTime":
		return toDateTime(r, v)
	}
	if v == nil {
		return nil
	}
	if r.Library().InstanceOf(v, t) {
		return v
	}
	csharp.Throwf("System.InvalidCastException", "Invalid cast from '%s' to '%s'.", csharp.TypeName(v), t.FullName())
	return nil
}

func toDateTime(r run, v any) DateTime {
	switch x := v.(type) {
	case nil:
		return DateTime{}
	case DateTime:
		return x
	case string:
		return parseStyled(r, x, 0)
	case Convertible:
		return x.ConvertTo("DateTime").(DateTime)
	}
	invalidConvert(v, "DateTime")
	return DateTime{}
}

// convertSources are the types that Convert.ToX has overloads for besides object.
var convertSources = []string{"object", "string", "bool", "char", "sbyte", "byte", "short", "ushort", "int", "uint", "long", "ulong", "float", "double", "decimal"}

func declareConvert(b *csharp.Builder) {
	t := b.Type("static class System.Convert", csharp.NoGo())
	for _, k := range intTypes() {
		t.Static(k.keyword+" To"+k.name+"(object value)", csharp.Boxed(csharp.F1(k.convert)))
		t.Static(k.keyword+" To"+k.name+"(string value)", csharp.Boxed(csharp.F1(func(s string) any { return k.convert(csharp.BoxString(s)) })))
		t.Static(k.keyword+" To"+k.name+"(string value, IFormatProvider provider)", csharp.Boxed(csharp.F2(func(s string, _ any) any { return k.convert(csharp.BoxString(s)) })))
		t.Static(k.keyword+" To"+k.name+"(object value, IFormatProvider provider)", csharp.Boxed(csharp.F2(func(v, _ any) any { return k.convert(v) })))
		t.Static(k.keyword+" To"+k.name+"(string value, int fromBase)", csharp.Boxed(csharp.F2(func(s string, base int) any { return k.fromBase(s, base) })))
	}
	toSingle := func(v any) float64 { return float64(float32(toDouble(v))) }
	for f, convert := range map[string]func(any) float64{"double ToDouble": toDouble, "float ToSingle": toSingle} {
		t.Static(f+"(object value)", csharp.F1(convert))
		t.Static(f+"(string value)", csharp.F1(func(s string) float64 { return convert(csharp.BoxString(s)) }))
		t.Static(f+"(string value, IFormatProvider provider)", csharp.F2(func(s string, _ any) float64 { return convert(csharp.BoxString(s)) }))
		t.Static(f+"(object value, IFormatProvider provider)", csharp.F2(func(v, _ any) float64 { return convert(v) }))
	}
	t.Static("decimal ToDecimal(object value)", csharp.F1(toDecimal))
	t.Static("decimal ToDecimal(string value)", csharp.F1(func(s string) csharp.Decimal { return toDecimal(csharp.BoxString(s)) }))
	t.Static("decimal ToDecimal(object value, IFormatProvider provider)", csharp.F2(func(v, _ any) csharp.Decimal { return toDecimal(v) }))
	t.Static("bool ToBoolean(object value)", csharp.F1(toBoolean))
	t.Static("bool ToBoolean(string value)", csharp.F1(func(s string) bool { return toBoolean(csharp.BoxString(s)) }))
	t.Static("char ToChar(object value)", csharp.F1(toChar))
	t.Static("char ToChar(string value)", csharp.F1(func(s string) csharp.Char { needString(s, "value"); return toChar(s) }))
	t.Static("DateTime ToDateTime(object value)", csharp.F2(toDateTime))
	t.Static("DateTime ToDateTime(string value)", csharp.F2(func(r run, s string) DateTime { return toDateTime(r, csharp.BoxString(s)) }))
	for _, src := range convertSources {
		t.Static("string ToString("+src+" value)", stringOf(src))
		t.Static("string ToString("+src+" value, IFormatProvider provider)", stringOfWith(src))
	}
	t.Static("string ToString(DateTime value)", csharp.F1(func(d any) string { return text(d) }))
	for _, src := range []string{"byte", "short", "int", "long"} {
		bits := map[string]int{"byte": 8, "short": 16, "int": 32, "long": 64}[src]
		t.Static("string ToString("+src+" value, int toBase)", csharp.F2(func(n int64, base int) string { return toBase(n, base, bits) }))
	}
	t.Static("object ChangeType(object value, Type conversionType)", csharp.F3(changeType))
	declareTypeCode(b, t)
	declareConvertMore(b, t)
	declareBase64(t)
}

var typeCodes = []string{"Empty", "Object", "DBNull", "Boolean", "Char", "SByte", "Byte", "Int16", "UInt16", "Int32", "UInt32", "Int64",
	"UInt64", "Single", "Double", "Decimal", "DateTime", "", "String"}

// declareTypeCode declares System.TypeCode and Convert.GetTypeCode.
func declareTypeCode(b *csharp.Builder, t *csharp.TypeBuilder) {
	var names []string
	var values []int64
	for i, n := range typeCodes {
		if n != "" {
			names, values = append(names, n), append(values, int64(i))
		}
	}
	b.Enum("System.TypeCode", false, names, values).Outside()
	t.Static("TypeCode GetTypeCode(object value)", csharp.F1(func(v any) int {
		if v == nil {
			return 0
		}
		return max(1, slices.Index(typeCodes, strings.TrimPrefix(csharp.TypeName(v), "System.")))
	}))
}

func stringOf(src string) csharp.Func {
	switch src {
	case "string":
		return csharp.F1(func(s string) string { return s })
	case "object":
		return csharp.F1(text)
	case "decimal":
		return csharp.F1(csharp.Decimal.ToString)
	case "bool":
		return csharp.F1(func(v bool) string { return text(v) })
	case "char":
		return csharp.F1(csharp.Char.String)
	case "float":
		return csharp.F1(func(f float32) string { return text(f) })
	case "double":
		return csharp.F1(func(f float64) string { return text(f) })
	case "ulong":
		return csharp.F1(func(n uint64) string { return text(n) })
	}
	return csharp.F1(func(n int64) string { return text(n) })
}

func stringOfWith(src string) csharp.Func {
	switch src {
	case "string":
		return csharp.F2(func(s string, _ any) string { return s })
	case "object":
		return csharp.F2(func(v, _ any) string { return text(v) })
	case "decimal":
		return csharp.F2(func(d csharp.Decimal, _ any) string { return d.ToString() })
	case "bool":
		return csharp.F2(func(v bool, _ any) string { return text(v) })
	case "char":
		return csharp.F2(func(c csharp.Char, _ any) string { return c.String() })
	case "float":
		return csharp.F2(func(f float32, _ any) string { return text(f) })
	case "double":
		return csharp.F2(func(f float64, _ any) string { return text(f) })
	case "ulong":
		return csharp.F2(func(n uint64, _ any) string { return text(n) })
	}
	return csharp.F2(func(n int64, _ any) string { return text(n) })
}

func checkBase(base int) {
	if base != 2 && base != 8 && base != 10 && base != 16 {
		csharp.Throw("System.ArgumentException", "Invalid Base.")
	}
}

// fromBase reads text in base 2, 8, 10 or 16; the sign bit of other bases than ten makes a number negative.
func (t intType) fromBase(s string, base int) any {
	checkBase(base)
	if csharp.IsNull(s) {
		return t.box(0)
	}
	if s == "" {
		outOfRange("index", "Index was out of range. Must be non-negative and less than the size of the collection.")
	}
	digits, negative := strings.CutPrefix(s, "-")
	switch {
	case !negative:
		digits = strings.TrimPrefix(s, "+")
	case base != 10:
		csharp.Throw("System.ArgumentException", "String cannot contain a minus sign if the base is not 10.")
	case !t.signed:
		csharp.Throw("System.OverflowException", "The string was being parsed as an unsigned number and could not have a negative sign.")
	}
	if base == 16 && (strings.HasPrefix(digits, "0x") || strings.HasPrefix(digits, "0X")) {
		digits = digits[2:]
	}
	end := 0
	for end < len(digits) && digitIn(digits[end]) < base {
		end++
	}
	switch {
	case end == 0:
		formatError("Could not find any recognizable digits.")
	case end < len(digits):
		formatError("Additional non-parsable characters are at the end of the string.")
	case base == 10:
		return t.must(s, styleLeadingSign)
	}
	n, err := strconv.ParseUint(digits, base, 64)
	if err != nil || t.bits < 64 && n>>t.bits != 0 {
		t.overflow()
	}
	return t.box(int64(n) << (64 - t.bits) >> (64 - t.bits))
}

// digitIn is the value of a digit or letter, 99 for other bytes.
func digitIn(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c|0x20 >= 'a' && c|0x20 <= 'z':
		return int(c|0x20-'a') + 10
	}
	return 99
}

func toBase(n int64, base, bits int) string {
	checkBase(base)
	if base == 10 {
		return strconv.FormatInt(n, 10)
	}
	u := uint64(n)
	if bits < 64 {
		u &= 1<<bits - 1
	}
	return strconv.FormatUint(u, base)
}

func declareBase64(t *csharp.TypeBuilder) {
	t.Static("byte[] FromBase64String(string s)", csharp.F2(func(r run, s string) []byte {
		needString(s, "s")
		r.Alloc(len(s))
		return decodeBase64(s)
	}))
	t.Static("string ToBase64String(byte[] inArray)", csharp.F2(func(r run, p []byte) string {
		if p == nil {
			csharp.ThrowArgumentNull("inArray")
		}
		r.Alloc(2 * len(p))
		return base64.StdEncoding.EncodeToString(p)
	}))
	t.Static("string ToBase64String(byte[] inArray, int offset, int length)", csharp.F3(func(p []byte, i, n int) string {
		if i < 0 || n < 0 || i+n > len(p) {
			outOfRange("offset", "Offset and length must refer to a position in the string.")
		}
		return base64.StdEncoding.EncodeToString(p[i : i+n])
	}))
	t.Static("string ToHexString(byte[] inArray)", csharp.F1(func(p []byte) string { return strings.ToUpper(hex.EncodeToString(p)) }))
	t.Static("byte[] FromHexString(string s)", csharp.F1(func(s string) []byte {
		p, err := hex.DecodeString(s)
		if err != nil {
			formatError("The input is not a valid hex string as it contains a non-hex character.")
		}
		return p
	}))
}

func decodeBase64(s string) []byte {
	clean := strings.NewReplacer(" ", "", "\t", "", "\r", "", "\n", "").Replace(s)
	p, err := base64.StdEncoding.Strict().DecodeString(clean)
	if err != nil {
		if p, err = base64.StdEncoding.DecodeString(clean); err != nil {
			formatError("The input is not a valid Base-64 string as it contains a non-base 64 character, more than two padding characters, or an illegal character among the padding characters.")
		}
	}
	if p == nil {
		p = []byte{}
	}
	return p
}
