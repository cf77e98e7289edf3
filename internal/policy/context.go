package policy

import (
	"maps"
	"time"

	"github.com/causeway-apim/causeway/internal/csharp"
	"github.com/causeway-apim/causeway/internal/csharp/clr"
	"github.com/causeway-apim/causeway/internal/snapshot"
)

// contextLibrary is the .NET library with the types behind `context`. An expression's host argument is the *Exec: nothing is copied for an
// expression, every member looks at the request when it is read.
func contextLibrary() (*csharp.Library, []csharp.Global, error) {
	b := clr.Library().Extend()
	declareContext(b)
	declareConfiguration(b)
	readers := make(bodyReaders)
	declareMessages(b, readers)
	declareURL(b)
	declareHelpers(b)
	lib, err := b.Build()
	if err != nil {
		return nil, nil, err
	}
	maps.Copy(readers, readersOf(lib)) // they need the library that they are part of
	return lib, []csharp.Global{{Name: "context", Type: lib.MustType("IProxyRequestContext")}}, nil
}

// The objects of the context that are views of the whole Exec: distinct Go types for distinct .NET types, without an allocation.
type (
	deploymentObject   Exec
	gatewayObject      Exec
	productObject      Exec
	subscriptionObject Exec
	userObject         Exec
	requestObject      Exec
	originalURLObject  Exec
	requestURLObject   Exec
	variablesObject    Exec
	matchedObject      Exec
)

// present gives an object of the context, or null where the request has none.
func present[P any](there bool, object *P) any {
	if there {
		return object
	}
	return nil
}

func declareContext(b *csharp.Builder) {
	t := b.Type("interface IProxyRequestContext", csharp.Go[*Exec]())
	t.Prop("IContextApi Api", csharp.F1(func(x *Exec) any { return present(x.API != nil, x.API) }))
	t.Prop("IDeployment Deployment", csharp.F1(func(x *Exec) *deploymentObject { return (*deploymentObject)(x) }))
	t.Prop("TimeSpan Elapsed", csharp.F1(func(x *Exec) any { return timeSpan(x.Now().Sub(x.Started)) }))
	t.Prop("ILastError LastError", csharp.F1(func(x *Exec) any { return present(x.LastError != nil, x.LastError) }))
	t.Prop("IOperation Operation", csharp.F1(func(x *Exec) any { return present(x.Operation != nil, x.Operation) }))
	t.Prop("IProduct Product", csharp.F1(func(x *Exec) any { return present(x.Product != nil, (*productObject)(x)) }))
	t.Prop("IRequest Request", csharp.F1(func(x *Exec) *requestObject { return (*requestObject)(x) }))
	t.Prop("Guid RequestId", csharp.F1(func(x *Exec) any { return guid(x.RequestID) }))
	t.Prop("IResponse Response", csharp.F1(func(x *Exec) any { return x.responseValue() }))
	t.Prop("ISubscription Subscription", csharp.F1(func(x *Exec) any { return present(x.Subscription != nil, (*subscriptionObject)(x)) }))
	t.Prop("DateTime Timestamp", csharp.F1(func(x *Exec) any { return dateTime(x.Started) }))
	t.Prop("bool Tracing", csharp.F1(func(x *Exec) bool { return x.Tracer != nil }))
	t.Prop("IUser User", csharp.F1(func(x *Exec) any { return present(x.User != nil, (*userObject)(x)) }))
	t.Prop("IVariables Variables", csharp.F1(func(x *Exec) *variablesObject { return (*variablesObject)(x) }))
	t.Method("void Trace(string message)", csharp.V2(func(x *Exec, message string) { x.Trace("context.Trace", message) }))

	t.Prop("IWorkspace Workspace", csharp.F1(func(x *Exec) any { return workspaceOf(x.API) }))
	w := b.Type("interface IWorkspace", csharp.Go[*snapshot.Workspace]())
	w.Prop("string Id", csharp.F1(func(w *snapshot.Workspace) string { return w.Name }))
	w.Prop("string Name", csharp.F1(func(w *snapshot.Workspace) string { return w.Display }))
	declareAbsent(b)
	declareGraphQL(b, t)

	v := b.Type("interface IVariables : IReadOnlyDictionary<string, object>", csharp.Go[*variablesObject]())
	v.Index("object this[string key]", csharp.F2(func(v *variablesObject, key string) any { return v.variables[key] }))
	v.Method("object GetValueOrDefault(string key)", csharp.F2(func(v *variablesObject, key string) any { return v.variables[key] }))
	v.Method("T GetValueOrDefault<T>(string key, T defaultValue = default(T))", csharp.F5(valueOrDefault))

	e := b.Type("interface ILastError", csharp.Go[*LastError]())
	for name, get := range map[string]func(e *LastError) string{
		"Source": func(e *LastError) string { return e.Source }, "Message": func(e *LastError) string { return e.Message },
		"Scope": func(e *LastError) string { return e.Scope }, "Section": func(e *LastError) string { return e.Section },
		"Path": func(e *LastError) string { return e.Path }, "Reason": func(e *LastError) string { return nullIfEmpty(e.Reason) },
		"PolicyId": func(e *LastError) string { return nullIfEmpty(e.PolicyID) },
	} {
		e.Prop("string "+name, csharp.F1(get))
	}
	e.Prop("int HttpErrorCode", csharp.F1(func(e *LastError) int { return e.Status }))
}

