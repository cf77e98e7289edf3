package gateway

// InstanceSecret is what only instances of this gateway know, since it comes with their configuration; nil while there is none.
// It must not be used as it is: derive keys from it.
func (g *Gateway) InstanceSecret() []byte {
	s := g.services.Load().fallback
	if s == nil {
		return nil
	}
	if c := s.current.Load(); c != nil {
		return c.service.KeyHashKey
	}
	return nil
}
