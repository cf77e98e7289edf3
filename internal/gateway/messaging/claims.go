package messaging

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/Azure/go-amqp"
)

// claims is the node that takes tokens ("AMQP Claims-based Security Version 1.0"): a request and a response link.
type claims struct {
	requests *amqp.Sender
	answers  *amqp.Receiver
	replyTo  string
	last     uint64 // number of the last request
}

const claimsNode = "$cbs"

func openClaims(ctx context.Context, s *amqp.Session, name string) (*claims, error) {
	c := &claims{replyTo: "cbs-" + name}
	var err error
	if c.requests, err = s.NewSender(ctx, claimsNode, nil); err != nil {
		return nil, fmt.Errorf("open %s: %w", claimsNode, err)
	}
	c.answers, err = s.NewReceiver(ctx, claimsNode, &amqp.ReceiverOptions{TargetAddress: c.replyTo, Credit: 8})
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", claimsNode, err)
	}
	return c, nil
}

// put tells the node a token for an audience and waits for its answer.
func (c *claims) put(ctx context.Context, audience, kind, token string, expires time.Time) error {
	c.last++
	id := c.last
	m := &amqp.Message{
		Properties:            &amqp.MessageProperties{MessageID: id, ReplyTo: &c.replyTo},
		ApplicationProperties: map[string]any{"operation": "put-token", "type": kind, "name": audience, "expiration": expires.UTC()},
		Value:                 token,
	}
	if err := c.requests.Send(ctx, m, nil); err != nil {
		return fmt.Errorf("send the token: %w", err)
	}
	for {
		answer, err := c.answers.Receive(ctx, nil)
		if err != nil {
			return fmt.Errorf("wait for the answer to the token: %w", err)
		}
		if err := c.answers.AcceptMessage(ctx, answer); err != nil {
			return fmt.Errorf("take the answer to the token: %w", err)
		}
		if answer.Properties != nil && answer.Properties.CorrelationID != nil && answer.Properties.CorrelationID != any(id) {
			continue // to a request that was given up
		}
		return tokenAnswer(answer)
	}
}

// tokenAnswer reads the status of an answer.
func tokenAnswer(m *amqp.Message) error {
	status, ok := m.ApplicationProperties["status-code"].(int32)
	switch {
	case !ok:
		return errors.New("the answer to the token has no status")
	case status/100 == 2:
		return nil
	}
	return fmt.Errorf("the token is refused: %d %v", status, m.ApplicationProperties["status-description"])
}

// authorize puts a token for a path and returns when it ends.
func (c *connection) authorize(ctx context.Context, path string) (expires time.Time, err error) {
	audience := c.target.audience(path)
	now := c.client.Now()
	const signature, jwt = "servicebus.windows.net:sastoken", "jwt"
	switch t := &c.target; {
	case t.Key != "":
		expires = now.Add(signatureLife)
		err = c.tokens.put(ctx, audience, signature, t.sign(audience, expires), expires)
	case t.Signature != "":
		expires = now.Add(24 * time.Hour) // its own end counts, which closes the link
		err = c.tokens.put(ctx, audience, signature, t.Signature, expires)
	default:
		access, tokenErr := c.client.Identity.AccessToken(ctx, identityResource, t.ClientID)
		if tokenErr != nil {
			return expires, tokenErr
		}
		// A token that ends at once would be asked for with every message.
		if expires = access.Expires; expires.Before(now.Add(renewBefore)) {
			expires = now.Add(renewBefore + time.Second)
		}
		err = c.tokens.put(ctx, audience, jwt, access.Token, access.Expires)
	}
	return expires, err
}
