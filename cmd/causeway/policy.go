package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"

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
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "check FILE…",
		Short: "Parse and compile policy documents and fragments",
		Long: `Parse and compile policy documents and fragments, in XML or in the raw form of
the portal. Named values, fragments, backends and certificates are not known
without a service: what is not found there is a warning.

The exit code is 1 when a document has an error.`,
		Example: `  causeway policy check policies/*.xml
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
			for _, file := range args {
				line, err := checkFile(catalogue, file)
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
	return cmd
}

func checkFile(catalogue *policy.Catalogue, file string) (checkLine, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return checkLine{}, fmt.Errorf("read the policy document: %w", err)
	}
	report := catalogue.Check(string(text), policy.Options{})
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
	return nil
}
