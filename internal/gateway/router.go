package gateway

import (
	"net/url"
	"slices"
	"strings"

	"github.com/causeway-apim/causeway/internal/message"
	"github.com/causeway-apim/causeway/internal/policy"
	"github.com/causeway-apim/causeway/internal/snapshot"
)

// router finds the operation of one API revision. It is built once and never
// changes. Templates match as APIM's do: segment by segment, letters of either
// case alike, a literal before a pattern such as {id}.json, a pattern before
// {id}, and {id} before a wildcard.
type router struct {
	methods []methodRoot
}

// methodRoot is the tree of a method, "*" for any.
type methodRoot struct {
	method string
	root   *node
}

// node is a place in the tree of path segments.
type node struct {
	literal  literals
	patterns []patternChild // segments such as {id}.json, longest literal part first
	param    *node
	wildcard []*route // routes that end in /* or /{*name}: the rest of the path is theirs
	routes   []*route // routes that end here, most query parameters first
}

type patternChild struct {
	parts pattern
	next  *node
}

// route is one operation's URL template in the tree.
type route struct {
	op    *operation
	names []string     // names of path parameters in the order of the path
	query []queryParam // parameters in the template's query part
}

// queryParam is name={param} or name=value in a template's query part.
type queryParam struct {
	name    string
	param   string // empty for a fixed value
	value   string
	require bool
}

// matchBuffer is the reusable space of one match.
type matchBuffer struct {
	values []string
	params []policy.Param
}

// newRouter builds the tree of an API's operations. Of operations that match
// the same requests the first one by name counts.
func newRouter(ops []*operation) *router {
	slices.SortFunc(ops, func(a, b *operation) int { return strings.Compare(a.id, b.id) })
	r := &router{}
	for _, op := range ops {
		r.add(op)
	}
	return r
}

func (r *router) add(op *operation) {
	method := strings.ToUpper(op.part.Method)
	if method == "" {
		method = "*"
	}
	at := r.root(method)
	if at == nil {
		at = &node{}
		r.methods = append(r.methods, methodRoot{method, at})
	}
	path, query, _ := strings.Cut(op.part.URLTemplate, "?")
	rt := &route{op: op, query: templateQuery(query, op.part.Parameters)}
	for seg := range segments(path) {
		if name, ok := wildcardName(seg); ok {
			rt.names = append(rt.names, name)
			at.wildcard = append(at.wildcard, rt)
			return
		}
		at = at.child(seg, rt)
	}
	at.routes = append(at.routes, rt)
	for i := len(at.routes) - 1; i > 0 && len(at.routes[i-1].query) < len(rt.query); i-- {
		at.routes[i-1], at.routes[i] = at.routes[i], at.routes[i-1]
	}
}

// root is the tree of a method, nil when no operation has it. There are few: a map would take longer.
func (r *router) root(method string) *node {
	for i := range r.methods {
		if r.methods[i].method == method {
			return r.methods[i].root
		}
	}
	return nil
}

// child returns the node below n for a template segment and notes the
// parameters it names.
func (n *node) child(seg string, rt *route) *node {
	p := parsePattern(seg)
	rt.names = append(rt.names, p.names()...)
	switch {
	case p.isLiteral():
		return n.literal.add(lowerASCII(unescape(seg)))
	case p.isParam():
		if n.param == nil {
			n.param = &node{}
		}
		return n.param
	}
	for _, c := range n.patterns {
		if c.parts.equal(p) {
			return c.next
		}
	}
	next := &node{}
	n.patterns = append(n.patterns, patternChild{p, next})
	for i := len(n.patterns) - 1; i > 0 && n.patterns[i-1].parts.weight() < p.weight(); i-- {
		n.patterns[i-1], n.patterns[i] = n.patterns[i], n.patterns[i-1]
	}
	return next
}

// wildcardName tells whether a template segment takes the rest of the path:
// "*" or "{*name}".
func wildcardName(seg string) (name string, ok bool) {
	if seg == "*" {
		return "*", true
	}
	if strings.HasPrefix(seg, "{*") && strings.HasSuffix(seg, "}") {
		return seg[2 : len(seg)-1], true
	}
	return "", false
}

func templateQuery(query string, params []snapshot.Parameter) []queryParam {
	if query == "" {
		return nil
	}
	var out []queryParam
	for pair := range strings.SplitSeq(query, "&") {
		name, value, _ := strings.Cut(pair, "=")
		q := queryParam{name: unescape(name), value: unescape(value), require: true}
		if strings.HasPrefix(value, "{") && strings.HasSuffix(value, "}") {
			q.param, q.value = value[1:len(value)-1], ""
			for _, p := range params {
				if strings.EqualFold(p.Name, q.param) {
					q.require = p.Required
				}
			}
		}
		out = append(out, q)
	}
	return out
}

// find returns the operation for a method and a path below the API (percent
// encoded, as received), or nil. The parameters in buf are valid until its next
// use.
func (r *router) find(method, path, rawQuery string, buf *matchBuffer) *operation {
	for _, m := range [2]string{method, "*"} {
		if root := r.root(m); root != nil {
			buf.values = buf.values[:0]
			if rt := root.walk(strings.TrimPrefix(path, "/"), rawQuery, buf); rt != nil {
				rt.fill(rawQuery, buf)
				return rt.op
			}
		}
	}
	return nil
}

