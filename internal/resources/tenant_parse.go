package resources

import (
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/causeway-apim/causeway/internal/arm"
)

// treeParser reads a configuration from files.
type treeParser struct {
	files    map[string][]byte
	used     map[string]bool
	tree     *tree
	problems []arm.Detail
}

// parseTree reads a configuration. What is wrong is returned besides, with the files in which it stands.
func parseTree(files map[string][]byte) (*tree, []arm.Detail) {
	p := &treeParser{files: files, used: make(map[string]bool), tree: newTree()}
	p.global()
	for _, file := range slices.Sorted(maps.Keys(files)) {
		segs := strings.Split(file, "/")
		if segs[0] != treeRoot || len(segs) != 4 || segs[3] != "configuration.json" {
			continue
		}
		switch segs[1] {
		case treeGroups, treeVersionSets, treeBackends, treeProducts, treeAPIs, treeTemplates:
			p.item(segs[1], file)
		}
	}
	for _, file := range slices.Sorted(maps.Keys(files)) {
		if strings.HasPrefix(file, treeRoot+"/policies/") && !p.used[file] {
			p.problem(file, "No configuration.json refers to this policy by $ref-policy.")
		}
	}
	return p.tree, p.problems
}

func (p *treeParser) problem(file, format string, args ...any) {
	p.problems = append(p.problems, arm.Detail{Code: arm.CodeValidation, Target: file, Message: fmt.Sprintf(format, args...)})
}

// object reads a file of JSON.
func (p *treeParser) object(file string) map[string]any {
	data, ok := p.files[file]
	if !ok {
		p.problem(file, "The file is missing.")
		return nil
	}
	var v map[string]any
	err := arm.CheckJSON(data)
	if err == nil {
		err = json.Unmarshal(data, &v)
	}
	if err != nil || v == nil {
		p.problem(file, "The file is not a JSON object: %v.", err)
	}
	return v
}

// global reads the settings and the policy of the service.
func (p *treeParser) global() {
	file := treeRoot + "/configuration.json"
	config := p.object(file)
	if config == nil {
		return
	}
	p.policy(file, config, "")
	settings, _ := config["settings"].(map[string]any)
	flag := func(name string) bool {
		switch v := settings[name].(type) {
		case bool:
			return v
		case string:
			return strings.EqualFold(v, "true")
		}
		return false
	}
	text := func(name string) string { s, _ := settings[name].(string); return s }
	set := func(name string, props map[string]any, of ...string) {
		if slices.ContainsFunc(of, func(s string) bool { _, ok := settings[s]; return ok }) {
			p.tree.put(treeSettings, treeItem{rel: "portalsettings/" + name, file: file, props: props})
		}
	}
	set(signinSettings, map[string]any{"enabled": flag("RegistrationEnabled")}, "RegistrationEnabled")
	terms := map[string]any{
		"text": text("UserRegistrationTerms"), "enabled": flag("UserRegistrationTermsEnabled"), "consentRequired": flag("UserRegistrationTermsConsentRequired"),
	}
	set(signupSettings, map[string]any{"termsOfService": terms}, "UserRegistrationTerms", "UserRegistrationTermsEnabled", "UserRegistrationTermsConsentRequired")
	delegation := map[string]any{
		"url": text("DelegationUrl"), "userRegistration": map[string]any{"enabled": flag("DelegationEnabled")},
		"subscriptions": map[string]any{"enabled": flag("DelegatedSubscriptionEnabled")},
	}
	set(delegationSettings, delegation, "DelegationEnabled", "DelegationUrl", "DelegatedSubscriptionEnabled")
}

