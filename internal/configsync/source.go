package configsync

import (
	"context"
	"errors"

	"github.com/causeway-apim/causeway/internal/snapshot"
)

// ErrNoService is the error of a Source for a service that does not exist.
var ErrNoService = errors.New("no such service")

// Source is where the configurations of services come from. A service is named
// by its ARM ID in lower case.
type Source interface {
	// Watch returns the service's current snapshot and calls changed with each
	// later one, in order and without a gap, until stop is called. Changed is
	// called in the publisher's goroutine: what it does synchronously is done
	// when the publisher goes on.
	Watch(service string, changed func(*snapshot.Snapshot)) (current *snapshot.Snapshot, stop func(), err error)
	// GatewayKeys returns the keys of the gateways of that name (compared
	// without case), one entry for each service that has one.
	GatewayKeys(ctx context.Context, gateway string) ([]GatewayKeys, error)
}

// GatewayKeys are the keys from which the tokens of one gateway are made.
type GatewayKeys struct {
	Service            string // ARM ID, lower case
	Gateway            string // name
	Primary, Secondary string
}
