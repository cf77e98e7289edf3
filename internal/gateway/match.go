package gateway

import (
	"bytes"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/causeway-apim/causeway/internal/message"
	"github.com/causeway-apim/causeway/internal/snapshot"
)

// api is one revision of an API with its operations. It never changes; a change
// of an operation makes a new one that shares the others.
type api struct {
	part  snapshot.API
	known bool        // false while there are only operations
	name  string      // lower-case, without revision
	path  string      // lower-case, without outer slashes
	scope string      // of its policy document
	base  message.URL // serviceUrl; zero when there is none
	traits
	// bare stands for an operation where a request needs none: its pipeline
	// ends at the API.
	bare       *operation
	operations table[string, *operation]

	build  sync.Once // the router is built at the first request after a change
	routes *router
}

// operation is one operation with its pipelines.
type operation struct {
	part      snapshot.Operation
	id        string // lower-case resource name
	scope     string // of its policy document
	pipelines atomic.Pointer[linked]
}

func (a *api) router() *router {
	a.build.Do(func() {
		ops := make([]*operation, 0, a.operations.len())
		a.operations.each(func(_ string, op *operation) bool {
			ops = append(ops, op)
			return true
		})
		a.routes = newRouter(ops)
	})
	return a.routes
}

// serves tells whether the API is offered over a scheme, http or https, for a
// request of its kind.
func (a *api) serves(scheme string, upgrade bool) bool {
	web, sockets := a.http, a.ws
	if scheme == "https" {
		web, sockets = a.https, a.wss
	}
	if a.isWebSocket() {
		return upgrade && sockets
	}
	return web || upgrade && sockets && a.isGraphQL()
}

// handshake is the operation of a WebSocket API, so that nobody gets past its
// policies at another path, or bare.
func (a *api) handshake() *operation {
	if a.isWebSocket() {
		if op, ok := a.operations.Get(strings.ToLower(snapshot.HandshakeOperation)); ok {
			return op
		}
	}
	return a.bare
}

// find returns the operation for a request. A WebSocket API has at most one,
// for the handshake.
func (a *api) find(r *message.Request, path string, buf *matchBuffer) *operation {
	query := r.URL.RawQuery
	if a.isSOAP() {
		query = a.soapQuery(r)
	}
	op := a.router().find(r.Method, path, query, buf)
	if op == nil && a.isSOAP() && isGraphQLPath(path) {
		op = a.router().find(r.Method, wildcardAction(query), query, buf)
	}
	if op == nil && a.takesAll(r.Method, path) {
		return a.handshake()
	}
	return op
}

// apiGroup is every revision and version that is reached under one path, in the
// order of their IDs.
type apiGroup struct{ apis []*api }

// with returns the group with a in place of the revision of the same ID; a nil
// a removes that revision.
func (g *apiGroup) with(id string, a *api) *apiGroup {
	out := &apiGroup{}
	if g != nil {
		for _, old := range g.apis {
			if old.part.ID != id {
				out.apis = append(out.apis, old)
			}
		}
	}
	if a != nil {
		out.apis = append(out.apis, a)
		slices.SortFunc(out.apis, func(a, b *api) int { return strings.Compare(a.part.ID, b.part.ID) })
	}
	return out
}

// matched is what a request was matched to.
type matched struct {
	api  *api
	op   *operation
	path string // the path below the API, "" or starting with a slash, as received
	buf  matchBuffer
}

// match finds API and operation for a request over http or https. It returns
// false when there is no operation; m.api is then set if the path is that of an
// API that is offered over the scheme.
func (c *config) match(r *message.Request, scheme string, m *matched) bool {
	m.api, m.path = c.findAPI(r)
	if m.api == nil {
		return false
	}
	if !m.api.serves(scheme, isWebSocketRequest(r)) {
		m.api = nil
		return false
	}
	m.op = m.api.find(r, m.path, &m.buf)
	return m.op != nil
}

// isWebSocketRequest tells a handshake (RFC 6455, 4.1).
func isWebSocketRequest(r *message.Request) bool {
	return r.Method == "GET" && r.Header.HasToken("Upgrade", "websocket")
}

// findAPI returns the API revision for a request, or nil, and the path below it.
func (c *config) findAPI(r *message.Request) (*api, string) {
	if r.URL.Path == "*" { // OPTIONS of the whole server is no API's
		return nil, ""
	}
	const mark = ";rev="
	if at := strings.Index(r.URL.Path, mark); at >= 0 {
		revision, below := r.URL.Path[at+len(mark):], ""
		if end := strings.IndexByte(revision, '/'); end >= 0 {
			revision, below = revision[:end], revision[end:]
		}
		// The mark belongs to the API's path or its version; further on it is
		// the operation's own.
		if a, rest := c.choose(r, r.URL.Path[:at], revision); a != nil && strings.Trim(rest, "/") == "" {
			return a, below
		}
	}
	return c.choose(r, r.URL.Path, "")
}

