package policy

import (
	"slices"
	"strings"
)

// ScopedText is the policy document of one scope.
type ScopedText struct {
	Scope Scope
	// Name says in words, or by a resource's ID, whose document it is.
	Name string
	// Text is the document; empty for none, which inherits everything.
	Text string
	// Format is "xml", "rawxml" or "" to find out.
	Format string
}

// Effective is an effective policy: the documents of all scopes in one.
type Effective struct {
	// Value is the document, with a comment where another scope's part begins and ends.
	Value string
	// Statements are all statements in the order in which they run, with their origins.
	Statements []*Statement
}

// Effective puts the documents of scopes together, from broad to narrow: each <base /> becomes what the next broader document says. The
// documents' errors are in the reports, one for each document; the effective policy is nil when there are any.
func (c *Catalogue) Effective(documents []ScopedText, o Options) (*Effective, []Report) {
	var reports []Report
	var layers []layer
	ok := true
	for _, d := range documents {
		o.Scope, o.Format, o.Kind = d.Scope, d.Format, KindPolicies
		l := layer{ScopedText: d}
		if strings.TrimSpace(d.Text) != "" {
			k := &compilation{catalogue: c, options: o, src: source(d.Text), explaining: &explaining{}}
			k.report.Errors, k.report.Warnings = []Diagnostic{}, []Diagnostic{}
			k.document()
			l.statements, l.root = k.explaining.statements, k.root
			for _, s := range l.statements {
				s.Document = d.Name
			}
			ok = ok && k.report.OK()
			reports = append(reports, k.report)
		}
		layers = append(layers, l)
	}
	if !ok {
		return nil, reports
	}
	e := &Effective{}
	var b strings.Builder
	b.WriteString("<policies>\n")
	for _, section := range sectionNames {
		b.WriteString("\t<" + section + ">")
		writeSection(&b, layers, section)
		b.WriteString("</" + section + ">\n")
		e.Statements = appendStatements(e.Statements, layers, section)
	}
	b.WriteString("</policies>\n")
	e.Value = b.String()
	followSecrets(e.Statements)
	return e, reports
}

// layer is a document of an effective policy.
type layer struct {
	ScopedText
	root       *node
	statements []*Statement
}

// section is the element of a section; inherits says that there is no document at all.
func (l *layer) section(name string) (n *node, inherits bool) {
	if l.root == nil {
		return nil, true
	}
	for _, child := range l.root.children {
		if child.name == name {
			return child, false
		}
	}
	return nil, false
}

// writeSection writes the content of a section of the last layer, with those before it in the place of <base />.
func writeSection(b *strings.Builder, layers []layer, name string) {
	if len(layers) == 0 {
		return
	}
	l, broader := layers[len(layers)-1], layers[:len(layers)-1]
	n, inherits := l.section(name)
	switch {
	case inherits:
		writeSection(b, broader, name)
		return
	case n == nil || n.innerTo < n.innerFrom:
		return
	}
	at := n.innerFrom
	for _, child := range n.children {
		if child.name != "base" {
			continue
		}
		b.WriteString(l.Text[at:child.pos])
		outer := "no scope"
		if i := lastDocument(broader); i >= 0 {
			outer = broader[i].Scope.String() + " scope"
		}
		b.WriteString("<!-- base: begin " + outer + " -->")
		writeSection(b, broader, name)
		b.WriteString("<!-- base: end " + outer + " -->")
		at = child.end
	}
	b.WriteString(l.Text[at:n.innerTo])
}

// lastDocument is the position of the last layer that has a document.
func lastDocument(layers []layer) int {
	for i := len(layers) - 1; i >= 0; i-- {
		if layers[i].root != nil {
			return i
		}
	}
	return -1
}

// appendStatements appends the statements of a section in the order in which they run.
func appendStatements(list []*Statement, layers []layer, section string) []*Statement {
	if len(layers) == 0 {
		return list
	}
	l, broader := layers[len(layers)-1], layers[:len(layers)-1]
	n, inherits := l.section(section)
	if inherits {
		return appendStatements(list, broader, section)
	}
	if n == nil {
		return list
	}
	own := slices.DeleteFunc(slices.Clone(l.statements), func(s *Statement) bool { return s.Section != section })
	for _, child := range n.children {
		if child.name == "base" {
			list = appendStatements(list, broader, section)
			continue
		}
		// The statement of the element, then those in it up to the next element's.
		for len(own) > 0 {
			list = append(list, own[0])
			own = own[1:]
			if len(own) == 0 || !strings.Contains(own[0].Path, "/") && own[0].Fragment == "" {
				break
			}
		}
	}
	return append(list, own...)
}
