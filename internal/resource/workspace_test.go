package resource_test

import (
	"testing"

	"github.com/causeway-apim/causeway/internal/resource"
	"github.com/causeway-apim/causeway/internal/resource/resourcetest"
)

type note struct {
	Text string `json:"text" rule:"required"`
	See  string `json:"see,omitempty" rule:"ref=notes"`
}

// Types with Workspaces exist in workspaces with the same nesting; short IDs and joins stay in the workspace.
func TestWorkspaces(t *testing.T) {
	t.Parallel()
	c, err := resource.NewCatalogue(
		resource.Define(resource.Spec[root]{Name: "service", Verbs: resource.CRUDL, TopLevel: true}),
		resource.Define(resource.Spec[note]{Name: "workspaces", Parents: []string{""}, Verbs: resource.CRUDL}),
		resource.Define(resource.Spec[note]{Name: "notes", Parents: []string{""}, Workspaces: true, Verbs: resource.CRUDL}),
		resource.Define(resource.Spec[note]{Name: "boards", Parents: []string{""}, Workspaces: true, Verbs: resource.CRUDL}),
		resource.Define(resource.Spec[struct{}]{Name: "notes", Parents: []string{"boards"}, Workspaces: true, Join: "notes", Verbs: resource.JoinVerbs}),
	)
	if err != nil {
		t.Fatal(err)
	}
	s := resourcetest.NewService(t, c)
	s.Must(404, "PUT", "workspaces/w/notes/a", `{"properties":{"text":"a"}}`)
	s.Must(201, "PUT", "workspaces/W", `{"properties":{"text":"w"}}`)
	s.Must(201, "PUT", "notes/a", `{"properties":{"text":"of the service"}}`)
	want(t, s.Must(201, "PUT", "workspaces/w/notes/a", `{"properties":{"text":"of the workspace"}}`),
		`{"id":"`+resourcetest.Service+`/workspaces/W/notes/a","type":"Microsoft.ApiManagement/service/workspaces/notes"}`)
	want(t, s.Must(201, "PUT", "workspaces/w/notes/b", `{"properties":{"text":"b","see":"/notes/a"}}`), `{"properties":{"see":"`+resourcetest.Service+`/workspaces/W/notes/a"}}`)
	s.Must(201, "PUT", "workspaces/v", `{"properties":{"text":"v"}}`)
	want(t, s.Must(400, "PUT", "workspaces/v/notes/c", `{"properties":{"text":"c","see":"/workspaces/w/notes/a"}}`), `{"error":{"details":[{"target":"see"}]}}`)
	s.Must(404, "GET", "workspaces/v/notes/c", "")
	want(t, s.Must(201, "PUT", "notes/b", `{"properties":{"text":"b","see":"notes/a"}}`), `{"properties":{"see":"`+resourcetest.Service+`/notes/a"}}`)
	s.Must(201, "PUT", "workspaces/w/boards/x", `{"properties":{"text":"x"}}`)
	want(t, s.Must(201, "PUT", "workspaces/w/boards/x/notes/a", ""), `{"properties":{"text":"of the workspace"}}`)
	want(t, s.Must(200, "GET", "notes", ""), `{"count":2}`)
	s.Must(200, "DELETE", "workspaces/w", "")
	s.Must(404, "GET", "workspaces/w/notes/a", "")
	s.Must(200, "GET", "notes/a", "")
}
