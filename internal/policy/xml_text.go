package policy

import (
	"sort"
	"strconv"
	"strings"

	"github.com/causeway-apim/causeway/internal/csharp"
)

// text is a piece of a document after decoding, with the way back to where each byte came from.
type text struct {
	s     string
	marks []mark
}

// mark says that s[at:], up to the next mark, stands in the document from src on.
type mark struct{ at, src int }

// plainText is a text that stands in the document as it is.
func plainText(s string, src int) text { return text{s, []mark{{0, src}}} }

// source returns where byte i of the text came from.
func (t text) source(i int) int {
	n := sort.Search(len(t.marks), func(k int) bool { return t.marks[k].at > i })
	if n == 0 {
		return 0
	}
	m := t.marks[n-1]
	end := i
	if n < len(t.marks) { // what replaced something shorter does not reach beyond it
		end = min(end, m.at+max(0, t.marks[n].src-m.src))
	}
	return m.src + end - m.at
}

// slice is t.s[from:to] with its way back.
func (t text) slice(from, to int) text {
	out := text{s: t.s[from:to], marks: []mark{{0, t.source(from)}}}
	first := sort.Search(len(t.marks), func(k int) bool { return t.marks[k].at > from })
	for _, m := range t.marks[first:] {
		if m.at >= to {
			break
		}
		out.marks = append(out.marks, mark{m.at - from, m.src})
	}
	return out
}

// trim drops white space at both ends.
func (t text) trim() text {
	from, to := 0, len(t.s)
	for from < to && isSpace(t.s[from]) {
		from++
	}
	for from < to && isSpace(t.s[to-1]) {
		to--
	}
	return t.slice(from, to)
}

func joinTexts(pieces []text) text {
	var out text
	var b strings.Builder
	for _, piece := range pieces {
		for _, m := range piece.marks {
			if m.at < len(piece.s) || b.Len() == 0 && len(out.marks) == 0 {
				out.marks = append(out.marks, mark{b.Len() + m.at, m.src})
			}
		}
		b.WriteString(piece.s)
	}
	out.s = b.String()
	return out
}

// expressionEnd is csharp.EndOfExpression for the rest of the document from a place on. What is scanned in vain is limited, because a document
// may begin many expressions that never end.
func (p *parser) expressionEnd(from int) (length int, ok bool) {
	if p.wasted > maxDocument {
		return 0, false
	}
	length, ok = csharp.EndOfExpression(p.src[from:])
	if !ok {
		p.wasted += len(p.src) - from
	}
	return length, ok
}

// isExpressionStart says whether s begins with an expression, white space aside.
func isExpressionStart(s string) bool {
	s = strings.TrimLeft(s, " \t\r\n")
	return strings.HasPrefix(s, "@(") || strings.HasPrefix(s, "@{")
}

// isExpression says whether s is one complete expression, white space at both ends aside.
func isExpression(s string) bool {
	s = strings.Trim(s, " \t\r\n")
	if !isExpressionStart(s) {
		return false
	}
	n, ok := csharp.EndOfExpression(s)
	return ok && n == len(s)
}

// quoted reads an attribute value whose quote is next.
func (p *parser) quoted(name string) (text, *syntaxError) {
	quote, start := p.src[p.at], p.at+1
	end := strings.IndexByte(p.src[start:], quote)
	if end < 0 {
		return text{}, p.errorf(p.at, "the value of attribute %q has no end", name)
	}
	end += start
	if p.strict {
		return p.strictText(start, end, name)
	}
	value, end := p.rawValue(start, end, quote)
	p.at = end + 1
	return value, nil
}

// strictText decodes what stands between two places of a well-formed document.
func (p *parser) strictText(start, end int, attribute string) (text, *syntaxError) {
	raw := p.src[start:end]
	if i := strings.IndexByte(raw, '<'); i >= 0 {
		return text{}, p.errorf(start+i, "\"<\" in a value is written &lt;")
	}
	value, bad := decode(raw, start)
	if bad >= 0 {
		return text{}, p.errorf(bad, "\"&\" in a text is written &amp;")
	}
	p.at = end
	if attribute != "" {
		p.at++
	}
	return value, nil
}

