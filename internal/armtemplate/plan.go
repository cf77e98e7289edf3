package armtemplate

import (
	"context"
	"maps"
	"slices"
	"strings"
)

// Resource is one resource of a deployment, its loop expanded.
type Resource struct {
	Symbol     string // symbolic name, "" in templates without them
	Type, Name string // full: Microsoft.ApiManagement/service/apis, contoso/echo
	APIVersion string
	ID         string
	Path       string // in the template: resources[2]
	Existing   bool   // it is only referred to
	Skipped    bool   // its condition is false
	DependsOn  []*Resource

	raw     *Object
	frame   frame
	loop    string // name of its copy loop, "" without one
	at      int    // in the loop
	level   int    // in the order
	visited int
}

// DeploymentsType is the type of nested deployments.
const DeploymentsType = "Microsoft.Resources/deployments"

// Plan expands loops and conditions and puts the resources into an order in which each comes after all that it
// depends on. It does so once; later calls give the same list.
func (d *Deployment) Plan() ([]*Resource, error) {
	if d.resources != nil {
		return d.resources, nil
	}
	var ordered []*Resource
	err := guard(func() {
		v, _ := d.template.root.Get("resources")
		at("resources", func() { d.expand(v, nil) })
		for _, r := range d.resources {
			at(r.Path, func() { d.depend(r) })
		}
		d.linkLoops()
		ordered = d.order()
	})
	if err != nil {
		if e, ok := err.(*Error); ok && d.template.source != nil {
			e.Line, e.Column = locate(d.template.source, e.Path)
		}
		d.resources = nil
		return nil, err
	}
	d.resources = ordered
	return ordered, nil
}

// expand adds the resources of an array or of an object of symbolic names, below a parent.
func (d *Deployment) expand(v Value, parent *Resource) {
	prefix := "resources"
	if parent != nil {
		prefix = parent.Path + ".resources"
	}
	each := func(path, symbol string, v Value) {
		raw, ok := v.(*Object)
		if !ok {
			fail("A resource must be an object.")
		}
		d.expandOne(prefix+path, symbol, raw, parent)
	}
	switch v := v.(type) {
	case nil:
	case []Value:
		for i, item := range v {
			at(indexPath(i), func() { each(indexPath(i), "", item) })
		}
	case *Object:
		for _, k := range v.Keys() {
			item, _ := v.Get(k)
			at(k, func() { each("."+k, k, item) })
		}
	default:
		fail("The resources must be an array, or an object of symbolic names.")
	}
}

// expandOne adds a resource, or those of its loop, and what is nested in it.
func (d *Deployment) expandOne(path, symbol string, raw *Object, parent *Resource) {
	f := d.base
	if parent != nil {
		f = parent.frame
	}
	for _, member := range []string{"extension", "import"} {
		if name := raw.Text(member); name != "" {
			raise(&Error{Code: CodeNotSupported, Message: "The resource is one of the extension '" + shorten(name) + "'. Extensions are not supported: deploy what is Azure Resource Manager's without them."})
		}
	}
	l := raw.Object("copy")
	if l == nil {
		d.add(&Resource{Symbol: symbol, Path: path, raw: raw, frame: f}, parent)
		return
	}
	name := f.wantText(l.Text("name"))
	if name == "" {
		fail("A copy loop needs a name.")
	}
	count, _ := l.Get("count")
	for i := range f.count(count) {
		r := &Resource{Symbol: symbol, Path: path, raw: raw, frame: f, loop: name, at: int(i)}
		r.frame.loops = append(slices.Clip(f.loops), loop{name: name, at: i, resource: true})
		d.add(r, parent)
	}
}

