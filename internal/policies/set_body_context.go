package policies

import (
	"strings"

	"github.com/causeway-apim/causeway/internal/csharp"
	"github.com/causeway-apim/causeway/internal/csharp/clr"
	"github.com/causeway-apim/causeway/internal/liquid"
	"github.com/causeway-apim/causeway/internal/message"
	"github.com/causeway-apim/causeway/internal/policy"
)

// liquidContext is the variable context of a template: the members that the page of set-body lists, and Variables.
type liquidContext struct{ x *policy.Exec }

func (c liquidContext) Get(name string) (any, bool) {
	switch strings.ToLower(name) {
	case "request":
		return liquidRequest(c), true
	case "response":
		if c.x.Response == nil {
			return nil, true
		}
		return liquidResponse(c), true
	case "variables":
		return liquidLookup(func(name string) (any, bool) {
			v, ok := c.x.Variable(name)
			return liquidValue(v), ok
		}), true
	}
	return nil, false
}

// liquidLookup is an object whose members are found by a function.
type liquidLookup func(name string) (any, bool)

func (f liquidLookup) Get(name string) (any, bool) { return f(name) }

// liquidPairs are the items of a dictionary that a template loops over: their members are Key and Value.
func liquidPairs(names []string, lookup func(name string) (any, bool)) []any {
	m := &liquid.Map{}
	for _, name := range names {
		value, _ := lookup(name)
		m.Set(name, value)
	}
	return m.Items()
}

// liquidMatched are the template parameters of the operation.
type liquidMatched []policy.Param

func (m liquidMatched) Get(name string) (any, bool) {
	for _, p := range m {
		if strings.EqualFold(p.Name, name) {
			return p.Value, true
		}
	}
	return nil, false
}

// Items implements liquid.Lister.
func (m liquidMatched) Items() []any {
	names := make([]string, len(m))
	for i, p := range m {
		names[i] = p.Name
	}
	return liquidPairs(names, m.Get)
}

type liquidRequest struct{ x *policy.Exec }

func (r liquidRequest) Get(name string) (any, bool) {
	x := r.x
	switch strings.ToLower(name) {
	case "url":
		base := x.Base
		base.Path, base.RawQuery = x.Request.URL.Path, x.Request.URL.RawQuery
		return &liquidURL{base, x.BackendURL()}, true
	case "originalurl":
		return &liquidURL{x.OriginalURL, x.OriginalURL}, true
	case "method":
		return x.Request.Method, true
	case "originalmethod":
		return x.OriginalMethod, true
	case "ipaddress":
		return x.ClientIP, true
	case "matchedparameters":
		return liquidMatched(x.Matched), true
	case "hasbody":
		return x.Request.Body != nil, true
	case "clientcertificates":
		return []any{}, true
	case "headers":
		return liquidHeaders{&x.Request.Header}, true
	}
	return nil, false
}

type liquidResponse struct{ x *policy.Exec }

func (r liquidResponse) Get(name string) (any, bool) {
	switch strings.ToLower(name) {
	case "statuscode":
		return int64(r.x.Response.Status), true
	case "method":
		return r.x.Request.Method, true
	case "headers":
		return liquidHeaders{&r.x.Response.Header}, true
	}
	return nil, false
}

type liquidHeaders struct{ h *message.Header }

func (h liquidHeaders) Get(name string) (any, bool) { return listOrOne(h.h.Values(name)) }

// Items implements liquid.Lister.
func (h liquidHeaders) Items() []any { return liquidPairs(differentNames(h.h), h.Get) }

// listOrOne is the only text, or the list of several.
func listOrOne(values []string) (any, bool) {
	switch len(values) {
	case 0:
		return nil, false
	case 1:
		return values[0], true
	}
	list := make([]any, len(values))
	for i, v := range values {
		list[i] = v
	}
	return list, true
}

// liquidURL is a URL: its parts, and the whole.
type liquidURL struct{ parts, whole message.URL }

// Text is the whole URL.
func (u *liquidURL) Text() string { return u.whole.String() }

func (u *liquidURL) Get(name string) (any, bool) {
	switch strings.ToLower(name) {
	case "scheme":
		return u.parts.Scheme, true
	case "host":
		return u.parts.Host, true
	case "port":
		return int64(u.parts.EffectivePort()), true
	case "path":
		return u.parts.Path, true
	case "query":
		return liquidQuery{u.parts.RawQuery}, true
	case "querystring":
		if u.parts.RawQuery == "" {
			return "", true
		}
		return "?" + u.parts.RawQuery, true
	case "touri", "tostring":
		return u.Text(), true
	}
	return nil, false
}

// liquidQuery is the query of a URL.
type liquidQuery struct{ raw string }

func (q liquidQuery) Get(name string) (any, bool) {
	_, values := queryValues(q.raw)
	return listOrOne(values[strings.ToLower(name)])
}

// Items implements liquid.Lister.
func (q liquidQuery) Items() []any {
	names, _ := queryValues(q.raw)
	return liquidPairs(names, q.Get)
}

// liquidValue is the value of a variable in a template.
func liquidValue(v any) any {
	switch v := v.(type) {
	case nil, bool, int64, float64:
		return v
	case string:
		if csharp.IsNull(v) {
			return nil
		}
		return v
	case int:
		return int64(v)
	case int32:
		return int64(v)
	case int16:
		return int64(v)
	case uint8:
		return int64(v)
	case float32:
		return float64(v)
	case clr.DateTime:
		return v.Time()
	case *clr.JValue:
		return liquidValue(v.Value())
	case *clr.JArray:
		list := make([]any, 0, v.Count())
		for _, item := range v.Items() {
			list = append(list, liquidValue(item))
		}
		return list
	case *clr.JObject:
		m := &liquid.Map{}
		for name, value := range v.EachEntry {
			m.Set(name.(string), liquidValue(value))
		}
		return m
	case *policy.ResponseValue:
		r := v.Message()
		return liquidLookup(func(name string) (any, bool) {
			switch strings.ToLower(name) {
			case "statuscode":
				return int64(r.Status), true
			case "headers":
				return liquidHeaders{&r.Header}, true
			}
			return nil, false
		})
	}
	return csharp.FormatValue(v)
}
