package clr

import (
	"slices"
	"strconv"
	"strings"

	"github.com/causeway-apim/causeway/internal/csharp"
)

// selectTokens evaluates a JSONPath as Newtonsoft's SelectTokens does. With must, a path that leads nowhere throws.
func selectTokens(r run, t JToken, path string, must bool) []JToken {
	p := &pathReader{r: r, s: path, root: t, must: must}
	if rest, ok := strings.CutPrefix(p.s, "$"); ok && (rest == "" || rest[0] == '.' || rest[0] == '[') {
		p.at = 1
	}
	return p.steps([]JToken{t}, p.at == 0)
}

// pathReader walks along a path and applies it while it reads.
type pathReader struct {
	r    run
	s    string
	at   int
	root JToken
	must bool
}

func (p *pathReader) fail(message string) {
	csharp.Throw("Newtonsoft.Json.JsonException", message)
}

// missing reports a step that leads nowhere.
func (p *pathReader) missing(message string) {
	if p.must {
		p.fail(message)
	}
}

// steps applies the rest of the path. bare says that a name may stand without a point before it.
func (p *pathReader) steps(in []JToken, bare bool) []JToken {
	for p.at < len(p.s) {
		deep := false
		switch c := p.s[p.at]; {
		case c == '[':
		case c == ' ':
			if p.blanks(); p.at < len(p.s) {
				p.fail("Unexpected character while parsing path:  ")
			}
			return in
		case c == '.':
			p.at++
			if p.peek() == '.' {
				p.at++
				deep = true
			}
			if p.at >= len(p.s) {
				p.fail("Unexpected end while parsing path.")
			}
		case !bare:
			p.fail("Unexpected character following indexer: " + string(c))
		}
		bare = false
		near := in
		if deep {
			var all []JToken
			for _, t := range in {
				all = descend(t, append(all, t))
			}
			in = slices.DeleteFunc(all, func(t JToken) bool { return t.kind() == jsonProperty })
			if p.peek() == '*' && p.name() == "*" {
				continue // everything, the start included
			}
		}
		if p.peek() == '[' {
			in = p.bracket(near, in, deep)
			continue
		}
		if name := p.name(); name == "*" {
			// Newtonsoft's .* is about the members of objects; [*] is about the items of arrays.
			in = p.all(slices.DeleteFunc(slices.Clone(in), func(t JToken) bool { return t.kind() != jsonObject }))
		} else {
			in = p.named(in, name, deep)
		}
	}
	return in
}

func (p *pathReader) peek() byte {
	if p.at < len(p.s) {
		return p.s[p.at]
	}
	return 0
}

func (p *pathReader) name() string {
	start := p.at
	for p.at < len(p.s) && strings.IndexByte(".[]() ", p.s[p.at]) < 0 {
		p.at++
	}
	if p.at == start && p.at < len(p.s) {
		p.fail("Unexpected character while parsing path: " + p.s[p.at:p.at+1])
	}
	return p.s[start:p.at]
}

// named takes a property of each object.
func (p *pathReader) named(in []JToken, name string, deep bool) (out []JToken) {
	for _, t := range in {
		p.r.Step()
		o, ok := t.(*JObject)
		switch {
		case !ok && !deep:
			p.missing("Property '" + name + "' not valid on " + strings.TrimPrefix(t.ClrName(), "Newtonsoft.Json.Linq.") + ".")
		case ok:
			if v := o.Get(name); v != nil {
				out = append(out, v)
			} else if !deep {
				p.missing("Property '" + name + "' does not exist on JObject.")
			}
		}
	}
	return out
}

func (p *pathReader) all(in []JToken) (out []JToken) {
	for _, t := range in {
		for _, c := range jsonChildren(t) {
			p.r.Step()
			if prop, ok := c.(*JProperty); ok {
				c = prop.value
			}
			out = append(out, c)
		}
	}
	return out
}

