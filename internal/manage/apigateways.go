package manage

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/resource"
	"github.com/causeway-apim/causeway/internal/store"
)

// Microsoft.ApiManagement/gateways are gateways as resources of a resource group: in Azure machines that are rented apart from a service,
// to which configuration connections bring the APIs of a workspace. Nobody rents machines here: they are kept, connections show as the
// gateways of their workspaces, and the managed gateway does the work.
const (
	gatewaysType    = "apiGateways" // in the store
	connectionsType = "configConnections"
	gatewaysARM     = arm.Provider + "/gateways"
	connectionsARM  = gatewaysARM + "/" + connectionsType
	maxGatewayBody  = 1 << 20
	maxHostnames    = 50
)

// apiGateway is a gateway of a resource group.
type apiGateway struct {
	Location   string               `json:"location"`
	Tags       map[string]string    `json:"tags,omitempty"`
	SKU        apiGatewaySKU        `json:"sku"`
	Properties apiGatewayProperties `json:"properties"`
	SystemData gatewaySystemData    `json:"systemData"`
}

// gatewaySystemData says who made and last changed a gateway.
type gatewaySystemData struct {
	CreatedBy          string    `json:"createdBy"`
	CreatedByType      string    `json:"createdByType"`
	CreatedAt          time.Time `json:"createdAt"`
	LastModifiedBy     string    `json:"lastModifiedBy"`
	LastModifiedByType string    `json:"lastModifiedByType"`
	LastModifiedAt     time.Time `json:"lastModifiedAt"`
}

// apiGatewaySKU is its pricing tier.
type apiGatewaySKU struct {
	Name     string `json:"name"`
	Capacity *int   `json:"capacity,omitempty"`
}

// apiGatewayProperties are its settings.
type apiGatewayProperties struct {
	ProvisioningState       string          `json:"provisioningState"`
	TargetProvisioningState string          `json:"targetProvisioningState"`
	CreatedAtUTC            time.Time       `json:"createdAtUtc"`
	VirtualNetworkType      string          `json:"virtualNetworkType,omitempty"`
	Frontend                json.RawMessage `json:"frontend,omitempty"`
	Backend                 *struct {
		Subnet *struct {
			ID string `json:"id,omitempty"`
		} `json:"subnet,omitempty"`
	} `json:"backend,omitempty"`
	ConfigurationAPI json.RawMessage `json:"configurationApi,omitempty"`
}

// configConnection connects a gateway with a workspace or service.
type configConnection struct {
	Properties struct {
		ProvisioningState string   `json:"provisioningState"`
		SourceID          string   `json:"sourceId"`
		DefaultHostname   string   `json:"defaultHostname,omitempty"`
		Hostnames         []string `json:"hostnames,omitempty"`
	} `json:"properties"`
}

// isGateways reports whether lower-case segments are those of gateways of a resource group.
func isGateways(segs []string) bool {
	return len(segs) >= 7 && segs[0] == "subscriptions" && segs[2] == "resourcegroups" && segs[4] == "providers" &&
		segs[5] == strings.ToLower(arm.Provider) && segs[6] == "gateways"
}

// gateways serves gateways of a resource group and what is in them.
func (s *Server) gateways(w http.ResponseWriter, r *http.Request, id arm.ID) (answer, error) {
	segs := id.Segments()
	group := arm.Path("subscriptions", segs[1], "resourceGroups", segs[3])
	if !validSubscription(segs[1]) {
		return answer{}, arm.Errorf(arm.CodeSubscriptionNotFound, "The subscription '%s' could not be found.", segs[1])
	}
	rest := segs[7:]
	if len(rest) == 0 {
		return s.reading(r, gatewaysARM+"/read", group, func() (answer, error) { return s.listDocuments(r, gatewaysType, store.Query{Parent: group.Key()}) })
	}
	gateway := group.ChildOf(arm.Provider, "gateways", rest[0])
	switch {
	case len(rest) == 1:
		return s.gatewayDocument(w, r, gateway, gatewaysType)
	case len(rest) == 2 && strings.EqualFold(rest[1], "skus"):
		return s.reading(r, gatewaysARM+"/skus/read", gateway, func() (answer, error) { return s.listInGateway(r, gateway, true) })
	case len(rest) == 2 && strings.EqualFold(rest[1], connectionsType):
		return s.reading(r, connectionsARM+"/read", gateway, func() (answer, error) { return s.listInGateway(r, gateway, false) })
	case len(rest) == 3 && strings.EqualFold(rest[1], connectionsType):
		return s.gatewayDocument(w, r, gateway.Child(connectionsType, rest[2]), connectionsType)
	}
	return answer{}, arm.Errorf(arm.CodeTypeNotFound, "There is nothing at %s.", id).WithTarget(id.String())
}

