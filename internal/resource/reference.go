package resource

import (
	"fmt"
	"strings"
)

// Reference returns the reference page of the management API in Markdown, derived from the declarations.
func (c *Catalogue) Reference() string {
	var b strings.Builder
	b.WriteString(`# Management API

<!-- Generated from the declarations in internal/resources: go test ./internal/resources -update -->

Every path is below
` + "`/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.ApiManagement/service/{service}`" + `
and needs ` + "`api-version`" + `. Properties stand in the member ` + "`properties`" + ` of the body unless said otherwise. Lists take
` + "`$top`, `$skip` and `$filter`" + ` over the name and the properties marked *filter*. PUT, PATCH and DELETE take ` + "`If-Match`" + `.

`)
	var done, missing []Info
	for _, t := range c.Types() {
		switch {
		case strings.HasPrefix(t.Path, "workspaces/"):
		case t.Reason != "":
			missing = append(missing, t)
		default:
			done = append(done, t)
		}
	}
	for _, t := range done {
		fmt.Fprintf(&b, "- [%s](#%s)\n", t.displayPath(), anchor(t.displayPath()))
	}
	for _, t := range done {
		t.writeReference(&b)
	}
	if missing != nil {
		b.WriteString("\n## Not implemented\n\nRequests for these are answered 501.\n\n| type | reason |\n| --- | --- |\n")
	}
	for _, t := range missing {
		fmt.Fprintf(&b, "| `%s` | %s |\n", t.Path, cell(t.Reason))
	}
	return b.String()
}

func (t Info) displayPath() string {
	if t.Path == "" {
		return "service"
	}
	return t.Path
}

// anchor is how Markdown renderers name a heading.
func anchor(heading string) string { return strings.ReplaceAll(strings.ToLower(heading), "/", "") }

func (t Info) writeReference(b *strings.Builder) {
	fmt.Fprintf(b, "\n## %s\n\n", t.displayPath())
	fmt.Fprintf(b, "%s: %s\n\n", t.Title, t.Doc)
	fmt.Fprintf(b, "Verbs: %s.", strings.Join(t.verbNames(), ", "))
	if t.Join != "" {
		fmt.Fprintf(b, " Links to `%s`.", t.Join)
	}
	if len(t.Names) > 0 {
		fmt.Fprintf(b, " The only names: %s.", code(t.Names))
	}
	if t.TopLevel {
		b.WriteString(" The properties are those of the whole body.")
	}
	b.WriteString("\n")
	if len(t.Fields) > 0 {
		b.WriteString("\n| property | type | rules | |\n| --- | --- | --- | --- |\n")
		writeFields(b, t.Fields, "")
	}
	if len(t.Actions) > 0 {
		b.WriteString("\n| action | |\n| --- | --- |\n")
		for _, a := range t.Actions {
			fmt.Fprintf(b, "| `%s %s` | %s |\n", a.Method, a.Name, cell(a.Doc))
		}
	}
}

func (t Info) verbNames() (names []string) {
	for _, v := range []struct {
		verb Verbs
		name string
	}{{List, "list"}, {Read, "GET"}, {Head, "HEAD"}, {Create, "PUT"}, {Update, "PATCH"}, {Delete, "DELETE"}} {
		if t.Verbs&v.verb != 0 {
			names = append(names, v.name)
		}
	}
	return names
}

func code(words []string) string { return "`" + strings.Join(words, "`, `") + "`" }

// cell makes text fit into a table.
func cell(s string) string { return strings.ReplaceAll(s, "|", "\\|") }

func writeFields(b *strings.Builder, fields []FieldInfo, prefix string) {
	for _, f := range fields {
		fmt.Fprintf(b, "| `%s%s` | %s | %s | %s |\n", prefix, f.Name, f.typeName(), cell(f.ruleText()), cell(f.Doc))
		sub := prefix + f.Name
		switch {
		case f.Array:
			sub += "[]"
		case f.Map:
			sub += ".*"
		}
		writeFields(b, f.Fields, sub+".")
	}
}

func (f FieldInfo) typeName() string {
	switch {
	case f.Map:
		return "map of " + f.Type
	case f.Array:
		return "array of " + f.Type
	}
	return f.Type
}

func (f FieldInfo) ruleText() string {
	var rules []string
	for _, flag := range []struct {
		set  bool
		name string
	}{
		{f.Required, "required"}, {f.ReadOnly, "read only"}, {f.WriteOnly, "write only"}, {f.Secret, "secret"}, {f.Immutable, "immutable"},
		{f.URL, "URL"}, {f.Email, "e-mail address"}, {f.Filter, "*filter*"},
	} {
		if flag.set {
			rules = append(rules, flag.name)
		}
	}
	if f.Min != nil {
		rules = append(rules, fmt.Sprintf("at least %v", *f.Min))
	}
	if f.Max != nil {
		rules = append(rules, fmt.Sprintf("at most %v", *f.Max))
	}
	if f.Enum != nil {
		rules = append(rules, code(f.Enum))
	}
	if f.Refs != nil {
		rules = append(rules, "ID of "+code(f.Refs))
	}
	if f.Pattern != "" {
		rules = append(rules, "form `"+f.Pattern+"`")
	}
	if f.Default != "" {
		rules = append(rules, "default `"+f.Default+"`")
	}
	return strings.Join(rules, ", ")
}
