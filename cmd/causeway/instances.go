package main

import (
	"context"
	"encoding/json"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/causeway-apim/causeway/internal/configsync"
	"github.com/causeway-apim/causeway/internal/store"
)

const (
	// boardPeriod is how long a replica may know of a change before the others.
	boardPeriod = 500 * time.Millisecond
	// boardTimeout bounds a look at the board: a list must not hang.
	boardTimeout = 5 * time.Second
)

// instanceBoard tells the replicas of a plane which gateways are connected to
// which of them: each writes its own changes down, all read.
type instanceBoard struct {
	store store.Store
	now   func() time.Time
	log   *slog.Logger

	mu      sync.Mutex
	pending map[noteKey]configsync.Instance
}

// shownInstance is an instance as the management API lists it.
type shownInstance struct {
	configsync.Instance
	// LatestSequence is the newest configuration of the service, Drift by how many changes the instance is behind it. Changes of what the
	// gateway does not see count as well: they reach it as nothing but a number.
	LatestSequence int64 `json:"latestSequence"`
	Drift          int64 `json:"drift"`
}

// showInstances adds how far instances are behind a sequence.
func showInstances(list []configsync.Instance, latest int64) []shownInstance {
	shown := make([]shownInstance, len(list))
	for i, one := range list {
		shown[i] = shownInstance{one, latest, max(0, latest-one.Sequence)}
	}
	return shown
}

type noteKey struct{ scope, instance string }

func boardScope(service, gateway string) string {
	return strings.ToLower(service + "/gateways/" + gateway + "/instances")
}

// changed takes note of a change; it does not block.
func (b *instanceBoard) changed(service, gateway string, i configsync.Instance) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.pending == nil {
		b.pending = make(map[noteKey]configsync.Instance)
	}
	b.pending[noteKey{boardScope(service, gateway), i.ID}] = i
}

// run writes changes down until ctx ends. What cannot be written now is tried
// again.
func (b *instanceBoard) run(ctx context.Context) {
	tick := time.NewTicker(boardPeriod)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := b.flush(ctx); err != nil && ctx.Err() == nil {
			b.log.Warn("The state of gateways cannot be told to the other replicas now.", "error", err)
		}
	}
}

func (b *instanceBoard) flush(ctx context.Context) error {
	b.mu.Lock()
	pending := b.pending
	b.pending = nil
	b.mu.Unlock()
	if len(pending) == 0 {
		return nil
	}
	notes, err := b.notes(ctx, pending)
	if err == nil {
		err = b.store.PutNotes(ctx, notes, b.now().Add(-traceLife))
	}
	if err != nil { // newer changes win over those that were not written
		b.mu.Lock()
		defer b.mu.Unlock()
		maps.Copy(pending, b.pending)
		b.pending = pending
	}
	return err
}

// notes are the changes that others do not know better: an instance that went
// to another replica is lost here only.
func (b *instanceBoard) notes(ctx context.Context, pending map[noteKey]configsync.Instance) (notes []store.Note, err error) {
	known := make(map[string]map[string]configsync.Instance)
	for key, i := range pending {
		if known[key.scope] == nil {
			if known[key.scope], err = b.read(ctx, key.scope); err != nil {
				return nil, err
			}
		}
		if known[key.scope][key.instance].LastHeartbeat.After(i.LastHeartbeat) {
			continue
		}
		body, err := json.Marshal(i)
		if err != nil {
			return nil, err
		}
		notes = append(notes, store.Note{Scope: key.scope, Name: key.instance, Body: body})
	}
	return notes, nil
}

// read returns what the replicas wrote of a gateway's instances lately.
func (b *instanceBoard) read(ctx context.Context, scope string) (map[string]configsync.Instance, error) {
	notes, err := b.store.Notes(ctx, scope)
	if err != nil {
		return nil, err
	}
	instances := make(map[string]configsync.Instance, len(notes))
	for _, n := range notes {
		var i configsync.Instance
		if err := json.Unmarshal(n.Body, &i); err == nil && b.now().Sub(n.At) < configsync.InstanceLife {
			instances[n.Name] = i
		}
	}
	return instances, nil
}

// join adds the instances that other replicas know, or know better, to those
// that are known here.
func (b *instanceBoard) join(service, gateway string, local []configsync.Instance) []configsync.Instance {
	ctx, cancel := context.WithTimeout(context.Background(), boardTimeout)
	defer cancel()
	all, err := b.read(ctx, boardScope(service, gateway))
	if err != nil {
		b.log.Warn("The gateways of the other replicas cannot be listed now.", "error", err)
		return local
	}
	for _, i := range local {
		if !all[i.ID].LastHeartbeat.After(i.LastHeartbeat) {
			all[i.ID] = i
		}
	}
	return slices.SortedFunc(maps.Values(all), func(a, b configsync.Instance) int { return strings.Compare(a.ID, b.ID) })
}
