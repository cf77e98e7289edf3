package resources

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/importer"
	"github.com/causeway-apim/causeway/internal/resource"
)

// tagNameMax is how long the name of a tag may be that an import makes.
const tagNameMax = 80

// apiTags assigns tags to APIs.
func apiTags() *resource.Type {
	return assignedTags("apis", "Tag of an API", func(x *resource.Tx, old *resource.Doc[struct{}]) error {
		return removeLinks(x, old.ID, tagOf(old.ID), "apiLinks", old.ID.Parent(), func(l *APILink) string { return l.APIID })
	})
}

// operationTags assigns tags to operations.
func operationTags() *resource.Type {
	return assignedTags("apis/operations", "Tag of an operation", func(x *resource.Tx, old *resource.Doc[struct{}]) error {
		return removeLinks(x, old.ID, tagOf(old.ID), "operationLinks", old.ID.Parent(), func(l *OperationLink) string { return l.OperationID })
	})
}

func assignedTags(parent, title string, unlink func(x *resource.Tx, old *resource.Doc[struct{}]) error) *resource.Type {
	return resource.Define(resource.Spec[struct{}]{
		Name: "tags", Title: title, Doc: "A tag that is assigned.",
		Parents: []string{parent}, Workspaces: true, Join: "tags", Verbs: resource.JoinVerbs | resource.Read,
		Indexes: func(d *resource.Doc[struct{}]) []resource.Index { return contentIndexes(d.ID) },
		Delete:  unlink,
	})
}

// saveImportedTags assigns the tags of a description to its operations and makes those that there are none of yet.
// Nothing is taken away: people assign tags, too.
func saveImportedTags(x *resource.Tx, api arm.ID, operations []importer.Operation) error {
	var assigned []*resource.Doc[struct{}]
	made := make(map[string]bool)
	for _, op := range operations {
		id := api.Child("operations", op.ID)
		seen := make(map[string]bool, len(op.Tags))
		for _, display := range op.Tags {
			name := tagName(display)
			if seen[name] {
				continue
			}
			seen[name] = true
			if !made[name] {
				if err := saveTag(x, ownerOf(api).Child("tags", name), display); err != nil {
					return err
				}
				made[name] = true
			}
			assigned = append(assigned, &resource.Doc[struct{}]{Meta: resource.Meta{ID: id.Child("tags", name)}})
		}
	}
	return resource.SaveAll(x, assigned)
}

// saveTag makes a tag when there is none of that name.
func saveTag(x *resource.Tx, id arm.ID, display string) error {
	exists, err := x.Exists(id)
	if err != nil || exists {
		return err
	}
	d := &resource.Doc[Tag]{Meta: resource.Meta{ID: id}, Props: Tag{DisplayName: clip(display, 160)}}
	return resource.Save(x, d)
}

// tagName makes the name of a tag from what people call it: lower-case letters and digits, anything else one hyphen.
func tagName(display string) string {
	words := strings.FieldsFunc(strings.ToLower(display), func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') })
	name := strings.Join(words, "-")
	if name == "" || len(name) > tagNameMax {
		sum := sha256.Sum256([]byte(display))
		name = "tag-" + hex.EncodeToString(sum[:8])
	}
	return name
}
