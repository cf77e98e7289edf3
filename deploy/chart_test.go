// Package deploy holds what Causeway is installed with. Its tests render the chart with Helm's engine and decode what comes out
// strictly with Kubernetes' own types.
package deploy

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	"helm.sh/helm/v3/pkg/lint/rules"
	"helm.sh/helm/v3/pkg/lint/support"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"
)

// objects are the rendered objects by kind and name.
type objects map[string]any

// get returns the object of kind and name, or ends the test.
func get[T any](t *testing.T, o objects, key string) *T {
	t.Helper()
	v, ok := o[key].(*T)
	if !ok {
		t.Fatalf("%s is not rendered; there are %v", key, slices.Sorted(maps.Keys(o)))
	}
	return v
}

// newObject returns an empty object of a kind, for strict decoding.
func newObject(kind string) any {
	switch kind {
	case "ConfigMap":
		return &corev1.ConfigMap{}
	case "Deployment":
		return &appsv1.Deployment{}
	case "HorizontalPodAutoscaler":
		return &autoscalingv2.HorizontalPodAutoscaler{}
	case "NetworkPolicy":
		return &networkingv1.NetworkPolicy{}
	case "PersistentVolumeClaim":
		return &corev1.PersistentVolumeClaim{}
	case "Pod":
		return &corev1.Pod{}
	case "PodDisruptionBudget":
		return &policyv1.PodDisruptionBudget{}
	case "Secret":
		return &corev1.Secret{}
	case "Service":
		return &corev1.Service{}
	case "ServiceAccount":
		return &corev1.ServiceAccount{}
	case "ServiceMonitor": // of the Prometheus operator: its type would bring the operator along
		return &map[string]any{}
	}
	return nil
}

// render renders the chart as `helm template release chart --values VALUES` does.
func render(values string) (objects, error) {
	c, err := loader.Load("chart")
	if err != nil {
		return nil, err
	}
	given, err := chartutil.ReadValues([]byte(values))
	if err != nil {
		return nil, err
	}
	all, err := chartutil.ToRenderValues(c, given, chartutil.ReleaseOptions{Name: "edge", Namespace: "apim", IsInstall: true}, chartutil.DefaultCapabilities)
	if err != nil {
		return nil, err
	}
	files, err := engine.Render(c, all)
	if err != nil {
		return nil, err
	}
	out := objects{}
	for name, text := range files {
		if filepath.Ext(name) == ".txt" {
			continue
		}
		if err := decode(out, text); err != nil {
			return nil, errors.Join(errors.New(name), err)
		}
	}
	return out, nil
}

func decode(out objects, text string) error {
	documents := utilyaml.NewDocumentDecoder(io.NopCloser(strings.NewReader(text)))
	buf := make([]byte, len(text)+1)
	for {
		n, err := documents.Read(buf)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		var head struct {
			Kind     string
			Metadata struct{ Name string }
		}
		if err := yaml.Unmarshal(buf[:n], &head); err != nil {
			return err
		}
		if head.Kind == "" {
			if len(bytes.TrimSpace(buf[:n])) > 0 {
				return errors.New("an object without a kind")
			}
			continue
		}
		object := newObject(head.Kind)
		if object == nil {
			return errors.New("unexpected kind " + head.Kind)
		}
		if err := yaml.UnmarshalStrict(buf[:n], object); err != nil {
			return err
		}
		out[head.Kind+"/"+head.Metadata.Name] = object
	}
}

// least are the values without which there is no gateway.
const least = `gateway: {configuration: {uri: "https://plane.example"}, auth: {key: "GatewayKey edge&202701010000&c2ln"}}`

