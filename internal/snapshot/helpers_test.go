package snapshot

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

func mustEncode(t testing.TB, kind Kind, id string, v any) Part {
	t.Helper()
	p, err := Encode(kind, id, v)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// big makes a service with an API, a policy each hundred operations, and
// subscriptions to one product, assigned to the gateway "edge".
func big(t testing.TB, operations, subscriptions int) *Snapshot {
	t.Helper()
	put := []Part{
		mustEncode(t, KindService, "", Service{ID: "/s", Name: "s"}),
		mustEncode(t, KindGateway, "gateways/edge", Gateway{Name: "edge"}),
		mustEncode(t, KindGatewayAPI, "gateways/edge/apis/big", GatewayAPI{Gateway: "edge", API: "big"}),
		mustEncode(t, KindAPI, "apis/big", API{ID: "big", Name: "big", Path: "big", Protocols: []string{"https"}}),
		mustEncode(t, KindProduct, "products/p", Product{Name: "p", Published: true}),
		mustEncode(t, KindProductAPI, "products/p/apis/big", ProductAPI{Product: "p", API: "big"}),
		mustEncode(t, KindUser, "users/1", User{Name: "1"}),
	}
	for i := range operations {
		id := fmt.Sprintf("op-%06d", i)
		put = append(put, mustEncode(t, KindOperation, "apis/big/operations/"+id, Operation{
			API: "big", Name: id, Display: "Operation " + id, Method: "GET", URLTemplate: "/items/{id}/" + id,
			Parameters: []Parameter{{Name: "id", Type: "string", Required: true}},
		}))
		put = append(put, policyPart(t, i, 0))
	}
	hash := make([]byte, 32)
	for i := range subscriptions {
		name := fmt.Sprintf("sub-%07d", i)
		put = append(put, mustEncode(t, KindSubscription, "subscriptions/"+name, Subscription{
			Name: name, Scope: "products/p", User: "1", State: "active", Created: time.Unix(1e9, 0).UTC(),
			PrimaryHash: hash, SecondaryHash: hash,
		}))
	}
	s, _ := Empty().Edit(1, put, nil)
	return s
}

func policyPart(t testing.TB, operation, version int) Part {
	scope := fmt.Sprintf("apis/big/operations/op-%06d", operation)
	return mustEncode(t, KindPolicy, scope+"/policies/policy", Policy{
		Scope: scope, Format: "rawxml",
		Value: fmt.Sprintf(`<policies><inbound><base /><set-header name="x"><value>%d {{nv}}</value></set-header></inbound></policies>`, version),
	})
}

// randomPart makes a part out of a small world, so that edits meet each other.
func randomPart(t testing.TB, r *rand.Rand) Part {
	n := func(prefix string, max int) string { return fmt.Sprintf("%s%d", prefix, r.IntN(max)) }
	api, product, user, name := n("a", 5), n("p", 4), n("u", 4), n("n", 4)
	text := func() string {
		s := "<policies>"
		for range r.IntN(3) {
			s += [...]string{
				"{{" + n("n", 4) + "}}", `<include-fragment fragment-id="` + n("n", 4) + `" />`,
				`<set-backend-service backend-id="` + n("n", 4) + `" />`, `<set-backend-service backend-id='@(x)' />`,
				`<authentication-certificate certificate-id = "` + n("n", 4) + `" />`, `thumbprint="` + n("t", 4) + `"`,
				"@(context.Subscription.PrimaryKey)", "context.Deployment.Certificates",
			}[r.IntN(8)]
		}
		return s + "</policies>"
	}
	gateway := [...]string{"g", "h", "managed"}[r.IntN(3)]
	scopes := []string{"", "apis", "apis/" + api, "products/" + product}
	scope := scopes[r.IntN(len(scopes))]
	switch r.IntN(16) {
	case 0:
		return mustEncode(t, KindGatewayAPI, "gateways/"+gateway+"/apis/"+api, GatewayAPI{Gateway: gateway, API: api})
	case 1:
		return mustEncode(t, KindProductAPI, "products/"+product+"/apis/"+api, ProductAPI{Product: product, API: api})
	case 2:
		return mustEncode(t, KindAPI, "apis/"+api, API{ID: api, VersionSet: n("n", 4), ServiceURL: "http://{{" + n("n", 4) + "}}"})
	case 3:
		return mustEncode(t, KindOperation, "apis/"+api+";rev=2/operations/"+name, Operation{API: api + ";rev=2", Name: name})
	case 4:
		return mustEncode(t, KindProduct, "products/"+product, Product{Name: product, Groups: []string{n("n", 4)}})
	case 5:
		return mustEncode(t, KindSubscription, "subscriptions/"+name, Subscription{Name: name, Scope: scope, User: user})
	case 6:
		return mustEncode(t, KindSubscriptionKeys, "subscriptions/"+name, SubscriptionKeys{Primary: n("k", 9)})
	case 7:
		return mustEncode(t, KindUser, "users/"+user, User{Name: user, Groups: []string{n("n", 4)}})
	case 8:
		return mustEncode(t, KindGroup, "groups/"+name, Group{Name: name})
	case 9:
		return mustEncode(t, KindNamedValue, "namedvalues/x"+name, NamedValue{Name: name, Value: n("v", 99)})
	case 10, 11:
		return mustEncode(t, KindFragment, "policyfragments/"+name, Fragment{Name: name, Value: text()})
	case 12:
		return mustEncode(t, KindBackend, "backends/"+name, Backend{Name: name, Pool: []PoolMember{{Backend: n("n", 4)}}})
	case 13:
		return mustEncode(t, KindCertificate, "certificates/"+name, Certificate{Name: name, Thumbprint: n("T", 4)})
	case 14:
		return mustEncode(t, KindHostname, "gateways/"+gateway+"/hostnames/"+name, Hostname{Gateway: gateway, Certificate: n("n", 4)})
	default:
		id := scope + "/policies/policy"
		if scope == "" {
			id = "policies/policy"
		}
		return mustEncode(t, KindPolicy, id, Policy{Scope: scope, Value: text()})
	}
}

// randomEdit puts and deletes a few parts.
func randomEdit(t testing.TB, r *rand.Rand, s *Snapshot) (*Snapshot, Delta) {
	var put []Part
	var del []Key
	for range r.IntN(6) {
		put = append(put, randomPart(t, r))
	}
	for range r.IntN(4) {
		del = append(del, randomPart(t, r).Key)
	}
	return s.Edit(s.Sequence()+1, put, del)
}
