package store

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// Options are what a store takes from outside. The zero value serves.
type Options struct {
	Now     func() time.Time // clock; time.Now when nil
	Keyring *Keyring         // master key; without it secrets can be neither read nor written
}

// Open opens the database at url and brings its schema up to date:
//
//   - sqlite:///absolute/path or sqlite://relative/path: a file, made when missing; its folder must exist
//   - sqlite://:memory: : a temporary database that Close removes, for tests
//   - postgres://user:password@host:port/database?sslmode=… (or postgresql://)
//
// Errors are one line and never contain a password.
func Open(ctx context.Context, url string, o Options) (Store, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	scheme, rest, _ := strings.Cut(url, "://")
	switch scheme {
	case "sqlite":
		return openSQLite(ctx, rest, o)
	case "postgres", "postgresql":
		return openPostgres(ctx, url, o)
	}
	return nil, fmt.Errorf("store: database URL must begin with sqlite:// or postgres://")
}