func TestChartWithLeastValues(t *testing.T) {
	t.Parallel()
	o, err := render(least)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"ConfigMap/edge-causeway-gateway", "Deployment/edge-causeway-gateway", "Pod/edge-causeway-gateway-test",
		"PodDisruptionBudget/edge-causeway-gateway", "Secret/edge-causeway-gateway", "Service/edge-causeway-gateway",
		"Service/edge-causeway-gateway-instance-discovery", "ServiceAccount/edge-causeway-gateway",
	}
	if got := slices.Sorted(maps.Keys(o)); !slices.Equal(got, want) {
		t.Errorf("rendered %v, want %v", got, want)
	}
	settings := get[corev1.ConfigMap](t, o, "ConfigMap/edge-causeway-gateway").Data
	for name, value := range map[string]string{
		"config.service.endpoint": "https://plane.example", "neighborhood.host": "edge-causeway-gateway-instance-discovery",
		"neighborhood.heartbeat.port": "4291", "policy.rate-limit.sync.port": "4290", "telemetry.metrics.cloud": "true",
		"telemetry.metrics.local": "none", "telemetry.logs.std": "text", "observability.opentelemetry.enabled": "false",
	} {
		if settings[name] != value {
			t.Errorf("setting %s is %q, want %q", name, settings[name], value)
		}
	}
	if key := get[corev1.Secret](t, o, "Secret/edge-causeway-gateway").Data["gateway-key"]; string(key) != "GatewayKey edge&202701010000&c2ln" {
		t.Errorf("the secret holds %q", key)
	}
	d := get[appsv1.Deployment](t, o, "Deployment/edge-causeway-gateway")
	pod := d.Spec.Template.Spec
	c := pod.Containers[0]
	if *d.Spec.Replicas != 3 || c.Image != "causeway-apim/causeway:0.1.0" || !slices.Equal(c.Args, []string{"gateway"}) || *pod.TerminationGracePeriodSeconds != 60 {
		t.Errorf("replicas %d, image %s, args %v", *d.Spec.Replicas, c.Image, c.Args)
	}
	if c.Env[0].Name != "config.service.auth" || c.Env[0].ValueFrom.SecretKeyRef.Key != "gateway-key" {
		t.Errorf("the token comes from %+v", c.Env[0])
	}
	if c.LivenessProbe.HTTPGet.Path != "/livez" || c.ReadinessProbe.HTTPGet.Path != "/status-0123456789abcdef" {
		t.Errorf("probes %s and %s", c.LivenessProbe.HTTPGet.Path, c.ReadinessProbe.HTTPGet.Path)
	}
	if !*c.SecurityContext.ReadOnlyRootFilesystem || !*pod.SecurityContext.RunAsNonRoot {
		t.Error("the pod may write its file system or run as root")
	}
	for key, value := range d.Spec.Selector.MatchLabels {
		if d.Spec.Template.Labels[key] != value || get[corev1.Service](t, o, "Service/edge-causeway-gateway").Spec.Selector[key] != value {
			t.Errorf("the selector %s=%s does not find the pods", key, value)
		}
	}
	// The test's pod must not serve requests.
	if get[corev1.Pod](t, o, "Pod/edge-causeway-gateway-test").Labels["app.kubernetes.io/component"] != "" {
		t.Error("the service selects the pod of the test")
	}
}

