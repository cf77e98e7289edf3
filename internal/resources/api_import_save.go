package resources

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/importer"
	"github.com/causeway-apim/causeway/internal/policy"
	"github.com/causeway-apim/causeway/internal/resource"
)

// saveImport writes what an imported description consists of. Operations that stay, by name, keep their policies and
// tags; those that have vanished are removed. A new operation with the method and the template of one that has vanished
// takes over its policies (https://learn.microsoft.com/azure/api-management/api-management-api-import-restrictions).
func (e Env) saveImport(x *resource.Tx, d *resource.Doc[API]) error {
	r := d.Props.imported
	if err := saveImportedSchemas(x, d.ID, r); err != nil {
		return err
	}
	before := make(map[string]*resource.Doc[Operation])
	for op, err := range resource.All[Operation](&x.Reader, d.ID, "operations") {
		if err != nil {
			return err
		}
		before[op.ID.Key()] = op
	}
	docs := make([]*resource.Doc[Operation], 0, len(r.Operations))
	fresh := make(map[string]*resource.Doc[Operation])
	for i := range r.Operations {
		op := &resource.Doc[Operation]{Props: operationOf(&r.Operations[i])}
		op.ID = d.ID.Child("operations", r.Operations[i].ID)
		if old := before[op.ID.Key()]; old != nil {
			op.Meta = old.Meta
			delete(before, op.ID.Key())
		} else {
			fresh[operationKey(op)] = op
		}
		docs = append(docs, op)
	}
	inherited := make(map[arm.ID]*Policy)
	for _, vanished := range before {
		if heir := fresh[operationKey(vanished)]; heir != nil {
			old, err := resource.Get[Policy](&x.Reader, vanished.ID.Child("policies", policyName))
			if err == nil {
				inherited[heir.ID] = &old.Props
			} else if !arm.IsNotFound(err) {
				return err
			}
		}
		if err := resource.Remove(x, vanished.ID); err != nil {
			return err
		}
	}
	if err := resource.SaveAll(x, docs); err != nil {
		return err
	}
	for id, document := range inherited {
		if err := resource.Save(x, &resource.Doc[Policy]{Meta: resource.Meta{ID: id.Child("policies", policyName)}, Props: *document}); err != nil {
			return err
		}
	}
	for i := range r.Operations {
		if err := e.saveGeneratedPolicy(x, docs[i].ID, r.Operations[i].Policy); err != nil {
			return err
		}
	}
	if err := saveImportedTags(x, d.ID, r.Operations); err != nil {
		return err
	}
	return x.PutBlob(d.ID, definitionBlob, r.Original)
}

// operationKey is equal for operations with the same method and URL template.
func operationKey(d *resource.Doc[Operation]) string {
	return strings.ToUpper(d.Props.Method) + " " + strings.ToLower(d.Props.URLTemplate)
}

// The comment that marks a policy document as made by an import. Between its parts stands the digest of the rest of the document, so
// that one which somebody has changed is told from one that may be replaced by the next import.
const (
	generatedMark = "<!-- Made by an import, and again by the next one unless it is changed: "
	generatedEnd  = " -->"
)

// saveGeneratedPolicy writes the policy document that an operation needs to work, unless it has one that somebody wrote or changed.
func (e Env) saveGeneratedPolicy(x *resource.Tx, operation arm.ID, text string) error {
	if text == "" {
		return nil
	}
	old, err := resource.Get[Policy](&x.Reader, operation.Child("policies", policyName))
	if err != nil && !arm.IsNotFound(err) {
		return err
	}
	if err == nil && !isGenerated(old.Props.Value) {
		return nil
	}
	head, rest, _ := strings.Cut(text, "\n")
	text = head + "\n\t" + generatedMark + textDigest(rest) + generatedEnd + "\n" + rest
	return e.savePolicy(x, operation, policy.ScopeOperation, text)
}

// isGenerated says whether a document is as an import has made it.
func isGenerated(text string) bool {
	_, marked, ok := strings.Cut(text, generatedMark)
	digest, rest, closed := strings.Cut(marked, generatedEnd+"\n")
	return ok && closed && digest == textDigest(rest)
}

func textDigest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:8])
}

// importedTypes are the content types of the schemas that an import of a format makes.
func importedTypes(kind importer.Format) []string {
	list := []string{importer.ContentTypeComponents, importer.ContentTypeDefinitions}
	switch kind {
	case importer.FormatWSDL:
		list = append(list, importer.ContentTypeXSD)
	case importer.FormatWADL:
		list = append(list, importer.ContentTypeWADL)
	case importer.FormatOData:
		list = append(list, importer.ContentTypeOData)
	case importer.FormatGraphQL:
		list = append(list, importer.ContentTypeGraphQL)
	case importer.FormatGRPC:
		list = append(list, importer.ContentTypeProto)
	}
	return list
}
