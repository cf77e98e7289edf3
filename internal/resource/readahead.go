package resource

import (
	"context"
	"iter"
	"sync"

	"github.com/causeway-apim/causeway/internal/store"
)

const (
	aheadBatch   = 256 // documents that are handed over at once
	aheadBatches = 4   // how many of these are read ahead at most
)

// oneAtATime shares a view of the store among goroutines: a database connection runs one query at a time.
type oneAtATime struct {
	store.Reader
	mu sync.Mutex
}

// Get implements store.Reader.
func (r *oneAtATime) Get(ctx context.Context, id string) (*store.Document, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.Reader.Get(ctx, id)
}

// Count implements store.Reader.
func (r *oneAtATime) Count(ctx context.Context, q store.Query) (int64, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.Reader.Count(ctx, q)
}

// Nth implements store.Reader.
func (r *oneAtATime) Nth(ctx context.Context, q store.Query, n int) (string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.Reader.Nth(ctx, q, n)
}

// Lookup implements store.Reader.
func (r *oneAtATime) Lookup(ctx context.Context, index, value string) ([]string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.Reader.Lookup(ctx, index, value)
}

// GetSecrets implements store.Reader.
func (r *oneAtATime) GetSecrets(ctx context.Context, id string) (map[string]string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.Reader.GetSecrets(ctx, id)
}

// GetBlob implements store.Reader.
func (r *oneAtATime) GetBlob(ctx context.Context, id, name string) ([]byte, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.Reader.GetBlob(ctx, id, name)
}

// List implements store.Reader. Others may read while the caller looks at a document.
func (r *oneAtATime) List(ctx context.Context, q store.Query) (iter.Seq2[*store.Document, error], error) {
	docs, err := r.Reader.List(ctx, q)
	if err != nil {
		return nil, err
	}
	return func(yield func(*store.Document, error) bool) {
		next, stop := iter.Pull2(docs)
		defer stop()
		for {
			r.mu.Lock()
			d, err, more := next()
			r.mu.Unlock()
			if !more || !yield(d, err) {
				return
			}
		}
	}, nil
}

// ahead reads a list in a goroutine of its own, so that the next documents are read while the caller works on those
// before. The goroutine has ended when the loop over the result has.
func ahead(docs iter.Seq2[*store.Document, error]) iter.Seq2[*store.Document, error] {
	type batch struct {
		docs []*store.Document
		err  error
	}
	return func(yield func(*store.Document, error) bool) {
		batches, stop := make(chan batch, aheadBatches), make(chan struct{})
		go func() {
			defer close(batches)
			var b batch
			hand := func() bool {
				select {
				case batches <- b:
					b.docs = nil
					return true
				case <-stop:
					return false
				}
			}
			for d, err := range docs {
				if b.err = err; err == nil {
					b.docs = append(b.docs, d)
				}
				if (err != nil || len(b.docs) == aheadBatch) && !hand() {
					return
				}
			}
			hand()
		}()
		defer func() {
			close(stop)
			for range batches { // until the goroutine has ended
			}
		}()
		for b := range batches {
			for _, d := range b.docs {
				if !yield(d, nil) {
					return
				}
			}
			if b.err != nil && !yield(nil, b.err) {
				return
			}
		}
	}
}
