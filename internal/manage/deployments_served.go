package manage

import (
	"net/http"
	"slices"
	"strings"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/armtemplate"
)

// Codes of resources in a template that cannot be deployed ("Troubleshoot common Azure deployment errors").
const (
	codeNamespace = "InvalidResourceNamespace"
	codeVersion   = "NoRegisteredProviderFound"
)

// serves refuses a deployment of resources that nobody here serves, and names all of them.
func (s *Server) serves(o *opened) error {
	var refused *arm.Error
	for _, r := range o.list {
		if r.Skipped || r.Existing {
			continue
		}
		e := s.servesOne(r)
		if e == nil {
			continue
		}
		e.Target = r.ID
		if refused == nil {
			refused = e
		}
		refused.Details = append(refused.Details, arm.Detail{Code: e.Code, Target: r.ID, Message: e.Message})
	}
	if refused != nil {
		return refused
	}
	return nil
}

// servesOne returns what is wrong with a resource's type or api-version.
func (s *Server) servesOne(r *armtemplate.Resource) *arm.Error {
	namespace, kind, _ := strings.Cut(r.Type, "/")
	switch lower := strings.ToLower(namespace); {
	case strings.EqualFold(namespace, arm.Provider):
		return s.servesType(r, kind)
	case lower == "microsoft.resources":
		if strings.EqualFold(r.Type, deploymentType) || strings.EqualFold(kind, "resourceGroups") {
			return nil
		}
		return noType(r, kind, namespace, nil)
	case lower != "microsoft.insights" && s.c.Extensions[lower] != nil: // of Insights there is the activity log only
		return nil
	}
	return coded(http.StatusBadRequest, codeNamespace, "The resource namespace '%s' is invalid: of Azure's resources Causeway has those of API Management and what belongs to them, such as role assignments, locks and event subscriptions. Take '%s' out of the template, or give it a condition that is false.", namespace, r.Name)
}

// servesType checks a type of API Management.
func (s *Server) servesType(r *armtemplate.Resource, kind string) *arm.Error {
	versions := arm.APIVersions()
	for _, t := range append(s.c.Catalogue.ARMTypes(), gatewaysARM, connectionsARM) {
		if !strings.EqualFold(t, r.Type) {
			continue
		}
		if slices.ContainsFunc(versions, func(v string) bool { return strings.EqualFold(v, r.APIVersion) }) {
			return nil
		}
		return coded(http.StatusBadRequest, codeVersion, "No registered resource provider found for API version '%s' for type '%s'. The supported api-versions are '%s'.",
			r.APIVersion, kind, strings.Join(versions, ", "))
	}
	return noType(r, kind, arm.Provider, versions)
}

func noType(r *armtemplate.Resource, kind, namespace string, versions []string) *arm.Error {
	text := "The resource type '" + kind + "' could not be found in the namespace '" + namespace + "' for api version '" + r.APIVersion + "'."
	if versions != nil {
		text += " The supported api-versions are '" + strings.Join(versions, ", ") + "'."
	}
	return coded(http.StatusBadRequest, arm.CodeTypeNotFound, "%s", text)
}
