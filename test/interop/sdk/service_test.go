//go:build interop

package sdk

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/apimanagement/armapimanagement/v3"
)

// names reads all pages of a list.
func names[T any](t *testing.T, p *runtime.Pager[T], of func(T) []string) (all []string) {
	t.Helper()
	for p.More() {
		page, err := p.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, of(page)...)
	}
	return all
}

func serviceNames(services []*armapimanagement.ServiceResource) (list []string) {
	for _, s := range services {
		list = append(list, *s.Name)
	}
	return list
}

// TestInteropService changes, lists, deletes, restores and purges a service.
func TestInteropService(t *testing.T) {
	t.Parallel()
	const name = "sdk-service"
	ctx, f := t.Context(), Start(t).Service(t, name)
	services, deleted := f.NewServiceClient(), f.NewDeletedServicesClient()

	free, err := services.CheckNameAvailability(ctx, armapimanagement.ServiceCheckNameAvailabilityParameters{Name: to.Ptr(name)}, nil)
	if err != nil || *free.NameAvailable || *free.Reason != armapimanagement.NameAvailabilityReasonAlreadyExists {
		t.Errorf("check name: %v %v", free, err)
	}
	if id, err := services.GetDomainOwnershipIdentifier(ctx, nil); err != nil || *id.DomainOwnershipIdentifier == "" {
		t.Errorf("domain ownership: %v", err)
	}
	update, err := services.BeginUpdate(ctx, group, name, armapimanagement.ServiceUpdateParameters{
		Tags: map[string]*string{"team": to.Ptr("a")},
		Properties: &armapimanagement.ServiceUpdateProperties{
			PublisherName: to.Ptr("Other"), NotificationSenderEmail: to.Ptr("sender@example.com"),
			CustomProperties: map[string]*string{"Microsoft.WindowsAzure.ApiManagement.Gateway.Protocols.Server.Http2": to.Ptr("true")},
		},
	}, nil)
	finish(t, update, err)
	read, err := services.Get(ctx, group, name, nil)
	if err != nil || *read.Properties.PublisherName != "Other" || *read.Properties.PublisherEmail != "publisher@example.com" ||
		*read.Tags["team"] != "a" || *read.Properties.NotificationSenderEmail != "sender@example.com" || len(read.Properties.CustomProperties) == 0 {
		t.Errorf("after the update: %+v %v", read.Properties, err)
	}
	all := names(t, services.NewListPager(nil), func(p armapimanagement.ServiceClientListResponse) []string { return serviceNames(p.Value) })
	ours := names(t, services.NewListByResourceGroupPager(group, nil), func(p armapimanagement.ServiceClientListByResourceGroupResponse) []string {
		return serviceNames(p.Value)
	})
	if !slices.Contains(all, name) || !slices.Contains(ours, name) {
		t.Errorf("the service is not in %v or %v", all, ours)
	}
	network, err := services.BeginApplyNetworkConfigurationUpdates(ctx, group, name, nil)
	finish(t, network, err)

	removal, err := services.BeginDelete(ctx, group, name, nil)
	finish(t, removal, err)
	if d, err := deleted.GetByName(ctx, name, "westeurope", nil); err != nil || *d.Name != name || d.Properties.ScheduledPurgeDate == nil {
		t.Errorf("deleted service: %v", err)
	}
	gone := names(t, deleted.NewListBySubscriptionPager(nil), func(p armapimanagement.DeletedServicesClientListBySubscriptionResponse) (list []string) {
		for _, d := range p.Value {
			list = append(list, *d.Name)
		}
		return list
	})
	if !slices.Contains(gone, name) {
		t.Errorf("%s is not among the deleted services %v", name, gone)
	}
	restored := *resourceOf(read)
	restored.Properties.Restore = to.Ptr(true)
	back, err := services.BeginCreateOrUpdate(ctx, group, name, restored, nil)
	if r := finish(t, back, err); *r.Properties.PublisherName != "Other" {
		t.Errorf("restored: %+v", r.Properties)
	}
	removal, err = services.BeginDelete(ctx, group, name, nil)
	finish(t, removal, err)
	purge, err := deleted.BeginPurge(ctx, name, "westeurope", nil)
	finish(t, purge, err)
	_, err = deleted.GetByName(ctx, name, "westeurope", nil)
	wantStatus(t, err, 404, "")
}

