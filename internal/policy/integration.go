package policy

// Integrations are the systems beside backend services that policies speak to.
type Integrations interface {
	// Dapr is the sidecar of the gateway.
	Dapr() Dapr
}
