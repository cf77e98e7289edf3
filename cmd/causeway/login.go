package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/causeway-apim/causeway/internal/manage/signin"
)

// renewBefore is how long before its end an access token is renewed.
const renewBefore = 2 * time.Minute

// loginAnswer is an answer of the token service.
type loginAnswer struct {
	AccessToken  string `json:"access_token"`
	RefreshToken string `json:"refresh_token"`
	ExpiresIn    int    `json:"expires_in"`
	Error        string `json:"error"`
	Description  string `json:"error_description"`

	DeviceCode string `json:"device_code"`
	Message    string `json:"message"`
	Interval   int    `json:"interval"`
}

// ask sends a form to the token service.
func (c *apiClient) ask(ctx context.Context, endpoint string, form url.Values) (loginAnswer, error) {
	var a loginAnswer
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url("/"+tenantID+"/oauth2/v2.0/"+endpoint), strings.NewReader(form.Encode()))
	if err != nil {
		return a, err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	_, answer, err := c.send(r)
	if err != nil {
		return a, err
	}
	if err := json.Unmarshal(answer, &a); err != nil {
		return a, fmt.Errorf("%s does not answer as a token service does; is it a management API?", c.context.Endpoint)
	}
	return a, nil
}

// token returns a token that is valid now; it renews and keeps it if need be.
func (c *apiClient) token(ctx context.Context) (string, error) {
	x := c.context
	if x.Token != "" && (x.Expires.IsZero() || time.Until(x.Expires) > renewBefore) {
		return x.Token, nil
	}
	form := url.Values{"client_id": {signin.CLI}}
	switch {
	case x.ClientSecret != "":
		form = url.Values{"grant_type": {"client_credentials"}, "client_id": {x.ClientID}, "client_secret": {x.ClientSecret}, "scope": {c.url("/.default")}}
	case x.RefreshToken != "":
		form.Set("grant_type", "refresh_token")
		form.Set("refresh_token", x.RefreshToken)
	default:
		return "", &exitError{exitForbidden, errors.New("nobody is signed in; see 'causeway login --help'")}
	}
	a, err := c.ask(ctx, "token", form)
	if err != nil {
		return "", err
	}
	if a.Error != "" {
		return "", &exitError{exitForbidden, fmt.Errorf("%s; sign in again with 'causeway login'", a.Description)}
	}
	c.keep(a)
	return x.Token, c.save()
}

func (c *apiClient) keep(a loginAnswer) {
	c.context.Token, c.context.Expires = a.AccessToken, time.Now().Add(time.Duration(a.ExpiresIn)*time.Second).UTC().Truncate(time.Second)
	if a.RefreshToken != "" {
		c.context.RefreshToken = a.RefreshToken
	}
}

type loginFlags struct {
	context, endpoint, ca, clientID string
	token                           bool
}

func loginCommand() *cobra.Command {
	var f loginFlags
	cmd := &cobra.Command{
		Use:   "login",
		Short: "Sign in to a management API",
		Long: `Sign in to a management API and remember it as a context. Without flags the
command shows a code to enter on a page in a browser, on any device.

Secrets are no flags, because others could read them in the list of processes:
--client-id takes its secret from CAUSEWAY_CLIENT_SECRET or the standard input,
--token takes the token from there.

The context is kept in the file CAUSEWAY_CONFIG, or contexts.json in the folder
causeway of the user's configuration; only its owner can read it.`,
		Example: `  causeway login --endpoint https://plane.example:8881
  CAUSEWAY_CLIENT_SECRET=… causeway login --endpoint https://localhost:8881 --ca .causeway/ca.pem --client-id 00000000-0000-0000-0000-000000000001
  echo $TOKEN | causeway login --endpoint http://127.0.0.1:8880 --token`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runLogin(cmd, f) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.context, "context", "", "name of the context; default is the current one, or the endpoint's host")
	flags.StringVar(&f.endpoint, "endpoint", "", "URL of the management API")
	flags.StringVar(&f.ca, "ca", "", "certificate authority to trust, PEM file")
	flags.StringVar(&f.clientID, "client-id", "", "sign in as this service principal")
	flags.BoolVar(&f.token, "token", false, "sign in with an API token from the standard input")
	return cmd
}

