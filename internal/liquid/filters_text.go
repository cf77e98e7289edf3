package liquid

import (
	"net/url"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
)

// textual is a filter of a text; null stays null.
func textual(f func(s string, args []any) any) filter {
	return func(_ *run, in any, args []any) (any, error) {
		if in == nil {
			return nil, nil
		}
		return f(Text(in), args), nil
	}
}

// textFilter finds the filters of texts that need no regular expression.
func textFilter(name string) filter {
	var f func(s string, args []any) any
	switch name {
	case "upcase":
		f = func(s string, _ []any) any { return strings.ToUpper(s) }
	case "downcase":
		f = func(s string, _ []any) any { return strings.ToLower(s) }
	case "capitalize":
		f = func(s string, _ []any) any { return titleCase(s) }
	case "escape", "h":
		f = func(s string, _ []any) any { return escapeHTML(s) }
	case "strip":
		f = func(s string, _ []any) any { return strings.TrimSpace(s) }
	case "lstrip":
		f = func(s string, _ []any) any { return strings.TrimLeftFunc(s, unicode.IsSpace) }
	case "rstrip":
		f = func(s string, _ []any) any { return strings.TrimRightFunc(s, unicode.IsSpace) }
	case "stripnewlines":
		f = func(s string, _ []any) any { return strings.NewReplacer("\r\n", "", "\n", "").Replace(s) }
	case "newlinetobr":
		f = func(s string, _ []any) any {
			return strings.NewReplacer("\r\n", "<br />\r\n", "\n", "<br />\n").Replace(s)
		}
	case "urlencode":
		f = func(s string, _ []any) any { return urlEncode(s) }
	case "urldecode":
		f = func(s string, _ []any) any { return urlDecode(s) }
	case "remove":
		f = func(s string, args []any) any { return replacePlain(s, textArgument(args, 0, ""), -1) }
	case "removefirst":
		f = func(s string, args []any) any { return replacePlain(s, textArgument(args, 0, ""), 1) }
	case "split":
		f = split2List
	case "truncate":
		f = truncate
	case "truncatewords":
		f = truncateWords
	case "slice":
		f = slice
	default:
		return nil
	}
	return textual(f)
}

// titleCase begins each word with a capital and goes on in lower case, but leaves words in capitals alone (TextInfo.ToTitleCase).
func titleCase(s string) string {
	var b strings.Builder
	runes := []rune(s)
	for i := 0; i < len(runes); {
		if !unicode.IsLetter(runes[i]) {
			b.WriteRune(runes[i])
			i++
			continue
		}
		end := i
		for end < len(runes) && (unicode.IsLetter(runes[end]) || runes[end] == '\'') {
			end++
		}
		word := string(runes[i:end])
		if end-i > 1 && word == strings.ToUpper(word) {
			b.WriteString(word)
		} else {
			b.WriteRune(unicode.ToTitle(runes[i]))
			b.WriteString(strings.ToLower(string(runes[i+1 : end])))
		}
		i = end
	}
	return b.String()
}

// escapeHTML writes what has a meaning in HTML, Latin-1 beyond ASCII and what is beyond the basic plane as WebUtility.HtmlEncode does.
func escapeHTML(s string) string {
	var b strings.Builder
	for _, c := range s {
		switch {
		case c == '<':
			b.WriteString("&lt;")
		case c == '>':
			b.WriteString("&gt;")
		case c == '&':
			b.WriteString("&amp;")
		case c == '"':
			b.WriteString("&quot;")
		case c == '\'', 160 <= c && c < 256, c > 0xffff:
			b.WriteString("&#" + strconv.Itoa(int(c)) + ";")
		default:
			b.WriteRune(c)
		}
	}
	return b.String()
}

// urlEncode is WebUtility.UrlEncode: a blank is "+"; -_.!*() stay.
func urlEncode(s string) string {
	const hexDigits = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		switch c := s[i]; {
		case c == ' ':
			b.WriteByte('+')
		case 'a' <= c|0x20 && c|0x20 <= 'z', isDigit(c), strings.IndexByte("-_.!*()", c) >= 0:
			b.WriteByte(c)
		default:
			b.Write([]byte{'%', hexDigits[c>>4], hexDigits[c&15]})
		}
	}
	return b.String()
}

func urlDecode(s string) string {
	if out, err := url.QueryUnescape(s); err == nil {
		return strings.ToValidUTF8(out, "\ufffd")
	}
	return s
}

func replacePlain(s, what string, n int) string {
	if what == "" {
		return s
	}
	return strings.Replace(s, what, "", n)
}

// split2List drops empty parts; without a separator the characters are the parts.
func split2List(s string, args []any) any {
	parts := strings.Split(s, textArgument(args, 0, ""))
	list := make([]any, 0, len(parts))
	for _, p := range parts {
		if p != "" {
			list = append(list, p)
		}
	}
	return list
}

// truncate shortens to a length (50) that includes what stands for the rest ("...").
func truncate(s string, args []any) any {
	length, rest := countArgument(args, 0, 50), textArgument(args, 1, "...")
	units := utf16.Encode([]rune(s))
	if int64(len(units)) <= length {
		return s
	}
	keep := min(max(length-int64(utf16Len(rest)), 0), int64(len(units)))
	return string(utf16.Decode(units[:keep])) + rest
}

func truncateWords(s string, args []any) any {
	count, rest := max(countArgument(args, 0, 15), 0), textArgument(args, 1, "...")
	words := strings.Split(s, " ")
	if int64(len(words)) <= count {
		return s
	}
	return strings.Join(words[:count], " ") + rest
}

// slice takes a number of characters (1) from a position, which counts from the end when it is negative.
func slice(s string, args []any) any {
	units := utf16.Encode([]rune(s))
	all := int64(len(units))
	start, length := countArgument(args, 0, 0), countArgument(args, 1, 1)
	if start < 0 {
		if start += all; start < 0 {
			start, length = 0, length+start
		}
	}
	if start >= all || length <= 0 {
		return ""
	}
	return string(utf16.Decode(units[start : start+min(length, all-start)]))
}
