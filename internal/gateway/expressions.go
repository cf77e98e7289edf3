package gateway

import "github.com/causeway-apim/causeway/internal/policy"

var _ policy.ExpressionLimiter = (*request)(nil)

// ExpressionLimits are those of the catalogue that the gateway compiles with.
func (r *request) ExpressionLimits() policy.ExpressionLimits {
	return r.gateway.catalogue.ExpressionLimits()
}
