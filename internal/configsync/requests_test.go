package configsync

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestRequests asks the plane side by side and loses the connection in between.
func TestRequests(t *testing.T) {
	t.Parallel()
	p := newPlane(t)
	s := serve(t, p)
	s.Request = func(ctx context.Context, from Identity, name string, payload json.RawMessage) (any, error) {
		switch name {
		case "double":
			var n int
			if err := json.Unmarshal(payload, &n); err != nil {
				return nil, err
			}
			return 2 * n, nil
		case "never":
			<-ctx.Done()
			return nil, context.Cause(ctx)
		case "busy":
			return nil, errors.New("come back later")
		}
		return nil, fmt.Errorf("%s asks for %s: %w", from.Gateway, name, ErrRefused)
	}
	g := newGateway(t, s.url, p.token(time.Now().Add(time.Hour), time.Now()), nil)
	if err := g.Request(t.Context(), "double", 1, new(int)); !errors.Is(err, errNotConnected) {
		t.Errorf("without a connection: %v", err)
	}
	g.start()
	g.status("connected", func(s Status) bool { return s.State == StateConnected })

	var all sync.WaitGroup
	for i := range 50 {
		all.Go(func() {
			var got int
			if err := g.Request(t.Context(), "double", i, &got); err != nil || got != 2*i {
				t.Errorf("%d became %d, %v", i, got, err)
			}
		})
	}
	all.Wait()
	if err := g.Request(t.Context(), "nothing", nil, nil); !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "edge asks for nothing") {
		t.Errorf("a refusal: %v", err)
	}
	if err := g.Request(t.Context(), "busy", nil, nil); err == nil || errors.Is(err, ErrRefused) || err.Error() != "come back later" {
		t.Errorf("a failure: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := g.Request(ctx, "never", nil, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("a caller who leaves: %v", err)
	}
	lost := make(chan error, 1)
	go func() { lost <- g.Request(t.Context(), "never", nil, nil) }()
	for _, c := range s.hub(testService, "edge").connections() {
		c.end(endGoingAway)
	}
	if err := <-lost; !errors.Is(err, errNotConnected) {
		t.Errorf("a lost connection: %v", err)
	}
}
