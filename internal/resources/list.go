// Package resources is the catalogue of ARM resource types: one file for each type, and the list.
//
// A type is a function that returns its declaration, so that it can be given what it needs from outside ([Env]) and
// types may name each other in any order. What a declaration can say stands in package resource.
package resources

import (
	"context"

	"github.com/causeway-apim/causeway/internal/gitrepo"
	"github.com/causeway-apim/causeway/internal/policy"
	"github.com/causeway-apim/causeway/internal/resource"
)

// Env is what types need from outside.
type Env struct {
	// GatewayURL returns the URL at which the managed gateway serves a service of this name; likewise the others. Nil
	// ones leave the property empty.
	GatewayURL, PortalURL, ManagementURL func(service string) string
	// Instances lists the connected instances of a self-hosted gateway, as a value to encode; service is the lower-case
	// ARM ID. Nil for none.
	Instances func(service, gateway string) any
	// Trace finds the traces of requests, for listTrace. Nil for none.
	Trace TraceFunc
	// Vault reads a secret that is kept elsewhere; identity is the client ID to do it with, empty for the plane's own. Nil
	// when no vault may be asked.
	Vault func(ctx context.Context, identifier, identity string) (string, error)
	// Policies compiles policy documents when they are written. Without it they are kept unchecked, for those who need
	// the declarations only.
	Policies *policy.Catalogue
	// GatewayImage is the container image in texts that start gateways; empty for the newest one.
	GatewayImage string
	// BackupDir is the folder of backups of services. Without it there are none.
	BackupDir string
	// Mail says that what is put into the outbox will be sent. Without it nothing is put there.
	Mail bool
	// Git keeps the Git repositories of services. Nil for none.
	Git *gitrepo.Repositories
	// CheckCache says why a connection string of an external cache cannot be used. Nil takes any.
	CheckCache func(connectionString string) error
	// Quotas are the counters of gateways. Nil for none.
	Quotas Quotas
	// AllowLoopbackLinks and AllowPrivateLinks let imports and policies come from links to this machine and to private
	// networks.
	AllowLoopbackLinks, AllowPrivateLinks bool
}

// New returns the catalogue.
func New(env Env) (*resource.Catalogue, error) {
	types := []*resource.Type{
		services(env),
		workspaces(),
		locations(),
		privateEndpointConnections(), privateLinkResources(),
		tags(),
		products(),
		productTags(),
		productSubscriptions(),
		namedValues(env),
		certificates(env),
		backends(env),
		loggers(),
		authorizationProviders(env),
		authorizations(),
		authorizationAccessPolicies(),
		caches(env),
		groups(),
		users(env),
		groupUsers(),
		userGroups(),
		subscriptions(env),
		userSubscriptions(),
		gateways(env),
		gatewayHostnames(),
		gatewayCertificateAuthorities(),
		versionSets(),
		apis(env),
		gatewayAPIs(),
		operations(env),
		schemas(),
		apiSchemas(),
		resolvers(),
		apiReleases(),
		apiTags(),
		operationTags(),
		apiProducts(),
		productAPIs(),
		productGroups(),
		policyFragments(env),
		productAPILinks(), productGroupLinks(), tagAPILinks(), tagOperationLinks(), tagProductLinks(),
		quotas(env), quotaPeriods(env), workspaceLinkTypes(),
		diagnostics("", "Diagnostic"), diagnostics("apis", "Diagnostic of an API"),
		tagDescriptions(),
		documentations(), wikis(),
		apiIssues(env), issueComments(env), issueAttachments(), serviceIssues(),
		authorizationServers(), openIDProviders(), identityProviders(),
		emailTemplates(),
		notifications(), notificationEmails(), notificationUsers(),
		portalSettings(), portalConfigs(), portalRevisions(), contentTypes(), contentItems(),
		tenantAccess(env), tenantSettings(),
		policyRestrictions(),
		policies(env, "", policy.ScopeService),
		policies(env, "products", policy.ScopeProduct),
		policies(env, "apis", policy.ScopeAPI),
		policies(env, "apis/operations", policy.ScopeOperation),
		policies(env, "apis/resolvers", policy.ScopeResolver),
	}
	return resource.NewCatalogue(types...)
}
