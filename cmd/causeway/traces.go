package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/causeway-apim/causeway/internal/auth"
	"github.com/causeway-apim/causeway/internal/configsync"
	"github.com/causeway-apim/causeway/internal/store"
)

// recordTrace is the kind of the records in which self-hosted gateways send
// traces.
const recordTrace = "trace"

// traceRecord is the payload of a record of that kind.
type traceRecord struct {
	ID       string          `json:"id"`
	Document json.RawMessage `json:"document"`
}

const (
	// traceLife is how long traces can be listed.
	traceLife = auth.MaxDebugTokenLife
	// traceWait is how long a trace may be on its way: the caller knows its ID
	// before the gateway has written the last byte.
	traceWait = 3 * time.Second
	tracePoll = 50 * time.Millisecond
	// maxTraces are kept in an hour by one replica, of all gateways together.
	maxTraces     = 2000
	maxTraceBytes = 1 << 20
	maxTraceID    = 64
)

// traceBoard keeps the traces of requests where every replica can list them.
type traceBoard struct {
	store store.Store
	now   func() time.Time
	log   *slog.Logger

	mu    sync.Mutex
	begun time.Time // of the hour in which kept counts
	kept  int
}

func traceScope(service, gateway, id string) string {
	return strings.ToLower(service + "/gateways/" + gateway + "/traces/" + id)
}

// put keeps a trace in pieces that a note can hold. What cannot be kept is
// logged and gone: nobody depends on traces.
func (b *traceBoard) put(ctx context.Context, service, gateway, id string, document []byte) {
	if id == "" || len(id) > maxTraceID || strings.ContainsAny(id, "/ ") || len(document) > maxTraceBytes {
		b.log.Warn("A trace cannot be kept: its ID or its size is not usable.", "gateway", gateway)
		return
	}
	if !b.admit() {
		b.log.Warn("A trace was dropped: too many requests are traced.", "gateway", gateway)
		return
	}
	var notes []store.Note
	scope := traceScope(service, gateway, id)
	for piece := range slices.Chunk(document, store.MaxNoteBytes) {
		notes = append(notes, store.Note{Scope: scope, Name: fmt.Sprintf("%04d", len(notes)), Body: piece})
	}
	if err := b.store.PutNotes(ctx, notes, b.now().Add(-traceLife)); err != nil {
		b.log.Warn("A trace cannot be kept now.", "gateway", gateway, "error", err)
	}
}

// admit counts a trace and says whether there is room for it in this hour.
func (b *traceBoard) admit() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if now := b.now(); now.Sub(b.begun) >= traceLife {
		b.begun, b.kept = now, 0
	}
	b.kept++
	return b.kept <= maxTraces
}

// find returns a trace, waiting a moment for it; nil when there is none.
func (b *traceBoard) find(ctx context.Context, service, gateway, id string) ([]byte, error) {
	if len(id) > maxTraceID || strings.ContainsAny(id, "/ ") {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, traceWait)
	defer cancel()
	tick := time.NewTicker(tracePoll)
	defer tick.Stop()
	for {
		notes, err := b.store.Notes(ctx, traceScope(service, gateway, id))
		if err != nil && ctx.Err() == nil {
			return nil, err
		}
		if document := b.join(notes); document != nil {
			return document, nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil, nil
		}
	}
}

// join puts the pieces of a trace together.
func (b *traceBoard) join(notes []store.Note) []byte {
	var document []byte
	for i, n := range notes {
		if n.Name != fmt.Sprintf("%04d", i) || b.now().Sub(n.At) >= traceLife {
			return nil
		}
		document = append(document, n.Body...)
	}
	return document
}

// take takes a record of a gateway; those that are not traces are left to
// others.
func (b *traceBoard) take(ctx context.Context, from configsync.Identity, r configsync.Record) {
	var t traceRecord
	if r.Kind != recordTrace {
		return
	}
	if err := json.Unmarshal(r.Payload, &t); err != nil {
		b.log.Warn("A record of a gateway cannot be read.", "gateway", from.Gateway, "kind", r.Kind, "error", err)
		return
	}
	b.put(ctx, from.Service, from.Gateway, t.ID, bytes.Clone(t.Document))
}

// sendTrace hands a trace of a self-hosted gateway over to its connection with
// the plane.
func sendTrace(client *configsync.Client, log *slog.Logger, id string, document []byte) {
	if err := client.Send(recordTrace, traceRecord{id, document}); err != nil {
		log.Warn("A trace cannot be sent to the management plane.", "size", len(document), "error", err)
	}
}
