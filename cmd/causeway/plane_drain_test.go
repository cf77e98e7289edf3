package main

import (
	"log/slog"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/causeway-apim/causeway/internal/store"
)

// TestManagedDrainTime checks that the managed gateway's requests may take as long as the environment says when the process ends.
func TestManagedDrainTime(t *testing.T) {
	t.Setenv("net.server.drain-time", "00:02:00")
	for withGateway, want := range map[bool]time.Duration{true: 2 * time.Minute, false: drainTime} {
		url := func(string) string { return "http://plane.test" }
		p, err := openPlane(t.Context(), planeOptions{
			log: slog.New(slog.DiscardHandler), databaseURL: "sqlite://:memory:", keyring: store.NewKeyring([32]byte{1}), identity: identityOptions{secret: "s"},
			gatewayURL: url, managementURL: url, handlers: map[string]http.Handler{},
			countersDir: filepath.Join(t.TempDir(), "counters"), withGateway: withGateway,
		})
		if err != nil {
			t.Fatal(err)
		}
		if p.gateway != nil {
			p.gateway.Close()
		}
		if p.drainTime != want {
			t.Errorf("gateway %t: %v, want %v", withGateway, p.drainTime, want)
		}
		if err := p.store.Close(); err != nil {
			t.Error(err)
		}
	}
}
