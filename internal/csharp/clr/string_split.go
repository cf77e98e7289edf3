package clr

import (
	"strings"
	"unicode/utf8"

	"github.com/causeway-apim/causeway/internal/csharp"
)

func declareStringSplit(b *csharp.Builder, t *csharp.TypeBuilder) {
	b.Enum("System.StringSplitOptions", true, []string{"None", "RemoveEmptyEntries", "TrimEntries"}, []int64{0, 1, 2})
	chars := func(r run, s string, a array, n, o int) array {
		if anyHalf(a) {
			return split(r, apart(s, "\xed\xa0\x80"), unitSeparator(a), n, o)
		}
		return split(r, s, charSeparator(a), n, o)
	}
	texts := func(r run, s string, a array, n, o int) array {
		for _, v := range strs(a) {
			s = apart(s, v)
		}
		return split(r, s, textSeparator(a), n, o)
	}
	const all = 1 << 31
	t.Method("string[] Split(params char[] separator)", csharp.F3(func(r run, s string, a array) array { return chars(r, s, a, all, 0) }))
	t.Method("string[] Split(char[] separator, int count)", csharp.F4(func(r run, s string, a array, n int) array { return chars(r, s, a, n, 0) }))
	t.Method("string[] Split(char[] separator, StringSplitOptions options)", csharp.F4(func(r run, s string, a array, o int) array { return chars(r, s, a, all, o) }))
	t.Method("string[] Split(char[] separator, int count, StringSplitOptions options)", csharp.F5(chars))
	t.Method("string[] Split(string[] separator, StringSplitOptions options)", csharp.F4(func(r run, s string, a array, o int) array { return texts(r, s, a, all, o) }))
	t.Method("string[] Split(string[] separator, int count, StringSplitOptions options)", csharp.F5(texts))
	one := func(v any) array { return &csharp.Array{Items: []any{v}} }
	t.Method("string[] Split(char separator, StringSplitOptions options = StringSplitOptions.None)", csharp.F4(func(r run, s string, c csharp.Char, o int) array { return chars(r, s, one(c), all, o) }))
	t.Method("string[] Split(char separator, int count, StringSplitOptions options = StringSplitOptions.None)", csharp.F5(func(r run, s string, c csharp.Char, n, o int) array { return chars(r, s, one(c), n, o) }))
	t.Method("string[] Split(string separator, StringSplitOptions options = StringSplitOptions.None)", csharp.F4(func(r run, s, sep string, o int) array {
		return texts(r, s, one(csharp.BoxString(sep)), all, o)
	}))
	t.Method("string[] Split(string separator, int count, StringSplitOptions options = StringSplitOptions.None)", csharp.F5(func(r run, s, sep string, n, o int) array {
		return texts(r, s, one(csharp.BoxString(sep)), n, o)
	}))
}

// A separator finds the first separator in s: its byte index, -1 for none, and its length.
type separator func(s string) (at, n int)

func charSeparator(a array) separator {
	if a != nil && len(a.Items) == 1 {
		if c, ok := a.Items[0].(csharp.Char); ok && c < utf8.RuneSelf {
			return func(s string) (int, int) { return strings.IndexByte(s, byte(c)), 1 }
		}
	}
	f := cutset(a)
	return func(s string) (int, int) {
		i := strings.IndexFunc(s, f)
		if i < 0 {
			return -1, 0
		}
		_, n := utf8.DecodeRuneInString(s[i:])
		return i, n
	}
}

// unitSeparator is charSeparator for a text whose pairs are apart.
func unitSeparator(a array) separator {
	list := make([]any, len(a.Items))
	for i, v := range a.Items {
		list[i] = v.(csharp.Char).String()
	}
	return textSeparator(&csharp.Array{Items: list})
}

func textSeparator(a array) separator {
	var list []string
	if a != nil {
		for _, v := range a.Items {
			if s, ok := v.(string); ok && s != "" {
				list = append(list, s)
			}
		}
		if len(list) == 0 && len(a.Items) > 0 && a.Items[0] != nil {
			return func(string) (int, int) { return -1, 0 }
		}
	}
	if len(list) == 0 {
		return charSeparator(nil)
	}
	return func(s string) (int, int) {
		best, n := -1, 0
		for _, sep := range list {
			if i := strings.Index(s, sep); i >= 0 && (best < 0 || i < best) {
				best, n = i, len(sep)
			}
		}
		return best, n
	}
}

func split(r run, s string, sep separator, n, options int) array {
	if n < 0 {
		outOfRange("count", "Count cannot be less than zero.")
	}
	drop, trim := options&1 != 0, options&2 != 0
	var out []string
	clean := func(p string) string {
		if trim {
			p = strings.TrimFunc(p, isWhite)
		}
		return p
	}
	for n > 0 {
		at, w := sep(s)
		if at < 0 || len(out) == n-1 {
			break
		}
		r.Step()
		if p := clean(together(s[:at])); p != "" || !drop {
			out = append(out, p)
		}
		s = s[at+w:]
	}
	if drop && n > 0 && len(out) == n-1 {
		// The rest begins behind any further separators, as .NET skips empty entries before it.
		for at, w := sep(s); at == 0; at, w = sep(s) {
			s = s[w:]
		}
	}
	if p := clean(together(s)); n > 0 && (p != "" || !drop) {
		out = append(out, p)
	}
	return newStrings(r, out)
}
