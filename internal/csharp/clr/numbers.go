package clr

import (
	"math"
	"math/big"
	"strconv"
	"strings"

	"golang.org/x/text/unicode/norm"

	"github.com/causeway-apim/causeway/internal/csharp"
)

func normalize(s string) string { return needWhole(s, norm.NFC) }

// needWhole normalizes a text, which must not hold half of a surrogate pair.
func needWhole(s string, f norm.Form) string {
	if hasHalf(s) {
		csharp.ThrowArgument("System.ArgumentException", "String contains invalid Unicode code points.", "strInput")
	}
	return f.String(s)
}

// declareNormalForms declares the normal forms of Unicode under their values in System.Text.NormalizationForm.
func declareNormalForms(t *csharp.TypeBuilder) {
	form := func(n int) norm.Form {
		f, ok := map[int]norm.Form{1: norm.NFC, 2: norm.NFD, 5: norm.NFKC, 6: norm.NFKD}[n]
		if !ok {
			csharp.ThrowArgument("System.ArgumentException", "Invalid or unsupported normalization form.", "normalizationForm")
		}
		return f
	}
	t.Method("string Normalize(NormalizationForm normalizationForm)", csharp.F3(func(r run, s string, n int) string {
		r.Alloc(2 * len(s))
		return needWhole(s, form(n))
	}))
	t.Method("bool IsNormalized()", csharp.F1(norm.NFC.IsNormalString))
	t.Method("bool IsNormalized(NormalizationForm normalizationForm)", csharp.F2(func(s string, n int) bool { return form(n).IsNormalString(s) }))
}

// intType describes an integer type of .NET.
type intType struct {
	name, keyword string
	bits          int
	signed        bool
	article       string // as the overflow message has it
}

func intTypes() []intType {
	return []intType{
		{"Int32", "int", 32, true, "an Int32"}, {"Int64", "long", 64, true, "an Int64"}, {"Int16", "short", 16, true, "an Int16"},
		{"Byte", "byte", 8, false, "an unsigned byte"}, {"SByte", "sbyte", 8, true, "a signed byte"},
		{"UInt16", "ushort", 16, false, "a UInt16"}, {"UInt32", "uint", 32, false, "a UInt32"}, {"UInt64", "ulong", 64, false, "a UInt64"},
	}
}

// box gives the boxed form of n, which is in range; a ulong by its bits.
func (t intType) box(n int64) any {
	switch t.keyword {
	case "int":
		return int32(n)
	case "long":
		return n
	case "short":
		return int16(n)
	case "byte":
		return uint8(n)
	case "sbyte":
		return int8(n)
	case "ushort":
		return uint16(n)
	case "uint":
		return uint32(n)
	}
	return uint64(n)
}

func (t intType) limits() (lo, hi *big.Int) {
	one := big.NewInt(1)
	if t.signed {
		hi = new(big.Int).Lsh(one, uint(t.bits-1))
		return new(big.Int).Neg(hi), hi.Sub(hi, one)
	}
	return new(big.Int), new(big.Int).Sub(new(big.Int).Lsh(one, uint(t.bits)), one)
}

func (t intType) overflow() {
	csharp.Throwf("System.OverflowException", "Value was either too large or too small for %s.", t.article)
}

// number styles, as System.Globalization.NumberStyles
const (
	styleLeadingWhite = 1 << iota
	styleTrailingWhite
	styleLeadingSign
	styleTrailingSign
	styleParentheses
	styleDecimalPoint
	styleThousands
	styleExponent
	styleCurrency
	styleHex

	styleInteger = styleLeadingWhite | styleTrailingWhite | styleLeadingSign
	styleNumber  = styleInteger | styleTrailingSign | styleDecimalPoint | styleThousands
	styleFloat   = styleInteger | styleDecimalPoint | styleExponent
)

// parsed is the text of a number cut into sign and digits: 0.digits * 10^exp.
type parsed struct {
	neg    bool
	digits string
	exp    int
	scale  int // digits written behind the point
}

