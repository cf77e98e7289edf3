package live

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/causeway-apim/causeway/internal/auth"
	"github.com/causeway-apim/causeway/internal/causewaytest"
	"github.com/causeway-apim/causeway/internal/configsync"
)

// TestClocksDiffer: the plane's clock alone decides whether a token holds. A gateway whose own clock is wrong is served, also when its token
// ended long ago by that clock. When the plane's jumps beyond the token's end, a running gateway serves on, and gets what it missed once the
// plane's is right again.
func TestClocksDiffer(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ ahead, life time.Duration }{
		"the gateway's is ahead, its token has ended":       {ahead: -time.Hour, life: 20 * time.Minute},
		"the gateway's is behind, its token is of tomorrow": {ahead: 24 * time.Hour, life: auth.MaxGatewayTokenLife},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newSystem(t)
			var ahead atomic.Int64 // by how much the plane's clock is ahead of the gateway's
			ahead.Store(int64(c.ahead))
			clock := func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
			server := &configsync.Server{Version: "1.0.0", Now: clock}
			p := newNearPlane(t, w, server)
			wire := newWire(t, p.url)
			made := clock()
			token, err := auth.NewGatewayToken("edge", nearKey, made.Add(c.life), made)
			if err != nil {
				t.Fatal(err)
			}
			w.edge = w.system.Start("edge", "config.service.endpoint="+wire.url(), "config.service.auth=GatewayKey "+token, "gateway")
			processes := []*causewaytest.Process{w.edge}
			w.waitFor(w.edge, 0, faultWait)
			calling := w.callers(t, func() error { _, err := w.get(w.edge); return err })
			p.change(1)
			w.waitFor(w.edge, 1, faultWait)
			if log := w.edge.Log(); strings.Contains(log, "refuses the token") {
				t.Errorf("the log says:\n%s", log)
			}

			ahead.Add(int64(c.life + time.Hour))
			wire.next <- wireCuts
			p.change(2)
			awaitLog(t, w.edge, "gateway token expired at")
			await(t, "the plane tells that the token has expired", processes, func() bool {
				for _, i := range server.Instances(nearService, "edge") {
					return i.Status == configsync.StatusTokenExpired
				}
				return false
			})
			calling.more(t, 20)
			if n, err := w.get(w.edge); n != 1 || err != nil {
				t.Errorf("it serves %d, %v", n, err)
			}
			if status := w.ready(w.edge); status != http.StatusOK {
				t.Errorf("readiness answers %d", status)
			}

			ahead.Store(int64(c.ahead))
			w.waitFor(w.edge, 2, faultWait)
			calling.more(t, 20)
		})
	}
}