func runLogin(cmd *cobra.Command, f loginFlags) error {
	file, err := loadContexts()
	if err != nil {
		return err
	}
	name, x, err := loginContext(file, f)
	if err != nil {
		return err
	}
	client, err := openClient(x, func() error { return nil })
	if err != nil {
		return err
	}
	switch {
	case f.token:
		x.Token, err = secretFrom(cmd, "", "the token")
	case f.clientID != "":
		x.ClientID = f.clientID
		if x.ClientSecret, err = secretFrom(cmd, "CAUSEWAY_CLIENT_SECRET", "the client secret"); err == nil {
			_, err = client.token(cmd.Context())
		}
	default:
		err = client.deviceLogin(cmd)
	}
	if err != nil {
		return err
	}
	var me struct{ Name string }
	if err := client.do(cmd.Context(), http.MethodGet, "/providers/Microsoft.Causeway/me", nil, &me); err != nil {
		return err
	}
	file.Contexts[name], file.Current = x, name
	if err := file.save(); err != nil {
		return err
	}
	fmt.Fprintf(cmd.OutOrStdout(), "Signed in to %s as %s; the context is %s.\n", x.Endpoint, me.Name, name)
	return nil
}

// loginContext makes or renews a context, without credentials.
func loginContext(file *contextFile, f loginFlags) (string, *clientContext, error) {
	if f.endpoint == "" {
		f.endpoint = os.Getenv("CAUSEWAY_ENDPOINT")
	}
	name := f.context
	if f.endpoint == "" {
		known, old, err := file.get(name)
		if err != nil {
			return "", nil, err
		}
		return known, &clientContext{Endpoint: old.Endpoint, CA: cmpOr(f.ca, old.CA), Subscription: old.Subscription, ResourceGroup: old.ResourceGroup, Service: old.Service}, nil
	}
	if u, err := url.Parse(f.endpoint); name == "" && err == nil {
		name = u.Host
	}
	if f.ca != "" {
		path, err := filepath.Abs(f.ca)
		if err != nil {
			return "", nil, err
		}
		f.ca = path
	}
	x := &clientContext{Endpoint: f.endpoint, CA: f.ca}
	if old := file.Contexts[name]; old != nil {
		x.Subscription, x.ResourceGroup, x.Service = old.Subscription, old.ResourceGroup, old.Service
		x.CA = cmpOr(x.CA, old.CA)
	}
	return name, x, nil
}

// secretFrom reads a secret from the environment or one line of the standard input.
func secretFrom(cmd *cobra.Command, variable, what string) (string, error) {
	if v := os.Getenv(variable); variable != "" && v != "" {
		return v, nil
	}
	line, err := bufio.NewReader(io.LimitReader(cmd.InOrStdin(), 64<<10)).ReadString('\n')
	if line = strings.TrimSpace(line); line == "" {
		return "", usageError("%s is expected on the standard input: %v", what, err)
	}
	return line, nil
}

// deviceLogin shows a code and waits until the user has entered it.
func (c *apiClient) deviceLogin(cmd *cobra.Command) error {
	ctx := cmd.Context()
	begun, err := c.ask(ctx, "devicecode", url.Values{"client_id": {signin.CLI}, "scope": {"openid offline_access"}})
	if err != nil {
		return err
	}
	if begun.Error != "" {
		return errors.New(begun.Description)
	}
	fmt.Fprintln(cmd.ErrOrStderr(), begun.Message)
	wait := time.Duration(max(1, begun.Interval)) * time.Second
	form := url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:device_code"}, "client_id": {signin.CLI}, "device_code": {begun.DeviceCode}}
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
		a, err := c.ask(ctx, "token", form)
		switch {
		case err != nil:
			return err
		case a.Error == "":
			c.keep(a)
			return nil
		case a.Error == "slow_down":
			wait += 5 * time.Second
		case a.Error != "authorization_pending":
			return &exitError{exitForbidden, errors.New(a.Description)}
		}
	}
}
