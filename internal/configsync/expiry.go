package configsync

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// expiryWarning is the least time before its expiry at which a token is said
// to expire; a seventh of its life when that is more.
const expiryWarning = 5 * time.Minute

// expiryWatch knows when a connection's credential comes to its end.
type expiryWatch struct {
	at   time.Time // zero: never
	warn time.Time
	told bool
}

// newExpiryWatch takes the token's expiry and since when it is known.
func newExpiryWatch(since, at time.Time) expiryWatch {
	if at.IsZero() {
		return expiryWatch{}
	}
	return expiryWatch{at: at, warn: at.Add(-max(expiryWarning, at.Sub(since)/7))}
}

// soon reports whether to warn of the expiry.
func (w *expiryWatch) soon(now time.Time) bool { return !w.at.IsZero() && !now.Before(w.warn) }

func (w *expiryWatch) message() string {
	return "the gateway token expires at " + w.at.UTC().Format(time.RFC3339)
}

// wait is the time to the next check. It is bounded because the wall clock may
// be set.
func (w *expiryWatch) wait(now time.Time) time.Duration {
	next := w.warn
	if w.told {
		next = w.at
	}
	if w.at.IsZero() {
		return time.Hour
	}
	return max(0, min(next.Sub(now), heartbeatPeriod))
}

// checkExpiry warns the gateway once, and ends its connection when the token
// has expired.
func (c *serverConn) checkExpiry(ctx context.Context) error {
	now, w := c.server.now(), &c.expiry
	if !w.soon(now) {
		return nil
	}
	if !now.Before(w.at) {
		c.end(ending{closeTokenExpired, CommandTokenExpired, StatusTokenExpired,
			"the gateway token expired at " + w.at.UTC().Format(time.RFC3339)})
		return nil
	}
	if w.told {
		return nil
	}
	w.told = true
	payload, err := json.Marshal(map[string]time.Time{"expiry": w.at})
	if err != nil {
		return fmt.Errorf("encode expiry: %w", err)
	}
	c.hub.noteState(c.instance, func(st *instanceState) {
		if st.conn == c && st.Status == StatusOK {
			st.Status, st.Message = StatusTokenExpiring, w.message()
		}
	})
	return c.writeMessage(ctx, message{Type: typeCommand, Name: CommandTokenExpiring, Payload: payload})
}
