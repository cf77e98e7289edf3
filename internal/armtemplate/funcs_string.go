package armtemplate

import (
	"crypto/sha1"
	"encoding/base64"
	"encoding/hex"
	"math"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"
)

func stringFunctions() map[string]function {
	return map[string]function{
		"concat":       {0, -1, concat},
		"endswith":     {2, 2, func(a args) Value { return strings.HasSuffix(strings.ToLower(a.str(0)), strings.ToLower(a.str(1))) }},
		"startswith":   {2, 2, func(a args) Value { return strings.HasPrefix(strings.ToLower(a.str(0)), strings.ToLower(a.str(1))) }},
		"format":       {1, -1, format},
		"guid":         {1, -1, func(a args) Value { return nameGUID(strings.Join(a.texts(0), "-")) }},
		"indexof":      {2, 2, func(a args) Value { return position(a, false) }},
		"lastindexof":  {2, 2, func(a args) Value { return position(a, true) }},
		"join":         {2, 2, join},
		"newguid":      {0, 0, newGUID},
		"padleft":      {2, 3, padLeft},
		"replace":      {3, 3, replace},
		"split":        {2, 2, split},
		"string":       {1, 1, func(a args) Value { return a.text(plain(a.v[0])) }},
		"substring":    {1, 3, substring},
		"tolower":      {1, 1, func(a args) Value { return a.text(strings.ToLower(a.str(0))) }},
		"toupper":      {1, 1, func(a args) Value { return a.text(strings.ToUpper(a.str(0))) }},
		"trim":         {1, 1, func(a args) Value { return a.text(strings.TrimSpace(a.str(0))) }},
		"uniquestring": {1, -1, func(a args) Value { return uniqueString(strings.Join(a.texts(0), "-")) }},
	}
}

// texts returns the arguments from i on, which are strings or numbers.
func (a args) texts(i int) (out []string) {
	for ; i < len(a.v); i++ {
		switch a.v[i].(type) {
		case string, int64, bool:
			out = append(out, plain(a.v[i]))
		default:
			a.wrong(i, "a string")
		}
	}
	return out
}

func concat(a args) Value {
	if len(a.v) > 0 {
		if _, is := a.v[0].([]Value); is {
			all := []Value{}
			for i := range a.v {
				all = append(all, a.array(i)...)
			}
			return a.made(all)
		}
	}
	var b strings.Builder
	for i, v := range a.v {
		switch v.(type) {
		case []Value, *Object, lambda:
			a.wrong(i, "a string")
		}
		s := plain(v)
		a.holds(0, len(s))
		b.WriteString(s)
	}
	return a.text(b.String())
}

func position(a args, last bool) Value {
	if l, ok := a.v[0].([]Value); ok {
		found := int64(-1)
		for i, v := range l {
			if Equal(v, a.v[1]) {
				if found = int64(i); !last {
					break
				}
			}
		}
		return found
	}
	s, what := strings.ToLower(a.str(0)), strings.ToLower(a.str(1))
	i := strings.Index(s, what)
	if last {
		i = strings.LastIndex(s, what)
	}
	if i > 0 {
		i = utf8.RuneCountInString(s[:i])
	}
	return int64(i)
}

func join(a args) Value {
	var parts []string
	size := 0
	for _, v := range a.array(0) {
		parts = append(parts, plain(v))
		size += len(parts[len(parts)-1]) + len(a.str(1))
	}
	a.holds(0, size)
	return strings.Join(parts, a.str(1))
}

func newGUID(a args) Value {
	if !a.parameter {
		fail("The template function 'newGuid' can only be used in the default value of a parameter.")
	}
	return a.d.world.NewGUID()
}

func padLeft(a args) Value {
	s, width, pad := plain(a.v[0]), a.int(1), " "
	if a.has(2) {
		pad = a.str(2)
	}
	if utf8.RuneCountInString(pad) != 1 || width < 0 || width > maxValues/4 {
		fail("The template function 'padLeft' needs a length that is not negative and one character to fill with.")
	}
	if n := int(width) - utf8.RuneCountInString(s); n > 0 {
		a.holds(0, n*len(pad))
		s = strings.Repeat(pad, n) + s
	}
	return a.text(s)
}

