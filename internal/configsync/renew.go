package configsync

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/causeway-apim/causeway/internal/auth"
)

// requestRenewal is the request of a gateway for a token that lives longer than the one with which it is connected.
const requestRenewal = "renewToken"

// renewalRetry is the time after which a renewal that failed is tried again, and at most between looks at the clock.
const renewalRetry = time.Minute

type renewalRequest struct {
	Life int64 `json:"life"` // wanted, in seconds
}

type renewalAnswer struct {
	Token string `json:"token"` // without "GatewayKey "
}

// renew makes a new token of the key that made the connection's. Regenerating that key ends both.
func (c *serverConn) renew(ctx context.Context, payload json.RawMessage) (any, error) {
	var r renewalRequest
	if err := json.Unmarshal(payload, &r); err != nil || r.Life <= 0 {
		return nil, fmt.Errorf("%w: the request cannot be read", ErrRefused)
	}
	if c.id.token == nil {
		return nil, fmt.Errorf("%w: only gateway tokens are renewed", ErrRefused)
	}
	all, err := c.server.Source.GatewayKeys(ctx, c.hub.name)
	if err != nil {
		return nil, fmt.Errorf("look up the keys of gateway %s: %w", c.hub.name, err)
	}
	now := c.server.now()
	for _, k := range all {
		if k.Service != c.id.Service {
			continue
		}
		keys := []string{k.Primary, k.Secondary}
		n, err := c.id.token.Verify(now, keys...)
		if err != nil {
			continue
		}
		life := min(time.Duration(min(r.Life, int64(auth.MaxGatewayTokenLife/time.Second)))*time.Second, auth.MaxGatewayTokenLife)
		token, err := auth.NewGatewayToken(c.id.token.Gateway, keys[n], now.Add(life), now)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrRefused, err)
		}
		c.server.log().InfoContext(ctx, "gateway token renewed", "service", c.id.Service, "gateway", c.id.Gateway, "instance", c.instance, "life", life.String())
		return renewalAnswer{token}, nil
	}
	return nil, fmt.Errorf("%w: the token no longer holds", ErrRefused)
}

// renewLoop has the gateway's token renewed when half of the life that was left when it was first seen is over. It ends for
// other credentials.
func (r *clientRun) renewLoop(ctx context.Context) {
	current, since, life := "", time.Time{}, time.Duration(0)
	for {
		text, err := r.Token(ctx)
		if err != nil {
			if !pause(ctx, renewalRetry) {
				return
			}
			continue
		}
		token, err := auth.ParseGatewayToken(text)
		if err != nil {
			return
		}
		now := r.now()
		if text != current {
			current, since, life = text, now, token.Expiry.Sub(now)
		}
		if wait := since.Add(life / 2).Sub(now); wait > 0 || life <= 0 {
			// The wall clock may be set, and the owner may have another token.
			if !pause(ctx, min(max(wait, time.Second), renewalRetry)) {
				return
			}
			continue
		}
		if err := r.renewToken(ctx, life); err != nil && !pause(ctx, renewalRetry) {
			return
		}
	}
}

// renewToken asks for a token, hands it to the owner and connects with it.
func (r *clientRun) renewToken(ctx context.Context, life time.Duration) error {
	var answer renewalAnswer
	if err := r.Request(ctx, requestRenewal, renewalRequest{int64(max(life, time.Hour) / time.Second)}, &answer); err != nil {
		return err
	}
	token, err := auth.ParseGatewayToken(answer.Token)
	if err != nil {
		return fmt.Errorf("renew the gateway token: %w", err)
	}
	r.Renewed(answer.Token, token.Expiry)
	r.Reconnect()
	return nil
}

// pause waits, and reports false when ctx ended meanwhile.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// errAgain ends a connection that is made anew at once.
var errAgain = errors.New("connecting again")

// current is the connection that Reconnect ends.
type current struct {
	mu  sync.Mutex
	end func()
}

func (c *current) set(end func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.end = end
}

// Reconnect ends the connection, if there is one, and connects at once with what Token returns now. What is held is kept.
func (c *Client) Reconnect() {
	c.current.mu.Lock()
	defer c.current.mu.Unlock()
	if c.current.end != nil {
		c.current.end()
	}
}
