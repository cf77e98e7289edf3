//go:build interop

// Package interop tests Causeway with things that other people made. Its tests need the network's package registries
// and minutes of time: `make interop` runs them.
package interop

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/causeway-apim/causeway/internal/causewaytest"
)

// githubDescription is the npm package that holds the description of GitHub's REST API.
const githubDescription = "@octokit/openapi"

// TestInteropGitHub imports GitHub's REST API, about a thousand operations, by link in less than three seconds, assigns it
// to a self-hosted gateway, and calls there one operation of every shape of method and URL template.
func TestInteropGitHub(t *testing.T) {
	description := fetchDescription(t)
	files := httptest.NewServer(http.FileServer(http.Dir(filepath.Dir(description))))
	defer files.Close()
	github := causewaytest.NewBackend(t)
	system := causewaytest.NewSystem(t)
	plane := system.Start("plane", "dev", "--empty")
	body, err := json.Marshal(map[string]any{"properties": map[string]any{
		"path": "github", "protocols": []string{"http"}, "serviceUrl": github.URL(), "subscriptionRequired": false,
		"format": "openapi+json-link", "value": files.URL + "/" + filepath.Base(description),
	}})
	if err != nil {
		t.Fatal(err)
	}
	started := time.Now()
	system.ARM(plane, http.MethodPut, "apis/github", string(body))
	took := time.Since(started)
	if took > 3*time.Second {
		t.Errorf("the import took %v, want less than 3 s", took)
	}
	system.ARM(plane, http.MethodPut, "apis/github/policies/policy", markOperation(t))
	edge := startEdge(t, system, plane)
	operations := listOperations(t, system, plane)
	t.Logf("%d operations in %v", len(operations), took.Round(time.Millisecond))
	if len(operations) < 900 {
		t.Errorf("only %d operations", len(operations))
	}
	shapes := map[string]bool{}
	for _, op := range operations {
		shape := op.Method + " " + templateParameter.ReplaceAllString(op.URLTemplate, "{}")
		if !shapes[shape] {
			shapes[shape] = true
			call(t, edge, github, op)
		}
	}
	t.Logf("%d operations called", len(shapes))
}

type operation struct{ Name, Method, URLTemplate string }

var templateParameter = regexp.MustCompile(`\{[^}]*\}`)

// call sends a request for an operation and checks which operation the gateway took it for.
func call(t *testing.T, edge *causewaytest.Process, github *causewaytest.Backend, op operation) {
	t.Helper()
	github.Reset()
	n := 0
	path := templateParameter.ReplaceAllStringFunc(op.URLTemplate, func(string) string {
		n++
		return fmt.Sprintf("v%d", n)
	})
	req, err := http.NewRequestWithContext(t.Context(), op.Method, edge.Listen["gateway"]+"/github"+path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	calls := github.Requests()
	if resp.StatusCode != http.StatusOK || len(calls) != 1 {
		t.Errorf("%s %s: status %d, %d calls", op.Method, path, resp.StatusCode, len(calls))
		return
	}
	if got := calls[0]; got.Target != path || got.Method != op.Method || strings.Join(got.Values("X-Operation"), ",") != op.Name {
		t.Errorf("%s %s: GitHub saw %s %s for operation %q, want %q", op.Method, path, got.Method, got.Target, got.Values("X-Operation"), op.Name)
	}
}

// fetchDescription gets the description from the npm registry.
func fetchDescription(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	cmd := exec.CommandContext(t.Context(), "npm", "install", "--no-save", "--ignore-scripts", "--prefix", dir, githubDescription)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("npm install %s: %v\n%s", githubDescription, err, out)
	}
	file := filepath.Join(dir, "node_modules", filepath.FromSlash(githubDescription), "generated", "api.github.com.json")
	if _, err := os.Stat(file); err != nil {
		t.Fatal(err)
	}
	return file
}

// markOperation is a policy that tells the backend which operation was matched.
func markOperation(t *testing.T) string {
	t.Helper()
	body, err := json.Marshal(map[string]any{"properties": map[string]any{"format": "rawxml", "value": `<policies>
<inbound><base /><set-header name="X-Operation" exists-action="override"><value>@(context.Operation.Id)</value></set-header></inbound>
<backend><base /></backend><outbound><base /></outbound><on-error><base /></on-error>
</policies>`}})
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// startEdge starts a self-hosted gateway with the API and waits until it serves.
func startEdge(t *testing.T, system *causewaytest.System, plane *causewaytest.Process) *causewaytest.Process {
	t.Helper()
	system.ARM(plane, http.MethodPut, "gateways/edge", `{"properties":{"locationData":{"name":"here"}}}`)
	system.ARM(plane, http.MethodPut, "gateways/edge/apis/github", `{}`)
	var token struct{ Value string }
	expiry := time.Now().UTC().Add(24 * time.Hour).Format(time.RFC3339)
	answer := system.ARM(plane, http.MethodPost, "gateways/edge/generateToken", `{"keyType":"primary","expiry":"`+expiry+`"}`)
	if err := json.Unmarshal([]byte(answer), &token); err != nil {
		t.Fatal(err)
	}
	edge := system.Start("edge", "config.service.endpoint="+plane.Listen["management"], "config.service.auth=GatewayKey "+token.Value, "telemetry.logs.std.level=warn", "gateway")
	for deadline := time.Now().Add(10 * time.Second); ; {
		resp, err := http.Get(edge.Listen["gateway"] + "/status-0123456789abcdef")
		if err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return edge
			}
		}
		if time.Now().After(deadline) {
			t.Fatalf("the gateway has no configuration after 10 s; its log:\n%s", edge.Log())
		}
	}
}

// listOperations follows the pages of the API's operations.
func listOperations(t *testing.T, system *causewaytest.System, plane *causewaytest.Process) []operation {
	t.Helper()
	var all []operation
	for path := "apis/github/operations?$top=500"; path != ""; {
		var page struct {
			Value []struct {
				Name       string
				Properties struct{ Method, URLTemplate string }
			}
			NextLink string
		}
		if err := json.Unmarshal([]byte(system.ARM(plane, http.MethodGet, path, "")), &page); err != nil {
			t.Fatal(err)
		}
		for _, v := range page.Value {
			all = append(all, operation{v.Name, v.Properties.Method, v.Properties.URLTemplate})
		}
		path = ""
		if _, rest, ok := strings.Cut(page.NextLink, "/subscriptions/"); ok {
			path = "/subscriptions/" + rest
		}
	}
	return all
}
