package resources

import (
	"encoding/xml"
	"errors"
	"html"
	"io"
	"strings"
)

// convertPolicy turns a document from one format into another: only the escaping of expressions and of stray ampersands
// changes. A document that cannot be converted is returned as it is, because documents are read in either form.
func convertPolicy(text, from, to string) string {
	wellFormed := isWellFormed(text)
	switch {
	case strings.EqualFold(from, to):
		return text
	case to == formatRawXML && wellFormed:
		return walkDocument(text, unescapeValue)
	case to == formatXML && !wellFormed:
		if escaped := walkDocument(text, escapeValue); isWellFormed(escaped) {
			return escaped
		}
	}
	return text
}

func isWellFormed(text string) bool {
	d := xml.NewDecoder(strings.NewReader(text))
	for {
		if _, err := d.RawToken(); errors.Is(err, io.EOF) {
			return true
		} else if err != nil {
			return false
		}
	}
}

// unescapeValue gives an expression in a well-formed document its raw form.
func unescapeValue(value string, _ byte) string {
	raw := html.UnescapeString(value)
	if trimmed := strings.TrimSpace(raw); isExpression(trimmed) && expressionLength(trimmed) == len(trimmed) {
		return raw
	}
	return value
}

// escapeValue escapes what XML does not allow in a value between quotes, or in a text when quote is 0.
func escapeValue(value string, quote byte) string {
	if trimmed := strings.TrimSpace(value); !isExpression(trimmed) || expressionLength(trimmed) != len(trimmed) {
		return escapeAmpersands(value)
	}
	// Entities outside of the literals are no C#: the expression is escaped already, at least in part.
	if unescaped := html.UnescapeString(value); unescaped != value && hasEntityOutsideLiterals(value) {
		value = unescaped
	}
	escapes := []string{"&", "&amp;", "<", "&lt;", ">", "&gt;"}
	switch quote {
	case '"':
		escapes = append(escapes, `"`, "&quot;")
	case '\'':
		escapes = append(escapes, "'", "&apos;")
	}
	return strings.NewReplacer(escapes...).Replace(value)
}

// escapeAmpersands escapes those that begin no entity.
func escapeAmpersands(value string) string {
	var b strings.Builder
	for {
		i := strings.IndexByte(value, '&')
		if i < 0 {
			b.WriteString(value)
			return b.String()
		}
		b.WriteString(value[:i])
		if entityLength(value[i:]) > 0 {
			b.WriteByte('&')
		} else {
			b.WriteString("&amp;")
		}
		value = value[i+1:]
	}
}

// entityLength is the length of the XML entity at the start of s, 0 when there is none.
func entityLength(s string) int {
	end := strings.IndexByte(s[:min(len(s), 12)], ';')
	if end < 2 {
		return 0
	}
	switch name := s[1:end]; name {
	case "amp", "lt", "gt", "quot", "apos":
		return end + 1
	default:
		if name[0] == '#' && len(name) > 1 && html.UnescapeString(s[:end+1]) != s[:end+1] {
			return end + 1
		}
		return 0
	}
}

func hasEntityOutsideLiterals(expression string) bool {
	for i := 0; i < len(expression); {
		if expression[i] == '&' && entityLength(expression[i:]) > 0 {
			return true
		}
		i += tokenLength(expression[i:])
	}
	return false
}

// walkDocument rewrites the attribute values and the texts of a document in either form. quote is 0 for texts.
func walkDocument(doc string, rewrite func(value string, quote byte) string) string {
	var b strings.Builder
	for doc != "" {
		if doc[0] != '<' {
			n := textLength(doc)
			b.WriteString(rewrite(doc[:n], 0))
			doc = doc[n:]
			continue
		}
		n := markupLength(doc)
		if n == 0 { // a start tag
			n = walkTag(&b, doc, rewrite)
		} else {
			b.WriteString(doc[:n])
		}
		doc = doc[n:]
	}
	return b.String()
}

