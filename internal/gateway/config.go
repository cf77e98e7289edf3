package gateway

import (
	"cmp"
	"crypto/sha256"
	"errors"
	"slices"
	"strings"

	"github.com/causeway-apim/causeway/internal/message"
	"github.com/causeway-apim/causeway/internal/policy"
	"github.com/causeway-apim/causeway/internal/snapshot"
)

// config is a compiled snapshot. It is immutable: a change makes a new one that
// shares what did not change, so that requests in flight keep theirs. What it
// holds depends on the snapshot alone and not on the way to it.
type config struct {
	generation uint64 // tells configs of one service apart
	snapshot   *snapshot.Snapshot
	service    snapshot.Service
	location   string // of the self-hosted gateway
	// gatewayEpoch is the self-hosted gateway's DebugEpoch.
	gatewayEpoch int64
	deployment   policy.Deployment
	hasher       *keyHasher
	unmatched    *policy.Pipeline // for requests that match no operation

	groups        table[string, *apiGroup] // by path, lower-case, without outer slashes
	depth         int                      // no path in groups has more segments
	apis          table[string, *api]      // by API.ID
	versionSets   table[string, *snapshot.VersionSet]
	products      table[string, *product]
	apiProducts   table[string, []string] // names of the products that hold an API, sorted
	productAPIs   relation
	users         table[string, *snapshot.User]
	userGroups    table[string, *snapshot.Group]
	subscriptions table[string, *subscription]            // by name
	keys          table[[sha256.Size]byte, *subscription] // by keyed hash
	seenKeys      *seenKeys
	backends      table[string, *backend]
	loggers       table[string, *logger]
	diagnostics   table[string, []*diagnostic] // by scope
	certificates  table[string, *certificate]  // by name
	thumbprints   relation                     // lower-case thumbprint to certificate name
	// authorities are those of this gateway, by ID; publicCertificates what they name, by name. Both make the trust.
	authorities        table[string, *snapshot.Authority]
	publicCertificates table[string, *snapshot.PublicCertificate]
	trust              *trust

	hostnames   table[string, *snapshot.Hostname]
	hostnameIDs relation // host name to ID in hostnames
	defaultHost string   // ID in hostnames; empty for none

	namedValues  table[string, *snapshot.NamedValue]
	displayNames relation // lower-case display name of a named value to its name
	fragments    table[string, *snapshot.Fragment]
	schemas      table[string, *policy.Schema]   // by ID of the part
	apiSchemas   relation                        // API.ID to the IDs of its schemas' parts
	caches       table[string, snapshot.Cache]   // by name
	documents    table[string, *policy.Document] // by scope
	graphqlAPIs  table[string, *graphqlAPI]      // by API.ID
	graphqlParts relation                        // API.ID to the IDs of its GraphQL schema and resolvers
	dependents   relation                        // reference to the IDs of the parts that have it

	stores stores
}

// newConfig returns the config of an empty snapshot.
func newConfig(gatewayName, instance string, generation uint64) *config {
	return &config{
		generation: generation, snapshot: snapshot.Empty(),
		deployment: policy.Deployment{GatewayID: gatewayName, InstanceID: instance}, trust: &trust{},
	}
}

// apply returns the config after a delta. On error the receiver is untouched
// and goes on serving.
func (c *config) apply(next *snapshot.Snapshot, d snapshot.Delta, catalogue *policy.Catalogue) (*config, error) {
	n := *c
	n.generation++
	n.snapshot = next
	n.seenKeys = newSeenKeys()
	e := edit{config: &n, stale: make(map[string]bool), fresh: make(map[*api]bool)}
	for _, k := range d.Delete {
		e.remove(k)
	}
	for _, p := range d.Put {
		if err := e.put(p); err != nil {
			return nil, err
		}
	}
	if n.hasher == nil {
		return nil, errors.New("there is no service part")
	}
	n.deployment.Region = cmp.Or(n.location, n.service.Location)
	if err := e.compile(catalogue); err != nil {
		return nil, err
	}
	if err := e.buildGraphQL(); err != nil {
		return nil, err
	}
	e.seal()
	doc, _ := n.documents.Get("")
	n.unmatched = policy.Link(doc)
	return &n, nil
}

// edit is a config while a delta is applied to it.
type edit struct {
	*config
	stale map[string]bool // IDs of policy and backend parts to compile again
	fresh map[*api]bool   // made by this edit: nobody else sees them yet
	// graphqlStale are the IDs of APIs whose GraphQL side is to be built again.
	graphqlStale map[string]bool
}

// seal ends the use of builders.
func (e *edit) seal() {
	for a := range e.fresh {
		a.operations.seal()
	}
	for _, s := range []interface{ seal() }{
		&e.groups, &e.apis, &e.versionSets, &e.products, &e.apiProducts, &e.productAPIs, &e.users, &e.userGroups, &e.subscriptions, &e.keys,
		&e.backends, &e.loggers, &e.diagnostics, &e.certificates, &e.thumbprints, &e.hostnames, &e.hostnameIDs, &e.namedValues, &e.displayNames, &e.fragments,
		&e.schemas, &e.apiSchemas, &e.documents, &e.graphqlAPIs, &e.graphqlParts, &e.dependents, &e.caches, &e.authorities, &e.publicCertificates,
	} {
		s.seal()
	}
}

// putAPI takes over the operations of the API's last state.
func (e *edit) putAPI(id string, part snapshot.API) {
	workspace, _ := splitWorkspace(id)
	part.ID, part.VersionSet = localName(id), qualify(workspace, part.VersionSet)
	a := &api{
		part: part, name: qualify(workspace, lowerASCII(part.Name)), scope: id, bare: &operation{},
		path: lowerASCII(strings.Trim(part.Path, "/")), known: true,
	}
	a.part.Path = strings.Trim(part.Path, "/")
	if base, err := message.ParseURL(part.ServiceURL); err == nil {
		a.base = base
	}
	if old, ok := e.apis.Get(part.ID); ok {
		a.operations = old.operations
		e.dropFromGroup(old)
	}
	e.setAPI(a)
}

