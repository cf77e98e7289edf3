package resources

import (
	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/resource"
)

// PrivateEndpointConnection is the connection of a private endpoint of Azure. There is no Azure network around Causeway: what a client says
// about one is kept, and connects nothing.
type PrivateEndpointConnection struct {
	State             PrivateLinkState `json:"privateLinkServiceConnectionState" doc:"Whether the connection is approved."`
	PrivateEndpoint   *PrivateEndpoint `json:"privateEndpoint,omitempty" doc:"The endpoint."`
	GroupIDs          []string         `json:"groupIds,omitempty" rule:"readonly" doc:"What the endpoint reaches."`
	ProvisioningState string           `json:"provisioningState,omitempty" rule:"readonly" doc:"Succeeded."`
}

// PrivateLinkState says whether the owner of a service lets an endpoint in.
type PrivateLinkState struct {
	Status          string `json:"status,omitempty" rule:"required,enum=Pending|Approved|Rejected" doc:"What the owner of the service has decided."`
	Description     string `json:"description,omitempty" rule:"max=1000" doc:"Why."`
	ActionsRequired string `json:"actionsRequired,omitempty" rule:"max=1000" doc:"What the other side has to do."`
}

// PrivateEndpoint is an endpoint in a network of Azure.
type PrivateEndpoint struct {
	ID string `json:"id,omitempty" rule:"max=1000" doc:"ARM ID of the endpoint."`
}

// privateLinkGateway is the only part of a service that private endpoints of Azure reach.
const privateLinkGateway = "Gateway"

func privateEndpointConnections() *resource.Type {
	return resource.Define(resource.Spec[PrivateEndpointConnection]{
		Name: "privateEndpointConnections", Title: "Private endpoint connection",
		Doc:     "A connection of a private endpoint of Azure. There is no Azure network around Causeway: it is kept, and connects nothing.",
		Parents: []string{""}, Verbs: resource.Create | resource.Read | resource.Delete | resource.List, PutOK: true,
		View: func(_ *resource.Reader, d *resource.Doc[PrivateEndpointConnection]) (any, error) {
			v := d.Props
			v.GroupIDs, v.ProvisioningState = []string{privateLinkGateway}, succeeded
			return v, nil
		},
	})
}

// PrivateLinkResource is what private endpoints reach.
type PrivateLinkResource struct {
	GroupID           string   `json:"groupId" rule:"readonly" doc:"Part of the service."`
	RequiredMembers   []string `json:"requiredMembers" rule:"readonly" doc:"Names that an endpoint has to have."`
	RequiredZoneNames []string `json:"requiredZoneNames" rule:"readonly" doc:"Zones of the private DNS."`
}

func privateLinkResources() *resource.Type {
	return resource.Define(resource.Spec[PrivateLinkResource]{
		Name: "privateLinkResources", Title: "Private link resource", Doc: "What private endpoints of Azure could reach: the gateway.",
		Parents: []string{""}, Names: []string{privateLinkGateway}, Verbs: resource.Read | resource.List,
		Initial: func(*resource.Reader, arm.ID) (*PrivateLinkResource, error) {
			return &PrivateLinkResource{privateLinkGateway, []string{privateLinkGateway}, []string{"privatelink.azure-api.net"}}, nil
		},
	})
}
