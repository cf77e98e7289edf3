//go:build interop

package sdk

import (
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	v1 "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/apimanagement/armapimanagement"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/apimanagement/armapimanagement/v3"
)

// TestInteropBasics creates, reads, updates, lists and deletes with v3.
func TestInteropBasics(t *testing.T) {
	t.Parallel()
	ctx, f := t.Context(), Start(t).Service(t, "sdk-basics")
	service, err := f.NewServiceClient().Get(ctx, group, "sdk-basics", nil)
	if err != nil || *service.Name != "sdk-basics" || *service.Properties.ProvisioningState != "Succeeded" {
		t.Fatalf("service: %v", err)
	}
	products := f.NewProductClient()
	made, err := products.CreateOrUpdate(ctx, group, "sdk-basics", "gold", armapimanagement.ProductContract{
		Properties: &armapimanagement.ProductContractProperties{DisplayName: to.Ptr("Gold"), SubscriptionRequired: to.Ptr(true)},
	}, nil)
	if err != nil || made.ETag == nil {
		t.Fatalf("create product: %v", err)
	}
	_, err = products.Update(ctx, group, "sdk-basics", "gold", `"wrong"`, armapimanagement.ProductUpdateParameters{}, nil)
	wantStatus(t, err, 412, "PreconditionFailed")
	if _, err := products.Update(ctx, group, "sdk-basics", "gold", *made.ETag, armapimanagement.ProductUpdateParameters{
		Properties: &armapimanagement.ProductUpdateProperties{Description: to.Ptr("The best")},
	}, nil); err != nil {
		t.Error(err)
	}
	read, err := products.Get(ctx, group, "sdk-basics", "gold", nil)
	if err != nil || *read.Properties.Description != "The best" || *read.Properties.DisplayName != "Gold" {
		t.Errorf("read product: %v", err)
	}
	names := 0
	for pager := products.NewListByServicePager(group, "sdk-basics", nil); pager.More(); {
		page, err := pager.NextPage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		names += len(page.Value)
	}
	if names == 0 {
		t.Error("no products are listed")
	}
	if _, err := products.Delete(ctx, group, "sdk-basics", "gold", "*", nil); err != nil {
		t.Error(err)
	}
	_, err = products.Get(ctx, group, "sdk-basics", "gold", nil)
	wantStatus(t, err, 404, "ResourceNotFound")
}

// TestInteropVersionOne does the same with tags and the oldest SDK.
func TestInteropVersionOne(t *testing.T) {
	t.Parallel()
	s := Start(t)
	s.Service(t, "sdk-v1")
	tags, err := v1.NewTagClient(subscription, s.Credential, s.Options)
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	if _, err := tags.CreateOrUpdate(ctx, group, "sdk-v1", "blue", v1.TagCreateUpdateParameters{
		Properties: &v1.TagContractProperties{DisplayName: to.Ptr("Blue")},
	}, nil); err != nil {
		t.Fatal(err)
	}
	if got, err := tags.Get(ctx, group, "sdk-v1", "blue", nil); err != nil || *got.Properties.DisplayName != "Blue" {
		t.Error(err)
	}
	if state, err := tags.GetEntityState(ctx, group, "sdk-v1", "blue", nil); err != nil || !state.Success {
		t.Error(err)
	}
	if _, err := tags.Delete(ctx, group, "sdk-v1", "blue", "*", nil); err != nil {
		t.Error(err)
	}
	_, err = tags.Get(ctx, group, "sdk-v1", "blue", nil)
	wantStatus(t, err, 404, "")
}
