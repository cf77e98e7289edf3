package xmlx

import (
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
