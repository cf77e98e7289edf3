package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/causeway-apim/causeway/internal/auth"
	"github.com/causeway-apim/causeway/internal/configsync"
	"github.com/causeway-apim/causeway/internal/gateway"
	"github.com/causeway-apim/causeway/internal/policy"
	"github.com/causeway-apim/causeway/internal/redis"
	"github.com/causeway-apim/causeway/internal/snapshot"
	"github.com/causeway-apim/causeway/internal/sqlsource"
	"github.com/causeway-apim/causeway/internal/telemetry"
)

// drainTime is how long requests in flight may take after SIGTERM.
const drainTime = 30 * time.Second

type gatewayFlags struct {
	listen, tlsListen string
	backup, settings  string
	data              string
	profileListen     string
}

func gatewayCommand() *cobra.Command {
	var f gatewayFlags
	cmd := &cobra.Command{
		Use:   "gateway",
		Short: "Run a self-hosted gateway",
		Long: `Run a self-hosted gateway: the data plane alone.

It takes the settings of Azure API Management's self-hosted gateway v2, from the
environment (config.service.endpoint or CONFIG_SERVICE_ENDPOINT), or from a file.
The configuration comes over one outbound connection to the management plane and
is kept on disk, so that the gateway starts and serves without the plane.

SIGTERM ends it gracefully. SIGUSR2 starts its binary anew, which may be a newer
one by then: the new process takes the listeners over, and no request fails.`,
		Example: `  CONFIG_SERVICE_ENDPOINT=http://127.0.0.1:8880 \
  CONFIG_SERVICE_AUTH="GatewayKey my-gateway&202701010000&…" causeway gateway --gateway-listen 127.0.0.1:9080

  causeway gateway --settings env.conf --config-backup /apim/config`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runGateway(cmd, f) },
	}
	flags := cmd.PersistentFlags()
	flags.StringVar(&f.settings, "settings", "", "file with settings: name=value lines or YAML")
	local := cmd.Flags()
	local.StringVar(&f.listen, "gateway-listen", "0.0.0.0:8080", "address for HTTP, or off")
	local.StringVar(&f.tlsListen, "gateway-tls-listen", "0.0.0.0:8081", "address for HTTPS, or off")
	local.StringVar(&f.backup, "config-backup", "", "folder for the copy of the configuration (default /apim/config where it exists)")
	local.StringVar(&f.data, "data", "", "folder for listen.json; not needed in production")
	local.StringVar(&f.profileListen, "profile-listen", "off", "address for profiles of the process (pprof), which nobody else may reach, or off")
	cmd.AddCommand(gatewayConfigCommand(&f), gatewayDeploymentCommand(), bundleCommand(&f))
	return cmd
}

// gatewayConfigCommand prints the effective settings.
func gatewayConfigCommand(f *gatewayFlags) *cobra.Command {
	return &cobra.Command{
		Use:     "config",
		Short:   "Print the effective settings with their origins",
		Example: "  causeway gateway config --settings env.conf",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := loadSettings(f.settings, os.Environ())
			if err != nil {
				return err
			}
			s.print(cmd.OutOrStdout())
			for _, u := range s.unknown {
				fmt.Fprintln(cmd.ErrOrStderr(), "warning:", u)
			}
			return nil
		},
	}
}

