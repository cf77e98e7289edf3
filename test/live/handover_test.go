//go:build unix

package live

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/causeway-apim/causeway/internal/causewaytest"
)

// TestNoRequestFailsDuringAHandOver has two processes follow the first one on its sockets while clients call over HTTP and HTTPS, on connections that
// they keep and on new ones, and while the configuration changes.
func TestNoRequestFailsDuringAHandOver(t *testing.T) {
	t.Parallel()
	w := newPlane(t)
	w.change(0)
	w.edge = w.gatewayWith("edge", nil, "gateway", "--gateway-tls-listen", "127.0.0.1:0")
	w.waitFor(w.edge, 0, 30*time.Second)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var requests, resumed atomic.Int64
	var group sync.WaitGroup
	sessions := tls.NewLRUClientSessionCache(100)
	for _, listener := range []string{"gateway", "gateway-tls"} {
		for _, fresh := range []bool{false, true} {
			transport := &http.Transport{
				MaxIdleConnsPerHost: 4, DisableKeepAlives: fresh, TLSClientConfig: &tls.Config{InsecureSkipVerify: true, ClientSessionCache: sessions}, // it made its certificate itself
			}
			t.Cleanup(transport.CloseIdleConnections)
			client := &http.Client{Transport: transport, Timeout: 30 * time.Second}
			for range 2 {
				group.Go(func() {
					for ctx.Err() == nil {
						if err := call(client, w.edge.Listen[listener]+"/live/get", &resumed); err != nil {
							t.Errorf("%s, new connections %v, after %d requests: %v", listener, fresh, requests.Load(), err)
							stop()
							return
						}
						requests.Add(1)
					}
				})
			}
		}
	}
	pid := w.edge.PID()
	t.Cleanup(func() { _ = syscall.Kill(pid, syscall.SIGTERM) }) // of the last one: the harness knows the first only
	for round := 1; round <= 2 && ctx.Err() == nil; round++ {
		old := pid
		if err := syscall.Kill(old, syscall.SIGUSR2); err != nil {
			t.Fatal(err)
		}
		w.change(round)
		pid = w.successor(t, round)
		waitUntil(t, w, "the old process ends", func() bool { return causewaytest.Ended(old) })
		before := requests.Load()
		waitUntil(t, w, "the new process answers", func() bool { return requests.Load() > before+100 || ctx.Err() != nil })
		w.waitFor(w.edge, round, 30*time.Second)
	}
	stop()
	group.Wait()
	if resumed.Load() == 0 {
		t.Error("no TLS session was resumed")
	}
	t.Logf("%d requests, %d over resumed sessions", requests.Load(), resumed.Load())
}

// call makes one request.
func call(client *http.Client, url string, resumed *atomic.Int64) error {
	resp, err := client.Get(url)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && (resp.StatusCode != http.StatusOK || string(body) != "backend") {
		err = fmt.Errorf("status %d: %s", resp.StatusCode, body)
	}
	if resp.TLS != nil && resp.TLS.DidResume {
		resumed.Add(1)
	}
	return err
}

var successorLine = regexp.MustCompile(`Another process takes over\..*pid"?[=:] ?"?(\d+)`)

// successor waits for the line of the log that names the process of the nth hand-over.
func (w *world) successor(t *testing.T, n int) (pid int) {
	t.Helper()
	waitUntil(t, w, "a hand-over begins", func() bool {
		found := successorLine.FindAllStringSubmatch(w.edge.Log(), -1)
		if len(found) < n {
			return false
		}
		pid, _ = strconv.Atoi(found[n-1][1])
		return true
	})
	return pid
}

func waitUntil(t *testing.T, w *world, what string, done func() bool) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(2 * time.Minute); !done(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not in time; the log:\n%s", what, w.edge.Log())
		}
	}
}
