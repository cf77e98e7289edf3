package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/spf13/cobra"
)

func auditCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "audit", Short: "See who changed what on a management API, and restore it",
		Example: `  causeway audit list --scope /subscriptions/…/service/contoso
  causeway audit show ID
  causeway audit restore ID`,
	}
	cmd.AddCommand(auditListCommand(), auditShowCommand(), auditRestoreCommand())
	return cmd
}

func auditListCommand() *cobra.Command {
	var f accountFlags
	var scope, filter string
	var top int
	cmd := &cobra.Command{
		Use: "list", Short: "List the latest entries, the newest first", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			client, err := newAPIClient(f.context)
			if err != nil {
				return err
			}
			path := strings.TrimSuffix(scope, "/") + ourProvider + "/audit?$filter=" + url.QueryEscape(filter) + "&$top=" + fmt.Sprint(max(1, min(top, 1000)))
			values, err := client.all(cmd.Context(), path, top)
			if err != nil {
				return err
			}
			t := table{columns: []string{"id", "time", "caller", "status", "operation", "resource"}, values: append([]json.RawMessage{}, values...)}
			for _, v := range values {
				var e struct{ ID, Time, Caller, Status, Operation, Resource string }
				if err := json.Unmarshal(v, &e); err != nil {
					return err
				}
				t.rows = append(t.rows, []string{e.ID, e.Time, e.Caller, e.Status, e.Operation, e.Resource})
			}
			return t.print(cmd.OutOrStdout(), f.format)
		},
	}
	cmd.Flags().StringVar(&scope, "scope", "/", "what is at or below this ID")
	cmd.Flags().StringVar(&filter, "filter", "", "such as: caller eq 'ada' and eventTimestamp ge '2026-11-01'")
	cmd.Flags().IntVar(&top, "top", 50, "at most so many")
	return f.add(cmd)
}

func auditShowCommand() *cobra.Command {
	f := accountFlags{}
	cmd := f.add(&cobra.Command{
		Use: "show ID", Short: "Show an entry with the resources before and after", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			client, err := newAPIClient(f.context)
			if err != nil {
				return err
			}
			var entry json.RawMessage
			if err := client.do(cmd.Context(), http.MethodGet, ourProvider+"/audit/"+url.PathEscape(args[0]), nil, &entry); err != nil {
				return err
			}
			if f.format != "yaml" {
				f.format = "json"
			}
			return printValue(cmd.OutOrStdout(), f.format, entry)
		},
	})
	return cmd
}

func auditRestoreCommand() *cobra.Command {
	var f accountFlags
	return f.add(&cobra.Command{
		Use: "restore ID", Short: "Bring resources back to what they were before an entry", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return change(cmd, f, http.MethodPost, ourProvider+"/audit/"+url.PathEscape(args[0])+"/restore", nil, func(a map[string]any) string {
				list, _ := a["restored"].([]any)
				lines := make([]string, len(list))
				for i, r := range list {
					lines[i] = fmt.Sprint(r)
				}
				return strings.Join(lines, "\n")
			})
		},
	})
}
