package store_test

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/causeway-apim/causeway/internal/store"
)

const (
	dev   = "/subscriptions/0/resourcegroups/causeway/providers/microsoft.apimanagement/service/dev"
	dev2  = dev + "-2" // sorts between dev and what is below dev
	group = "/subscriptions/0/resourcegroups/causeway"
)

// doc returns a document of type kind under parent, a service or something in one.
func doc(parent, kind, name string) *store.Document {
	service := dev
	if strings.HasPrefix(parent, dev2) {
		service = dev2
	}
	path := parent + "/" + kind + "/" + name
	return &store.Document{
		ID: strings.ToLower(path), Path: path, Service: service, Type: kind, Parent: parent, Name: name,
		Body: []byte(`{"name":"` + name + `"}`),
	}
}

func update(t testing.TB, s store.Store, service string, fn func(store.Tx) error) int64 {
	t.Helper()
	seq, err := s.Update(t.Context(), service, fn)
	if err != nil {
		t.Fatal(err)
	}
	return seq
}

func put(t testing.TB, s store.Store, docs ...*store.Document) int64 {
	t.Helper()
	return update(t, s, docs[0].Service, func(tx store.Tx) error {
		for _, d := range docs {
			if err := tx.Put(t.Context(), d, nil); err != nil {
				return err
			}
		}
		return nil
	})
}

func view(t testing.TB, s store.Store, fn func(store.Reader) error) {
	t.Helper()
	if err := s.View(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

func get(t testing.TB, s store.Store, id string) (d *store.Document) {
	t.Helper()
	view(t, s, func(r store.Reader) (err error) {
		d, err = r.Get(t.Context(), id)
		return err
	})
	return d
}

func names(t testing.TB, docs iter.Seq2[*store.Document, error]) string {
	t.Helper()
	var all []string
	for d, err := range docs {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, d.Name)
	}
	return strings.Join(all, " ")
}

func wantErr(t testing.TB, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("error %v, want %v", err, want)
	}
}

func wantEqual[T comparable](t testing.TB, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s is %v, want %v", what, got, want)
	}
}

func TestPutGetReplaceDelete(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		ctx := t.Context()
		now := time.Date(2026, 11, 23, 1, 2, 3, 456789123, time.UTC)
		s := open(t, url, store.Options{Now: func() time.Time { return now }})
		created := now.Truncate(time.Microsecond)

		d := doc(dev, "apis", "Petstore")
		wantEqual(t, "first number", put(t, s, d), 1)
		got := get(t, s, d.ID)
		wantEqual(t, "document", fmt.Sprintf("%+v", got), fmt.Sprintf("%+v", d))
		wantEqual(t, "path", got.Path, dev+"/apis/Petstore")
		wantEqual(t, "service", got.Service, dev)
		wantEqual(t, "created", got.Created, created)
		if got.ETag == "" {
			t.Error("no ETag")
		}

		now = now.Add(time.Hour)
		got.Body = []byte("{}\n") // kept byte for byte
		wantEqual(t, "second number", put(t, s, got), 2)
		again := get(t, s, d.ID)
		wantEqual(t, "body", string(again.Body), "{}\n")
		wantEqual(t, "created", again.Created, created)
		wantEqual(t, "modified", again.Modified, now.Truncate(time.Microsecond))
		wantEqual(t, "sequence", again.Seq, 2)
		if again.ETag == d.ETag {
			t.Error("the ETag did not change")
		}
		again.ETag, again.Body = "mine", nil
		put(t, s, again)
		wantEqual(t, "ETag", get(t, s, d.ID).ETag, "mine")
		wantEqual(t, "body", string(get(t, s, d.ID).Body), "")

		seq := update(t, s, dev, func(tx store.Tx) error {
			wantErr(t, tx.Delete(ctx, d.ID+"x"), store.ErrNotFound)
			return tx.Delete(ctx, d.ID)
		})
		wantEqual(t, "number of the deletion", seq, 4)
		err := s.View(ctx, func(r store.Reader) error { _, err := r.Get(ctx, d.ID); return err })
		wantErr(t, err, store.ErrNotFound)
		wantEqual(t, "number of nothing", update(t, s, dev, func(store.Tx) error { return nil }), 0)

		changes, err := s.Changes(ctx, dev, 0, 0)
		if err != nil {
			t.Fatal(err)
		}
		want := store.Change{Seq: 4, ID: d.ID, Type: "apis", Deleted: true, Path: d.Path, At: now.Truncate(time.Microsecond)}
		wantEqual(t, "changes", len(changes), 4)
		wantEqual(t, "last change", changes[3], want)
		wantEqual(t, "deleted", changes[0].Deleted, false)
	})
}

