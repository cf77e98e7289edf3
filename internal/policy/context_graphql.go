package policy

import (
	"github.com/causeway-apim/causeway/internal/csharp"
	"github.com/causeway-apim/causeway/internal/csharp/clr"
)

// resolverScope is what the expressions of a GraphQL resolver see besides the request: JSON texts, empty for null.
type resolverScope struct{ arguments, parent string }

type resolverKey struct{}

// SetGraphQL tells expressions what the field that is being resolved was asked with and the object that it belongs to: the JSON
// texts behind context.GraphQL.Arguments and context.GraphQL.Parent. An empty parent is null, as at the root.
func (x *Exec) SetGraphQL(arguments, parent string) {
	x.SetState(resolverKey{}, &resolverScope{arguments, parent})
}

// resolver is the scope of the resolver that runs, or nil outside of one.
func (x *Exec) resolver() *resolverScope {
	s, _ := x.State(resolverKey{}).(*resolverScope)
	return s
}

func jsonOrNull(r *csharp.Run, text string) any {
	if text == "" {
		return nil
	}
	return clr.ParseToken(r, text)
}

// declareGraphQL declares context.GraphQL and its older form, context.ParentResult.
func declareGraphQL(b *csharp.Builder, context *csharp.TypeBuilder) {
	g := b.Type("interface IGraphQL", csharp.Go[*resolverScope]())
	g.Prop("Newtonsoft.Json.Linq.JToken Arguments", csharp.F2(func(r *csharp.Run, s *resolverScope) any { return jsonOrNull(r, s.arguments) }))
	g.Prop("Newtonsoft.Json.Linq.JToken Parent", csharp.F2(func(r *csharp.Run, s *resolverScope) any { return jsonOrNull(r, s.parent) }))
	context.Prop("IGraphQL GraphQL", csharp.F1(func(x *Exec) any { return present(x.resolver() != nil, x.resolver()) }))
	context.Prop("Newtonsoft.Json.Linq.JToken ParentResult", csharp.F2(func(r *csharp.Run, x *Exec) any {
		if s := x.resolver(); s != nil {
			return jsonOrNull(r, s.parent)
		}
		return nil
	}))
	helpers := b.Type("static class ParentResultExtensions", csharp.NoGo())
	helpers.Ext("Newtonsoft.Json.Linq.JObject AsJObject(this Newtonsoft.Json.Linq.JToken token)", csharp.F1(func(token any) any {
		object, ok := token.(*clr.JObject)
		if !ok {
			csharp.Throw("System.InvalidCastException", "The token is no JSON object.")
		}
		return object
	}))
}

// absent is an object of Azure's network, which Causeway does not have: its property is always null.
type absent struct{ _ byte }

// declareAbsent declares those objects, so that policies that test them for null compile and run.
func declareAbsent(b *csharp.Builder) {
	for name, members := range map[string][]string{
		"IPrivateEndpointConnection": {"string Name", "string GroupId", "string MemberName"},
		"IAzureVnetInfo":             {"string VnetTrafficTag", "string SubnetId", "int PrivateLinkId", "string SnatVip"},
	} {
		t := b.Type("interface "+name, csharp.Go[*absent]())
		for _, member := range members {
			t.Prop(member, csharp.Boxed(csharp.F1(func(*absent) any { return nil })))
		}
	}
}

// null is the getter of such a property.
func null[T any]() csharp.Func { return csharp.F1(func(T) *absent { return nil }) }
