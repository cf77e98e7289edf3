package resources

import (
	"strings"
	"time"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/resource"
)

// Release says that a revision of an API became the current one.
type Release struct {
	APIID           string     `json:"apiId" rule:"required" filter:"yes" doc:"Revision that becomes the current one, such as /apis/echo;rev=2."`
	Notes           string     `json:"notes,omitempty" filter:"yes" doc:"What is new; shown in the portal."`
	CreatedDateTime *time.Time `json:"createdDateTime,omitempty" rule:"readonly" doc:"When the revision was released."`
	UpdatedDateTime *time.Time `json:"updatedDateTime,omitempty" rule:"readonly" doc:"When the release was changed."`
}

func apiReleases() *resource.Type {
	return resource.Define(resource.Spec[Release]{
		Name: "releases", Title: "API release", Doc: "Makes a revision of an API the current one, and keeps the notes about that.",
		Parents: []string{"apis"}, Workspaces: true, Verbs: resource.CRUDL,
		// Releases are those of the API, under whichever of its revisions they are written.
		Alias: func(_ *resource.Reader, id arm.ID) (arm.ID, error) {
			api := id.Parent()
			base, _ := arm.SplitRevision(api.Name())
			return api.Parent().Child("apis", base).Child("releases", id.Name()), nil
		},
		Default: func(x *resource.Tx, old, d *resource.Doc[Release]) error {
			now := x.Now
			if old == nil {
				d.Props.CreatedDateTime = &now
			}
			d.Props.UpdatedDateTime = &now
			return nil
		},
		Check: checkRelease,
		After: func(x *resource.Tx, old, d *resource.Doc[Release]) error {
			if old != nil && strings.EqualFold(old.Props.APIID, d.Props.APIID) {
				return nil
			}
			return makeCurrent(x, d)
		},
	})
}

// checkRelease makes the ID of the revision full and checks that it is one of the API.
func checkRelease(x *resource.Tx, _, d *resource.Doc[Release]) error {
	id, err := x.Resolve(d.Props.APIID)
	if err != nil {
		return arm.Invalid("apiId", "apiId must be the ID of a revision of the API.")
	}
	base, _ := arm.SplitRevision(id.Key())
	if api, _ := arm.SplitRevision(d.ID.Parent().Key()); base != api {
		return arm.Invalid("apiId", "apiId must be the ID of a revision of the API %q.", d.ID.Parent().Name())
	}
	d.Props.APIID = id.String()
	if id, err = revisionID(&x.Reader, id); err != nil {
		return err
	}
	exists, err := x.Exists(id)
	if err == nil && !exists {
		err = arm.Invalid("apiId", "The revision /%s does not exist.", id.Rel())
	}
	return err
}

// makeCurrent exchanges the current revision of an API and the one that is released: what is stored under the API's name
// moves to NAME;rev=N, and the other way around. What refers to the API, such as products and subscriptions, and its
// releases stay.
func makeCurrent(x *resource.Tx, d *resource.Doc[Release]) error {
	id, err := x.Resolve(d.Props.APIID)
	if err != nil {
		return err
	}
	if id, err = revisionID(&x.Reader, id); err != nil {
		return err
	}
	next, err := resource.Get[API](&x.Reader, id)
	if err != nil || next.Props.IsCurrent {
		return err
	}
	base, _ := arm.SplitRevision(id.Name())
	current, err := resource.Get[API](&x.Reader, id.Parent().Child("apis", base))
	if err != nil {
		return err
	}
	retired := &resource.Doc[API]{Props: current.Props}
	retired.ID, retired.Created = id.Parent().Child("apis", arm.WithRevision(base, current.Props.APIRevision)), current.Created
	retired.Props.IsCurrent = false
	if err := resource.Save(x, retired); err != nil {
		return err
	}
	if err := copyContent(x, current.ID, retired.ID); err != nil {
		return err
	}
	if err := removeContent(x, current.ID, next.ID); err != nil {
		return err
	}
	current.Props = next.Props
	current.Props.IsCurrent = true
	if err := resource.Save(x, current); err != nil {
		return err
	}
	if err := copyContent(x, next.ID, current.ID); err != nil {
		return err
	}
	return resource.Remove(x, next.ID)
}

// removeContent removes what an API consists of and another does not, so that the other's can be copied over the rest.
func removeContent(x *resource.Tx, id, other arm.ID) error {
	if err := removeMissing[Schema](x, id, other, "schemas"); err != nil {
		return err
	}
	if err := removeMissing[Operation](x, id, other, "operations"); err != nil {
		return err
	}
	keys, err := x.Lookup(contentIndex, id.Rel())
	if err != nil {
		return err
	}
	for _, key := range keys {
		old, err := arm.ParseID(key)
		if err != nil {
			return err
		}
		stays, err := x.Exists(placedBelow(old, id, other))
		if err == nil && !stays {
			err = resource.Remove(x, old)
		}
		if err != nil {
			return err
		}
	}
	return x.DeleteBlob(id, definitionBlob)
}

// removeMissing removes those resources of one type in a resource that another does not have.
func removeMissing[T any](x *resource.Tx, id, other arm.ID, segment string) error {
	var gone []arm.ID
	for d, err := range resource.All[T](&x.Reader, id, segment) {
		if err != nil {
			return err
		}
		stays, err := x.Exists(other.Child(segment, d.Name()))
		if err != nil {
			return err
		}
		if !stays {
			gone = append(gone, d.ID)
		}
	}
	for _, id := range gone {
		if err := resource.Remove(x, id); err != nil {
			return err
		}
	}
	return nil
}