// markupLength is the length of a comment, CDATA section, instruction or end tag, 0 for a start tag.
func markupLength(s string) int {
	for _, kind := range [][2]string{{"<!--", "-->"}, {"<![CDATA[", "]]>"}, {"<?", "?>"}, {"</", ">"}} {
		if !strings.HasPrefix(s, kind[0]) {
			continue
		}
		if i := strings.Index(s[len(kind[0]):], kind[1]); i >= 0 {
			return len(kind[0]) + i + len(kind[1])
		}
		return len(s)
	}
	return 0
}

// textLength is the length of the text before the next markup; an expression may hold angle brackets.
func textLength(s string) int {
	lead := len(s) - len(strings.TrimLeft(s, " \t\r\n"))
	from := 0
	if isExpression(s[lead:]) {
		if n := expressionLength(s[lead:]); n > 0 {
			from = lead + n
		}
	}
	if i := strings.IndexByte(s[from:], '<'); i >= 0 {
		return from + i
	}
	return len(s)
}

// walkTag writes the start tag at the start of s and returns its length.
func walkTag(b *strings.Builder, s string, rewrite func(value string, quote byte) string) int {
	written := 0
	for i := 1; i < len(s); i++ {
		switch c := s[i]; c {
		case '>':
			b.WriteString(s[written : i+1])
			return i + 1
		case '"', '\'':
			end := valueEnd(s[i+1:], c)
			if end < 0 {
				b.WriteString(s[written:])
				return len(s)
			}
			b.WriteString(s[written : i+1])
			b.WriteString(rewrite(s[i+1:i+1+end], c))
			written = i + 1 + end
			i = written // the closing quote, which is written with what follows
		}
	}
	b.WriteString(s[written:])
	return len(s)
}

// valueEnd is where the quote stands that ends an attribute value.
func valueEnd(s string, quote byte) int {
	lead := len(s) - len(strings.TrimLeft(s, " \t\r\n"))
	if isExpression(s[lead:]) {
		if n := expressionLength(s[lead:]); n > 0 {
			rest := strings.TrimLeft(s[lead+n:], " \t\r\n")
			if rest != "" && rest[0] == quote {
				return len(s) - len(rest)
			}
		}
	}
	return strings.IndexByte(s, quote)
}

func isExpression(s string) bool { return strings.HasPrefix(s, "@(") || strings.HasPrefix(s, "@{") }

// expressionLength is the length of the expression at the start of s, 0 when it has no end.
func expressionLength(s string) int {
	depth := 0
	for i := 1; i < len(s); {
		switch s[i] {
		case '(', '{', '[':
			depth++
		case ')', '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
		}
		i += tokenLength(s[i:])
	}
	return 0
}

// tokenLength is the length of the C# literal or comment at the start of s, 1 for anything else.
func tokenLength(s string) int {
	switch {
	case strings.HasPrefix(s, "//"):
		if i := strings.IndexByte(s, '\n'); i >= 0 {
			return i
		}
		return len(s)
	case strings.HasPrefix(s, "/*"):
		if i := strings.Index(s[2:], "*/"); i >= 0 {
			return i + 4
		}
		return len(s)
	case strings.HasPrefix(s, `@"`):
		return 2 + verbatimLength(s[2:])
	case strings.HasPrefix(s, `$@"`), strings.HasPrefix(s, `@$"`):
		return 3 + verbatimLength(s[3:])
	case s[0] == '"' || s[0] == '\'':
		for i := 1; i < len(s); i++ {
			switch s[i] {
			case '\\':
				i++
			case s[0]:
				return i + 1
			}
		}
		return len(s)
	}
	return 1
}

// verbatimLength is the length of the rest of a verbatim string, in which a quote stands for itself when it is doubled.
func verbatimLength(s string) int {
	for i := 0; i < len(s); i++ {
		if s[i] != '"' {
			continue
		}
		if i+1 == len(s) || s[i+1] != '"' {
			return i + 1
		}
		i++
	}
	return len(s)
}
