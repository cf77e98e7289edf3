package resources

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/resource"
)

// treeRoot is the folder of the Git repository that holds the configuration.
// Source: learn.microsoft.com, "How to save and configure your API Management service configuration using Git".
const treeRoot = "api-management"

// The kinds of what the repository holds. Users, subscriptions, named values, certificates and whatever else holds
// secrets are not among them.
const (
	treeSettings    = "settings"
	treeGroups      = "groups"
	treeVersionSets = "apiVersionSets"
	treeBackends    = "backends"
	treeProducts    = "products"
	treeAPIs        = "apis"
	treeOperations  = "operations"
	treeTemplates   = "templates"
	treeLinks       = "links" // groups and APIs of products
	treePolicies    = "policies"
)

// treeKinds are the kinds in an order in which they can be written: what others refer to first.
func treeKinds() []string {
	return []string{treeGroups, treeVersionSets, treeBackends, treeProducts, treeAPIs, treeOperations, treeTemplates, treeLinks, treePolicies, treeSettings}
}

// treeItem is one resource.
type treeItem struct {
	rel   string // path below the service: apis/echo
	file  string // where it stands in the repository
	props map[string]any
}

// tree is a configuration.
type tree struct {
	items   map[string]map[string]treeItem // by kind and lower-case path
	changed time.Time                      // when something in it was changed last
}

func newTree() *tree {
	t := &tree{items: make(map[string]map[string]treeItem)}
	for _, kind := range treeKinds() {
		t.items[kind] = make(map[string]treeItem)
	}
	return t
}

func (t *tree) put(kind string, i treeItem) { t.items[kind][strings.ToLower(i.rel)] = i }

// sorted are the items of a kind in the order of their paths; current revisions come before the others of their API.
func (t *tree) sorted(kind string) []treeItem {
	items := make([]treeItem, 0, len(t.items[kind]))
	for _, i := range t.items[kind] {
		items = append(items, i)
	}
	slices.SortFunc(items, func(a, b treeItem) int { return strings.Compare(strings.ToLower(a.rel), strings.ToLower(b.rel)) })
	return items
}

// treeReader reads the configuration that is stored.
type treeReader struct {
	x       *resource.Reader
	service arm.ID
	tree    *tree
}

// readTree reads the configuration of a service, or some kinds of it.
func readTree(x *resource.Reader, kinds ...string) (*tree, error) {
	r := treeReader{x, x.Service, newTree()}
	for _, kind := range kinds {
		if err := r.kind(kind); err != nil {
			return nil, err
		}
	}
	return r.tree, nil
}

func (r treeReader) kind(kind string) error {
	switch kind {
	case treeOperations:
		return r.below(treeAPIs, func(api arm.ID) error { return r.children(kind, api, "operations") })
	case treeTemplates:
		for _, m := range mails() {
			if err := r.add(kind, r.service.Child("templates", m.name)); err != nil {
				return err
			}
		}
		return nil
	case treeSettings:
		for _, name := range []string{signinSettings, signupSettings, delegationSettings} {
			if err := r.add(kind, r.service.Child("portalsettings", name)); err != nil {
				return err
			}
		}
		return nil
	case treeLinks:
		return r.below(treeProducts, func(product arm.ID) error {
			for _, segment := range []string{"groups", "apis"} {
				names, err := resource.Joined(r.x, product, segment)
				if err != nil {
					return err
				}
				for _, name := range names {
					r.tree.put(kind, treeItem{rel: product.RelPath() + "/" + segment + "/" + name})
				}
			}
			return nil
		})
	case treePolicies:
		return r.policies()
	}
	return r.children(kind, r.service, kind)
}

// below runs fn for the resources of a segment of the service.
func (r treeReader) below(segment string, fn func(id arm.ID) error) error {
	ids, err := resource.Children(r.x, r.service, segment)
	for _, id := range ids {
		if err == nil {
			err = fn(id)
		}
	}
	return err
}

func (r treeReader) children(kind string, parent arm.ID, segment string) error {
	ids, err := resource.Children(r.x, parent, segment)
	for _, id := range ids {
		if err == nil {
			err = r.add(kind, id)
		}
	}
	return err
}