// resourceOf is what a client that got a service writes back.
func resourceOf(r armapimanagement.ServiceClientGetResponse) *armapimanagement.ServiceResource {
	return &armapimanagement.ServiceResource{Location: r.Location, SKU: r.SKU, Tags: r.Tags, Properties: r.Properties}
}

// TestInteropProvider lists what the provider can do.
func TestInteropProvider(t *testing.T) {
	t.Parallel()
	f := Start(t).Clients(t)
	operations := names(t, f.NewOperationsClient().NewListPager(nil), func(p armapimanagement.OperationsClientListResponse) (list []string) {
		for _, o := range p.Value {
			list = append(list, *o.Name)
		}
		return list
	})
	if !slices.Contains(operations, "Microsoft.ApiManagement/service/apis/write") {
		t.Errorf("%d operations", len(operations))
	}
	skus := names(t, f.NewSKUsClient().NewListPager(nil), func(p armapimanagement.SKUsClientListResponse) (list []string) {
		for _, s := range p.Value {
			list = append(list, *s.Name)
		}
		return list
	})
	if !slices.Contains(skus, "Developer") {
		t.Errorf("SKUs: %v", skus)
	}
}

// TestInteropExport exports an API of the service and one of a workspace.
func TestInteropExport(t *testing.T) {
	t.Parallel()
	const name = "sdk-export"
	ctx, f := context.Background(), Start(t).Service(t, name)
	api := armapimanagement.APICreateOrUpdateParameter{Properties: &armapimanagement.APICreateOrUpdateProperties{
		Path: to.Ptr("pets"), Format: to.Ptr(armapimanagement.ContentFormatOpenapi),
		Value: to.Ptr("openapi: 3.0.1\ninfo: {title: Pets, version: '1'}\npaths:\n  /pets:\n    get: {operationId: list, responses: {'200': {description: All}}}\n"),
	}}
	made, err := f.NewAPIClient().BeginCreateOrUpdate(ctx, group, name, "pets", api, nil)
	finish(t, made, err)
	for format, want := range map[armapimanagement.ExportFormat]string{
		armapimanagement.ExportFormatOpenapi: "openapi-link", armapimanagement.ExportFormatOpenapiJSON: "openapi+json-link",
		armapimanagement.ExportFormatSwagger: "swagger-link-json",
	} {
		got, err := f.NewAPIExportClient().Get(ctx, group, name, "pets", format, armapimanagement.ExportAPITrue, nil)
		if err != nil || got.Value == nil || got.Value.Link == nil || !strings.HasPrefix(*got.Value.Link, "http") || got.ExportResultFormat == nil || string(*got.ExportResultFormat) != want {
			t.Errorf("export %s: %+v %v", format, got.APIExportResult, err)
		}
	}
	if _, err := f.NewWorkspaceClient().CreateOrUpdate(ctx, group, name, "team", armapimanagement.WorkspaceContract{
		Properties: &armapimanagement.WorkspaceContractProperties{DisplayName: to.Ptr("Team")},
	}, nil); err != nil {
		t.Fatal(err)
	}
	api.Properties.Path = to.Ptr("ours")
	inside, err := f.NewWorkspaceAPIClient().BeginCreateOrUpdate(ctx, group, name, "team", "ours", api, nil)
	finish(t, inside, err)
	if _, err := f.NewWorkspaceAPIExportClient().Get(ctx, group, name, "team", "ours", armapimanagement.ExportFormatOpenapi, armapimanagement.ExportAPITrue, nil); err != nil {
		t.Error(err)
	}
}
