package xslt

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode"

	"github.com/causeway-apim/causeway/internal/xmlx"
	"github.com/causeway-apim/causeway/internal/xmlx/xpath"
)

// numbering is an xsl:number.
type numbering struct {
	level                   string
	count, from             []*xpath.Pattern
	value                   *xpath.Expr
	format, separator, size value
}

func (c *compiler) number(n *xpath.Node) (code, error) {
	if err := c.allow(n, "level", "count", "from", "value", "format", "lang", "letter-value", "grouping-separator", "grouping-size"); err != nil {
		return nil, err
	}
	k := &numbering{level: "single"}
	if v, ok := n.Attr("", "level"); ok {
		if v != "single" && v != "multiple" && v != "any" {
			return nil, fmt.Errorf("the level %q is not single, multiple or any", v)
		}
		k.level = v
	}
	var err error
	for name, to := range map[string]*[]*xpath.Pattern{"count": &k.count, "from": &k.from} {
		if text, ok := n.Attr("", name); ok {
			if *to, err = xpath.CompilePattern(text, static{c: c, n: n}); err != nil {
				return nil, err
			}
		}
	}
	if text, ok := n.Attr("", "value"); ok {
		if k.value, err = c.expr(n, text); err != nil {
			return nil, err
		}
	}
	for name, to := range map[string]*value{"format": &k.format, "grouping-separator": &k.separator, "grouping-size": &k.size} {
		if *to, _, err = c.attrValue(n, name); err != nil {
			return nil, err
		}
	}
	return func(r *run, c *xpath.Context) { r.out.text(k.text(r, c), false) }, nil
}

func (k *numbering) text(r *run, c *xpath.Context) string {
	var list []int
	if k.value != nil {
		v := xpath.Round(k.value.Eval(c).Number())
		if math.IsNaN(v) || v < 1 || v > math.MaxInt32 {
			return xpath.FormatNumber(v)
		}
		list = []int{int(v)}
	} else {
		list = k.numbers(r, c)
	}
	format := "1"
	if k.format != nil {
		format = k.format(c)
	}
	g := grouping{}
	if k.separator != nil && k.size != nil {
		size := xpath.ParseNumber(k.size(c))
		if size >= 1 && size < 100 {
			g = grouping{k.separator(c), int(size)}
		}
	}
	return formatList(list, format, g)
}

// counts says whether a node counts; without a pattern those of the same kind and name as the current one do.
func (k *numbering) counts(c *xpath.Context, n *xpath.Node) bool {
	c.Budget.Spend(1)
	if k.count == nil {
		return n.Kind == c.Node.Kind && n.Name.Local == c.Node.Name.Local && n.Name.Space == c.Node.Name.Space
	}
	return matchesAny(c, k.count, n)
}

func matchesAny(c *xpath.Context, patterns []*xpath.Pattern, n *xpath.Node) bool {
	for _, p := range patterns {
		if p.Matches(c, n) {
			return true
		}
	}
	return false
}

func (k *numbering) numbers(_ *run, c *xpath.Context) []int {
	if k.level == "any" {
		return k.any(c)
	}
	var list []int
	for n := c.Node; n != nil; n = n.Parent {
		if n != c.Node && matchesAny(c, k.from, n) {
			break
		}
		if !k.counts(c, n) {
			continue
		}
		number := 1
		for p := n.Prev; p != nil; p = p.Prev {
			if k.counts(c, p) {
				number++
			}
		}
		list = append([]int{number}, list...)
		if k.level == "single" {
			break
		}
	}
	return list
}

// any counts backwards over the whole document.
func (k *numbering) any(c *xpath.Context) []int {
	number := 0
	for n := c.Node; n != nil; n = n.Before() {
		if matchesAny(c, k.from, n) {
			break
		}
		if k.counts(c, n) {
			number++
		}
	}
	if number == 0 {
		return nil
	}
	return []int{number}
}

type grouping struct {
	separator string
	size      int
}

