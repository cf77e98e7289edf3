package gateway

import (
	"context"
	"io"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/causeway-apim/causeway/internal/message"
	"github.com/causeway-apim/causeway/internal/policy"
	"github.com/causeway-apim/causeway/internal/snapshot"
)

// transportFunc is a function as a transport.
type transportFunc func(ctx context.Context, r *message.Request) (*message.Response, error)

func (f transportFunc) RoundTrip(ctx context.Context, r *message.Request, _ message.TransportOptions) (*message.Response, error) {
	return f(ctx, r)
}

func sendingService(f transportFunc) *service {
	g := New(Options{Transport: f, Log: slog.New(slog.DiscardHandler), Now: time.Now})
	return &service{gateway: g}
}

func TestSendHasATimeLimit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := sendingService(func(ctx context.Context, _ *message.Request) (*message.Response, error) {
			<-ctx.Done()
			return nil, &message.BackendError{Kind: message.BackendCanceled, Err: context.Cause(ctx)}
		})
		defer s.gateway.Close()
		for limit, want := range map[time.Duration]time.Duration{0: time.Minute, 3 * time.Second: 3 * time.Second} {
			start := time.Now()
			_, err := s.send(t.Context(), newConfig("managed", "test", 0), &message.Request{Method: "GET"}, policy.SendOptions{Timeout: limit})
			if e := policy.WrapError(err); e.Reason != policy.ReasonTimeout || time.Since(start) != want {
				t.Errorf("limit %s: %v after %s", limit, err, time.Since(start))
			}
		}
	})
}

func TestSendAddsCredentialsOfTheBackend(t *testing.T) {
	t.Parallel()
	var got *message.Request
	s := sendingService(func(_ context.Context, r *message.Request) (*message.Response, error) {
		got = r
		return &message.Response{Status: 204}, nil
	})
	defer s.gateway.Close()
	_, err := s.send(t.Context(), newConfig("managed", "test", 0), &message.Request{Method: "GET"}, policy.SendOptions{
		Backend: &snapshot.Backend{Credentials: &snapshot.Credentials{Scheme: "Bearer", Parameter: "t", Query: map[string][]string{"b": {"2"}, "a": {"1"}}}},
	})
	if err != nil || got.Header.Get("Authorization") != "Bearer t" || got.URL.RawQuery != "a=1&b=2" {
		t.Errorf("sent %v %s, %v", got.Header, got.URL.RawQuery, err)
	}
}

// TestOneWayRequests sends more than may be under way; the end of the gateway
// waits for them only a moment.
func TestOneWayRequests(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sent := 0
		s := sendingService(func(ctx context.Context, r *message.Request) (*message.Response, error) {
			if r.Method == "POST" {
				sent++
				return &message.Response{Status: 200, Body: message.StringBody("")}, nil
			}
			<-ctx.Done()
			return nil, &message.BackendError{Kind: message.BackendCanceled, Err: io.ErrUnexpectedEOF}
		})
		c := newConfig("managed", "test", 0)
		s.sendLater(c, &message.Request{Method: "POST"}, policy.SendOptions{})
		synctest.Wait()
		for range maxOneWay {
			s.sendLater(c, &message.Request{Method: "GET"}, policy.SendOptions{})
		}
		s.sendLater(c, &message.Request{Method: "POST"}, policy.SendOptions{}) // no room
		synctest.Wait()
		start := time.Now()
		s.gateway.Close()
		if sent != 1 || time.Since(start) != backgroundGrace {
			t.Errorf("%d requests were sent, the end took %s", sent, time.Since(start))
		}
	})
}
