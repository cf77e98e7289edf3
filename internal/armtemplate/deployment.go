package armtemplate

import (
	"context"
	"strings"
)

// Deployment is a template with its parameters in a scope. It is used by one goroutine at a time.
type Deployment struct {
	template *Template
	scope    Scope
	world    World
	work     *budget

	parameters map[string]*binding
	variables  map[string]*binding
	base       frame // where the template's own expressions stand: its own, or those of the template around it
	resources  []*Resource
}

// binding is a parameter or variable, evaluated when it is first asked for.
type binding struct {
	name  string
	def   *Object // of a parameter
	make  func() Value
	v     Value
	state int // 0: not evaluated, 1: being evaluated, 2: evaluated
}

func (b *binding) value(kind string) Value {
	switch b.state {
	case 1:
		fail("The %s '%s' refers to itself.", kind, b.name)
	case 0:
		b.state = 1
		at(kind+"s."+b.name, func() { b.v = b.make() })
		b.state = 2
	}
	return b.v
}

// New binds a template's parameters. given are their values by name, each in an object with the member value, as in a
// parameter file; nil for none. The error is an [*Error].
func New(ctx context.Context, t *Template, given *Object, scope Scope, w World) (*Deployment, error) {
	d := &Deployment{template: t, scope: scope, world: w, work: newBudget()}
	d.base = frame{ctx: ctx, d: d}
	d.variables = map[string]*binding{}
	err := guard(func() {
		d.bindParameters(given)
		at("variables", d.bindVariables)
	})
	if err != nil {
		return nil, err
	}
	return d, nil
}

// Within makes the deployment of a nested template whose expressions are evaluated in the scope of the template around
// it (expressionEvaluationOptions: outer). r is the resource that nests it.
func Within(ctx context.Context, t *Template, r *Resource, scope Scope) (*Deployment, error) {
	outer := r.frame.d
	base := r.frame
	base.ctx = ctx
	return &Deployment{template: t, scope: scope, world: outer.world, work: outer.work, base: base}, nil
}

// Scope returns where the deployment runs.
func (d *Deployment) Scope() Scope { return d.scope }

func (d *Deployment) bindParameters(given *Object) {
	d.parameters = map[string]*binding{}
	defs := d.template.root.Object("parameters")
	var unknown []string
	for _, k := range given.Keys() {
		if _, ok := defs.Get(k); !ok {
			unknown = append(unknown, k)
		}
	}
	if len(unknown) > 0 {
		fail("Deployment template validation failed: the following parameters were supplied, but do not correspond to any parameters defined in the template: '%s'. The parameters defined in the template are: '%s'.",
			strings.Join(unknown, ", "), strings.Join(defs.Keys(), ", "))
	}
	for _, name := range defs.Keys() {
		def := defs.Object(name)
		at("parameters."+name, func() { d.bindParameter(name, def, given) })
	}
	for _, name := range defs.Keys() { // all of them, so that errors come first
		d.parameters[strings.ToLower(name)].value("parameter")
	}
}

func (d *Deployment) bindParameter(name string, def, given *Object) {
	if def == nil {
		fail("The definition of the parameter '%s' must be an object.", name)
	}
	if kind, _ := d.kind(def); kind == "" && !d.untyped(def) {
		fail("The type '%s' of the parameter '%s' is not valid: it is one of string, secureString, int, bool, object, secureObject and array.", def.Text("type"), name)
	}
	b := &binding{name: name, def: def}
	d.parameters[strings.ToLower(name)] = b
	value, supplied := d.supplied(name, given)
	byDefault, hasDefault := def.Get("defaultValue")
	nullable := d.nullable(def)
	switch {
	case supplied && (value != nil || nullable || !hasDefault):
		b.make = func() Value { return value }
	case hasDefault:
		b.make = func() Value {
			f := d.base
			f.parameter = true
			return f.value(byDefault)
		}
	case nullable:
		b.make = func() Value { return nil }
	default:
		raise(&Error{Code: CodeInvalidTemplate, Message: "Deployment template validation failed: the value for the template parameter '" + name + "' is not provided."})
	}
	inner := b.make
	b.make = func() Value {
		v := inner()
		d.checkType(def, name, v, 0)
		return v
	}
}

// supplied returns the value that a parameter file has for a parameter.
func (d *Deployment) supplied(name string, given *Object) (Value, bool) {
	v, ok := given.Get(name)
	if !ok {
		return nil, false
	}
	o, ok := v.(*Object)
	if !ok {
		fail("The value of the parameter '%s' must stand in an object with the member 'value'.", name)
	}
	if o.Object("reference") != nil {
		raise(&Error{Code: "KeyVaultParameterReferenceNotSupported", Message: "The parameter '" + name +
			"' refers to a secret in Azure Key Vault, which this system cannot read. Give the value itself in a parameter of type secureString, or use a named value of the service that refers to the vault."})
	}
	return o.Get("value")
}

