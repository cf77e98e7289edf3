package redis

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
)

// Target says where Redis is and how to sign in.
type Target struct {
	// Endpoints are host:port, at least one. Several are the nodes of a cluster, a primary and its replicas, or sentinels.
	Endpoints []string
	// User and Password sign in; empty for none.
	User, Password string
	// Database is the number of the database, which clusters do not have.
	Database int
	// TLS encrypts the connection. ServerName is the name in the certificate; empty means that of the endpoint.
	TLS        bool
	ServerName string
	// Sentinel is the name of the service that the endpoints, sentinels then, know the primary of.
	Sentinel string
	// Client is the name of the connection in CLIENT LIST; empty for the program's own.
	Client string
}

const (
	maxConnectionString = 4096
	maxEndpoints        = 64

	plainPort, tlsPort, sentinelPort = "6379", "6380", "26379"
)

// ParseTarget reads a connection string of StackExchange.Redis, which is what API Management takes
// ("host:6380,password=…,ssl=true,abortConnect=False"), or a URL, redis:// or rediss://. Errors do not repeat what may be secret.
func ParseTarget(s string) (Target, error) {
	s = strings.TrimSpace(s)
	if len(s) > maxConnectionString {
		return Target{}, fmt.Errorf("the connection string is longer than %d characters", maxConnectionString)
	}
	for _, scheme := range []string{"redis://", "rediss://"} {
		if len(s) > len(scheme) && strings.EqualFold(s[:len(scheme)], scheme) {
			return parseURL(s)
		}
	}
	var t Target
	for item := range strings.SplitSeq(s, ",") {
		name, value, isOption := strings.Cut(strings.TrimSpace(item), "=")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		var err error
		switch {
		case isOption:
			err = t.option(name, value)
		case name != "":
			t.Endpoints = append(t.Endpoints, name)
		}
		if err != nil {
			return Target{}, err
		}
	}
	return t.complete()
}

// option takes one setting. Those that tune StackExchange.Redis itself are known and change nothing here.
func (t *Target) option(name, value string) (err error) {
	switch strings.ToLower(name) {
	case "password":
		t.Password = value
	case "user":
		t.User = value
	case "ssl":
		t.TLS, err = strconv.ParseBool(strings.ToLower(value))
	case "sslhost":
		t.ServerName = value
	case "defaultdatabase":
		t.Database, err = strconv.Atoi(value)
		if err == nil && t.Database < 0 {
			err = strconv.ErrRange
		}
	case "servicename":
		t.Sentinel = value
	case "name":
		t.Client = value
	case "abortconnect", "allowadmin", "asynctimeout", "channelprefix", "checkcertificaterevocation", "configchannel", "configcheckseconds",
		"connectretry", "connecttimeout", "heartbeatconsistencychecks", "heartbeatinterval", "highintegrity", "keepalive", "preserveasyncorder", "protocol", "proxy",
		"resolvedns", "responsetimeout", "setlib", "sslprotocols", "synctimeout", "tiebreaker", "version", "writebuffer":
	default:
		return fmt.Errorf("the connection string has an unknown setting %q", shorten(name))
	}
	if err != nil {
		return fmt.Errorf("the value of %s in the connection string is not valid", name)
	}
	return nil
}

// shorten keeps what may be a piece of a password out of messages.
func shorten(name string) string {
	const most = 24
	if len(name) > most {
		return name[:most] + "…"
	}
	return name
}

func parseURL(s string) (Target, error) {
	u, err := url.Parse(s)
	if err != nil {
		return Target{}, errors.New("the URL of Redis is not valid")
	}
	t := Target{Endpoints: []string{u.Host}, User: u.User.Username(), TLS: strings.EqualFold(u.Scheme, "rediss")}
	t.Password, _ = u.User.Password()
	if path := strings.Trim(u.Path, "/"); path != "" {
		if t.Database, err = strconv.Atoi(path); err != nil || t.Database < 0 {
			return Target{}, errors.New("the path of the URL of Redis is not the number of a database")
		}
	}
	return t.complete()
}

// complete checks the endpoints and adds their ports.
func (t Target) complete() (Target, error) {
	switch n := len(t.Endpoints); {
	case n == 0:
		return Target{}, errors.New("the connection string names no endpoint, such as redis.contoso.com:6380")
	case n > maxEndpoints:
		return Target{}, fmt.Errorf("the connection string names more than %d endpoints", maxEndpoints)
	}
	port := plainPort
	switch {
	case t.Sentinel != "":
		port = sentinelPort
	case t.TLS:
		port = tlsPort
	}
	for i, e := range t.Endpoints {
		host, p, err := net.SplitHostPort(e)
		if err != nil { // without a port
			host, p = strings.Trim(e, "[]"), port
		}
		if n, err := strconv.Atoi(p); err != nil || n < 1 || n > 65535 || host == "" || strings.ContainsAny(host, " /@\\") {
			return Target{}, fmt.Errorf("endpoint %d of the connection string is not host:port", i+1)
		}
		t.Endpoints[i] = net.JoinHostPort(host, p)
	}
	return t, nil
}

// String names the endpoints and no secret.
func (t Target) String() string { return strings.Join(t.Endpoints, ",") }
