package store_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pressly/goose/v3"

	"github.com/causeway-apim/causeway/internal/store"
)

// TestCountFollows compares the count of a parent's documents, which is kept, with the list after every kind of write.
func TestCountFollows(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		ctx := t.Context()
		s := open(t, url, store.Options{})
		check := func(what string, want int) {
			t.Helper()
			view(t, s, func(r store.Reader) error {
				n, err := r.Count(ctx, store.Query{Parent: dev, Type: "apis"})
				if err != nil {
					return err
				}
				docs, err := r.List(ctx, store.Query{Parent: dev, Type: "apis"})
				listed := len(strings.Fields(names(t, docs)))
				wantEqual(t, what, n, int64(want))
				wantEqual(t, "the list "+what, listed, want)
				return err
			})
		}
		put(t, s, doc(dev, "apis", "a"), doc(dev, "apis", "b"), doc(dev, "products", "a"), doc(dev+"/apis/a", "operations", "x"))
		check("after puts", 2)
		put(t, s, doc(dev, "apis", "b"), doc(dev, "apis", "c"))
		check("after a replacement and a put", 3)
		update(t, s, dev, func(tx store.Tx) error { return tx.Delete(ctx, dev+"/apis/c") })
		check("after a deletion", 2)
		_, err := s.Update(ctx, dev, func(tx store.Tx) error {
			return errors.Join(tx.Put(ctx, doc(dev, "apis", "d"), nil), errors.New("no"))
		})
		if err == nil {
			t.Error("the error of the transaction is lost")
		}
		check("after a failure", 2)
		update(t, s, dev, func(tx store.Tx) error {
			_, err := tx.DeleteTree(ctx, dev)
			return err
		})
		check("after the deletion of everything", 0)
		_, err = s.Update(ctx, dev, func(tx store.Tx) error {
			moved := doc(dev, "apis", "e")
			if err := tx.Put(ctx, moved, nil); err != nil {
				return err
			}
			moved.Type = "products"
			return tx.Put(ctx, moved, nil)
		})
		wantErr(t, err, store.ErrInvalid)
	})
}

// TestOffsetInLongLists compares pages of a list of many blocks with the names that are in it, while blocks are divided,
// emptied and begun anew.
func TestOffsetInLongLists(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		ctx := t.Context()
		s := open(t, url, store.Options{})
		var all []string // in order
		name := func(i int) string { return fmt.Sprintf("s%04d", i) }
		check := func(what string, r store.Reader) error {
			t.Helper()
			q := store.Query{Parent: dev, Type: "apis", Limit: 2}
			n, err := r.Count(ctx, q)
			wantEqual(t, "number "+what, n, int64(len(all)))
			for q.Offset = 0; err == nil && q.Offset < len(all)+200; q.Offset += 487 {
				docs, e := r.List(ctx, q)
				if err = e; e == nil {
					at := min(q.Offset, len(all))
					wantEqual(t, fmt.Sprintf("page at %d %s", q.Offset, what), names(t, docs), strings.Join(all[at:min(at+2, len(all))], " "))
				}
			}
			return err
		}
		write := func(what string, fn func(tx store.Tx) error) {
			t.Helper()
			update(t, s, dev, func(tx store.Tx) error { return errors.Join(fn(tx), check(what+", before the commit", tx)) })
			view(t, s, func(r store.Reader) error { return check(what, r) })
		}
		add := func(from, to, step int) func(tx store.Tx) error {
			var items []store.Item
			for i := from; i < to; i += step {
				items = append(items, store.Item{Document: doc(dev, "apis", name(i))})
				all = append(all, name(i))
			}
			slices.Sort(all)
			return func(tx store.Tx) error { return tx.PutAll(ctx, items) }
		}
		remove := func(from, to int) func(tx store.Tx) error {
			return func(tx store.Tx) error {
				for i := from; i < to; i++ {
					if err := tx.Delete(ctx, dev+"/apis/"+name(i)); err != nil {
						return err
					}
				}
				all = slices.DeleteFunc(all, func(n string) bool { return name(from) <= n && n < name(to) })
				return nil
			}
		}
		put(t, s, doc(dev, "products", "a"), doc(dev+"/apis/s0001", "operations", "x"))
		write("after many at once", add(0, 5000, 2))
		write("after more between them", add(1, 5000, 2))
		write("without the first", remove(0, 1300))
		write("without some in the middle", remove(2900, 3000))
		write("with a new first", add(7, 8, 1))
		write("with many again", add(8, 1300, 1))
		write("without the last", remove(4800, 5000))
		write("with none", func(tx store.Tx) error {
			_, err := tx.DeleteTree(ctx, dev)
			all = nil
			return err
		})
		write("begun anew", add(3000, 3300, 1))
	})
}

// TestMigrationOfData opens a database of the version before documents were counted: what is in it is counted.
func TestMigrationOfData(t *testing.T) {
	const before = 6
	onBoth(t, func(t *testing.T, url string) {
		ctx := t.Context()
		dialect, folder := goose.DialectSQLite3, "sqlite"
		if !strings.HasPrefix(url, "sqlite") {
			dialect, folder = goose.DialectPostgres, "postgres"
		}
		old := raw(t, url)
		migrations, err := goose.NewProvider(dialect, old, os.DirFS(filepath.Join("migrations", folder)))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := migrations.UpTo(ctx, before); err != nil {
			t.Fatal(err)
		}
		_, err = old.ExecContext(ctx, "INSERT INTO documents (key, path, service, type, parent, name, etag, seq, created, modified, body) VALUES "+
			"('"+dev+"/apis/a', '', 1, 'apis', '"+dev+"', 'a', '', 1, 0, 0, ''), ('"+dev+"/apis/b', '', 1, 'apis', '"+dev+"', 'b', '', 2, 0, 0, '')")
		if err != nil {
			t.Fatal(err)
		}
		s := open(t, url, store.Options{})
		put(t, s, doc(dev, "apis", "c"))
		view(t, s, func(r store.Reader) error {
			n, err := r.Count(ctx, store.Query{Parent: dev, Type: "apis"})
			wantEqual(t, "number of APIs", n, 3)
			return err
		})
	})
}
