package store

import (
	"context"
	"errors"
)

func openSQLite(ctx context.Context, path string, o Options) (Store, error) {
	return nil, errors.New("store: sqlite: not built yet")
}
