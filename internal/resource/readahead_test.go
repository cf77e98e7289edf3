package resource

import (
	"errors"
	"fmt"
	"iter"
	"testing"

	"github.com/causeway-apim/causeway/internal/store"
)

func TestAhead(t *testing.T) {
	t.Parallel()
	const n = aheadBatch*(aheadBatches+3) + 5
	broken := errors.New("broken")
	list := func(fail bool) iter.Seq2[*store.Document, error] {
		return func(yield func(*store.Document, error) bool) {
			for i := range n {
				if !yield(&store.Document{ID: fmt.Sprint(i)}, nil) {
					return
				}
			}
			if fail {
				yield(nil, broken)
			}
		}
	}
	for _, fail := range []bool{false, true} {
		got, last := 0, error(nil)
		for d, err := range ahead(list(fail)) {
			if last = err; err == nil {
				if d.ID != fmt.Sprint(got) {
					t.Fatalf("document %d is %s", got, d.ID)
				}
				got++
			}
		}
		if got != n || errors.Is(last, broken) != fail {
			t.Errorf("%d of %d documents, last error %v", got, n, last)
		}
	}
	ended := false
	docs := func(yield func(*store.Document, error) bool) {
		defer func() { ended = true }()
		list(false)(yield)
	}
	for range ahead(docs) {
		break
	}
	if !ended {
		t.Error("the list is still being read after the loop")
	}
}
