package resources

import (
	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/resource"
)

// viewAPI hides what is only written and adds the version set.
func viewAPI(x *resource.Reader, d *resource.Doc[API]) (any, error) {
	if !x.List && x.Param("export") == "true" {
		return viewExport(x, d)
	}
	v := d.Props
	v.APIType, v.Format, v.Value, v.RequiredQuery, v.WSDLSelector, v.SourceAPIID = "", "", "", "", nil, ""
	v.DefinitionFormat = ""
	if v.VersionSetID == "" || x.List && x.Param("expandApiVersionSet") != "true" {
		return v, nil
	}
	id, err := x.Resolve(v.VersionSetID)
	if err != nil {
		return nil, err
	}
	set, err := resource.Get[VersionSet](x, id)
	if arm.IsNotFound(err) {
		return v, nil
	}
	if err != nil {
		return nil, err
	}
	s := set.Props
	v.VersionSet = &VersionSetDetails{
		ID: set.ID.String(), Name: s.DisplayName, Description: s.Description, VersioningScheme: s.VersioningScheme,
		QueryName: s.QueryName, HeaderName: s.HeaderName,
	}
	return v, nil
}
