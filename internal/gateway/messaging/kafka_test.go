package messaging_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/causeway-apim/causeway/internal/gateway/messaging"
)

// TestKafka sends events to a cluster of franz-go and reads them again.
func TestKafka(t *testing.T) {
	t.Parallel()
	for _, mechanism := range []string{"", "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"} {
		t.Run("mechanism "+mechanism, func(t *testing.T) {
			t.Parallel()
			options := []kfake.Opt{kfake.NumBrokers(1), kfake.SeedTopics(4, "calls")}
			o := messaging.KafkaOptions{Topic: "calls"}
			if mechanism != "" {
				options = append(options, kfake.EnableSASL(), kfake.Superuser(mechanism, "me", "secret"))
				o.Username, o.Password, o.Mechanism = "me", "secret", mechanism
			}
			cluster, err := kfake.NewCluster(options...)
			if err != nil {
				t.Fatal(err)
			}
			defer cluster.Close()
			o.Address = "kafka://" + strings.Join(cluster.ListenAddrs(), ",")
			k, err := messaging.NewKafka(o)
			if err != nil {
				t.Fatal(err)
			}
			defer k.Close()
			n, err := k.SendEvents(t.Context(), []messaging.Event{
				{Body: []byte("a"), PartitionID: "3"}, {Body: []byte("b"), PartitionKey: "k"}, {Body: []byte("c"), PartitionKey: "k"}, {Body: []byte("d")},
			})
			if err != nil || n != 4 {
				t.Fatalf("%d sent, %v", n, err)
			}
			if mechanism == "" {
				checkRecords(t, cluster.ListenAddrs())
			}
		})
	}
}

func checkRecords(t *testing.T, brokers []string) {
	t.Helper()
	consumer, err := kgo.NewClient(kgo.SeedBrokers(brokers...), kgo.ConsumeTopics("calls"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		t.Fatal(err)
	}
	defer consumer.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	got := make(map[string]*kgo.Record)
	for len(got) < 4 && ctx.Err() == nil {
		consumer.PollFetches(ctx).EachRecord(func(r *kgo.Record) { got[string(r.Value)] = r })
	}
	if len(got) != 4 {
		t.Fatalf("%d records", len(got))
	}
	if got["a"].Partition != 3 || got["b"].Partition != got["c"].Partition || string(got["b"].Key) != "k" || got["b"].Offset >= got["c"].Offset {
		t.Errorf("a in %d, b in %d, c in %d", got["a"].Partition, got["b"].Partition, got["c"].Partition)
	}
}

func TestKafkaRefuses(t *testing.T) {
	t.Parallel()
	for _, o := range []messaging.KafkaOptions{
		{Address: "kafka://", Topic: "t"}, {Address: "kafka://a:9092"}, {Address: "kafka://me:s3cret@a:9092", Topic: "t"},
		{Address: "kafka://a:9092", Topic: "t", Username: "u", Password: "s3cret", Mechanism: "GSSAPI"},
	} {
		if _, err := messaging.NewKafka(o); err == nil || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: error %v", o.Address, err)
		}
	}
	k, err := messaging.NewKafka(messaging.KafkaOptions{Address: "kafka://127.0.0.1:1", Topic: "t"})
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close()
	if _, err := k.SendEvents(t.Context(), []messaging.Event{{PartitionID: "first"}}); err == nil {
		t.Error("a partition that is no number is taken")
	}
	if got := fmt.Sprint(slices.Collect(func(yield func(bool) bool) {
		for _, a := range []string{"kafka://a", "KAFKAS://a", "sb://a", "a:9092"} {
			yield(messaging.IsKafka(a))
		}
	})); got != "[true true false false]" {
		t.Errorf("Kafka: %s", got)
	}
}
