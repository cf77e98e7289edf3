package events

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/store"
)

// provider is the namespace of event subscriptions.
const provider = "Microsoft.EventGrid"

// Limits and defaults of an event subscription (https://learn.microsoft.com/azure/event-grid/delivery-and-retry).
const (
	maxAttempts      = 30
	maxLife          = 1440 // minutes
	maxBatch         = 5000
	maxBatchKB       = 1024
	defaultBatchKB   = 64
	maxURLBytes      = 4096
	maxHeaders       = 10
	maxHeaderBytes   = 4096
	maxLabels        = 50
	maxLabelBytes    = 256
	maxSubscriptions = 500 // of one scope
)

// States of a subscription.
const (
	stateSucceeded = "Succeeded"
	stateAwaiting  = "AwaitingManualAction" // the endpoint has to open the validation URL
	stateFailed    = "Failed"               // it has not done so in time
)

// Subscription is an event subscription with the JSON of Event Grid's EventSubscriptionProperties.
type Subscription struct {
	Topic        string       `json:"topic,omitempty"`
	State        string       `json:"provisioningState,omitempty"`
	Destination  *Destination `json:"destination"`
	Filter       Filter       `json:"filter"`
	Labels       []string     `json:"labels,omitempty"`
	Schema       string       `json:"eventDeliverySchema"`
	Expires      *time.Time   `json:"expirationTimeUtc,omitempty"`
	Retry        *RetryPolicy `json:"retryPolicy"`
	DeadLetter   *DeadLetter  `json:"deadLetterDestination,omitempty"`
	DeliverAs    any          `json:"deliveryWithResourceIdentity,omitempty"`
	DeadLetterAs any          `json:"deadLetterWithResourceIdentity,omitempty"`
}

// RetryPolicy bounds the attempts to deliver an event.
type RetryPolicy struct {
	Attempts int `json:"maxDeliveryAttempts"`
	Minutes  int `json:"eventTimeToLiveInMinutes"`
}

// Destination is the webhook that gets the events.
type Destination struct {
	Type  string  `json:"endpointType"`
	Props WebHook `json:"properties"`
}

// WebHook says where and how events are delivered.
type WebHook struct {
	URL      string           `json:"endpointUrl,omitempty"` // kept encrypted, answered by getFullUrl only
	Base     string           `json:"endpointBaseUrl,omitempty"`
	Batch    int              `json:"maxEventsPerBatch"`
	BatchKB  int              `json:"preferredBatchSizeInKilobytes"`
	TenantID string           `json:"azureActiveDirectoryTenantId,omitempty"`
	AppID    string           `json:"azureActiveDirectoryApplicationIdOrUri,omitempty"`
	Headers  []DeliveryHeader `json:"deliveryAttributeMappings,omitempty"`
	MinTLS   string           `json:"minimumTlsVersionAllowed,omitempty"`
}

// DeliveryHeader is a header that is sent with events.
type DeliveryHeader struct {
	Name  string `json:"name"`
	Type  string `json:"type"` // Static or Dynamic
	Props struct {
		Value       string `json:"value,omitempty"`
		Secret      bool   `json:"isSecret,omitempty"`
		SourceField string `json:"sourceField,omitempty"`
	} `json:"properties"`
}

// DeadLetter is where events go that could not be delivered. The name of the container becomes that of a folder.
type DeadLetter struct {
	Type  string `json:"endpointType"`
	Props struct {
		ResourceID string `json:"resourceId"`
		Container  string `json:"blobContainerName"`
	} `json:"properties"`
}

// stored is a subscription in the store and in the memory of the one who delivers.
type stored struct {
	Subscription
	Scope    string     `json:"scope"` // ID of what it is about
	Name     string     `json:"name"`
	Created  time.Time  `json:"created"`
	Deadline *time.Time `json:"deadline,omitempty"` // until which the validation URL may be opened

	code string // hash of the one in the validation URL
}

// Names of secrets of a stored subscription: its URL, headers that are secret by their names, and the validation code.
const (
	secretURL    = "endpointUrl"
	secretHeader = "header:"
	secretCode   = "validationCode"
)

func (s *stored) id() string {
	return strings.TrimRight(s.Scope, "/") + "/providers/" + provider + "/eventSubscriptions/" + s.Name
}

// keyOf is the store's key of a subscription.
func keyOf(id string) string {
	sum := sha256.Sum256([]byte(strings.ToLower(id)))
	return subscriptionPrefix + hex.EncodeToString(sum[:])
}

func (s *stored) key() string { return keyOf(s.id()) }

// covers reports whether an ID is in the scope.
func (s *stored) covers(lowerID string) bool {
	scope := strings.ToLower(s.Scope)
	return lowerID == scope || strings.HasPrefix(lowerID, scope+"/")
}

// active reports whether events are delivered at a time.
func (s *stored) active(now time.Time) bool {
	return s.State == stateSucceeded && (s.Expires == nil || now.Before(*s.Expires))
}