func (d *Deployment) add(r *Resource, parent *Resource) {
	if len(d.resources) >= MaxResources {
		raise(&Error{Code: CodeInvalidTemplate, Message: "The number of template resources limit exceeded: at most 800 are allowed."})
	}
	existing, _ := r.raw.Get("existing")
	r.Existing = existing == true
	r.Skipped = parent != nil && parent.Skipped
	if c, ok := r.raw.Get("condition"); ok {
		v := r.frame.value(c)
		if s, is := v.(string); is {
			v = strings.EqualFold(s, "true")
		}
		b, is := v.(bool)
		if !is {
			fail("The condition of a resource must be a boolean.")
		}
		r.Skipped = r.Skipped || !b
	}
	if err := guard(func() { d.name(r, parent) }); err != nil && !r.Skipped {
		e, ok := err.(*Error)
		if !ok {
			panic(worldError{err})
		}
		raise(e)
	}
	for _, other := range d.resources {
		if !r.Skipped && !other.Skipped && r.ID != "" && strings.EqualFold(other.ID, r.ID) && !r.Existing && !other.Existing {
			fail("The resource '%s' is defined more than once in the template.", r.ID)
		}
	}
	d.resources = append(d.resources, r)
	if v, ok := r.raw.Get("resources"); ok && !strings.EqualFold(r.Type, DeploymentsType) {
		at("resources", func() { d.expand(v, r) })
	}
}

// name evaluates type, name, api-version and scope and works out the ID.
func (d *Deployment) name(r, parent *Resource) {
	f := r.frame
	want := func(member string) string {
		var s string
		at(member, func() {
			if s = f.wantText(r.raw.Text(member)); s == "" {
				fail("The resource has no member '%s'.", member)
			}
		})
		return s
	}
	r.Type, r.Name, r.APIVersion = want("type"), want("name"), ""
	if parent != nil && !strings.EqualFold(r.Type, DeploymentsType) && strings.Count(r.Type, "/") < 1+strings.Count(parent.Type, "/") {
		r.Type = parent.Type + "/" + r.Type
	}
	if parent != nil && strings.Count(r.Name, "/") < strings.Count(r.Type, "/")-1 {
		r.Name = parent.Name + "/" + r.Name
	}
	r.APIVersion = want("apiVersion")
	scope := d.scopeOf(r)
	types, names := strings.Split(r.Type, "/"), strings.Split(r.Name, "/")
	switch {
	case strings.EqualFold(r.Type, "Microsoft.Resources/resourceGroups"):
		r.ID = "/subscriptions/" + d.subscription(r) + "/resourceGroups/" + r.Name
		return
	case len(types) < 2 || len(types) != len(names)+1:
		at("name", func() {
			fail("The template resource '%s' for type '%s' has incorrect segment lengths: a nested resource type must have identical number of segments as its resource name, a root resource type one more.", r.Name, r.Type)
		})
	}
	r.ID = scope + "/providers/" + types[0]
	for i, name := range names {
		r.ID += "/" + types[i+1] + "/" + name
	}
}

func (d *Deployment) subscription(r *Resource) string {
	if s := r.raw.Text("subscriptionId"); s != "" {
		return r.frame.wantText(s)
	}
	return d.scope.Subscription
}

// scopeOf returns the ID of what a resource stands in or at.
func (d *Deployment) scopeOf(r *Resource) string {
	s := d.scope
	if sub := d.subscription(r); sub != s.Subscription {
		s.Subscription, s.ResourceGroup = sub, ""
	}
	if g := r.raw.Text("resourceGroup"); g != "" {
		s.ResourceGroup = r.frame.wantText(g)
	}
	text := r.raw.Text("scope")
	if text == "" {
		return s.ID()
	}
	id := strings.TrimSuffix(r.frame.wantText(text), "/")
	if id == "" || strings.HasPrefix(id, "/") {
		return id
	}
	if list, known := d.find(id); known && len(list) == 1 {
		return list[0].ID
	}
	// Without the scope in front: Microsoft.ApiManagement/service/NAME.
	parts := strings.Split(id, "/")
	if len(parts) < 3 || len(parts)%2 == 0 {
		fail("The scope '%s' is not the ID of a resource.", shorten(id))
	}
	return d.scope.ID() + "/providers/" + id
}

// Scope returns where the deployment that a resource of the type [DeploymentsType] nests runs.
func (r *Resource) Scope() (subscription, group string) {
	segs := strings.Split(strings.TrimPrefix(r.ID, "/"), "/")
	if len(segs) > 1 && strings.EqualFold(segs[0], "subscriptions") {
		subscription = segs[1]
	}
	if len(segs) > 3 && strings.EqualFold(segs[2], "resourceGroups") {
		group = segs[3]
	}
	return subscription, group
}

