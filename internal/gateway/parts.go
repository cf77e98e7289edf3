package gateway

import (
	"strings"

	"github.com/causeway-apim/causeway/internal/snapshot"
)

// put takes one part into the config. Kinds that this gateway does not know are
// left alone: they stay in the snapshot.
func (e *edit) put(p snapshot.Part) error {
	id := name(p.Key)
	switch p.Key.Kind {
	case snapshot.KindService:
		return decode(p, e.putService)
	case snapshot.KindGateway:
		return decode(p, func(g snapshot.Gateway) {
			if strings.EqualFold(g.Name, e.deployment.GatewayID) && g.Location != "" {
				e.deployment.Region = g.Location
			}
		})
	case snapshot.KindHostname:
		return decode(p, func(h snapshot.Hostname) { e.putHostname(p.Key.ID, h) })
	case snapshot.KindCertificate:
		return decode(p, func(c snapshot.Certificate) { e.putCertificate(certificateID(p.Key), c) })
	case snapshot.KindNamedValue:
		return decode(p, func(v snapshot.NamedValue) { e.putNamedValue(id, v) })
	case snapshot.KindFragment:
		return decode(p, func(f snapshot.Fragment) {
			e.fragments.set(id, f)
			e.markDependents("fragment " + id)
		})
	case snapshot.KindBackend:
		return decode(p, func(b snapshot.Backend) { e.backends.set(id, &b) })
	case snapshot.KindVersionSet:
		return decode(p, func(v snapshot.VersionSet) { e.versionSets.set(id, &v) })
	case snapshot.KindAPI:
		return decode(p, e.putAPI)
	case snapshot.KindOperation:
		return decode(p, func(o snapshot.Operation) { e.putOperation(id, o) })
	case snapshot.KindProduct:
		return decode(p, func(v snapshot.Product) { e.products.set(id, &product{part: v, id: id, scope: "products/" + id}) })
	case snapshot.KindProductAPI:
		return decode(p, func(v snapshot.ProductAPI) {
			addTo(&e.apiProducts, v.API, v.Product)
			addTo(&e.productAPIs, v.Product, v.API)
		})
	case snapshot.KindGroup:
		return decode(p, func(g snapshot.Group) { e.userGroups.set(id, &g) })
	case snapshot.KindUser:
		return decode(p, func(u snapshot.User) { e.users.set(id, &u) })
	case snapshot.KindSubscription:
		return decode(p, func(s snapshot.Subscription) { e.putSubscription(id, s) })
	case snapshot.KindPolicy:
		e.stale[scopeOfKey(p.Key)] = true
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
	if s.StrictExpressions != e.service.StrictExpressions && e.snapshot != nil {
		for p := range e.snapshot.ByKind(snapshot.KindPolicy) {
			e.stale[scopeOfKey(p.Key)] = true
		}
	}
	if e.deployment.Region == "" || e.deployment.GatewayID == managedGateway {
		e.deployment.Region = s.Location
	}
	e.service = s
}

// remove takes a part out of the config.
func (e *edit) remove(k snapshot.Key) {
	id := name(k)
	switch k.Kind {
	case snapshot.KindHostname:
		e.removeHostname(k.ID)
	case snapshot.KindCertificate:
		e.removeCertificate(certificateID(k))
	case snapshot.KindNamedValue:
		e.removeNamedValue(id)
	case snapshot.KindFragment:
		e.fragments.delete(id)
		e.markDependents("fragment " + id)
	case snapshot.KindBackend:
		e.backends.delete(id)
	case snapshot.KindVersionSet:
		e.versionSets.delete(id)
	case snapshot.KindAPI:
		if a, ok := e.apis.Get(id); ok {
			e.dropFromGroup(a)
			e.apis.delete(id)
		}
	case snapshot.KindOperation:
		if rest, ok := strings.CutPrefix(k.ID, "apis/"); ok {
			apiID, _, _ := strings.Cut(rest, "/")
			e.removeOperation(apiID, id)
		}
	case snapshot.KindProduct:
		e.products.delete(id)
	case snapshot.KindProductAPI:
		if rest, ok := strings.CutPrefix(k.ID, "products/"); ok {
			productID, _, _ := strings.Cut(rest, "/")
			removeFrom(&e.apiProducts, id, productID)
			removeFrom(&e.productAPIs, productID, id)
		}
	case snapshot.KindGroup:
		e.userGroups.delete(id)
	case snapshot.KindUser:
		e.users.delete(id)
	case snapshot.KindSubscription:
		e.removeSubscription(id)
	case snapshot.KindPolicy:
		e.stale[scopeOfKey(k)] = true
	}
}

// scopeOfKey is the scope of the policy document with that key.
func scopeOfKey(k snapshot.Key) string {
	scope, _ := strings.CutSuffix(k.ID, "policies/policy")
	return strings.TrimSuffix(scope, "/")
}

// certificateID is the name by which other parts refer to a certificate. Those
// of the service's own host names are not among its certificate resources.
func certificateID(k snapshot.Key) string { return strings.TrimPrefix(k.ID, "certificates/") }
