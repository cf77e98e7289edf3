package configsync

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// TestTokenIsRenewed: a gateway stays connected beyond its token's expiry, and a regenerated key ends renewed tokens too.
func TestTokenIsRenewed(t *testing.T) {
	t.Parallel()
	inBubble(t, 24*time.Hour, func(t *testing.T, c *clocked) {
		var mu sync.Mutex
		token, renewals := c.plane.token(time.Now().Add(2*time.Hour), time.Now()), 0
		g := newGateway(t, "http://plane", "", nil)
		g.Instance, g.Dial = "renewing", c.gateway.Dial
		g.Token = func(context.Context) (string, error) {
			mu.Lock()
			defer mu.Unlock()
			return token, nil
		}
		g.Renewed = func(text string, expiry time.Time) {
			mu.Lock()
			defer mu.Unlock()
			if left := time.Until(expiry); left > 2*time.Hour || left < 2*time.Hour-time.Minute {
				t.Errorf("the new token lives for %v", left)
			}
			token, renewals = text, renewals+1
		}
		defer g.start().stop()
		count := func() int {
			mu.Lock()
			defer mu.Unlock()
			return renewals
		}
		c.pass(50 * time.Minute)
		if n := count(); n != 0 {
			t.Errorf("%d renewals before half of the life", n)
		}
		c.pass(9 * time.Hour)
		if n := count(); n < 8 || n > 10 {
			t.Errorf("%d renewals in ten hours of tokens for two", n)
		}
		instance := func() Instance {
			for _, i := range c.server.Instances(testService, "edge") {
				if i.ID == "renewing" {
					return i
				}
			}
			return Instance{}
		}
		if i := instance(); i.Status != StatusOK || i.TokenExpiry == nil || time.Until(*i.TokenExpiry) <= 0 {
			t.Errorf("after ten hours: %+v", i)
		}
		states := map[State]bool{}
		for len(g.statuses) > 0 {
			states[(<-g.statuses).State] = true
		}
		if states[StateWaiting] || states[StateTokenExpired] {
			t.Errorf("the connection was missed: %v", states)
		}
		c.plane.mu.Lock()
		c.plane.keys[0].Primary = "another"
		c.plane.mu.Unlock()
		if err := c.server.Recheck(t.Context(), testService, "edge"); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		before := count()
		c.pass(3 * time.Hour)
		if i := instance(); i.Status == StatusOK || count() != before {
			t.Errorf("after the key was regenerated: %+v", i)
		}
	})
}

func TestRenewalIsRefused(t *testing.T) {
	t.Parallel()
	inBubble(t, time.Hour, func(t *testing.T, c *clocked) {
		var out renewalAnswer
		for _, payload := range []any{renewalRequest{}, renewalRequest{Life: -5}, "text"} {
			if err := c.gateway.Request(t.Context(), requestRenewal, payload, &out); !errors.Is(err, ErrRefused) {
				t.Errorf("%v: %v, %+v", payload, err, out)
			}
		}
		// Not for longer than a token may live.
		if err := c.gateway.Request(t.Context(), requestRenewal, renewalRequest{Life: 1 << 60}, &out); err != nil {
			t.Error(err)
		}
	})
}
