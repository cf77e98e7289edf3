package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v4"

	"github.com/causeway-apim/causeway/internal/policy"
	"github.com/causeway-apim/causeway/internal/store"
)

// serverOption is a flag of `causeway server` with the sources it may come
// from: the flag itself, the environment, a file.
type serverOption struct {
	name, normal, help string
	secret             bool
}

var serverOptions = slices.Concat([]serverOption{
	{name: "database", help: "sqlite:///path or postgres://…; default DATA/causeway.db"},
	{name: "data", normal: "/var/lib/causeway", help: "folder for files"},
	{name: "backup-dir", help: "folder into which the management API backs services up; default DATA/backups"},
	{name: "git-dir", help: "folder of the Git repositories of services, one for all replicas; default DATA/git"},
	{name: "master-key", help: "key that encrypts secrets at rest: FILE, env:NAME or cmd:…; needed with PostgreSQL"},
	{name: "management-listen", normal: "127.0.0.1:8880", help: "address of the management API, or off"},
	{name: "management-tls-listen", normal: "127.0.0.1:8881", help: "address of the management API over TLS, or off"},
	{name: "gateway-listen", normal: "off", help: "address of the managed gateway in this process, or off"},
	{name: "gateway-tls-listen", normal: "off", help: "address of the managed gateway over TLS, or off"},
	{name: "portal-listen", normal: "off", help: "address of the developer portal; there is none in this version"},
	{name: "tls-cert", help: "certificate chain for the TLS listeners, PEM; a self-signed one is made without it"},
	{name: "tls-key", help: "its private key, PEM; both files are read again when they change"},
	{name: "gateway-client-ca", help: "certificates of authorities, PEM, that issue client certificates of self-hosted gateways; read again when it changes"},
	{name: "gateway-client-certificates", normal: "optional", help: "with --gateway-client-ca: optional (one that is presented must be the gateway's), required (beside its token) or sufficient (in place of one)"},
	{name: "enforce-tiers", normal: "false", help: "true: self-hosted gateways as the service's tier has them: Developer one instance, Premium any, others none"},
	{name: "allow-private-links", normal: "false", help: "true: imports and policies may come from links to private addresses and this machine"},
	{name: "vault-files", help: "folder of secrets in files, which named values and certificates refer to as file:NAME"},
	{name: "vaults", help: "vaults that may be asked for secrets: azure=URL,hashicorp=URL; VAULT_TOKEN is the token for the latter"},
	{name: "expression-limits", help: "limits of one expression in the managed gateway, such as steps=10000000,memory=67108864,depth=200,regex=1s,time=10s"},
	{name: "management-rate-limit", normal: "1000", help: "requests a second of one principal, as many of reads, writes and deletions each; 0 for no limit"},
	{name: "audit-retention-days", normal: "90", help: "how far the audit log goes back; 0 for ever"},
	{name: "oidc-issuer", help: "issuer of the OpenID Connect provider that people sign in with"},
	{name: "oidc-name", help: "what the button on the sign-in page calls it"},
	{name: "oidc-client-id", help: "our client ID there; its redirect URI is https://HOST/oauth2/external/callback"},
	{name: "oidc-client-secret", secret: true, help: "our client secret there; better in the environment"},
	{name: "oidc-scopes", help: "scopes besides openid, profile and email"},
	{name: "oidc-audiences", help: "audiences of its access tokens that the management API takes, separated by blanks; none is taken without one"},
	{name: "oidc-role-claim", normal: "groups", help: "claim that gives roles"},
	{name: "oidc-roles", help: "VALUE=ROLE@SCOPE;…: the roles that values of the claim give"},
	{name: "opentelemetry-collector", help: "collector of the spans of the management API: port 4318 means HTTP, others gRPC; default OTEL_EXPORTER_OTLP_ENDPOINT"},
	{name: "opentelemetry-sampling", normal: "1", help: "share of the traces that begin here, from 0 to 1; for others the caller has decided"},
	{name: "log-format", normal: "text", help: "text, json or none"},
	{name: "log-level", normal: "info", help: "all, debug, info, warn, error or fatal"},
}, mailOptions)