func replace(a args) Value {
	s, old, with := a.str(0), a.str(1), a.str(2)
	if old == "" {
		fail("The template function 'replace' needs a text to look for.")
	}
	a.holds(0, len(s)+strings.Count(s, old)*max(0, len(with)-len(old)))
	return strings.ReplaceAll(s, old, with)
}

func split(a args) Value {
	s := a.str(0)
	var seps []string
	if one, ok := a.v[1].(string); ok {
		seps = []string{one}
	} else {
		for _, v := range a.array(1) {
			seps = append(seps, plain(v))
		}
	}
	out := []Value{}
	start := 0
	for i := 0; i < len(s); {
		step := 1
		for _, sep := range seps {
			if sep != "" && strings.HasPrefix(s[i:], sep) {
				out = append(out, s[start:i])
				step, start = len(sep), i+len(sep)
				break
			}
		}
		i += step
	}
	a.holds(0, len(s))
	return a.made(append(out, s[start:]))
}

func substring(a args) Value {
	r := []rune(a.str(0))
	from, n := int64(0), int64(-1)
	if a.has(1) {
		from = a.int(1)
	}
	if n = int64(len(r)) - from; a.has(2) {
		n = a.int(2)
	}
	if from < 0 || n < 0 || from > int64(len(r)) || n > int64(len(r))-from {
		fail("The template function 'substring' parameters are not valid: the index and length must refer to a location within the string, which has %d characters.", len(r))
	}
	return a.text(string(r[from : from+n]))
}

// nameGUID is guid(): the name-based UUID of version 5 (RFC 4122, 4.3) in the namespace that "String functions for
// Bicep" gives, of the arguments with hyphens between them.
func nameGUID(name string) string {
	space, _ := hex.DecodeString("11fb06fb712d4ddd98c7e71bbd588830")
	h := sha1.Sum(append(space, name...))
	h[6], h[8] = h[6]&0x0f|0x50, h[8]&0x3f|0x80
	s := hex.EncodeToString(h[:16])
	return s[:8] + "-" + s[8:12] + "-" + s[12:16] + "-" + s[16:20] + "-" + s[20:]
}

func encodingFunctions() map[string]function {
	return map[string]function{
		"base64":         {1, 1, func(a args) Value { return a.text(base64.StdEncoding.EncodeToString([]byte(a.str(0)))) }},
		"base64tostring": {1, 1, func(a args) Value { return a.text(unbase64(a.str(0))) }},
		"base64tojson":   {1, 1, func(a args) Value { return a.json(unbase64(a.str(0))) }},
		"datauri": {1, 1, func(a args) Value {
			return a.text("data:text/plain;charset=utf8;base64," + base64.StdEncoding.EncodeToString([]byte(plain(a.v[0]))))
		}},
		"datauritostring":      {1, 1, fromDataURI},
		"uri":                  {2, 2, joinURI},
		"uricomponent":         {1, 1, func(a args) Value { return a.text(escapeComponent(a.str(0))) }},
		"uricomponenttostring": {1, 1, unescapeComponent},
		"json":                 {1, 1, func(a args) Value { return a.json(a.str(0)) }},
	}
}

func unbase64(s string) string {
	b, err := base64.StdEncoding.DecodeString(strings.TrimSpace(s))
	if err != nil || !utf8.Valid(b) {
		fail("The value is not text in base64.")
	}
	return string(b)
}

func (a args) json(s string) Value {
	if strings.EqualFold(strings.TrimSpace(s), "null") {
		return nil
	}
	v, err := ParseJSON([]byte(s))
	if err != nil {
		fail("The template function '%s' expects valid JSON: %v", a.name, err)
	}
	a.holds(strings.Count(s, ","), len(s))
	return v
}

func fromDataURI(a args) Value {
	head, data, ok := strings.Cut(a.str(0), ",")
	if !ok || !strings.HasPrefix(strings.ToLower(head), "data:") {
		fail("The value is not a data URI.")
	}
	if strings.HasSuffix(strings.ToLower(head), ";base64") {
		return a.text(unbase64(data))
	}
	s, err := url.PathUnescape(data)
	if err != nil {
		fail("The value is not a data URI.")
	}
	return a.text(s)
}

