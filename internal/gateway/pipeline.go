package gateway

import "github.com/causeway-apim/causeway/internal/policy"

// linked is the effective policy of an operation in one product context. Those
// of other products hang behind it.
type linked struct {
	generation uint64 // of the config that it was linked for
	product    *product
	pipeline   *policy.Pipeline
	direct     bool    // see [policy.Pipeline.IsDirect]
	next       *linked // of the same generation
}

// pipeline returns the effective policy, linked at its first use after a change
// of the configuration. p is nil outside of products.
func (c *config) pipeline(a *api, op *operation, p *product) *linked {
	first := op.pipelines.Load()
	var others *linked
	if first != nil && first.generation == c.generation {
		others = first
	}
	for l := others; l != nil; l = l.next {
		if l.product == p {
			return l
		}
	}
	pipeline := c.link(a, op, p)
	l := &linked{generation: c.generation, product: p, pipeline: pipeline, direct: pipeline.IsDirect(), next: others}
	// Of two requests that do this at once one loses its entry, and the next one
	// makes it again. Requests of an older config leave the newer one's alone.
	if first == nil || first.generation <= c.generation {
		op.pipelines.CompareAndSwap(first, l)
	}
	return l
}

func (c *config) link(a *api, op *operation, p *product) *policy.Pipeline {
	var scopes [5]*policy.Document
	scopes[0], _ = c.documents.Get("")
	if a.workspace != "" {
		scopes[1], _ = c.documents.Get(workspacePrefix + a.workspace)
	}
	if p != nil {
		scopes[2], _ = c.documents.Get(p.scope)
	}
	scopes[3], _ = c.documents.Get(a.scope)
	if op != a.bare {
		scopes[4], _ = c.documents.Get(op.scope)
	}
	return policy.Link(scopes[:]...)
}
