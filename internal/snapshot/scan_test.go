package snapshot

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// scanned lists what a text reaches, as class:name.
func scanned(text string) []string {
	var l links
	scanPolicy(text, &l)
	names := []string{}
	for _, m := range l.points {
		prefix := map[class]string{
			classNamedValue: "nv:", classFragment: "fragment:", classBackend: "backend:", classCertificate: "certificate:",
			classThumbprint: "thumbprint:", classKeys: "keys",
		}[m.Value().class]
		names = append(names, prefix+m.Value().name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func TestScanPolicy(t *testing.T) {
	t.Parallel()
	f := func(text string, want ...string) {
		t.Helper()
		if got := scanned(text); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: got %v, want %v", text, got, want)
		}
	}
	f(`<base />`)
	f(`{{A}} {{ b }} {{{{c}} {{unclosed`, "nv:a", "nv:b", "nv:c")
	f("{{not\na name}}")
	f(`<include-fragment fragment-id = 'F1'/>`, "fragment:f1")
	f(`<set-backend-service backend-id="b"/><x embeddings-backend-id="c"/>`, "backend:b", "backend:c")
	f(`<set-backend-service backend-id="@(context.Variables["x"])"/>`, "backend:*")
	f(`<set-backend-service backend-id="{{which}}"/>`, "backend:*", "nv:which")
	f(`<set-backend-service backend-id="`+strings.Repeat("x", 300)+`"/>`, "backend:*")
	f(`<authentication-certificate thumbprint="AB12"/>`, "thumbprint:ab12")
	f(`<authentication-certificate thumbprint="@(x)"/>`, "certificate:*")
	f(`<authentication-certificate certificate-id="c"/>`, "certificate:c")
	f(`@(context.Deployment.Certificates["x"])`, "certificate:*")
	f(`@(context.Subscription.SecondaryKey)`, "keys")
	f(`backend-id`)
	f(`backend-id=`)
	f(`backend-id=unquoted`)
}

// BenchmarkScanHostile scans the longest documents that somebody could make
// slow: the time must stay linear.
func BenchmarkScanHostile(b *testing.B) {
	for _, piece := range []string{"{{", "backend-id=' ", "fragment-id  "} {
		text := strings.Repeat(piece, (4<<20)/len(piece))
		b.Run(piece, func(b *testing.B) {
			for b.Loop() {
				scanned(text)
			}
		})
	}
}
