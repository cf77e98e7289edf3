package store

import (
	"context"
	"errors"
)

func openPostgres(ctx context.Context, url string, o Options) (Store, error) {
	return nil, errors.New("store: postgres: not built yet")
}