// workspaceOf is the workspace of an API, null outside of workspaces.
func workspaceOf(a *snapshot.API) any {
	if a == nil {
		return nil
	}
	return present(a.Workspace != nil, a.Workspace)
}

func nullIfEmpty(s string) string {
	if s == "" {
		return csharp.Null()
	}
	return s
}

// The methods of clr.Map.

func (v *variablesObject) Count() int { return len(v.variables) }

func (v *variablesObject) Lookup(key any) (value any, ok bool) {
	name, _ := key.(string)
	value, ok = v.variables[name]
	return value, ok
}

func (v *variablesObject) EachEntry(yield func(key, value any) bool) {
	for name, value := range v.variables {
		if !yield(name, value) {
			return
		}
	}
}

// valueOrDefault is Variables.GetValueOrDefault<T>: a value of another type is an InvalidCastException, null and a missing one are the default.
func valueOrDefault(run *csharp.Run, types csharp.TypeArgs, v *variablesObject, key string, fallback any) any {
	value, ok := v.variables[key]
	if !ok || value == nil {
		return fallback
	}
	return run.Library().Cast(value, types[0])
}

// objects is an IEnumerable<T> of objects of the context.
type objects []any

// Each yields the objects.
func (o objects) Each(_ *csharp.Run, yield func(item any) bool) {
	for _, item := range o {
		if !yield(item) {
			return
		}
	}
}