func TestList(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		ctx := t.Context()
		s := open(t, url, store.Options{})
		service := &store.Document{ID: dev, Service: dev, Type: "service", Parent: group, Name: "dev"}
		put(t, s, service, doc(dev, "apis", "b"), doc(dev, "apis", "A"), doc(dev, "apis", "a-1"), doc(dev, "apis", "é"),
			doc(dev, "products", "a"), doc(dev+"/apis/a", "operations", "x"), doc(dev+"/apis/a-1", "operations", "y"),
			doc(dev+"/apis/a", "operations", "X2"))
		other := &store.Document{ID: dev2, Service: dev2, Type: "service", Parent: group, Name: "dev-2"}
		put(t, s, other, doc(dev2, "apis", "foreign"))
		update(t, s, dev, func(tx store.Tx) error {
			d := doc(dev, "apis", "b")
			return errors.Join(tx.Put(ctx, d, []store.Index{{Name: "kind", Value: "soap"}, {Name: "kind", Value: "rest"}}),
				tx.Put(ctx, doc(dev, "products", "a"), []store.Index{{Name: "kind", Value: "soap"}}))
		})

		tests := []struct {
			name, want string
			query      store.Query
			total      int64
		}{
			{"parent and type", "A a-1 b é", store.Query{Parent: dev, Type: "apis"}, 4},
			{"parent", "A a-1 b é a", store.Query{Parent: dev}, 5},
			{"service", "dev A a-1 y x X2 b é a", store.Query{Service: dev}, 9},
			{"service and type", "y x X2", store.Query{Service: dev, Type: "operations"}, 3},
			{"under", "x X2", store.Query{Under: dev + "/apis/a"}, 2},
			{"under and type", "A a-1 b é", store.Query{Under: dev, Type: "apis"}, 4},
			{"name", "X2", store.Query{Service: dev, Type: "operations", Name: "x2"}, 1},
			{"name of another case", "A a", store.Query{Service: dev, Name: "A"}, 2},
			{"index", "b a", store.Query{Index: "kind", Value: "soap"}, 2},
			{"index and type", "a", store.Query{Index: "kind", Value: "soap", Type: "products"}, 1},
			{"limit", "A a-1", store.Query{Parent: dev, Type: "apis", Limit: 2}, 4},
			{"after", "b é", store.Query{Parent: dev, Type: "apis", After: dev + "/apis/a-1"}, 4},
			{"until", "A a-1", store.Query{Parent: dev, Type: "apis", Until: dev + "/apis/a-1"}, 4},
			{"after and until", "a-1 b", store.Query{Parent: dev, Type: "apis", After: dev + "/apis/a", Until: dev + "/apis/b"}, 4},
			{"until in index", "b", store.Query{Index: "kind", Value: "soap", Until: dev + "/apis/b"}, 2},
			{"after in index", "a", store.Query{Index: "kind", Value: "soap", After: dev + "/apis/b"}, 2},
			{"offset", "b", store.Query{Parent: dev, Type: "apis", Offset: 2, Limit: 1}, 4},
			{"offset near the end", "é", store.Query{Parent: dev, Type: "apis", Offset: 3, Limit: 2}, 4},
			{"offset near the end, without limit", "x X2 b é a", store.Query{Service: dev, Offset: 4}, 9},
			{"offset beyond", "", store.Query{Parent: dev, Type: "apis", Offset: 9}, 4},
			{"text in the body", "A a-1", store.Query{Parent: dev, Type: "apis", Text: `:"a`}, 2},
			{"text with wildcards", "", store.Query{Parent: dev, Type: "apis", Text: `"_`}, 0},
			{"text with another wildcard", "", store.Query{Parent: dev, Type: "apis", Text: `"%`}, 0},
			{"none", "", store.Query{Parent: dev, Type: "tags"}, 0},
			{"unknown service", "", store.Query{Service: "/x"}, 0},
		}
		view(t, s, func(r store.Reader) error {
			for _, test := range tests {
				docs, err := r.List(ctx, test.query)
				if err != nil {
					return err
				}
				wantEqual(t, test.name, names(t, docs), test.want)
				total, err := r.Count(ctx, test.query)
				if err != nil {
					return err
				}
				wantEqual(t, "count of "+test.name, total, test.total)
			}
			for _, q := range []store.Query{{}, {Type: "apis"}, {Parent: "a\x00"}, {Parent: dev, Limit: -1}} {
				_, err := r.List(ctx, q)
				wantErr(t, err, store.ErrInvalid)
				_, err = r.Count(ctx, q)
				wantErr(t, err, store.ErrInvalid)
			}
			return nil
		})
	})
}

