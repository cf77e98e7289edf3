package store_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/causeway-apim/causeway/internal/store"
)

func TestUpdateRollsBack(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		ctx := t.Context()
		s := open(t, url, store.Options{})
		put(t, s, doc(dev, "apis", "kept"))
		cause := errors.New("cause")
		_, err := s.Update(ctx, dev, func(tx store.Tx) error {
			if err := tx.Put(ctx, doc(dev, "apis", "lost"), []store.Index{{Name: "i", Value: "v"}}); err != nil {
				t.Error(err)
			}
			if _, err := tx.Get(ctx, dev+"/apis/lost"); err != nil {
				t.Errorf("a transaction does not see its own write: %v", err)
			}
			if seq, err := tx.LastSeq(ctx, dev); seq != 2 || err != nil {
				t.Errorf("last number inside is %d (%v), want 2", seq, err)
			}
			return cause
		})
		wantErr(t, err, cause)
		func() {
			defer func() { _ = recover() }()
			_, _ = s.Update(ctx, dev, func(tx store.Tx) error {
				_ = tx.Delete(ctx, dev+"/apis/kept")
				panic("a bug in a hook")
			})
		}()
		view(t, s, func(r store.Reader) error {
			docs, err := r.List(ctx, store.Query{Service: dev})
			wantEqual(t, "documents", names(t, docs), "kept")
			ids, _ := r.Lookup(ctx, "i", "v")
			wantEqual(t, "index rows", len(ids), 0)
			return err
		})
		if seq := put(t, s, doc(dev, "apis", "next")); seq != 2 {
			t.Errorf("number %d after a rollback, want 2: the log has a gap", seq)
		}
	})
}

func TestViewIsASnapshot(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		ctx := t.Context()
		s := open(t, url, store.Options{})
		d := doc(dev, "apis", "a")
		put(t, s, d)
		view(t, s, func(r store.Reader) error {
			before, err := r.Get(ctx, d.ID)
			if err != nil {
				return err
			}
			d.Body = []byte(`{"new":true}`)
			put(t, s, d, doc(dev, "apis", "b"))
			after, err := r.Get(ctx, d.ID)
			if err != nil {
				return err
			}
			wantEqual(t, "body", string(after.Body), string(before.Body))
			n, err := r.Count(ctx, store.Query{Service: dev})
			wantEqual(t, "documents", n, 1)
			seq, _ := r.LastSeq(ctx, dev)
			wantEqual(t, "last number of the snapshot", seq, 1)
			return err
		})
		wantEqual(t, "body", string(get(t, s, d.ID).Body), `{"new":true}`)
		seq, err := s.LastSeq(ctx, dev)
		if err != nil || seq != 3 {
			t.Errorf("last number %d (%v), want 3", seq, err)
		}
	})
}

// TestConcurrentWriters has many writers and a reader that follows the log: it must see every number once, in order.
func TestConcurrentWriters(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		const writers, each = 8, 25
		a, b := open(t, url, store.Options{}), store.Store(nil)
		if strings.HasPrefix(url, "postgres") {
			b = open(t, url, store.Options{}) // a second replica
		} else {
			b = a
		}
		wake, stop := a.Watch()
		defer stop()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()

		var group sync.WaitGroup
		for w := range writers {
			s := []store.Store{a, b}[w%2]
			group.Go(func() {
				for i := range each {
					_, err := s.Update(ctx, dev, func(tx store.Tx) error {
						n, err := tx.LastSeq(ctx, dev)
						if err != nil {
							return err
						}
						d := doc(dev, "apis", fmt.Sprintf("w%d-%d", w, i))
						if err := tx.Put(ctx, d, nil); err != nil {
							return err
						}
						if d.Seq != n+1 {
							return fmt.Errorf("number %d after %d", d.Seq, n)
						}
						return nil
					})
					if err != nil {
						t.Errorf("writer %d: %v", w, err)
						return
					}
				}
			})
		}
		var last int64
		for last < writers*each && !t.Failed() {
			select {
			case <-wake:
			case <-ctx.Done():
				t.Fatalf("no wake-up after number %d", last)
			}
			changes, err := a.Changes(ctx, dev, last, 7)
			for ; err == nil && len(changes) > 0; changes, err = a.Changes(ctx, dev, last, 7) {
				for _, c := range changes {
					if c.Seq != last+1 {
						t.Fatalf("number %d follows %d", c.Seq, last)
					}
					last = c.Seq
				}
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		group.Wait()
	})
}

