package directory

import (
	"context"
	"strings"
	"time"

	"github.com/causeway-apim/causeway/internal/auth/rbac"
	"github.com/causeway-apim/causeway/internal/store"
)

// RoleDefinition is a custom role.
type RoleDefinition struct {
	ID               string            `json:"id"` // GUID
	Name             string            `json:"roleName"`
	Description      string            `json:"description,omitempty"`
	Permissions      []rbac.Permission `json:"permissions"`
	AssignableScopes []string          `json:"assignableScopes"`
	Created          time.Time         `json:"createdOn"`
	Updated          time.Time         `json:"updatedOn"`
	CreatedBy        string            `json:"createdBy,omitempty"`
	UpdatedBy        string            `json:"updatedBy,omitempty"`
}

func (r *RoleDefinition) role() rbac.Role {
	return rbac.Role{ID: r.ID, Name: r.Name, Description: r.Description, Permissions: r.Permissions, AssignableScopes: r.AssignableScopes}
}

// RoleAssignment gives a role to a principal at a scope.
type RoleAssignment struct {
	ID            string    `json:"id"` // GUID
	RoleID        string    `json:"roleId"`
	PrincipalID   string    `json:"principalId"`
	PrincipalType string    `json:"principalType"`
	Scope         string    `json:"scope"` // as it was spelt; "/" for the tenant
	Description   string    `json:"description,omitempty"`
	Created       time.Time `json:"createdOn"`
	Updated       time.Time `json:"updatedOn"`
	CreatedBy     string    `json:"createdBy,omitempty"`
	UpdatedBy     string    `json:"updatedBy,omitempty"`
}

// Lock protects a scope.
type Lock struct {
	Name  string `json:"name"`
	Scope string `json:"scope"`
	Level string `json:"level"`
	Notes string `json:"notes,omitempty"`
}

// PutRole creates or replaces a custom role.
func (d *Directory) PutRole(ctx context.Context, r *RoleDefinition) error {
	return d.update(ctx, func(tx store.Tx) error {
		return put(ctx, tx, roles, r.ID, r, nil, store.Index{Name: "role-name", Value: strings.ToLower(r.Name), Unique: true})
	})
}

// RemoveRole deletes a custom role.
func (d *Directory) RemoveRole(ctx context.Context, id string) (bool, error) {
	return d.remove(ctx, roles, id)
}

// PutAssignment creates or replaces an assignment. There is one at most of a role to a principal at a scope.
func (d *Directory) PutAssignment(ctx context.Context, a *RoleAssignment) error {
	return d.update(ctx, func(tx store.Tx) error {
		return put(ctx, tx, assignments, a.ID, a, nil, store.Index{
			Name: "role-assignment", Value: strings.ToLower(a.PrincipalID + "\n" + a.RoleID + "\n" + a.Scope), Unique: true,
		})
	})
}

// RemoveAssignment deletes an assignment.
func (d *Directory) RemoveAssignment(ctx context.Context, id string) (bool, error) {
	return d.remove(ctx, assignments, id)
}

// LockKey is the name under which a lock is kept.
func LockKey(scope, name string) string { return hash(strings.ToLower(scope + "\n" + name)) }

// PutLock creates or replaces a lock.
func (d *Directory) PutLock(ctx context.Context, l *Lock) error {
	return d.update(ctx, func(tx store.Tx) error { return put(ctx, tx, locks, LockKey(l.Scope, l.Name), l, nil) })
}

// RemoveLock deletes a lock.
func (d *Directory) RemoveLock(ctx context.Context, scope, name string) (bool, error) {
	return d.remove(ctx, locks, LockKey(scope, name))
}

// Lock returns a lock, nil when there is none.
func (s *State) Lock(scope, name string) *Lock { return s.Locks[key(locks, LockKey(scope, name))] }

// Gone forgets the assignments and locks of a scope that was deleted and of everything below it: they must not count
// for what is made anew under the same name.
func (d *Directory) Gone(ctx context.Context, scope string) error {
	s, err := d.State(ctx)
	if err != nil {
		return err
	}
	scope = strings.ToLower(scope)
	var doomed []string
	for _, a := range s.Assignments {
		if rbac.Covers(scope, strings.ToLower(a.Scope)) {
			doomed = append(doomed, key(assignments, a.ID))
		}
	}
	for k, l := range s.Locks {
		if rbac.Covers(scope, strings.ToLower(l.Scope)) {
			doomed = append(doomed, k)
		}
	}
	if len(doomed) == 0 {
		return nil
	}
	return d.update(ctx, func(tx store.Tx) error {
		for _, k := range doomed {
			if _, err := tx.DeleteTree(ctx, k); err != nil {
				return err
			}
		}
		return nil
	})
}
