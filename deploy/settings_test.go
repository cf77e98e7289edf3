package deploy

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
)

// causeway builds the binary once for all tests of the package.
var causeway = sync.OnceValues(func() (string, error) {
	folder, err := os.MkdirTemp("", "causeway-deploy")
	if err != nil {
		return "", err
	}
	path := filepath.Join(folder, "causeway")
	cmd := exec.Command("go", "build", "-o", path, "./cmd/causeway")
	cmd.Dir = ".."
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w\n%s", err, out)
	}
	return path, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if path, err := causeway(); err == nil {
		_ = os.RemoveAll(filepath.Dir(path))
	}
	os.Exit(code)
}

// environments are the settings that Azure's ways to deploy a gateway give a container, by way.
func environments(t *testing.T) map[string][]string {
	t.Helper()
	ways := map[string][]string{}
	text, err := os.ReadFile("testdata/azure/env.conf")
	if err != nil {
		t.Fatal(err)
	}
	ways["docker run --env-file env.conf"] = strings.Split(strings.TrimSpace(string(text)), "\n")
	if text, err = os.ReadFile("testdata/azure/gateway.yaml"); err != nil {
		t.Fatal(err)
	}
	o := objects{}
	if err := decode(o, string(text)); err != nil {
		t.Fatal(err)
	}
	ways["kubectl apply"] = environment(t, o, "ConfigMap/edge-environment", "Deployment/edge", "")
	if text, err = os.ReadFile("testdata/values/azure.yaml"); err != nil {
		t.Fatal(err)
	}
	if o, err = render(string(text)); err != nil {
		t.Fatal(err)
	}
	const name = "edge-causeway-gateway"
	ways["helm install --values azure.yaml"] = environment(t, o, "ConfigMap/"+name, "Deployment/"+name, "Secret/"+name)
	return ways
}

// environment is what the container of a Deployment finds.
func environment(t *testing.T, o objects, configMap, deployment, secret string) []string {
	t.Helper()
	var env []string
	for name, value := range get[corev1.ConfigMap](t, o, configMap).Data {
		env = append(env, name+"="+value)
	}
	for _, e := range get[appsv1.Deployment](t, o, deployment).Spec.Template.Spec.Containers[0].Env {
		switch {
		case e.Value != "":
			env = append(env, e.Name+"="+e.Value)
		case e.ValueFrom != nil && e.ValueFrom.SecretKeyRef != nil:
			env = append(env, e.Name+"="+string(get[corev1.Secret](t, o, secret).Data[e.ValueFrom.SecretKeyRef.Key]))
		}
	}
	return env
}

// listening finds the address in the line with which a gateway says that it listens.
var listening = regexp.MustCompile(`listens on (127\.0\.0\.1:\d+)`)

// TestGatewayStartsWithAzuresSettings starts the gateway with exactly the settings of each way and looks whether it
// lives, waits for its configuration, and knows every setting.
func TestGatewayStartsWithAzuresSettings(t *testing.T) {
	t.Parallel()
	bin, err := causeway()
	if err != nil {
		t.Fatal(err)
	}
	for way, env := range environments(t) {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			folder := t.TempDir()
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			defer cancel()
			cmd := exec.CommandContext(ctx, bin, "gateway", "--gateway-listen", "127.0.0.1:0", "--gateway-tls-listen", "off", "--config-backup", folder)
			cmd.Dir = folder
			cmd.Env = append(append(os.Environ(), env...),
				// So that the test can read what it says.
				"telemetry.logs.std=json", "telemetry.logs.std.color=false")
			cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
			stdout, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			cmd.Stderr = cmd.Stdout
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			var said []string
			addr := ""
			lines := bufio.NewScanner(stdout)
			for addr == "" && lines.Scan() {
				said = append(said, lines.Text())
				if m := listening.FindStringSubmatch(lines.Text()); m != nil {
					addr = m[1]
				}
			}
			if addr == "" {
				t.Fatalf("it did not start: %v\n%s", cmd.Wait(), strings.Join(said, "\n"))
			}
			for path, want := range map[string]int{"/livez": http.StatusOK, "/readyz": http.StatusServiceUnavailable} {
				res, err := http.Get("http://" + addr + path)
				if err != nil {
					t.Fatal(err)
				}
				res.Body.Close()
				if res.StatusCode != want {
					t.Errorf("%s answers %d, want %d", path, res.StatusCode, want)
				}
			}
			_ = cmd.Process.Signal(syscall.SIGTERM)
			for lines.Scan() {
				said = append(said, lines.Text())
			}
			if err := cmd.Wait(); err != nil {
				var exit *exec.ExitError
				if !errors.As(err, &exit) || exit.ExitCode() != 0 {
					t.Errorf("it ended with %v", err)
				}
			}
			for _, line := range said {
				if strings.Contains(line, "unknown setting") || strings.Contains(line, `"level":"Fatal"`) {
					t.Error(line)
				}
			}
		})
	}
}
