package csharp_test

import (
	"strings"
	"testing"

	"github.com/causeway-apim/causeway/internal/csharp"
)

// TestScratch: strings stay what they are until Reset, whether there is room for them or not, and those that fit cost nothing.
func TestScratch(t *testing.T) {
	long := strings.Repeat("x", 600)
	shared := new(csharp.Scratch)
	for _, s := range []*csharp.Scratch{nil, shared} {
		var got []string
		for _, parts := range [][]string{{"a", "b"}, {}, {"", ""}, {long, "1"}, {long, "2"}, {"c", "", "d"}, {long, long, "3"}} {
			got = append(got, s.Join(parts...))
		}
		want := []string{"ab", "", "", long + "1", long + "2", "cd", long + long + "3"}
		for i := range want {
			if got[i] != want[i] || csharp.IsNull(got[i]) {
				t.Errorf("string %d is %q, not %q", i, got[i], want[i])
			}
		}
	}
	n := testing.AllocsPerRun(100, func() {
		shared.Reset()
		for range 100 {
			shared.Join("abc", "def", "ghi")
		}
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}
