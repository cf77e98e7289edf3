package manage_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

// TestTemplatesOfOtherResources shows that what nobody here serves is refused before anything is deployed, with all of it.
func TestTemplatesOfOtherResources(t *testing.T) {
	t.Parallel()
	h := withGroup(t, nil)
	const known = `{"type": "Microsoft.ApiManagement/service", "apiVersion": "2024-05-01", "name": "contoso", "location": "westeurope"}`
	for resource, want := range map[string]string{
		`{"type": "Microsoft.Insights/components", "apiVersion": "2020-02-02", "name": "x"}`:                   "InvalidResourceNamespace",
		`{"type": "Microsoft.ApiManagement/nothings", "apiVersion": "2024-05-01", "name": "x"}`:                "InvalidResourceType",
		`{"type": "Microsoft.ApiManagement/service/nothing", "apiVersion": "2024-05-01", "name": "contoso/x"}`: "InvalidResourceType",
		`{"type": "Microsoft.Resources/deploymentScripts", "apiVersion": "2023-08-01", "name": "x"}`:           "InvalidResourceType",
		`{"type": "Microsoft.ApiManagement/service/tags", "apiVersion": "2019-01-01", "name": "contoso/x"}`:    "NoRegisteredProviderFound",
	} {
		for _, verb := range []string{"PUT ", "POST /validate", "POST /whatIf"} {
			method, action, _ := strings.Cut(verb, " ")
			w := h.must(http.StatusBadRequest, method, deployments+"/other"+action, deployable(`{"resources": [`+known+`, `+resource+`]}`, "Incremental"))
			if got := w.Header().Get("x-ms-error-code"); got != want {
				t.Errorf("%s %s: %s, want %s", verb, resource, got, want)
			}
		}
	}
	w := h.must(http.StatusBadRequest, "PUT", deployments+"/other", deployable(`{"resources": [
		{"type": "A.B/c", "apiVersion": "2020-02-02", "name": "x"}, {"type": "A.B/d", "apiVersion": "2020-02-02", "name": "y"}]}`, "Incremental"))
	var body struct {
		Error struct{ Details []struct{ Target string } }
	}
	if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil || len(body.Error.Details) != 2 || !strings.HasSuffix(body.Error.Details[1].Target, "/A.B/d/y") {
		t.Errorf("%s, %v", w.Body, err)
	}
	h.must(http.StatusNotFound, "GET", service, "")
	// What is only referred to, or whose condition is false, may be anybody's.
	done := h.deploy("skipped", deployable(`{"languageVersion": "2.0", "resources": {
		"a": {"type": "A.B/c", "apiVersion": "2020-02-02", "name": "x", "condition": false}, "b": {"type": "A.B/c", "apiVersion": "2020-02-02", "name": "x", "existing": true}}}`, "Incremental"))
	if done.Properties.ProvisioningState != "Succeeded" {
		t.Errorf("%+v", done.Properties)
	}
}

