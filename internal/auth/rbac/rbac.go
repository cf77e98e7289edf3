// Package rbac decides who may do what, by the rules of Azure's role-based access control: roles are lists of actions,
// assignments give a role to a principal at a scope and everything below it, what no assignment allows is denied, and
// locks refuse writes and deletions to everybody.
//
// Source: learn.microsoft.com, "Understand Azure role definitions" and "Lock your resources".
package rbac

import (
	"slices"
	"strings"
)

// Permission is one block of a role. An action is allowed when a pattern of Actions matches it and none of NotActions
// does; data actions likewise. In a pattern * stands for any characters, slashes too; case does not matter.
type Permission struct {
	Actions        []string `json:"actions"`
	NotActions     []string `json:"notActions"`
	DataActions    []string `json:"dataActions"`
	NotDataActions []string `json:"notDataActions"`
}

// Allows reports whether the block allows an action, which is a data action or not.
func (p *Permission) Allows(action string, data bool) bool {
	yes, no := p.Actions, p.NotActions
	if data {
		yes, no = p.DataActions, p.NotDataActions
	}
	matches := func(pattern string) bool { return Match(pattern, action) }
	return slices.ContainsFunc(yes, matches) && !slices.ContainsFunc(no, matches)
}

// Role is a role definition.
type Role struct {
	ID               string // GUID
	Name             string // as people see it
	Description      string
	BuiltIn          bool
	Permissions      []Permission
	AssignableScopes []string
}

// Allows reports whether one block of the role allows an action: what one block excludes another may give.
func (r *Role) Allows(action string, data bool) bool {
	return slices.ContainsFunc(r.Permissions, func(p Permission) bool { return p.Allows(action, data) })
}

// Assignment gives a role to a principal at a scope, which is "/" or an ARM ID.
type Assignment struct {
	Principal, Role, Scope string
}

// Policy is a set of roles and assignments. It never changes.
type Policy struct {
	roles map[string]*Role        // by ID in lower case
	held  map[string][]Assignment // by principal in lower case; scopes in lower case
}

// NewPolicy returns the policy of the built-in roles, other roles and assignments. Assignments of unknown roles give
// nothing.
func NewPolicy(custom []Role, assignments []Assignment) *Policy {
	p := &Policy{roles: make(map[string]*Role), held: make(map[string][]Assignment)}
	for _, list := range [][]Role{BuiltIn(), custom} {
		for i := range list {
			p.roles[strings.ToLower(list[i].ID)] = &list[i]
		}
	}
	for _, a := range assignments {
		key := strings.ToLower(a.Principal)
		a.Scope, a.Role = scopeKey(a.Scope), strings.ToLower(a.Role)
		p.held[key] = append(p.held[key], a)
	}
	return p
}

// Allows reports whether a principal may do an action at a scope.
func (p *Policy) Allows(principal, action string, data bool, scope string) bool {
	scope = scopeKey(scope)
	return slices.ContainsFunc(p.held[strings.ToLower(principal)], func(a Assignment) bool {
		r := p.roles[a.Role]
		return r != nil && Covers(a.Scope, scope) && r.Allows(action, data)
	})
}

// Permissions returns the blocks of all roles that a principal holds at a scope.
func (p *Policy) Permissions(principal, scope string) (all []Permission) {
	scope = scopeKey(scope)
	for _, a := range p.held[strings.ToLower(principal)] {
		if r := p.roles[a.Role]; r != nil && Covers(a.Scope, scope) {
			all = append(all, r.Permissions...)
		}
	}
	return all
}

// Sees reports whether a principal holds a role at a scope, above it or below it: what it may see in a list.
func (p *Policy) Sees(principal, scope string) bool {
	scope = scopeKey(scope)
	return slices.ContainsFunc(p.held[strings.ToLower(principal)], func(a Assignment) bool {
		return p.roles[a.Role] != nil && (Covers(a.Scope, scope) || Covers(scope, a.Scope))
	})
}

// Holds reports whether a principal has any assignment.
func (p *Policy) Holds(principal string) bool { return len(p.held[strings.ToLower(principal)]) > 0 }

// scopeKey is the form of a scope that is compared: lower case, no slash at the end, "" for the tenant.
func scopeKey(scope string) string { return strings.TrimRight(strings.ToLower(scope), "/") }

// Covers reports whether scope is outer or something below it. Both are in lower case; "" and "/" are the tenant.
func Covers(outer, scope string) bool {
	outer = strings.TrimRight(outer, "/")
	return strings.HasPrefix(scope, outer) && (len(scope) == len(outer) || scope[len(outer)] == '/')
}

// Match reports whether a pattern matches an action; see [Permission].
func Match(pattern, action string) bool {
	p, a := 0, 0
	star, mark := -1, 0
	for a < len(action) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, a
			p++
		case p < len(pattern) && lower(pattern[p]) == lower(action[a]):
			p, a = p+1, a+1
		case star >= 0: // let the last star take one character more
			mark++
			p, a = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// Levels of locks.
const (
	CanNotDelete = "CanNotDelete"
	ReadOnly     = "ReadOnly"
)

// Lock keeps a scope and everything below it from being deleted, or changed as well.
type Lock struct {
	Scope string // ARM ID
	Level string
}

// Refuses reports whether the lock refuses an action on a scope, and for a deletion also on what holds the locked
// scope. A read-only lock refuses POST actions too, those that only read among them, as Azure's does.
func (l *Lock) Refuses(action, scope string) bool {
	scope, locked := scopeKey(scope), scopeKey(l.Scope)
	action = strings.ToLower(action)
	if strings.HasPrefix(action, "microsoft.authorization/") { // else nobody could take a lock away
		return false
	}
	if strings.HasSuffix(action, "/delete") {
		return Covers(locked, scope) || Covers(scope, locked)
	}
	return l.Level == ReadOnly && !strings.HasSuffix(action, "/read") && Covers(locked, scope)
}
