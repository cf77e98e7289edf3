package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/causeway-apim/causeway/internal/policy"
)

func policyCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "policy",
		Short: "Work with policy documents",
		Args:  cobra.NoArgs,
	}
	cmd.AddCommand(policyCheckCommand())
	return cmd
}

// checkLine is one line of `causeway policy check --json`.
type checkLine struct {
	File string `json:"file"`
	OK   bool   `json:"ok"`
	policy.Report
}

func policyCheckCommand() *cobra.Command {
	var asJSON, explain bool
	var output string
	cmd := &cobra.Command{
		Use:   "check FILE…",
		Short: "Parse and compile policy documents and fragments",
		Long: `Parse and compile policy documents and fragments, in XML or in the raw form of
the portal. Named values, fragments, backends and certificates are not known
without a service: what is not found there is a warning.

With --explain every statement is listed with its place and what is known of it
before any request: the bodies that it reads as a whole, whom it calls, which
gateways of Azure do not have it, and the named values that flow into a
variable, a header or a body. Without a service every named value counts as one
that may be secret.

The exit code is 1 when a document has an error.`,
		Example: `  causeway policy check policies/*.xml
  causeway policy check --explain policy.xml
  causeway policy check --json policy.xml | jq .errors`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usageError("name at least one file")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			catalogue, err := policyCatalogue()
			if err != nil {
				return err
			}
			failed := false
			switch output {
			case "json":
				asJSON = true
			case "", "table":
			default:
				return usageError("--output is table or json, not %s", output)
			}
			for _, file := range args {
				line, err := checkFile(catalogue, file, explain)
				if err != nil {
					return err
				}
				failed = failed || !line.OK
				if err := printCheck(cmd.OutOrStdout(), line, asJSON); err != nil {
					return err
				}
			}
			if failed {
				return &exitError{code: exitFailed}
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a JSON object for each file")
	cmd.Flags().BoolVar(&explain, "explain", false, "tell what is known of every statement")
	cmd.Flags().StringVarP(&output, "output", "o", "", "table or json; json is the same as --json")
	return cmd
}

func checkFile(catalogue *policy.Catalogue, file string, explain bool) (checkLine, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return checkLine{}, fmt.Errorf("read the policy document: %w", err)
	}
	report := catalogue.Check(string(text), policy.Options{Explain: explain})
	return checkLine{File: file, OK: report.OK(), Report: report}, nil
}

func printCheck(w io.Writer, line checkLine, asJSON bool) error {
	if asJSON {
		if line.Errors == nil {
			line.Errors = []policy.Diagnostic{}
		}
		if line.Warnings == nil {
			line.Warnings = []policy.Diagnostic{}
		}
		return json.NewEncoder(w).Encode(line)
	}
	for _, d := range line.Errors {
		fmt.Fprintf(w, "%s:%d:%d: error %s: %s\n", line.File, d.Line, d.Column, d.Code, d.Message)
	}
	for _, d := range line.Warnings {
		fmt.Fprintf(w, "%s:%d:%d: warning %s: %s\n", line.File, d.Line, d.Column, d.Code, d.Message)
	}
	if line.OK {
		fmt.Fprintf(w, "%s: ok\n", line.File)
	}
	for _, s := range line.Statements {
		printStatement(w, line.File, s)
	}
	return nil
}

// printStatement prints what is known of a statement: one line for it, and one
// for each thing worth knowing.
func printStatement(w io.Writer, file string, s *policy.Statement) {
	fmt.Fprintf(w, "%s:%d:%d: %s %s\n", file, s.Line, s.Column, cmpOr(s.Section, policy.KindFragment), s.Path)
	if len(s.Buffers) > 0 {
		fmt.Fprintf(w, "    reads the whole body: %s\n", strings.Join(s.Buffers, ", "))
	}
	if s.Calls != "" {
		fmt.Fprintf(w, "    calls %s\n", s.Calls)
	}
	if len(s.NotOn) > 0 {
		fmt.Fprintf(w, "    Azure does not have it on: %s\n", strings.Join(s.NotOn, ", "))
	}
	for _, f := range s.Secrets {
		verb, leaves := "flows", ""
		if f.May {
			verb = "may flow"
		}
		if f.Leaves {
			leaves = " (leaves the gateway)"
		}
		fmt.Fprintf(w, "    named value %s %s into %s%s\n", f.Secret, verb, f.To, leaves)
	}
}
