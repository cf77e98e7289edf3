package manage

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/armtemplate"
	"github.com/causeway-apim/causeway/internal/store"
)

// maxExported bounds the resources of an exported template.
const maxExported = 5000

// templateSchema is the schema of templates for resource groups.
const templateSchema = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"

// exportDeployment answers the template that was deployed.
func (s *Server) exportDeployment(r *http.Request, p deploymentPath) (answer, error) {
	d, err := s.loadDeployment(r.Context(), p.id())
	if err != nil {
		return answer{}, err
	}
	return ok(map[string]any{"template": d.Template})
}

// exportGroup answers a template of the resources of a resource group, or of those that the request names. Secrets are
// not in it.
func (s *Server) exportGroup(w http.ResponseWriter, r *http.Request, group arm.ID) (answer, error) {
	if err := s.authorize(r.Context(), "Microsoft.Resources/subscriptions/resourceGroups/exportTemplate/action", group); err != nil {
		return answer{}, err
	}
	if err := s.groupExists(r.Context(), group); err != nil {
		return answer{}, err
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxActionBody))
	if err != nil {
		return answer{}, arm.Errorf(arm.CodeTooLarge, "The request's body is larger than %d bytes.", maxActionBody)
	}
	var in struct {
		Resources []string `json:"resources"`
		Options   string   `json:"options"`
	}
	if len(body) > 0 {
		if err := json.Unmarshal(body, &in); err != nil {
			return answer{}, arm.Errorf(arm.CodeInvalidJSON, "The request's body cannot be read: %s.", err)
		}
	}
	ids, err := s.exported(r.Context(), group, in.Resources)
	if err != nil {
		return answer{}, err
	}
	e := exporter{c: s.callerOf(w, r), plain: strings.Contains(in.Options, "SkipAllParameterization"), parameters: &armtemplate.Object{}}
	resources := []armtemplate.Value{}
	for _, id := range ids {
		o, err := e.resource(r.Context(), id)
		if err != nil {
			return answer{}, err
		}
		if o != nil {
			resources = append(resources, o)
		}
	}
	return ok(map[string]any{"template": armtemplate.NewObject("$schema", templateSchema, "contentVersion", "1.0.0.0", "parameters", e.parameters,
		"variables", &armtemplate.Object{}, "resources", resources)})
}

// exported lists the resources that an export is of, parents first.
func (s *Server) exported(ctx context.Context, group arm.ID, named []string) (ids []arm.ID, err error) {
	err = s.c.Store.View(ctx, func(x store.Reader) error {
		docs, err := x.List(ctx, store.Query{Under: group.Key()})
		if err != nil {
			return err
		}
		for sd, err := range docs {
			if err != nil {
				return err
			}
			id, err := arm.ParseID(sd.Path)
			if err != nil || id.Service().IsZero() || !wanted(id, named) {
				continue
			}
			if ids = append(ids, id); len(ids) > maxExported {
				return arm.Errorf("ExportTemplateLimitExceeded", "The resource group has more than %d resources: name those that are to be exported.", maxExported)
			}
		}
		return nil
	})
	return ids, err
}

func wanted(id arm.ID, named []string) bool {
	return len(named) == 0 || slices.ContainsFunc(named, func(n string) bool {
		of, err := arm.ParseID(n)
		return n == "*" || err == nil && (id.Equal(of) || id.IsBelow(of))
	})
}

// exporter writes resources as templates have them.
type exporter struct {
	c          *caller
	plain      bool // names stay as they are
	parameters *armtemplate.Object
}

// name is the name of a resource, in which that of its service is a parameter.
func (e *exporter) name(id arm.ID) string {
	name := joined(id)
	if e.plain {
		return name
	}
	service := id.Service().Name()
	parameter := "service_" + regexp.MustCompile(`\W`).ReplaceAllString(service, "_") + "_name"
	if _, known := e.parameters.Get(parameter); !known {
		e.parameters.Set(parameter, armtemplate.NewObject("defaultValue", service, "type", "String"))
	}
	if rest := strings.TrimPrefix(name, service); rest != "" {
		return "[concat(parameters('" + parameter + "'), '" + strings.ReplaceAll(rest, "'", "''") + "')]"
	}
	return "[parameters('" + parameter + "')]"
}

// resource reads one resource, nil for what is none of its own or what the caller may not see.
func (e *exporter) resource(ctx context.Context, id arm.ID) (*armtemplate.Object, error) {
	a, err := e.c.send(ctx, http.MethodGet, id.String(), readVersion, nil)
	if err == nil && a.status == http.StatusMethodNotAllowed { // it only links two others
		a, err = e.c.send(ctx, http.MethodHead, id.String(), readVersion, nil)
	}
	if err != nil || a.status >= http.StatusMultipleChoices {
		return nil, err
	}
	out := armtemplate.NewObject("type", id.Type(), "apiVersion", readVersion, "name", e.name(id))
	if parent := id.Parent(); !parent.Service().IsZero() {
		out.Set("dependsOn", []armtemplate.Value{e.reference(parent)})
	}
	o := a.object()
	for _, k := range o.Keys() {
		switch strings.ToLower(k) {
		case "id", "type", "name", "etag", "systemdata":
			continue
		}
		v, _ := o.Get(k)
		out.Set(k, escaped(v))
	}
	return out, nil
}

// reference is resourceId() of a resource.
func (e *exporter) reference(id arm.ID) string {
	text := "[resourceId('" + id.Type() + "'"
	names := strings.Split(joined(id), "/")
	for i, n := range names {
		if name := e.name(id.Service()); i == 0 && !e.plain {
			text += ", " + name[1:len(name)-1]
			continue
		}
		text += ", '" + strings.ReplaceAll(n, "'", "''") + "'"
	}
	return text + ")]"
}

// escaped keeps strings that look like expressions what they are.
func escaped(v armtemplate.Value) armtemplate.Value {
	switch v := v.(type) {
	case string:
		if armtemplate.IsExpression(v) || strings.HasPrefix(v, "[[") {
			return "[" + v
		}
	case []armtemplate.Value:
		out := make([]armtemplate.Value, len(v))
		for i := range v {
			out[i] = escaped(v[i])
		}
		return out
	case *armtemplate.Object:
		out := &armtemplate.Object{}
		for _, k := range v.Keys() {
			m, _ := v.Get(k)
			out.Set(k, escaped(m))
		}
		return out
	}
	return v
}

// templateHash answers the hash of a template and the template without its white space ("Deployments - Calculate Template Hash"). Everybody
// who has signed in may ask: nothing is looked at but what is sent.
func templateHash(w http.ResponseWriter, r *http.Request) (answer, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, armtemplate.MaxBytes))
	if err != nil {
		return answer{}, arm.Errorf(arm.CodeTooLarge, "The request's body is larger than %d bytes.", armtemplate.MaxBytes)
	}
	v, err := armtemplate.ParseJSON(body)
	if err != nil {
		return answer{}, arm.Errorf(arm.CodeInvalidJSON, "The template cannot be read: %s.", err)
	}
	root, ok := v.(*armtemplate.Object)
	if !ok {
		return answer{}, arm.Errorf(arm.CodeInvalidJSON, "The template must be a JSON object.")
	}
	small, err := root.MarshalJSON()
	if err != nil {
		return answer{}, err
	}
	return answer{http.StatusOK, map[string]any{"minifiedTemplate": string(small), "templateHash": armtemplate.Hash(root)}}, nil
}
