package manage

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"strings"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/resource"
	"github.com/causeway-apim/causeway/internal/store"
)

// maxActionBody bounds the body of an action of the provider.
const maxActionBody = 64 << 10

// serviceType is the ARM type of services.
const serviceType = arm.Provider + "/service"

// ofProvider serves what API Management has beside its services, below a subscription: names, tiers, deleted services.
// segs are the lower-case segments of id.
func (s *Server) ofProvider(w http.ResponseWriter, r *http.Request, id arm.ID, segs []string) (answer, error) {
	if !validSubscription(segs[1]) {
		return answer{}, arm.Errorf(arm.CodeSubscriptionNotFound, "The subscription '%s' could not be found.", segs[1])
	}
	switch rest := strings.Join(segs[4:], "/"); {
	case r.Method == http.MethodPost && rest == "checknameavailability":
		if err := s.authorize(r.Context(), arm.Provider+"/checkNameAvailability/action", id); err != nil {
			return answer{}, err
		}
		return s.checkName(w, r)
	case r.Method == http.MethodPost && rest == "getdomainownershipidentifier":
		if err := s.authorize(r.Context(), arm.Provider+"/getDomainOwnershipIdentifier/action", id); err != nil {
			return answer{}, err
		}
		sum := sha256.Sum256([]byte(strings.ToLower(s.c.TenantID + "/" + segs[1])))
		return ok(map[string]string{"domainOwnershipIdentifier": hex.EncodeToString(sum[:])})
	case r.Method == http.MethodGet && rest == "skus":
		return s.reading(r, arm.Provider+"/skus/read", id, func() (answer, error) { return ok(list(skus())) })
	case r.Method == http.MethodGet && rest == "gateways":
		return s.reading(r, gatewaysARM+"/read", arm.Path("subscriptions", segs[1]), func() (answer, error) {
			return s.listDocuments(r, gatewaysType, store.Query{Under: "/subscriptions/" + segs[1]})
		})
	case r.Method == http.MethodGet && rest == "deletedservices":
		return s.reading(r, arm.Provider+"/deletedservices/read", id, func() (answer, error) { return s.listDeleted(r, segs[1]) })
	case len(segs) == 8 && segs[4] == "locations" && segs[6] == "deletedservices":
		return s.deletedService(r, id, segs)
	}
	return answer{}, arm.Errorf(arm.CodeTypeNotFound, "There is nothing at %s.", id).WithTarget(id.String())
}

// reading authorises a read and runs it.
func (s *Server) reading(r *http.Request, action string, id arm.ID, read func() (answer, error)) (answer, error) {
	if err := s.authorize(r.Context(), action, id); err != nil {
		return answer{}, err
	}
	return read()
}

// checkName says whether a service may have a name.
func (s *Server) checkName(w http.ResponseWriter, r *http.Request) (answer, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxActionBody))
	if err != nil {
		return answer{}, arm.Errorf(arm.CodeTooLarge, "The request's body is larger than %d bytes.", maxActionBody)
	}
	var in struct {
		Name string `json:"name"`
	}
	if err := arm.CheckJSON(body); err != nil {
		return answer{}, err
	}
	if json.Unmarshal(body, &in) != nil || in.Name == "" {
		return answer{}, arm.Invalid("name", "name is required.")
	}
	if !s.c.Catalogue.ValidServiceName(in.Name) {
		return ok(map[string]any{
			"nameAvailable": false, "reason": "Invalid",
			"message": "The name of a service begins with a letter, ends with a letter or a digit, holds letters, digits and hyphens, and has at most 50 characters.",
		})
	}
	free, err := s.engine.ServiceNameFree(r.Context(), in.Name)
	if err == nil && free {
		var deleted []resource.DeletedService
		deleted, err = s.engine.DeletedServices(r.Context(), "")
		for _, d := range deleted {
			free = free && !strings.EqualFold(d.ID.Name(), in.Name)
		}
	}
	if err != nil {
		return answer{}, err
	}
	if !free {
		return ok(map[string]any{"nameAvailable": false, "reason": "AlreadyExists", "message": in.Name + " is already in use. Choose another name."})
	}
	return ok(map[string]any{"nameAvailable": true, "reason": "Valid", "message": ""})
}

// tier is a pricing tier with the most units that it has in Azure.
type tier struct {
	name string
	most int
}

// tiers are those of services.
func tiers() []tier {
	return []tier{
		{"Developer", 1}, {"Basic", 2}, {"Standard", 4}, {"Premium", 31}, {"Isolated", 1}, {"Consumption", 0}, {"BasicV2", 10}, {"StandardV2", 10},
		{"PremiumV2", 30},
	}
}

