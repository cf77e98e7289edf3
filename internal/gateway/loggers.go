package gateway

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/causeway-apim/causeway/internal/gateway/messaging"
	"github.com/causeway-apim/causeway/internal/policy"
	"github.com/causeway-apim/causeway/internal/snapshot"
)

// logger is a logger of the configuration with its named values filled in.
type logger struct {
	name       string // its local name
	part       snapshot.Logger
	references []string // what a change of makes it stale
}

// compileLogger fills named values into the credentials of a logger: the management plane keeps secrets in them.
func (e *edit) compileLogger(id string) error {
	name := localName(id)
	if old, ok := e.loggers.Get(name); ok {
		for _, ref := range old.references {
			e.dependents.remove(ref, id)
		}
	}
	part, ok := e.snapshot.Get(snapshot.Key{Kind: snapshot.KindLogger, ID: id})
	if !ok {
		e.loggers.delete(name)
		return nil
	}
	decoded, err := snapshot.Decode[snapshot.Logger](part)
	if err != nil {
		return err
	}
	l := &logger{name: name, part: decoded}
	for key, text := range decoded.Credentials {
		l.part.Credentials[key] = e.fillNamedValues(workspaceOfName(name), text, &l.references)
	}
	for _, ref := range l.references {
		e.dependents.add(ref, id)
	}
	e.loggers.set(name, l)
	return nil
}

// Limits of the events that wait to be sent by one logger.
const (
	maxEvents     = 10_000
	maxEventBytes = 32 << 20
	eventBatch    = 500
	eventRetries  = 4
	eventIdle     = 10 * time.Minute
)

// eventSender sends the events of a logger. With an error some are left for another attempt; those that are lost are not wanted by the other side.
type eventSender interface {
	SendEvents(ctx context.Context, events []messaging.Event) (rest []messaging.Event, lost int, err error)
	Close()
}

// eventHub is an event hub as a sender.
type eventHub struct {
	client *messaging.Client
	target messaging.Target
}

// SendEvents implements eventSender.
func (h *eventHub) SendEvents(ctx context.Context, events []messaging.Event) (rest []messaging.Event, lost int, err error) {
	n, err := h.client.SendEvents(ctx, h.target, events)
	return events[n:], 0, err
}

// Close implements eventSender: the connection is the gateway's.
func (h *eventHub) Close() {}

// kafkaSender is a topic of Kafka as a sender.
type kafkaSender struct{ *messaging.Kafka }

// SendEvents implements eventSender.
func (k kafkaSender) SendEvents(ctx context.Context, events []messaging.Event) (rest []messaging.Event, lost int, err error) {
	n, err := k.Kafka.SendEvents(ctx, events)
	return events[n:], 0, err
}

// newEventSender makes the sender of a logger.
func (g *Gateway) newEventSender(l *logger) (eventSender, error) {
	c := l.part.Credentials
	switch l.part.Type {
	case loggerInsights:
		return g.newInsightsSender(l)
	case loggerEventHub:
	default:
		return nil, fmt.Errorf("a logger of the type %s sends no events", l.part.Type)
	}
	if messaging.IsKafka(c["endpointAddress"]) {
		client, err := messaging.NewKafka(messaging.KafkaOptions{
			Address: c["endpointAddress"], Topic: c["name"], Username: c["username"], Password: c["password"], Mechanism: c["saslMechanism"],
		})
		return kafkaSender{client}, err
	}
	text := c["connectionString"]
	if text == "" {
		text = c["endpointAddress"]
	}
	target, err := messaging.ParseTarget(text, c["name"])
	if err != nil {
		return nil, err
	}
	if id := c["identityClientId"]; !strings.EqualFold(id, "SystemAssigned") {
		target.ClientID = id
	}
	return &eventHub{g.messages, target}, nil
}

// eventLoggers are the queues of a service's loggers, by name. A queue has a goroutine while there is something to send, and for a while
// afterwards.
type eventLoggers struct {
	mu     sync.Mutex
	queues map[string]*eventQueue
	closed bool
}

// LogEvent puts an event into the queue of a logger.
func (r *request) LogEvent(name string, e policy.Event) error {
	l, ok := r.config.loggers.Get(strings.ToLower(name))
	if !ok {
		return fmt.Errorf("there is no logger %s", name)
	}
	if l.part.Type != loggerEventHub {
		return fmt.Errorf("the logger is of the type %s, not %s", l.part.Type, loggerEventHub)
	}
	q, err := r.service.eventQueue(l)
	if err != nil {
		return err
	}
	q.add(messaging.Event{Body: e.Body, PartitionID: e.PartitionID, PartitionKey: e.PartitionKey})
	return nil
}

var errEnding = errors.New("the gateway ends")

