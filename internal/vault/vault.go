// Package vault reads secrets that are kept elsewhere: in files, in an Azure Key Vault and in a HashiCorp Vault or
// whatever speaks its HTTP API. Only places that the operator has named are asked, because a request carries the
// plane's own credentials and whoever writes a named value chooses the identifier.
package vault

import (
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

	"github.com/causeway-apim/causeway/internal/auth"
)

const (
	// maxSecret is the largest secret, in bytes; a certificate with its key is the largest there is.
	maxSecret = 512 << 10
	timeout   = 15 * time.Second
	// azureVersion is the api-version of Azure Key Vault (https://learn.microsoft.com/rest/api/keyvault/secrets/get-secret).
	azureVersion = "7.4"
	// azureResource is what an access token for a key vault is for.
	azureResource = "https://vault.azure.net"
)

// Kind is the protocol of a vault.
type Kind string

// The protocols.
const (
	Azure     Kind = "azure"
	HashiCorp Kind = "hashicorp"
)

// Server is a vault that may be asked.
type Server struct {
	Kind Kind
	// Base is its URL: scheme and host.
	Base string
	// Token is what a HashiCorp vault asks for.
	Token string
}

// Config says which places may be asked.
type Config struct {
	// Files is the folder of secrets in files: "file:NAME" reads NAME in it. Empty for none.
	Files   string
	Servers []Server
	// Tokens gives access tokens for Azure Key Vaults.
	Tokens auth.TokenSource
	Doer   auth.Doer
}

// Vault reads secrets. It is safe for concurrent use.
type Vault struct{ c Config }

// New returns a vault.
func New(c Config) *Vault { return &Vault{c} }

// ParseServer reads a server as settings name it: azure=https://contoso.vault.azure.net or
// hashicorp=https://vault.example.com:8200.
func ParseServer(text, token string) (Server, error) {
	kind, base, ok := strings.Cut(text, "=")
	u, err := url.Parse(base)
	switch {
	case !ok || Kind(kind) != Azure && Kind(kind) != HashiCorp:
		return Server{}, fmt.Errorf("%q is no vault: write azure=URL or hashicorp=URL", text)
	case err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || strings.Trim(u.Path, "/") != "":
		return Server{}, fmt.Errorf("%q is no vault: its URL is a scheme and a host", text)
	}
	return Server{Kind: Kind(kind), Base: u.Scheme + "://" + strings.ToLower(u.Host), Token: token}, nil
}

// ErrUnknown says that an identifier belongs to no place that may be asked.
var ErrUnknown = errors.New("the secret is in no vault that the service may ask")

// Versioned reports whether an identifier names one version of a secret, which never changes.
func Versioned(identifier string) bool {
	u, err := url.Parse(identifier)
	return err == nil && len(strings.Split(strings.Trim(u.Path, "/"), "/")) == 3 && strings.HasPrefix(u.Path, "/secrets/")
}

// Read returns a secret's value. identifier is "file:NAME", the identifier of an Azure Key Vault's secret
// (https://HOST/secrets/NAME, a version may follow) or the URL of a HashiCorp vault's secret with the name of a field
// (https://HOST/v1/MOUNT/data/PATH#FIELD; the field is "value" when none is given). clientID is the identity with which an
// Azure Key Vault is asked; empty for the plane's own.
func (v *Vault) Read(ctx context.Context, identifier, clientID string) (string, error) {
	u, err := url.Parse(identifier)
	if err != nil {
		return "", fmt.Errorf("read a secret: %q is no identifier of one", identifier)
	}
	if u.Scheme == "file" {
		return v.file(u)
	}
	base := u.Scheme + "://" + strings.ToLower(u.Host)
	for _, s := range v.c.Servers {
		if s.Base != base {
			continue
		}
		ctx, cancel := context.WithTimeout(ctx, timeout)
		defer cancel()
		if s.Kind == HashiCorp {
			return v.hashiCorp(ctx, s, u)
		}
		return v.azure(ctx, u, clientID)
	}
	return "", fmt.Errorf("read a secret: %w: %s", ErrUnknown, base)
}

