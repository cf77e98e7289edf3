package resources

import (
	"fmt"
	"slices"
	"strings"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/policy"
	"github.com/causeway-apim/causeway/internal/resource"
)

// usesIndex finds policy documents and fragments by what they refer to: "KIND NAME", both in lower case. A document is
// found by what its fragments refer to as well, as far as they did when it was saved; the fragments themselves always are.
const usesIndex = "uses"

// The kinds of things that policy documents refer to.
const (
	usesNamedValue  = "namedvalue"
	usesFragment    = "fragment"
	usesBackend     = "backend"
	usesCertificate = "certificate"
)

// thumbprintIndex finds certificates by their lower-case thumbprint.
const thumbprintIndex = "thumbprint"

// maxUsers bounds the documents that an error names.
const maxUsers = 20

func usesKey(kind, name string) string { return strings.ToLower(kind + " " + name) }

// usesOf lists references as keys.
func usesOf(r policy.References) (keys []string) {
	for kind, names := range map[string][]string{
		usesNamedValue: r.NamedValues, usesFragment: r.Fragments, usesBackend: r.Backends, usesCertificate: r.Certificates,
	} {
		for _, name := range names {
			keys = append(keys, usesKey(kind, name))
		}
	}
	slices.Sort(keys)
	return keys
}

func usesIndexes(keys []string) []resource.Index {
	rows := make([]resource.Index, len(keys))
	for i, key := range keys {
		rows[i] = resource.Index{Name: usesIndex, Value: key[:min(len(key), 500)]}
	}
	return rows
}

// ownerOf returns the service or workspace whose named values, fragments, backends and certificates a document sees.
func ownerOf(id arm.ID) arm.ID {
	if w := id.Find("workspaces"); w != "" && strings.HasPrefix(id.Rel(), "workspaces/") {
		return id.Service().Child("workspaces", w)
	}
	return id.Service()
}

// configuration is what policy documents may refer to: a [policy.Lookup] on one view of the store. The first error of
// the store is kept, because a look-up cannot return it.
type configuration struct {
	x    *resource.Reader
	base arm.ID
	err  error
}

func (c *configuration) fail(err error) {
	if err != nil && c.err == nil {
		c.err = err
	}
}

// NamedValue implements policy.Lookup.
func (c *configuration) NamedValue(name string) (value string, secret, ok bool) {
	keys, err := c.x.Lookup(namedValueIndex, namedValueKey(c.base.Child("namedValues", name), name))
	c.fail(err)
	if len(keys) == 0 {
		return "", false, false
	}
	d, ok := find[NamedValue](c, keys[0])
	if !ok {
		return "", false, false
	}
	return d.Props.Value, d.Props.Secret, true
}

// Fragment implements policy.Lookup.
func (c *configuration) Fragment(name string) (text, format string, ok bool) {
	d, ok := find[Fragment](c, c.base.Key()+"/policyfragments/"+strings.ToLower(name))
	if !ok {
		return "", "", false
	}
	return d.Props.Value, d.Props.Format, true
}

// find reads a resource by its key; a name that cannot be one is no resource's.
func find[T any](c *configuration, key string) (*resource.Doc[T], bool) {
	id, err := arm.ParseID(key)
	if err != nil {
		return nil, false
	}
	d, err := resource.Get[T](c.x, id)
	if arm.IsNotFound(err) {
		return nil, false
	}
	c.fail(err)
	return d, err == nil
}

// HasBackend implements policy.Lookup.
func (c *configuration) HasBackend(name string) bool { return c.exists("backends", name) }

// HasCertificate implements policy.Lookup.
func (c *configuration) HasCertificate(idOrThumbprint string) bool {
	if c.exists("certificates", idOrThumbprint) {
		return true
	}
	keys, err := c.x.Lookup(thumbprintIndex, strings.ToLower(idOrThumbprint))
	c.fail(err)
	return len(keys) > 0
}

func (c *configuration) exists(segment, name string) bool {
	id, err := arm.ParseID(c.base.String() + "/" + segment + "/" + name)
	if err != nil {
		return false
	}
	ok, err := c.x.Exists(id)
	c.fail(err)
	return ok
}

