package gateway

import (
	"fmt"
	"slices"
	"strings"

	"github.com/benbjohnson/immutable"
	"github.com/causeway-apim/causeway/internal/message"
	"github.com/causeway-apim/causeway/internal/policy"
	"github.com/causeway-apim/causeway/internal/snapshot"
)

// config is a compiled snapshot. It is immutable: a change makes a new one that
// shares what did not change, so that requests in flight keep theirs.
type config struct {
	generation uint64 // tells configs of one service apart
	snapshot   *snapshot.Snapshot
	service    snapshot.Service
	deployment policy.Deployment
	hasher     *keyHasher

	groups        table[*apiGroup] // by path, lower-case, without outer slashes
	apis          table[*api]      // by API.ID
	versionSets   table[*snapshot.VersionSet]
	products      table[*product]
	apiProducts   table[[]string] // names of the products that hold an API, sorted
	productAPIs   table[[]string]
	users         table[*snapshot.User]
	userGroups    table[*snapshot.Group]
	subscriptions table[*subscription] // by name
	keys          table[*subscription] // by keyed hash
	backends      table[*snapshot.Backend]
	certificates  table[*snapshot.Certificate] // by name, and by thumbprint in lower case
	hostnames     table[*snapshot.Hostname]    // by host name, lower-case
	hostnameIDs   table[string]                // host name by part ID

	namedValues table[string]            // by display name, lower-case
	valueNames  table[string]            // display name by resource name
	fragments   table[snapshot.Fragment] // by name
	documents   table[*policy.Document]  // by scope
	dependents  table[[]string]          // scopes of the documents that refer to "kind name"
}

// table is a persistent map. While an empty one is filled it uses a builder,
// which makes the first load of a large configuration cheap.
type table[V any] struct {
	m *immutable.Map[string, V]
	b *immutable.MapBuilder[string, V]
}

func (t *table[V]) Get(key string) (v V, ok bool) {
	switch {
	case t.b != nil:
		return t.b.Get(key)
	case t.m != nil:
		return t.m.Get(key)
	}
	return v, false
}

func (t *table[V]) set(key string, v V) {
	switch {
	case t.b != nil:
		t.b.Set(key, v)
	case t.m == nil || t.m.Len() == 0:
		t.b = immutable.NewMapBuilder[string, V](nil)
		t.b.Set(key, v)
	default:
		t.m = t.m.Set(key, v)
	}
}

func (t *table[V]) delete(key string) {
	switch {
	case t.b != nil:
		t.b.Delete(key)
	case t.m != nil:
		t.m = t.m.Delete(key)
	}
}

// seal ends the use of a builder.
func (t *table[V]) seal() {
	if t.b != nil {
		t.m, t.b = t.b.Map(), nil
	}
}

// addTo adds a name to a sorted list in a table.
func addTo(t *table[[]string], key, name string) {
	old, _ := t.Get(key)
	if i, found := slices.BinarySearch(old, name); !found {
		t.set(key, slices.Insert(slices.Clone(old), i, name))
	}
}

func removeFrom(t *table[[]string], key, name string) {
	old, _ := t.Get(key)
	i, found := slices.BinarySearch(old, name)
	switch {
	case !found:
	case len(old) == 1:
		t.delete(key)
	default:
		t.set(key, slices.Delete(slices.Clone(old), i, i+1))
	}
}

// apply returns the config after a delta. On error the receiver is untouched
// and goes on serving.
func (c *config) apply(next *snapshot.Snapshot, d snapshot.Delta, catalogue *policy.Catalogue) (*config, error) {
	n := *c
	n.generation++
	n.snapshot = next
	e := edit{config: &n, stale: make(map[string]bool), fresh: make(map[*api]bool)}
	for _, k := range d.Delete {
		e.remove(k)
	}
	for _, p := range d.Put {
		if err := e.put(p); err != nil {
			return nil, err
		}
	}
	if err := e.recompile(catalogue); err != nil {
		return nil, err
	}
	n.seal()
	return &n, nil
}

func (c *config) seal() {
	c.groups.seal()
	c.apis.seal()
	c.versionSets.seal()
	c.products.seal()
	c.apiProducts.seal()
	c.productAPIs.seal()
	c.users.seal()
	c.userGroups.seal()
	c.subscriptions.seal()
	c.keys.seal()
	c.backends.seal()
	c.certificates.seal()
	c.hostnames.seal()
	c.hostnameIDs.seal()
	c.namedValues.seal()
	c.valueNames.seal()
	c.fragments.seal()
	c.documents.seal()
	c.dependents.seal()
}

