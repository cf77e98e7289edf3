package resources

import (
	"encoding/json"
	"net/http"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/policy"
	"github.com/causeway-apim/causeway/internal/resource"
)

// The bits of a policy description's scope, as API Management's answers show them.
const (
	describedTenant    = 1
	describedProduct   = 2
	describedAPI       = 4
	describedOperation = 8
)

// policyDescription is what is answered for a policy of the reference.
type policyDescription struct {
	ID         string `json:"id"`
	Name       string `json:"name"`
	Type       string `json:"type"`
	Properties struct {
		Description string `json:"description"`
		Scope       int    `json:"scope"`
	} `json:"properties"`
}

// policyDescriptions lists the policies that there are.
func policyDescriptions(env Env) resource.Action[Service] {
	return resource.Action[Service]{
		Name: "policyDescriptions", Method: http.MethodGet, Doc: "Lists the policies that documents may hold; scope is one of Tenant, Product, Api, Operation and All.",
		Read: func(x *resource.Reader, d *resource.Doc[Service], _ json.RawMessage) (any, error) {
			wanted, ok := map[string]int{
				"": ^0, "All": ^0, "Tenant": describedTenant, "Product": describedProduct, "Api": describedAPI, "Operation": describedOperation,
			}[x.Param("scope")]
			if !ok {
				return nil, arm.Errorf(arm.CodeInvalidQuery, "scope must be one of Tenant, Product, Api, Operation and All.").WithTarget("scope")
			}
			list := []policyDescription{}
			if env.Policies == nil {
				return pageOf(x, list)
			}
			for _, def := range env.Policies.Definitions() {
				p := policyDescription{ID: d.ID.Child("policyDescriptions", def.Name).String(), Name: def.Name, Type: "Microsoft.ApiManagement/service/policyDescriptions"}
				p.Properties.Description, p.Properties.Scope = def.Doc, describedScopes(def.Scopes)
				if p.Properties.Scope&wanted != 0 {
					list = append(list, p)
				}
			}
			return pageOf(x, list)
		},
	}
}

func describedScopes(s policy.Scope) (bits int) {
	for scope, bit := range map[policy.Scope]int{
		policy.ScopeService: describedTenant, policy.ScopeProduct: describedProduct, policy.ScopeAPI: describedAPI, policy.ScopeOperation: describedOperation,
	} {
		if s == 0 || s&scope != 0 {
			bits |= bit
		}
	}
	return bits
}

// policyReference is an entry of the list of all policy documents.
type policyReference struct {
	ID         string `json:"id"`
	Name       string `json:"name"`
	Type       string `json:"type"`
	Properties struct {
		ReferencePolicyID string `json:"referencePolicyId"`
		ComplianceState   string `json:"complianceState"`
	} `json:"properties"`
}

// allPolicies lists the policy documents of all scopes and whether they meet the restrictions.
func allPolicies(env Env) resource.Action[Service] {
	return resource.Action[Service]{
		Name: "allPolicies", Method: http.MethodGet, Doc: "Lists the policy documents of all scopes, and whether each meets the policy restrictions.",
		Read: func(x *resource.Reader, d *resource.Doc[Service], _ json.RawMessage) (any, error) {
			violations, err := env.restrictionViolations(x, d.ID)
			if err != nil {
				return nil, err
			}
			list := []policyReference{}
			for p, err := range documentsOf(x, d.ID) {
				if err != nil {
					return nil, err
				}
				r := policyReference{ID: d.ID.Child("allPolicies", policyKey(p.ID)).String(), Name: policyKey(p.ID), Type: "Microsoft.ApiManagement/service/allPolicies"}
				r.Properties.ReferencePolicyID, r.Properties.ComplianceState = p.ID.String(), "Compliant"
				if len(violations[p.ID.Key()]) > 0 {
					r.Properties.ComplianceState = "NonCompliant"
				}
				list = append(list, r)
			}
			return pageOf(x, list)
		},
	}
}
