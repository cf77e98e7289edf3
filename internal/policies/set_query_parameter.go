package policies

import (
	"net/url"
	"strings"

	"github.com/causeway-apim/causeway/internal/csharp"
	"github.com/causeway-apim/causeway/internal/message"
	"github.com/causeway-apim/causeway/internal/policy"
)

// SetQueryParameter is the set-query-parameter policy.
var SetQueryParameter = policy.Define[setQueryParameter](policy.Spec{
	Name:     "set-query-parameter",
	Sections: policy.Inbound | policy.Backend,
	Flow:     policy.FlowMessage,
	Doc:      "Sets a parameter of the request's query, appends to it or removes it.",
})

type setQueryParameter struct {
	Name   policy.Value[string]   `attr:"name,required" doc:"Parameter to set."`
	Exists policy.Value[string]   `attr:"exists-action" default:"override" enum:"override,skip,append,delete" doc:"What to do when the parameter is there."`
	Values []policy.Value[string] `elem:"value" doc:"Value; several become several parameters of the same name."`
}

func (p *setQueryParameter) Compile(c *policy.Compiler) error {
	if action, ok := p.Exists.Constant(); ok && action != "delete" && len(p.Values) == 0 {
		c.Errorf("MissingElement", "set-query-parameter needs a value element unless exists-action is delete")
	}
	return nil
}

func (p *setQueryParameter) Run(x *policy.Exec) error {
	name, err := p.Name.Get(x)
	if err != nil {
		return err
	}
	action, err := p.Exists.Get(x)
	if err != nil {
		return err
	}
	query := x.Request.URL.RawQuery
	switch action {
	case "skip":
		if hasQuery(query, name) {
			return nil
		}
	case "delete":
		x.Request.URL.RawQuery = withoutQuery(query, name)
		return nil
	}
	var room [4]string
	added := room[:0]
	for i := range p.Values {
		value, err := p.Values[i].Get(x)
		if err != nil {
			return err
		}
		if !csharp.IsNull(value) {
			added = append(added, value)
		}
	}
	if len(added) == 0 {
		return nil
	}
	if action == "override" {
		query = withoutQuery(query, name)
	}
	var few [16]string
	parts, escaped := append(few[:0], query), escapeQuery(name)
	for _, value := range added {
		if len(parts) > 1 || query != "" {
			parts = append(parts, "&")
		}
		parts = append(parts, escaped, "=", escapeQuery(value))
	}
	x.Request.URL.RawQuery = x.Concat(parts...)
	return nil
}

// escapeQuery encodes a name or value as .NET's Uri.EscapeDataString does: a
// blank is %20, which every server understands.
func escapeQuery(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

func isQueryName(raw, name string) bool {
	if strings.EqualFold(raw, name) {
		return true
	}
	if !strings.ContainsAny(raw, "%+") {
		return false
	}
	decoded, err := url.QueryUnescape(raw)
	return err == nil && strings.EqualFold(decoded, name)
}

func hasQuery(query, name string) bool {
	for n := range message.QueryPairs(query) {
		if isQueryName(n, name) {
			return true
		}
	}
	return false
}

// withoutQuery leaves every other parameter as it was received.
func withoutQuery(query, name string) string {
	if !hasQuery(query, name) {
		return query
	}
	var kept []string
	for pair := range strings.SplitSeq(query, "&") {
		if n, _, _ := strings.Cut(pair, "="); !isQueryName(n, name) {
			kept = append(kept, pair)
		}
	}
	return strings.Join(kept, "&")
}