func runGateway(cmd *cobra.Command, f gatewayFlags) error {
	wanted, stopSignal := handOverSignal() // at once: by itself the signal ends a process
	defer stopSignal()
	s, err := loadSettings(f.settings, os.Environ())
	if err != nil {
		return err
	}
	log, err := gatewayLog(cmd.OutOrStdout(), s)
	if err != nil {
		return err
	}
	for _, u := range s.unknown {
		log.Warn(u, telemetry.EventKey, "UnknownSetting")
	}
	for _, d := range gatewaySettings {
		if v := s.values[d.name]; d.idle && v.origin != "default" && v.value != "" {
			log.Warn("The setting "+d.name+" has no effect in this version.", telemetry.EventKey, "IdleSetting", "origin", v.origin)
		}
	}
	inherited, err := inherit([]string{"gateway", "gateway-tls", "profiles", metricsListener})
	if err != nil {
		return err
	}
	wire, err := readNetwork(s, limitMemory())
	if err != nil {
		return err
	}
	wire.warn(log)
	token, err := gatewayToken(s)
	if err != nil {
		return err
	}
	if token.key != nil {
		token.key.log = log
	}
	catalogue, err := policyCatalogue()
	if err != nil {
		return err
	}
	trust, err := gatewayTrust(time.Now)
	if err != nil {
		return err
	}
	proxy, err := gateway.EnvironmentProxy(s.text)
	if err != nil {
		return usageError("setting %w", err)
	}
	dapr, err := policy.NewDapr(os.Getenv)
	if err != nil {
		return usageError("settings DAPR_HTTP_ENDPOINT and DAPR_HTTP_PORT: %w", err)
	}
	shared, err := gatewayRedis(s)
	if err != nil {
		return err
	}
	limits, err := policy.ParseExpressionLimits(s.text("expressions.limits"))
	if err != nil {
		return usageError("setting expressions.limits: %w", err)
	}
	var used *telemetry.Usage // nil: nothing is told to the plane of what is served
	if s.flag("telemetry.metrics.cloud") {
		used = telemetry.NewUsage()
	}
	instance := newInstanceID()
	name := cmpOr(token.gateway, s.text("gateway.name")) // may be the resource's ID
	resource := name
	name = name[strings.LastIndexByte(name, '/')+1:]
	secured, err := readPlaneTLS(s)
	if err != nil {
		return err
	}
	client, err := gatewayClient(s, f, token, secured)
	if err != nil {
		return err
	}
	client.Gateway, client.Instance = resource, instance
	counting := openCounting(client.Dir, log)
	credentials := &remoteCredentials{client: client}
	metrics, err := openMetrics(cmd.Context(), s, inherited, name, instance, log)
	if err != nil {
		return err
	}
	options := gateway.Options{
		Name: name, InstanceID: instance, Catalogue: catalogue.WithExpressionLimits(limits),
		Counters: counting.counters(), Cache: gatewayCache(time.Now), Trust: trust, Log: log, Now: time.Now,
		Redis:               shared,
		TrustForwardedProto: s.flag("net.server.http.forwarded.proto.enabled"), Proxy: proxy, Dapr: dapr, Credentials: credentials, Usage: used, Metrics: metrics.metrics, Record: metrics.record(),
		Spans: metrics.spans, InsightsEndpoint: s.text("logs.applicationinsights.endpoint"),
		SQL:     sqlsource.New(sqlsource.Options{Now: time.Now}),
		Trace:   func(_, id string, document []byte) { sendTrace(client, log, id, document) },
		Circuit: func(_ string, c gateway.CircuitChange) { sendCircuit(client, log, c) },
	}
	wire.apply(&options)
	g := gateway.New(options)
	counting.joinNeighbours(s, g.InstanceSecret)
	metrics.gateway = g
	cert, err := selfSigned(time.Now())
	if err != nil {
		return err
	}
	wire.server.Fallback = cert
	server := gateway.NewServer(g, wire.server)
	if tickets := inherited.legacy.Tickets; tickets != nil {
		if err := server.InheritTicketKeys(tickets); err != nil {
			return err
		}
	}
	client.Apply = func(ctx context.Context, from, to *snapshot.Snapshot, d snapshot.Delta) error {
		err := g.Apply(ctx, "gateway", from, to, d)
		if err == nil {
			log.Info("A configuration is served.", telemetry.EventKey, "ConfigurationApplied", "sequence", to.Sequence(), "changed", len(d.Put), "deleted", len(d.Delete))
		}
		return err
	}
	client.Status = func(st configsync.Status) { logStatus(log, st) }
	client.Disk = func(err error) { logDisk(log, err) }
	client.Command = func(ctx context.Context, command string, payload json.RawMessage) {
		if command == commandQuota {
			go func() {
				if err := answerQuota(ctx, g, client, payload); err != nil {
					log.Warn("The counters of a quota cannot be told to the management plane.", "error", err)
				}
			}()
		}
	}
	usage := newUsageReporter(g, client.Dir, instance, log, sendUsage(client))
	run := gatewayRun{
		flags: f, log: log, tls: secured, gateway: g, server: server, client: client, usage: usage, metrics: metrics, counting: counting, inherited: inherited, drainTime: wire.drain,
		handOvers: wanted,
	}
	ctx, cancel := endLater(cmd.Context(), wire.drainDelay, g, log)
	defer cancel()
	return run.run(ctx)
}

// gatewayClient prepares what brings the configuration: from the plane, or from a bundle.
func gatewayClient(s *settings, f gatewayFlags, token credential, secured *planeTLS) (c *configsync.Client, err error) {
	c = &configsync.Client{
		Endpoint: s.text("config.service.endpoint"), Version: version, Dir: backupFolder(f.backup), Token: token.token, TLS: secured.config, Bundle: s.text("config.bundle"),
		DialTimeout: s.duration("config.service.integration.timeout"),
	}
	if token.key != nil && s.flag("config.service.auth.renew") {
		c.Renewed = token.key.renewed
	}
	if c.Key, err = backupKey(s.text("config.backup.key")); err != nil {
		return nil, err
	}
	if c.Bundle != "" {
		c.BundleKey, err = bundleKey(s.text("config.bundle.publicKey"))
	}
	return c, err
}