// find returns the resources that a symbolic name, the name of a loop, an ID or a name means.
func (d *Deployment) find(what string) (found []*Resource, known bool) {
	if d.work.steps -= 1 + len(d.resources)/16; d.work.steps < 0 {
		fail("The template takes more work than is allowed.")
	}
	if d.template.symbolic() {
		base, number, indexed := strings.Cut(strings.TrimSuffix(what, "]"), "[")
		for _, r := range d.resources {
			if strings.EqualFold(r.Symbol, base) && (!indexed || indexPath(r.at) == "["+number+"]") {
				found = append(found, r)
			}
		}
		if raw, _ := d.template.root.Get("resources"); len(found) > 0 || raw.(*Object).Object(what) != nil {
			return found, true
		}
	}
	for _, r := range d.resources {
		if r.loop != "" && strings.EqualFold(r.loop, what) {
			found = append(found, r)
		}
	}
	if len(found) > 0 || d.declaresLoop(what) {
		return found, true
	}
	key := strings.ToLower(strings.TrimSuffix(what, "/"))
	for _, r := range d.resources {
		id := strings.ToLower(r.ID)
		if id == key || strings.EqualFold(r.Name, what) || strings.Contains(key, "/") && strings.HasSuffix(id, "/providers/"+strings.TrimPrefix(key, "/")) {
			found = append(found, r)
		}
	}
	if len(found) > 0 {
		return found, true
	}
	for _, r := range d.resources { // the last segment of a name
		if r.Name[strings.LastIndexByte(r.Name, '/')+1:] == what {
			found = append(found, r)
		}
	}
	return found, len(found) > 0
}

// declaresLoop reports whether the template has a loop of that name: it may have made nothing.
func (d *Deployment) declaresLoop(name string) bool {
	declares := func(v Value) bool {
		o, _ := v.(*Object)
		l := o.Object("copy")
		return l != nil && strings.EqualFold(l.Text("name"), name)
	}
	v, _ := d.template.root.Get("resources")
	switch v := v.(type) {
	case []Value:
		return slices.ContainsFunc(v, declares)
	case *Object:
		return slices.ContainsFunc(v.Keys(), func(k string) bool { m, _ := v.Get(k); return declares(m) })
	}
	return false
}

// depend works out what a resource depends on.
func (d *Deployment) depend(r *Resource) {
	if r.Skipped {
		return
	}
	if v, ok := r.raw.Get("dependsOn"); ok {
		at("dependsOn", func() { d.explicit(r, v) })
	}
	w := &watch{refs: map[string]bool{}}
	f := r.frame
	f.watch = w
	for _, k := range r.raw.Keys() {
		if v, _ := r.raw.Get(k); !strings.EqualFold(k, "dependsOn") && !strings.EqualFold(k, "resources") {
			f.scan(v, strings.EqualFold(r.Type, DeploymentsType), 0)
		}
	}
	for _, what := range slices.Sorted(maps.Keys(w.refs)) {
		if found, known := d.find(what); known {
			r.after(found...)
		}
	}
	for _, other := range d.resources { // what it is nested in, said or not
		if other.ID != "" && len(r.ID) > len(other.ID) && r.ID[len(other.ID)] == '/' && strings.EqualFold(r.ID[:len(other.ID)], other.ID) {
			r.after(other)
		}
	}
}

func (r *Resource) after(others ...*Resource) {
	for _, o := range others {
		if o != r && !slices.Contains(r.DependsOn, o) {
			r.DependsOn = append(r.DependsOn, o)
		}
	}
}

func (d *Deployment) explicit(r *Resource, v Value) {
	list, ok := r.frame.value(v).([]Value)
	if !ok {
		fail("The member 'dependsOn' must be an array.")
	}
	for _, v := range list {
		what, ok := v.(string)
		if !ok {
			fail("The elements of 'dependsOn' must be strings.")
		}
		found, known := d.find(what)
		if !known {
			if found, known = d.findInterleaved(what); !known {
				raise(&Error{Code: CodeInvalidTemplate, Message: "Deployment template validation failed: the resource '" + shorten(what) + "' is not defined in the template."})
			}
		}
		if slices.Contains(found, r) {
			fail("The resource '%s' depends on itself.", r.ID)
		}
		r.after(found...)
	}
}

