package gateway_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/causeway-apim/causeway/internal/snapshot"
)

// admitWorld has the APIs open (no key needed), closed and sold, which is in the
// closed product and, if opened, in an open one.
func admitWorld(t *testing.T, opened bool, subscriptions ...snapshot.Part) *world {
	show := inbound(`<return-response><set-body>@(
		(context.Product == null ? "-" : context.Product.Id) + " " + (context.Subscription == null ? "-" : context.Subscription.Id) + " " +
		(context.User == null ? "-" : context.User.Id))</set-body></return-response>`)
	w := newWorld(t, policyPart(t, "", show), mustPart(snapshot.KindUser, "users/eve", snapshot.User{Name: "Eve", Active: true}),
		mustPart(snapshot.KindUser, "users/blocked", snapshot.User{Name: "blocked"}),
		mustPart(snapshot.KindProduct, "products/gold", snapshot.Product{Name: "Gold", SubscriptionRequired: true}),
		mustPart(snapshot.KindProduct, "products/free", snapshot.Product{Name: "Free", SubscriptionRequired: !opened}),
		mustPart(snapshot.KindProductAPI, "products/gold/apis/sold", snapshot.ProductAPI{Product: "gold", API: "sold"}),
		mustPart(snapshot.KindProductAPI, "products/free/apis/sold", snapshot.ProductAPI{Product: "free", API: "sold"}))
	for _, name := range []string{"open", "closed", "sold"} {
		w.put(apiPart(snapshot.API{ID: name, Name: name, Path: name, SubscriptionRequired: name != "open"}), operationPart(name, "get", "GET /"))
	}
	w.put(subscriptions...)
	return w
}

func TestAdmission(t *testing.T) {
	t.Parallel()
	scopes := map[string]string{"": "", "apis": "", "apis/closed": "", "apis/sold": "", "products/gold": "Gold", "products/gone": ""}
	opens := func(scope, api string) bool {
		switch scope {
		case "", "apis", "apis/" + api:
			return true
		case "products/gold":
			return api == "sold"
		}
		return false
	}
	for scope, product := range scopes {
		for _, state := range []string{"active", "suspended", "submitted", "rejected", "cancelled", "expired"} {
			w := admitWorld(t, true, subscriptionPart("sub", scope, "k", func(s *snapshot.Subscription) { s.State, s.User = state, "eve" }))
			for _, api := range []string{"open", "closed", "sold"} {
				x := w.do("GET "+host+"/"+api, "Ocp-Apim-Subscription-Key", "k")
				want := `401 {"statusCode":401,"message":"Access denied due to invalid subscription key. Make sure to provide a valid key for an active subscription."}`
				if state == "active" && opens(scope, api) {
					want = fmt.Sprintf("200 %s sub Eve", orDash(product))
				}
				if x.String() != want {
					t.Errorf("%s subscription of %q at %s: got %s, want %s", state, scope, api, x, want)
				}
			}
		}
	}
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func TestAdmissionWithoutKey(t *testing.T) {
	t.Parallel()
	const refused = `401 {"statusCode":401,"message":"Access denied due to missing subscription key. Make sure to include subscription key when making requests to this API."}`
	f := func(w *world, api, want string) {
		t.Helper()
		x := w.do("GET " + host + "/" + api)
		if x.String() != want {
			t.Errorf("%s: got %s, want %s", api, x, want)
		}
		challenge := `AzureApiManagementKey realm="https://dev.gateway.localhost/` + api + `",name="Ocp-Apim-Subscription-Key",type="header"`
		if got := x.header.Get("WWW-Authenticate"); x.status == 401 && got != challenge {
			t.Errorf("%s: challenge %s", api, got)
		}
	}
	opened, closed := admitWorld(t, true), admitWorld(t, false)
	f(opened, "open", "200 - - -")
	f(opened, "closed", refused)
	f(opened, "sold", "200 Free - -")
	f(closed, "open", "200 - - -")
	f(closed, "sold", refused)
}

func TestKeyPlaces(t *testing.T) {
	t.Parallel()
	w := admitWorld(t, false, subscriptionPart("sub", "", "k y", nil), subscriptionPart("late", "", "late", func(s *snapshot.Subscription) {
		end := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
		s.End = &end
	}), subscriptionPart("soon", "", "soon", func(s *snapshot.Subscription) {
		start := time.Date(2026, 1, 2, 3, 4, 6, 0, time.UTC)
		s.Start = &start
	}), subscriptionPart("blocked", "", "b", func(s *snapshot.Subscription) { s.User = "Blocked" }))
	w.put(apiPart(snapshot.API{ID: "own", Path: "own", SubscriptionRequired: true, KeyHeader: "X-Key", KeyQuery: "key"}), operationPart("own", "get", "GET /"))
	f := func(target string, want int, header ...string) {
		t.Helper()
		if x := w.do("GET "+host+target, header...); x.status != want {
			t.Errorf("%s %q: got %s, want %d", target, header, x, want)
		}
	}
	f("/closed", 200, "ocp-apim-subscription-key", "k y")
	f("/closed?a=1&Subscription-Key=k%20y", 200)
	f("/closed?subscription-key=k+y", 200)
	f("/closed?subscription-key=k+y", 401, "Ocp-Apim-Subscription-Key", "wrong") // the header counts
	f("/closed?subscription-key=", 401)
	f("/closed", 401, "X-Key", "k y")
	f("/own", 200, "X-Key", "k y")
	f("/own?key=k+y", 200)
	f("/own", 401, "Ocp-Apim-Subscription-Key", "k y")
	f("/closed?subscription-key=late", 401)
	f("/closed?subscription-key=soon", 401)
	f("/closed?subscription-key=b", 401)
	f("/open?subscription-key=wrong", 401) // also where none is needed
}

func TestKeyMoves(t *testing.T) {
	t.Parallel()
	w := admitWorld(t, false, subscriptionPart("b", "", "one", nil), subscriptionPart("a", "", "two", nil))
	f := func(key, want string) {
		t.Helper()
		for range 2 { // the second time the key is known
			x := w.do("GET "+host+"/closed", "Ocp-Apim-Subscription-Key", key)
			if want == "" && x.status != 401 || want != "" && x.String() != want {
				t.Errorf("%s: got %s, want %q", key, x, want)
			}
		}
	}
	f("one", "200 - b -")
	w.put(subscriptionPart("a", "", "one", nil), subscriptionPart("b", "", "three", nil))
	f("one", "200 - a -")
	f("two", "")
	f("three", "200 - b -")
	if err := w.change(nil, snapshot.Key{Kind: snapshot.KindSubscription, ID: "subscriptions/a"}); err != nil {
		t.Fatal(err)
	}
	f("one", "")
}

// TestManyKeys uses more keys than a gateway remembers.
func TestManyKeys(t *testing.T) {
	t.Parallel()
	const keys = 1500
	var parts []snapshot.Part
	for i := range keys {
		parts = append(parts, subscriptionPart(fmt.Sprint("s", i), "", fmt.Sprint("key", i), nil))
	}
	w := admitWorld(t, false, parts...)
	for range 2 {
		for i := range keys {
			if x := w.do("GET "+host+"/closed", "Ocp-Apim-Subscription-Key", fmt.Sprint("key", i)); x.String() != fmt.Sprintf("200 - s%d -", i) {
				t.Fatalf("key%d: got %s", i, x)
			}
			if x := w.do("GET "+host+"/closed", "Ocp-Apim-Subscription-Key", fmt.Sprint("yek", i)); x.status != 401 {
				t.Fatalf("yek%d: got %s", i, x)
			}
		}
	}
}
