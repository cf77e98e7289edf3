package messaging_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/Azure/go-amqp"

	"github.com/causeway-apim/causeway/internal/auth"
	"github.com/causeway-apim/causeway/internal/causewaytest"
	"github.com/causeway-apim/causeway/internal/gateway/messaging"
)

var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// world is a client with its peer.
type world struct {
	peer   *peer
	client *messaging.Client
	clock  *causewaytest.Clock
}

// identity gives tokens that last an hour.
type identity struct{ clock *causewaytest.Clock }

func (i identity) AccessToken(_ context.Context, resource, clientID string) (auth.Access, error) {
	return auth.Access{Token: resource + " " + clientID, Expires: i.clock.Now().Add(time.Hour)}, nil
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{peer: newPeer(t), clock: causewaytest.NewClock(start)}
	w.client = &messaging.Client{Identity: identity{w.clock}, Now: w.clock.Now}
	t.Cleanup(w.client.Close)
	return w
}

// target signs in to the peer with a key.
func (w *world) target(t *testing.T, entity string) messaging.Target {
	t.Helper()
	text := "Endpoint=sb://" + w.peer.listen.Addr().String() + ";SharedAccessKeyName=send;SharedAccessKey=c2VjcmV0;UseDevelopmentEmulator=true"
	target, err := messaging.ParseTarget(text, entity)
	if err != nil {
		t.Fatal(err)
	}
	return target
}

func (p *peer) summary() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var lines []string
	for _, d := range p.taken {
		lines = append(lines, fmt.Sprintf("%s %v %d %s", d.address, d.message.Annotations, len(d.message.Data), d.message.GetData()))
	}
	return strings.Join(lines, "\n")
}

// TestSendMessage sends messages to a queue and looks at the token, which is a shared access signature.
func TestSendMessage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	target := w.target(t, "orders")
	for i := range 3 {
		if err := w.client.SendMessage(t.Context(), target, []byte(fmt.Sprint("message ", i)), map[string]string{"Customer": "Contoso"}); err != nil {
			t.Fatal(err)
		}
	}
	if got := w.peer.summary(); got != "orders map[] 1 message 0\norders map[] 1 message 1\norders map[] 1 message 2" {
		t.Errorf("it took\n%s", got)
	}
	if got := w.peer.taken[0].message.ApplicationProperties["Customer"]; got != "Contoso" {
		t.Errorf("the property is %v", got)
	}
	// One connection and one token for all; the signature is that of the documentation's algorithm.
	if w.peer.opened != 1 || len(w.peer.tokens) != 1 {
		t.Fatalf("%d connections, %d tokens", w.peer.opened, len(w.peer.tokens))
	}
	token := w.peer.tokens[0]
	values, err := url.ParseQuery(strings.TrimPrefix(token.token, "SharedAccessSignature "))
	if err != nil || token.kind != "servicebus.windows.net:sastoken" || token.name != "amqp://127.0.0.1/orders" {
		t.Fatalf("%+v, %v", token, err)
	}
	if values.Get("sr") != token.name || values.Get("skn") != "send" || values.Get("se") != fmt.Sprint(start.Add(time.Hour).Unix()) ||
		values.Get("sig") != "LfTwa7IKBu9my/ea/jAFfQ4lZahN/tHF3ny8zo3JpiQ=" {
		t.Errorf("the signature is %v", values)
	}
}

// TestTokenIsRenewed lets a managed identity's token come to its end.
func TestTokenIsRenewed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	target := w.target(t, "orders")
	target.KeyName, target.Key, target.ClientID = "", "", "id-1"
	for _, step := range []struct {
		after  time.Duration
		tokens int
	}{{0, 1}, {54 * time.Minute, 1}, {time.Minute, 2}} {
		w.clock.Advance(step.after)
		if err := w.client.SendMessage(t.Context(), target, []byte("m"), nil); err != nil {
			t.Fatal(err)
		}
		if len(w.peer.tokens) != step.tokens {
			t.Errorf("after %s there were %d tokens, want %d", w.clock.Now().Sub(start), len(w.peer.tokens), step.tokens)
		}
	}
	if got := w.peer.tokens[1]; got != (putToken{"amqp://127.0.0.1/orders", "jwt", "https://servicebus.azure.net id-1"}) {
		t.Errorf("the token is %+v", got)
	}
	if w.peer.opened != 1 {
		t.Errorf("%d connections", w.peer.opened)
	}
}

