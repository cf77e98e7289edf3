package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/causeway-apim/causeway/internal/counters"
	"github.com/causeway-apim/causeway/internal/gateway"
	"github.com/causeway-apim/causeway/internal/policy"
	"github.com/causeway-apim/causeway/internal/telemetry"
)

// portPause is how long a port that cannot be opened is left alone.
const portPause = time.Second

// counting is what a gateway counts with in its process: the memory, the journal that keeps quotas over restarts, and what
// keeps it together with the other instances.
type counting struct {
	memory  *counters.Memory
	journal *counters.Journal // nil without a folder
	peers   *counters.Peers   // nil without others
	ports   [2]int            // of peers: for counts, for signs of life
	log     *slog.Logger
}

// openCounting loads the counters that a folder holds; none for "". A gateway serves also without its journal.
func openCounting(folder string, log *slog.Logger) *counting {
	c := &counting{memory: counters.NewMemory(time.Now), log: log}
	if folder == "" {
		return c
	}
	var err error
	if c.journal, err = counters.OpenJournal(c.memory, folder); err != nil {
		c.journal = nil
		c.reportJournal(err)
	}
	return c
}

func (c *counting) reportJournal(err error) {
	if err != nil {
		c.log.Error("Quotas are not kept over restarts.", telemetry.EventKey, "JournalFailed", "error", err)
		return
	}
	c.log.Info("Quotas are kept over restarts again.", telemetry.EventKey, "JournalRestored")
}

// joinNeighbours prepares counting with the other instances, if the settings name a host for them. secret is what only
// instances of this gateway know.
func (c *counting) joinNeighbours(s *settings, secret func() []byte) {
	hosts := counters.SplitHosts(s.text("neighborhood.host"))
	if len(hosts) == 0 {
		return
	}
	c.ports = [2]int{s.count("policy.rate-limit.sync.port"), s.count("neighborhood.heartbeat.port")}
	c.peers = counters.NewPeers(c.memory, counters.PeersOptions{
		Hosts: hosts, SyncPort: c.ports[0], HeartbeatPort: c.ports[1],
		Secret: secret, Lookup: lookupHost, Now: time.Now, Report: c.reportNeighbours(),
	})
}

func lookupHost(ctx context.Context, host string) ([]netip.Addr, error) {
	return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
}

// reportNeighbours tells the log how many others there are. A failure is told when it is another one than before.
func (c *counting) reportNeighbours() func(int, error) {
	last := ""
	return func(others int, err error) {
		if err == nil {
			last = ""
			c.log.Info("The gateway counts together with other instances.", telemetry.EventKey, "Neighbors", "others", others)
			return
		}
		if text := err.Error(); text != last {
			last = text
			c.log.Warn("Other instances cannot be counted with.", telemetry.EventKey, "NeighborsFailed", "error", err)
		}
	}
}

// counters are those of policies.
func (c *counting) counters() policy.Counters { return gateway.MemoryCounters(c.memory) }

// run keeps the journal and talks to the other instances until ctx ends.
func (c *counting) run(ctx context.Context) {
	var running sync.WaitGroup
	if c.journal != nil {
		running.Go(func() { c.journal.Run(ctx, c.reportJournal) })
	}
	if c.peers != nil {
		running.Go(func() { c.runPeers(ctx) })
	}
	running.Wait()
}

// runPeers opens the ports and exchanges counts. When that fails it tries again: the ports may still be those of a process that
// hands over to this one.
func (c *counting) runPeers(ctx context.Context) {
	for ctx.Err() == nil {
		sockets, err := c.openPorts(ctx)
		if err == nil {
			err = c.peers.Run(ctx, sockets[0], sockets[1])
		}
		if err != nil {
			c.log.Warn("Other instances cannot be counted with.", telemetry.EventKey, "NeighborsFailed", "error", err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(portPause):
		}
	}
}

func (c *counting) openPorts(ctx context.Context) (sockets [2]net.PacketConn, err error) {
	for i, port := range c.ports {
		if sockets[i], err = new(net.ListenConfig).ListenPacket(ctx, "udp", fmt.Sprintf(":%d", port)); err != nil {
			if i > 0 {
				sockets[0].Close()
			}
			return sockets, err
		}
	}
	return sockets, nil
}
