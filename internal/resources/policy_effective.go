package resources

import (
	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/policy"
	"github.com/causeway-apim/causeway/internal/resource"
)

// EffectivePolicyView is what is answered for a policy document with effective=true: the documents of all scopes in one, each <base /> replaced by
// what it stands for, and where each statement comes from. It is ours; the portal of API Management calculates the same.
type EffectivePolicyView struct {
	Format     string              `json:"format"`
	Value      string              `json:"value"`
	Statements []*policy.Statement `json:"statements"`
}

// effectivePolicy makes the effective policy at the scope of a document. The query parameter product names the product in whose context requests
// to an API or operation run.
func (e Env) effectivePolicy(x *resource.Reader, d *resource.Doc[Policy], scope policy.Scope, format string) (any, error) {
	owner := ownerOf(d.ID)
	look := &configuration{x: x, base: owner}
	var texts []policy.ScopedText
	add := func(scope policy.Scope, of arm.ID) error {
		id := of.Child("policies", policyName)
		doc, err := resource.Get[Policy](x, id)
		switch {
		case arm.IsNotFound(err) && scope == policy.ScopeService:
			doc = &resource.Doc[Policy]{Props: *defaultPolicy()}
		case arm.IsNotFound(err):
			return nil
		case err != nil:
			return err
		}
		texts = append(texts, policy.ScopedText{
			Scope: scope, Name: "/" + id.RelPath(), Text: convertPolicy(doc.Props.Value, doc.Props.Format, format), Format: format,
		})
		return nil
	}
	scopes, err := e.scopesAbove(x, d.ID, scope)
	for _, s := range scopes {
		if err == nil {
			err = add(s.scope, s.id)
		}
	}
	if err != nil {
		return nil, err
	}
	effective, reports := e.Policies.Effective(texts, policy.Options{Lookup: look})
	if look.err != nil {
		return nil, look.err
	}
	if effective == nil {
		var causes []arm.Detail
		for _, r := range reports {
			for _, f := range r.Errors {
				causes = append(causes, arm.Detail{Code: arm.Code(f.Code), Message: placed(f)})
			}
		}
		return nil, invalidDocument("value", "", causes...)
	}
	if effective.Statements == nil {
		effective.Statements = []*policy.Statement{}
	}
	return EffectivePolicyView{format, effective.Value, effective.Statements}, nil
}

// scopedID is a resource whose policy document counts at a scope.
type scopedID struct {
	scope policy.Scope
	id    arm.ID
}

// scopesAbove lists the scopes that a document at id inherits from, and its own, from broad to narrow.
func (e Env) scopesAbove(x *resource.Reader, id arm.ID, scope policy.Scope) ([]scopedID, error) {
	list := []scopedID{{policy.ScopeService, id.Service()}}
	if owner := ownerOf(id); !owner.Equal(id.Service()) {
		list = append(list, scopedID{policy.ScopeWorkspace, owner})
	}
	if scope&(policy.ScopeService|policy.ScopeWorkspace) != 0 {
		return list, nil
	}
	of := id.Parent()
	if scope == policy.ScopeProduct {
		return append(list, scopedID{scope, of}), nil
	}
	if name := x.Param("product"); name != "" {
		product := ownerOf(id).Child("products", name)
		if ok, err := x.Exists(product); err != nil || !ok {
			return nil, orInvalid(err, arm.Errorf(arm.CodeInvalidQuery, "There is no product %s.", name).WithTarget("product"))
		}
		list = append(list, scopedID{policy.ScopeProduct, product})
	}
	if scope == policy.ScopeOperation {
		list = append(list, scopedID{policy.ScopeAPI, of.Parent()})
	}
	return append(list, scopedID{scope, of}), nil
}
