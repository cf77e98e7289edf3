package clr

import "github.com/causeway-apim/causeway/internal/csharp"

// declareType offers of System.Type what concerns names and kinds; reflection beyond that does not exist here.
func declareType(b *csharp.Builder) {
	t := b.Type("class System.Type", csharp.Go[*csharp.Type]())
	t.Prop("string Name", csharp.F1(func(t *csharp.Type) string { return t.Name() }))
	t.Prop("string FullName", csharp.F1(func(t *csharp.Type) string { return t.FullName() }))
	t.Prop("string Namespace", csharp.F1(func(t *csharp.Type) string { return t.Namespace() }))
	t.Prop("Type BaseType", csharp.F1(func(t *csharp.Type) *csharp.Type { return t.Base() }))
	t.Prop("bool IsArray", csharp.F1(func(t *csharp.Type) bool { return t.IsArray() }))
	t.Prop("bool IsEnum", csharp.F1(func(t *csharp.Type) bool { return t.IsEnum() }))
	t.Prop("bool IsValueType", csharp.F1(func(t *csharp.Type) bool { return t.IsValueType() || t.IsNullable() }))
	t.Prop("bool IsInterface", csharp.F1(func(t *csharp.Type) bool { return t.IsInterface() }))
	t.Prop("bool IsClass", csharp.F1(func(t *csharp.Type) bool { return !t.IsValueType() && !t.IsNullable() && !t.IsInterface() }))
	t.Prop("bool IsGenericType", csharp.F1(func(t *csharp.Type) bool { return len(t.Args()) > 0 || len(t.Params()) > 0 }))
	t.Method("Type GetElementType()", csharp.F1(func(t *csharp.Type) *csharp.Type { return t.Elem() }))
	t.Method("bool IsAssignableFrom(Type c)", csharp.F2(func(t, c *csharp.Type) bool { return c != nil && c.IsAssignableTo(t) }))
	t.Method("bool IsInstanceOfType(object o)", csharp.F3(func(r run, t *csharp.Type, o any) bool { return r.Library().InstanceOf(o, t) }))
	t.Op("bool operator ==(Type left, Type right)", csharp.F2(func(a, b any) bool { return a == b }))
	t.Op("bool operator !=(Type left, Type right)", csharp.F2(func(a, b any) bool { return a != b }))
}