// joinURI combines a base with what is relative to it: behind the base's last slash, but behind a host at once.
func joinURI(a args) Value {
	base, rel := a.str(0), a.str(1)
	b, err := url.Parse(base)
	if err != nil || b.Scheme == "" {
		fail("The base '%s' of the template function 'uri' is not an absolute URI.", shorten(base))
	}
	r, err := url.Parse(rel)
	if err != nil {
		fail("The value '%s' is not a relative URI.", shorten(rel))
	}
	return a.text(b.ResolveReference(r).String())
}

// escapeComponent is JavaScript's encodeURIComponent for all but the unreserved characters of RFC 3986.
func escapeComponent(s string) string {
	return strings.ReplaceAll(url.QueryEscape(s), "+", "%20")
}

func unescapeComponent(a args) Value {
	s, err := url.PathUnescape(a.str(0))
	if err != nil || !utf8.ValidString(s) {
		fail("The value is not escaped correctly.")
	}
	return a.text(s)
}

// format is .NET's composite formatting of strings, integers and booleans.
func format(a args) Value {
	f := a.str(0)
	var b strings.Builder
	for i := 0; i < len(f); i++ {
		switch c := f[i]; {
		case (c == '{' || c == '}') && i+1 < len(f) && f[i+1] == c:
			b.WriteByte(c)
			i++
		case c == '{':
			end := strings.IndexByte(f[i:], '}')
			if end < 0 {
				fail("The format string '%s' is not valid.", shorten(f))
			}
			s := a.item(f[i+1 : i+end])
			a.holds(0, len(s))
			b.WriteString(s)
			i += end
		case c == '}':
			fail("The format string '%s' is not valid.", shorten(f))
		default:
			b.WriteByte(c)
		}
	}
	return a.text(b.String())
}

// item formats {index,width:format}.
func (a args) item(spec string) string {
	spec, layout, _ := strings.Cut(spec, ":")
	number, width, aligned := strings.Cut(spec, ",")
	n, err := strconv.Atoi(strings.TrimSpace(number))
	if err != nil || n < 0 || n+1 >= len(a.v) {
		fail("The format string refers to the argument {%s}, which is not there.", shorten(spec))
	}
	s := plain(a.v[n+1])
	if i, ok := a.v[n+1].(int64); ok && layout != "" {
		s = formatNumber(i, layout)
	}
	if !aligned {
		return s
	}
	w, err := strconv.Atoi(strings.TrimSpace(width))
	if err != nil || w < -maxRange || w > maxRange {
		fail("The width in the format string is not valid.")
	}
	fill := strings.Repeat(" ", max(0, max(w, -w)-utf8.RuneCountInString(s)))
	if w < 0 {
		return s + fill
	}
	return fill + s
}

// formatNumber formats an integer with a standard format of .NET (D, N, F, X, P, C, G) or one of zeros.
func formatNumber(n int64, layout string) string {
	if strings.Trim(layout, "0") == "" {
		layout = "D" + strconv.Itoa(len(layout))
	}
	digits := -1
	if len(layout) > 1 {
		d, err := strconv.Atoi(layout[1:])
		if err != nil || d < 0 || d > 99 {
			fail("The format '%s' of a number is not supported.", shorten(layout))
		}
		digits = d
	}
	sign, u := "", uint64(n)
	if n < 0 {
		sign, u = "-", -u
	}
	zeros := func(s string) string { return strings.Repeat("0", max(0, digits-len(s))) + s }
	fraction := func(def int) string {
		if digits < 0 {
			digits = def
		}
		if digits == 0 {
			return ""
		}
		return "." + strings.Repeat("0", digits)
	}
	switch layout[0] {
	case 'D', 'd':
		return sign + zeros(strconv.FormatUint(u, 10))
	case 'X':
		return zeros(strings.ToUpper(strconv.FormatUint(uint64(n), 16)))
	case 'x':
		return zeros(strconv.FormatUint(uint64(n), 16))
	case 'N', 'n':
		return sign + grouped(u) + fraction(2)
	case 'F', 'f':
		return sign + strconv.FormatUint(u, 10) + fraction(2)
	case 'P', 'p':
		if u > math.MaxInt64/100 {
			fail("The number is too large for the format 'P'.")
		}
		return sign + grouped(u*100) + fraction(2) + " %"
	case 'G', 'g':
		return sign + strconv.FormatUint(u, 10)
	}
	fail("The format '%s' of a number is not supported.", shorten(layout))
	return ""
}

func grouped(u uint64) string {
	s := strconv.FormatUint(u, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
