package resources

import (
	"encoding/json"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/policy"
	"github.com/causeway-apim/causeway/internal/resource"
	"github.com/causeway-apim/causeway/internal/snapshot"
)

// Fragment is a piece of policy that documents include by its name.
type Fragment struct {
	Description string `json:"description,omitempty" rule:"max=1000" filter:"yes" doc:"What the fragment is for."`
	Format      string `json:"format" rule:"enum=rawxml|xml,default=xml" doc:"xml: expressions are escaped as XML demands; rawxml: they are raw C#."`
	Value       string `json:"value" filter:"yes" rule:"required" doc:"The fragment."`
	State       string `json:"provisioningState,omitempty" rule:"readonly" doc:"Succeeded."`
	// Uses are the keys of usesIndex: what the fragment refers to.
	Uses []string `json:"uses,omitempty" rule:"readonly" doc:"What the fragment refers to. Kept, not answered."`
}

// ReferenceCollection is the answer of listReferences.
type ReferenceCollection struct {
	Value    []Reference `json:"value"`
	Count    int         `json:"count"`
	NextLink string      `json:"nextLink"`
}

// Reference is a document that refers to a fragment.
type Reference struct {
	ID string `json:"id"`
}

func policyFragments(env Env) *resource.Type {
	return resource.Define(resource.Spec[Fragment]{
		Name: "policyFragments", Title: "Policy fragment", Doc: "A piece of policy that documents include by its name.",
		Parents: []string{""}, Workspaces: true, Verbs: resource.CRDL, NamePattern: `[A-Za-z0-9._-]+`,
		Check: func(x *resource.Tx, _, d *resource.Doc[Fragment]) (err error) {
			d.Props.Uses, err = env.compileFragment(&x.Reader, d)
			return err
		},
		After: func(x *resource.Tx, old, d *resource.Doc[Fragment]) error {
			if old == nil || old.Props.Value == d.Props.Value && old.Props.Format == d.Props.Format {
				return nil
			}
			return env.revalidateDependants(x, usesFragment, d.Name())
		},
		Delete: func(x *resource.Tx, old *resource.Doc[Fragment]) error {
			return env.refuseIfUsed(x, usesFragment, old.Name())
		},
		View: func(x *resource.Reader, d *resource.Doc[Fragment]) (any, error) {
			v := d.Props
			format, err := answerFormat(x)
			v.Format, v.Value, v.Uses, v.State = format, convertPolicy(v.Value, v.Format, format), nil, succeeded
			return v, err
		},
		Indexes: func(d *resource.Doc[Fragment]) []resource.Index { return usesIndexes(d.Props.Uses) },
		Actions: []resource.Action[Fragment]{{
			Name: "listReferences", Doc: "Lists the documents that include the fragment.", Output: ReferenceCollection{},
			Read: listReferences,
		}},
		Publish: func(p *resource.Pub, d *resource.Doc[Fragment]) error {
			return p.Add(snapshot.KindFragment, d.ID.Rel(), snapshot.Fragment{Name: d.Name(), Format: d.Props.Format, Value: d.Props.Value})
		},
	})
}

// compileFragment compiles a fragment on its own and returns what it uses.
func (e Env) compileFragment(x *resource.Reader, d *resource.Doc[Fragment]) ([]string, error) {
	return e.compile(x, d.ID, d.Props.Value, policy.Options{Kind: policy.KindFragment, Scope: policy.AnyScope, Format: d.Props.Format})
}

func listReferences(x *resource.Reader, d *resource.Doc[Fragment], _ json.RawMessage) (any, error) {
	keys, err := x.Lookup(usesIndex, usesKey(usesFragment, d.Name()))
	if err != nil {
		return nil, err
	}
	page, aerr := arm.ParsePage(x.Query)
	if aerr != nil {
		return nil, aerr
	}
	out := ReferenceCollection{Value: []Reference{}}
	for _, key := range keys {
		id, err := arm.ParseID(key)
		if err != nil {
			return nil, err
		}
		if !ownerOf(id).Equal(ownerOf(d.ID)) {
			continue
		}
		out.Count++
		if int64(out.Count) > page.Skip && len(out.Value) < page.Top {
			sd, err := x.Store().Get(x.Context(), key)
			if err != nil {
				return nil, err
			}
			out.Value = append(out.Value, Reference{sd.Path})
		}
	}
	return out, nil
}