// parseNumber reads a decimal number of the given style.
func parseNumber(s string, style int) (p parsed, ok bool) {
	if style&styleLeadingWhite != 0 {
		s = strings.TrimLeft(s, " \t\n\v\f\r")
	}
	if style&styleTrailingWhite != 0 {
		s = strings.TrimRight(s, " \t\n\v\f\r\x00")
	}
	if style&styleParentheses != 0 && strings.HasPrefix(s, "(") && strings.HasSuffix(s, ")") {
		p.neg, s = true, s[1:len(s)-1]
	}
	if style&styleCurrency != 0 {
		s = strings.Replace(s, "¤", "", 1)
	}
	if style&styleLeadingSign != 0 && s != "" && (s[0] == '-' || s[0] == '+') {
		p.neg, s = s[0] == '-', s[1:]
	} else if style&styleTrailingSign != 0 && s != "" && (s[len(s)-1] == '-' || s[len(s)-1] == '+') {
		p.neg, s = s[len(s)-1] == '-', strings.TrimRight(s[:len(s)-1], " ")
	}
	exp := 0
	if i := strings.IndexAny(s, "eE"); i >= 0 && style&styleExponent != 0 {
		e := s[i+1:]
		if e == "" || strings.Trim(e, "+-0123456789") != "" || strings.LastIndexAny(e, "+-") > 0 || strings.Trim(e, "+-") == "" {
			return p, false
		}
		n, err := strconv.Atoi(e)
		if err != nil {
			n = 99999
			if e[0] == '-' {
				n = -n
			}
		}
		exp, s = min(max(n, -99999), 99999), s[:i]
	}
	whole, frac, point := strings.Cut(s, ".")
	if point && style&styleDecimalPoint == 0 {
		return p, false
	}
	if style&styleThousands != 0 && whole != "" && whole[0] != ',' {
		whole = strings.ReplaceAll(whole, ",", "")
	}
	all := whole + frac
	if all == "" || strings.Trim(all, "0123456789") != "" {
		return p, false
	}
	p.scale = len(frac)
	p.digits, p.exp = trimZeros(all, len(whole)+exp)
	return p, true
}

func badNumber(s string) {
	csharp.Throwf("System.FormatException", "The input string '%s' was not in a correct format.", s)
}

// parse reads an integer: state 0 is success, 1 a bad format, 2 an overflow.
func (t intType) parse(s string, style int) (any, int) {
	v := new(big.Int)
	if style&styleHex != 0 {
		s = strings.Trim(s, " \t\n\r")
		if _, ok := v.SetString(s, 16); !ok || strings.ContainsAny(s, "+-_") {
			return nil, 1
		}
		if v.BitLen() > t.bits {
			return nil, 2
		}
		return t.box(int64(v.Uint64()) << (64 - t.bits) >> (64 - t.bits)), 0
	}
	p, ok := parseNumber(s, style)
	if !ok {
		return nil, 1
	}
	digits := p.digits
	if p.exp > 100 {
		return nil, 2
	}
	if p.exp < len(digits) {
		if strings.Trim(digits[max(p.exp, 0):], "0") != "" {
			return nil, 2
		}
		digits = digits[:max(p.exp, 0)]
	}
	digits += strings.Repeat("0", max(0, p.exp-len(digits)))
	if digits == "" {
		digits = "0"
	}
	v.SetString(digits, 10)
	if p.neg {
		v.Neg(v)
	}
	lo, hi := t.limits()
	if v.Cmp(lo) < 0 || v.Cmp(hi) > 0 {
		return nil, 2
	}
	if v.IsInt64() {
		return t.box(v.Int64()), 0
	}
	return t.box(int64(v.Uint64())), 0
}

func (t intType) must(s string, style int) any {
	needString(s, "s")
	v, state := t.parse(s, style)
	switch state {
	case 1:
		badNumber(s)
	case 2:
		t.overflow()
	}
	return v
}

// parseFloat reads a double or float.
func parseFloat(s string, style, bits int) (float64, bool) {
	checkFloatStyle(style)
	trimmed := strings.TrimFunc(s, isWhite)
	switch strings.ToLower(strings.TrimPrefix(trimmed, "+")) {
	case "nan", "-nan":
		return math.NaN(), true
	case "infinity":
		return math.Inf(1), true
	case "-infinity":
		return math.Inf(-1), true
	}
	p, ok := parseNumber(s, style)
	if !ok {
		return 0, false
	}
	f, _ := strconv.ParseFloat("0."+p.digits+"0e"+strconv.Itoa(p.exp), bits)
	if p.neg {
		f = -f
	}
	return f, true
}

// checkFloatStyle refuses NumberStyles that only integers take.
func checkFloatStyle(style int) {
	const hexOrBinary = 0x200 | 0x400
	if style&hexOrBinary != 0 {
		csharp.ThrowArgument("System.ArgumentException", "The number styles AllowHexSpecifier and AllowBinarySpecifier are not supported on floating point data types.", "style")
	}
}