// item reads a configuration.json below the folder of its kind.
func (p *treeParser) item(kind, file string) {
	config := p.object(file)
	if config == nil {
		return
	}
	name := p.name(file, config)
	if name == "" {
		return
	}
	rel := kind + "/" + name
	if _, twice := p.tree.items[kind][strings.ToLower(rel)]; twice {
		p.problem(file, "Another configuration has the name %q as well.", name)
		return
	}
	for _, text := range treeTexts() {
		if text.kind == kind {
			p.text(file, config, text.property)
		}
	}
	switch kind {
	case treeProducts:
		p.policy(file, config, rel)
		for _, segment := range []string{"groups", "apis"} {
			p.links(file, config, rel, segment)
		}
	case treeAPIs:
		p.policy(file, config, rel)
		for _, key := range []string{"value", "format", "sourceApiId"} {
			if _, ok := config[key]; ok {
				p.problem(file, "%s: an API in the repository cannot be imported or copied.", key)
				delete(config, key)
			}
		}
		p.operations(file, config, rel)
	}
	p.put(kind, file, rel, config)
}

// put keeps an item; what is left that begins with $ was not known.
func (p *treeParser) put(kind, file, rel string, config map[string]any) {
	for key := range config {
		if strings.HasPrefix(key, "$") {
			p.problem(file, "%s: nothing is known under this name.", key)
			delete(config, key)
		}
	}
	p.tree.put(kind, treeItem{rel: rel, file: file, props: config})
}

// name takes the name of a resource out of its configuration.
func (p *treeParser) name(file string, config map[string]any) string {
	name, _ := config["name"].(string)
	delete(config, "name")
	if _, err := arm.ParseID("/x/" + name); err != nil || name == "" || strings.Contains(name, "/") {
		p.problem(file, "name: %q is not the name of a resource.", name)
		return ""
	}
	return name
}

// text puts the text of a file that a configuration refers to into the configuration.
func (p *treeParser) text(file string, config map[string]any, property string) {
	if text, ok := p.referred(file, config, property); ok {
		config[property] = text
	}
}

func (p *treeParser) referred(file string, config map[string]any, property string) (string, bool) {
	key := "$ref-" + property
	v, ok := config[key]
	if !ok {
		return "", false
	}
	delete(config, key)
	ref, _ := v.(string)
	ref = path.Clean(strings.TrimPrefix(ref, "/"))
	data, ok := p.files[ref]
	if !ok {
		p.problem(file, "%s: there is no file %q.", key, v)
		return "", false
	}
	p.used[ref] = true
	return string(data), true
}

// policy keeps the policy document that a configuration refers to; owner is what it applies to, "" the service.
func (p *treeParser) policy(file string, config map[string]any, owner string) {
	ref, _ := config["$ref-policy"].(string)
	text, ok := p.referred(file, config, "policy")
	if !ok {
		return
	}
	format := formatRawXML
	if isWellFormed(text) {
		format = formatXML
	}
	p.tree.put(treePolicies, treeItem{
		rel: strings.TrimPrefix(owner+"/policies/"+policyName, "/"), file: path.Clean(strings.TrimPrefix(ref, "/")),
		props: map[string]any{"format": format, "value": text},
	})
}

// links keeps what a product refers to.
func (p *treeParser) links(file string, config map[string]any, product, segment string) {
	key := "$refs-" + segment
	list, _ := config[key].([]any)
	delete(config, key)
	for _, v := range list {
		ref, _ := v.(string)
		name, ok := strings.CutPrefix(strings.TrimPrefix(ref, "/"), segment+"/")
		if !ok || name == "" || strings.Contains(name, "/") {
			p.problem(file, "%s: %q must have the form /%s/NAME.", key, v, segment)
			continue
		}
		p.tree.put(treeLinks, treeItem{rel: product + "/" + segment + "/" + name, file: file})
	}
}

func (p *treeParser) operations(file string, config map[string]any, api string) {
	list, _ := config["operations"].([]any)
	delete(config, "operations")
	for i, v := range list {
		op, ok := v.(map[string]any)
		if !ok {
			p.problem(file, "operations[%d] is not an object.", i)
			continue
		}
		name := p.name(file, op)
		if name == "" {
			continue
		}
		rel := api + "/operations/" + name
		if _, twice := p.tree.items[treeOperations][strings.ToLower(rel)]; twice {
			p.problem(file, "operations[%d]: another operation has the name %q as well.", i, name)
			continue
		}
		p.text(file, op, "description")
		p.policy(file, op, rel)
		p.put(treeOperations, file, rel, op)
	}
}
