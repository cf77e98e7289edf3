package main

import (
	"bufio"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/causeway-apim/causeway/internal/csharp"
	"github.com/causeway-apim/causeway/internal/csharp/clr"
)

func expressionCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "expression",
		Short: "Work with policy expressions",
		Args:  cobra.NoArgs,
	}
	cmd.AddCommand(expressionEvalCommand())
	return cmd
}

func expressionEvalCommand() *cobra.Command {
	var batch bool
	cmd := &cobra.Command{
		Use:   "eval 'EXPR'",
		Short: "Evaluate a policy expression",
		Long: `Evaluate a C# policy expression without a request and print its value. With
--batch, read JSON lines {"id","expr","vars"} and write one JSON line each.`,
		Example: `  causeway expression eval '@(string.Join(",", new[] { 1, 2, 3 }.Select(x => x * x)))'
  causeway expression eval --batch < expressions.jsonl`,
		Args: func(_ *cobra.Command, args []string) error {
			if batch && len(args) > 0 || !batch && len(args) != 1 {
				return usageError("give either one expression or --batch")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if batch {
				out := bufio.NewWriter(cmd.OutOrStdout())
				return errors.Join(clr.EvalBatch(cmd.InOrStdin(), out), out.Flush())
			}
			return evalOne(cmd, args[0])
		},
	}
	cmd.Flags().BoolVar(&batch, "batch", false, "read JSON lines from standard input")
	return cmd
}

func evalOne(cmd *cobra.Command, text string) error {
	program, diagnostics := clr.EvalLibrary().Compile(text, csharp.Options{Globals: clr.EvalGlobals(), Line: 1, Column: 1})
	for _, d := range diagnostics {
		kind := "error"
		if d.Warning {
			kind = "warning"
		}
		fmt.Fprintf(cmd.ErrOrStderr(), "%d:%d: %s %s: %s\n", d.Line, d.Column, kind, d.Code, d.Message)
	}
	if program == nil {
		return &exitError{code: exitFailed}
	}
	value, err := program.Run(clr.NewEvalContext(nil), nil)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(cmd.OutOrStdout(), csharp.FormatValue(value))
	return err
}
