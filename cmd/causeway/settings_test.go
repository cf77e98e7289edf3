package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestLoadSettings(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "env.conf")
	write(t, file, "# the portal's file\nconfig.service.endpoint=plane.example\nconfig.service.auth=GatewayKey g&1&x==\ntelemetry.logs.std=json\n")
	s, err := loadSettings(file, []string{"TELEMETRY_LOGS_STD_LEVEL=warn", "config.service.endpoint.disablecertificatevalidation=True", "PATH=/bin"})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"config.service.endpoint": "plane.example", "config.service.auth": "GatewayKey g&1&x==",
		"telemetry.logs.std": "json", "telemetry.logs.std.level": "warn", "telemetry.logs.std.color": "true",
	} {
		if got := s.text(name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	if !s.flag("config.service.endpoint.disableCertificateValidation") || len(s.unknown) != 0 {
		t.Errorf("got %v, unknown %q", s.values, s.unknown)
	}
}

func TestLoadSettingsYAML(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "s.yaml")
	write(t, file, "config:\n  service:\n    endpoint: https://plane.example\ntelemetry.logs.std: none\n")
	s, err := loadSettings(file, nil)
	if err != nil {
		t.Fatal(err)
	}
	if s.text("config.service.endpoint") != "https://plane.example" || s.text("telemetry.logs.std") != "none" {
		t.Errorf("got %v", s.values)
	}
}

func TestSettingsProblems(t *testing.T) {
	t.Parallel()
	f := func(want string, environ ...string) {
		t.Helper()
		_, err := loadSettings("", environ)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %s", environ, err, want)
		}
	}
	f("telemetry.logs.std.color", "telemetry.logs.std.color=blue")
	f("one of none, text, json", "TELEMETRY_LOGS_STD=xml")
	f("port number", "neighborhood.heartbeat.port=99999")
	f("00:01:40", "config.service.integration.timeout=soon")
	s, err := loadSettings("", []string{"config.service.endpont=x", "GATEWAY_INTERFACE=CGI/1.1"})
	if err != nil || len(s.unknown) != 1 || !strings.Contains(s.unknown[0], "config.service.endpoint") {
		t.Errorf("got %v, %q", err, s.unknown)
	}
	if _, err := loadSettings(filepath.Join(t.TempDir(), "none"), nil); err == nil || !strings.Contains(err.Error(), "--settings") {
		t.Errorf("missing file: %v", err)
	}
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// Exit codes tell wrong usage from failures.
func TestExitCodes(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		args string
		code int
		says string
	}{
		{"", exitDone, ""},
		{"policy", exitDone, ""},
		{"version", exitDone, ""},
		{"banana", exitUsage, "banana"},
		{"policy banana", exitUsage, "banana"},
		{"dev banana", exitUsage, "banana"},
		{"server config banana", exitUsage, "banana"},
		{"version --banana", exitUsage, "--banana"},
		{"policy check missing.xml", exitFailed, "missing.xml"},
		{"server --config missing.yaml", exitFailed, "missing.yaml"},
	} {
		var out, errs strings.Builder
		if code := run(t.Context(), strings.Fields(test.args), strings.NewReader(""), &out, &errs); code != test.code {
			t.Errorf("causeway %s: exit code %d, want %d", test.args, code, test.code)
		}
		if got := errs.String(); !strings.Contains(got, test.says) || (got == "") != (test.code == exitDone) {
			t.Errorf("causeway %s says %q", test.args, got)
		}
	}
}