func TestCompact(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		ctx := t.Context()
		s := open(t, url, store.Options{})
		changes, err := s.Changes(ctx, dev, 0, 0)
		if err != nil || len(changes) != 0 {
			t.Errorf("changes of a new service: %v (%v)", changes, err)
		}
		for i := range 10 {
			put(t, s, doc(dev, "apis", fmt.Sprint(i)))
		}
		compact := func(keepAfter int64) {
			if err := s.Compact(ctx, dev, keepAfter); err != nil {
				t.Error(err)
			}
		}
		compact(4)
		compact(2) // less than before: nothing happens
		_, err = s.Changes(ctx, dev, 3, 0)
		wantErr(t, err, store.ErrCompacted)
		changes, err = s.Changes(ctx, dev, 4, 2)
		if err != nil || len(changes) != 2 || changes[0].Seq != 5 {
			t.Errorf("changes after 4: %v (%v)", changes, err)
		}
		_, err = s.Changes(ctx, dev, 11, 0)
		wantErr(t, err, store.ErrCompacted)
		compact(99)
		if changes, err = s.Changes(ctx, dev, 10, 0); err != nil || len(changes) != 0 {
			t.Errorf("changes after the last: %v (%v)", changes, err)
		}
		wantEqual(t, "number after compaction", put(t, s, doc(dev, "apis", "x")), 11)
	})
}

// TestCancel ends the context inside a transaction and before one, also while another holds the lock.
func TestCancel(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		s := open(t, url, store.Options{})
		ctx, cancel := context.WithCancel(t.Context())
		_, err := s.Update(ctx, dev, func(tx store.Tx) error {
			err := tx.Put(ctx, doc(dev, "apis", "lost"), nil)
			cancel()
			return err
		})
		if err == nil {
			t.Error("committed under an ended context")
		}
		err = s.View(ctx, func(store.Reader) error { return nil })
		wantErr(t, err, context.Canceled)

		update(t, s, dev, func(tx store.Tx) error {
			waiting, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
			defer cancel()
			if _, err := s.Update(waiting, dev, func(store.Tx) error { return nil }); err == nil {
				t.Error("two transactions of one service at once")
			}
			return tx.Put(t.Context(), doc(dev, "apis", "kept"), nil)
		})
		view(t, s, func(r store.Reader) error {
			docs, err := r.List(t.Context(), store.Query{Service: dev})
			wantEqual(t, "documents", names(t, docs), "kept")
			return err
		})
	})
}

func TestChangesTellEvents(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		ctx := t.Context()
		s := open(t, url, store.Options{})
		api, op := doc(dev, "apis", "Pets"), doc(dev+"/apis/pets", "operations", "List")
		put(t, s, api, op)
		put(t, s, api)
		update(t, s, dev, func(tx store.Tx) error { return tx.Delete(ctx, op.ID) })
		put(t, s, op)
		update(t, s, dev, func(tx store.Tx) error {
			_, err := tx.DeleteTree(ctx, api.ID)
			return err
		})
		changes, err := s.Changes(ctx, dev, 0, 0)
		if err != nil {
			t.Fatal(err)
		}
		var got strings.Builder
		for _, c := range changes {
			fmt.Fprintf(&got, "%d %s created=%t deleted=%t %s\n", c.Seq, c.Type, c.Created, c.Deleted, strings.TrimPrefix(c.Path, dev))
		}
		wantEqual(t, "changes", got.String(), `1 apis created=true deleted=false 
2 operations created=true deleted=false 
3 apis created=false deleted=false 
4 operations created=false deleted=true /apis/pets/operations/List
5 operations created=true deleted=false 
6 operations created=false deleted=true /apis/pets/operations/List
7 apis created=false deleted=true /apis/Pets
`)
	})
}