// parseDecimal reads a decimal: state as intType.parse.
func parseDecimal(s string, style int) (csharp.Decimal, int) {
	checkFloatStyle(style)
	p, ok := parseNumber(s, style)
	if !ok {
		return csharp.Decimal{}, 1
	}
	text := p.digits
	if text == "" {
		text = "0"
	}
	// Digits written as zeros behind the point count for the scale.
	d, err := csharp.ParseDecimal(text + "e" + strconv.Itoa(p.exp-len(p.digits)))
	if p.digits == "" {
		d, err = csharp.ParseDecimal("0." + strings.Repeat("0", min(p.scale, 28)) + "0e1")
		if p.scale == 0 {
			d, err = csharp.Decimal{}, nil
		}
	}
	if err != nil {
		return d, 2
	}
	if p.neg {
		d = d.Neg()
	}
	return d, 0
}

func mustDecimal(s string, style int) csharp.Decimal {
	needString(s, "s")
	d, state := parseDecimal(s, style)
	switch state {
	case 1:
		badNumber(s)
	case 2:
		csharp.Throw("System.OverflowException", "Value was either too large or too small for a Decimal.")
	}
	return d
}

// parser reads text of a style for a type; ok is false when TryParse fails.
type parser struct {
	keyword string
	style   int
	must    func(s string, style int) any
	try     func(s string, style int) (any, bool)
	zero    any
}

func declareParse(t *csharp.TypeBuilder, p parser) {
	res := p.keyword
	boxed := csharp.Boxed
	t.Static(res+" Parse(string s)", boxed(csharp.F1(func(s string) any { return p.must(s, p.style) })))
	t.Static(res+" Parse(string s, IFormatProvider provider)", boxed(csharp.F2(func(s string, _ any) any { return p.must(s, p.style) })))
	t.Static(res+" Parse(string s, System.Globalization.NumberStyles style)", boxed(csharp.F2(func(s string, n int) any { return p.must(s, n) })))
	t.Static(res+" Parse(string s, System.Globalization.NumberStyles style, IFormatProvider provider)", boxed(csharp.F3(func(s string, n int, _ any) any { return p.must(s, n) })))
	try := func(s string, style int, out ref) bool {
		if csharp.IsNull(s) {
			out.Value = p.zero
			return false
		}
		v, ok := p.try(s, style)
		if !ok {
			v = p.zero
		}
		out.Value = v
		return ok
	}
	t.Static("bool TryParse(string s, out "+res+" result)", csharp.F2(func(s string, out ref) bool { return try(s, p.style, out) }))
	t.Static("bool TryParse(string s, IFormatProvider provider, out "+res+" result)", csharp.F3(func(s string, _ any, out ref) bool { return try(s, p.style, out) }))
	t.Static("bool TryParse(string s, System.Globalization.NumberStyles style, IFormatProvider provider, out "+res+" result)", csharp.F4(func(s string, n int, _ any, out ref) bool {
		return try(s, n, out)
	}))
}

