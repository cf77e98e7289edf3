package manage_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/manage"
	"github.com/causeway-apim/causeway/internal/store"
)

const deployments = group + "/providers/Microsoft.Resources/deployments"

// labels is a template with a service, tags in a loop, and a nested deployment as Bicep compiles modules.
const labels = `{
	"$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#", "contentVersion": "1.0.0.0",
	"parameters": {"names": {"type": "array", "defaultValue": ["one", "two"]}, "secret": {"type": "secureString", "defaultValue": "do-not-tell"}},
	"resources": [
		{"type": "Microsoft.ApiManagement/service/tags", "apiVersion": "2024-05-01", "name": "[format('contoso/{0}', parameters('names')[copyIndex()])]",
		 "copy": {"name": "tags", "count": "[length(parameters('names'))]"}, "properties": {"displayName": "[toUpper(parameters('names')[copyIndex()])]"},
		 "dependsOn": ["[resourceId('Microsoft.ApiManagement/service', 'contoso')]"]},
		{"type": "Microsoft.Resources/deployments", "apiVersion": "2022-09-01", "name": "module", "dependsOn": ["tags"], "properties": {
			"mode": "Incremental", "expressionEvaluationOptions": {"scope": "inner"}, "parameters": {"text": {"value": "[parameters('secret')]"}},
			"template": {"$schema": "", "contentVersion": "1.0.0.0", "parameters": {"text": {"type": "secureString"}}, "resources": [
				{"type": "Microsoft.ApiManagement/service/tags", "apiVersion": "2024-05-01", "name": "contoso/inner", "properties": {"displayName": "Inner"}}],
				"outputs": {"id": {"type": "string", "value": "[resourceId('Microsoft.ApiManagement/service/tags', 'contoso', 'inner')]"}}}}},
		{"type": "Microsoft.ApiManagement/service", "apiVersion": "2024-05-01", "name": "contoso", "location": "[resourceGroup().location]"}
	],
	"outputs": {
		"inner": {"type": "string", "value": "[reference('module').outputs.id.value]"},
		"first": {"type": "string", "value": "[reference(resourceId('Microsoft.ApiManagement/service/tags', 'contoso', 'one'), '2024-05-01').displayName]"}}
}`

func deployable(template, mode string) string {
	return fmt.Sprintf(`{"properties": {"mode": %q, "template": %s}}`, mode, template)
}

// deploy puts a deployment and waits for its end.
func (h harness) deploy(name, body string) deployed {
	h.t.Helper()
	w := h.do("PUT", deployments+"/"+name, body)
	if w.Code != http.StatusOK && w.Code != http.StatusCreated {
		h.t.Fatalf("PUT: %d %s", w.Code, w.Body)
	}
	status := strings.TrimPrefix(w.Header().Get("Azure-AsyncOperation"), "http://plane.test")
	for {
		w := h.must(http.StatusOK, "GET", status, "")
		var s struct{ Status string }
		if err := json.Unmarshal(w.Body.Bytes(), &s); err != nil {
			h.t.Fatal(err)
		}
		if s.Status != "Accepted" && s.Status != "Running" {
			return h.wait(deployments + "/" + name)
		}
		select {
		case <-h.t.Context().Done():
			h.t.Fatal("the deployment does not end")
		case <-time.After(time.Millisecond):
		}
	}
}

// wait waits for the end of a deployment.
func (h harness) wait(id string) (d deployed) {
	h.t.Helper()
	for {
		w := h.must(http.StatusOK, "GET", id, "")
		if err := json.Unmarshal(w.Body.Bytes(), &d); err != nil {
			h.t.Fatal(err)
		}
		if state := d.Properties.ProvisioningState; state != "Accepted" && state != "Running" {
			return d
		}
		select {
		case <-h.t.Context().Done():
			h.t.Fatal("the deployment does not end")
		case <-time.After(time.Millisecond):
		}
	}
}

type deployed struct {
	Properties struct {
		ProvisioningState string
		Outputs           map[string]struct{ Value any }
		OutputResources   []struct{ ID string }
		Error             struct {
			Code    string
			Details []struct{ Code, Target, Message string }
		}
	}
}

func withGroup(t *testing.T, change func(*manage.Config)) harness {
	h := start(t, change)
	h.must(http.StatusCreated, "PUT", group, `{"location": "westeurope"}`)
	return h
}

