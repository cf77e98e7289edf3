//go:build interop

package interop

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/causeway-apim/causeway/internal/causewaytest"
)

// connectModule is the conformance test of the protocols Connect, gRPC and gRPC-Web.
const connectModule = "connectrpc.com/conformance/cmd/%s@v1.0.7"

// connectFeatures are those of a server behind the gateway.
const connectFeatures = `features:
  versions: [HTTP_VERSION_1, HTTP_VERSION_2]
  protocols: [PROTOCOL_CONNECT, PROTOCOL_GRPC, PROTOCOL_GRPC_WEB]
  codecs: [CODEC_PROTO, CODEC_JSON]
  compressions: [COMPRESSION_IDENTITY, COMPRESSION_GZIP]
  supports_h2c: true
  supports_tls: true
  supports_trailers: true
  supports_connect_get: true
  supports_message_receive_limit: true
`

// connectMayFail is answered by the gateway itself, since gRPC has no other method than POST: with API Management's 404 in JSON, in which the test may look
// for an error as Connect writes it.
const connectMayFail = "gRPC Unexpected Requests/**/unexpected-verb"

// TestInteropConnect runs the conformance test of Connect against its reference server behind the real gateway.
func TestInteropConnect(t *testing.T) {
	bin := t.TempDir()
	for _, name := range []string{"connectconformance", "referenceserver"} {
		installProgram(t, bin, fmt.Sprintf(connectModule, name))
	}
	wrapper, features := filepath.Join(bin, "connect"), filepath.Join(bin, "features.yaml")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", wrapper, "./connect").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if err := os.WriteFile(features, []byte(connectFeatures), 0o600); err != nil {
		t.Fatal(err)
	}
	system, data := causewaytest.NewSystem(t), t.TempDir()
	plane := system.Start("plane", "dev", "--empty", "--gateway-tls-listen", "127.0.0.1:0", "--data", data)
	authority, err := os.ReadFile(filepath.Join(data, "ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	control := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		const grpc, http2 = "2", "2" // as the conformance test numbers protocols and versions
		kind, version := "http", "1"
		if r.FormValue("protocol") == grpc {
			kind = "grpc"
		}
		if r.FormValue("version") == http2 {
			version = "2"
		}
		lead(t, system, plane, r.FormValue("to"), kind, version)
		listener, ca := "gateway", ""
		if r.FormValue("secure") == "true" {
			listener, ca = "gateway-tls", string(authority)
		}
		if u, err := url.Parse(plane.Listen[listener]); err != nil {
			t.Error(err)
		} else {
			fmt.Fprintf(w, "%s\n%s\n%s", u.Hostname(), u.Port(), ca)
		}
	}))
	t.Cleanup(control.Close)
	out, err := exec.CommandContext(t.Context(), filepath.Join(bin, "connectconformance"), "--mode", "server", "--known-flaky", connectMayFail, "--max-servers", "1", "--conf", features, "--",
		wrapper, control.URL, filepath.Join(bin, "referenceserver")).CombinedOutput()
	if err != nil {
		t.Errorf("%v", err)
	}
	t.Logf("%s", out)
}

// lead has the gateway pass everything to a backend service in a version of HTTP.
func lead(t *testing.T, system *causewaytest.System, plane *causewaytest.Process, to, kind, version string) {
	put := func(path, body string) {
		if status, answer, err := system.TryARM(plane, http.MethodPut, path, body); err != nil || status >= 400 {
			t.Errorf("PUT %s: %d, %v: %s", path, status, err, answer)
		}
	}
	if status, answer, err := system.TryARM(plane, http.MethodDelete, "apis/calls?deleteRevisions=true", ""); err != nil || status >= 400 {
		t.Errorf("DELETE: %d, %v: %s", status, err, answer)
	}
	put("apis/calls", fmt.Sprintf(`{"properties":{"displayName":"calls","path":"","type":%q,"protocols":["http","https"],"subscriptionRequired":false,"serviceUrl":"http://%s"}}`, kind, to))
	if kind == "http" {
		for _, method := range []string{"GET", "POST", "DELETE"} {
			put("apis/calls/operations/"+method, `{"properties":{"displayName":"`+method+`","method":"`+method+`","urlTemplate":"/*"}}`)
		}
		put("apis/calls/policies/policy", `{"properties":{"format":"rawxml","value":`+quoted(t, `<policies><inbound /><backend><forward-request http-version="`+version+
			`" buffer-response="false" buffer-request-body="false" /></backend><outbound /><on-error /></policies>`)+`}}`)
	}
}
