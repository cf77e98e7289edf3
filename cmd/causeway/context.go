package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/spf13/cobra"
)

func contextCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "context", Short: "Choose which management API the command line speaks to", Example: "  causeway context use production"}
	cmd.AddCommand(contextListCommand(), contextUseCommand(), contextShowCommand(), contextSetCommand(), contextDeleteCommand())
	return cmd
}

func contextListCommand() *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use: "list", Short: "List the contexts", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			file, err := loadContexts()
			if err != nil {
				return err
			}
			t := table{columns: []string{"name", "endpoint", "service", "current"}}
			for _, name := range slices.Sorted(maps.Keys(file.Contexts)) {
				x, current := file.Contexts[name], ""
				if name == file.Current {
					current = "*"
				}
				t.rows = append(t.rows, []string{name, x.Endpoint, x.Service, current})
			}
			return t.print(cmd.OutOrStdout(), format)
		},
	}
	formatFlag(cmd, &format)
	return cmd
}

func contextUseCommand() *cobra.Command {
	return &cobra.Command{
		Use: "use NAME", Short: "Make a context the current one", Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			file, err := loadContexts()
			if err != nil {
				return err
			}
			if file.Current, _, err = file.get(args[0]); err != nil {
				return err
			}
			return file.save()
		},
	}
}

func contextShowCommand() *cobra.Command {
	return &cobra.Command{
		Use: "show [NAME]", Short: "Show a context, without its credentials", Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			file, err := loadContexts()
			if err != nil {
				return err
			}
			name := ""
			if len(args) > 0 {
				name = args[0]
			}
			name, x, err := file.get(name)
			if err != nil {
				return err
			}
			shown := *x
			shown.Token, shown.RefreshToken, shown.ClientSecret = masked(x.Token), masked(x.RefreshToken), masked(x.ClientSecret)
			text, err := json.MarshalIndent(map[string]any{"name": name, "context": shown}, "", "  ")
			if err != nil {
				return err
			}
			fmt.Fprintln(cmd.OutOrStdout(), string(text))
			return nil
		},
	}
}

func masked(secret string) string {
	if secret == "" {
		return ""
	}
	return "***"
}

func contextSetCommand() *cobra.Command {
	var x clientContext
	cmd := &cobra.Command{
		Use: "set NAME", Short: "Make or change a context", Args: cobra.ExactArgs(1),
		Example: "  causeway context set dev --endpoint http://127.0.0.1:8880 --service dev --resource-group causeway",
		RunE: func(cmd *cobra.Command, args []string) error {
			file, err := loadContexts()
			if err != nil {
				return err
			}
			c := file.Contexts[args[0]]
			if c == nil {
				c = &clientContext{}
			}
			for flag, to := range map[string][2]*string{
				"endpoint": {&c.Endpoint, &x.Endpoint}, "ca": {&c.CA, &x.CA}, "subscription": {&c.Subscription, &x.Subscription},
				"resource-group": {&c.ResourceGroup, &x.ResourceGroup}, "service": {&c.Service, &x.Service},
			} {
				if cmd.Flags().Changed(flag) {
					*to[0] = *to[1]
				}
			}
			if _, err := openClient(c, nil); err != nil {
				return err
			}
			file.Contexts[args[0]] = c
			file.Current = cmpOr(file.Current, args[0])
			return file.save()
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&x.Endpoint, "endpoint", "", "URL of the management API")
	flags.StringVar(&x.CA, "ca", "", "certificate authority to trust, PEM file")
	flags.StringVar(&x.Subscription, "subscription", "", "subscription ID")
	flags.StringVar(&x.ResourceGroup, "resource-group", "", "resource group")
	flags.StringVar(&x.Service, "service", "", "service")
	return cmd
}

func contextDeleteCommand() *cobra.Command {
	return &cobra.Command{
		Use: "delete NAME", Short: "Forget a context and its credentials", Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			file, err := loadContexts()
			if err != nil {
				return err
			}
			name, _, err := file.get(args[0])
			if err != nil {
				return err
			}
			delete(file.Contexts, name)
			if file.Current == name {
				file.Current = ""
			}
			return file.save()
		},
	}
}
