package resources_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/auth"
	"github.com/causeway-apim/causeway/internal/resource"
	"github.com/causeway-apim/causeway/internal/resource/resourcetest"
	"github.com/causeway-apim/causeway/internal/resources"
	"github.com/causeway-apim/causeway/internal/snapshot"
	"github.com/causeway-apim/causeway/internal/store"
)

// publish makes the snapshot of the service [resourcetest.Service].
func publish(t *testing.T, srv *resourcetest.Server) *snapshot.Snapshot {
	t.Helper()
	made := map[string]*snapshot.Snapshot{}
	p := resource.NewPublisher(resource.PublisherConfig{
		Store: srv.Store, Catalogue: srv.Engine.Catalogue(), Now: func() time.Time { return srv.Now },
		Publish: func(service string, s *snapshot.Snapshot) error { made[service] = s; return nil }, Remove: func(string) {},
	})
	if err := p.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	return made[strings.ToLower(resourcetest.Service)]
}

// part returns a part of a snapshot.
func part[T any](t *testing.T, s *snapshot.Snapshot, kind snapshot.Kind, id string) T {
	t.Helper()
	p, ok := s.Get(snapshot.Key{Kind: kind, ID: id})
	if !ok {
		t.Fatalf("there is no part %s %s", kind, id)
	}
	v, err := snapshot.Decode[T](p)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// answer decodes the answer to an action.
func answer[T any](t *testing.T, srv *resourcetest.Server, path, body string) (v T) {
	t.Helper()
	if err := json.Unmarshal(srv.Must(http.StatusOK, "POST", path, body).Body, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func view(t *testing.T, srv *resourcetest.Server, fn func(ctx context.Context, r store.Reader)) {
	t.Helper()
	err := srv.Store.View(t.Context(), func(r store.Reader) error { fn(t.Context(), r); return nil })
	if err != nil {
		t.Fatal(err)
	}
}

// A gateway finds a subscription by the hash of the key that listSecrets answers.
func TestSubscriptionParts(t *testing.T) {
	t.Parallel()
	srv := resourcetest.NewService(t, catalogue(t))
	srv.Must(http.StatusCreated, "PUT", "users/Ada", `{"properties":{"firstName":"Ada","lastName":"Byron","email":"ada@example.com","state":"blocked"}}`)
	srv.Must(http.StatusCreated, "PUT", "products/Starter", `{"properties":{"displayName":"Starter"}}`)
	srv.Must(http.StatusCreated, "PUT", "subscriptions/S1", `{"properties":{"displayName":"One","scope":"/products/starter","ownerId":"/users/ada","allowTracing":true}}`)
	srv.Must(http.StatusOK, "PATCH", "subscriptions/S1", `{"properties":{"expirationDate":"2027-01-01T00:00:00Z"}}`)
	srv.Must(http.StatusCreated, "PUT", "subscriptions/s2", `{"properties":{"displayName":"Two","scope":"/apis"}}`)
	snap := publish(t, srv)

	service := part[snapshot.Service](t, snap, snapshot.KindService, "")
	keys := answer[resources.SubscriptionKeys](t, srv, "subscriptions/s1/listSecrets", "")
	if len(keys.PrimaryKey) != 32 || len(keys.SecondaryKey) != 32 || keys.PrimaryKey == keys.SecondaryKey {
		t.Errorf("keys are %q and %q", keys.PrimaryKey, keys.SecondaryKey)
	}
	hash := func(key string) []byte {
		mac := hmac.New(sha256.New, service.KeyHashKey)
		mac.Write([]byte(key))
		return mac.Sum(nil)
	}
	s1 := part[snapshot.Subscription](t, snap, snapshot.KindSubscription, "subscriptions/s1")
	if !bytes.Equal(s1.PrimaryHash, hash(keys.PrimaryKey)) || !bytes.Equal(s1.SecondaryHash, hash(keys.SecondaryKey)) {
		t.Error("the hashes are not those of the keys")
	}
	if s1.Scope != "products/starter" || s1.User != "Ada" || s1.State != "active" || !s1.Tracing || s1.Name != "S1" || !s1.Created.Equal(srv.Now) {
		t.Errorf("part of a product's subscription: %+v", s1)
	}
	if s1.End == nil || s1.End.Year() != 2027 || s1.Start == nil {
		t.Errorf("times of the part: %v %v", s1.Start, s1.End)
	}
	if k := part[snapshot.SubscriptionKeys](t, snap, snapshot.KindSubscriptionKeys, "subscriptions/s1"); k.Primary != keys.PrimaryKey || k.Secondary != keys.SecondaryKey {
		t.Error("the part of the keys holds others")
	}
	if s := part[snapshot.Subscription](t, snap, snapshot.KindSubscription, "subscriptions/s2"); s.Scope != "apis" || s.User != "" {
		t.Errorf("part of an all-APIs subscription: %+v", s)
	}
	if s := part[snapshot.Subscription](t, snap, snapshot.KindSubscription, "subscriptions/master"); s.Scope != "" || s.State != "active" {
		t.Errorf("part of the all-access subscription: %+v", s)
	}
	user := part[snapshot.User](t, snap, snapshot.KindUser, "users/ada")
	if user.Active || user.Email != "ada@example.com" || len(user.Groups) != 1 || user.Groups[0] != "developers" {
		t.Errorf("part of a blocked user: %+v", user)
	}
}

// A changed membership publishes the user again, although the user's document did not change.
func TestMembershipIsPublished(t *testing.T) {
	t.Parallel()
	srv := resourcetest.NewService(t, catalogue(t))
	var snap *snapshot.Snapshot
	p := resource.NewPublisher(resource.PublisherConfig{
		Store: srv.Store, Catalogue: srv.Engine.Catalogue(), Now: time.Now,
		Publish: func(_ string, s *snapshot.Snapshot) error { snap = s; return nil }, Remove: func(string) {},
	})
	srv.Must(http.StatusCreated, "PUT", "users/ada", `{"properties":{"firstName":"Ada","lastName":"Byron","email":"ada@example.com"}}`)
	srv.Must(http.StatusCreated, "PUT", "groups/partners", `{"properties":{"displayName":"Partners"}}`)
	groups := func() string {
		if err := p.Load(t.Context()); err != nil {
			t.Fatal(err)
		}
		return strings.Join(part[snapshot.User](t, snap, snapshot.KindUser, "users/ada").Groups, " ")
	}
	if got := groups(); got != "developers" {
		t.Fatalf("groups are %q", got)
	}
	srv.Must(http.StatusCreated, "PUT", "groups/partners/users/ada", "")
	if got := groups(); got != "developers partners" {
		t.Errorf("after joining the groups are %q", got)
	}
	srv.Must(http.StatusOK, "DELETE", "groups/partners", "")
	if got := groups(); got != "developers" {
		t.Errorf("after the group was deleted the groups are %q", got)
	}
}

func TestSubscriptionKey(t *testing.T) {
	t.Parallel()
	srv := resourcetest.NewService(t, catalogue(t))
	srv.Must(http.StatusCreated, "PUT", "subscriptions/s", `{"properties":{"displayName":"S","scope":"/apis","primaryKey":"the key"}}`)
	service, err := arm.ParseID(resourcetest.Service)
	if err != nil {
		t.Fatal(err)
	}
	view(t, srv, func(ctx context.Context, r store.Reader) {
		if key, err := resources.SubscriptionKey(ctx, r, arm.Below(service, "subscriptions/S")); err != nil || key != "the key" {
			t.Errorf("the key is %q, %v", key, err)
		}
		if _, err := resources.SubscriptionKey(ctx, r, arm.Below(service, "subscriptions/none")); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("a missing subscription: %v", err)
		}
	})
}

// A token holds until the key that made it is regenerated, and the gateway's part changes then.
func TestGatewayTokens(t *testing.T) {
	t.Parallel()
	srv := resourcetest.NewService(t, catalogue(t))
	srv.Must(http.StatusCreated, "PUT", "gateways/Edge", `{"properties":{"locationData":{"name":"Cellar"}}}`)
	other := strings.Replace(resourcetest.Service, "contoso", "fabrikam", 1)
	srv.Must(http.StatusCreated, "PUT", other, `{"location":"westeurope","sku":{"name":"Developer"},"properties":{"publisherEmail":"b@example.com","publisherName":"B"}}`)
	srv.Must(http.StatusCreated, "PUT", other+"/gateways/edge", `{"properties":{"locationData":{"name":"Attic"}}}`)

	text := answer[resources.GatewayTokenContract](t, srv, "gateways/edge/generateToken", `{"keyType":"Secondary","expiry":"2026-03-02T12:00:30Z"}`).Value
	token, err := auth.ParseGatewayToken(text)
	if err != nil {
		t.Fatal(err)
	}
	if token.Gateway != "Edge" || !token.Expiry.Equal(time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)) {
		t.Errorf("token of %q until %s", token.Gateway, token.Expiry)
	}
	verify := func() (services []string) {
		view(t, srv, func(ctx context.Context, r store.Reader) {
			found, err := resources.GatewayKeys(ctx, r, token.Gateway)
			if err != nil || len(found) != 2 {
				t.Fatalf("%d gateways of the name, %v", len(found), err)
			}
			for _, k := range found {
				if _, err := token.Verify(srv.Now, k.Primary, k.Secondary); err == nil {
					services = append(services, k.Service+" "+k.Gateway)
				}
			}
		})
		return services
	}
	if got := verify(); len(got) != 1 || got[0] != strings.ToLower(resourcetest.Service)+" Edge" {
		t.Errorf("the token is taken by %v", got)
	}
	keyID := func() string {
		return part[snapshot.Gateway](t, publish(t, srv), snapshot.KindGateway, "gateways/edge").KeyID
	}
	before := keyID()
	srv.Must(http.StatusNoContent, "POST", "gateways/edge/regenerateKey", `{"keyType":"primary"}`)
	if got := verify(); len(got) != 1 {
		t.Errorf("after the other key was regenerated the token is taken by %v", got)
	}
	if keyID() == before {
		t.Error("the part does not tell that a key has changed")
	}
	srv.Must(http.StatusNoContent, "POST", "gateways/edge/regenerateKey", `{"keyType":"secondary"}`)
	if got := verify(); len(got) != 0 {
		t.Errorf("after its key was regenerated the token is taken by %v", got)
	}
	view(t, srv, func(ctx context.Context, r store.Reader) {
		for _, name := range []string{"", "none", "edge/apis/x", strings.Repeat("x", 3000)} {
			if found, err := resources.GatewayKeys(ctx, r, name); len(found) != 0 || err != nil {
				t.Errorf("gateways %.20q: %v, %v", name, found, err)
			}
		}
	})
}

func TestInstances(t *testing.T) {
	t.Parallel()
	c, err := resources.New(resources.Env{Instances: func(service, gateway string) any {
		return []map[string]string{{"id": gateway + " of " + service}}
	}})
	if err != nil {
		t.Fatal(err)
	}
	srv := resourcetest.NewService(t, c)
	srv.Must(http.StatusCreated, "PUT", "gateways/edge", `{"properties":{"locationData":{"name":"Cellar"}}}`)
	want := `{"value":[{"id":"edge of ` + strings.ToLower(resourcetest.Service) + `"}]}`
	if got := srv.Must(http.StatusOK, "GET", "gateways/edge/instances", "").Body; string(got) != want {
		t.Errorf("instances are %s, want %s", got, want)
	}
}

// What is secret is neither answered nor readable in the files of the database.
func TestSecretsAtRest(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	now := func() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }
	st, err := store.Open(t.Context(), "sqlite://"+filepath.Join(dir, "causeway.db"), store.Options{Now: now, Keyring: store.NewKeyring([32]byte{1})})
	if err != nil {
		t.Fatal(err)
	}
	_, err = st.Update(t.Context(), "", func(tx store.Tx) error {
		return tx.Put(t.Context(), &store.Document{ID: strings.ToLower(resourcetest.Group), Path: resourcetest.Group, Type: "resourceGroups", Name: "test", Body: []byte("{}")}, nil)
	})
	if err != nil {
		t.Fatal(err)
	}
	srv := &resourcetest.Server{T: t, Store: st, Engine: resource.NewEngine(resource.Config{Store: st, Catalogue: catalogue(t), Now: now}), Now: now()}
	srv.Must(http.StatusCreated, "PUT", resourcetest.Service, `{"location":"westeurope","sku":{"name":"Developer"},"properties":{"publisherEmail":"a@example.com","publisherName":"A"}}`)
	for path, props := range map[string]string{
		"namedValues/n":   `"displayName":"n","secret":true,"value":"SECRET-named"`,
		"subscriptions/s": `"displayName":"s","scope":"/apis","primaryKey":"SECRET-primary","secondaryKey":"SECRET-secondary"`,
		"users/u":         `"firstName":"u","lastName":"u","email":"u@example.com","password":"SECRET-password"`,
		"backends/b": `"url":"http://b.example","protocol":"http","proxy":{"url":"http://p.example","password":"SECRET-proxy"},
			"credentials":{"header":{"k":["SECRET-header"]},"query":{"q":["SECRET-query"]},"authorization":{"scheme":"Basic","parameter":"SECRET-parameter"}}`,
		"gateways/g": `"locationData":{"name":"here"}`,
	} {
		put := srv.Must(http.StatusCreated, "PUT", path, `{"properties":{`+props+`}}`).Body
		got := srv.Must(http.StatusOK, "GET", path, "").Body
		if path != "backends/b" && bytes.Contains(append(put, got...), []byte("SECRET")) || bytes.Contains(append(put, got...), []byte("SECRET-proxy")) {
			t.Errorf("%s answers a secret: %s %s", path, put, got)
		}
		if bytes.Contains(append(put, got...), []byte("argon2")) {
			t.Errorf("%s answers the hash of a password", path)
		}
	}
	key := answer[resources.GatewayKeysContract](t, srv, "gateways/g/listKeys", "").Primary
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var all []byte
	for _, f := range files {
		data, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, data...)
	}
	if !bytes.Contains(all, []byte("u@example.com")) {
		t.Fatal("the files do not hold what they should: the test looks in the wrong place")
	}
	for _, secret := range []string{"SECRET-", "argon2id", key} {
		if bytes.Contains(all, []byte(secret)) {
			t.Errorf("the files of the database hold %q in clear", secret)
		}
	}
}

// What answers secrets carries the tag of the resource that they belong to.
func TestSecretsHaveTags(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	srv.Must(http.StatusCreated, "PUT", "gateways/edge", props(t, map[string]any{"locationData": map[string]any{"name": "Here"}}))
	srv.Must(http.StatusCreated, "PUT", "namedValues/n", props(t, map[string]any{"displayName": "n", "value": "v", "secret": true}))
	for path, action := range map[string]string{"gateways/edge": "listKeys", "namedValues/n": "listValue", "subscriptions/master": "listSecrets"} {
		want := srv.Must(http.StatusOK, "GET", path, "").Header.Get("ETag")
		if got := srv.Must(http.StatusOK, "POST", path+"/"+action, "").Header.Get("ETag"); got == "" || got != want {
			t.Errorf("%s answers the tag %q, want %q", action, got, want)
		}
	}
	if tag := srv.Must(http.StatusOK, "GET", "gateways/edge/instances", "").Header.Get("ETag"); tag != "" {
		t.Errorf("instances have the tag %q although they change by themselves", tag)
	}
}
