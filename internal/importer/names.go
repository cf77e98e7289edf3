package importer

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

const (
	maxOperationID = 76  // leaves four characters for a suffix such as "-999"
	maxDisplayName = 300 // characters
	maxTemplate    = 1000
)

// normalID makes a resource name of text as API Management does: lower case,
// each run of other characters than letters and digits one hyphen, none at the
// ends, at most 76 characters.
func normalID(text string) string {
	var b strings.Builder
	hyphen := false
	for i := 0; i < len(text) && b.Len() < maxOperationID; i++ {
		c := text[i]
		switch {
		case c >= 'A' && c <= 'Z':
			c += 'a' - 'A'
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9':
		default:
			hyphen = b.Len() > 0
			continue
		}
		if hyphen {
			b.WriteByte('-')
			hyphen = false
		}
		b.WriteByte(c)
	}
	id := b.String()
	return strings.TrimRight(id[:min(len(id), maxOperationID)], "-")
}

// unique makes names distinct by appending -1, -2 and so on.
type unique map[string]int // how often a name was asked for

func (u unique) name(wanted string) string {
	name := wanted
	for {
		n, taken := u[name]
		if !taken {
			u[name] = 0
			return name
		}
		u[wanted] = max(u[wanted], n) + 1
		name = wanted + "-" + strconv.Itoa(u[wanted])
	}
}

// displayName picks the name that people see: the summary, else the
// operationId, else method and path.
func displayName(summary, operationID, method, path string) string {
	name := strings.TrimSpace(summary)
	if name == "" {
		name = strings.TrimSpace(operationID)
	}
	if name == "" {
		name = method + " - " + path
	}
	if utf8.RuneCountInString(name) > maxDisplayName {
		name = string([]rune(name)[:maxDisplayName])
	}
	return name
}

// templateNames lists the parameters of a URL template in their order. It says
// what is wrong with a template whose braces do not pair.
func templateNames(template string) (names []string, problem string) {
	rest := template
	for {
		open := strings.IndexAny(rest, "{}")
		if open < 0 {
			return names, ""
		}
		if rest[open] == '}' {
			return nil, `has a "}" without "{"`
		}
		rest = rest[open+1:]
		end := strings.IndexAny(rest, "{}/")
		if end < 0 || rest[end] != '}' {
			return nil, `has a "{" without "}"`
		}
		if end == 0 {
			return nil, "has a parameter without a name"
		}
		name := rest[:end]
		for _, other := range names {
			if strings.EqualFold(other, name) {
				return nil, "names the parameter " + strconv.Quote(name) + " twice"
			}
		}
		names = append(names, name)
		rest = rest[end+1:]
	}
}

// templateKey is equal for templates that differ in the names of parameters
// only: no request could tell them apart.
func templateKey(template string) string {
	var b strings.Builder
	for {
		open := strings.IndexByte(template, '{')
		end := strings.IndexByte(template, '}')
		if open < 0 || end < open {
			b.WriteString(template)
			return b.String()
		}
		b.WriteString(template[:open])
		b.WriteString("{}")
		template = template[end+1:]
	}
}

// pascal joins the words of text, each with a capital, to a part of a type's
// name.
func pascal(text string) string {
	var b strings.Builder
	capital := true
	for i := 0; i < len(text); i++ {
		c := text[i]
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !letter && c != '_' {
			capital = true
			continue
		}
		if capital && c >= 'a' && c <= 'z' {
			c -= 'a' - 'A'
		}
		capital = false
		b.WriteByte(c)
	}
	return b.String()
}
