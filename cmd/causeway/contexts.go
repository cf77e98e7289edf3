package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// clientContext is a management API that the command line speaks to, with the
// credentials for it.
type clientContext struct {
	Endpoint      string `json:"endpoint"`
	CA            string `json:"ca,omitempty"` // file of a certificate authority to trust besides the system's
	Subscription  string `json:"subscription,omitempty"`
	ResourceGroup string `json:"resourceGroup,omitempty"`
	Service       string `json:"service,omitempty"`

	Token        string    `json:"token,omitempty"` // access token or API token
	Expires      time.Time `json:"expires,omitzero"`
	RefreshToken string    `json:"refreshToken,omitempty"`
	ClientID     string    `json:"clientId,omitempty"`
	ClientSecret string    `json:"clientSecret,omitempty"`
}

// contextFile is what the command line remembers. It holds credentials: only its
// owner can read it.
type contextFile struct {
	Current  string                    `json:"current,omitempty"`
	Contexts map[string]*clientContext `json:"contexts"`

	path string
}

// contextPath is CAUSEWAY_CONFIG or a file in the user's configuration folder.
func contextPath() (string, error) {
	if path := os.Getenv("CAUSEWAY_CONFIG"); path != "" {
		return path, nil
	}
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", fmt.Errorf("find the configuration folder: %w; set CAUSEWAY_CONFIG to a file", err)
	}
	return filepath.Join(dir, "causeway", "contexts.json"), nil
}

func loadContexts() (*contextFile, error) {
	path, err := contextPath()
	if err != nil {
		return nil, err
	}
	f := &contextFile{Contexts: map[string]*clientContext{}, path: path}
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return f, nil
	}
	if err == nil {
		err = json.Unmarshal(text, f)
	}
	if err != nil {
		return nil, fmt.Errorf("read contexts from %s: %w", path, err)
	}
	if f.Contexts == nil {
		f.Contexts = map[string]*clientContext{}
	}
	return f, nil
}

func (f *contextFile) save() error {
	text, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(f.path), 0o700); err != nil {
		return fmt.Errorf("write contexts: %w", err)
	}
	// A new file under the old name: a crash leaves one or the other.
	fresh := fmt.Sprintf("%s.%d", f.path, os.Getpid())
	if err := os.WriteFile(fresh, append(text, '\n'), 0o600); err != nil {
		return fmt.Errorf("write contexts: %w", err)
	}
	if err := os.Rename(fresh, f.path); err != nil {
		return fmt.Errorf("write contexts: %w", err)
	}
	return nil
}

// get returns a context by its name, the current one for "".
func (f *contextFile) get(name string) (string, *clientContext, error) {
	if name == "" {
		name = f.Current
	}
	if name == "" {
		return "", nil, &exitError{exitUsage, errors.New("there is no context: 'causeway login --endpoint URL' makes one")}
	}
	c := f.Contexts[name]
	if c == nil {
		return name, nil, &exitError{exitNotFound, fmt.Errorf("there is no context %q; see 'causeway context list'", name)}
	}
	return name, c, nil
}
