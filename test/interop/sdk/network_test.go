//go:build interop

package sdk

import (
	"net"
	"net/url"
	"slices"
	"strconv"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/apimanagement/armapimanagement/v3"
)

// TestInteropGateways makes, changes, lists and deletes a gateway of a resource group with a connection to a workspace.
func TestInteropGateways(t *testing.T) {
	t.Parallel()
	const name, workspace = "sdk-gateway", "edge"
	ctx, f := t.Context(), Start(t).Service(t, name)
	made, err := f.NewWorkspaceClient().CreateOrUpdate(ctx, group, name, workspace, armapimanagement.WorkspaceContract{
		Properties: &armapimanagement.WorkspaceContractProperties{DisplayName: to.Ptr("Edge")},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	gateways, connections := f.NewAPIGatewayClient(), f.NewAPIGatewayConfigConnectionClient()
	creation, err := gateways.BeginCreateOrUpdate(ctx, group, name, armapimanagement.GatewayResource{
		Location: to.Ptr("West Europe"), SKU: &armapimanagement.GatewaySKUProperties{Name: to.Ptr(armapimanagement.APIGatewaySKUTypeWorkspaceGatewayPremium), Capacity: to.Ptr[int32](1)},
		Properties: &armapimanagement.GatewayProperties{VirtualNetworkType: to.Ptr(armapimanagement.VirtualNetworkTypeNone)},
	}, nil)
	if g := finish(t, creation, err); *g.Properties.ProvisioningState != "Succeeded" || *g.Etag == "" {
		t.Errorf("gateway: %+v", g.Properties)
	}
	change, err := gateways.BeginUpdate(ctx, group, name, armapimanagement.GatewayUpdateParameters{SKU: &armapimanagement.GatewaySKUPropertiesForPatch{Capacity: to.Ptr[int32](2)}}, nil)
	finish(t, change, err)
	if g, err := gateways.Get(ctx, group, name, nil); err != nil || *g.SKU.Capacity != 2 || *g.SystemData.CreatedBy == "" {
		t.Errorf("gateway: %+v %v", g, err)
	}
	gatewayNames := func(list []*armapimanagement.GatewayResource) (names []string) {
		for _, g := range list {
			names = append(names, *g.Name)
		}
		return names
	}
	all := names(t, gateways.NewListPager(nil), func(p armapimanagement.APIGatewayClientListResponse) []string { return gatewayNames(p.Value) })
	ours := names(t, gateways.NewListByResourceGroupPager(group, nil), func(p armapimanagement.APIGatewayClientListByResourceGroupResponse) []string {
		return gatewayNames(p.Value)
	})
	if !slices.Contains(all, name) || !slices.Contains(ours, name) {
		t.Errorf("the gateway is not in %v or %v", all, ours)
	}
	tiers := names(t, f.NewGatewaySKUsClient().NewListAvailableSKUsPager(group, name, nil), func(p armapimanagement.GatewaySKUsClientListAvailableSKUsResponse) (list []string) {
		for _, s := range p.Value {
			list = append(list, string(*s.SKU.Name))
		}
		return list
	})
	if !slices.Contains(tiers, "Standard") {
		t.Errorf("tiers: %v", tiers)
	}

	connect, err := connections.BeginCreateOrUpdate(ctx, group, name, "one", armapimanagement.GatewayConfigConnectionResource{
		Properties: &armapimanagement.GatewayConfigConnectionBaseProperties{SourceID: made.ID},
	}, nil)
	finish(t, connect, err)
	connection, err := connections.Get(ctx, group, name, "one", nil)
	if err != nil || *connection.Properties.ProvisioningState != "Succeeded" {
		t.Fatalf("connection: %+v %v", connection.Properties, err)
	}
	if list := names(t, connections.NewListByGatewayPager(group, name, nil), func(p armapimanagement.APIGatewayConfigConnectionClientListByGatewayResponse) (list []string) {
		for _, c := range p.Value {
			list = append(list, *c.Name)
		}
		return list
	}); !slices.Equal(list, []string{"one"}) {
		t.Errorf("connections: %v", list)
	}
	if link, err := f.NewWorkspaceLinkClient().Get(ctx, group, name, workspace, nil); err != nil || len(link.Properties.Gateways) != 2 {
		t.Errorf("link of the workspace: %+v %v", link.Properties, err)
	}
	_, err = connections.BeginDelete(ctx, group, name, "one", `"another"`, nil)
	wantStatus(t, err, 412, "")
	parting, err := connections.BeginDelete(ctx, group, name, "one", *connection.Etag, nil)
	finish(t, parting, err)
	removal, err := gateways.BeginDelete(ctx, group, name, nil)
	finish(t, removal, err)
	_, err = gateways.Get(ctx, group, name, nil)
	wantStatus(t, err, 404, "ResourceNotFound")
}

// TestInteropNetwork does what is left of Azure's networks.
func TestInteropNetwork(t *testing.T) {
	t.Parallel()
	const name = "sdk-network"
	ctx, s := t.Context(), Start(t)
	f := s.Service(t, name)
	links := f.NewPrivateEndpointConnectionClient()
	approval, err := links.BeginCreateOrUpdate(ctx, group, name, "one", armapimanagement.PrivateEndpointConnectionRequest{
		Properties: &armapimanagement.PrivateEndpointConnectionRequestProperties{PrivateLinkServiceConnectionState: &armapimanagement.PrivateLinkServiceConnectionState{
			Status: to.Ptr(armapimanagement.PrivateEndpointServiceConnectionStatusApproved),
		}},
	}, nil)
	finish(t, approval, err)
	if c, err := links.GetByName(ctx, group, name, "one", nil); err != nil || *c.Properties.ProvisioningState != armapimanagement.PrivateEndpointConnectionProvisioningStateSucceeded {
		t.Errorf("private endpoint connection: %+v %v", c.Properties, err)
	}
	if l, err := links.GetPrivateLinkResource(ctx, group, name, "Gateway", nil); err != nil || *l.Properties.GroupID != "Gateway" {
		t.Errorf("private link resource: %+v %v", l.Properties, err)
	}
	removal, err := links.BeginDelete(ctx, group, name, "one", nil)
	finish(t, removal, err)
	_, err = links.GetByName(ctx, group, name, "one", nil)
	wantStatus(t, err, 404, "ResourceNotFound")
	migration, err := f.NewServiceClient().BeginMigrateToStv2(ctx, group, name, nil)
	if service := finish(t, migration, err); *service.Name != name {
		t.Errorf("migrated: %+v", service)
	}

	gateway, err := url.Parse(s.Gateway)
	if err != nil {
		t.Fatal(err)
	}
	host, text, err := net.SplitHostPort(gateway.Host)
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	check, err := f.NewClient().BeginPerformConnectivityCheckAsync(ctx, group, name, armapimanagement.ConnectivityCheckRequest{
		Source:      &armapimanagement.ConnectivityCheckRequestSource{Region: to.Ptr("westeurope")},
		Destination: &armapimanagement.ConnectivityCheckRequestDestination{Address: to.Ptr(host), Port: to.Ptr(port)},
	}, nil)
	if r := finish(t, check, err); *r.ConnectionStatus != armapimanagement.ConnectionStatusConnected || len(r.Hops) != 2 {
		t.Errorf("connectivity: %+v", r)
	}
}