func (d *Deployment) bindVariables() {
	defs := d.template.root.Object("variables")
	add := func(name string, fn func(f frame) Value) {
		f := d.base
		d.variables[strings.ToLower(name)] = &binding{name: name, make: func() Value { return fn(f) }}
	}
	for _, name := range defs.Keys() {
		raw, _ := defs.Get(name)
		if loops, ok := raw.([]Value); ok && strings.EqualFold(name, "copy") && isCopy(loops) {
			for _, v := range loops {
				l := v.(*Object)
				count, _ := l.Get("count")
				input, _ := l.Get("input")
				add(l.Text("name"), func(f frame) Value { return f.repeat(l.Text("name"), f.count(count), input) })
			}
			continue
		}
		add(name, func(f frame) Value { return f.value(raw) })
	}
}

// Parameters returns the parameters as a deployment shows them: type and value, without the values of secure ones.
func (d *Deployment) Parameters() *Object {
	out := &Object{}
	for _, name := range d.template.root.Object("parameters").Keys() {
		b := d.parameters[strings.ToLower(name)]
		if b == nil || b.state != 2 {
			continue
		}
		kind, secure := d.kindOf(b.def, b.v)
		shown := NewObject("type", kind)
		if !secure {
			shown.Set("value", b.v)
		}
		out.Set(name, shown)
	}
	return out
}

// Outputs evaluates the outputs: shown is what a deployment shows, secret holds the values of secure outputs.
func (d *Deployment) Outputs(ctx context.Context) (shown, secret *Object, err error) {
	shown, secret = &Object{}, &Object{}
	err = guard(func() {
		defs := d.template.root.Object("outputs")
		for _, name := range defs.Keys() {
			at("outputs."+name, func() { d.output(ctx, name, defs.Object(name), shown, secret) })
		}
	})
	return shown, secret, err
}

func (d *Deployment) output(ctx context.Context, name string, def, shown, secret *Object) {
	if def == nil {
		fail("The definition of the output must be an object.")
	}
	f := d.base
	f.ctx, f.live = ctx, true
	if c, ok := def.Get("condition"); ok && f.value(c) != true {
		return
	}
	var v Value
	if l := def.Object("copy"); l != nil {
		count, _ := l.Get("count")
		input, _ := l.Get("input")
		v = f.repeat("", f.count(count), input)
	} else {
		raw, _ := def.Get("value")
		v = f.value(raw)
	}
	d.checkType(def, name, v, 0)
	kind, secure := d.kindOf(def, v)
	o := NewObject("type", kind)
	if secure {
		secret.Set(name, NewObject("type", kind, "value", v))
	} else {
		o.Set("value", v)
	}
	shown.Set(name, o)
}

func deploymentFunctions() map[string]function {
	return map[string]function{
		"parameters": {1, 1, func(a args) Value {
			if a.frame.args != nil {
				if v, ok := a.frame.args.Get(a.str(0)); ok {
					return v
				}
				fail("The function has no parameter '%s'.", a.str(0))
			}
			b := a.d.parameters[strings.ToLower(a.str(0))]
			if b == nil {
				fail("The template parameter '%s' is not found.", a.str(0))
			}
			return b.value("parameter")
		}},
		"variables": {1, 1, func(a args) Value {
			b := a.d.variables[strings.ToLower(a.str(0))]
			if b == nil || a.frame.args != nil {
				fail("The template variable '%s' is not found.", a.str(0))
			}
			return b.value("variable")
		}},
		"subscription": {0, 0, func(a args) Value {
			if a.d.scope.Account == nil {
				fail("The template function 'subscription' is not expected at this location: the deployment is not at the scope of a subscription.")
			}
			return a.d.scope.Account
		}},
		"resourcegroup": {0, 0, func(a args) Value {
			if a.d.scope.Group == nil {
				fail("The template function 'resourceGroup' is not expected at this location: the deployment is not at the scope of a resource group.")
			}
			return a.d.scope.Group
		}},
		"tenant": {0, 0, func(a args) Value {
			return NewObject("countryCode", "", "displayName", "", "id", "/tenants/"+a.d.scope.Tenant, "tenantId", a.d.scope.Tenant)
		}},
		"environment": {0, 0, func(a args) Value { return a.d.scope.Environment }},
		"deployment":  {0, 0, func(a args) Value { return a.d.self() }},
		"deployer": {0, 0, func(a args) Value {
			return NewObject("tenantId", a.d.scope.Tenant, "objectId", a.d.scope.Deployer, "userPrincipalName", a.d.scope.DeployerName)
		}},
		"pickzones": {3, 5, func(args) Value { return []Value{} }},
	}
}

// self is what deployment() answers.
func (d *Deployment) self() *Object {
	template := NewObject("$schema", d.template.root.Text("$schema"), "contentVersion", d.template.ContentVersion())
	for _, name := range []string{"parameters", "variables", "resources", "outputs"} {
		if v, ok := d.template.root.Get(name); ok {
			template.Set(name, v)
		}
	}
	o := NewObject("name", d.scope.Name)
	if d.scope.Location != "" {
		o.Set("location", d.scope.Location)
	}
	properties := NewObject("template", template, "templateHash", d.template.Hash(), "parameters", d.Parameters(), "mode", "Incremental", "provisioningState", "Accepted")
	o.Set("properties", properties)
	return o
}