// revalidateDependants compiles every document again that refers to something that has changed in this transaction: a
// named value (by display name) or a fragment. It is refused with the documents that would stop compiling.
func (e Env) revalidateDependants(x *resource.Tx, kind, name string) error {
	keys, err := e.dependants(x, kind, name)
	if err != nil {
		return err
	}
	var broken []arm.Detail
	for _, key := range keys {
		_, err := e.usesAt(&x.Reader, key)
		ae, known := arm.AsError(err)
		switch {
		case err == nil:
			continue
		case !known:
			return err
		}
		id, err := arm.ParseID(key)
		if err != nil {
			return err
		}
		message := fmt.Sprintf("/%s would stop compiling: %s", id.Rel(), ae.Message)
		broken = append(broken, arm.Detail{Code: arm.CodeValidation, Target: "value", Message: message})
	}
	if len(broken) == 0 {
		return nil
	}
	return invalidDocument("value", "", broken[:min(len(broken), maxUsers)]...)
}

// dependants returns the keys of the documents that refer to something, directly or by a fragment.
func (e Env) dependants(x *resource.Tx, kind, name string) ([]string, error) {
	owner := ownerOf(x.ID)
	var found []string
	wanted := []string{usesKey(kind, name)}
	for len(wanted) > 0 {
		keys, err := x.Lookup(usesIndex, wanted[0])
		if err != nil {
			return nil, err
		}
		wanted = wanted[1:]
		for _, key := range keys {
			id, err := arm.ParseID(key)
			if err != nil {
				return nil, err
			}
			if !ownerOf(id).Equal(owner) || slices.Contains(found, key) {
				continue
			}
			found = append(found, key)
			if isFragment(id) {
				wanted = append(wanted, usesKey(usesFragment, id.Name()))
			}
		}
	}
	return found, nil
}

func isFragment(id arm.ID) bool {
	return id.Parent().Equal(ownerOf(id)) && id.Find("policyFragments") != ""
}

// usesAt compiles a stored document again and returns what it refers to now.
func (e Env) usesAt(x *resource.Reader, key string) ([]string, error) {
	id, err := arm.ParseID(key)
	if err != nil {
		return nil, err
	}
	if isFragment(id) {
		d, err := resource.Get[Fragment](x, id)
		if err != nil {
			return nil, err
		}
		return e.compileFragment(x, d)
	}
	d, err := resource.Get[Policy](x, id)
	if err != nil {
		return nil, err
	}
	return e.compilePolicy(x, d, scopeOfDocument(id))
}

// refuseIfUsed refuses to delete something that policy documents or fragments refer to, and names them.
func (e Env) refuseIfUsed(x *resource.Tx, kind, name string) error {
	keys, err := x.Lookup(usesIndex, usesKey(kind, name))
	if err != nil {
		return err
	}
	owner := ownerOf(x.ID)
	var users []arm.Detail
	for _, key := range keys {
		id, err := arm.ParseID(key)
		if err != nil {
			return err
		}
		if !ownerOf(id).Equal(owner) {
			continue
		}
		// The row may be older than the fragments of the document.
		now, err := e.usesAt(&x.Reader, key)
		if _, known := arm.AsError(err); err != nil && !known {
			return err
		}
		if err == nil && !slices.Contains(now, usesKey(kind, name)) {
			continue
		}
		users = append(users, arm.Detail{Code: arm.CodeValidation, Target: "/" + id.Rel(), Message: fmt.Sprintf("/%s refers to it.", id.Rel())})
	}
	if len(users) == 0 {
		return nil
	}
	refusal := arm.Errorf(arm.CodeValidation, "%s cannot be deleted because policies refer to it: %s", name, users[0].Message).WithTarget(users[0].Target)
	refusal.Details = users[:min(len(users), maxUsers)]
	return refusal
}

// placed puts the place of a finding before its message.
func placed(d policy.Diagnostic) string {
	return fmt.Sprintf("Error on line %d, column %d: %s", d.Line, d.Column, d.Message)
}