// walk matches the rest of the path. Parameter values are collected in
// buf.values in the order of the path.
func (n *node) walk(rest, rawQuery string, buf *matchBuffer) *route {
	if rest == "" {
		if rt := pick(n.routes, rawQuery); rt != nil {
			return rt
		}
		return n.takeRest(rest, rawQuery, buf)
	}
	seg, tail := cutSegment(rest)
	mark := len(buf.values)
	if next := n.findLiteral(seg); next != nil {
		if rt := next.walk(tail, rawQuery, buf); rt != nil {
			return rt
		}
		buf.values = buf.values[:mark]
	}
	for i := range n.patterns {
		c := &n.patterns[i]
		if c.parts.match(seg, &buf.values) {
			if rt := c.next.walk(tail, rawQuery, buf); rt != nil {
				return rt
			}
		}
		buf.values = buf.values[:mark]
	}
	if n.param != nil && seg != "" {
		buf.values = append(buf.values, seg)
		if rt := n.param.walk(tail, rawQuery, buf); rt != nil {
			return rt
		}
		buf.values = buf.values[:mark]
	}
	return n.takeRest(rest, rawQuery, buf)
}

// cutSegment is strings.Cut at a slash in half of the time.
func cutSegment(path string) (segment, rest string) {
	if i := strings.IndexByte(path, '/'); i >= 0 {
		return path[:i], path[i+1:]
	}
	return path, ""
}

func (n *node) takeRest(rest, rawQuery string, buf *matchBuffer) *route {
	rt := pick(n.wildcard, rawQuery)
	if rt != nil {
		buf.values = append(buf.values, rest)
	}
	return rt
}

func (n *node) findLiteral(seg string) *node {
	if len(n.literal.few) == 0 && n.literal.many == nil {
		return nil
	}
	return n.literal.find(unescape(seg))
}

// literals are nodes by segments in lower case.
type literals struct {
	few  []literal // until there are more than maxFew
	many map[string]*node
}

type literal struct {
	segment string
	next    *node
}

// maxFew is how many segments are compared faster than one is hashed.
const maxFew = 6

// add returns the node of a segment and makes it if need be.
func (l *literals) add(segment string) *node {
	if next := l.find(segment); next != nil {
		return next
	}
	next := &node{}
	switch {
	case l.many != nil:
		l.many[segment] = next
	case len(l.few) < maxFew:
		l.few = append(l.few, literal{segment, next})
	default:
		l.many = map[string]*node{segment: next}
		for _, c := range l.few {
			l.many[c.segment] = c.next
		}
		l.few = nil
	}
	return next
}

// find returns the node of a segment in any case, or nil.
func (l *literals) find(segment string) *node {
	for i := range l.few {
		if message.EqualName(l.few[i].segment, segment) {
			return l.few[i].next
		}
	}
	if l.many == nil {
		return nil
	}
	return lookupFold(l.many, segment)
}

// pick returns the first route whose query parameters are all there.
func pick(routes []*route, rawQuery string) *route {
	for _, rt := range routes {
		if rt.queryMatches(rawQuery) {
			return rt
		}
	}
	return nil
}

func (rt *route) queryMatches(rawQuery string) bool {
	for i := range rt.query {
		q := &rt.query[i]
		if !q.require {
			continue
		}
		v, ok := queryValue(rawQuery, q.name)
		if !ok || q.param == "" && unescapeQuery(v) != q.value {
			return false
		}
	}
	return true
}

// fill turns the collected values into named parameters.
func (rt *route) fill(rawQuery string, buf *matchBuffer) {
	buf.params = buf.params[:0]
	for i, name := range rt.names {
		buf.params = append(buf.params, policy.Param{Name: name, Value: unescape(buf.values[i])})
	}
	for i := range rt.query {
		if q := &rt.query[i]; q.param != "" {
			if v, ok := queryValue(rawQuery, q.name); ok {
				buf.params = append(buf.params, policy.Param{Name: q.param, Value: unescapeQuery(v)})
			}
		}
	}
}

// segments yields the parts of a template's path. Slashes inside braces do not
// occur in APIM's templates.
func segments(path string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		path = strings.Trim(path, "/")
		if path == "" {
			return
		}
		for seg := range strings.SplitSeq(path, "/") {
			if !yield(seg) {
				return
			}
		}
	}
}

// lookupFold finds a segment in a map with lower-case keys without allocating.
func lookupFold[V any](m map[string]V, seg string) (v V) {
	if !hasUpper(seg) {
		return m[seg]
	}
	var buf [96]byte
	if len(seg) > len(buf) {
		return m[lowerASCII(seg)]
	}
	for i := range len(seg) {
		buf[i] = lower(seg[i])
	}
	return m[string(buf[:len(seg)])]
}

func hasUpper(s string) bool {
	for i := range len(s) {
		if c := s[i]; 'A' <= c && c <= 'Z' {
			return true
		}
	}
	return false
}

// lowerASCII makes ASCII letters small and keeps every other byte, so that the
// length stays the same.
func lowerASCII(s string) string {
	if !hasUpper(s) {
		return s
	}
	b := []byte(s)
	for i, c := range b {
		b[i] = lower(c)
	}
	return string(b)
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// unescape decodes percent encoding; what is not valid stays as it is.
func unescape(s string) string {
	if strings.IndexByte(s, '%') < 0 {
		return s
	}
	if u, err := url.PathUnescape(s); err == nil {
		return u
	}
	return s
}

func unescapeQuery(s string) string {
	if strings.IndexByte(s, '%') < 0 && strings.IndexByte(s, '+') < 0 {
		return s
	}
	if u, err := url.QueryUnescape(s); err == nil {
		return u
	}
	return s
}

// queryValue returns the first value of a query parameter, still encoded.
func queryValue(rawQuery, name string) (value string, ok bool) {
	for rawQuery != "" {
		var pair string
		pair, rawQuery, _ = strings.Cut(rawQuery, "&")
		k, v, _ := strings.Cut(pair, "=")
		if strings.EqualFold(k, name) {
			return v, true
		}
		if u := unescapeQuery(k); u != k && strings.EqualFold(u, name) {
			return v, true
		}
	}
	return "", false
}