func declareConfiguration(b *csharp.Builder) {
	declareAPI(b)
	d := b.Type("interface IDeployment", csharp.Go[*deploymentObject]())
	d.Prop("string GatewayId", csharp.F1(func(d *deploymentObject) string { return d.Deployment.GatewayID }))
	d.Prop("string Region", csharp.F1(func(d *deploymentObject) string { return d.Deployment.Region }))
	d.Prop("string ServiceName", csharp.F1(func(d *deploymentObject) string { return d.Service.Name }))
	d.Prop("string ServiceId", csharp.F1(func(d *deploymentObject) string { return d.Service.ID }))
	d.Prop("IReadOnlyDictionary<string, X509Certificate2> Certificates", csharp.F1(func(d *deploymentObject) any { return (*certificatesObject)(d) }))
	d.Prop("IGateway Gateway", csharp.F1(func(d *deploymentObject) *gatewayObject { return (*gatewayObject)(d) }))

	g := b.Type("interface IGateway", csharp.Go[*gatewayObject]())
	g.Prop("string Id", csharp.F1(func(g *gatewayObject) string { return g.Deployment.GatewayID }))
	g.Prop("string InstanceId", csharp.F1(func(g *gatewayObject) string { return g.Deployment.InstanceID }))
	g.Prop("bool IsManaged", csharp.F1(func(g *gatewayObject) bool { return g.Deployment.GatewayID == "managed" }))

	group := b.Type("interface IGroup", csharp.Go[*snapshot.Group]())
	group.Prop("string Id", csharp.F1(func(g *snapshot.Group) string { return g.Name }))
	group.Prop("string Name", csharp.F1(func(g *snapshot.Group) string { return g.Display }))

	p := b.Type("interface IProduct", csharp.Go[*productObject]())
	p.Prop("string Id", csharp.F1(func(p *productObject) string { return p.Product.Name }))
	p.Prop("string Name", csharp.F1(func(p *productObject) string { return p.Product.Display }))
	p.Prop("bool ApprovalRequired", csharp.F1(func(p *productObject) bool { return p.Product.ApprovalRequired }))
	p.Prop("bool SubscriptionRequired", csharp.F1(func(p *productObject) bool { return p.Product.SubscriptionRequired }))
	p.Prop("int? SubscriptionLimit", csharp.F1(func(p *productObject) any { return nullableInt(p.Product.SubscriptionsLimit) }))
	p.Prop("IEnumerable<IGroup> Groups", csharp.F1(func(p *productObject) any { return groups(p.Host, p.Product.Groups) }))
	p.Prop("IEnumerable<IApi> Apis", csharp.F1(func(p *productObject) any {
		var list objects
		for _, a := range p.Host.ProductAPIs(p.Product.Name) {
			list = append(list, a)
		}
		return list
	}))
	b.Enum("ProductState", false, []string{"NotPublished", "Published"}, []int64{0, 1})
	p.Prop("ProductState State", csharp.F1(func(p *productObject) int64 {
		if p.Product.Published {
			return 1
		}
		return 0
	}))
	// What is in a product of a workspace is in the workspace, too.
	p.Prop("IWorkspace Workspace", csharp.F1(func(p *productObject) any { return workspaceOf(p.API) }))
	declareSubscription(b)
	declareUser(b)
}

func nullableInt(n *int) any {
	if n == nil {
		return nil
	}
	return int32(*n)
}

func groups(config Config, names []string) objects {
	var list objects
	for _, name := range names {
		if g, ok := config.Group(name); ok {
			list = append(list, g)
		}
	}
	return list
}

func declareAPI(b *csharp.Builder) {
	a := b.Type("interface IApi", csharp.Go[*snapshot.API]())
	a.Prop("string Id", csharp.F1(func(a *snapshot.API) string { return a.Name }))
	a.Prop("string Name", csharp.F1(func(a *snapshot.API) string { return a.Display }))
	a.Prop("string Path", csharp.F1(func(a *snapshot.API) string { return a.Path }))
	a.Prop("IEnumerable<string> Protocols", csharp.F1(func(a *snapshot.API) any {
		var list objects
		for _, p := range a.Protocols {
			list = append(list, p)
		}
		return list
	}))
	a.Prop("IUrl ServiceUrl", csharp.F1(func(a *snapshot.API) any { return serviceURL(a.ServiceURL) }))
	a.Prop("ISubscriptionKeyParameterNames SubscriptionKeyParameterNames", csharp.F1(func(a *snapshot.API) *keyNames { return (*keyNames)(a) }))

	k := b.Type("interface ISubscriptionKeyParameterNames", csharp.Go[*keyNames]())
	k.Prop("string Header", csharp.F1(func(k *keyNames) string { return or(k.KeyHeader, "Ocp-Apim-Subscription-Key") }))
	k.Prop("string Query", csharp.F1(func(k *keyNames) string { return or(k.KeyQuery, "subscription-key") }))

	c := b.Type("interface IContextApi : IApi", csharp.Go[*snapshot.API]())
	c.Prop("bool IsCurrentRevision", csharp.F1(func(a *snapshot.API) bool { return a.IsCurrent }))
	c.Prop("string Revision", csharp.F1(func(a *snapshot.API) string { return a.Revision }))
	c.Prop("string Version", csharp.F1(func(a *snapshot.API) string { return nullIfEmpty(a.Version) }))

	c.Prop("IWorkspace Workspace", csharp.F1(func(a *snapshot.API) any { return workspaceOf(a) }))

	o := b.Type("interface IOperation", csharp.Go[*snapshot.Operation]())
	o.Prop("string Id", csharp.F1(func(o *snapshot.Operation) string { return o.Name }))
	o.Prop("string Name", csharp.F1(func(o *snapshot.Operation) string { return o.Display }))
	o.Prop("string Method", csharp.F1(func(o *snapshot.Operation) string { return o.Method }))
	o.Prop("string UrlTemplate", csharp.F1(func(o *snapshot.Operation) string { return o.URLTemplate }))
}

