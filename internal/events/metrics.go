package events

import (
	"fmt"
	"io"
	"sync/atomic"
)

// metrics count deliveries since the start of the process.
type metrics struct {
	delivered, failed, dead, dropped, lost atomic.Int64
}

// WriteMetrics writes the broker's counters in Prometheus' text format.
func (b *Broker) WriteMetrics(w io.Writer) {
	const deliveries = "causeway_events_deliveries_total"
	fmt.Fprintf(w, "# HELP %s Events by what became of them: delivered, attempt_failed, dead_lettered, dropped.\n# TYPE %s counter\n", deliveries, deliveries)
	for _, c := range []struct {
		name string
		n    *atomic.Int64
	}{{"delivered", &b.metrics.delivered}, {"attempt_failed", &b.metrics.failed}, {"dead_lettered", &b.metrics.dead}, {"dropped", &b.metrics.dropped}} {
		fmt.Fprintf(w, "%s{result=%q} %d\n", deliveries, c.name, c.n.Load())
	}
	const lost = "causeway_events_gaps_total"
	fmt.Fprintf(w, "# HELP %s How often the change log did not reach back to where it was read.\n# TYPE %s counter\n%s %d\n", lost, lost, lost, b.metrics.lost.Load())
	waiting := 0
	b.mu.Lock()
	for _, q := range b.queues {
		waiting += len(q.items)
	}
	b.mu.Unlock()
	const queued = "causeway_events_waiting"
	fmt.Fprintf(w, "# HELP %s Deliveries that wait, at the replica that delivers.\n# TYPE %s gauge\n%s %d\n", queued, queued, queued, waiting)
}