// wants reports whether an event is to be delivered. What happened before the subscription was made is not.
func (s *stored) wants(e *Event) bool {
	return !e.Time.Before(s.Created) && s.active(e.Time) && s.covers(e.about()) && s.Filter.wants(e)
}

// life is how long the delivery of an event is tried.
func (s *stored) life() time.Duration { return time.Duration(s.Retry.Minutes) * time.Minute }

// complete sets defaults and refuses what is not possible. now is when it is written.
func (s *Subscription) complete(now time.Time, allowHTTP bool) error {
	if s.Destination == nil {
		return arm.Invalid("properties/destination", "destination is required.")
	}
	if !strings.EqualFold(s.Destination.Type, "WebHook") {
		return arm.Invalid("properties/destination/endpointType", "Events are delivered to endpoints of the type WebHook only.")
	}
	s.Destination.Type = "WebHook"
	if s.DeliverAs != nil || s.DeadLetterAs != nil {
		return arm.Invalid("properties/deliveryWithResourceIdentity", "Events are delivered without an identity; use destination and deadLetterDestination.")
	}
	if err := s.Destination.Props.complete(allowHTTP); err != nil {
		return err
	}
	if s.Schema == "" {
		s.Schema = schemaEventGrid
	}
	if s.Schema != schemaEventGrid && s.Schema != schemaCloudEvent {
		return arm.Invalid("properties/eventDeliverySchema", "eventDeliverySchema must be %s or %s.", schemaEventGrid, schemaCloudEvent)
	}
	if field, err := s.Filter.check(); err != nil {
		return arm.Invalid("properties/filter/"+field, "The filter is not valid: %s.", err)
	}
	if s.Expires != nil && !s.Expires.After(now) {
		return arm.Invalid("properties/expirationTimeUtc", "expirationTimeUtc must lie in the future.")
	}
	if len(s.Labels) > maxLabels || slices.ContainsFunc(s.Labels, func(l string) bool { return len(l) > maxLabelBytes }) {
		return arm.Invalid("properties/labels", "There are at most %d labels with %d characters each.", maxLabels, maxLabelBytes)
	}
	if err := s.completeRetry(); err != nil {
		return err
	}
	return s.DeadLetter.check()
}

func (s *Subscription) completeRetry() error {
	if s.Retry == nil {
		s.Retry = &RetryPolicy{}
	}
	if s.Retry.Attempts == 0 {
		s.Retry.Attempts = maxAttempts
	}
	if s.Retry.Minutes == 0 {
		s.Retry.Minutes = maxLife
	}
	if s.Retry.Attempts < 1 || s.Retry.Attempts > maxAttempts {
		return arm.Invalid("properties/retryPolicy/maxDeliveryAttempts", "maxDeliveryAttempts must be 1 to %d.", maxAttempts)
	}
	if s.Retry.Minutes < 1 || s.Retry.Minutes > maxLife {
		return arm.Invalid("properties/retryPolicy/eventTimeToLiveInMinutes", "eventTimeToLiveInMinutes must be 1 to %d.", maxLife)
	}
	return nil
}

// complete sets defaults of a webhook and refuses what is not possible.
func (w *WebHook) complete(allowHTTP bool) error {
	const at = "properties/destination/properties/"
	u, err := url.Parse(w.URL)
	switch {
	case w.URL == "":
		return arm.Invalid(at+"endpointUrl", "endpointUrl is required.")
	case err != nil || u.Host == "" || u.User != nil || len(w.URL) > maxURLBytes || u.Scheme != "https" && u.Scheme != "http":
		return arm.Invalid(at+"endpointUrl", "endpointUrl must be an absolute https URL of at most %d characters and without a user.", maxURLBytes)
	case u.Scheme == "http" && !allowHTTP:
		return arm.Invalid(at+"endpointUrl", "endpointUrl must begin with https://.")
	case w.TenantID != "" || w.AppID != "":
		return arm.Invalid(at+"azureActiveDirectoryApplicationIdOrUri", "Events are delivered without a token of Microsoft Entra ID. Use a secret in the URL or in a header.")
	}
	base := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path, RawPath: u.RawPath}
	w.Base = base.String()
	if w.Batch == 0 {
		w.Batch = 1
	}
	if w.BatchKB == 0 {
		w.BatchKB = defaultBatchKB
	}
	if w.Batch < 1 || w.Batch > maxBatch {
		return arm.Invalid(at+"maxEventsPerBatch", "maxEventsPerBatch must be 1 to %d.", maxBatch)
	}
	if w.BatchKB < 1 || w.BatchKB > maxBatchKB {
		return arm.Invalid(at+"preferredBatchSizeInKilobytes", "preferredBatchSizeInKilobytes must be 1 to %d.", maxBatchKB)
	}
	if !slices.Contains([]string{"", "1.0", "1.1", "1.2", "1.3"}, w.MinTLS) {
		return arm.Invalid(at+"minimumTlsVersionAllowed", "minimumTlsVersionAllowed must be 1.0, 1.1, 1.2 or 1.3.")
	}
	if len(w.Headers) > maxHeaders {
		return arm.Invalid(at+"deliveryAttributeMappings", "There are at most %d headers.", maxHeaders)
	}
	for i := range w.Headers {
		if err := w.Headers[i].check(); err != nil {
			return arm.Invalid(at+"deliveryAttributeMappings", "The header %.60q is not valid: %s.", w.Headers[i].Name, err)
		}
	}
	return nil
}

