package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/spf13/cobra"

	"github.com/causeway-apim/causeway/internal/arm"
)

const ourProvider = "/providers/Microsoft.Causeway"

// accountFlags are those of all commands that speak to a management API.
type accountFlags struct{ context, format string }

func (f *accountFlags) add(cmd *cobra.Command) *cobra.Command {
	cmd.Flags().StringVar(&f.context, "context", "", "context; default is the current one")
	formatFlag(cmd, &f.format)
	return cmd
}

func accountCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "account", Short: "Manage who may use a management API: users, service principals, API tokens, roles",
		Example: `  causeway account create-user ada --name "Ada Lovelace"
  causeway account create-app deploy
  causeway account assign PRINCIPAL --role "API Management Service Contributor" --scope /subscriptions/…
  causeway account create-token ci --read-only --days 30`,
	}
	cmd.AddCommand(accountListCommand(), createUserCommand(), createAppCommand(), accountDeleteCommand(), assignCommand(), createTokenCommand(), tokensCommand(), revokeCommand())
	return cmd
}

func accountListCommand() *cobra.Command {
	var f accountFlags
	return f.add(&cobra.Command{
		Use: "list", Short: "List users and service principals", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return listValues(cmd, f, ourProvider+"/principals", []string{"id", "kind", "name", "login"}, func(v json.RawMessage) ([]string, error) {
				var p struct {
					Name       string
					Properties struct{ Kind, DisplayName, UserName, AppID string }
				}
				err := json.Unmarshal(v, &p)
				return []string{p.Name, p.Properties.Kind, p.Properties.DisplayName, cmpOr(p.Properties.UserName, p.Properties.AppID)}, err
			})
		},
	})
}

// listValues prints a list of the management API.
func listValues(cmd *cobra.Command, f accountFlags, path string, columns []string, row func(json.RawMessage) ([]string, error)) error {
	client, err := newAPIClient(f.context)
	if err != nil {
		return err
	}
	values, err := client.all(cmd.Context(), path, 0)
	if err != nil {
		return err
	}
	t := table{columns: columns, values: append([]json.RawMessage{}, values...)}
	for _, v := range values {
		r, err := row(v)
		if err != nil {
			return err
		}
		t.rows = append(t.rows, r)
	}
	return t.print(cmd.OutOrStdout(), f.format)
}

// change sends a write and prints one line or the answer.
func change(cmd *cobra.Command, f accountFlags, method, path string, in any, line func(answer map[string]any) string) error {
	client, err := newAPIClient(f.context)
	if err != nil {
		return err
	}
	var answer map[string]any
	if err := client.do(cmd.Context(), method, path, in, &answer); err != nil {
		return err
	}
	if f.format == "json" || f.format == "yaml" {
		return printValue(cmd.OutOrStdout(), f.format, answer)
	}
	fmt.Fprintln(cmd.OutOrStdout(), line(answer))
	return nil
}

func createUserCommand() *cobra.Command {
	var f accountFlags
	var name string
	cmd := &cobra.Command{
		Use: "create-user USERNAME", Short: "Make a user; the password comes from CAUSEWAY_PASSWORD or the standard input", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			password, err := secretFrom(cmd, "CAUSEWAY_PASSWORD", "the password")
			if err != nil {
				return err
			}
			id := arm.NewGUID()
			in := map[string]any{"properties": map[string]any{"kind": "User", "userName": args[0], "displayName": cmpOr(name, args[0]), "password": password}}
			return change(cmd, f, http.MethodPut, ourProvider+"/principals/"+id, in, func(map[string]any) string { return id })
		},
	}
	cmd.Flags().StringVar(&name, "name", "", "display name")
	return f.add(cmd)
}

func createAppCommand() *cobra.Command {
	var f accountFlags
	var days int
	var trust federated
	cmd := &cobra.Command{
		Use: "create-app NAME", Short: "Make a service principal with a client secret, which is shown once, or one that trusts another issuer",
		Args: cobra.ExactArgs(1),
		Example: `  causeway account create-app deploy
  causeway account create-app edge --issuer https://login.example/realms/ops --subject 5f… --audience https://azure-api.net/configuration`,
		RunE: func(cmd *cobra.Command, args []string) error {
			client, err := newAPIClient(f.context)
			if err != nil {
				return err
			}
			id := arm.NewGUID()
			properties := map[string]any{"kind": "ServicePrincipal", "displayName": args[0]}
			path := ourProvider + "/principals/" + id
			if trust.Issuer != "" {
				trust.Name = args[0]
				properties["federatedIdentityCredentials"] = []federated{trust}
				return change(cmd, f, http.MethodPut, path, map[string]any{"properties": properties}, func(map[string]any) string { return "client ID      " + id })
			}
			if err := client.do(cmd.Context(), http.MethodPut, path, map[string]any{"properties": properties}, nil); err != nil {
				return err
			}
			secret := map[string]any{"displayName": args[0], "endDateTime": time.Now().AddDate(0, 0, days).UTC()}
			return change(cmd, f, http.MethodPost, path+"/addPassword", secret, func(a map[string]any) string {
				return fmt.Sprintf("client ID      %s\nclient secret  %v", id, a["secretText"])
			})
		},
	}
	flags := cmd.Flags()
	flags.IntVar(&days, "days", 365, "life of the secret in days")
	flags.StringVar(&trust.Issuer, "issuer", "", "OpenID Connect issuer whose tokens it signs in with, instead of a secret")
	flags.StringVar(&trust.Subject, "subject", "", "claim sub of those tokens")
	flags.StringSliceVar(&trust.Audiences, "audience", nil, "claim aud of those tokens; may be given several times")
	cmd.MarkFlagsRequiredTogether("issuer", "subject", "audience")
	return f.add(cmd)
}

