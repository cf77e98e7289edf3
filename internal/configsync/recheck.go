package configsync

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// recheckTimeout bounds the look-up of a gateway's keys.
const recheckTimeout = 30 * time.Second

// recheckSoon checks the tokens of open connections without keeping the caller
// waiting for the store.
func (g *gatewayHub) recheckSoon() {
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), recheckTimeout)
		defer cancel()
		if err := g.recheck(ctx); err != nil {
			g.service.server.log().ErrorContext(ctx, "tokens of open connections could not be checked",
				"service", g.service.name, "gateway", g.name, "error", err)
		}
	}()
}

// recheck ends the connections whose token is not of a current key.
func (g *gatewayHub) recheck(ctx context.Context) error {
	s := g.service.server
	conns := g.connections()
	if len(conns) == 0 {
		return nil
	}
	keys, err := s.Source.GatewayKeys(ctx, g.name)
	if err != nil {
		return fmt.Errorf("look up the keys of gateway %s: %w", g.name, err)
	}
	for _, c := range conns {
		if c.id.token == nil {
			if c.gone(keys) {
				c.end(ending{closeTokenRevoked, CommandTokenRevoked, StatusTokenRevoked, "the gateway was deleted"})
			}
			continue
		}
		_, err := s.match(keys, c.id.Service, *c.id.token)
		var no *refusal
		// The expiry has a timer of its own.
		if errors.As(err, &no) && no.code != codeTokenExpired {
			c.end(ending{
				closeTokenRevoked, CommandTokenRevoked, StatusTokenRevoked,
				"the key of the gateway token was regenerated, or the gateway deleted",
			})
		}
	}
	return nil
}
