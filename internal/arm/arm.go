// Package arm is Azure Resource Manager on the wire: resource IDs, the envelope of resources, error bodies, entity
// tags, api-versions, $filter, paging, JSON merge patch, asynchronous operations and request identifiers.
//
// It knows the rules that hold for every resource and no resource type. The facts are those of the ARM RPC contract
// (https://github.com/Azure/azure-resource-manager-rpc) and of the REST reference of API Management.
package arm

// Provider is the resource provider's namespace.
const Provider = "Microsoft.ApiManagement"

// ServiceType is the ARM type of an API Management service.
const ServiceType = Provider + "/service"
