package resource

import "github.com/causeway-apim/causeway/internal/snapshot"

// Pub collects the snapshot parts of one document and reads what they are made of.
type Pub struct {
	*Reader
	parts []snapshot.Part
	rel   string // of the document, in memory of its own: a part outlives the ID that it would be a piece of
}

// Add adds a part. id is the lower-case path below the service, for most parts that of the document ([arm.ID.Rel]);
// part is one of snapshot's structs.
func (p *Pub) Add(kind snapshot.Kind, id string, part any) error {
	if id == p.rel {
		id = p.rel
	}
	encoded, err := snapshot.Encode(kind, id, part)
	if err == nil {
		p.parts = append(p.parts, encoded)
	}
	return err
}
