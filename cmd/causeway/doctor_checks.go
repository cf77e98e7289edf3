package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/causeway-apim/causeway/internal/auth"
	"github.com/causeway-apim/causeway/internal/configsync"
)

// Limits below which the doctor warns.
const (
	soonExpiry   = 3 * 24 * time.Hour
	clockSkew    = 30 * time.Second
	fewFiles     = 65536
	littleDisk   = 256 << 20 // bytes
	maxPageBytes = 4 << 20
)

// checkSettings checks what a gateway would start with.
func (d *doctor) checkSettings(ctx context.Context, s *settings, backup string) {
	for _, u := range s.unknown {
		d.warn("settings", "correct the name or remove it", "%s", u)
	}
	if len(s.unknown) == 0 {
		d.ok("settings", "all names are known")
	}
	if s.text("config.bundle") != "" {
		d.checkBundle(s)
	} else {
		if endpoint := s.text("config.service.endpoint"); endpoint == "" {
			d.fail("config.service.endpoint", "set it to the address of the management plane", "it is not set")
		} else {
			d.checkEndpoint(ctx, endpoint, s)
		}
		d.checkToken(s)
		d.checkBackup(backup, s.text("config.backup.key"))
	}
	if s.flag("observability.opentelemetry.enabled") {
		d.checkPeer(ctx, "OpenTelemetry collector", s.text("observability.opentelemetry.collector.uri"), "4317")
	}
	if strings.EqualFold(s.text("telemetry.metrics.local"), "statsd") && s.text("telemetry.metrics.local.statsd.endpoint") == "" {
		d.fail("StatsD", "set telemetry.metrics.local.statsd.endpoint to host:port", "it is chosen without an endpoint")
	}
	if redis := s.text("counters.redis.endpoint"); redis != "" {
		host, _, _ := strings.Cut(redis, ",") // the rest of a connection string are options and the password
		d.checkPeer(ctx, "Redis", host, "6379")
	}
}

// checkToken reads the gateway's token, without the keys that sign it.
func (d *doctor) checkToken(s *settings) {
	const check = "token"
	text := s.text("config.service.auth")
	switch strings.ToLower(text) {
	case "key":
		key, err := newGatewayKey(s.text("config.service.auth.key"), s.text("config.service.auth.keyFile"))
		if err != nil {
			d.fail(check, "check the file and that this user may read it", "%v", err)
			return
		}
		text = key.text
	case "azureadapp", "workloadidentity", "certificate":
		if s.text("gateway.name") == "" {
			d.fail(check, "set gateway.name to the name of the gateway resource", "this sign-in does not say which gateway it is")
		}
		return
	}
	token, err := auth.ParseGatewayToken(text)
	if err != nil {
		d.fail(check, "make a new one with the gateway's generateToken", "%v", err)
		return
	}
	left := token.Expiry.Sub(d.now())
	switch at := token.Expiry.UTC().Format(time.RFC3339); {
	case left <= 0:
		d.fail(check, "make a new one with the gateway's generateToken; a gateway that runs serves on, one that starts needs its backup", "the token of gateway %s expired at %s", token.Gateway, at)
	case left < soonExpiry:
		d.warn(check, "make a new one with the gateway's generateToken", "the token of gateway %s expires at %s", token.Gateway, at)
	default:
		d.ok(check, "the token of gateway %s is good until %s", token.Gateway, at)
	}
}

// checkBundle reads the bundle that a gateway without a plane serves.
func (d *doctor) checkBundle(s *settings) {
	const check = "bundle"
	if s.text("gateway.name") == "" {
		d.fail(check, "set gateway.name to the name of the gateway resource", "a bundle's gateway has no token that names it")
	}
	key, err := backupKey(s.text("config.backup.key"))
	if err != nil {
		d.fail(check, "check the key", "%v", err)
		return
	}
	public, err := bundleKey(s.text("config.bundle.publicKey"))
	if err != nil {
		d.fail(check, "name the file that 'causeway gateway bundle keys' wrote beside the private key", "%v", err)
		return
	}
	_, info, err := configsync.ReadBundle(s.text("config.bundle"), public, key)
	if err != nil {
		d.fail(check, "make a new one with 'causeway gateway bundle'; a gateway that runs serves on with the one before", "%v", err)
		return
	}
	d.ok(check, "it holds sequence %d of gateway %s, as it was at %s", info.Sequence, info.Gateway, info.Created.Format(time.RFC3339))
}

