package http1_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/causeway-apim/causeway/internal/gateway/http1"
	"github.com/causeway-apim/causeway/internal/message"
)

// moody is a body of a repeated line that may break or be slow.
type moody struct {
	line    string
	left    int
	breakAt int // lines left when it breaks; -1: never
}

// chaosLines make bodies that are long enough for all ways to send them.
const chaosLines = 200

var errMoody = errors.New("broken on purpose")

func (b *moody) Read(p []byte) (int, error) {
	switch {
	case b.left == b.breakAt:
		return 0, errMoody
	case b.left == 0:
		return 0, io.EOF
	}
	b.left--
	return copy(p, b.line), nil
}

func (b *moody) Close() error { return nil }

// TestChaos sends requests through both sides of the engine while clients leave, bodies break and backend services answer early, and checks that
// every answer that looks complete is the right one. With the race detector it also finds memory that is used too long.
func TestChaos(t *testing.T) {
	t.Parallel()
	const workers, requests = 8, 80
	origin := target(t, startServer(t, &http1.Server{Handler: message.HandlerFunc(func(x message.Exchange) {
		r := x.Request()
		name, mood := r.Header.Get("X-Name"), r.Header.Get("X-Mood")
		if mood != "early" && r.Body != nil {
			if _, err := message.ReadAll(r.Body, 10<<20, -1); err != nil {
				return
			}
		}
		body := &moody{line: name + strings.Repeat(".", 500) + "\n", left: chaosLines, breakAt: -1}
		resp := &message.Response{Status: 200, Body: body, ContentLength: -1}
		switch mood {
		case "fixed":
			resp.ContentLength = int64(len(body.line) * body.left)
		case "broken":
			body.breakAt = chaosLines / 2
		case "cut":
			resp.ContentLength = int64(len(body.line) * body.left)
			body.breakAt = chaosLines / 2
		}
		resp.Header.Add("X-Name", name)
		_ = x.Respond(resp)
	})}))
	var mu sync.Mutex
	finished := map[string]int{}
	onward := &proxy{origin, newClient(t)}
	front := target(t, startServer(t, &http1.Server{Handler: message.HandlerFunc(func(x message.Exchange) {
		name := strings.Clone(x.Request().Header.Get("X-Name"))
		x.OnFinish(func(message.Result) {
			mu.Lock()
			defer mu.Unlock()
			finished[name]++
			if now := x.Request().Header.Get("X-Name"); now != name {
				t.Errorf("strings of %q became %q before the finish", name, now)
			}
		})
		onward.Serve(x)
	})}))
	client := newClient(t)
	var all sync.WaitGroup
	for worker := range workers {
		all.Go(func() {
			random := rand.New(rand.NewPCG(1, uint64(worker)))
			for i := range requests {
				if err := chaoticRequest(t.Context(), client, front, random, fmt.Sprintf("%d-%d", worker, i)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	mu.Lock()
	defer mu.Unlock()
	for name, n := range finished {
		if n != 1 {
			t.Errorf("%s finished %d times", name, n)
		}
	}
}

// chaoticRequest sends one request of some mood. Failures of the kind that the mood provokes are fine, wrong answers are not.
func chaoticRequest(ctx context.Context, client *http1.Client, to message.URL, random *rand.Rand, name string) error {
	mood := []string{"fixed", "chunked", "broken", "cut", "early", "leave"}[random.IntN(6)]
	to.Path = "/"
	r := &message.Request{Method: "GET", URL: to, Header: message.NewHeader("X-Name", name, "X-Mood", mood)}
	if random.IntN(2) == 0 {
		lines := random.IntN(200) * (1 + 9*random.IntN(2))
		r.Method, r.Body, r.ContentLength = "PUT", &moody{line: strings.Repeat("r", 128), left: lines, breakAt: -1}, -1
		if random.IntN(2) == 0 {
			r.ContentLength = int64(128 * lines)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if mood == "leave" {
		timer := time.AfterFunc(time.Duration(random.IntN(3000))*time.Microsecond, cancel)
		defer timer.Stop()
	}
	resp, err := client.RoundTrip(ctx, r, message.TransportOptions{})
	if err != nil {
		return expected(mood, name, err)
	}
	defer resp.Release()
	if resp.Status == 502 && mood == "early" {
		return nil // the backend service stopped reading
	}
	if got := resp.Header.Get("X-Name"); resp.Status != 200 || got != name {
		return fmt.Errorf("%s (%s): status %d, answer of %q", name, mood, resp.Status, got)
	}
	data, err := message.ReadAll(resp.Body, 1<<20, -1)
	if err != nil {
		return expected(mood, name, err)
	}
	if mood == "broken" || mood == "cut" || string(data) != strings.Repeat(name+strings.Repeat(".", 500)+"\n", chaosLines) {
		return fmt.Errorf("%s (%s): wrong answer of %d bytes taken for whole", name, mood, len(data))
	}
	return nil
}

// expected says whether a request of the mood may fail so.
func expected(mood, name string, err error) error {
	var failure *message.BackendError
	if errors.As(err, &failure) {
		switch {
		case mood == "leave" && failure.Kind == message.BackendCanceled,
			(mood == "broken" || mood == "cut" || mood == "early") && failure.Kind == message.BackendAborted:
			return nil
		}
	}
	return fmt.Errorf("%s (%s): %w", name, mood, err)
}
