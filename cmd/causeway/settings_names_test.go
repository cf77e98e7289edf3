package main

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestArcNames(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "arc.yaml")
	write(t, file, `gateway:
  configuration: {uri: plane.example, backup: {enabled: true}}
  auth: {token: GatewayKey g}
telemetry:
  metrics: {local: statsd, localStatsd: {endpoint: "statsd:8125", tagFormat: librato}, opentelemetry: {enabled: true, collector: {uri: "http://otel:4317"}}}
  logs: {std: json, localConfig: {rfc5424: {endpoint: "syslog:514", facility: 7}}}
service: {type: ClusterIP, instance: {heartbeat: {port: 4391}}}
replicaCount: 3
`)
	s, err := loadSettings(file, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"config.service.endpoint": "plane.example", "config.service.auth": "GatewayKey g", "telemetry.metrics.local": "statsd",
		"telemetry.metrics.local.statsd.endpoint": "statsd:8125", "telemetry.metrics.local.statsd.tag-format": "librato",
		"observability.opentelemetry.enabled": "true", "observability.opentelemetry.collector.uri": "http://otel:4317",
		"telemetry.logs.local.rfc5424.endpoint": "syslog:514", "telemetry.logs.local.rfc5424.facility": "7", "neighborhood.heartbeat.port": "4391",
	} {
		if got := s.text(name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	said := strings.Join(s.unknown, "\n")
	for _, want := range []string{
		"gateway.configuration.uri (" + file + ") is the Arc extension's name for config.service.endpoint",
		"setting replicaCount", "setting service.type", "setting gateway.configuration.backup.enabled",
	} {
		if !strings.Contains(said, want) {
			t.Errorf("%q is not said:\n%s", want, said)
		}
	}
	if strings.Contains(said, "unknown setting") {
		t.Error(said)
	}
}

func TestIngressIsRefused(t *testing.T) {
	t.Parallel()
	if _, err := loadSettings("", []string{"k8s.ingress.enabled=true"}); err == nil || !strings.Contains(err.Error(), "not supported") {
		t.Errorf("got %v", err)
	}
	if _, err := loadSettings("", []string{"k8s.ingress.enabled=false", "k8s.ingress.namespace=apim", "RESOURCES=x", "IMAGE=y"}); err != nil {
		t.Error(err)
	}
}
