package signin

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"sync"
	"time"

	"github.com/causeway-apim/causeway/internal/store"
)

// grantService is the store's log of grants, apart from all others: they come and go often.
const grantService = "/grants"

// sweepEvery is how often what has expired is removed.
const sweepEvery = 10 * time.Minute

// Kinds of grants.
const (
	kindCode    = "code"
	kindDevice  = "device"
	kindRefresh = "refresh"
	kindSession = "session"
	kindForeign = "external" // a sign-in under way at another issuer
)

// grant is something that was issued and is redeemed later, perhaps at another replica. It is found by the hash of
// what the client holds.
type grant struct {
	Principal   string    `json:"principal,omitempty"`
	Client      string    `json:"client,omitempty"`
	Scope       string    `json:"scope,omitempty"`
	Resource    string    `json:"resource,omitempty"`
	RedirectURI string    `json:"redirectUri,omitempty"`
	Challenge   string    `json:"challenge,omitempty"` // PKCE, S256; of an external sign-in the verifier
	Nonce       string    `json:"nonce,omitempty"`
	Began       time.Time `json:"began"` // when the user signed in
	Expires     time.Time `json:"expires"`

	// Of device codes.
	UserCode string    `json:"userCode,omitempty"`
	Denied   bool      `json:"denied,omitempty"`
	Polled   time.Time `json:"polled,omitzero"`

	// Of refresh tokens: hashes of the secrets that are valid and of the one that was exchanged last.
	Valid    []string  `json:"valid,omitempty"`
	Previous string    `json:"previous,omitempty"`
	Rotated  time.Time `json:"rotated,omitzero"`

	Return string `json:"return,omitempty"` // path to go on at after an external sign-in
}

// errNoGrant says that there is no such grant, or that it has expired.
var errNoGrant = errors.New("no such grant")

type grants struct {
	store store.Store
	now   func() time.Time

	mu    sync.Mutex
	swept time.Time
}

func hashOf(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

func grantID(kind, secret string) string { return grantService + "/" + kind + "/" + hashOf(secret) }

func (g *grants) write(ctx context.Context, tx store.Tx, kind, secret string, v *grant) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	var rows []store.Index
	if v.UserCode != "" {
		rows = append(rows, store.Index{Name: "user-code", Value: v.UserCode, Unique: true})
	}
	return tx.Put(ctx, &store.Document{
		ID: grantID(kind, secret), Service: grantService, Parent: grantService + "/" + kind, Type: kind, Name: hashOf(secret), Body: body,
	}, rows)
}

// add keeps a grant under what the client will present.
func (g *grants) add(ctx context.Context, kind, secret string, v *grant) error {
	if err := g.sweep(ctx); err != nil {
		return err
	}
	_, err := g.store.Update(ctx, grantService, func(tx store.Tx) error { return g.write(ctx, tx, kind, secret, v) })
	return err
}

func (g *grants) read(ctx context.Context, x store.Reader, id string) (*grant, error) {
	sd, err := x.Get(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return nil, errNoGrant
	}
	if err != nil {
		return nil, err
	}
	v := new(grant)
	if err := json.Unmarshal(sd.Body, v); err != nil {
		return nil, err
	}
	if !v.Expires.After(g.now()) {
		return nil, errNoGrant
	}
	return v, nil
}

// get returns a grant that stays.
func (g *grants) get(ctx context.Context, kind, secret string) (v *grant, err error) {
	err = g.store.View(ctx, func(x store.Reader) error {
		v, err = g.read(ctx, x, grantID(kind, secret))
		return err
	})
	return v, err
}

// byUserCode returns the secret's document ID of a device code.
func (g *grants) byUserCode(ctx context.Context, code string) (id string, v *grant, err error) {
	err = g.store.View(ctx, func(x store.Reader) error {
		ids, err := x.Lookup(ctx, "user-code", code)
		if err != nil {
			return err
		}
		if len(ids) != 1 {
			return errNoGrant
		}
		id = ids[0]
		v, err = g.read(ctx, x, id)
		return err
	})
	return id, v, err
}

// use changes or ends a grant in one transaction: fn returns whether it stays. A grant is thus redeemed once only.
func (g *grants) use(ctx context.Context, kind, secret string, fn func(v *grant) (stays bool, err error)) error {
	return g.useID(ctx, grantID(kind, secret), fn)
}

func (g *grants) useID(ctx context.Context, id string, fn func(v *grant) (stays bool, err error)) error {
	var result error
	_, err := g.store.Update(ctx, grantService, func(tx store.Tx) error {
		v, err := g.read(ctx, tx, id)
		if err != nil {
			return err
		}
		stays, err := fn(v)
		if result = err; !stays { // the end counts even when the use is refused
			return tx.Delete(ctx, id)
		}
		body, err := json.Marshal(v)
		if err != nil {
			return err
		}
		sd, err := tx.Get(ctx, id)
		if err != nil {
			return err
		}
		sd.Body = body
		var rows []store.Index
		if v.UserCode != "" {
			rows = append(rows, store.Index{Name: "user-code", Value: v.UserCode, Unique: true})
		}
		return tx.Put(ctx, sd, rows)
	})
	return errors.Join(err, result)
}

// sweep removes what has expired, now and then.
func (g *grants) sweep(ctx context.Context) error {
	now := g.now()
	g.mu.Lock()
	due := now.Sub(g.swept) >= sweepEvery
	if due {
		g.swept = now
	}
	g.mu.Unlock()
	if !due {
		return nil
	}
	seq, err := g.store.Update(ctx, grantService, func(tx store.Tx) error {
		docs, err := tx.List(ctx, store.Query{Service: grantService})
		if err != nil {
			return err
		}
		var old []string
		for sd, err := range docs {
			if err != nil {
				return err
			}
			var v grant
			if err := json.Unmarshal(sd.Body, &v); err != nil || !v.Expires.After(now) {
				old = append(old, sd.ID)
			}
		}
		for _, id := range old {
			if err := tx.Delete(ctx, id); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil && seq > 0 { // nobody reads this log
		err = g.store.Compact(ctx, grantService, seq)
	}
	return err
}