// federated is a federated identity credential of a service principal.
type federated struct {
	Name      string   `json:"name"`
	Issuer    string   `json:"issuer"`
	Subject   string   `json:"subject"`
	Audiences []string `json:"audiences"`
}

func accountDeleteCommand() *cobra.Command {
	var f accountFlags
	return f.add(&cobra.Command{
		Use: "delete PRINCIPAL", Short: "Delete a user or service principal with its roles and tokens", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return change(cmd, f, http.MethodDelete, ourProvider+"/principals/"+url.PathEscape(args[0]), nil, func(map[string]any) string { return "deleted" })
		},
	})
}

func assignCommand() *cobra.Command {
	var f accountFlags
	var role, scope string
	cmd := &cobra.Command{
		Use: "assign PRINCIPAL", Short: "Give a role to a user or service principal", Args: cobra.ExactArgs(1),
		Example: `  causeway account assign 1f… --role Reader --scope /subscriptions/00000000-0000-0000-0000-000000000000`,
		RunE: func(cmd *cobra.Command, args []string) error {
			id := cmpOr(roleIDOf(role), role)
			if id == "" || scope == "" {
				return usageError("--role and --scope are needed")
			}
			at := scope
			if at == "/" {
				at = ""
			}
			in := map[string]any{"properties": map[string]any{"principalId": args[0], "roleDefinitionId": "/providers/Microsoft.Authorization/roleDefinitions/" + id}}
			name := arm.NewGUID()
			return change(cmd, f, http.MethodPut, at+"/providers/Microsoft.Authorization/roleAssignments/"+name+"?api-version=2022-04-01", in, func(map[string]any) string { return name })
		},
	}
	cmd.Flags().StringVar(&role, "role", "", "name of a built-in role, or the ID of any role")
	cmd.Flags().StringVar(&scope, "scope", "", "/ or the ID of a subscription, resource group, service or resource in one")
	return f.add(cmd)
}

func createTokenCommand() *cobra.Command {
	var f accountFlags
	var scope, principal string
	var days int
	var readOnly bool
	cmd := &cobra.Command{
		Use: "create-token NAME", Short: "Make an API token, which is shown once", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			in := map[string]any{"displayName": args[0], "scope": scope, "readOnly": readOnly, "principalId": principal, "endDateTime": time.Now().AddDate(0, 0, days).UTC()}
			return change(cmd, f, http.MethodPost, ourProvider+"/apiTokens", in, func(a map[string]any) string { return fmt.Sprint(a["token"]) })
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&scope, "scope", "/", "where it is valid: / or a resource's ID")
	flags.StringVar(&principal, "principal", "", "whose rights it has; default is the caller")
	flags.IntVar(&days, "days", 90, "life in days")
	flags.BoolVar(&readOnly, "read-only", false, "it can only read")
	return f.add(cmd)
}

func tokensCommand() *cobra.Command {
	var f accountFlags
	return f.add(&cobra.Command{
		Use: "tokens", Short: "List API tokens", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return listValues(cmd, f, ourProvider+"/apiTokens", []string{"id", "name", "principal", "scope", "expires"}, func(v json.RawMessage) ([]string, error) {
				var t struct {
					Name       string
					Properties struct{ DisplayName, PrincipalID, Scope, EndDateTime string }
				}
				err := json.Unmarshal(v, &t)
				return []string{t.Name, t.Properties.DisplayName, t.Properties.PrincipalID, t.Properties.Scope, t.Properties.EndDateTime}, err
			})
		},
	})
}

func revokeCommand() *cobra.Command {
	var f accountFlags
	return f.add(&cobra.Command{
		Use: "revoke-token ID", Short: "Revoke an API token", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return change(cmd, f, http.MethodDelete, ourProvider+"/apiTokens/"+url.PathEscape(args[0]), nil, func(map[string]any) string { return "revoked" })
		},
	})
}