// removeAPI keeps operations whose own removal is to follow.
func (e *edit) removeAPI(id string) {
	old, ok := e.apis.Get(id)
	if !ok {
		return
	}
	e.dropFromGroup(old)
	if old.operations.len() == 0 {
		e.apis.delete(id)
		return
	}
	e.setAPI(&api{part: snapshot.API{ID: id}, operations: old.operations})
}

func (e *edit) setAPI(a *api) {
	a.traits = traitsOf(&a.part)
	e.fresh[a] = true
	e.apis.set(a.part.ID, a)
	if !a.known {
		return
	}
	if a.path != "" {
		e.depth = max(e.depth, 1+strings.Count(a.path, "/"))
	}
	g, _ := e.groups.Get(a.path)
	e.groups.set(a.path, g.with(a.part.ID, a))
}

func (e *edit) dropFromGroup(a *api) {
	if !a.known {
		return
	}
	g, _ := e.groups.Get(a.path)
	if g = g.with(a.part.ID, nil); len(g.apis) > 0 {
		e.groups.set(a.path, g)
	} else {
		e.groups.delete(a.path)
	}
}

func (e *edit) putOperation(scope string, part snapshot.Operation) {
	part.API = parentName(scope)
	a, id := e.ownAPI(part.API), lastSegment(scope)
	a.operations.set(id, &operation{part: part, id: id, scope: scope})
}

func (e *edit) removeOperation(apiID, id string) {
	if _, ok := e.apis.Get(apiID); !ok {
		return
	}
	a := e.ownAPI(apiID)
	a.operations.delete(id)
	if !a.known && a.operations.len() == 0 {
		e.apis.delete(apiID)
	}
}

// ownAPI returns the API of an ID for a change of its operations. Where there
// is none, its part follows in this delta or is gone: parts have no order that
// matters.
func (e *edit) ownAPI(id string) *api {
	old, ok := e.apis.Get(id)
	if e.fresh[old] {
		return old
	}
	a := &api{part: snapshot.API{ID: id}}
	if ok {
		a = &api{part: old.part, name: old.name, scope: old.scope, path: old.path, base: old.base, bare: old.bare, known: old.known, operations: old.operations}
	}
	e.setAPI(a)
	return a
}

func (e *edit) putSubscription(id string, part snapshot.Subscription) {
	e.removeSubscription(id)
	s := newSubscription(part)
	e.subscriptions.set(id, s)
	for _, hash := range [...][]byte{part.PrimaryHash, part.SecondaryHash} {
		if len(hash) == sha256.Size {
			e.keys.set([sha256.Size]byte(hash), s)
		}
	}
}

func (e *edit) removeSubscription(id string) {
	old, ok := e.subscriptions.Get(id)
	if !ok {
		return
	}
	for _, hash := range [...][]byte{old.part.PrimaryHash, old.part.SecondaryHash} {
		if len(hash) != sha256.Size {
			continue
		}
		// A key may have moved to another subscription meanwhile.
		if s, ok := e.keys.Get([sha256.Size]byte(hash)); ok && s == old {
			e.keys.delete([sha256.Size]byte(hash))
		}
	}
	e.subscriptions.delete(id)
}

func (e *edit) putCertificate(id string, part snapshot.Certificate) {
	e.removeCertificate(id)
	e.certificates.set(id, &certificate{part: part})
	e.thumbprints.add(strings.ToLower(part.Thumbprint), id)
}

func (e *edit) removeCertificate(id string) {
	if old, ok := e.certificates.Get(id); ok {
		e.thumbprints.remove(strings.ToLower(old.part.Thumbprint), id)
		e.certificates.delete(id)
	}
}

// putHostname takes the host names of this gateway; those of others are not its
// business.
func (e *edit) putHostname(id string, part snapshot.Hostname) {
	e.removeHostname(id)
	if strings.EqualFold(part.Gateway, e.deployment.GatewayID) {
		e.hostnames.set(id, &part)
		e.hostnameIDs.add(strings.ToLower(part.Hostname), id)
		if part.Default {
			e.defaultHost = id
		}
	}
}

func (e *edit) removeHostname(id string) {
	if old, ok := e.hostnames.Get(id); ok {
		e.hostnameIDs.remove(strings.ToLower(old.Hostname), id)
		if e.defaultHost == id {
			e.defaultHost = ""
		}
		e.hostnames.delete(id)
	}
}

func (e *edit) putNamedValue(workspace, id string, part snapshot.NamedValue) {
	e.removeNamedValue(workspace, id)
	display := qualify(workspace, strings.ToLower(part.Name))
	e.namedValues.set(id, &part)
	e.displayNames.add(display, id)
	e.markDependents(namedValueReference(display))
}

func (e *edit) removeNamedValue(workspace, id string) {
	if old, ok := e.namedValues.Get(id); ok {
		display := qualify(workspace, strings.ToLower(old.Name))
		e.displayNames.remove(display, id)
		e.namedValues.delete(id)
		e.markDependents(namedValueReference(display))
	}
}

// addTo adds a name to a sorted list in a table.
func addTo(t *table[string, []string], key, name string) {
	old, _ := t.Get(key)
	if i, found := slices.BinarySearch(old, name); !found {
		t.set(key, slices.Insert(slices.Clone(old), i, name))
	}
}

func removeFrom(t *table[string, []string], key, name string) {
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