// findInterleaved finds a resource by type and name as [concat('Microsoft.ApiManagement/service/', name)] writes them,
// with the types of nested ones first: service/apis/contoso/echo.
func (d *Deployment) findInterleaved(what string) (found []*Resource, known bool) {
	for _, r := range d.resources {
		if strings.EqualFold(r.Type+"/"+r.Name, what) {
			found = append(found, r)
		}
	}
	return found, len(found) > 0
}

// linkLoops makes the batches of serial loops wait for one another.
func (d *Deployment) linkLoops() {
	for _, r := range d.resources {
		if r.loop == "" || r.Skipped {
			continue
		}
		l := r.raw.Object("copy")
		if !strings.EqualFold(l.Text("mode"), "serial") {
			continue
		}
		size := int64(1)
		if v, ok := l.Get("batchSize"); ok {
			if size, ok = r.frame.value(v).(int64); !ok || size < 1 {
				fail("The batchSize of a copy loop must be a whole number of at least 1.")
			}
		}
		for _, other := range d.resources {
			if other.Path == r.Path && int64(other.at)/size == int64(r.at)/size-1 {
				r.after(other)
			}
		}
	}
}

// order sorts the resources after what they depend on, and otherwise as they stand in the template.
func (d *Deployment) order() []*Resource {
	out := make([]*Resource, 0, len(d.resources))
	var visit func(r *Resource)
	visit = func(r *Resource) {
		if r.visited == 2 {
			return
		}
		if r.visited == 1 {
			raise(&Error{Code: CodeInvalidTemplate, Path: r.Path, Message: "Deployment template validation failed: circular dependency detected on resource: '" + r.ID + "'."})
		}
		r.visited = 1
		for _, other := range r.DependsOn {
			visit(other)
			r.level = max(r.level, other.level+1)
		}
		r.visited = 2
		out = append(out, r)
	}
	for _, r := range d.resources {
		visit(r)
	}
	return out
}

// Body evaluates what is sent for a resource: everything but the members that are the template's own.
func (r *Resource) Body(ctx context.Context) (*Object, error) {
	body := &Object{}
	err := guard(func() {
		f := r.frame
		f.ctx, f.live = ctx, true
		for _, k := range r.raw.Keys() {
			switch strings.ToLower(k) {
			case "type", "name", "apiversion", "dependson", "condition", "copy", "comments", "resources", "scope", "subscriptionid", "resourcegroup",
				"existing", "metadata", "import", "$options", "@options", "asserts":
				continue
			}
			v, _ := r.raw.Get(k)
			at(r.Path+"."+k, func() { body.Set(k, f.value(v)) })
		}
	})
	return body, r.placed(err)
}

func (r *Resource) placed(err error) error {
	if e, ok := err.(*Error); ok && r.frame.d.template.source != nil {
		e.Line, e.Column = locate(r.frame.d.template.source, e.Path)
	}
	return err
}

// Nested is what a resource of the type [DeploymentsType] deploys.
type Nested struct {
	Mode, Location string
	// Template is the template where it stands in the resource, nil when Link says where it is.
	Template   *Object
	Link       *Object // templateLink
	Parameters *Object // with their values
	// ParametersLink says where the parameters are, nil for none.
	ParametersLink *Object
	// Inner says that the template's expressions are its own; otherwise see [Within].
	Inner bool
}

// Nested evaluates a nested deployment, but not its template.
func (r *Resource) Nested(ctx context.Context) (*Nested, error) {
	n := &Nested{}
	err := guard(func() {
		f := r.frame
		f.ctx, f.live = ctx, true
		properties := r.raw.Object("properties")
		get := func(name string) (v Value) {
			if raw, ok := properties.Get(name); ok {
				at(r.Path+".properties."+name, func() { v = f.value(raw) })
			}
			return v
		}
		object := func(name string) *Object { o, _ := get(name).(*Object); return o }
		n.Mode, _ = get("mode").(string)
		n.Location = r.raw.Text("location")
		if n.Location != "" {
			n.Location = f.wantText(n.Location)
		}
		n.Inner = strings.EqualFold(object("expressionEvaluationOptions").Text("scope"), "inner")
		n.Link, n.Parameters, n.ParametersLink = object("templateLink"), object("parameters"), object("parametersLink")
		n.Template = properties.Object("template")
		if n.Link != nil {
			n.Inner = true
		}
	})
	return n, r.placed(err)
}