// TestListManyPages goes over several internal pages and uses the transaction while it does.
func TestListManyPages(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		ctx := t.Context()
		s := open(t, url, store.Options{})
		const n = 1500
		items := make([]store.Item, n)
		for i := range items {
			items[i] = store.Item{Document: doc(dev, "subscriptions", fmt.Sprintf("s%04d", i)),
				Indexes: []store.Index{{Name: "key", Value: fmt.Sprint(i), Unique: true}}}
		}
		seq := update(t, s, dev, func(tx store.Tx) error { return tx.PutAll(ctx, items) })
		wantEqual(t, "last number", seq, n)
		wantEqual(t, "number of the first", items[0].Document.Seq, 1)

		seq = update(t, s, dev, func(tx store.Tx) error {
			near, err := tx.List(ctx, store.Query{Parent: dev, Type: "subscriptions", Offset: 900, Limit: 400})
			if err != nil {
				return err
			}
			at := 900
			for d, err := range near {
				if err != nil {
					return err
				}
				wantEqual(t, "document near the end", d.ID, items[at].Document.ID)
				at++
			}
			wantEqual(t, "end of the page", at, 1300)
			docs, err := tx.List(ctx, store.Query{Parent: dev, Type: "subscriptions", Offset: 100})
			if err != nil {
				return err
			}
			seen := 100
			for d, err := range docs {
				if err != nil {
					return err
				}
				if want := items[seen].Document.ID; d.ID != want {
					return fmt.Errorf("document %d is %s, want %s", seen, d.ID, want)
				}
				if err := tx.Delete(ctx, d.ID); err != nil {
					return err
				}
				seen++
			}
			wantEqual(t, "documents", seen, n)
			return nil
		})
		wantEqual(t, "last number", seq, 2*n-100)
	})
}

func TestIndexes(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		ctx := t.Context()
		s := open(t, url, store.Options{})
		a, b := doc(dev, "users", "a"), doc(dev, "users", "b")
		mail := func(v string) []store.Index {
			return []store.Index{{Name: "mail", Value: v, Unique: true}, {Name: "state", Value: "active"}, {Name: "state", Value: "active"}}
		}
		lookup := func(index, value string) string {
			var ids []string
			view(t, s, func(r store.Reader) (err error) {
				ids, err = r.Lookup(ctx, index, value)
				return err
			})
			return strings.Join(ids, " ")
		}
		write := func(d *store.Document, indexes []store.Index) error {
			_, err := s.Update(ctx, dev, func(tx store.Tx) error { return tx.Put(ctx, d, indexes) })
			return err
		}
		for _, err := range []error{write(a, mail("a@x")), write(b, mail("b@x")), write(a, mail("a@x"))} {
			if err != nil {
				t.Fatal(err)
			}
		}
		wantEqual(t, "unique row", lookup("mail", "a@x"), a.ID)
		wantEqual(t, "shared row", lookup("state", "active"), a.ID+" "+b.ID)
		wantEqual(t, "unknown value", lookup("mail", "\x00"), "")

		err := write(b, mail("a@x"))
		wantErr(t, err, store.ErrDuplicate)
		var dup *store.DuplicateError
		if !errors.As(err, &dup) || *dup != (store.DuplicateError{Index: "mail", ID: b.ID, Holder: a.ID}) {
			t.Errorf("error %#v", err)
		}
		if strings.Contains(err.Error(), "a@x") {
			t.Errorf("the error tells the value: %v", err)
		}
		wantEqual(t, "row after a refused write", lookup("mail", "b@x"), b.ID)

		// A refused write cannot be committed by a caller that overlooks it.
		_, err = s.Update(ctx, dev, func(tx store.Tx) error {
			_ = tx.Put(ctx, b, mail("a@x"))
			return nil
		})
		wantErr(t, err, store.ErrDuplicate)

		// A value can move within a transaction, once its holder has let it go.
		update(t, s, dev, func(tx store.Tx) error {
			return errors.Join(tx.Put(ctx, a, nil), tx.Put(ctx, b, mail("a@x")))
		})
		wantEqual(t, "moved row", lookup("mail", "a@x"), b.ID)
		wantEqual(t, "dropped row", lookup("state", "active"), b.ID)
		update(t, s, dev, func(tx store.Tx) error { return tx.Delete(ctx, b.ID) })
		wantEqual(t, "row of a deleted document", lookup("mail", "a@x"), "")
	})
}

