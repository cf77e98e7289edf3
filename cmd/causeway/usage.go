package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/causeway-apim/causeway/internal/configsync"
	"github.com/causeway-apim/causeway/internal/gateway"
	"github.com/causeway-apim/causeway/internal/store"
	"github.com/causeway-apim/causeway/internal/telemetry"
)

// requestUsage is the name of the requests in which self-hosted gateways report usage.
const requestUsage = "usage"

const (
	// usagePeriod is how often gateways report what was used.
	usagePeriod = 10 * time.Second
	// managedPeriod is the same for a gateway in the process of the plane.
	managedPeriod = time.Second
	// usageTimeout bounds the sending of one report.
	usageTimeout = 20 * time.Second
	// lastUsageTimeout bounds the sending of what is left when a gateway stops.
	lastUsageTimeout = 3 * time.Second
	// usageBytes may wait for the plane: on disk, or in memory without a folder.
	usageBytes = 64 << 20
	// usageRows and usageRequests are in one report at most, so that it fits into a message.
	usageRows     = 400
	usageRequests = 200

	// usageLife is how long sums are kept, requestLife how long single requests.
	usageLife   = 90 * 24 * time.Hour
	requestLife = 7 * 24 * time.Hour
	// usageSweep is how often old usage is removed.
	usageSweep = time.Hour
)

// usageMessage is the payload of a report.
type usageMessage struct {
	Origin   string                `json:"origin,omitempty"` // with Sequence, when it does not come from where it was made
	Sequence int64                 `json:"sequence,omitempty"`
	Report   telemetry.UsageReport `json:"report"`
}

// usageReporter brings the usage of a gateway to the plane.
type usageReporter struct {
	gateway *gateway.Gateway
	spool   *telemetry.Spool
	log     *slog.Logger
	period  time.Duration
	// send hands a report over; it may come again.
	send func(ctx context.Context, m *usageMessage) error

	mu sync.Mutex // one flush at a time
}

// newUsageReporter makes the reporter of a gateway. folder keeps reports that cannot be sent; empty for memory only.
func newUsageReporter(g *gateway.Gateway, folder, instance string, log *slog.Logger, send func(context.Context, *usageMessage) error) *usageReporter {
	if folder != "" {
		folder = filepath.Join(folder, "usage")
	}
	return &usageReporter{gateway: g, log: log, period: usagePeriod, send: send, spool: telemetry.OpenSpool(telemetry.SpoolOptions{
		Dir: folder, Origin: instance, Bytes: usageBytes,
		Report: func(lost int64, err error) {
			if lost > 0 {
				log.Error("Reports of usage were dropped.", telemetry.EventKey, "UsageDropped", "count", lost, "error", err)
				return
			}
			log.Warn("The folder for reports of usage has a problem; they are kept in memory.", telemetry.EventKey, "UsageFolderFailed", "error", err)
		},
	})}
}

// run reports until ctx ends, and then what is left.
func (u *usageReporter) run(ctx context.Context) {
	tick := time.NewTicker(u.period)
	defer tick.Stop()
	for ctx.Err() == nil {
		select {
		case <-tick.C:
			u.flush(ctx)
		case <-ctx.Done():
		}
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastUsageTimeout)
	defer cancel()
	u.flush(last)
}

// flush reports what was used since the last time, and what could not be sent before.
func (u *usageReporter) flush(ctx context.Context) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, report := range u.gateway.FlushUsage() {
		for _, piece := range splitUsage(report) {
			body, err := json.Marshal(piece)
			if err != nil {
				u.log.Error("A report of usage cannot be written.", telemetry.EventKey, "UsageDropped", "error", err)
				continue
			}
			u.spool.Add(body)
		}
	}
	for {
		e, ok := u.spool.Next()
		if !ok {
			return
		}
		m := usageMessage{Origin: e.Origin, Sequence: e.Sequence}
		err := json.Unmarshal(e.Body, &m.Report)
		if err == nil {
			err = u.sendOne(ctx, &m)
		}
		var damaged *json.SyntaxError
		switch {
		case errors.Is(err, configsync.ErrRefused), errors.As(err, &damaged):
			u.log.Error("A report of usage was dropped: it cannot be used.", telemetry.EventKey, "UsageDropped", "error", err)
		case err != nil:
			u.log.Debug("Usage cannot be reported now.", "waiting", u.spool.Waiting(), "error", err)
			return
		}
		u.spool.Done(e)
	}
}

