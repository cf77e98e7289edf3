//go:build linux

package soak

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// sample is what a process uses at a time.
type sample struct {
	goroutines int
	heap       int64 // live after a collection, in bytes
	anonymous  int64 // resident memory without files, in bytes
}

// measure asks a process. It collects garbage first, so that what is left is in use.
func measure(pid int, profiles string) (s sample, err error) {
	heap, err := profile(profiles, "heap?gc=1&debug=1")
	if err != nil {
		return s, err
	}
	goroutines, err := profile(profiles, "goroutine?debug=1")
	if err != nil {
		return s, err
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return s, err
	}
	s.heap = number(heap, "# HeapAlloc = ")
	s.goroutines = int(number(goroutines, "goroutine profile: total "))
	s.anonymous = number(string(status), "RssAnon:") << 10
	return s, nil
}

// profile gets a profile as text.
func profile(profiles, name string) (string, error) {
	resp, err := http.Get(profiles + "/debug/pprof/" + name)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return string(text), err
}

// number is the one behind a word.
func number(text, word string) int64 {
	_, rest, _ := strings.Cut(text, word)
	rest = strings.TrimLeft(rest, " \t")
	end := strings.IndexFunc(rest, func(r rune) bool { return r < '0' || r > '9' })
	n, _ := strconv.ParseInt(rest[:max(end, 0)], 10, 64)
	return n
}

// meter takes samples of a process while the load is on.
type meter struct {
	pid      int
	profiles string
	samples  []sample
	ended    sync.WaitGroup
}

func (m *meter) run(ctx context.Context, t *testing.T, every time.Duration) {
	m.ended.Go(func() {
		for pause(ctx, every); ctx.Err() == nil; pause(ctx, every) {
			s, err := measure(m.pid, m.profiles)
			if err != nil {
				t.Errorf("measuring: %v", err)
				return
			}
			m.samples = append(m.samples, s)
		}
	})
}

// middle is the mean of samples.
func middle(samples []sample) (m sample) {
	for _, s := range samples {
		m.goroutines += s.goroutines
		m.heap += s.heap
		m.anonymous += s.anonymous
	}
	n := max(len(samples), 1)
	return sample{m.goroutines / n, m.heap / int64(n), m.anonymous / int64(n)}
}

func (s sample) String() string {
	return fmt.Sprintf("%d goroutines, %.1f MB live heap, %.1f MB anonymous", s.goroutines, float64(s.heap)/1e6, float64(s.anonymous)/1e6)
}

// check compares the last third of a run with the one in its middle: the first one warms up.
func (m *meter) check(t *testing.T, strict bool) {
	m.ended.Wait()
	third := len(m.samples) / 3
	before, after := middle(m.samples[third:2*third]), middle(m.samples[2*third:])
	t.Logf("in the second third: %v", before)
	t.Logf("in the last third:   %v", after)
	if !strict {
		return
	}
	for what, grown := range map[string]bool{
		"goroutines": after.goroutines > before.goroutines*5/4+20,
		"heap":       after.heap > before.heap*6/5+4e6,
		"memory":     after.anonymous > before.anonymous*6/5+8e6,
	} {
		if grown {
			t.Errorf("%s: not flat", what)
		}
	}
}
