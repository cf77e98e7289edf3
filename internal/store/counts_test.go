package store_test

import (
	"errors"
	"os"
	"path/filepath"
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
