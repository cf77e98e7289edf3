package armtemplate

import (
	"net/url"
	"strconv"
	"strings"
)

// recentFunctions are those that Bicep 0.30 and later compile to ("Bicep functions").
func recentFunctions() map[string]function {
	return map[string]function{
		"like":            {2, 2, func(a args) Value { return like(strings.ToLower(a.str(0)), strings.ToLower(a.str(1))) }},
		"distinct":        {1, 1, distinct},
		"parseuri":        {1, 1, parseURI},
		"builduri":        {1, 1, buildURI},
		"tologicalzone":   {3, 3, func(a args) Value { return a.zone(a.str(2), a.logicalZone) }},
		"tologicalzones":  {3, 3, func(a args) Value { return a.zones(a.logicalZone) }},
		"tophysicalzone":  {3, 3, func(a args) Value { return a.zone(a.str(2), a.physicalZone) }},
		"tophysicalzones": {3, 3, func(a args) Value { return a.zones(a.physicalZone) }},
	}
}

// like reports whether s has the form of a pattern, in which a star stands for any characters.
func like(s, pattern string) bool {
	parts := strings.Split(pattern, "*")
	first, last := parts[0], parts[len(parts)-1]
	if len(parts) == 1 {
		return s == pattern
	}
	if len(s) < len(first)+len(last) || !strings.HasPrefix(s, first) || !strings.HasSuffix(s, last) {
		return false
	}
	s = s[len(first) : len(s)-len(last)]
	for _, part := range parts[1 : len(parts)-1] {
		i := strings.Index(s, part)
		if i < 0 {
			return false
		}
		s = s[i+len(part):]
	}
	return true
}

// distinct keeps the first of equal elements.
func distinct(a args) Value {
	out := []Value{}
	for _, v := range a.array(0) {
		known := false
		for _, kept := range out {
			a.step()
			if known = Equal(kept, v); known {
				break
			}
		}
		if !known {
			out = append(out, v)
		}
	}
	a.holds(len(out), 0)
	return out
}

// defaultPort is the port of URIs of a scheme that name none.
func defaultPort(scheme string) int64 {
	return map[string]int64{"http": 80, "https": 443, "ftp": 21, "ws": 80, "wss": 443}[strings.ToLower(scheme)]
}

func parseURI(a args) Value {
	u, err := url.Parse(a.str(0))
	if err != nil || u.Scheme == "" || u.Host == "" {
		fail("The template function 'parseUri' is not valid: '%s' is not an absolute URI.", shorten(a.str(0)))
	}
	port, path := defaultPort(u.Scheme), u.EscapedPath()
	if n, err := strconv.ParseInt(u.Port(), 10, 32); err == nil {
		port = n
	}
	if path == "" {
		path = "/"
	}
	return NewObject("scheme", u.Scheme, "host", u.Hostname(), "port", port, "path", path, "query", u.RawQuery)
}

func buildURI(a args) Value {
	parts := a.object(0)
	u := url.URL{Scheme: parts.Text("scheme"), Host: parts.Text("host"), RawQuery: strings.TrimPrefix(parts.Text("query"), "?")}
	if u.Scheme == "" || u.Host == "" {
		fail("The template function 'buildUri' is not valid: it needs a scheme and a host.")
	}
	if v, _ := parts.Get("port"); v != nil {
		port, ok := v.(int64)
		if !ok {
			fail("The template function 'buildUri' is not valid: the port must be an integer.")
		}
		if port != defaultPort(u.Scheme) {
			u.Host += ":" + strconv.FormatInt(port, 10)
		}
	}
	path, err := url.PathUnescape(parts.Text("path"))
	if err != nil {
		path = parts.Text("path")
	}
	u.Path = "/" + strings.TrimPrefix(path, "/")
	return a.text(u.String())
}

// zone maps one availability zone. There are no data centres here: a logical zone is the physical one of the same number.
func (a args) zone(name string, to func(location, name string) string) Value {
	mapped := to(strings.ToLower(strings.ReplaceAll(a.str(1), " ", "")), name)
	if mapped == "" {
		fail("The template function '%s' is not valid: there is no zone '%s' in '%s'.", a.name, shorten(name), shorten(a.str(1)))
	}
	return mapped
}

func (a args) zones(to func(location, name string) string) Value {
	out := []Value{}
	for _, v := range a.array(2) {
		name, ok := v.(string)
		if !ok {
			a.wrong(2, "an array of strings")
		}
		out = append(out, a.zone(name, to))
	}
	a.holds(len(out), 0)
	return out
}

func (a args) logicalZone(location, name string) string {
	if number, ok := strings.CutPrefix(strings.ToLower(name), location+"-az"); ok && isZone(number) {
		return number
	}
	return ""
}

func (a args) physicalZone(location, name string) string {
	if !isZone(name) {
		return ""
	}
	return location + "-az" + name
}

func isZone(number string) bool { return len(number) == 1 && number >= "1" && number <= "3" }
