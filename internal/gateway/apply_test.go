package gateway_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/causeway-apim/causeway/internal/policy"
	"github.com/causeway-apim/causeway/internal/snapshot"
)

// TestApplyIsIndependentOfHistory makes random changes and compares the gateway
// that took each with one that starts from the last snapshot.
func TestApplyIsIndependentOfHistory(t *testing.T) {
	t.Parallel()
	statuses := make(map[int]int)
	for seed := range uint64(6) {
		rng := rand.New(rand.NewPCG(seed, 7))
		w := newWorld(t,
			mustPart(snapshot.KindNamedValue, "namedvalues/n1", snapshot.NamedValue{Name: "Color", Value: "red"}),
			mustPart(snapshot.KindFragment, "policyfragments/f", snapshot.Fragment{Name: "f", Format: "rawxml", Value: "<fragment />"}),
			apiPart(snapshot.API{ID: "a1", Path: "p"}), operationPart("a1", "o1", "GET /*"), apiPart(snapshot.API{ID: "a2", Path: "r"}), operationPart("a2", "o1", "GET /*"))
		for step := range 40 {
			put, del := randomChange(t, rng)
			if err := w.change(put, del...); err != nil {
				continue // a policy lost its fragment or named value: the old configuration stays
			}
			if step%8 != 7 {
				continue
			}
			fresh := newWorld(t)
			fresh.gateway.Remove(serviceID)
			if err := fresh.gateway.Apply(t.Context(), serviceID, nil, w.snapshot, snapshot.Delta{}); err != nil {
				t.Fatal(err)
			}
			for range 150 {
				request, header := randomRequest(rng)
				w.backend.requests, fresh.backend.requests = nil, nil
				got, want := w.do(request, header...), fresh.do(request, header...)
				if got.String() != want.String() || fmt.Sprint(w.backend.sent()) != fmt.Sprint(fresh.backend.sent()) {
					t.Fatalf("seed %d, step %d, %s %s: incremental %s, from scratch %s", seed, step, request, header, got, want)
				}
				statuses[got.status]++
			}
		}
	}
	for _, status := range []int{200, 401, 404} {
		if statuses[status] < 150 {
			t.Errorf("the requests are not varied enough: %v", statuses)
		}
	}
}

// randomChange puts and deletes parts of a small world in which everything
// refers to everything.
func randomChange(t *testing.T, rng *rand.Rand) (put []snapshot.Part, del []snapshot.Key) {
	pick := func(list ...string) string { return list[rng.IntN(len(list))] }
	api := func() string { return pick("a1", "a2", "a1;rev=2") }
	for range 1 + rng.IntN(4) {
		id := api()
		name, _, _ := strings.Cut(id, ";")
		var p snapshot.Part
		switch rng.IntN(12) {
		case 0, 1:
			a := snapshot.API{
				ID: id, Name: name, Path: pick("p", "p/q", "", "r"), SubscriptionRequired: rng.IntN(2) == 0, Revision: "1", IsCurrent: true,
				VersionSet: pick("", "vs"), Version: pick("", "v1"), ServiceURL: "http://" + name + ".test/" + pick("", "base"),
			}
			if id != name {
				a.Revision, a.IsCurrent = "2", false
			}
			p = apiPart(a)
		case 2, 3, 4:
			p = operationPart(id, pick("o1", "o2", "o3"), pick("GET /", "GET /x", "GET /{y}", "GET /*", "POST /x", "GET /x?k={k}"))
		case 5:
			p = mustPart(snapshot.KindVersionSet, "apiversionsets/vs", snapshot.VersionSet{Name: "vs", Scheme: pick("Segment", "Header"), HeaderName: "V"})
		case 6:
			product := pick("pr1", "pr2")
			p = mustPart(snapshot.KindProduct, "products/"+product, snapshot.Product{Name: product, SubscriptionRequired: rng.IntN(2) == 0})
		case 7:
			product := pick("pr1", "pr2")
			p = mustPart(snapshot.KindProductAPI, "products/"+product+"/apis/"+name, snapshot.ProductAPI{Product: product, API: name})
		case 8:
			name := pick("s1", "s2")
			p = subscriptionPart(name, pick("", "apis", "apis/a1", "products/pr1"), "key-of-"+name+pick("", "2"), nil)
		case 9:
			p = mustPart(snapshot.KindNamedValue, "namedvalues/"+pick("n1", "n2"), snapshot.NamedValue{Name: pick("Color", "Shade"), Value: pick("red", "blue")})
		case 10:
			p = mustPart(snapshot.KindFragment, "policyfragments/f", snapshot.Fragment{Name: "f", Format: "rawxml", Value: "<fragment><set-header name=\"F\"><value>" + pick("1", "{{Color}}") + "</value></set-header></fragment>"})
		case 11:
			scope := pick("apis/"+id, "apis/"+id+"/operations/o1", "products/pr1")
			p = policyPart(t, scope, inbound(pick(
				"<set-header name=\"P\"><value>{{Color}}</value></set-header>", "<include-fragment fragment-id=\"f\" />",
				"<set-query-parameter name=\"from\"><value>"+scope+"</value></set-query-parameter>", "<set-backend-service backend-id=\"b\" />",
			)))
		}
		if rng.IntN(6) == 0 {
			del = append(del, p.Key)
		} else {
			put = append(put, p)
		}
	}
	if rng.IntN(6) == 0 {
		put = append(put, mustPart(snapshot.KindBackend, "backends/b", snapshot.Backend{Name: "b", URL: "http://b.test/{{Shade}}"}))
	}
	return put, del
}