// listInGateway lists the tiers or the connections of a gateway that exists.
func (s *Server) listInGateway(r *http.Request, gateway arm.ID, tiers bool) (answer, error) {
	err := s.c.Store.View(r.Context(), func(x store.Reader) error {
		_, err := x.Get(r.Context(), gateway.Key())
		return err
	})
	switch {
	case errors.Is(err, store.ErrNotFound):
		return answer{}, arm.NotFound(gateway)
	case err != nil:
		return answer{}, err
	case !tiers:
		return s.listDocuments(r, connectionsType, store.Query{Parent: gateway.Key()})
	}
	var values []any
	for _, t := range gatewayTiers() {
		values = append(values, map[string]any{
			"resourceType": gatewaysARM, "sku": map[string]any{"name": t.name},
			"capacity": map[string]any{"minimum": 1, "maximum": t.most, "default": 1, "scaleType": "Automatic"},
		})
	}
	return ok(list(values))
}

// gatewayTiers are the tiers of gateways.
func gatewayTiers() []tier {
	return []tier{{"Standard", 32}, {"WorkspaceGatewayStandard", 32}, {"WorkspaceGatewayPremium", 32}}
}

// listDocuments lists what of a type the caller may read.
func (s *Server) listDocuments(r *http.Request, kind string, q store.Query) (answer, error) {
	values := []any{}
	q.Type = kind
	if q.Parent == "" {
		q.Index, q.Value = "type", kind
	}
	err := s.c.Store.View(r.Context(), func(x store.Reader) error {
		docs, err := x.List(r.Context(), q)
		if err != nil {
			return err
		}
		for sd, err := range docs {
			if err != nil {
				return err
			}
			values = append(values, gatewayBody(sd))
		}
		return nil
	})
	return answer{http.StatusOK, map[string]any{"value": values, "count": len(values)}}, err
}

// gatewayDocument reads or writes one gateway or one connection.
func (s *Server) gatewayDocument(w http.ResponseWriter, r *http.Request, id arm.ID, kind string) (answer, error) {
	armType := map[string]string{gatewaysType: gatewaysARM, connectionsType: connectionsARM}[kind]
	verb := map[string]string{http.MethodGet: "read", http.MethodPut: "write", http.MethodPatch: "write", http.MethodDelete: "delete"}[r.Method]
	if verb == "" || r.Method == http.MethodPatch && kind == connectionsType {
		return answer{}, arm.Errorf(arm.CodeMethodNotAllowed, "The method %s is not allowed for %s.", r.Method, armType)
	}
	if err := s.authorize(r.Context(), armType+"/"+verb, id); err != nil {
		return answer{}, err
	}
	switch verb {
	case "read":
		return s.readGateway(w, r, id)
	case "delete":
		return s.deleteGateway(r, id)
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxGatewayBody))
	if err != nil {
		return answer{}, arm.Errorf(arm.CodeTooLarge, "The request's body is larger than %d bytes.", maxGatewayBody)
	}
	if err := arm.CheckJSON(body); err != nil {
		return answer{}, err
	}
	return s.writeGateway(w, r, id, kind, body)
}