// The Azure CLI sends templates without quotes around their name, as they stand in the file, and leaves empty segments
// in paths of resources that have no parent.
func TestDeploymentOfCLI(t *testing.T) {
	t.Parallel()
	h := withGroup(t, nil)
	h.must(http.StatusCreated, "PUT", service, `{"location": "westeurope", "sku": {"name": "Developer"}, "properties": {"publisherEmail": "a@example.com", "publisherName": "A"}}`)
	body := `{"properties": {"mode": "Incremental", "parameters": {}, template:{ // ours
		"$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#", "contentVersion": "1.0.0.0",
		"resources": [{"type": "Microsoft.ApiManagement/service/tags", "apiVersion": "2024-05-01", "name": "contoso/one", "properties": {"displayName": "[concat('O',
			'ne')]"}},],
	}}}`
	if d := h.deploy("cli", body); d.Properties.ProvisioningState != "Succeeded" {
		t.Fatalf("got %+v", d)
	}
	contains(t, h.must(http.StatusOK, "GET", strings.Replace(service, "ApiManagement/", "ApiManagement//", 1)+"/tags/one", ""), `"displayName":"One"`)
}

func TestDeployment(t *testing.T) {
	t.Parallel()
	h := withGroup(t, nil)
	contains(t, h.must(http.StatusOK, "POST", deployments+"/main/validate", deployable(labels, "")), "validatedResources", "/tags/two")
	contains(t, h.must(http.StatusOK, "POST", deployments+"/main/whatIf", deployable(labels, "")), `"changeType":"Create"`)
	d := h.deploy("main", deployable(labels, "Incremental"))
	p := d.Properties
	if p.ProvisioningState != "Succeeded" || p.Outputs["inner"].Value != service+"/tags/inner" || p.Outputs["first"].Value != "ONE" || len(p.OutputResources) != 4 {
		t.Fatalf("got %+v", p)
	}
	contains(t, h.must(http.StatusOK, "GET", service+"/tags/two", ""), "TWO")
	w := h.must(http.StatusOK, "GET", deployments+"/main", "")
	if strings.Contains(w.Body.String(), "do-not-tell") {
		t.Error("the value of the secure parameter is shown")
	}
	contains(t, h.must(http.StatusOK, "GET", deployments, ""), `"name":"main"`, `"name":"module"`)
	contains(t, h.must(http.StatusOK, "GET", deployments+"/main/operations", ""), `"resourceName":"contoso/two"`, `"statusCode":"Created"`)
	contains(t, h.must(http.StatusOK, "POST", deployments+"/main/exportTemplate", ""), "copyIndex()")
	contains(t, h.must(http.StatusOK, "GET", group+"/deployments/main/operations", ""), `"resourceName":"contoso/two"`)
	h.must(http.StatusNoContent, "HEAD", deployments+"/main", "")

	again := h.must(http.StatusOK, "POST", deployments+"/main/whatIf", deployable(labels, "")).Body.String()
	if strings.Contains(again, "Create") || strings.Contains(again, "Modify") || strings.Count(again, `"NoChange"`) != 4 {
		t.Errorf("a second deployment would change: %s", again)
	}
	changed := strings.Replace(labels, "toUpper(", "toLower(", 1)
	contains(t, h.must(http.StatusOK, "POST", deployments+"/main/whatIf", deployable(changed, "")),
		`"delta":[{"path":"properties.displayName","propertyChangeType":"Modify","before":"ONE","after":"one"}]`)
	refused := strings.Replace(labels, `"displayName": "Inner"`, `"displayName": null`, 1)
	contains(t, h.must(http.StatusOK, "POST", deployments+"/main/whatIf", deployable(refused, "")), `"diagnostics":[{"level":"Warning","code":"ValidationError"`)
	contains(t, h.must(http.StatusOK, "GET", service+"/tags/two", ""), "TWO") // what-if has changed nothing

	h.must(http.StatusNoContent, "DELETE", deployments+"/main", "")
	h.must(http.StatusNotFound, "GET", deployments+"/main", "")
	h.must(http.StatusNotFound, "HEAD", deployments+"/main", "")
}

func TestDeploymentThatFails(t *testing.T) {
	t.Parallel()
	h := withGroup(t, nil)
	d := h.deploy("bad", deployable(`{"resources": [
		{"type": "Microsoft.ApiManagement/service", "apiVersion": "2024-05-01", "name": "contoso", "location": "westeurope"},
		{"type": "Microsoft.ApiManagement/service/tags", "apiVersion": "2024-05-01", "name": "contoso/bad", "properties": {}},
		{"type": "Microsoft.ApiManagement/service/tags", "apiVersion": "2024-05-01", "name": "contoso/after", "properties": {"displayName": "x"}, "dependsOn": ["contoso/bad"]},
		{"type": "Microsoft.ApiManagement/service/tags", "apiVersion": "2024-05-01", "name": "contoso/beside", "properties": {"displayName": "x"}}]}`, ""))
	e := d.Properties.Error
	if d.Properties.ProvisioningState != "Failed" || e.Code != "DeploymentFailed" || len(e.Details) != 1 || e.Details[0].Target != service+"/tags/bad" {
		t.Errorf("got %+v", d.Properties)
	}
	h.must(http.StatusOK, "GET", service+"/tags/beside", "") // what does not depend on it is deployed
	h.must(http.StatusNotFound, "GET", service+"/tags/after", "")
	contains(t, h.must(http.StatusOK, "GET", deployments+"/bad/operationStatuses/x", ""), `"status":"Failed"`, "DeploymentFailed")
}

