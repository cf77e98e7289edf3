package manage

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/armtemplate"
	"github.com/causeway-apim/causeway/internal/store"
)

// deploymentRequest is the body of a request to deploy, to validate or to say what would change.
type deploymentRequest struct {
	Location   string            `json:"location"`
	Tags       map[string]string `json:"tags"`
	Properties *struct {
		Mode           string              `json:"mode"`
		Template       json.RawMessage     `json:"template"`
		TemplateLink   *armtemplate.Object `json:"templateLink"`
		Parameters     json.RawMessage     `json:"parameters"`
		ParametersLink *armtemplate.Object `json:"parametersLink"`
		WhatIf         struct {
			ResultFormat string `json:"resultFormat"`
		} `json:"whatIfSettings"`
	} `json:"properties"`
}

// opened is a deployment that is ready to run.
type opened struct {
	*armtemplate.Deployment
	template *armtemplate.Template
	id       arm.ID
	scope    arm.ID
	mode     string
	location string
	tags     map[string]string
	link     *armtemplate.Object
	format   string // of a what-if's answer
	list     []*armtemplate.Resource
	world    *world
}

// decodeRequest reads a request's body.
func decodeRequest(w http.ResponseWriter, r *http.Request) (*deploymentRequest, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxDeploymentBody))
	if err != nil {
		return nil, arm.Errorf(arm.CodeTooLarge, "The request's body is larger than %d bytes.", maxDeploymentBody)
	}
	q := &deploymentRequest{}
	if err := json.Unmarshal(armtemplate.Relax(body), q); err != nil {
		return nil, arm.Errorf(arm.CodeInvalidJSON, "The request content was invalid and could not be deserialized: %s.", err)
	}
	if q.Properties == nil {
		return nil, arm.Errorf(arm.CodeInvalidJSON, "The request content has no member 'properties'.")
	}
	return q, nil
}

// open reads and checks a request's template. Its expressions are evaluated with ctx, which may outlive the request.
func (s *Server) open(ctx context.Context, w http.ResponseWriter, r *http.Request, p deploymentPath) (*opened, error) {
	q, err := decodeRequest(w, r)
	if err != nil {
		return nil, err
	}
	mode, err := deploymentMode(q.Properties.Mode)
	if err != nil {
		return nil, err
	}
	if mode == "Complete" && p.scope.ResourceGroup() == "" {
		return nil, arm.Errorf("InvalidDeploymentMode", "The mode 'Complete' needs the scope of a resource group.")
	}
	if p.scope.ResourceGroup() == "" && q.Location == "" {
		return nil, arm.Errorf("LocationRequired", "The 'location' property must be specified for the deployment '%s'.", p.name)
	}
	source := []byte(q.Properties.Template)
	if len(source) == 0 || string(source) == "null" {
		if q.Properties.TemplateLink == nil {
			return nil, arm.Errorf(arm.CodeInvalidJSON, "The request needs a template or a templateLink.")
		}
		if source, err = s.linked(ctx, q.Properties.TemplateLink, ""); err != nil {
			return nil, err
		}
	} else if bytes.HasPrefix(bytes.TrimSpace(source), []byte(`"`)) { // a template as a string
		var text string
		if err := json.Unmarshal(source, &text); err != nil {
			return nil, arm.Errorf(arm.CodeInvalidJSON, "The template cannot be read.")
		}
		source = []byte(text)
	}
	given, err := s.givenParameters(ctx, q.Properties.Parameters, q.Properties.ParametersLink)
	if err != nil {
		return nil, err
	}
	t, err := armtemplate.Parse(source)
	if err != nil {
		return nil, err
	}
	o := &opened{
		template: t, id: p.id(), scope: p.scope, mode: mode, location: q.Location, tags: q.Tags, link: q.Properties.TemplateLink,
		format: q.Properties.WhatIf.ResultFormat, world: &world{caller: s.callerOf(w, r), secrets: map[string]*armtemplate.Object{}},
	}
	return o, s.bind(ctx, o, given)
}

// bind gives a deployment its parameters and plans it.
func (s *Server) bind(ctx context.Context, o *opened, given *armtemplate.Object) error {
	scope, err := s.templateScope(ctx, o)
	if err != nil {
		return err
	}
	if o.Deployment, err = armtemplate.New(ctx, o.template, given, scope, o.world); err == nil {
		o.list, err = o.Plan()
	}
	return err
}

func deploymentMode(mode string) (string, error) {
	for _, known := range []string{"Incremental", "Complete"} {
		if strings.EqualFold(mode, known) {
			return known, nil
		}
	}
	if mode == "" {
		return "Incremental", nil
	}
	return "", arm.Errorf("InvalidDeploymentMode", "The deployment mode '%.40s' is not valid: it is Incremental or Complete.", mode)
}

// givenParameters reads parameters: as they stand in a request, a whole parameter file, or behind a link.
func (s *Server) givenParameters(ctx context.Context, raw []byte, link *armtemplate.Object) (*armtemplate.Object, error) {
	if link != nil {
		var err error
		if raw, err = s.linked(ctx, link, ""); err != nil {
			return nil, err
		}
	}
	given := &armtemplate.Object{}
	if len(raw) == 0 {
		return given, nil
	}
	if err := given.UnmarshalJSON(raw); err != nil {
		return nil, arm.Errorf("InvalidDeploymentParameters", "The parameters cannot be read: %s.", err)
	}
	if _, file := given.Get("$schema"); file || link != nil {
		return given.Object("parameters"), nil
	}
	return given, nil
}

