package deploy

import (
	"os"
	"slices"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
)

// The texts in testdata/deployment are what the plane writes for a gateway's deployment page; a test of package resources holds them against it.

// TestDeploymentForKubernetes decodes the objects strictly and looks whether they fit together.
func TestDeploymentForKubernetes(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/deployment/kubernetes.yaml")
	if err != nil {
		t.Fatal(err)
	}
	o := objects{}
	if err := decode(o, string(text)); err != nil {
		t.Fatal(err)
	}
	d := get[appsv1.Deployment](t, o, "Deployment/edge")
	c := d.Spec.Template.Spec.Containers[0]
	if secret := get[corev1.Secret](t, o, "Secret/"+c.Env[0].ValueFrom.SecretKeyRef.Name); secret.StringData[c.Env[0].ValueFrom.SecretKeyRef.Key] == "" {
		t.Errorf("the token is not where the container looks for it: %v", secret.StringData)
	}
	settings := get[corev1.ConfigMap](t, o, "ConfigMap/"+c.EnvFrom[0].ConfigMapRef.Name).Data
	get[corev1.Service](t, o, "Service/"+settings["neighborhood.host"])
	for _, name := range []string{"Service/edge", "Service/edge-instance-discovery"} {
		s := get[corev1.Service](t, o, name)
		for key, value := range s.Spec.Selector {
			if d.Spec.Template.Labels[key] != value || d.Spec.Selector.MatchLabels[key] != value {
				t.Errorf("%s selects %s=%s, the pods have %v", name, key, value, d.Spec.Template.Labels)
			}
		}
		for _, p := range s.Spec.Ports {
			if !slices.ContainsFunc(c.Ports, func(have corev1.ContainerPort) bool {
				return have.Name == p.TargetPort.StrVal && (have.Protocol == p.Protocol || have.Protocol == "" && p.Protocol == "")
			}) {
				t.Errorf("%s leads to the port %s, which the container does not have", name, p.TargetPort.StrVal)
			}
		}
	}
}

// TestDeploymentForHelm renders the chart with the values.
func TestDeploymentForHelm(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/deployment/values.yaml")
	if err != nil {
		t.Fatal(err)
	}
	o, err := render(string(text))
	if err != nil {
		t.Fatal(err)
	}
	settings := get[corev1.ConfigMap](t, o, "ConfigMap/edge-causeway-gateway").Data
	if settings["config.service.endpoint"] != "https://plane.example:8881" || settings["gateway.name"] != "edge" {
		t.Errorf("settings %v", settings)
	}
	if secret := get[corev1.Secret](t, o, "Secret/edge-causeway-gateway"); len(secret.Data["gateway-key"]) < 100 {
		t.Errorf("secret %v", secret)
	}
}