// TestUniqueAcrossServices has two transactions of different services, which PostgreSQL runs at the same time, write
// one unique value.
func TestUniqueAcrossServices(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		ctx := t.Context()
		s := open(t, url, store.Options{})
		put := func(parent string) func(store.Tx) error {
			return func(tx store.Tx) error {
				return tx.Put(ctx, doc(parent, "hostnames", "a"), []store.Index{{Name: "host", Value: "h", Unique: true}})
			}
		}
		second := make(chan error, 1)
		update(t, s, dev, func(tx store.Tx) error {
			if err := put(dev)(tx); err != nil {
				return err
			}
			go func() {
				_, err := s.Update(ctx, dev2, put(dev2))
				second <- err
			}()
			return tx.Put(ctx, doc(dev, "apis", "a"), nil)
		})
		wantErr(t, <-second, store.ErrDuplicate)
	})
}

func TestDeleteTree(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		ctx := t.Context()
		s := open(t, url, store.Options{})
		rg := &store.Document{ID: group, Type: "resourceGroups", Name: "causeway"}
		put(t, s, rg)
		put(t, s, doc(dev, "apis", "a"), doc(dev+"/apis/a", "operations", "x"), doc(dev+"/apis/a", "operations", "y"),
			doc(dev+"/apis/a/operations/x", "policies", "policy"), doc(dev, "apis", "a-1"), doc(dev, "apis", "a0"))
		put(t, s, doc(dev2, "apis", "a"))
		update(t, s, dev, func(tx store.Tx) error {
			return tx.PutBlob(ctx, dev+"/apis/a/operations/x", "raw", []byte("<x/>"))
		})

		var ids []string
		seq := update(t, s, dev, func(tx store.Tx) (err error) {
			ids, err = tx.DeleteTree(ctx, dev+"/apis/a")
			return err
		})
		want := []string{dev + "/apis/a/operations/y", dev + "/apis/a/operations/x/policies/policy", dev + "/apis/a/operations/x", dev + "/apis/a"}
		if !slices.Equal(ids, want) {
			t.Errorf("deleted %v, want %v", ids, want)
		}
		wantEqual(t, "last number", seq, 10)
		changes, err := s.Changes(ctx, dev, 6, 0)
		if err != nil || len(changes) != 4 || changes[3].ID != dev+"/apis/a" || !changes[3].Deleted {
			t.Errorf("changes %v (%v)", changes, err)
		}
		view(t, s, func(r store.Reader) error {
			_, err := r.GetBlob(ctx, dev+"/apis/a/operations/x", "raw")
			wantErr(t, err, store.ErrNotFound)
			docs, err := r.List(ctx, store.Query{Service: dev})
			wantEqual(t, "what is left", names(t, docs), "a-1 a0")
			return err
		})
		update(t, s, dev, func(tx store.Tx) error {
			ids, err := tx.DeleteTree(ctx, dev+"/apis/a")
			wantEqual(t, "deleted again", len(ids), 0)
			return err
		})

		// Only what is above the services may reach into them; each service logs its own.
		_, err = s.Update(ctx, dev, func(tx store.Tx) error { _, err := tx.DeleteTree(ctx, group); return err })
		wantErr(t, err, store.ErrInvalid)
		seq = update(t, s, "", func(tx store.Tx) error {
			ids, err := tx.DeleteTree(ctx, group)
			wantEqual(t, "documents of the group", len(ids), 4)
			return err
		})
		wantEqual(t, "number above services", seq, 2)
		for service, want := range map[string]int64{dev: 12, dev2: 2, "": 2} {
			got, err := s.LastSeq(ctx, service)
			if err != nil || got != want {
				t.Errorf("last number of %q is %d (%v), want %d", service, got, err, want)
			}
		}
	})
}