// keyNames is the view of an API's names for the subscription key.
type keyNames snapshot.API

func declareSubscription(b *csharp.Builder) {
	s := b.Type("interface ISubscription", csharp.Go[*subscriptionObject]())
	s.Prop("string Id", csharp.F1(func(s *subscriptionObject) string { return s.Subscription.Name }))
	s.Prop("string Name", csharp.F1(func(s *subscriptionObject) string { return s.Subscription.Display }))
	s.Prop("string Key", csharp.F1(func(s *subscriptionObject) string { return nullIfEmpty(s.SubscriptionKey) }))
	s.Prop("string PrimaryKey", csharp.F1(func(s *subscriptionObject) string {
		keys, _ := s.Host.SubscriptionKeys(s.Subscription.Name)
		return nullIfEmpty(keys.Primary)
	}))
	s.Prop("string SecondaryKey", csharp.F1(func(s *subscriptionObject) string {
		keys, _ := s.Host.SubscriptionKeys(s.Subscription.Name)
		return nullIfEmpty(keys.Secondary)
	}))
	created := csharp.F1(func(s *subscriptionObject) any { return dateTime(s.Subscription.Created) })
	s.Prop("DateTime CreatedDate", created)
	s.Prop("DateTime CreatedTime", created)
	s.Prop("DateTime? StartDate", csharp.F1(func(s *subscriptionObject) any { return nullableTime(s.Subscription.Start) }))
	s.Prop("DateTime? EndDate", csharp.F1(func(s *subscriptionObject) any { return nullableTime(s.Subscription.End) }))
}

func nullableTime(t *time.Time) any {
	if t == nil {
		return nil
	}
	return dateTime(*t)
}

func declareUser(b *csharp.Builder) {
	u := b.Type("interface IUser", csharp.Go[*userObject]())
	u.Prop("string Id", csharp.F1(func(u *userObject) string { return u.User.Name }))
	u.Prop("string Email", csharp.F1(func(u *userObject) string { return u.User.Email }))
	u.Prop("string FirstName", csharp.F1(func(u *userObject) string { return u.User.FirstName }))
	u.Prop("string LastName", csharp.F1(func(u *userObject) string { return u.User.LastName }))
	u.Prop("string Note", csharp.F1(func(u *userObject) string { return nullIfEmpty(u.User.Note) }))
	u.Prop("DateTime RegistrationDate", csharp.F1(func(u *userObject) any { return dateTime(u.User.Registered) }))
	u.Prop("IEnumerable<IGroup> Groups", csharp.F1(func(u *userObject) any { return groups(u.Host, u.User.Groups) }))
	u.Prop("IEnumerable<IUserIdentity> Identities", csharp.F1(func(u *userObject) any {
		var list objects
		for i := range u.User.Identities {
			list = append(list, &u.User.Identities[i])
		}
		return list
	}))
	i := b.Type("interface IUserIdentity", csharp.Go[*snapshot.Identity]())
	i.Prop("string Id", csharp.F1(func(i *snapshot.Identity) string { return i.ID }))
	i.Prop("string Provider", csharp.F1(func(i *snapshot.Identity) string { return i.Provider }))
}
