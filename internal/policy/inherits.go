package policy

// Inherits reports whether every section of the document has a <base />, so that nothing of the outer scopes is left
// out. A section that the document does not have inherits nothing.
func (d *Document) Inherits() bool {
	for _, s := range d.sections {
		if !s.base {
			return false
		}
	}
	return true
}
