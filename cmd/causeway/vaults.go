package main

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"os"
	"strings"
	"time"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/auth"
	"github.com/causeway-apim/causeway/internal/resource"
	"github.com/causeway-apim/causeway/internal/resources"
	"github.com/causeway-apim/causeway/internal/store"
	"github.com/causeway-apim/causeway/internal/vault"
)

// vaultRefresh is how often secrets are read from their vaults again, as in
// API Management; a few minutes more or less keep replicas apart.
const (
	vaultRefresh = 4 * time.Hour
	vaultJitter  = 10 * time.Minute
)

// vaultOptions say which vaults may be asked.
type vaultOptions struct {
	files   string // folder of secrets in files
	servers string // azure=URL,hashicorp=URL
}

// open returns what reads secrets; nil when no vault may be asked. The token
// for HashiCorp vaults comes from the environment.
func (o vaultOptions) open(tokens auth.TokenSource) (func(ctx context.Context, identifier, identity string) (string, error), error) {
	if o.files == "" && o.servers == "" {
		return nil, nil
	}
	c := vault.Config{Files: o.files, Tokens: tokens, Doer: noRedirects()}
	for text := range strings.SplitSeq(o.servers, ",") {
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		s, err := vault.ParseServer(text, os.Getenv("VAULT_TOKEN"))
		if err != nil {
			return nil, usageError("--vaults: %w", err)
		}
		c.Servers = append(c.Servers, s)
	}
	return vault.New(c).Read, nil
}

// followVaults reads secrets from their vaults again until ctx ends.
func followVaults(ctx context.Context, st store.Store, engine *resource.Engine, log *slog.Logger) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(vaultRefresh + rand.N(vaultJitter)):
		}
		if err := readVaults(ctx, st, engine); err != nil && ctx.Err() == nil {
			log.Error("Secrets could not be read from their vaults again. What was read before stays.", "error", err)
		}
	}
}

// readVaults reads every secret that is kept in a vault. One that cannot be
// read stays as it is; the resource says so.
func readVaults(ctx context.Context, st store.Store, engine *resource.Engine) error {
	var services []string
	err := st.View(ctx, func(r store.Reader) (err error) {
		services, err = r.Lookup(ctx, "type", "service")
		return err
	})
	if err != nil {
		return err
	}
	for _, key := range services {
		service, err := arm.ParseID(key)
		if err != nil {
			return err
		}
		var ids []arm.ID
		err = engine.ReadFunc(ctx, service, func(x *resource.Reader) (err error) {
			ids, err = resources.InVaults(x)
			return err
		})
		if err != nil {
			return err
		}
		for _, id := range ids {
			if err := engine.Rewrite(ctx, id, resources.RefreshSecret); err != nil && !arm.IsNotFound(err) {
				return err
			}
		}
	}
	return nil
}
