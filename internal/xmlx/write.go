package xmlx

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Append writes the document without white space of its own.
func (d *Document) Append(b []byte) []byte {
	if d.Declaration != nil {
		b = append(b, "<?xml"...)
		for _, a := range d.Declaration {
			b = a.append(b)
		}
		b = append(b, "?>"...)
	}
	for _, n := range d.Nodes {
		b = n.Append(b)
	}
	return b
}

// Append writes a node with all that stands in it.
func (n *Node) Append(b []byte) []byte {
	switch n.Kind {
	case Text:
		return appendEscaped(b, n.Text, false)
	case CData:
		b = append(b, "<![CDATA["...)
		b = append(b, strings.ReplaceAll(n.Text, "]]>", "]]]]><![CDATA[>")...)
		return append(b, "]]>"...)
	case Comment:
		b = append(b, "<!--"...)
		b = append(b, strings.ReplaceAll(n.Text, "--", "- -")...)
		return append(b, "-->"...)
	case Instruction:
		b = append(append(b, "<?"...), n.Name.Local...)
		if n.Text != "" {
			b = append(append(b, ' '), strings.ReplaceAll(n.Text, "?>", "? >")...)
		}
		return append(b, "?>"...)
	}
	name := n.Name.String()
	b = append(append(b, '<'), name...)
	for _, a := range n.Attrs {
		b = a.append(b)
	}
	if len(n.Children) == 0 {
		return append(b, " />"...)
	}
	b = append(b, '>')
	for _, c := range n.Children {
		b = c.Append(b)
	}
	return append(append(append(b, "</"...), name...), '>')
}

func (a *Attr) append(b []byte) []byte {
	b = append(append(b, ' '), a.Name.String()...)
	return append(appendEscaped(append(b, `="`...), a.Value, true), '"')
}

// appendEscaped writes text; characters that XML 1.0 does not have become the replacement character.
func appendEscaped(b []byte, s string, attribute bool) []byte {
	for _, c := range s {
		switch {
		case c == '<':
			b = append(b, "&lt;"...)
		case c == '>':
			b = append(b, "&gt;"...)
		case c == '&':
			b = append(b, "&amp;"...)
		case c == '"' && attribute:
			b = append(b, "&quot;"...)
		case attribute && (c == '\n' || c == '\t') || c == '\r':
			b = append(b, "&#x"...)
			b = append(b, "0123456789ABCDEF"[c], ';')
		case c < ' ' && c != '\n' && c != '\t', c == 0xfffe, c == 0xffff:
			b = utf8.AppendRune(b, utf8.RuneError)
		default:
			b = utf8.AppendRune(b, c)
		}
	}
	return b
}

// EncodeName makes a name of a text: what may not stand in one becomes _xHHHH_, as XmlConvert.EncodeLocalName of .NET does.
func EncodeName(s string) string {
	var b strings.Builder
	for i, c := range s {
		switch {
		case isNameChar(c, i == 0) && !isEscape(s[i:]):
			b.WriteRune(c)
		case c > 0xffff:
			fmt.Fprintf(&b, "_x%08X_", c)
		default:
			fmt.Fprintf(&b, "_x%04X_", c)
		}
	}
	if b.Len() == 0 {
		return "_x0000_"
	}
	return b.String()
}

// isEscape says whether s begins with what EncodeName would write for another character.
func isEscape(s string) bool {
	if len(s) < len("_xHHHH_") || s[:2] != "_x" || s[6] != '_' {
		return false
	}
	for i := 2; i < 6; i++ {
		if c := s[i]; !('0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'f') {
			return false
		}
	}
	return true
}

// isNameChar says whether a character may stand in a name without colons.
func isNameChar(c rune, first bool) bool {
	switch {
	case c == '_', 'a' <= c|0x20 && c|0x20 <= 'z':
		return true
	case '0' <= c && c <= '9', c == '-', c == '.', c == 0xb7, 0x300 <= c && c <= 0x36f, c == 0x203f, c == 0x2040:
		return !first
	case c < 0xc0, c == 0xd7, c == 0xf7, c == 0x37e, 0x2000 <= c && c <= 0x200b, 0x200e <= c && c <= 0x206f:
		return false
	case 0x2190 <= c && c <= 0x2bff, 0x2ff0 <= c && c <= 0x3000, 0xd800 <= c && c <= 0xf8ff, 0xfdd0 <= c && c <= 0xfdef, c >= 0xfffe && c <= 0xffff:
		return false
	}
	return c != utf8.RuneError && c <= 0xeffff
}
