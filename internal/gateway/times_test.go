package gateway_test

import (
	"testing"
	"time"

	"github.com/causeway-apim/causeway/internal/gateway"
	"github.com/causeway-apim/causeway/internal/message"
	"github.com/causeway-apim/causeway/internal/snapshot"
	"github.com/causeway-apim/causeway/internal/telemetry"
)

// TestAnswerTime looks at when the answer began, by calls of which each takes 5 ms.
func TestAnswerTime(t *testing.T) {
	t.Parallel()
	const call = `<send-request mode="new" response-variable-name="v"><set-url>http://other.test/</set-url><set-method>GET</set-method></send-request>`
	f := func(inbound, backend, outbound string, wantBackend, want time.Duration) {
		t.Helper()
		var got, gotBackend time.Duration
		w := newWorldWith(t, func(o *gateway.Options) {
			o.Record = func(r *telemetry.Record) { got, gotBackend = r.ErrorElapsed, r.BackendTime }
		}, apiPart(snapshot.API{ID: "a", Path: "a"}), operationPart("a", "get", "GET /"),
			policyPart(t, "apis/a", "<policies><inbound>"+inbound+"</inbound><backend>"+backend+"</backend><outbound>"+outbound+"</outbound><on-error /></policies>"))
		w.backend.answer = func(*message.Request) (*message.Response, error) {
			w.clock.Advance(5 * time.Millisecond)
			return textResponse(200, "ok"), nil
		}
		if x := w.do("GET " + host + "/a"); x.status != 200 {
			t.Errorf("got %s", x)
		}
		w.gateway.Close()
		if got != want || gotBackend != wantBackend {
			t.Errorf("%s | %s | %s: the answer began after %v, the backend service took %v; want %v and %v", inbound, backend, outbound, got, gotBackend, want, wantBackend)
		}
	}
	const ms = time.Millisecond
	f("", "<forward-request />", "", 5*ms, 5*ms)
	f(call, "<forward-request />", "", 5*ms, 10*ms)
	f("", "<forward-request />"+call, "", 5*ms, 10*ms)
	f("", "<forward-request />", call, 5*ms, 10*ms)
	f("", call, "", 0, 5*ms)
	f("<return-response />", "", "", 0, 0)
}
