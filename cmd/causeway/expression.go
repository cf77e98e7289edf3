package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

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

// evalLine is one line in and one line out of clr.EvalBatch.
type evalLine struct {
	ID           string `json:"id"`
	Expr         string `json:"expr,omitempty"`
	Result       string `json:"result,omitempty"`
	Throws       string `json:"throws,omitempty"`
	CompileError string `json:"compile_error,omitempty"`
	Line         int    `json:"line,omitempty"`
	Column       int    `json:"column,omitempty"`
	Message      string `json:"message,omitempty"`
}

func evalOne(cmd *cobra.Command, text string) error {
	in, err := json.Marshal(evalLine{ID: "1", Expr: text})
	if err != nil {
		return err
	}
	var out bytes.Buffer
	if err := clr.EvalBatch(bytes.NewReader(append(in, '\n')), &out); err != nil {
		return err
	}
	var answer evalLine
	if err := json.Unmarshal(out.Bytes(), &answer); err != nil {
		return fmt.Errorf("read the answer of the evaluation: %w", err)
	}
	switch {
	case answer.CompileError != "":
		return fmt.Errorf("%d:%d: %s: %s", answer.Line, answer.Column, answer.CompileError, answer.Message)
	case answer.Throws != "":
		return fmt.Errorf("%s: %s", answer.Throws, answer.Message)
	}
	_, err = fmt.Fprintln(cmd.OutOrStdout(), answer.Result)
	return err
}
