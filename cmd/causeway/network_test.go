package main

import (
	"crypto/tls"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func networkOf(t *testing.T, memory int64, environ ...string) *network {
	t.Helper()
	s, err := loadSettings("", environ)
	if err != nil {
		t.Fatal(err)
	}
	n, err := readNetwork(s, memory)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestReadNetwork(t *testing.T) {
	t.Parallel()
	n := networkOf(t, 1<<30)
	if n.overload.MemoryLimit != 1<<30 || n.overload.Requests != 4096 || n.overload.Queue != 1000 || n.overload.Patience != time.Second ||
		n.server.Limits.URLLength != 8192 || n.server.Limits.IdleTimeout != 2*time.Minute || n.transport.MaxAge != 10*time.Minute || n.drain != 30*time.Second ||
		n.backendTLS.TLS11 || !n.backendTLS.TLS12 || len(n.warnings) != 0 {
		t.Errorf("defaults: %+v", n)
	}
	if n := networkOf(t, 0); n.overload.MemoryLimit != 0 || n.overload.Requests != 20000 {
		t.Errorf("without a limit: %+v", n.overload)
	}
	n = networkOf(t, 1<<30, "NET_SERVER_LIMITS_REQUESTS=7", "net.server.limits.memory=0", "net.server.limits.connections-per-address=50",
		"net.server.trusted-proxies=10.0.0.0/8", "net.server.proxy-protocol.from=10.1.0.0/16,::1",
		backendProtocol+"Tls11=true", backendProtocol+"Ssl30=true", backendProtocol+"Tls13=false",
		"net.server.tls.ciphers.allowed-suites=TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,TLS_DHE_RSA_WITH_AES_128_CBC_SHA")
	if n.overload.Requests != 7 || n.overload.MemoryLimit != 0 || n.server.Limits.ConnsPerAddress != 50 || len(n.proxies) != 1 || len(n.server.ProxyProtocol) != 2 ||
		!n.backendTLS.TLS11 || n.backendTLS.TLS13 || n.serverTLS.TLS13 || len(n.serverTLS.Suites) != 1 || n.serverTLS.Suites[0] != tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 {
		t.Errorf("got %+v", n)
	}
	if said := strings.Join(n.warnings, "\n"); !strings.Contains(said, "Ssl30: SSL 3.0") || !strings.Contains(said, "allowed-suites: these cipher suites are not offered by this gateway: TLS_DHE_RSA_WITH_AES_128_CBC_SHA") {
		t.Errorf("warnings: %s", said)
	}
}

func TestReadDrainDelay(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		setting    string
		kubernetes string
		want       time.Duration
	}{
		{"", "", 0}, {"", "10.0.0.1", 5 * time.Second}, {"AUTO", "10.0.0.1", 5 * time.Second}, {"0s", "10.0.0.1", 0}, {"00:00:20", "", 20 * time.Second},
	} {
		var environ []string
		if test.setting != "" {
			environ = append(environ, "net.server.drain-delay="+test.setting)
		}
		s, err := loadSettings("", environ)
		if err != nil {
			t.Fatal(err)
		}
		getenv := func(name string) string {
			if name == "KUBERNETES_SERVICE_HOST" {
				return test.kubernetes
			}
			return ""
		}
		if got, err := readDrainDelay(s, getenv); err != nil || got != test.want {
			t.Errorf("%+v: %v, %v", test, got, err)
		}
	}
}

func TestReadNetworkProblems(t *testing.T) {
	t.Parallel()
	for _, e := range []string{
		"net.server.trusted-proxies=here", "net.server.proxy-protocol.from=10.0.0.0/40", "net.server.limits.requests=many", "net.server.limits.memory=-1",
		"net.client.tls.ciphers.allowed-suites=TLS_NONE", "net.server.limits.streams=some", "net.server.limits.idle-timeout=long",
		"net.server.drain-delay=long", "net.server.drain-delay=-5s",
	} {
		s, err := loadSettings("", []string{e})
		if err == nil {
			_, err = readNetwork(s, 0)
		}
		if name, _, _ := strings.Cut(e, "="); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", e, err)
		}
	}
}

func TestReadAuthorities(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if pool, err := readAuthorities(dir); err != nil || pool == nil {
		t.Errorf("an empty folder: %v", err)
	}
	write(t, filepath.Join(dir, "a.crt"), "no certificate")
	if _, err := readAuthorities(dir); err == nil || !strings.Contains(err.Error(), "a.crt") {
		t.Errorf("got %v", err)
	}
}

func TestGroupMemory(t *testing.T) {
	t.Parallel()
	f := func(want int64, files ...string) {
		t.Helper()
		root := t.TempDir()
		for i := 0; i < len(files); i += 2 {
			file := filepath.Join(root, files[i])
			if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
				t.Fatal(err)
			}
			write(t, file, files[i+1])
		}
		if got := groupMemory(root); got != want {
			t.Errorf("%q: got %d", files, got)
		}
	}
	f(0)
	f(0, "proc/self/cgroup", "0::/a/b\n", "sys/fs/cgroup/a/b/memory.max", "max\n")
	f(1000, "proc/self/cgroup", "0::/a/b\n", "sys/fs/cgroup/a/b/memory.max", "2000\n", "sys/fs/cgroup/a/memory.max", "1000\n", "sys/fs/cgroup/memory.max", "max\n")
	f(3000, "proc/self/cgroup", "0::/elsewhere\n", "sys/fs/cgroup/memory.max", "3000\n")
	f(4000, "proc/self/cgroup", "5:cpu,memory:/c\n4:pids:/c\n", "sys/fs/cgroup/memory/c/memory.limit_in_bytes", "4000\n", "sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n")
}