// rawValue reads an attribute value that may be raw C#: the expression's own end counts, not the first quote. firstQuote is the end if it is no
// expression.
func (p *parser) rawValue(start, firstQuote int, quote byte) (value text, end int) {
	raw := p.src[start:firstQuote]
	if strict, bad := decode(raw, start); bad < 0 && isExpression(strict.s) {
		return p.expressionText(strict, raw, start), firstQuote
	}
	lead := start
	for lead < len(p.src) && isSpace(p.src[lead]) {
		lead++
	}
	if isExpressionStart(p.src[lead:]) {
		if n, ok := p.expressionEnd(lead); ok {
			after := lead + n
			for after < len(p.src) && isSpace(p.src[after]) {
				after++
			}
			if after < len(p.src) && p.src[after] == quote {
				return plainText(p.src[start:after], start), after
			}
		}
	} else if end := p.mixedEnd(start, firstQuote, quote); end > firstQuote {
		return plainText(p.src[start:end], start), end
	}
	value, _ = decode(raw, start)
	return value, firstQuote
}

// mixedEnd finds the end of a literal text that has expressions with quotes in it. Such a text is no expression for APIM, but is one value.
func (p *parser) mixedEnd(start, firstQuote int, quote byte) int {
	if !strings.Contains(p.src[start:firstQuote], "@(") {
		return firstQuote
	}
	for i := start; i < len(p.src) && p.src[i] != '\n'; i++ {
		if p.src[i] == quote {
			return i
		}
		if strings.HasPrefix(p.src[i:], "@(") {
			if n, ok := p.expressionEnd(i); ok {
				i += n - 1
			}
		}
	}
	return firstQuote
}

// expressionText decides whether the entities in an expression are XML's or C#'s own: outside of string literals C# has none.
func (p *parser) expressionText(decoded text, raw string, start int) text {
	if !p.strict && isExpression(raw) && !entityOutsideLiterals(raw) {
		return plainText(raw, start)
	}
	return decoded
}

// text reads up to the next markup.
func (p *parser) text(n *node) (text, *syntaxError) {
	start := p.at
	end := strings.IndexByte(p.rest(), '<')
	if end < 0 {
		return text{}, p.errorf(n.pos, "<%s> has no end tag", n.name)
	}
	end += start
	if p.strict {
		return p.strictText(start, end, "")
	}
	raw := p.src[start:end]
	if isExpressionStart(raw) {
		if strict, bad := decode(raw, start); bad < 0 && isExpression(strict.s) {
			p.at = end
			return p.expressionText(strict, raw, start), nil
		}
		lead := start + strings.IndexByte(raw, '@')
		if length, ok := p.expressionEnd(lead); ok {
			p.at = lead + length
			return plainText(p.src[start:p.at], start), nil
		}
	}
	p.at = end
	value, _ := decode(raw, start)
	return value, nil
}

// opaqueContent reads up to the end tag and keeps everything as text: an expression, a template or markup.
func (p *parser) opaqueContent(n *node) *syntaxError {
	start, search := p.at, p.at
	if isExpressionStart(p.rest()) && !p.strict {
		lead := start + strings.IndexByte(p.rest(), '@')
		if length, ok := p.expressionEnd(lead); ok {
			search = lead + length
		}
	}
	end := findEndTag(p.src[search:], n.name)
	if end < 0 {
		return p.errorf(n.pos, "<%s> has no end tag", n.name)
	}
	end += search
	n.innerFrom, n.innerTo, p.at = start, end, end
	raw := p.src[start:end]
	if p.strict && !isMarkup(raw) {
		value, bad := decode(raw, start)
		if bad >= 0 {
			return p.errorf(bad, "\"&\" in a text is written &amp;")
		}
		n.text = value
		return nil
	}
	n.text = p.opaqueText(raw, start)
	return nil
}

// opaqueText decodes the content of an opaque element as far as it is text.
func (p *parser) opaqueText(raw string, start int) text {
	trimmed := strings.Trim(raw, " \t\r\n")
	if inner, ok := strings.CutPrefix(trimmed, "<![CDATA["); ok && strings.Index(inner, "]]>") == len(inner)-len("]]>") {
		from := start + strings.Index(raw, "<![CDATA[") + len("<![CDATA[")
		return plainText(inner[:len(inner)-len("]]>")], from)
	}
	decoded, bad := decode(raw, start)
	switch {
	case bad < 0 && !strings.Contains(raw, "<") && isExpression(decoded.s):
		return p.expressionText(decoded, raw, start)
	case isExpression(raw) || isMarkup(raw):
		return plainText(raw, start)
	}
	return decoded
}

