package plane

import (
	"context"
	"crypto/sha256"
	"fmt"
	"testing"
	"time"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/causewaytest"
	"github.com/causeway-apim/causeway/internal/resource"
	"github.com/causeway-apim/causeway/internal/resources"
	"github.com/causeway-apim/causeway/internal/store"
)

const (
	operationsPerAPI    = 10
	subscriptionsPerAPI = 100
	productsPerAPI      = 0.1
	usersPerAPI         = 1
	batch               = 10_000 // documents in one transaction of the fill
)

// filler writes a service's documents below the management API, many in a transaction.
type filler struct {
	ctx     context.Context
	engine  *resource.Engine
	service arm.ID
}

// fill gives the service in a database, which no process has open, so many APIs with what belongs to them. The service
// and the API api-0 are there already.
func fill(tb testing.TB, database, keyFile string, apis int) {
	tb.Helper()
	ctx := tb.Context()
	keyring, err := store.LoadKeyring(ctx, keyFile)
	if err != nil {
		tb.Fatal(err)
	}
	st, err := store.Open(ctx, database, store.Options{Keyring: keyring})
	if err != nil {
		tb.Fatal(err)
	}
	catalogue, err := resources.New(resources.Env{})
	if err != nil {
		tb.Fatal(err)
	}
	service, err := arm.ParseID(causewaytest.DevService)
	if err != nil {
		tb.Fatal(err)
	}
	f := &filler{ctx: ctx, engine: resource.NewEngine(resource.Config{Store: st, Catalogue: catalogue, Now: time.Now}), service: service}
	if err := f.all(apis); err != nil {
		tb.Fatal(err)
	}
	if err := st.Close(); err != nil {
		tb.Fatal(err)
	}
}

func (f *filler) all(apis int) error {
	users, products := apis*usersPerAPI, max(1, int(float64(apis)*productsPerAPI))
	if err := f.apis(apis); err != nil {
		return err
	}
	if err := save(f, apis*operationsPerAPI, "apis/api-%d/operations/op-%d", func(i int) []any { return []any{i / operationsPerAPI, i % operationsPerAPI} }, operation); err != nil {
		return err
	}
	if err := save(f, products, "products/product-%d", one, func(i int) resources.Product {
		return resources.Product{DisplayName: fmt.Sprintf("Product %d", i), SubscriptionRequired: true, State: "published"}
	}); err != nil {
		return err
	}
	if err := save(f, users, "users/user-%d", one, func(i int) resources.User {
		return resources.User{FirstName: "User", LastName: fmt.Sprint(i), Email: fmt.Sprintf("user-%d@example.com", i), State: "active"}
	}); err != nil {
		return err
	}
	return save(f, apis*subscriptionsPerAPI, "subscriptions/s-%d", one, func(i int) resources.Subscription {
		return resources.Subscription{
			DisplayName: fmt.Sprintf("Subscription %d", i), State: "active",
			Scope:      fmt.Sprintf("%s/products/product-%d", causewaytest.DevService, i%products),
			OwnerID:    fmt.Sprintf("%s/users/user-%d", causewaytest.DevService, i%users),
			PrimaryKey: key("p", i), SecondaryKey: key("s", i), PrimaryHash: hash("p", i), SecondaryHash: hash("s", i),
		}
	})
}

// apis copies the API api-0.
func (f *filler) apis(n int) error {
	var first *resource.Doc[resources.API]
	err := f.engine.ReadFunc(f.ctx, f.service, func(x *resource.Reader) (err error) {
		first, err = resource.Get[resources.API](x, f.service.Child("apis", "api-0"))
		return err
	})
	if err != nil {
		return err
	}
	return save(f, n, "apis/api-%d", one, func(i int) resources.API {
		api, path := first.Props, fmt.Sprintf("api-%d", i)
		api.DisplayName, api.Path = fmt.Sprintf("API %d", i), &path
		return api
	})
}

func operation(i int) resources.Operation {
	return resources.Operation{
		DisplayName: fmt.Sprintf("Operation %d", i), Method: "GET", URLTemplate: fmt.Sprintf("/things/%d/{id}", i%operationsPerAPI),
		TemplateParameters: []resources.Parameter{{Name: "id", Type: "string", Required: true}},
		Responses:          []resources.OperationResponse{{StatusCode: 200, Description: "The thing."}},
	}
}

func one(i int) []any { return []any{i} }

// save writes n documents, the names of which are made of pattern and names.
func save[T any](f *filler, n int, pattern string, names func(i int) []any, props func(i int) T) error {
	for first := 0; first < n; first += batch {
		docs := make([]*resource.Doc[T], min(batch, n-first))
		for i := range docs {
			id := arm.Below(f.service, fmt.Sprintf(pattern, names(first+i)...))
			docs[i] = &resource.Doc[T]{Meta: resource.Meta{ID: id}, Props: props(first + i)}
		}
		if err := f.engine.WriteFunc(f.ctx, f.service, func(x *resource.Tx) error { return resource.SaveAll(x, docs) }); err != nil {
			return err
		}
	}
	return nil
}

// hash stands for the keyed hash of a subscription key.
func hash(kind string, i int) []byte {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s-%d", kind, i))
	return sum[:]
}

func key(kind string, i int) string { return fmt.Sprintf("%x", hash(kind, i))[:32] }
