package graphql

import "sync"

// eventQueue is how many events may wait for a slow client.
const eventQueue = 256

// Hub carries events from those who publish them to the subscriptions of one process. It is safe for concurrent use.
type Hub struct {
	mu     sync.Mutex
	topics map[string]map[*listener]struct{}
}

// NewHub returns a hub without listeners.
func NewHub() *Hub { return &Hub{topics: make(map[string]map[*listener]struct{})} }

// listener is one subscription. Its channel is closed when the client is too slow.
type listener struct {
	hub    *Hub
	topic  string
	events chan []byte
}

// listen subscribes to a topic until close.
func (h *Hub) listen(topic string) *listener {
	l := &listener{hub: h, topic: topic, events: make(chan []byte, eventQueue)}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.topics[topic] == nil {
		h.topics[topic] = make(map[*listener]struct{})
	}
	h.topics[topic][l] = struct{}{}
	return l
}

// Publish gives an event to everybody who listens to the topic. It never waits. The bytes are kept.
func (h *Hub) Publish(topic string, event []byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for l := range h.topics[topic] {
		select {
		case l.events <- event:
		default:
			h.drop(l)
			close(l.events)
		}
	}
}

// Listeners is how many subscriptions a topic has.
func (h *Hub) Listeners(topic string) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.topics[topic])
}

func (l *listener) close() {
	l.hub.mu.Lock()
	defer l.hub.mu.Unlock()
	l.hub.drop(l)
}

// drop takes a listener off; h.mu is held.
func (h *Hub) drop(l *listener) {
	delete(h.topics[l.topic], l)
	if len(h.topics[l.topic]) == 0 {
		delete(h.topics, l.topic)
	}
}
