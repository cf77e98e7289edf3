package resources

import "github.com/causeway-apim/causeway/internal/resource"

// apiTags assigns tags to APIs.
func apiTags() *resource.Type { return assignedTags("apis", "Tag of an API") }

// operationTags assigns tags to operations.
func operationTags() *resource.Type { return assignedTags("apis/operations", "Tag of an operation") }

func assignedTags(parent, title string) *resource.Type {
	return resource.Define(resource.Spec[struct{}]{
		Name: "tags", Title: title, Doc: "A tag that is assigned.",
		Parents: []string{parent}, Workspaces: true, Join: "tags", Verbs: resource.JoinVerbs | resource.Read,
	})
}
