package policy

import "strings"

// expand puts named values in the place of {{name}}. Values do not nest. Within Liquid, whose variables look the same, unknown names stay as
// they are. complete is false when an unknown name is left, so that the text says nothing yet about the value.
func (c *Compiler) expand(t text) (out text, complete bool) {
	complete = true
	if !strings.Contains(t.s, "{{") {
		return t, complete
	}
	liquid := c.isLiquid()
	var b strings.Builder
	keep := func(from, to int) {
		if from < to {
			piece := t.slice(from, to)
			for _, m := range piece.marks {
				out.marks = append(out.marks, mark{b.Len() + m.at, m.src})
			}
			b.WriteString(piece.s)
		}
	}
	last := 0
	for i := 0; i < len(t.s); {
		name, length := namedValueAt(t.s[i:])
		if length == 0 {
			i++
			continue
		}
		if value, ok := c.namedValue(name, t.source(i), liquid); ok {
			keep(last, i)
			out.marks = append(out.marks, mark{b.Len(), t.source(i)})
			b.WriteString(value)
			last = i + length
		} else if !liquid {
			complete = false
		}
		i += length
	}
	keep(last, len(t.s))
	out.s = b.String()
	return out, complete
}

// namedValueAt reads {{name}} at the start of s; the length is 0 when there is none.
func namedValueAt(s string) (name string, length int) {
	rest, ok := strings.CutPrefix(s, "{{")
	if !ok {
		return "", 0
	}
	end := strings.Index(rest, "}}")
	if end < 1 {
		return "", 0
	}
	for i := range end {
		c := rest[i]
		if !('a' <= c|0x20 && c|0x20 <= 'z') && !('0' <= c && c <= '9') && c != '.' && c != '-' && c != '_' {
			return "", 0
		}
	}
	return rest[:end], end + len("{{}}")
}

// namedValue looks up a named value and notes or reports it.
func (c *Compiler) namedValue(name string, pos int, liquid bool) (string, bool) {
	// Unknown names are noted as well, in Liquid too: when a named value of that name is made, the document must be compiled again.
	note(&c.k.references.namedValues, name)
	if lookup := c.k.options.Lookup; lookup != nil {
		if value, secret, ok := lookup.NamedValue(name); ok {
			c.k.secret = c.k.secret || secret
			if secret {
				c.noteSecret(name, false)
			}
			return value, true
		}
	}
	if !liquid {
		c.noteSecret(name, true)
		c.k.unknownAt(pos, "UnknownNamedValue", "there is no named value %q", name)
	}
	return "", false
}

// isLiquid says whether the content of the element is a Liquid template.
func (c *Compiler) isLiquid() bool {
	a := c.node.attr("template")
	return c.template || a != nil && strings.EqualFold(strings.TrimSpace(a.value.s), "liquid")
}
