package telemetry

import (
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
)

// TestDashboardMetrics compares the list that dashboards and alerts are checked against with what gateways say.
func TestDashboardMetrics(t *testing.T) {
	t.Parallel()
	m := NewMetrics(MetricsOptions{GatewayID: "edge", Location: func() string { return "here" }, Buckets: []float64{5}, System: true})
	m.Add(&Record{Host: m.Host("h"), ResponseCode: 200})
	var page strings.Builder
	if err := WritePrometheus(&page, m.Read()); err != nil {
		t.Fatal(err)
	}
	said := map[string]string{}
	for line := range strings.Lines(page.String()) {
		name, rest, labelled := strings.Cut(strings.TrimSpace(line), "{")
		if !labelled {
			name, _, _ = strings.Cut(name, " ")
		}
		if strings.HasPrefix(name, "#") {
			continue
		}
		text := name
		for label := range strings.SplitSeq(rest, `",`) {
			if key, _, ok := strings.Cut(label, "="); ok {
				text += " " + key
			}
		}
		said[name] = text
	}
	list, err := os.ReadFile("../../deploy/testdata/metrics.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(list)) {
		line = strings.TrimSpace(line)
		name, _, _ := strings.Cut(line, " ")
		if strings.HasPrefix(name, "apim_") && said[name] != line {
			t.Errorf("deploy/testdata/metrics.txt has %q, gateways say %q", line, said[name])
		}
	}
	if t.Failed() {
		t.Log(slices.Sorted(maps.Values(said)))
	}
}
