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

// unify keeps one form of the settings where both say the same; both answers both.
func (s *AuthenticationSettings) unify(old AuthenticationSettings) {
	s.OAuth2, s.OAuth2List = oneOrMany(old.OAuth2, old.OAuth2List, s.OAuth2, s.OAuth2List)
	s.OpenID, s.OpenIDList = oneOrMany(old.OpenID, old.OpenIDList, s.OpenID, s.OpenIDList)
}

// oneOrMany drops the form that follows from the other. A client that changes one of them brings the other as it was: the change counts.
// Both are kept where they differ from the start.
func oneOrMany[T any](old *T, oldMany []T, one *T, many []T) (*T, []T) {
	if one == nil || len(many) == 0 {
		return one, many
	}
	derived := old != nil && len(oldMany) == 0 // so far the list followed from the single one
	switch {
	case len(many) == 1 && reflect.DeepEqual(*one, many[0]), derived && len(many) == 1 && reflect.DeepEqual(*old, many[0]):
		return one, nil
	case derived && reflect.DeepEqual(*one, *old):
		return nil, many
	}
	return one, many
}

// both are the settings in both forms. Clients of older versions know the single one only.
func (s AuthenticationSettings) both() AuthenticationSettings {
	s.OAuth2, s.OAuth2List = oneAndMany(s.OAuth2, s.OAuth2List)
	s.OpenID, s.OpenIDList = oneAndMany(s.OpenID, s.OpenIDList)
	return s
}

func oneAndMany[T any](one *T, many []T) (*T, []T) {
	switch {
	case one == nil && len(many) > 0:
		one = &many[0]
	case one != nil && len(many) == 0:
		many = []T{*one}
	}
	return one, many
}
