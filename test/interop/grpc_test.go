//go:build interop

package interop

import (
	"encoding/json"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/causeway-apim/causeway/internal/causewaytest"
)

// grpcModule has gRPC's own interoperability test: a client and a server.
const grpcModule = "google.golang.org/grpc/interop/%s@v1.84.0"

// grpcCases are the test cases of the client that its server passes without a gateway and without a cloud.
var grpcCases = []string{
	"empty_unary", "large_unary", "client_streaming", "server_streaming", "ping_pong", "empty_stream", "timeout_on_sleeping_server", "cancel_after_begin",
	"cancel_after_first_response", "status_code_and_message", "special_status_message", "custom_metadata", "unimplemented_method", "unimplemented_service",
}

// TestInteropGRPC runs gRPC's interoperability client through the real gateway, in the clear and over TLS.
func TestInteropGRPC(t *testing.T) {
	bin := t.TempDir()
	for _, name := range []string{"client", "server"} {
		installProgram(t, bin, fmt.Sprintf(grpcModule, name))
	}
	service := unusedAddress(t)
	_, port, err := net.SplitHostPort(service)
	if err != nil {
		t.Fatal(err)
	}
	startProgram(t, service, filepath.Join(bin, "server"), "-port", port)
	system := causewaytest.NewSystem(t)
	data := t.TempDir()
	plane := system.Start("plane", "dev", "--empty", "--gateway-tls-listen", "127.0.0.1:0", "--data", data)
	system.ARM(plane, "PUT", "apis/calls", fmt.Sprintf(`{"properties":{"displayName":"calls","path":"","type":"grpc","protocols":["http","https"],"subscriptionRequired":false,"serviceUrl":"http://%s"}}`, service))
	for listener, more := range map[string][]string{
		"gateway": nil, "gateway-tls": {"-use_tls", "-use_test_ca", "-ca_file", filepath.Join(data, "ca.pem"), "-server_host_override", "localhost"},
	} {
		u, err := url.Parse(plane.Listen[listener])
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range grpcCases {
			t.Run(listener+"/"+name, func(t *testing.T) {
				args := append([]string{"-server_host", u.Hostname(), "-server_port", u.Port(), "-test_case", name}, more...)
				if out, err := exec.CommandContext(t.Context(), filepath.Join(bin, "client"), args...).CombinedOutput(); err != nil {
					t.Errorf("%v\n%s", err, out)
				}
			})
		}
	}
}

// installProgram builds a program of another module into a folder.
func installProgram(t *testing.T, bin, module string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "install", module)
	cmd.Env = append(os.Environ(), "GOBIN="+bin, "GOFLAGS=-mod=mod")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("install %s: %v\n%s", module, err, out)
	}
}

// quoted is a text as a string of JSON.
func quoted(t *testing.T, text string) string {
	t.Helper()
	data, err := json.Marshal(text)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
