package manage

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"regexp"
	"strings"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/store"
)

// groupType is how the store names resource groups.
const groupType = "resourceGroups"

const maxGroupBody = 1 << 20

// group is the body of a resource group.
type group struct {
	Location   string            `json:"location"`
	Tags       map[string]string `json:"tags,omitempty"`
	ManagedBy  string            `json:"managedBy,omitempty"`
	Properties struct {
		ProvisioningState string `json:"provisioningState"`
	} `json:"properties"`
}

func (s *Server) resourceGroup(w http.ResponseWriter, r *http.Request, id arm.ID) (answer, error) {
	if !validSubscription(id.Subscription()) {
		return answer{}, arm.Errorf(arm.CodeSubscriptionNotFound, "The subscription '%s' could not be found.", id.Subscription())
	}
	action := "read"
	switch r.Method {
	case http.MethodPut, http.MethodPatch:
		action = "write"
	case http.MethodDelete:
		action = "delete"
	}
	if err := s.authorize(r.Context(), "Microsoft.Resources/subscriptions/resourceGroups/"+action, id); err != nil {
		return answer{}, err
	}
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		return s.readGroup(r, id)
	case http.MethodPut, http.MethodPatch:
		return s.writeGroup(w, r, id)
	case http.MethodDelete:
		return s.deleteGroup(r, id)
	}
	return answer{}, arm.Errorf(arm.CodeMethodNotAllowed, "The method %s is not allowed here.", r.Method)
}

func groupNotFound(id arm.ID) error {
	return arm.Errorf(arm.CodeGroupNotFound, "Resource group '%s' could not be found.", id.ResourceGroup()).WithTarget(id.String())
}

func (s *Server) readGroup(r *http.Request, id arm.ID) (a answer, err error) {
	err = s.c.Store.View(r.Context(), func(x store.Reader) error {
		sd, err := x.Get(r.Context(), id.Key())
		if err != nil {
			return err
		}
		a = answer{http.StatusOK, groupBody(sd)}
		return nil
	})
	if errors.Is(err, store.ErrNotFound) {
		return answer{}, groupNotFound(id)
	}
	if r.Method == http.MethodHead {
		a = answer{status: http.StatusNoContent}
	}
	return a, err
}

func groupBody(sd *store.Document) any {
	g := map[string]any{}
	_ = json.Unmarshal(sd.Body, &g) // written by writeGroup
	g["id"], g["name"], g["type"] = sd.Path, sd.Name, "Microsoft.Resources/resourceGroups"
	return g
}

func (s *Server) writeGroup(w http.ResponseWriter, r *http.Request, id arm.ID) (a answer, err error) {
	if !regexp.MustCompile(`^[-\w().]{0,89}[-\w()]$`).MatchString(id.Name()) {
		return a, arm.Errorf(arm.CodeValidation, "The resource group name '%s' is not valid.", id.Name()).WithTarget("resourceGroupName")
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxGroupBody))
	if err != nil {
		return a, arm.Errorf(arm.CodeTooLarge, "The request's body is larger than %d bytes.", maxGroupBody)
	}
	if err := arm.CheckJSON(body); err != nil {
		return a, err
	}
	return s.putGroup(r.Context(), id, body, r.Method == http.MethodPatch)
}

// PutResourceGroup makes or changes a resource group from within the process.
func (s *Server) PutResourceGroup(ctx context.Context, subscription, name, location string) error {
	body, err := json.Marshal(map[string]string{"location": location})
	if err != nil {
		return err
	}
	_, err = s.putGroup(ctx, arm.Path("subscriptions", subscription, "resourceGroups", name), body, false)
	return err
}

func (s *Server) putGroup(ctx context.Context, id arm.ID, body []byte, patch bool) (a answer, err error) {
	_, err = s.c.Store.Update(ctx, "", func(tx store.Tx) error {
		sd, err := tx.Get(ctx, id.Key())
		missing := errors.Is(err, store.ErrNotFound)
		switch {
		case missing && patch:
			return groupNotFound(id)
		case missing:
			sd = &store.Document{ID: id.Key(), Path: id.String(), Type: groupType, Parent: id.Parent().Key(), Name: id.Name(), Body: []byte("{}")}
		case err != nil:
			return err
		}
		if sd.Body, err = nextGroup(sd.Body, body, patch); err != nil {
			return err
		}
		if err := tx.Put(ctx, sd, []store.Index{{Name: "type", Value: groupType}}); err != nil {
			return err
		}
		a = answer{http.StatusOK, groupBody(sd)}
		if missing {
			a.status = http.StatusCreated
		}
		return nil
	})
	return a, err
}

