package main

import (
	"fmt"
	"strings"
)

// arcNames are the names by which Azure Arc's extension of the gateway knows settings ("Reference: self-hosted
// gateway Azure Arc settings"), in lower case, with ours.
var arcNames = map[string]string{
	"gateway.configuration.uri":                       "config.service.endpoint",
	"gateway.auth.token":                              "config.service.auth",
	"service.instance.heartbeat.port":                 "neighborhood.heartbeat.port",
	"service.instance.synchronization.port":           "policy.rate-limit.sync.port",
	"telemetry.metrics.localstatsd.endpoint":          "telemetry.metrics.local.statsd.endpoint",
	"telemetry.metrics.localstatsd.sampling":          "telemetry.metrics.local.statsd.sampling",
	"telemetry.metrics.localstatsd.tagformat":         "telemetry.metrics.local.statsd.tag-format",
	"telemetry.metrics.opentelemetry.enabled":         "observability.opentelemetry.enabled",
	"telemetry.metrics.opentelemetry.collector.uri":   "observability.opentelemetry.collector.uri",
	"telemetry.logs.localconfig.localsyslog.endpoint": "telemetry.logs.local.localsyslog.endpoint",
	"telemetry.logs.localconfig.localsyslog.facility": "telemetry.logs.local.localsyslog.facility",
	"telemetry.logs.localconfig.rfc5424.endpoint":     "telemetry.logs.local.rfc5424.endpoint",
	"telemetry.logs.localconfig.rfc5424.facility":     "telemetry.logs.local.rfc5424.facility",
	"telemetry.logs.localconfig.journal.endpoint":     "telemetry.logs.local.journal.endpoint",
}

// arcDeployment are the first words of the extension's settings that say how Kubernetes runs the gateway: the chart's
// business, where they have the same names.
var arcDeployment = []string{
	"gateway.configuration.backup.", "service.type", "service.annotations", "service.http.", "service.https.", "ingress.", "dapr.", "monitoring.",
	"replicacount", "image.", "imagepullsecrets", "probes.", "highavailability.", "resources.", "nodeselector.", "affinity.", "tolerations",
}

// arcName returns our name for a setting of the Arc extension, and what to say of it; both are empty for a name that
// is none of the extension's.
func arcName(name, origin string) (ours, sentence string) {
	lower := strings.ToLower(name)
	if ours := arcNames[lower]; ours != "" {
		return ours, fmt.Sprintf("setting %s (%s) is the Arc extension's name for %s, and is taken for it", name, origin, ours)
	}
	if !strings.Contains(name, ".") && origin == "environment" {
		return "", "" // any program's variable
	}
	for _, word := range arcDeployment {
		if lower == word || strings.HasPrefix(lower, word) {
			return "", fmt.Sprintf("setting %s (%s) of the Arc extension says how Kubernetes runs the gateway and has no effect here; it is a value of the chart", name, origin)
		}
	}
	return "", ""
}

// checkRefused refuses what would silently do nothing.
func (s *settings) checkRefused() error {
	if s.flag("k8s.ingress.enabled") {
		return usageError("setting k8s.ingress.enabled (%s): reading Ingress objects of Kubernetes is not supported; declare the APIs in the management plane and remove the k8s.ingress settings", s.values["k8s.ingress.enabled"].origin)
	}
	return nil
}
