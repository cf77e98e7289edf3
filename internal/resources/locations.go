package resources

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/resource"
)

// locations are the regions of the service, as far as its network status is asked for.
func locations() *resource.Type {
	return resource.Define(resource.Spec[struct{}]{
		Name: "locations", Title: "Location of the service", Doc: "A region that the service is in.",
		Parents: []string{""},
		Acts: func(x *resource.Reader, id arm.ID) (*struct{}, error) {
			service, err := resource.Get[Service](x, x.Service)
			if err != nil {
				return nil, err
			}
			places := []string{service.Props.Location}
			for _, l := range service.Props.Properties.AdditionalLocations {
				places = append(places, l.Location)
			}
			if !slices.ContainsFunc(places, func(l string) bool { return strings.EqualFold(plainLocation(id.Name()), plainLocation(l)) }) {
				return nil, nil
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
