package gateway

import (
	"strings"

	"github.com/causeway-apim/causeway/internal/policy"
)

// WithoutDots is what a path is matched as.
func WithoutDots(path string) string { return withoutDots(path) }

// Documents returns the compiled policies that a service runs, by scope.
func (g *Gateway) Documents(serviceID string) map[string]*policy.Document {
	all := make(map[string]*policy.Document)
	g.services.Load().byID(strings.ToLower(serviceID)).current.Load().documents.each(func(scope string, d *policy.Document) bool {
		all[scope] = d
		return true
	})
	return all
}
