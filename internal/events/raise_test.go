package events

import (
	"strings"
	"testing"
	"time"
)

func TestTokenAndCircuitEvents(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.subscribe("hook", "")
	w.settled(w.broker)
	expiry := w.time().Add(time.Hour)
	for range 2 { // every replica may tell
		if err := w.broker.TokenEvent(t.Context(), strings.ToLower(service), "edge", "pod-1", expiry, false); err != nil {
			t.Fatal(err)
		}
		w.settled(w.broker)
	}
	calls := w.take()
	if len(calls) != 1 || !strings.Contains(calls[0].body, `"subject":"/gateways/edge/pod-1","data":{"gatewayInfo":{"gatewayId":"edge","instanceId":"pod-1"},"tokenInfo":{"expiresAtUtc":"2026-11-23T11:00:00.0000000Z"}},"eventType":"Microsoft.ApiManagement.GatewayTokenNearExpiry"`) {
		t.Fatalf("got %v", calls)
	}
	if err := w.broker.TokenEvent(t.Context(), service, "edge", "pod-1", expiry, true); err != nil {
		t.Fatal(err)
	}
	if err := w.broker.CircuitEvent(t.Context(), service, "pets", "rule1", 90*time.Minute, w.time(), true, "pod-1"); err != nil {
		t.Fatal(err)
	}
	w.settled(w.broker)
	var got strings.Builder
	for _, c := range w.take() {
		got.WriteString(c.body)
	}
	for _, want := range []string{
		`"expiredAtUtc":"2026-11-23T11:00:00.0000000Z"`, "GatewayTokenExpired", `"subject":"/backends/pets/circuit-breaker/rules/rule1"`,
		`"data":{"backendName":"pets","circuitBreaker":{"rules":{"rule1":{"tripDuration":"01:30:00"}}}},"eventType":"Microsoft.ApiManagement.CircuitBreaker.Opened"`,
	} {
		if !strings.Contains(got.String(), want) {
			t.Errorf("%s is missing in %s", want, got.String())
		}
	}
}

func TestCertificates(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.subscribe("hook", "")
	cert := doc(service+"/certificates/Old", "certificates")
	cert.Body = []byte(`{"subject":"CN=old","thumbprint":"AB","expirationDate":"` + w.time().Add(60*24*time.Hour).Format(time.RFC3339) + `"}`)
	w.putDocs(cert)
	w.settled(w.broker)
	equal(t, "events", w.got(), "")
	for _, step := range []struct {
		wait time.Duration
		want string
	}{
		{31 * 24 * time.Hour, "hook: Causeway.CertificateNearExpiry/certificates/Old\n"},
		{2 * time.Hour, ""},
		{31 * 24 * time.Hour, "hook: Causeway.CertificateExpired/certificates/Old\n"},
		{2 * time.Hour, ""},
	} {
		w.advance(step.wait)
		w.settled(w.broker)
		equal(t, "events", w.got(), step.want)
	}
}