// eventQueue returns the queue of a logger, a new one when the logger has changed.
func (s *service) eventQueue(l *logger) (*eventQueue, error) {
	s.events.mu.Lock()
	defer s.events.mu.Unlock()
	if s.events.closed {
		return nil, errEnding
	}
	old := s.events.queues[l.name]
	if old != nil && old.logger == l {
		return old, nil
	}
	sender, err := s.gateway.newEventSender(l)
	if err != nil {
		return nil, err
	}
	if old != nil {
		old.end()
	}
	q := &eventQueue{service: s, logger: l, sender: sender, wake: make(chan struct{}, 1), ended: make(chan struct{})}
	if s.events.queues == nil {
		s.events.queues = make(map[string]*eventQueue)
	}
	s.events.queues[l.name] = q
	s.gateway.background.Go(q.run)
	return q, nil
}

// forget takes an idle queue away and says whether that was possible.
func (s *service) forget(q *eventQueue) bool {
	s.events.mu.Lock()
	defer s.events.mu.Unlock()
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.waiting) > 0 {
		return false
	}
	if s.events.queues[q.logger.name] == q {
		delete(s.events.queues, q.logger.name)
	}
	return true
}

// endEvents lets all queues send what they have and end.
func (s *service) endEvents() {
	s.events.mu.Lock()
	defer s.events.mu.Unlock()
	s.events.closed = true
	for _, q := range s.events.queues {
		q.end()
	}
}

// eventQueue holds the events of one logger until they are sent. What comes faster than it leaves is dropped and counted.
type eventQueue struct {
	service *service
	logger  *logger
	sender  eventSender
	wake    chan struct{}
	ended   chan struct{} // no more events: send what is there
	once    sync.Once

	mu      sync.Mutex
	waiting []messaging.Event
	bytes   int
	dropped int64
}

func (q *eventQueue) end() { q.once.Do(func() { close(q.ended) }) }

func (q *eventQueue) add(e messaging.Event) {
	q.mu.Lock()
	if len(q.waiting) >= maxEvents || q.bytes+len(e.Body) > maxEventBytes {
		q.dropped++
	} else {
		q.waiting = append(q.waiting, e)
		q.bytes += len(e.Body)
	}
	q.mu.Unlock()
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// run sends what comes until the queue is idle or ends.
func (q *eventQueue) run() {
	defer q.sender.Close()
	idle := time.NewTimer(eventIdle)
	defer idle.Stop()
	for {
		select {
		case <-q.wake:
			q.send()
			idle.Reset(eventIdle)
		case <-q.ended:
			q.send()
			return
		case <-idle.C:
			if q.service.forget(q) {
				return
			}
			idle.Reset(eventIdle)
		}
	}
}

// send sends all that waits.
func (q *eventQueue) send() {
	for {
		q.mu.Lock()
		n := min(len(q.waiting), eventBatch)
		batch := q.waiting[:n:n]
		dropped := q.dropped
		q.dropped = 0
		q.mu.Unlock()
		if n > 0 {
			dropped += int64(q.sendBatch(batch))
			q.remove(n)
		}
		if dropped > 0 {
			q.service.gateway.log.Warn("Events of a logger were dropped: they came faster than they could be sent, or could not be sent.",
				"logger", q.logger.part.Name, "count", dropped)
		}
		if n == 0 {
			return
		}
	}
}

// remove takes events off the start of the queue.
func (q *eventQueue) remove(n int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, e := range q.waiting[:n] {
		q.bytes -= len(e.Body)
	}
	q.waiting = q.waiting[n:]
	if len(q.waiting) == 0 {
		q.waiting = nil
	}
}

// sendBatch sends events, several times if need be, and returns how many it gave up.
func (q *eventQueue) sendBatch(events []messaging.Event) (lost int) {
	g := q.service.gateway
	for attempt := range eventRetries {
		rest, refused, err := q.sender.SendEvents(g.ctx, events)
		events, lost = rest, lost+refused
		if err == nil || len(events) == 0 {
			return lost
		}
		g.log.Warn("Events of a logger cannot be sent.", "logger", q.logger.part.Name, "attempt", attempt+1, "error", err)
		pause := time.Second << attempt
		var busy *busyError
		if errors.As(err, &busy) {
			pause = max(pause, busy.after)
		}
		if attempt == eventRetries-1 || !q.pause(pause) {
			break
		}
	}
	return lost + len(events)
}

// pause waits between attempts and says whether there is to be another one.
func (q *eventQueue) pause(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-q.ended:
		return false
	case <-q.service.gateway.ctx.Done():
		return false
	}
}

// SendMessage sends a message to Azure Service Bus.
func (r *request) SendMessage(ctx context.Context, m policy.BusMessage) error {
	target, err := messaging.ParseTarget(strings.Clone(m.Namespace), strings.Clone(m.Entity))
	if err != nil {
		return err
	}
	target.ClientID = strings.Clone(m.ClientID)
	return r.gateway.messages.SendMessage(ctx, target, m.Body, m.Properties)
}