// edit is a config while a delta is applied to it.
type edit struct {
	*config
	stale map[string]bool // scopes of documents to compile again
	fresh map[*api]bool   // made by this edit: nobody else sees them yet
}

// name returns the last part of a key's ID.
func name(k snapshot.Key) string { return k.ID[strings.LastIndexByte(k.ID, '/')+1:] }

func (e *edit) putAPI(part snapshot.API) {
	a := &api{part: part, scope: "apis/" + part.ID, operations: immutable.NewMap[string, *operation](nil)}
	a.part.Path = strings.Trim(part.Path, "/")
	if old, ok := e.apis.Get(part.ID); ok {
		a.operations = old.operations
		e.dropFromGroup(old)
	}
	if part.ServiceURL != "" {
		if base, err := message.ParseURL(part.ServiceURL); err == nil {
			a.base = base
		}
	}
	e.setAPI(a)
}

func (e *edit) setAPI(a *api) {
	e.fresh[a] = true
	e.apis.set(a.part.ID, a)
	path := lowerASCII(a.part.Path)
	g, _ := e.groups.Get(path)
	e.groups.set(path, g.with(a.part.ID, a))
}

func (e *edit) dropFromGroup(a *api) {
	path := lowerASCII(a.part.Path)
	g, ok := e.groups.Get(path)
	if !ok {
		return
	}
	if g = g.with(a.part.ID, nil); len(g.apis) > 0 {
		e.groups.set(path, g)
	} else {
		e.groups.delete(path)
	}
}

func (e *edit) putOperation(id string, part snapshot.Operation) {
	old, ok := e.apis.Get(part.API)
	if !ok {
		// The API follows in the same delta or is gone: parts of a delta have
		// no order that matters.
		old = &api{part: snapshot.API{ID: part.API}, operations: immutable.NewMap[string, *operation](nil)}
		e.fresh[old] = true
		e.apis.set(part.API, old)
	}
	op := &operation{part: part, id: id, scope: "apis/" + part.API + "/operations/" + id}
	e.replaceOperations(old, old.operations.Set(id, op))
}

func (e *edit) removeOperation(apiID, id string) {
	if old, ok := e.apis.Get(apiID); ok {
		e.replaceOperations(old, old.operations.Delete(id))
	}
}

func (e *edit) replaceOperations(old *api, ops *immutable.Map[string, *operation]) {
	if e.fresh[old] {
		old.operations = ops
		return
	}
	e.setAPI(&api{part: old.part, scope: old.scope, base: old.base, operations: ops})
}

func (e *edit) putSubscription(id string, part snapshot.Subscription) {
	e.removeSubscription(id)
	s := newSubscription(part)
	e.subscriptions.set(id, s)
	for _, hash := range [][]byte{part.PrimaryHash, part.SecondaryHash} {
		if len(hash) > 0 {
			e.keys.set(string(hash), s)
		}
	}
}

func (e *edit) removeSubscription(id string) {
	old, ok := e.subscriptions.Get(id)
	if !ok {
		return
	}
	for _, hash := range [][]byte{old.part.PrimaryHash, old.part.SecondaryHash} {
		// A key may have moved to another subscription meanwhile.
		if s, ok := e.keys.Get(string(hash)); ok && s == old {
			e.keys.delete(string(hash))
		}
	}
	e.subscriptions.delete(id)
}

func (e *edit) putCertificate(id string, part snapshot.Certificate) {
	e.removeCertificate(id)
	e.certificates.set(id, &part)
	e.certificates.set(strings.ToLower(part.Thumbprint), &part)
}

func (e *edit) removeCertificate(id string) {
	old, ok := e.certificates.Get(id)
	if !ok {
		return
	}
	e.certificates.delete(id)
	thumbprint := strings.ToLower(old.Thumbprint)
	if c, ok := e.certificates.Get(thumbprint); ok && c == old {
		e.certificates.delete(thumbprint)
	}
}

