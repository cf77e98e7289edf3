package policies

import (
	"net/url"
	"strings"

	"github.com/causeway-apim/causeway/internal/message"
	"github.com/causeway-apim/causeway/internal/policy"
	"github.com/causeway-apim/causeway/internal/snapshot"
)

// RewriteURI is the rewrite-uri policy.
var RewriteURI = policy.Define[rewriteURI](policy.Spec{
	Name:     "rewrite-uri",
	Sections: policy.Inbound,
	Flow:     policy.FlowMessage,
	Doc:      "Changes the path and query under which the backend service is called. Parameters of the operation's URL template stand in braces.",
})

type rewriteURI struct {
	Template      policy.Value[string] `attr:"template,required" doc:"New path below the backend's base URL, with or without a query."`
	CopyUnmatched policy.Value[bool]   `attr:"copy-unmatched-params" default:"true" doc:"Whether query parameters that are not in the operation's URL template are kept."`
}

func (p *rewriteURI) Run(x *policy.Exec) error {
	template, err := p.Template.Get(x)
	if err != nil {
		return err
	}
	keep, err := p.CopyUnmatched.Get(x)
	if err != nil {
		return err
	}
	path, query, _ := strings.Cut(template, "?")
	if path, err = p.expand(x, path, url.PathEscape); err != nil {
		return err
	}
	if query, err = p.expand(x, query, escapeQuery); err != nil {
		return err
	}
	if keep {
		query = addUnmatched(query, x.Request.URL.RawQuery, x.Operation)
	}
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	x.Request.URL.Path, x.Request.URL.RawQuery = path, query
	return nil
}

// expand puts matched parameters into a template.
func (p *rewriteURI) expand(x *policy.Exec, template string, escape func(string) string) (string, error) {
	if strings.IndexByte(template, '{') < 0 {
		return template, nil
	}
	var b strings.Builder
	for template != "" {
		before, rest, ok := strings.Cut(template, "{")
		b.WriteString(before)
		if !ok {
			break
		}
		name, after, closed := strings.Cut(rest, "}")
		if !closed {
			b.WriteString("{" + rest)
			break
		}
		value, found := matchedParam(x, strings.TrimPrefix(name, "*"))
		if !found {
			return "", &policy.Error{Message: "The template of rewrite-uri names the parameter " + name + ", which the operation's URL template does not have."}
		}
		if name == "*" || strings.HasPrefix(name, "*") {
			b.WriteString(escapeSegments(value))
		} else {
			b.WriteString(escape(value))
		}
		template = after
	}
	return b.String(), nil
}

func matchedParam(x *policy.Exec, name string) (string, bool) {
	if name == "" {
		name = "*"
	}
	for _, m := range x.Matched {
		if strings.EqualFold(m.Name, name) {
			return m.Value, true
		}
	}
	return "", false
}

// escapeSegments encodes a path and keeps its slashes.
func escapeSegments(path string) string {
	segments := strings.Split(path, "/")
	for i, s := range segments {
		segments[i] = url.PathEscape(s)
	}
	return strings.Join(segments, "/")
}

// addUnmatched appends the request's query parameters that the operation's URL
// template does not name and the new query does not have.
func addUnmatched(query, incoming string, op *snapshot.Operation) string {
	if incoming == "" {
		return query
	}
	template := ""
	if op != nil {
		_, template, _ = strings.Cut(op.URLTemplate, "?")
	}
	var b strings.Builder
	b.WriteString(query)
	for pair := range strings.SplitSeq(incoming, "&") {
		name, _, _ := strings.Cut(pair, "=")
		if name == "" || namesQuery(template, name) || namesQuery(query, name) {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('&')
		}
		b.WriteString(pair)
	}
	return b.String()
}

// namesQuery tells whether a query has a parameter of a raw name.
func namesQuery(query, rawName string) bool {
	for n := range message.QueryPairs(query) {
		if strings.EqualFold(n, rawName) {
			return true
		}
	}
	return false
}