// serverConfig are the effective options by name.
type serverConfig map[string]settingValue

func (c serverConfig) text(name string) string { return c[name].value }

func serverCommand() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:   "server",
		Short: "Run the management plane",
		Long: `Run the management plane: the management API, the configuration endpoint of
gateways and, if wanted, the managed gateway in the same process. Several
servers on one PostgreSQL database are equal.

Every flag can be set as CAUSEWAY_NAME in the environment (CAUSEWAY_DATABASE) or
in a YAML file; flags win over the environment, the environment over the file.
The first start makes a service principal with full rights. Its secret, which is
a bearer token of the management API and the password of the account admin on
sign-in pages as well, comes from CAUSEWAY_ADMIN_SECRET or is made and printed
once. People can sign in with another OpenID Connect provider: the claim
--oidc-role-claim of their tokens gives them roles by --oidc-roles.`,
		Example: `  causeway server --database sqlite:///var/lib/causeway/causeway.db --gateway-listen 0.0.0.0:8080
  causeway server --database postgres://causeway@db/causeway --master-key env:CAUSEWAY_MASTER_KEY`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := loadServerConfig(cmd, file)
			if err != nil {
				return err
			}
			return runServer(cmd, c)
		},
	}
	cmd.PersistentFlags().StringVar(&file, "config", "", "YAML file with options")
	for _, o := range serverOptions {
		cmd.PersistentFlags().String(o.name, o.normal, o.help)
	}
	cmd.AddCommand(serverBackupCommands(&file)...)
	cmd.AddCommand(&cobra.Command{
		Use:     "config",
		Short:   "Print the effective options with their origins",
		Example: "  causeway server config --config causeway.yaml",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := loadServerConfig(cmd, file)
			if err != nil {
				return err
			}
			for _, o := range serverOptions {
				v := c[o.name]
				if v.value == "" {
					v = settingValue{"-", "unset"}
				}
				switch {
				case o.name == "database":
					v.value = withoutPassword(v.value)
				case o.secret && v.origin != "unset":
					v.value = "***"
				}
				fmt.Fprintln(cmd.OutOrStdout(), o.name, v.value, v.origin)
			}
			return nil
		},
	})
	return cmd
}

// withoutPassword masks the password in the URL of a database.
func withoutPassword(database string) string {
	u, err := url.Parse(database)
	if err != nil {
		return "***" // who knows what is in it
	}
	if q := u.Query(); q.Has("password") {
		q.Set("password", "***")
		u.RawQuery = q.Encode()
	}
	return u.Redacted()
}

// loadServerConfig joins defaults, file, environment and flags.
func loadServerConfig(cmd *cobra.Command, file string) (serverConfig, error) {
	c := make(serverConfig)
	var fromFile map[string]string
	if file != "" {
		data, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("read options: %w; check --config", err)
		}
		if err := yaml.Unmarshal(data, &fromFile); err != nil {
			return nil, usageError("read options %s: %w", file, err)
		}
	}
	for _, o := range serverOptions {
		v := settingValue{o.normal, "default"}
		if t, ok := fromFile[o.name]; ok {
			v = settingValue{t, file}
		}
		if t, ok := os.LookupEnv("CAUSEWAY_" + underscore(o.name)); ok {
			v = settingValue{t, "environment"}
		}
		if f := cmd.Flags().Lookup(o.name); f != nil && f.Changed {
			v = settingValue{f.Value.String(), "flag"}
		}
		c[o.name] = v
		delete(fromFile, o.name)
	}
	for name := range fromFile {
		return nil, usageError("option %s in %s is not known; see 'causeway server --help'", name, file)
	}
	return c, nil
}

