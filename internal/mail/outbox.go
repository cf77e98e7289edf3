package mail

import (
	"context"
	"errors"
	"log/slog"
	"time"
)

const (
	// MaxTries is how often a message is tried: over about ten hours.
	MaxTries = 16
	// firstWait is the time before the second try; each further one is twice as long, up to lastWait.
	firstWait = time.Minute
	lastWait  = time.Hour

	// sendTimeout bounds one try, lease how long others leave the message alone. What lies between is for writing down
	// what came of it.
	sendTimeout = 2 * time.Minute
	lease       = 5 * time.Minute

	// poll is how often the outbox is looked at.
	poll = time.Second
)

// Outbox sends the mail of a queue that several processes may work on. The functions are the queue's.
type Outbox struct {
	// Claim takes the next message that is due, nil for none. Nobody else gets it for the lease.
	Claim func(ctx context.Context, lease time.Duration) (*Message, error)
	// Sent removes a message from the queue.
	Sent func(ctx context.Context, id string) error
	// Failed says when a message is due again, or that it is dead, and why.
	Failed func(ctx context.Context, id string, again time.Time, dead bool, problem string) error

	Sender Sender
	Now    func() time.Time
	Log    *slog.Logger
}

// Run sends what is due until ctx ends. A message whose sending has begun is finished.
func (o *Outbox) Run(ctx context.Context) {
	tick := time.NewTicker(poll)
	defer tick.Stop()
	failing := false
	for {
		err := o.Flush(ctx)
		if err != nil && ctx.Err() == nil && !failing {
			o.Log.Error("The outbox of mail cannot be read or written; it is tried again.", "error", err)
		}
		failing = err != nil
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Flush sends everything that is due now. Its error is the queue's.
func (o *Outbox) Flush(ctx context.Context) error {
	for ctx.Err() == nil {
		m, err := o.Claim(ctx, lease)
		if err != nil || m == nil {
			return err
		}
		if err := o.deliver(context.WithoutCancel(ctx), m); err != nil {
			return err
		}
	}
	return ctx.Err()
}

func (o *Outbox) deliver(ctx context.Context, m *Message) error {
	sending, cancel := context.WithTimeout(ctx, sendTimeout)
	err := o.Sender.Send(sending, m)
	cancel()
	if err == nil {
		return o.Sent(ctx, m.ID)
	}
	dead := m.Tries >= MaxTries || errors.Is(err, ErrRefused)
	if dead {
		o.Log.Error("Mail could not be sent and is not tried again.", "mail", m.ID, "subject", m.Subject, "tries", m.Tries, "error", err)
	} else {
		o.Log.Warn("Mail could not be sent; it is tried again.", "mail", m.ID, "tries", m.Tries, "error", err)
	}
	return o.Failed(ctx, m.ID, o.Now().Add(wait(m.Tries)), dead, err.Error())
}

// wait is the time after a number of tries.
func wait(tries int) time.Duration {
	d := firstWait
	for range tries - 1 {
		if d = 2 * d; d >= lastWait {
			return lastWait
		}
	}
	return d
}
