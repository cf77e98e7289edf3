package gateway

import (
	"maps"
	"strings"

	"github.com/causeway-apim/causeway/internal/policy"
	"github.com/causeway-apim/causeway/internal/snapshot"
)

// put takes one part into the config. Kinds that this gateway does not know are
// left alone: they stay in the snapshot.
func (e *edit) put(p snapshot.Part) error {
	id := localName(p.Key.ID)
	workspace, _ := splitWorkspace(p.Key.ID)
	switch p.Key.Kind {
	case snapshot.KindService:
		return decode(p, e.putService)
	case snapshot.KindGateway:
		return decode(p, func(g snapshot.Gateway) {
			if strings.EqualFold(g.Name, e.deployment.GatewayID) {
				e.location, e.gatewayEpoch = g.Location, g.DebugEpoch
			}
		})
	case snapshot.KindHostname:
		return decode(p, func(h snapshot.Hostname) { e.putHostname(p.Key.ID, h) })
	case snapshot.KindCertificate:
		return decode(p, func(c snapshot.Certificate) { e.putCertificate(certificateID(p.Key), c) })
	case snapshot.KindAuthority:
		return decode(p, func(a snapshot.Authority) { e.putAuthority(p.Key.ID, a) })
	case snapshot.KindPublicCertificate:
		return decode(p, func(c snapshot.PublicCertificate) { e.publicCertificates.set(c.Name, &c); e.trust = &trust{} })
	case snapshot.KindNamedValue:
		return decode(p, func(v snapshot.NamedValue) { e.putNamedValue(workspace, id, v) })
	case snapshot.KindFragment:
		return decode(p, func(f snapshot.Fragment) {
			e.fragments.set(id, &f)
			e.markDependents(fragmentReference(id))
		})
	case snapshot.KindBackend, snapshot.KindLogger, snapshot.KindPolicy:
		e.stale[p.Key.ID] = true
	case snapshot.KindDiagnostic:
		return decode(p, func(d snapshot.Diagnostic) { e.putDiagnostic(p.Key.ID, d) })
	case snapshot.KindVersionSet:
		return decode(p, func(v snapshot.VersionSet) { e.versionSets.set(id, &v) })
	case snapshot.KindAPI:
		return decode(p, func(a snapshot.API) { e.putAPI(p.Key.ID, a) })
	case snapshot.KindOperation:
		return decode(p, func(o snapshot.Operation) { e.putOperation(p.Key.ID, o) })
	case snapshot.KindSchema:
		e.putSchema(p)
		e.putGraphQLPart(p)
	case snapshot.KindResolver:
		e.putGraphQLPart(p)
	case snapshot.KindCache:
		return decode(p, func(c snapshot.Cache) { e.caches.set(id, c) })
	case snapshot.KindProduct:
		return decode(p, func(v snapshot.Product) { e.products.set(id, &product{part: v, scope: p.Key.ID}) })
	case snapshot.KindProductAPI:
		return decode(p, func(v snapshot.ProductAPI) {
			api, product := qualify(workspace, v.API), qualify(workspace, v.Product)
			addTo(&e.apiProducts, api, product)
			e.productAPIs.add(product, api)
		})
	case snapshot.KindGroup:
		return decode(p, func(g snapshot.Group) { e.userGroups.set(id, &g) })
	case snapshot.KindUser:
		return decode(p, func(u snapshot.User) { e.users.set(id, &u) })
	case snapshot.KindSubscription:
		return decode(p, func(s snapshot.Subscription) { e.putSubscription(id, s) })
	}
	return nil
}

func decode[T any](p snapshot.Part, use func(T)) error {
	v, err := snapshot.Decode[T](p)
	if err == nil {
		use(v)
	}
	return err
}

func (e *edit) putService(s snapshot.Service) {
	if e.hasher == nil || string(s.KeyHashKey) != string(e.service.KeyHashKey) {
		e.hasher = newKeyHasher(s.KeyHashKey)
	}
	if s.StrictExpressions != e.service.StrictExpressions {
		for p := range e.snapshot.ByKind(snapshot.KindPolicy) {
			e.stale[p.Key.ID] = true
		}
	}
	if !maps.Equal(s.Protocols, e.service.Protocols) {
		e.trust = &trust{}
	}
	e.service = s
}

// remove takes a part out of the config.
func (e *edit) remove(k snapshot.Key) {
	id := localName(k.ID)
	workspace, _ := splitWorkspace(k.ID)
	switch k.Kind {
	case snapshot.KindService:
		e.hasher, e.service = nil, snapshot.Service{}
	case snapshot.KindGateway:
		if strings.EqualFold(id, e.deployment.GatewayID) {
			e.location, e.gatewayEpoch = "", 0
		}
	case snapshot.KindHostname:
		e.removeHostname(k.ID)
	case snapshot.KindCertificate:
		e.removeCertificate(certificateID(k))
	case snapshot.KindAuthority:
		e.removeAuthority(k.ID)
	case snapshot.KindPublicCertificate:
		e.publicCertificates.delete(id)
		e.trust = &trust{}
	case snapshot.KindNamedValue:
		e.removeNamedValue(workspace, id)
	case snapshot.KindFragment:
		e.fragments.delete(id)
		e.markDependents(fragmentReference(id))
	case snapshot.KindBackend, snapshot.KindLogger, snapshot.KindPolicy:
		e.stale[k.ID] = true
	case snapshot.KindDiagnostic:
		e.removeDiagnostic(k.ID)
	case snapshot.KindVersionSet:
		e.versionSets.delete(id)
	case snapshot.KindAPI:
		e.removeAPI(id)
	case snapshot.KindOperation:
		e.removeOperation(parentName(k.ID), lastSegment(k.ID))
	case snapshot.KindSchema:
		e.schemas.delete(k.ID)
		e.apiSchemas.remove(parentName(k.ID), k.ID)
		e.removeGraphQLPart(k)
	case snapshot.KindResolver:
		e.removeGraphQLPart(k)
	case snapshot.KindCache:
		e.caches.delete(id)
	case snapshot.KindProduct:
		e.products.delete(id)
	case snapshot.KindProductAPI:
		removeFrom(&e.apiProducts, id, parentName(k.ID))
		e.productAPIs.remove(parentName(k.ID), id)
	case snapshot.KindGroup:
		e.userGroups.delete(id)
	case snapshot.KindUser:
		e.users.delete(id)
	case snapshot.KindSubscription:
		e.removeSubscription(id)
	}
}

// lastSegment is the resource name of a part with that ID.
func lastSegment(id string) string { return id[strings.LastIndexByte(id, '/')+1:] }

// putSchema takes over a schema of an API or of the service.
func (e *edit) putSchema(p snapshot.Part) {
	e.schemas.set(p.Key.ID, policy.NewSchema(p))
	if _, rest := splitWorkspace(p.Key.ID); strings.HasPrefix(rest, "apis/") {
		e.apiSchemas.add(parentName(p.Key.ID), p.Key.ID)
	}
}

// certificateID is the name by which other parts refer to a certificate. Those
// of the service's own host names are not among its certificate resources.
func certificateID(k snapshot.Key) string {
	workspace, rest := splitWorkspace(k.ID)
	return qualify(workspace, strings.TrimPrefix(rest, "certificates/"))
}