func (r treeReader) add(kind string, id arm.ID) error {
	props, modified, err := resource.Writable(r.x, id)
	if err != nil || props == nil || kind == treeGroups && props["type"] == groupSystem {
		return err
	}
	delete(props, "validationKey")
	if modified.After(r.tree.changed) {
		r.tree.changed = modified
	}
	r.tree.put(kind, treeItem{rel: id.RelPath(), props: r.shorten(props).(map[string]any)})
	return nil
}

// shorten takes the service off the IDs in a value: the repository may be deployed to another service.
func (r treeReader) shorten(v any) any {
	switch v := v.(type) {
	case string:
		if len(v) > len(r.service.String()) && strings.EqualFold(v[:len(r.service.String())], r.service.String()) && v[len(r.service.String())] == '/' {
			return v[len(r.service.String()):]
		}
	case []any:
		for i := range v {
			v[i] = r.shorten(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = r.shorten(v[k])
		}
	}
	return v
}

func (r treeReader) policies() error {
	read := func(owner arm.ID) error { return r.add(treePolicies, owner.Child("policies", policyName)) }
	if err := read(r.service); err != nil {
		return err
	}
	if err := r.below(treeProducts, read); err != nil {
		return err
	}
	return r.below(treeAPIs, func(api arm.ID) error {
		if err := read(api); err != nil {
			return err
		}
		ids, err := resource.Children(r.x, api, "operations")
		for _, id := range ids {
			if err == nil {
				err = read(id)
			}
		}
		return err
	})
}

// treeText is a property that stands in a file of its own.
type treeText struct{ kind, property, file string }

func treeTexts() []treeText {
	return []treeText{
		{treeGroups, "description", "description.html"}, {treeProducts, "description", "product.description.html"},
		{treeAPIs, "description", "api.description.html"}, {treeTemplates, "body", "body.html"},
	}
}

// fileName makes a file's name of a resource's, which may hold what Git or file systems do not take.
func fileName(name string) string {
	name = strings.ReplaceAll(url.PathEscape(name), ":", "%3A")
	if strings.HasPrefix(name, ".") {
		name = "%2E" + name[1:]
	}
	return name
}

// names are the names in a path below the service: apis/echo/operations/get has echo and get.
func relNames(rel string) (names []string) {
	for i, segment := range strings.Split(rel, "/") {
		if i%2 == 1 {
			names = append(names, segment)
		}
	}
	return names
}

// treeFiles writes a configuration as files.
type treeFiles map[string][]byte

func (t *tree) files() (treeFiles, error) {
	out := make(treeFiles)
	refs := t.policyFiles(out)
	for _, kind := range []string{treeGroups, treeVersionSets, treeBackends, treeProducts, treeAPIs, treeTemplates} {
		for _, item := range t.sorted(kind) {
			config := t.config(kind, item, refs, out)
			if err := out.json(path.Join(treeRoot, kind, fileName(relNames(item.rel)[0]), "configuration.json"), config); err != nil {
				return nil, err
			}
		}
	}
	global := map[string]any{"settings": t.settings()}
	if ref := refs["service"]; ref != "" {
		global["$ref-policy"] = ref
	}
	return out, out.json(path.Join(treeRoot, "configuration.json"), global)
}

// policyFiles writes the policy documents and returns their files by the lower-case path of what they apply to.
func (t *tree) policyFiles(out treeFiles) map[string]string {
	refs := make(map[string]string)
	for _, item := range t.sorted(treePolicies) {
		owner := strings.TrimSuffix(strings.TrimSuffix(item.rel, "policies/"+policyName), "/")
		names := relNames(owner)
		file := "global.xml"
		switch {
		case len(names) == 2:
			file = path.Join("apis", fileName(names[0]), fileName(names[1]), fileName(names[1])+".xml")
		case strings.HasPrefix(owner, "apis/"):
			file = path.Join("apis", fileName(names[0]), fileName(names[0])+".xml")
		case owner != "":
			file = path.Join("products", fileName(names[0])+".xml")
		}
		file = path.Join(treeRoot, "policies", file)
		text, _ := item.props["value"].(string)
		out[file] = []byte(text)
		refs[strings.ToLower(first(owner, "service"))] = file
	}
	return refs
}

// config is the configuration.json of an item: its properties, references to its other files, and what is in it.
func (t *tree) config(kind string, item treeItem, refs map[string]string, out treeFiles) map[string]any {
	name := relNames(item.rel)[0]
	folder := path.Join(treeRoot, kind, fileName(name))
	config := map[string]any{"name": name}
	for k, v := range item.props {
		config[k] = v
	}
	for _, text := range treeTexts() {
		if text.kind == kind {
			out.text(config, text.property, path.Join(folder, text.file))
		}
	}
	if ref := refs[strings.ToLower(item.rel)]; ref != "" {
		config["$ref-policy"] = ref
	}
	switch kind {
	case treeProducts:
		for _, segment := range []string{"groups", "apis"} {
			config["$refs-"+segment] = t.linked(item.rel, segment)
		}
	case treeAPIs:
		config["operations"] = t.operations(item.rel, folder, refs, out)
	}
	return config
}

// linked are the references of a product to its groups or APIs.
func (t *tree) linked(product, segment string) []string {
	ids := []string{}
	prefix := strings.ToLower(product + "/" + segment + "/")
	for _, link := range t.sorted(treeLinks) {
		if strings.HasPrefix(strings.ToLower(link.rel), prefix) {
			ids = append(ids, "/"+segment+"/"+link.rel[len(prefix):])
		}
	}
	return ids
}

func (t *tree) operations(api, folder string, refs map[string]string, out treeFiles) []any {
	list := []any{}
	prefix := strings.ToLower(api + "/operations/")
	for _, op := range t.sorted(treeOperations) {
		if !strings.HasPrefix(strings.ToLower(op.rel), prefix) {
			continue
		}
		name := op.rel[len(prefix):]
		config := map[string]any{"name": name}
		for k, v := range op.props {
			config[k] = v
		}
		out.text(config, "description", path.Join(folder, "operations", fileName(name)+".description.html"))
		if ref := refs[strings.ToLower(op.rel)]; ref != "" {
			config["$ref-policy"] = ref
		}
		list = append(list, config)
	}
	return list
}

// digest tells configurations apart.
func (f treeFiles) digest() []byte {
	h := sha256.New()
	for _, file := range slices.Sorted(maps.Keys(f)) {
		fmt.Fprintf(h, "%d %s %d ", len(file), file, len(f[file]))
		h.Write(f[file])
	}
	return h.Sum(nil)
}

// text moves a property into a file and refers to it.
func (f treeFiles) text(config map[string]any, property, file string) {
	text, ok := config[property].(string)
	if !ok || text == "" {
		return
	}
	delete(config, property)
	config["$ref-"+property] = file
	f[file] = []byte(text)
}

func (f treeFiles) json(file string, v any) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		return fmt.Errorf("write %s: %w", file, err)
	}
	f[file] = b.Bytes()
	return nil
}

// settings are those of configuration.json, as API Management names them.
func (t *tree) settings() map[string]any {
	of := func(name string) map[string]any { return t.items[treeSettings]["portalsettings/"+name].props }
	sub := func(m map[string]any, key string) map[string]any { s, _ := m[key].(map[string]any); return s }
	word := func(v any) string {
		if on, _ := v.(bool); on {
			return "True"
		}
		return "False"
	}
	terms := sub(of(signupSettings), "termsOfService")
	delegation := of(delegationSettings)
	return map[string]any{
		"RegistrationEnabled":                  word(of(signinSettings)["enabled"]),
		"UserRegistrationTerms":                terms["text"],
		"UserRegistrationTermsEnabled":         word(terms["enabled"]),
		"UserRegistrationTermsConsentRequired": word(terms["consentRequired"]),
		"DelegationEnabled":                    word(sub(delegation, "userRegistration")["enabled"]),
		"DelegationUrl":                        delegation["url"],
		"DelegatedSubscriptionEnabled":         word(sub(delegation, "subscriptions")["enabled"]),
	}
}
