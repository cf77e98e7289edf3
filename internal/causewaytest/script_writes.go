package causewaytest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"
)

// writers is how many clients write at the same time in write-and-kill.
const writers = 4

// writeAndKill is `write-and-kill NAME N`: several clients create and change named values at $PLANE until N writes have
// been acknowledged; then the process is killed while they go on. check-writes compares afterwards.
func writeAndKill(s *session, ts *testscript.TestScript, neg bool, args []string) error {
	p, err := s.process(args)
	if err != nil || neg {
		return errors.Join(err, negated(neg))
	}
	if len(args) != 2 {
		return errors.New("usage: write-and-kill NAME N")
	}
	limit, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	w := writing{plane: ts.Getenv("PLANE"), service: ts.Getenv("SERVICE"), token: ts.Getenv("TOKEN"), acknowledged: map[string]string{}}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	enough := make(chan struct{})
	var once sync.Once
	var group sync.WaitGroup
	for id := range writers {
		group.Go(func() {
			w.run(ctx, id, func(count int) {
				if count >= limit {
					once.Do(func() { close(enough) })
				}
			})
		})
	}
	ended := make(chan struct{})
	go func() {
		group.Wait()
		close(ended)
	}()
	select {
	case <-enough:
	case <-ended:
		return fmt.Errorf("the writers gave up after %d writes: %w", len(w.acknowledged), w.failure)
	}
	p.Kill()
	<-ended
	s.written = w.acknowledged
	return nil
}

// writing is what the clients of write-and-kill share.
type writing struct {
	plane, service, token string

	mu           sync.Mutex
	count        int
	acknowledged map[string]string
	failure      error // the first one
}

// run writes until a write fails. Each client makes new documents and changes one of its own again and again; of that
// one the newest acknowledged value counts, or the one that was under way at the end.
func (w *writing) run(ctx context.Context, id int, acknowledged func(count int)) {
	for i := 0; ; i++ {
		for _, name := range []string{fmt.Sprintf("new-%d-%d", id, i), fmt.Sprintf("changing-%d", id)} {
			value := strconv.Itoa(i)
			if err := w.write(ctx, name, value); err != nil {
				w.mu.Lock()
				w.failure = errors.Join(w.failure, err)
				w.mu.Unlock()
				return
			}
			w.mu.Lock()
			w.count++
			w.acknowledged[name] = value
			count := w.count
			w.mu.Unlock()
			acknowledged(count)
		}
	}
}

func (w *writing) write(ctx context.Context, name, value string) error {
	body, err := json.Marshal(map[string]any{"properties": map[string]any{"displayName": name, "value": value}})
	if err != nil {
		return err
	}
	q := request{
		method: http.MethodPut, url: w.plane + armPath(w.service, "namedValues/"+name), body: string(body),
		header: []Field{{"Authorization", "Bearer " + w.token}, {"Content-Type", "application/json"}},
	}
	resp, err := q.send(ctx)
	if err != nil {
		return err
	}
	if resp.status >= 300 {
		return fmt.Errorf("PUT %s answers %d: %s", name, resp.status, resp.body)
	}
	return nil
}

// checkWrites is `check-writes`: every write that write-and-kill saw acknowledged is there. A document that was being
// changed when the process died may hold the next value instead.
func checkWrites(s *session, ts *testscript.TestScript, neg bool, _ []string) error {
	if neg {
		return errNegated
	}
	if len(s.written) == 0 {
		return errors.New("nothing has been written")
	}
	for _, name := range slices.Sorted(maps.Keys(s.written)) {
		want := s.written[name]
		q := request{
			method: http.MethodGet, url: ts.Getenv("PLANE") + armPath(ts.Getenv("SERVICE"), "namedValues/"+name),
			header: []Field{{"Authorization", "Bearer " + ts.Getenv("TOKEN")}},
		}
		resp, err := q.send(context.Background())
		if err != nil {
			return err
		}
		if resp.status != http.StatusOK {
			return fmt.Errorf("%s was acknowledged and is answered with %d: %s", name, resp.status, resp.body)
		}
		got, err := jsonAt(resp.body, "properties.value")
		if err != nil {
			return err
		}
		n, err := strconv.Atoi(want)
		if err != nil {
			return err
		}
		underWay := strings.HasPrefix(name, "changing-") && got == strconv.Itoa(n+1)
		if got != want && !underWay {
			return fmt.Errorf("%s is %q, acknowledged was %q", name, got, want)
		}
	}
	fmt.Fprintf(&s.stdout, "%d writes are there\n", len(s.written))
	return nil
}
