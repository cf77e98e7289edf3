package main

import (
	"crypto/x509"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/causeway-apim/causeway/internal/gateway"
	"github.com/causeway-apim/causeway/internal/telemetry"
)

// networkSettings are the settings of gateways about connections. The managed gateway takes them from the environment.
var networkSettings = []setting{
	{name: serverSuites},
	{name: clientSuites},
	{name: backendProtocol + "Tls13", normal: "true", kind: kindBool},
	{name: backendProtocol + "Tls12", normal: "true", kind: kindBool},
	{name: backendProtocol + "Tls11", normal: "false", kind: kindBool},
	{name: backendProtocol + "Tls10", normal: "false", kind: kindBool},
	{name: backendProtocol + "Ssl30", normal: "false", kind: kindBool},
	{name: revocationSetting, normal: "false", kind: kindBool},
	{name: "certificates.local.ca.enabled", normal: "false", kind: kindBool},
	{name: "net.server.proxy-protocol.from"},
	{name: "net.server.trusted-proxies"},
	{name: "net.server.http3.enabled", normal: "false", kind: kindBool},
	{name: "net.server.http3.port", normal: "0", kind: kindCount},
	{name: limitsPrefix + "url-length", normal: "8192", kind: kindCount},
	{name: limitsPrefix + "header-size", normal: "65536", kind: kindCount},
	{name: limitsPrefix + "header-count", normal: "128", kind: kindCount},
	{name: limitsPrefix + "streams", normal: "250", kind: kindCount},
	{name: limitsPrefix + "connections", normal: "0", kind: kindCount},
	{name: limitsPrefix + "connections-per-address", normal: "0", kind: kindCount},
	{name: limitsPrefix + "handshake-timeout", normal: "00:00:10", kind: kindDuration},
	{name: limitsPrefix + "header-timeout", normal: "00:00:20", kind: kindDuration},
	{name: limitsPrefix + "idle-timeout", normal: "00:02:00", kind: kindDuration},
	{name: limitsPrefix + "body-timeout", normal: "00:01:00", kind: kindDuration},
	{name: limitsPrefix + "write-timeout", normal: "00:01:00", kind: kindDuration},
	{name: limitsPrefix + "body-rate", normal: "0", kind: kindCount},
	{name: limitsPrefix + "requests", normal: "auto"},
	{name: limitsPrefix + "queue", normal: "1000", kind: kindCount},
	{name: limitsPrefix + "queue-time", normal: "00:00:01", kind: kindDuration},
	{name: limitsPrefix + "memory", normal: "auto"},
	{name: "net.server.drain-time", normal: "00:00:30", kind: kindDuration},
	{name: drainDelaySetting, normal: "auto"},
	{name: "net.client.connections.max", normal: "0", kind: kindCount},
	{name: "net.client.connections.idle", normal: "512", kind: kindCount},
	{name: "net.client.connections.idle-timeout", normal: "00:01:30", kind: kindDuration},
	{name: "net.client.connections.max-age", normal: "00:10:00", kind: kindDuration},
	{name: "HTTP_PROXY", secret: true},
	{name: "HTTPS_PROXY", secret: true},
	{name: "NO_PROXY"},
}

const (
	backendProtocol = "Microsoft.WindowsAzure.ApiManagement.Gateway.Security.Backend.Protocols."
	serverSuites    = "net.server.tls.ciphers.allowed-suites"
	clientSuites    = "net.client.tls.ciphers.allowed-suites"
	limitsPrefix    = "net.server.limits."
	// revocationSetting turns on the revocation lists of backend services' issuers.
	revocationSetting = "security.certificate-revocation.validation.enabled"
	// localAuthorities is where API Management's image has the files of trusted authorities.
	localAuthorities = "/usr/local/share/ca-certificates"
)

// network is what the settings say of connections.
type network struct {
	server                gateway.ServerOptions
	transport             gateway.TransportLimits
	roots                 *x509.CertPool // nil: the operating system's alone
	revocation            bool           // certificates of backend services may have been revoked
	drain, drainDelay     time.Duration
	serverTLS, backendTLS gateway.TLSSettings
	proxies               []netip.Prefix
	overload              gateway.Overload
	warnings              []string
}