func randomRequest(rng *rand.Rand) (string, []string) {
	pick := func(list ...string) string { return list[rng.IntN(len(list))] }
	request := pick("GET", "GET", "POST") + " " + host + pick("/p", "/p/q", "", "/r", "/p;rev=2", "/p/v1") + pick("", "/", "/x", "/q/x", "/v1/x", "/z") + pick("", "", "?k=1")
	return request, []string{
		pick("V", "A"), pick("v1", "v2"), pick("Ocp-Apim-Subscription-Key", "B", "B"), pick("key-of-s1", "key-of-s12", "key-of-s2", "key-of-s22", "k"),
	}
}

func TestFailedChangeKeepsConfiguration(t *testing.T) {
	t.Parallel()
	w := newWorld(t, apiPart(snapshot.API{ID: "a", Path: "a"}), operationPart("a", "get", "GET /"))
	err := w.change([]snapshot.Part{
		policyPart(t, "apis/a", inbound("<nonsense />")), apiPart(snapshot.API{ID: "a", Path: "moved"}), operationPart("a", "new", "GET /new"),
	})
	if err == nil || !strings.Contains(err.Error(), "policy of apis/a") {
		t.Errorf("got error %v", err)
	}
	if got := w.do("GET " + host + "/a").status; got != 200 {
		t.Errorf("after a refused change: %d", got)
	}
	if got := w.do("GET " + host + "/moved").status; got != 404 {
		t.Errorf("a part of a refused change is served: %d", got)
	}
	// The next change is a delta to what was refused.
	refused, _ := w.snapshot.Edit(9, []snapshot.Part{policyPart(t, "apis/a", inbound("<nonsense />")), operationPart("a", "new", "GET /new")}, nil)
	next, delta := refused.Edit(10, []snapshot.Part{policyPart(t, "apis/a", inbound(""))}, nil)
	if err := w.gateway.Apply(t.Context(), serviceID, refused, next, delta); err != nil {
		t.Fatal(err)
	}
	if got := w.do("GET " + host + "/a/new").status; got != 200 {
		t.Errorf("after the correction: %d", got)
	}
}