func (s *Server) readGateway(w http.ResponseWriter, r *http.Request, id arm.ID) (a answer, err error) {
	err = s.c.Store.View(r.Context(), func(x store.Reader) error {
		sd, err := x.Get(r.Context(), id.Key())
		if errors.Is(err, store.ErrNotFound) {
			return arm.NotFound(id)
		} else if err != nil {
			return err
		}
		w.Header().Set("ETag", arm.QuoteETag(sd.ETag))
		a = answer{http.StatusOK, gatewayBody(sd)}
		return nil
	})
	return a, err
}

// gatewayBody is a gateway or connection as it is answered.
func gatewayBody(sd *store.Document) map[string]any {
	g := map[string]any{}
	_ = json.Unmarshal(sd.Body, &g) // written by writeGateway
	g["id"], g["name"], g["etag"], g["type"] = sd.Path, sd.Name, sd.ETag, gatewaysARM
	if sd.Type == connectionsType {
		g["type"] = connectionsARM
	}
	return g
}

func (s *Server) deleteGateway(r *http.Request, id arm.ID) (answer, error) {
	_, err := s.c.Store.Update(r.Context(), "", func(tx store.Tx) error {
		sd, err := tx.Get(r.Context(), id.Key())
		if errors.Is(err, store.ErrNotFound) {
			return nil
		} else if err != nil {
			return err
		}
		if err := arm.CheckIfMatch(r.Header, sd.ETag, true); err != nil {
			return err
		}
		_, err = tx.DeleteTree(r.Context(), id.Key())
		return err
	})
	return answer{status: http.StatusNoContent}, err
}

func (s *Server) writeGateway(w http.ResponseWriter, r *http.Request, id arm.ID, kind string, body []byte) (a answer, err error) {
	ctx, patch := r.Context(), r.Method == http.MethodPatch
	_, err = s.c.Store.Update(ctx, "", func(tx store.Tx) error {
		if _, err := tx.Get(ctx, id.Parent().Key()); errors.Is(err, store.ErrNotFound) && kind == connectionsType {
			return arm.NotFound(id.Parent())
		} else if errors.Is(err, store.ErrNotFound) {
			return groupNotFound(id.Parent())
		} else if err != nil {
			return err
		}
		sd, err := tx.Get(ctx, id.Key())
		missing := errors.Is(err, store.ErrNotFound)
		switch {
		case missing && patch:
			return arm.NotFound(id)
		case missing:
			sd = &store.Document{ID: id.Key(), Path: id.String(), Type: kind, Parent: id.Parent().Key(), Name: id.Name()}
		case err != nil:
			return err
		}
		if err := arm.CheckIfMatch(r.Header, sd.ETag, !missing); err != nil {
			return err
		}
		next := body
		if patch {
			if next, err = arm.MergePatch(sd.Body, body); err != nil {
				return err
			}
		}
		indexes := []store.Index{{Name: "type", Value: kind}}
		if kind == gatewaysType {
			sd.Body, err = completeGateway(sd, next, PrincipalOf(ctx).Name, s.c.Now().UTC())
		} else {
			var source string
			sd.Body, source, err = completeConnection(id, next)
			indexes = append(indexes, store.Index{Name: resource.GatewaySourceIndex, Value: strings.ToLower(source)})
		}
		if err != nil {
			return err
		}
		if err := tx.Put(ctx, sd, indexes); err != nil {
			return err
		}
		w.Header().Set("ETag", arm.QuoteETag(sd.ETag))
		a = answer{http.StatusOK, gatewayBody(sd)}
		if missing {
			a.status = http.StatusCreated
		}
		return nil
	})
	return a, err
}

