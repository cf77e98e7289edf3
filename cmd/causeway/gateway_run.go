package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"os"
	"sync"
	"time"

	"github.com/causeway-apim/causeway/internal/configsync"
	"github.com/causeway-apim/causeway/internal/gateway"
	"github.com/causeway-apim/causeway/internal/telemetry"
)

// stopLinger is how long clients may send another request on an open connection after SIGTERM, at most.
const stopLinger = time.Second

// saveTime is how long the connection and the copy of the configuration may take to end.
const saveTime = 5 * time.Second

// gatewayRun is a self-hosted gateway whose parts are there.
type gatewayRun struct {
	flags     gatewayFlags
	log       *slog.Logger
	tls       *planeTLS
	gateway   *gateway.Gateway
	server    *gateway.Server
	client    *configsync.Client
	usage     *usageReporter
	metrics   *gatewayMetrics
	counting  *counting
	inherited *inheritance
	drainTime time.Duration
	handOvers <-chan os.Signal // which ask for one

	listeners *listenerSet
	failed    chan error // of listeners
}

// run serves until the command's context ends or another process takes over, then drains.
func (r *gatewayRun) run(ctx context.Context) error {
	binary, err := ownBinary()
	if err != nil {
		return err
	}
	if err := r.open(); err != nil {
		return err
	}
	// The connection outlives the requests: what they used is still reported.
	syncCtx, stopSync := context.WithCancel(context.WithoutCancel(ctx))
	defer stopSync()
	reporting, stopReporting := context.WithCancel(syncCtx)
	var reported sync.WaitGroup
	poll := time.NewTicker(certificatePoll)
	defer poll.Stop()
	reported.Go(func() { r.tls.follow(reporting, r.log, r.client.Reconnect, poll.C, time.Now) })
	reported.Go(func() { r.usage.run(reporting) })
	reported.Go(func() { r.metrics.run(reporting) })
	reported.Go(func() { r.counting.run(reporting) })
	synced, saved := make(chan error, 1), make(chan struct{})
	go func() {
		defer close(saved)
		synced <- r.client.Run(syncCtx)
	}()

	linger, err := r.serveUntil(ctx, binary, synced)
	r.log.Info("The gateway drains: it takes no new connections and finishes its requests.", telemetry.EventKey, "Draining")
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.drainTime)
	defer cancel()
	if derr := r.server.Drain(drain, min(linger, r.drainTime/2)); derr != nil {
		r.log.Warn("Requests were still under way when the time to drain had passed.", "error", derr)
	}
	stopReporting()
	reported.Wait()
	stopSync()
	r.gateway.Close()
	select {
	case <-saved: // the copy of the configuration is as new as what was served
	case <-time.After(saveTime):
		r.log.Warn("The copy of the configuration was still being written when the process ended.", telemetry.EventKey, "BackupFailed")
	}
	return err
}

// open opens the listeners that were not inherited and says where they are.
func (r *gatewayRun) open() (err error) {
	r.listeners, err = openListeners([]listenAddress{
		{"gateway", r.flags.listen, "gateway-listen"}, {"gateway-tls", r.flags.tlsListen, "gateway-tls-listen"}, {"profiles", r.flags.profileListen, "profile-listen"},
	}, r.inherited)
	if err == nil && r.flags.data != "" {
		err = r.listeners.write(r.flags.data)
	}
	r.failed = make(chan error, 4)
	return err
}

// serve accepts connections and says that it does.
func (r *gatewayRun) serve() error {
	for name, serve := range map[string]func(net.Listener) error{"gateway": r.server.Serve, "gateway-tls": r.server.ServeTLS, "profiles": serveProfiles} {
		if l := r.listeners.get(name); l != nil {
			r.log.Info("The gateway listens on "+l.Addr().String()+".", telemetry.EventKey, "Listening")
			go func() { r.failed <- serve(l) }()
		}
	}
	return r.inherited.serving()
}

// serveUntil serves until there is a reason to stop and returns for how long clients may go on with their connections. A process that replaces
// another one begins when it has a configuration: until then the other one answers.
func (r *gatewayRun) serveUntil(ctx context.Context, binary string, synced <-chan error) (linger time.Duration, err error) {
	var ready <-chan time.Time
	if r.inherited.replaces() {
		const interval = 10 * time.Millisecond
		ticker := time.NewTicker(interval)
		defer ticker.Stop()
		ready = ticker.C
	} else if err := r.serve(); err != nil {
		return 0, err
	}
	taken, underWay := make(chan error, 1), false // how a hand-over went
	for {
		select {
		case <-ctx.Done():
			return stopLinger, nil
		case err := <-r.failed:
			return 0, wrapNonNil("serve", err)
		case err := <-synced:
			if ctx.Err() == nil && err != nil {
				setting := "config.service.endpoint"
				if r.client.Bundle != "" {
					setting = "config.bundle"
				}
				err = &exitError{exitUsage, fmt.Errorf("setting %s: %w", setting, err)}
			}
			return stopLinger, err
		case <-ready:
			if r.gateway.Ready() {
				ready = nil
				if err := r.serve(); err != nil {
					return 0, err
				}
			}
		case <-r.handOvers:
			if !underWay {
				underWay = true
				go func() { taken <- r.handOver(ctx, binary) }()
			}
		case err := <-taken:
			if underWay = false; err == nil {
				return handoverLinger, nil
			}
			r.log.Error("No other process has taken over; this one goes on.", telemetry.EventKey, "HandOverFailed", "error", err)
		}
	}
}

var errFirstProcess = errors.New("the container ends with its first process; replace the container instead")

// handOver passes the listeners on.
func (r *gatewayRun) handOver(ctx context.Context, binary string) error {
	if os.Getpid() == 1 {
		return errFirstProcess
	}
	listeners := maps.Clone(r.listeners.byKey)
	if r.metrics.prometheus != nil {
		listeners[metricsListener] = r.metrics.prometheus
	}
	return handOver(ctx, r.log, binary, listeners, r.server)
}
