// Package policies is the catalogue of policies: a file each and a line in the list.
package policies

import "github.com/causeway-apim/causeway/internal/policy"

// All are the policies in the order of the policy reference.
func All() []policy.Definition {
	return []policy.Definition{
		RateLimit,
		RateLimitByKey,
		Quota,
		QuotaByKey,
		LimitConcurrency,
		CheckHeader,
		GetAuthorizationContext,
		IPFilter,
		ValidateAzureADToken,
		ValidateJWT,
		ValidateClientCertificate,
		AuthenticationBasic,
		AuthenticationCertificate,
		AuthenticationManagedIdentity,
		ValidateContent,
		ValidateParameters,
		ValidateHeaders,
		ValidateStatusCode,
		ForwardRequest,
		SetBackendService,
		Proxy,
		CacheLookup,
		CacheStore,
		CacheLookupValue,
		CacheStoreValue,
		CacheRemoveValue,
		CacheValue,
		SetMethod,
		SetStatus,
		SetVariable,
		SetBody,
		SetHeader,
		SetQueryParameter,
		RewriteURI,
		JSONToXML,
		XMLToJSON,
		FindAndReplace,
		RedirectContentURLs,
		XSLTransform,
		ReturnResponse,
		MockResponse,
		CrossDomain,
		CORS,
		JSONP,
		SendRequest,
		SendOneWayRequest,
		LogToEventHub,
		SendServiceBusMessage,
		PublishToDapr,
		InvokeDaprBinding,
		Trace,
		EmitMetric,
		Choose,
		IncludeFragment,
		Retry,
		Wait,
	}
}

// Catalogue is the catalogue of all policies.
func Catalogue() (*policy.Catalogue, error) { return policy.NewCatalogue(All()...) }
