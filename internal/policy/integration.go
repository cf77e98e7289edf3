package policy

import "context"

// Integrations are the systems beside backend services that policies speak to.
type Integrations interface {
	// Dapr is the sidecar of the gateway.
	Dapr() Dapr
	// LogEvent hands an event to a logger of the configuration and does not wait until it is sent. e is the caller's no more. An error says that
	// there is no such logger, or none for events.
	LogEvent(logger string, e Event) error
	// SendMessage sends a message to Azure Service Bus and returns when that has it.
	SendMessage(ctx context.Context, m BusMessage) error
	// Authorization gets access from the credential manager.
	Authorization(ctx context.Context, r AuthorizationRequest) (*Authorization, error)
}

// Event is what log-to-eventhub sends.
type Event struct {
	Body []byte
	// PartitionID names a partition; PartitionKey chooses one by its hash. At most one of them is set.
	PartitionID, PartitionKey string
}

// BusMessage is what send-service-bus-message sends.
type BusMessage struct {
	// Namespace is the host of a namespace, or a connection string.
	Namespace string
	// Entity is the name of a queue or topic.
	Entity string
	// ClientID is the identity that a user assigned; the gateway's own one when empty.
	ClientID   string
	Properties map[string]string
	Body       []byte
}

// AuthorizationRequest names an authorization of the credential manager and who asks for it.
type AuthorizationRequest struct {
	Provider, Authorization string
	// Token is the JSON Web Token of the identity that asks; empty for the identity of the service itself.
	Token string
}