func TestBlobs(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		ctx := t.Context()
		s := open(t, url, store.Options{})
		d := doc(dev, "apis", "a")
		big := make([]byte, 5<<20)
		for i := range big {
			big[i] = byte(i * 7)
		}
		update(t, s, dev, func(tx store.Tx) error {
			wantErr(t, tx.PutBlob(ctx, d.ID, "definition", nil), store.ErrNotFound)
			return errors.Join(tx.Put(ctx, d, nil), tx.PutBlob(ctx, d.ID, "definition", []byte("old")),
				tx.PutBlob(ctx, d.ID, "definition", big), tx.PutBlob(ctx, d.ID, "empty", nil))
		})
		put(t, s, d) // a Put leaves blobs alone
		view(t, s, func(r store.Reader) error {
			got, err := r.GetBlob(ctx, d.ID, "definition")
			wantEqual(t, "bytes are equal", slices.Equal(got, big), true)
			empty, err2 := r.GetBlob(ctx, d.ID, "empty")
			wantEqual(t, "bytes", len(empty), 0)
			_, err3 := r.GetBlob(ctx, d.ID, "none")
			wantErr(t, err3, store.ErrNotFound)
			return errors.Join(err, err2)
		})
		update(t, s, dev, func(tx store.Tx) error {
			err := errors.Join(tx.DeleteBlob(ctx, d.ID, "definition"), tx.DeleteBlob(ctx, d.ID, "definition"))
			_, gone := tx.GetBlob(ctx, d.ID, "definition")
			wantErr(t, gone, store.ErrNotFound)
			return errors.Join(err, tx.DeleteBlob(ctx, dev+"/apis/none", "definition"))
		})
		_, err := s.Update(ctx, dev2, func(tx store.Tx) error {
			wantErr(t, tx.DeleteBlob(ctx, d.ID, "empty"), store.ErrInvalid)
			return tx.PutBlob(ctx, d.ID, "empty", []byte("foreign"))
		})
		wantErr(t, err, store.ErrInvalid)
	})
}

func TestInvalidDocuments(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		ctx := t.Context()
		s := open(t, url, store.Options{})
		put(t, s, doc(dev, "apis", "a"))
		change := func(fn func(*store.Document)) store.Item {
			d := doc(dev, "apis", "x")
			fn(d)
			return store.Item{Document: d}
		}
		tests := map[string][]store.Item{
			"no ID":           {change(func(d *store.Document) { d.ID = "" })},
			"upper case ID":   {change(func(d *store.Document) { d.ID = "/A" })},
			"zero byte":       {change(func(d *store.Document) { d.Name = "a\x00" })},
			"not UTF-8":       {change(func(d *store.Document) { d.Path = "\xff" })},
			"long ID":         {change(func(d *store.Document) { d.ID = strings.Repeat("x", store.MaxIDBytes+1) })},
			"long body":       {change(func(d *store.Document) { d.Body = make([]byte, store.MaxBodyBytes+1) })},
			"foreign service": {change(func(d *store.Document) { d.Service = dev2 })},
			"twice":           {{Document: doc(dev, "apis", "x")}, {Document: doc(dev, "apis", "x")}},
			"index value": {{Document: doc(dev, "apis", "x"),
				Indexes: []store.Index{{Name: "i", Value: strings.Repeat("v", store.MaxIDBytes+1)}}}},
		}
		for name, items := range tests {
			_, err := s.Update(ctx, dev, func(tx store.Tx) error { return tx.PutAll(ctx, items) })
			if !errors.Is(err, store.ErrInvalid) {
				t.Errorf("%s: error %v", name, err)
			}
		}
		_, err := s.Update(ctx, dev2, func(tx store.Tx) error {
			d := doc(dev, "apis", "a")
			d.Service = dev2 // moves a stored document to another service
			return tx.Put(ctx, d, nil)
		})
		wantErr(t, err, store.ErrInvalid)
		_, err = s.Update(ctx, "/UPPER", func(store.Tx) error { return nil })
		wantErr(t, err, store.ErrInvalid)

		longest := doc(dev, "apis", "l")
		longest.ID, longest.Parent = strings.Repeat("i", store.MaxIDBytes), strings.Repeat("p", store.MaxIDBytes)
		longest.Type = strings.Repeat("t", store.MaxWordBytes)
		update(t, s, dev, func(tx store.Tx) error {
			return tx.Put(ctx, longest, []store.Index{{Name: strings.Repeat("n", store.MaxWordBytes), Value: strings.Repeat("v", store.MaxIDBytes), Unique: true}})
		})
	})
}
