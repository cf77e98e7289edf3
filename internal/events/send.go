package events

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	// answerTimeout is how long an endpoint has for its answer, as in Event Grid.
	answerTimeout = 30 * time.Second
	// stopGrace is what requests under way get when the program stops.
	stopGrace       = 2 * time.Second
	maxAnswerBytes  = 64 << 10
	maxAnswerHeader = 64 << 10
	idleTimeout     = 90 * time.Second
)

// errAddress is the error of an endpoint whose address is refused.
var errAddress = errors.New("the address is not allowed")

// newClient makes the client for endpoints. It follows no redirects, uses no proxy and checks the very address that it
// connects to, so that a name cannot lead elsewhere.
func newClient(c Config, minTLS uint16) *http.Client {
	client := &http.Client{
		Timeout:       answerTimeout,
		Transport:     c.Transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	if c.Transport != nil {
		return client
	}
	dialer := &net.Dialer{Timeout: 10 * time.Second, Control: func(_, address string, _ syscall.RawConn) error {
		if c.Allow == nil {
			return nil
		}
		to, err := netip.ParseAddrPort(address)
		if err == nil {
			err = c.Allow(to.Addr())
		}
		if err != nil {
			return fmt.Errorf("%w: %w", errAddress, err)
		}
		return nil
	}}
	client.Transport = &http.Transport{
		DialContext: dialer.DialContext, TLSHandshakeTimeout: 10 * time.Second, IdleConnTimeout: idleTimeout, ForceAttemptHTTP2: true,
		MaxResponseHeaderBytes: maxAnswerHeader, MaxIdleConnsPerHost: endpointRequests, TLSClientConfig: &tls.Config{MinVersion: minTLS},
	}
	return client
}

// send delivers events with one request.
func (b *Broker) send(ctx context.Context, s *stored, events []*delivery) verdict {
	r, err := b.request(ctx, s, events)
	if err != nil {
		return verdict{outcome: "GenericError", final: "UndeliverableDueToClientError"}
	}
	resp, err := b.clientOf(s).Do(r)
	if err != nil {
		if ctx.Err() != nil {
			return verdict{}
		}
		b.c.Log.WarnContext(ctx, "An endpoint did not take events.", "subscription", s.id(), "error", withoutURL(err))
		return verdict{outcome: networkOutcome(err)}
	}
	defer func() { _ = resp.Body.Close() }() // what is left of the answer does not matter
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, maxAnswerBytes))
	v := answerVerdict(resp.StatusCode)
	if !v.done {
		b.c.Log.WarnContext(ctx, "An endpoint did not take events.", "subscription", s.id(), "status", resp.StatusCode)
	}
	return v
}

// answerVerdict is Event Grid's table of answers of webhooks
// (https://learn.microsoft.com/azure/event-grid/delivery-and-retry#message-delivery-status).
func answerVerdict(status int) verdict {
	const refused = "UndeliverableDueToClientError"
	switch status {
	case http.StatusOK, http.StatusCreated, http.StatusAccepted, http.StatusNonAuthoritativeInfo, http.StatusNoContent:
		return verdict{done: true}
	case http.StatusBadRequest:
		return verdict{outcome: "BadRequest", final: refused}
	case http.StatusUnauthorized:
		return verdict{outcome: "Unauthorized", final: refused}
	case http.StatusForbidden:
		return verdict{outcome: "Forbidden", final: refused}
	case http.StatusRequestEntityTooLarge:
		return verdict{outcome: "PayloadTooLarge", final: refused}
	case http.StatusNotFound:
		return verdict{outcome: "NotFound", wait: 5 * time.Minute}
	case http.StatusRequestTimeout:
		return verdict{outcome: "TimedOut", wait: 2 * time.Minute}
	case http.StatusServiceUnavailable, http.StatusTooManyRequests:
		return verdict{outcome: "Busy", wait: 30 * time.Second}
	}
	return verdict{outcome: "GenericError"}
}

func networkOutcome(err error) string {
	var dns *net.DNSError
	var timeout interface{ Timeout() bool }
	switch {
	case errors.As(err, &dns), errors.Is(err, errAddress):
		return "ResolutionError"
	case errors.As(err, &timeout) && timeout.Timeout():
		return "TimedOut"
	}
	return "SocketError"
}

// withoutURL is an error of a request without its URL, whose query may hold a secret.
func withoutURL(err error) error {
	if inner := errors.Unwrap(err); inner != nil {
		return inner
	}
	return err
}

// clientOf is the client with the least version of TLS that a subscription wants. Versions before 1.2 are not spoken.
func (b *Broker) clientOf(s *stored) *http.Client {
	if s.Destination.Props.MinTLS == "1.3" {
		return b.client13
	}
	return b.client
}

// request makes the request of a delivery.
func (b *Broker) request(ctx context.Context, s *stored, events []*delivery) (*http.Request, error) {
	envelopes := make([]any, len(events))
	for i, d := range events {
		envelopes[i] = d.Event.envelope(s.Schema)
	}
	var body any = envelopes
	contentType := "application/json; charset=utf-8"
	switch {
	case s.Schema == schemaCloudEvent && s.Destination.Props.Batch > 1:
		contentType = "application/cloudevents-batch+json; charset=utf-8"
	case s.Schema == schemaCloudEvent:
		body, contentType = envelopes[0], "application/cloudevents+json; charset=utf-8"
	}
	text, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.Destination.Props.URL, bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	first := events[0]
	r.Header.Set("Content-Type", contentType)
	r.Header.Set("aeg-event-type", "Notification")
	r.Header.Set("aeg-subscription-name", strings.ToUpper(s.Name))
	r.Header.Set("aeg-delivery-count", strconv.Itoa(first.Attempts))
	r.Header.Set("aeg-data-version", dataVersion)
	r.Header.Set("aeg-metadata-version", metadataVersion)
	if len(events) == 1 {
		r.Header.Set("aeg-output-event-id", first.Event.ID)
	}
	setHeaders(r.Header, s.Destination.Props.Headers, &first.Event)
	return r, nil
}

// setHeaders sets the headers of a subscription. Dynamic ones of a batch are those of its first event.
func setHeaders(header http.Header, headers []DeliveryHeader, e *Event) {
	var fields map[string]any
	for _, h := range headers {
		value := h.Props.Value
		if h.Type == "Dynamic" {
			if fields == nil {
				fields = e.fields()
			}
			found, ok := lookUp(fields, h.Props.SourceField)
			if !ok || found == nil {
				continue
			}
			value = headerText(found)
		}
		header.Set(h.Name, value)
	}
}

func headerText(v any) string {
	if text, ok := v.(string); ok {
		return strings.Map(func(r rune) rune {
			if r < ' ' || r == 0x7f {
				return -1
			}
			return r
		}, text)
	}
	text, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return string(text)
}
