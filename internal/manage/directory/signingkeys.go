package directory

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/causeway-apim/causeway/internal/auth"
	"github.com/causeway-apim/causeway/internal/store"
)

// Life of keys that sign tokens. A new one is published before it is used, and an old one until no token of it is valid.
const (
	keyLife    = 60 * 24 * time.Hour
	keyRetired = keyLife + 7*24*time.Hour
	keyWait    = 10 * time.Minute
)

const secretKey = "private"

// signingKey is the public half of a key, as it is stored.
type signingKey struct {
	ID      string            `json:"id"`
	Created time.Time         `json:"created"`
	JWK     map[string]string `json:"jwk"`
}

// KeySet returns the published keys: for verification, and as the entries of a key set (RFC 7517).
func (s *State) KeySet() ([]auth.Key, []map[string]string) { return s.verifiers, s.jwks }

// readKeys puts the keys in order and reads them.
func (s *State) readKeys() error {
	slices.SortFunc(s.keys, func(a, b *signingKey) int { return b.Created.Compare(a.Created) })
	s.jwks = make([]map[string]string, len(s.keys))
	for i, k := range s.keys {
		s.jwks[i] = k.JWK
	}
	text, err := json.Marshal(map[string]any{"keys": s.jwks})
	if err == nil {
		s.verifiers, err = auth.ParseKeySet(text)
	}
	return err
}

// active is the newest key that everybody knows of; of new ones the oldest.
func (s *State) active(now time.Time) *signingKey {
	for _, k := range s.keys {
		if now.Sub(k.Created) >= keyWait {
			return k
		}
	}
	if n := len(s.keys); n > 0 {
		return s.keys[n-1]
	}
	return nil
}

// SigningKey returns the key that signs now. It makes one when there is none or when the newest one is old.
func (d *Directory) SigningKey(ctx context.Context) (*auth.SigningKey, error) {
	s, err := d.State(ctx)
	if err != nil {
		return nil, err
	}
	now := d.now()
	if len(s.keys) == 0 || now.Sub(s.keys[0].Created) > keyLife {
		if err := d.addKey(ctx); err != nil {
			return nil, fmt.Errorf("make signing key: %w", err)
		}
		if s, err = d.State(ctx); err != nil {
			return nil, err
		}
	}
	return d.privateKey(ctx, s.active(now).ID)
}

func (d *Directory) privateKey(ctx context.Context, id string) (*auth.SigningKey, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.signing != nil && d.signing.ID == id {
		return d.signing, nil
	}
	var secrets map[string]string
	err := d.store.View(ctx, func(x store.Reader) (err error) {
		secrets, err = x.GetSecrets(ctx, keyDocument(id))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read signing key: %w", err)
	}
	d.signing, err = auth.ParseSigningKey(secrets[secretKey])
	return d.signing, err
}

// keyDocument is where a key is kept: thumbprints are case-sensitive, IDs of documents are not.
func keyDocument(id string) string { return key(keys, hash(id)) }

// addKey makes a key unless another replica was faster, and removes those that are of no use any more.
func (d *Directory) addKey(ctx context.Context) error {
	made, err := auth.NewSigningKey()
	if err != nil {
		return err
	}
	private, err := made.Marshal()
	if err != nil {
		return err
	}
	return d.update(ctx, func(tx store.Tx) error {
		now := d.now().UTC()
		var old []string
		fresh := false
		err := each(ctx, tx, keys, func(k string, s *signingKey) {
			fresh = fresh || now.Sub(s.Created) <= keyLife
			if now.Sub(s.Created) > keyRetired {
				old = append(old, k)
			}
		})
		if err != nil || fresh {
			return err
		}
		for _, k := range old {
			if err := tx.Delete(ctx, k); err != nil {
				return err
			}
		}
		return put(ctx, tx, keys, hash(made.ID), &signingKey{ID: made.ID, Created: now, JWK: made.JWK()}, map[string]string{secretKey: private})
	})
}