func declareNumbers(b *csharp.Builder) {
	b.Enum("System.Globalization.NumberStyles", true,
		[]string{"None", "AllowLeadingWhite", "AllowTrailingWhite", "AllowLeadingSign", "Integer", "AllowTrailingSign", "AllowParentheses", "AllowDecimalPoint", "AllowThousands", "Number", "AllowExponent", "Float", "AllowCurrencySymbol", "Currency", "Any", "AllowHexSpecifier", "HexNumber"},
		[]int64{0, 1, 2, 4, 7, 8, 16, 32, 64, 111, 128, 167, 256, 383, 511, 512, 515}).Outside()
	const ifaces = " : IComparable, IFormattable, "
	for _, it := range intTypes() {
		t := b.Type("struct System."+it.name+ifaces+"IComparable<"+it.keyword+">, IEquatable<"+it.keyword+">", csharp.NoGo())
		lo, hi := it.limits()
		t.Const(it.keyword+" MinValue", it.box(lo.Int64()))
		t.Const(it.keyword+" MaxValue", it.box(int64(hi.Uint64())))
		declareParse(t, parser{it.keyword, styleInteger, it.must, func(s string, style int) (any, bool) {
			v, state := it.parse(s, style)
			return v, state == 0
		}, it.box(0)})
		declareIntStatics(t, it)
		numberMembers(t, it.keyword, func(n int64) any { return it.box(n) })
	}
	for _, f := range []struct {
		name, keyword string
		bits          int
	}{{"Double", "double", 64}, {"Single", "float", 32}} {
		t := b.Type("struct System."+f.name+ifaces+"IComparable<"+f.keyword+">, IEquatable<"+f.keyword+">", csharp.NoGo())
		box := func(x float64) any {
			if f.bits == 32 {
				return float32(x)
			}
			return x
		}
		most, least := math.MaxFloat64, 4.94065645841247e-324
		if f.bits == 32 {
			most, least = math.MaxFloat32, math.SmallestNonzeroFloat32
		}
		for name, x := range map[string]float64{"MaxValue": most, "MinValue": -most, "Epsilon": least, "NaN": math.NaN(), "PositiveInfinity": math.Inf(1), "NegativeInfinity": math.Inf(-1)} {
			t.Const(f.keyword+" "+name, box(x))
		}
		declareParse(t, parser{f.keyword, styleFloat | styleThousands, func(s string, style int) any {
			needString(s, "s")
			x, ok := parseFloat(s, style, f.bits)
			if !ok {
				badNumber(s)
			}
			return box(x)
		}, func(s string, style int) (any, bool) {
			x, ok := parseFloat(s, style, f.bits)
			return box(x), ok
		}, box(0)})
		for name, is := range map[string]func(float64) bool{
			"IsNaN": math.IsNaN, "IsInfinity": func(x float64) bool { return math.IsInf(x, 0) },
			"IsPositiveInfinity": func(x float64) bool { return math.IsInf(x, 1) },
			"IsNegativeInfinity": func(x float64) bool { return math.IsInf(x, -1) },
			"IsFinite":           func(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) },
			"IsNegative":         math.Signbit,
		} {
			t.Static("bool "+name+"("+f.keyword+" d)", csharp.F1(is))
		}
		declareFloatStatics(t, f.keyword, f.bits)
		floatMembers(t, f.keyword, box)
	}
	declareDecimal(b)
}

// numberMembers declares the instance members of an integer type.
func numberMembers(t *csharp.TypeBuilder, keyword string, box func(int64) any) {
	t.Method("string ToString()", csharp.F1(func(n int64) string { return text(box(n)) }))
	t.Method("string ToString(string format)", csharp.F2(func(n int64, f string) string { return Format(box(n), f) }))
	t.Method("string ToString(IFormatProvider provider)", csharp.F2(func(n int64, _ any) string { return text(box(n)) }))
	t.Method("string ToString(string format, IFormatProvider provider)", csharp.F3(func(n int64, f string, _ any) string { return Format(box(n), f) }))
	t.Method("int CompareTo("+keyword+" value)", csharp.F2(func(a, c int64) int { return Compare(box(a), box(c)) }))
	t.Method("int CompareTo(object value)", csharp.F2(func(a int64, c any) int { return Compare(box(a), c) }))
	t.Method("bool Equals("+keyword+" obj)", csharp.F2(func(a, c int64) bool { return a == c }))
	t.Method("bool Equals(object obj)", csharp.F2(func(a int64, c any) bool { return csharp.Equal(box(a), c) }))
}

func floatMembers(t *csharp.TypeBuilder, keyword string, box func(float64) any) {
	t.Method("string ToString()", csharp.F1(func(n float64) string { return text(box(n)) }))
	t.Method("string ToString(string format)", csharp.F2(func(n float64, f string) string { return Format(box(n), f) }))
	t.Method("string ToString(IFormatProvider provider)", csharp.F2(func(n float64, _ any) string { return text(box(n)) }))
	t.Method("string ToString(string format, IFormatProvider provider)", csharp.F3(func(n float64, f string, _ any) string { return Format(box(n), f) }))
	t.Method("int CompareTo("+keyword+" value)", csharp.F2(compareFloat))
	t.Method("int CompareTo(object value)", csharp.F2(func(a float64, c any) int {
		return compareTo(strings.TrimPrefix(csharp.TypeName(box(a)), "System."), box(a), c)
	}))
	t.Method("bool Equals("+keyword+" obj)", csharp.F2(func(a, c float64) bool { return csharp.Equal(a, c) }))
	t.Method("bool Equals(object obj)", csharp.F2(func(a float64, c any) bool { return csharp.Equal(box(a), c) }))
}

