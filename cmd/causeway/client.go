package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

// Exit codes of commands that speak to a management API.
const (
	exitNotFound   = 3
	exitForbidden  = 4
	exitConflict   = 5
	exitTimeout    = 7
	exitInvalid    = 8
	clientTimeout  = 2 * time.Minute
	maxAnswerBytes = 128 << 20
)

// apiClient speaks to a management API with the credentials of a context.
type apiClient struct {
	context *clientContext
	http    *http.Client
	save    func() error // keeps renewed credentials
}

// newAPIClient returns the client of a context, the current one for "". The
// environment wins: CAUSEWAY_ENDPOINT and CAUSEWAY_TOKEN.
func newAPIClient(name string) (*apiClient, error) {
	file, err := loadContexts()
	if err != nil {
		return nil, err
	}
	endpoint, token := os.Getenv("CAUSEWAY_ENDPOINT"), os.Getenv("CAUSEWAY_TOKEN")
	c := &clientContext{}
	if _, known, err := file.get(name); err == nil {
		c = known
	} else if endpoint == "" || name != "" {
		return nil, err
	}
	if endpoint == "" && token == "" {
		return openClient(c, file.save)
	}
	own := *c // what the environment says is not kept
	if endpoint != "" {
		own = clientContext{Endpoint: endpoint, CA: c.CA, Subscription: c.Subscription, ResourceGroup: c.ResourceGroup, Service: c.Service}
		if strings.TrimRight(endpoint, "/") == strings.TrimRight(c.Endpoint, "/") {
			own = *c
		}
	}
	if token != "" {
		own.Token, own.Expires, own.RefreshToken, own.ClientSecret = token, time.Time{}, "", ""
	}
	return openClient(&own, func() error { return nil })
}

func openClient(c *clientContext, save func() error) (*apiClient, error) {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	if c.CA != "" {
		text, err := os.ReadFile(c.CA)
		if err != nil {
			return nil, fmt.Errorf("read the certificate authority: %w", err)
		}
		pool, err := x509.SystemCertPool()
		if err != nil {
			pool = x509.NewCertPool()
		}
		if !pool.AppendCertsFromPEM(text) {
			return nil, usageError("%s holds no certificate in PEM", c.CA)
		}
		transport.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	}
	u, err := url.Parse(c.Endpoint)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, usageError("%q is not the URL of a management API", c.Endpoint)
	}
	return &apiClient{context: c, save: save, http: &http.Client{Transport: transport, Timeout: clientTimeout}}, nil
}

func (c *apiClient) url(path string) string { return strings.TrimRight(c.context.Endpoint, "/") + path }

// do sends a request to the management API and decodes the answer onto out, if
// there is one. The api-version is added when the path has none.
func (c *apiClient) do(ctx context.Context, method, path string, in, out any) error {
	if !strings.Contains(path, "api-version=") {
		sep := "?"
		if strings.Contains(path, "?") {
			sep = "&"
		}
		path += sep + "api-version=2024-05-01"
	}
	token, err := c.token(ctx)
	if err != nil {
		return err
	}
	var body io.Reader
	if in != nil {
		text, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(text)
	}
	r, err := http.NewRequestWithContext(ctx, method, c.url(path), body)
	if err != nil {
		return usageError("%w", err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	if in != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	status, answer, err := c.send(r)
	if err != nil {
		return err
	}
	if status >= http.StatusBadRequest {
		return apiError(status, answer)
	}
	if out == nil || len(answer) == 0 {
		return nil
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return fmt.Errorf("read the answer of %s: %w", r.URL.Path, err)
	}
	return nil
}

func (c *apiClient) send(r *http.Request) (int, []byte, error) {
	resp, err := c.http.Do(r)
	if err != nil {
		code := exitFailed
		if t, ok := errors.AsType[*url.Error](err); ok && t.Timeout() {
			code = exitTimeout
		}
		return 0, nil, &exitError{code, fmt.Errorf("%w; is the management API at %s?", err, c.context.Endpoint)}
	}
	defer resp.Body.Close() //nolint:errcheck // it has been read
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswerBytes))
	return resp.StatusCode, answer, err
}

// apiError turns an ARM error into one with the command's exit code.
func apiError(status int, answer []byte) error {
	var body struct {
		Error struct {
			Code, Message string
			Details       []struct{ Target, Message string }
		}
	}
	text := http.StatusText(status)
	if err := json.Unmarshal(answer, &body); err == nil && body.Error.Message != "" {
		text = body.Error.Code + ": " + body.Error.Message
		for _, d := range body.Error.Details {
			text += "\n  " + d.Target + ": " + d.Message
		}
	}
	code := map[int]int{
		http.StatusBadRequest: exitInvalid, http.StatusUnauthorized: exitForbidden, http.StatusForbidden: exitForbidden, http.StatusNotFound: exitNotFound,
		http.StatusConflict: exitConflict, http.StatusPreconditionFailed: exitConflict, http.StatusGatewayTimeout: exitTimeout,
	}[status]
	if code == 0 {
		code = exitFailed
	}
	return &exitError{code, errors.New(text)}
}

// all reads the pages of a list.
func (c *apiClient) all(ctx context.Context, path string, limit int) (values []json.RawMessage, err error) {
	for path != "" && (limit <= 0 || len(values) < limit) {
		var page struct {
			Value    []json.RawMessage `json:"value"`
			NextLink string            `json:"nextLink"`
		}
		if err := c.do(ctx, http.MethodGet, path, nil, &page); err != nil {
			return nil, err
		}
		values = append(values, page.Value...)
		path = ""
		if u, err := url.Parse(page.NextLink); err == nil && page.NextLink != "" {
			path = u.RequestURI()
		}
	}
	if limit > 0 && len(values) > limit {
		values = values[:limit]
	}
	return values, nil
}