// TestSendEvents sends events in batches, by partition.
func TestSendEvents(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	large := []byte(strings.Repeat("x", 100<<10))
	n, err := w.client.SendEvents(t.Context(), w.target(t, "hub"), []messaging.Event{
		{Body: []byte("a")}, {Body: []byte("b"), PartitionKey: "k"}, {Body: []byte("c")}, {Body: []byte("d"), PartitionID: "3"},
		{Body: large}, {Body: large}, {Body: large},
	})
	if err != nil || n != 7 {
		t.Fatalf("%d sent, %v", n, err)
	}
	var got []string
	for _, d := range w.peer.taken {
		line := fmt.Sprintf("%s %v", d.address, d.message.Annotations["x-opt-partition-key"])
		bodies := d.message.Data
		if d.format == 0x80013700 {
			bodies = nil
			for _, section := range d.message.Data {
				var one amqp.Message
				if err := one.UnmarshalBinary(section); err != nil {
					t.Fatal(err)
				}
				bodies = append(bodies, one.GetData())
			}
		}
		for _, b := range bodies {
			line += " " + string(b[:1])
		}
		got = append(got, line)
	}
	want := []string{"hub <nil> a c x x", "hub <nil> x", "hub k b", "hub/Partitions/3 <nil> d"}
	if strings.Join(got, "; ") != strings.Join(want, "; ") {
		t.Errorf("it took %q\nwant %q", got, want)
	}
}

// TestFailures wants refusals to be errors that say so, and broken connections to be replaced.
func TestFailures(t *testing.T) {
	t.Parallel()
	t.Run("token", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.peer.status = 401
		if err := w.client.SendMessage(t.Context(), w.target(t, "q"), nil, nil); err == nil || !strings.Contains(err.Error(), "401 as told") {
			t.Errorf("error %v", err)
		}
	})
	t.Run("message", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.peer.refuse = "amqp:resource-limit-exceeded"
		if err := w.client.SendMessage(t.Context(), w.target(t, "q"), nil, nil); err == nil || !strings.Contains(err.Error(), "refuses the message: amqp:resource-limit-exceeded: not this one") {
			t.Errorf("error %v", err)
		}
	})
	t.Run("broken", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		target := w.target(t, "q")
		if err := w.client.SendMessage(t.Context(), target, []byte("1"), nil); err != nil {
			t.Fatal(err)
		}
		w.peer.breakOne = true
		if err := w.client.SendMessage(t.Context(), target, []byte("2"), nil); err != nil {
			t.Fatal(err)
		}
		if w.peer.summary() != "q map[] 1 1\nq map[] 1 2" || w.peer.opened != 2 {
			t.Errorf("it took\n%s\non %d connections", w.peer.summary(), w.peer.opened)
		}
	})
	t.Run("away", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		target := w.target(t, "q")
		_ = w.peer.listen.Close()
		if err := w.client.SendMessage(t.Context(), target, nil, nil); err == nil || !strings.Contains(err.Error(), "connect to 127.0.0.1") {
			t.Errorf("error %v", err)
		}
	})
	t.Run("closed", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.client.Close()
		if err := w.client.SendMessage(t.Context(), w.target(t, "q"), nil, nil); err == nil {
			t.Error("a closed client sends")
		}
	})
	t.Run("canceled", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := w.client.SendMessage(ctx, w.target(t, "q"), nil, nil); !errors.Is(err, context.Canceled) {
			t.Errorf("error %v", err)
		}
	})
}

func TestParseTarget(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"ns.servicebus.windows.net":                                         "ns.servicebus.windows.net:5671   hub",
		"sb://ns.servicebus.windows.net/":                                   "ns.servicebus.windows.net:5671   hub",
		"Endpoint=sb://ns.test/;SharedAccessKeyName=n;SharedAccessKey=a=b=": "ns.test:5671 n a=b= hub",
		"endpoint=sb://ns.test:99;EntityPath=x;SharedAccessSignature=sig":   "ns.test:99   hub",
		"Endpoint=sb://localhost;UseDevelopmentEmulator=true":               "localhost:5672   hub",
	} {
		got, err := messaging.ParseTarget(text, "hub")
		if s := fmt.Sprintf("%s %s %s %s", got.Address(), got.KeyName, got.Key, got.Entity); err != nil || s != want {
			t.Errorf("%s: %q, %v", text, s, err)
		}
	}
	if got, err := messaging.ParseTarget("Endpoint=sb://ns.test;EntityPath=x", ""); err != nil || got.Entity != "x" {
		t.Errorf("%+v, %v", got, err)
	}
	for _, bad := range []string{"", "://", "Endpoint=;SharedAccessKey=s3cret", "Endpoint=sb://a.test;SharedAccessKey=s3cret", "user:s3cret@ns.test"} {
		if _, err := messaging.ParseTarget(bad, "hub"); err == nil || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: error %v", bad, err)
		}
	}
	if _, err := messaging.ParseTarget("ns.test", ""); err == nil {
		t.Error("a target without entity is taken")
	}
}

func FuzzParseTarget(f *testing.F) {
	f.Add("Endpoint=sb://ns.test/;SharedAccessKeyName=n;SharedAccessKey=k")
	f.Add("ns.servicebus.windows.net:5671")
	f.Fuzz(func(t *testing.T, text string) {
		if target, err := messaging.ParseTarget(text, "e"); err == nil && target.Host == "" {
			t.Errorf("%q has no host", text)
		}
	})
}