func declareDecimal(b *csharp.Builder) {
	type dec = csharp.Decimal
	t := b.Type("struct System.Decimal : IComparable, IFormattable, IComparable<decimal>, IEquatable<decimal>", csharp.Go[dec]())
	most := csharp.NewDecimal(math.MaxUint32, math.MaxUint32, math.MaxUint32, false, 0)
	t.Const("decimal MaxValue", most)
	t.Const("decimal MinValue", most.Neg())
	t.Const("decimal Zero", dec{})
	t.Const("decimal One", csharp.DecimalFromInt64(1))
	t.Const("decimal MinusOne", csharp.DecimalFromInt64(-1))
	t.New("(int value)", csharp.F1(csharp.DecimalFromInt64))
	t.New("(long value)", csharp.F1(csharp.DecimalFromInt64))
	t.New("(double value)", csharp.F1(func(f float64) dec { return csharp.DecimalFromFloat(f, false) }))
	t.New("(int lo, int mid, int hi, bool isNegative, byte scale)", csharp.F5(func(lo, mid, hi uint32, neg bool, scale uint8) dec {
		return csharp.NewDecimal(lo, mid, hi, neg, scale)
	}))
	declareParse(t, parser{"decimal", styleNumber, func(s string, style int) any { return mustDecimal(s, style) }, func(s string, style int) (any, bool) {
		d, state := parseDecimal(s, style)
		return d, state == 0
	}, dec{}})
	t.Method("string ToString(string format)", csharp.F2(func(d dec, f string) string { return Format(d, f) }))
	t.Method("string ToString(IFormatProvider provider)", csharp.F2(func(d dec, _ any) string { return d.ToString() }))
	t.Method("string ToString(string format, IFormatProvider provider)", csharp.F3(func(d dec, f string, _ any) string { return Format(d, f) }))
	t.Method("int CompareTo(decimal value)", csharp.F2(dec.Cmp))
	t.Method("int CompareTo(object value)", csharp.F2(func(d dec, c any) int { return compareTo("Decimal", d, c) }))
	t.Static("bool Equals(decimal d1, decimal d2)", csharp.F2(func(a, c dec) bool { return a.Cmp(c) == 0 }))
	t.Method("bool Equals(decimal value)", csharp.F2(func(a, c dec) bool { return a.Cmp(c) == 0 }))
	for name, f := range map[string]func(a, c dec) dec{"Add": dec.Add, "Subtract": dec.Sub, "Multiply": dec.Mul, "Divide": dec.Div, "Remainder": dec.Rem} {
		t.Static("decimal "+name+"(decimal d1, decimal d2)", csharp.F2(f))
	}
	t.Static("int Compare(decimal d1, decimal d2)", csharp.F2(dec.Cmp))
	t.Static("decimal Negate(decimal d)", csharp.F1(dec.Neg))
	for name, m := range map[string]csharp.Midpoint{"Truncate": csharp.MidpointZero, "Floor": csharp.MidpointNegative, "Ceiling": csharp.MidpointPositive} {
		t.Static("decimal "+name+"(decimal d)", csharp.F1(func(d dec) dec { return d.Round(0, m) }))
	}
	t.Static("decimal Round(decimal d)", csharp.F1(func(d dec) dec { return d.Round(0, csharp.MidpointEven) }))
	t.Static("decimal Round(decimal d, int decimals)", csharp.F2(func(d dec, n int) dec { return roundDecimal(d, n, 0) }))
	t.Static("decimal Round(decimal d, MidpointRounding mode)", csharp.F2(func(d dec, m int) dec { return roundDecimal(d, 0, m) }))
	t.Static("decimal Round(decimal d, int decimals, MidpointRounding mode)", csharp.F3(roundDecimal))
	declareDecimalStatics(t)
	t.Static("double ToDouble(decimal d)", csharp.F1(dec.Float64))
	t.Static("int[] GetBits(decimal d)", csharp.F2(func(t resultType, d dec) array {
		lo, mid, hi, neg, scale := d.Parts()
		flags := int32(scale) << 16
		if neg {
			flags |= math.MinInt32
		}
		return &csharp.Array{Elem: t.Elem(), Items: []any{int32(lo), int32(mid), int32(hi), flags}}
	}))
}

func roundDecimal(d csharp.Decimal, n, mode int) csharp.Decimal {
	if n < 0 || n > 28 {
		outOfRange("decimals", "Decimal can only round to between 0 and 28 digits of precision.")
	}
	return d.Round(n, csharp.Midpoint(mode))
}