func (u *usageReporter) sendOne(ctx context.Context, m *usageMessage) error {
	ctx, cancel := context.WithTimeout(ctx, usageTimeout)
	defer cancel()
	return u.send(ctx, m)
}

// splitUsage cuts a report into pieces that fit into messages.
func splitUsage(r telemetry.UsageReport) (pieces []telemetry.UsageReport) {
	for len(r.Rows) > 0 || len(r.Requests) > 0 {
		n, m := min(len(r.Rows), usageRows), min(len(r.Requests), usageRequests)
		pieces = append(pieces, telemetry.UsageReport{
			Service: r.Service, Region: r.Region, Rows: r.Rows[:n], Requests: r.Requests[:m], Unlisted: r.Unlisted,
		})
		r.Rows, r.Requests, r.Unlisted = r.Rows[n:], r.Requests[m:], 0
	}
	return pieces
}

// sendUsage sends a report of a self-hosted gateway over its connection.
func sendUsage(client *configsync.Client) func(context.Context, *usageMessage) error {
	return func(ctx context.Context, m *usageMessage) error {
		var taken struct{}
		return client.Request(ctx, requestUsage, m, &taken)
	}
}

// usageBook is the usage that a plane keeps.
type usageBook struct {
	store store.Store
	now   func() time.Time
	log   *slog.Logger
	// managed reports the usage of the managed gateway in this process, nil without one.
	managed *usageReporter
}

// manage makes the book report the usage of the managed gateway in this process.
func (b *usageBook) manage(g *gateway.Gateway, instance string) {
	b.managed = newUsageReporter(g, "", instance, b.log, b.put)
	b.managed.period = managedPeriod
}

// take takes a report of a self-hosted gateway.
func (b *usageBook) take(ctx context.Context, from configsync.Identity, payload json.RawMessage) (any, error) {
	var m usageMessage
	if err := json.Unmarshal(payload, &m); err != nil {
		return nil, fmt.Errorf("%w: the report cannot be read", configsync.ErrRefused)
	}
	m.Report.Service = from.Service
	m.Origin = from.Service + "/" + from.Gateway + "/" + m.Origin // nobody can speak for others
	return struct{}{}, b.put(ctx, &m)
}

// put adds a report to the sums.
func (b *usageBook) put(ctx context.Context, m *usageMessage) error {
	report := &store.UsageReport{Service: strings.ToLower(m.Report.Service), Origin: m.Origin, Sequence: m.Sequence}
	oldest, newest := b.now().Add(-usageLife), b.now().Add(telemetry.UsageInterval)
	for i := range m.Report.Rows {
		r := &m.Report.Rows[i]
		if at := time.Unix(r.At, 0); at.Before(oldest) || at.After(newest) {
			b.log.Warn("A gateway reports usage of a time that cannot be right.", telemetry.EventKey, "UsageDropped", "time", at, "origin", m.Origin)
			continue
		}
		report.Rows = append(report.Rows, store.UsageRow{
			At: r.At, Region: m.Report.Region, API: r.API, Operation: r.Operation, Product: r.Product, Subscription: r.Subscription, Developer: r.User,
			UsageSums: store.UsageSums(r.UsageSums),
		})
	}
	for i := range m.Report.Requests {
		r := &m.Report.Requests[i]
		body, err := json.Marshal(usageRequest{*r, m.Report.Region})
		if err != nil || r.Time.After(newest) || len(body) > store.MaxNoteBytes {
			continue
		}
		report.Requests = append(report.Requests, store.UsageRequest{At: r.Time, Body: body})
	}
	err := b.store.PutUsage(ctx, report)
	if errors.Is(err, store.ErrInvalid) {
		err = fmt.Errorf("%w: %w", configsync.ErrRefused, err)
	}
	return err
}

// usageRequest is a request as it is stored.
type usageRequest struct {
	telemetry.UsageRequest
	Region string `json:"region,omitempty"`
}

// run removes what is old, and reports for the managed gateway, until ctx ends.
func (b *usageBook) run(ctx context.Context) {
	var reporting sync.WaitGroup
	if b.managed != nil {
		reporting.Go(func() { b.managed.run(ctx) })
	}
	defer reporting.Wait()
	tick := time.NewTicker(usageSweep)
	defer tick.Stop()
	for {
		now := b.now()
		if err := b.store.ForgetUsage(ctx, now.Add(-usageLife), now.Add(-requestLife)); err != nil && ctx.Err() == nil {
			b.log.Warn("Old usage cannot be removed now.", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
