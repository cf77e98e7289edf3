package armtemplate

import (
	"context"
	"strings"
)

func resourceFunctions() map[string]function {
	return map[string]function{
		"resourceid":                {2, -1, resourceID},
		"subscriptionresourceid":    {2, -1, subscriptionResourceID},
		"tenantresourceid":          {2, -1, func(a args) Value { return a.text(idOf(a, "", a.texts(0))) }},
		"managementgroupresourceid": {2, -1, managementGroupResourceID},
		"extensionresourceid":       {3, -1, func(a args) Value { return a.text(idOf(a, strings.TrimSuffix(a.str(0), "/"), a.texts(1))) }},
		"reference":                 {1, 3, reference},
		"references":                {1, 2, references},
		"resourceinfo":              {1, 1, resourceInfo},
		"providers":                 {1, 2, providers},
		"managementgroup":           {0, 1, func(args) Value { fail("Management groups are not supported."); return nil }},
	}
}

// idOf is {scope}/providers/{type}/{name}/… of a type and the names for its segments.
func idOf(a args, scope string, parts []string) string {
	types := strings.Split(strings.TrimSuffix(parts[0], "/"), "/") // Azure takes a slash at the end too
	names := parts[1:]
	if len(names) == 1 && len(types) > 2 {
		names = strings.Split(names[0], "/") // a name of several segments in one
	}
	if len(types) < 2 || len(types)-1 != len(names) {
		fail("The template function '%s' is not valid: the type '%s' needs %d names, and there are %d.", a.name, shorten(parts[0]), len(types)-1, len(names))
	}
	var b strings.Builder
	b.WriteString(scope + "/providers/" + types[0])
	for i, t := range types[1:] {
		b.WriteString("/" + t + "/" + names[i])
	}
	return b.String()
}

// typeAt returns the index of the first argument that is a type: the one with a slash.
func typeAt(a args, parts []string) int {
	for i, p := range parts {
		if strings.Contains(p, "/") {
			return i
		}
	}
	fail("The template function '%s' needs a type of resources such as 'Microsoft.ApiManagement/service'.", a.name)
	return 0
}

// resourceID is resourceId([subscription], [resource group], type, names…).
func resourceID(a args) Value {
	parts := a.texts(0)
	n := typeAt(a, parts)
	s := a.d.scope
	switch n {
	case 0:
	case 1:
		if isGUID(parts[0]) && s.ResourceGroup == "" {
			s.Subscription = parts[0]
		} else {
			s.ResourceGroup = parts[0]
		}
	case 2:
		s.Subscription, s.ResourceGroup = parts[0], parts[1]
	default:
		fail("The template function 'resourceId' has at most a subscription and a resource group before the type.")
	}
	if strings.EqualFold(parts[n], "Microsoft.Resources/resourceGroups") && len(parts) == n+2 {
		return "/subscriptions/" + s.Subscription + "/resourceGroups/" + parts[n+1]
	}
	return a.text(idOf(a, s.ID(), parts[n:]))
}

func isGUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i, c := range s {
		if dash := i == 8 || i == 13 || i == 18 || i == 23; dash != (c == '-') || !dash && !strings.ContainsRune("0123456789abcdefABCDEF", c) {
			return false
		}
	}
	return true
}

func subscriptionResourceID(a args) Value {
	parts := a.texts(0)
	sub, n := a.d.scope.Subscription, typeAt(a, parts)
	if n == 1 {
		sub = parts[0]
	}
	if sub == "" {
		fail("The template function 'subscriptionResourceId' needs the subscription: the deployment is not at the scope of one.")
	}
	if strings.EqualFold(parts[n], "Microsoft.Resources/resourceGroups") && len(parts) == n+2 {
		return "/subscriptions/" + sub + "/resourceGroups/" + parts[n+1]
	}
	return a.text(idOf(a, "/subscriptions/"+sub, parts[n:]))
}

func managementGroupResourceID(a args) Value {
	parts := a.texts(0)
	n := typeAt(a, parts)
	if n != 1 {
		fail("The template function 'managementGroupResourceId' needs the management group.")
	}
	return a.text(idOf(a, "/providers/Microsoft.Management/managementGroups/"+parts[0], parts[n:]))
}

// named returns the ID and api-version that a name, symbolic name or ID means.
func (a args) named(what string) (id, version string) {
	r, known := a.d.find(what)
	switch {
	case known && len(r) == 1:
		return r[0].ID, r[0].APIVersion
	case strings.HasPrefix(what, "/"):
		return what, ""
	case strings.Count(what, "/") >= 2: // without the scope in front
		if types := strings.Split(what, "/"); len(types)%2 == 1 {
			return a.d.scope.ID() + "/providers/" + what, ""
		}
	}
	fail("The resource '%s' is not defined in the template.", shorten(what))
	return "", ""
}

func reference(a args) Value {
	id, version := a.named(a.str(0))
	version = a.optional(1, version)
	o := ask(a.frame, "reference", func(ctx context.Context, w World) (*Object, error) { return w.Reference(ctx, id, version) })
	if strings.EqualFold(a.optional(2, ""), "Full") {
		full := o.Clone()
		if version != "" {
			full.Set("apiVersion", version)
		}
		return full
	}
	if properties := o.Object("properties"); properties != nil {
		return properties
	}
	return &Object{}
}

// references is reference() of all the resources of a loop.
func references(a args) Value {
	list, known := a.d.find(a.str(0))
	if !known {
		fail("The loop '%s' is not defined in the template.", a.str(0))
	}
	out := []Value{}
	for _, r := range list {
		v := []Value{r.ID}
		if a.has(1) {
			v = []Value{r.ID, r.APIVersion, a.v[1]}
		}
		out = append(out, reference(args{frame: a.frame, name: "reference", v: v}))
	}
	return out
}

func resourceInfo(a args) Value {
	list, known := a.d.find(a.str(0))
	if !known || len(list) != 1 {
		fail("The resource '%s' is not defined in the template.", a.str(0))
	}
	r := list[0]
	return NewObject("id", r.ID, "name", r.Name, "type", r.Type, "apiVersion", r.APIVersion)
}

func providers(a args) Value {
	o := ask(a.frame, "providers", func(ctx context.Context, w World) (*Object, error) { return w.Providers(ctx, a.str(0)) })
	if !a.has(1) {
		return o
	}
	v, _ := o.Get("resourceTypes")
	l, _ := v.([]Value)
	for _, t := range l {
		if t, ok := t.(*Object); ok && strings.EqualFold(t.Text("resourceType"), a.str(1)) {
			return t
		}
	}
	fail("The resource provider '%s' has no type '%s'.", a.str(0), a.str(1))
	return nil
}

// list is every function whose name begins with list.
func (a args) list(name string) Value {
	id, version := a.named(a.str(0))
	version = a.optional(1, version)
	var body Value
	if a.has(2) {
		body = a.v[2]
	}
	return ask(a.frame, name, func(ctx context.Context, w World) (Value, error) { return w.List(ctx, name, id, version, body) })
}
