package csharp

import "sync"

// A Library is an immutable set of .NET types that expressions can use. It is safe for concurrent use.
//
// # How a host declares types
//
// Take a Builder with Library.Extend (or NewBuilder for an empty one), declare types and their members, and Build.
// Declarations are C#, implementations are Go functions with Go types, wrapped by F0…F6 (results) or V0…V6 (void):
//
//	b := clr.Library().Extend()
//	req := b.Type("interface IRequest", csharp.Go[*Request]())
//	req.Prop("string Method", csharp.F1(func(r *Request) string { return r.method }))
//	req.Prop("IReadOnlyDictionary<string, string[]> Headers", csharp.F1(func(r *Request) *Headers { return &r.headers }))
//	body := b.Type("interface IMessageBody", csharp.Go[*Body]())
//	body.Method("T As<T>(bool preserveContent = false)",
//		csharp.F3(func(t csharp.TypeArgs, b *Body, keep bool) any { return b.as(t[0], keep) }))
//	ext := b.Type("static class HeaderExtensions", csharp.NoGo())
//	ext.Ext("string GetValueOrDefault(this IReadOnlyDictionary<string, string[]> h, string name, string value = null)",
//		csharp.F3(func(h clr.Map, name, value string) string { … }))
//	lib, err := b.Build()
//	context := lib.MustType("IContext")
//
// The Go parameter for a C# parameter: string for string (see Null), bool for bool, any Go integer type for integers,
// char and enums, float64 or float32 for float and double, the Go form (package comment) or any for everything else.
// An instance member has the receiver, never null, as its first parameter. An out or ref parameter is a *Ref. A params
// parameter is its array. Parameters of the Go types *Run, TypeArgs and ResultType may come first, in any order; they take no
// C# argument: the state of the run, the type arguments of the call (those of the declaring type first, then the
// method's) and the static result type of the call.
// Interfaces of .NET are Go interfaces: what implements clr.Map can be an IReadOnlyDictionary<,>.
// A mistake in a declaration is an error of Build that names it.
type Library struct {
	family *family
	types  map[string]*Type   // full name with `n arity
	short  map[string][]*Type // last part of the name with `n arity
	spaces map[string]bool    // all namespaces and their prefixes
	exts   map[string][]*Member
	hooks  Hooks
	// named remembers what Type found: members of the library ask for types by name while they run.
	named sync.Map
}

// TypeArgs are the closed type arguments of a call.
type TypeArgs []*Type

// Hooks are services of the .NET library that the language itself needs.
type Hooks struct {
	// Format is string.Format's treatment of one value: ToString(spec) in the invariant culture, "" for null.
	Format func(v any, spec string) string
}
