package resources

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/resource"
	"github.com/causeway-apim/causeway/internal/snapshot"
)

// namedValueIndex finds a named value by its display name, which documents use: in lower case, behind the lower-case
// path of the workspace and a slash when it is in one.
const namedValueIndex = "displayName"

// NamedValue is a constant for policy documents: {{displayName}}.
type NamedValue struct {
	DisplayName string            `json:"displayName" rule:"required,max=256,pattern=[A-Za-z0-9._-]+" filter:"yes" doc:"Name by which policies refer to it."`
	Value       string            `json:"value,omitempty" rule:"secret,required,max=4096" doc:"Text that takes its place; may be an expression. Not answered when it is secret: use listValue."`
	Tags        []string          `json:"tags,omitempty" rule:"max=32" filter:"yes" doc:"Words to filter by."`
	Secret      bool              `json:"secret" doc:"The value is kept from answers and traces."`
	KeyVault    *KeyVaultContract `json:"keyVault,omitempty" doc:"The secret that is the value, when it is kept in a vault."`
	State       string            `json:"provisioningState,omitempty" rule:"readonly" doc:"Succeeded."`
}

// NamedValueSecret is the answer of listValue.
type NamedValueSecret struct {
	Value string `json:"value"`
}

func namedValues(env Env) *resource.Type {
	return resource.Define(resource.Spec[NamedValue]{
		Name: "namedValues", Title: "Named value", Doc: "A constant or secret for policies.",
		Parents: []string{""}, Workspaces: true, Verbs: resource.CRUDL, NameMax: 256,
		Prepare: func(ctx context.Context, x *resource.Request, old, d *resource.Doc[NamedValue]) (err error) {
			p := &d.Props
			if p.KeyVault == nil {
				return refuseRefresh(x)
			}
			before := ""
			if old != nil {
				before = kept(old.Props.KeyVault, p.KeyVault, old.Props.Value)
			}
			p.Secret = true
			p.Value, err = p.KeyVault.read(ctx, env, x, before)
			return err
		},
		Check: func(_ *resource.Tx, _, d *resource.Doc[NamedValue]) error {
			if strings.TrimSpace(d.Props.Value) == "" {
				return arm.Invalid("value", "value must not consist of white space only.")
			}
			return nil
		},
		After: func(x *resource.Tx, old, d *resource.Doc[NamedValue]) error { return checkUses(x, env, old, d) },
		Delete: func(x *resource.Tx, old *resource.Doc[NamedValue]) error {
			return env.refuseIfUsed(x, usesNamedValue, old.Props.DisplayName)
		},
		View: func(_ *resource.Reader, d *resource.Doc[NamedValue]) (any, error) {
			v := d.Props
			v.State = succeeded
			if v.Secret {
				v.Value = ""
			}
			return v, nil
		},
		Indexes: func(d *resource.Doc[NamedValue]) []resource.Index {
			return append(vaultIndexes(d.Props.KeyVault), resource.Index{Name: namedValueIndex, Value: namedValueKey(d.ID, d.Props.DisplayName), Unique: true})
		},
		Actions: []resource.Action[NamedValue]{
			{
				Name: "listValue", Doc: "Answers the value.", Output: NamedValueSecret{},
				Read: func(_ *resource.Reader, d *resource.Doc[NamedValue], _ json.RawMessage) (any, error) {
					return NamedValueSecret{d.Props.Value}, nil
				},
			},
			{Name: RefreshSecret, Doc: "Reads the value from its vault again.", Rewrite: true},
		},
		Publish: func(p *resource.Pub, d *resource.Doc[NamedValue]) error {
			return p.Add(snapshot.KindNamedValue, d.ID.Rel(), snapshot.NamedValue{
				Name: d.Props.DisplayName, Value: d.Props.Value, Secret: d.Props.Secret,
			})
		},
	})
}

// namedValueKey is the value under which [namedValueIndex] holds a display name of the workspace or service that id is in.
func namedValueKey(id arm.ID, displayName string) string {
	name := strings.ToLower(displayName)
	if w := id.Parent().Rel(); w != "" {
		return w + "/" + name
	}
	return name
}

// checkUses compiles what refers to a changed named value again. One that is in use keeps its display name.
func checkUses(x *resource.Tx, env Env, old, d *resource.Doc[NamedValue]) error {
	if old == nil || old.Props.DisplayName == d.Props.DisplayName && old.Props.Value == d.Props.Value {
		return nil
	}
	return env.revalidateDependants(x, usesNamedValue, old.Props.DisplayName)
}

// refuseRefresh refuses to read from a vault what is not kept in one.
func refuseRefresh(x *resource.Request) error {
	if x.Action != RefreshSecret {
		return nil
	}
	return arm.Invalid("keyVault", "This is not kept in a vault.")
}
