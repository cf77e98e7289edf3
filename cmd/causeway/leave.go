package main

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/causeway-apim/causeway/internal/gateway"
	"github.com/causeway-apim/causeway/internal/telemetry"
)

// drainDelaySetting is for how long a gateway goes on as before when it is told to end, but for its health: load balancers, and the Services of
// Kubernetes, learn of the end only then, and send new connections until they know.
const drainDelaySetting = "net.server.drain-delay"

// kubernetesDelay is what it is by itself in Kubernetes, which tells a pod of its end at the same time as everybody else.
const kubernetesDelay = 5 * time.Second

// readDrainDelay reads the setting: a time, or auto.
func readDrainDelay(s *settings, getenv func(string) string) (time.Duration, error) {
	text := s.text(drainDelaySetting)
	if text != "" && !strings.EqualFold(text, "auto") {
		d, err := parseTimeSpan(text)
		if err != nil || d < 0 {
			return 0, usageError("setting %s (%s) is %q; it must be a time such as 00:00:05 or 5s, or auto", drainDelaySetting, s.values[drainDelaySetting].origin, text)
		}
		return d, nil
	}
	if getenv("KUBERNETES_SERVICE_HOST") != "" {
		return kubernetesDelay, nil
	}
	return 0, nil
}

// endLater returns a context that ends a while after ctx. Meanwhile the gateway, which may be nil, says that it leaves. The function that it returns too
// frees what it uses.
func endLater(ctx context.Context, while time.Duration, g *gateway.Gateway, log *slog.Logger) (context.Context, context.CancelFunc) {
	if while <= 0 || g == nil {
		return ctx, func() {}
	}
	later, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		g.Leave()
		log.Info(fmt.Sprintf("The gateway ends in %v: it serves until then, while its health tells load balancers to go elsewhere.", while), telemetry.EventKey, "Leaving")
		timer := time.NewTimer(while)
		defer timer.Stop()
		select {
		case <-timer.C:
			cancel()
		case <-later.Done():
		}
	})
	return later, func() {
		stop()
		cancel()
	}
}
