package configsync

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
)

// TestAdmit: a second instance is refused while the first is connected, and comes in when that has gone; the first may
// come back at any time.
func TestAdmit(t *testing.T) {
	t.Parallel()
	inBubble(t, 24*time.Hour, func(t *testing.T, c *clocked) {
		c.server.Admit = func(_ context.Context, id Identity, others int) error {
			if id.Gateway != "edge" || id.Service != testService {
				t.Errorf("asked about %+v", id)
			}
			if others > 0 {
				return errors.New("one instance only")
			}
			return nil
		}
		second := newGateway(t, "http://plane", "", nil)
		second.Instance, second.Dial, second.Token = "second", c.gateway.Dial, c.gateway.Token
		second.start()
		c.pass(time.Minute)
		refused := false
		for len(second.statuses) > 0 {
			st := <-second.statuses
			refused = refused || st.State == StateWaiting && strings.Contains(st.Reason, "one instance only")
		}
		if len(second.applies) > 0 || !refused {
			t.Errorf("the second instance got %d configurations, refused: %v", len(second.applies), refused)
		}
		c.gateway.Reconnect()
		c.pass(time.Second)
		if i := c.instance(); i.Status != StatusOK {
			t.Errorf("the first after it came back: %+v", i)
		}
		c.stop()
		c.pass(time.Minute)
		if len(second.applies) != 1 {
			t.Errorf("the second instance got %d configurations after the first had gone", len(second.applies))
		}
		second.stop()
	})
}
