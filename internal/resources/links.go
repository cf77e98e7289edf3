package resources

import (
	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/resource"
)

// The links in this file are the newer form of the joins: resources of their own names that hold the ID of what is
// linked. A link makes the join and takes it away again; a join that is taken away takes its links with it.

// APILink links an API with a product or a tag.
type APILink struct {
	APIID string `json:"apiId" rule:"required,ref=apis,cascade" doc:"The API."`
}

// GroupLink links a group with a product.
type GroupLink struct {
	GroupID string `json:"groupId" rule:"required,ref=groups,cascade" doc:"The group."`
}

// OperationLink links an operation with a tag.
type OperationLink struct {
	OperationID string `json:"operationId" rule:"required,ref=apis/operations,cascade" doc:"The operation."`
}

// ProductLink links a product with a tag.
type ProductLink struct {
	ProductID string `json:"productId" rule:"required,ref=products,cascade" doc:"The product."`
}

func productAPILinks() *resource.Type {
	return link("products", "apiLinks", "An API of a product.", func(d *resource.Doc[APILink]) (string, joinOf) {
		return d.Props.APIID, func(product, api arm.ID) arm.ID {
			base, _ := arm.SplitRevision(api.Name())
			return product.Child("apis", base)
		}
	})
}

func productGroupLinks() *resource.Type {
	return link("products", "groupLinks", "A group that sees a product.", func(d *resource.Doc[GroupLink]) (string, joinOf) {
		return d.Props.GroupID, func(product, group arm.ID) arm.ID { return product.Child("groups", group.Name()) }
	})
}

func tagAPILinks() *resource.Type {
	return link("tags", "apiLinks", "An API with a tag.", func(d *resource.Doc[APILink]) (string, joinOf) { return d.Props.APIID, taggedBy })
}

func tagOperationLinks() *resource.Type {
	return link("tags", "operationLinks", "An operation with a tag.", func(d *resource.Doc[OperationLink]) (string, joinOf) { return d.Props.OperationID, taggedBy })
}

func tagProductLinks() *resource.Type {
	return link("tags", "productLinks", "A product with a tag.", func(d *resource.Doc[ProductLink]) (string, joinOf) { return d.Props.ProductID, taggedBy })
}

// joinOf names the join that a link between its parent and its target makes.
type joinOf func(parent, target arm.ID) arm.ID

func taggedBy(tag, target arm.ID) arm.ID { return target.Child("tags", tag.Name()) }

// link declares a type of links. of returns the target of one and the join that it makes.
func link[T any](parent, name, doc string, of func(d *resource.Doc[T]) (string, joinOf)) *resource.Type {
	join := func(x *resource.Reader, d *resource.Doc[T]) (arm.ID, error) {
		ref, join := of(d)
		target, err := x.Resolve(ref)
		return join(d.ID.Parent(), target), err
	}
	return resource.Define(resource.Spec[T]{
		Name: name, Title: doc[:len(doc)-1], Doc: doc + " The newer form of the join of both.",
		Parents: []string{parent}, Workspaces: true, Verbs: resource.CRDL &^ resource.Head, NameMax: 256,
		Check: func(_ *resource.Tx, old, d *resource.Doc[T]) error {
			if old == nil {
				return nil
			}
			was, _ := of(old)
			if is, _ := of(d); is != was {
				return arm.Errorf(arm.CodeValidation, "What a link links cannot be changed. Delete it and make another.")
			}
			return nil
		},
		After: func(x *resource.Tx, _, d *resource.Doc[T]) error {
			id, err := join(&x.Reader, d)
			if err != nil {
				return err
			}
			exists, err := x.Exists(id)
			if err != nil || exists {
				return err
			}
			return resource.Save(x, &resource.Doc[struct{}]{Meta: resource.Meta{ID: id}})
		},
		Delete: func(x *resource.Tx, old *resource.Doc[T]) error {
			if !x.ID.Equal(old.ID) {
				return nil // the join goes, and this with it
			}
			was, _ := of(old)
			for d, err := range resource.All[T](&x.Reader, old.ID.Parent(), name) {
				if err != nil {
					return err
				}
				if is, _ := of(d); is == was && !d.ID.Equal(old.ID) {
					return nil // another link keeps the join
				}
			}
			id, err := join(&x.Reader, old)
			if err != nil {
				return err
			}
			exists, err := x.Exists(id)
			if err != nil || !exists {
				return err
			}
			return resource.Remove(x, id)
		},
	})
}

// removeLinks is the Delete of a join: it removes the links of one type in parent that name target.
func removeLinks[T any](x *resource.Tx, join, parent arm.ID, name string, target arm.ID, ref func(p *T) string) error {
	if !x.ID.Equal(join) {
		return nil // a link or one of both ends goes
	}
	var gone []arm.ID
	for d, err := range resource.All[T](&x.Reader, parent, name) {
		if err != nil {
			return err
		}
		id, err := x.Resolve(ref(&d.Props))
		if err != nil {
			return err
		}
		if id.Equal(target) {
			gone = append(gone, d.ID)
		}
	}
	for _, id := range gone {
		if err := resource.Remove(x, id); err != nil {
			return err
		}
	}
	return nil
}