func TestDeploymentRequestsThatAreRefused(t *testing.T) {
	t.Parallel()
	h := withGroup(t, nil)
	for body, want := range map[string]string{
		`{`:                                      "InvalidRequestContent",
		`{"properties": {}}`:                     "needs a template",
		deployable(`{}`, ""):                     "has no member 'resources'",
		deployable(`{"resources": []}`, "Other"): "InvalidDeploymentMode",
		deployable(`{"resources": [{"type": "A.B/c", "apiVersion": "2020-01-01", "name": "[concat('a']"}]}`, ""):          `"path":"resources[0].name"`,
		`{"properties": {"templateLink": {"uri": "https://contoso.example/t.json"}}}`:                                     "Links to templates are not allowed",
		`{"properties": {"template": {"resources": []}, "parameters": {"p": {"reference": {"keyVault": {"id": "/v"}}}}}}`: "do not correspond",
	} {
		w := h.must(http.StatusBadRequest, "PUT", deployments+"/x", body)
		contains(t, w, want)
	}
	h.must(http.StatusNotFound, "PUT", subscription+"/resourceGroups/none/providers/Microsoft.Resources/deployments/x", deployable(labels, ""))
	h.must(http.StatusBadRequest, "PUT", deployments+"/not%20a%20name", deployable(labels, ""))
	h.must(http.StatusMethodNotAllowed, "PATCH", deployments+"/x", "{}")
}

func TestCompleteModeRemovesWhatIsNotNamed(t *testing.T) {
	t.Parallel()
	h := withGroup(t, nil)
	h.must(http.StatusCreated, "PUT", group+"/providers/Microsoft.ApiManagement/service/other", `{"location": "westeurope"}`)
	contains(t, h.must(http.StatusOK, "POST", deployments+"/main/whatIf", deployable(labels, "Incremental")), `"changeType":"Ignore"`)
	contains(t, h.must(http.StatusOK, "POST", deployments+"/main/whatIf", deployable(labels, "Complete")), `"changeType":"Delete"`)
	if d := h.deploy("main", deployable(labels, "Complete")); d.Properties.ProvisioningState != "Succeeded" {
		t.Fatalf("got %+v", d)
	}
	h.must(http.StatusNotFound, "GET", group+"/providers/Microsoft.ApiManagement/service/other", "")
	h.must(http.StatusOK, "GET", service, "")
}

func TestExportedGroupDeploysAgain(t *testing.T) {
	t.Parallel()
	h := withGroup(t, nil)
	h.deploy("main", deployable(labels, ""))
	var exported struct{ Template json.RawMessage }
	w := h.must(http.StatusOK, "POST", group+"/exportTemplate", `{"resources": ["*"]}`)
	if err := json.Unmarshal(w.Body.Bytes(), &exported); err != nil {
		t.Fatal(err)
	}
	contains(t, w, "service_contoso_name", "'/two'")
	what := h.must(http.StatusOK, "POST", deployments+"/copy/whatIf", deployable(string(exported.Template), "Complete")).Body.String()
	if strings.Count(what, `"NoChange"`) != 4 || strings.Contains(what, "Modify") {
		t.Errorf("got %s", what)
	}
}

// Whoever deploys needs the right to write each resource: nothing is deployed otherwise.
func TestDeploymentNeedsTheRightsOfItsResources(t *testing.T) {
	t.Parallel()
	h := withGroup(t, func(c *manage.Config) {
		c.Authorizer = manage.AuthorizerFunc(func(_ context.Context, p manage.Principal, action string, scope arm.ID) error {
			if strings.EqualFold(action, "Microsoft.ApiManagement/service/tags/write") {
				return manage.Forbidden(p, action, scope)
			}
			return nil
		})
	})
	contains(t, h.must(http.StatusForbidden, "PUT", deployments+"/main", deployable(labels, "")), "AuthorizationFailed", "tags/write")
	h.must(http.StatusNotFound, "GET", service, "")
}

