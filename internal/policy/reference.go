package policy

import (
	"fmt"
	"strconv"
	"strings"
)

// ReferencePage is the reference page of a policy in Markdown. example is a document that uses it, reasons are those of context.LastError that it
// gives.
func ReferencePage(i Info, example string, reasons []string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\n<!-- Generated from the declaration: go test ./internal/policies -run TestReferencePages -update -->\n\n%s\n\n", i.Name, i.Doc)
	sections := strings.Join(i.Sections.names(), ", ")
	if i.Scopes == ScopeResolver {
		sections = "none: it stands in the document of a GraphQL resolver"
	}
	fmt.Fprintf(&b, "| | |\n| --- | --- |\n| sections | %s |\n| scopes | %s |\n", sections, strings.Join(i.Scopes.names(), ", "))
	if i.OncePerSection {
		b.WriteString("| once | it may stand only once in a section of a document |\n")
	}
	if names := bodyNames(i.Body); names != "" {
		fmt.Fprintf(&b, "| reads the whole body | %s |\n", names)
	}
	if i.Calls != "" {
		fmt.Fprintf(&b, "| calls | %s |\n", i.Calls)
	}
	if names := i.NotOn.names(); len(names) > 0 {
		fmt.Fprintf(&b, "| gateways of Azure without it | %s; Causeway runs it on all |\n", strings.Join(names, ", "))
	}
	b.WriteString("\nThe element may have the attribute `id`, which context.LastError.PolicyId shows.\n")
	writeElement(&b, i.Element, "")
	if example != "" {
		b.WriteString("\n## Example\n\n```xml\n" + strings.TrimSpace(example) + "\n```\n")
	}
	if len(reasons) > 0 {
		b.WriteString("\n## Errors\n\n`context.LastError.Reason`: ")
		for n, reason := range reasons {
			if n > 0 {
				b.WriteString(", ")
			}
			b.WriteString("`" + reason + "`")
		}
		b.WriteString(".\n")
	}
	return b.String()
}

func bodyNames(use BodyUse) string {
	var names []string
	for i, name := range [...]string{"request", "response"} {
		if use&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return strings.Join(names, ", ")
}

// writeElement writes the attributes and content of an element, and those of the elements in it.
func writeElement(b *strings.Builder, e ElementInfo, path string) {
	path = strings.TrimPrefix(path+"/"+e.Name, "/")
	if len(e.Attributes) == 0 && e.Text == nil && len(e.Children) == 0 && !e.Policies {
		return
	}
	fmt.Fprintf(b, "\n## `%s`\n", path)
	if len(e.Attributes) > 0 {
		b.WriteString("\n| attribute | type | values | expressions | |\n| --- | --- | --- | --- | --- |\n")
		for _, a := range e.Attributes {
			fmt.Fprintf(b, "| `%s` | %s | %s | %s | %s |\n", a.Name, a.Type, valueRules(a), yesNo(a.Expressions), cell(a.Doc))
		}
	}
	if e.Text != nil {
		fmt.Fprintf(b, "\nContent: %s%s\n", contentRules(e), sentence(e.Text.Doc))
	}
	if e.Policies {
		b.WriteString("\nPolicies stand in it")
		if len(e.Only) > 0 {
			b.WriteString(": `" + strings.Join(e.Only, "`, `") + "`")
		}
		b.WriteString(".\n")
	}
	writeChildren(b, e, path)
}

func writeChildren(b *strings.Builder, e ElementInfo, path string) {
	if len(e.Children) == 0 {
		return
	}
	b.WriteString("\n| element | how often | content | |\n| --- | --- | --- | --- |\n")
	for _, child := range e.Children {
		content := "elements"
		if child.Text != nil {
			content = contentRules(child)
		}
		fmt.Fprintf(b, "| `%s` | %s | %s | %s |\n", child.Name, howOften(child), content, cell(child.Doc))
	}
	for _, child := range e.Children {
		if len(child.Attributes) > 0 || len(child.Children) > 0 || child.Policies {
			writeElement(b, child, path)
		}
	}
}

func howOften(e ElementInfo) string {
	switch {
	case e.Required && e.Repeats:
		return "once or more"
	case e.Required:
		return "once"
	case e.Repeats:
		return "any number"
	}
	return "at most once"
}

func contentRules(e ElementInfo) string {
	if e.Raw {
		return "XML"
	}
	text := e.Text.Type
	if rules := valueRules(*e.Text); rules != "" {
		text += ", " + rules
	}
	if e.Text.Expressions {
		text += ", expressions allowed"
	}
	return text
}

// valueRules says what a value may be.
func valueRules(v ValueInfo) string {
	var rules []string
	if v.Required {
		rules = append(rules, "required")
	}
	if v.MayBeEmpty {
		rules = append(rules, "may be empty")
	}
	if len(v.Enum) > 0 {
		rules = append(rules, "`"+strings.Join(v.Enum, "`, `")+"`")
	}
	if v.Min != nil {
		rules = append(rules, "at least "+strconv.FormatFloat(*v.Min, 'f', -1, 64))
	}
	if v.Max != nil {
		rules = append(rules, "at most "+strconv.FormatFloat(*v.Max, 'f', -1, 64))
	}
	if v.Default != nil {
		rules = append(rules, "default `"+*v.Default+"`")
	}
	return strings.Join(rules, "; ")
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

func cell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }

func sentence(doc string) string {
	if doc == "" {
		return "."
	}
	return ". " + doc
}

// names lists the sections of a set.
func (s Section) names() (names []string) {
	for i, name := range sectionNames {
		if s&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return names
}

// names lists the scopes of a set.
func (s Scope) names() (names []string) {
	for one := ScopeService; one <= ScopeResolver; one <<= 1 {
		if s&one != 0 {
			names = append(names, one.String())
		}
	}
	return names
}