// bracket applies [name], [index], [start:end:step], [a,b], [*] or [?(filter)]. Newtonsoft forgets the two points before one
// that is about items of arrays: such a one applies to near, not to all that is in it.
func (p *pathReader) bracket(near, in []JToken, deep bool) []JToken {
	p.at++
	p.blanks()
	var out []JToken
	if p.at >= len(p.s) {
		p.fail("Path ended with open indexer.")
	}
	switch c := p.peek(); {
	case c == '\'' || c == '"':
		var names []string
		for {
			names = append(names, p.quoted())
			p.blanks()
			if p.peek() != ',' {
				break
			}
			p.at++
			p.blanks()
		}
		if len(names) == 1 {
			out = p.named(in, names[0], deep)
			break
		}
		for _, t := range in { // all names of one object before the next object
			for _, n := range names {
				out = append(out, p.named([]JToken{t}, n, true)...)
			}
		}
	case c == '*':
		p.at++
		out = p.items(near)
	case c == '?':
		out = p.filter(in)
	default:
		out = p.indexes(near)
	}
	p.blanks()
	if p.at >= len(p.s) {
		p.fail("Path ended with open indexer.")
	}
	if p.peek() != ']' {
		p.fail("Unexpected character while parsing path indexer: " + string(p.peek()))
	}
	p.at++
	return out
}

// items takes all items of arrays and constructors.
func (p *pathReader) items(in []JToken) (out []JToken) {
	for _, t := range in {
		list, ok := t.(jsonList)
		if !ok {
			p.missing("Index * not valid on " + strings.TrimPrefix(t.ClrName(), "Newtonsoft.Json.Linq.") + ".")
			continue
		}
		p.r.Steps(len(*list.list()))
		out = append(out, *list.list()...)
	}
	return out
}

func (p *pathReader) blanks() {
	for p.peek() == ' ' {
		p.at++
	}
}

func (p *pathReader) quoted() string {
	quote := p.s[p.at]
	var b strings.Builder
	for p.at++; p.at < len(p.s); p.at++ {
		switch c := p.s[p.at]; {
		case c == '\\' && p.at+1 < len(p.s):
			p.at++
			b.WriteByte(p.s[p.at])
		case c == quote:
			p.at++
			return b.String()
		default:
			b.WriteByte(c)
		}
	}
	p.fail("Path ended with an open string.")
	return ""
}

// indexes applies numbers: one, several, or a slice.
func (p *pathReader) indexes(in []JToken) []JToken {
	start := p.at
	for p.at < len(p.s) && strings.IndexByte("0123456789-:, ", p.s[p.at]) >= 0 {
		p.at++
	}
	text := strings.ReplaceAll(p.s[start:p.at], " ", "")
	if strings.Contains(text, ":") {
		return p.slice(in, text)
	}
	var out []JToken
	list := strings.Split(text, ",")
	for _, s := range list {
		n, err := strconv.Atoi(s)
		if err != nil {
			if s == "" && p.peek() == ']' {
				p.fail("Array index expected.")
			}
			p.fail("Unexpected character while parsing path indexer: " + string(p.peek()))
		}
		for _, t := range in {
			a, ok := t.(*JArray)
			c, call := t.(*JConstructor)
			switch {
			case call && n >= 0 && n < len(c.items):
				out = append(out, c.items[n])
			case call && len(list) == 1:
				p.missing("Index " + s + " outside the bounds of JConstructor.")
			case !ok:
				p.missing("Index " + s + " not valid on " + strings.TrimPrefix(t.ClrName(), "Newtonsoft.Json.Linq.") + ".")
			case n < len(a.items):
				out = append(out, a.items[a.at(n)])
			case len(list) == 1:
				p.missing("Index " + s + " outside the bounds of JArray.")
			}
		}
	}
	return out
}

func (p *pathReader) slice(in []JToken, text string) (out []JToken) {
	parts := append(strings.Split(text, ":"), "", "")[:3]
	number := func(s string, fallback int) int {
		if n, err := strconv.Atoi(s); err == nil {
			return n
		}
		return fallback
	}
	step := number(parts[2], 1)
	if step == 0 {
		p.fail("Step cannot be zero.")
	}
	for _, t := range in {
		a, ok := t.(*JArray)
		if !ok {
			p.missing("Array slice is not valid on " + strings.TrimPrefix(t.ClrName(), "Newtonsoft.Json.Linq.") + ".")
			continue
		}
		n := len(a.items)
		first, last := 0, n
		if step < 0 {
			first, last = n-1, -n-1
		}
		first, last = number(parts[0], first), number(parts[1], last)
		if first < 0 {
			first += n
		}
		if last < 0 {
			last += n
		}
		if step > 0 {
			for i := max(first, 0); i < min(last, n); i += step {
				out = append(out, a.items[i])
			}
		} else {
			for i := min(first, n-1); i > max(last, -1); i += step {
				out = append(out, a.items[i])
			}
		}
	}
	return out
}
