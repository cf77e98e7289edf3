// Package directory keeps who may use the management API: users, service principals with their credentials, API tokens,
// role definitions and assignments, locks, and the keys that sign tokens. All of it lives in the store, above the
// services, and is the same for all replicas.
//
// What every request needs is held in memory: a change of this process counts at once, one of another replica within
// [staleAfter].
package directory

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/causeway-apim/causeway/internal/auth"
	"github.com/causeway-apim/causeway/internal/auth/rbac"
	"github.com/causeway-apim/causeway/internal/store"
)

// staleAfter is how long a replica may not know of what another one changed.
const staleAfter = time.Second

// Kinds of documents, which are their parents in the store as well.
const (
	principals  = "principals"
	roles       = "roledefinitions"
	assignments = "roleassignments"
	locks       = "locks"
	tokens      = "apitokens"
	keys        = "signingkeys"
)

// Errors that callers tell apart.
var (
	ErrNotFound = errors.New("not found")
	ErrTaken    = errors.New("the name is taken")
)

// Directory reads and writes what the package keeps. It is safe for concurrent use.
type Directory struct {
	store store.Store
	now   func() time.Time
	// root is a principal that owns everything from the start.
	root string

	mu      sync.Mutex
	state   *State // nil when it is to be read
	checked time.Time
	signing *auth.SigningKey // the private half that was read last
}

// New returns the directory in a store. The principal root owns everything, whatever roles are assigned.
func New(st store.Store, now func() time.Time, root string) *Directory {
	return &Directory{store: st, now: now, root: root}
}

// State is the directory at one moment. It never changes.
type State struct {
	Policy      *rbac.Policy
	Roles       map[string]*RoleDefinition // custom ones, by ID
	Assignments map[string]*RoleAssignment // by ID
	Locks       map[string]*Lock           // by document key
	principals  map[string]*Principal      // by ID
	apps        map[string]*Principal      // by application ID in lower case
	externals   map[External]*Principal    // users of another provider
	trusting    map[External][]*Principal  // by what their federated credentials trust
	keys        []*signingKey              // the newest first
	verifiers   []auth.Key
	jwks        []map[string]string
	rootHash    string
	seq         int64
}

// Principal returns a principal by its object ID, nil when there is none.
func (s *State) Principal(id string) *Principal { return s.principals[strings.ToLower(id)] }

// App returns a service principal by its application ID, nil when there is none.
func (s *State) App(appID string) *Principal { return s.apps[strings.ToLower(appID)] }

// Trusting returns the service principals with a federated credential for an issuer's subject.
func (s *State) Trusting(issuer, subject string) []*Principal {
	return s.trusting[External{Issuer: issuer, Subject: subject}]
}

// Principals returns all principals, in no order.
func (s *State) Principals() (all []*Principal) {
	for _, p := range s.principals {
		all = append(all, p)
	}
	return all
}

// State returns the directory as it is now, give or take [staleAfter] for the changes of other replicas.
func (d *Directory) State(ctx context.Context) (*State, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.now()
	if d.state != nil && now.Sub(d.checked) < staleAfter && !now.Before(d.checked) {
		return d.state, nil
	}
	seq, err := d.store.LastSeq(ctx, "")
	if err != nil {
		return nil, fmt.Errorf("read directory: %w", err)
	}
	if d.state == nil || d.state.seq != seq {
		s, err := d.load(ctx)
		if err != nil {
			return nil, fmt.Errorf("read directory: %w", err)
		}
		d.state = s
	}
	d.checked = now
	return d.state, nil
}

// changed makes the next State read the store again.
func (d *Directory) changed() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.state = nil
}

