package messaging

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/Azure/go-amqp"
)

// Event is one event for an event hub or a topic.
type Event struct {
	Body []byte
	// PartitionID names a partition, PartitionKey chooses one by its hash; at most one of them is set.
	PartitionID, PartitionKey string
}

const (
	// batchFormat says that the sections of a message are messages (com.microsoft:batched-message-format).
	batchFormat = 0x80013700
	// partitionKey is the annotation that Event Hubs hashes.
	partitionKey = "x-opt-partition-key"
	// maxBatch is how many bytes a batch may have: what the basic tiers take. batchMargin is what the envelope takes of it.
	maxBatch    = 256 << 10
	batchMargin = 1 << 10
)

// SendEvents sends events to the event hub of a target, those of one partition or key together. It returns how many have arrived: after an
// error the others have not, or may have.
func (c *Client) SendEvents(ctx context.Context, t Target, events []Event) (sent int, err error) {
	for _, group := range groups(events) {
		path := t.Entity
		if id := group[0].PartitionID; id != "" {
			path = strings.TrimSuffix(path, "/") + "/Partitions/" + id
		}
		for len(group) > 0 {
			m, n, err := batch(group)
			if err != nil {
				return sent, err
			}
			if err := c.Send(ctx, t, path, m); err != nil {
				return sent, err
			}
			sent += n
			group = group[n:]
		}
	}
	return sent, nil
}

// groups puts events of the same partition and key together and keeps the order within each.
func groups(events []Event) (all [][]Event) {
	type place struct{ id, key string }
	at := make(map[place]int)
	for _, e := range events {
		p := place{e.PartitionID, e.PartitionKey}
		i, ok := at[p]
		if !ok {
			i = len(all)
			at[p] = i
			all = append(all, nil)
		}
		all[i] = append(all[i], e)
	}
	return all
}

// batch makes a message of as many events from the start as one may hold.
func batch(events []Event) (m *amqp.Message, n int, err error) {
	m = &amqp.Message{}
	if key := events[0].PartitionKey; key != "" {
		m.Annotations = amqp.Annotations{partitionKey: key}
	}
	size := batchMargin + len(events[0].PartitionKey)
	for _, e := range events {
		one := &amqp.Message{Data: [][]byte{e.Body}, Annotations: m.Annotations}
		b, err := one.MarshalBinary()
		if err != nil {
			return nil, 0, fmt.Errorf("encode an event: %w", err)
		}
		if size += len(b) + 8; size > maxBatch && n > 0 {
			break
		}
		m.Data = append(m.Data, b)
		n++
	}
	if n == 1 {
		m.Data = [][]byte{events[0].Body}
		return m, n, nil
	}
	m.Format = batchFormat
	return m, n, nil
}

// SendMessage sends a message with application properties to the queue or topic of a target.
func (c *Client) SendMessage(ctx context.Context, t Target, body []byte, properties map[string]string) error {
	m := amqp.NewMessage(body)
	if len(properties) > 0 {
		m.ApplicationProperties = make(map[string]any, len(properties))
		for name, value := range properties {
			m.ApplicationProperties[name] = value
		}
	}
	err := c.Send(ctx, t, t.Entity, m)
	var refused *amqp.Error
	if errors.As(err, &refused) {
		return fmt.Errorf("%s refuses the message: %s: %s", t.Host, refused.Condition, refused.Description)
	}
	return err
}
