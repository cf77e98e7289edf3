package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/netutil"

	"github.com/causeway-apim/causeway/internal/configsync"
	"github.com/causeway-apim/causeway/internal/events"
	"github.com/causeway-apim/causeway/internal/gateway"
	"github.com/causeway-apim/causeway/internal/gitrepo"
	"github.com/causeway-apim/causeway/internal/importer"
	"github.com/causeway-apim/causeway/internal/manage"
	"github.com/causeway-apim/causeway/internal/policy"
	"github.com/causeway-apim/causeway/internal/redis"
	"github.com/causeway-apim/causeway/internal/resource"
	"github.com/causeway-apim/causeway/internal/resources"
	"github.com/causeway-apim/causeway/internal/snapshot"
	"github.com/causeway-apim/causeway/internal/sqlsource"
	"github.com/causeway-apim/causeway/internal/store"
	"github.com/causeway-apim/causeway/internal/telemetry"
)

// Identities that exist from the start.
const (
	tenantID       = "00000000-0000-0000-0000-000000000000"
	subscriptionID = "00000000-0000-0000-0000-000000000000"
	adminID        = "00000000-0000-0000-0000-000000000001"
)

// plane is a management plane with, if wanted, the managed gateway in the same
// process.
type plane struct {
	log       *slog.Logger
	store     store.Store
	feed      *configsync.Feed
	publisher *resource.Publisher
	config    *configsync.Server
	// credentials is the credential manager.
	credentials *resources.CredentialManager
	board       *instanceBoard // nil for a plane without replicas
	traces      *traceBoard
	usage       *usageBook
	counting    *counting // of the managed gateway; nil without one
	quotas      *quotaBoard
	events      *events.Broker
	news        *gatewayNews
	manage      *manage.Server
	identity    *identity
	mail        mailSetup
	spans       planeSpans
	gateway     *gateway.Gateway
	gatewaySv   *gateway.Server
	drainTime   time.Duration // how long requests may take at the end
	drainDelay  time.Duration // of the managed gateway; see endLater

	mu       sync.Mutex
	followed map[string]func() // by service: ends the managed gateway's subscription
}

// planeOptions say what a plane is made of.
type planeOptions struct {
	log         *slog.Logger
	databaseURL string
	keyring     *store.Keyring
	// identity says who may use the management API.
	identity identityOptions
	// awaitGateway holds answers to writes back until the managed gateway
	// serves them.
	awaitGateway bool
	// withGateway runs the managed gateway; certificate is its fallback.
	withGateway bool
	certificate *tls.Certificate
	// gatewayCertificates is mutual TLS of self-hosted gateways; nil for none.
	gatewayCertificates *configsync.ClientCertificates
	// replicas says that other planes may work on the same database.
	replicas bool
	// allowLoopbackLinks and allowPrivateLinks let imports follow links to this
	// machine and to private addresses.
	allowLoopbackLinks, allowPrivateLinks bool
	// vaults may be asked for secrets.
	vaults vaultOptions
	// mail is how mail is sent.
	mail mailSetup
	// spans is where those of the management API go.
	spans planeSpans
	// gitDir is the folder of the Git repositories of services.
	gitDir string
	// backupDir is the folder of backups of services, deadLetterDir that of events that could not be delivered.
	backupDir, deadLetterDir string
	// countersDir keeps the quotas of the managed gateway over restarts.
	countersDir string
	// enforceTiers holds self-hosted gateways to the rules of the service's tier.
	enforceTiers bool
	// expressions bound the evaluations of the managed gateway.
	expressions policy.ExpressionLimits

	gatewayURL    func(service string) string
	managementURL func(service string) string
	handlers      map[string]http.Handler
}

