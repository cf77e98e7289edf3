package main

import (
	"strings"
	"testing"

	"github.com/causeway-apim/causeway/internal/configsync"
	"github.com/causeway-apim/causeway/internal/store"
)

func TestTierRules(t *testing.T) {
	t.Parallel()
	st, err := store.Open(t.Context(), "sqlite://:memory:", store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	f := func(tier string, others int, want string) {
		t.Helper()
		id := "/subscriptions/s/resourcegroups/g/providers/microsoft.apimanagement/service/" + strings.ToLower(tier)
		_, err := st.Update(t.Context(), id, func(tx store.Tx) error {
			return tx.Put(t.Context(), &store.Document{ID: id, Service: id, Type: "service", Name: tier, Body: []byte(`{"sku":{"name":"` + tier + `","capacity":1}}`)}, nil)
		})
		if err != nil {
			t.Fatal(err)
		}
		err = tierRules{st}.admit(t.Context(), configsync.Identity{Service: id, Gateway: "edge"}, others)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s with %d others: %v, want %q", tier, others, err, want)
		}
	}
	f("Developer", 0, "")
	f("Developer", 1, "one instance")
	f("Premium", 9, "")
	f("Basic", 0, "no self-hosted gateways")
	f("StandardV2", 0, "no self-hosted gateways")
}
