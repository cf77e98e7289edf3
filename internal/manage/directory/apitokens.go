package directory

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"strings"
	"time"

	"github.com/causeway-apim/causeway/internal/auth"
	"github.com/causeway-apim/causeway/internal/store"
)

// TokenPrefix begins every API token, so that people and secret scanners know what they see.
const TokenPrefix = "cwt_"

// MaxTokenLife is the longest life of an API token.
const MaxTokenLife = 366 * 24 * time.Hour

// APIToken is a long-lived credential of a principal with at most its rights.
type APIToken struct {
	ID          string    `json:"id"`
	PrincipalID string    `json:"principalId"`
	DisplayName string    `json:"displayName"`
	Hash        string    `json:"hash"` // SHA-256
	Scope       string    `json:"scope"`
	ReadOnly    bool      `json:"readOnly,omitempty"`
	Created     time.Time `json:"createdDateTime"`
	Expires     time.Time `json:"endDateTime"`
}

// AddToken makes an API token of a principal, valid at scope and below. The token is returned this once.
func (d *Directory) AddToken(ctx context.Context, t APIToken) (string, *APIToken, error) {
	now := d.now().UTC()
	switch {
	case !t.Expires.After(now) || t.Expires.Sub(now) > MaxTokenLife:
		return "", nil, &InvalidError{errors.New("endDateTime must be in the future, at most 366 days away")}
	case t.DisplayName == "" || len(t.DisplayName) > maxText:
		return "", nil, &InvalidError{errors.New("displayName must have 1 to 256 characters")}
	}
	if t.Scope == "" {
		t.Scope = "/"
	}
	secret := RandomText()
	var id [8]byte
	_, _ = rand.Read(id[:]) // never fails
	t.ID, t.Hash, t.Created = hex.EncodeToString(id[:]), hash(secret), now
	err := d.update(ctx, func(tx store.Tx) error {
		if _, err := get[Principal](ctx, tx, principals, t.PrincipalID); err != nil {
			return err
		}
		return put(ctx, tx, tokens, t.ID, &t, nil)
	})
	return TokenPrefix + t.ID + "_" + secret, &t, err
}

// Token finds the API token that a caller presents.
func (d *Directory) Token(ctx context.Context, presented string) (*APIToken, error) {
	id, secret, ok := strings.Cut(strings.TrimPrefix(presented, TokenPrefix), "_")
	if !ok || !strings.HasPrefix(presented, TokenPrefix) || len(id) != 16 {
		return nil, ErrNotFound
	}
	var t *APIToken
	err := d.store.View(ctx, func(x store.Reader) (err error) {
		t, err = get[APIToken](ctx, x, tokens, id)
		return err
	})
	if err != nil {
		return nil, err
	}
	if !auth.EqualSecret(hash(secret), t.Hash) || !t.Expires.After(d.now()) {
		return nil, ErrNotFound
	}
	return t, nil
}

// Tokens lists the API tokens of a principal, of all for "".
func (d *Directory) Tokens(ctx context.Context, principal string) (all []*APIToken, err error) {
	err = d.store.View(ctx, func(x store.Reader) error {
		return each(ctx, x, tokens, func(_ string, t *APIToken) {
			if principal == "" || strings.EqualFold(t.PrincipalID, principal) {
				all = append(all, t)
			}
		})
	})
	return all, err
}

// RevokeToken deletes an API token.
func (d *Directory) RevokeToken(ctx context.Context, id string) (bool, error) {
	return d.remove(ctx, tokens, id)
}
