package resources

import (
	"encoding/json"
	"net/http"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/resource"
)

// maxWorkspaces is how many workspaces a service may have.
const maxWorkspaces = 500

// Workspace is a part of a service that a team manages by itself.
type Workspace struct {
	DisplayName string `json:"displayName" rule:"required,max=300" filter:"yes" doc:"Name that people see."`
	Description string `json:"description,omitempty" rule:"max=1000" filter:"yes" doc:"What it is for."`
}

func workspaces() *resource.Type {
	return resource.Define(resource.Spec[Workspace]{
		Name: "workspaces", Title: "Workspace", Doc: "A part of a service with APIs, products and more of its own, which a team manages by itself.",
		Parents: []string{""}, Verbs: resource.CRUDL,
		After: func(x *resource.Tx, old, d *resource.Doc[Workspace]) error {
			if old == nil || old.Props.DisplayName == d.Props.DisplayName {
				return nil
			}
			// Gateways know the name from the APIs: these are published again.
			var apis []*resource.Doc[API]
			for api, err := range resource.All[API](&x.Reader, d.ID, "apis") {
				if err != nil {
					return err
				}
				apis = append(apis, api)
			}
			return resource.SaveAll(x, apis)
		},
		Check: func(x *resource.Tx, old, _ *resource.Doc[Workspace]) error {
			if old != nil {
				return nil
			}
			n := 0
			for _, err := range resource.All[Workspace](&x.Reader, x.Service, "workspaces") {
				if err != nil {
					return err
				}
				n++
			}
			if n >= maxWorkspaces {
				return arm.Errorf(arm.CodeConflict, "The service has %d workspaces, which is its limit.", n)
			}
			return nil
		},
	})
}

// WorkspaceLink says which gateways serve a workspace.
type WorkspaceLink struct {
	ID         string                  `json:"id"`
	Name       string                  `json:"name"`
	Type       string                  `json:"type"`
	Properties WorkspaceLinkProperties `json:"properties"`
}

// WorkspaceLinkProperties are what a workspace is linked with.
type WorkspaceLinkProperties struct {
	WorkspaceID string              `json:"workspaceId"`
	Gateways    []WorkspaceGateways `json:"gateways"`
}

// WorkspaceGateways is a gateway of a workspace.
type WorkspaceGateways struct {
	ID string `json:"id"`
}

func workspaceLink(x *resource.Reader, d *resource.Doc[Workspace]) (WorkspaceLink, error) {
	service := d.ID.Service()
	link := WorkspaceLink{
		ID: service.Child("workspaceLinks", d.Name()).String(), Name: d.Name(), Type: "Microsoft.ApiManagement/service/workspaceLinks",
		Properties: WorkspaceLinkProperties{WorkspaceID: d.ID.String(), Gateways: []WorkspaceGateways{{service.Child("gateways", managedGateway).String()}}},
	}
	connections, err := x.Outside(resource.GatewaySourceIndex, d.ID.Key())
	for _, c := range connections {
		link.Properties.Gateways = append(link.Properties.Gateways, WorkspaceGateways{c.Parent().String()})
	}
	return link, err
}

// workspaceLinks lists which gateways serve the workspaces: the managed one serves all.
func workspaceLinks() resource.Action[Service] {
	return resource.Action[Service]{
		Name: "workspaceLinks", Method: http.MethodGet, Doc: "Lists which gateways serve the workspaces: the managed gateway serves all.",
		Read: func(x *resource.Reader, d *resource.Doc[Service], _ json.RawMessage) (any, error) {
			links := []WorkspaceLink{}
			for w, err := range resource.All[Workspace](x, d.ID, "workspaces") {
				if err != nil {
					return nil, err
				}
				link, err := workspaceLink(x, w)
				if err != nil {
					return nil, err
				}
				links = append(links, link)
			}
			return pageOf(x, links)
		},
	}
}

// workspaceLinkTypes are the links by themselves, one for each workspace.
func workspaceLinkTypes() *resource.Type {
	return resource.Define(resource.Spec[WorkspaceLink]{
		Name: "workspaceLinks", Title: "Link of a workspace", Doc: "Which gateways serve the workspace of the same name.",
		Parents: []string{""},
		Acts: func(x *resource.Reader, id arm.ID) (*WorkspaceLink, error) {
			w, err := resource.Get[Workspace](x, id.Service().Child("workspaces", id.Name()))
			if arm.IsNotFound(err) {
				return nil, nil
			} else if err != nil {
				return nil, err
			}
			link, err := workspaceLink(x, w)
			return &link, err
		},
		Actions: []resource.Action[WorkspaceLink]{{
			Method: http.MethodGet, Doc: "Answers the link.", Output: WorkspaceLink{},
			Read: func(_ *resource.Reader, d *resource.Doc[WorkspaceLink], _ json.RawMessage) (any, error) {
				return d.Props, nil
			},
		}},
	})
}