// openPlane opens the store, publishes what is in it and makes the servers
// ready. Nothing listens yet.
func openPlane(ctx context.Context, o planeOptions) (*plane, error) {
	catalogue, err := policyCatalogue()
	if err != nil {
		return nil, err
	}
	trust, err := gatewayTrust(time.Now)
	if err != nil {
		return nil, err
	}
	readSecret, err := o.vaults.open(trust.Identity)
	if err != nil {
		return nil, err
	}
	st, err := store.Open(ctx, o.databaseURL, store.Options{Keyring: o.keyring})
	if err != nil {
		return nil, fmt.Errorf("%w; %s", err, storeAdvice(err))
	}
	who, err := openIdentity(ctx, o, st)
	if err != nil {
		return nil, errors.Join(err, st.Close())
	}
	p := &plane{
		log: o.log, store: st, mail: o.mail, spans: o.spans, feed: &configsync.Feed{}, followed: make(map[string]func()),
		traces: &traceBoard{store: st, now: time.Now, log: o.log}, drainTime: drainTime,
	}
	p.quotas = &quotaBoard{
		managed: func() *gateway.Gateway { return p.gateway },
		command: func(service, gateway, name string, payload any) (int, error) {
			return p.config.Command(service, gateway, name, payload)
		},
	}
	p.usage = &usageBook{store: st, now: time.Now, log: o.log}
	repos := &gitrepo.Repositories{Dir: o.gitDir}
	types, err := resources.New(resources.Env{
		GatewayURL: o.gatewayURL, ManagementURL: o.managementURL, Policies: catalogue, AllowLoopbackLinks: o.allowLoopbackLinks, AllowPrivateLinks: o.allowPrivateLinks,
		Vault:        readSecret,
		GatewayImage: "causeway-apim/causeway:" + version,
		BackupDir:    o.backupDir,
		Mail:         o.mail.sender != nil,
		Git:          repos,
		CheckCache:   func(connection string) error { _, err := redis.ParseTarget(connection); return err },
		Instances:    func(service, gateway string) any { return p.instances(service, gateway) },
		Trace:        p.traces.find,
		Quotas:       p.quotas,
	})
	if err != nil {
		return nil, errors.Join(err, st.Close())
	}
	if o.withGateway {
		proxy, err := gateway.EnvironmentProxy(os.Getenv)
		if err != nil {
			return nil, errors.Join(err, st.Close())
		}
		dapr, err := policy.NewDapr(os.Getenv)
		if err != nil {
			return nil, errors.Join(err, st.Close())
		}
		wire, err := managedNetwork(o.log)
		if err != nil {
			return nil, errors.Join(err, st.Close())
		}
		p.counting = openCounting(o.countersDir, o.log)
		options := gateway.Options{
			Name: "managed", InstanceID: newInstanceID(), Catalogue: catalogue.WithExpressionLimits(o.expressions),
			Counters: p.counting.counters(), Cache: gatewayCache(time.Now), Trust: trust, Log: o.log, Now: time.Now,
			Trace: func(service, id string, document []byte) {
				p.traces.put(context.Background(), service, "managed", id, document)
			},
			Circuit: func(service string, c gateway.CircuitChange) { p.circuitChanged(service, "managed", c) },
			Proxy:   proxy, Dapr: dapr, Credentials: localCredentials{p}, Usage: telemetry.NewUsage(),
			SQL: sqlsource.New(sqlsource.Options{Now: time.Now}),
		}
		wire.apply(&options)
		wire.server.Fallback = o.certificate
		p.gateway = gateway.New(options)
		p.usage.manage(p.gateway, newInstanceID())
		p.gatewaySv = gateway.NewServer(p.gateway, wire.server)
		p.drainTime, p.drainDelay = wire.drain, wire.drainDelay
	}
	p.publisher = resource.NewPublisher(resource.PublisherConfig{
		Store: st, Catalogue: types, Now: time.Now, Log: o.log, Publish: p.publish, Remove: p.remove,
	})
	gateways := gatewayAccess{who.signIn.VerifyFor, who.control.AuthorizeData, source{p.feed, st}.GatewayKeys}
	p.config = &configsync.Server{Source: source{p.feed, st}, Auth: gateways.authenticate, Version: version, Log: o.log, Record: p.takeRecord, Request: p.answer, Certificates: o.gatewayCertificates}
	if o.enforceTiers {
		p.config.Admit = tierRules{st}.admit
	}
	if o.replicas {
		p.board = &instanceBoard{store: st, now: time.Now, log: o.log}
	}
	p.config.Changed = p.instanceChanged
	if err := p.publisher.Load(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("load the configuration: %w", err), st.Close())
	}
	debug.FreeOSMemory()          // loading takes several times the memory of what is loaded
	var exports, git http.Handler // need the engine that manage.New makes
	handlers := maps.Clone(o.handlers)
	handlers[resources.RedirectPath] = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { p.credentials.ServeHTTP(w, r) })
	handlers[resources.GitPath] = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { git.ServeHTTP(w, r) })
	handlers[resources.ExportPath] = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { exports.ServeHTTP(w, r) })
	config := manage.Config{
		Store: st, Catalogue: types, Now: time.Now, Log: o.log,
		Subscriptions: []string{subscriptionID}, TenantID: tenantID, Handlers: handlers, Connect: p.config,
		OnWrite: p.onWrite(o.awaitGateway), Spans: o.spans.options(),
		Fetch: func(ctx context.Context, link string, most int64) ([]byte, error) {
			b, _, err := importer.Fetch(ctx, link, importer.FetchOptions{MaxBytes: most, AllowLoopback: o.allowLoopbackLinks, AllowPrivate: o.allowPrivateLinks})
			return b, err
		},
	}
	who.configure(&config, o.identity)
	p.openEvents(o, &config)
	if p.manage, err = manage.New(config); err != nil {
		return nil, errors.Join(err, st.Close())
	}
	exports = resources.NewExports(p.manage.Engine())
	git = resources.NewGitServer(p.manage.Engine(), repos, time.Now)
	p.credentials = newCredentialManager(p.manage.Engine(), trust)
	p.identity, who.log.Engine = who, p.manage.Engine
	return p, nil
}

