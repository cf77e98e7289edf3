//go:build interop

package interop

import (
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

// readsBody is a policy that answers when the body has come: what comes behind the end of a stream whose answer is complete nobody minds.
const readsBody = `<policies><inbound><set-variable name="body" value="@(context.Request.Body == null ? "" : context.Request.Body.As<string>())" />` +
	`<return-response><set-status code="200" reason="OK" /><set-body>@("answer to " + (string)context.Variables["body"])</set-body></return-response></inbound></policies>`

// TestInteropH2spec runs h2spec in strict mode against the real gateway.
func TestInteropH2spec(t *testing.T) {
	bin := t.TempDir()
	installProgram(t, bin, h2specModule)
	system := causewaytest.NewSystem(t)
	plane := system.Start("plane", "dev", "--empty", "--gateway-tls-listen", "127.0.0.1:0")
	system.ARM(plane, "PUT", "apis/spec", `{"properties":{"displayName":"spec","path":"spec","protocols":["http","https"],"subscriptionRequired":false}}`)
	for _, method := range []string{"GET", "POST", "HEAD"} {
		system.ARM(plane, "PUT", "apis/spec/operations/"+method, `{"properties":{"displayName":"`+method+`","method":"`+method+`","urlTemplate":"/*"}}`)
	}
	system.ARM(plane, "PUT", "apis/spec/policies/policy", `{"properties":{"format":"rawxml","value":`+quoted(t, readsBody)+`}}`)
	// The port for HTTP speaks HTTP/1.1 too, whose answer to nonsense is 400.
	for listener, mayFail := range map[string]string{"gateway": "Sends invalid connection preface", "gateway-tls": ""} {
		t.Run(listener, func(t *testing.T) {
			u, err := url.Parse(plane.Listen[listener])
			if err != nil {
				t.Fatal(err)
			}
			args := []string{"--strict", "-h", u.Hostname(), "-p", u.Port(), "-P", "/spec/x", "-o", "10"}
			if u.Scheme == "https" {
				args = append(args, "-t", "-k")
			}
			out, err := exec.CommandContext(t.Context(), filepath.Join(bin, "h2spec"), args...).CombinedOutput()
			text := string(out)
			if !strings.Contains(text, "146 tests") {
				t.Fatalf("h2spec did not run: %v\n%s", err, text)
			}
			_, failures, _ := strings.Cut(text, "Failures:")
			for _, line := range regexp.MustCompile(`× \d+: (.*)`).FindAllStringSubmatch(failures, -1) {
				if name := strings.TrimSpace(line[1]); name != mayFail {
					t.Errorf("failed: %s", name)
				}
			}
			t.Log(regexp.MustCompile(`146 tests.*`).FindString(text))
		})
	}
}
