package resources

import (
	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/resource"
)

// copyAPI copies what belongs to the source of a new API or revision.
func copyAPI(x *resource.Tx, d *resource.Doc[API]) error {
	source, err := d.Props.source(&x.Reader)
	if err != nil {
		return err
	}
	return copyContent(x, source.ID, d.ID)
}

// contentIndex finds the policy documents and the tags of an API and of its operations by the API's lower-case path, so
// that thousands of operations need not be asked one by one.
const contentIndex = "content"

// contentIndexes are the rows of a policy document or an assigned tag; none of those outside of APIs.
func contentIndexes(id arm.ID) []resource.Index {
	owner := id.Parent()
	if owner.Find("operations") != "" || owner.Find("resolvers") != "" {
		owner = owner.Parent()
	}
	if owner.Find("apis") == "" {
		return nil
	}
	return []resource.Index{{Name: contentIndex, Value: owner.Rel()}}
}

// copyContent copies what an API consists of: its description, schemas, operations, policies and tags.
func copyContent(x *resource.Tx, from, to arm.ID) error {
	if err := copyBlob(x, from, to, definitionBlob); err != nil {
		return err
	}
	if err := copySchemas(x, from, to); err != nil {
		return err
	}
	if _, err := copyChildren[Operation](x, from, to, "operations"); err != nil {
		return err
	}
	if from.Find("workspaces") == "" { // APIs of workspaces have no resolvers
		if _, err := copyChildren[Resolver](x, from, to, "resolvers"); err != nil {
			return err
		}
	}
	keys, err := x.Lookup(contentIndex, from.Rel())
	if err != nil {
		return err
	}
	var documents []*resource.Doc[Policy]
	var tags []*resource.Doc[struct{}]
	for _, key := range keys {
		id, err := arm.ParseID(key)
		if err != nil {
			return err
		}
		if isTag(id) {
			tags, err = appendCopy(x, tags, id, from, to)
		} else {
			documents, err = appendCopy(x, documents, id, from, to)
		}
		if err != nil {
			return err
		}
	}
	if err := resource.SaveAll(x, documents); err != nil {
		return err
	}
	return resource.SaveAll(x, tags)
}

func isTag(id arm.ID) bool { return id.Parent().Child("tags", id.Name()).Equal(id) }

// appendCopy copies a resource that is somewhere below one API to the same place below another.
func appendCopy[T any](x *resource.Tx, list []*resource.Doc[T], id, from, to arm.ID) ([]*resource.Doc[T], error) {
	d, err := resource.Get[T](&x.Reader, id)
	if err != nil {
		return nil, err
	}
	c := &resource.Doc[T]{Meta: resource.Meta{ID: placedBelow(d.ID, from, to)}, Props: d.Props}
	return append(list, c), nil
}

// placedBelow returns the ID that has the place below one resource that id has below another.
func placedBelow(id, from, to arm.ID) arm.ID {
	return arm.Below(to.Service(), to.RelPath()+id.RelPath()[len(from.RelPath()):])
}

func copySchemas(x *resource.Tx, from, to arm.ID) error {
	schemas, err := copyChildren[Schema](x, from, to, "schemas")
	if err != nil {
		return err
	}
	for _, s := range schemas {
		if err := copyBlob(x, from.Child("schemas", s.Name()), s.ID, schemaBlob); err != nil {
			return err
		}
	}
	return nil
}

// copyChildren copies the resources of one type from one resource into another and returns the copies.
func copyChildren[T any](x *resource.Tx, from, to arm.ID, segment string) ([]*resource.Doc[T], error) {
	var copies []*resource.Doc[T]
	for d, err := range resource.All[T](&x.Reader, from, segment) {
		if err != nil {
			return nil, err
		}
		c := &resource.Doc[T]{Props: d.Props}
		c.ID = to.Child(segment, d.Name())
		copies = append(copies, c)
	}
	return copies, resource.SaveAll(x, copies)
}

func copyBlob(x *resource.Tx, from, to arm.ID, name string) error {
	data, err := x.Blob(from, name)
	if err != nil || data == nil {
		return err
	}
	return x.PutBlob(to, name, data)
}
