package resources

import "github.com/causeway-apim/causeway/internal/resource"

// toFollow lists the types of API Management that are still to come: requests for them are answered 501.
func toFollow() (types []*resource.Type) {
	for _, t := range []struct {
		reason, parent string
		names          []string
	}{} {
		for _, name := range t.names {
			types = append(types, resource.NotImplemented(name, t.reason, t.parent))
		}
	}
	return types
}