// nextGroup returns the stored body after a PUT or PATCH. The location of a group cannot change.
func nextGroup(stored, body []byte, patch bool) ([]byte, error) {
	var before, g group
	if err := json.Unmarshal(stored, &before); err != nil {
		return nil, err
	}
	if patch {
		g = before
		g.Tags = nil
	}
	if err := json.Unmarshal(body, &g); err != nil {
		return nil, arm.Errorf(arm.CodeInvalidJSON, "The request's body is not a resource group: %s.", err)
	}
	if patch && g.Tags == nil {
		g.Tags = before.Tags
	}
	switch {
	case g.Location == "":
		return nil, arm.Errorf(arm.CodeValidation, "The location property is required.").WithTarget("location")
	case before.Location != "" && !strings.EqualFold(normalLocation(before.Location), normalLocation(g.Location)):
		return nil, arm.Errorf(arm.CodeConflict, "The location of a resource group cannot be changed.").WithTarget("location")
	}
	g.Location = normalLocation(g.Location)
	g.Properties.ProvisioningState = "Succeeded"
	return json.Marshal(g)
}

// normalLocation is the short form of a region: "West Europe" is westeurope.
func normalLocation(l string) string { return strings.ToLower(strings.ReplaceAll(l, " ", "")) }

// deleteGroup removes a group with its services.
func (s *Server) deleteGroup(r *http.Request, id arm.ID) (answer, error) {
	ctx := r.Context()
	var services []string
	_, err := s.c.Store.Update(ctx, "", func(tx store.Tx) error {
		services = services[:0]
		ids, err := tx.DeleteTree(ctx, id.Key())
		if err == nil && len(ids) == 0 {
			err = groupNotFound(id)
		}
		for _, key := range ids {
			if removed, err := arm.ParseID(key); err == nil && removed.Service().Key() == key {
				services = append(services, key)
			}
		}
		return err
	})
	if err != nil || s.c.OnWrite == nil {
		return answer{status: http.StatusOK}, err
	}
	ctx = context.WithoutCancel(ctx) // the group is gone, whoever listens
	for _, service := range services {
		seq, err := s.c.Store.LastSeq(ctx, service)
		if err == nil {
			err = s.c.OnWrite(ctx, service, seq)
		}
		if err != nil {
			s.c.Log.WarnContext(ctx, "the gateway has not taken the deletion of a service", "service", service, "error", err)
		}
	}
	return answer{status: http.StatusOK}, nil
}

func (s *Server) listGroups(r *http.Request, subscription arm.ID) (answer, error) {
	var values []any
	err := s.eachGroup(r, "/subscriptions/"+strings.ToLower(subscription.Segments()[1]), func(sd *store.Document) {
		if s.sees(r.Context(), sd.Path) {
			values = append(values, groupBody(sd))
		}
	})
	return answer{http.StatusOK, list(values)}, err
}

// eachGroup calls fn for the resource groups below a path.
func (s *Server) eachGroup(r *http.Request, below string, fn func(sd *store.Document)) error {
	return s.c.Store.View(r.Context(), func(x store.Reader) error {
		docs, err := x.List(r.Context(), store.Query{Index: "type", Value: groupType, Under: below})
		if err != nil {
			return err
		}
		for sd, err := range docs {
			if err != nil {
				return err
			}
			fn(sd)
		}
		return nil
	})
}

// locationNames are regions that clients may name; Causeway runs where it is started.
func locationNames() []string {
	return []string{"West Europe", "North Europe", "East US", "East US 2", "West US", "Central US", "UK South", "Southeast Asia", "Australia East", "Germany West Central", "France Central", "Sweden Central"}
}

func locations(subscription arm.ID) (values []any) {
	for _, name := range locationNames() {
		short := normalLocation(name)
		values = append(values, map[string]any{
			"id": "/subscriptions/" + subscription.Segments()[1] + "/locations/" + short, "name": short, "displayName": name, "regionalDisplayName": name, "type": "Region",
			"metadata": map[string]string{"regionType": "Physical", "regionCategory": "Recommended"},
		})
	}
	return values
}