// formatList writes numbers after a format such as "1.a)".
func formatList(list []int, format string, g grouping) string {
	var tokens, separators []string // separators[i] stands before tokens[i], the last one at the end
	current, word := "", true
	for i, r := range format {
		isWord := unicode.IsLetter(r) || unicode.IsDigit(r)
		if isWord != word || i == 0 && !isWord {
			if word {
				if i > 0 {
					tokens = append(tokens, current)
				}
			} else {
				separators = append(separators, current)
			}
			current, word = "", isWord
		}
		if i == 0 && isWord {
			separators = append(separators, "")
		}
		current += string(r)
	}
	if word && current != "" {
		tokens, separators = append(tokens, current), append(separators, "")
	} else {
		separators = append(separators, current)
	}
	if len(tokens) == 0 {
		tokens = []string{"1"}
		for len(separators) < 2 {
			separators = append(separators, "")
		}
	}
	var b strings.Builder
	b.WriteString(separators[0])
	for i, n := range list {
		t := min(i, len(tokens)-1)
		if i > 0 {
			s := "."
			if t > 0 {
				s = separators[t]
			}
			b.WriteString(s)
		}
		b.WriteString(formatOne(n, tokens[t], g))
	}
	b.WriteString(separators[len(separators)-1])
	return b.String()
}

func formatOne(n int, token string, g grouping) string {
	switch token {
	case "a":
		return strings.ToLower(letters(n))
	case "A":
		return letters(n)
	case "i":
		return strings.ToLower(roman(n))
	case "I":
		return roman(n)
	}
	digits := strconv.Itoa(n)
	if strings.HasSuffix(token, "1") && len(digits) < len(token) && strings.Trim(token[:len(token)-1], "0") == "" {
		digits = strings.Repeat("0", len(token)-len(digits)) + digits
	}
	return g.apply(digits)
}

func (g grouping) apply(digits string) string {
	if g.size == 0 || g.separator == "" {
		return digits
	}
	var b strings.Builder
	for i := range len(digits) {
		if i > 0 && (len(digits)-i)%g.size == 0 {
			b.WriteString(g.separator)
		}
		b.WriteByte(digits[i])
	}
	return b.String()
}

func letters(n int) string {
	var s string
	for ; n > 0; n = (n - 1) / 26 {
		s = string(rune('A'+(n-1)%26)) + s
	}
	return s
}

func roman(n int) string {
	if n > 3999 {
		return strconv.Itoa(n)
	}
	var b strings.Builder
	for _, d := range [...]struct {
		value int
		text  string
	}{{1000, "M"}, {900, "CM"}, {500, "D"}, {400, "CD"}, {100, "C"}, {90, "XC"}, {50, "L"}, {40, "XL"}, {10, "X"}, {9, "IX"}, {5, "V"}, {4, "IV"}, {1, "I"}} {
		for ; n >= d.value; n -= d.value {
			b.WriteString(d.text)
		}
	}
	return b.String()
}

// decimalFormat is an xsl:decimal-format.
type decimalFormat struct {
	decimal, group, minus, percent, perMille, zero, digit, pattern rune
	infinity, nan                                                  string
}

func defaultFormat() *decimalFormat {
	return &decimalFormat{'.', ',', '-', '%', '‰', '0', '#', ';', "Infinity", "NaN"}
}

func (c *compiler) decimalFormat(n *xpath.Node) error {
	if err := c.allow(n, "name", "decimal-separator", "grouping-separator", "infinity", "minus-sign", "NaN", "percent", "per-mille", "zero-digit", "digit",
		"pattern-separator"); err != nil {
		return err
	}
	f := defaultFormat()
	for name, to := range map[string]*rune{
		"decimal-separator": &f.decimal, "grouping-separator": &f.group, "minus-sign": &f.minus, "percent": &f.percent, "per-mille": &f.perMille,
		"zero-digit": &f.zero, "digit": &f.digit, "pattern-separator": &f.pattern,
	} {
		if text, ok := n.Attr("", name); ok {
			runes := []rune(text)
			if len(runes) != 1 {
				return fmt.Errorf("the attribute %q must be one character", name)
			}
			*to = runes[0]
		}
	}
	if v, ok := n.Attr("", "infinity"); ok {
		f.infinity = v
	}
	if v, ok := n.Attr("", "NaN"); ok {
		f.nan = v
	}
	var name xmlx.Name
	if text, ok := n.Attr("", "name"); ok {
		var err error
		if name, err = qname(n, text); err != nil {
			return err
		}
	}
	c.sheet.formats[name] = f
	return nil
}

