package deploy

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
	"sigs.k8s.io/yaml"
)

// knownMetrics are the names of testdata/metrics.txt with their labels. A test of internal/telemetry compares those
// of gateways with what they say.
func knownMetrics(t *testing.T) map[string][]string {
	t.Helper()
	text, err := os.ReadFile("testdata/metrics.txt")
	if err != nil {
		t.Fatal(err)
	}
	known := map[string][]string{}
	for line := range strings.Lines(string(text)) {
		words := strings.Fields(line)
		known[words[0]] = append(words[1:], labels.MetricName, "instance")
	}
	return known
}

// checkQuery parses a query and looks whether its metrics and labels exist.
func checkQuery(t *testing.T, known map[string][]string, query string) {
	t.Helper()
	expr, err := parser.NewParser(parser.Options{}).ParseExpr(strings.NewReplacer("$__rate_interval", "5m", "$__range", "1h").Replace(query))
	if err != nil {
		t.Errorf("%s: %v", query, err)
		return
	}
	parser.Inspect(expr, func(node parser.Node, _ []parser.Node) error {
		v, ok := node.(*parser.VectorSelector)
		if !ok {
			return nil
		}
		names, ok := known[v.Name]
		if !ok {
			t.Errorf("%s: there is no metric %s", query, v.Name)
		}
		for _, m := range v.LabelMatchers {
			if !slices.Contains(names, m.Name) {
				t.Errorf("%s: %s has no label %s", query, v.Name, m.Name)
			}
		}
		return nil
	})
}

func TestDashboard(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("grafana/gateway.json")
	if err != nil {
		t.Fatal(err)
	}
	var d struct {
		UID, Title string
		Panels     []struct {
			ID      int
			Title   string
			GridPos struct{ X, W int }
			Targets []struct{ Expr string }
		}
		Templating struct {
			List []struct{ Name, Query string }
		}
	}
	if err := json.Unmarshal(text, &d); err != nil {
		t.Fatal(err)
	}
	known := knownMetrics(t)
	seen := map[int]bool{}
	for _, p := range d.Panels {
		if seen[p.ID] || p.Title == "" || len(p.Targets) == 0 || p.GridPos.X+p.GridPos.W > 24 {
			t.Errorf("panel %+v", p)
		}
		seen[p.ID] = true
		for _, target := range p.Targets {
			checkQuery(t, known, target.Expr)
		}
	}
	for _, v := range d.Templating.List {
		if !strings.Contains(string(text), "$"+v.Name) && !strings.Contains(string(text), "${"+v.Name+"}") {
			t.Errorf("nothing uses the variable %s", v.Name)
		}
		rest, ok := strings.CutPrefix(v.Query, "label_values(")
		if !ok {
			continue
		}
		name, label, _ := strings.Cut(strings.TrimSuffix(rest, ")"), ", ")
		if !slices.Contains(known[name], label) {
			t.Errorf("variable %s: %s has no label %s", v.Name, name, label)
		}
	}
}

func TestAlerts(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("prometheus/alerts.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var rules struct {
		Groups []struct {
			Name  string `json:"name"`
			Rules []struct {
				Alert       string            `json:"alert"`
				Expr        string            `json:"expr"`
				For         string            `json:"for"`
				Labels      map[string]string `json:"labels"`
				Annotations map[string]string `json:"annotations"`
			} `json:"rules"`
		} `json:"groups"`
	}
	if err := yaml.UnmarshalStrict(text, &rules); err != nil {
		t.Fatal(err)
	}
	known := knownMetrics(t)
	names := map[string]bool{}
	for _, g := range rules.Groups {
		for _, r := range g.Rules {
			if names[r.Alert] || r.Alert == "" || r.Annotations["summary"] == "" || r.Annotations["description"] == "" || r.Labels["severity"] == "" {
				t.Errorf("%s: rule %+v", g.Name, r)
			}
			names[r.Alert] = true
			checkQuery(t, known, r.Expr)
		}
	}
	if len(names) == 0 {
		t.Error("there are no alerts")
	}
}
