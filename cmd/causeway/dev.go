package main

import (
	"crypto/rand"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/causeway-apim/causeway/internal/policy"
	"github.com/causeway-apim/causeway/internal/store"
	"github.com/causeway-apim/causeway/internal/telemetry"
)

// devDrain is how long `causeway dev` takes to stop at most.
const devDrain = 4 * time.Second

type devFlags struct {
	data                                           string
	management, managementTLS, gateway, gatewayTLS string
	portal, artifacts                              string
	empty                                          bool
	logFormat, logLevel                            string
}

func devCommand() *cobra.Command {
	var f devFlags
	cmd := &cobra.Command{
		Use:   "dev",
		Short: "Run everything in one process, on loopback",
		Long: `Run the management plane and the managed gateway in one process, on loopback,
with a sample API. A change of the configuration is live before its request is
answered. Everything is kept in the data folder and survives a crash.

Environment: CAUSEWAY_DEV_TOKEN is the bearer token of the management API, the
secret of the service principal ` + adminID + `, and the
password of the account admin on sign-in pages; without it one is made at each
start and printed.`,
		Example: `  causeway dev
  causeway dev --data /tmp/try --empty --gateway-listen 127.0.0.1:9080`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runDev(cmd, f) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.data, "data", ".causeway", "folder for everything that is kept")
	flags.StringVar(&f.management, "management-listen", "127.0.0.1:8880", "address of the management API, or off")
	flags.StringVar(&f.managementTLS, "management-tls-listen", "127.0.0.1:8881", "address of the management API over TLS, or off")
	flags.StringVar(&f.gateway, "gateway-listen", "127.0.0.1:8080", "address of the gateway, or off")
	flags.StringVar(&f.gatewayTLS, "gateway-tls-listen", "127.0.0.1:8081", "address of the gateway over TLS, or off")
	flags.StringVar(&f.portal, "portal-listen", "127.0.0.1:8890", "address of the developer portal, or off; there is none in this version")
	flags.StringVar(&f.artifacts, "artifacts", "", "folder in the APIOps layout; not offered in this version")
	flags.BoolVar(&f.empty, "empty", false, "start without the sample")
	flags.StringVar(&f.logFormat, "log-format", "text", "text, json or none")
	flags.StringVar(&f.logLevel, "log-level", "warn", "all, debug, info, warn, error or fatal")
	for _, o := range mailOptions {
		flags.String(o.name, o.normal, o.help)
	}
	return cmd
}

func runDev(cmd *cobra.Command, f devFlags) error {
	if f.artifacts != "" {
		return usageError("--artifacts is not offered in this version; write the resources through the management API")
	}
	ctx, now := cmd.Context(), time.Now()
	log, err := commandLog(cmd.ErrOrStderr(), f.logFormat, f.logLevel)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(f.data, 0o700); err != nil {
		return fmt.Errorf("make the data folder: %w; choose another with --data", err)
	}
	listeners, err := openListeners([]listenAddress{
		{"management", f.management, "management-listen"}, {"management-tls", f.managementTLS, "management-tls-listen"},
		{"gateway", f.gateway, "gateway-listen"}, {"gateway-tls", f.gatewayTLS, "gateway-tls-listen"},
	}, nil)
	if err != nil {
		return err
	}
	ca, err := loadLocalCA(f.data, now)
	if err != nil {
		return err
	}
	cert, err := ca.issue(now, "localhost", "127.0.0.1", "::1", "*.gateway.localhost", "*.localhost")
	if err != nil {
		return err
	}
	keyring, err := store.LoadOrCreateKeyFile(ctx, filepath.Join(f.data, "master.key"))
	if err != nil {
		return err
	}
	token, given := os.LookupEnv("CAUSEWAY_DEV_TOKEN")
	if token == "" {
		token, given = newToken(), false
	}
	expressions, err := policy.ParseExpressionLimits(os.Getenv("CAUSEWAY_EXPRESSION_LIMITS"))
	if err != nil {
		return usageError("CAUSEWAY_EXPRESSION_LIMITS: %w", err)
	}
	mails, err := openMail(devMailOptions(cmd, f.data))
	if err != nil {
		return err
	}
	spans, err := openPlaneSpans("", "1", log)
	if err != nil {
		return err
	}
	p, err := openPlane(ctx, planeOptions{
		mail: mails, spans: spans,
		countersDir: absolute(filepath.Join(f.data, "counters")),
		expressions: expressions, backupDir: absolute(filepath.Join(f.data, "backups")), deadLetterDir: absolute(filepath.Join(f.data, "deadletters")),
		gitDir: absolute(filepath.Join(f.data, "git")),
		log:    log, databaseURL: "sqlite://" + absolute(filepath.Join(f.data, "causeway.db")), keyring: keyring,
		identity:     identityOptions{secret: token, out: cmd.OutOrStdout(), rateLimit: defaultRateLimit(), auditLife: devAuditLife},
		awaitGateway: true, withGateway: true, certificate: cert, allowLoopbackLinks: true,
		gatewayURL:    serviceURL(listeners),
		managementURL: func(string) string { return httpURL("http", listeners.address("management")) },
		handlers:      map[string]http.Handler{echoPath + "/": http.HandlerFunc(serveEcho)},
	})
	if err != nil {
		return err
	}
	sample, err := p.prepareDev(ctx, f.empty, httpURL("http", listeners.address("management")))
	if err != nil {
		return errors.Join(err, p.store.Close())
	}
	if err := listeners.write(f.data); err != nil {
		return err
	}
	printWelcome(cmd.OutOrStdout(), f, listeners, sample, token, given)
	return p.serve(ctx, listeners, &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{*cert}, NextProtos: []string{"http/1.1"}}, devDrain)
}