// checkEndpoint connects to the management plane as a gateway does, and compares the clocks.
func (d *doctor) checkEndpoint(ctx context.Context, endpoint string, s *settings) {
	const check = "management plane"
	secured, err := readPlaneTLS(s)
	if err != nil {
		d.fail("certificate", "check the files and that this user may read them", "%v", err)
		return
	}
	d.checkCertificate(secured)
	if !strings.Contains(endpoint, "://") {
		endpoint = "https://" + endpoint
	}
	u, err := url.Parse(endpoint)
	if err != nil || u.Host == "" {
		d.fail(check, "it must be a host or a URL", "config.service.endpoint is %q", endpoint)
		return
	}
	ctx, cancel := context.WithTimeout(ctx, doctorTimeout)
	defer cancel()
	if _, err := net.DefaultResolver.LookupHost(ctx, u.Hostname()); err != nil {
		d.fail(check, "check the name and the DNS server of this machine", "%v", err)
		return
	}
	res, _, err := d.get(ctx, u.Scheme+"://"+u.Host+"/healthz", secured.config)
	var unknown *tls.CertificateVerificationError
	switch {
	case errors.As(err, &unknown):
		d.fail(check, "trust its authority (config.service.tls.authoritiesPath, or SSL_CERT_FILE), or give the plane a certificate for this name", "%v", unknown)
		return
	case err != nil:
		d.fail(check, "check firewalls and proxies: a gateway needs outbound connections to this address only", "%v", err)
		return
	case res.StatusCode != http.StatusOK:
		d.warn(check, "look at the management plane's log", "%s answers %d to /healthz", u.Host, res.StatusCode)
	default:
		d.ok(check, "%s answers", u.Host)
	}
	if s.flag("config.service.endpoint.disableCertificateValidation") {
		d.warn("certificate", "remove config.service.endpoint.disableCertificateValidation", "any certificate of the management plane is accepted")
	}
	if there, err := http.ParseTime(res.Header.Get("Date")); err == nil {
		if skew := d.now().Sub(there).Abs(); skew > clockSkew {
			d.fail("clock", "set this machine's clock (NTP): tokens and certificates are judged by it", "it differs from the management plane's by %s", skew.Round(time.Second))
		} else {
			d.ok("clock", "it agrees with the management plane's")
		}
	}
}

// checkCertificate looks at the certificate that the gateway presents to its plane.
func (d *doctor) checkCertificate(secured *planeTLS) {
	const check = "client certificate"
	if secured.certificate == nil {
		return
	}
	pair, err := secured.certificate.latest()
	if err != nil {
		d.fail(check, "check the files", "%v", err)
		return
	}
	at := pair.Leaf.NotAfter.UTC().Format(time.RFC3339)
	switch left := pair.Leaf.NotAfter.Sub(d.now()); {
	case left <= 0:
		d.fail(check, "put a new one into its files; no restart is needed", "it expired at %s", at)
	case left < certificateWarning:
		d.warn(check, "put a new one into its files; no restart is needed", "it expires at %s", at)
	default:
		d.ok(check, "it is good until %s", at)
	}
}

// checkBackup looks at the folder for the copy of the configuration.
func (d *doctor) checkBackup(folder, key string) {
	const check = "backup"
	secret, err := backupKey(key)
	if err != nil {
		d.fail(check, "check the key: without it the gateway does not start", "%v", err)
		return
	}
	if folder == "" {
		d.warn(check, "mount a volume at /apim/config or use --config-backup", "there is no folder for it: without the management plane this gateway cannot start")
		return
	}
	probe, err := os.CreateTemp(folder, ".doctor-*")
	if err != nil {
		d.fail(check, "make the folder writable for this user (the image's is 1001)", "%v", err)
		return
	}
	err = errors.Join(probe.Close(), os.Remove(probe.Name()))
	if err != nil {
		d.fail(check, "look at the volume", "%v", err)
		return
	}
	if room, known := diskRoom(folder); known && room < littleDisk {
		d.warn(check, "make room: a copy that cannot be written is reported, and the gateway serves on", "%s has %d MB left", folder, room>>20)
	}
	d.checkCopy(folder, secret)
}