func (h *DeliveryHeader) check() error {
	taken := []string{"Host", "Content-Length", "Content-Type", "Transfer-Encoding", "Connection"}
	canonical := http.CanonicalHeaderKey(h.Name)
	if !httpguts.ValidHeaderFieldName(h.Name) || slices.Contains(taken, canonical) || strings.HasPrefix(canonical, "Aeg-") {
		return fmt.Errorf("it is no name of a header that can be set")
	}
	switch h.Type {
	case "Static":
		if len(h.Props.Value) > maxHeaderBytes || !httpguts.ValidHeaderFieldValue(h.Props.Value) {
			return fmt.Errorf("the value has at most %d characters and no control characters", maxHeaderBytes)
		}
	case "Dynamic":
		if h.Props.SourceField == "" || len(h.Props.SourceField) > maxFilterKey {
			return fmt.Errorf("sourceField is required")
		}
	default:
		return fmt.Errorf("type must be Static or Dynamic")
	}
	return nil
}

// check refuses a destination of dead letters that cannot be a folder.
func (d *DeadLetter) check() error {
	if d == nil {
		return nil
	}
	const at = "properties/deadLetterDestination"
	if !strings.EqualFold(d.Type, "StorageBlob") {
		return arm.Invalid(at+"/endpointType", "Dead letters go to destinations of the type StorageBlob only.")
	}
	d.Type = "StorageBlob"
	c := d.Props.Container
	bad := func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' }
	if len(c) < 3 || len(c) > 63 || strings.ContainsFunc(c, bad) || strings.HasPrefix(c, "-") { // the rules of containers
		return arm.Invalid(at+"/properties/blobContainerName", "blobContainerName has 3 to 63 lower-case letters, digits and hyphens.")
	}
	return nil
}

// document is the stored form, with what is secret apart.
func (s *stored) document() (*store.Document, error) {
	public, secrets := *s, map[string]string{secretURL: s.Destination.Props.URL}
	if s.code != "" {
		secrets[secretCode] = s.code
	}
	d := *s.Destination
	d.Props.URL, d.Props.Headers = "", slices.Clone(d.Props.Headers)
	for i, h := range d.Props.Headers {
		if h.Props.Secret {
			secrets[secretHeader+strings.ToLower(h.Name)] = h.Props.Value
			d.Props.Headers[i].Props.Value = ""
		}
	}
	public.Destination = &d
	body, err := json.Marshal(public)
	if err != nil {
		return nil, fmt.Errorf("store event subscription %s: %w", s.id(), err)
	}
	return &store.Document{
		ID: s.key(), Path: s.id(), Service: logName, Type: typeSubscription, Parent: logName, Name: s.Name, Body: body, Secrets: secrets,
	}, nil
}

// subscriptionOf reads a stored subscription.
func subscriptionOf(d *store.Document) (*stored, error) {
	s := new(stored)
	if err := json.Unmarshal(d.Body, s); err != nil {
		return nil, fmt.Errorf("stored event subscription %s: %w", d.Path, err)
	}
	s.code = d.Secrets[secretCode]
	s.Destination.Props.URL = d.Secrets[secretURL]
	for i, h := range s.Destination.Props.Headers {
		if h.Props.Secret {
			s.Destination.Props.Headers[i].Props.Value = d.Secrets[secretHeader+strings.ToLower(h.Name)]
		}
	}
	if _, err := s.Filter.check(); err != nil { // compiles it
		return nil, fmt.Errorf("stored event subscription %s: %w", d.Path, err)
	}
	return s, nil
}

// body is the subscription as it is answered, without its secrets.
func (s *stored) body(now time.Time) map[string]any {
	public := s.Subscription
	public.Topic = s.Scope
	d := *s.Destination
	d.Props.URL, d.Props.Headers = "", slices.Clone(d.Props.Headers)
	for i, h := range d.Props.Headers {
		if h.Props.Secret {
			d.Props.Headers[i].Props.Value = ""
		}
	}
	public.Destination = &d
	if s.State == stateAwaiting && s.Deadline != nil && now.After(*s.Deadline) {
		public.State = stateFailed
	}
	return map[string]any{"id": s.id(), "name": s.Name, "type": provider + "/eventSubscriptions", "properties": public}
}
