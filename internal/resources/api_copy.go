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

// copyContent copies what an API consists of: its description, schemas, operations, policies and tags.
func copyContent(x *resource.Tx, from, to arm.ID) error {
	if err := copyBlob(x, from, to, definitionBlob); err != nil {
		return err
	}
	if err := copySchemas(x, from, to); err != nil {
		return err
	}
	if err := copyPolicyAndTags(x, from, to); err != nil {
		return err
	}
	operations, err := copyChildren[Operation](x, from, to, "operations")
	if err != nil {
		return err
	}
	for _, op := range operations {
		if err := copyPolicyAndTags(x, from.Child("operations", op.Name()), op.ID); err != nil {
			return err
		}
	}
	return nil
}

func copyPolicyAndTags(x *resource.Tx, from, to arm.ID) error {
	if _, err := copyChildren[Policy](x, from, to, "policies"); err != nil {
		return err
	}
	_, err := copyChildren[struct{}](x, from, to, "tags")
	return err
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
