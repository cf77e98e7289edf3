package store_test

import (
	"fmt"
	"os"
	"strconv"
	"testing"

	"github.com/causeway-apim/causeway/internal/store"
	"github.com/causeway-apim/causeway/internal/store/pgtest"
)

// benchDocuments is how many documents lie under one parent; CAUSEWAY_BENCH_DOCUMENTS=1000000 measures the largest
// service promised.
func benchDocuments(b *testing.B) int {
	n, err := strconv.Atoi(os.Getenv("CAUSEWAY_BENCH_DOCUMENTS"))
	if err != nil || n < 1000 {
		return 100_000
	}
	b.Logf("%d documents", n)
	return n
}

// benchBoth runs a benchmark on either database. The private PostgreSQL does not sync to disk, so its writes show the
// work, not the disk.
func benchBoth(b *testing.B, bench func(b *testing.B, s store.Store)) {
	for _, kind := range []string{"sqlite", "postgres"} {
		b.Run(kind, func(b *testing.B) {
			url := "sqlite://:memory:"
			if kind == "postgres" {
				url = pgtest.Database(b)
			}
			bench(b, open(b, url, store.Options{Keyring: store.NewKeyring(key(1))}))
		})
	}
}

func benchItem(i int) store.Item {
	d := doc(dev, "subscriptions", fmt.Sprintf("s%08d", i))
	d.Body = fmt.Appendf(nil, `{"displayName":"subscription %d","scope":"/apis","state":"active","allowTracing":false}`, i)
	return store.Item{Document: d, Indexes: []store.Index{{Name: dev + " key", Value: fmt.Sprintf("%064x", i), Unique: true}}}
}

func seed(b *testing.B, s store.Store, n int) {
	b.Helper()
	const batch = 10_000
	for first := 0; first < n; first += batch {
		items := make([]store.Item, min(batch, n-first))
		for i := range items {
			items[i] = benchItem(first + i)
		}
		update(b, s, dev, func(tx store.Tx) error { return tx.PutAll(b.Context(), items) })
	}
}

// BenchmarkPut measures one document in a transaction of its own, durable when it returns.
func BenchmarkPut(b *testing.B) {
	benchBoth(b, func(b *testing.B, s store.Store) {
		n := 0
		for b.Loop() {
			n++
			it := benchItem(n)
			update(b, s, dev, func(tx store.Tx) error { return tx.Put(b.Context(), it.Document, it.Indexes) })
		}
	})
}

// BenchmarkImport measures a transaction of 1,000 new operations.
func BenchmarkImport(b *testing.B) {
	benchBoth(b, func(b *testing.B, s store.Store) {
		n := 0
		for b.Loop() {
			items := make([]store.Item, 1000)
			for i := range items {
				n++
				items[i] = benchItem(n)
			}
			update(b, s, dev, func(tx store.Tx) error { return tx.PutAll(b.Context(), items) })
		}
	})
}

// BenchmarkLarge measures a service with many documents under one parent.
func BenchmarkLarge(b *testing.B) {
	n := benchDocuments(b)
	benchBoth(b, func(b *testing.B, s store.Store) {
		seed(b, s, n)
		all := store.Query{Parent: dev, Type: "subscriptions"}
		list := func(b *testing.B, q store.Query, want int) {
			for b.Loop() {
				view(b, s, func(r store.Reader) error {
					docs, err := r.List(b.Context(), q)
					got := 0
					for range docs {
						got++
					}
					if got != want {
						b.Fatalf("%d documents, want %d", got, want)
					}
					return err
				})
			}
		}
		middle := all
		middle.After, middle.Limit = benchItem(n/2).Document.ID, 100
		b.Run("page", func(b *testing.B) { list(b, middle, 100) })
		skip := all
		skip.Offset, skip.Limit = n/2, 100
		b.Run("skip", func(b *testing.B) { list(b, skip, 100) })
		b.Run("all", func(b *testing.B) { list(b, store.Query{Service: dev}, n) })
		b.Run("count", func(b *testing.B) {
			for b.Loop() {
				view(b, s, func(r store.Reader) error { _, err := r.Count(b.Context(), all); return err })
			}
		})
		b.Run("get", func(b *testing.B) {
			for b.Loop() {
				get(b, s, middle.After)
			}
		})
		b.Run("put", func(b *testing.B) {
			it := benchItem(n / 2)
			for b.Loop() {
				update(b, s, dev, func(tx store.Tx) error { return tx.Put(b.Context(), it.Document, it.Indexes) })
			}
		})
	})
}