// storeAdvice says what to do about a store that does not open.
func storeAdvice(err error) string {
	switch {
	case errors.Is(err, store.ErrLocked):
		return "stop that process, or choose another folder with --data"
	case errors.Is(err, store.ErrWrongKey), errors.Is(err, store.ErrNoKey):
		return "restore the master key that this data was made with"
	case errors.Is(err, store.ErrNewerSchema):
		return "run that version of Causeway or a newer one"
	}
	return "check the database, and that --database or --data names the right one"
}

// instances lists the instances of a gateway, wherever they are connected.
func (p *plane) instances(service, gateway string) []shownInstance {
	list := p.config.Instances(service, gateway)
	if p.board != nil {
		list = p.board.join(service, gateway, list)
	}
	latest := int64(0)
	if s, err := p.feed.Current(strings.ToLower(service)); err == nil {
		latest = s.Sequence()
	}
	return showInstances(list, latest)
}

// takeRecord takes what a self-hosted gateway sends up.
func (p *plane) takeRecord(ctx context.Context, from configsync.Identity, instance string, r configsync.Record) error {
	if r.Kind == recordCircuit {
		return p.takeCircuit(ctx, from, instance, r)
	}
	p.traces.take(ctx, from, r)
	return nil
}

// onWrite is what happens between a committed write and its answer.
func (p *plane) onWrite(await bool) func(ctx context.Context, service string, seq int64) error {
	return func(ctx context.Context, service string, seq int64) error {
		if await {
			return p.publisher.Wait(ctx, service, seq)
		}
		return nil
	}
}