// checkCopy reads the copy as a gateway does that starts.
func (d *doctor) checkCopy(folder string, key []byte) {
	const check = "backup"
	s, damage, err := configsync.ReadCopy(folder, key)
	if err != nil {
		d.fail(check, "check config.backup.key", "%v", err)
		return
	}
	for _, what := range damage {
		d.warn(check, "look at the volume; the gateway writes a new copy once it is connected", "%v", what)
	}
	switch {
	case s != nil:
		d.ok(check, "%s can be written and holds sequence %d", folder, s.Sequence())
	case len(damage) > 0:
		d.fail(check, "connect the gateway to the management plane once", "there is no copy in %s to start from", folder)
	default:
		d.ok(check, "%s can be written; nothing is in it yet", folder)
	}
}

// checkPeer connects to an address that telemetry or counters go to.
func (d *doctor) checkPeer(ctx context.Context, check, address, port string) {
	host := address
	if u, err := url.Parse(address); err == nil && u.Host != "" {
		host = u.Host
	}
	if _, _, err := net.SplitHostPort(host); err != nil {
		host = net.JoinHostPort(host, port)
	}
	ctx, cancel := context.WithTimeout(ctx, doctorTimeout)
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", host)
	if err != nil {
		d.fail(check, "check the address and that it runs", "%v", err)
		return
	}
	conn.Close()
	d.ok(check, "%s takes connections", host)
}

// checkGateway asks a running gateway how it is.
func (d *doctor) checkGateway(ctx context.Context, base string, s *settings) {
	ctx, cancel := context.WithTimeout(ctx, doctorTimeout)
	defer cancel()
	base = strings.TrimRight(base, "/")
	for _, p := range []struct{ path, good, advice string }{
		{"/livez", "the process runs", "start it, and check the address"},
		{"/readyz", "a configuration is served", "its log says why it has none: the token, or the connection to the management plane"},
	} {
		res, _, err := d.get(ctx, base+p.path, anyCertificate())
		switch {
		case err != nil:
			d.fail("gateway", p.advice, "%v", err)
			return
		case res.StatusCode != http.StatusOK:
			d.fail("gateway", p.advice, "%s answers %d", p.path, res.StatusCode)
		default:
			d.ok("gateway", "%s", p.good)
		}
	}
	if s == nil || s.text("telemetry.metrics.prometheus.listen") == "" {
		return
	}
	if _, page, err := d.get(ctx, "http://"+s.text("telemetry.metrics.prometheus.listen")+"/metrics", nil); err == nil {
		d.metrics = page
	}
}

// checkPlane asks a management plane how it is.
func (d *doctor) checkPlane(ctx context.Context, base string) {
	ctx, cancel := context.WithTimeout(ctx, doctorTimeout)
	defer cancel()
	base = strings.TrimRight(base, "/")
	for _, p := range []struct{ path, good, advice string }{
		{"/healthz", "it serves", "look at its log: the database is the usual reason"},
		{"/metadata/endpoints?api-version=2020-06-01", "clients of Azure find it", "check that this is a management listener"},
	} {
		res, _, err := d.get(ctx, base+p.path, nil)
		switch {
		case err != nil:
			d.fail("management plane", "check the address, and that its certificate is trusted here (SSL_CERT_FILE)", "%v", err)
			return
		case res.StatusCode != http.StatusOK:
			d.fail("management plane", p.advice, "%s answers %d", p.path, res.StatusCode)
		default:
			d.ok("management plane", "%s", p.good)
		}
	}
}

// checkProcess looks at the limits that this process would run under.
func (d *doctor) checkProcess() {
	if files, known := openFilesLimit(); known && files < fewFiles {
		d.warn("open files", "raise it (LimitNOFILE in systemd, ulimits in a container): each connection is one", "at most %d", files)
	}
}

// anyCertificate is for pages of which the caller does not ask whose they are.
func anyCertificate() *tls.Config { return &tls.Config{InsecureSkipVerify: true} }

// get fetches a page, and at most maxPageBytes of it. A nil configuration is the usual one.
func (d *doctor) get(ctx context.Context, page string, secured *tls.Config) (*http.Response, []byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, page, nil)
	if err != nil {
		return nil, nil, usageError("%w", err)
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = secured
	defer transport.CloseIdleConnections()
	res, err := (&http.Client{Transport: transport}).Do(r)
	if err != nil {
		return nil, nil, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxPageBytes))
	if err != nil {
		return nil, nil, fmt.Errorf("read %s: %w", page, err)
	}
	return res, body, nil
}
