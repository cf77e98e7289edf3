//go:build interop

package interop

import (
	"net"
	"net/url"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/causeway-apim/causeway/internal/causewaytest"
)

// h2specModule is the conformance test of HTTP/2 servers.
const h2specModule = "github.com/summerwind/h2spec/cmd/h2spec@v2.2.1+incompatible"

// h2specMayFail are the cases that a gateway on a shared port without an API may fail, with the reason.
var h2specMayFail = map[string]string{
	"Sends invalid connection preface":                                      "the port speaks HTTP/1.1 too, whose answer to nonsense is 400",
	"closed: Sends a DATA frame after sending RST_STREAM frame":             "the gateway answers without the body, so it has closed the stream itself: what is on its way is ignored",
	"Sends a HEADERS frame that contains a pseudo-header field as trailers": "likewise: the answer is complete before the trailer arrives",
}

// TestInteropH2spec runs h2spec in strict mode against the real gateway.
func TestInteropH2spec(t *testing.T) {
	bin := t.TempDir()
	install := exec.CommandContext(t.Context(), "go", "install", h2specModule)
	install.Env = append(install.Environ(), "GOBIN="+bin, "GOFLAGS=-mod=mod")
	if out, err := install.CombinedOutput(); err != nil {
		t.Fatalf("install h2spec: %v\n%s", err, out)
	}
	gateway, err := url.Parse(causewaytest.NewSystem(t).Start("plane", "dev", "--empty").Listen["gateway"])
	if err != nil {
		t.Fatal(err)
	}
	host, port, err := net.SplitHostPort(gateway.Host)
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), filepath.Join(bin, "h2spec"), "--strict", "-h", host, "-p", port, "-P", "/none").CombinedOutput()
	text := string(out)
	if !strings.Contains(text, "146 tests") {
		t.Fatalf("h2spec did not run: %v\n%s", err, text)
	}
	_, failures, _ := strings.Cut(text, "Failures:")
	for _, line := range regexp.MustCompile(`× \d+: (.*)`).FindAllStringSubmatch(failures, -1) {
		name := strings.TrimSpace(line[1])
		if why, known := h2specMayFail[name]; known {
			t.Logf("%s: %s", name, why)
		} else {
			t.Errorf("failed: %s", name)
		}
	}
}
