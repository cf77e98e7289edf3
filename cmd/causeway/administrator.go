package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"github.com/causeway-apim/causeway/internal/manage"
	"github.com/causeway-apim/causeway/internal/store"
)

// administratorKey is the document of the first principal. It is above all
// services; its secret is the SHA-256 of the bearer token.
const (
	administratorKey  = "/principals/" + adminID
	administratorHash = "tokenSha256"
)

// administrator is the principal with full rights that the first start of
// `causeway server` makes. It lives in the store, so that all replicas and all
// later starts know the same secret.
type administrator struct {
	given string    // secret that the environment sets; empty for one that is made
	out   io.Writer // where a secret that was made is shown, once
}

// authenticate finds the principal in the store or makes it.
func (a administrator) authenticate(ctx context.Context, st store.Store) (manage.Authenticator, error) {
	hash, made, err := a.keep(ctx, st)
	if err != nil {
		return nil, fmt.Errorf("keep the administrator's secret: %w", err)
	}
	if made != "" {
		fmt.Fprintf(a.out, "The bearer token of the management API, shown once: %s\n", made)
	}
	return manage.NewBearerTokenHash(hash, manage.Principal{ID: adminID, Name: "admin"}), nil
}

// keep returns the hash of the secret, and the secret itself when it was made
// now.
func (a administrator) keep(ctx context.Context, st store.Store) (hash [sha256.Size]byte, made string, err error) {
	_, err = st.Update(ctx, "", func(tx store.Tx) error {
		made = ""
		stored, err := tx.GetSecrets(ctx, administratorKey)
		if err != nil {
			return err
		}
		known, err := hex.DecodeString(stored[administratorHash])
		switch {
		case err != nil || len(known) != 0 && len(known) != len(hash):
			return errors.New("what is stored is no SHA-256")
		case a.given != "":
			hash = sha256.Sum256([]byte(a.given))
		case len(known) > 0:
			hash = [sha256.Size]byte(known)
		default:
			made = newToken()
			hash = sha256.Sum256([]byte(made))
		}
		if bytes.Equal(known, hash[:]) {
			return nil
		}
		return tx.Put(ctx, &store.Document{
			ID: administratorKey, Type: "principal", Parent: "/principals", Name: adminID, Body: []byte("{}"),
			Secrets: map[string]string{administratorHash: hex.EncodeToString(hash[:])},
		}, nil)
	})
	return hash, made, err
}
