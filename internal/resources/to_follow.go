package resources

import "github.com/causeway-apim/causeway/internal/resource"

// toFollow lists the types of API Management that are still to come: requests for them are answered 501.
func toFollow() (types []*resource.Type) {
	for _, t := range []struct {
		reason, parent string
		names          []string
	}{
		{"the credential manager is to follow", "", []string{"authorizationProviders"}},
		{"sign-in with other providers is to follow", "", []string{"authorizationServers", "identityProviders", "openidConnectProviders"}},
		{"diagnostics and loggers are to follow", "", []string{"diagnostics", "loggers"}},
		{"diagnostics are to follow", "apis", []string{"diagnostics"}},
		{"the developer portal is to follow", "", []string{
			"contentTypes", "documentations", "issues", "notifications", "portalconfigs", "portalRevisions", "portalsettings", "templates",
		}},
		{"the developer portal is to follow", "apis", []string{"issues", "wikis"}},
		{"the developer portal is to follow", "products", []string{"wikis"}},
		{"usage records are to follow", "", []string{"quotas", "reports"}},
		{"external caches are to follow", "", []string{"caches"}},
		{"GraphQL is to follow", "apis", []string{"resolvers"}},
		{"schemas of the service are to follow", "", []string{"schemas"}},
		{"lists by tag are to follow", "", []string{"apisByTags", "productsByTags", "tagResources"}},
		{"lists by tag are to follow", "apis", []string{"operationsByTags", "tagDescriptions"}},
		{"links are to follow; the joins of the same resources work", "products", []string{"apiLinks", "groupLinks"}},
		{"links are to follow; the joins of the same resources work", "tags", []string{"apiLinks", "operationLinks", "productLinks"}},
		{"overviews of policies are to follow", "", []string{"allPolicies", "policyDescriptions", "policyRestrictions"}},
		{"access for tools and the Git repository is to follow", "", []string{"settings", "tenant"}},
		{"workspaces are to follow", "", []string{"workspaces"}},
		{"there is no Azure network around Causeway", "", []string{"networkstatus", "outboundNetworkDependenciesEndpoints", "privateEndpointConnections", "privateLinkResources", "regions", "skus"}},
	} {
		for _, name := range t.names {
			types = append(types, resource.NotImplemented(name, t.reason, t.parent))
		}
	}
	return types
}