func (s static) formatNumber(args []*xpath.Expr) (*xpath.Expr, error) {
	if err := xpath.CheckArguments("format-number", args, 2, 3); err != nil {
		return nil, err
	}
	return xpath.NewExpr(xpath.String, func(c *xpath.Context) xpath.Value {
		sheet := c.Run.(*run).sheet
		f := sheet.formats[xmlx.Name{}]
		if f == nil {
			f = defaultFormat()
		}
		if len(args) == 3 {
			name, err := qname(s.n, args[2].Eval(c).String())
			if err != nil {
				xpath.Fail(err)
			}
			if f = sheet.formats[name]; f == nil {
				xpath.Failf("there is no decimal format named %q", name.Local)
			}
		}
		return xpath.StringValue(f.format(args[0].Eval(c).Number(), args[1].Eval(c).String()))
	}, args...), nil
}

// picture is one half of a pattern of format-number.
type picture struct {
	prefix, suffix           string
	minInt, minFrac, maxFrac int
	group                    int
	scale                    float64
}

// maxDigits bounds the digits that a pattern can ask for.
const maxDigits = 100

func (f *decimalFormat) parse(s string) picture {
	p := picture{scale: 1}
	state, sinceGroup, grouped := 0, 0, false // before, in the integer, in the fraction, after
	for _, r := range s {
		active := r == f.zero || r == f.digit || r == f.group || r == f.decimal
		if active && state < 3 {
			switch {
			case r == f.decimal:
				state = 2
				continue
			case state == 0:
				state = 1
			}
			switch {
			case r == f.group:
				grouped, sinceGroup = true, 0
			case state == 1:
				sinceGroup++
				if r == f.zero {
					p.minInt = min(p.minInt+1, maxDigits)
				}
			default:
				p.maxFrac = min(p.maxFrac+1, maxDigits)
				if r == f.zero {
					p.minFrac = p.maxFrac
				}
			}
			continue
		}
		switch r {
		case f.percent:
			p.scale = 100
		case f.perMille:
			p.scale = 1000
		}
		if state == 0 {
			p.prefix += string(r)
		} else {
			state = 3
			p.suffix += string(r)
		}
	}
	if grouped {
		p.group = sinceGroup
	}
	return p
}

func (f *decimalFormat) format(v float64, pattern string) string {
	if math.IsNaN(v) {
		return f.nan
	}
	positive, negative, two := strings.Cut(pattern, string(f.pattern))
	p := f.parse(positive)
	prefix, suffix := p.prefix, p.suffix
	if v < 0 {
		prefix = string(f.minus) + prefix
		if two {
			n := f.parse(negative)
			prefix, suffix = n.prefix, n.suffix
		}
		v = -v
	}
	if math.IsInf(v, 0) {
		return prefix + f.infinity + suffix
	}
	whole, fraction := digits(v*p.scale, p.maxFrac)
	for len(fraction) > p.minFrac && strings.HasSuffix(fraction, "0") {
		fraction = fraction[:len(fraction)-1]
	}
	whole = strings.TrimLeft(whole, "0")
	if len(whole) < p.minInt {
		whole = strings.Repeat("0", p.minInt-len(whole)) + whole
	}
	if whole == "" && fraction == "" {
		whole = "0"
	}
	whole = grouping{string(f.group), p.group}.apply(whole)
	out := whole
	if fraction != "" {
		out += string(f.decimal) + fraction
	}
	if f.zero != '0' {
		out = strings.Map(func(r rune) rune {
			if '0' <= r && r <= '9' {
				return f.zero + r - '0'
			}
			return r
		}, out)
	}
	if strings.Trim(out, "0.,") == "" && strings.HasPrefix(prefix, string(f.minus)) && !two {
		prefix = strings.TrimPrefix(prefix, string(f.minus))
	}
	return prefix + out + suffix
}

// digits rounds the decimal form of a number, halves away from zero, and splits it at the point.
func digits(v float64, places int) (whole, fraction string) {
	text := strconv.FormatFloat(v, 'f', -1, 64)
	whole, fraction, _ = strings.Cut(text, ".")
	if len(fraction) <= places {
		return whole, fraction + strings.Repeat("0", places-len(fraction))
	}
	up := fraction[places] >= '5'
	all := []byte(whole + fraction[:places])
	for i := len(all) - 1; up && i >= 0; i-- {
		if all[i]++; all[i] <= '9' {
			up = false
		} else {
			all[i] = '0'
		}
	}
	if up {
		all = append([]byte{'1'}, all...)
	}
	return string(all[:len(all)-places]), string(all[len(all)-places:])
}
