package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"
)

// doctorTimeout bounds one check.
const doctorTimeout = 10 * time.Second

// A verdict says how a check went.
type verdict string

const (
	verdictOK      verdict = "ok"
	verdictWarning verdict = "warning"
	verdictFailed  verdict = "failed"
)

// A finding is the result of one check: what was looked at, what was found, and what to do when it is not well.
type finding struct {
	Check   string  `json:"check"`
	Verdict verdict `json:"verdict"`
	Detail  string  `json:"detail"`
	Advice  string  `json:"advice,omitempty"`
}

// A doctor collects findings.
type doctor struct {
	findings []finding
	now      func() time.Time
	// metrics is what the gateway's Prometheus page answered, for the support bundle.
	metrics []byte
}

func (d *doctor) ok(check, format string, args ...any) {
	d.findings = append(d.findings, finding{check, verdictOK, fmt.Sprintf(format, args...), ""})
}

func (d *doctor) warn(check, advice, format string, args ...any) {
	d.findings = append(d.findings, finding{check, verdictWarning, fmt.Sprintf(format, args...), advice})
}

func (d *doctor) fail(check, advice, format string, args ...any) {
	d.findings = append(d.findings, finding{check, verdictFailed, fmt.Sprintf(format, args...), advice})
}

// failed counts the checks that failed.
func (d *doctor) failed() (n int) {
	for _, f := range d.findings {
		if f.Verdict == verdictFailed {
			n++
		}
	}
	return n
}

type doctorFlags struct {
	gateway, settings, backup, plane, bundle, format string
}

func doctorCommand() *cobra.Command {
	var f doctorFlags
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Look for what keeps a gateway or a management plane from working",
		Long: `Look for what keeps a gateway or a management plane from working, and say what to
do about it. It reads and asks, and changes nothing.

With --settings, or with the settings of a gateway in the environment, it checks
these: whether they are known and complete, the token's expiry, whether the
management plane can be reached and trusted, the clock, the backup folder, and
what telemetry and counters are sent to. --gateway asks a running gateway, --plane
a management plane. It ends with 1 when a check failed.

--bundle writes what support needs to a file: the findings, the effective
settings with their secrets masked, the version and the gateway's metrics.`,
		Example: `  causeway doctor --settings /etc/causeway/gateway.conf
  causeway doctor --gateway http://127.0.0.1:8080 -o json
  causeway doctor --settings env.conf --gateway http://127.0.0.1:8080 --bundle support.tar.gz`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runDoctor(cmd, f) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.settings, "settings", "", "file with a gateway's settings: name=value lines or YAML")
	flags.StringVar(&f.backup, "config-backup", "", "folder for the copy of the configuration (default /apim/config where it exists)")
	flags.StringVar(&f.gateway, "gateway", "", "URL of a running gateway")
	flags.StringVar(&f.plane, "plane", "", "URL of a management plane")
	flags.StringVar(&f.bundle, "bundle", "", "file to write what support needs to, .tar.gz")
	formatFlag(cmd, &f.format)
	return cmd
}

func runDoctor(cmd *cobra.Command, f doctorFlags) error {
	d := &doctor{now: time.Now}
	ctx := cmd.Context()
	s, err := loadSettings(f.settings, os.Environ())
	asked := f.settings != "" || err == nil && (s.text("config.service.endpoint") != "" || s.text("config.bundle") != "")
	switch {
	case err != nil && !isUsage(err):
		return err
	case err != nil:
		d.fail("settings", "correct it; 'causeway gateway config' shows all settings", "%v", err)
	case asked:
		d.checkSettings(ctx, s, backupFolder(f.backup))
	case f.gateway == "" && f.plane == "":
		return usageError("nothing to look at: name --settings, --gateway or --plane")
	}
	if f.gateway != "" {
		d.checkGateway(ctx, f.gateway, s)
	}
	if f.plane != "" {
		d.checkPlane(ctx, f.plane)
	}
	d.checkProcess()
	if err := d.print(cmd.OutOrStdout(), f.format); err != nil {
		return err
	}
	if f.bundle != "" {
		if err := d.writeBundle(f.bundle, s); err != nil {
			return err
		}
		fmt.Fprintln(cmd.ErrOrStderr(), "written:", f.bundle)
	}
	if n := d.failed(); n > 0 {
		return &exitError{exitFailed, fmt.Errorf("%d of %d checks failed", n, len(d.findings))}
	}
	return nil
}

// isUsage reports whether an error is about what the user gave.
func isUsage(err error) bool {
	var exit *exitError
	return errors.As(err, &exit) && exit.code == exitUsage
}

// print shows the findings; advice stands in a column of its own.
func (d *doctor) print(w io.Writer, format string) error {
	if format == "json" || format == "yaml" {
		return printValue(w, format, d.findings)
	}
	t := table{columns: []string{"check", "verdict", "detail", "advice"}}
	for _, f := range d.findings {
		t.rows = append(t.rows, []string{f.Check, string(f.Verdict), f.Detail, f.Advice})
	}
	return t.print(w, format)
}
