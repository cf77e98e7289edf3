package events

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/store"
)

// Before events go to an endpoint, it has to say that it wants them: otherwise whoever may write event subscriptions could
// flood anybody (https://learn.microsoft.com/azure/event-grid/end-point-validation-event-grid-events-schema and, for
// CloudEvents, https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/http-webhook.md#4-abuse-protection).

const (
	// ValidationPath is where [Broker.ServeValidation] has to be mounted.
	ValidationPath = "/eventgrid/validate/"
	// codeIndex finds a subscription by the hash of its validation code.
	codeIndex = "eventValidation"
	// proveTimeout is how long an endpoint has for its consent; the caller of the management API waits for it.
	proveTimeout = 20 * time.Second
	// webhookOrigin is who asks, as receivers that were written for Event Grid expect it.
	webhookOrigin = "eventgrid.azure.net"
	webhookRate   = "120"
)

// prove asks the endpoint of a subscription and sets the subscription's state. An endpoint that answers without a consent
// has time to open the validation URL.
func (b *Broker) prove(c *call, s *stored) error {
	code := strings.ToUpper(arm.NewGUID())
	link := arm.BaseURL(c.Request) + ValidationPath + code
	ctx, cancel := context.WithTimeout(c.Context(), proveTimeout)
	defer cancel()
	ask := b.askGrid
	if s.Schema == schemaCloudEvent {
		ask = b.askCloud
	}
	consents, err := ask(ctx, s, code, link)
	if err != nil {
		e := arm.Errorf(arm.CodeValidation, "Webhook validation handshake failed for %s: %s.", s.Destination.Props.Base, err)
		e.Code = "Url validation"
		return e
	}
	s.State = stateSucceeded
	if !consents {
		deadline := b.c.Now().UTC().Add(validationLife)
		s.State, s.Deadline, s.code = stateAwaiting, &deadline, hashOf(code)
	}
	return nil
}

func hashOf(code string) string {
	sum := sha256.Sum256([]byte(code))
	return hex.EncodeToString(sum[:])
}

// ask sends a question and reads the answer's beginning.
func (b *Broker) ask(r *http.Request, s *stored) (*http.Response, []byte, error) {
	setHeaders(r.Header, s.Destination.Props.Headers, &Event{Topic: s.Scope})
	resp, err := b.clientOf(s).Do(r)
	if err != nil {
		return nil, nil, fmt.Errorf("the endpoint cannot be reached: %w", withoutURL(err))
	}
	defer func() { _ = resp.Body.Close() }() // it has been read
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswerBytes))
	if err != nil {
		return nil, nil, fmt.Errorf("the answer of the endpoint cannot be read: %w", err)
	}
	return resp, text, nil
}

// askGrid sends a SubscriptionValidationEvent. Its code in the answer is the consent.
func (b *Broker) askGrid(ctx context.Context, s *stored, code, link string) (bool, error) {
	data, err := json.Marshal(map[string]string{"validationCode": code, "validationUrl": link})
	if err != nil {
		return false, err
	}
	body, err := json.Marshal([]gridEvent{{
		ID: arm.NewGUID(), Topic: s.Scope, EventType: "Microsoft.EventGrid.SubscriptionValidationEvent", DataVersion: "2", MetadataVersion: metadataVersion,
		EventTime: eventTime(b.c.Now()), Data: data,
	}})
	if err != nil {
		return false, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.Destination.Props.URL, bytes.NewReader(body))
	if err != nil {
		return false, err
	}
	r.Header.Set("Content-Type", "application/json; charset=utf-8")
	r.Header.Set("aeg-event-type", "SubscriptionValidation")
	r.Header.Set("aeg-subscription-name", strings.ToUpper(s.Name))
	r.Header.Set("aeg-delivery-count", "0")
	resp, text, err := b.ask(r, s)
	if err != nil {
		return false, err
	}
	if resp.StatusCode != http.StatusOK && resp.StatusCode != http.StatusAccepted {
		return false, fmt.Errorf("the POST request failed with response code %d", resp.StatusCode)
	}
	var answer struct {
		Response string `json:"validationResponse"`
	}
	if json.Unmarshal(text, &answer) != nil || answer.Response == "" {
		return false, nil
	}
	if subtle.ConstantTimeCompare([]byte(strings.ToUpper(answer.Response)), []byte(code)) != 1 {
		return false, errors.New("the endpoint answered with another validation code")
	}
	return true, nil
}

// askCloud asks with OPTIONS whether events may come.
func (b *Broker) askCloud(ctx context.Context, s *stored, _, link string) (bool, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodOptions, s.Destination.Props.URL, nil)
	if err != nil {
		return false, err
	}
	r.Header.Set("WebHook-Request-Origin", webhookOrigin)
	r.Header.Set("WebHook-Request-Rate", webhookRate)
	r.Header.Set("WebHook-Request-Callback", link)
	resp, _, err := b.ask(r, s)
	if err != nil {
		return false, err
	}
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return false, fmt.Errorf("the OPTIONS request failed with response code %d", resp.StatusCode)
	}
	allowed := resp.Header.Get("WebHook-Allowed-Origin")
	return allowed == "*" || strings.EqualFold(allowed, webhookOrigin), nil
}

// ServeValidation serves the validation URLs, by GET or POST and for anybody: who knows one has got it from us.
func (b *Broker) ServeValidation(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodPost {
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	ok, err := b.consent(r.Context(), hashOf(strings.ToUpper(strings.TrimPrefix(r.URL.Path, ValidationPath))))
	w.Header().Set("Content-Type", "application/json")
	switch {
	case err != nil:
		b.c.Log.ErrorContext(r.Context(), "An event subscription cannot be validated now.", "error", err)
		arm.WriteError(w, arm.Errorf(arm.CodeServiceUnavailable, "The validation does not work at this time. Try again."))
	case !ok:
		arm.WriteError(w, arm.Errorf(arm.CodeResourceNotFound, "There is nothing to validate under this address: it is not known, was used, or is older than %d minutes.", int(validationLife.Minutes())))
	default:
		arm.WriteJSON(w, http.StatusOK, map[string]string{"message": "Webhook successfully validated as a subscription endpoint."})
	}
}

// consent ends the wait of the subscription with a validation code, if there is one.
func (b *Broker) consent(ctx context.Context, hash string) (ok bool, err error) {
	_, err = b.c.Store.Update(ctx, logName, func(tx store.Tx) error {
		keys, err := tx.Lookup(ctx, codeIndex, hash)
		if err != nil || len(keys) == 0 {
			return err
		}
		d, err := tx.Get(ctx, keys[0])
		if err == nil {
			d.Secrets, err = tx.GetSecrets(ctx, d.ID)
		}
		if err != nil {
			return err
		}
		s, err := subscriptionOf(d)
		if err != nil || s.State != stateAwaiting || s.Deadline == nil || b.c.Now().After(*s.Deadline) {
			return err
		}
		s.State, s.Deadline, s.code = stateSucceeded, nil, ""
		if d, err = s.document(); err != nil {
			return err
		}
		ok = true
		return tx.Put(ctx, d, nil)
	})
	if ok && err == nil {
		b.kick()
	}
	return ok && err == nil, err
}