// putHostname takes the host names of this gateway; those of others are not its
// business.
func (e *edit) putHostname(id string, part snapshot.Hostname) {
	e.removeHostname(id)
	if !strings.EqualFold(part.Gateway, e.deployment.GatewayID) {
		return
	}
	host := strings.ToLower(part.Hostname)
	e.hostnameIDs.set(id, host)
	e.hostnames.set(host, &part)
}

func (e *edit) removeHostname(id string) {
	if host, ok := e.hostnameIDs.Get(id); ok {
		e.hostnameIDs.delete(id)
		e.hostnames.delete(host)
	}
}

func (e *edit) putNamedValue(id string, part snapshot.NamedValue) {
	e.removeNamedValue(id)
	name := strings.ToLower(part.Name)
	e.valueNames.set(id, name)
	e.namedValues.set(name, part.Value)
	e.markDependents("namedValue " + name)
}

func (e *edit) removeNamedValue(id string) {
	if name, ok := e.valueNames.Get(id); ok {
		e.valueNames.delete(id)
		e.namedValues.delete(name)
		e.markDependents("namedValue " + name)
	}
}

// markDependents notes that the documents that refer to something have to be
// compiled again.
func (e *edit) markDependents(reference string) {
	scopes, _ := e.dependents.Get(reference)
	for _, s := range scopes {
		e.stale[s] = true
	}
}

// recompile compiles the documents that the delta brought or whose named values
// or fragments it changed.
func (e *edit) recompile(catalogue *policy.Catalogue) error {
	for scope := range e.stale {
		if err := e.compileDocument(scope, catalogue); err != nil {
			return err
		}
	}
	return nil
}

func (e *edit) compileDocument(scope string, catalogue *policy.Catalogue) error {
	if old, ok := e.documents.Get(scope); ok {
		for _, ref := range referenceKeys(old.References()) {
			removeFrom(&e.dependents, ref, scope)
		}
	}
	part, ok := e.snapshot.Get(policyKey(scope))
	if !ok {
		e.documents.delete(scope)
		return nil
	}
	text, err := snapshot.Decode[snapshot.Policy](part)
	if err != nil {
		return err
	}
	doc, report := catalogue.Compile(text.Value, policy.Options{
		Kind: "policies", Scope: scopeOf(scope), Format: text.Format,
		Strict: e.service.StrictExpressions, Lookup: lookup{e.config},
	})
	if !report.OK() {
		first := report.Errors[0]
		return fmt.Errorf("policy of %s, line %d, column %d: %s: %s", scopeTitle(scope), first.Line, first.Column, first.Code, first.Message)
	}
	for _, ref := range referenceKeys(doc.References()) {
		addTo(&e.dependents, ref, scope)
	}
	e.documents.set(scope, doc)
	return nil
}

func referenceKeys(r policy.References) []string {
	var keys []string
	for _, n := range r.NamedValues {
		keys = append(keys, "namedValue "+n)
	}
	for _, n := range r.Fragments {
		keys = append(keys, "fragment "+n)
	}
	return keys
}

// policyKey is the key of the policy document at a scope.
func policyKey(scope string) snapshot.Key {
	if scope == "" {
		return snapshot.Key{Kind: snapshot.KindPolicy, ID: "policies/policy"}
	}
	return snapshot.Key{Kind: snapshot.KindPolicy, ID: scope + "/policies/policy"}
}

func scopeOf(scope string) policy.Scope {
	switch {
	case scope == "":
		return policy.ScopeService
	case strings.HasPrefix(scope, "products/"):
		return policy.ScopeProduct
	case strings.Contains(scope, "/operations/"):
		return policy.ScopeOperation
	}
	return policy.ScopeAPI
}

func scopeTitle(scope string) string {
	if scope == "" {
		return "the service"
	}
	return scope
}

// lookup is what policy documents may refer to by name. Backends and
// certificates that are not there fail at run time only: the management plane
// has checked them when the document was saved, and they come and go.
type lookup struct{ c *config }

func (l lookup) NamedValue(name string) (string, bool) {
	return l.c.namedValues.Get(strings.ToLower(name))
}

func (l lookup) Fragment(name string) (text, format string, ok bool) {
	f, ok := l.c.fragments.Get(strings.ToLower(name))
	return f.Value, f.Format, ok
}

func (lookup) HasBackend(string) bool     { return true }
func (lookup) HasCertificate(string) bool { return true }