// isMarkup says whether s has elements, comments or CDATA sections in it.
func isMarkup(s string) bool {
	for i := strings.IndexByte(s, '<'); i >= 0 && i+1 < len(s); {
		if c := s[i+1] | 0x20; 'a' <= c && c <= 'z' || s[i+1] == '!' || s[i+1] == '?' || s[i+1] == '/' {
			return true
		}
		next := strings.IndexByte(s[i+1:], '<')
		if next < 0 {
			return false
		}
		i += 1 + next
	}
	return false
}

// findEndTag finds "</name" that ends there, skipping elements of the same name.
func findEndTag(s, name string) int {
	depth := 0
	for i := 0; i < len(s); {
		next := strings.IndexByte(s[i:], '<')
		if next < 0 {
			return -1
		}
		i += next
		rest := s[i+1:]
		switch {
		case strings.HasPrefix(rest, "![CDATA["):
			if end := strings.Index(rest, "]]>"); end > 0 {
				i += end
			}
		case startsWithName(rest, "/"+name):
			if depth == 0 {
				return i
			}
			depth--
		case startsWithName(rest, name):
			if end := strings.IndexAny(rest, "<>"); end > 0 && rest[end] == '>' && rest[end-1] != '/' {
				depth++
			}
		}
		i++
	}
	return -1
}

func startsWithName(s, name string) bool {
	if !strings.HasPrefix(s, name) {
		return false
	}
	s = s[len(name):]
	return s == "" || isSpace(s[0]) || s[0] == '>' || s[0] == '/'
}

// decode replaces entities and character references. bad is where the first "&" stands that begins none, -1 without one; it is kept then.
// Line ends become a line feed each, as XML says.
func decode(raw string, src int) (decoded text, bad int) {
	bad = -1
	if strings.IndexByte(raw, '&') < 0 && strings.IndexByte(raw, '\r') < 0 {
		return plainText(raw, src), bad
	}
	var b strings.Builder
	marks := []mark{{0, src}}
	for i := 0; i < len(raw); {
		switch raw[i] {
		case '&':
			value, length := entity(raw[i:])
			if length == 0 {
				if bad < 0 {
					bad = src + i
				}
				value, length = "&", 1
			}
			b.WriteString(value)
			i += length
			marks = append(marks, mark{b.Len(), src + i})
		case '\r':
			i++
			if i == len(raw) || raw[i] != '\n' {
				b.WriteByte('\n')
			}
			marks = append(marks, mark{b.Len(), src + i})
		default:
			b.WriteByte(raw[i])
			i++
		}
	}
	return text{b.String(), marks}, bad
}

// entity decodes the reference at the start of s and returns its length, 0 when it is none.
func entity(s string) (value string, length int) {
	end := strings.IndexByte(s[:min(len(s), 12)], ';')
	if end < 2 {
		return "", 0
	}
	name := s[1:end]
	switch name {
	case "amp":
		return "&", end + 1
	case "lt":
		return "<", end + 1
	case "gt":
		return ">", end + 1
	case "quot":
		return `"`, end + 1
	case "apos":
		return "'", end + 1
	}
	if name[0] != '#' || len(name) < 2 {
		return "", 0
	}
	digits, base := name[1:], 10
	if digits[0] == 'x' {
		digits, base = digits[1:], 16
	}
	code, err := strconv.ParseUint(digits, base, 21)
	if err != nil || code == 0 || code > 0x10ffff || 0xd800 <= code && code < 0xe000 {
		return "", 0
	}
	return string(rune(code)), end + 1
}

// entityOutsideLiterals says whether an expression has an XML entity outside of its string and character literals and comments.
func entityOutsideLiterals(expr string) bool {
	for i := 0; i < len(expr); i++ {
		switch c := expr[i]; {
		case c == '&':
			if _, length := entity(expr[i:]); length > 0 {
				return true
			}
		case c == '"' || c == '\'':
			i += literalLength(expr[i:], i > 0 && (expr[i-1] == '@' || i > 1 && expr[i-1] == '$' && expr[i-2] == '@')) - 1
		case strings.HasPrefix(expr[i:], "//"):
			if end := strings.IndexByte(expr[i:], '\n'); end > 0 {
				i += end
			} else {
				return false
			}
		}
	}
	return false
}

// literalLength is the length of the literal at the start of s.
func literalLength(s string, verbatim bool) int {
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '\\' && !verbatim:
			i++
		case s[i] == s[0]:
			return i + 1
		}
	}
	return len(s)
}
