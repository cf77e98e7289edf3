// Package live tests changes of the configuration while two processes serve requests: a management plane with its
// embedded gateway, and a self-hosted gateway.
package live

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/causeway-apim/causeway/internal/causewaytest"
)

// world is a plane, a gateway and a backend service with one API between them.
type world struct {
	tb      testing.TB
	system  *causewaytest.System
	backend *causewaytest.Backend
	plane   *causewaytest.Process
	edge    *causewaytest.Process
	clients *http.Client
}

// newWorld starts everything and waits until the gateway serves the API.
func newWorld(tb testing.TB) *world {
	tb.Helper()
	w := newPlane(tb)
	w.change(0)
	w.edge = w.gateway("edge")
	w.waitFor(w.edge, 0, faultWait)
	return w
}

// newPlane starts a plane and a backend service, and makes the API.
func newPlane(tb testing.TB) *world {
	tb.Helper()
	w := newSystem(tb)
	w.plane = w.system.Start("plane", "dev", "--empty")
	w.declare()
	return w
}

// newSystem starts a backend service.
func newSystem(tb testing.TB) *world {
	tb.Helper()
	w := &world{tb: tb, system: causewaytest.NewSystem(tb), backend: causewaytest.NewBackend(tb), clients: &http.Client{
		Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 64},
	}}
	tb.Cleanup(w.clients.CloseIdleConnections)
	return w
}

// declare makes the API and the gateway at the plane.
func (w *world) declare() {
	w.tb.Helper()
	w.put("apis/live", map[string]any{
		"displayName": "Live", "path": "live", "protocols": []string{"http", "https"}, "serviceUrl": w.backend.URL(), "subscriptionRequired": false,
	})
	w.put("apis/live/operations/get", map[string]any{"displayName": "Get", "method": "GET", "urlTemplate": "/get"})
	w.put("gateways/edge", map[string]any{"locationData": map[string]any{"name": "here"}})
	w.put("gateways/edge/apis/live", nil)
}

// gateway starts a process of the gateway edge with further settings.
func (w *world) gateway(name string, settings ...string) *causewaytest.Process {
	w.tb.Helper()
	return w.gatewayWith(name, settings, "gateway")
}

// gatewayWith does so with a command line.
func (w *world) gatewayWith(name string, settings []string, command ...string) *causewaytest.Process {
	w.tb.Helper()
	settings = append(settings, "config.service.endpoint="+w.plane.Listen["management"], "config.service.auth=GatewayKey "+w.token("primary"))
	return w.system.Start(name, append(settings, command...)...)
}

// token makes a token of one of the gateway's keys.
func (w *world) token(key string) string {
	w.tb.Helper()
	expiry := time.Now().UTC().Add(24 * time.Hour).Format(time.RFC3339)
	var token struct{ Value string }
	answer := w.system.ARM(w.plane, http.MethodPost, "gateways/edge/generateToken", `{"keyType":"`+key+`","expiry":"`+expiry+`"}`)
	if err := json.Unmarshal([]byte(answer), &token); err != nil {
		w.tb.Fatalf("reading the token: %v", err)
	}
	return token.Value
}

func (w *world) put(path string, properties map[string]any) {
	w.tb.Helper()
	body := map[string]any{}
	if properties != nil {
		body["properties"] = properties
	}
	text, err := json.Marshal(body)
	if err != nil {
		w.tb.Fatal(err)
	}
	w.system.ARM(w.plane, http.MethodPut, path, string(text))
}

// change makes the API's policy say n.
func (w *world) change(n int) {
	w.tb.Helper()
	w.changeWith(n, "")
}

// changeWith does so with statements in inbound.
func (w *world) changeWith(n int, statements string) {
	w.tb.Helper()
	w.put("apis/live/policies/policy", map[string]any{"format": "rawxml", "value": fmt.Sprintf(`<policies>
<inbound><base />%s</inbound>
<backend><base /></backend>
<outbound><base /><set-header name="X-Change" exists-action="override"><value>%d</value></set-header></outbound>
<on-error><base /></on-error>
</policies>`, statements, n)})
}

// get calls the API at a gateway and returns what its policy says.
func (w *world) get(gateway *causewaytest.Process) (int, error) {
	resp, err := w.clients.Get(gateway.Listen["gateway"] + "/live/get")
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, err
	}
	if resp.StatusCode != http.StatusOK || string(body) != "backend" {
		return 0, fmt.Errorf("status %d: %s", resp.StatusCode, body)
	}
	return strconv.Atoi(resp.Header.Get("X-Change"))
}

// waitFor asks a gateway until its policy says n.
func (w *world) waitFor(gateway *causewaytest.Process, n int, limit time.Duration) {
	w.tb.Helper()
	for deadline := time.Now().Add(limit); ; {
		got, err := w.get(gateway)
		if err == nil && got == n {
			return
		}
		if time.Now().After(deadline) {
			w.tb.Fatalf("after %v %s says %d (error %v), want %d; its log:\n%s", limit, gateway.Name, got, err, n, gateway.Log())
		}
	}
}

// TestNoRequestFailsWhileTheConfigurationChanges changes a policy a hundred times under load at both gateways. No
// request fails, and no client sees a configuration older than one it has seen.
func TestNoRequestFailsWhileTheConfigurationChanges(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const changes, clients = 100, 3
	var stop atomic.Bool
	var requests atomic.Int64
	var group sync.WaitGroup
	for _, gateway := range []*causewaytest.Process{w.plane, w.edge} {
		for range clients {
			group.Go(func() {
				last := 0
				for !stop.Load() {
					n, err := w.get(gateway)
					if err != nil {
						t.Errorf("%s, after change %d: %v", gateway.Name, last, err)
						return
					}
					if n < last {
						t.Errorf("%s went back from change %d to %d", gateway.Name, last, n)
						return
					}
					last = n
					requests.Add(1)
				}
			})
		}
	}
	for n := 1; n <= changes; n++ {
		w.change(n)
		// In dev a write is visible at the embedded gateway before its response is sent.
		if got, err := w.get(w.plane); err != nil || got != n {
			t.Errorf("after the response to change %d the embedded gateway says %d, %v", n, got, err)
		}
	}
	w.waitFor(w.edge, changes, faultWait)
	stop.Store(true)
	group.Wait()
	t.Logf("%d requests during %d changes", requests.Load(), changes)
}

// BenchmarkChangeIsLive measures from the moment a policy is sent to the management plane until a request at the
// self-hosted gateway, a second process, shows it.
func BenchmarkChangeIsLive(b *testing.B) {
	w := newWorld(b)
	var times []time.Duration
	n := 0
	for b.Loop() {
		n++
		start := time.Now()
		w.change(n)
		w.waitFor(w.edge, n, faultWait)
		times = append(times, time.Since(start))
	}
	slices.Sort(times)
	b.ReportMetric(float64(times[len(times)/2].Microseconds())/1000, "ms-median")
	b.ReportMetric(float64(times[len(times)-1].Microseconds())/1000, "ms-max")
}