// skus are the tiers as the list of a subscription shows them.
func skus() (values []any) {
	var places []any
	for _, l := range locationNames() {
		places = append(places, map[string]any{"location": l, "zones": []any{}, "zoneDetails": []any{}})
	}
	for _, t := range tiers() {
		scale := "Automatic"
		if t.most <= 1 {
			scale = "None"
		}
		values = append(values, map[string]any{
			"resourceType": "service", "name": t.name, "tier": t.name, "locations": locationNames(), "apiVersions": arm.APIVersions(),
			"capabilities": []any{}, "costs": []any{}, "restrictions": []any{}, "locationInfo": places,
			"capacity": map[string]any{"minimum": min(t.most, 1), "maximum": t.most, "default": min(t.most, 1), "scaleType": scale},
		})
	}
	return values
}

// deletedBody is a deleted service as it is answered.
func deletedBody(d resource.DeletedService) map[string]any {
	return map[string]any{
		"id":   "/subscriptions/" + d.ID.Subscription() + "/providers/" + arm.Provider + "/locations/" + normalLocation(d.Location) + "/deletedservices/" + d.ID.Name(),
		"name": d.ID.Name(), "type": arm.Provider + "/deletedservices", "location": d.Location,
		"properties": map[string]any{"serviceId": d.ID.String(), "deletionDate": d.Deleted, "scheduledPurgeDate": d.Purge},
	}
}

func (s *Server) listDeleted(r *http.Request, subscription string) (answer, error) {
	deleted, err := s.engine.DeletedServices(r.Context(), subscription)
	var values []any
	for _, d := range deleted {
		values = append(values, deletedBody(d))
	}
	return answer{http.StatusOK, list(values)}, err
}

// deletedService reads or purges one deleted service: …/locations/{location}/deletedservices/{name}.
func (s *Server) deletedService(r *http.Request, id arm.ID, segs []string) (answer, error) {
	action := map[string]string{http.MethodGet: "read", http.MethodDelete: "delete"}[r.Method]
	if action == "" {
		return answer{}, arm.Errorf(arm.CodeMethodNotAllowed, "The method %s is not allowed here.", r.Method)
	}
	if err := s.authorize(r.Context(), arm.Provider+"/locations/deletedservices/"+action, id); err != nil {
		return answer{}, err
	}
	deleted, err := s.engine.DeletedServices(r.Context(), segs[1])
	if err != nil {
		return answer{}, err
	}
	for _, d := range deleted {
		if !strings.EqualFold(d.ID.Name(), segs[7]) || normalLocation(d.Location) != normalLocation(id.Segments()[5]) {
			continue
		}
		if r.Method == http.MethodGet {
			return ok(deletedBody(d))
		}
		return answer{status: http.StatusOK}, s.engine.PurgeService(r.Context(), d.ID)
	}
	if r.Method == http.MethodDelete {
		return answer{status: http.StatusNoContent}, nil
	}
	return answer{}, arm.NotFound(id)
}

// listResources lists the services below a subscription or resource group as generic resources, as az resource list
// asks for them. $filter may name the resource type, which is the only one there is.
func (s *Server) listResources(r *http.Request, below string) (answer, error) {
	filter := strings.ToLower(arm.Param(r.URL.Query(), "$filter"))
	if strings.Contains(filter, "resourcetype") && !strings.Contains(filter, "'"+strings.ToLower(serviceType)+"'") {
		return ok(list(nil))
	}
	var values []any
	err := s.c.Store.View(r.Context(), func(x store.Reader) error {
		docs, err := x.List(r.Context(), store.Query{Index: "type", Value: "service", Under: below})
		if err != nil {
			return err
		}
		for sd, err := range docs {
			if err != nil {
				return err
			}
			if id, err := arm.ParseID(sd.Path); err != nil || s.authorize(r.Context(), serviceType+"/read", id) != nil {
				continue
			}
			var service struct {
				Location string            `json:"location"`
				Tags     map[string]string `json:"tags,omitempty"`
				SKU      json.RawMessage   `json:"sku,omitempty"`
			}
			if err := json.Unmarshal(sd.Body, &service); err != nil {
				return err
			}
			values = append(values, map[string]any{
				"id": sd.Path, "name": sd.Name, "type": serviceType, "location": service.Location, "tags": service.Tags, "sku": service.SKU,
			})
		}
		return nil
	})
	return answer{http.StatusOK, list(values)}, err
}