// serviceURL tells at which URL the managed gateway serves a service: dev at
// the listener itself, others by host name.
func serviceURL(listeners *listenerSet) func(string) string {
	return func(service string) string {
		address := listeners.address("gateway")
		if address == "" {
			return ""
		}
		if service == devService {
			return httpURL("http", address)
		}
		_, port, err := net.SplitHostPort(address)
		if err != nil {
			return ""
		}
		return "http://" + service + ".gateway.localhost:" + port
	}
}

func absolute(path string) string {
	if a, err := filepath.Abs(path); err == nil {
		return a
	}
	return path
}

func newToken() string {
	var b [24]byte
	_, _ = rand.Read(b[:]) // never fails: see crypto/rand
	return base64.RawURLEncoding.EncodeToString(b[:])
}

func commandLog(w io.Writer, format, level string) (*slog.Logger, error) {
	l, err := telemetry.LogLevel(level)
	if err != nil {
		return nil, usageError("--log-level: %w", err)
	}
	h, err := telemetry.NewLogHandler(w, telemetry.LogOptions{Format: format, Level: l, Color: isTerminal(w)})
	if err != nil {
		return nil, usageError("--log-format: %w", err)
	}
	return slog.New(h), nil
}

// printWelcome says where everything is and how to call it.
func printWelcome(w io.Writer, f devFlags, l *listenerSet, s sample, token string, given bool) {
	management := httpURL("http", l.address("management"))
	fmt.Fprintf(w, "Causeway %s is ready.\n\n", version)
	line := func(what, address string) {
		if address != "" {
			fmt.Fprintf(w, "  %-16s %s\n", what, address)
		}
	}
	line("Management API", management)
	line("  over TLS", httpURL("https", l.address("management-tls")))
	line("Gateway", httpURL("http", l.address("gateway")))
	line("  over TLS", httpURL("https", l.address("gateway-tls")))
	line("Data", absolute(f.data))
	line("Local CA", absolute(filepath.Join(f.data, "ca.pem")))
	fmt.Fprintln(w)
	if !given {
		fmt.Fprintf(w, "Sign in to the management API with this bearer token (set CAUSEWAY_DEV_TOKEN to choose your own):\n\n  export CAUSEWAY_DEV_TOKEN=%s\n\n", token)
	} else {
		fmt.Fprintf(w, "Sign in to the management API with the bearer token in CAUSEWAY_DEV_TOKEN.\n\n")
	}
	if s.key != "" && l.address("gateway") != "" {
		fmt.Fprintf(w, "Call the sample API:\n\n  curl -H 'Ocp-Apim-Subscription-Key: %s' '%s/echo/resource?param1=sample'\n\n", s.key, httpURL("http", l.address("gateway")))
	}
	if management != "" {
		fmt.Fprintf(w, "List the APIs:\n\n  curl -H \"Authorization: Bearer $CAUSEWAY_DEV_TOKEN\" '%s%s/apis?api-version=2024-05-01'\n\n", management, devServiceID)
	}
}
