package resources

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/resource"
	"github.com/causeway-apim/causeway/internal/snapshot"
)

// The ways in which a request names a version.
const (
	schemeSegment = "Segment"
	schemeQuery   = "Query"
	schemeHeader  = "Header"
)

// maxVersionSetName is the length of a display name in characters.
const maxVersionSetName = 100

// VersionSet holds the versions of an API together and says how requests name them.
type VersionSet struct {
	DisplayName      string `json:"displayName" rule:"required,max=100" filter:"yes" doc:"Name that people see."`
	Description      string `json:"description,omitempty" doc:"Description."`
	VersioningScheme string `json:"versioningScheme" rule:"required,enum=Segment|Query|Header" filter:"yes" doc:"Where a request names the version."`
	QueryName        string `json:"versionQueryName,omitempty" rule:"max=100" doc:"Name of the query parameter; only with Query."`
	HeaderName       string `json:"versionHeaderName,omitempty" rule:"max=100,pattern=[A-Za-z0-9!#$%&'*+.^_|~-]+" doc:"Name of the header; only with Header."`
}

// VersionSetDetails is a version set inside of an API.
type VersionSetDetails struct {
	ID               string `json:"id,omitempty" doc:"ID of a version set that exists."`
	Name             string `json:"name,omitempty" rule:"max=100" doc:"Display name."`
	Description      string `json:"description,omitempty" doc:"Description."`
	VersioningScheme string `json:"versioningScheme,omitempty" rule:"enum=Segment|Query|Header" doc:"Where a request names the version."`
	QueryName        string `json:"versionQueryName,omitempty" doc:"Name of the query parameter."`
	HeaderName       string `json:"versionHeaderName,omitempty" doc:"Name of the header."`
}

func versionSets() *resource.Type {
	return resource.Define(resource.Spec[VersionSet]{
		Name: "apiVersionSets", Title: "API version set", Doc: "Holds the versions of an API together and says how requests name them.",
		Parents: []string{""}, Workspaces: true, Verbs: resource.CRUDL,
		Check: func(_ *resource.Tx, _, d *resource.Doc[VersionSet]) error { return d.Props.check("") },
		Publish: func(p *resource.Pub, d *resource.Doc[VersionSet]) error {
			v := d.Props
			return p.Add(snapshot.KindVersionSet, d.ID.Rel(), snapshot.VersionSet{
				Name: d.Name(), Display: v.DisplayName, Scheme: v.VersioningScheme, HeaderName: v.HeaderName, QueryName: v.QueryName,
			})
		},
	})
}

// check demands the name that goes with the scheme and refuses the other. Errors name the properties below a path.
func (v *VersionSet) check(path string) error {
	switch {
	case v.VersioningScheme == schemeQuery && v.QueryName == "":
		return arm.Invalid(path+"versionQueryName", "versionQueryName is required with the scheme Query.")
	case v.VersioningScheme == schemeHeader && v.HeaderName == "":
		return arm.Invalid(path+"versionHeaderName", "versionHeaderName is required with the scheme Header.")
	case v.VersioningScheme != schemeQuery && v.QueryName != "":
		return arm.Invalid(path+"versionQueryName", "versionQueryName goes with the scheme Query only.")
	case v.VersioningScheme != schemeHeader && v.HeaderName != "":
		return arm.Invalid(path+"versionHeaderName", "versionHeaderName goes with the scheme Header only.")
	}
	return nil
}

// checkWithin is check for a set that comes within an API, before the rules of a resource of its own are looked at.
func (v *VersionSet) checkWithin(path string) error {
	schemes := []string{schemeSegment, schemeQuery, schemeHeader}
	i := slices.IndexFunc(schemes, func(s string) bool { return strings.EqualFold(s, v.VersioningScheme) })
	switch {
	case v.VersioningScheme == "":
		return arm.Invalid(path+"versioningScheme", "apiVersionSet needs an id or a versioningScheme.")
	case i < 0:
		return arm.Invalid(path+"versioningScheme", "versioningScheme must be one of %s.", strings.Join(schemes, ", "))
	case utf8.RuneCountInString(v.DisplayName) > maxVersionSetName:
		return arm.Invalid(path+"name", "name must not have more than %d characters.", maxVersionSetName)
	}
	v.VersioningScheme = schemes[i]
	return v.check(path)
}

// joinVersionSet puts an API into the version set that is given inside of it, which is made when it has no ID.
func (p *API) joinVersionSet(x *resource.Tx, api arm.ID) error {
	in := p.VersionSet
	if in == nil {
		return nil
	}
	p.VersionSet = nil // only its ID is kept
	if in.ID != "" || p.VersionSetID != "" {
		p.VersionSetID = first(p.VersionSetID, in.ID)
		return nil
	}
	set := VersionSet{
		DisplayName: first(in.Name, p.DisplayName), Description: in.Description, VersioningScheme: in.VersioningScheme,
		QueryName: in.QueryName, HeaderName: in.HeaderName,
	}
	if err := set.checkWithin("apiVersionSet."); err != nil {
		return err
	}
	// Equal requests make equal names, so that repeating one does not make another set.
	base, _ := arm.SplitRevision(api.Key())
	sum := sha256.Sum256([]byte(base + "\n" + strings.ToLower(set.DisplayName)))
	d := &resource.Doc[VersionSet]{Props: set}
	d.ID = ownerOf(api).Child("apiVersionSets", hex.EncodeToString(sum[:12]))
	p.VersionSetID = d.ID.String()
	return resource.Save(x, d)
}