// file reads a secret in a file, without the line break at its end that editors leave.
func (v *Vault) file(u *url.URL) (string, error) {
	name := strings.Trim(u.Opaque+u.Path, "/")
	if v.c.Files == "" || u.Host != "" || !filepath.IsLocal(name) {
		return "", fmt.Errorf("read a secret: %w", ErrUnknown)
	}
	root, err := os.OpenRoot(v.c.Files)
	if err != nil {
		return "", fmt.Errorf("read a secret: %w", err)
	}
	defer func() { _ = root.Close() }()
	f, err := root.Open(name)
	if err != nil {
		return "", fmt.Errorf("read a secret: the file %q cannot be read", name)
	}
	defer func() { _ = f.Close() }()
	data, err := io.ReadAll(io.LimitReader(f, maxSecret+1))
	if err != nil || len(data) > maxSecret {
		return "", fmt.Errorf("read a secret: the file %q cannot be read or has more than %d bytes", name, maxSecret)
	}
	return strings.TrimRight(string(data), "\r\n"), nil
}

func (v *Vault) azure(ctx context.Context, u *url.URL, clientID string) (string, error) {
	if !strings.HasPrefix(u.Path, "/secrets/") {
		return "", fmt.Errorf("read a secret: %s is no secret of a key vault: its path begins with /secrets/", u)
	}
	token, err := v.c.Tokens.AccessToken(ctx, azureResource, clientID)
	if err != nil {
		return "", fmt.Errorf("read a secret: %w", err)
	}
	var answer struct {
		Value *string `json:"value"`
	}
	address := u.Scheme + "://" + u.Host + u.EscapedPath() + "?api-version=" + azureVersion
	if err := v.get(ctx, address, "Authorization", "Bearer "+token.Token, &answer); err != nil {
		return "", err
	}
	if answer.Value == nil {
		return "", errors.New("read a secret: the key vault's answer has no value")
	}
	return *answer.Value, nil
}

// hashiCorp reads a secret of the second version of the key-value engine, or of the first one.
func (v *Vault) hashiCorp(ctx context.Context, s Server, u *url.URL) (string, error) {
	if !strings.HasPrefix(u.Path, "/v1/") {
		return "", fmt.Errorf("read a secret: %s is no secret of a vault: its path begins with /v1/", u.Redacted())
	}
	field := u.Fragment
	if field == "" {
		field = "value"
	}
	var answer struct {
		Data map[string]json.RawMessage `json:"data"`
	}
	if err := v.get(ctx, u.Scheme+"://"+u.Host+u.EscapedPath(), "X-Vault-Token", s.Token, &answer); err != nil {
		return "", err
	}
	fields := answer.Data
	if inner, ok := fields["data"]; ok && fields["metadata"] != nil {
		fields = nil
		if err := json.Unmarshal(inner, &fields); err != nil {
			return "", errors.New("read a secret: the vault's answer has another form than a secret's")
		}
	}
	raw, ok := fields[field]
	if !ok {
		return "", fmt.Errorf("read a secret: the secret has no field %q", field)
	}
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text, nil
	}
	return string(raw), nil
}

// get fetches JSON. Errors tell the status and never the answer, which may hold secrets.
func (v *Vault) get(ctx context.Context, address, header, value string, into any) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return fmt.Errorf("read a secret: %w", err)
	}
	r.Header.Set(header, value)
	answer, err := v.c.Doer.Do(r)
	if err != nil {
		return fmt.Errorf("read a secret: %w", err)
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("read a secret: the vault answers %s", answer.Status)
	}
	data, err := io.ReadAll(io.LimitReader(answer.Body, 2*maxSecret))
	if err != nil {
		return fmt.Errorf("read a secret: %w", err)
	}
	if json.Unmarshal(data, into) != nil {
		return errors.New("read a secret: the vault's answer is no JSON")
	}
	return nil
}
