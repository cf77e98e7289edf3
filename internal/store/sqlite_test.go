package store

import (
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestSQLiteIsDurable looks at the settings on which durability over a loss of power rests: kill -9 cannot tell.
func TestSQLiteIsDurable(t *testing.T) {
	t.Parallel()
	s, err := openSQLite(t.Context(), filepath.Join(t.TempDir(), "store.db"), Options{Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2" /* FULL */} {
		var got string
		if err := s.(*database).write.QueryRowContext(t.Context(), "PRAGMA "+pragma).Scan(&got); err != nil || got != want {
			t.Errorf("%s is %q (%v), want %q", pragma, got, err, want)
		}
	}
	if _, err := s.(*database).read.ExecContext(t.Context(), "DELETE FROM documents"); err == nil {
		t.Error("a reading connection can write")
	}
}

// TestListsUseAnIndex looks at the plans of the queries that must not read or sort a whole table.
func TestListsUseAnIndex(t *testing.T) {
	t.Parallel()
	s, err := openSQLite(t.Context(), ":memory:", Options{Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	for name, q := range map[string]Query{
		"parent and type":  {Parent: "p", Type: "t"},
		"service":          {Service: "s"},
		"service and type": {Service: "s", Type: "t"},
		"under":            {Under: "p"},
		"index":            {Index: "i", Value: "v"},
		"index and parent": {Index: "i", Value: "v", Parent: "p", Type: "t"},
	} {
		from, args, key := q.from(dialect{})
		rows, err := s.(*database).read.QueryContext(t.Context(),
			"EXPLAIN QUERY PLAN SELECT "+documentColumns+from+" AND "+key+" > ? ORDER BY "+key+" LIMIT 9", append(args, "k")...)
		if err != nil {
			t.Fatal(err)
		}
		steps, err := collect(rows, func(step *string) error {
			var a, b, c int
			return rows.Scan(&a, &b, &c, step)
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, step := range steps {
			if step == "USE TEMP B-TREE FOR ORDER BY" || step == "SCAN d" || step == "SCAN i" {
				t.Errorf("%s: plan %q", name, steps)
			}
		}
		if q.Index != "" && !strings.Contains(steps[0], " i ") {
			t.Errorf("%s: the plan does not begin with the index rows: %q", name, steps)
		}
	}
}