func runServer(cmd *cobra.Command, c serverConfig) error {
	ctx, now := cmd.Context(), time.Now()
	log, err := commandLog(cmd.ErrOrStderr(), c.text("log-format"), c.text("log-level"))
	if err != nil {
		return err
	}
	if err := os.MkdirAll(c.text("data"), 0o700); err != nil {
		return fmt.Errorf("make the data folder: %w; choose another with --data", err)
	}
	database := c.databaseURL()
	scheme, _, _ := strings.Cut(database, "://")
	if !slices.Contains([]string{"sqlite", "postgres", "postgresql"}, scheme) {
		return usageError("--database names a %q database; it must begin with sqlite:// or postgres://", scheme)
	}
	keyring, err := serverKeyring(ctx, c, scheme)
	if err != nil {
		return err
	}
	secured, err := readServerTLS(c, now)
	if err != nil {
		return err
	}
	cert, err := secured.certificate()
	if err != nil {
		return err
	}
	managementTLS, err := secured.config()
	if err != nil {
		return err
	}
	listeners, err := openListeners([]listenAddress{
		{"management", c.text("management-listen"), "management-listen"}, {"management-tls", c.text("management-tls-listen"), "management-tls-listen"},
		{"gateway", c.text("gateway-listen"), "gateway-listen"}, {"gateway-tls", c.text("gateway-tls-listen"), "gateway-tls-listen"},
	}, nil)
	if err != nil {
		return err
	}
	privateLinks, err := strconv.ParseBool(c.text("allow-private-links"))
	if err != nil {
		return usageError("--allow-private-links is %q; it must be true or false", c.text("allow-private-links"))
	}
	tiers, err := strconv.ParseBool(c.text("enforce-tiers"))
	if err != nil {
		return usageError("--enforce-tiers is %q; it must be true or false", c.text("enforce-tiers"))
	}
	expressions, err := policy.ParseExpressionLimits(c.text("expression-limits"))
	if err != nil {
		return usageError("--expression-limits: %w", err)
	}
	who, err := serverIdentity(cmd, c)
	if err != nil {
		return err
	}
	mails, err := openMail(c)
	if err != nil {
		return err
	}
	spans, err := openPlaneSpans(c.text("opentelemetry-collector"), c.text("opentelemetry-sampling"), log)
	if err != nil {
		return err
	}
	p, err := openPlane(ctx, planeOptions{
		mail: mails, spans: spans,
		enforceTiers: tiers, countersDir: absolute(filepath.Join(c.text("data"), "counters")),
		allowLoopbackLinks: privateLinks, allowPrivateLinks: privateLinks,
		backupDir: c.backupDir(), deadLetterDir: absolute(filepath.Join(c.text("data"), "deadletters")),
		gitDir: absolute(cmpOr(c.text("git-dir"), filepath.Join(c.text("data"), "git"))),
		log:    log, databaseURL: database, keyring: keyring, replicas: scheme != "sqlite",
		identity: who, expressions: expressions, vaults: vaultOptions{files: c.text("vault-files"), servers: c.text("vaults")},
		withGateway: c.text("gateway-listen") != "off" || c.text("gateway-tls-listen") != "off", certificate: cert, gatewayCertificates: secured.certificates,
		gatewayURL:    serviceURL(listeners),
		managementURL: func(string) string { return httpURL("http", listeners.address("management")) },
		handlers:      map[string]http.Handler{},
	})
	if err != nil {
		return err
	}
	if err := listeners.write(c.text("data")); err != nil {
		return err
	}
	log.Info("The management plane is ready.", "management", listeners.address("management"), "managementTLS", listeners.address("management-tls"), "gateway", listeners.address("gateway"))
	ctx, cancel := endLater(ctx, p.drainDelay, p.gateway, log)
	defer cancel()
	return p.serve(ctx, listeners, managementTLS, p.drainTime)
}

// serverKeyring loads the master key. With SQLite a key file beside the
// database will do; replicas on PostgreSQL have to share one.
func serverKeyring(ctx context.Context, c serverConfig, scheme string) (*store.Keyring, error) {
	if source := c.text("master-key"); source != "" {
		return store.LoadKeyring(ctx, source)
	}
	if scheme != "sqlite" {
		return nil, usageError("--master-key is needed with PostgreSQL: FILE, env:NAME or cmd:… with 32 bytes, for example from 'openssl rand -base64 32'")
	}
	return store.LoadOrCreateKeyFile(ctx, filepath.Join(c.text("data"), "master.key"))
}