// findGroup returns the group with the longest path that the request's path
// starts with, segment by segment, or nil, and the rest of the path.
func (c *config) findGroup(path string) (group *apiGroup, rest string) {
	start := 0
	for start < len(path) && path[start] == '/' {
		start++
	}
	end := start
	for segments := 0; end < len(path) && segments < c.depth; segments++ {
		if next := strings.IndexByte(path[end+1:], '/'); next >= 0 {
			end += 1 + next
		} else {
			end = len(path)
		}
	}
	p := lowerASCII(path[start:end])
	for {
		if g, ok := c.groups.Get(p); ok {
			if p == "" {
				return g, path
			}
			return g, path[start+len(p):]
		}
		if p == "" {
			return nil, ""
		}
		p = p[:max(strings.LastIndexByte(p, '/'), 0)]
	}
}

// choose finds the API of a path, picks version and revision, and returns the
// path below them. An empty revision is the current one.
func (c *config) choose(r *message.Request, path, revision string) (best *api, rest string) {
	g, rest := c.findGroup(path)
	if g == nil {
		return nil, ""
	}
	seg, tail := cutSegment(strings.TrimPrefix(rest, "/"))
	found := versionMismatch
	for _, a := range g.apis {
		if !a.hasRevision(revision) {
			continue
		}
		if m := c.matchVersion(a, r, seg); m > found {
			best, found = a, m
		}
	}
	if found == versionSegment {
		if tail == "" {
			return best, ""
		}
		return best, rest[len(rest)-len(tail)-1:]
	}
	return best, rest
}

func (a *api) hasRevision(revision string) bool {
	if revision == "" {
		return a.part.IsCurrent
	}
	return a.part.Revision == revision
}

// versionMatch is how specifically a request names an API's version.
type versionMatch int

const (
	versionMismatch versionMatch = iota
	versionNone                  // neither the API nor the request has a version
	versionOther                 // named by header or query
	versionSegment               // named by the first path segment
)

// matchVersion compares the version that a request asks for with an API's. A
// request that names a version by header or query never gets the unversioned
// original.
func (c *config) matchVersion(a *api, r *message.Request, seg string) versionMatch {
	if a.part.VersionSet == "" {
		return versionNone
	}
	set, ok := c.versionSets.Get(a.part.VersionSet)
	if !ok {
		return versionNone
	}
	asked, match := "", versionOther
	switch set.Scheme {
	case "Segment":
		if a.part.Version == "" {
			return versionNone
		}
		asked, match = unescape(seg), versionSegment
	case "Header":
		asked = r.Header.Get(set.HeaderName)
	case "Query":
		v, _ := queryValue(r.URL.RawQuery, set.QueryName)
		asked = unescapeQuery(v)
	}
	switch {
	case !strings.EqualFold(asked, a.part.Version):
		return versionMismatch
	case asked == "":
		return versionNone
	}
	return match
}

// withoutDots resolves the segments "." and ".." of a path, percent-encoded
// ones too (RFC 3986, 5.2.4). Nobody may reach one operation under the name of
// another, or leave the base path of the backend service.
func withoutDots(path string) string {
	if path == "" || path[0] != '/' || !strings.Contains(path, "/.") && !strings.Contains(path, "/%2") {
		return path
	}
	out := make([]byte, 0, len(path))
	for rest := path; rest != ""; {
		seg := rest[1:]
		if end := strings.IndexByte(seg, '/'); end >= 0 {
			seg = seg[:end]
		}
		rest = rest[1+len(seg):]
		dots := isDots(seg)
		if dots == 2 {
			out = out[:max(bytes.LastIndexByte(out, '/'), 0)]
		}
		if dots == 0 {
			out = append(append(out, '/'), seg...)
		} else if rest == "" {
			out = append(out, '/')
		}
	}
	return string(out)
}

// isDots tells "." and ".." by their number of dots; 0 for any other segment.
func isDots(seg string) int {
	n := 0
	for ; seg != "" && n < 3; n++ {
		switch {
		case seg[0] == '.':
			seg = seg[1:]
		case len(seg) >= 3 && seg[0] == '%' && seg[1] == '2' && (seg[2] == 'e' || seg[2] == 'E'):
			seg = seg[3:]
		default:
			return 0
		}
	}
	if n == 3 {
		return 0
	}
	return n
}
