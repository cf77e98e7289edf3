package resources

import (
	"encoding/json"
	"iter"
	"strings"
	"time"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/policy"
	"github.com/causeway-apim/causeway/internal/resource"
)

// documentIndex with the value documentIndexValue finds all policy documents of a service.
const (
	documentIndex      = "policyDocument"
	documentIndexValue = "all"
)

// PolicyRestriction demands something of policy documents. Documents that do not meet it are reported, not refused.
type PolicyRestriction struct {
	Scope       string `json:"scope,omitempty" rule:"max=2000" filter:"yes" doc:"Path of what the documents apply to, such as /products/starter or /apis: everything below is meant, too. Empty or / for all but the service's own."`
	RequireBase string `json:"requireBase,omitempty" rule:"enum=true|false,default=false" doc:"Documents must hold <base /> in every section."`
}

func policyRestrictions() *resource.Type {
	return resource.Define(resource.Spec[PolicyRestriction]{
		Name: "policyRestrictions", Title: "Policy restriction", Doc: "Demands something of policy documents. allPolicies and validatePolicies report those that do not meet it.",
		Parents: []string{""}, Verbs: resource.CRUDL, NameMax: 256,
	})
}

// restricts reports whether a restriction means the document at id.
func (r *PolicyRestriction) restricts(id arm.ID) bool {
	scope := strings.ToLower(strings.Trim(r.Scope, "/"))
	if full, err := arm.ParseID(r.Scope); err == nil && !full.IsZero() && !full.Service().IsZero() {
		scope = full.Rel()
	}
	of := policyScope(id)
	if scope == "" {
		return of != ""
	}
	return of == scope || strings.HasPrefix(of, scope+"/")
}

// documentsOf yields the policy documents of a service with those of its workspaces.
func documentsOf(x *resource.Reader, service arm.ID) iter.Seq2[*resource.Doc[Policy], error] {
	return func(yield func(*resource.Doc[Policy], error) bool) {
		keys, err := x.Lookup(documentIndex, documentIndexValue)
		if err != nil {
			yield(nil, err)
			return
		}
		for _, key := range keys {
			id, err := arm.ParseID(key)
			var d *resource.Doc[Policy]
			if err == nil {
				d, err = resource.Get[Policy](x, id)
			}
			if !yield(d, err) || err != nil {
				return
			}
		}
	}
}

// policyKey names a policy document in one word.
func policyKey(id arm.ID) string {
	of := id.Parent().RelPath()
	if of == "" {
		return "service"
	}
	return strings.ReplaceAll(of, "/", "-")
}

// restrictionViolations returns what is wrong with policy documents, by their keys.
func (e Env) restrictionViolations(x *resource.Reader, service arm.ID) (map[string][]string, error) {
	var rules []*resource.Doc[PolicyRestriction]
	for r, err := range resource.All[PolicyRestriction](x, service, "policyRestrictions") {
		if err != nil {
			return nil, err
		}
		if r.Props.RequireBase == "true" {
			rules = append(rules, r)
		}
	}
	found := make(map[string][]string)
	if len(rules) == 0 || e.Policies == nil {
		return found, nil
	}
	for d, err := range documentsOf(x, service) {
		if err != nil {
			return nil, err
		}
		for _, r := range rules {
			if !r.Props.restricts(d.ID) {
				continue
			}
			o := policy.Options{
				Kind: policy.KindPolicies, Scope: scopeOfDocument(d.ID), Format: d.Props.Format,
				Lookup: &configuration{x: x, base: ownerOf(d.ID)},
			}
			if doc, _ := e.Policies.Compile(d.Props.Value, o); doc == nil || !doc.Inherits() {
				found[d.ID.Key()] = append(found[d.ID.Key()], "The restriction "+r.Name()+" demands <base /> in every section.")
			}
		}
	}
	return found, nil
}

// policyValidation is the answer of validatePolicies.
type policyValidation struct {
	ID         string `json:"id"`
	Name       string `json:"name"`
	Type       string `json:"type"`
	Properties struct {
		ID         string              `json:"id"`
		Status     string              `json:"status"`
		Started    time.Time           `json:"started"`
		Updated    time.Time           `json:"updated"`
		ResultInfo string              `json:"resultInfo"`
		ActionLog  []policyNotComplied `json:"actionLog"`
	} `json:"properties"`
}

// policyNotComplied is a policy document that does not meet a restriction.
type policyNotComplied struct {
	ObjectType string `json:"objectType"`
	Action     string `json:"action"`
	ObjectKey  string `json:"objectKey"`
}

// validatePolicies compares all policy documents with the restrictions.
func validatePolicies(env Env) resource.Action[Service] {
	return resource.Action[Service]{
		Name: "validatePolicies", Doc: "Compares all policy documents with the policy restrictions and answers those that do not meet them.",
		Read: func(x *resource.Reader, d *resource.Doc[Service], _ json.RawMessage) (any, error) {
			violations, err := env.restrictionViolations(x, d.ID)
			if err != nil {
				return nil, err
			}
			out := policyValidation{ID: d.ID.Child("operationResults", "validatePolicies").String(), Name: "validatePolicies", Type: "Microsoft.ApiManagement/service/operationResults"}
			p := &out.Properties
			p.ID, p.Status, p.Started, p.Updated, p.ActionLog = out.Name, "Succeeded", x.Now, x.Now, []policyNotComplied{}
			p.ResultInfo = "Every policy document meets the restrictions."
			for d, err := range documentsOf(x, d.ID) {
				if err != nil {
					return nil, err
				}
				for _, violation := range violations[d.ID.Key()] {
					p.ActionLog = append(p.ActionLog, policyNotComplied{ObjectType: "Policy", Action: violation, ObjectKey: d.ID.String()})
				}
			}
			if n := len(p.ActionLog); n > 0 {
				p.Status, p.ResultInfo = "Failed", "Some policy documents do not meet the restrictions."
			}
			return out, nil
		},
	}
}
