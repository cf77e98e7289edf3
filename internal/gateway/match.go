package gateway

import (
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/benbjohnson/immutable"
	"github.com/causeway-apim/causeway/internal/message"
	"github.com/causeway-apim/causeway/internal/snapshot"
)

// api is one revision of an API with its operations. It never changes; a change
// of an operation makes a new one that shares the others.
type api struct {
	part       snapshot.API
	scope      string      // of its policy document
	base       message.URL // serviceUrl; zero when there is none
	operations *immutable.Map[string, *operation]

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
		ops := make([]*operation, 0, a.operations.Len())
		for it := a.operations.Iterator(); !it.Done(); {
			_, op, _ := it.Next()
			ops = append(ops, op)
		}
		a.routes = newRouter(ops)
	})
	return a.routes
}

// apiGroup is every revision and version that is reached under one path.
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

// match finds API and operation for a request with a scheme: http, https, ws or
// wss. It returns false when there is none; m.api is then set if the path is an
// API's.
func (c *config) match(r *message.Request, scheme string, m *matched) bool {
	path, revision := cutRevision(r.URL.Path)
	group, rest := c.findGroup(path)
	if group == nil {
		return false
	}
	m.api, m.path = c.choose(group, r, rest, revision)
	if m.api == nil || !slices.Contains(m.api.part.Protocols, scheme) {
		return false
	}
	m.op, _ = m.api.router().find(r.Method, m.path, r.URL.RawQuery, &m.buf)
	return m.op != nil
}

// cutRevision takes ";rev=n" off the path segment that carries it.
func cutRevision(path string) (string, string) {
	at := strings.Index(path, ";rev=")
	if at < 0 {
		return path, ""
	}
	end := at + len(";rev=")
	for end < len(path) && path[end] != '/' {
		end++
	}
	return path[:at] + path[end:], path[at+len(";rev=") : end]
}

// findGroup returns the group with the longest path that the request's path
// starts with, segment by segment.
func (c *config) findGroup(path string) (group *apiGroup, rest string) {
	p := strings.Trim(path, "/")
	p = lowerASCII(p)
	offset := len(path) - len(strings.TrimLeft(path, "/"))
	for {
		if g, ok := c.groups.Get(p); ok {
			if p == "" {
				return g, path
			}
			return g, path[offset+len(p):]
		}
		if p == "" {
			return nil, ""
		}
		p = p[:max(strings.LastIndexByte(p, '/'), 0)]
	}
}

// choose picks version and revision and returns the path below them.
func (c *config) choose(g *apiGroup, r *message.Request, rest, revision string) (*api, string) {
	seg, tail, _ := strings.Cut(strings.TrimPrefix(rest, "/"), "/")
	var best *api
	bySegment := false
	for _, a := range g.apis {
		if !a.hasRevision(revision) {
			continue
		}
		switch c.matchVersion(a, r, seg) {
		case versionSegment:
			best, bySegment = a, true
		case versionOther:
			if !bySegment {
				best = a
			}
		case versionNone:
			if best == nil {
				best = a
			}
		}
	}
	if bySegment {
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
	versionNone                  // the API has no version
	versionOther                 // named by header or query
	versionSegment               // named by the first path segment
)

func (c *config) matchVersion(a *api, r *message.Request, seg string) versionMatch {
	if a.part.Version == "" {
		return versionNone
	}
	set, ok := c.versionSets.Get(a.part.VersionSet)
	if !ok {
		return versionNone
	}
	switch set.Scheme {
	case "Segment":
		if strings.EqualFold(unescape(seg), a.part.Version) {
			return versionSegment
		}
	case "Header":
		if strings.EqualFold(r.Header.Get(set.HeaderName), a.part.Version) {
			return versionOther
		}
	case "Query":
		if v, ok := queryValue(r.URL.RawQuery, set.QueryName); ok && strings.EqualFold(unescapeQuery(v), a.part.Version) {
			return versionOther
		}
	}
	return versionMismatch
}
