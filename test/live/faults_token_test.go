package live

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/causeway-apim/causeway/internal/causewaytest"
)

// TestTokenHasExpired: a gateway that starts with such a token is not ready unless it has its backup, and says why in its log and
// at the plane; so does the doctor.
func TestTokenHasExpired(t *testing.T) {
	t.Parallel()
	w := newPlane(t)
	w.change(0)
	backup := t.TempDir()
	w.edge = w.startGateway("edge", w.token("primary"), backup)
	w.waitFor(w.edge, 0, faultWait)
	if code, err := w.edge.Stop(syscall.SIGTERM); code != 0 || err != nil { // it writes its backup
		t.Fatalf("exit code %d, %v", code, err)
	}

	expired := w.tokenUntil(time.Now().Add(-time.Hour))
	none := w.startGateway("none", expired, t.TempDir())
	for _, text := range []string{"The management plane refuses the token", "gateway token expired at"} {
		awaitLog(t, none, text)
	}
	if status := w.ready(none); status != http.StatusServiceUnavailable {
		t.Errorf("without a backup readiness answers %d", status)
	}
	with := w.startGateway("with", expired, backup)
	w.waitFor(with, 0, faultWait)
	if status := w.ready(with); status != http.StatusOK {
		t.Errorf("with a backup readiness answers %d", status)
	}
	awaitLog(t, with, "The management plane refuses the token")
	w.awaitInstance(t, "with an expired token", []*causewaytest.Process{none, with}, func(i instance) bool {
		return i.Status == "tokenExpired" && strings.Contains(i.Message, "expired at")
	})
	out := expect(t, false, []string{"config.service.endpoint=" + w.plane.Listen["management"], "config.service.auth=GatewayKey " + expired},
		"doctor", "--config-backup", backup, "-o", "tsv")
	for _, text := range []string{"token\tfailed\tthe token of gateway edge expired at", "backup\tok"} {
		if !strings.Contains(out, text) {
			t.Errorf("the doctor does not say %q:\n%s", text, out)
		}
	}
}

// TestKeyIsRegenerated: a gateway is told at once, on its open connection, that its token is void, and the plane shows it. It serves on,
// and takes the token that is put into its file. One whose token is of the other key notices nothing.
func TestKeyIsRegenerated(t *testing.T) {
	t.Parallel()
	w := newPlane(t)
	w.change(0)
	file := filepath.Join(t.TempDir(), "token")
	put := func(token string) {
		t.Helper()
		if err := os.WriteFile(file, []byte("GatewayKey "+token+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put(w.token("primary"))
	w.edge = w.system.Start("edge", "config.service.endpoint="+w.plane.Listen["management"], "config.service.auth=Key",
		"config.service.auth.keyFile="+file, "gateway")
	w.waitFor(w.edge, 0, faultWait)
	other := w.startGateway("other", w.token("secondary"), t.TempDir())
	w.waitFor(other, 0, faultWait)
	for _, g := range []*causewaytest.Process{w.edge, other} {
		awaitLog(t, g, "The gateway is connected to the management plane.")
	}
	calling := w.callers(t, func() error { _, err := w.get(w.edge); return err })
	regenerated := time.Now()
	w.system.ARM(w.plane, http.MethodPost, "gateways/edge/regenerateKey", `{"keyType":"primary"}`)
	w.awaitInstance(t, "with a token that is void", []*causewaytest.Process{w.edge}, func(i instance) bool { return i.Status == "tokenRevoked" })
	t.Logf("the plane shows it after %v; promised are 5 s", time.Since(regenerated))
	awaitLog(t, w.edge, "The management plane refuses the token: "+strings.TrimPrefix(w.plane.Listen["management"], "http://")+" closed the connection")
	t.Logf("the gateway was told within %v; promised is 1 s", time.Since(regenerated))
	w.change(1)
	w.waitFor(other, 1, faultWait)
	if log := other.Log(); strings.Contains(log, "refuses the token") {
		t.Errorf("the gateway with the other key says:\n%s", log)
	}
	w.awaitInstance(t, "that is behind", []*causewaytest.Process{w.edge}, func(i instance) bool { return i.Status == "tokenRevoked" && i.Drift > 0 })
	calling.more(t, 50)
	if n, err := w.get(w.edge); n != 0 || err != nil {
		t.Errorf("with a void token the gateway serves change %d, %v", n, err)
	}
	put(w.token("primary"))
	w.waitFor(w.edge, 1, faultWait)
	calling.more(t, 50)
}

// TestTokenIsRenewed: a token that ends soon is replaced by one that lives longer, also in its file.
func TestTokenIsRenewed(t *testing.T) {
	t.Parallel()
	w := newPlane(t)
	w.change(0)
	file := filepath.Join(t.TempDir(), "token")
	first := "GatewayKey " + w.tokenUntil(time.Now().Add(100*time.Second)) // or up to a minute less: tokens end with a minute
	if err := os.WriteFile(file, []byte(first), 0o600); err != nil {
		t.Fatal(err)
	}
	w.edge = w.system.Start("edge", "config.service.endpoint="+w.plane.Listen["management"], "config.service.auth=Key",
		"config.service.auth.keyFile="+file, "gateway")
	awaitLog(t, w.edge, "The gateway token was renewed.")
	await(t, "the file holds another token", []*causewaytest.Process{w.edge}, func() bool {
		text, err := os.ReadFile(file)
		return err == nil && string(text) != first && strings.HasPrefix(string(text), "GatewayKey edge&")
	})
	w.awaitInstance(t, "with the new token", []*causewaytest.Process{w.edge}, func(i instance) bool { return i.Status == "ok" })
	w.change(1)
	w.waitFor(w.edge, 1, faultWait)
	if out := expect(t, true, []string{"config.service.endpoint=" + w.plane.Listen["management"], "config.service.auth=Key",
		"config.service.auth.keyFile=" + file}, "doctor", "-o", "tsv"); !strings.Contains(out, "token\twarning\tthe token of gateway edge expires at") {
		t.Errorf("the doctor says of the new token:\n%s", out)
	}
}

// TestClockIsWrong: the doctor compares the clock with the plane's.
func TestClockIsWrong(t *testing.T) {
	t.Parallel()
	plane := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Date", time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat))
	}))
	t.Cleanup(plane.Close)
	out := expect(t, false, []string{"config.service.endpoint=" + plane.URL, "config.service.auth=GatewayKey"}, "doctor", "-o", "tsv")
	if !strings.Contains(out, "clock\tfailed\tit differs from the management plane's by") {
		t.Errorf("the doctor says:\n%s", out)
	}
}
