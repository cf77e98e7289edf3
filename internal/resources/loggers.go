package resources

import (
	"crypto/rand"
	"encoding/hex"
	"maps"
	"slices"
	"strings"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/resource"
	"github.com/causeway-apim/causeway/internal/snapshot"
)

// Logger is where events, traces and metrics of the service go.
type Logger struct {
	LoggerType  string            `json:"loggerType" rule:"required,immutable,enum=azureEventHub|applicationInsights|azureMonitor" filter:"yes" doc:"What takes the events."`
	Description string            `json:"description,omitempty" rule:"max=256" filter:"yes" doc:"What it is for."`
	Credentials map[string]string `json:"credentials,omitempty" doc:"Address and credentials. Secrets become named values, which are answered in their place."`
	IsBuffered  *bool             `json:"isBuffered,omitempty" rule:"default=true" doc:"Kept; events are always sent in the background."`
	ResourceID  string            `json:"resourceId,omitempty" rule:"max=2000" filter:"yes" doc:"ARM ID of the event hub or of Application Insights; kept."`
}

const (
	loggerEventHub = "azureEventHub"
	loggerInsights = "applicationInsights"
	loggerMonitor  = "azureMonitor"
	// loggerSecret begins the display names of the named values that hold credentials of loggers.
	loggerSecret = "Logger-Credentials--"
	// maxCredential is the length of a credential in bytes.
	maxCredential = 4096
)

// loggerCredentials are the credentials that a logger of a type may have, and whether they are secret. Those of Kafka are ours.
func loggerCredentials(loggerType string) map[string]bool {
	switch loggerType {
	case loggerEventHub:
		return map[string]bool{
			"name": false, "connectionString": true, "endpointAddress": false, "identityClientId": false,
			"username": false, "password": true, "saslMechanism": false,
		}
	case loggerInsights:
		return map[string]bool{"instrumentationKey": true, "connectionString": true, "identityClientId": false}
	}
	return nil
}

func loggers() *resource.Type {
	return resource.Define(resource.Spec[Logger]{
		Name: "loggers", Title: "Logger", Doc: "Where log-to-eventhub and diagnostics send to.",
		Parents: []string{""}, Workspaces: true, Verbs: resource.CRUDL, NameMax: 256,
		Check: checkLogger,
		After: func(x *resource.Tx, old, d *resource.Doc[Logger]) error {
			if old == nil {
				return nil
			}
			return removeLoggerSecrets(x, old, d.Props.Credentials)
		},
		Delete: func(x *resource.Tx, old *resource.Doc[Logger]) error { return removeLoggerSecrets(x, old, nil) },
		Publish: func(p *resource.Pub, d *resource.Doc[Logger]) error {
			return p.Add(snapshot.KindLogger, d.ID.Rel(), snapshot.Logger{
				Name: d.Name(), Type: d.Props.LoggerType, Credentials: d.Props.Credentials,
				Buffered: d.Props.IsBuffered == nil || *d.Props.IsBuffered, ResourceID: d.Props.ResourceID,
			})
		},
	})
}

// checkLogger checks the credentials and puts secrets into named values.
func checkLogger(x *resource.Tx, _, d *resource.Doc[Logger]) error {
	p := &d.Props
	known := loggerCredentials(p.LoggerType)
	for _, name := range slices.Sorted(maps.Keys(p.Credentials)) {
		_, ok := known[name]
		switch {
		case !ok:
			return arm.Invalid("credentials."+name, "A logger of the type %s has no credential %s.", p.LoggerType, name)
		case len(p.Credentials[name]) > maxCredential:
			return arm.Invalid("credentials."+name, "%s is longer than %d bytes.", name, maxCredential)
		}
	}
	if err := checkLoggerCredentials(p); err != nil {
		return err
	}
	p.Credentials = maps.Clone(p.Credentials)
	for _, name := range slices.Sorted(maps.Keys(p.Credentials)) {
		if !known[name] || isNamedValueReference(p.Credentials[name]) {
			continue
		}
		reference, err := keepLoggerSecret(x, d.ID, p.Credentials[name])
		if err != nil {
			return err
		}
		p.Credentials[name] = reference
	}
	return nil
}

// checkLoggerCredentials wants what is needed to reach the other side.
func checkLoggerCredentials(p *Logger) error {
	c := p.Credentials
	switch p.LoggerType {
	case loggerEventHub:
		if c["name"] == "" {
			return arm.Invalid("credentials.name", "credentials.name, the name of the event hub, is required.")
		}
		if (c["connectionString"] == "") == (c["endpointAddress"] == "") {
			return arm.Invalid("credentials", "Either credentials.connectionString or credentials.endpointAddress is required.")
		}
	case loggerInsights:
		if c["instrumentationKey"] == "" && c["connectionString"] == "" {
			return arm.Invalid("credentials", "credentials.instrumentationKey or credentials.connectionString is required.")
		}
	case loggerMonitor:
	}
	return nil
}

func isNamedValueReference(text string) bool {
	text = strings.TrimSpace(text)
	return strings.HasPrefix(text, "{{") && strings.HasSuffix(text, "}}")
}

// keepLoggerSecret makes a secret named value, as API Management does, and returns what refers to it.
func keepLoggerSecret(x *resource.Tx, logger arm.ID, value string) (reference string, err error) {
	var b [12]byte
	_, _ = rand.Read(b[:]) // never fails
	name := hex.EncodeToString(b[:])
	secret := &resource.Doc[NamedValue]{Props: NamedValue{DisplayName: loggerSecret + name, Value: value, Secret: true}}
	secret.ID = ownerOf(logger).Child("namedValues", name)
	return "{{" + secret.Props.DisplayName + "}}", resource.Save(x, secret)
}

// removeLoggerSecrets removes the named values that were made for a logger and that are not used any more.
func removeLoggerSecrets(x *resource.Tx, old *resource.Doc[Logger], used map[string]string) error {
	for _, text := range old.Props.Credentials {
		name, ok := strings.CutPrefix(strings.TrimSuffix(text, "}}"), "{{"+loggerSecret)
		if !ok || slices.Contains(slices.Collect(maps.Values(used)), text) {
			continue
		}
		if err := resource.Remove(x, ownerOf(old.ID).Child("namedValues", name)); err != nil {
			return err
		}
	}
	return nil
}
