package policies

import (
	"net/url"
	"strings"

	"github.com/causeway-apim/causeway/internal/message"
	"github.com/causeway-apim/causeway/internal/policy"
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

	fixed *uriTemplate // of a constant template
}

// Compile reads a constant template.
func (p *rewriteURI) Compile(*policy.Compiler) error {
	if template, ok := p.Template.Constant(); ok {
		t := parseURITemplate(template)
		p.fixed = &t
	}
	return nil
}

func (p *rewriteURI) Run(x *policy.Exec) error {
	keep, err := p.CopyUnmatched.Get(x)
	if err != nil {
		return err
	}
	t := p.fixed
	if t == nil {
		template, err := p.Template.Get(x)
		if err != nil {
			return err
		}
		read := parseURITemplate(template)
		t = &read
	}
	path, err := t.path.expand(x, url.PathEscape)
	if err != nil {
		return err
	}
	query, err := t.query.expand(x, escapeQuery)
	if err != nil {
		return err
	}
	if keep {
		query = addUnmatched(x, query)
	}
	if !strings.HasPrefix(path, "/") {
		path = x.Concat("/", path)
	}
	x.Request.URL.Path, x.Request.URL.RawQuery = path, query
	return nil
}

// uriTemplate is the template of a URL.
type uriTemplate struct{ path, query uriPieces }

// uriPieces are texts and parameters in turn, beginning with a text: the texts may be empty. They are encoded.
type uriPieces []string

func parseURITemplate(template string) uriTemplate {
	path, query, _ := strings.Cut(template, "?")
	return uriTemplate{parseURIPieces(path), parseURIPieces(query)}
}

func parseURIPieces(s string) uriPieces {
	var pieces uriPieces
	for {
		text, rest, ok := strings.Cut(s, "{")
		name, after, closed := strings.Cut(rest, "}")
		if !ok || !closed {
			return append(pieces, message.EscapeURL(s))
		}
		pieces, s = append(pieces, message.EscapeURL(text), name), after
	}
}

// expand puts matched parameters into the template.
func (p uriPieces) expand(x *policy.Exec, escape func(string) string) (string, error) {
	if len(p) == 1 {
		return p[0], nil
	}
	var few [16]string
	parts := append(few[:0], p...)
	for i := 1; i < len(p); i += 2 {
		name := strings.TrimPrefix(p[i], "*")
		value, found := matchedParam(x, name)
		switch {
		case !found:
			return "", &policy.Error{Message: "The template of rewrite-uri names the parameter " + p[i] + ", which the operation's URL template does not have."}
		case name != p[i]:
			parts[i] = escapeSegments(value)
		default:
			parts[i] = escape(value)
		}
	}
	return x.Concat(parts...), nil
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

// addUnmatched appends the request's query parameters that the operation's URL template does not name and the new query does not have.
func addUnmatched(x *policy.Exec, query string) string {
	incoming, template := x.Request.URL.RawQuery, ""
	if incoming == "" {
		return query
	}
	if x.Operation != nil {
		_, template, _ = strings.Cut(x.Operation.URLTemplate, "?")
	}
	var few [16]string
	kept, all := append(few[:0], query), query == ""
	for pair := range strings.SplitSeq(incoming, "&") {
		name, _, _ := strings.Cut(pair, "=")
		if name == "" || namesQuery(template, name) || namesQuery(query, name) {
			all = false
			continue
		}
		if len(kept) > 1 || query != "" {
			kept = append(kept, "&")
		}
		kept = append(kept, pair)
	}
	if all {
		return incoming
	}
	return x.Concat(kept...)
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
