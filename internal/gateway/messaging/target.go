// Package messaging sends messages to Azure Event Hubs and Service Bus over AMQP 1.0 and to Kafka.
package messaging

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Target is a namespace of Event Hubs or Service Bus and how to sign in to it.
type Target struct {
	// Host is the namespace's host name; Port is 0 for the usual one.
	Host string
	Port int
	// Plain says that there is no TLS: a local emulator.
	Plain bool
	// KeyName and Key are a shared access policy, Signature is a token made of one. Without both the gateway's managed identity signs in.
	KeyName, Key, Signature string
	// ClientID is the managed identity that a user assigned; empty for the gateway's own.
	ClientID string
	// Entity is the event hub, queue or topic.
	Entity string
}

// The ports of AMQP with and without TLS.
const (
	portTLS   = 5671
	portPlain = 5672
)

// ParseTarget reads the host of a namespace or a connection string:
//
//	Endpoint=sb://HOST/;SharedAccessKeyName=NAME;SharedAccessKey=KEY[;EntityPath=ENTITY][;UseDevelopmentEmulator=true]
//	Endpoint=sb://HOST/;SharedAccessSignature=TOKEN
//
// entity goes before EntityPath. No error quotes the text: it holds a key.
func ParseTarget(text, entity string) (Target, error) {
	text = strings.TrimSpace(text)
	t := Target{Entity: entity}
	if !strings.Contains(text, "=") {
		return t.at(text)
	}
	var endpoint, path string
	for pair := range strings.SplitSeq(text, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(pair), "=")
		switch strings.ToLower(name) {
		case "endpoint":
			endpoint = value
		case "sharedaccesskeyname":
			t.KeyName = value
		case "sharedaccesskey":
			t.Key = value
		case "sharedaccesssignature":
			t.Signature = value
		case "entitypath":
			path = value
		case "usedevelopmentemulator":
			t.Plain = strings.EqualFold(value, "true")
		}
	}
	if t.Entity == "" {
		t.Entity = path
	}
	if (t.KeyName == "") != (t.Key == "") {
		return Target{}, errors.New("the connection string needs both SharedAccessKeyName and SharedAccessKey")
	}
	return t.at(endpoint)
}

// at sets where the namespace is: a host, host:port, or a URL of both.
func (t Target) at(endpoint string) (Target, error) {
	_, rest, isURL := strings.Cut(endpoint, "://")
	if !isURL {
		rest = endpoint
	}
	authority, _, _ := strings.Cut(rest, "/")
	u, err := url.Parse("sb://" + authority)
	if err != nil || u.Hostname() == "" || u.User != nil {
		return Target{}, errors.New("the namespace has no valid host name")
	}
	t.Host = u.Hostname()
	t.Port, _ = strconv.Atoi(u.Port()) // url.Parse has looked at the digits
	if t.Entity == "" {
		return Target{}, errors.New("no event hub, queue or topic is named")
	}
	return t, nil
}

// Address is host and port for a dialer.
func (t *Target) Address() string {
	port := t.Port
	switch {
	case port != 0:
	case t.Plain:
		port = portPlain
	default:
		port = portTLS
	}
	return net.JoinHostPort(t.Host, strconv.Itoa(port))
}

// audience is the resource that a token is for.
func (t *Target) audience(path string) string { return "amqp://" + t.Host + "/" + path }

// sign makes a shared access signature ("Authorize access with shared access signatures", Event Hubs and Service Bus).
func (t *Target) sign(resource string, expires time.Time) string {
	end := strconv.FormatInt(expires.Unix(), 10)
	mac := hmac.New(sha256.New, []byte(t.Key))
	mac.Write([]byte(url.QueryEscape(resource) + "\n" + end))
	return fmt.Sprintf("SharedAccessSignature sr=%s&sig=%s&se=%s&skn=%s", url.QueryEscape(resource),
		url.QueryEscape(base64.StdEncoding.EncodeToString(mac.Sum(nil))), end, url.QueryEscape(t.KeyName))
}