func TestOnlyDependantsAreCompiled(t *testing.T) {
	t.Parallel()
	header := func(value string) string {
		return inbound(`<set-header name="X"><value>` + value + `</value></set-header>`)
	}
	w := newWorld(t,
		mustPart(snapshot.KindNamedValue, "namedvalues/n", snapshot.NamedValue{Name: "Color", Value: "red"}),
		mustPart(snapshot.KindFragment, "policyfragments/f", snapshot.Fragment{Name: "F", Format: "rawxml", Value: `<fragment><set-header name="Y"><value>{{Color}}</value></set-header></fragment>`}),
		mustPart(snapshot.KindFragment, "policyfragments/g", snapshot.Fragment{Name: "G", Format: "rawxml", Value: `<fragment />`}),
		policyPart(t, "apis/value", header("{{color}}")), policyPart(t, "apis/fragment", inbound(`<include-fragment fragment-id="F" />`)),
		policyPart(t, "apis/other", inbound(`<include-fragment fragment-id="G" />`)), policyPart(t, "apis/plain", header("1")),
	)
	f := func(want []string, put ...snapshot.Part) {
		t.Helper()
		before := w.gateway.Documents(serviceID)
		w.put(put...)
		var changed []string
		for scope, d := range w.gateway.Documents(serviceID) {
			if before[scope] != d {
				changed = append(changed, scope)
			}
		}
		if slices.Sort(changed); !slices.Equal(changed, want) {
			t.Errorf("compiled %q, want %q", changed, want)
		}
	}
	f([]string{"apis/fragment", "apis/value"}, mustPart(snapshot.KindNamedValue, "namedvalues/n", snapshot.NamedValue{Name: "Color", Value: "blue"}))
	f([]string{"apis/other"}, mustPart(snapshot.KindFragment, "policyfragments/g", snapshot.Fragment{Name: "G", Format: "rawxml", Value: "<fragment><!-- --></fragment>"}))
	f([]string{"apis/plain"}, policyPart(t, "apis/plain", header("2")))
	f(nil, mustPart(snapshot.KindNamedValue, "namedvalues/unused", snapshot.NamedValue{Name: "Unused", Value: "1"}))
	// A named value changes hands: one takes the name that another gives up.
	f([]string{"apis/fragment", "apis/value"},
		mustPart(snapshot.KindNamedValue, "namedvalues/a", snapshot.NamedValue{Name: "Color", Value: "green"}),
		mustPart(snapshot.KindNamedValue, "namedvalues/n", snapshot.NamedValue{Name: "Old", Value: "blue"}))
	all := slices.Collect(maps.Keys(w.gateway.Documents(serviceID)))
	f(slices.Sorted(slices.Values(all)), mustPart(snapshot.KindService, "", snapshot.Service{Name: "dev", KeyHashKey: hashKey, StrictExpressions: true}))
}

// TestPipelineFollowsChanges changes each scope of a request that was served
// before.
func TestPipelineFollowsChanges(t *testing.T) {
	t.Parallel()
	w := newWorld(t,
		apiPart(snapshot.API{ID: "a", Path: "a"}), operationPart("a", "get", "GET /"),
		mustPart(snapshot.KindProduct, "products/p", snapshot.Product{Name: "p"}),
		mustPart(snapshot.KindProductAPI, "products/p/apis/a", snapshot.ProductAPI{Product: "p", API: "a"}),
		subscriptionPart("all", "", "key", nil),
	)
	append1 := func(what string) string {
		return inbound(`<set-header name="Seen" exists-action="append"><value>` + what + `</value></set-header>`)
	}
	f := func(want string, header ...string) {
		t.Helper()
		w.do("GET "+host+"/a", header...)
		if got := strings.Join(w.backend.last().Header.Values("Seen"), ","); got != want {
			t.Errorf("policies that ran: %q, want %q", got, want)
		}
	}
	key := []string{"Ocp-Apim-Subscription-Key", "key"}
	f("")
	w.put(policyPart(t, "apis/a", append1("api")))
	f("api")
	f("api", key...)
	w.put(policyPart(t, "products/p", append1("product")))
	f("api,product")
	f("api", key...) // the subscription opens no product
	w.put(policyPart(t, "apis/a/operations/get", append1("operation")))
	f("operation,api,product")
	w.put(policyPart(t, "", strings.Replace(policy.DefaultServicePolicy, "<inbound />", `<inbound><set-header name="Seen" exists-action="append"><value>service</value></set-header></inbound>`, 1)))
	f("operation,api,product,service")
	if err := w.change(nil, policyPart(t, "apis/a", "").Key); err != nil {
		t.Fatal(err)
	}
	f("operation,product,service")
	f("operation,service", key...)
}
