package live

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/causeway-apim/causeway/internal/causewaytest"
)

// TestBundle makes two bundles of a gateway, and serves the first one and then the second one without a plane. One that somebody
// has changed is not served.
func TestBundle(t *testing.T) {
	t.Parallel()
	w := newPlane(t)
	folder := t.TempDir()
	in := func(name string) string { return filepath.Join(folder, name) }
	const key = "FAULTS_KEY=BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc="
	connected := []string{
		"config.service.endpoint=" + w.plane.Listen["management"], "config.service.auth=GatewayKey " + w.token("primary"), key, "config.backup.key=env:FAULTS_KEY",
	}
	expect(t, true, nil, "gateway", "bundle", "keys", "--sign-key", in("key"))
	expect(t, false, nil, "gateway", "bundle", "keys", "--sign-key", in("key")) // never in the place of one in use
	for n, name := range []string{"first", "second"} {
		w.change(n)
		out := expect(t, true, connected, "gateway", "bundle", "--sign-key", in("key"), "--out", in(name))
		if !strings.Contains(out, name+": gateway edge, sequence ") {
			t.Errorf("it says %s", out)
		}
	}
	w.plane.Kill()

	settings := []string{key, "config.backup.key=env:FAULTS_KEY", "gateway.name=edge", "config.bundle=" + in("served"), "config.bundle.publicKey=" + in("key.pub")}
	serve := func(name string, change func([]byte) []byte) {
		t.Helper()
		text, err := os.ReadFile(in(name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(in("coming"), change(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(in("coming"), in("served")); err != nil {
			t.Fatal(err)
		}
	}
	whole := func(b []byte) []byte { return b }
	changed := func(b []byte) []byte { b[len(b)/2] ^= 1; return b }
	serve("first", whole)
	w.edge = w.system.Start("edge", append(settings, "gateway")...)
	w.waitFor(w.edge, 0, faultWait)
	awaitLog(t, w.edge, "The gateway serves a bundle, without a management plane.")
	if out := expect(t, true, settings, "doctor", "--gateway", w.edge.Listen["gateway"], "-o", "tsv"); !strings.Contains(out, "bundle\tok\tit holds sequence ") {
		t.Errorf("the doctor says:\n%s", out)
	}
	calling := w.callers(t, func() error { _, err := w.get(w.edge); return err })

	serve("second", changed)
	awaitLog(t, w.edge, "was not signed with the expected key, or was changed")
	if n, err := w.get(w.edge); n != 0 || err != nil {
		t.Errorf("with a bundle that was changed in its place the gateway serves %d, %v", n, err)
	}
	if out := expect(t, false, settings, "doctor", "-o", "tsv"); !strings.Contains(out, "bundle\tfailed\t") {
		t.Errorf("the doctor says:\n%s", out)
	}
	serve("second", whole)
	w.waitFor(w.edge, 1, faultWait)
	calling.more(t, 20)

	serve("second", changed)
	if out := expect(t, false, settings, "gateway", "--gateway-listen", "127.0.0.1:0", "--gateway-tls-listen", "off"); !strings.Contains(out, "setting config.bundle: ") {
		t.Errorf("a start with such a bundle says:\n%s", out)
	}
}

// fiveCalls admits five calls for each value of X-Key, for ever, and leaves requests without it alone.
const fiveCalls = `<choose><when condition="@(context.Request.Headers.ContainsKey("X-Key"))">
<quota-by-key calls="5" renewal-period="0" counter-key="@(context.Request.Headers["X-Key"][0])" />
</when></choose>`

// TestQuotasOutliveTheProcess: what was counted counts after an orderly end, and after a crash once it is written, which is within
// a second.
func TestQuotasOutliveTheProcess(t *testing.T) {
	t.Parallel()
	w := newPlane(t)
	w.changeWith(0, fiveCalls)
	folder, token := t.TempDir(), w.token("primary")
	call := func(n int) {
		t.Helper()
		for range n {
			if status := w.status(w.edge, "key"); status != 200 {
				t.Fatalf("status %d; the log:\n%s", status, w.edge.Log())
			}
		}
	}
	start := func() {
		t.Helper()
		w.edge = w.startGateway("edge", token, folder)
		w.waitFor(w.edge, 0, faultWait)
	}
	start()
	call(2)
	if code, err := w.edge.Stop(15); code != 0 || err != nil {
		t.Fatalf("exit code %d, %v", code, err)
	}
	start()
	call(2)
	await(t, "the journal has four calls", []*causewaytest.Process{w.edge}, func() bool {
		text, err := os.ReadFile(filepath.Join(folder, "counters.journal"))
		return err == nil && strings.Contains(string(text), `"u":4`)
	})
	w.edge.Kill()
	start()
	call(1)
	if status := w.status(w.edge, "key"); status != 403 {
		t.Errorf("a sixth call: status %d", status)
	}
}
