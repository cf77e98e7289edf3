package main

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/causeway-apim/causeway/internal/resources"
)

// gatewayDeploymentCommand prints what starts an instance of a gateway.
func gatewayDeploymentCommand() *cobra.Command {
	var context, service, format, key, endpoint, image, out string
	var days int
	cmd := &cobra.Command{
		Use:   "deployment NAME",
		Short: "Print a text that starts an instance of a gateway, with a new token in it",
		Long: `Print a text that starts an instance of a gateway as it is: a docker command, an
environment file, a compose file, objects for Kubernetes, values of the Helm
chart or a systemd unit. It holds a new token of the gateway, which lasts for
--days: keep it like a password.`,
		Example: `  causeway gateway deployment edge --format env > env.conf && causeway gateway --settings env.conf
  causeway gateway deployment edge --format kubernetes | kubectl apply -f -`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			client, err := newAPIClient(context)
			if err != nil {
				return err
			}
			id, err := serviceOf(client, service)
			if err != nil {
				return err
			}
			expiry := time.Now().UTC().Add(time.Duration(days) * 24 * time.Hour)
			in := resources.GatewayDeploymentRequest{Format: format, KeyType: key, Expiry: &expiry, Endpoint: endpoint, Image: image}
			if days < 1 || days > 30 {
				return usageError("--days is %d; it must be 1 to 30", days)
			}
			if days == 30 {
				in.Expiry = nil // the longest life there is, by the plane's clock
			}
			var answer resources.GatewayDeploymentContract
			if err := client.do(cmd.Context(), http.MethodPost, id+"/gateways/"+url.PathEscape(args[0])+"/deployment", in, &answer); err != nil {
				return err
			}
			if out != "" {
				return os.WriteFile(out, []byte(answer.Value), 0o600)
			}
			_, err = fmt.Fprint(cmd.OutOrStdout(), answer.Value)
			return err
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&context, "context", "", "context; default is the current one")
	flags.StringVar(&service, "service", "", "ARM ID of the service; default is that of the context, or the service of causeway dev")
	flags.StringVar(&format, "format", "docker", "docker, env, compose, kubernetes, helm or systemd")
	flags.StringVar(&key, "key", "primary", "key of the token: primary or secondary")
	flags.IntVar(&days, "days", 30, "days that the token lasts")
	flags.StringVar(&endpoint, "endpoint", "", "URL under which the gateway reaches the management plane; default is that of this command")
	flags.StringVar(&image, "image", "", "container image")
	flags.StringVar(&out, "out", "", "file to write, readable by its owner only")
	return cmd
}

// serviceOf is the ARM ID of the service that a command is about.
func serviceOf(client *apiClient, given string) (string, error) {
	c := client.context
	switch {
	case strings.HasPrefix(given, "/subscriptions/"):
		return strings.TrimRight(given, "/"), nil
	case given != "":
		return "", usageError("--service is %q; it must be the ARM ID of a service", given)
	case c.Subscription != "" && c.ResourceGroup != "" && c.Service != "":
		return "/subscriptions/" + c.Subscription + "/resourceGroups/" + c.ResourceGroup + "/providers/Microsoft.ApiManagement/service/" + c.Service, nil
	}
	return devServiceID, nil
}
