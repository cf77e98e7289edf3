package live

import (
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/causeway-apim/causeway/internal/causewaytest"
)

// freePort is a UDP port of this machine that nobody uses.
func freePort(tb testing.TB) int {
	tb.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	defer conn.Close()
	return conn.LocalAddr().(*net.UDPAddr).Port
}

// neighbours starts two gateways that count together by UDP, and waits until they have heard of each other.
func (w *world) neighbours() (one, two *causewaytest.Process) {
	w.tb.Helper()
	ports := []int{freePort(w.tb), freePort(w.tb)}
	list := make([]*causewaytest.Process, 2)
	for i := range list {
		list[i] = w.gateway([]string{"one", "two"}[i],
			fmt.Sprintf("neighborhood.host=127.0.0.1:%d,127.0.0.1:%d", ports[0], ports[1]),
			fmt.Sprintf("policy.rate-limit.sync.port=%d", ports[i]), fmt.Sprintf("neighborhood.heartbeat.port=%d", freePort(w.tb)))
	}
	for _, g := range list {
		w.waitFor(g, 1, 30*time.Second)
		for deadline := time.Now().Add(30 * time.Second); !strings.Contains(g.Log(), "others: 1"); time.Sleep(10 * time.Millisecond) {
			if time.Now().After(deadline) {
				w.tb.Fatalf("the gateways do not hear of each other:\n%s", g.Log())
			}
		}
	}
	return list[0], list[1]
}

// TestNeighboursCountTogether: what one gateway has admitted is soon missing at the other, which counts for itself otherwise.
func TestNeighboursCountTogether(t *testing.T) {
	t.Parallel()
	w := newPlane(t)
	w.changeWith(1, hundredCalls)
	one, two := w.neighbours()
	for i := range 100 {
		if status := w.status(one, "key"); status != http.StatusOK {
			t.Fatalf("call %d: status %d", i, status)
		}
	}
	admitted := 0
	for w.status(two, "key") == http.StatusOK && admitted < 100 {
		admitted++
		time.Sleep(time.Duration(admitted) * 10 * time.Millisecond) // what is not heard of yet would be admitted at any pace
	}
	if admitted > 50 {
		t.Errorf("the other gateway admitted %d calls more", admitted)
	}
}

// BenchmarkNeighbours measures by how much two gateways that count together by UDP overshoot a limit of a thousand calls a
// minute when 64 clients make two thousand at once, which is the hardest case: the limit is used up within a fraction of a second.
func BenchmarkNeighbours(b *testing.B) {
	w := newPlane(b)
	w.changeWith(1, strings.Replace(strings.Replace(hundredCalls, `calls="100"`, `calls="1000"`, 1), `renewal-period="300"`, `renewal-period="60"`, 1))
	one, two := w.neighbours()
	gateways := []*causewaytest.Process{one, two}
	total, worst, rounds := 0.0, 0.0, 0
	for b.Loop() {
		key := fmt.Sprintf("round-%d-%d", b.N, rounds)
		var admitted atomic.Int64
		var clients sync.WaitGroup
		for i := range 64 {
			clients.Go(func() {
				for n := i; n < 2000; n += 64 {
					if w.status(gateways[n%2], key) == http.StatusOK {
						admitted.Add(1)
					}
				}
			})
		}
		clients.Wait()
		over := float64(admitted.Load() - 1000)
		if over < 0 {
			b.Fatalf("only %d calls were admitted", admitted.Load())
		}
		total, worst, rounds = total+over, max(worst, over), rounds+1
	}
	b.ReportMetric(total/float64(rounds), "over/round")
	b.ReportMetric(worst, "worst")
}
