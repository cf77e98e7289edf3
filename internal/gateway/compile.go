package gateway

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/causeway-apim/causeway/internal/policy"
	"github.com/causeway-apim/causeway/internal/snapshot"
)

// policySuffix ends the IDs of policy parts.
const policySuffix = "policies/policy"

// markDependents notes that the parts that refer to something have to be
// compiled again.
func (e *edit) markDependents(reference string) {
	for id := range e.dependents.each(reference) {
		e.stale[id] = true
	}
}

func namedValueReference(display string) string { return "namedValue " + display }

func fragmentReference(name string) string { return "fragment " + name }

// compile compiles the policies, backends and loggers that the delta brought or whose
// named values or fragments it changed.
func (e *edit) compile(catalogue *policy.Catalogue) error {
	for _, id := range slices.Sorted(maps.Keys(e.stale)) {
		var err error
		switch {
		case strings.HasSuffix(id, policySuffix):
			err = e.compilePolicy(id, catalogue)
		case strings.Contains("/"+id, "/loggers/"):
			err = e.compileLogger(id)
		default:
			err = e.compileBackend(id)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (e *edit) compilePolicy(id string, catalogue *policy.Catalogue) error {
	scope := policyScope(id)
	workspace, _ := splitWorkspace(id)
	if scopeOf(scope) == policy.ScopeResolver {
		e.touchGraphQL(scope)
	}
	if old, ok := e.documents.Get(scope); ok {
		for _, ref := range references(workspace, old) {
			e.dependents.remove(ref, id)
		}
	}
	part, ok := e.snapshot.Get(snapshot.Key{Kind: snapshot.KindPolicy, ID: id})
	if !ok {
		e.documents.delete(scope)
		return nil
	}
	text, err := snapshot.Decode[snapshot.Policy](part)
	if err != nil {
		return err
	}
	doc, report := catalogue.Compile(text.Value, policy.Options{
		Kind: kindOf(scope), Scope: scopeOf(scope), Format: text.Format,
		Strict: e.service.StrictExpressions, Lookup: lookup{e.config, workspace},
	})
	if err := report.Err(); err != nil {
		return fmt.Errorf("%s: %w", scopeTitle(scope), err)
	}
	for _, ref := range references(workspace, doc) {
		e.dependents.add(ref, id)
	}
	e.documents.set(scope, doc)
	return nil
}

// references are what a change of makes a document of a workspace stale.
func references(workspace string, d *policy.Document) []string {
	r := d.References()
	var refs []string
	for _, n := range r.NamedValues {
		refs = append(refs, namedValueReference(qualify(workspace, n)))
	}
	for _, n := range r.Fragments {
		refs = append(refs, fragmentReference(qualify(workspace, n)))
	}
	return refs
}

// policyScope is the scope of the policy document with that part ID.
func policyScope(id string) string {
	return strings.TrimSuffix(strings.TrimSuffix(id, policySuffix), "/")
}

func scopeOf(scope string) policy.Scope {
	workspace, scope := splitWorkspace(scope)
	switch {
	case scope == "" && workspace != "":
		return policy.ScopeWorkspace
	case scope == "":
		return policy.ScopeService
	case strings.HasPrefix(scope, "products/"):
		return policy.ScopeProduct
	case strings.Contains(scope, "/operations/"):
		return policy.ScopeOperation
	case strings.Contains(scope, "/resolvers/"):
		return policy.ScopeResolver
	}
	return policy.ScopeAPI
}

// kindOf is the kind of document that stands at a scope.
func kindOf(scope string) string {
	if scopeOf(scope) == policy.ScopeResolver {
		return policy.KindResolver
	}
	return policy.KindPolicies
}

func scopeTitle(scope string) string {
	if scope == "" {
		return "policy of the service"
	}
	return "policy of " + scope
}

// lookup is what policy documents may refer to by name. Backends and
// certificates that are not there fail at run time only: the management plane
// has checked them when the document was saved, and they come and go.
type lookup struct {
	c         *config
	workspace string
}

func (l lookup) NamedValue(display string) (value string, secret, ok bool) {
	v, ok := l.c.namedValue(l.workspace, display)
	if !ok {
		return "", false, false
	}
	return v.Value, v.Secret, true
}

func (l lookup) Fragment(name string) (text, format string, ok bool) {
	if f, ok := l.c.fragments.Get(qualify(l.workspace, strings.ToLower(name))); ok {
		return f.Value, f.Format, true
	}
	return "", "", false
}

func (lookup) HasBackend(string) bool     { return true }
func (lookup) HasCertificate(string) bool { return true }

// namedValue returns a named value of a workspace, or of the service, by its display name.
func (c *config) namedValue(workspace, display string) (*snapshot.NamedValue, bool) {
	if id, ok := c.displayNames.first(qualify(workspace, strings.ToLower(display))); ok {
		return c.namedValues.Get(id)
	}
	return nil, false
}