// linked reads what a templateLink or parametersLink names. base is the link that a relativePath starts from.
func (s *Server) linked(ctx context.Context, link *armtemplate.Object, base string) ([]byte, error) {
	at := link.Text("uri")
	if relative := link.Text("relativePath"); at == "" && relative != "" && base != "" {
		if b, err := url.Parse(base); err == nil {
			if u, err := b.Parse(relative); err == nil {
				u.RawQuery = b.RawQuery
				at = u.String()
			}
		}
	}
	switch {
	case link.Text("id") != "":
		return nil, arm.Errorf("InvalidContentLink", "Template specs are not supported: give the template itself, or its uri.")
	case at == "":
		return nil, arm.Errorf("InvalidContentLink", "The link to a template needs an absolute 'uri', or a 'relativePath' in a template that has come from a link.")
	case s.c.Fetch == nil:
		return nil, arm.Errorf("InvalidContentLink", "Links to templates are not allowed here: give the template itself.")
	}
	if q := link.Text("queryString"); q != "" && !strings.Contains(at, "?") {
		at += "?" + strings.TrimPrefix(q, "?")
	}
	b, err := s.c.Fetch(ctx, at, armtemplate.MaxBytes)
	if err != nil {
		return nil, arm.Errorf("InvalidContentLink", "Unable to download the deployment content: %s.", strings.TrimSuffix(err.Error(), "."))
	}
	return b, nil
}

// templateScope says where a deployment runs, with what resourceGroup(), subscription() and environment() answer.
func (s *Server) templateScope(ctx context.Context, o *opened) (armtemplate.Scope, error) {
	sub := o.scope.Subscription()
	scope := armtemplate.Scope{
		Subscription: sub, ResourceGroup: o.scope.ResourceGroup(), Tenant: s.c.TenantID, Name: o.id.Name(), Location: o.location,
		Deployer: PrincipalOf(ctx).ID, DeployerName: PrincipalOf(ctx).Name, Environment: s.environment(o.world.caller),
	}
	if sub != "" {
		scope.Account = armtemplate.NewObject("id", "/subscriptions/"+sub, "subscriptionId", sub, "tenantId", s.c.TenantID, "displayName", fmt.Sprintf("Causeway %.8s", sub))
	}
	if scope.ResourceGroup == "" {
		return scope, nil
	}
	err := s.c.Store.View(ctx, func(x store.Reader) error {
		sd, err := x.Get(ctx, o.scope.Key())
		if err != nil {
			return groupNotFound(o.scope)
		}
		b, err := json.Marshal(groupBody(sd))
		if err != nil {
			return err
		}
		all := &armtemplate.Object{}
		if err := all.UnmarshalJSON(b); err != nil {
			return err
		}
		scope.ResourceGroup = sd.Name
		scope.Group = armtemplate.NewObject("id", sd.Path, "name", sd.Name, "type", "Microsoft.Resources/resourceGroups", "location", all.Text("location"))
		if tags := all.Object("tags"); tags != nil {
			scope.Group.Set("tags", tags)
		}
		scope.Group.Set("properties", armtemplate.NewObject("provisioningState", "Succeeded"))
		return nil
	})
	return scope, err
}

// environment is what environment() answers: the metadata of the cloud, under the names that templates know.
func (s *Server) environment(c *caller) *armtemplate.Object {
	base := "http://" + c.host
	if c.tls != nil {
		base = "https://" + c.host
	}
	return armtemplate.NewObject(
		"name", "Causeway", "gallery", base, "graph", base, "portal", base+"/console/", "graphAudience", base,
		"activeDirectoryDataLake", base, "batch", base, "media", base, "sqlManagement", base, "vmImageAliasDoc", base,
		"resourceManager", base+"/", "authentication", armtemplate.NewObject(
			"loginEndpoint", base+"/", "audiences", []any{base, "https://management.azure.com/"}, "tenant", "common", "identityProvider", "AAD"),
		"suffixes", armtemplate.NewObject("acrLoginServer", ".azurecr.localhost", "keyvaultDns", ".vault.localhost", "sqlServerHostname", ".database.localhost", "storage", "core.localhost"),
	)
}

// nested opens the deployment that a resource of a deployment nests.
func (s *Server) nested(ctx context.Context, outer *opened, r *armtemplate.Resource) (*opened, error) {
	n, err := r.Nested(ctx)
	if err != nil {
		return nil, err
	}
	o := &opened{location: n.Location, link: n.Link, world: outer.world}
	if o.mode, err = deploymentMode(n.Mode); err != nil {
		return nil, err
	}
	if o.mode == "Complete" {
		return nil, arm.Errorf("InvalidNestedDeployment", "Nested deployments run in the mode 'Incremental'.")
	}
	p, _ := parseDeployment(r.ID)
	o.id, o.scope = p.id(), p.scope
	if err := s.groupExists(ctx, o.scope); err != nil {
		return nil, err
	}
	if n.Link != nil {
		source, err := s.linked(ctx, n.Link, outer.link.Text("uri"))
		if err == nil {
			o.template, err = armtemplate.Parse(source)
		}
		if err != nil {
			return nil, err
		}
	} else if n.Template == nil {
		return nil, arm.Errorf("InvalidNestedDeployment", "The nested deployment '%s' has neither a template nor a templateLink.", r.Name)
	} else if o.template, err = armtemplate.FromObject(n.Template); err != nil {
		return nil, err
	}
	if n.Inner {
		given := n.Parameters
		if n.ParametersLink != nil {
			if given, err = s.givenParameters(ctx, nil, n.ParametersLink); err != nil {
				return nil, err
			}
		}
		return o, s.bind(ctx, o, given)
	}
	scope, err := s.templateScope(ctx, o)
	if err == nil {
		o.Deployment, err = armtemplate.Within(ctx, o.template, r, scope)
	}
	if err == nil {
		o.list, err = o.Plan()
	}
	return o, err
}