// publish gives a new snapshot to gateways near and far. The managed gateway
// begins to follow a service when it appears.
func (p *plane) publish(service string, s *snapshot.Snapshot) error {
	if err := p.feed.Publish(service, s); err != nil {
		return err
	}
	if p.gateway == nil {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.followed[service] != nil {
		return nil
	}
	stop, err := configsync.Follow(context.Background(), source{p.feed, p.store}, service, "managed",
		func(ctx context.Context, from, to *snapshot.Snapshot, d snapshot.Delta) error {
			return p.gateway.Apply(ctx, service, from, to, d)
		},
		func(sequence int64, err error) {
			p.log.Error("The managed gateway refused a configuration; the last good one goes on serving.", "service", service, "sequence", sequence, "error", err)
		})
	if err != nil {
		return err
	}
	p.followed[service] = stop
	return nil
}

// remove takes a deleted service off the gateways.
func (p *plane) remove(service string) {
	p.mu.Lock()
	stop := p.followed[service]
	delete(p.followed, service)
	p.mu.Unlock()
	if stop != nil {
		stop()
		p.gateway.Remove(service)
	}
	p.feed.Remove(service)
}

// source is what gateways are served from: the published snapshots, and the
// gateways' keys in the store.
type source struct {
	*configsync.Feed
	store store.Store
}

// GatewayKeys finds the keys of the gateways of a name over all services.
func (s source) GatewayKeys(ctx context.Context, name string) (keys []configsync.GatewayKeys, err error) {
	err = s.store.View(ctx, func(r store.Reader) error {
		found, err := resources.GatewayKeys(ctx, r, name)
		for _, k := range found {
			keys = append(keys, configsync.GatewayKeys{Service: k.Service, Gateway: k.Gateway, Primary: k.Primary, Secondary: k.Secondary})
		}
		return err
	})
	return keys, err
}

// maxManagementConns is how many connections a management listener holds at once, those of gateways included. More wait.
const maxManagementConns = 16384

// serve runs the plane on its listeners until ctx ends, then drains.
func (p *plane) serve(ctx context.Context, listeners *listenerSet, serverTLS *tls.Config, drain time.Duration) error {
	failed := make(chan error, 8)
	running, stop := context.WithCancel(ctx)
	defer stop()
	var wg sync.WaitGroup
	start := func(f func() error) {
		wg.Go(func() {
			if err := f(); err != nil && running.Err() == nil {
				failed <- err
			}
		})
	}
	start(func() error { return ignoreCancel(p.publisher.Run(running)) })
	start(func() error { return ignoreCancel(p.identity.run(running)) })
	start(func() error { return ignoreCancel(followVaults(running, p.store, p.manage.Engine(), p.log)) })
	reporting, stopReporting := context.WithCancel(context.WithoutCancel(ctx))
	defer stopReporting()
	var reported sync.WaitGroup
	reported.Go(func() { p.usage.run(reporting) })
	if p.spans.traces != nil {
		reported.Go(func() { p.spans.traces.Run(reporting) })
	}
	if p.counting != nil {
		reported.Go(func() { p.counting.run(reporting) })
	}
	start(func() error { sendMail(running, p.mail, p.store, p.log); return nil })
	start(func() error { return ignoreCancel(p.events.Run(running)) })
	start(func() error { p.news.run(running); return nil })
	if p.board != nil {
		start(func() error { p.board.run(running); return nil })
	}
	if l := listeners.get("management"); l != nil {
		start(func() error { return p.manage.Serve(running, netutil.LimitListener(l, maxManagementConns), drain) })
	}
	if l := listeners.get("management-tls"); l != nil {
		limited := netutil.LimitListener(l, maxManagementConns)
		start(func() error { return p.manage.Serve(running, tls.NewListener(limited, serverTLS), drain) })
	}
	for name, run := range map[string]func(net.Listener) error{"gateway": p.serveGateway, "gateway-tls": p.serveGatewayTLS} {
		if l := listeners.get(name); l != nil {
			start(func() error { return run(l) })
		}
	}
	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	p.log.Info("Causeway drains: it takes no new connections and finishes its requests.")
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), drain)
	defer cancel()
	p.config.Close()
	if p.gatewaySv != nil {
		if derr := p.gatewaySv.Shutdown(stopping); derr != nil {
			p.log.Warn("Requests were still under way when the time to drain had passed.", "error", derr)
		}
	}
	stop()
	wg.Wait()
	if p.gateway != nil {
		p.gateway.Close()
	}
	stopReporting()
	reported.Wait()
	return errors.Join(err, p.store.Close())
}

func (p *plane) serveGateway(l net.Listener) error    { return p.gatewaySv.Serve(l) }
func (p *plane) serveGatewayTLS(l net.Listener) error { return p.gatewaySv.ServeTLS(l) }

func ignoreCancel(err error) error {
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// httpURL is the URL of a listener's address as people on this machine use it.
func httpURL(scheme, address string) string {
	if address == "" {
		return ""
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return scheme + "://" + address
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return scheme + "://" + net.JoinHostPort(strings.Trim(host, "[]"), port)
}
