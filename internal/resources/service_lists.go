package resources

import (
	"encoding/json"
	"net/http"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/resource"
)

// collection is a page of a list that is not made of stored resources.
type collection[T any] struct {
	Value    []T    `json:"value"`
	Count    int64  `json:"count"`
	NextLink string `json:"nextLink,omitempty"`
}

// pageOf cuts the page that the request asks for from a list.
func pageOf[T any](x *resource.Reader, items []T) (*collection[T], error) {
	page, aerr := arm.ParsePage(x.Query)
	if aerr != nil {
		return nil, aerr
	}
	total := int64(len(items))
	from := min(page.Skip, total)
	return &collection[T]{
		Value: items[from:min(from+int64(page.Top), total)], Count: total,
		NextLink: page.Next(x.BaseURL, x.Path, x.Query, total),
	}, nil
}

// serviceActions are what can be asked of a service beside its resources.
func serviceActions(env Env) []resource.Action[Service] {
	actions := []resource.Action[Service]{
		{Name: "applynetworkconfigurationupdates", Doc: "Applies changes of an Azure network. There is none around Causeway: it answers the service.", Rewrite: true},
		{Name: "migrateToStv2", Doc: "Moves the service to the platform stv2 of Azure. Services are said to be there: it answers the service.", Rewrite: true},
		connectivityCheck(env),
		workspaceLinks(),
		getSSOToken(env),
		outboxAction(),
		apisByTags(), productsByTags(), tagResources(),
		allPolicies(env), policyDescriptions(env), validatePolicies(env),
	}
	actions = append(actions, backupActions(env)...)
	list := func(name, doc string, items func(d *resource.Doc[Service]) []any) {
		actions = append(actions, resource.Action[Service]{
			Name: name, Method: http.MethodGet, Doc: doc,
			Read: func(x *resource.Reader, d *resource.Doc[Service], _ json.RawMessage) (any, error) {
				return pageOf(x, items(d))
			},
		})
	}
	list("regions", "Lists the regions of the service, its own first.", func(d *resource.Doc[Service]) []any {
		regions := []any{map[string]any{"name": d.Props.Location, "isMasterRegion": true, "isDeleted": false}}
		for _, l := range d.Props.Properties.AdditionalLocations {
			regions = append(regions, map[string]any{"name": l.Location, "isMasterRegion": false, "isDeleted": false})
		}
		return regions
	})
	list("skus", "Lists the pricing tiers that the service can have. Causeway serves every tier alike.", func(*resource.Doc[Service]) []any { return skus() })
	list("outboundNetworkDependenciesEndpoints", "Lists what a service in an Azure network has to reach. Causeway needs nothing: the list is empty.", func(*resource.Doc[Service]) []any { return []any{} })
	return append(append(actions, networkStatus()...), reportActions()...)
}

// skus are the pricing tiers.
func skus() (list []any) {
	for _, tier := range []struct {
		name    string
		maximum int
	}{
		{"Developer", 1}, {"Basic", 2}, {"Standard", 4}, {"Premium", 31}, {"Isolated", 1}, {"Consumption", 0}, {"BasicV2", 10}, {"StandardV2", 10}, {"PremiumV2", 30},
	} {
		scale := "automatic"
		if tier.maximum <= 1 {
			scale = "none"
		}
		least := min(tier.maximum, 1)
		list = append(list, map[string]any{
			"resourceType": "Microsoft.ApiManagement/service", "sku": map[string]any{"name": tier.name},
			"capacity": map[string]any{"minimum": least, "maximum": tier.maximum, "default": least, "scaleType": scale},
		})
	}
	return list
}

// networkStatus answers that there is nothing in Azure that a service would depend on.
func networkStatus() []resource.Action[Service] {
	status := map[string]any{"dnsServers": []string{}, "connectivityStatus": []any{}}
	return []resource.Action[Service]{
		{
			Name: "networkstatus", Method: http.MethodGet, Doc: "Answers what of Azure the service can reach, by region. Causeway depends on nothing there.",
			Read: func(_ *resource.Reader, d *resource.Doc[Service], _ json.RawMessage) (any, error) {
				return []any{map[string]any{"location": d.Props.Location, "networkStatus": status}}, nil
			},
		},
	}
}
