package resource_test

import (
	"context"
	"testing"
	"time"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/resource"
	"github.com/causeway-apim/causeway/internal/resource/resourcetest"
)

func TestDeletedServices(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	s := serve(t, hooks{})
	service, err := arm.ParseID(resourcetest.Service)
	if err != nil {
		t.Fatal(err)
	}
	s.Must(201, "PUT", "books/a", `{"properties":{"title":"A","key":"k1"}}`)
	deleted := func(want int) (list []resource.DeletedService) {
		t.Helper()
		if list, err = s.Engine.DeletedServices(ctx, service.Subscription()); err != nil || len(list) != want {
			t.Fatalf("deleted services: %v, %v; want %d", list, err, want)
		}
		return list
	}
	deleted(0)
	s.Must(200, "DELETE", resourcetest.Service, "")
	s.Must(404, "GET", resourcetest.Service, "")
	want(t, s.Must(404, "GET", "books/a", ""), `{"error":{"code":"ResourceNotFound"}}`)
	s.Must(404, "GET", "books", "")
	s.Must(404, "PUT", "books/b", `{"properties":{"title":"B"}}`)
	s.Must(404, "PATCH", "books/a", `{"properties":{"title":"B"}}`)
	s.Must(404, "DELETE", "books/a", "")
	s.Must(404, "POST", "books/a/listSecrets", "")
	if d := deleted(1)[0]; !d.ID.Equal(service) || d.Purge.Sub(d.Deleted) != resource.DeletedServiceLife || d.Location != "westeurope" {
		t.Errorf("deleted service is %+v", d)
	}

	// It cannot be made anew, but brought back with everything in it.
	want(t, s.Must(409, "PUT", resourcetest.Service, `{"location":"here"}`), `{"error":{"code":"Conflict"}}`)
	s.Must(200, "PUT", resourcetest.Service, `{"location":"there","properties":{"restore":true}}`)
	want(t, s.Must(200, "GET", resourcetest.Service, ""), `{"location":"westeurope"}`)
	want(t, s.Must(200, "POST", "books/a/listSecrets", ""), `{"key":"k1"}`)
	deleted(0)
	if err := s.Engine.PurgeService(ctx, service); !arm.IsNotFound(err) {
		t.Errorf("a service that is there is purged: %v", err)
	}

	// Purged, its name is free and nothing is left.
	s.Must(200, "DELETE", resourcetest.Service, "")
	if err := s.Engine.PurgeService(ctx, service); err != nil {
		t.Fatal(err)
	}
	deleted(0)
	s.Must(201, "PUT", resourcetest.Service, `{"location":"here","properties":{"restore":true}}`)
	s.Must(404, "GET", "books/a", "")

	// So it is when its time is up.
	s.Must(201, "PUT", "books/a", `{"properties":{"title":"A"}}`)
	s.Must(200, "DELETE", resourcetest.Service, "")
	s.Now = s.Now.Add(resource.DeletedServiceLife - time.Second)
	deleted(1)
	s.Now = s.Now.Add(time.Second)
	deleted(0)
	s.Must(201, "PUT", resourcetest.Service, `{"location":"westeurope"}`)
	s.Must(404, "GET", "books/a", "")
}
