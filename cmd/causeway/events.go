package main

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/configsync"
	"github.com/causeway-apim/causeway/internal/events"
	"github.com/causeway-apim/causeway/internal/gateway"
	"github.com/causeway-apim/causeway/internal/importer"
	"github.com/causeway-apim/causeway/internal/manage"
)

const (
	// maxNews is how much of gateways may wait to become events.
	maxNews = 10_000
	// newsTimeout bounds the writing of one event.
	newsTimeout = 10 * time.Second
	// newsAgain is the time between attempts.
	newsAgain = 2 * time.Second
	// maxCircuitNames bounds what a gateway may call a backend and its rule, together.
	maxCircuitNames = 512
)

// openEvents makes the broker of events and puts it into the configuration of the management server.
func (p *plane) openEvents(o planeOptions, c *manage.Config) {
	links := importer.FetchOptions{AllowLoopback: o.allowLoopbackLinks, AllowPrivate: o.allowPrivateLinks}
	settings := events.Config{
		Store: p.store, Writes: c.Store, Now: time.Now, Log: o.log, DeadLetters: o.deadLetterDir,
		Allow: links.Allow, AllowHTTP: o.allowLoopbackLinks,
		Check: func(ctx context.Context, action string, scope arm.ID) error {
			return p.manage.Check(ctx, action, scope)
		},
	}
	if o.replicas {
		settings.Owner = newInstanceID()
	}
	p.events = events.New(settings)
	p.news = &gatewayNews{log: o.log, more: make(chan struct{}, 1)}
	c.Extensions["microsoft.eventgrid"] = p.events
	c.Handlers[events.ValidationPath] = http.HandlerFunc(p.events.ServeValidation)
	c.Metrics = p.events.WriteMetrics
	before := c.OnDelete
	c.OnDelete = func(ctx context.Context, scope arm.ID) error {
		err := p.events.Deleted(ctx, scope)
		if before != nil {
			if berr := before(ctx, scope); berr != nil {
				return berr
			}
		}
		return err
	}
}

// instanceChanged is told of what changes at an instance of a gateway; it does not block.
func (p *plane) instanceChanged(service, gateway string, i configsync.Instance) {
	if p.board != nil {
		p.board.changed(service, gateway, i)
	}
	expired := i.Status == configsync.StatusTokenExpired
	if i.TokenExpiry == nil || !expired && i.Status != configsync.StatusTokenExpiring {
		return
	}
	expiry := *i.TokenExpiry
	p.news.add(func(ctx context.Context) error {
		return p.events.TokenEvent(ctx, service, gateway, i.ID, expiry, expired)
	})
}

// recordCircuit is the kind of the records in which self-hosted gateways tell of circuit breakers.
const recordCircuit = "circuit"

// sendCircuit tells the plane of a circuit breaker.
func sendCircuit(client *configsync.Client, log *slog.Logger, c gateway.CircuitChange) {
	if err := client.Send(recordCircuit, c); err != nil {
		log.Warn("A change of a circuit breaker cannot be told to the management plane.", "backend", c.Backend, "error", err)
	}
}

// takeCircuit makes an event of what a self-hosted gateway tells of a circuit breaker. One that the store does not take
// comes again.
func (p *plane) takeCircuit(ctx context.Context, from configsync.Identity, instance string, r configsync.Record) error {
	var c gateway.CircuitChange
	if err := json.Unmarshal(r.Payload, &c); err != nil || c.Backend == "" || len(c.Backend)+len(c.Rule) > maxCircuitNames {
		p.log.Warn("A record of a gateway cannot be read.", "gateway", from.Gateway, "kind", r.Kind, "error", err)
		return nil
	}
	return p.events.CircuitEvent(ctx, from.Service, c.Backend, c.Rule, c.Trip, c.At, c.Opened, from.Gateway+"/"+instance)
}

// circuitChanged makes an event of a change in the managed gateway.
func (p *plane) circuitChanged(service, gatewayName string, c gateway.CircuitChange) {
	p.news.add(func(ctx context.Context) error {
		return p.events.CircuitEvent(ctx, service, c.Backend, c.Rule, c.Trip, c.At, c.Opened, gatewayName)
	})
}

// gatewayNews turns what gateways tell into events, apart from those who tell it.
type gatewayNews struct {
	log  *slog.Logger
	more chan struct{}

	mu      sync.Mutex
	waiting []func(context.Context) error
}

// add takes news; it does not block.
func (n *gatewayNews) add(tell func(context.Context) error) {
	n.mu.Lock()
	if len(n.waiting) < maxNews {
		n.waiting = append(n.waiting, tell)
	}
	n.mu.Unlock()
	select {
	case n.more <- struct{}{}:
	default:
	}
}

// run works until ctx ends. What the store does not take is tried again.
func (n *gatewayNews) run(ctx context.Context) {
	for {
		n.mu.Lock()
		waiting := n.waiting
		n.waiting = nil
		n.mu.Unlock()
		for i, tell := range waiting {
			limited, cancel := context.WithTimeout(ctx, newsTimeout)
			err := tell(limited)
			cancel()
			if err == nil {
				continue
			}
			if ctx.Err() != nil {
				return
			}
			n.log.Warn("What a gateway told cannot become an event now; this is tried again.", "error", err)
			n.mu.Lock()
			n.waiting = append(waiting[i:len(waiting):len(waiting)], n.waiting...)
			n.mu.Unlock()
			select {
			case <-time.After(newsAgain):
			case <-ctx.Done():
			}
			break
		}
		n.mu.Lock()
		idle := len(n.waiting) == 0
		n.mu.Unlock()
		if !idle && ctx.Err() == nil {
			continue
		}
		select {
		case <-n.more:
		case <-ctx.Done():
			return
		}
	}
}