// TestChartWithEveryValue renders each values file of testdata/values; what they must bring stands here.
func TestChartWithEveryValue(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/values/everything.yaml")
	if err != nil {
		t.Fatal(err)
	}
	o, err := render(string(text))
	if err != nil {
		t.Fatal(err)
	}
	settings := get[corev1.ConfigMap](t, o, "ConfigMap/gw").Data
	for name, value := range map[string]string{
		"gateway.name": "edge", "config.service.auth": "azureAdApp", "config.service.auth.azureAd.clientId": "app", "config.service.auth.azureAd.tenantId": "tenant",
		"config.service.auth.azureAd.authority": "https://login.example", "telemetry.logs.std": "json", "telemetry.logs.std.level": "warn",
		"telemetry.logs.std.color": "false", "telemetry.logs.local": "localsyslog", "telemetry.logs.local.localsyslog.endpoint": "/dev/log",
		"telemetry.logs.local.localsyslog.facility": "7", "telemetry.metrics.local": "statsd", "telemetry.metrics.local.statsd.endpoint": "statsd:8125",
		"telemetry.metrics.local.statsd.sampling": "0.5", "telemetry.metrics.local.statsd.tag-format": "influxDB", "telemetry.metrics.cloud": "false",
		"observability.opentelemetry.enabled": "true", "observability.opentelemetry.collector.uri": "http://otel:4317",
		"observability.opentelemetry.histogram.buckets": "5,10", "observability.opentelemetry.system-metrics.enabled": "true",
		"telemetry.metrics.prometheus.listen": "0.0.0.0:9102", "net.server.tls.ciphers.allowed-suites": "TLS_AES_128_GCM_SHA256",
		"net.client.tls.ciphers.allowed-suites": "TLS_AES_256_GCM_SHA384", "HTTP_PROXY": "http://proxy:3128", "HTTPS_PROXY": "http://proxy:3129",
		"NO_PROXY": "localhost", "config.service.tls.certificatePath": "/etc/causeway/tls/tls.crt", "config.service.tls.keyPath": "/etc/causeway/tls/tls.key",
		"config.service.tls.authoritiesPath": "/etc/causeway/tls/ca.crt", "net.server.http3.enabled": "true", "net.server.http3.port": "443", "net.server.http.forwarded.proto.enabled": "true",
	} {
		if settings[name] != value {
			t.Errorf("setting %s is %q, want %q", name, settings[name], value)
		}
	}
	d := get[appsv1.Deployment](t, o, "Deployment/gw")
	pod := d.Spec.Template.Spec
	c := pod.Containers[0]
	if d.Spec.Replicas != nil {
		t.Error("replicas beside an autoscaler")
	}
	if d.Spec.Template.Annotations["dapr.io/app-id"] != "orders" || d.Spec.Template.Annotations["dapr.io/log-level"] != "debug" || d.Spec.Template.Annotations["a"] != "b" {
		t.Errorf("annotations %v", d.Spec.Template.Annotations)
	}
	var mounts []string
	for _, m := range c.VolumeMounts {
		mounts = append(mounts, m.Name+":"+m.MountPath)
	}
	if want := []string{"tmp:/tmp", "configuration-backup:/apim/config", "tls:/etc/causeway/tls", "syslog:/dev/log", "ca:/etc/ssl/extra"}; !slices.Equal(mounts, want) {
		t.Errorf("mounts %v, want %v", mounts, want)
	}
	if len(pod.Volumes) != 5 || len(pod.Containers) != 2 || len(pod.InitContainers) != 1 || pod.PriorityClassName != "high" || len(pod.HostAliases) != 1 ||
		c.Resources.Limits.Memory().String() != "2Gi" || pod.TopologySpreadConstraints[0].WhenUnsatisfiable != corev1.DoNotSchedule {
		t.Errorf("pod %+v", pod)
	}
	if s := get[corev1.Service](t, o, "Service/gw"); s.Spec.Type != corev1.ServiceTypeLoadBalancer || s.Spec.LoadBalancerIP != "203.0.113.7" ||
		s.Spec.Ports[0].Port != 80 || s.Spec.Ports[0].NodePort != 30080 ||
		s.Spec.Ports[2].Protocol != corev1.ProtocolUDP || s.Spec.Ports[2].Port != 443 || s.Spec.Ports[2].TargetPort.StrVal != c.Ports[2].Name || c.Ports[2].Protocol != corev1.ProtocolUDP || s.Spec.ExternalTrafficPolicy != corev1.ServiceExternalTrafficPolicyLocal {
		t.Errorf("service %+v", s.Spec)
	}
	if claim := get[corev1.PersistentVolumeClaim](t, o, "PersistentVolumeClaim/gw-configuration-backup"); *claim.Spec.StorageClassName != "fast" || claim.Spec.Resources.Requests.Storage().String() != "1Gi" {
		t.Errorf("claim %+v", claim.Spec)
	}
	if h := get[autoscalingv2.HorizontalPodAutoscaler](t, o, "HorizontalPodAutoscaler/gw"); h.Spec.MaxReplicas != 20 || len(h.Spec.Metrics) != 2 {
		t.Errorf("autoscaler %+v", h.Spec)
	}
	if p := get[networkingv1.NetworkPolicy](t, o, "NetworkPolicy/gw"); len(p.Spec.Ingress[0].Ports) != 4 || len(p.Spec.Ingress[0].From) != 1 {
		t.Errorf("network policy %+v", p.Spec)
	}
	get[map[string]any](t, o, "ServiceMonitor/gw")
	for key, object := range o {
		if m, ok := object.(interface{ GetLabels() map[string]string }); ok && !strings.HasPrefix(key, "Pod/") && m.GetLabels()["team"] != "edge" {
			t.Errorf("%s lacks the common label: %v", key, m.GetLabels())
		}
	}
}