// readNetwork reads them. memory is how much there is for the process in bytes, 0 when that is not known.
func readNetwork(s *settings, memory int64) (n *network, err error) {
	n = &network{drain: s.duration("net.server.drain-time"), revocation: s.flag(revocationSetting)}
	if n.drainDelay, err = readDrainDelay(s, os.Getenv); err != nil {
		return nil, err
	}
	if err := n.readTLS(s); err != nil {
		return nil, err
	}
	if n.server.ProxyProtocol, err = gateway.ParseNetworks(s.text("net.server.proxy-protocol.from")); err != nil {
		return nil, usageError("setting net.server.proxy-protocol.from: %w", err)
	}
	if n.proxies, err = gateway.ParseNetworks(s.text("net.server.trusted-proxies")); err != nil {
		return nil, usageError("setting net.server.trusted-proxies: %w", err)
	}
	n.server.HTTP3 = gateway.HTTP3{Enabled: s.flag("net.server.http3.enabled"), Port: s.count("net.server.http3.port")}
	limit := func(name string) int { return s.count(limitsPrefix + name) }
	wait := func(name string) time.Duration { return s.duration(limitsPrefix + name) }
	n.server.Limits = gateway.ServerLimits{
		URLLength: limit("url-length"), HeaderBytes: limit("header-size"), HeaderFields: limit("header-count"), Streams: limit("streams"),
		Conns: limit("connections"), ConnsPerAddress: limit("connections-per-address"),
		HandshakeTimeout: wait("handshake-timeout"), HeaderTimeout: wait("header-timeout"), IdleTimeout: wait("idle-timeout"),
		BodyTimeout: wait("body-timeout"), WriteTimeout: wait("write-timeout"), BodyRate: int64(limit("body-rate")),
	}
	n.transport = gateway.TransportLimits{
		MaxConns: s.count("net.client.connections.max"), MaxIdle: s.count("net.client.connections.idle"),
		IdleTimeout: s.duration("net.client.connections.idle-timeout"), MaxAge: s.duration("net.client.connections.max-age"),
	}
	n.overload = gateway.Overload{Queue: limit("queue"), Patience: wait("queue-time")}
	if n.overload.MemoryLimit, err = autoNumber(s, limitsPrefix+"memory", memory); err != nil {
		return nil, err
	}
	requests, err := autoNumber(s, limitsPrefix+"requests", requestsFor(n.overload.MemoryLimit))
	n.overload.Requests = int(requests)
	return n, err
}

func (n *network) readTLS(s *settings) (err error) {
	for _, version := range []string{"Tls13", "Tls12", "Tls11", "Tls10", "Ssl30"} {
		if w := n.backendTLS.Enable(version, s.flag(backendProtocol+version)); w != "" {
			n.warnings = append(n.warnings, "setting "+backendProtocol+version+": "+w)
		}
	}
	for name, t := range map[string]*gateway.TLSSettings{serverSuites: &n.serverTLS, clientSuites: &n.backendTLS} {
		if s.text(name) == "" {
			continue
		}
		warnings, err := t.Allow(s.text(name))
		if err != nil {
			return usageError("setting %s: %w", name, err)
		}
		for _, w := range warnings {
			n.warnings = append(n.warnings, "setting "+name+": "+w)
		}
	}
	if s.flag("certificates.local.ca.enabled") {
		n.roots, err = readAuthorities(localAuthorities)
	}
	return err
}

// warn tells what of the settings cannot be had.
func (n *network) warn(log *slog.Logger) {
	for _, w := range n.warnings {
		log.Warn(w, telemetry.EventKey, "ProtocolNotOffered")
	}
}

// apply gives a gateway's options what is theirs of it.
func (n *network) apply(o *gateway.Options) {
	limits := n.transport
	limits.ProxyRoots = n.roots
	o.Transport = gateway.NewTransport(limits)
	o.ServerTLS, o.BackendTLS, o.TrustedProxies, o.Overload = n.serverTLS, n.backendTLS, n.proxies, n.overload
	o.Trust.CheckServers = n.revocation
	if n.roots != nil {
		o.Trust.Roots = n.roots
	}
}

// readAuthorities returns the operating system's authorities and those of the files of a folder, as update-ca-certificates takes them.
func readAuthorities(dir string) (*x509.CertPool, error) {
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.crt"))
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("setting certificates.local.ca.enabled: %w", err)
		}
		if !pool.AppendCertsFromPEM(data) {
			return nil, usageError("setting certificates.local.ca.enabled: %s holds no certificate in PEM", file)
		}
	}
	return pool, nil
}

// requestsFor is how many requests may be under way at once by themselves: each may need some hundred kilobytes of buffers.
func requestsFor(memory int64) int64 {
	const each, least, most = 256 << 10, 500, 20000
	if memory <= 0 {
		return most
	}
	return min(max(memory/each, least), most)
}

// autoNumber reads a number, or auto for the one that fits this machine; 0 means no limit.
func autoNumber(s *settings, name string, fitting int64) (int64, error) {
	text := s.text(name)
	if text == "" || strings.EqualFold(text, "auto") {
		return fitting, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return 0, usageError("setting %s (%s) is %q; it must be a number or auto", name, s.values[name].origin, text)
	}
	return n, nil
}

// managedNetwork is what the environment says for the managed gateway.
func managedNetwork(log *slog.Logger) (*network, error) {
	s, err := loadSettings("", os.Environ())
	if err != nil {
		return nil, err
	}
	n, err := readNetwork(s, limitMemory())
	if err == nil {
		n.warn(log)
	}
	return n, err
}
