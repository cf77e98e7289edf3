// Command causeway is an API management system in one binary: the management
// plane, the gateways and the tools around them.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
	_ "golang.org/x/crypto/x509roots/fallback" // authorities for machines and images that have none
)

// Exit codes of every command. Scripts rely on them: a code never changes its meaning.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
)

// exitError carries an exit code. An empty message prints nothing: the command
// has already said what there is to say.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return ""
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

// usageError marks an error in flags or arguments.
func usageError(format string, args ...any) error {
	return &exitError{exitUsage, fmt.Errorf(format, args...)}
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run executes a command line and returns its exit code.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	root := newRoot()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitDone
	}
	if msg := err.Error(); msg != "" {
		fmt.Fprintf(stderr, "causeway: %s\n", msg)
	}
	var exit *exitError
	if errors.As(err, &exit) {
		return exit.code
	}
	return exitFailed
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "causeway",
		Short: "Open API management: management plane, gateways and tools in one binary",
		Example: `  causeway dev                         everything in one process, on loopback
  causeway gateway --settings env.conf a self-hosted gateway
  causeway policy check policy.xml     compile a policy document`,
		SilenceErrors:     true,
		SilenceUsage:      true,
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: true},
		Args:              cobra.NoArgs,
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usageError("%w; see '%s --help'", err, cmd.CommandPath())
	})
	root.AddCommand(versionCommand(), devCommand(), serverCommand(), gatewayCommand(), policyCommand(), expressionCommand(),
		loginCommand(), contextCommand(), accountCommand(), auditCommand(), doctorCommand())
	checkUsage(root)
	return root
}

// checkUsage makes wrong arguments wrong usage, in cmd and below it. A command
// that only has others below it shows its help, and refuses words that it does
// not know.
func checkUsage(cmd *cobra.Command) {
	for _, c := range cmd.Commands() {
		checkUsage(c)
	}
	if cmd.RunE == nil {
		cmd.Args = cobra.ArbitraryArgs
		cmd.RunE = func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usageError("unknown command %q for %q; see '%s --help'", args[0], cmd.CommandPath(), cmd.CommandPath())
			}
			return cmd.Help()
		}
	}
	check := cmd.Args
	if check == nil {
		check = cobra.ArbitraryArgs
	}
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return usageError("%w; see '%s --help'", err, cmd.CommandPath())
		}
		return nil
	}
}