func TestChartWithWorkloadIdentity(t *testing.T) {
	t.Parallel()
	o, err := render(`gateway: {name: edge, configuration: {uri: "https://plane.example"}, auth: {type: workloadidentity, azureAd: {app: {id: app}}}}`)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := o["Secret/edge-causeway-gateway"]; ok {
		t.Error("a secret without anything secret")
	}
	account := get[corev1.ServiceAccount](t, o, "ServiceAccount/edge-causeway-gateway")
	pod := get[appsv1.Deployment](t, o, "Deployment/edge-causeway-gateway").Spec.Template
	if account.Annotations["azure.workload.identity/client-id"] != "app" || account.Labels["azure.workload.identity/use"] != "true" || pod.Labels["azure.workload.identity/use"] != "true" {
		t.Errorf("account %v %v, pod %v", account.Annotations, account.Labels, pod.Labels)
	}
	if got := get[corev1.ConfigMap](t, o, "ConfigMap/edge-causeway-gateway").Data["config.service.auth"]; got != "workloadIdentity" {
		t.Errorf("config.service.auth is %q", got)
	}
}

func TestChartWithCertificate(t *testing.T) {
	t.Parallel()
	o, err := render(`gateway: {name: edge, configuration: {uri: "https://plane.example", tls: {secretName: edge}}, auth: {type: Certificate}}`)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := o["Secret/edge-causeway-gateway"]; ok {
		t.Error("a secret without anything secret")
	}
	if got := get[corev1.ConfigMap](t, o, "ConfigMap/edge-causeway-gateway").Data["config.service.auth"]; got != "certificate" {
		t.Errorf("config.service.auth is %q", got)
	}
}

func TestChartRefusesBadValues(t *testing.T) {
	t.Parallel()
	for values, want := range map[string]string{
		`gateway: {auth: {key: k}}`:                                  "gateway.configuration.uri is required",
		`gateway: {configuration: {uri: u}}`:                         "gateway.auth.key is required",
		`gateway: {configuration: {uri: u}, auth: {type: Password}}`: "must be GatewayToken, AzureAdApp, WorkloadIdentity or Certificate",
		`gateway: {configuration: {uri: u}, auth: {type: AzureAdApp, azureAd: {app: {id: a, secret: s}}}}`:                    "gateway.name is required",
		`gateway: {name: g, configuration: {uri: u}, auth: {type: AzureAdApp, azureAd: {app: {secret: s}}}}`:                  "gateway.auth.azureAd.app.id is required",
		`gateway: {name: g, configuration: {uri: u}, auth: {type: Certificate}}`:                                              "gateway.configuration.tls.secretName is required",
		`gateway: {name: g, configuration: {uri: u}, auth: {type: AzureAdApp, azureAd: {app: {id: a, secret: s}}}}`:           "gateway.auth.azureAd.tenant.id is required",
		least + "\nsecret: {createSecret: false}":                                                                             "secret.existingSecretName is required",
		least + "\ningress: {controller: {enabled: true}}":                                                                    "not supported",
		least + "\nobservability: {statsD: {enabled: true}}":                                                                  "observability.statsD.endpoint is required",
		least + "\nobservability: {opentelemetry: {enabled: true}}":                                                           "observability.opentelemetry.collector.uri is required",
		least + "\ndapr: {enabled: true}":                                                                                     "dapr.app.id is required",
		`gateway: {configuration: {uri: u, backup: {enabled: true, persistentVolumeClaim: {create: false}}}, auth: {key: k}}`: "existingName is required",
	} {
		if _, err := render(values); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", values, err, want)
		}
	}
}

func TestChartLint(t *testing.T) {
	t.Parallel()
	values, err := chartutil.ReadValues([]byte(least))
	if err != nil {
		t.Fatal(err)
	}
	l := support.Linter{ChartDir: "chart"}
	rules.Chartfile(&l)
	rules.ValuesWithOverrides(&l, values)
	rules.Templates(&l, values, "apim", true)
	rules.Dependencies(&l)
	for _, m := range l.Messages {
		if m.Severity > support.InfoSev {
			t.Error(m)
		}
	}
}
