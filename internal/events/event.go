package events

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// Types of events that no change of a resource makes.
const (
	TypeTokenNearExpiry       = "Microsoft.ApiManagement.GatewayTokenNearExpiry"
	TypeTokenExpired          = "Microsoft.ApiManagement.GatewayTokenExpired"
	TypeCircuitOpened         = "Microsoft.ApiManagement.CircuitBreaker.Opened"
	TypeCircuitClosed         = "Microsoft.ApiManagement.CircuitBreaker.Closed"
	TypeCertificateNearExpiry = "Causeway.CertificateNearExpiry" // ours
	TypeCertificateExpired    = "Causeway.CertificateExpired"    // ours
)

// typePrefix begins the types of API Management's events.
const typePrefix = "Microsoft.ApiManagement."

// Event is something that happened in a service.
type Event struct {
	ID      string          `json:"id"`      // the same when it comes again
	Type    string          `json:"type"`    // such as Microsoft.ApiManagement.APICreated
	Topic   string          `json:"topic"`   // ID of the service
	Subject string          `json:"subject"` // the resource's path below the service
	Time    time.Time       `json:"time"`
	Data    json.RawMessage `json:"data"`
}

// kind is a type of resources whose changes are events.
type kind struct {
	stored string // the store's name of the resource type
	name   string // in the types of events
	// ends are what is appended to name for a creation, an update and a deletion; "" for no event.
	created, updated, deleted string
}

// kinds are the resources of API Management's events.
func kinds() []kind {
	plain := func(stored, name string) kind { return kind{stored, name, "Created", "Updated", "Deleted"} }
	return []kind{
		plain("users", "User"), plain("apis", "API"), plain("products", "Product"), plain("apis/releases", "APIRelease"),
		plain("subscriptions", "Subscription"), plain("gateways", "Gateway"),
		{"gateways/apis", "GatewayAPI", "Added", "", "Removed"},
		plain("gateways/certificateAuthorities", "GatewayCertificateAuthority"),
		plain("gateways/hostnameConfigurations", "GatewayHostnameConfiguration"),
	}
}

// eventType is a type of events with its description.
type eventType struct{ name, description string }

// eventTypes lists the types of events that there are.
func eventTypes() (all []eventType) {
	for _, k := range kinds() {
		for _, end := range []string{k.created, k.updated, k.deleted} {
			if end != "" {
				all = append(all, eventType{typePrefix + k.name + end, fmt.Sprintf("A resource of the type %s was %s.", k.stored, strings.ToLower(end))})
			}
		}
	}
	return append(all,
		eventType{TypeTokenNearExpiry, "The token of an instance of a gateway expires soon."},
		eventType{TypeTokenExpired, "The token of an instance of a gateway has expired."},
		eventType{TypeCircuitOpened, "The circuit breaker of a backend has opened."},
		eventType{TypeCircuitClosed, "The circuit breaker of a backend has closed."},
		eventType{TypeCertificateNearExpiry, "A certificate of the service expires soon. Not part of API Management."},
		eventType{TypeCertificateExpired, "A certificate of the service has expired. Not part of API Management."},
	)
}

// timeFormat is that of Event Grid: UTC with seven digits.
const timeFormat = "2006-01-02T15:04:05.0000000Z"

func eventTime(t time.Time) string { return t.UTC().Format(timeFormat) }

// The schemas in which events are delivered.
const (
	schemaEventGrid  = "EventGridSchema"
	schemaCloudEvent = "CloudEventSchemaV1_0"
)

const (
	dataVersion     = "1"
	metadataVersion = "1"
)

// gridEvent is the envelope of Event Grid (https://learn.microsoft.com/azure/event-grid/event-schema).
type gridEvent struct {
	ID              string          `json:"id"`
	Topic           string          `json:"topic"`
	Subject         string          `json:"subject"`
	Data            json.RawMessage `json:"data"`
	EventType       string          `json:"eventType"`
	DataVersion     string          `json:"dataVersion"`
	MetadataVersion string          `json:"metadataVersion"`
	EventTime       string          `json:"eventTime"`
}

// cloudEvent is the envelope of CloudEvents 1.0 in JSON (https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md).
type cloudEvent struct {
	ID          string          `json:"id"`
	Source      string          `json:"source"`
	Subject     string          `json:"subject"`
	Data        json.RawMessage `json:"data"`
	Type        string          `json:"type"`
	Time        string          `json:"time"`
	SpecVersion string          `json:"specversion"`
}

// envelope is the event in a schema.
func (e *Event) envelope(schema string) any {
	if schema == schemaCloudEvent {
		return cloudEvent{e.ID, e.Topic, e.Subject, e.Data, e.Type, eventTime(e.Time), "1.0"}
	}
	return gridEvent{e.ID, e.Topic, e.Subject, e.Data, e.Type, dataVersion, metadataVersion, eventTime(e.Time)}
}

// about is the lower-case ID of what the event is about, which scopes are compared with.
func (e *Event) about() string { return strings.ToLower(e.Topic + e.Subject) }

// stableID is a GUID that depends on nothing but what it is made from, so that an event that is made again is known.
func stableID(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\n")))
	b := sum[:16]
	b[6], b[8] = b[6]&0x0f|0x80, b[8]&0x3f|0x80 // version 8 of RFC 9562: made by a rule of our own
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
