package resources

import (
	"reflect"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/resource"
)

// succeeded is the provisioning state of everything that is stored: what is made is made at once.
const succeeded = "Succeeded"

// viewAPI hides what is only written and adds the version set.
func viewAPI(x *resource.Reader, d *resource.Doc[API]) (any, error) {
	if !x.List && x.Param("export") == "true" {
		return viewExport(x, d)
	}
	v := d.Props
	v.APIType, v.Format, v.Value, v.RequiredQuery, v.WSDLSelector, v.SourceAPIID = "", "", "", "", nil, ""
	v.DefinitionFormat, v.ProvisioningState = "", succeeded
	v.AuthenticationSettings = v.AuthenticationSettings.both()
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

// unify keeps one server or provider in the single member and several in the list, of which both answers both.
func (s *AuthenticationSettings) unify(old AuthenticationSettings) {
	s.OAuth2, s.OAuth2List = oneOrMany(old.OAuth2, s.OAuth2, s.OAuth2List)
	s.OpenID, s.OpenIDList = oneOrMany(old.OpenID, s.OpenID, s.OpenIDList)
}

// oneOrMany decides between the two forms. A client that writes what it has read brings both: of one and a list of one, the one that is not
// as it was counts.
func oneOrMany[T any](old, one *T, many []T) (*T, []T) {
	switch {
	case len(many) > 1:
		return nil, many
	case len(many) == 1 && (one == nil || old == nil || !reflect.DeepEqual(*old, many[0])):
		return &many[0], nil
	}
	return one, nil
}

// both are the settings in both forms. Clients of older versions know the single one only.
func (s AuthenticationSettings) both() AuthenticationSettings {
	s.OAuth2, s.OAuth2List = oneAndMany(s.OAuth2, s.OAuth2List)
	s.OpenID, s.OpenIDList = oneAndMany(s.OpenID, s.OpenIDList)
	return s
}

func oneAndMany[T any](one *T, many []T) (*T, []T) {
	switch {
	case len(many) > 0:
		return &many[0], many
	case one != nil:
		return one, []T{*one}
	}
	return nil, nil
}
