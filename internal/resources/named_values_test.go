package resources_test

import (
	"net/http"
	"testing"

	"github.com/causeway-apim/causeway/internal/policies"
	"github.com/causeway-apim/causeway/internal/resource/resourcetest"
	"github.com/causeway-apim/causeway/internal/resources"
)

// What policies refer to cannot be taken from them: not by deleting, renaming or changing it so that they stop compiling.
func TestUsedByPolicies(t *testing.T) {
	t.Parallel()
	known, err := policies.Catalogue()
	if err != nil {
		t.Fatal(err)
	}
	c, err := resources.New(resources.Env{Policies: known})
	if err != nil {
		t.Fatal(err)
	}
	srv := resourcetest.NewService(t, c)
	srv.Must(http.StatusCreated, "PUT", "namedValues/n", `{"properties":{"displayName":"Status-Code","value":"503"}}`)
	srv.Must(http.StatusCreated, "PUT", "backends/b", `{"properties":{"url":"http://b.example","protocol":"http"}}`)
	policy := `<policies><inbound><base /><set-backend-service backend-id=\"b\" /><return-response><set-status code=\"{{status-code}}\" reason=\"no\" /></return-response></inbound>` +
		`<backend><forward-request /></backend><outbound /><on-error /></policies>`
	srv.Must(http.StatusOK, "PUT", "policies/policy", `{"properties":{"format":"rawxml","value":"`+policy+`"}}`)

	srv.Must(http.StatusBadRequest, "DELETE", "namedValues/n", "")
	srv.Must(http.StatusBadRequest, "DELETE", "backends/b", "")
	srv.Must(http.StatusBadRequest, "PATCH", "namedValues/n", `{"properties":{"displayName":"other"}}`)
	srv.Must(http.StatusBadRequest, "PATCH", "namedValues/n", `{"properties":{"value":"many"}}`)
	srv.Must(http.StatusOK, "PATCH", "namedValues/n", `{"properties":{"value":"500"}}`)
	srv.Must(http.StatusOK, "PATCH", "namedValues/n", `{"properties":{"displayName":"STATUS-code"}}`) // the same name

	srv.Must(http.StatusOK, "DELETE", "policies/policy", "")
	srv.Must(http.StatusOK, "DELETE", "namedValues/n", "")
	srv.Must(http.StatusOK, "DELETE", "backends/b", "")
}
