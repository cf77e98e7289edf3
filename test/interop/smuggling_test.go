//go:build interop

package interop

import (
	"bytes"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/causeway-apim/causeway/internal/causewaytest"
	"github.com/causeway-apim/causeway/internal/message/messagetest"
)

// TestInteropSmuggling sends malformed and tricky requests through the real gateway, alone, in front of and behind nginx and HAProxy: whatever each of
// them makes of a request, all on the way must agree where it ends. The programs are those of the packages nginx and haproxy.
func TestInteropSmuggling(t *testing.T) {
	witness := messagetest.NewWitness(t)
	system := causewaytest.NewSystem(t)
	plane := system.Start("plane", "dev", "--empty")
	gateway := func(t *testing.T, to string) string {
		t.Helper()
		system.ARM(plane, "PUT", "apis/all", fmt.Sprintf(`{"properties":{"displayName":"all","path":"","protocols":["http"],"subscriptionRequired":false,"serviceUrl":"http://%s"}}`, to))
		for _, method := range []string{"GET", "POST", "HEAD", "OPTIONS"} {
			system.ARM(plane, "PUT", "apis/all/operations/"+strings.ToLower(method),
				fmt.Sprintf(`{"properties":{"displayName":"%s","method":"%s","urlTemplate":"/*"}}`, method, method))
		}
		u, err := url.Parse(plane.Listen["gateway"])
		if err != nil {
			t.Fatal(err)
		}
		return u.Host
	}
	t.Run("alone", func(t *testing.T) { witness.CheckSmuggling(t, gateway(t, witness.Address())) })
	for name, start := range map[string]func(t *testing.T, to string) string{"nginx": startNginx, "haproxy": startHAProxy} {
		t.Run("in front of "+name, func(t *testing.T) { witness.CheckSmuggling(t, gateway(t, start(t, witness.Address()))) })
		t.Run("behind "+name, func(t *testing.T) { witness.CheckSmuggling(t, start(t, gateway(t, witness.Address()))) })
	}
}

// program finds one that the system's packages have installed.
func program(t *testing.T, name string) string {
	t.Helper()
	for _, candidate := range []string{name, "/usr/sbin/" + name} {
		if path, err := exec.LookPath(candidate); err == nil {
			return path
		}
	}
	t.Fatalf("%s is not installed", name)
	return ""
}

// startNginx starts nginx as a reverse proxy that keeps connections to its backend service.
func startNginx(t *testing.T, to string) string {
	t.Helper()
	dir, address := t.TempDir(), unusedAddress(t)
	return startProxy(t, address, "nginx", filepath.Join(dir, "nginx.conf"), fmt.Sprintf(`daemon off;
pid %[1]s/nginx.pid;
error_log %[1]s/error.log;
events { worker_connections 1024; }
http {
  access_log off;
  client_body_temp_path %[1]s/body;
  proxy_temp_path %[1]s/proxy;
  fastcgi_temp_path %[1]s/fastcgi;
  uwsgi_temp_path %[1]s/uwsgi;
  scgi_temp_path %[1]s/scgi;
  upstream backend { server %[3]s; keepalive 16; }
  server {
    listen %[2]s;
    location / {
      proxy_pass http://backend;
      proxy_http_version 1.1;
      proxy_request_buffering off;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
    }
  }
}
`, dir, address, to), "-c")
}

// startHAProxy starts HAProxy as a reverse proxy whose clients share connections to its backend service.
func startHAProxy(t *testing.T, to string) string {
	t.Helper()
	dir, address := t.TempDir(), unusedAddress(t)
	return startProxy(t, address, "haproxy", filepath.Join(dir, "haproxy.cfg"), fmt.Sprintf(`defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  http-reuse always
frontend in
  bind %s
  default_backend out
backend out
  server one %s
`, address, to), "-db", "-f")
}

// startProxy writes the configuration and starts the program.
func startProxy(t *testing.T, address, name, file, config string, args ...string) string {
	t.Helper()
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	startProgram(t, address, program(t, name), append(args, file)...)
	return address
}

// startProgram starts a program and waits until it accepts connections. It ends with the test.
func startProgram(t *testing.T, address, path string, args ...string) {
	t.Helper()
	var output bytes.Buffer
	cmd := exec.Command(path, args...)
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	stop := func() {
		_ = cmd.Process.Signal(os.Interrupt) // nginx's master ends its workers too
		_ = cmd.Wait()                       // which ends with the signal
	}
	t.Cleanup(stop)
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if conn, err := net.Dial("tcp", address); err == nil {
			_ = conn.Close()
			return
		}
	}
	stop()
	t.Fatalf("%s does not accept connections:\n%s", path, &output)
}

// unusedAddress is one that nobody listens on now.
func unusedAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
