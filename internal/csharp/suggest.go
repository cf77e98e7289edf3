package csharp

import "strings"

// distance is the edit distance of two names without regard to case, at most limit+1.
func distance(a, b string, limit int) int {
	a, b = strings.ToLower(a), strings.ToLower(b)
	if len(a)-len(b) > limit || len(b)-len(a) > limit {
		return limit + 1
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diag := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := diag
			if a[i-1] != b[j-1] {
				cost++
			}
			diag = row[j]
			row[j] = min(cost, row[j]+1, row[j-1]+1)
		}
	}
	return row[len(b)]
}

// closest collects names and keeps the nearest to what was written.
type closest struct {
	want string
	best string
	dist int
}

func suggest(want string) *closest { return &closest{want: want, dist: 1 + max(1, len(want)/4)} }

func (c *closest) try(name string) {
	if name == c.want {
		return
	}
	if d := distance(c.want, name, c.dist); d < c.dist || d == c.dist && (c.best == "" || name < c.best) {
		c.best, c.dist = name, d
	}
}

func (c *closest) text() string {
	if c.best == "" {
		return ""
	}
	return ". Did you mean '" + c.best + "'?"
}

// suggestKeyword proposes the keyword that a statement was perhaps meant to begin with.
func suggestKeyword(name string) string {
	c := suggest(name)
	for _, k := range []string{"return", "if", "else", "for", "foreach", "while", "switch", "throw", "try", "using", "var", "const", "break", "continue"} {
		c.try(k)
	}
	return c.text()
}

// typeText is a type in messages: at run time the binder names namespaces.
func (b *binder) typeText(t *Type) string {
	if b.runtime {
		return t.qualified()
	}
	return t.String()
}

func (b *binder) suggestMember(t *Type, name string, static bool) string {
	if b.runtime {
		return ""
	}
	c := suggest(name)
	for x := t; x != nil; x = x.Base() {
		d := x
		if x.def != nil {
			d = x.def
		}
		for n, list := range d.members {
			if list[0].static == static {
				c.try(n)
			}
		}
		if x.kind == kindInterface {
			for _, i := range x.interfaces() {
				if i.def != nil {
					for n := range i.def.members {
						c.try(n)
					}
				}
			}
		}
		if x.enum != nil && static {
			for _, n := range x.enum.names {
				c.try(n)
			}
		}
	}
	for _, f := range t.fields {
		c.try(f.name)
	}
	return c.text()
}

func (l *Library) suggestType(name string) string {
	c := suggest(name)
	for _, list := range l.short {
		c.try(list[0].name)
	}
	return c.text()
}

// property finds a property of t, its bases and interfaces by name without regard to case; "" when there is none.
func (t *Type) property(name string) string {
	for n, list := range t.members {
		if strings.EqualFold(n, name) && list[0].prop {
			return n
		}
	}
	for _, u := range append(t.interfaces(), t.Base()) {
		if u != nil {
			if p := u.property(name); p != "" {
				return p
			}
		}
	}
	return ""
}

func (b *binder) suggestName(name string) string {
	c := suggest(name)
	for s := b.scope; s != nil; s = s.outer {
		for n := range s.names {
			c.try(n)
		}
		for n := range s.funcs {
			c.try(n)
		}
	}
	for _, g := range b.opts.Globals {
		c.try(g.Name)
		if p := g.Type.property(name); p != "" {
			return ". Did you mean '" + g.Name + "." + p + "'?"
		}
	}
	if c.best != "" {
		return c.text()
	}
	return b.lib.suggestType(name)
}
