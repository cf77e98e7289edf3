package redis

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"github.com/causeway-apim/causeway/internal/redis/redistest"
)

// open opens a client that tells the channel what it reports.
func open(t *testing.T, connection string) (*Client, chan error) {
	t.Helper()
	target, err := ParseTarget(connection)
	if err != nil {
		t.Fatal(err)
	}
	reports := make(chan error, 16)
	c := Open(Options{Target: target, Report: func(err error) { reports <- err }, Patience: time.Minute})
	t.Cleanup(c.Close)
	return c, reports
}

func ping(c *Client) error {
	return c.Do(context.Background(), func(ctx context.Context, r rueidis.Client) error {
		return r.Do(ctx, r.B().Ping().Build()).Error()
	})
}

// next waits for a report.
func next(t *testing.T, reports chan error) error {
	t.Helper()
	select {
	case err := <-reports:
		return err
	case <-time.After(20 * time.Second):
		t.Fatal("nothing was reported")
		return nil
	}
}

func TestClientNoticesThatRedisGoesAndComesBack(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	c, reports := open(t, server.Address)
	if err := ping(c); err != nil {
		t.Fatal(err)
	}
	server.Kill()
	started := time.Now()
	for range 100 {
		if err := ping(c); !errors.Is(err, ErrAway) {
			t.Fatalf("error %v while the server is dead", err)
		}
	}
	if d := time.Since(started); d > 20*time.Second {
		t.Errorf("100 uses took %v", d)
	}
	if err := next(t, reports); err == nil {
		t.Error("that Redis is away was not reported")
	}
	server.Restart()
	if err := next(t, reports); err != nil {
		t.Errorf("reported %v instead of the return", err)
	}
	if err := ping(c); err != nil {
		t.Error(err)
	}
}

func TestClientDoesNotWaitForWhatIsNotThere(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	server.Kill()
	c, reports := open(t, server.Address)
	if err := ping(c); !errors.Is(err, ErrAway) {
		t.Errorf("error %v", err)
	}
	if next(t, reports) == nil {
		t.Error("the failure was not reported")
	}
	server.Restart()
	if err := next(t, reports); err != nil {
		t.Error(err)
	}
}

func TestClientSignsIn(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, "--requirepass", "pass=word")
	good, _ := open(t, server.Address+",password=pass=word,defaultDatabase=2")
	if err := ping(good); err != nil {
		t.Error(err)
	}
	bad, reports := open(t, server.Address+",password=other")
	if err := ping(bad); !errors.Is(err, ErrAway) {
		t.Errorf("error %v", err)
	}
	if next(t, reports) == nil {
		t.Error("the refusal was not reported")
	}
}

func TestClientFindsThePrimary(t *testing.T) {
	t.Parallel()
	primary := redistest.Start(t)
	host, port, err := net.SplitHostPort(primary.Address)
	if err != nil {
		t.Fatal(err)
	}
	replica := redistest.Start(t, "--replicaof", host+" "+port)
	c, _ := open(t, replica.Address+","+primary.Address)
	err = c.Do(t.Context(), func(ctx context.Context, r rueidis.Client) error {
		return r.Do(ctx, r.B().Set().Key("k").Value("v").Build()).Error()
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := primary.Do("GET", "k"); got != "v" {
		t.Errorf("the primary holds %q", got)
	}
}

func TestErrorsOfOneCommandAreNotFailures(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	c, reports := open(t, server.Address)
	err := c.Do(t.Context(), func(ctx context.Context, r rueidis.Client) error {
		return r.Do(ctx, r.B().Arbitrary("NOSUCHCOMMAND").Build()).Error()
	})
	if err == nil || errors.Is(err, ErrAway) {
		t.Errorf("error %v", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	err = c.Do(ended, func(ctx context.Context, r rueidis.Client) error { return r.Do(ctx, r.B().Ping().Build()).Error() })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v for a caller who has gone", err)
	}
	if err := ping(c); err != nil || len(reports) > 0 {
		t.Errorf("error %v, %d reports", err, len(reports))
	}
}
