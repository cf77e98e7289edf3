//go:build interop

package interop

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/causeway-apim/causeway/internal/causewaytest"
)

// statsdModule is what Prometheus' users put before StatsD.
const statsdModule = "github.com/prometheus/statsd_exporter@v0.28.0"

// buildTool builds a program with a command of go.
func buildTool(t *testing.T, dir, bin string, args ...string) {
	t.Helper()
	build := exec.CommandContext(t.Context(), "go", args...)
	build.Dir, build.Env = dir, append(build.Environ(), "GOBIN="+bin, "GOFLAGS=-mod=mod")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// startTool runs a program until the end of the test and returns what it writes.
func startTool(t *testing.T, program string, args ...string) (output func() string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "output")
	out, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, args...)
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		out.Close()
	})
	return func() string {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
}

// freePort is a port that nobody has now.
func freePort(t *testing.T, network string) string {
	t.Helper()
	if network == "udp" {
		c, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		return c.LocalAddr().String()
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// waitFor polls until all texts are there.
func waitFor(t *testing.T, what string, read func() string, wants ...string) {
	t.Helper()
	var missing []string
	for deadline := time.Now().Add(90 * time.Second); time.Now().Before(deadline); time.Sleep(200 * time.Millisecond) {
		text := read()
		missing = missing[:0]
		for _, want := range wants {
			if !strings.Contains(text, want) {
				missing = append(missing, want)
			}
		}
		if len(missing) == 0 {
			return
		}
	}
	t.Fatalf("%s: no %q in\n%s", what, missing, read())
}

// TestInteropTelemetry sends metrics, spans and log lines to a real OpenTelemetry Collector over both transports, and metrics to a real
// statsd_exporter in its forms of tags.
func TestInteropTelemetry(t *testing.T) {
	bin := t.TempDir()
	collector, exporter := filepath.Join(bin, "collector"), filepath.Join(bin, "statsd_exporter")
	buildTool(t, "collector", bin, "build", "-o", collector, ".")
	buildTool(t, "", bin, "install", statsdModule)
	grpcPort, httpPort := freePort(t, "tcp"), freePort(t, "tcp")
	config := filepath.Join(t.TempDir(), "collector.yaml")
	text := fmt.Sprintf(`receivers: {otlp: {protocols: {grpc: {endpoint: %q}, http: {endpoint: %q}}}}
exporters: {debug: {verbosity: detailed}}
service:
  telemetry: {metrics: {level: none}}
  pipelines:
    traces: {receivers: [otlp], exporters: [debug]}
    metrics: {receivers: [otlp], exporters: [debug]}
    logs: {receivers: [otlp], exporters: [debug]}
`, grpcPort, httpPort)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	received := startTool(t, collector, "--config", config)
	waitFor(t, "collector", received, "Everything is ready")
	for i, format := range []string{"librato", "dogStatsD", "influxDB"} {
		t.Run(format, func(t *testing.T) {
			uri := "http://" + grpcPort
			if i == 1 {
				uri = "http://" + httpPort + "/v1/metrics"
			}
			packets, page := freePort(t, "udp"), freePort(t, "tcp")
			ready := startTool(t, exporter, "--statsd.listen-udp="+packets, "--statsd.listen-tcp=", "--web.listen-address="+page)
			waitFor(t, "statsd_exporter", ready, "Accepting Prometheus Requests")
			name := "edge-" + strings.ToLower(format)
			callEdge(t, name, map[string]string{
				"observability.opentelemetry.enabled": "true", "observability.opentelemetry.collector.uri": uri,
				"observability.opentelemetry.system-metrics.enabled": "true", "observability.opentelemetry.traces.enabled": "true",
				"observability.opentelemetry.logs.enabled": "true", "telemetry.metrics.local": "statsd",
				"telemetry.metrics.local.statsd.endpoint": packets, "telemetry.metrics.local.statsd.tag-format": format,
			})
			waitFor(t, "statsd_exporter", func() string { return get(t, "http://"+page+"/metrics") },
				`Requests{GatewayId="`+name+`"`, `ResponseCode="404"`, `ResponseCodeCategory="4xx"`, `Status="Other"`,
				"DurationInMS", "BackendDurationInMS", "ClientDurationInMS")
			waitFor(t, "collector", received, "-> GatewayId: Str("+name+")", "Name: Requests", "Name: DurationInMs", "Name: GatewayDurationInMs", "process.cpu.time",
				"-> ResponseCode: Str(404)", "-> LastErrorReason: Str(OperationNotFound)", "Kind           : Server", "http.response.status_code: Int(404)",
				"EventName: RequestCompleted")
		})
	}
}

// callEdge starts a plane and a gateway with settings and asks it for something that is not there.
func callEdge(t *testing.T, name string, settings map[string]string) {
	t.Helper()
	system := causewaytest.NewSystem(t)
	plane := system.Start("plane", "dev", "--empty")
	system.ARM(plane, "PUT", "gateways/"+name, `{"properties":{"locationData":{"name":"Bergen"}}}`)
	answer := system.ARM(plane, "POST", "gateways/"+name+"/generateToken", `{"keyType":"primary","expiry":"`+time.Now().Add(24*time.Hour).UTC().Format(time.RFC3339)+`"}`)
	var token struct{ Value string }
	if err := json.Unmarshal([]byte(answer), &token); err != nil {
		t.Fatal(err)
	}
	lines := "config.service.endpoint=" + plane.Listen["management"] + "\nconfig.service.auth=GatewayKey " + token.Value + "\n"
	for key, value := range settings {
		lines += key + "=" + value + "\n"
	}
	file := filepath.Join(t.TempDir(), "settings.conf")
	if err := os.WriteFile(file, []byte(lines), 0o600); err != nil {
		t.Fatal(err)
	}
	edge := system.Start("edge", "OTEL_METRIC_EXPORT_INTERVAL=500", "gateway", "--settings", file)
	waitFor(t, "gateway", func() string { return get(t, edge.Listen["gateway"]+"/nothing") }, "Resource not found")
}

// get is the body of an answer, empty while nobody answers.
func get(t *testing.T, address string) string {
	t.Helper()
	resp, err := http.Get(address)
	if err != nil {
		return ""
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return ""
	}
	return string(text)
}
