package resources

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/resource"
)

// locations are the regions of the service, as far as its network status is asked for.
func locations() *resource.Type {
	return resource.Define(resource.Spec[struct{}]{
		Name: "locations", Title: "Location of the service", Doc: "The region that the service is in.",
		Parents: []string{""},
		Acts: func(x *resource.Reader, id arm.ID) (*struct{}, error) {
			service, err := resource.Get[Service](x, x.Service)
			if err != nil || !strings.EqualFold(plainLocation(id.Name()), plainLocation(service.Props.Location)) {
				return nil, err
			}
			return new(struct{}), nil
		},
		Actions: []resource.Action[struct{}]{{
			Name: "networkstatus", Method: http.MethodGet, Doc: "Answers what of Azure the service can reach from the region. Causeway depends on nothing there.",
			Read: func(*resource.Reader, *resource.Doc[struct{}], json.RawMessage) (any, error) {
				return map[string]any{"dnsServers": []string{}, "connectivityStatus": []any{}}, nil
			},
		}},
	})
}

// plainLocation is a location's name without the spaces of its display form: "West Europe".
func plainLocation(name string) string { return strings.ReplaceAll(name, " ", "") }
