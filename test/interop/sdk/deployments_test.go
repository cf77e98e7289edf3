//go:build interop

package sdk

import (
	"encoding/json"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources"
)

// shopTemplate is a service with named values in a loop, as Bicep compiles it.
const shopTemplate = `{
	"$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#", "contentVersion": "1.0.0.0", "languageVersion": "2.0",
	"parameters": {"service": {"type": "string"}, "names": {"type": "array", "items": {"type": "string"}, "defaultValue": ["a", "b"]}},
	"resources": {
		"apim": {"type": "Microsoft.ApiManagement/service", "apiVersion": "2024-05-01", "name": "[parameters('service')]", "location": "[resourceGroup().location]",
			"sku": {"name": "Developer", "capacity": 1}, "properties": {"publisherEmail": "a@contoso.com", "publisherName": "Contoso"}},
		"values": {"copy": {"name": "values", "count": "[length(parameters('names'))]"}, "type": "Microsoft.ApiManagement/service/namedValues", "apiVersion": "2024-05-01",
			"name": "[format('{0}/{1}', parameters('service'), parameters('names')[copyIndex()])]", "dependsOn": ["apim"],
			"properties": {"displayName": "[parameters('names')[copyIndex()]]", "value": "[string(copyIndex())]"}}
	},
	"outputs": {"url": {"type": "string", "value": "[reference('apim').gatewayUrl]"}, "last": {"type": "string", "value": "[reference('values[1]').value]"}}
}`

// TestInteropDeployments deploys a template with the Azure SDK for Go: validate, what-if, create, look, export, delete, at three scopes.
func TestInteropDeployments(t *testing.T) {
	t.Parallel()
	s := Start(t)
	f, err := armresources.NewClientFactory(subscription, s.Credential, s.Options)
	if err != nil {
		t.Fatal(err)
	}
	c := f.NewDeploymentsClient()
	var template any
	if err := json.Unmarshal([]byte(shopTemplate), &template); err != nil {
		t.Fatal(err)
	}
	parameters := map[string]any{"service": map[string]any{"value": "sdk-shop"}}
	properties := &armresources.DeploymentProperties{Mode: to.Ptr(armresources.DeploymentModeIncremental), Template: template, Parameters: parameters}

	validated, err := c.BeginValidate(t.Context(), group, "shop", armresources.Deployment{Properties: properties}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if v, err := validated.PollUntilDone(t.Context(), fast()); err != nil || len(v.Properties.ValidatedResources) != 3 {
		t.Fatalf("validate: %+v, %v", v.Properties, err)
	}
	foreseen, err := c.BeginWhatIf(t.Context(), group, "shop", armresources.DeploymentWhatIf{Properties: &armresources.DeploymentWhatIfProperties{
		Mode: to.Ptr(armresources.DeploymentModeIncremental), Template: template, Parameters: parameters}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if w, err := foreseen.PollUntilDone(t.Context(), fast()); err != nil || *w.Properties.Changes[0].ChangeType != armresources.ChangeTypeCreate {
		t.Fatalf("what-if: %+v, %v", w, err)
	}
	made, err := c.BeginCreateOrUpdate(t.Context(), group, "shop", armresources.Deployment{Properties: properties}, nil)
	if err != nil {
		t.Fatal(err)
	}
	d, err := made.PollUntilDone(t.Context(), fast())
	if err != nil || *d.Properties.ProvisioningState != armresources.ProvisioningStateSucceeded || len(d.Properties.OutputResources) != 3 {
		t.Fatalf("create: %+v, %v", d.Properties, err)
	}
	if outputs := d.Properties.Outputs.(map[string]any); outputs["last"].(map[string]any)["value"] != "1" {
		t.Errorf("outputs: %v", outputs)
	}
	page, err := f.NewDeploymentOperationsClient().NewListPager(group, "shop", nil).NextPage(t.Context())
	if err != nil || len(page.Value) != 3 || *page.Value[0].Properties.ProvisioningState != "Succeeded" {
		t.Errorf("operations: %d, %v", len(page.Value), err)
	}
	if all, err := c.NewListByResourceGroupPager(group, nil).NextPage(t.Context()); err != nil || len(all.Value) == 0 {
		t.Errorf("list: %v", err)
	}
	if x, err := c.ExportTemplate(t.Context(), group, "shop", nil); err != nil || x.Template == nil {
		t.Errorf("export: %v", err)
	}
	_, err = c.Cancel(t.Context(), group, "shop", nil)
	wantStatus(t, err, 409, "DeploymentCannotBeCancelled")
	if there, err := c.CheckExistence(t.Context(), group, "shop", nil); err != nil || !there.Success {
		t.Errorf("there: %v, %v", there, err)
	}
	nested := map[string]any{"resources": []any{map[string]any{
		"type": "Microsoft.Resources/deployments", "apiVersion": "2022-09-01", "name": "shop-inner", "subscriptionId": subscription, "resourceGroup": group,
		"properties": map[string]any{"mode": "Incremental", "expressionEvaluationOptions": map[string]any{"scope": "inner"}, "parameters": parameters, "template": template},
	}}}
	above := armresources.DeploymentProperties{Mode: to.Ptr(armresources.DeploymentModeIncremental), Template: nested}
	bySubscription, err := c.BeginCreateOrUpdateAtSubscriptionScope(t.Context(), "shop-sub", armresources.Deployment{Location: to.Ptr("westeurope"), Properties: &above}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if d, err := bySubscription.PollUntilDone(t.Context(), fast()); err != nil || *d.Properties.ProvisioningState != armresources.ProvisioningStateSucceeded {
		t.Errorf("subscription: %+v, %v", d.Properties, err)
	}
	byTenant, err := c.BeginCreateOrUpdateAtTenantScope(t.Context(), "shop-top", armresources.ScopedDeployment{Location: to.Ptr("westeurope"), Properties: &above}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if d, err := byTenant.PollUntilDone(t.Context(), fast()); err != nil || *d.Properties.ProvisioningState != armresources.ProvisioningStateSucceeded {
		t.Errorf("tenant: %+v, %v", d.Properties, err)
	}
	gone, err := c.BeginDelete(t.Context(), group, "shop", nil)
	if err == nil {
		_, err = gone.PollUntilDone(t.Context(), fast())
	}
	if err != nil {
		t.Errorf("delete: %v", err)
	}
	exported, err := f.NewResourceGroupsClient().BeginExportTemplate(t.Context(), group, armresources.ExportTemplateRequest{Resources: []*string{to.Ptr("*")}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if x, err := exported.PollUntilDone(t.Context(), fast()); err != nil || x.Template == nil {
		t.Errorf("export of the group: %v", err)
	}
}