// completeGateway returns what is stored of a gateway. sd is the stored document, without a body for a new one; by changes it now.
func completeGateway(sd *store.Document, body []byte, by string, now time.Time) ([]byte, error) {
	var old, g apiGateway
	if sd.Body != nil {
		if err := json.Unmarshal(sd.Body, &old); err != nil {
			return nil, err
		}
	}
	if err := json.Unmarshal(body, &g); err != nil {
		return nil, arm.Errorf(arm.CodeInvalidJSON, "The request's body is not a gateway: %s.", err)
	}
	names := make([]string, 0, 3)
	for _, t := range gatewayTiers() {
		if names = append(names, t.name); strings.EqualFold(t.name, g.SKU.Name) {
			g.SKU.Name = t.name
		}
	}
	switch p := &g.Properties; {
	case !regexp.MustCompile(`^[A-Za-z]([A-Za-z0-9-]{0,43}[A-Za-z0-9])?$`).MatchString(sd.Name):
		return nil, arm.Invalid("gatewayName", "The name of a gateway begins with a letter, ends with a letter or a digit, holds letters, digits and hyphens, and has at most 45 characters.")
	case g.Location == "":
		return nil, arm.Invalid("location", "location is required.")
	case old.Location != "" && normalLocation(old.Location) != normalLocation(g.Location):
		return nil, arm.Invalid("location", "The location of a gateway cannot be changed.")
	case !slices.Contains(names, g.SKU.Name):
		return nil, arm.Invalid("sku.name", "sku.name must be one of %s.", strings.Join(names, ", "))
	case g.SKU.Capacity != nil && (*g.SKU.Capacity < 1 || *g.SKU.Capacity > gatewayTiers()[0].most):
		return nil, arm.Invalid("sku.capacity", "sku.capacity must be between 1 and %d.", gatewayTiers()[0].most)
	case p.VirtualNetworkType != "" && !slices.Contains([]string{"None", "External", "Internal"}, p.VirtualNetworkType):
		return nil, arm.Invalid("properties.virtualNetworkType", "virtualNetworkType must be None, External or Internal.")
	}
	if g.SKU.Capacity == nil {
		one := 1
		g.SKU.Capacity = &one
	}
	g.Properties.ProvisioningState, g.Properties.TargetProvisioningState = "Succeeded", ""
	g.SystemData = old.SystemData
	if sd.Body == nil {
		g.SystemData = gatewaySystemData{CreatedBy: by, CreatedByType: "User", CreatedAt: now}
	}
	g.SystemData.LastModifiedBy, g.SystemData.LastModifiedByType, g.SystemData.LastModifiedAt = by, "User", now
	g.Properties.CreatedAtUTC = g.SystemData.CreatedAt.Truncate(time.Second)
	return json.Marshal(g)
}

// completeConnection returns what is stored of a connection, and what it connects with.
func completeConnection(id arm.ID, body []byte) ([]byte, string, error) {
	var c configConnection
	if err := json.Unmarshal(body, &c); err != nil {
		return nil, "", arm.Errorf(arm.CodeInvalidJSON, "The request's body is not a configuration connection: %s.", err)
	}
	p := &c.Properties
	source, err := arm.ParseID(p.SourceID)
	switch {
	case !regexp.MustCompile(`^[A-Za-z]([A-Za-z0-9-]{0,28}[A-Za-z0-9])?$`).MatchString(id.Name()):
		return nil, "", arm.Invalid("configConnectionName", "The name of a configuration connection begins with a letter, ends with a letter or a digit, holds letters, digits and hyphens, and has at most 30 characters.")
	case p.SourceID == "":
		return nil, "", arm.Invalid("properties.sourceId", "sourceId is required: the ARM ID of a workspace.")
	case err != nil || source.Subscription() == "" || source.ResourceGroup() == "":
		return nil, "", arm.Invalid("properties.sourceId", "sourceId must be the ARM ID of a workspace.")
	case len(p.Hostnames) > maxHostnames:
		return nil, "", arm.Invalid("properties.hostnames", "There are more than %d host names.", maxHostnames)
	}
	p.ProvisioningState, p.DefaultHostname = "Succeeded", ""
	if service := source.Service(); !service.IsZero() { // the managed gateway serves it there
		p.DefaultHostname = fmt.Sprintf("%s.gateway.localhost", strings.ToLower(service.Name()))
	}
	stored, err := json.Marshal(c)
	return stored, source.Key(), err
}