func (d *Directory) load(ctx context.Context) (*State, error) {
	s := &State{
		Roles: map[string]*RoleDefinition{}, Assignments: map[string]*RoleAssignment{}, Locks: map[string]*Lock{},
		principals: map[string]*Principal{}, apps: map[string]*Principal{}, externals: map[External]*Principal{}, trusting: map[External][]*Principal{},
	}
	err := d.store.View(ctx, func(x store.Reader) (err error) {
		if s.seq, err = x.LastSeq(ctx, ""); err != nil {
			return err
		}
		secrets, err := x.GetSecrets(ctx, key(principals, d.root))
		if err != nil {
			return err
		}
		s.rootHash = secrets[secretBootstrap]
		err = each(ctx, x, principals, func(_ string, p *Principal) { s.add(p) })
		return errors.Join(err,
			each(ctx, x, roles, func(_ string, r *RoleDefinition) { s.Roles[r.ID] = r }),
			each(ctx, x, assignments, func(_ string, a *RoleAssignment) { s.Assignments[a.ID] = a }),
			each(ctx, x, locks, func(key string, l *Lock) { s.Locks[key] = l }),
			each(ctx, x, keys, func(_ string, k *signingKey) { s.keys = append(s.keys, k) }),
		)
	})
	if err != nil {
		return nil, err
	}
	if err := s.readKeys(); err != nil {
		return nil, err
	}
	var custom []rbac.Role
	for _, r := range s.Roles {
		custom = append(custom, r.role())
	}
	held := []rbac.Assignment{{Principal: d.root, Role: rbac.OwnerRole, Scope: "/"}}
	for _, a := range s.Assignments {
		held = append(held, rbac.Assignment{Principal: a.PrincipalID, Role: a.RoleID, Scope: a.Scope})
	}
	for _, p := range s.principals {
		for _, g := range p.SignInRoles {
			held = append(held, rbac.Assignment{Principal: p.ID, Role: g.RoleID, Scope: g.Scope})
		}
	}
	s.Policy = rbac.NewPolicy(custom, held)
	return s, nil
}

func (s *State) add(p *Principal) {
	s.principals[strings.ToLower(p.ID)] = p
	if p.AppID != "" {
		s.apps[strings.ToLower(p.AppID)] = p
	}
	if p.External != nil {
		s.externals[*p.External] = p
	}
	for _, f := range p.Federated {
		key := External{Issuer: f.Issuer, Subject: f.Subject}
		s.trusting[key] = append(s.trusting[key], p)
	}
}

// each decodes the documents of a kind.
func each[T any](ctx context.Context, x store.Reader, kind string, fn func(key string, v *T)) error {
	docs, err := x.List(ctx, store.Query{Parent: "/" + kind})
	if err != nil {
		return err
	}
	for sd, err := range docs {
		if err != nil {
			return err
		}
		v := new(T)
		if err := json.Unmarshal(sd.Body, v); err != nil {
			return fmt.Errorf("stored document %s: %w", sd.ID, err)
		}
		fn(sd.ID, v)
	}
	return nil
}

func key(kind, id string) string { return "/" + kind + "/" + strings.ToLower(id) }

// put writes a document. Secrets nil keeps those that are stored.
func put(ctx context.Context, tx store.Tx, kind, id string, v any, secrets map[string]string, indexes ...store.Index) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	err = tx.Put(ctx, &store.Document{
		ID: key(kind, id), Type: kind, Parent: "/" + kind, Name: id, Body: body, Secrets: secrets,
	}, indexes)
	if errors.Is(err, store.ErrDuplicate) {
		return ErrTaken
	}
	return err
}

func get[T any](ctx context.Context, x store.Reader, kind, id string) (*T, error) {
	sd, err := x.Get(ctx, key(kind, id))
	if errors.Is(err, store.ErrNotFound) {
		return nil, ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	v := new(T)
	return v, json.Unmarshal(sd.Body, v)
}

// update runs fn in a transaction of the directory.
func (d *Directory) update(ctx context.Context, fn func(tx store.Tx) error) error {
	_, err := d.store.Update(ctx, "", fn)
	d.changed() // whatever came of it
	return err
}

// remove deletes a document. It reports whether there was one.
func (d *Directory) remove(ctx context.Context, kind, id string) (found bool, err error) {
	err = d.update(ctx, func(tx store.Tx) error {
		err := tx.Delete(ctx, key(kind, id))
		if found = err == nil; errors.Is(err, store.ErrNotFound) {
			return nil
		}
		return err
	})
	return found, err
}
