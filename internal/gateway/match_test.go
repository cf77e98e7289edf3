package gateway

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/causeway-apim/causeway/internal/message"
	"github.com/causeway-apim/causeway/internal/snapshot"
)

// TestFindAPIAgainstNaive compares the look-up of API paths with a search
// through all of them.
func TestFindAPIAgainstNaive(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(3, 4))
	path := func(most int) string {
		var segs []string
		for range rng.IntN(most) {
			segs = append(segs, []string{"a", "B", "c.d", "a;x"}[rng.IntN(4)])
		}
		return strings.Join(segs, "/")
	}
	for range 300 {
		e := edit{config: newConfig("managed", "test", 0), stale: map[string]bool{}, fresh: map[*api]bool{}}
		paths := map[string]bool{}
		for range 1 + rng.IntN(6) {
			p := path(4)
			paths[strings.ToLower(p)] = true
			e.putAPI("apis/"+strings.ReplaceAll(strings.ToLower(p), "/", "."), snapshot.API{Path: p, IsCurrent: true})
		}
		e.seal()
		for range 50 {
			r := &message.Request{URL: message.URL{Path: "/" + path(6)}}
			want, wantRest, found := "", "", false
			for p := range paths {
				rest, ok := strings.CutPrefix(strings.ToLower(r.URL.Path)+"/", "/"+p+"/")
				if p == "" {
					rest, ok = strings.CutPrefix(strings.ToLower(r.URL.Path)+"/", "/")
				}
				if ok && (!found || len(p) > len(want)) {
					want, wantRest, found = p, rest, true
				}
			}
			got, rest := e.findAPI(r)
			switch {
			case got == nil && found, got != nil && !found:
				t.Fatalf("%s among %v: got %v, want %q", r.URL.Path, paths, got, want)
			case found && (strings.ToLower(got.part.Path) != want || strings.ToLower(strings.Trim(rest, "/")) != strings.Trim(wantRest, "/")):
				t.Fatalf("%s among %v: got %q and %q, want %q and %q", r.URL.Path, paths, got.part.ID, rest, want, wantRest)
			}
		}
	}
}

func TestFindAPIAllocations(t *testing.T) {
	e := edit{config: newConfig("managed", "test", 0), stale: map[string]bool{}, fresh: map[*api]bool{}}
	e.putAPI("apis/a", snapshot.API{ID: "a", Path: "shop/api", IsCurrent: true})
	e.seal()
	r := &message.Request{URL: message.URL{Path: "/shop/api/Items/" + strings.Repeat("x/", 1000)}}
	if n := testing.AllocsPerRun(100, func() { e.findAPI(r) }); n != 0 {
		t.Errorf("finding an API allocates %v times", n)
	}
}