func wrapNonNil(doing string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", doing, err)
}

func cmpOr(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// credential is what the gateway connects with, and its name if a token says it.
type credential struct {
	token   func(ctx context.Context) (string, error)
	gateway string
	key     *gatewayKey // nil for an application
}

// gatewayToken finds the token in the settings and refuses one that cannot be
// right at once.
func gatewayToken(s *settings) (credential, error) {
	if s.text("config.bundle") != "" {
		if s.text("gateway.name") == "" {
			return credential{}, usageError("setting gateway.name is required with config.bundle: a bundle's gateway has no token that names it")
		}
		return credential{}, nil
	}
	text, name, file := s.text("config.service.auth"), "config.service.auth", ""
	switch strings.ToLower(text) {
	case "key":
		text, name, file = s.text("config.service.auth.key"), "config.service.auth.key", s.text("config.service.auth.keyFile")
	case "certificate":
		if s.text("config.service.endpoint") == "" || s.text("gateway.name") == "" || s.text("config.service.tls.certificatePath") == "" {
			return credential{}, usageError("settings config.service.endpoint, gateway.name and config.service.tls.certificatePath are required where the certificate signs the gateway in")
		}
		return credential{token: func(context.Context) (string, error) { return "", nil }}, nil
	case "azureadapp", "workloadidentity":
		token, err := applicationToken(s, text, noRedirects(), os.Getenv)
		return credential{token: token}, err
	}
	if text == "" && file == "" || s.text("config.service.endpoint") == "" {
		return credential{}, usageError("settings config.service.endpoint and config.service.auth are required: the address of the management plane and a token from the gateway's generateToken (GatewayKey …)")
	}
	key, err := newGatewayKey(text, file)
	if err != nil {
		return credential{}, err
	}
	if file != "" {
		name = "config.service.auth.keyFile"
	}
	token, err := auth.ParseGatewayToken(key.text)
	if err != nil {
		return credential{}, usageError("setting %s: %w; make a new token with the gateway's generateToken", name, err)
	}
	return credential{key.token, token.Gateway, key}, nil
}

// gatewayRedis is what the settings say of Redis.
func gatewayRedis(s *settings) (o gateway.RedisOptions, err error) {
	o.Counters = s.text("counters.redis.endpoint")
	if o.Counters != "" {
		if _, err := redis.ParseTarget(o.Counters); err != nil {
			return o, usageError("setting counters.redis.endpoint: %w", err)
		}
	}
	if o.Away, err = gateway.ParseCountersAway(s.text("counters.redis.failure")); err != nil {
		return o, usageError("setting counters.redis.failure: %w", err)
	}
	return o, nil
}

// backupFolder is where the disk copy goes; empty for nowhere.
func backupFolder(flag string) string {
	const usual = "/apim/config"
	if flag != "" {
		return flag
	}
	if info, err := os.Stat(usual); err == nil && info.IsDir() {
		return usual
	}
	return ""
}

func logStatus(log *slog.Logger, st configsync.Status) {
	attrs := []any{telemetry.EventKey, "Configuration." + string(st.State), "held", st.Held, "serving", st.Serving}
	switch {
	case st.Rejected != "":
		log.Error("A configuration was refused; the last good one goes on serving.", append(attrs, "error", st.Rejected)...)
	case st.State == configsync.StateConnected:
		log.Info("The gateway is connected to the management plane.", append(attrs, "host", st.Host)...)
	case slices.Contains([]configsync.State{configsync.StateTokenExpired, configsync.StateTokenRefused}, st.State):
		log.Error("The management plane refuses the token: "+st.Reason+". Make a new one with the gateway's generateToken.", append(attrs, "host", st.Host)...)
	case st.State == configsync.StateBundle:
		log.Info("The gateway serves a bundle, without a management plane.", attrs...)
	case st.State == configsync.StateTokenExpiring:
		log.Warn("The token expires soon: "+st.Reason, attrs...)
	case st.State == configsync.StateWaiting:
		log.Warn("The gateway has no connection to the management plane: "+st.Reason, append(attrs, "host", st.Host, "retry", st.Retry)...)
	}
}

func logDisk(log *slog.Logger, err error) {
	if err == nil {
		log.Info("The copy of the configuration is written again.", telemetry.EventKey, "BackupRestored")
		return
	}
	log.Error("The copy of the configuration has a problem.", telemetry.EventKey, "BackupFailed", "error", err)
}
