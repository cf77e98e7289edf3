package resources

// AdditionalLocation is a region that a service spans besides its own.
type AdditionalLocation struct {
	Location            string          `json:"location" rule:"required,max=90" doc:"Azure region."`
	SKU                 *SKU            `json:"sku" rule:"required" doc:"Pricing tier; Causeway serves every tier alike."`
	Zones               []string        `json:"zones,omitempty" doc:"Availability zones."`
	DisableGateway      bool            `json:"disableGateway" doc:"No managed gateway in this region."`
	VirtualNetwork      *VirtualNetwork `json:"virtualNetworkConfiguration,omitempty" doc:"Azure network; kept."`
	PublicIPAddressID   string          `json:"publicIpAddressId,omitempty" doc:"Azure address; kept."`
	NatGatewayState     string          `json:"natGatewayState,omitempty" rule:"enum=Enabled|Disabled,default=Disabled"`
	PublicIPAddresses   []string        `json:"publicIPAddresses,omitempty" rule:"readonly"`
	PrivateIPAddresses  []string        `json:"privateIPAddresses,omitempty" rule:"readonly"`
	OutboundIPAddresses []string        `json:"outboundPublicIPAddresses,omitempty" rule:"readonly"`
	GatewayRegionalURL  string          `json:"gatewayRegionalUrl,omitempty" rule:"readonly" doc:"URL of the managed gateway: one gateway serves all regions."`
	PlatformVersion     string          `json:"platformVersion,omitempty" rule:"readonly"`
}

// VirtualNetwork is the Azure network that a service is in. There is none around Causeway: it is kept and has no effect.
type VirtualNetwork struct {
	SubnetResourceID string `json:"subnetResourceId,omitempty" rule:"max=2000,pattern=(?i)/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft\\.(ClassicNetwork|Network)/virtualNetworks/[^/]+/subnets/[^/]+" doc:"ARM ID of the subnet."`
}

// ConfigurationAPI says whether self-hosted gateways may read their configuration.
type ConfigurationAPI struct {
	LegacyAPI string `json:"legacyApi" rule:"enum=Enabled|Disabled,default=Enabled" doc:"Kept; there is no older one here."`
}
