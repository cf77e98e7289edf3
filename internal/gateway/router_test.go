package gateway

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/causeway-apim/causeway/internal/snapshot"
)

func testRouter(templates ...string) *router {
	var ops []*operation
	for _, t := range templates {
		method, template, _ := strings.Cut(t, " ")
		ops = append(ops, &operation{part: snapshot.Operation{Name: t, Method: method, URLTemplate: template}})
	}
	return newRouter(ops)
}

// found renders a match as "template name=value …".
func found(r *router, method, target string) string {
	path, query, _ := strings.Cut(target, "?")
	var buf matchBuffer
	op := r.find(method, path, query, &buf)
	if op == nil {
		return ""
	}
	out := op.part.URLTemplate
	for _, p := range buf.params {
		out += " " + p.Name + "=" + p.Value
	}
	return out
}

func TestRouterFind(t *testing.T) {
	t.Parallel()
	r := testRouter(
		"GET /", "GET /items", "GET /items/{id}", "GET /items/special", "POST /items", "GET /items/{id}/parts/{part}",
		"GET /files/*", "GET /docs/{*path}", "GET /items/{id}.json", "GET /search?q={text}", "GET /search?q={text}&page={n}",
		"GET /search", "GET /a b/{x}", "PUT /{any}", "GET /compare/{base}...{head}", "* /every",
	)
	f := func(method, target, want string) {
		t.Helper()
		if got := found(r, method, target); got != want {
			t.Errorf("%s %s: got %q, want %q", method, target, got, want)
		}
	}
	f("GET", "", "/")
	f("GET", "/", "/")
	f("GET", "/items", "/items")
	f("GET", "/ITEMS/", "/items")
	f("GET", "/items/42", "/items/{id} id=42")
	f("GET", "/items/a%20b", "/items/{id} id=a b")
	f("GET", "/items/special", "/items/special")
	f("GET", "/items/7.json", "/items/{id}.json id=7")
	f("GET", "/items/7/parts/8", "/items/{id}/parts/{part} id=7 part=8")
	f("GET", "/items/special/parts/8", "/items/{id}/parts/{part} id=special part=8")
	f("DELETE", "/items/7", "")
	f("GET", "/items/7/parts", "")
	f("GET", "/files/a/b/c", "/files/* *=a/b/c")
	f("GET", "/files", "/files/* *=")
	f("GET", "/docs/x/y", "/docs/{*path} path=x/y")
	f("GET", "/search?q=go%2B1&page=2", "/search?q={text}&page={n} text=go+1 n=2")
	f("GET", "/search?q=go", "/search?q={text} text=go")
	f("GET", "/search?z=1", "/search")
	f("GET", "/a%20b/1", "/a b/{x} x=1")
	f("GET", "/compare/main...topic", "/compare/{base}...{head} base=main head=topic")
	f("PUT", "/anything", "/{any} any=anything")
	f("PUT", "/", "")
	f("PATCH", "/every", "/every")
}

// TestRouterAgainstNaive compares the tree with a search through all templates
// on random routes and paths.
func TestRouterAgainstNaive(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	words := []string{"a", "b", "c", "{x}", "{y}", "*"}
	for round := range 300 {
		seen := map[string]bool{}
		var templates []string
		for range 1 + rng.IntN(12) {
			var segs []string
			for range 1 + rng.IntN(4) {
				w := words[rng.IntN(len(words))]
				segs = append(segs, w)
				if w == "*" {
					break
				}
			}
			shape := strings.NewReplacer("{x}", "{}", "{y}", "{}").Replace(strings.Join(segs, "/"))
			if !seen[shape] {
				seen[shape] = true
				templates = append(templates, "GET /"+strings.Join(segs, "/"))
			}
		}
		r := testRouter(templates...)
		for range 20 {
			var segs []string
			for range rng.IntN(5) {
				segs = append(segs, []string{"a", "b", "c", "d"}[rng.IntN(4)])
			}
			path := "/" + strings.Join(segs, "/")
			got := ""
			var buf matchBuffer
			if op := r.find("GET", path, "", &buf); op != nil {
				got = op.part.Name
			}
			if want := naive(templates, segs); got != want {
				t.Fatalf("round %d: %s with %q: got %q, want %q", round, path, templates, got, want)
			}
		}
	}
}

// naive returns the matching template whose segments are most specific, read
// from the left.
func naive(templates, path []string) string {
	best, bestRank := "", ""
	for _, t := range templates {
		segs := strings.Split(strings.TrimPrefix(t, "GET /"), "/")
		rank, ok := "", true
		for i, s := range segs {
			switch {
			case s == "*":
				rank += "3"
			case i >= len(path):
				ok = false
			case s == path[i]:
				rank += "0"
			case strings.HasPrefix(s, "{"):
				rank += "2"
			default:
				ok = false
			}
		}
		if ok && (len(segs) == len(path) || segs[len(segs)-1] == "*") && len(segs) <= len(path)+1 {
			rank += "1" // an end before a wildcard
			if best == "" || rank < bestRank {
				best, bestRank = t, rank
			}
		}
	}
	return best
}

func FuzzRouterFind(f *testing.F) {
	r := testRouter("GET /", "GET /items/{id}", "GET /items/{id}.json", "GET /v{a}-{b}/x", "GET /f/*", "GET /s?q={t}")
	for _, s := range []string{"/items/1", "/items/%2", "/va-b/x", "/f//..//", "/s?q=%zz", "?&=&", "//"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, target string) {
		path, query, _ := strings.Cut(target, "?")
		var buf matchBuffer
		if op := r.find("GET", path, query, &buf); op != nil && len(buf.params) > 4 {
			t.Errorf("%q: %d parameters", target, len(buf.params))
		}
	})
}

func TestRouterAllocations(t *testing.T) {
	r := testRouter("GET /items/{id}", "GET /items/{id}/parts/{part}")
	var buf matchBuffer
	find := func() { r.find("GET", "/Items/42/parts/7", "", &buf) }
	find()
	if n := testing.AllocsPerRun(100, find); n != 0 {
		t.Errorf("a match allocates %v times", n)
	}
}

func BenchmarkRouterFind(b *testing.B) {
	var templates []string
	for i := range 1000 {
		templates = append(templates, fmt.Sprintf("GET /r%d/{id}/sub%d/{part}", i%100, i))
	}
	r := testRouter(templates...)
	var buf matchBuffer
	b.ReportAllocs()
	for b.Loop() {
		r.find("GET", "/r37/42/sub537/7", "", &buf)
	}
}
