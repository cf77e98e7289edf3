package gateway

import "github.com/causeway-apim/causeway/internal/policy"

// linked is the effective policy of an operation, linked for one product
// context. Entries for other products of the same operation hang behind it.
type linked struct {
	generation uint64 // of the config that it was last found good for
	product    string
	documents  [4]*policy.Document
	pipeline   *policy.Pipeline
	next       *linked
}

// pipeline returns the effective policy. It is linked at the first use; later
// configs find out with four look-ups that it is still good.
func (c *config) pipeline(a *api, op *operation, p *product) *policy.Pipeline {
	id := ""
	if p != nil {
		id = p.id
	}
	first := op.pipelines.Load()
	var old *linked
	for l := first; l != nil; l = l.next {
		if l.product == id {
			if l.generation == c.generation {
				return l.pipeline
			}
			old = l
			break
		}
	}
	l := &linked{generation: c.generation, product: id, documents: c.scopeDocuments(a, op, p)}
	if old != nil && old.documents == l.documents {
		l.pipeline = old.pipeline
	} else {
		l.pipeline = link(l.documents)
	}
	l.next = first.without(id)
	// When two requests do this at once, one entry is lost and made again later.
	op.pipelines.CompareAndSwap(first, l)
	return l.pipeline
}

// without returns the list without a product's entry.
func (l *linked) without(product string) *linked {
	if l == nil {
		return nil
	}
	if l.product == product {
		return l.next
	}
	c := *l
	c.next = l.next.without(product)
	return &c
}

func (c *config) scopeDocuments(a *api, op *operation, p *product) (docs [4]*policy.Document) {
	docs[0], _ = c.documents.Get("")
	if p != nil {
		docs[1], _ = c.documents.Get(p.scope)
	}
	docs[2], _ = c.documents.Get(a.scope)
	docs[3], _ = c.documents.Get(op.scope)
	return docs
}

// servicePipeline is the policy of requests that match no operation.
func (c *config) servicePipeline() *policy.Pipeline {
	doc, _ := c.documents.Get("")
	return link([4]*policy.Document{doc})
}

func link(docs [4]*policy.Document) *policy.Pipeline {
	return policy.Link(docs[:]...)
}
