package resources

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/resource"
)

// deploy makes the text of a gateway with a name that is awkward everywhere.
func deploy(t *testing.T, body string) (GatewayDeploymentContract, error) {
	t.Helper()
	return deployNamed(t, "9_It's-Edge", body)
}

func deployNamed(t *testing.T, name, body string) (GatewayDeploymentContract, error) {
	t.Helper()
	id, err := arm.ParseID("/subscriptions/s/resourceGroups/g/providers/Microsoft.ApiManagement/service/dev/gateways/" + name)
	if err != nil {
		t.Fatal(err)
	}
	d := &resource.Doc[Gateway]{Meta: resource.Meta{ID: id}, Props: Gateway{PrimaryKey: newGatewayKey(), SecondaryKey: newGatewayKey()}}
	x := &resource.Reader{Request: &resource.Request{Now: time.Date(2026, 11, 23, 10, 0, 30, 0, time.UTC), BaseURL: "https://plane.test:8881"}}
	v, err := deployGateway(Env{}, x, d, json.RawMessage(body))
	if err != nil {
		return GatewayDeploymentContract{}, err
	}
	return v.(GatewayDeploymentContract), nil
}

func TestGatewayDeploymentTexts(t *testing.T) {
	t.Parallel()
	for format, c := range map[string]struct {
		file    string
		objects int // YAML documents
		want    []string
	}{
		"docker":     {"gateway-9-it-s-edge.sh", 0, []string{"docker run -d --name gateway-9-it-s-edge ", "-e config.service.endpoint='https://plane.test:8881'", `-e config.service.auth='GatewayKey 9_It'\''s-Edge&202612231000&`, defaultGatewayImage}},
		"env":        {"env.conf", 0, []string{"config.service.endpoint=https://plane.test:8881\n", "config.service.auth=GatewayKey 9_It's-Edge&202612231000&"}},
		"compose":    {"compose.yaml", 1, []string{`config.service.auth: "GatewayKey 9_It's-Edge&`}},
		"kubernetes": {"gateway-9-it-s-edge.yaml", 5, []string{"kind: Deployment", `value: "GatewayKey 9_It's-Edge&`, "name: gateway-9-it-s-edge-instance-discovery"}},
		"helm":       {"values.yaml", 1, []string{`uri: "https://plane.test:8881"`, "type: GatewayToken"}},
		"systemd":    {"causeway-gateway-9-it-s-edge.service", 0, []string{`Environment="CONFIG_SERVICE_AUTH=GatewayKey 9_It's-Edge&`, "ExecStart=/usr/bin/causeway gateway "}},
	} {
		got, err := deploy(t, `{"format":"`+format+`"}`)
		if err != nil {
			t.Errorf("%s: %v", format, err)
			continue
		}
		if got.FileName != c.file || got.Format != format || !got.Expiry.Equal(time.Date(2026, 12, 23, 10, 0, 0, 0, time.UTC)) {
			t.Errorf("%s: %q, %q, %s", format, got.FileName, got.Format, got.Expiry)
		}
		for _, want := range c.want {
			if !strings.Contains(got.Value, want) {
				t.Errorf("%s lacks %s:\n%s", format, want, got.Value)
			}
		}
		if n := objectsIn(t, got.Value); c.objects > 0 && n != c.objects {
			t.Errorf("%s has %d documents, want %d", format, n, c.objects)
		}
	}
}

// TestGatewayDeploymentFiles: tests of deploy/ decode these files with Kubernetes' own types and render the chart with them.
func TestGatewayDeploymentFiles(t *testing.T) {
	t.Parallel()
	token := regexp.MustCompile(`GatewayKey edge&[0-9]+&[A-Za-z0-9+/=]+`)
	for format, file := range map[string]string{"kubernetes": "kubernetes.yaml", "helm": "values.yaml"} {
		want, err := os.ReadFile("../../deploy/testdata/deployment/" + file)
		if err != nil {
			t.Fatal(err)
		}
		got, err := deployNamed(t, "edge", `{"format":"`+format+`","endpoint":"https://plane.example:8881","image":"causeway-apim/causeway:0.1.0","expiry":"2026-12-01T00:00:00Z"}`)
		if err != nil {
			t.Fatal(err)
		}
		if mask := func(text string) string { return token.ReplaceAllString(text, "TOKEN") }; mask(got.Value) != mask(string(want)) {
			t.Errorf("%s is not what deploy/testdata/deployment/%s says:\n%s", format, file, got.Value)
		}
	}
}

// objectsIn counts the YAML documents of a text; 0 when it is none.
func objectsIn(t *testing.T, text string) (n int) {
	t.Helper()
	dec := yaml.NewDecoder(strings.NewReader(text))
	for {
		var v map[string]any
		if err := dec.Decode(&v); errors.Is(err, io.EOF) {
			return n
		} else if err != nil {
			return 0
		}
		n++
	}
}

func TestGatewayDeploymentRefusals(t *testing.T) {
	t.Parallel()
	for body, target := range map[string]string{
		`{"format":"rpm"}`:                                               "format",
		`{"format":"env","keyType":"third"}`:                             "keyType",
		`{"format":"env","endpoint":"plane"}`:                            "endpoint",
		`{"format":"env","endpoint":"https://plane/\nx=y"}`:              "endpoint",
		`{"format":"docker","image":"a; rm -rf /"}`:                      "image",
		`{"format":"env","expiry":"2027-11-23T00:00:00Z"}`:               "expiry",
		`{"format":"systemd","endpoint":"https://plane/\"","image":"x"}`: "endpoint",
	} {
		_, err := deploy(t, body)
		if e, ok := errors.AsType[*arm.Error](err); !ok || e.Target != target {
			t.Errorf("%s: %v, want an error of %s", body, err, target)
		}
	}
}