// TestDeploymentOfTheTenant shows a deployment above all subscriptions, and that management groups are told not to exist.
func TestDeploymentOfTheTenant(t *testing.T) {
	t.Parallel()
	h := withGroup(t, nil)
	const tenant = "/providers/Microsoft.Resources/deployments"
	template := `{"location": "westeurope", "properties": {"mode": "Incremental", "template": {
		"$schema": "https://schema.management.azure.com/schemas/2019-08-01/tenantDeploymentTemplate.json#", "contentVersion": "1.0.0.0",
		"resources": [{"type": "Microsoft.Resources/deployments", "apiVersion": "2022-09-01", "name": "inner", "subscriptionId": "` + strings.TrimPrefix(subscription, "/subscriptions/") + `", "resourceGroup": "demo",
			"properties": {"mode": "Incremental", "expressionEvaluationOptions": {"scope": "inner"}, "template": {"resources": [
				{"type": "Microsoft.ApiManagement/service", "apiVersion": "2024-05-01", "name": "contoso", "location": "[resourceGroup().location]"}], "outputs": {"id": {"type": "string", "value": "[resourceId('Microsoft.ApiManagement/service', 'contoso')]"}}}}}],
		"outputs": {"id": {"type": "string", "value": "[reference('inner').outputs.id.value]"}, "role": {"type": "string", "value": "[tenantResourceId('Microsoft.Authorization/roleDefinitions', 'x')]"}}}}}`
	h.must(http.StatusCreated, "PUT", tenant+"/top", template)
	done := h.wait(tenant + "/top")
	if p := done.Properties; p.ProvisioningState != "Succeeded" || p.Outputs["id"].Value != service || p.Outputs["role"].Value != "/providers/Microsoft.Authorization/roleDefinitions/x" {
		t.Errorf("%+v", p)
	}
	if w := h.must(http.StatusOK, "GET", tenant, ""); strings.Count(w.Body.String(), `"id":"/providers/Microsoft.Resources/deployments/`) != 1 {
		t.Errorf("%s", w.Body)
	}
	h.must(http.StatusOK, "GET", tenant+"/top/operations", "")
	h.must(http.StatusBadRequest, "PUT", tenant+"/bad", `{"location": "x", "properties": {"mode": "Incremental", "template": {"resources": [], "variables": {"v": "[subscription().id]"}, "outputs": {"o": {"type": "string", "value": "[undefined()]"}}}}}`)

	const groups = "/providers/Microsoft.Management/managementGroups"
	if w := h.must(http.StatusOK, "GET", groups, ""); !strings.Contains(w.Body.String(), `"value":[]`) {
		t.Errorf("%s", w.Body)
	}
	for _, path := range []string{groups + "/mg", groups + "/mg/providers/Microsoft.Resources/deployments/x"} {
		w := h.must(http.StatusNotFound, "GET", path, "")
		if !strings.Contains(w.Body.String(), "management group") {
			t.Errorf("%s: %s", path, w.Body)
		}
	}
	h.must(http.StatusNotFound, "PUT", groups+"/mg/providers/Microsoft.Resources/deployments/x", template)
}

func TestTemplateHash(t *testing.T) {
	t.Parallel()
	h := withGroup(t, nil)
	const path = "/providers/Microsoft.Resources/calculateTemplateHash"
	var one, two struct{ MinifiedTemplate, TemplateHash string }
	for body, to := range map[string]any{`{"resources": [ ], "contentVersion": "1.0.0.0"}`: &one, `{"resources":[],"contentVersion":"1.0.0.0"}`: &two} {
		if err := json.Unmarshal(h.must(http.StatusOK, "POST", path, body).Body.Bytes(), to); err != nil {
			t.Fatal(err)
		}
	}
	if one != two || one.TemplateHash == "" || one.MinifiedTemplate != `{"resources":[],"contentVersion":"1.0.0.0"}` {
		t.Errorf("%+v, %+v", one, two)
	}
	h.must(http.StatusBadRequest, "POST", path, `[]`)
	h.must(http.StatusBadRequest, "POST", path, `{`)
}

// TestWhatIfHidesSecrets shows that values of secure parameters are not answered, wherever they come to stand.
func TestWhatIfHidesSecrets(t *testing.T) {
	t.Parallel()
	h := withGroup(t, nil)
	h.must(http.StatusCreated, "PUT", service, `{"location": "westeurope"}`)
	w := h.must(http.StatusOK, "POST", deployments+"/w/whatIf", `{"properties": {"mode": "Incremental", "parameters": {"p": {"value": "s3cr3t-text"}, "o": {"value": {"a": ["d33p-text"]}}},
		"template": {"parameters": {"p": {"type": "secureString"}, "o": {"type": "secureObject"}}, "resources": [
			{"type": "Microsoft.ApiManagement/service/tags", "apiVersion": "2024-05-01", "name": "contoso/a", "properties": {"displayName": "[concat('Bearer ', parameters('p'))]"}},
			{"type": "Microsoft.ApiManagement/service/tags", "apiVersion": "2024-05-01", "name": "contoso/b", "properties": {"displayName": "[parameters('o').a[0]]"}},
			{"type": "Microsoft.ApiManagement/service/tags", "apiVersion": "2024-05-01", "name": "contoso/c", "properties": {"displayName": "plain"}}]}}}`)
	if text := w.Body.String(); strings.Contains(text, "s3cr3t") || strings.Contains(text, "d33p") || !strings.Contains(text, "Bearer *******") || !strings.Contains(text, "plain") {
		t.Errorf("%s", text)
	}
}
