package gateway

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/causeway-apim/causeway/internal/gateway/messaging"
	"github.com/causeway-apim/causeway/internal/message"
)

const (
	// defaultTrack is where telemetry goes when the logger and the setting logs.applicationinsights.endpoint name no other place.
	defaultTrack     = "https://dc.services.visualstudio.com/v2/track"
	trackTimeout     = 30 * time.Second
	maxTrackPause    = time.Minute
	maxTrackAnswer   = 1 << 20
	maxTrackRedirect = 5
)

// insightsSender sends telemetry to the Track endpoint of Application Insights.
type insightsSender struct {
	gateway *Gateway
	url     message.URL
}

// newInsightsSender reads where the logger's telemetry goes: its connection string, the setting, or Azure's public cloud.
func (g *Gateway) newInsightsSender(l *logger) (*insightsSender, error) {
	if instrumentationKey(l) == "" {
		return nil, fmt.Errorf("the logger has no instrumentation key")
	}
	text := trackEndpoint(l.part.Credentials["connectionString"])
	if text == "" {
		text = g.insightsEndpoint
	}
	if text == "" {
		text = defaultTrack
	}
	u, err := message.ParseURL(text)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, fmt.Errorf("the endpoint for telemetry is not a URL")
	}
	return &insightsSender{g, u}, nil
}

// trackEndpoint is that of a connection string; "" when it names none ("Connection strings in Application Insights").
func trackEndpoint(connection string) string {
	endpoint := connectionSetting(connection, "IngestionEndpoint")
	if suffix := connectionSetting(connection, "EndpointSuffix"); endpoint == "" && suffix != "" {
		endpoint = "dc." + suffix
		if location := connectionSetting(connection, "Location"); location != "" {
			endpoint = location + "." + endpoint
		}
		endpoint = "https://" + endpoint
	}
	if endpoint == "" {
		return ""
	}
	return strings.TrimSuffix(endpoint, "/") + "/v2/track"
}

// connectionSetting is a value of a connection string; names compare without regard to case.
func connectionSetting(connection, name string) string {
	for pair := range strings.SplitSeq(connection, ";") {
		if key, value, ok := strings.Cut(pair, "="); ok && strings.EqualFold(strings.TrimSpace(key), name) {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

func instrumentationKey(l *logger) string {
	if key := connectionSetting(l.part.Credentials["connectionString"], "InstrumentationKey"); key != "" {
		return key
	}
	return strings.TrimSpace(l.part.Credentials["instrumentationKey"])
}

// trackAnswer is what the endpoint says of a batch.
type trackAnswer struct {
	Errors []struct {
		Index  int `json:"index"`
		Status int `json:"statusCode"`
	} `json:"errors"`
}

// SendEvents implements eventSender. Items that the endpoint refuses for good are lost, those that it has no room for are for another attempt.
func (s *insightsSender) SendEvents(ctx context.Context, events []messaging.Event) (rest []messaging.Event, lost int, err error) {
	ctx, cancel := context.WithTimeout(ctx, trackTimeout)
	defer cancel()
	resp, err := s.post(ctx, events)
	if err != nil {
		return events, 0, err
	}
	defer resp.Release()
	body, err := message.ReadAll(resp.Body, maxTrackAnswer, resp.ContentLength)
	switch {
	case resp.Status == 200:
		return nil, 0, nil
	case err != nil:
		return events, 0, err
	case resp.Status == 206:
		return s.partly(events, body)
	case mayTrackAgain(resp.Status):
		return events, 0, &busyError{resp.Status, min(retryWait(resp.Header.Get("Retry-After"), s.gateway.now()), maxTrackPause)}
	}
	return nil, len(events), fmt.Errorf("the endpoint answers %d", resp.Status)
}

// partly takes apart what a partial success leaves.
func (s *insightsSender) partly(events []messaging.Event, body []byte) (rest []messaging.Event, lost int, err error) {
	var answer trackAnswer
	if err := json.Unmarshal(body, &answer); err != nil {
		return nil, len(events), fmt.Errorf("the endpoint's answer cannot be read: %w", err)
	}
	for _, e := range answer.Errors {
		switch {
		case e.Index < 0 || e.Index >= len(events):
		case mayTrackAgain(e.Status):
			rest = append(rest, events[e.Index])
		default:
			lost++
		}
	}
	if len(rest) > 0 {
		err = &busyError{status: 206}
	}
	return rest, lost, err
}

// post sends items, each on a line, and follows redirects to the endpoint of the resource's region.
func (s *insightsSender) post(ctx context.Context, events []messaging.Event) (*message.Response, error) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	for _, e := range events {
		_, _ = z.Write(append(e.Body[:len(e.Body):len(e.Body)], '\n')) // memory takes everything
	}
	_ = z.Close()
	for range maxTrackRedirect {
		req := &message.Request{
			Method: "POST", Proto: "HTTP/1.1", URL: s.url, Body: message.BytesBody(b.Bytes()), ContentLength: int64(b.Len()),
			Header: message.NewHeader("Content-Type", "application/x-json-stream", "Content-Encoding", "gzip", "Accept", "application/json"),
		}
		proxy, err := s.gateway.proxyFor(&req.URL, nil, nil)
		if err != nil {
			return nil, err
		}
		resp, err := s.gateway.transport.RoundTrip(ctx, req, message.TransportOptions{
			ConnectTimeout: trackTimeout, HeaderTimeout: trackTimeout, IdleTimeout: trackTimeout, Proxy: proxy,
		})
		if err != nil || resp.Status != 307 && resp.Status != 308 {
			return resp, err
		}
		next, err := message.ParseURL(strings.Clone(resp.Header.Get("Location")))
		if resp.Body != nil {
			resp.Body.Close()
		}
		resp.Release()
		if err != nil || next.Scheme != s.url.Scheme || next.Host == "" {
			return nil, fmt.Errorf("the endpoint redirects to a place that cannot be used")
		}
		s.url = next
	}
	return nil, fmt.Errorf("the endpoint redirects more than %d times", maxTrackRedirect)
}

// Close implements eventSender.
func (s *insightsSender) Close() {}

// mayTrackAgain says for which answers items are kept ("Application Insights": 439 is the daily cap).
func mayTrackAgain(status int) bool {
	switch status {
	case 401, 403, 408, 429, 500, 502, 503, 504:
		return true
	}
	return false
}

// busyError says that the other side wants a pause.
type busyError struct {
	status int
	after  time.Duration // 0 when it does not say
}

// Error implements error.
func (e *busyError) Error() string { return fmt.Sprintf("the endpoint answers %d", e.status) }
