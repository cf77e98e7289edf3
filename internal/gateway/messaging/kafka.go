package messaging

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"
)

// KafkaOptions say which topic of which cluster, and how to sign in.
type KafkaOptions struct {
	// Address is kafka://HOST:PORT[,HOST:PORT…], or kafkas:// with TLS.
	Address string
	Topic   string
	// Username and Password sign in with Mechanism: PLAIN (when it is empty), SCRAM-SHA-256 or SCRAM-SHA-512.
	Username, Password, Mechanism string
	TLS                           *tls.Config
}

// IsKafka says whether an address is one of Kafka.
func IsKafka(address string) bool {
	scheme, _, found := strings.Cut(strings.TrimSpace(address), "://")
	return found && (strings.EqualFold(scheme, "kafka") || strings.EqualFold(scheme, "kafkas"))
}

// Kafka sends events to a topic.
type Kafka struct{ client *kgo.Client }

// NewKafka returns a producer. It connects when the first events are sent.
func NewKafka(o KafkaOptions) (*Kafka, error) {
	scheme, list, _ := strings.Cut(strings.TrimSpace(o.Address), "://")
	brokers := strings.Split(strings.TrimSuffix(list, "/"), ",")
	for _, b := range brokers {
		if u, err := url.Parse("kafka://" + b); err != nil || u.Hostname() == "" || u.User != nil {
			return nil, errors.New("the address of the cluster is not kafka://HOST:PORT or kafkas://HOST:PORT")
		}
	}
	if o.Topic == "" {
		return nil, errors.New("no topic is named")
	}
	options := []kgo.Opt{
		kgo.SeedBrokers(brokers...), kgo.DefaultProduceTopic(o.Topic), kgo.ClientID("causeway"),
		kgo.RecordPartitioner(partitioner{kgo.StickyKeyPartitioner(nil)}), kgo.RecordDeliveryTimeout(sendTimeout),
	}
	if strings.EqualFold(scheme, "kafkas") {
		config := &tls.Config{}
		if o.TLS != nil {
			config = o.TLS.Clone()
		}
		options = append(options, kgo.DialTLSConfig(config))
	}
	if o.Username != "" {
		m, err := mechanism(o)
		if err != nil {
			return nil, err
		}
		options = append(options, kgo.SASL(m))
	}
	client, err := kgo.NewClient(options...)
	if err != nil {
		return nil, fmt.Errorf("set up the producer: %w", err)
	}
	return &Kafka{client}, nil
}

func mechanism(o KafkaOptions) (sasl.Mechanism, error) {
	switch strings.ToUpper(o.Mechanism) {
	case "", "PLAIN":
		return plain.Auth{User: o.Username, Pass: o.Password}.AsMechanism(), nil
	case "SCRAM-SHA-256":
		return scram.Auth{User: o.Username, Pass: o.Password}.AsSha256Mechanism(), nil
	case "SCRAM-SHA-512":
		return scram.Auth{User: o.Username, Pass: o.Password}.AsSha512Mechanism(), nil
	}
	return nil, fmt.Errorf("the mechanism %q is none of PLAIN, SCRAM-SHA-256 and SCRAM-SHA-512", o.Mechanism)
}

// SendEvents sends events and returns how many have arrived when an error is not nil: those at the start.
func (k *Kafka) SendEvents(ctx context.Context, events []Event) (sent int, err error) {
	records := make([]*kgo.Record, len(events))
	for i, e := range events {
		records[i] = &kgo.Record{Value: e.Body, Partition: -1}
		if e.PartitionKey != "" {
			records[i].Key = []byte(e.PartitionKey)
		}
		if e.PartitionID != "" {
			n, err := strconv.ParseInt(e.PartitionID, 10, 32)
			if err != nil || n < 0 {
				return i, fmt.Errorf("partition %q is not a number", e.PartitionID)
			}
			records[i].Partition = int32(n)
		}
	}
	done := make(map[*kgo.Record]bool, len(records))
	for _, result := range k.client.ProduceSync(ctx, records...) {
		if result.Err == nil {
			done[result.Record] = true
		} else if err == nil {
			err = fmt.Errorf("send to the topic: %w", result.Err)
		}
	}
	for sent < len(records) && done[records[sent]] {
		sent++
	}
	return sent, err
}

// Close ends the producer.
func (k *Kafka) Close() { k.client.Close() }

// partitioner takes the partition that a record names, and otherwise hashes its key as Kafka's own clients do.
type partitioner struct{ kgo.Partitioner }

// ForTopic implements [kgo.Partitioner].
func (p partitioner) ForTopic(topic string) kgo.TopicPartitioner {
	return topicPartitioner{p.Partitioner.ForTopic(topic)}
}

type topicPartitioner struct{ kgo.TopicPartitioner }

// RequiresConsistency implements [kgo.TopicPartitioner].
func (p topicPartitioner) RequiresConsistency(r *kgo.Record) bool {
	return r.Partition >= 0 || p.TopicPartitioner.RequiresConsistency(r)
}

// Partition implements [kgo.TopicPartitioner].
func (p topicPartitioner) Partition(r *kgo.Record, n int) int {
	if r.Partition >= 0 {
		return int(r.Partition)
	}
	return p.TopicPartitioner.Partition(r, n)
}

// OnNewBatch implements [kgo.TopicPartitionerOnNewBatch].
func (p topicPartitioner) OnNewBatch() {
	if b, ok := p.TopicPartitioner.(kgo.TopicPartitionerOnNewBatch); ok {
		b.OnNewBatch()
	}
}