// A deployment whose process has gone is answered as failed once its mark is old.
func TestDeploymentOfAProcessThatHasGone(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	var st store.Store
	h := withGroup(t, func(c *manage.Config) {
		st = c.Store
		c.Now = func() time.Time { return now }
	})
	id := arm.Path(strings.Split(deployments[1:]+"/gone", "/")...)
	_, err := st.Update(t.Context(), "", func(tx store.Tx) error {
		return tx.Put(t.Context(), &store.Document{
			ID: id.Key(), Path: id.String(), Type: "Microsoft.Resources/deployments", Parent: strings.ToLower(group), Name: "gone",
			Body: []byte(`{"properties": {"provisioningState": "Running", "mode": "Incremental"}, "beat": "2026-01-02T03:00:00Z"}`),
		}, nil)
	})
	if err != nil {
		t.Fatal(err)
	}
	contains(t, h.must(http.StatusOK, "GET", deployments+"/gone", ""), `"provisioningState":"Failed"`, "DeploymentInterrupted")
	h.must(http.StatusConflict, "POST", deployments+"/gone/cancel", "")
	h.must(http.StatusNoContent, "DELETE", deployments+"/gone", "")
}

func TestLinkedTemplate(t *testing.T) {
	t.Parallel()
	h := withGroup(t, func(c *manage.Config) {
		c.Fetch = func(_ context.Context, link string, _ int64) ([]byte, error) {
			switch link {
			case "https://contoso.example/t/main.json?sig=x":
				return []byte(`{"resources": [{"type": "Microsoft.Resources/deployments", "apiVersion": "2022-09-01", "name": "linked",
					"properties": {"mode": "Incremental", "templateLink": {"relativePath": "service.json"}}}]}`), nil
			case "https://contoso.example/t/service.json?sig=x":
				return []byte(`{"resources": [{"type": "Microsoft.ApiManagement/service", "apiVersion": "2024-05-01", "name": "contoso", "location": "westeurope"}]}`), nil
			}
			return nil, errors.New("the address is private")
		}
	})
	if d := h.deploy("main", `{"properties": {"templateLink": {"uri": "https://contoso.example/t/main.json?sig=x"}}}`); d.Properties.ProvisioningState != "Succeeded" {
		t.Errorf("got %+v", d)
	}
	h.must(http.StatusOK, "GET", service, "")
	contains(t, h.must(http.StatusBadRequest, "PUT", deployments+"/x", `{"properties": {"templateLink": {"uri": "http://10.0.0.1/t.json"}}}`), "InvalidContentLink", "private")
}

// Expressions of a nested template are those of the one around it unless it says otherwise.
func TestNestedTemplateOfTheOuterScope(t *testing.T) {
	t.Parallel()
	h := withGroup(t, nil)
	d := h.deploy("main", deployable(`{"variables": {"name": "contoso"}, "resources": [{"type": "Microsoft.Resources/deployments", "apiVersion": "2022-09-01", "name": "nested",
		"properties": {"mode": "Incremental", "template": {"variables": {"name": "wrong"}, "resources": [
			{"type": "Microsoft.ApiManagement/service", "apiVersion": "2024-05-01", "name": "[variables('name')]", "location": "westeurope"}]}}}]}`, ""))
	if d.Properties.ProvisioningState != "Succeeded" {
		t.Errorf("got %+v", d)
	}
	h.must(http.StatusOK, "GET", service, "")
}

func TestDeploymentOfASubscription(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	at := subscription + "/providers/Microsoft.Resources/deployments/main"
	contains(t, h.must(http.StatusBadRequest, "PUT", at, deployable(`{"resources": []}`, "")), "LocationRequired")
	w := h.must(http.StatusCreated, "PUT", at, `{"location": "westeurope", "properties": {"mode": "Incremental", "template": {"resources": [
		{"type": "Microsoft.Resources/resourceGroups", "apiVersion": "2021-04-01", "name": "demo", "location": "[deployment().location]"},
		{"type": "Microsoft.Resources/deployments", "apiVersion": "2022-09-01", "name": "in", "resourceGroup": "demo", "dependsOn": ["[subscriptionResourceId('Microsoft.Resources/resourceGroups', 'demo')]"],
		 "properties": {"mode": "Incremental", "expressionEvaluationOptions": {"scope": "inner"}, "template": {"resources": [
			{"type": "Microsoft.ApiManagement/service", "apiVersion": "2024-05-01", "name": "contoso", "location": "[resourceGroup().location]"}]}}}]}}}`)
	status := strings.TrimPrefix(w.Header().Get("Azure-AsyncOperation"), "http://plane.test")
	for !strings.Contains(h.must(http.StatusOK, "GET", status, "").Body.String(), `"Succeeded"`) {
		if s := h.must(http.StatusOK, "GET", status, "").Body.String(); strings.Contains(s, "Failed") {
			t.Fatal(s)
		}
	}
	contains(t, h.must(http.StatusOK, "GET", service, ""), "westeurope")
}
