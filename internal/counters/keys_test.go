package counters

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestKeys(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_800_000_000, 0)
	clock := func() time.Time { return now }
	for name, c := range map[string]interface {
		Commit(ctx context.Context, limits []Limit, cost int64) error
		Keys(ctx context.Context, prefix string) ([]string, error)
	}{"memory": NewMemory(clock)} {
		t.Run(name, func(t *testing.T) {
			for _, key := range []string{"s|quota-by-key|a|0|60|calls", "s|quota-by-key|a|0|60|bandwidth", "s|quota-by-key|ab|0|60|calls", "s|quota-by-key|*|0|60|calls"} {
				if err := c.Commit(t.Context(), []Limit{{Key: key, Max: 1, Period: time.Minute, Window: Fixed}}, 1); err != nil {
					t.Fatal(err)
				}
			}
			want := func(prefix, want string) {
				t.Helper()
				keys, err := c.Keys(t.Context(), prefix)
				slices.Sort(keys)
				if got := strings.Join(keys, " "); err != nil || got != want {
					t.Errorf("keys of %s: %q, %v", prefix, got, err)
				}
			}
			want("s|quota-by-key|a|", "s|quota-by-key|a|0|60|bandwidth s|quota-by-key|a|0|60|calls")
			want("s|quota-by-key|*|", "s|quota-by-key|*|0|60|calls")
			now = now.Add(time.Hour) // nothing counts any more
			want("s|quota-by-key|a|", "")
		})
	}
}
