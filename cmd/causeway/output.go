package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"unicode"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v4"
)

// table is what a command lists.
type table struct {
	columns []string
	rows    [][]string
	// values are what JSON and YAML show in place of the rows; nil for the rows.
	values []json.RawMessage
}

func formatFlag(cmd *cobra.Command, format *string) {
	cmd.Flags().StringVarP(format, "output", "o", "table", "table, json, yaml or tsv")
}

// print writes the table in a format.
func (t *table) print(w io.Writer, format string) error {
	switch format {
	case "table":
		tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		fmt.Fprintln(tw, strings.ToUpper(strings.Join(t.columns, "\t")))
		for _, row := range t.rows {
			fmt.Fprintln(tw, line(row))
		}
		return tw.Flush()
	case "tsv":
		for _, row := range t.rows {
			fmt.Fprintln(w, line(row))
		}
		return nil
	case "json", "yaml":
		return printValue(w, format, t.list())
	}
	return usageError("--output is %q; it must be table, json, yaml or tsv", format)
}

// line joins a row with tabs. What would break the line or steer a terminal is shown as a blank: names come from others.
func line(row []string) string {
	cells := make([]string, len(row))
	for i, text := range row {
		cells[i] = strings.Map(func(c rune) rune {
			if unicode.IsControl(c) {
				return ' '
			}
			return c
		}, text)
	}
	return strings.Join(cells, "\t")
}

func (t *table) list() any {
	if t.values != nil {
		return t.values
	}
	list := make([]map[string]string, len(t.rows))
	for i, row := range t.rows {
		list[i] = make(map[string]string, len(row))
		for j, text := range row {
			list[i][t.columns[j]] = text
		}
	}
	return list
}

// printValue writes a value as JSON or YAML.
func printValue(w io.Writer, format string, v any) error {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	if format == "yaml" {
		var plain any
		if err := json.Unmarshal(text, &plain); err != nil {
			return err
		}
		if text, err = yaml.Marshal(plain); err != nil {
			return err
		}
	}
	fmt.Fprintln(w, strings.TrimRight(string(text), "\n"))
	return nil
}
